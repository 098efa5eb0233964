/* trust_ca - the CA in question, and how to find it among others. */
#include "certfield.h"
#include "trust.h"

#include "errors.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The certificate alone, without chain and key, as text. It goes through a
 * file: that is what the library writes. */
static int take_pem(struct trust *t, tlsock_error *err)
{
    const char *tmp = getenv("TMPDIR");
    char dir[LOCAL_PATH], file[LOCAL_PATH + 8];
    int rc;

    if ((size_t)snprintf(dir, sizeof(dir), "%s/tlsock-XXXXXX",
                         tmp != NULL && tmp[0] == '/' ? tmp : "/tmp") >=
            sizeof(dir) ||
        mkdtemp(dir) == NULL)
        return err_plain(&t->o.out, dir, EXIT_OWN, "own-file",
                         "set TMPDIR to a directory that can be written to",
                         "no directory for a temporary file: %s",
                         strerror(errno));
    snprintf(file, sizeof(file), "%s/ca.pem", dir);
    rc = tlsock_cert_save(t->ca.cert, TLSOCK_PART_CERT, TLSOCK_FORMAT_PEM, file,
                          NULL, err);
    if (rc < 0)
        rc = err_report(&t->o.out, t->ca.path, err, 1);
    else if ((t->ca.pem = trust_read(file)) == NULL)
        rc = err_plain(&t->o.out, file, EXIT_OWN, "own-file", "", "%s",
                       strerror(errno));
    unlink(file);
    rmdir(dir);
    if (t->ca.pem != NULL)
        t->ca.pem_len = strlen(t->ca.pem);
    return rc;
}

static int permits_names(X509 *x)
{
    NAME_CONSTRAINTS *nc =
        X509_get_ext_d2i(x, NID_name_constraints, NULL, NULL);
    int found = 0;

    for (int i = 0;
         nc != NULL && i < sk_GENERAL_SUBTREE_num(nc->permittedSubtrees); i++)
        found |=
            sk_GENERAL_SUBTREE_value(nc->permittedSubtrees, i)->base->type ==
            GEN_DNS;
    NAME_CONSTRAINTS_free(nc);
    return found;
}

static int judge(struct trust *t)
{
    const char *after = certfield(t->ca.cert, TLSOCK_CERT_NOT_AFTER);
    const char *subject = certfield(t->ca.cert, TLSOCK_CERT_SUBJECT);
    const char *issuer = certfield(t->ca.cert, TLSOCK_CERT_ISSUER);
    BIO *b = BIO_new_mem_buf(t->ca.pem, -1);
    X509 *x = b != NULL ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
    int ca = -1, in_time = 0;
    long days = after != NULL ? out_days_until(after, &in_time) : 0;

    if (x != NULL) {
        ca = X509_check_ca(x); /* 1: X.509v3, with basicConstraints */
        t->ca.constrained = permits_names(x);
    }
    X509_free(x);
    BIO_free(b);
    ERR_clear_error();
    if (ca < 0 || subject == NULL || issuer == NULL)
        return err_plain(&t->o.out, t->ca.path, EXIT_INTERNAL, "nomem", "",
                         "out of memory");
    if (ca != 1)
        return err_plain(&t->o.out, t->ca.path, EXIT_OWN, "not-a-ca",
                         "give the certificate of the CA that signed it; to "
                         "accept this one alone: --pin of tlsock connect",
                         "\"%s\" is not the certificate of a CA", subject);
    if (strcmp(subject, issuer) != 0)
        return err_plain(&t->o.out, t->ca.path, EXIT_OWN, "not-a-root",
                         "install the certificate of that root",
                         "\"%s\" is no root: it is signed by \"%s\"", subject,
                         issuer);
    if (in_time && days < 0)
        return err_plain(&t->o.out, t->ca.path, EXIT_OWN, "expired",
                         "make a new CA: tlsock ca init --dir DIR",
                         "\"%s\" expired on %.10s: nobody would accept it",
                         subject, after);
    return 0;
}

/* A name that means the same to every tool: no quotes, no colon (NSS takes it
 * for a token's), no dash at its beginning, ASCII. */
