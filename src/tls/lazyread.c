#include "tls/lazyread.h"

#include "cert/load.h"
#include "cert/pem.h"
#include "core/mem.h"

#include <openssl/pem.h>
#include <string.h>

/* The bytes of a block; 0: it is encrypted, or no base64, or no memory. *der is
 * OpenSSL's memory. */
static int unarmour(const struct tsk_pem_block *b, unsigned char **der,
                    size_t *len)
{
    BIO *bio = BIO_new_mem_buf(b->text, (int)b->len);
    char *label = NULL, *header = NULL;
    long n = 0;
    int ok;

    *der = NULL;
    ok = bio != NULL && PEM_read_bio(bio, &label, &header, der, &n) &&
         *header == '\0';
    OPENSSL_free(label);
    OPENSSL_free(header);
    BIO_free(bio);
    if (!ok) {
        OPENSSL_clear_free(*der, (size_t)n);
        *der = NULL;
        return 0;
    }
    *len = (size_t)n;
    return 1;
}

static int in_date(const struct tsk_walk *w, int64_t now)
{
    int64_t from, to;

    return tsk_lazy_time(&w->from, w->from_tag, &from) &&
           tsk_lazy_time(&w->to, w->to_tag, &to) && from <= now && now <= to;
}

/* The n-th certificate; before: the issuer that the one before it names. */
static int take_cert(struct tsk_lazy_read *r, const struct tsk_pem_block *b,
                     size_t n, unsigned char **before, size_t *before_len)
{
    unsigned char *der, *copy;
    struct tsk_walk w;
    size_t len;
    int ok;

    if (strcmp(b->label, "CERTIFICATE") != 0 || !unarmour(b, &der, &len))
        return 0;
    ok = tsk_walk_cert(der, len, &w) && in_date(&w, r->now) &&
         (n == 0 || (tsk_tlv_len(&w.subject) == *before_len &&
                     memcmp(w.subject.p, *before, *before_len) == 0)) &&
         tsk_buf_add(&r->certs, der, len) == TLSOCK_OK;
    if (ok && n == 0)
        r->leaf_len = len;
    *before_len = ok ? tsk_tlv_len(&w.issuer) : 0;
    copy = ok ? tsk_realloc(*before, *before_len + 1) : NULL;
    if (copy != NULL) {
        memcpy(copy, w.issuer.p, *before_len);
        *before = copy;
    }
    OPENSSL_free(der);
    return copy != NULL;
}

static int take_certs(struct tsk_lazy_read *r, const struct tsk_source *s)
{
    unsigned char *before = NULL;
    struct tsk_pem_block b;
    struct tsk_pem p;
    size_t n = 0, before_len = 0;
    int ok = 1, got = 0;

    tsk_pem_begin(&p, s->data, s->len);
    while (ok && (got = tsk_pem_next(&p, &b)) == 1) {
        if (tsk_pem_is_cert(&b) || tsk_pem_is_bundle(&b))
            ok = take_cert(r, &b, n++, &before, &before_len);
    }
    tsk_free(before);
    return ok && got == 0 && n != 0 &&
           tsk_walk_cert(tsk_buf_at(&r->certs), r->leaf_len, &r->walk) &&
           (n > 1 || !r->walk.is_public ||
            tsk_tlv_same(&r->walk.issuer, &r->walk.subject));
}

static int take_key(struct tsk_lazy_read *r, const struct tsk_source *s)
{
    struct tsk_pem_block b;
    struct tsk_pem p;
    unsigned char *der;
    size_t len;

    tsk_pem_begin(&p, s->data, s->len);
    while (tsk_pem_next(&p, &b) == 1) {
        if (!tsk_pem_is_key(&b))
            continue;
        if (!unarmour(&b, &der, &len))
            return 0;
        if (tsk_lazy_key_fits(der, len, &r->walk)) {
            r->key = der;
            r->key_len = len;
            return 1;
        }
        OPENSSL_clear_free(der, len);
    }
    return 0;
}

static const struct kind_row {
    struct tsk_key_kind kind;
    size_t len;
    uint8_t algorithm[24]; /* AlgorithmIdentifier's content begins so */
} kinds[] = {
    {{EVP_PKEY_EC, 256}, 19, {6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1,
                              6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}},
    {{EVP_PKEY_EC, 384}, 16, {6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1,
                              6, 5, 0x2b, 0x81, 4, 0, 0x22}},
    {{EVP_PKEY_EC, 521}, 16, {6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1,
                              6, 5, 0x2b, 0x81, 4, 0, 0x23}},
    {{EVP_PKEY_RSA, 0}, 13, {6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1,
                             5, 0}},
};

static int know_kind(struct tsk_lazy_read *r)
{
    const struct tsk_tlv *a = &r->walk.algorithm;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (tsk_tlv_len(a) != kinds[i].len ||
            memcmp(a->p, kinds[i].algorithm, kinds[i].len) != 0)
            continue;
        r->kind = kinds[i].kind;
        return 1;
    }
    return 0;
}

/* At least one that a client may ask for. */
static int has_dns_name(const struct tsk_walk *w)
{
    struct tsk_tlv sans = w->sans, name;

    return tsk_walk_dns(&sans, &name);
}

static int is_pem_file(const struct tsk_source *s)
{
    return s->token == NULL && !tsk_der_is(s) && tsk_pem_is(s->data, s->len);
}

int tsk_lazy_read(const char *cert_uri, const char *key_uri,
                  struct tsk_lazy_read *r)
{
    struct tsk_source cert, key = {0};
    tlsock_error why = {0};
    int ok;

    if (key_uri != NULL && *key_uri == '\0')
        return 0; /* elsewhere: for the SIGN hook */
    ok = tsk_source_open(&cert, cert_uri, &why) == TLSOCK_OK &&
         is_pem_file(&cert) && take_certs(r, &cert) && has_dns_name(&r->walk) &&
         know_kind(r);
    if (ok && key_uri == NULL)
        ok = take_key(r, &cert);
    else if (ok)
        ok = tsk_source_open(&key, key_uri, &why) == TLSOCK_OK &&
             is_pem_file(&key) && take_key(r, &key);
    memcpy(r->name, cert.name, sizeof(r->name));
    tsk_source_free(&cert);
    tsk_source_free(&key);
    return ok;
}

void tsk_lazy_read_free(struct tsk_lazy_read *r)
{
    tsk_buf_free(&r->certs);
    OPENSSL_clear_free(r->key, r->key_len);
    r->key = NULL;
}
