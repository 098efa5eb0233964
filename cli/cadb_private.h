/* cadb_private - what the files of cadb share. */
#ifndef CLI_CADB_PRIVATE_H
#define CLI_CADB_PRIVATE_H

#include "cadb.h"

/* The index in memory. */
struct cadb_index {
    struct cadb_crl_state crl;
    char *url[CADB_URLS];
    struct cadb_entry **row;    /* in the order of issue; each one block */
    struct cadb_entry **sorted; /* the same by serial */
    size_t n, room;
};

struct cadb {
    int lock; /* descriptor, or -1 */
    char *dir, *index_path, *crl_der, *crl_pem;
    tlsock_cert *ca;
    struct cadb_index index;
};

/* cadb_index.c. file names it in errors. text is changed. 0 or a code. */
int cadb_index_parse(struct cadb_index *x, const char *file, char *text,
                     size_t len, const char *dir, tlsock_error *err);
/* What the file holds; yours to free(); NULL: out of memory. */
char *cadb_index_text(const struct cadb_index *x, size_t *len);

/* cadb_row.c: the rows in memory. */
void cadb_index_init(struct cadb_index *x);
void cadb_index_free(struct cadb_index *x);
/* Strings are copied. NULL: out of memory. */
struct cadb_entry *cadb_row_new(const char *serial, const char *sans,
                                const char *subject, const char *dir);
/* Taken, if it is 0. Then -1: out of memory, -2: serial is there already. */
int cadb_row_add(struct cadb_index *x, struct cadb_entry *e);
/* Many at once: pushed, taken if it is 0 (else -1: out of memory), then sorted:
 * one whose serial is there twice, or NULL. Nothing can be found before. */
int cadb_row_push(struct cadb_index *x, struct cadb_entry *e);
const struct cadb_entry *cadb_row_sort(struct cadb_index *x);
void cadb_row_drop_last(struct cadb_index *x);
struct cadb_entry *cadb_row_find(const struct cadb_index *x,
                                 const char *serial);
/* Lower case, no colons, an even number of digits. 0, or -1: no serial. */
int cadb_serial_normal(char out[48], const char *text);
int cadb_time_parse(int64_t *when, const char *text); /* 0 or -1 */

/* cadb_file.c */
/* dir/name, or dir/sub/name with sub; yours to free(); NULL: no memory. */
char *cadb_path(const char *dir, const char *sub, const char *name);
/* A descriptor that holds the lock, or a code; wait 0: TLSOCK_AGAIN, somebody
 * else has it. */
int cadb_lock(const char *dir, int wait, tlsock_error *err);
/* Whole file, with a 0 behind it; yours to free(). 1: there is none. */
int cadb_read(const char *path, char **text, size_t *len, tlsock_error *err);
/* Aside, synced, renamed, directory synced; mode 0644. *there: 1 if the new
 * file is in its place although a code is returned. */
int cadb_replace(const char *path, const char *text, size_t len, int *there,
                 tlsock_error *err);
/* Directory of its own, mode 0700 whatever the umask; 0 or a code. */
int cadb_mkdir(const char *path, tlsock_error *err);
/* Removes what writers that were killed left aside, of files whose names begin
 * with one of these; the list ends with NULL. */
void cadb_sweep(const char *dir, const char *const *stems);
/* The code, err filled in. hint NULL: chosen by errnum. */
int cadb_fail(tlsock_error *err, int code, int errnum, const char *hint,
              const char *format, ...) TLSOCK_PRINTF(5, 6);
int cadb_nomem(tlsock_error *err);

/* cadb.c: what cadb_open() does but for the CA itself, which is not there yet
 * or given. lock: taken, or -1. */
int cadb_new(struct cadb **db, const char *dir, int lock, tlsock_error *err);
/* Writes the index. *there: as of cadb_replace(). */
int cadb_save(struct cadb *db, int *there, tlsock_error *err);

/* cadb_issue.c: gives a line to each copy that has none. */
int cadb_adopt_copies(struct cadb *db, tlsock_error *err);

#endif
