/* What the lists say, or why they say nothing, for people. */
#include "cert/cert.h"
#include "core/mem.h"
#include "cert/text.h"
#include "ossl/ext.h"
#include "revoke/crl_private.h"

#include <stdio.h>

static const char *reason_text(int reason)
{
    static const char *const reasons[] = {
        "unspecified",        "keyCompromise", "cACompromise",
        "affiliationChanged", "superseded",    "cessationOfOperation",
        "certificateHold",    "(7)",           "removeFromCRL",
        "privilegeWithdrawn", "aACompromise",
    };

    if (reason < 0)
        return reasons[0];
    return reason < (int)(sizeof(reasons) / sizeof(reasons[0]))
               ? reasons[reason]
               : "unknown";
}

/* The common name of a CRL's issuer, or all of it. */
static void issuer_text(const struct tsk_crl *l, char *out, size_t size)
{
    struct tsk_text t = {0};
    char *text;

    tsk_text_cn(&t, l->issuer);
    text = tsk_text_take(&t);
    if (text != NULL && *text == '\0') {
        tsk_free(text);
        tsk_text_name(&t, l->issuer);
        text = tsk_text_take(&t);
    }
    snprintf(out, size, "%s", text != NULL ? text : "?");
    tsk_free(text);
}

static void fill_facts(const struct tsk_crl_ask *ask, int x509,
                       const char *name, tlsock_error *err)
{
    tsk_facts(err, NULL, NULL, name);
    if (err == NULL)
        return;
    err->x509_code = x509;
    err->x509_depth = ask->q->depth;
}

int64_t tsk_crl_entry_time(const struct tsk_crl_entry *e, char date[32])
{
    const unsigned char *p = e->when.p;
    ASN1_TIME *t = d2i_ASN1_TIME(NULL, &p, (long)tsk_tlv_len(&e->when));
    int64_t when = t != NULL ? tsk_cert_time(t) : INT64_MIN;

    snprintf(date, 32, "an unknown day");
    if (when != INT64_MIN)
        tsk_cert_date(t, date);
    ASN1_TIME_free(t);
    return when;
}

int tsk_crl_say_revoked(const struct tsk_crl_ask *ask, const struct tsk_crl *l,
                        const struct tsk_crl_entry *e, tlsock_error *err)
{
    char name[96], issuer[96], date[32];

    if (err == NULL)
        return TLSOCK_E_REVOKED;
    tsk_cert_short_name(ask->crt, name, sizeof(name));
    issuer_text(l, issuer, sizeof(issuer));
    (void)tsk_crl_entry_time(e, date);
    tsk_fail(err, TLSOCK_E_REVOKED,
             "the certificate \"%s\" was revoked on %s (%s), says the CRL of "
             "\"%s\"",
             name, date, reason_text(e->reason), issuer);
    tsk_hint(err, "whoever runs the peer needs a new certificate; do not trust "
                  "this one any more");
    fill_facts(ask, X509_V_ERR_CERT_REVOKED, name, err);
    return TLSOCK_E_REVOKED;
}

static void date_text(int64_t t, char out[32])
{
    ASN1_TIME *a = tsk_ossl_time(NULL, t);

    snprintf(out, 32, "an unknown day");
    if (a != NULL)
        tsk_cert_date(a, out);
    ASN1_TIME_free(a);
}

struct words {
    const char *name, *issuer;
    const struct tsk_crl *l;
};

static void say_missing(const struct words *w, int scope, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_REVOCATION_UNKNOWN,
             "there is no CRL of \"%s\" that would tell whether \"%s\" is "
             "revoked%s",
             w->issuer, w->name,
             scope ? ": the one that is there is for other certificates" : "");
    tsk_hint(err, "give it: tlsock_config_add_crl(), --crl FILE; every CA "
                  "of the chain needs one");
}

