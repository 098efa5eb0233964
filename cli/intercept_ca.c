/* The CA of interception: it may sign every name, so it is one of its own and
 * not the local CA, and nobody trusts it who was not told to. */
#include "errors.h"
#include "intercept_cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAYS 3650

static int own_dir(char dir[LOCAL_PATH])
{
    size_t len;

    if (local_dir(dir) < 0)
        return -1;
    len = strlen(dir); /* ".../tlsock/ca" */
    return (size_t)snprintf(dir + len - 2, LOCAL_PATH - len + 2, "intercept") <
                   LOCAL_PATH - len + 2
               ? 0
               : -1;
}

static int cannot(struct icept *v, const char *path, int errnum)
{
    return err_plain(&v->o.out, "intercept", EXIT_OWN, "own-file",
                     "--ca-cert FILE --ca-key FILE, or a home directory that "
                     "can be written to",
                     "%s: %s", path, strerror(errnum));
}

/* Written aside and renamed, the key first: who finds the certificate finds
 * the key. Of two that begin at once one wins. */
static int make(struct icept *v, const char *dir)
{
    char host[64] = "this machine", subject[128], cert[LOCAL_PATH],
         key[LOCAL_PATH];
    tlsock_error err = {0};
    tlsock_cert *ca;
    int rc;

    (void)gethostname(host, sizeof(host) - 1);
    for (char *p = host; *p != '\0'; p++)
        if (strchr(",+\"\\<>;=/#", *p) != NULL)
            *p = '-';
    snprintf(subject, sizeof(subject), "CN=tlsock intercept CA of %s", host);
    if (local_path(cert, dir, "ca.pem") < 0 ||
        local_path(key, dir, "ca.key") < 0)
        return cannot(v, dir, ENAMETOOLONG);
    ca = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = subject, .ca = 1, .days = DAYS), &err);
    if (ca == NULL)
        return err_report(&v->o.out, "intercept", &err, 1);
    rc = tlsock_cert_save(ca, TLSOCK_PART_KEY, TLSOCK_FORMAT_PEM, key, NULL,
                          &err);
    if (rc == 0)
        rc = tlsock_cert_save(ca, TLSOCK_PART_CERT, TLSOCK_FORMAT_PEM, cert,
                              NULL, &err);
    tlsock_cert_unref(ca);
    if (rc < 0)
        return err_report(&v->o.out, dir, &err, 1);
    v->ca_new = 1;
    return 0;
}

/* One at a time: the other one finds what was made. */
static int make_once(struct icept *v, const char *dir)
{
    char lock[LOCAL_PATH];
    int rc = local_make_dir(dir), fd;
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (rc != 0)
        return cannot(v, dir, rc);
    if (local_path(lock, dir, "lock") < 0)
        return cannot(v, dir, ENAMETOOLONG);
    fd = open(lock, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || fcntl(fd, F_SETLKW, &all) < 0) {
        rc = cannot(v, lock, errno);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    rc = local_exists(dir) ? 0 : make(v, dir);
    close(fd);
    return rc;
}

static int load(struct icept *v)
{
    tlsock_error err = {0};

    if (v->ca_cert != NULL) {
        snprintf(v->ca_where, sizeof(v->ca_where), "%s", v->ca_cert);
        v->ca = v->ca_key != NULL
                    ? tlsock_cert_load(v->ca_cert, v->ca_key, v->ca_pass, &err)
                    : local_load(v->ca_cert, v->ca_pass, &err);
    } else {
        char dir[LOCAL_PATH];

        snprintf(dir, sizeof(dir), "%s", v->ca_where);
        v->ca = local_load(dir, NULL, &err);
        (void)local_path(v->ca_where, dir, "ca.pem");
    }
    if (v->ca != NULL && !tlsock_cert_has_key(v->ca)) {
        tlsock_cert_unref(v->ca);
        v->ca = NULL;
        return err_plain(&v->o.out, v->ca_where, EXIT_OWN, "own-file",
                         "--ca-key FILE, its private key",
                         "the CA's key is not there");
    }
    return v->ca != NULL ? 0 : err_report(&v->o.out, v->ca_where, &err, 1);
}

/* What was minted is found again by the next run; without a place for it, it is
 * kept in memory alone. */
static int open_mint(struct icept *v)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *dir = v->mint_dir;
    tlsock_error err = {0};

    if (cache != NULL && cache[0] == '/')
        (void)local_path(dir, cache, "tlsock/intercept");
    else if (home != NULL && home[0] == '/')
        (void)local_path(dir, home, ".cache/tlsock/intercept");
    if (dir[0] != '\0' && local_make_dir(dir) != 0)
        dir[0] = '\0';
    v->mint = tlsock_intercept_new(v->ca, dir[0] != '\0' ? dir : NULL, &err);
    return v->mint != NULL ? 0 : err_report(&v->o.out, v->ca_where, &err, 1);
}

int icept_ca_open(struct icept *v)
{
    int rc = 0;

    if (v->ca_key != NULL && v->ca_cert == NULL)
        return err_usage(&v->o.out, "intercept", "--ca-cert FILE --ca-key FILE",
                         "--ca-key without a --ca-cert");
    if (v->ca_cert == NULL) {
        if (own_dir(v->ca_where) < 0)
            return err_plain(&v->o.out, "intercept", EXIT_OWN, "own-file",
                             "--ca-cert FILE --ca-key FILE, or set HOME",
                             "no home directory to keep the CA in");
        if (!local_exists(v->ca_where))
            rc = make_once(v, v->ca_where);
    }
    if (rc == 0)
        rc = load(v);
    if (rc == 0)
        (void)tlsock_cert_fingerprint(v->ca, "sha256", 0, v->fingerprint,
                                      sizeof(v->fingerprint));
    return rc == 0 ? open_mint(v) : rc;
}

tlsock_cert *icept_leaf(void *arg, const tlsock_cert *seen, tlsock_error *err)
{
    const struct icept *v = arg;

    return tlsock_intercept_leaf(v->mint, seen, err);
}
