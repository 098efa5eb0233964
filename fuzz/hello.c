/* Two extensions of a ClientHello as they are shown to a hook: the first byte
 * says which, the rest is the extension. The text is always a text. */
#include "tls/hello.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[TSK_HELLO_TEXT];
    unsigned char *exact;

    if (size == 0)
        return 0;
    exact = malloc(size - 1 + (size == 1)); /* a byte too far is seen */
    if (exact == NULL)
        return 0;
    memcpy(exact, data + 1, size - 1);
    if (data[0] & 1)
        tsk_hello_alpn(exact, size - 1, out);
    else
        tsk_hello_sni(exact, size - 1, out);
    for (size_t i = 0; out[i] != '\0'; i++)
        if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
            abort();
    if (memchr(out, '\0', sizeof(out)) == NULL)
        abort();
    free(exact);
    return 0;
}
