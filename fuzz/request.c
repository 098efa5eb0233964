/* request - the head of an HTTP request to "serve --files": taken whole or not
 * at all, within its bounds. That no path leads out of the tree is
 * engine/beneath.c's doing, and tests/cli/files.sh's. */
#include "http.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int claim)
{
    if (!claim)
        abort();
}

static void check_path(const char *path)
{
    must(path[0] == '/' && strlen(path) < HTTP_PATH_MAX);
    for (const char *p = path; *p != '\0'; p++)
        must((unsigned char)*p >= 32 && *p != 127);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *text = (const char *)data;
    struct http_request req, again;
    size_t n;

    memset(&req, 0, sizeof(req));
    n = http_parse(&req, text, len);
    must(n <= len && n <= HTTP_HEAD_MAX);
    if (n == 0) {
        must(req.status != 0 || len < HTTP_HEAD_MAX);
        return 0;
    }
    if (req.status != 0) {
        must(req.status >= 400 && http_reason(req.status)[0] != '\0');
        return 0;
    }
    check_path(req.path);
    /* what follows the head is not looked at */
    memset(&again, 0, sizeof(again));
    must(http_parse(&again, text, n) == n && again.status == 0);
    must(strcmp(req.path, again.path) == 0 && req.persist == again.persist);
    return 0;
}
