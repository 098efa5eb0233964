#include "core/str.h"
#include "ossl/queue.h"
#include "tls/fail.h"
#include "tls/hello.h"
#include "tls/psk.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <stdio.h>
#include <string.h>

/* A record begins with a type of 20..24 and a version of 3.x (RFC 8446, 5.1) */
int tsk_fail_is_not_tls(const tlsock *s)
{
    const uint8_t *p = s->io.first;

    if (s->io.n_first == 0)
        return 0;
    return p[0] < 20 || p[0] > 24 || (s->io.n_first > 1 && p[1] != 3);
}

static const struct {
    const char *begins, *speaks, *fix;
} banners[] = {
    {"220", "SMTP or FTP",
     "connect to its TLS port (465, 990): it says "
     "plaintext first and wants STARTTLS here"},
    {"* OK", "IMAP",
     "connect to its TLS port 993 (imaps://): this one wants STARTTLS"},
    {"+OK", "POP3",
     "connect to its TLS port 995 (pop3s://): this one wants STARTTLS"},
    {"HTTP/", "HTTP without TLS", "connect to its TLS port (443, https://)"},
    {"SSH-", "SSH", "this is an SSH server: use another port"},
    {"<", "HTTP or XMPP without TLS", "connect to its TLS port"},
};

/* Where plaintext was spoken before, more of it in place of a ClientHello is
 * somebody's who wants it to count as protected. */
static int injected(tlsock *s, const char *shown)
{
    tsk_fail(tsk_err(s), TLSOCK_E_INJECTION,
             "the client goes on in plaintext (\"%s\") where TLS has to begin",
             shown);
    tsk_hint(tsk_err(s), "it must send nothing between its request for TLS and "
                         "its ClientHello; whatever it was is dropped");
    return TLSOCK_E_INJECTION;
}

static int not_tls(tlsock *s)
{
    char shown[4 * sizeof(s->io.first) + 1];
    const uint8_t *p = s->io.first;
    size_t len = 0;

    while (len < s->io.n_first && len < 40 && p[len] != '\r' && p[len] != '\n')
        len++;
    tsk_printable(shown, sizeof(shown), p, len);
    tsk_fail(tsk_err(s), TLSOCK_E_NOT_TLS, "%s answered \"%s\": no TLS",
             s->address[0] != '\0' ? s->address : "the peer", shown);
    snprintf(tsk_err(s)->presented, sizeof(tsk_err(s)->presented), "%.*s",
             (int)sizeof(tsk_err(s)->presented) - 1, shown);
    if (s->server && s->was_plain)
        return injected(s, shown);
    if (s->server)
        tsk_hint(tsk_err(s), "the client speaks plaintext: let it use TLS, for "
                             "example https:// instead of http://");
    else
        tsk_hint(tsk_err(s), "is it the TLS port? This one speaks plaintext");
    for (size_t i = 0; i < sizeof(banners) / sizeof(banners[0]); i++)
        if (!s->server && s->io.n_first >= strlen(banners[i].begins) &&
            memcmp(p, banners[i].begins, strlen(banners[i].begins)) == 0)
            tsk_hint(tsk_err(s), "%s", banners[i].fix);
    return TLSOCK_E_NOT_TLS;
}

static const char *version_name(int v)
{
    return v == 0x0300   ? "SSLv3"
           : v == 0x0301 ? "TLSv1.0"
           : v == 0x0302 ? "TLSv1.1"
           : v == 0x0303 ? "TLSv1.2"
           : v == 0x0304 ? "TLSv1.3"
                         : "an unknown version";
}

/* ServerHello or ClientHello: record header, type, length, legacy_version */
static int peer_version(const tlsock *s)
{
    const uint8_t *p = s->io.first;

    if (s->io.n_first < 11 || p[0] != 22 || (p[5] != 1 && p[5] != 2))
        return 0;
    return p[9] << 8 | p[10];
}

