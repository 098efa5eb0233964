#include "session/file.h"

#include "core/mem.h"
#include "session/table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PER_KEY 4u

struct tsk_session_file {
    size_t most;
    _Atomic(const char *) trouble; /* the last one */
    atomic_int told;
    char path[];
};

static const char unfit[] = "it is not a regular file of this user alone, mode "
                            "0600";
static const char foreign[] = "it is not of this format";
static const char busy[] = "another process keeps it locked";
static const char unwritable[] = "it cannot be opened or written";

/* Told once, until another one comes or all is well again. */
static void note(struct tsk_session_file *f, const char *why)
{
    if (atomic_exchange(&f->trouble, why) != why)
        atomic_store(&f->told, 0);
}

const char *tsk_session_file_trouble(struct tsk_session_file *f)
{
    const char *why = atomic_load(&f->trouble);

    return why != NULL && atomic_exchange(&f->told, 1) == 0 ? why : NULL;
}

const char *tsk_session_file_path(const struct tsk_session_file *f)
{
    return f->path;
}

static int is_ours(const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_uid == geteuid() &&
           (st->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* Now, since nobody looks for the reason of a session that is not kept. */
static int check(const char *path, tlsock_error *err)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        if (errno == ENOENT)
            return TLSOCK_OK;
        return tsk_fail_sys(err, TLSOCK_E_OWN_FILE, errno, "session.file %s",
                            path);
    }
    if (is_ours(&st))
        return TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_OWN_FILE,
             "session.file %s is not a regular file that only this user may "
             "read and write",
             path);
    tsk_hint(err, "whoever can write to it can pretend to be any server: "
                  "chown and chmod 600 it, or name another file");
    return TLSOCK_E_OWN_FILE;
}

struct tsk_session_file *tsk_session_file_new(const char *path, size_t most,
                                              tlsock_error *err)
{
    char dir[PATH_MAX] = "";
    struct tsk_session_file *f;
    size_t size;

    if (*path != '/' && getcwd(dir, sizeof(dir) - 1) == NULL) {
        tsk_fail_sys(err, TLSOCK_E_OWN_FILE, errno, "session.file %s", path);
        return NULL;
    }
    size = strlen(dir) + strlen(path) + 2;
    f = tsk_alloc(sizeof(*f) + size);
    if (f == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    snprintf(f->path, size, "%s%s%s", dir, *dir != '\0' ? "/" : "", path);
    f->most = most < TSK_SESSION_PLACES ? most : TSK_SESSION_PLACES;
    if (check(f->path, err) == TLSOCK_OK)
        return f;
    tsk_free(f);
    return NULL;
}

void tsk_session_file_free(struct tsk_session_file *f)
{
    tsk_free(f);
}

/* Opened, or -1. O_NONBLOCK: a FIFO would wait for its other end. */
static int open_file(struct tsk_session_file *f, int make)
{
    const int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    struct stat st;
    int fd = open(f->path, make ? flags | O_CREAT : flags, 0600);

    if (fd < 0) {
        if (make || errno != ENOENT)
            note(f, unwritable);
        return -1;
    }
    if (fstat(fd, &st) == 0 && is_ours(&st))
        return fd;
    note(f, unfit);
    close(fd);
    return -1;
}

/* A process that hangs with the lock costs this much, and full handshakes. */
static int lock_file(struct tsk_session_file *f, int fd)
{
    for (int i = 0; i <= TSK_SESSION_LOCK_MS; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 1;
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        (void)poll(NULL, 0, 1);
    }
    note(f, busy);
    return 0;
}

/* With the table read: 1; 0: closed again. */
static int begin(struct tsk_session_file *f, int make, int64_t now,
                 struct tsk_session_table *t)
{
    int rc;

    memset(t, 0, sizeof(*t));
    if (f->most == 0)
        return 0;
    t->fd = open_file(f, make);
    if (t->fd < 0)
        return 0;
    rc = lock_file(f, t->fd) ? tsk_session_table_read(t, f->most, make) : -1;
    if (rc == 0)
        note(f, foreign);
    if (rc > 0) {
        tsk_session_table_expire(t, now);
        return 1;
    }
    tsk_session_table_close(t);
    return 0;
}

/* Where a new one goes: in place of the oldest of its key, if there are enough
 * of it; else where there is room; else in place of the oldest of all. */
static size_t choose(const struct tsk_session_table *t,
                     const uint8_t key[TSK_SESSION_KEY], int once)
{
    size_t oldest = 0, own = SIZE_MAX, free_one = SIZE_MAX, n = 0;

    for (size_t i = 0; i < t->n; i++) {
        const struct tsk_session_row *r = &t->rows[i];

        if (r->len == 0) {
            free_one = free_one == SIZE_MAX ? i : free_one;
            continue;
        }
        if (r->order < t->rows[oldest].order)
            oldest = i;
        if (memcmp(r->key, key, TSK_SESSION_KEY) != 0)
            continue;
        n++;
        if (own == SIZE_MAX || r->order < t->rows[own].order)
            own = i;
    }
    if (n >= (once ? PER_KEY : 1)) /* what may be used again is there once */
        return own;
    return free_one != SIZE_MAX ? free_one : oldest;
}

int tsk_session_file_put(struct tsk_session_file *f,
                         const uint8_t key[TSK_SESSION_KEY], const void *data,
                         size_t len, int64_t expires, int once, int64_t now)
{
    struct tsk_session_row row = {
        .expires = expires, .len = (uint32_t)len, .once = once != 0};
    struct tsk_session_table t;
    int ok;

    if (len == 0 || len > TSK_SESSION_BYTES_MAX || expires <= now ||
        !begin(f, 1, now, &t))
        return 0;
    memcpy(row.key, key, TSK_SESSION_KEY);
    row.order = tsk_session_table_next(&t);
    ok = tsk_session_table_put(&t, choose(&t, key, once), &row, data);
    note(f, ok ? NULL : unwritable);
    tsk_session_table_close(&t);
    return ok;
}

static size_t newest(const struct tsk_session_table *t,
                     const uint8_t key[TSK_SESSION_KEY])
{
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < t->n; i++)
        if (t->rows[i].len != 0 &&
            memcmp(t->rows[i].key, key, TSK_SESSION_KEY) == 0 &&
            (best == SIZE_MAX || t->rows[i].order > t->rows[best].order))
            best = i;
    return best;
}

size_t tsk_session_file_take(struct tsk_session_file *f,
                             const uint8_t key[TSK_SESSION_KEY], int64_t now,
                             uint8_t out[TSK_SESSION_BYTES_MAX])
{
    struct tsk_session_table t;
    size_t at, len = 0;

    if (!begin(f, 0, now, &t))
        return 0;
    at = newest(&t, key);
    if (at != SIZE_MAX && tsk_session_table_get(&t, at, out))
        len = t.rows[at].len;
    /* whoever cannot take it away must not have it */
    if (at != SIZE_MAX && (len == 0 || t.rows[at].once) &&
        !tsk_session_table_drop(&t, at)) {
        note(f, unwritable);
        len = 0;
    }
    tsk_session_table_close(&t);
    return len;
}

void tsk_session_file_forget(struct tsk_session_file *f,
                             const uint8_t key[TSK_SESSION_KEY])
{
    struct tsk_session_table t;

    if (!begin(f, 0, 0, &t))
        return;
    for (size_t i = 0; i < t.n; i++)
        if (t.rows[i].len != 0 &&
            memcmp(t.rows[i].key, key, TSK_SESSION_KEY) == 0)
            (void)tsk_session_table_drop(&t, i);
    tsk_session_table_close(&t);
}
