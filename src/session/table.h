/* table - the table of a session file, and its places: see file.h. Works on a
 * descriptor that is locked; chooses nothing. Whatever is in the file, nothing
 * is read or written beyond its places. */
#ifndef TSK_SESSION_TABLE_H
#define TSK_SESSION_TABLE_H

#include "session/codec.h"

struct tsk_session_row {
    uint8_t key[TSK_SESSION_KEY];
    int64_t expires;
    uint64_t order; /* larger: put later */
    uint32_t len;   /* 0: an empty place */
    int once;
};

struct tsk_session_table {
    int fd;
    size_t n;
    struct tsk_session_row *rows;
};

/* 1; 0: it is of another format; -1: no memory, or the system fails. make: an
 * empty file becomes one with n places; else it is an empty table. */
int tsk_session_table_read(struct tsk_session_table *t, size_t n, int make);
void tsk_session_table_close(struct tsk_session_table *t);
uint64_t tsk_session_table_next(const struct tsk_session_table *t);
/* Drops what is over; now 0: nothing is. */
void tsk_session_table_expire(struct tsk_session_table *t, int64_t now);
/* 1, 0: the system fails */
int tsk_session_table_put(struct tsk_session_table *t, size_t at,
                          const struct tsk_session_row *row, const void *data);
int tsk_session_table_get(const struct tsk_session_table *t, size_t at,
                          uint8_t *out);
int tsk_session_table_drop(struct tsk_session_table *t, size_t at);

#endif
