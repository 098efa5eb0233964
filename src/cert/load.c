#include "cert/load.h"

#include "cert/pem.h"
#include "core/mem.h"
#include "ossl/queue.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

int tsk_source_open(struct tsk_source *s, const char *uri, tlsock_error *err)
{
    int rc;

    memset(s, 0, sizeof(*s));
    rc = tsk_uri_read(uri, TSK_CERT_FILE_MAX, &s->data, &s->len, s->name, err);
    if (rc == TLSOCK_OK && s->len == 0) {
        rc = tsk_fail(err, TLSOCK_E_OWN_FILE, "\"%s\" is empty", s->name);
        tsk_hint(err, "was it written completely? Put the PEM, DER or PKCS#12 "
                      "data there");
    }
    return rc;
}

void tsk_source_free(struct tsk_source *s)
{
    tsk_free_secret(s->data, s->len);
    s->data = NULL;
    s->len = 0;
}

/* "0" is also the tag of a SEQUENCE, but no text goes on with a high bit. What
 * is short enough to do without one (some keys are) must fit to the byte. */
int tsk_der_is(const struct tsk_source *s)
{
    return s->len >= 2 && s->data[0] == 0x30 &&
           ((s->data[1] & 0x80) != 0 || s->data[1] == s->len - 2);
}

int tsk_der_whole(const struct tsk_source *s, tlsock_error *err)
{
    size_t n = s->data[1] & 0x7f, need = 0;

    if ((s->data[1] & 0x80) == 0 || n == 0)
        return TLSOCK_OK; /* short, or BER, as some PKCS#12 files are */
    for (size_t i = 0; i < n && i < 5; i++)
        need = need << 8 | (2 + i < s->len ? s->data[2 + i] : 0xffu);
    if (n > 4 || need > s->len || s->len - need < 2 + n) {
        tsk_fail(err, TLSOCK_E_OWN_FILE,
                 "\"%s\" is truncated: its DER data go on behind the end",
                 s->name);
        tsk_hint(err, "copy the file again, in binary mode");
        return TLSOCK_E_OWN_FILE;
    }
    if (s->len - need > 2 + n) {
        tsk_fail(err, TLSOCK_E_OWN_FILE,
                 "\"%s\" has %zu bytes behind the end of its DER data",
                 s->name, s->len - need - 2 - n);
        tsk_hint(err, "several certificates in one file go as PEM");
        return TLSOCK_E_OWN_FILE;
    }
    return TLSOCK_OK;
}

static int push(STACK_OF(X509) *certs, X509 *x, tlsock_error *err)
{
    if (sk_X509_push(certs, x) > 0)
        return TLSOCK_OK;
    X509_free(x);
    return tsk_fail_nomem(err);
}

static int damaged(const struct tsk_source *s, int number, tlsock_error *err)
{
    int rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                           "certificate %d in \"%s\" is damaged", number,
                           s->name);

    if (rc == TLSOCK_E_OWN_FILE)
        tsk_hint(err, "copy the file again from where it came");
    return rc;
}

static int truncated(const struct tsk_source *s, const char *label,
                     tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_OWN_FILE,
             "\"%s\" is truncated: a block \"BEGIN %s\" has no END line",
             s->name, label);
    tsk_hint(err, "copy the file again, all of it");
    return TLSOCK_E_OWN_FILE;
}

static X509 *pem_cert(const struct tsk_pem_block *b)
{
    BIO *bio = BIO_new_mem_buf(b->text, (int)b->len);
    struct tsk_pass none = {0};
    X509 *x = NULL;

    if (bio != NULL)
        x = PEM_read_bio_X509_AUX(bio, NULL, tsk_pass_pem, &none);
    BIO_free(bio);
    return x;
}

static int pem_certs(const struct tsk_source *s, STACK_OF(X509) *certs,
                     tlsock_error *err)
{
    struct tsk_pem_block b;
    struct tsk_pem r;
    int number = 0, got;

    tsk_pem_begin(&r, s->data, s->len);
    for (;;) {
        X509 *x;
        int rc;

        got = tsk_pem_next(&r, &b);
        if (got < 0)
            return truncated(s, b.label, err);
        if (got == 0)
            return TLSOCK_OK;
        if (!tsk_pem_is_cert(&b))
            continue;
        number++;
        x = pem_cert(&b);
        if (x == NULL)
            return damaged(s, number, err);
        rc = push(certs, x, err);
        if (rc != TLSOCK_OK)
            return rc;
    }
}

