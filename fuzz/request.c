/* request - the head of an HTTP request to "serve --files" and "ca serve":
 * taken whole or not at all, within its bounds. That no path leads out of the
 * tree is engine/beneath.c's doing, and tests/cli/files.sh's. */
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

static void check_path(const struct http_head *h)
{
    char path[HTTP_PATH_MAX];
    int status = http_path(h, path);

    must(h->path[0] == '/' && strlen(h->path) < sizeof(h->path));
    must(strpbrk(h->path, " ?#\r\n") == NULL);
    must(path[0] == '/' && strlen(path) < sizeof(path));
    must(status == 0 || status == 400 || status == 414);
    for (const char *p = path; *p != '\0'; p++)
        must((unsigned char)*p >= 32 && *p != 127);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *text = (const char *)data;
    struct http_head h, again;
    size_t n = http_parse(&h, text, len);

    must(n <= len && (n <= HTTP_HEAD_MAX || h.status != 0));
    if (n == 0) {
        must(h.status == 0 && len < HTTP_HEAD_MAX);
        return 0;
    }
    if (h.status != 0) {
        must(h.status >= 400 && http_reason(h.status)[0] != '\0');
        return 0;
    }
    check_path(&h);
    must(strpbrk(h.host, "/\"<> \r\n") == NULL);
    must(h.length <= HTTP_CONTENT_MAX && h.content == (h.length > 0));
    /* what follows the head is not looked at */
    must(http_parse(&again, text, n) == n && again.status == 0);
    must(strcmp(h.path, again.path) == 0 && h.persist == again.persist);
    return 0;
}
