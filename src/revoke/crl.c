#include "revoke/crl.h"

#include "cert/cert.h"
#include "cert/load.h"
#include "cert/pem.h"
#include "core/mem.h"
#include "ossl/queue.h"

#include <openssl/pem.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct tsk_crls {
    atomic_int refs;
    STACK_OF(X509_CRL) * list;
};

struct tsk_crls *tsk_crls_ref(struct tsk_crls *l)
{
    atomic_fetch_add(&l->refs, 1);
    return l;
}

void tsk_crls_unref(struct tsk_crls *l)
{
    if (l == NULL || atomic_fetch_sub(&l->refs, 1) != 1)
        return;
    sk_X509_CRL_pop_free(l->list, X509_CRL_free);
    tsk_free(l);
}

int tsk_crls_push(const struct tsk_crls *l, STACK_OF(X509_CRL) * to)
{
    for (int i = 0; i < sk_X509_CRL_num(l->list); i++) {
        if (sk_X509_CRL_push(to, sk_X509_CRL_value(l->list, i)) <= 0)
            return -1;
    }
    return 0;
}

/* The stack owns what is pushed. NULL was not to be decoded. */
static int take(struct tsk_crls *l, X509_CRL *crl, const char *name,
                tlsock_error *err)
{
    int n = sk_X509_CRL_num(l->list) + 1, rc;

    if (crl == NULL) {
        rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                           "CRL %d in \"%s\" is damaged", n, name);
        if (rc == TLSOCK_E_OWN_FILE)
            tsk_hint(err, "fetch the list from its issuer again");
        return rc;
    }
    if (sk_X509_CRL_push(l->list, crl) > 0)
        return TLSOCK_OK;
    X509_CRL_free(crl);
    return tsk_fail_nomem(err);
}

static int take_block(struct tsk_crls *l, const struct tsk_pem_block *b,
                      const char *name, tlsock_error *err)
{
    BIO *bio = BIO_new_mem_buf(b->text, (int)b->len);
    X509_CRL *crl;

    if (bio == NULL)
        return tsk_fail_nomem(err);
    crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return take(l, crl, name, err);
}

static int read_pem(struct tsk_crls *l, const struct tsk_source *s,
                    tlsock_error *err)
{
    struct tsk_pem_block b;
    struct tsk_pem r;
    int more, rc = TLSOCK_OK;

    tsk_pem_begin(&r, s->data, s->len);
    while (rc == TLSOCK_OK && (more = tsk_pem_next(&r, &b)) != 0) {
        if (strcmp(b.label, "X509 CRL") != 0)
            continue;
        rc = more > 0 ? take_block(l, &b, s->name, err)
                      : take(l, NULL, s->name, err);
    }
    return rc;
}

static int read_der(struct tsk_crls *l, const struct tsk_source *s,
                    tlsock_error *err)
{
    const unsigned char *p = s->data;
    int rc = tsk_der_whole(s, err);

    return rc == TLSOCK_OK
               ? take(l, d2i_X509_CRL(NULL, &p, (long)s->len), s->name, err)
               : rc;
}

static int no_list(const char *name, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_OWN_FILE, "\"%s\" holds no CRL", name);
    tsk_hint(err, "a CRL begins with -----BEGIN X509 CRL-----, or is DER");
    return TLSOCK_E_OWN_FILE;
}

static int fill(struct tsk_crls *l, const char *uri, tlsock_error *err)
{
    struct tsk_source s = {0};
    int rc = tsk_uri_read(uri, TSK_CRL_FILE_MAX, &s.data, &s.len, s.name, err);

    if (rc == TLSOCK_OK)
        rc = tsk_pem_is(s.data, s.len) ? read_pem(l, &s, err)
             : tsk_der_is(&s)          ? read_der(l, &s, err)
                                       : TLSOCK_OK;
    if (rc == TLSOCK_OK && sk_X509_CRL_num(l->list) == 0)
        rc = no_list(s.name, err);
    tsk_source_free(&s);
    return rc;
}

struct tsk_crls *tsk_crls_load(const char *uri, tlsock_error *err)
{
    struct tsk_crls *l = tsk_alloc(sizeof(*l));
    int rc;

    if (l == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    atomic_init(&l->refs, 1);
    tsk_ossl_enter();
    l->list = sk_X509_CRL_new_null();
    rc = l->list != NULL ? fill(l, uri, err) : tsk_fail_nomem(err);
    tsk_ossl_leave();
    if (rc == TLSOCK_OK)
        return l;
    tsk_crls_unref(l);
    return NULL;
}

struct tsk_crls *tsk_crls_parse(const void *data, size_t len, const char *name,
                                tlsock_error *err)
{
    struct tsk_crls *l = tsk_alloc(sizeof(*l));
    struct tsk_source s = {.data = (unsigned char *)data, .len = len};
    int rc;

    if (l == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    snprintf(s.name, sizeof(s.name), "%s", name);
    atomic_init(&l->refs, 1);
    tsk_ossl_enter();
    l->list = sk_X509_CRL_new_null();
    rc = l->list == NULL             ? tsk_fail_nomem(err)
         : tsk_pem_is(s.data, s.len) ? read_pem(l, &s, err)
                                     : read_der(l, &s, err);
    tsk_ossl_leave();
    if (rc == TLSOCK_OK && sk_X509_CRL_num(l->list) > 0)
        return l;
    tsk_crls_unref(l);
    return NULL;
}

int64_t tsk_crls_until(const struct tsk_crls *l)
{
    int64_t until = INT64_MAX;

    for (int i = 0; i < sk_X509_CRL_num(l->list); i++) {
        const ASN1_TIME *t =
            X509_CRL_get0_nextUpdate(sk_X509_CRL_value(l->list, i));
        int64_t at = t != NULL ? tsk_cert_time(t) : INT64_MIN;

        until = at < until ? at : until;
    }
    return until;
}

size_t tsk_crls_memory(const struct tsk_crls *l)
{
    size_t sum = sizeof(*l);

    for (int i = 0; i < sk_X509_CRL_num(l->list); i++) {
        int len = i2d_X509_CRL(sk_X509_CRL_value(l->list, i), NULL);

        sum += len > 0 ? 4 * (size_t)len : 0;
    }
    return sum;
}
