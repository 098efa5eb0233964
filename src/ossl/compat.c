#include "ossl/compat.h"

#include "core/str.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <string.h>

#define QUEUE_HOLDS 15 /* errors, by thread */
#define CLASSIC "X25519:P-256:P-384"
#define HYBRID "X25519MLKEM768:" CLASSIC

int tsk_compat_default_groups(SSL_CTX *ctx)
{
    int ok;

    ERR_set_mark();
    ok = SSL_CTX_set1_groups_list(ctx, HYBRID);
    ERR_pop_to_mark();
    if (ok)
        return 1;
    return SSL_CTX_set1_groups_list(ctx, CLASSIC);
}

const char *tsk_compat_group_list(void)
{
    return tsk_compat_has_pq() ? HYBRID : CLASSIC;
}

int tsk_compat_has_pq(void)
{
    SSL_CTX *ctx;
    int ok;

    ERR_set_mark();
    ctx = SSL_CTX_new(TLS_method());
    ok = ctx != NULL && SSL_CTX_set1_groups_list(ctx, "X25519MLKEM768");
    SSL_CTX_free(ctx);
    ERR_pop_to_mark();
    return ok;
}

void tsk_compat_compress_certs(SSL_CTX *ctx)
{
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
    ERR_set_mark();
    (void)SSL_CTX_compress_certs(ctx, 0);
    ERR_pop_to_mark();
#else
    (void)ctx;
#endif
}

/* With what libssl was built with: zlib, brotli, zstd, or none of them. */
int tsk_compat_has_cert_compression(void)
{
    int found = 0;
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
    int algorithms[] = {TLSEXT_comp_cert_zlib, TLSEXT_comp_cert_brotli,
                        TLSEXT_comp_cert_zstd};
    SSL_CTX *ctx;

    ERR_set_mark();
    ctx = SSL_CTX_new(TLS_method());
    for (int i = 0; ctx != NULL && i < 3 && !found; i++)
        found = SSL_CTX_set1_cert_comp_preference(ctx, &algorithms[i], 1);
    SSL_CTX_free(ctx);
    ERR_pop_to_mark();
#endif
    return found;
}

#if OPENSSL_VERSION_NUMBER >= 0x30200000L
int tsk_compat_has_raw_keys(void)
{
    return 1;
}

int tsk_compat_take_raw_keys(SSL *ssl)
{
    static const unsigned char types[] = {TLSEXT_cert_type_rpk,
                                          TLSEXT_cert_type_x509};

    return SSL_set1_server_cert_type(ssl, types, sizeof(types));
}

EVP_PKEY *tsk_compat_raw_key(X509_STORE_CTX *ctx)
{
    return X509_STORE_CTX_get0_rpk(ctx);
}
#else
int tsk_compat_has_raw_keys(void)
{
    return 0;
}

int tsk_compat_take_raw_keys(SSL *ssl)
{
    (void)ssl;
    return 0;
}

EVP_PKEY *tsk_compat_raw_key(X509_STORE_CTX *ctx)
{
    (void)ctx;
    return NULL;
}
#endif

const char *tsk_compat_since(const char *name)
{
    static const struct {
        const char *name, *since;
    } newer[] = {
        {"X25519MLKEM768", "3.5"},
        {"SecP256r1MLKEM768", "3.5"},
        {"SecP384r1MLKEM1024", "3.5"},
        {"MLKEM512", "3.5"},
        {"MLKEM768", "3.5"},
        {"MLKEM1024", "3.5"},
        {"mldsa44", "3.5"},
        {"mldsa65", "3.5"},
        {"mldsa87", "3.5"},
        {"curveSM2", "4.0"},
        {"curveSM2MLKEM768", "4.0"},
    };

    for (size_t i = 0; i < sizeof(newer) / sizeof(newer[0]); i++)
        if (tsk_casecmp(name, newer[i].name) == 0)
            return newer[i].since;
    return NULL;
}

/* IANA's names where OpenSSL's short names are older ones */
static const struct {
    int nid, id;
    const char *name;
} groups[] = {
    {NID_X9_62_prime256v1, 0x0017, "P-256"},
    {NID_secp384r1, 0x0018, "P-384"},
    {NID_secp521r1, 0x0019, "P-521"},
    {NID_X25519, 0x001d, "X25519"},
    {NID_X448, 0x001e, "X448"},
};

const char *tsk_compat_group(SSL *ssl, int *id)
{
    long nid = SSL_get_negotiated_group(ssl);
    const char *name;

    *id = 0;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        if (groups[i].nid == nid) {
            *id = groups[i].id;
            return groups[i].name;
        }
    if (nid == 0)
        return "";
    *id = (int)(nid & 0xffff); /* TLSEXT_nid_unknown | id */
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
    name = SSL_get0_group_name(ssl);
#else
    name = SSL_group_to_name(ssl, (int)nid);
#endif
    return name != NULL ? name : "";
}

/* RFC 8446, 4.2.3 */
static const struct {
    int type, hash;
    const char *name;
} signatures[] = {
    {EVP_PKEY_EC, NID_sha256, "ecdsa_secp256r1_sha256"},
    {EVP_PKEY_EC, NID_sha384, "ecdsa_secp384r1_sha384"},
    {EVP_PKEY_EC, NID_sha512, "ecdsa_secp521r1_sha512"},
    {EVP_PKEY_RSA_PSS, NID_sha256, "rsa_pss_sha256"},
    {EVP_PKEY_RSA_PSS, NID_sha384, "rsa_pss_sha384"},
    {EVP_PKEY_RSA_PSS, NID_sha512, "rsa_pss_sha512"},
    {EVP_PKEY_RSA, NID_sha256, "rsa_pkcs1_sha256"},
    {EVP_PKEY_RSA, NID_sha384, "rsa_pkcs1_sha384"},
    {EVP_PKEY_RSA, NID_sha512, "rsa_pkcs1_sha512"},
    {EVP_PKEY_ED25519, NID_undef, "ed25519"},
    {EVP_PKEY_ED448, NID_undef, "ed448"},
};

const char *tsk_compat_peer_signature(SSL *ssl)
{
    int type = 0, hash = NID_undef;

    if (!SSL_get_peer_signature_type_nid(ssl, &type))
        return "";
    SSL_get_peer_signature_nid(ssl, &hash);
    for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
        if (signatures[i].type == type &&
            (signatures[i].hash == hash || signatures[i].hash == NID_undef))
            return signatures[i].name;
    return OBJ_nid2sn(type);
}

int tsk_compat_starved(unsigned long first)
{
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
    int reason = ERR_GET_REASON(first);

    /* of a queue that is full the first ones may be gone */
    return (reason == ERR_R_ASN1_LIB || reason == ERR_R_CRYPTO_LIB ||
            reason == ERR_R_NESTED_ASN1_ERROR) &&
           ERR_count_to_mark() < QUEUE_HOLDS;
#else
    (void)first;
    return 0;
#endif
}

/* Before 3.0.14 it is for the caller to know that no record is half read. */
void tsk_compat_free_buffers(SSL *ssl)
{
    if (!SSL_has_pending(ssl) && strcmp(SSL_rstate_string(ssl), "RH") == 0)
        SSL_free_buffers(ssl);
}
