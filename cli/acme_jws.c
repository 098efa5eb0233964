#include "acme_jws.h"

#include <jose/b64.h>
#include <jose/jwk.h>
#include <jose/jws.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *alg, *kty, *crv;
} algorithms[] = {{"ES256", "EC", "P-256"}, {"ES384", "EC", "P-384"},
                  {"ES512", "EC", "P-521"}, {"RS256", "RSA", NULL},
                  {"RS384", "RSA", NULL},   {"RS512", "RSA", NULL},
                  {"PS256", "RSA", NULL}};

int acme_problem(struct acme_problem *p, int status, const char *type,
                 const char *format, ...)
{
    va_list ap;

    p->status = status;
    p->type = type;
    va_start(ap, format);
    vsnprintf(p->detail, sizeof(p->detail), format, ap);
    va_end(ap);
    return -1;
}

/* libjose would write to stderr; what is wrong is told to the client. */
static void keep_quiet(void *misc, const char *file, int line, uint64_t err,
                       const char *fmt, va_list ap)
{
    (void)misc;
    (void)file;
    (void)line;
    (void)err;
    (void)fmt;
    (void)ap;
}

static jose_cfg_t *quiet(void)
{
    jose_cfg_t *cfg = jose_cfg();

    if (cfg != NULL)
        jose_cfg_set_err_func(cfg, keep_quiet, NULL);
    return cfg;
}

/* NULL is none of theirs. */
static void drop(jose_cfg_t *cfg)
{
    if (cfg != NULL)
        jose_cfg_decref(cfg);
}

unsigned char *acme_b64_decode(const char *text, size_t most, size_t *len)
{
    size_t in = strlen(text), n = jose_b64_dec_buf(NULL, in, NULL, 0);
    unsigned char *out;

    if (n == SIZE_MAX || n > most || strchr(text, '=') != NULL)
        return NULL;
    out = malloc(n + 1);
    if (out == NULL || jose_b64_dec_buf(text, in, out, n) != n) {
        free(out);
        return NULL;
    }
    out[n] = '\0';
    *len = n;
    return out;
}

void acme_b64_encode(const void *bytes, size_t len, char *out, size_t size)
{
    size_t n = jose_b64_enc_buf(NULL, len, NULL, 0);

    if (n >= size)
        n = 0;
    else
        jose_b64_enc_buf(bytes, len, out, size - 1);
    out[n] = '\0';
}

/* The object that a member holds in base64url; NULL: it is none. */
static json_t *decode_object(const char *text, size_t most)
{
    size_t len = 0;
    unsigned char *raw = acme_b64_decode(text, most, &len);
    json_t *obj =
        raw != NULL ? json_loadb((char *)raw, len, JSON_REJECT_DUPLICATES, NULL)
                    : NULL;

    free(raw);
    if (json_is_object(obj))
        return obj;
    json_decref(obj);
    return NULL;
}

static int is_member(const char *key)
{
    return strcmp(key, "protected") == 0 || strcmp(key, "payload") == 0 ||
           strcmp(key, "signature") == 0;
}

/* RFC 8555, 6.2: flattened, with nothing unprotected */
static int check_form(const json_t *whole, struct acme_problem *p)
{
    const char *key;
    json_t *value;

    if (!json_is_object(whole))
        return acme_problem(p, 400, "malformed", "the body is no JSON object");
    json_object_foreach((json_t *)(uintptr_t)whole, key, value)
    {
        if (!is_member(key))
            return acme_problem(p, 400, "malformed",
                                "a JWS has protected, payload and signature, "
                                "and nothing else");
        if (!json_is_string(value))
            return acme_problem(p, 400, "malformed", "%s is no string", key);
    }
    if (json_object_size(whole) != 3)
        return acme_problem(p, 400, "malformed",
                            "a JWS has protected, payload and signature");
    return 0;
}

static const char *text_of(const json_t *obj, const char *key)
{
    return json_string_value(json_object_get(obj, key));
}

