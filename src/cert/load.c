#include "cert/load.h"

#include "cert/pem.h"
#include "cert/what.h"
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
    if (tsk_token_is(uri)) {
        s->token = uri;
        tsk_token_name(uri, s->name);
        return TLSOCK_OK;
    }
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

static int push(STACK_OF(X509) * certs, X509 *x, tlsock_error *err)
{
    if (sk_X509_push(certs, x) > 0)
        return TLSOCK_OK;
    X509_free(x);
    return tsk_fail_nomem(err);
}

int tsk_pem_truncated(const struct tsk_source *s, const struct tsk_pem_block *b,
                      tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_OWN_FILE,
             "\"%s\" is truncated: \"BEGIN %s\" in line %zu has no END line",
             s->name, b->label, b->line);
    tsk_hint(err, "copy the file again, all of it; the END line has the same "
                  "words as the BEGIN line");
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

static int pem_block(const struct tsk_source *s, const struct tsk_pem_block *b,
                     STACK_OF(X509) * certs, tlsock_error *err)
{
    char what[40];
    X509 *x;

    if (tsk_pem_is_bundle(b))
        return tsk_p7_read_pem(s, b, certs, err);
    if (!tsk_pem_is_cert(b))
        return TLSOCK_OK;
    x = pem_cert(b);
    if (x != NULL)
        return push(certs, x, err);
    snprintf(what, sizeof(what), "certificate %d", sk_X509_num(certs) + 1);
    return tsk_pem_damage(s, b, what, err);
}

static int pem_certs(const struct tsk_source *s, STACK_OF(X509) * certs,
                     tlsock_error *err)
{
    struct tsk_pem_block b;
    struct tsk_pem r;
    int rc = TLSOCK_OK;

    tsk_pem_begin(&r, s->data, s->len);
    while (rc == TLSOCK_OK) {
        int got = tsk_pem_next(&r, &b);

        if (got < 0)
            return tsk_pem_truncated(s, &b, err);
        if (got == 0)
            return TLSOCK_OK;
        rc = pem_block(s, &b, certs, err);
    }
    return rc;
}

static int der_cert(const struct tsk_source *s, STACK_OF(X509) * certs,
                    tlsock_error *err)
{
    const unsigned char *p = s->data;
    int rc = tsk_der_whole(s, err);
    X509 *x;

    if (rc != TLSOCK_OK)
        return rc;
    x = d2i_X509(NULL, &p, (long)s->len);
    if (x != NULL)
        return push(certs, x, err);
    if (tsk_what_is(s) != NULL)
        return tsk_no_cert(s, err);
    rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                       "the certificate in \"%s\" is damaged", s->name);
    if (rc == TLSOCK_E_OWN_FILE)
        tsk_hint(err, "copy the file again from where it came, in binary mode");
    return rc;
}

static int der_certs(const struct tsk_source *s, struct tsk_pass *pass,
                     STACK_OF(X509) * certs, EVP_PKEY **key, tlsock_error *err)
{
    if (tsk_p12_is(s))
        return tsk_p12_read(s, pass, certs, key, err);
    if (tsk_p7_is(s))
        return tsk_p7_read(s->data, s->len, s->name, certs, err);
    return der_cert(s, certs, err);
}

/* All certificates into certs; key (may be NULL) only if it is PKCS#12. */
static int read_certs(const struct tsk_source *s, struct tsk_pass *pass,
                      STACK_OF(X509) * certs, EVP_PKEY **key, tlsock_error *err)
{
    int rc;

    if (s->token != NULL)
        return tsk_token_certs(s, pass, certs, err);
    if (tsk_der_is(s))
        rc = der_certs(s, pass, certs, key, err);
    else if (tsk_pem_is(s->data, s->len))
        rc = pem_certs(s, certs, err);
    else
        return tsk_no_cert(s, err);
    if (rc == TLSOCK_OK && sk_X509_num(certs) == 0)
        rc = tsk_no_cert(s, err);
    return rc;
}

static int unusable(const struct tsk_source *cert, tlsock_error *err)
{
    int rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                           "the public key of certificate \"%s\" is not "
                           "usable",
                           cert->name);

    if (rc == TLSOCK_E_OWN_FILE)
        tsk_hint(err, "it is damaged, or of a kind this OpenSSL lacks");
    return rc;
}

/* The key may belong to another certificate that is there: which one? */
static int name_owner(const struct tsk_source *cert,
                      const struct tsk_source *key, STACK_OF(X509) * chain,
                      EVP_PKEY *k, const char *first, tlsock_error *err)
{
    char who[96];

    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (EVP_PKEY_eq(X509_get0_pubkey(sk_X509_value(chain, i)), k) != 1)
            continue;
        tsk_cert_short_name(sk_X509_value(chain, i), who, sizeof(who));
        tsk_fail(err, TLSOCK_E_KEY_MISMATCH,
                 "key \"%s\" belongs to certificate %d in \"%s\", \"%s\", not "
                 "to the first, \"%s\"",
                 key->name, i + 2, cert->name, who, first);
        tsk_hint(err, "the certificate of the key stands first, then its "
                      "issuer's: tlsock cert fix puts them in order");
        tsk_facts(err, who, NULL, first);
        return 1;
    }
    return 0;
}

