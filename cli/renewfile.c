#include "renewfile.h"

#include "cadb_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The link stays what it is, the file behind it is replaced. */
static int resolve(char out[LOCAL_PATH], const char *file, tlsock_error *err)
{
    char *real = realpath(file, NULL);
    int n;

    if (real == NULL)
        return cadb_fail(err, TLSOCK_E_OWN_FILE, errno,
                         errno == ENOENT ? "name the certificate's file" : NULL,
                         "cannot read %s", file);
    n = snprintf(out, LOCAL_PATH, "%s", real);
    free(real);
    return n < LOCAL_PATH - 8 ? 0
                              : cadb_fail(err, TLSOCK_E_OWN_FILE, ENAMETOOLONG,
                                          NULL, "%s", file);
}

static int look_inside(struct renewfile *f, tlsock_error *err)
{
    size_t len;
    char *text;
    int rc = cadb_read(f->cert, &text, &len, err);

    if (rc < 0 && err->sys_errno == EISDIR)
        snprintf(err->hint, sizeof(err->hint), "name the file in it");
    if (rc != 0)
        return rc < 0 ? rc
                      : cadb_fail(err, TLSOCK_E_OWN_FILE, ENOENT, NULL,
                                  "cannot read %s", f->cert);
    if (len == 0)
        rc = cadb_fail(err, TLSOCK_E_OWN_FILE, 0,
                       "was it written completely? tlsock cert new makes one",
                       "%s is empty", f->cert);
    else if (memmem(text, len, "-----BEGIN ", 11) == NULL)
        rc = cadb_fail(err, TLSOCK_E_OWN_FILE, 0,
                       "is it a certificate? If it is DER or PKCS#12, tlsock "
                       "cert convert makes PEM of it: renew that",
                       "%s is no PEM: it cannot be renewed where it is",
                       f->cert);
    else if (memmem(text, len, "PRIVATE KEY-----", 16) != NULL)
        f->has = RENEWFILE_INSIDE;
    explicit_bzero(text, len);
    free(text);
    return rc;
}

int renewfile_find(struct renewfile *f, const char *file, const char *key,
                   tlsock_error *err)
{
    const char *dot, *slash;
    int rc = resolve(f->cert, file, err);

    f->has = RENEWFILE_NO_KEY;
    if (rc != 0)
        return rc;
    snprintf(f->both, LOCAL_PATH, "%.*s.renew", LOCAL_PATH - 8, f->cert);
    rc = look_inside(f, err);
    if (rc != 0)
        return rc;
    if (key != NULL) {
        f->has = RENEWFILE_BESIDE;
        return resolve(f->key, key, err);
    }
    if (f->has == RENEWFILE_INSIDE) {
        memcpy(f->key, f->cert, sizeof(f->key));
        return 0;
    }
    /* beside what was named, which may be a link with the key's link beside */
    dot = strrchr(file, '.');
    slash = strrchr(file, '/');
    if (dot == NULL || (slash != NULL && dot < slash))
        dot = file + strlen(file);
    if (snprintf(f->key, LOCAL_PATH, "%.*s.key", (int)(dot - file), file) >=
        LOCAL_PATH)
        return cadb_fail(err, TLSOCK_E_OWN_FILE, ENAMETOOLONG, NULL, "%s",
                         file);
    if (access(f->key, F_OK) != 0)
        return 0;
    f->has = RENEWFILE_BESIDE;
    return resolve(f->key, f->key, err);
}

/* A server's group that may read the key shall still read it. By descriptor,
 * of a file that is surely the new one: in a directory of somebody else the
 * name may lead elsewhere by now. */
static void restore(const char *path, const struct stat *old, mode_t most)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
        st.st_uid == geteuid() &&
        ((old->st_uid == st.st_uid && old->st_gid == st.st_gid) ||
         fchown(fd, old->st_uid, old->st_gid) == 0))
        (void)fchmod(fd, old->st_mode & most);
    close(fd);
}

static int replace(const tlsock_cert *made, unsigned parts, const char *path,
                   const char *pass, tlsock_error *err)
{
    int key = (parts & TLSOCK_PART_KEY) != 0;
    struct stat old;
    int known = stat(path, &old) == 0, rc;

    if (tlsock_cert_chain_len(made) == 0)
        parts &= ~TLSOCK_PART_CHAIN;
    rc = tlsock_cert_save(made, parts, TLSOCK_FORMAT_PEM, path, pass, err);
    if (rc == 0 && known)
        restore(path, &old, key ? 0640 : 0666);
    return rc;
}

/* One that fails between the two takes the key back, where the file system has
 * links: what is served stays a pair, and the next run has f->both to go on. */
static int place(const struct renewfile *f, const tlsock_cert *made,
                 const char *pass, tlsock_error *err)
{
    char old[LOCAL_PATH + 8];
    int kept, rc;

    snprintf(old, sizeof(old), "%s.old", f->key);
    (void)unlink(old); /* of one that was killed here */
    kept = link(f->key, old) == 0;
    rc = replace(made, TLSOCK_PART_KEY, f->key, pass, err);
    if (rc == 0)
        rc = replace(made, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, f->cert, NULL,
                     err);
    if (rc != 0 && kept)
        (void)rename(old, f->key);
    if (kept)
        (void)unlink(old);
    if (rc == 0 && unlink(f->both) != 0 && errno != ENOENT)
        rc = cadb_fail(err, TLSOCK_E_OWN_FILE, errno,
                       "remove it: certificate and key are in their places",
                       "cannot remove %s", f->both);
    return rc;
}

int renewfile_finish(const struct renewfile *f, const char *key_pass,
                     tlsock_cert **made, tlsock_error *err)
{
    int rc;

    if (access(f->both, F_OK) != 0)
        return 0;
    *made = tlsock_cert_load(f->both, f->both, key_pass, err);
    if (*made == NULL)
        return err->code;
    rc = place(f, *made, key_pass, err);
    return rc == 0 ? 1 : rc;
}

int renewfile_save(const struct renewfile *f, const tlsock_cert *made,
                   int new_key, const char *key_pass, tlsock_error *err)
{
    const unsigned all = TLSOCK_PART_CERT | TLSOCK_PART_CHAIN | TLSOCK_PART_KEY;
    int rc;

    if (f->has == RENEWFILE_INSIDE)
        return replace(made, all, f->cert, key_pass, err);
    if (!new_key)
        return replace(made, all & ~TLSOCK_PART_KEY, f->cert, NULL, err);
    rc = replace(made, all, f->both, key_pass, err);
    return rc == 0 ? place(f, made, key_pass, err) : rc;
}
