#include "core/str.h"
#include "ossl/queue.h"
#include "revoke/make.h"

#include <openssl/bn.h>
#include <openssl/x509v3.h>
#include <string.h>

int tsk_signer_digest(const EVP_MD **md, EVP_PKEY *key, const char *name,
                      tlsock_error *err)
{
    static const struct {
        const char *name;
        const EVP_MD *(*get)(void);
    } known[] = {
        {"sha256", EVP_sha256}, {"sha384", EVP_sha384}, {"sha512", EVP_sha512}};
    char shown[64], own[32] = "";

    *md = NULL;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (tsk_casecmp(name != NULL ? name : "sha256", known[i].name) == 0)
            *md = known[i].get();
    if (*md == NULL) {
        tsk_printable(shown, sizeof(shown), name, strlen(name));
        tsk_fail(err, TLSOCK_E_ARGUMENT, "digest \"%s\" is not known", shown);
        tsk_hint(err, "valid are sha256, sha384, sha512");
        return TLSOCK_E_ARGUMENT;
    }
    /* 2: this one and no other, and UNDEF is none: it hashes by itself */
    if (EVP_PKEY_get_default_digest_name(key, own, sizeof(own)) == 2 &&
        strcmp(own, "UNDEF") == 0)
        *md = NULL;
    return TLSOCK_OK;
}

int tsk_signer_key(const tlsock_cert *c, const char *what, tlsock_error *err)
{
    char who[96];

    tsk_cert_short_name(c->leaf, who, sizeof(who));
    if (c->key == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "%s \"%s\" comes without its private key", what, who);
        tsk_hint(err, "load it together with its key");
        return TLSOCK_E_ARGUMENT;
    }
    if (X509_check_private_key(c->leaf, c->key) != 1) {
        tsk_fail(err, TLSOCK_E_KEY_MISMATCH,
                 "the key of %s \"%s\" does not belong to it", what, who);
        tsk_hint(err, "compare both with tlsock cert show");
        return TLSOCK_E_KEY_MISMATCH;
    }
    return TLSOCK_OK;
}

int tsk_signer_is_ca(const tlsock_cert *c, uint32_t bit, const char *deed,
                     tlsock_error *err)
{
    uint32_t flags = X509_get_extension_flags(c->leaf);
    char who[96];

    tsk_cert_short_name(c->leaf, who, sizeof(who));
    if ((flags & EXFLAG_CA) == 0 || (flags & EXFLAG_INVALID) != 0) {
        tsk_fail(err, TLSOCK_E_PURPOSE, "the issuer \"%s\" is no CA", who);
        tsk_hint(err, "give the CA itself: tlsock ca init makes one");
        return TLSOCK_E_PURPOSE;
    }
    /* RFC 5280, 4.2.1.3: without the extension it is not restricted */
    if ((X509_get_key_usage(c->leaf) & bit) == 0) {
        tsk_fail(err, TLSOCK_E_PURPOSE, "the CA \"%s\" may not sign %s: %s",
                 who, deed, "its key usage does not allow it");
        tsk_hint(err, "make the CA's certificate anew, with the key usage "
                      "cRLSign beside keyCertSign");
        return TLSOCK_E_PURPOSE;
    }
    return TLSOCK_OK;
}

int tsk_hex_integer(ASN1_INTEGER **out, const char *hex, const char *what,
                    tlsock_error *err)
{
    size_t n = strlen(hex);
    BIGNUM *bn = NULL;
    char shown[64];
    int ok;

    *out = NULL;
    ok = n > 0 && n <= 2 * TSK_SERIAL_MAX &&
         strspn(hex, "0123456789abcdefABCDEF") == n;
    if (ok && BN_hex2bn(&bn, hex) == 0)
        return tsk_fail_nomem(err);
    if (!ok || BN_num_bits(bn) > 8 * TSK_SERIAL_MAX - 1) {
        BN_free(bn);
        tsk_printable(shown, sizeof(shown), hex, n);
        tsk_fail(err, TLSOCK_E_ARGUMENT, "%s \"%s\" is not possible", what,
                 shown);
        tsk_hint(err, "write 1 to %d hex digits, of less than 2^159",
                 2 * TSK_SERIAL_MAX);
        return TLSOCK_E_ARGUMENT;
    }
    *out = BN_to_ASN1_INTEGER(bn, NULL);
    BN_free(bn);
    return *out != NULL ? TLSOCK_OK : tsk_fail_nomem(err);
}

int tsk_reason_known(int reason)
{
    return reason >= 0 && reason <= 10 && reason != 7;
}
