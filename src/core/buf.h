/* buf - a byte queue with a hard cap: append at the end, take at the front. */
#ifndef TSK_CORE_BUF_H
#define TSK_CORE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct tsk_buf {
    uint8_t *data;
    size_t start, len, cap; /* bytes data[start .. start + len) */
};

/* Room for n more bytes at the end; NULL: no memory. */
uint8_t *tsk_buf_room(struct tsk_buf *b, size_t n);
int tsk_buf_add(struct tsk_buf *b, const void *p, size_t n); /* 0, E_NOMEM */
void tsk_buf_take(struct tsk_buf *b, size_t n);              /* from front */
void tsk_buf_free(struct tsk_buf *b); /* memory too; usable again */
/* The first byte; never NULL, so that no bytes may be copied from it. */
static inline const uint8_t *tsk_buf_at(const struct tsk_buf *b)
{
    return b->data != NULL ? b->data + b->start : (const uint8_t *)"";
}

#endif
