#include "net/get_private.h"

#include <string.h>

/* What is there of g->left: AGAIN as long as that is not all. */
static int take_data(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err)
{
    size_t n = t->in->len < g->left ? t->in->len : g->left;

    if (n > g->ask->most - g->body.len)
        return tsk_get_too_long(g, err);
    if (tsk_buf_add(&g->body, tsk_buf_at(t->in), n) < 0)
        return tsk_fail_nomem(err);
    tsk_buf_take(t->in, n);
    g->left -= n;
    if (g->left == 0)
        return TLSOCK_OK;
    return t->ended ? tsk_get_cut(err) : TLSOCK_AGAIN;
}

int tsk_get_sized(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err)
{
    int rc = take_data(g, t, err);

    if (rc == TLSOCK_OK)
        g->state = GET_DONE;
    return rc;
}

int tsk_get_to_end(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err)
{
    int rc;

    g->left = t->in->len;
    rc = take_data(g, t, err);
    if (rc < 0)
        return rc;
    if (!t->ended)
        return TLSOCK_AGAIN;
    g->state = GET_DONE;
    return TLSOCK_OK;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *p = c != '\0' ? strchr(digits, c | 0x20) : NULL;

    return p != NULL ? (int)(p - digits) : -1;
}

/* RFC 9112, 7.1: chunk-size [ chunk-ext ]; the extension means nothing. */
static int chunk_size(const char *line, size_t *size)
{
    size_t n = 0;
    int i = 0;

    for (; hex_digit(line[i]) >= 0; i++) {
        if (i == 8)
            return -1;
        n = n << 4 | (size_t)hex_digit(line[i]);
    }
    *size = n;
    if (i == 0)
        return -1;
    line += i + (int)strspn(line + i, " \t");
    return *line == '\0' || *line == ';' ? 0 : -1;
}

/* Lines between chunks: each alone as short as any, all together no more than
 * what they carry, so that tiny chunks cannot go on for ever. */
static int line_between(struct tsk_get *g, struct tsk_talk *t,
                        char line[TSK_TALK_LINE], tlsock_error *err)
{
    int rc;

    t->lines = 0;
    t->bytes = 0;
    rc = tsk_get_line(t, line, err);
    if (rc != TLSOCK_OK)
        return rc;
    g->between += t->bytes;
    return g->between > TSK_TALK_MOST + g->body.len ? tsk_get_too_long(g, err)
                                                    : TLSOCK_OK;
}

int tsk_get_chunk(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err)
{
    char line[TSK_TALK_LINE];
    int rc = line_between(g, t, line, err);

    if (rc != TLSOCK_OK)
        return rc;
    if (chunk_size(line, &g->left) < 0)
        return tsk_get_broken("a chunk without a size", line, err);
    if (g->left > g->ask->most - g->body.len)
        return tsk_get_too_long(g, err);
    g->state = g->left != 0 ? GET_DATA : GET_TRAILERS;
    return TLSOCK_OK;
}

int tsk_get_chunk_data(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err)
{
    int rc = take_data(g, t, err);

    if (rc == TLSOCK_OK)
        g->state = GET_DATA_END;
    return rc;
}

int tsk_get_chunk_end(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err)
{
    char line[TSK_TALK_LINE];
    int rc = line_between(g, t, line, err);

    if (rc != TLSOCK_OK)
        return rc;
    if (line[0] != '\0')
        return tsk_get_broken("a chunk longer than its size", line, err);
    g->state = GET_CHUNK;
    return TLSOCK_OK;
}

/* RFC 9112, 7.1.2: bounded as a header section, since the count goes on from
 * the last chunk's line. */
int tsk_get_trailer(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err)
{
    char line[TSK_TALK_LINE];
    int rc = tsk_get_line(t, line, err);

    if (rc == TLSOCK_OK && line[0] == '\0')
        g->state = GET_DONE;
    return rc;
}
