#include "chan.h"

#include <string.h>

size_t chan_room(struct chan *c)
{
    if (c->off == c->len)
        c->off = c->len = 0;
    if (c->len == CHAN_SIZE && c->off > CHAN_SIZE / 2) {
        memmove(c->buf, c->buf + c->off, c->len - c->off);
        c->len -= c->off;
        c->off = 0;
    }
    return CHAN_SIZE - c->len;
}

unsigned char *chan_place(struct chan *c, size_t *room)
{
    *room = chan_room(c);
    return c->buf + c->len;
}

size_t chan_put(struct chan *c, const void *bytes, size_t n)
{
    size_t room = chan_room(c);

    if (n > room)
        n = room;
    if (n > 0)
        memcpy(c->buf + c->len, bytes, n);
    c->len += n;
    return n;
}
