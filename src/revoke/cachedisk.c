#include "revoke/cachedisk.h"

#include "core/clock.h"
#include "core/date.h"
#include "core/mem.h"
#include "core/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY 86400
#define OCSP_DAYS 10
#define CRL_DAYS 30

int64_t tsk_cache_longest(enum tsk_cachekind kind)
{
    return (int64_t)DAY * (kind == TSK_CACHE_OCSP ? OCSP_DAYS : CRL_DAYS);
}

/* 0: the directory's name is too long */
static int path_of(const struct tsk_cachedisk *d, const uint8_t key[32],
                   const char *aside, char path[PATH_MAX])
{
    char name[TSK_CACHE_NAME + 1];

    tsk_hex(name, key, 32);
    return snprintf(path, PATH_MAX, "%s/%s%s", d->dir, name, aside) < PATH_MAX;
}

static int read_all(int fd, uint8_t *at, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        at += n;
        len -= (size_t)n;
    }
    return 1;
}

/* Ours, or put there by root; nobody else may have written to it, nor read it
 * if it is a secret. */
static int is_sound(const struct stat *st, enum tsk_cachekind kind, size_t max)
{
    mode_t others =
        kind == TSK_CACHE_LEAF ? S_IRWXG | S_IRWXO : S_IWGRP | S_IWOTH;

    return S_ISREG(st->st_mode) &&
           (st->st_uid == geteuid() || st->st_uid == 0) &&
           (st->st_mode & others) == 0 && st->st_size > TSK_CACHEFILE_HEAD &&
           (uint64_t)st->st_size <= (uint64_t)max + TSK_CACHEFILE_HEAD;
}

enum found { NOTHING, ODD, WHOLE };

static enum found load(int fd, size_t max, enum tsk_cachekind kind,
                       const uint8_t key[32], struct tsk_cached *out)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return NOTHING;
    if (!is_sound(&st, kind, max))
        return ODD;
    out->file = tsk_realloc(NULL, (size_t)st.st_size);
    if (out->file == NULL)
        return NOTHING;
    out->body = out->file + TSK_CACHEFILE_HEAD;
    out->len = (size_t)st.st_size - TSK_CACHEFILE_HEAD;
    return read_all(fd, out->file, (size_t)st.st_size) &&
                   tsk_cachefile_check(out->file, (size_t)st.st_size, kind, key,
                                       &out->until)
               ? WHOLE
               : ODD;
}

/* What was never to be read leaves its place to what will be; a directory is
 * nobody's cache entry and stays. */
static void remove_odd(const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0 && st.st_uid == geteuid() && !S_ISDIR(st.st_mode))
        (void)unlink(path);
}

static int is_over(int64_t until, int64_t now, enum tsk_cachekind kind)
{
    return until <= now || until > now + tsk_cache_longest(kind);
}

void tsk_cachedisk_free(struct tsk_cached *c)
{
    if (c->file != NULL)
        tsk_free_secret(c->file, c->len + TSK_CACHEFILE_HEAD);
    memset(c, 0, sizeof(*c));
}

int tsk_cachedisk_read(const struct tsk_cachedisk *d, enum tsk_cachekind kind,
                       const uint8_t key[32], int64_t now, size_t max,
                       struct tsk_cached *out)
{
    char path[PATH_MAX];
    enum found found;
    int fd;

    memset(out, 0, sizeof(*out));
    if (!path_of(d, key, "", path))
        return 0;
    /* O_NONBLOCK: a FIFO would wait for its other end */
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno != ELOOP && errno != ENXIO)
        return 0;
    found = fd >= 0 ? load(fd, max, kind, key, out) : ODD;
    if (fd >= 0)
        close(fd);
    if (found == WHOLE && !is_over(out->until, now, kind))
        return 1;
    if (found == ODD ||
        (found == WHOLE && is_over(out->until, tsk_wall_time(), kind)))
        remove_odd(path);
    tsk_cachedisk_free(out);
    return 0;
}

static int write_all(int fd, const uint8_t *at, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        at += n;
        len -= (size_t)n;
    }
    return 1;
}

static int write_aside(const char *aside, const uint8_t *head, const void *body,
                       size_t len, int64_t until)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                      {.tv_sec = tsk_date_system(until)}};
    int fd =
        open(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int ok;

    if (fd < 0)
        return 0;
    ok = write_all(fd, head, TSK_CACHEFILE_HEAD) && write_all(fd, body, len) &&
         futimens(fd, times) == 0 && fsync(fd) == 0;
    return close(fd) == 0 && ok;
}

/* One that was told already is not told again until a write went well. A file
 * system that is read-only was chosen so. */
static void note_trouble(struct tsk_cachedisk *d, int errnum)
{
    int none = 0;

    if (errnum != EROFS)
        atomic_compare_exchange_strong(&d->trouble, &none, errnum);
}

/* 1: it is there */
static int replace(struct tsk_cachedisk *d, const uint8_t key[32],
                   const uint8_t *head, const void *body, size_t len,
                   int64_t until)
{
    char path[PATH_MAX], aside[PATH_MAX], end[18] = ".";
    uint8_t some[8];

    if (RAND_bytes(some, sizeof(some)) != 1)
        return 0;
    tsk_hex(end + 1, some, sizeof(some));
    if (!path_of(d, key, "", path) || !path_of(d, key, end, aside))
        return 0;
    errno = 0;
    if (write_aside(aside, head, body, len, until) &&
        rename(aside, path) == 0) {
        atomic_store(&d->trouble, 0);
        return 1;
    }
    note_trouble(d, errno != 0 ? errno : EIO);
    (void)unlink(aside);
    return 0;
}

/* Counting all files at each write would cost more than it saves; so other
 * processes may each write this much beyond the limit unseen. */
static void account(struct tsk_cachedisk *d, size_t len)
{
    int sweep;

    len = (len + TSK_CACHE_BLOCK - 1) / TSK_CACHE_BLOCK * TSK_CACHE_BLOCK;
    pthread_mutex_lock(&d->lock);
    sweep = d->written >= d->max / 16;
    d->written = sweep ? 0 : d->written + len;
    pthread_mutex_unlock(&d->lock);
    if (sweep)
        tsk_cachedisk_sweep(d);
}

void tsk_cachedisk_write(struct tsk_cachedisk *d, enum tsk_cachekind kind,
                         const uint8_t key[32], const void *body, size_t len,
                         int64_t until)
{
    int64_t now = tsk_wall_time(), last = now + tsk_cache_longest(kind);
    uint8_t head[TSK_CACHEFILE_HEAD];

    until = until > last ? last : until;
    if (len == 0 || len > d->max / 8 * 7 || until <= now ||
        !tsk_cachefile_head(head, kind, key, until, body, len))
        return;
    if (replace(d, key, head, body, len, until))
        account(d, TSK_CACHEFILE_HEAD + len);
}
