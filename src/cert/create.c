#include "cert/make.h"

#include "core/str.h"
#include "ossl/ext.h"
#include "ossl/keykind.h"
#include "ossl/queue.h"

#include <openssl/bn.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

#define SERIAL_MAX 20 /* octets: RFC 5280, 4.1.2.2 */

static int bad_serial(const char *hex, tlsock_error *err)
{
    char shown[64];

    tsk_printable(shown, sizeof(shown), hex, strlen(hex));
    tsk_fail(err, TLSOCK_E_ARGUMENT, "serial \"%s\" is not possible", shown);
    tsk_hint(err, "write 1 to %d hex digits, not all 0, of less than 2^159",
             2 * SERIAL_MAX);
    return TLSOCK_E_ARGUMENT;
}

/* RFC 5280, 4.1.2.2: positive, at most 20 octets with its sign bit. */
int tsk_make_serial(X509 *x, const char *hex, tlsock_error *err)
{
    unsigned char random[16];
    BIGNUM *bn = NULL;
    int ok;

    if (hex != NULL) {
        size_t n = strlen(hex);

        if (n == 0 || n > 2 * SERIAL_MAX ||
            strspn(hex, "0123456789abcdefABCDEF") != n)
            return bad_serial(hex, err);
        ok = BN_hex2bn(&bn, hex) != 0;
        if (ok && (BN_is_zero(bn) || BN_num_bits(bn) > 8 * SERIAL_MAX - 1)) {
            BN_free(bn);
            return bad_serial(hex, err);
        }
    } else {
        ok = RAND_bytes(random, sizeof(random)) == 1;
        random[0] = (unsigned char)((random[0] & 0x7f) | 0x40);
        bn = ok ? BN_bin2bn(random, sizeof(random), NULL) : NULL;
    }
    ok = ok && bn != NULL &&
         BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) != NULL;
    BN_free(bn);
    return ok ? TLSOCK_OK
              : tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot make a serial");
}

static int set_time(ASN1_TIME *t, int64_t seconds)
{
    return tsk_ossl_time(t, seconds) != NULL;
}

static int fill(const struct tsk_make *m, X509 *x, tlsock_error *err)
{
    const X509_NAME *issuer = m->o->issuer != NULL
                                  ? X509_get_subject_name(m->o->issuer->leaf)
                                  : m->subject;
    int rc = tsk_make_serial(x, m->o->serial, err), ok;

    if (rc != TLSOCK_OK)
        return rc;
    ok = X509_set_version(x, X509_VERSION_3) &&
         X509_set_subject_name(x, m->subject) &&
         X509_set_issuer_name(x, issuer) &&
         set_time(X509_getm_notBefore(x), m->from) &&
         set_time(X509_getm_notAfter(x), m->to);
    for (int i = 0; ok && i < sk_X509_EXTENSION_num(m->exts); i++)
        ok = X509_add_ext(x, sk_X509_EXTENSION_value(m->exts, i), -1);
    return ok ? TLSOCK_OK
              : tsk_fail_ossl(err, TLSOCK_E_NOMEM,
                              "cannot make the certificate");
}

/* Ed25519 and its kin hash in their own way and take no digest. */
static int hashes_itself(EVP_PKEY *key)
{
    char name[32];

    return EVP_PKEY_get_default_digest_name(key, name, sizeof(name)) == 2 &&
           strcmp(name, "UNDEF") == 0;
}

