#include "intercept_frames.h"

#include <string.h>

static void head(char kind, size_t n, struct chan *to)
{
    unsigned char b[FRAME_HEAD] = {(unsigned char)kind, (unsigned char)(n >> 24),
                                   (unsigned char)(n >> 16),
                                   (unsigned char)(n >> 8), (unsigned char)n};

    (void)chan_put(to, b, sizeof(b));
}

int frames_hello(const char *json, struct chan *to)
{
    size_t n = strlen(json);

    if (chan_room(to) < FRAME_HEAD + n)
        return -1;
    head('i', n, to);
    (void)chan_put(to, json, n);
    return 0;
}

int frames_put(struct frames *f, int from_client, struct chan *from,
               struct chan *to)
{
    size_t n = from->len - from->off, room = chan_room(to);

    if (room <= FRAME_HEAD)
        return 0;
    if (n > room - FRAME_HEAD)
        n = room - FRAME_HEAD;
    if (n > 0) {
        head(from_client ? 'c' : 's', n, to);
        (void)chan_put(to, from->buf + from->off, n);
        from->off += n;
        return 1;
    }
    if (!from->over || f->said_over[from_client])
        return 0;
    f->said_over[from_client] = 1;
    head(from_client ? 'C' : 'S', 0, to);
    return 1;
}

/* 1: a head was read; 0: not complete; -1: no frame. */
static int next(struct frames *f, struct chan *from)
{
    const unsigned char *p = from->buf + from->off;

    if (from->len - from->off < FRAME_HEAD) {
        /* a head may lie across the end of the buffer */
        if (from->off > 0) {
            memmove(from->buf, p, from->len - from->off);
            from->len -= from->off;
            from->off = 0;
        }
        return 0;
    }
    f->kind = (char)p[0];
    f->left = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 |
              (uint32_t)p[3] << 8 | p[4];
    from->off += FRAME_HEAD;
    if (f->kind == 'C' || f->kind == 'S')
        return f->left == 0 ? 1 : -1;
    return (f->kind == 'c' || f->kind == 's') && f->left <= FRAME_MOST ? 1 : -1;
}

int frames_take(struct frames *f, struct chan *from, struct chan *to_server,
                struct chan *to_client)
{
    struct chan *to;
    size_t n;
    int rc;

    if (f->kind == 0) {
        rc = next(f, from);
        if (rc <= 0)
            return rc;
    }
    to = f->kind == 'c' || f->kind == 'C' ? to_server : to_client;
    if (to->over) /* nothing may follow the end it has said itself */
        return -1;
    if (f->kind == 'C' || f->kind == 'S') {
        to->over = 1;
        f->kind = 0;
        return 1;
    }
    n = from->len - from->off;
    if (n > f->left)
        n = f->left;
    n = chan_put(to, from->buf + from->off, n);
    from->off += n;
    f->left -= (uint32_t)n;
    if (f->left == 0) {
        f->kind = 0;
        return 1;
    }
    return n > 0;
}
