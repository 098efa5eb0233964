/* What a server does with connections that are good: sessions, staples, SNI,
 * ALPN, client certificates, revocation. */
#include "certfield.h"
#include "check.h"

#include "errors.h"

#include <openssl/ssl.h>
#include <string.h>
#include <tlsock/info.h>
#include <tlsock/openssl.h>

/* --- client certificates */

static void asked(struct check *c, const char *cas, int required)
{
    if (required)
        check_add(c, CHECK_NOTE, "client-cert-required",
                  "--cert me.pem --key me.key looks at it as such a client",
                  "the server wants a client certificate%s%s",
                  cas[0] != '\0' ? ", from " : "", cas);
    else
        check_add(c, CHECK_OK, "client-cert-requested", NULL,
                  "the server asks for a client certificate, and goes on "
                  "without%s%s",
                  cas[0] != '\0' ? "; from " : "", cas);
    json_object_set_new(c->doc, "client_certificate",
                        json_string(required ? "required" : "asked"));
}

static int of_client_cert(int code)
{
    return code == TLSOCK_E_CLIENT_CERT_REQUIRED ||
           code == TLSOCK_E_CLIENT_CERT_DENIED;
}

/* --- one connection, and one that resumes it */

static void staple(struct check *c, tlsock *s)
{
    const tlsock_cert *leaf = c->main->sent;
    const unsigned char *der;
    const char *urls =
        leaf != NULL ? certfield(leaf, TLSOCK_CERT_OCSP_URLS) : NULL;
    SSL *ssl = tlsock_get_ssl(s);
    int there = ssl != NULL && SSL_get_tlsext_status_ocsp_resp(ssl, &der) > 0;

    json_object_set_new(c->doc, "stapled", json_boolean(there));
    if (there)
        check_add(c, CHECK_OK, "staple", NULL, "an OCSP response is stapled");
    else if (urls != NULL && urls[0] != '\0')
        check_add(c, CHECK_NOTE, "no-staple",
                  "switch stapling on: clients then need not ask the CA, who "
                  "learns what they visit",
                  "no OCSP response is stapled, though the certificate has a "
                  "responder");
}

/* Twice with these versions: is the second one resumed? */
static void resume(struct check *c, const char *tls, json_t *obj)
{
    tlsock_config *config = check_variant(c, "tls.max", tls);
    tlsock_error err, later;
    int tickets = 0, resumed = 0;
    tlsock *s = NULL;

    if (config != NULL && tlsock_config_set(config, "tls.min", tls) == 0 &&
        tlsock_config_set(config, "session", "on") == 0)
        s = check_connect(c, config, NULL, &err);
    if (s != NULL && err.code == 0) {
        (void)check_part(s, &later);
        tickets = c->tickets;
        tlsock_close(s);
        s = check_connect(c, config, NULL, &err);
        resumed = s != NULL && err.code == 0 &&
                  tlsock_info_int(s, TLSOCK_INFO_RESUMED) == 1;
        json_object_set_new(obj,
                            strcmp(tls, "1.3") == 0 ? "TLSv1.3" : "TLSv1.2",
                            json_string(!resumed      ? "no"
                                        : tickets > 0 ? "ticket"
                                                      : "id"));
    }
    tlsock_close(s);
    tlsock_config_unref(config);
}

/* The library keeps no session of a certificate that is out of its time. */
static void sessions(struct check *c)
{
    json_t *obj = json_object(), *how;
    const char *version;
    char line[100] = "";
    size_t used = 0;
    int none = 0;

    if ((c->main->versions & 16) != 0)
        resume(c, "1.3", obj);
    if ((c->main->versions & 8) != 0)
        resume(c, "1.2", obj);
    json_object_foreach(obj, version, how)
    {
        const char *text = json_string_value(how);

        none = none || strcmp(text, "no") == 0;
        used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s: %s",
                                 used > 0 ? ", " : "", version, text);
    }
    json_object_set_new(c->doc, "resumption", obj);
    if (used == 0 || check_has(c, "client-cert-required") ||
        check_has(c, "client-cert-denied") || check_has(c, "expired") ||
        check_has(c, "not-yet-valid"))
        return;
    if (none)
        check_add(c, CHECK_NOTE, "no-resumption",
                  "give all processes and machines behind this name the same "
                  "ticket key, or a session cache",
                  "sessions are not resumed (%s): each connection costs a full "
                  "handshake",
                  line);
    else
        check_add(c, CHECK_OK, "resumption", NULL, "%s", line);
}

/* --- SNI, ALPN */

static void without_sni(struct check *c)
{
    char theirs[80] = "", name[200];
    tlsock_cert *cert;
    tlsock_error err;
    tlsock *s;

    if (c->sni[0] == '\0' || c->main->sent == NULL)
        return;
    s = check_connect(c, c->look, "", &err);
    cert = s != NULL && err.code == 0 ? tlsock_peer_cert(s) : NULL;
    if (cert != NULL) {
        snprintf(theirs, sizeof(theirs), "%s",
                 certfield(cert, TLSOCK_CERT_SHA256));
        json_object_set_new(c->doc, "without_sni", json_string(theirs));
        check_cert_name(cert, name, sizeof(name));
    }
    if (s != NULL && err_exit_code(&err, 0) == EXIT_TLS)
        check_add(c, CHECK_NOTE, "sni-required",
                  "a default certificate for clients that send no name",
                  "without SNI the server ends the handshake: %s",
                  tlsock_errslug(err.code));
    else if (cert != NULL &&
             strcmp(theirs, certfield(c->main->sent, TLSOCK_CERT_SHA256)) != 0)
        check_add(c, CHECK_NOTE, "sni-differs",
                  "make this certificate the server's default if clients "
                  "without SNI matter",
                  "without SNI another certificate comes, for \"%s\"", name);
    tlsock_cert_unref(cert);
    tlsock_close(s);
}

