/* The head of a request to ca serve. */
#include "http_head.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_head h;
    size_t n = http_head_parse(&h, (const char *)data, size);

    if (n > size || (n == 0 && h.status != 0))
        abort();
    if (n > 0 && h.status == 0 &&
        (h.path[0] != '/' || strlen(h.path) >= HTTP_TARGET ||
         strpbrk(h.path, " ?#\r\n") != NULL ||
         strpbrk(h.host, "/\"<> \r\n") != NULL || h.length > HTTP_BODY_MAX))
        abort();
    return 0;
}
