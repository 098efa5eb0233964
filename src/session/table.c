#include "session/table.h"

#include "core/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD 64u
#define ROW 64u
#define PLACES_MAX 1024u /* of any file that is read */

static const uint8_t magic[8] = {'t', 's', 'k', 'f', 1};

static void put(uint8_t *at, uint64_t v, int n)
{
    for (int i = n - 1; i >= 0; i--, v >>= 8)
        at[i] = (uint8_t)v;
}

static uint64_t get(const uint8_t *at, int n)
{
    uint64_t v = 0;

    for (int i = 0; i < n; i++)
        v = v << 8 | at[i];
    return v;
}

/* All of it, or as far as the file goes: bytes read, or -1. */
static ssize_t read_at(int fd, uint8_t *out, size_t len, size_t at)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(fd, out + done, len - done, (off_t)(at + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static int write_at(int fd, const uint8_t *data, size_t len, size_t at)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, data, len, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        data += n;
        at += (size_t)n;
        len -= (size_t)n;
    }
    return 1;
}

static size_t place_at(const struct tsk_session_table *t, size_t i)
{
    return HEAD + ROW * t->n + TSK_SESSION_BYTES_MAX * i;
}

/* 1; 0: it is none of ours; -1: the system fails */
static int read_head(struct tsk_session_table *t)
{
    uint8_t head[HEAD];
    ssize_t n = read_at(t->fd, head, HEAD, 0);

    if (n < 0)
        return -1;
    if (n != HEAD || memcmp(head, magic, sizeof(magic)) != 0 ||
        get(head + 12, 4) != TSK_SESSION_BYTES_MAX)
        return 0;
    t->n = (size_t)get(head + 8, 4);
    return t->n >= 1 && t->n <= PLACES_MAX;
}

static int make_head(struct tsk_session_table *t, size_t n)
{
    uint8_t head[HEAD] = {0};

    memcpy(head, magic, sizeof(magic));
    put(head + 8, n, 4);
    put(head + 12, TSK_SESSION_BYTES_MAX, 4);
    t->n = n;
    return write_at(t->fd, head, HEAD, 0);
}

/* A row that cannot be is an empty place. */
static void parse_row(struct tsk_session_row *r, const uint8_t *at)
{
    uint64_t len = get(at + 48, 4), expires = get(at + 32, 8);

    if (len > TSK_SESSION_BYTES_MAX || expires > INT64_MAX / 2)
        return;
    memcpy(r->key, at, TSK_SESSION_KEY);
    r->expires = (int64_t)expires;
    r->order = get(at + 40, 8);
    r->len = (uint32_t)len;
    r->once = at[52] != 0;
}

static int read_rows(struct tsk_session_table *t)
{
    uint8_t *raw = tsk_alloc(ROW * t->n);
    int ok = 0;

    t->rows = tsk_alloc(t->n * sizeof(*t->rows));
    /* a file that is too short has empty places there */
    if (raw != NULL && t->rows != NULL &&
        read_at(t->fd, raw, ROW * t->n, HEAD) >= 0) {
        for (size_t i = 0; i < t->n; i++)
            parse_row(&t->rows[i], raw + ROW * i);
        ok = 1;
    }
    tsk_free(raw);
    return ok;
}

int tsk_session_table_read(struct tsk_session_table *t, size_t n, int make)
{
    struct stat st;
    int rc;

    if (fstat(t->fd, &st) != 0)
        return -1;
    if (st.st_size == 0 && !make)
        return 1;
    if (st.st_size == 0)
        rc = make_head(t, n) ? 1 : -1;
    else
        rc = read_head(t);
    if (rc <= 0)
        return rc;
    return read_rows(t) ? 1 : -1;
}

void tsk_session_table_close(struct tsk_session_table *t)
{
    /* a child that another thread forked meanwhile has the descriptor, too */
    (void)flock(t->fd, LOCK_UN);
    close(t->fd);
    tsk_free(t->rows);
    memset(t, 0, sizeof(*t));
}

uint64_t tsk_session_table_next(const struct tsk_session_table *t)
{
    uint64_t last = 0;

    for (size_t i = 0; i < t->n; i++)
        if (t->rows[i].len != 0 && t->rows[i].order > last)
            last = t->rows[i].order;
    return last == UINT64_MAX ? last : last + 1;
}

void tsk_session_table_expire(struct tsk_session_table *t, int64_t now)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->rows[i].len != 0 && t->rows[i].expires <= now && now != 0)
            (void)tsk_session_table_drop(t, i);
}

static int write_row(struct tsk_session_table *t, size_t at)
{
    const struct tsk_session_row *r = &t->rows[at];
    uint8_t raw[ROW] = {0};

    if (r->len != 0) {
        memcpy(raw, r->key, TSK_SESSION_KEY);
        put(raw + 32, (uint64_t)r->expires, 8);
        put(raw + 40, r->order, 8);
        put(raw + 48, r->len, 4);
        raw[52] = (uint8_t)(r->once != 0);
    }
    return write_at(t->fd, raw, ROW, HEAD + ROW * at);
}

int tsk_session_table_put(struct tsk_session_table *t, size_t at,
                          const struct tsk_session_row *row, const void *data)
{
    /* of a longer one before it nothing is to be left */
    if (t->rows[at].len != 0 && !tsk_session_table_drop(t, at))
        return 0;
    if (!write_at(t->fd, data, row->len, place_at(t, at)))
        return 0;
    t->rows[at] = *row;
    return write_row(t, at);
}

int tsk_session_table_get(const struct tsk_session_table *t, size_t at,
                          uint8_t *out)
{
    size_t len = t->rows[at].len;

    return read_at(t->fd, out, len, place_at(t, at)) == (ssize_t)len;
}

int tsk_session_table_drop(struct tsk_session_table *t, size_t at)
{
    static const uint8_t zeros[4096];
    size_t len = t->rows[at].len;
    int ok;

    memset(&t->rows[at], 0, sizeof(t->rows[at]));
    ok = write_row(t, at);
    for (size_t done = 0; done < len; done += sizeof(zeros)) {
        size_t n = len - done < sizeof(zeros) ? len - done : sizeof(zeros);

        ok &= write_at(t->fd, zeros, n, place_at(t, at) + done);
    }
    return ok;
}
