#include "revoke/crl.h"

#include "cert/load.h"
#include "cert/pem.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"
#include "revoke/crl_private.h"

#include <openssl/pem.h>
#include <string.h>

struct tsk_crls *tsk_crls_ref(struct tsk_crls *l)
{
    atomic_fetch_add(&l->refs, 1);
    return l;
}

void tsk_crls_unref(struct tsk_crls *l)
{
    if (l == NULL || atomic_fetch_sub(&l->refs, 1) != 1)
        return;
    for (size_t i = 0; i < l->n; i++)
        tsk_crl_free(l->list[i]);
    tsk_free(l->list);
    tsk_free(l);
}

int64_t tsk_crls_until(const struct tsk_crls *l)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < l->n; i++)
        if (l->list[i]->until < first)
            first = l->list[i]->until;
    return first;
}

size_t tsk_crls_memory(const struct tsk_crls *l)
{
    size_t sum = sizeof(*l) + l->room * sizeof(struct tsk_crl *);

    for (size_t i = 0; i < l->n; i++)
        sum += tsk_crl_size(l->list[i]);
    return sum;
}

int tsk_crls_digest(const struct tsk_crls *l, uint8_t out[32])
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL);

    for (size_t i = 0; ok && i < l->n; i++) {
        const ASN1_BIT_STRING *sig = l->list[i]->signature;

        ok = EVP_DigestUpdate(md, &l->list[i]->len, sizeof(l->list[i]->len)) &&
             EVP_DigestUpdate(md, ASN1_STRING_get0_data(sig),
                              (size_t)ASN1_STRING_length(sig));
    }
    ok = ok && EVP_DigestFinal_ex(md, out, NULL);
    EVP_MD_CTX_free(md);
    return ok;
}

size_t tsk_crls_count(const struct tsk_crls *l)
{
    return l->n;
}

static int make_room(struct tsk_crls *l)
{
    size_t room = l->room != 0 ? 2 * l->room : 1;
    struct tsk_crl **more;

    if (l->n < l->room)
        return TLSOCK_OK;
    more = tsk_realloc(l->list, room * sizeof(*more));
    if (more == NULL)
        return TLSOCK_E_NOMEM;
    l->list = more;
    l->room = room;
    return TLSOCK_OK;
}

static int cannot(const struct tsk_crls *l, int rc, const char *name,
                  tlsock_error *err)
{
    size_t n = l->n + 1;

    if (rc == TLSOCK_E_NOMEM)
        return tsk_fail_nomem(err);
    if (rc == TLSOCK_E_LIMIT) {
        tsk_fail(err, rc, "CRL %zu in \"%s\" has more than %zu entries", n,
                 name, TSK_CRL_ROWS_MAX);
        tsk_hint(err, "ask its issuer for lists that are partitioned");
        return rc;
    }
    rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE, "CRL %zu in \"%s\" is damaged",
                       n, name);
    if (rc == TLSOCK_E_OWN_FILE)
        tsk_hint(err, "fetch the list from its issuer again");
    return rc;
}

/* Takes der, OpenSSL's memory; NULL was not to be decoded. */
static int take(struct tsk_crls *l, uint8_t *der, size_t len, const char *name,
                tlsock_error *err)
{
    struct tsk_crl *one = NULL;
    int rc = make_room(l);

    if (rc == TLSOCK_OK && der != NULL)
        rc = tsk_crl_read(der, len, &one);
    else if (der != NULL)
        OPENSSL_free(der);
    if (one != NULL)
        l->list[l->n++] = one;
    return one != NULL ? TLSOCK_OK : cannot(l, rc, name, err);
}

static int take_block(struct tsk_crls *l, const struct tsk_pem_block *b,
                      const char *name, tlsock_error *err)
{
    BIO *bio = BIO_new_mem_buf(b->text, (int)b->len);
    char *label = NULL, *header = NULL;
    unsigned char *der = NULL;
    long len = 0;

    if (bio == NULL)
        return tsk_fail_nomem(err);
    if (!PEM_read_bio(bio, &label, &header, &der, &len))
        der = NULL;
    BIO_free(bio);
    OPENSSL_free(label);
    OPENSSL_free(header);
    return take(l, der, (size_t)len, name, err);
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
                      : take(l, NULL, 0, s->name, err);
    }
    return rc;
}

