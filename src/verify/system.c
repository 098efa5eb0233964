#include "verify/system.h"

#include "core/str.h"
#include "verify/index.h"
#include "verify/trust.h"

#include <errno.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where distributions keep it, most exact first. */
static const char *const places[] = {
    "/etc/ssl/certs",                                    /* Debian, SUSE */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, RHEL */
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Alpine */
    "/etc/ssl/ca-bundle.pem",                            /* SUSE */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* RHEL */
    "/etc/ssl/cert.pem",                                 /* Alpine, BSD */
    "/usr/local/share/certs/ca-root-nss.crt",            /* FreeBSD */
};

static void note(struct tsk_system *sys, const char *path, const char *fault)
{
    size_t pos = strlen(sys->tried);

    tsk_append(sys->tried, sizeof(sys->tried), &pos, "%s%s (%s)",
               pos > 0 ? ", " : "", path, fault);
}

/* What is at path: 'd' hashed directory, 'f' file that is not empty, or 0
 * with the reason in tried. */
static int look(struct tsk_system *sys, const char *path)
{
    struct stat st;
    size_t pos = strlen(sys->key);

    if (stat(path, &st) != 0) {
        note(sys, path, errno == ENOENT ? "missing" : "not readable");
        return 0;
    }
    tsk_append(sys->key, sizeof(sys->key), &pos, "%lx.%lx.%llx.%lx;",
               (unsigned long)st.st_dev, (unsigned long)st.st_ino,
               (unsigned long long)st.st_mtim.tv_sec,
               (unsigned long)st.st_mtim.tv_nsec);
    if (S_ISDIR(st.st_mode)) {
        if (tsk_index_is_hashed(path))
            return 'd';
        note(sys, path,
             access(path, R_OK) == 0 ? "no hash-named file inside"
                                     : "not readable");
        return 0;
    }
    if (st.st_size > 0 && access(path, R_OK) == 0)
        return 'f';
    note(sys, path, st.st_size == 0 ? "empty" : "not readable");
    return 0;
}

static int unusable(struct tsk_system *sys, const char *variable,
                    tlsock_error *err)
{
    sys->dirs[0] = sys->file[0] = '\0';
    tsk_fail(err, TLSOCK_E_TRUST_STORE,
             "the environment's %s names no usable trust store: %.220s",
             variable, sys->tried);
    tsk_hint(err,
             "correct or unset %s; or name CAs yourself (--ca FILE, "
             "tlsock_config_add_trust)",
             variable);
    return TLSOCK_E_TRUST_STORE;
}

/* Directories of a list of them; at least one has to be usable. */
static void add_dirs(struct tsk_system *sys, const char *list)
{
    char one[512];
    size_t len, pos = 0;

    for (;; list += len + 1) {
        len = strcspn(list, ":");
        if (len > 0 && len < sizeof(one)) {
            snprintf(one, sizeof(one), "%.*s", (int)len, list);
            if (look(sys, one) == 'd')
                tsk_append(sys->dirs, sizeof(sys->dirs), &pos, "%s%s",
                           pos > 0 ? ":" : "", one);
        }
        if (list[len] == '\0')
            return;
    }
}

/* 1 the environment decides, 0 it does not, or code. */
static int from_environment(struct tsk_system *sys, tlsock_error *err)
{
    /* not for programs that run with another's rights */
    const char *dir = secure_getenv(X509_get_default_cert_dir_env());
    const char *file = secure_getenv(X509_get_default_cert_file_env());

    if (dir != NULL && dir[0] != '\0') {
        add_dirs(sys, dir);
        if (sys->dirs[0] == '\0')
            return unusable(sys, "SSL_CERT_DIR", err);
        snprintf(sys->why, sizeof(sys->why), "SSL_CERT_DIR is set");
    }
    if (file != NULL && file[0] != '\0') {
        if (strlen(file) >= sizeof(sys->file) || look(sys, file) != 'f')
            return unusable(sys, "SSL_CERT_FILE", err);
        snprintf(sys->file, sizeof(sys->file), "%s", file);
        snprintf(sys->why, sizeof(sys->why), "%s",
                 sys->dirs[0] != '\0' ? "SSL_CERT_FILE and SSL_CERT_DIR are set"
                                      : "SSL_CERT_FILE is set");
    }
    return sys->dirs[0] != '\0' || sys->file[0] != '\0';
}

static int take(struct tsk_system *sys, const char *path, const char *why)
{
    int kind = look(sys, path);

    if (kind == 0)
        return 0;
    snprintf(kind == 'd' ? sys->dirs : sys->file, sizeof(sys->dirs), "%s",
             path);
    snprintf(sys->why, sizeof(sys->why), "%s", why);
    return 1;
}

int tsk_system_find(struct tsk_system *sys, tlsock_error *err)
{
    int rc, saved = errno;

    memset(sys, 0, sizeof(*sys));
    rc = from_environment(sys, err);
    if (rc == 0)
        rc = take(sys, X509_get_default_cert_dir(), "OpenSSL's directory") ||
             take(sys, X509_get_default_cert_file(), "OpenSSL's file");
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && rc == 0; i++)
        rc = take(sys, places[i], "usual place");
    errno = saved;
    if (rc > 0) {
        size_t pos = strlen(sys->key);

        tsk_append(sys->key, sizeof(sys->key), &pos, "%s", sys->why);
    }
    if (rc != 0)
        return rc < 0 ? rc : TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_TRUST_STORE,
             "this system has no trust store; looked at: %.250s", sys->tried);
    tsk_hint(err, "install the package ca-certificates, set SSL_CERT_FILE or "
                  "SSL_CERT_DIR, or name CAs yourself (--ca FILE, "
                  "tlsock_config_add_trust)");
    return TLSOCK_E_TRUST_STORE;
}

void tsk_trust_find_system(char *path, size_t psize, char *why, size_t wsize,
                           char *tried, size_t tsize)
{
    struct tsk_system sys;

    (void)tsk_system_find(&sys, NULL);
    snprintf(path, psize, "%s%s%s", sys.dirs,
             sys.dirs[0] != '\0' && sys.file[0] != '\0' ? ":" : "", sys.file);
    snprintf(why, wsize, "%s", sys.why);
    snprintf(tried, tsize, "%s", sys.tried);
}
