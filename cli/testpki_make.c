/* testpki_make - certificates and keys, row by row; an issuer's row comes
 * before. */
#include "errors.h"
#include "local.h"
#include "testpki.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY 86400
#define MOST_NAMES 8

char *zoo_text(const struct zoo *z, char *out, size_t size, const char *text)
{
    size_t used = 0;

    for (; *text != '\0' && used + 1 < size; text++) {
        if (text[0] == '%' && text[1] == 'D') {
            used += (size_t)snprintf(out + used, size - used, "%s", z->domain);
            if (used >= size)
                used = size - 1;
            text++;
        } else {
            out[used++] = *text;
        }
    }
    out[used] = '\0';
    return out;
}

void zoo_path(const struct zoo *z, char path[LOCAL_PATH], const char *file)
{
    snprintf(path, LOCAL_PATH, "%s/%s", z->dir, file);
}

int zoo_failed(const struct zoo *z, const char *name)
{
    char text[256];

    ERR_error_string_n(ERR_peek_error(), text, sizeof(text));
    ERR_clear_error();
    return err_plain(z->out, name, EXIT_INTERNAL, "internal",
                     "an OpenSSL that is limited by its configuration may "
                     "refuse weak certificates: OPENSSL_CONF=/dev/null",
                     "%s cannot be made: %s", name, text);
}

static int cannot_write(const struct zoo *z, const char *path, int errnum)
{
    return err_plain(z->out, path, EXIT_OWN, "own-file",
                     "name a directory that you may write to", "%s: %s", path,
                     strerror(errnum));
}

/* A new file each time: what had the name may be a link, or readable by all. */
int zoo_write(struct zoo *z, const char *file, const void *data, size_t len,
              int mode)
{
    char path[LOCAL_PATH];
    const char *at = data;
    int fd, rc;

    zoo_path(z, path, file);
    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return cannot_write(z, path, errno);
    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno != EINTR)
            break;
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    rc = len > 0 || fchmod(fd, (mode_t)mode) < 0 ? errno : 0;
    if (close(fd) < 0 && rc == 0)
        rc = errno;
    z->files++;
    return rc == 0 ? 0 : cannot_write(z, path, rc);
}

int zoo_write_bio(struct zoo *z, const char *file, BIO *bio, int mode)
{
    char *data = NULL;
    long len = bio != NULL ? BIO_get_mem_data(bio, &data) : 0;
    int rc;

    if (bio == NULL || len <= 0)
        rc = zoo_failed(z, file);
    else
        rc = zoo_write(z, file, data, (size_t)len, mode);
    BIO_free(bio);
    return rc;
}

/* What the file of a row holds: itself and those above, but no root, unless
 * the row says otherwise. */
static int put_chain(const struct zoo *z, size_t i, BIO *bio)
{
    const char *list = zoo_rows[i].chain;
    int ok = 1;

    while (list != NULL && *list != '\0' && ok == 1) {
        size_t n = strcspn(list, " ");
        size_t at = zoo_find(list, n);

        ok = at < zoo_n_rows && PEM_write_bio_X509(bio, z->made[at].x);
        list += n + (list[n] == ' ');
    }
    for (; zoo_rows[i].chain == NULL && ok == 1;) {
        ok = PEM_write_bio_X509(bio, z->made[i].x);
        if (zoo_rows[i].issuer == NULL)
            break;
        i = zoo_find(zoo_rows[i].issuer, strlen(zoo_rows[i].issuer));
        if (zoo_rows[i].issuer == NULL)
            break;
    }
    return ok;
}

static int save(struct zoo *z, size_t i)
{
    const struct zoo_row *row = &zoo_rows[i];
    const struct zoo_made *m = &z->made[i];
    BIO *bio = BIO_new(BIO_s_mem());
    char file[100];
    int rc;

    snprintf(file, sizeof(file), "%s.pem", row->name);
    if (bio == NULL || put_chain(z, i, bio) != 1) {
        BIO_free(bio);
        return zoo_failed(z, row->name);
    }
    rc = zoo_write_bio(z, file, bio, 0644);
    if (rc != 0 || row->how == ZOO_FILE ||
        (row->key != NULL && row->key[0] == '='))
        return rc;
    bio = BIO_new(BIO_s_secmem());
    if (bio == NULL || !PEM_write_bio_PKCS8PrivateKey(bio, m->key, NULL, NULL,
                                                      0, NULL, NULL)) {
        BIO_free(bio);
        return zoo_failed(z, row->name);
    }
    snprintf(file, sizeof(file), "%s.key", row->name);
    return zoo_write_bio(z, file, bio, 0600);
}