/* The comparison failed: keys that differ, or ones that cannot be compared? */
static int mismatch(const struct tsk_source *cert, const struct tsk_source *key,
                    X509 *leaf, STACK_OF(X509) * chain, EVP_PKEY *k,
                    tlsock_error *err)
{
    int why = ERR_GET_REASON(ERR_peek_last_error());
    char who[96];

    if ((why != X509_R_KEY_VALUES_MISMATCH &&
         why != X509_R_KEY_TYPE_MISMATCH) ||
        tsk_ossl_starved())
        return unusable(cert, err);
    tsk_cert_short_name(leaf, who, sizeof(who));
    if (name_owner(cert, key, chain, k, who, err))
        return TLSOCK_E_KEY_MISMATCH;
    if (key == cert)
        tsk_fail(err, TLSOCK_E_KEY_MISMATCH,
                 "the private key in \"%s\" does not belong to the first "
                 "certificate there, \"%s\"",
                 cert->name, who);
    else
        tsk_fail(err, TLSOCK_E_KEY_MISMATCH,
                 "key \"%s\" does not belong to certificate \"%s\" (\"%s\")",
                 key->name, cert->name, who);
    tsk_hint(err, "find the right one with tlsock cert match CERT *.key, or "
                  "have the certificate issued anew for this key");
    tsk_facts(err, NULL, NULL, who);
    return TLSOCK_E_KEY_MISMATCH;
}

/* Whose key, NULL if it is not wanted: the same source as the certificates',
 * unless another one was named. */
static int find_key(const struct tsk_source *s,
                    const struct tsk_source *key_source, struct tsk_pass *pass,
                    X509 *leaf, EVP_PKEY **key, tlsock_error *err)
{
    int rc;

    if (key_source == NULL || *key != NULL ||
        (key_source == s && s->token == NULL && tsk_der_is(s)))
        return TLSOCK_OK; /* PKCS#12 has given it; DER holds one thing */
    rc = tsk_key_read(key_source, pass, leaf, key, err);
    if (rc == TLSOCK_OK && *key == NULL && key_source != s)
        rc = tsk_no_key(key_source, err);
    return rc;
}

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
    rc = find_key(s, key_source, pass, leaf, &key, err);
    if (rc != TLSOCK_OK)
        goto out;
    ERR_pop_to_mark(); /* what was tried before is not its error */
    ERR_set_mark();
    if (key != NULL && X509_check_private_key(leaf, key) != 1) {
        rc = mismatch(s, key_source, leaf, certs, key, err);
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

/* "" is for "without its key" */
static const struct tsk_source *key_place(const struct tsk_source *cert,
                                          const struct tsk_source *key,
                                          const char *key_uri)
{
    if (key_uri == NULL)
        return cert;
    return *key_uri != '\0' ? key : NULL;
}

/* A wrong PIN counts at the token, which locks itself after a few: these are
 * not tried again. */
static int load_asking(const struct tsk_source *cert,
                       const struct tsk_source *key_source,
                       struct tsk_pass *pass, tlsock_cert **out,
                       tlsock_error *err)
{
    int on_token = cert->token != NULL ||
                   (key_source != NULL && key_source->token != NULL);
    int rc;

    do
        rc = load(cert, key_source, pass, out, err);
    while (rc == TLSOCK_E_PASSWORD && !on_token && tsk_pass_again(pass, err));
    return rc;
}

tlsock_cert *tsk_cert_load_asking(const char *uri, const char *key_uri,
                                  const char *pass_uri,
                                  const struct tsk_asker *asker,
                                  tlsock_error *err)
{
    struct tsk_source cert = {0}, key = {0};
    tlsock_error why = {0};
    tlsock_cert *c = NULL;
    struct tsk_pass pass;
    int rc;

    if (err == NULL)
        err = &why;
    tsk_ossl_enter();
    rc = tsk_pass_init(&pass, pass_uri, err);
    pass.asker = asker;
    if (rc == TLSOCK_OK)
        rc = tsk_source_open(&cert, uri, err);
    if (rc == TLSOCK_OK && key_uri != NULL && *key_uri != '\0')
        rc = tsk_source_open(&key, key_uri, err);
    if (rc == TLSOCK_OK)
        rc =
            load_asking(&cert, key_place(&cert, &key, key_uri), &pass, &c, err);
    tsk_pass_wipe(&pass);
    tsk_source_free(&cert);
    tsk_source_free(&key);
    tsk_ossl_leave();
    return rc == TLSOCK_OK ? c : NULL;
}

tlsock_cert *tsk_cert_load(const char *uri, const char *key_uri,
                           const char *pass_uri, tlsock_error *err)
{
    return tsk_cert_load_asking(uri, key_uri, pass_uri, NULL, err);
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

STACK_OF(X509) * tsk_cert_load_all(const char *uri, tlsock_error *err)
{
    STACK_OF(X509) * certs;
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