static int no_cert(const struct tsk_source *s, const char *instead,
                   tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_OWN_FILE, "\"%s\" holds no certificate%s", s->name,
             instead);
    tsk_hint(err, "a certificate begins with -----BEGIN CERTIFICATE-----, or "
                  "is a DER or PKCS#12 file");
    return TLSOCK_E_OWN_FILE;
}

/* What was meant to be a certificate is often one of these. */
static int pem_instead(const struct tsk_source *s, tlsock_error *err)
{
    struct tsk_pem_block b;
    struct tsk_pem r;
    char text[64];

    tsk_pem_begin(&r, s->data, s->len);
    if (tsk_pem_next(&r, &b) != 1)
        return no_cert(s, "", err);
    snprintf(text, sizeof(text), ", but a block \"%s\"", b.label);
    return no_cert(s, text, err);
}

static int der_cert(const struct tsk_source *s, STACK_OF(X509) *certs,
                    tlsock_error *err)
{
    const unsigned char *p = s->data;
    struct tsk_pass none = {0};
    EVP_PKEY *key = NULL;
    int rc = tsk_der_whole(s, err);
    X509 *x;

    if (rc != TLSOCK_OK)
        return rc;
    x = d2i_X509(NULL, &p, (long)s->len);
    if (x != NULL)
        return push(certs, x, err);
    rc = damaged(s, 1, err);
    if (rc == TLSOCK_E_OWN_FILE &&
        tsk_key_read(s, &none, NULL, &key, NULL) == TLSOCK_OK && key != NULL)
        rc = no_cert(s, ", but a private key", err);
    EVP_PKEY_free(key);
    return rc;
}

/* All certificates into certs; key (may be NULL) only if it is PKCS#12. */
static int read_certs(const struct tsk_source *s, struct tsk_pass *pass,
                      STACK_OF(X509) *certs, EVP_PKEY **key, tlsock_error *err)
{
    int rc;

    if (tsk_der_is(s))
        rc = tsk_p12_is(s) ? tsk_p12_read(s, pass, certs, key, err)
                           : der_cert(s, certs, err);
    else if (tsk_pem_is(s->data, s->len))
        rc = pem_certs(s, certs, err);
    else
        return no_cert(s, ": it is neither PEM nor DER nor PKCS#12", err);
    if (rc == TLSOCK_OK && sk_X509_num(certs) == 0)
        rc = pem_instead(s, err);
    return rc;
}

/* The comparison failed: keys that differ, or ones that cannot be compared? */
static int mismatch(const struct tsk_source *cert, const struct tsk_source *key,
                    X509 *leaf, tlsock_error *err)
{
    int why = ERR_GET_REASON(ERR_peek_last_error()), rc;
    char who[96];

    if ((why != X509_R_KEY_VALUES_MISMATCH &&
         why != X509_R_KEY_TYPE_MISMATCH) ||
        ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE) {
        rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                           "the public key of certificate \"%s\" is not usable",
                           cert->name);
        if (rc == TLSOCK_E_OWN_FILE)
            tsk_hint(err, "it is damaged, or of a kind this OpenSSL lacks");
        return rc;
    }
    tsk_cert_short_name(leaf, who, sizeof(who));
    if (key == cert)
        tsk_fail(err, TLSOCK_E_KEY_MISMATCH,
                 "the private key in \"%s\" does not belong to the first "
                 "certificate there, \"%s\"", cert->name, who);
    else
        tsk_fail(err, TLSOCK_E_KEY_MISMATCH,
                 "key \"%s\" does not belong to certificate \"%s\"", key->name,
                 cert->name);
    tsk_hint(err, "compare the pins of both with tlsock cert show, and point "
                  "the key to the file that belongs to the certificate");
    tsk_facts(err, NULL, NULL, who);
    return TLSOCK_E_KEY_MISMATCH;
}