/* What the web speaks; other protocols have ALPN in name only. */
static void alpn(struct check *c)
{
    tlsock_config *config;
    tlsock_error err;
    const char *got;
    tlsock *s;

    if (c->starttls[0] != '\0' ||
        (strncmp(c->whole, "https://", 8) != 0 && strcmp(c->port, "443") != 0))
        return;
    config = check_variant(c, "alpn", "h2,http/1.1");
    s = config != NULL ? check_connect(c, config, NULL, &err) : NULL;
    if (s != NULL && err.code == 0) {
        got = tlsock_info(s, TLSOCK_INFO_ALPN);
        if (got[0] != '\0')
            check_add(c, CHECK_OK, "alpn", NULL, "%s", got);
        else
            check_add(c, CHECK_NOTE, "no-alpn",
                      "switch HTTP/2 on: browsers find it by ALPN",
                      "the server chooses no application protocol (h2 and "
                      "http/1.1 were offered)");
        json_object_set_new(c->doc, "alpn",
                            out_json_text(got[0] != '\0' ? got : NULL));
    }
    tlsock_close(s);
    tlsock_config_unref(config);
}

/* --- revocation, and what else a client as asked for has against it */

static int asks_revocation(const struct check *c)
{
    int asks = c->o.crls.n > 0;

    for (size_t i = 0; i + 2 < c->o.sets.n; i += 3)
        if (strcmp(c->o.sets.v[i], "revocation") == 0)
            asks = strcmp(c->o.sets.v[i + 1], "off") != 0 &&
                   strcmp(c->o.sets.v[i + 1], "staple") != 0;
    return asks;
}

static void revocation(struct check *c)
{
    const char *told = c->main->revocation;

    json_object_set_new(c->doc, "revocation", out_json_text(told));
    if (strncmp(told, "good", 4) == 0)
        check_add(c, CHECK_OK, "revocation", NULL, "not revoked: %s", told);
    else if (told[0] != '\0' && asks_revocation(c))
        check_add(c, CHECK_WARN, "revocation-unknown",
                  "mend the CRL and OCSP addresses of the certificate, or ask "
                  "its CA to",
                  "whether it is revoked could not be found out: %s", told);
}

/* Chain, name, dates are found apart; DANE has its own place. */
static int is_told(int code)
{
    switch (code) {
    case 0:
    case TLSOCK_E_CHAIN_INCOMPLETE:
    case TLSOCK_E_UNTRUSTED_ROOT:
    case TLSOCK_E_NAME_MISMATCH:
    case TLSOCK_E_NO_NAME:
    case TLSOCK_E_EXPIRED:
    case TLSOCK_E_NOT_YET_VALID:
    case TLSOCK_E_PURPOSE:
    case TLSOCK_E_WEAK:
    case TLSOCK_E_CERT_INVALID:
    case TLSOCK_E_DANE:
        return 1;
    default:
        return 0;
    }
}

static void verdict(struct check *c)
{
    const tlsock_error *v = &c->main->verdict;

    if (v->code == TLSOCK_E_POLICY)
        c->policy_refused = 1;
    if (c->intolerant != NULL) {
        check_add(c, CHECK_ERROR, "intolerant",
                  "bring the server's TLS library, or what is in between, up "
                  "to date; until then a client gets on without it",
                  "the server ends the handshake if %s is in the ClientHello "
                  "(%s), and goes on without it",
                  c->intolerant, tlsock_errslug(c->intolerance));
        if (v->code == c->intolerance)
            return;
    }
    if (of_client_cert(v->code) && c->o.n_idents == 0)
        return; /* that is no fault of the server's */
    if (!is_told(v->code) || (c->main->sent == NULL && v->code != 0))
        check_add_error(c, CHECK_ERROR, v);
}

static void first_look(struct check *c)
{
    tlsock_error err, later = {0};
    tlsock *s = check_connect(c, c->look, NULL, &err);
    char cas[300] = "";
    int seen = 0;

    if (s != NULL && err.code == 0)
        json_object_set_new(c->doc, "client_certificate", json_string("none"));
    if (s != NULL) {
        snprintf(cas, sizeof(cas), "%s",
                 tlsock_info(s, TLSOCK_INFO_CLIENT_CAS));
        seen = c->cert_asked;
    }
    if (s != NULL && err.code == 0) {
        staple(c, s);
        (void)check_part(s, &later);
    }
    if (of_client_cert(later.code) && c->o.n_idents > 0)
        check_add_error(c, CHECK_ERROR, &later);
    else if (of_client_cert(err.code) || of_client_cert(later.code))
        asked(c, cas, 1);
    else if (seen && c->o.n_idents == 0)
        asked(c, cas, 0);
    tlsock_close(s);
}

void check_habits(struct check *c)
{
    verdict(c);
    if (c->main->err.code != 0) {
        if (of_client_cert(c->main->err.code) && c->o.n_idents == 0)
            asked(c, c->main->client_cas, 1);
        else
            check_add_error(c, CHECK_ERROR, &c->main->err);
        return;
    }
    first_look(c);
    if (c->main->verdict.code == 0)
        revocation(c);
    sessions(c);
    without_sni(c);
    alpn(c);
}
