#include "core/clock.h"
#include "core/mem.h"
#include "revoke/cachedisk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_AGE 3600   /* seconds after which nobody writes to it any more */
#define TEMP_END 17     /* "." and 16 hex digits */
#define FILES_MAX 65536 /* that are looked at; more are removed unseen */

struct file {
    int64_t until;
    size_t size;
    char name[TSK_CACHE_NAME + 1];
};

struct files {
    struct file *all;
    size_t n, cap, sum;
};

static int is_hex(const char *s, size_t n)
{
    return strspn(s, "0123456789abcdef") == n;
}

/* 0: not of this cache; 1: an entry; 2: a temporary file */
static int kind_of(const char *name)
{
    size_t len = strlen(name);

    if (len == TSK_CACHE_NAME)
        return is_hex(name, len);
    return len == TSK_CACHE_NAME + TEMP_END && is_hex(name, TSK_CACHE_NAME) &&
                   name[TSK_CACHE_NAME] == '.' &&
                   is_hex(name + TSK_CACHE_NAME + 1, TEMP_END - 1)
               ? 2
               : 0;
}

static int more(struct files *f)
{
    size_t cap = f->cap != 0 ? 2 * f->cap : 256;
    struct file *grown;

    if (f->n < f->cap)
        return 1;
    if (f->n >= FILES_MAX)
        return 0;
    grown = tsk_realloc(f->all, cap * sizeof(*grown));
    if (grown == NULL)
        return 0;
    f->all = grown;
    f->cap = cap;
    return 1;
}

/* 1: it is to go at once. ctime, since mtime says when an entry is over. */
static int gather(struct files *f, const char *name, int kind,
                  const struct stat *st, int64_t now)
{
    size_t size = ((size_t)st->st_size + TSK_CACHE_BLOCK - 1) /
                  TSK_CACHE_BLOCK * TSK_CACHE_BLOCK;
    int64_t until = (int64_t)st->st_mtime;

    if (kind == 2 && (int64_t)st->st_ctime < now - TEMP_AGE)
        return 1;
    if (kind == 1 && (!S_ISREG(st->st_mode) || until <= now ||
                      until > now + tsk_cache_longest(TSK_CACHE_CRL)))
        return 1;
    if (kind == 1 && !more(f))
        return 1;
    f->sum += size;
    if (kind == 2)
        return 0;
    f->all[f->n].until = until;
    f->all[f->n].size = size;
    memcpy(f->all[f->n++].name, name, TSK_CACHE_NAME + 1);
    return 0;
}

static void gather_all(struct files *f, DIR *dir, int64_t now)
{
    const struct dirent *e;
    struct stat st;

    while ((e = readdir(dir)) != NULL) {
        int kind = kind_of(e->d_name);

        if (kind == 0 ||
            fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            st.st_uid != geteuid() || S_ISDIR(st.st_mode))
            continue;
        if (gather(f, e->d_name, kind, &st, now))
            (void)unlinkat(dirfd(dir), e->d_name, 0);
    }
}

static int by_end(const void *a, const void *b)
{
    const struct file *x = a, *y = b;

    return (x->until > y->until) - (x->until < y->until);
}

void tsk_cachedisk_sweep(const struct tsk_cachedisk *d)
{
    struct files f = {0};
    DIR *dir = opendir(d->dir);

    if (dir == NULL)
        return;
    gather_all(&f, dir, tsk_wall_time());
    if (f.sum > d->max) {
        qsort(f.all, f.n, sizeof(*f.all), by_end);
        for (size_t i = 0; i < f.n && f.sum > d->max / 8 * 7; i++) {
            (void)unlinkat(dirfd(dir), f.all[i].name, 0);
            f.sum -= f.all[i].size;
        }
    }
    closedir(dir);
    tsk_free(f.all);
}
