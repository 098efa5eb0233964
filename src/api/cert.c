/* The public tlsock_cert_* calls: argument checks and lifetimes. */
#include "api/certopts.h"
#include "cert/cert.h"
#include "cert/json.h"
#include "cert/load.h"
#include "cert/make.h"
#include "cert/save.h"
#include "cert/text.h"
#include "core/clock.h"
#include "ossl/queue.h"

#include <limits.h>
#include <string.h>
#include <tlsock/openssl.h>

tlsock_cert *tlsock_cert_load(const char *uri, const char *key_uri,
                              const char *pass_uri, tlsock_error *err)
{
    tsk_clear(err);
    if (uri == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "no certificate was named");
        tsk_hint(err, "valid forms are FILE, file:FILE and pem:TEXT");
        return NULL;
    }
    return tsk_cert_load(uri, key_uri, pass_uri, err);
}

tlsock_cert *tlsock_cert_parse(const void *data, size_t len,
                               const char *pass_uri, tlsock_error *err)
{
    tsk_clear(err);
    if (data == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "there are no data to parse");
        tsk_hint(err, "give PEM, DER or PKCS#12");
        return NULL;
    }
    return tsk_cert_parse(data, len, pass_uri, err);
}

tlsock_cert *tlsock_cert_from_x509(X509 *x, EVP_PKEY *key)
{
    return x != NULL ? tsk_cert_new(x, NULL, key, NULL) : NULL;
}

tlsock_cert *tlsock_cert_ref(tlsock_cert *c)
{
    if (c != NULL)
        atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void tlsock_cert_unref(tlsock_cert *c)
{
    if (c != NULL &&
        atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
        tsk_cert_free(c);
}

void tlsock_cert_opts_init(tlsock_cert_opts *o, size_t size)
{
    if (o == NULL || size < sizeof(o->size))
        return;
    memset(o, 0, size);
    o->size = size;
}

/* A caller of an older version has a shorter struct, one of a newer version a
 * longer one, whose new options must be unused. */
int tsk_cert_opts_take(tlsock_cert_opts *to, const tlsock_cert_opts *from,
                       tlsock_error *err)
{
    const unsigned char *more = (const unsigned char *)from;

    if (from == NULL || from->size < sizeof(from->size)) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "there are no options");
        tsk_hint(err, "use TLSOCK_CERT_OPTS() or tlsock_cert_opts_init()");
        return TLSOCK_E_ARGUMENT;
    }
    for (size_t i = sizeof(*to); i < from->size; i++)
        if (more[i] != 0)
            return tsk_fail(err, TLSOCK_E_UNSUPPORTED,
                            "an option is of a newer version of the library");
    memset(to, 0, sizeof(*to));
    memcpy(to, from, from->size < sizeof(*to) ? from->size : sizeof(*to));
    return TLSOCK_OK;
}

tlsock_cert *tlsock_cert_create(const tlsock_cert_opts *o, tlsock_error *err)
{
    tlsock_cert_opts opts;

    tsk_clear(err);
    if (tsk_cert_opts_take(&opts, o, err) != TLSOCK_OK)
        return NULL;
    return tsk_cert_create(&opts, err);
}

int tlsock_cert_save(const tlsock_cert *c, unsigned parts, unsigned format,
                     const char *path, const char *pass_uri, tlsock_error *err)
{
    tsk_clear(err);
    if (c == NULL || path == NULL || *path == '\0') {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "%s",
                 c == NULL ? "there is no certificate to save"
                           : "no file to save to was named");
        tsk_hint(err, "give a certificate and a path");
        return TLSOCK_E_ARGUMENT;
    }
    return tsk_cert_save(c, parts, format, path, pass_uri, err);
}

/* The texts are a cache: a certificate stays what it is. */
const char *tlsock_cert_field(const tlsock_cert *c, int item)
{
    return c != NULL ? tsk_cert_field((tlsock_cert *)(uintptr_t)c, item) : NULL;
}

int tlsock_cert_json(const tlsock_cert *c, char *out, size_t size)
{
    if (c == NULL || (out == NULL && size != 0))
        return TLSOCK_E_ARGUMENT;
    return tsk_cert_json(c, tsk_wall_time(), out, size);
}

int tlsock_cert_has_key(const tlsock_cert *c)
{
    return c != NULL && c->key != NULL;
}

int tlsock_cert_pem(const tlsock_cert *c, unsigned parts, char *out,
                    size_t size)
{
    const unsigned both = TLSOCK_PART_CERT | TLSOCK_PART_CHAIN;

    if (c == NULL || (out == NULL && size != 0) || parts == 0 ||
        (parts & ~both) != 0)
        return TLSOCK_E_ARGUMENT;
    return tsk_cert_pem(c, parts, out, size);
}

int tlsock_key_json(const char *key_uri, const char *pass_uri, char *out,
                    size_t size, tlsock_error *err)
{
    tsk_clear(err);
    if (key_uri == NULL || (out == NULL && size != 0)) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "%s",
                 key_uri == NULL ? "no private key was named"
                                 : "there is no room for the text");
        tsk_hint(err, "give FILE, file:FILE, pem:TEXT or pkcs11:URI, a buffer "
                      "and its size");
        return TLSOCK_E_ARGUMENT;
    }
    return tsk_key_json(key_uri, pass_uri, out, size, err);
}

int tlsock_data_kind(const void *data, size_t len)
{
    return data != NULL && len > 0 ? tsk_data_kind(data, len) : 0;
}

int tlsock_cert_chain_len(const tlsock_cert *c)
{
    return c != NULL ? sk_X509_num(c->chain) : 0;
}

/* The one after the leaf, and what comes behind it as its chain. */
tlsock_cert *tlsock_cert_chain_at(const tlsock_cert *c, int i)
{
    tlsock_cert *at;

    if (c == NULL || i < 0 || i >= sk_X509_num(c->chain))
        return NULL;
    at = tsk_cert_new(sk_X509_value(c->chain, i), NULL, NULL, NULL);
    for (int k = i + 1; at != NULL && k < sk_X509_num(c->chain); k++) {
        X509 *x = sk_X509_value(c->chain, k);

        if (sk_X509_push(at->chain, x) <= 0) {
            tsk_cert_free(at);
            return NULL;
        }
        X509_up_ref(x);
    }
    return at;
}

int tlsock_cert_fingerprint(const tlsock_cert *c, const char *algo,
                            int of_public_key, char *out, size_t size)
{
    if (c == NULL || algo == NULL || (out == NULL && size != 0))
        return TLSOCK_E_ARGUMENT;
    return tsk_cert_fingerprint(c->leaf, algo, of_public_key, out, size);
}
