/* What is trusted, as a digest: the same certificates in another order or file
 * give the same. */
#include "core/mem.h"
#include "verify/index_private.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ONE 32 /* bytes of the digest of a part */
#define FILE_MAX (1024 * 1024)

struct parts {
    uint8_t *all;
    size_t n, cap;
};

static int add(struct parts *p, const void *data, size_t len)
{
    size_t cap = p->cap != 0 ? 2 * p->cap : 256;
    uint8_t *more;

    if (p->n == p->cap) {
        more = tsk_realloc(p->all, cap * ONE);
        if (more == NULL)
            return 0;
        p->all = more;
        p->cap = cap;
    }
    return EVP_Digest(data, len, p->all + ONE * p->n++, NULL, EVP_sha256(),
                      NULL);
}

/* Seen from outside: which file it is, how long and how old. */
static int add_look(struct parts *p, const char *name, const struct stat *st)
{
    char line[640];

    snprintf(line, sizeof(line), "%s %lld %lld.%09ld %llu", name,
             (long long)st->st_size, (long long)st->st_mtim.tv_sec,
             (long)st->st_mtim.tv_nsec, (unsigned long long)st->st_ino);
    return add(p, line, strlen(line));
}

/* What cannot be read, or is no certificate by its size, trusts nobody. */
static int add_content(struct parts *p, int dir, const char *name,
                       const struct stat *st)
{
    uint8_t *data;
    ssize_t n = -1;
    int fd, ok;

    if (!S_ISREG(st->st_mode) || st->st_size > FILE_MAX)
        return 1;
    data = tsk_alloc((size_t)st->st_size + 1);
    if (data == NULL)
        return 0;
    fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
        n = read(fd, data, (size_t)st->st_size);
        close(fd);
    }
    ok = n < 0 || add(p, data, (size_t)n);
    tsk_free(data);
    return ok;
}

/* Its files are read when a chain asks for one. */
static int add_dir(struct parts *p, const char *path, int by_content)
{
    DIR *d = opendir(path);
    const struct dirent *e;
    struct stat st;
    int ok = 1;

    if (d == NULL)
        return add(p, path, strlen(path));
    while (ok && (e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.' || fstatat(dirfd(d), e->d_name, &st, 0) != 0)
            continue;
        ok = by_content ? add_content(p, dirfd(d), e->d_name, &st)
                        : add_look(p, e->d_name, &st);
    }
    closedir(d);
    return ok;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, ONE);
}

int tsk_index_digest(struct tsk_index *ix, int by_content, uint8_t out[32])
{
    struct parts p = {0};
    int ok = 1;

    pthread_mutex_lock(&ix->lock);
    for (size_t i = 0; ok && i < ix->n; i++)
        if (!ix->entries[i].from_dir)
            ok = add(&p, ix->entries[i].der, (size_t)ix->entries[i].len);
    pthread_mutex_unlock(&ix->lock);
    for (size_t i = 0; ok && i < ix->n_dirs; i++)
        ok = add_dir(&p, ix->dirs[i], by_content);
    if (ok && p.n > 1)
        qsort(p.all, p.n, ONE, by_bytes);
    ok = ok && EVP_Digest(p.n != 0 ? p.all : (const uint8_t *)"", ONE * p.n,
                          out, NULL, EVP_sha256(), NULL);
    tsk_free(p.all);
    return ok;
}
