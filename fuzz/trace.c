/* A message of TLS, of any bytes, as a line: the first byte says which kind and
 * which version, the rest is the message. The line is a text without controls,
 * and the same again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock/trace.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char line[TLSOCK_TRACE_LINE], again[TLSOCK_TRACE_LINE];
    tlsock_event e = {.size = sizeof(e), .kind = TLSOCK_ON_MESSAGE};
    uint8_t *exact;
    int n;

    if (size == 0)
        return 0;
    exact = malloc(size - 1 + (size == 1)); /* a byte too far is seen */
    if (exact == NULL)
        return 0;
    memcpy(exact, data + 1, size - 1);
    e.type = 20 + (data[0] & 3) % 3;
    e.version = 0x0301 + (data[0] >> 2 & 3);
    e.sent = data[0] >> 4 & 1;
    e.data = exact;
    e.len = size - 1;
    n = tlsock_trace_line(&e, line, sizeof(line));
    if (n < 0 || strlen(line) != (size_t)n ||
        tlsock_trace_line(&e, again, sizeof(again)) != n ||
        strcmp(line, again) != 0)
        abort();
    for (int i = 0; i < n; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            abort();
    free(exact);
    return 0;
}
