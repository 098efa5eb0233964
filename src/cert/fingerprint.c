#include "cert/cert.h"

#include "core/str.h"
#include "ossl/queue.h"

#include <stdio.h>
#include <string.h>

static const EVP_MD *digest_of(const char *algo)
{
    if (strcmp(algo, "sha256") == 0)
        return EVP_sha256();
    if (strcmp(algo, "sha384") == 0)
        return EVP_sha384();
    if (strcmp(algo, "sha512") == 0)
        return EVP_sha512();
    return strcmp(algo, "sha1") == 0 ? EVP_sha1() : NULL;
}

/* Hash of the SubjectPublicKeyInfo; 0: there is none, whose hash would match
 * any other keyless certificate */
static int hash_key(X509 *x, const EVP_MD *md, unsigned char *out,
                    unsigned *len)
{
    unsigned char *spki = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki), ok = 0;

    if (n > 0)
        ok = EVP_Digest(spki, (size_t)n, out, len, md, NULL);
    OPENSSL_free(spki);
    return ok;
}

int tsk_cert_fingerprint(X509 *x, const char *algo, int of_public_key,
                         char *out, size_t size)
{
    const EVP_MD *md = digest_of(algo);
    unsigned char hash[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1], text[2 * EVP_MAX_MD_SIZE + 32];
    unsigned n = 0;
    int ok, len, starved;

    if (size > 0)
        out[0] = '\0';
    if (md == NULL)
        return TLSOCK_E_ARGUMENT;
    tsk_ossl_enter();
    ok = of_public_key ? hash_key(x, md, hash, &n)
                       : X509_digest(x, md, hash, &n);
    starved = !ok && tsk_ossl_starved();
    tsk_ossl_leave();
    if (!ok)
        return starved ? TLSOCK_E_NOMEM : TLSOCK_E_CERT_INVALID;
    tsk_hex(hex, hash, n);
    len = snprintf(text, sizeof(text), "%s:%s%s", algo,
                   of_public_key ? "pub:" : "", hex);
    if (size == 0)
        return len;
    if ((size_t)len >= size) /* half a fingerprint is none */
        return TLSOCK_E_LIMIT;
    memcpy(out, text, (size_t)len + 1);
    return len;
}
