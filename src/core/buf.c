#include "core/buf.h"

#include "core/mem.h"

#include <string.h>
#include <tlsock.h>

uint8_t *tsk_buf_room(struct tsk_buf *b, size_t n)
{
    size_t cap = b->cap != 0 ? b->cap : 1024;
    uint8_t *grown;

    if (b->start + b->len + n <= b->cap)
        return b->data + b->start + b->len;
    if (b->len + n <= b->cap) { /* room in front */
        memmove(b->data, b->data + b->start, b->len);
        b->start = 0;
        return b->data + b->len;
    }
    if (n > SIZE_MAX / 4 - b->len)
        return NULL;
    while (cap < b->len + n)
        cap *= 2;
    grown = tsk_realloc(NULL, cap);
    if (grown == NULL)
        return NULL;
    if (b->len != 0)
        memcpy(grown, b->data + b->start, b->len);
    tsk_free_secret(b->data, b->cap);
    b->data = grown;
    b->cap = cap;
    b->start = 0;
    return b->data + b->len;
}

int tsk_buf_add(struct tsk_buf *b, const void *p, size_t n)
{
    uint8_t *room;

    if (n == 0)
        return TLSOCK_OK;
    room = tsk_buf_room(b, n);
    if (room == NULL)
        return TLSOCK_E_NOMEM;
    memcpy(room, p, n);
    b->len += n;
    return TLSOCK_OK;
}

void tsk_buf_take(struct tsk_buf *b, size_t n)
{
    b->start += n;
    b->len -= n;
    if (b->len == 0)
        b->start = 0;
}

void tsk_buf_free(struct tsk_buf *b)
{
    tsk_free_secret(b->data, b->cap);
    memset(b, 0, sizeof(*b));
}