static void make_name(struct trust_ca *ca)
{
    const char *cn = certfield(ca->cert, TLSOCK_CERT_CN);
    char part[48];
    size_t n = 0;

    if (cn != NULL && strncmp(cn, "tlsock ", 7) == 0)
        cn += 7;
    for (; cn != NULL && *cn != '\0' && n + 1 < sizeof(part); cn++) {
        int plain = isalnum((unsigned char)*cn) || strchr("._-+ ", *cn) != NULL;

        if (n > 0 && !plain && part[n - 1] == '_')
            continue;
        part[n++] = plain ? *cn : '_';
    }
    while (n > 0 && part[n - 1] == ' ')
        n--;
    part[n] = '\0';
    snprintf(ca->name, sizeof(ca->name), "tlsock %s%s%.*s", part,
             n > 0 ? " " : "", TRUST_TAG, ca->sha256);
}

static int take_fingerprint(struct trust *t)
{
    const char *s = t->fingerprint;
    struct trust_ca *ca = &t->ca;

    if (strncasecmp(s, "sha256:", 7) == 0)
        s += 7;
    for (; *s != '\0' && ca->digits < 64; s++) {
        if (*s == ':' && s[1] != '\0')
            continue;
        if (!isxdigit((unsigned char)*s))
            break;
        ca->sha256[ca->digits++] = (char)tolower((unsigned char)*s);
    }
    if (*s == '\0' && ca->digits >= TRUST_TAG)
        return 0;
    return err_usage(&t->o.out, t->o.command,
                     "tlsock trust list shows the fingerprints",
                     "--fingerprint \"%s\" is not SHA-256 in hex: 64 digits, "
                     "or the first %d or more",
                     t->fingerprint, TRUST_TAG);
}

static int choose_path(struct trust *t)
{
    char dir[LOCAL_PATH];
    struct stat st;
    int given = t->file != NULL;

    if (!given && (local_dir(dir) < 0 || !local_exists(dir))) {
        if (t->action == TRUST_LIST)
            return 0;
        return err_plain(&t->o.out, t->o.command, EXIT_OWN, "own-file",
                         t->action != TRUST_INSTALL
                             ? "name its file, or --fingerprint HEX as tlsock "
                               "trust list shows it"
                         : getenv("SUDO_USER") != NULL
                             ? "name the file of your CA: sudo looks for one "
                               "of root's"
                             : "tlsock ca init makes one; or name a CA's file",
                         "there is no local CA");
    }
    if (given &&
        (size_t)snprintf(dir, sizeof(dir), "%s", t->file) >= sizeof(dir))
        return err_usage(&t->o.out, t->o.command, NULL, "a path is too long");
    if (!given || (stat(dir, &st) == 0 && S_ISDIR(st.st_mode))) {
        if (local_path(t->ca.path, dir, "ca.pem") < 0)
            return err_usage(&t->o.out, t->o.command, NULL,
                             "a path is too long");
    } else {
        strcpy(t->ca.path, dir);
    }
    return 0;
}

int trust_ca_choose(struct trust *t)
{
    tlsock_error err = {0};
    const char *sha256;
    int rc;

    if (t->fingerprint != NULL)
        return take_fingerprint(t);
    rc = choose_path(t);
    if (rc != 0 || t->ca.path[0] == '\0')
        return rc;
    t->ca.cert = tlsock_cert_load(t->ca.path, NULL, NULL, &err);
    if (t->ca.cert == NULL)
        return err_report(&t->o.out, t->ca.path, &err, 1);
    sha256 = certfield(t->ca.cert, TLSOCK_CERT_SHA256);
    if (sha256 == NULL || strlen(sha256) != 7 + 64)
        return err_plain(&t->o.out, t->ca.path, EXIT_INTERNAL, "nomem", "",
                         "out of memory");
    strcpy(t->ca.sha256, sha256 + 7);
    t->ca.digits = 64;
    make_name(&t->ca);
    if (t->action != TRUST_INSTALL)
        return 0;
    rc = take_pem(t, &err);
    return rc != 0 ? rc : judge(t);
}

void trust_ca_free(struct trust_ca *ca)
{
    tlsock_cert_unref(ca->cert);
    free(ca->pem);
    ca->cert = NULL;
    ca->pem = NULL;
}
