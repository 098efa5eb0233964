/* Whether the certificate has been called back: lists, responders, staples. */
#include "matrix.h"

#define VERIFY .phase = TLSOCK_PHASE_VERIFY
#define REVOKED .want = TLSOCK_E_REVOKED, VERIFY
#define UNKNOWN .want = TLSOCK_E_REVOCATION_UNKNOWN, VERIFY
#define STAPLE .want = TLSOCK_E_STAPLE, VERIFY
#define MUST .want = TLSOCK_E_MUST_STAPLE, VERIFY

#define BY_CRL .group = "CRL", .set = "revocation=crl"
#define CRL_SET .group = "CRL", .set = "revocation=crl;"
#define BY_OCSP .group = "OCSP", .set = "revocation=ocsp"
#define OCSP_SET .group = "OCSP", .set = "revocation=ocsp;"
#define SOFT "revocation.fail=soft"
#define BY_STAPLE .group = "staple"
#define SHORT "revocation.timeout=200ms"
#define FEATURE .leaf = {.more = "tlsfeature=status_request"}

const struct mx_row mx_rows_revoke[] = {
    {BY_CRL, .name = "good", .want = TLSOCK_OK, .crl = {MX_GOOD}},
    {BY_CRL, .name = "good, in chunks", .want = TLSOCK_OK,
     .crl = {MX_GOOD, .how = HTTPD_CHUNKED}},
    {BY_CRL, .name = "revoked", REVOKED, .tells = "a.test",
     .crl = {MX_REVOKED}},
    {BY_CRL, .name = "the intermediate is revoked", REVOKED,
     .tells = "Matrix Inter", .crl = {MX_GOOD}, .root_crl = {MX_REVOKED}},
    {BY_CRL, .name = "overdue", UNKNOWN, .crl = {MX_OLD}},
    {BY_CRL, .name = "of tomorrow", UNKNOWN, .crl = {MX_FUTURE}},
    {BY_CRL, .name = "forged with the issuer's name", UNKNOWN,
     .crl = {MX_FORGED}},
    {BY_CRL, .name = "one bit of its signature", UNKNOWN,
     .crl = {MX_FLIPPED}},
    {BY_CRL, .name = "of another CA", UNKNOWN, .crl = {MX_OTHER}},
    {BY_CRL, .name = "garbage", UNKNOWN, .crl = {MX_GARBAGE}},
    {BY_CRL, .name = "none is named", UNKNOWN, .ocsp = {MX_GOOD}},
    {BY_CRL, .name = "404", UNKNOWN, .tells = "404",
     .crl = {MX_GOOD, .status = 404}},
    {CRL_SET SOFT, .name = "500, and failing is soft", .want = TLSOCK_OK,
     .crl = {MX_GOOD, .status = 500}},
    {CRL_SET SOFT, .name = "revoked, and failing is soft", REVOKED,
     .crl = {MX_REVOKED}},
    {BY_CRL, .name = "redirected in a circle", UNKNOWN,
     .crl = {MX_GOOD, .status = 302, .fields = "Location: /leaf.crl\r\n"}},
    {BY_CRL, .name = "cut off", UNKNOWN,
     .crl = {MX_GOOD, .how = HTTPD_EARLY}},
    {BY_CRL, .name = "reset", UNKNOWN, .crl = {MX_GOOD, .how = HTTPD_RESET}},
    {CRL_SET SHORT, .name = "a server that is silent", UNKNOWN,
     .crl = {MX_GOOD, .how = HTTPD_SILENT}},
    {CRL_SET SHORT, .name = "a server that drips", UNKNOWN,
     .crl = {MX_GOOD, .how = HTTPD_DRIP}},
    {CRL_SET "revocation.timeout=2s", .name = "a list without end", UNKNOWN,
     .timeout_ms = 15000, .crl = {MX_GOOD, .how = HTTPD_ENDLESS}},
    {BY_CRL, .name = "a server that outlasts the whole budget",
     .want = TLSOCK_E_TIMEOUT, .crl = {MX_GOOD, .how = HTTPD_SILENT},
     .timeout_ms = 1000},

    {BY_OCSP, .name = "good", .want = TLSOCK_OK, .ocsp = {MX_GOOD}},
    {BY_OCSP, .name = "good, by an appointed responder", .want = TLSOCK_OK,
     .ocsp = {MX_DELEGATE}},
    {BY_OCSP, .name = "revoked", REVOKED, .tells = "a.test",
     .ocsp = {MX_REVOKED}},
    {BY_OCSP, .name = "unknown", UNKNOWN, .ocsp = {MX_UNKNOWN}},
    {BY_OCSP, .name = "try later", UNKNOWN, .ocsp = {MX_TRY_LATER}},
    {OCSP_SET SOFT, .name = "try later, and failing is soft", .want = TLSOCK_OK,
     .ocsp = {MX_TRY_LATER}},
    {BY_OCSP, .name = "expired", UNKNOWN, .tells = "expired",
     .ocsp = {MX_OLD}},
    {BY_OCSP, .name = "of tomorrow", UNKNOWN, .ocsp = {MX_FUTURE}},
    {BY_OCSP, .name = "forged with the issuer's name", UNKNOWN,
     .ocsp = {MX_FORGED}},
    {BY_OCSP, .name = "one bit of its signature", UNKNOWN,
     .ocsp = {MX_FLIPPED}},
    {BY_OCSP, .name = "by a responder of another CA", UNKNOWN,
     .ocsp = {MX_STRANGER}},
    {BY_OCSP, .name = "by a certificate that is not for OCSP", UNKNOWN,
     .ocsp = {MX_NO_EKU}},
    {BY_OCSP, .name = "about another certificate", UNKNOWN,
     .ocsp = {MX_OTHER}},
    {BY_OCSP, .name = "garbage", UNKNOWN, .ocsp = {MX_GARBAGE}},
    {BY_OCSP, .name = "500", UNKNOWN, .tells = "500",
     .ocsp = {MX_GOOD, .status = 500}},
    {BY_OCSP, .name = "no responder is named", UNKNOWN, .crl = {MX_GOOD}},
    {OCSP_SET SHORT, .name = "a responder that is silent", UNKNOWN,
     .ocsp = {MX_GOOD, .how = HTTPD_SILENT}},

    {BY_STAPLE, .name = "good", .want = TLSOCK_OK, .staple = {MX_GOOD}},
    {BY_STAPLE, .name = "good, by an appointed responder", .want = TLSOCK_OK,
     .staple = {MX_DELEGATE}},
    {BY_STAPLE, .name = "good and promised", .want = TLSOCK_OK,
     FEATURE, .staple = {MX_GOOD}},
    {BY_STAPLE, .name = "promised, not sent", MUST, FEATURE},
    {BY_STAPLE, .name = "wanted, not sent", MUST,
     .set = "revocation=must-staple"},
    {BY_STAPLE, .name = "revoked", REVOKED, .staple = {MX_REVOKED}},
    {BY_STAPLE, .name = "unknown", STAPLE, .staple = {MX_UNKNOWN}},
    {BY_STAPLE, .name = "expired: of before the revocation, replayed", STAPLE,
     .tells = "expired", .staple = {MX_OLD}},
    {BY_STAPLE, .name = "of tomorrow", STAPLE, .staple = {MX_FUTURE}},
    {BY_STAPLE, .name = "forged with the issuer's name", STAPLE,
     .staple = {MX_FORGED}},
    {BY_STAPLE, .name = "one bit of its signature", STAPLE,
     .staple = {MX_FLIPPED}},
    {BY_STAPLE, .name = "by a responder of another CA", STAPLE,
     .staple = {MX_STRANGER}},
    {BY_STAPLE, .name = "by a certificate that is not for OCSP", STAPLE,
     .staple = {MX_NO_EKU}},
    {BY_STAPLE, .name = "about another certificate", STAPLE,
     .staple = {MX_OTHER}},
    {BY_STAPLE, .name = "try later", STAPLE, .staple = {MX_TRY_LATER}},
    {BY_STAPLE, .name = "garbage", STAPLE, .staple = {MX_GARBAGE}},
};

const size_t mx_n_revoke = COUNT(mx_rows_revoke);
