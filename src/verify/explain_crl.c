/* What the lists say, or why they say nothing. */
#include "cert/cert.h"
#include "core/clock.h"
#include "verify/explain.h"

#include <openssl/x509v3.h>
#include <stdio.h>

int tsk_explain_is_crl(int x509)
{
    switch (x509) {
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
        return 1;
    default:
        return 0;
    }
}

static const char *reason_text(X509_REVOKED *r)
{
    static const char *const reasons[] = {
        "unspecified",        "keyCompromise", "cACompromise",
        "affiliationChanged", "superseded",    "cessationOfOperation",
        "certificateHold",    "(7)",           "removeFromCRL",
        "privilegeWithdrawn", "aACompromise",
    };
    ASN1_ENUMERATED *e =
        X509_REVOKED_get_ext_d2i(r, NID_crl_reason, NULL, NULL);
    long n = e != NULL ? ASN1_ENUMERATED_get(e) : 0;

    ASN1_ENUMERATED_free(e);
    return n >= 0 && n < (long)(sizeof(reasons) / sizeof(reasons[0]))
               ? reasons[n]
               : "unknown";
}

static int speaks_of(const X509_CRL *crl, const X509 *crt)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(crt)) ==
           0;
}

static X509_REVOKED *find_entry(STACK_OF(X509_CRL) * crls, X509 *crt)
{
    X509_REVOKED *entry = NULL;

    for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
        X509_CRL *crl = sk_X509_CRL_value(crls, i);

        if (speaks_of(crl, crt) && X509_CRL_get0_by_cert(crl, &entry, crt) > 0)
            return entry;
    }
    return NULL;
}

void tsk_explain_revoked(STACK_OF(X509_CRL) * crls, X509 *crt, const char *name,
                         const char *issuer, tlsock_error *err)
{
    X509_REVOKED *entry = find_entry(crls, crt);
    char date[32] = "an unknown day";
    const char *why = "unspecified";

    if (entry != NULL) {
        tsk_cert_date(X509_REVOKED_get0_revocationDate(entry), date);
        why = reason_text(entry);
    }
    tsk_fail(err, TLSOCK_E_REVOKED,
             "the certificate \"%s\" was revoked on %s (%s), says the CRL of "
             "\"%s\"",
             name, date, why, issuer);
    tsk_hint(err, "whoever runs the peer needs a new certificate; do not trust "
                  "this one any more");
}

/* When the list in question ends, or begins. */
static void date_of(STACK_OF(X509_CRL) * crls, X509 *crt, int ends,
                    char date[32])
{
    snprintf(date, 32, "an unknown day");
    for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
        X509_CRL *crl = sk_X509_CRL_value(crls, i);

        if (speaks_of(crl, crt)) {
            tsk_cert_date(ends ? X509_CRL_get0_nextUpdate(crl)
                               : X509_CRL_get0_lastUpdate(crl),
                          date);
            return;
        }
    }
}

void tsk_explain_no_crl(STACK_OF(X509_CRL) * crls, X509 *crt, int x509,
                        const char *name, const char *issuer, tlsock_error *err)
{
    char date[32];

    switch (x509) {
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
        date_of(crls, crt, x509 == X509_V_ERR_CRL_HAS_EXPIRED, date);
        tsk_fail(err, TLSOCK_E_REVOCATION_UNKNOWN,
                 x509 == X509_V_ERR_CRL_HAS_EXPIRED
                     ? "the CRL of \"%s\" was due to be renewed on %s, so it "
                       "does not tell whether \"%s\" is revoked"
                     : "the CRL of \"%s\" is valid from %s on, so it does not "
                       "tell whether \"%s\" is revoked",
                 issuer, date, name);
        tsk_hint(err, "fetch the list anew and give it: "
                      "tlsock_config_add_crl(), --crl FILE");
        return;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
        tsk_fail(err, TLSOCK_E_REVOCATION_UNKNOWN,
                 "there is no CRL of \"%s\" that would tell whether \"%s\" is "
                 "revoked",
                 issuer, name);
        tsk_hint(err, "give it: tlsock_config_add_crl(), --crl FILE; every CA "
                      "of the chain needs one");
        return;
    default:
        tsk_fail(err, TLSOCK_E_REVOCATION_UNKNOWN,
                 "the CRL of \"%s\" cannot be used to tell whether \"%s\" is "
                 "revoked: %s",
                 issuer, name, X509_verify_cert_error_string(x509));
        tsk_hint(err,
                 "have \"%.60s\" make a list that it signs itself, as RFC "
                 "5280 asks for it",
                 issuer);
    }
}
