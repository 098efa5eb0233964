#include "cert/clone.h"
#include "cert/make.h"
#include "core/clock.h"
#include "ossl/ext.h"
#include "ossl/queue.h"

static int too_long(tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_LIMIT,
             "the certificate is longer than %d KiB: no copy is made",
             TSK_CLONE_BYTES / 1024);
    tsk_hint(err, "no TLS client accepts one of that size");
    return TLSOCK_E_LIMIT;
}

/* Subject and names are what a client knows it by. */
static int nameless(X509 *seen, const GENERAL_NAMES *names, tlsock_error *err)
{
    if (names != NULL || X509_NAME_entry_count(X509_get_subject_name(seen)) > 0)
        return TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_NO_NAME,
             "the certificate has neither a subject nor names");
    tsk_hint(err, "there is nothing to imitate: clone one that is for "
                  "somebody");
    return TLSOCK_E_NO_NAME;
}

static int bad_dates(X509 *seen, tlsock_error *err)
{
    char who[96];

    tsk_cert_short_name(seen, who, sizeof(who));
    tsk_fail(err, TLSOCK_E_CERT_INVALID, "the dates of \"%s\" cannot be read",
             who);
    tsk_hint(err, "clients refuse that certificate, so there is nothing to "
                  "imitate");
    return TLSOCK_E_CERT_INVALID;
}

static int too_late(X509 *seen, X509 *ca, tlsock_error *err)
{
    char begins[32], ends[32], who[96];

    tsk_cert_short_name(ca, who, sizeof(who));
    tsk_cert_date(X509_get0_notBefore(seen), begins);
    tsk_cert_date(X509_get0_notAfter(ca), ends);
    tsk_fail(err, TLSOCK_E_ARGUMENT,
             "the certificate begins on %s, after the CA \"%s\" has ended (%s)",
             begins, who, ends);
    tsk_hint(err, "renew the CA first");
    return TLSOCK_E_ARGUMENT;
}

/* An expired one stays expired, one of the future of the future; only what
 * lies outside the CA's own time is cut off. */
static int set_dates(X509 *x, X509 *seen, X509 *ca, tlsock_error *err)
{
    int64_t from = tsk_cert_time(X509_get0_notBefore(seen)),
            to = tsk_cert_time(X509_get0_notAfter(seen)),
            ca_from = tsk_cert_time(X509_get0_notBefore(ca)),
            ca_to = tsk_cert_time(X509_get0_notAfter(ca));

    if (from == INT64_MIN || to == INT64_MIN)
        return bad_dates(seen, err);
    if (from > ca_to)
        return too_late(seen, ca, err);
    if (to > ca_to)
        to = ca_to;
    if (from < ca_from && ca_from <= to)
        from = ca_from;
    if (tsk_ossl_time(X509_getm_notBefore(x), from) != NULL &&
        tsk_ossl_time(X509_getm_notAfter(x), to) != NULL)
        return TLSOCK_OK;
    return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot set the dates");
}

static int fill(X509 *x, X509 *seen, X509 *ca, EVP_PKEY *key,
                GENERAL_NAMES **names, tlsock_error *err)
{
    int rc;

    if (!X509_set_version(x, X509_VERSION_3) ||
        !X509_set_subject_name(x, X509_get_subject_name(seen)) ||
        !X509_set_issuer_name(x, X509_get_subject_name(ca)))
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM,
                             "cannot make the certificate");
    /* random: one that is taken from the seen one could be chosen to meet
     * another */
    rc = tsk_make_serial(x, NULL, err);
    if (rc == TLSOCK_OK)
        rc = set_dates(x, seen, ca, err);
    if (rc == TLSOCK_OK)
        rc = tsk_clone_ext(x, key, seen, ca, names, err);
    return rc == TLSOCK_OK ? nameless(seen, *names, err) : rc;
}

static int sign(X509 *x, EVP_PKEY *key, tlsock_error *err)
{
    EVP_MD_CTX *ctx = tsk_make_signer(key, EVP_sha256(), err);
    int rc = TLSOCK_OK;

    if (ctx == NULL)
        return TLSOCK_E_UNSUPPORTED;
    if (X509_sign_ctx(x, ctx) <= 0)
        rc = tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED,
                           "the CA's key cannot sign");
    if (rc == TLSOCK_E_UNSUPPORTED)
        tsk_hint(err, "take a CA with an ECDSA, RSA or Ed25519 key");
    EVP_MD_CTX_free(ctx);
    return rc;
}

/* What it is to those who get it: decoded from its encoding. */
static int reread(X509 **x, tlsock_error *err)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    int n = i2d_X509(*x, &der);
    X509 *again;

    p = der;
    again = n > 0 ? d2i_X509(NULL, &p, n) : NULL;
    OPENSSL_free(der);
    if (again == NULL || X509_get0_pubkey(again) == NULL) {
        X509_free(again);
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot encode the clone");
    }
    X509_free(*x);
    *x = again;
    return TLSOCK_OK;
}

static int make(X509 **x, X509 *seen, int own_key, struct tsk_make *m,
                tlsock_cert **out, tlsock_error *err)
{
    const tlsock_cert *ca = m->o->issuer;
    STACK_OF(X509) *chain = NULL;
    int rc;

    if (*x == NULL)
        return tsk_fail_nomem(err);
    rc = tsk_issuer_check(m, err);
    if (rc == TLSOCK_OK && i2d_X509(seen, NULL) > TSK_CLONE_BYTES)
        rc = too_long(err);
    if (rc == TLSOCK_OK)
        rc = tsk_clone_key(*x, &m->key, seen, own_key, err);
    if (rc == TLSOCK_OK)
        rc = fill(*x, seen, ca->leaf, m->key, &m->sans, err);
    if (rc == TLSOCK_OK)
        rc = sign(*x, ca->key, err);
    if (rc == TLSOCK_OK)
        rc = reread(x, err);
    if (rc == TLSOCK_OK)
        rc = tsk_issuer_allows(m, *x, err);
    if (rc != TLSOCK_OK)
        return rc;
    chain = tsk_make_chain(ca);
    *out = chain != NULL ? tsk_cert_new(*x, chain, m->key, err) : NULL;
    sk_X509_free(chain);
    return *out != NULL ? TLSOCK_OK : tsk_fail_nomem(err);
}

tlsock_cert *tsk_cert_clone(const tlsock_cert *seen, const tlsock_cert *ca,
                            int own_key, tlsock_error *err)
{
    const tlsock_cert_opts o = {.size = sizeof(o), .issuer = ca};
    struct tsk_make m = {.o = &o, .now = tsk_wall_time()};
    tlsock_cert *c = NULL;
    X509 *x;

    tsk_ossl_enter();
    x = X509_new();
    (void)make(&x, seen->leaf, own_key, &m, &c, err);
    X509_free(x);
    GENERAL_NAMES_free(m.sans);
    EVP_PKEY_free(m.key);
    tsk_ossl_leave();
    return c;
}