/* "DNS:a,IP:b" as a list; points into text. */
static size_t split(char *text, const char **list)
{
    size_t n = 0;

    for (char *save_ptr = NULL, *word = strtok_r(text, ",", &save_ptr);
         word != NULL && n < MOST_NAMES; word = strtok_r(NULL, ",", &save_ptr))
        list[n++] = word;
    return n;
}

/* A new key, or with "=NAME" that of another row. */
static EVP_PKEY *key_of(const struct zoo *z, const char *kind)
{
    EVP_PKEY *key;

    if (kind == NULL)
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    if (kind[0] == '=') {
        key = z->made[zoo_find(kind + 1, strlen(kind + 1))].key;
        EVP_PKEY_up_ref(key);
        return key;
    }
    if (strncmp(kind, "rsa:", 4) == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA",
                                 (size_t)strtoul(kind + 4, NULL, 10));
    if (strncmp(kind, "ec:", 3) == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind + 3);
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

/* What the library made, as OpenSSL has it: others are signed by hand. */
static X509 *x509_of(const tlsock_cert *c)
{
    char pem[8192];
    int len = tlsock_cert_pem(c, TLSOCK_PART_CERT, pem, sizeof(pem));
    BIO *bio =
        len > 0 && (size_t)len < sizeof(pem) ? BIO_new_mem_buf(pem, len) : NULL;
    X509 *x = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return x;
}

static int create(struct zoo *z, size_t i, tlsock_cert_opts *o)
{
    struct zoo_made *m = &z->made[i];
    BIO *bio = BIO_new(BIO_s_secmem());
    tlsock_error err = {0};
    char *pem = NULL;

    if (bio == NULL ||
        !PEM_write_bio_PKCS8PrivateKey(bio, m->key, NULL, NULL, 0, NULL,
                                       NULL) ||
        BIO_write(bio, "", 1) != 1 || BIO_get_mem_data(bio, &pem) <= 0) {
        BIO_free(bio);
        return zoo_failed(z, zoo_rows[i].name);
    }
    o->key = pem;
    m->c = tlsock_cert_create(o, &err);
    BIO_free(bio);
    if (m->c == NULL)
        return err_report(z->out, zoo_rows[i].name, &err, 1);
    m->x = x509_of(m->c);
    return m->x != NULL ? 0 : zoo_failed(z, zoo_rows[i].name);
}

static int by_library(struct zoo *z, size_t i)
{
    const struct zoo_row *row = &zoo_rows[i];
    char names[600], permitted[300], cn[320], text[300];
    const char *list[MOST_NAMES];
    tlsock_cert_opts o;

    tlsock_cert_opts_init(&o, sizeof(o));
    if (row->cn != NULL) {
        snprintf(cn, sizeof(cn), "CN=%s",
                 zoo_text(z, text, sizeof(text), row->cn));
        o.subject = cn;
    }
    if (row->names != NULL) {
        o.sans = list;
        o.n_sans = split(zoo_text(z, names, sizeof(names), row->names), list);
    }
    if (row->issuer != NULL)
        o.issuer = z->made[zoo_find(row->issuer, strlen(row->issuer))].c;
    o.ca = row->ca;
    o.pathlen = row->pathlen;
    if (row->permitted != NULL)
        o.permitted = zoo_text(z, permitted, sizeof(permitted), row->permitted);
    o.purpose = row->purpose;
    o.digest = row->digest;
    o.ext = &row->ext;
    o.n_ext = row->ext != NULL ? 1 : 0;
    /* a day ago: clocks of machines differ */
    o.not_before = z->now + (row->from != 0 ? row->from : -1) * (int64_t)DAY;
    o.not_after = z->now + (row->to != 0 ? row->to : z->days) * (int64_t)DAY;
    return create(z, i, &o);
}

int zoo_make(struct zoo *z)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < zoo_n_rows; i++) {
        const struct zoo_row *row = &zoo_rows[i];

        if (row->how != ZOO_FILE) {
            z->made[i].key = key_of(z, row->key);
            rc = z->made[i].key == NULL    ? zoo_failed(z, row->name)
                 : row->how == ZOO_LIBRARY ? by_library(z, i)
                                           : zoo_hand(z, i);
        }
        if (rc == 0)
            rc = save(z, i);
    }
    return rc;
}
