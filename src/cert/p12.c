#include "cert/legacy.h"
#include "cert/load.h"
#include "cert/order.h"
#include "ossl/queue.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs12err.h>
#include <openssl/x509v3.h>

/* More rounds than any program writes; a file may not keep us busy for long. */
#define MOST_ROUNDS 10000000

struct contents {
    EVP_PKEY *key;
    X509 *leaf;
    STACK_OF(X509) * others;
};

static void free_contents(struct contents *c)
{
    EVP_PKEY_free(c->key);
    X509_free(c->leaf);
    sk_X509_pop_free(c->others, X509_free);
    *c = (struct contents){0};
}

static PKCS12 *decode(const struct tsk_source *s)
{
    const unsigned char *p = s->data;
    PKCS12 *p12;

    tsk_ossl_enter();
    p12 = d2i_PKCS12(NULL, &p, (long)s->len);
    tsk_ossl_leave();
    return p12;
}

int tsk_p12_is(const struct tsk_source *s)
{
    PKCS12 *p12 = tsk_der_is(s) ? decode(s) : NULL;

    PKCS12_free(p12);
    return p12 != NULL;
}

static int sane_rounds(PKCS12 *p12)
{
    const ASN1_INTEGER *rounds = NULL;
    int64_t n = 1;

    PKCS12_get0_mac(NULL, NULL, NULL, &rounds, p12);
    if (rounds != NULL && !ASN1_INTEGER_get_int64(&n, rounds))
        return 0;
    return n >= 0 && n <= MOST_ROUNDS;
}

/* OpenSSL before 3.2 or so takes none without. */
static int no_mac(const struct tsk_source *s, tlsock_error *err)
{
    tsk_fail(
        err, TLSOCK_E_OWN_FILE,
        "\"%s\" is PKCS#12 without a MAC, which this OpenSSL does not read",
        s->name);
    tsk_hint(err, "write it anew with one, or take key and certificates apart "
                  "into PEM");
    return TLSOCK_E_OWN_FILE;
}

/* The password that fits: none, an empty one, or the one that was named. */
static int choose_password(PKCS12 *p12, const struct tsk_source *s,
                           struct tsk_pass *pass, const char **out,
                           tlsock_error *err)
{
    *out = NULL;
    if (!PKCS12_mac_present(p12)) {
        if (pass->uri != NULL && tsk_pass_get(pass, NULL) == TLSOCK_OK)
            *out = pass->text;
        return TLSOCK_OK;
    }
    if (!sane_rounds(p12)) {
        tsk_fail(err, TLSOCK_E_OWN_FILE,
                 "\"%s\" asks for more than %d rounds of hashing", s->name,
                 MOST_ROUNDS);
        tsk_hint(err, "write it anew with a usual number of iterations");
        return TLSOCK_E_OWN_FILE;
    }
    if (PKCS12_verify_mac(p12, NULL, 0))
        return TLSOCK_OK;
    *out = "";
    if (PKCS12_verify_mac(p12, "", 0))
        return TLSOCK_OK;
    *out = pass->text;
    if (tsk_pass_get(pass, NULL) == TLSOCK_OK &&
        PKCS12_verify_mac(p12, pass->text, (int)pass->len))
        return TLSOCK_OK;
    return tsk_pass_fail(pass, s->name, err);
}

X509 *tsk_cert_copy(X509 *x)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    int n = x != NULL ? i2d_X509(x, &der) : 0;
    X509 *copy;

    p = der;
    copy = n > 0 ? d2i_X509(NULL, &p, n) : NULL;
    OPENSSL_free(der);
    return copy;
}

static EVP_PKEY *copy_key(EVP_PKEY *key)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    EVP_PKEY *copy = info != NULL ? EVP_PKCS82PKEY(info) : NULL;

    PKCS8_PRIV_KEY_INFO_free(info);
    return copy;
}

