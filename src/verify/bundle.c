/* bundle - reads files of certificates into an index. */
#include "cert/cert.h"
#include "core/mem.h"
#include "ossl/queue.h"
#include "verify/index_private.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#define MAX_BUNDLE (64u << 20)
#define EAGER 16 /* so many are decoded at once, so that faults show early */

static struct tsk_index_blob *new_blob(struct tsk_index *ix, size_t size)
{
    struct tsk_index_blob *b = tsk_alloc(sizeof(*b) + size);

    if (b == NULL)
        return NULL;
    b->next = ix->blobs;
    ix->blobs = b;
    return b;
}

/* The next block of PEM that is a certificate, its base64 in *body. 1, 0 no
 * more, -1 one that does not end. */
static int next_pem(const char **text, const char **body, size_t *len,
                    int *with_trust)
{
    static const char begin[] = "-----BEGIN ";
    const char *p;

    while ((p = strstr(*text, begin)) != NULL) {
        const char *label = p + sizeof(begin) - 1, *end;
        int wanted;

        *with_trust = strncmp(label, "TRUSTED CERTIFICATE-----", 24) == 0;
        wanted = *with_trust || strncmp(label, "CERTIFICATE-----", 16) == 0 ||
                 strncmp(label, "X509 CERTIFICATE-----", 21) == 0;
        *text = label;
        if (!wanted)
            continue;
        *body = strstr(label, "-----") + 5;
        end = strstr(*body, "-----END ");
        p = strstr(*body, begin);
        if (end == NULL || (p != NULL && p < end))
            return -1;
        *len = (size_t)(end - *body);
        *text = end + 9;
        return 1;
    }
    return 0;
}

/* 0..63, BLANK, PAD or NONE */
#define BLANK 64
#define PAD 65
#define NONE 66

static unsigned value_of(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26u;
    if (c >= '0' && c <= '9')
        return c - '0' + 52u;
    return c == '+'                             ? 62
           : c == '/'                           ? 63
           : c == '='                           ? PAD
           : c == '\n' || c == '\r' || c == ' ' ? BLANK
                                                : NONE;
}

static void make_values(unsigned char values[256])
{
    for (unsigned i = 0; i < 256; i++)
        values[i] = (unsigned char)value_of((unsigned char)i);
}

/* Four characters without anything between them. */
static inline int four(const unsigned char values[256], const unsigned char *p,
                       unsigned char *out)
{
    unsigned a = values[p[0]], b = values[p[1]], c = values[p[2]],
             d = values[p[3]], bits = a << 18 | b << 12 | c << 6 | d;

    if ((a | b | c | d) >= BLANK)
        return 0;
    out[0] = (unsigned char)(bits >> 16);
    out[1] = (unsigned char)(bits >> 8);
    out[2] = (unsigned char)bits;
    return 1;
}

/* What almost all files are like, at a tenth of what OpenSSL's decoder costs.
 * Length; -1: something else is there, ask that one. */
static long quick_base64(const unsigned char values[256], unsigned char *out,
                         const char *body, size_t len)
{
    const unsigned char *p = (const unsigned char *)body, *end = p + len;
    unsigned char *start = out;
    unsigned bits = 0, n = 0, pads = 0;

    for (; p < end; p++) {
        unsigned v;

        while (n == 0 && end - p >= 4 && four(values, p, out)) {
            p += 4;
            out += 3;
        }
        if (p == end)
            break;
        v = values[*p];
        if (v == BLANK)
            continue;
        if (v == PAD && n >= 2 && pads < 2)
            v = 0, pads++;
        else if (v >= BLANK || pads != 0)
            return -1;
        bits = bits << 6 | v;
        if (++n < 4)
            continue;
        *out++ = (unsigned char)(bits >> 16);
        *out++ = (unsigned char)(bits >> 8);
        *out++ = (unsigned char)bits;
        n = 0;
        if (pads != 0)
            break;
    }
    p += p < end; /* the last pad */
    while (p < end)
        if (values[*p++] != BLANK)
            return -1;
    return n == 0 ? out - start - (long)pads : -1;
}

/* length, or -1 */
static long base64(EVP_ENCODE_CTX *ctx, unsigned char *out, const char *body,
                   size_t len)
{
    int n = 0, rest = 0;

    if (len > INT_MAX)
        return -1;
    EVP_DecodeInit(ctx);
    if (EVP_DecodeUpdate(ctx, out, &n, (const unsigned char *)body, (int)len) <
            0 ||
        EVP_DecodeFinal(ctx, out + n, &rest) < 0)
        return -1;
    return n + rest;
}

static int damaged(const char *name, int number, tlsock_error *err)
{
    int rc = tsk_fail_ossl(
        err, TLSOCK_E_TRUST_STORE,
        "certificate %d in trust file %s is damaged or cut off", number, name);

    tsk_hint(err, "fetch the file again, or export the CA certificate once "
                  "more as PEM");
    return rc;
}

