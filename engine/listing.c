#include "listing.h"

#include "beneath.h"
#include "memfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry {
    char *name;
    int dir;
    long long size;
};

struct entries {
    struct entry *v;
    size_t n;
    int more;
};

/* RFC 3986, 2.3: all but unreserved characters, and the slash of a path. */
void listing_quote(const char *path, char *out, size_t size)
{
    static const char hex[] = "0123456789ABCDEF", plain[] = "-._~/";
    size_t n = 0;

    for (; *path != '\0' && n + 4 < size; path++) {
        unsigned char c = (unsigned char)*path;

        if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
            strchr(plain, c) != NULL) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = hex[c >> 4];
        out[n++] = hex[c & 15];
    }
    out[n] = '\0';
}

static void put_text(FILE *to, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("<>&\"'", *text) != NULL)
            fprintf(to, "&#%d;", *text);
        else
            putc(*text, to);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static int add(struct entries *all, int dir, const char *name)
{
    struct entry *grown;
    struct stat st;

    if (!beneath_visible(name) ||
        fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
        return 0;
    if (all->n == LISTING_MOST) {
        all->more = 1;
        return 0;
    }
    if (all->n % 64 == 0) {
        grown = realloc(all->v, (all->n + 64) * sizeof(*grown));
        if (grown == NULL)
            return -1;
        all->v = grown;
    }
    all->v[all->n] = (struct entry){strdup(name), S_ISDIR(st.st_mode) != 0,
                                    (long long)st.st_size};
    return all->v[all->n++].name != NULL ? 0 : -1;
}

static void free_all(struct entries *all)
{
    for (size_t i = 0; i < all->n; i++)
        free(all->v[i].name);
    free(all->v);
}

static void put_entry(FILE *to, const struct entry *e)
{
    char url[3 * 256 + 8];

    listing_quote(e->name, url, sizeof(url));
    fprintf(to, "<li><a href=\"./%s%s\">", url, e->dir ? "/" : "");
    put_text(to, e->name);
    if (e->dir)
        fputs("/</a>\n", to);
    else
        fprintf(to, "</a> %lld bytes\n", e->size);
}

static void put_page(FILE *to, const struct entries *all, const char *path)
{
    fputs("<!DOCTYPE html><meta charset=\"utf-8\"><title>", to);
    put_text(to, path);
    fputs("</title>\n<h1>", to);
    put_text(to, path);
    fputs("</h1>\n<ul>\n", to);
    if (strspn(path, "/") != strlen(path))
        fputs("<li><a href=\"../\">../</a>\n", to);
    for (size_t i = 0; i < all->n; i++)
        put_entry(to, &all->v[i]);
    fprintf(to, "</ul>\n%s", all->more ? "<p>and more\n" : "");
}

static int collect(struct entries *all, DIR *dir)
{
    const struct dirent *at = readdir(dir);

    /* of a huge directory no more than is shown: others wait meanwhile */
    for (; at != NULL && !all->more; at = readdir(dir))
        if (add(all, dirfd(dir), at->d_name) < 0)
            return -1;
    return 0;
}

char *listing_make(int fd, const char *path, size_t *len)
{
    struct entries all = {NULL, 0, 0};
    DIR *dir = fdopendir(fd);
    char *page = NULL;
    struct memfile m;
    FILE *to;

    if (dir == NULL) {
        close(fd);
        return NULL;
    }
    if (collect(&all, dir) == 0) {
        to = memfile_open(&m);
        if (all.n > 0)
            qsort(all.v, all.n, sizeof(*all.v), by_name);
        if (to != NULL)
            put_page(to, &all, path);
        page = memfile_close(&m, to, len);
    }
    closedir(dir);
    free_all(&all);
    return page;
}
