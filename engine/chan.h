/* chan - bytes on their way in one direction: a buffer that is full when it is
 * full. Knows nothing of where they come from or go to. */
#ifndef ENGINE_CHAN_H
#define ENGINE_CHAN_H

#include <stddef.h>

#define CHAN_SIZE 32768 /* at most so much waits in each direction */

/* From off to len; over says that no more will come. */
struct chan {
    unsigned char buf[CHAN_SIZE];
    size_t off, len;
    int over;
};

/* Bytes that fit behind len; what is there may move to the front, so that a
 * place read from the fields before no longer holds. */
size_t chan_room(struct chan *c);
/* The place for them, and how many. */
unsigned char *chan_place(struct chan *c, size_t *room);
/* Copy in as much as fits; returns how much. */
size_t chan_put(struct chan *c, const void *bytes, size_t n);

#endif
