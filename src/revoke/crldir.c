/* A directory of lists, as one keeps it for other programs: *.crl, *.pem and
 * the links that openssl rehash makes. */
#include "cert/cert.h"
#include "core/mem.h"
#include "core/str.h"
#include "revoke/crl_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_MAX 10000 /* with lists in one directory */

int tsk_crl_is_dir(const char *uri, const char **path)
{
    struct stat st;

    if (strncmp(uri, "pem:", 4) == 0 || strstr(uri, "-----BEGIN ") != NULL) {
        *path = "inline PEM";
        return 0;
    }
    if (strncmp(uri, "file:", 5) == 0)
        *path = strncmp(uri, "file:///", 8) == 0 ? uri + 7 : uri + 5;
    return stat(*path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* xxxxxxxx.rN */
static int hashed_name(const char *name)
{
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
           name[9] == 'r' && name[10] != '\0' &&
           strspn(name + 10, "0123456789") == strlen(name + 10);
}

static int list_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    return name[0] != '.' && dot != NULL &&
           (tsk_casecmp(dot, ".crl") == 0 || tsk_casecmp(dot, ".pem") == 0 ||
            tsk_casecmp(dot, ".der") == 0 || hashed_name(name));
}

struct seen {
    dev_t dev;
    ino_t ino;
};

struct dir {
    struct tsk_crls *to;
    const char *path;
    char name[256]; /* for messages */
    size_t left;    /* bytes that may be read */
    struct seen *seen;
    size_t n;
};

/* A link and the file that it leads to are one. 1: seen before; 0; E_NOMEM */
static int seen_before(struct dir *d, const struct stat *st)
{
    struct seen *more;

    for (size_t i = 0; i < d->n; i++)
        if (d->seen[i].dev == st->st_dev && d->seen[i].ino == st->st_ino)
            return 1;
    if ((d->n & (d->n - 1)) == 0) { /* a power of two: full */
        more = tsk_realloc(d->seen, (d->n != 0 ? 2 * d->n : 1) * sizeof(*more));
        if (more == NULL)
            return TLSOCK_E_NOMEM;
        d->seen = more;
    }
    d->seen[d->n].dev = st->st_dev;
    d->seen[d->n++].ino = st->st_ino;
    return 0;
}

static int too_many(const struct dir *d, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_LIMIT,
             "directory \"%s\" has more than %d files of CRLs", d->name,
             FILES_MAX);
    tsk_hint(err, "give a directory that holds the CRLs that are needed");
    return TLSOCK_E_LIMIT;
}

static int read_file(struct dir *d, const char *name, tlsock_error *err)
{
    char uri[4096 + 300];
    size_t len = 0;
    struct stat st;
    int rc;

    if (snprintf(uri, sizeof(uri), "file:%s/%s", d->path, name) >=
        (int)sizeof(uri))
        return TLSOCK_OK; /* longer than any path may be */
    if (stat(uri + 5, &st) != 0 || !S_ISREG(st.st_mode))
        return TLSOCK_OK; /* a link that leads nowhere, a pipe */
    rc = seen_before(d, &st);
    if (rc != 0)
        return rc < 0 ? tsk_fail_nomem(err) : TLSOCK_OK;
    if (d->n > FILES_MAX)
        return too_many(d, err);
    rc = tsk_crls_file(d->to, uri, d->left, &len, err);
    d->left -= rc == TLSOCK_OK ? len : 0;
    return rc;
}

static int no_list(const char *name, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_OWN_FILE, "directory \"%s\" holds no CRL", name);
    tsk_hint(err, "CRLs are *.crl, *.der or *.pem files in it, or files named "
                  "by hash, xxxxxxxx.rN (openssl rehash)");
    return TLSOCK_E_OWN_FILE;
}

int tsk_crl_dir(struct tsk_crls *l, const char *path, tlsock_error *err)
{
    struct dir d = {.to = l, .path = path, .left = TSK_CRL_FILE_MAX};
    DIR *open = opendir(path);
    struct dirent *e;
    int rc = TLSOCK_OK;

    tsk_printable(d.name, sizeof(d.name), path, strlen(path));
    if (open == NULL) {
        tsk_fail_sys(err, TLSOCK_E_OWN_FILE, errno,
                     "cannot read directory \"%s\"", d.name);
        tsk_hint(err, "see that this process may list it");
        return TLSOCK_E_OWN_FILE;
    }
    while (rc == TLSOCK_OK && (e = readdir(open)) != NULL)
        if (list_name(e->d_name))
            rc = read_file(&d, e->d_name, err);
    closedir(open);
    tsk_free(d.seen);
    return rc == TLSOCK_OK && l->n == 0 ? no_list(d.name, err) : rc;
}
