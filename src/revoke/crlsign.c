/* Is a list signed by one who may? Each key that signed it is remembered with
 * the list, so that a second question costs no signature. */
#include "ossl/queue.h"
#include "revoke/crl_private.h"
#include "revoke/strong.h"

#include <openssl/evp.h>
#include <string.h>

static int key_digest(X509 *signer, uint8_t out[32])
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(signer), &der);
    int ok = len > 0 &&
             EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL) == 1;

    OPENSSL_free(der);
    return ok;
}

static int remembered(struct tsk_crl *l, const uint8_t digest[32])
{
    int n = atomic_load_explicit(&l->n_keys, memory_order_acquire);

    for (int i = 0; i < n; i++)
        if (memcmp(l->keys[i], digest, 32) == 0)
            return 1;
    return 0;
}

/* Under the lock; a list signed by more keys than that is asked anew. What is
 * not good is not remembered: it might have been for want of memory, of which
 * OpenSSL does not always tell. */
static void remember(struct tsk_crl *l, const uint8_t digest[32])
{
    int n = atomic_load_explicit(&l->n_keys, memory_order_relaxed);

    if (n == TSK_CRL_KEYS)
        return;
    memcpy(l->keys[n], digest, 32);
    atomic_store_explicit(&l->n_keys, n + 1, memory_order_release);
}

/* 1 good, 0 not, -1 no memory. As a value of any type the bytes that are
 * signed are encoded as they are. Where OpenSSL has no memory on the way, it
 * often tells nothing but no; so a no has to be said twice: a delta would be left
 * out for it. */
static int verify(const struct tsk_crl *l, X509 *signer)
{
    EVP_PKEY *key = X509_get0_pubkey(signer);
    ASN1_STRING *bytes = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
    ASN1_TYPE any = {.type = V_ASN1_SEQUENCE};
    int rc = -1;

    if (bytes != NULL &&
        ASN1_STRING_set(bytes, l->tbs.p, (int)tsk_tlv_len(&l->tbs))) {
        any.value.sequence = bytes;
        rc = 0;
        for (int times = 0; key != NULL && rc != 1 && times < 2; times++)
            rc = ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), l->alg,
                                  l->signature, &any, key);
        if (rc != 1)
            rc = tsk_ossl_starved() ? -1 : 0;
    }
    ASN1_STRING_free(bytes);
    return rc;
}

static int verify_once(struct tsk_crl *l, X509 *signer,
                       const uint8_t digest[32])
{
    int good;

    pthread_mutex_lock(&l->lock); /* who waits would do the same work */
    good = remembered(l, digest);
    if (!good) {
        tsk_ossl_enter();
        good = verify(l, signer);
        tsk_ossl_leave();
        if (good > 0)
            remember(l, digest);
    }
    pthread_mutex_unlock(&l->lock);
    return good;
}

enum tsk_crl_fault tsk_crl_signed_by(struct tsk_crl *l, X509 *signer)
{
    uint8_t digest[32];
    int good;

    if (!key_digest(signer, digest))
        return TSK_CRL_STARVED;
    good = remembered(l, digest) ? 1 : verify_once(l, signer, digest);
    return good < 0 ? TSK_CRL_STARVED : good ? TSK_CRL_FINE : TSK_CRL_FORGED;
}

/* Has this one signed it, and may it? The cheap questions come first. */
static enum tsk_crl_fault ask_one(struct tsk_crl *l, X509 *x)
{
    if (X509_check_akid(x, l->akid) != X509_V_OK)
        return TSK_CRL_NO_SIGNER;
    if ((X509_get_key_usage(x) & KU_CRL_SIGN) == 0)
        return TSK_CRL_NO_CRLSIGN;
    if (l->weak ||
        EVP_PKEY_get_security_bits(X509_get0_pubkey(x)) < TSK_STRONG_BITS)
        return TSK_CRL_WEAK;
    return tsk_crl_signed_by(l, x);
}

static int is_named(const struct tsk_crl *l, X509 *x)
{
    return X509_NAME_cmp(X509_get_subject_name(x), l->issuer) == 0;
}

/* Any other of that name will do as well; else the fault of the one that came
 * nearest. */
static enum tsk_crl_fault ask_others(struct tsk_crl_ask *ask, struct tsk_crl *l,
                                     X509 **signer, enum tsk_crl_fault nearest)
{
    X509 *more[TSK_CRL_SIGNERS];
    int n = tsk_crl_signers(ask, l, more);
    enum tsk_crl_fault fault = n < 0 ? TSK_CRL_STARVED : nearest;

    for (int i = 0; i < n; i++) {
        enum tsk_crl_fault next =
            *signer == NULL ? ask_one(l, more[i]) : TSK_CRL_FINE;

        if (next == TSK_CRL_FINE && *signer == NULL)
            *signer = more[i];
        else
            X509_free(more[i]);
        fault = next > fault ? next : fault;
    }
    return *signer != NULL ? TSK_CRL_FINE : fault;
}

enum tsk_crl_fault tsk_crl_signer(struct tsk_crl_ask *ask, struct tsk_crl *l,
                                  X509 **signer)
{
    enum tsk_crl_fault fault = TSK_CRL_NO_SIGNER;

    *signer = NULL;
    if (is_named(l, ask->issuer))
        fault = ask_one(l, ask->issuer);
    if (fault == TSK_CRL_STARVED)
        return fault;
    if (fault != TSK_CRL_FINE)
        return ask_others(ask, l, signer, fault);
    X509_up_ref(ask->issuer);
    *signer = ask->issuer;
    return fault;
}
