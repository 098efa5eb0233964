#include "verify/policy.h"

#include "cert/cert.h"
#include "core/date.h"
#include "core/str.h"
#include "ossl/queue.h"
#include "verify/chain.h"
#include "verify/dane.h"
#include "verify/host.h"
#include "verify/policy_pin.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* The CN that fitted, and the CA that may not sign it. */
static int cn_excluded(X509_STORE_CTX *ctx, const char *name, const char *cn,
                       X509 *ca, tlsock_error *err)
{
    char shown[96], by[96], subject[96];

    tsk_printable(shown, sizeof(shown), cn, strlen(cn));
    tsk_cert_short_name(ca, by, sizeof(by));
    tsk_cert_short_name(X509_STORE_CTX_get0_cert(ctx), subject,
                        sizeof(subject));
    tsk_fail(err, TLSOCK_E_NAME_MISMATCH,
             "the common name \"%s\" is one that \"%s\" above it may not sign: "
             "its name constraints leave it out",
             shown, by);
    tsk_facts(err, name, shown, subject);
    if (err != NULL)
        err->x509_code = X509_V_ERR_PERMITTED_VIOLATION;
    tsk_hint(err, "reissue the certificate with a subjectAltName, by a CA that "
                  "may sign it");
    return TLSOCK_E_NAME_MISMATCH;
}

static int match_name(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                      const char *name, tlsock_error *err)
{
    X509 *ca;
    char cn[256];
    int rc = tsk_host_judge(X509_STORE_CTX_get0_cert(ctx), name, req->scheme,
                            req->psl, cn, err);

    if (rc < 0 || cn[0] == '\0')
        return rc;
    ca = tsk_constraint_refuses_cn(X509_STORE_CTX_get0_chain(ctx), cn);
    return ca == NULL ? rc : cn_excluded(ctx, name, cn, ca, err);
}

static int check_name(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                      tlsock_error *err)
{
    int rc;

    if (req->name == NULL)
        return TLSOCK_OK;
    rc = req->name_rule != NULL
             ? req->name_rule(req->name_arg, req->name, ctx, err)
             : match_name(ctx, req, req->name, err);
    if (rc < 0)
        X509_STORE_CTX_set_error(ctx, rc == TLSOCK_E_NOMEM
                                          ? X509_V_ERR_OUT_OF_MEM
                                          : X509_V_ERR_HOSTNAME_MISMATCH);
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

/* DANE-TA vouches for the name its records were found at, too: RFC 7671, 7. */
static int name_of_records(X509_STORE_CTX *ctx,
                           const struct tsk_verify_req *req)
{
    struct tsk_dane_match m;

    return req->name_rule == NULL && tsk_dane_matched(req->dane, &m) &&
           m.usage == 2 &&
           match_name(ctx, req, req->dane->set->base, NULL) == TLSOCK_OK;
}

static int name_fits(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                     const struct tsk_verdict *verdict, tlsock_error *err)
{
    int rc;

    if (verdict->key_alone && req->name_rule == NULL) /* RFC 7671, 5.1 */
        return TLSOCK_OK;
    rc = check_name(ctx, req, err);
    if (rc == TLSOCK_E_NAME_MISMATCH && name_of_records(ctx, req))
        return TLSOCK_OK;
    return rc;
}

static void note_dane(const struct tsk_verify_req *req,
                      struct tsk_verdict *verdict)
{
    struct tsk_dane_match m;

    if (!tsk_dane_matched(req->dane, &m))
        return;
    verdict->key_alone = m.usage == 3;
    snprintf(verdict->dane, sizeof(verdict->dane), "%d %d %d", m.usage,
             m.selector, m.matching);
}

/* " by DANE-EE 3 1 1 (_443._tcp.host)" */
static void say_dane(const struct tsk_verify_req *req,
                     struct tsk_verdict *verdict, size_t *pos)
{
    struct tsk_dane_match m;

    if (tsk_dane_matched(req->dane, &m))
        tsk_append(verdict->verified, sizeof(verdict->verified), pos,
                   " by %s %s (%.72s)", tsk_tlsa_usage(m.usage), verdict->dane,
                   req->dane->set->owner);
}

static unsigned chain_words(const struct tsk_verify_req *req, int rc)
{
    if (rc == TLSOCK_E_NOMEM)
        return 0;
    return req->insecure &
           (rc == TLSOCK_E_DANE ? TSK_INSECURE_ALL
                                : TSK_INSECURE_NO_CHAIN | TSK_INSECURE_ALL);
}

/* A key that signs in the handshake has to be for that, whatever else the
 * purpose may be content with: RFC 5246, 7.4.2; RFC 8446, 4.4.2.2. */
static int may_sign(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                    tlsock_error *err)
{
    X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
    struct tsk_dane_match m;

    if (!req->signs || (X509_get_extension_flags(leaf) & EXFLAG_KUSAGE) == 0 ||
        (X509_get_key_usage(leaf) & X509v3_KU_DIGITAL_SIGNATURE) != 0)
        return TLSOCK_OK;
    if (tsk_dane_matched(req->dane, &m) && m.usage == 3)
        return TLSOCK_OK; /* its key alone counts: RFC 7671, 5.1 */
    X509_STORE_CTX_set_error(ctx, X509_V_ERR_INVALID_PURPOSE);
    X509_STORE_CTX_set_error_depth(ctx, 0);
    return tsk_explain_x509(ctx, req, err);
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

    if (rc == TLSOCK_OK)
        rc = may_sign(ctx, req, err);
    if (rc < 0) {
        run.forgiven = chain_words(req, rc);
        if (run.forgiven == 0)
            return rc;
    } else {
        note_dane(req, verdict);
        if (req->check_crls && !verdict->key_alone)
            verdict->crl_as_of = run.crl_as_of;
    }
    rc = name_fits(ctx, req, verdict, err);
    if (rc < 0) {
        unsigned bits =
            req->insecure & (TSK_INSECURE_NO_NAME | TSK_INSECURE_ALL);

        if (bits == 0 || rc == TLSOCK_E_NOMEM)
            return rc;
        run.forgiven |= bits;
    } else if (req->name == NULL && req->purpose == TLSOCK_PURPOSE_SERVER) {
        run.forgiven |= req->insecure & TSK_INSECURE_NO_NAME;
    }
    /* where nothing was insisted on, nothing was verified */
    run.forgiven |= req->insecure & TSK_INSECURE_ALL;
    tsk_append(verdict->verified, sizeof(verdict->verified), &pos, "%s",
               run.forgiven == 0 ? "chain" : "insecure");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (run.forgiven & words[i].bit)
            tsk_append(verdict->verified, sizeof(verdict->verified), &pos,
                       " %s", words[i].text);
    }
    if (run.forgiven == 0)
        say_dane(req, verdict, &pos);
    if (req->name != NULL && req->name_rule != NULL)
        tsk_append(verdict->verified, sizeof(verdict->verified), &pos,
                   " (name by hook)");
    return TLSOCK_OK;
}

