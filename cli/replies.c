#include "replies.h"

#include <string.h>

/* RFC 959, 4.2: "123-" begins a reply of several lines, of which all but the
 * last, "123 ", may be any text. */
static int goes_on(struct replies *r)
{
    int coded = strspn(r->line, "0123456789") == 3;

    if (r->code[0] == '\0') {
        if (!coded || r->line[3] != '-')
            return 0;
        memcpy(r->code, r->line, 3);
        return 1;
    }
    if (!coded || r->line[3] == '-' || memcmp(r->code, r->line, 3) != 0)
        return 1;
    r->code[0] = '\0';
    return 0;
}

static void end_line(struct replies *r)
{
    r->line[r->len] = '\0';
    r->len = 0;
    if (strstr(r->line, r->text) != NULL)
        r->seen = 1;
    if (!goes_on(r))
        r->n++;
}

void replies_feed(struct replies *r, const void *bytes, size_t n)
{
    const char *p = bytes;

    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n')
            end_line(r);
        else if (r->len < sizeof(r->line) - 1 && p[i] != '\0')
            r->line[r->len++] = p[i];
    }
}
