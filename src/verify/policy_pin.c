#include "verify/policy_pin.h"

#include "cert/cert.h"
#include "core/str.h"
#include "verify/chain.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* In the form that the user gave, but for its hash: SHA-256 is what everybody
 * shows. */
static int print_of(X509 *crt, const struct tsk_verify_req *req, char print[96],
                    tlsock_error *err)
{
    int of_public_key = req->n_pins == 1 && req->pins[0].of_public_key, rc;

    for (size_t i = 0; i < req->n_pins; i++) {
        if (tsk_pin_match(&req->pins[i], 1, crt, NULL) == 1)
            of_public_key = req->pins[i].of_public_key;
    }
    rc = tsk_cert_fingerprint(crt, "sha256", of_public_key, print, 96);
    return rc >= 0
               ? TLSOCK_OK
               : tsk_fail(err, rc, "cannot take the certificate's fingerprint");
}

int tsk_pin_instead(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                    struct tsk_verdict *verdict, tlsock_error *err)
{
    X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
    char print[96];
    int rc = tsk_pin_match(req->pins, req->n_pins, leaf, err);

    if (rc <= 0)
        return rc;
    rc = print_of(leaf, req, print, err);
    if (rc < 0)
        return rc;
    snprintf(verdict->verified, sizeof(verdict->verified), "pin %s", print);
    return 1;
}

int tsk_pin_on_top(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                   struct tsk_verdict *verdict, tlsock_error *err)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    X509 *which = X509_STORE_CTX_get0_cert(ctx);
    size_t pos = strlen(verdict->verified);
    char print[96];
    int rc = tsk_pin_match(req->pins, req->n_pins, which, err);

    for (int i = 1; rc == 0 && i < sk_X509_num(chain); i++) {
        which = sk_X509_value(chain, i);
        rc = tsk_pin_match(req->pins, req->n_pins, which, err);
    }
    if (rc <= 0)
        return rc < 0 ? rc : tsk_pin_refuse(ctx, req, err);
    rc = print_of(which, req, print, err);
    if (rc == TLSOCK_OK)
        tsk_append(verdict->verified, sizeof(verdict->verified), &pos,
                   " and pin %s", print);
    return rc;
}

static X509 *pinned_in(STACK_OF(X509) * certs, const struct tsk_verify_req *req,
                       X509 *leaf)
{
    for (int i = 0; i < sk_X509_num(certs) && i < TSK_PATH_CERTS; i++) {
        X509 *at = sk_X509_value(certs, i);

        if (at != leaf && X509_cmp(at, leaf) != 0 &&
            tsk_pin_match(req->pins, req->n_pins, at, NULL) == 1)
            return at;
    }
    return NULL;
}

/* Some issuer that a pin is of: one that was sent, or that a path leads to. */
static X509 *pinned_issuer(X509_STORE_CTX *ctx,
                           const struct tsk_verify_req *req)
{
    X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
    struct tsk_chain_run run = {.req = req};
    X509 *found = pinned_in(X509_STORE_CTX_get0_untrusted(ctx), req, leaf);

    if (found != NULL)
        return found;
    if (X509_STORE_CTX_get0_chain(ctx) == NULL) /* no path was asked for yet */
        (void)tsk_chain_verify(ctx, &run, NULL);
    return pinned_in(X509_STORE_CTX_get0_chain(ctx), req, leaf);
}

static int is_root(X509 *crt)
{
    return (X509_get_extension_flags(crt) & EXFLAG_SS) != 0;
}

/* Not in require-chain: there, an issuer's pin would have counted. */
void tsk_pin_advise(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                    tlsock_error *err)
{
    int kept = X509_STORE_CTX_get_error(ctx);
    X509 *issuer;
    char print[96] = "", name[96];

    if (err == NULL || req->pin_mode == TSK_PIN_REQUIRE_CHAIN)
        return;
    issuer = pinned_issuer(ctx, req);
    X509_STORE_CTX_set_error(ctx, kept);
    if (issuer == NULL)
        return;
    tsk_cert_short_name(issuer, name, sizeof(name));
    (void)tsk_cert_fingerprint(X509_STORE_CTX_get0_cert(ctx), "sha256", 0,
                               print, sizeof(print));
    tsk_hint(err,
             "the pin is of the %s \"%.40s\": set pin.mode = require-chain, "
             "or trust it (--ca +FILE); the peer's own is %s",
             is_root(issuer) ? "CA" : "intermediate", name, print);
}

int tsk_pin_refuse(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                   tlsock_error *err)
{
    X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
    char print[96] = "", name[96], pin[TSK_PIN_TEXT] = "";

    X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
    if (err == NULL)
        return TLSOCK_E_PIN;
    tsk_cert_short_name(leaf, name, sizeof(name));
    (void)print_of(leaf, req, print, NULL);
    if (req->n_pins == 1)
        tsk_pin_text(&req->pins[0], pin, sizeof(pin));
    if (req->n_pins == 0)
        tsk_fail(err, TLSOCK_E_PIN, "pin.mode wants a pin, but there is none");
    else
        tsk_fail(err, TLSOCK_E_PIN,
                 "%s the certificate of \"%s\", which "
                 "has %s",
                 req->n_pins == 1 ? "the pin does not fit"
                                  : "none of the pins fits",
                 name, print);
    tsk_facts(err, pin, print, name);
    err->x509_code = X509_V_ERR_APPLICATION_VERIFICATION;
    tsk_hint(err,
             "if the peer changed its certificate on purpose, ask its "
             "owner for the new fingerprint and pin %s; if not, somebody "
             "is in between",
             print);
    if (req->n_pins != 0)
        tsk_pin_advise(ctx, req, err);
    return TLSOCK_E_PIN;
}