static int check_head(struct acme_jws *j, struct acme_problem *p)
{
    size_t known = sizeof(algorithms) / sizeof(algorithms[0]), i = 0;

    j->alg = text_of(j->head, "alg");
    j->nonce = text_of(j->head, "nonce");
    j->url = text_of(j->head, "url");
    j->kid = text_of(j->head, "kid");
    j->jwk = json_object_get(j->head, "jwk");
    while (j->alg != NULL && i < known &&
           strcmp(j->alg, algorithms[i].alg) != 0)
        i++;
    if (j->alg == NULL || i == known)
        return acme_problem(p, 400, "badSignatureAlgorithm",
                            "alg is one of ES256, ES384, ES512, RS256, RS384, "
                            "RS512, PS256");
    if (json_object_get(j->head, "crit") != NULL ||
        json_object_get(j->head, "b64") != NULL)
        return acme_problem(p, 400, "malformed",
                            "the protected header asks for an extension");
    if (j->url == NULL)
        return acme_problem(p, 400, "malformed",
                            "the protected header has no url");
    if ((j->kid != NULL) == (j->jwk != NULL))
        return acme_problem(p, 400, "malformed",
                            "the protected header has to hold either jwk or "
                            "kid");
    return j->jwk != NULL ? acme_jwk_check(j->jwk, p) : 0;
}

int acme_jws_parse(struct acme_jws *j, const void *body, size_t len,
                   struct acme_problem *p)
{
    const char *payload;

    memset(j, 0, sizeof(*j));
    j->whole = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
    if (check_form(j->whole, p) < 0)
        return -1;
    j->head = decode_object(text_of(j->whole, "protected"), 16384);
    if (j->head == NULL)
        return acme_problem(p, 400, "malformed",
                            "protected is no JSON object in base64url");
    payload = text_of(j->whole, "payload");
    if (payload[0] != '\0') {
        j->payload = decode_object(payload, 131072);
        if (j->payload == NULL)
            return acme_problem(p, 400, "malformed",
                                "payload is no JSON object in base64url");
    }
    return check_head(j, p);
}

void acme_jws_free(struct acme_jws *j)
{
    json_decref(j->whole);
    json_decref(j->head);
    json_decref(j->payload);
    memset(j, 0, sizeof(*j));
}

/* A number of a key, big-endian without needless zeros; NULL: none. */
static BIGNUM *number_of(const json_t *jwk, const char *key)
{
    const char *text = text_of(jwk, key);
    size_t len = 0;
    unsigned char *raw =
        text != NULL ? acme_b64_decode(text, 1100, &len) : NULL;
    BIGNUM *n = raw != NULL ? BN_bin2bn(raw, (int)len, NULL) : NULL;

    free(raw);
    return n;
}

/* 0x04, x, y. 0: none. */
static size_t point_of(const json_t *jwk, unsigned char *out, size_t each)
{
    static const char *const names[] = {"x", "y"};

    out[0] = POINT_CONVERSION_UNCOMPRESSED;
    for (size_t i = 0; i < 2; i++) {
        const char *text = text_of(jwk, names[i]);
        size_t len = 0;
        unsigned char *raw =
            text != NULL ? acme_b64_decode(text, each, &len) : NULL;
        int ok = raw != NULL && len == each; /* RFC 7518, 6.2.1.2 */

        if (ok)
            memcpy(out + 1 + i * each, raw, each);
        free(raw);
        if (!ok)
            return 0;
    }
    return 1 + 2 * each;
}

static EVP_PKEY *from_params(const char *kind, OSSL_PARAM_BLD *bld)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    EVP_PKEY *key = NULL;

    if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) <= 0 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

/* On the curve, and not at infinity. */
static EVP_PKEY *on_curve(EVP_PKEY *key)
{
    EVP_PKEY_CTX *check = key != NULL ? EVP_PKEY_CTX_new(key, NULL) : NULL;

    if (check == NULL || EVP_PKEY_public_check(check) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    EVP_PKEY_CTX_free(check);
    return key;
}

static EVP_PKEY *ec_key(const json_t *jwk, OSSL_PARAM_BLD *bld)
{
    static const struct {
        const char *crv;
        size_t bytes;
    } curves[] = {{"P-256", 32}, {"P-384", 48}, {"P-521", 66}};
    const char *crv = text_of(jwk, "crv");
    unsigned char point[1 + 2 * 66];
    size_t len;

    for (size_t i = 0; crv != NULL && i < 3; i++) {
        if (strcmp(crv, curves[i].crv) != 0)
            continue;
        len = point_of(jwk, point, curves[i].bytes);
        if (len > 0 &&
            OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
                                            crv, 0) &&
            OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
                                             point, len))
            return on_curve(from_params("EC", bld));
    }
    return NULL;
}

