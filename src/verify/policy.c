#include "verify/policy.h"

#include "cert/cert.h"
#include "core/str.h"
#include "ossl/queue.h"
#include "verify/chain.h"
#include "verify/host.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

static int check_name(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                      tlsock_error *err)
{
    int rc;

    if (req->name == NULL)
        return TLSOCK_OK;
    rc = tsk_host_match(X509_STORE_CTX_get0_cert(ctx), req->name, req->scheme,
                        req->psl, err);
    if (rc < 0)
        X509_STORE_CTX_set_error(ctx, rc == TLSOCK_E_NOMEM
                                          ? X509_V_ERR_OUT_OF_MEM
                                          : X509_V_ERR_HOSTNAME_MISMATCH);
    return rc;
}

static int say_pin(X509 *crt, const struct tsk_verify_req *req,
                   struct tsk_verdict *verdict, tlsock_error *err)
{
    char print[96];
    int of_public_key = 0, rc;

    /* name the form that the user gave */
    for (size_t i = 0; i < req->n_pins; i++) {
        if (tsk_pin_match(&req->pins[i], 1, crt, NULL) == 1)
            of_public_key = req->pins[i].of_public_key;
    }
    rc = tsk_cert_fingerprint(crt, "sha256", of_public_key, print,
                              sizeof(print));
    if (rc < 0)
        return tsk_fail(err, rc, "cannot take the certificate's fingerprint");
    snprintf(verdict->verified, sizeof(verdict->verified), "pin %s", print);
    return TLSOCK_OK;
}

static int no_pin_fits(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                       tlsock_error *err)
{
    X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
    char print[96] = "", name[96];

    X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
    if (err == NULL)
        return TLSOCK_E_PIN;
    tsk_cert_short_name(leaf, name, sizeof(name));
    (void)tsk_cert_fingerprint(leaf, "sha256", 0, print, sizeof(print));
    if (req->n_pins == 0)
        tsk_fail(err, TLSOCK_E_PIN, "pin.mode wants a pin, but there is none");
    else
        tsk_fail(err, TLSOCK_E_PIN,
                 "%s fits the certificate of \"%s\", which "
                 "has %s",
                 req->n_pins == 1 ? "the pin does not" : "none of the pins",
                 name, print);
    tsk_facts(err, NULL, print, name);
    err->x509_code = X509_V_ERR_APPLICATION_VERIFICATION;
    tsk_hint(err,
             "if the peer changed its certificate on purpose, ask its "
             "owner for the new fingerprint and pin %s; if not, somebody "
             "is in between",
             print);
    return TLSOCK_E_PIN;
}

/* 1 if a pin fits the leaf, or with whole_chain any certificate in it. */
static int pins_fit(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                    int whole_chain, X509 **which, tlsock_error *err)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    int rc;

    *which = X509_STORE_CTX_get0_cert(ctx);
    rc = tsk_pin_match(req->pins, req->n_pins, *which, err);
    for (int i = 1; whole_chain && rc == 0 && i < sk_X509_num(chain); i++) {
        *which = sk_X509_value(chain, i);
        rc = tsk_pin_match(req->pins, req->n_pins, *which, err);
    }
    return rc;
}

static int64_t first_end(X509_STORE_CTX *ctx)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    int64_t first =
        tsk_cert_time(X509_get0_notAfter(X509_STORE_CTX_get0_cert(ctx)));

    for (int i = 1; i < sk_X509_num(chain); i++) {
        int64_t t = tsk_cert_time(X509_get0_notAfter(sk_X509_value(chain, i)));

        if (t < first)
            first = t;
    }
    return first;
}

/* The oldest list that was asked: what it says is as old as that. */
static int64_t crl_time(X509_STORE_CTX *ctx, const struct tsk_verify_req *req)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    int64_t oldest = 0;

    for (int i = 0; i < sk_X509_CRL_num(req->crls); i++) {
        X509_CRL *crl = sk_X509_CRL_value(req->crls, i);
        int64_t t = tsk_cert_time(X509_CRL_get0_lastUpdate(crl));

        for (int k = 0; k < sk_X509_num(chain); k++) {
            if (X509_NAME_cmp(X509_CRL_get_issuer(crl),
                              X509_get_issuer_name(sk_X509_value(chain, k))) ==
                    0 &&
                (oldest == 0 || t < oldest))
                oldest = t;
        }
    }
    return oldest;
}