/* key_source is the same as s if no other file was named. */
static int load(const struct tsk_source *s, const struct tsk_source *key_source,
                struct tsk_pass *pass, tlsock_cert **out, tlsock_error *err)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    EVP_PKEY *key = NULL;
    X509 *leaf = NULL;
    int rc;

    if (certs == NULL)
        return tsk_fail_nomem(err);
    rc = read_certs(s, pass, certs, key_source == s ? &key : NULL, err);
    if (rc != TLSOCK_OK)
        goto out;
    leaf = sk_X509_shift(certs);
    if (key == NULL && (key_source != s || !tsk_der_is(s)))
        rc = tsk_key_read(key_source, pass, leaf, &key, err);
    if (rc != TLSOCK_OK)
        goto out;
    if (key == NULL && key_source != s) {
        rc = tsk_fail(err, TLSOCK_E_OWN_FILE, "\"%s\" holds no private key",
                      key_source->name);
        tsk_hint(err, "a key begins with -----BEGIN PRIVATE KEY----- or the "
                      "like, or is a DER or PKCS#12 file");
        goto out;
    }
    ERR_pop_to_mark(); /* what was tried before is not its error */
    ERR_set_mark();
    if (key != NULL && X509_check_private_key(leaf, key) != 1) {
        rc = mismatch(s, key_source, leaf, err);
        goto out;
    }
    *out = tsk_cert_new(leaf, certs, key, err);
    rc = *out != NULL ? TLSOCK_OK : TLSOCK_E_NOMEM;
out:
    X509_free(leaf);
    EVP_PKEY_free(key);
    sk_X509_pop_free(certs, X509_free);
    return rc;
}

tlsock_cert *tsk_cert_load(const char *uri, const char *key_uri,
                           const char *pass_uri, tlsock_error *err)
{
    struct tsk_source cert = {0}, key = {0};
    tlsock_cert *c = NULL;
    struct tsk_pass pass;
    int rc;

    tsk_ossl_enter();
    rc = tsk_pass_init(&pass, pass_uri, err);
    if (rc == TLSOCK_OK)
        rc = tsk_source_open(&cert, uri, err);
    if (rc == TLSOCK_OK && key_uri != NULL)
        rc = tsk_source_open(&key, key_uri, err);
    if (rc == TLSOCK_OK)
        rc = load(&cert, key_uri != NULL ? &key : &cert, &pass, &c, err);
    tsk_pass_wipe(&pass);
    tsk_source_free(&cert);
    tsk_source_free(&key);
    tsk_ossl_leave();
    return rc == TLSOCK_OK ? c : NULL;
}

tlsock_cert *tsk_cert_parse(const void *data, size_t len, const char *pass_uri,
                            tlsock_error *err)
{
    struct tsk_source s = {.name = "data in memory"};
    tlsock_cert *c = NULL;
    struct tsk_pass pass;
    int rc;

    if (len == 0 || len > TSK_CERT_FILE_MAX) {
        rc = tsk_fail(err, len == 0 ? TLSOCK_E_OWN_FILE : TLSOCK_E_LIMIT,
                      "the %s: %zu bytes are no certificate", s.name, len);
        tsk_hint(err, "give 1 to %zu bytes of PEM, DER or PKCS#12",
                 TSK_CERT_FILE_MAX);
        return NULL;
    }
    s.data = (unsigned char *)tsk_strndup(data, len);
    s.len = len;
    if (s.data == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    tsk_ossl_enter();
    rc = tsk_pass_init(&pass, pass_uri, err);
    if (rc == TLSOCK_OK)
        rc = load(&s, &s, &pass, &c, err);
    tsk_pass_wipe(&pass);
    tsk_source_free(&s);
    tsk_ossl_leave();
    return rc == TLSOCK_OK ? c : NULL;
}

STACK_OF(X509) *tsk_cert_load_all(const char *uri, tlsock_error *err)
{
    STACK_OF(X509) *certs;
    struct tsk_source s;
    struct tsk_pass pass;
    int rc;

    tsk_ossl_enter();
    (void)tsk_pass_init(&pass, NULL, NULL);
    certs = sk_X509_new_null();
    rc = tsk_source_open(&s, uri, err);
    if (rc == TLSOCK_OK && certs == NULL)
        rc = tsk_fail_nomem(err);
    if (rc == TLSOCK_OK)
        rc = read_certs(&s, &pass, certs, NULL, err);
    if (rc != TLSOCK_OK) {
        sk_X509_pop_free(certs, X509_free);
        certs = NULL;
    }
    tsk_source_free(&s);
    tsk_ossl_leave();
    return certs;
}
