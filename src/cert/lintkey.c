/* The public key: what kind it is, and how it is written. */
#include "cert/lint.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

static int algorithm(const struct tsk_lint_cert *l)
{
    ASN1_OBJECT *obj = NULL;

    (void)X509_PUBKEY_get0_param(&obj, NULL, NULL, NULL,
                                 X509_get_X509_PUBKEY(l->x));
    return obj != NULL ? OBJ_obj2nid(obj) : NID_undef;
}

static int params_type(const struct tsk_lint_cert *l)
{
    X509_ALGOR *alg = NULL;
    int type = V_ASN1_UNDEF;

    (void)X509_PUBKEY_get0_param(NULL, NULL, NULL, &alg,
                                 X509_get_X509_PUBKEY(l->x));
    if (alg != NULL)
        X509_ALGOR_get0(NULL, &type, NULL, alg);
    return type;
}

static int unreadable(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->key != NULL)
        return 0;
    return tsk_lint_say(l, "its public key (%s) cannot be read",
                        OBJ_nid2ln(algorithm(l)));
}

/* RFC 3279, 2.3.1: NULL for RSA. RFC 5480, 2.1.1: a curve. RFC 8410, 3: none.
 */
static int params(struct tsk_lint_cert *l, int arg)
{
    int nid = algorithm(l), type = params_type(l);

    (void)arg;
    if (nid == NID_rsaEncryption && type != V_ASN1_NULL)
        return tsk_lint_say(l, "rsaEncryption has no NULL for its parameters");
    if ((nid == NID_ED25519 || nid == NID_ED448) && type != V_ASN1_UNDEF)
        return tsk_lint_say(l, "%s has parameters, where there must be none",
                            OBJ_nid2ln(nid));
    return 0;
}

static int explicit_curve(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (algorithm(l) != NID_X9_62_id_ecPublicKey ||
        params_type(l) == V_ASN1_OBJECT || params_type(l) == V_ASN1_UNDEF)
        return 0;
    return tsk_lint_say(l, "its curve is spelled out instead of named");
}

static int curve(struct tsk_lint_cert *l)
{
    char name[64] = "";

    if (l->key == NULL || EVP_PKEY_get_base_id(l->key) != EVP_PKEY_EC ||
        !EVP_PKEY_get_group_name(l->key, name, sizeof(name), NULL))
        return NID_undef;
    return OBJ_txt2nid(name);
}

static int weak_curve(struct tsk_lint_cert *l, int arg)
{
    if (l->key == NULL || EVP_PKEY_get_base_id(l->key) != EVP_PKEY_EC ||
        EVP_PKEY_get_bits(l->key) >= arg)
        return 0;
    return tsk_lint_say(l, "its key is on a curve of %d bits, fewer than %d",
                        EVP_PKEY_get_bits(l->key), arg);
}

static int odd_curve(struct tsk_lint_cert *l, int arg)
{
    int nid = curve(l);

    (void)arg;
    if (nid == NID_undef || nid == NID_X9_62_prime256v1 ||
        nid == NID_secp384r1 || nid == NID_secp521r1)
        return 0;
    return tsk_lint_say(l, "its key is on the curve %s, which browsers refuse",
                        OBJ_nid2sn(nid));
}

static int compressed(struct tsk_lint_cert *l, int arg)
{
    const unsigned char *p = NULL;
    int n = 0;

    (void)arg;
    if (algorithm(l) != NID_X9_62_id_ecPublicKey ||
        !X509_PUBKEY_get0_param(NULL, &p, &n, NULL,
                                X509_get_X509_PUBKEY(l->x)) ||
        n < 1 || (p[0] != 2 && p[0] != 3))
        return 0;
    return tsk_lint_say(l, "the point of its key is compressed");
}

static int no_tls_kind(struct tsk_lint_cert *l, int arg)
{
    int nid = algorithm(l);

    (void)arg;
    if (l->key == NULL || nid == NID_rsaEncryption || nid == NID_rsassaPss ||
        nid == NID_X9_62_id_ecPublicKey || nid == NID_ED25519 ||
        nid == NID_ED448 || EVP_PKEY_get_base_id(l->key) == EVP_PKEY_KEYMGMT)
        return 0;
    return tsk_lint_say(l,
                        "TLS 1.3 knows no certificates with a key of kind "
                        "%s",
                        OBJ_nid2ln(nid));
}

static int rare_kind(struct tsk_lint_cert *l, int arg)
{
    int nid = algorithm(l);

    (void)arg;
    if (nid != NID_ED25519 && nid != NID_ED448 && nid != NID_rsassaPss)
        return 0;
    return tsk_lint_say(l,
                        "browsers take no server certificates with a key "
                        "of kind %s",
                        OBJ_nid2ln(nid));
}

const struct tsk_lint_rule tsk_lint_key[] = {
    {"key-unreadable", LINT_E, LINT_ANY, unreadable, 0, "RFC 5280, 4.1.2.7",
     "make a new key, and have the certificate issued anew"},
    {"key-params", LINT_E, LINT_ANY, params, 0, "RFC 3279, 2.3.1; RFC 8410, 3",
     "have the certificate issued anew"},
    {"key-ec-explicit", LINT_E, LINT_ANY, explicit_curve, 0, "RFC 5480, 2.1.1",
     "make a new key with a named curve: ec:P-256"},
    {"key-ec-weak", LINT_E, LINT_ANY, weak_curve, 224, "CA/B BR, 6.1.5",
     "make a new key: ec:P-256"},
    {"key-ec-curve", LINT_W, LINT_ANY, odd_curve, 0, "CA/B BR, 6.1.5",
     "make a new key: ec:P-256, ec:P-384 or ec:P-521"},
    {"key-ec-compressed", LINT_N, LINT_ANY, compressed, 0, "RFC 5480, 2.2",
     "some clients read uncompressed points alone"},
    {"key-kind", LINT_W, LINT_ANY, no_tls_kind, 0, "RFC 8446, 4.2.3",
     "make a new key: ec:P-256, or rsa:3072"},
    {"key-rare", LINT_N, LINT_SERVER, rare_kind, 0, "CA/B BR, 6.1.5",
     "for browsers: ec:P-256, or rsa:3072"},
    {.code = NULL}};
