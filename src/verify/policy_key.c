/* A peer that shows its key and no certificate (RFC 7250). Nothing but a pin
 * can say whose it is. */
#include "cert/cert.h"
#include "ossl/queue.h"
#include "verify/policy.h"

#include <stdio.h>
#include <string.h>

#define BITS_LEAST                                                             \
    112 /* as level 2 of OpenSSL, which certificates are held to */

static int matches(const struct tsk_verify_req *req, X509 *shell,
                   tlsock_error *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < req->n_pins; i++)
        if (req->pins[i].of_public_key)
            rc = tsk_pin_match(&req->pins[i], 1, shell, err);
    return rc;
}

static int refuse(const struct tsk_verify_req *req, const char *print,
                  tlsock_error *err)
{
    char pin[TSK_PIN_TEXT] = "";

    if (req->n_pins == 1)
        tsk_pin_text(&req->pins[0], pin, sizeof(pin));
    tsk_fail(err, TLSOCK_E_PIN, "%s the peer's raw public key, which is %s",
             req->n_pins == 1 ? "the pin does not fit"
                              : "none of the pins fits",
             print);
    tsk_facts(err, pin, print, "raw public key");
    tsk_hint(err,
             "if the peer changed its key on purpose, ask its owner for the "
             "new fingerprint and pin %s; if not, somebody is in between",
             print);
    return TLSOCK_E_PIN;
}

static int judge(X509 *shell, EVP_PKEY *key, const struct tsk_verify_req *req,
                 struct tsk_verdict *verdict, tlsock_error *err)
{
    char print[96];
    int rc = tsk_cert_fingerprint(shell, "sha256", 1, print, sizeof(print));

    if (rc < 0)
        return tsk_fail(err, rc, "cannot take the fingerprint of a key");
    rc = matches(req, shell, err);
    if (rc <= 0)
        return rc < 0 ? rc : refuse(req, print, err);
    if (EVP_PKEY_get_security_bits(key) < BITS_LEAST) {
        tsk_fail(err, TLSOCK_E_WEAK, "the peer's raw public key is too weak");
        tsk_hint(err, "it has to make one of at least 2048 bits (RSA) or 224 "
                      "bits (ECDSA); pin that one");
        return TLSOCK_E_WEAK;
    }
    snprintf(verdict->verified, sizeof(verdict->verified),
             "pin %s (raw public key)", print);
    return TLSOCK_OK;
}

int tsk_policy_key(X509_STORE_CTX *ctx, EVP_PKEY *key,
                   const struct tsk_verify_req *req,
                   struct tsk_verdict *verdict, tlsock_error *err)
{
    X509 *shell; /* what pins are held against is a certificate's */
    int rc;

    memset(verdict, 0, sizeof(*verdict));
    tsk_ossl_enter();
    shell = X509_new();
    if (shell != NULL && X509_set_pubkey(shell, key))
        rc = judge(shell, key, req, verdict, err);
    else
        rc = tsk_fail_ossl(err, TLSOCK_E_CERT_INVALID,
                           "the peer's raw public key cannot be used");
    X509_free(shell);
    tsk_ossl_leave();
    X509_STORE_CTX_set_error(ctx, rc == TLSOCK_OK ? X509_V_OK
                                  : rc == TLSOCK_E_NOMEM
                                      ? X509_V_ERR_OUT_OF_MEM
                                      : X509_V_ERR_APPLICATION_VERIFICATION);
    return rc;
}