/* What was made in another library context belongs to it: take copies. */
static int copy_contents(struct contents *to, const struct contents *from)
{
    to->key = from->key != NULL ? copy_key(from->key) : NULL;
    to->leaf = tsk_cert_copy(from->leaf);
    to->others = sk_X509_new_null();
    for (int i = 0; i < sk_X509_num(from->others); i++) {
        X509 *x = tsk_cert_copy(sk_X509_value(from->others, i));

        if (x == NULL || sk_X509_push(to->others, x) <= 0) {
            X509_free(x);
            return 0;
        }
    }
    return to->others != NULL && (to->key != NULL) == (from->key != NULL) &&
           (to->leaf != NULL) == (from->leaf != NULL);
}

/* Old files are encrypted with 40-bit RC2. */
static int read_legacy(const struct tsk_source *s, const char *password,
                       struct contents *out)
{
    const unsigned char *p = s->data;
    struct contents there = {0};
    struct tsk_legacy old;
    PKCS12 *p12 = NULL;
    int ok = 0;

    if (tsk_legacy_open(&old))
        p12 = PKCS12_init_ex(NID_pkcs7_data, old.ctx, NULL);
    if (p12 != NULL && d2i_PKCS12(&p12, &p, (long)s->len) != NULL &&
        PKCS12_parse(p12, password, &there.key, &there.leaf, &there.others))
        ok = copy_contents(out, &there);
    free_contents(&there);
    PKCS12_free(p12);
    tsk_legacy_close(&old);
    if (!ok)
        free_contents(out);
    return ok;
}

static int read_contents(PKCS12 *p12, const struct tsk_source *s,
                         struct tsk_pass *pass, struct contents *out,
                         tlsock_error *err)
{
    const char *password;
    int rc = choose_password(p12, s, pass, &password, err);

    if (rc != TLSOCK_OK)
        return rc;
    if (PKCS12_parse(p12, password, &out->key, &out->leaf, &out->others))
        return TLSOCK_OK;
    if (tsk_ossl_starved())
        return tsk_fail_nomem(err);
    if (ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_PKCS12 &&
        ERR_GET_REASON(ERR_peek_error()) == PKCS12_R_MAC_ABSENT)
        return no_mac(s, err);
    free_contents(out);
    if (read_legacy(s, password, out))
        return TLSOCK_OK;
    rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                       "\"%s\" is PKCS#12 that cannot be decrypted: damaged, "
                       "or of an old kind (RC2)",
                       s->name);
    if (rc == TLSOCK_E_OWN_FILE)
        tsk_hint(err, "old files need OpenSSL's legacy provider: install it, "
                      "or write the file anew with AES");
    return rc;
}

/* Nothing is left behind in others. */
static int move_all(STACK_OF(X509) * certs, STACK_OF(X509) * others)
{
    while (sk_X509_num(others) > 0) {
        if (sk_X509_push(certs, sk_X509_value(others, 0)) <= 0)
            return 0;
        (void)sk_X509_shift(others);
    }
    return 1;
}

int tsk_p12_read(const struct tsk_source *s, struct tsk_pass *pass,
                 STACK_OF(X509) * certs, EVP_PKEY **key, tlsock_error *err)
{
    struct contents c = {0};
    PKCS12 *p12 = NULL;
    int rc = tsk_der_whole(s, err), leaf_known;

    pass->name = s->name;
    if (rc != TLSOCK_OK)
        return rc;
    p12 = decode(s);
    if (p12 == NULL)
        return tsk_fail_nomem(err);
    rc = read_contents(p12, s, pass, &c, err);
    leaf_known = c.leaf != NULL;
    if (rc == TLSOCK_OK && c.leaf != NULL) {
        if (sk_X509_push(certs, c.leaf) > 0)
            c.leaf = NULL;
        else
            rc = tsk_fail_nomem(err);
    }
    if (rc == TLSOCK_OK && !move_all(certs, c.others))
        rc = tsk_fail_nomem(err);
    if (rc == TLSOCK_OK) /* a bag has no order */
        rc = tsk_certs_arrange(certs, leaf_known, err);
    if (rc == TLSOCK_OK && key != NULL) {
        *key = c.key;
        c.key = NULL;
    }
    free_contents(&c);
    PKCS12_free(p12);
    return rc;
}