static int version(tlsock *s)
{
    int theirs = s->alert_from_peer ? 0 : peer_version(s);
    const char *ours;
    int min, max;

    tsk_hello_versions(s, &min, &max);
    ours = version_name(min);
    if (theirs != 0)
        tsk_fail(tsk_err(s), TLSOCK_E_VERSION_UNSUPPORTED,
                 "%s speaks %s at most; we need %s or newer",
                 s->server ? "the client" : "the server", version_name(theirs),
                 ours);
    else
        tsk_fail(tsk_err(s), TLSOCK_E_VERSION_UNSUPPORTED,
                 "no common TLS version: the %s has none of ours (%s to %s)",
                 s->server ? "client" : "server", ours, version_name(max));
    if (theirs != 0)
        snprintf(tsk_err(s)->presented, sizeof(tsk_err(s)->presented), "%s",
                 version_name(theirs));
    snprintf(tsk_err(s)->expected, sizeof(tsk_err(s)->expected), "%s", ours);
    tsk_hint(tsk_err(s),
             "upgrade the %s to TLS 1.2 or 1.3, or widen tls.min and "
             "tls.max where they are set",
             s->server ? "client" : "server");
    return TLSOCK_E_VERSION_UNSUPPORTED;
}

static int no_common(tlsock *s, const char *reason)
{
    tsk_fail(tsk_err(s), TLSOCK_E_NO_COMMON_PARAMETERS,
             "no common cipher, group or signature with the %s%s%s",
             s->server ? "client" : "server", reason != NULL ? ": " : "",
             reason != NULL ? reason : "");
    tsk_hint(tsk_err(s),
             "the %s needs AEAD ciphers with forward secrecy and a "
             "key of 2048 bits RSA or 256 bits EC: replace its key or "
             "ciphers; check our ciphers, groups and sigalgs",
             s->server ? "client" : "server");
    return TLSOCK_E_NO_COMMON_PARAMETERS;
}

/* RFC 8446, 6.2 */
static int from_alert(tlsock *s)
{
    const char *text = SSL_alert_desc_string_long(s->alert);
    int rc = s->server ? 0 : tsk_refused(s);

    if (rc < 0)
        return rc;
    switch (s->alert) {
    case SSL_AD_PROTOCOL_VERSION:
        return version(s);
    case SSL_AD_NO_APPLICATION_PROTOCOL:
        tsk_fail(tsk_err(s), TLSOCK_E_ALPN,
                 "the %s knows none of our ALPN protocols",
                 s->server ? "client" : "server");
        tsk_hint(tsk_err(s), "change \"alpn\" to one that it speaks");
        return TLSOCK_E_ALPN;
    default:
        break;
    }
    if (s->alert == SSL_AD_HANDSHAKE_FAILURE ||
        s->alert == SSL_AD_INSUFFICIENT_SECURITY)
        return no_common(s, NULL);
    tsk_fail(tsk_err(s), TLSOCK_E_ALERT, "the %s sent the alert \"%s\" (%d)",
             s->server ? "client" : "server", text, s->alert);
    tsk_hint(tsk_err(s), s->server ? "the client refuses us: does it trust our "
                                     "CA, and do we send the whole chain?"
                                   : "the server's log says why");
    return TLSOCK_E_ALERT;
}

static const struct {
    int reason, kind; /* 1 version, 2 no common parameters */
} reasons[] = {
    {SSL_R_UNSUPPORTED_PROTOCOL, 1},
    {SSL_R_VERSION_TOO_LOW, 1},
    {SSL_R_VERSION_TOO_HIGH, 1},
    {SSL_R_UNSUPPORTED_SSL_VERSION, 1},
    {SSL_R_UNKNOWN_PROTOCOL, 1},
    {SSL_R_WRONG_SSL_VERSION, 1},
    {SSL_R_NO_PROTOCOLS_AVAILABLE, 1},
    {SSL_R_NO_SHARED_CIPHER, 2},
    {SSL_R_NO_SHARED_GROUPS, 2},
    {SSL_R_NO_SUITABLE_KEY_SHARE, 2},
    {SSL_R_NO_SUITABLE_GROUPS, 2},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, 2},
    {SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, 2},
    {SSL_R_WRONG_SIGNATURE_TYPE, 2},
    {SSL_R_WRONG_CIPHER_RETURNED, 2},
    {SSL_R_UNKNOWN_CIPHER_RETURNED, 2},
    {SSL_R_DH_KEY_TOO_SMALL, 2},
    {SSL_R_EE_KEY_TOO_SMALL, 2},
    {SSL_R_CA_KEY_TOO_SMALL, 2},
    {SSL_R_CA_MD_TOO_WEAK, 2},
    {SSL_R_UNSUPPORTED_ELLIPTIC_CURVE, 2},
    {SSL_R_WRONG_CURVE, 2},
    {SSL_R_BAD_KEY_SHARE, 2},
    {SSL_R_NO_CIPHERS_AVAILABLE, 2},
};

