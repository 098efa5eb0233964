#include "cert/pem.h"

#include <stdio.h>
#include <string.h>

static const char begin_mark[] = "-----BEGIN ", dashes[] = "-----";

void tsk_pem_begin(struct tsk_pem *r, const void *data, size_t len)
{
    r->start = r->at = data;
    r->end = r->start + len;
    r->counted = r->start;
    r->line = 1;
}

static const char *find(const char *from, const char *end, const char *what)
{
    return memmem(from, (size_t)(end - from), what, strlen(what));
}

static int at_line_start(const struct tsk_pem *r, const char *p)
{
    if (p == r->start || p[-1] == '\n' || p[-1] == '\r')
        return 1;
    return p - r->start >= 3 && memcmp(p - 3, "\xef\xbb\xbf", 3) == 0;
}

/* The label of a BEGIN line and what is behind its dashes; NULL: no label. */
static const char *read_label(const char *p, const char *end,
                              char label[static 40])
{
    size_t n = 0, room = (size_t)(end - p);

    while (n < room && n < 39 && p[n] >= ' ' && p[n] <= 'Z' && p[n] != '-')
        n++;
    if (n == 0 || room - n < strlen(dashes) ||
        memcmp(p + n, dashes, strlen(dashes)) != 0)
        return NULL;
    memcpy(label, p, n);
    label[n] = '\0';
    return p + n + strlen(dashes);
}

static size_t line_of(struct tsk_pem *r, const char *p)
{
    for (; r->counted < p; r->counted++)
        r->line += *r->counted == '\n';
    return r->line;
}

int tsk_pem_next(struct tsk_pem *r, struct tsk_pem_block *b)
{
    const char *p = r->at, *body = NULL, *stop, *next;
    char end_line[64];

    memset(b, 0, sizeof(*b));
    for (;;) {
        p = find(p, r->end, begin_mark);
        if (p == NULL)
            return 0;
        body = p + strlen(begin_mark);
        if (at_line_start(r, p)) {
            body = read_label(body, r->end, b->label);
            if (body != NULL)
                break;
        }
        p += strlen(begin_mark);
    }
    b->line = line_of(r, p);
    snprintf(end_line, sizeof(end_line), "-----END %s-----", b->label);
    stop = find(body, r->end, end_line);
    next = find(body, r->end, begin_mark);
    if (stop == NULL || (next != NULL && next < stop)) {
        r->at = body;
        return -1;
    }
    b->text = p;
    r->at = stop + strlen(end_line);
    b->len = (size_t)(r->at - p);
    return 1;
}

int tsk_pem_is(const void *data, size_t len)
{
    struct tsk_pem_block b;
    struct tsk_pem r;

    tsk_pem_begin(&r, data, len);
    return tsk_pem_next(&r, &b) != 0;
}

int tsk_pem_is_cert(const struct tsk_pem_block *b)
{
    return strcmp(b->label, "CERTIFICATE") == 0 ||
           strcmp(b->label, "X509 CERTIFICATE") == 0 ||
           strcmp(b->label, "TRUSTED CERTIFICATE") == 0;
}

int tsk_pem_is_bundle(const struct tsk_pem_block *b)
{
    return strcmp(b->label, "PKCS7") == 0 ||
           strcmp(b->label, "PKCS #7 SIGNED DATA") == 0;
}

int tsk_pem_is_key(const struct tsk_pem_block *b)
{
    size_t n = strlen(b->label);
    static const char tail[] = "PRIVATE KEY";

    if (strcmp(b->label, "OPENSSH PRIVATE KEY") == 0)
        return 0; /* of another world, though of the same look */
    return n >= strlen(tail) && strcmp(b->label + n - strlen(tail), tail) == 0;
}