static void say_date(const struct words *w, int overdue, tlsock_error *err)
{
    char date[32];

    date_text(overdue ? w->l->until : w->l->since, date);
    tsk_fail(err, TLSOCK_E_REVOCATION_UNKNOWN,
             overdue ? "the CRL of \"%s\" was due to be renewed on %s, so it "
                       "does not tell whether \"%s\" is revoked"
                     : "the CRL of \"%s\" is valid from %s on, so it does not "
                       "tell whether \"%s\" is revoked",
             w->issuer, date, w->name);
    tsk_hint(err, "fetch the list anew and give it: "
                  "tlsock_config_add_crl(), --crl FILE");
}

static const char *fault_text(const struct tsk_crl *l, enum tsk_crl_fault fault)
{
    switch (fault) {
    case TSK_CRL_PARTIAL:
        return "it is about some reasons only, and there is none about the "
               "others";
    case TSK_CRL_UNUSABLE:
        return l->unusable;
    case TSK_CRL_WEAK:
        return "its signature is too weak (SHA-1, or a key of less than 112 "
               "bits)";
    case TSK_CRL_NO_SIGNER:
        return "whoever signed it has no certificate that leads to the same "
               "root";
    case TSK_CRL_NO_CRLSIGN:
        return "its signer's certificate does not allow that (key usage "
               "cRLSign)";
    default:
        return "its signature is wrong: forged, damaged, or of another key";
    }
}

static void say_unusable(const struct words *w, enum tsk_crl_fault fault,
                         tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_REVOCATION_UNKNOWN,
             "the CRL of \"%s\" cannot be used to tell whether \"%s\" is "
             "revoked: %s",
             w->issuer, w->name, fault_text(w->l, fault));
    if (fault == TSK_CRL_PARTIAL)
        tsk_hint(err, "give the lists of \"%.60s\" for all reasons", w->issuer);
    else
        tsk_hint(err,
                 "have \"%.60s\" make a list that it signs itself, as RFC "
                 "5280 asks for it",
                 w->issuer);
}

static int x509_code(enum tsk_crl_fault fault)
{
    static const int codes[] = {
        [TSK_CRL_MISSING] = X509_V_ERR_UNABLE_TO_GET_CRL,
        [TSK_CRL_SCOPE] = X509_V_ERR_DIFFERENT_CRL_SCOPE,
        [TSK_CRL_PARTIAL] = X509_V_ERR_DIFFERENT_CRL_SCOPE,
        [TSK_CRL_UNUSABLE] = X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION,
        [TSK_CRL_WEAK] = X509_V_ERR_CRL_SIGNATURE_FAILURE,
        [TSK_CRL_NO_SIGNER] = X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER,
        [TSK_CRL_NO_CRLSIGN] = X509_V_ERR_KEYUSAGE_NO_CRL_SIGN,
        [TSK_CRL_FORGED] = X509_V_ERR_CRL_SIGNATURE_FAILURE,
        [TSK_CRL_EARLY] = X509_V_ERR_CRL_NOT_YET_VALID,
        [TSK_CRL_OVERDUE] = X509_V_ERR_CRL_HAS_EXPIRED,
    };

    return codes[fault];
}

void tsk_crl_say_unknown(const struct tsk_crl_ask *ask, const struct tsk_crl *l,
                         enum tsk_crl_fault fault, tlsock_error *err)
{
    char name[96], issuer[96];
    struct words w = {name, issuer, l};

    if (err == NULL)
        return;
    tsk_cert_short_name(ask->crt, name, sizeof(name));
    if (l != NULL)
        issuer_text(l, issuer, sizeof(issuer));
    else
        tsk_cert_short_issuer(ask->crt, issuer, sizeof(issuer));
    if (fault == TSK_CRL_MISSING || fault == TSK_CRL_SCOPE)
        say_missing(&w, fault == TSK_CRL_SCOPE, err);
    else if (fault == TSK_CRL_OVERDUE || fault == TSK_CRL_EARLY)
        say_date(&w, fault == TSK_CRL_OVERDUE, err);
    else
        say_unusable(&w, fault, err);
    fill_facts(ask, x509_code(fault), name, err);
}