static int from_reason(tlsock *s, unsigned long code)
{
    const char *text = ERR_reason_error_string(code);
    int reason = ERR_GET_REASON(code), rc;

    if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
        for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
            if (reasons[i].reason == reason)
                return reasons[i].kind == 1 ? version(s) : no_common(s, text);
        if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
            tsk_fail(tsk_err(s), TLSOCK_E_CLIENT_CERT_MISSING,
                     "the client sent no certificate");
            tsk_hint(tsk_err(s),
                     "give the client one that our client CAs issued,"
                     " or set client-auth = ask");
            return tsk_err_of(s)->code;
        }
        if (reason == SSL_R_NO_APPLICATION_PROTOCOL) {
            tsk_fail(tsk_err(s), TLSOCK_E_ALPN,
                     "none of the client's ALPN protocols is ours");
            tsk_hint(tsk_err(s), "add one that it offers to \"alpn\"");
            return tsk_err_of(s)->code;
        }
    }
    rc = tsk_fail_ossl(tsk_err(s), TLSOCK_E_PROTOCOL,
                       "the %s broke the rules of TLS",
                       s->server ? "client" : "server");
    if (rc == TLSOCK_E_PROTOCOL)
        tsk_hint(tsk_err(s),
                 "the connection was damaged on its way, or the %s "
                 "is broken%s%s",
                 s->server ? "client" : "server", text != NULL ? ": " : "",
                 text != NULL ? text : "");
    return rc;
}

/* A staple of no bytes is to libssl memory that it did not get: it allocates
 * none of them, there and nowhere else in that function. */
static int is_empty_staple(void)
{
    const char *func = NULL;

    (void)ERR_peek_error_func(&func);
    return tsk_ossl_starved() && func != NULL &&
           strcmp(func, "tls_process_cert_status_body") == 0;
}

static int empty_staple(tlsock *s)
{
    tsk_fail(tsk_err(s), TLSOCK_E_PROTOCOL,
             "the server stapled an OCSP response of no bytes, or of more than "
             "there is memory for");
    tsk_hint(tsk_err(s), "the server has to staple a whole response, or none");
    return tsk_err_of(s)->code;
}

/* Since OpenSSL 3.6 libssl reads a staple before we do, or a hook: what is no
 * response at all ends there. The same is a reason when the client has not
 * liked ours, then with its alert. */
static int is_no_response(const tlsock *s)
{
    unsigned long last = ERR_peek_last_error();

    return !s->server && !s->alert_from_peer &&
           ERR_GET_LIB(last) == ERR_LIB_SSL &&
           ERR_GET_REASON(last) == SSL_R_TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE;
}

static int no_response(tlsock *s)
{
    tsk_fail_ossl(tsk_err(s), TLSOCK_E_STAPLE,
                  "the stapled OCSP response cannot be parsed");
    tsk_hint(tsk_err(s), "the server has to staple a response of its CA, or to "
                         "stop stapling");
    tsk_phase(tsk_err(s), TLSOCK_PHASE_VERIFY);
    return TLSOCK_E_STAPLE;
}

int tsk_fail_protocol(tlsock *s)
{
    unsigned long code = ERR_peek_error();
    int rc;

    if (tsk_fail_is_not_tls(s))
        rc = not_tls(s);
    else if (tsk_psk_fail(s, ERR_GET_LIB(code) == ERR_LIB_SSL
                                 ? ERR_GET_REASON(code)
                                 : 0) < 0)
        rc = tsk_err_of(s)->code;
    else if (is_empty_staple())
        rc = empty_staple(s);
    else if (tsk_ossl_starved())
        rc = tsk_fail_nomem(tsk_err(s));
    else if (is_no_response(s))
        rc = no_response(s);
    else if (s->alert != 0 && s->alert_from_peer)
        rc = from_alert(s);
    else
        rc = from_reason(s, code);
    if (tsk_err_of(s)->ossl_code == 0)
        tsk_err(s)->ossl_code = (uint32_t)code;
    return rc;
}