static int read_der(struct tsk_crls *l, const struct tsk_source *s,
                    tlsock_error *err)
{
    int rc = tsk_der_whole(s, err);
    uint8_t *der;

    if (rc != TLSOCK_OK)
        return rc;
    der = OPENSSL_memdup(s->data, s->len);
    return der != NULL ? take(l, der, s->len, s->name, err)
                       : tsk_fail_nomem(err);
}

static int read_source(struct tsk_crls *l, const struct tsk_source *s,
                       tlsock_error *err)
{
    return tsk_pem_is(s->data, s->len) ? read_pem(l, s, err)
           : tsk_der_is(s)             ? read_der(l, s, err)
                                       : TLSOCK_OK;
}

static int no_list(const char *name, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_OWN_FILE, "\"%s\" holds no CRL", name);
    tsk_hint(err, "a CRL begins with -----BEGIN X509 CRL-----, or is DER");
    return TLSOCK_E_OWN_FILE;
}

int tsk_crls_file(struct tsk_crls *l, const char *uri, size_t max, size_t *len,
                  tlsock_error *err)
{
    struct tsk_source s = {0};
    int rc = tsk_uri_read(uri, max, &s.data, &s.len, s.name, err);

    *len = s.len;
    if (rc == TLSOCK_OK)
        rc = read_source(l, &s, err);
    /* of another kind, which is none of our business */
    if (rc == TLSOCK_E_OWN_FILE && s.len > 0 && !tsk_pem_is(s.data, s.len) &&
        (tsk_data_kind(s.data, s.len) & ~TLSOCK_KIND_CRL) != 0) {
        tsk_clear(err);
        rc = TLSOCK_OK;
    }
    tsk_source_free(&s);
    return rc;
}

static int load(struct tsk_crls *l, const char *uri, tlsock_error *err)
{
    const char *path = uri;
    size_t len;
    int rc;

    if (tsk_crl_is_dir(uri, &path))
        return tsk_crl_dir(l, path, err);
    rc = tsk_crls_file(l, uri, TSK_CRL_FILE_MAX, &len, err);
    return rc == TLSOCK_OK && l->n == 0 ? no_list(path, err) : rc;
}

static struct tsk_crls *new_lists(tlsock_error *err)
{
    struct tsk_crls *l = tsk_alloc(sizeof(*l));

    if (l != NULL)
        atomic_init(&l->refs, 1);
    else
        tsk_fail_nomem(err);
    return l;
}

static struct tsk_crls *finish(struct tsk_crls *l, int rc)
{
    if (rc == TLSOCK_OK)
        return l;
    tsk_crls_unref(l);
    return NULL;
}

struct tsk_crls *tsk_crls_load(const char *uri, tlsock_error *err)
{
    struct tsk_crls *l = new_lists(err);
    int rc;

    if (l == NULL)
        return NULL;
    tsk_ossl_enter();
    rc = load(l, uri, err);
    tsk_ossl_leave();
    return finish(l, rc);
}

static int parse(struct tsk_crls *l, const void *data, size_t len,
                 const char *name, tlsock_error *err)
{
    struct tsk_source s = {.data = (unsigned char *)data, .len = len};
    int rc;

    tsk_printable(s.name, sizeof(s.name), name, strlen(name));
    if (len > TSK_CRL_FILE_MAX) {
        rc = tsk_fail(err, TLSOCK_E_LIMIT, "\"%s\" is larger than %zu bytes",
                      s.name, TSK_CRL_FILE_MAX);
        tsk_hint(err, "is it the right one?");
        return rc;
    }
    rc = read_source(l, &s, err);
    return rc == TLSOCK_OK && l->n == 0 ? no_list(s.name, err) : rc;
}

struct tsk_crls *tsk_crls_parse(const void *data, size_t len, const char *name,
                                tlsock_error *err)
{
    struct tsk_crls *l = new_lists(err);
    int rc;

    if (l == NULL)
        return NULL;
    tsk_ossl_enter();
    rc = parse(l, data, len, name, err);
    tsk_ossl_leave();
    return finish(l, rc);
}
