/* A server refuses our certificate, or that we have none: what it says, in
 * one byte, and what we know of that certificate ourselves, made one reason.
 * In TLS 1.2 it comes within the handshake, in TLS 1.3 with the first read or
 * write after it (RFC 8446, 4.4.2.4, 6.2). */
#include "cert/cert.h"
#include "core/str.h"
#include "tls/conn.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define ALWAYS 1 /* it is about client certificates, and nothing else */

static const struct reason {
    int alert, code, about;
    const char *fix; /* if we know no better */
} reasons[] = {
    {SSL_AD_CERTIFICATE_REQUIRED, TLSOCK_E_CLIENT_CERT_REQUIRED, ALWAYS,
     "the server wants another certificate"},
    {SSL_AD_HANDSHAKE_FAILURE, TLSOCK_E_CLIENT_CERT_REQUIRED, 0,
     "the server's log says why; it may take other certificates only"},
    {SSL_AD_BAD_CERTIFICATE, TLSOCK_E_CLIENT_CERT_REQUIRED, 0,
     "it is damaged, or not what the server's rules ask for: its log says why"},
    {SSL_AD_UNKNOWN_CA, TLSOCK_E_CLIENT_CERT_REQUIRED, 0,
     "use one that is issued by a CA that the server trusts; or our file "
     "lacks the intermediates: append them"},
    {SSL_AD_UNSUPPORTED_CERTIFICATE, TLSOCK_E_CLIENT_CERT_DENIED, 0,
     "its kind of key or its purpose is not taken there: have one issued for "
     "clients"},
    {SSL_AD_CERTIFICATE_REVOKED, TLSOCK_E_CLIENT_CERT_DENIED, 0,
     "its issuer has revoked it: have a new one issued"},
    {SSL_AD_CERTIFICATE_EXPIRED, TLSOCK_E_CLIENT_CERT_DENIED, 0,
     "it is valid by this clock: one of the two clocks is wrong, or the CRL "
     "that the server has is out of date"},
    {SSL_AD_CERTIFICATE_UNKNOWN, TLSOCK_E_CLIENT_CERT_DENIED, 0,
     "its CA is trusted there, but not its name: ask the server's owner to "
     "let it in (client-auth.allow), or use another one"},
    {SSL_AD_ACCESS_DENIED, TLSOCK_E_CLIENT_CERT_DENIED, 0,
     "its name may not come in: ask the server's owner to let it in"},
    {SSL_AD_DECRYPT_ERROR, TLSOCK_E_CLIENT_CERT_DENIED, 0,
     "the server could not verify a signature with it: do key and chain "
     "belong to it?"},
};

static const struct reason *find(int alert)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].alert == alert)
            return &reasons[i];
    return NULL;
}

static int sent_none(tlsock *s, const char *cas)
{
    size_t n = s->set->n_identities;

    tsk_fail(tsk_err(s), TLSOCK_E_CLIENT_CERT_REQUIRED,
             "the server wants a certificate from: %s; we sent none%s",
             cas[0] != '\0' ? cas : "any CA that it trusts",
             n == 0   ? ""
             : n == 1 ? ", since it takes no signature of our key"
                      : ", since none of ours is what it asks for");
    tsk_facts(tsk_err(s), cas, "none", NULL);
    tsk_hint(tsk_err(s),
             "give a certificate that is issued by %s: --cert me.pem --key "
             "me.key, tlsock_config_add_identity()%s",
             cas[0] != '\0' ? "one of its CAs" : "its CA",
             n == 1 ? "; it takes other keys than ours, for example ECDSA P-256"
                    : "");
    return TLSOCK_E_CLIENT_CERT_REQUIRED;
}

/* What is wrong with it as far as we can see; 0: nothing. */
static int own_fault(tlsock *s, X509 *ours, const char *issuer, const char *cas)
{
    int64_t now = tsk_wall_time();
    char date[32];

    if (tsk_cert_time(X509_get0_notAfter(ours)) < now) {
        tsk_cert_date(X509_get0_notAfter(ours), date);
        tsk_hint(tsk_err(s), "it expired at %s: renew it", date);
    } else if (tsk_cert_time(X509_get0_notBefore(ours)) > now) {
        tsk_cert_date(X509_get0_notBefore(ours), date);
        tsk_hint(tsk_err(s),
                 "it is valid from %s, and not before: correct this "
                 "clock, or wait",
                 date);
    } else if (X509_check_purpose(ours, X509_PURPOSE_SSL_CLIENT, 0) != 1) {
        tsk_hint(tsk_err(s),
                 "it is not made for clients: have one issued whose "
                 "extended key usage has clientAuth");
    } else if (!tsk_client_listed(s)) {
        tsk_hint(tsk_err(s),
                 "it is issued by \"%.40s\", which the server does not ask "
                 "for: give one that is issued by one of %.80s (--cert, "
                 "tlsock_config_add_identity())",
                 issuer, cas);
    } else {
        return 0;
    }
    return 1;
}

static int sent_ours(tlsock *s, const struct reason *r, const char *cas)
{
    X509 *ours = SSL_get_certificate(s->ssl);
    char name[96], issuer[96], date[32];

    tsk_cert_short_name(ours, name, sizeof(name));
    tsk_cert_short_issuer(ours, issuer, sizeof(issuer));
    tsk_cert_date(X509_get0_notAfter(ours), date);
    tsk_fail(tsk_err(s), r->code,
             "the server refused our certificate \"%.60s\" (valid until %.10s, "
             "issued by \"%.60s\"): alert \"%s\" (%d)%s%.80s",
             name, date, issuer, SSL_alert_desc_string_long(s->alert), s->alert,
             cas[0] != '\0' ? "; it wants one from: " : "", cas);
    tsk_facts(tsk_err(s), cas, issuer, name);
    if (!own_fault(s, ours, issuer, cas))
        tsk_hint(tsk_err(s), "%s%s", r->fix,
                 r->code == TLSOCK_E_CLIENT_CERT_REQUIRED
                     ? " (--cert, tlsock_config_add_identity())"
                     : "");
    return r->code;
}

int tsk_refused(tlsock *s)
{
    const struct reason *r = find(s->alert);
    char cas[112];

    if (r == NULL || (!s->cert_requested && r->about != ALWAYS))
        return 0;
    tsk_client_cas(s, cas, sizeof(cas));
    if (s->ssl == NULL || s->cert_unfit || SSL_get_certificate(s->ssl) == NULL)
        return sent_none(s, cas);
    return sent_ours(s, r, cas);
}
