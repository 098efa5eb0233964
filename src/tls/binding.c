#include "tls/binding.h"

#include "cert/cert.h"
#include "tls/identity.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

static int feed(EVP_MD_CTX *md, const void *data, size_t len)
{
    uint64_t n = len; /* so that parts that follow each other stay apart */

    return EVP_DigestUpdate(md, &n, sizeof(n)) &&
           (len == 0 || EVP_DigestUpdate(md, data, len));
}

static int feed_text(EVP_MD_CTX *md, const char *text)
{
    return text != NULL ? feed(md, text, strlen(text) + 1) : feed(md, "", 0);
}

static int protocol(EVP_MD_CTX *md, const struct tsk_settings *set)
{
    const int numbers[] = {set->tls_min, set->tls_max};

    return feed(md, numbers, sizeof(numbers)) && feed_text(md, set->ciphers) &&
           feed_text(md, set->ciphersuites) && feed_text(md, set->groups) &&
           feed_text(md, set->sigalgs) && feed(md, set->alpn, set->alpn_len);
}

static int verification(EVP_MD_CTX *md, const struct tsk_settings *set)
{
    const int numbers[] = {
        set->verify_depth, set->verify_purpose, set->partial_chain,   set->psl,
        set->pin_mode,     set->revocation,     set->revocation_soft, set->aia,
        set->dane,         set->raw_keys,       (int)set->insecure};
    static const int hooks[] = {TLSOCK_ON_VERIFY, TLSOCK_ON_STAPLE,
                                TLSOCK_ON_NAME};
    unsigned char there[3 + TSK_RULE_KINDS];

    for (int i = 0; i < 3; i++)
        there[i] = set->on[hooks[i]].call != NULL;
    for (int i = 0; i < TSK_RULE_KINDS; i++)
        there[3 + i] = set->policy[i] != NULL;
    return feed(md, numbers, sizeof(numbers)) &&
           feed(md, &set->verify_time, sizeof(set->verify_time)) &&
           feed_text(md, set->verify_scheme) &&
           feed_text(md, set->dane_anchor) &&
           feed_text(md, set->insecure_text) && feed(md, there, sizeof(there));
}

static int pins(EVP_MD_CTX *md, const struct tsk_settings *set)
{
    int ok = feed(md, &set->n_pins, sizeof(set->n_pins));

    for (size_t i = 0; ok && i < set->n_pins; i++) {
        const struct tsk_pin *pin = &set->pins[i];
        const int numbers[] = {pin->of_public_key, pin->algo};

        ok = feed(md, numbers, sizeof(numbers)) &&
             feed(md, pin->hash, sizeof(pin->hash));
    }
    return ok;
}

/* What nobody would have trusted any more, had it been there before. */
static int lists(EVP_MD_CTX *md, const struct tsk_settings *set)
{
    int ok = feed(md, &set->n_crls, sizeof(set->n_crls));
    uint8_t one[32];

    for (size_t i = 0; ok && i < set->n_crls; i++)
        ok = tsk_crls_digest(set->crls[i].crls, one) &&
             feed(md, one, sizeof(one));
    return ok;
}

/* The server knows the session as somebody's: not as another one's. */
static int identities(EVP_MD_CTX *md, const struct tsk_settings *set)
{
    int ok = feed(md, &set->n_identities, sizeof(set->n_identities));
    uint8_t one[EVP_MAX_MD_SIZE];
    unsigned int len = 0;

    for (size_t i = 0; ok && i < set->n_identities; i++) {
        const tlsock_cert *cert = tsk_identity_cert(&set->identities[i], NULL);

        ok = cert != NULL && X509_digest(cert->leaf, EVP_sha256(), one, &len) &&
             feed(md, one, len);
    }
    return ok;
}

static int keys(EVP_MD_CTX *md, const struct tsk_settings *set)
{
    int ok = feed(md, &set->n_psks, sizeof(set->n_psks));

    for (size_t i = 0; ok && i < set->n_psks; i++)
        ok = feed_text(md, set->psks[i].identity) &&
             feed(md, set->psks[i].key, set->psks[i].len);
    return ok;
}

static int trusted(EVP_MD_CTX *md, struct tsk_trust *trust)
{
    uint8_t all[32] = {0};

    return (trust == NULL || tsk_trust_digest(trust, 0, all)) &&
           feed(md, all, sizeof(all));
}

int tsk_binding(const struct tsk_settings *set, struct tsk_trust *trust,
                uint8_t out[32])
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
             feed_text(md, "tlsock session 1") && protocol(md, set) &&
             verification(md, set) && pins(md, set) && lists(md, set) &&
             identities(md, set) && keys(md, set) && trusted(md, trust) &&
             EVP_DigestFinal_ex(md, out, NULL);

    EVP_MD_CTX_free(md);
    return ok;
}
