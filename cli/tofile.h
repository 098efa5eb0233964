/* tofile - results that are files: never over another one unasked, and to
 * standard output only if that was named. */
#ifndef CLI_TOFILE_H
#define CLI_TOFILE_H

#include "out.h"

#include <tlsock.h>

/* Where a file is written to before it is known to be good. */
struct tofile {
    const struct out *o;
    const char *target; /* as typed; "-": standard output */
    char path[4096];    /* for tlsock_*_save() */
    char dir[4096];     /* of a copy for standard output, or "" */
    int made;           /* 1: path was not there before */
};

/* 0, or the exit code after having said why: a file is there already and
 * force is 0, or it cannot be made. */
int tofile_begin(struct tofile *f, const struct out *o, const char *target,
                 int force);
/* rc 0: what was written stays, or goes to standard output; else what
 * tofile_begin() made is gone. Gives rc, or the exit code. */
int tofile_end(struct tofile *f, int rc);
/* Bytes of the tool's own into path, mode 0644, written aside and renamed. */
int tofile_write(struct tofile *f, const void *data, size_t len);

#endif