EVP_MD_CTX *tsk_make_signer(EVP_PKEY *key, const EVP_MD *md, tlsock_error *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL; /* borrowed from ctx */
    int ok;

    if (ctx == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    ok = EVP_DigestSignInit(ctx, &pctx, hashes_itself(key) ? NULL : md, NULL,
                            key) == 1;
    /* what TLS 1.3 wants, and all that some verifiers take */
    if (ok && tsk_ossl_is_a(key, "RSA-PSS"))
        ok =
            EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    if (!ok) {
        int rc =
            tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED,
                          "the key cannot sign with %s", EVP_MD_get0_name(md));

        if (rc == TLSOCK_E_UNSUPPORTED)
            tsk_hint(err, "choose another digest: sha256, sha384 or sha512");
        EVP_MD_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static int sign(const struct tsk_make *m, X509 *x, tlsock_error *err)
{
    EVP_PKEY *key = m->o->issuer != NULL ? m->o->issuer->key : m->key;
    EVP_MD_CTX *ctx = tsk_make_signer(key, m->md, err);
    int ok = ctx != NULL ? X509_sign_ctx(x, ctx) > 0 : -1;

    EVP_MD_CTX_free(ctx);
    if (ok > 0)
        return TLSOCK_OK;
    if (ok < 0)
        return TLSOCK_E_UNSUPPORTED;
    return tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED,
                         "the issuer's key cannot sign");
}

STACK_OF(X509) * tsk_make_chain(const tlsock_cert *issuer)
{
    STACK_OF(X509) *chain = sk_X509_new_null();

    for (int i = -1;
         issuer != NULL && chain != NULL && i < sk_X509_num(issuer->chain);
         i++) {
        X509 *x = i < 0 ? issuer->leaf : sk_X509_value(issuer->chain, i);

        if ((X509_get_extension_flags(x) & EXFLAG_SS) != 0)
            break;
        if (sk_X509_push(chain, x) <= 0) {
            sk_X509_free(chain);
            return NULL;
        }
    }
    return chain;
}

static int finish(const struct tsk_make *m, X509 *x, tlsock_cert **out,
                  tlsock_error *err)
{
    STACK_OF(X509) *chain = tsk_make_chain(m->o->issuer);

    if (chain == NULL)
        return tsk_fail_nomem(err);
    *out = tsk_cert_new(x, chain, m->o->csr == NULL ? m->key : NULL, err);
    sk_X509_free(chain);
    return *out != NULL ? TLSOCK_OK : TLSOCK_E_NOMEM;
}

/* The key comes first: what it is hashed to is asked for by extensions, and to
 * encode it is what takes longest of all but signing. */
static int begin(struct tsk_make *m, tlsock_error *err)
{
    m->x = X509_new();
    if (m->x == NULL)
        return tsk_fail_nomem(err);
    return X509_set_pubkey(m->x, m->key)
               ? TLSOCK_OK
               : tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED,
                               "the key cannot be part of a certificate");
}

/* A plan whose issuer, names, key and times are there becomes a certificate:
 * extensions, serial, signature, and the proof that its issuer may sign it. */
static int make_cert(struct tsk_make *m, tlsock_cert **out, tlsock_error *err)
{
    int rc = begin(m, err);

    if (rc == TLSOCK_OK)
        rc = tsk_ext_build(m, err);
    if (rc == TLSOCK_OK)
        rc = fill(m, m->x, err);
    if (rc == TLSOCK_OK)
        rc = sign(m, m->x, err);
    /* not before: this makes OpenSSL remember the certificate as it is then,
     * without its signature */
    if (rc == TLSOCK_OK)
        rc = tsk_issuer_allows(m, m->x, err);
    if (rc == TLSOCK_OK)
        rc = finish(m, m->x, out, err);
    X509_free(m->x);
    m->x = NULL;
    return rc;
}

void tsk_make_free(struct tsk_make *m)
{
    X509_NAME_free(m->subject);
    GENERAL_NAMES_free(m->sans);
    EVP_PKEY_free(m->key);
    sk_X509_EXTENSION_pop_free(m->exts, X509_EXTENSION_free);
}

tlsock_cert *tsk_cert_create(const tlsock_cert_opts *o, tlsock_error *err)
{
    struct tsk_make m = {.o = o};
    tlsock_cert *c = NULL;
    int rc;

    tsk_ossl_enter();
    rc = tsk_make_plan(&m, err);
    if (rc == TLSOCK_OK && m.key == NULL)
        rc = tsk_plan_key(&m, err);
    if (rc == TLSOCK_OK)
        rc = make_cert(&m, &c, err);
    tsk_make_free(&m);
    tsk_ossl_leave();
    return rc == TLSOCK_OK ? c : NULL;
}
