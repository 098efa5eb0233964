/* A ClientHello or ServerHello of any bytes: each print of it is text, as long
 * as was said, and the same again where there is room for half of it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock/prints.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(const uint8_t *data, size_t size, int item)
{
    int n = tlsock_hello_print(data, size, item, NULL, 0), again;
    char *text, *half;

    if (n < 0)
        return;
    text = malloc((size_t)n + 1);
    half = malloc((size_t)n / 2 + 1);
    if (text != NULL && half != NULL) {
        again = tlsock_hello_print(data, size, item, text, (size_t)n + 1);
        if (again != n || strlen(text) != (size_t)n)
            abort();
        again = tlsock_hello_print(data, size, item, half, (size_t)n / 2 + 1);
        if (again != n || strncmp(text, half, (size_t)n / 2) != 0)
            abort();
        for (int i = 0; i < n; i++)
            if (strchr("0123456789,-_", text[i]) == NULL &&
                (text[i] | 0x20) < 'a')
                abort();
    }
    free(text);
    free(half);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int item = TLSOCK_INFO_JA3; item <= TLSOCK_INFO_JA4; item++)
        print(data, size, item);
    for (int item = TLSOCK_INFO_JA3_RAW; item <= TLSOCK_INFO_JA4_RO; item++)
        print(data, size, item);
    return 0;
}
