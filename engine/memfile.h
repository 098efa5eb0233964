/* memfile - what fprintf() and its kin write, in memory. Who closes it knows
 * whether all of it is there: open_memstream() may pass over what it has no
 * memory for, and go on behind the gap. */
#ifndef ENGINE_MEMFILE_H
#define ENGINE_MEMFILE_H

#include <stdio.h>

struct memfile {
    char *text;
    size_t len, room;
    int failed;
    char buffer[4096]; /* of the stream, which so needs no other memory */
};

/* To write to; m stays where it is until it is closed. NULL: no memory. */
FILE *memfile_open(struct memfile *m);
/* All that was written, behind it a NUL that does not count; free() it. NULL:
 * there was no memory for it. *f may be NULL. */
char *memfile_close(struct memfile *m, FILE *f, size_t *len);

#endif