static int decide(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                  struct tsk_verdict *verdict, tlsock_error *err)
{
    int rc, fit;

    /* Clients have no pins; a server's settings may name a mode all the same */
    if (req->pin_mode != TSK_PIN_ACCEPT && req->n_pins == 0 &&
        req->purpose != TLSOCK_PURPOSE_CLIENT)
        return tsk_pin_refuse(ctx, req, err);
    if (req->n_pins == 0)
        return chain_and_name(ctx, req, verdict, err);
    if (req->pin_mode == TSK_PIN_REQUIRE_CHAIN) {
        rc = chain_and_name(ctx, req, verdict, err);
        return rc < 0 ? rc : tsk_pin_on_top(ctx, req, verdict, err);
    }
    fit = tsk_pin_instead(ctx, req, verdict, err);
    if (fit > 0 && req->dane != NULL && req->dane->required)
        return chain_and_name(ctx, req, verdict, err);
    if (fit != 0)
        return fit < 0 ? fit : TLSOCK_OK;
    if (req->pin_mode == TSK_PIN_REQUIRE)
        return tsk_pin_refuse(ctx, req, err);
    rc = chain_and_name(ctx, req, verdict, err);
    if (rc < 0)
        tsk_pin_advise(ctx, req, err);
    return rc;
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
    if (tsk_date_system(req->time) != req->time) {
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_UNSPECIFIED);
        tsk_fail(err, TLSOCK_E_UNSUPPORTED,
                 "this system's time_t cannot tell that time, so OpenSSL "
                 "cannot verify as of then");
        tsk_hint(err, "give a time before 2038, or verify where time_t has 64 "
                      "bits");
        return TLSOCK_E_UNSUPPORTED;
    }
    tsk_ossl_enter(); /* for all that is asked of certificates on the way */
    rc = decide(ctx, req, verdict, err);
    if (rc == TLSOCK_OK && req->allow != NULL)
        rc = may_come_in(ctx, req, err);
    if (rc == TLSOCK_OK && !verdict->key_alone)
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