static EVP_PKEY *rsa_key(const json_t *jwk, OSSL_PARAM_BLD *bld)
{
    BIGNUM *n = number_of(jwk, "n"), *e = number_of(jwk, "e");
    EVP_PKEY *key = NULL;

    /* EVP_PKEY_public_check() would take seconds for a long one: whoever sends
     * a product of more primes harms himself */
    if (n != NULL && e != NULL && BN_num_bits(n) >= 512 && BN_is_odd(n) &&
        BN_is_odd(e) && BN_num_bits(e) >= 2 && BN_num_bits(e) <= 64 &&
        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e))
        key = from_params("RSA", bld);
    BN_free(n);
    BN_free(e);
    return key;
}

/* NULL: no key. Yours. */
static EVP_PKEY *to_pkey(const json_t *jwk)
{
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    const char *kty = text_of(jwk, "kty");
    EVP_PKEY *key = NULL;

    if (bld != NULL && kty != NULL)
        key = strcmp(kty, "RSA") == 0 ? rsa_key(jwk, bld) : ec_key(jwk, bld);
    OSSL_PARAM_BLD_free(bld);
    ERR_clear_error();
    return key;
}

int acme_jwk_check(const json_t *jwk, struct acme_problem *p)
{
    const char *kty = text_of(jwk, "kty");
    int rsa = kty != NULL && strcmp(kty, "RSA") == 0;
    EVP_PKEY *key;
    int bits;

    if (!rsa && (kty == NULL || strcmp(kty, "EC") != 0))
        return acme_problem(p, 400, "badPublicKey",
                            "the key is neither EC nor RSA");
    if (json_object_get(jwk, "d") != NULL)
        return acme_problem(p, 400, "badPublicKey",
                            "the private key came along: throw it away");
    key = to_pkey(jwk);
    if (key == NULL)
        return acme_problem(p, 400, "badPublicKey", "the key is malformed");
    bits = EVP_PKEY_get_bits(key);
    EVP_PKEY_free(key);
    if (rsa && (bits < 2048 || bits > 8192))
        return acme_problem(p, 400, "badPublicKey",
                            "RSA keys have 2048 to 8192 bits, this one has %d",
                            bits);
    return 0;
}

static int fits(const char *alg, const json_t *jwk)
{
    const char *kty = text_of(jwk, "kty"), *crv = text_of(jwk, "crv");

    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
        if (strcmp(algorithms[i].alg, alg) == 0)
            return kty != NULL && strcmp(kty, algorithms[i].kty) == 0 &&
                   (algorithms[i].crv == NULL ||
                    (crv != NULL && strcmp(crv, algorithms[i].crv) == 0));
    return 0;
}

int acme_jws_verify(const struct acme_jws *j, const json_t *jwk,
                    struct acme_problem *p)
{
    jose_cfg_t *cfg;
    int good;

    if (!fits(j->alg, jwk))
        return acme_problem(p, 400, "badSignatureAlgorithm",
                            "%s does not fit the kind of key", j->alg);
    cfg = quiet();
    good = cfg != NULL && jose_jws_ver(cfg, j->whole, NULL, jwk, false);
    drop(cfg);
    return good ? 0
                : acme_problem(p, 403, "unauthorized",
                               "the signature is not good");
}

int acme_jwk_thumb(const json_t *jwk, char out[ACME_THUMB])
{
    jose_cfg_t *cfg = quiet();
    uint8_t hash[32];
    size_t n = cfg != NULL
                   ? jose_jwk_thp_buf(cfg, jwk, "S256", hash, sizeof(hash))
                   : 0;

    drop(cfg);
    if (n != sizeof(hash))
        return -1;
    acme_b64_encode(hash, sizeof(hash), out, ACME_THUMB);
    return 0;
}

int acme_jwk_pin(const json_t *jwk, char out[ACME_PIN])
{
    EVP_PKEY *key = to_pkey(jwk);
    unsigned char *der = NULL, hash[EVP_MAX_MD_SIZE];
    int len = key != NULL ? i2d_PUBKEY(key, &der) : -1, rc = -1;
    size_t at;

    if (len > 0 &&
        EVP_Digest(der, (size_t)len, hash, NULL, EVP_sha256(), NULL) == 1) {
        at = (size_t)snprintf(out, ACME_PIN, "sha256:pub:");
        for (int i = 0; i < 32; i++, at += 2)
            snprintf(out + at, ACME_PIN - at, "%02x", hash[i]);
        rc = 0;
    }
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    return rc;
}
