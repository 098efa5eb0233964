/* Certificates with any fault: what the library itself refuses to make. */
#include "matrix.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdatomic.h>

static EVP_PKEY *keys[MX_KEYS];
static atomic_long serial = 1000;

void mx_keys(void)
{
    for (int i = MX_KEY_ROOT; i <= MX_KEY_OTHER; i++)
        keys[i] = EVP_EC_gen("P-256");
    keys[MX_KEY_RSA] = EVP_RSA_gen(2048);
    keys[MX_KEY_RSA1024] = EVP_RSA_gen(1024);
    keys[MX_KEY_P192] = EVP_EC_gen("P-192");
    for (int i = MX_KEY_ROOT; i < MX_KEYS; i++)
        assert_non_null(keys[i]);
}

void mx_keys_free(void)
{
    for (int i = 0; i < MX_KEYS; i++)
        EVP_PKEY_free(keys[i]);
}

EVP_PKEY *mx_key(enum mx_key which)
{
    return keys[which];
}

EVP_PKEY *mx_false_key(enum mx_key shown, enum mx_key had)
{
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params;
    unsigned char point[133];
    BIGNUM *priv = NULL;
    size_t len;

    assert_int_equal(
        EVP_PKEY_get_octet_string_param(keys[shown], OSSL_PKEY_PARAM_PUB_KEY,
                                        point, sizeof(point), &len),
        1);
    assert_int_equal(
        EVP_PKEY_get_bn_param(keys[had], OSSL_PKEY_PARAM_PRIV_KEY, &priv), 1);
    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
                                    "prime256v1", 0);
    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, len);
    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, priv);
    params = OSSL_PARAM_BLD_to_param(bld);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params), 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    EVP_PKEY_CTX_free(ctx);
    BN_clear_free(priv);
    return key;
}

struct role {
    const char *cn, *san, *bc, *ku, *eku;
    enum mx_key key;
};

static const struct role roles[] = {
    {"Matrix Root", "-", "critical,CA:TRUE", "critical,keyCertSign,cRLSign",
     "-", MX_KEY_ROOT},
    {"Matrix Inter", "-", "critical,CA:TRUE,pathlen:0",
     "critical,keyCertSign,cRLSign", "-", MX_KEY_INTER},
    {"a.test", "DNS:a.test", "critical,CA:FALSE", "critical,digitalSignature",
     "serverAuth", MX_KEY_LEAF},
};

static void extend(X509 *x, X509 *issuer, const char *name, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    if (strcmp(value, "-") == 0)
        return;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf(NULL, &ctx, name, value);
    if (ext == NULL)
        fail_msg("%s = %s", name, value);
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

static void extend_more(X509 *x, X509 *issuer, const char *more)
{
    const char *eq = more != NULL ? strchr(more, '=') : NULL;
    char name[64];

    if (eq == NULL)
        return;
    snprintf(name, sizeof(name), "%.*s", (int)(eq - more), more);
    extend(x, issuer, name, eq + 1);
}

static const char *either(const char *own, const char *of_role)
{
    return own != NULL ? own : of_role;
}

static void extensions(X509 *x, X509 *issuer, const struct mx_spec *s,
                       const struct role *r)
{
    extend(x, issuer, "basicConstraints", either(s->bc, r->bc));
    extend(x, issuer, "keyUsage", either(s->ku, r->ku));
    extend(x, issuer, "extendedKeyUsage", either(s->eku, r->eku));
    extend(x, issuer, "subjectAltName", either(s->san, r->san));
    extend(x, issuer, "subjectKeyIdentifier", "hash");
    if (issuer != x &&
        X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) >= 0)
        extend(x, issuer, "authorityKeyIdentifier", "keyid");
    extend_more(x, issuer, s->more);
    extend_more(x, issuer, s->again);
}

static void fill(X509 *x, const struct mx_spec *s, const struct role *r)
{
    const char *cn = either(s->cn, r->cn);

    X509_set_version(x, s->v1 ? X509_VERSION_1 : X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), atomic_fetch_add(&serial, 1));
    X509_time_adj_ex(X509_getm_notBefore(x), -1, 0, NULL);
    X509_time_adj_ex(X509_getm_notAfter(x), 30, 0, NULL);
    if (s->from != NULL)
        ASN1_TIME_set_string_X509(X509_getm_notBefore(x), s->from);
    if (s->to != NULL)
        ASN1_TIME_set_string_X509(X509_getm_notAfter(x), s->to);
    if (strcmp(cn, "-") != 0)
        X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
                                   MBSTRING_UTF8, (const unsigned char *)cn, -1,
                                   -1, 0);
}

static X509 *flipped(X509 *x)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    int len = i2d_X509(x, &der);

    assert_true(len > 0);
    X509_free(x);
    der[len - 1] ^= 1;
    p = der;
    x = d2i_X509(NULL, &p, len);
    assert_non_null(x);
    OPENSSL_free(der);
    return x;
}

X509 *mx_make(const struct mx_spec *s, enum mx_role role, X509 *issuer,
              enum mx_key issuer_key)
{
    const struct role *r = &roles[role];
    EVP_PKEY *own = keys[s->key != 0 ? s->key : r->key];
    EVP_PKEY *signer = issuer != NULL ? keys[issuer_key] : own;
    X509 *x = X509_new();

    assert_non_null(x);
    fill(x, s, r);
    issuer = issuer != NULL ? issuer : x;
    X509_set_issuer_name(x, X509_get_subject_name(issuer));
    X509_set_pubkey(x, own);
    if (!s->v1)
        extensions(x, issuer, s, r);
    assert_true(X509_sign(x, signer,
                          EVP_get_digestbyname(either(s->md, "sha256"))) > 0);
    return s->flip ? flipped(x) : x;
}

char *mx_pem(X509 *crt)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *p, *copy;
    long n;

    PEM_write_bio_X509(bio, crt);
    n = BIO_get_mem_data(bio, &p);
    copy = calloc(1, (size_t)n + 1);
    memcpy(copy, p, (size_t)n);
    BIO_free(bio);
    return copy;
}