/* How many, or code. */
int tsk_bundle_add_pem(struct tsk_index *ix, const char *text, size_t size,
                       const char *name, int strict, int from_dir,
                       tlsock_error *err)
{
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    unsigned char values[256];
    struct tsk_index_blob *blob = new_blob(ix, size / 4 * 3 + 64);
    unsigned char *out = blob == NULL ? NULL : blob->bytes;
    const char *body = NULL;
    size_t len = 0;
    int rc = TLSOCK_OK, n = 0, found, trust = 0;

    if (ctx == NULL || blob == NULL) {
        rc = tsk_fail_nomem(err);
        goto out;
    }
    make_values(values);
    while ((found = next_pem(&text, &body, &len, &trust)) != 0) {
        struct tsk_index_entry e = {
            .der = out, .with_trust = trust, .from_dir = from_dir};
        int ok = 0;

        e.len = found < 0 ? -1 : quick_base64(values, out, body, len);
        if (e.len < 0 && found > 0)
            e.len = base64(ctx, out, body, len);
        if (e.len > 0)
            ok = tsk_index_add_der(ix, &e);
        if (ok < 0) {
            rc = tsk_fail_nomem(err);
            goto out;
        }
        if (ok)
            out += e.len, n++;
        else if (strict) {
            rc = damaged(name, n + 1, err);
            goto out;
        }
    }
    rc = n;
out:
    EVP_ENCODE_CTX_free(ctx);
    return rc;
}

/* What is no PEM: DER or another container, which the certificate loader
 * tells apart. */
static int add_other(struct tsk_index *ix, const char *uri, const char *name,
                     const char *text, tlsock_error *err)
{
    tlsock_error why = {0};
    STACK_OF(X509) *all = tsk_cert_load_all(uri, &why);
    int n = 0, rc = TLSOCK_OK;

    if (all == NULL && why.code == TLSOCK_E_NOMEM)
        return tsk_fail_nomem(err);
    for (; n < sk_X509_num(all) && rc == TLSOCK_OK; n++) {
        struct tsk_index_entry e = {.crt = sk_X509_value(all, n)};
        unsigned char *der = NULL;
        struct tsk_index_blob *blob;
        int len = i2d_X509(e.crt, &der);

        blob = len <= 0 ? NULL : new_blob(ix, (size_t)len);
        if (blob != NULL) {
            memcpy(blob->bytes, der, (size_t)len);
            e.der = blob->bytes;
            e.len = len;
            X509_up_ref(e.crt);
            rc = tsk_index_add_der(ix, &e) == 1 ? TLSOCK_OK : TLSOCK_E_NOMEM;
            if (rc < 0)
                X509_free(e.crt);
        } else {
            rc = TLSOCK_E_NOMEM;
        }
        OPENSSL_free(der);
    }
    sk_X509_pop_free(all, X509_free);
    if (rc < 0)
        return tsk_fail_nomem(err);
    if (n > 0)
        return n;
    tsk_fail(
        err, TLSOCK_E_TRUST_STORE, "trust file %s holds no certificate%s", name,
        strstr(text, "PRIVATE KEY-----") != NULL ? ", but a private key" : "");
    tsk_hint(err, "it should hold CA certificates as PEM (-----BEGIN "
                  "CERTIFICATE-----) or one as DER");
    return TLSOCK_E_TRUST_STORE;
}

/* Small files are looked through to the end now, not when a peer is there. */
static int prove(struct tsk_index *ix, size_t from, const char *name,
                 tlsock_error *err)
{
    if (ix->n - from > EAGER)
        return TLSOCK_OK;
    for (size_t i = from; i < ix->n; i++) {
        if (!tsk_index_decode(&ix->entries[i]))
            return damaged(name, (int)(i - from) + 1, err);
    }
    return TLSOCK_OK;
}

static int unreadable(tlsock_error *err, const tlsock_error *why)
{
    if (why->code == TLSOCK_E_NOMEM)
        return tsk_fail_nomem(err);
    tsk_fail(err, TLSOCK_E_TRUST_STORE, "trust file: %.280s", why->message);
    if (err != NULL)
        err->sys_errno = why->sys_errno;
    tsk_hint(err, "%s",
             why->hint[0] != '\0' ? why->hint
                                  : "name a readable file or directory of CA "
                                    "certificates, \"system\", or \"none\"");
    return TLSOCK_E_TRUST_STORE;
}

int tsk_index_add(struct tsk_index *ix, const char *uri, int strict,
                  tlsock_error *err)
{
    unsigned char *data = NULL;
    tlsock_error why = {0};
    char name[256];
    size_t len = 0, before = ix->n;
    int n;

    if (tsk_uri_read(uri, MAX_BUNDLE, &data, &len, name, &why) < 0)
        return unreadable(err, &why);
    tsk_ossl_enter();
    n = len == 0 ? 0
                 : tsk_bundle_add_pem(ix, (const char *)data, len, name, strict,
                                      0, err);
    if (len == 0) {
        n = tsk_fail(err, TLSOCK_E_TRUST_STORE, "trust file %s is empty", name);
        tsk_hint(err, "put CA certificates into it as PEM, or name another");
    } else if (n == 0) {
        n = add_other(ix, uri, name, (const char *)data, err);
    }
    if (n > 0 && strict) {
        int rc = prove(ix, before, name, err);

        n = rc < 0 ? rc : n;
    }
    tsk_ossl_leave();
    tsk_free_secret(data, len);
    return n;
}