/* Chain and name, minus what the user chose to do without. */
static int chain_and_name(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                          struct tsk_verdict *verdict, tlsock_error *err)
{
    static const struct {
        unsigned bit;
        const char *text;
    } words[] = {
        {TSK_INSECURE_ALL, "all"},
        {TSK_INSECURE_NO_CHAIN, "no-chain"},
        {TSK_INSECURE_NO_NAME, "no-name"},
        {TSK_INSECURE_EXPIRED, "expired"},
        {TSK_INSECURE_SELF_SIGNED, "self-signed"},
    };
    struct tsk_chain_run run = {.req = req};
    size_t pos = 0;
    int rc = tsk_chain_verify(ctx, &run, err);

    if (rc < 0) {
        run.forgiven =
            req->insecure & (TSK_INSECURE_NO_CHAIN | TSK_INSECURE_ALL);
        if (run.forgiven == 0 || rc == TLSOCK_E_NOMEM)
            return rc;
    }
    if (rc == TLSOCK_OK && req->check_crls)
        verdict->crl_as_of = crl_time(ctx, req);
    rc = check_name(ctx, req, err);
    if (rc < 0) {
        unsigned bits =
            req->insecure & (TSK_INSECURE_NO_NAME | TSK_INSECURE_ALL);

        if (bits == 0 || rc == TLSOCK_E_NOMEM)
            return rc;
        run.forgiven |= bits;
    } else if (req->name == NULL && req->purpose == TLSOCK_PURPOSE_SERVER) {
        run.forgiven |= req->insecure & TSK_INSECURE_NO_NAME;
    }
    tsk_append(verdict->verified, sizeof(verdict->verified), &pos, "%s",
               run.forgiven == 0 ? "chain" : "insecure");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (run.forgiven & words[i].bit)
            tsk_append(verdict->verified, sizeof(verdict->verified), &pos,
                       " %s", words[i].text);
    }
    return TLSOCK_OK;
}

static int decide(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                  struct tsk_verdict *verdict, tlsock_error *err)
{
    X509 *which = NULL;
    int rc, fit = 0;

    /* Clients have no pins; a server's settings may name a mode all the same */
    if (req->pin_mode != TSK_PIN_ACCEPT && req->n_pins == 0 &&
        req->purpose != TLSOCK_PURPOSE_CLIENT)
        return no_pin_fits(ctx, req, err);
    if (req->n_pins > 0 && req->pin_mode != TSK_PIN_REQUIRE_CHAIN) {
        fit = pins_fit(ctx, req, 0, &which, err);
        if (fit < 0)
            return fit;
        if (fit)
            return say_pin(which, req, verdict, err);
        if (req->pin_mode == TSK_PIN_REQUIRE)
            return no_pin_fits(ctx, req, err);
    }
    rc = chain_and_name(ctx, req, verdict, err);
    if (rc < 0 || req->n_pins == 0 || req->pin_mode != TSK_PIN_REQUIRE_CHAIN)
        return rc;
    fit = pins_fit(ctx, req, 1, &which, err);
    return fit > 0 ? TLSOCK_OK : fit < 0 ? fit : no_pin_fits(ctx, req, err);
}

/* Last of all: names in a certificate that nobody vouches for are nothing to
 * go by. libssl makes certificate_unknown of an error that it has no alert for
 * (RFC 8446, 6.2: "some other issue ... rendering it unacceptable"); it cannot
 * be told to send access_denied. */
static int may_come_in(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                       tlsock_error *err)
{
    int rc =
        tsk_allow_check(req->allow, X509_STORE_CTX_get0_cert(ctx), err);

    if (rc == TLSOCK_E_CLIENT_CERT_DENIED) {
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_PERMITTED_VIOLATION);
        if (err != NULL)
            err->x509_code = X509_V_ERR_APPLICATION_VERIFICATION;
    }
    return rc;
}

int tsk_policy_verify(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                      struct tsk_verdict *verdict, tlsock_error *err)
{
    int rc;

    memset(verdict, 0, sizeof(*verdict));
    if (X509_STORE_CTX_get0_cert(ctx) == NULL) {
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_UNSPECIFIED);
        return tsk_fail(err, TLSOCK_E_CERT_INVALID,
                        "the peer sent no certificate");
    }
    tsk_ossl_enter(); /* for all that is asked of certificates on the way */
    rc = decide(ctx, req, verdict, err);
    if (rc == TLSOCK_OK && req->allow != NULL)
        rc = may_come_in(ctx, req, err);
    if (rc == TLSOCK_OK)
        verdict->expires = first_end(ctx);
    tsk_ossl_leave();
    if (rc < 0) {
        memset(verdict, 0, sizeof(*verdict));
        if (X509_STORE_CTX_get_error(ctx) == X509_V_OK)
            X509_STORE_CTX_set_error(ctx, rc == TLSOCK_E_NOMEM
                                              ? X509_V_ERR_OUT_OF_MEM
                                              : X509_V_ERR_UNSPECIFIED);
        return rc;
    }
    tsk_clear(err); /* a fault that was forgiven is none */
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return TLSOCK_OK;
}
