#include "api/conn.h"
#include "api/dane.h"
#include "cert/cert.h"
#include "core/str.h"
#include "net/fd.h"
#include "ossl/compat.h"
#include "ossl/queue.h"
#include "ossl/remote.h"
#include "tls/early.h"
#include "tls/prints.h"
#include "tls/ktls.h"
#include "tls/resume.h"
#include "verify/trust.h"

#include <stdio.h>
#include <string.h>
#include <tlsock/info.h>
#include <tlsock/openssl.h>

/* Of a handle that carries data, or did. */
static int state_of_use(const tlsock *s)
{
    if (s->rung == TSK_RUNG_PLAIN && !s->got_close && !s->sent_close)
        return TLSOCK_STATE_PLAIN;
    if (s->got_close)
        return s->sent_close ? TLSOCK_STATE_CLOSED : TLSOCK_STATE_PEER_CLOSED;
    return s->sent_close ? TLSOCK_STATE_WRITE_CLOSED : TLSOCK_STATE_TLS;
}

static int state(const tlsock *s)
{
    switch (s->rung) {
    case TSK_RUNG_DIAL:
    case TSK_RUNG_PROXY:
    case TSK_RUNG_DANE:
        return TLSOCK_STATE_CONNECTING;
    case TSK_RUNG_STARTTLS:
    case TSK_RUNG_TLS:
    case TSK_RUNG_CHECK:
        return TLSOCK_STATE_HANDSHAKING;
    case TSK_RUNG_PLAIN:
    case TSK_RUNG_AFTER:
    case TSK_RUNG_READY:
        return state_of_use(s);
    default:
        return TLSOCK_STATE_CLOSED;
    }
}

/* What failed afterwards has had a handshake, though libssl forgets it. */
static int has_shaken(const tlsock *s)
{
    return s->ssl != NULL && (SSL_is_init_finished(s->ssl) ||
                              (s->rung == TSK_RUNG_DEAD && s->t_ready != 0));
}

static const char *alpn(tlsock *s)
{
    const unsigned char *p = NULL;
    unsigned int len = 0;
    char *text = tsk_conn_text(s);

    SSL_get0_alpn_selected(s->ssl, &p, &len);
    tsk_printable(text, TSK_CONN_TEXT, p, len);
    return text;
}

static const char *sni(tlsock *s)
{
    const char *name = s->sni;
    char *text;

    if (s->ssl != NULL && (s->server || tsk_dane_in_use(s->dane) != NULL))
        name = SSL_get_servername(s->ssl, TLSEXT_NAMETYPE_host_name);
    if (name == NULL)
        return "";
    text = tsk_conn_text(s);
    tsk_printable(text, TSK_CONN_TEXT, name, strlen(name));
    return text;
}

static const char *timings(tlsock *s)
{
    char *text = tsk_conn_text(s);

    snprintf(text, TSK_CONN_TEXT, "resolve %d ms, tcp %d ms, tls %d ms",
             s->resolve_ms, s->tcp_ms, s->tls_ms);
    return text;
}

/* A client that resumed knows it from what the session was worth. */
static const char *psk_identity(tlsock *s)
{
    const char *by = s->facts->verdict.verified;
    char *text;

    if (s->psk_identity != NULL || strncmp(by, "psk ", 4) != 0)
        return s->psk_identity != NULL ? s->psk_identity : "";
    text = tsk_conn_text(s);
    snprintf(text, TSK_CONN_TEXT, "%s", by + 4);
    by = strstr(text, " (resumed)");
    if (by != NULL)
        text[by - text] = '\0';
    return text;
}

static const char *policy(tlsock *s)
{
    char *text = tsk_conn_text(s);
    size_t pos = 0;

    text[0] = '\0';
    for (int kind = 0; kind < TSK_RULE_KINDS; kind++)
        if (s->set->policy[kind] != NULL)
            tsk_append(text, TSK_CONN_TEXT, &pos, "%s%s", pos != 0 ? "; " : "",
                       s->set->policy[kind]);
    return text;
}

/* Opened by the handshake; asking for it opens none. */
static const char *trust(tlsock *s)
{
    struct tsk_trust *t = tsk_ctx_trust_open(tsk_conn_rules(s));
    char *text;

    if (t == NULL)
        return "";
    text = tsk_conn_text(s);
    snprintf(text, TSK_CONN_TEXT, "%s", tsk_trust_describe(t));
    return text;
}

static const char *client_cas(tlsock *s)
{
    char *text = tsk_conn_text(s);

    tsk_client_cas(s, text, TSK_CONN_TEXT);
    return text;
}

static const char *local_address(tlsock *s)
{
    int fd = s->layer != NULL ? s->layer->ops->fd(s->layer) : -1;
    char *text;

    if (fd < 0)
        return "";
    text = tsk_conn_text(s);
    tsk_fd_address(fd, 0, text, TSK_CONN_TEXT);
    return text;
}

static const char *of_tls(tlsock *s, int item)
{
    int id;

    if (!has_shaken(s))
        return "";
    switch (item) {
    case TLSOCK_INFO_VERSION:
        return SSL_get_version(s->ssl);
    case TLSOCK_INFO_CIPHER:
        return SSL_get_cipher_name(s->ssl);
    case TLSOCK_INFO_GROUP:
        return tsk_compat_group(s->ssl, &id);
    case TLSOCK_INFO_SIGNATURE:
        return tsk_compat_peer_signature(s->ssl);
    case TLSOCK_INFO_ALPN:
        return alpn(s);
    case TLSOCK_INFO_RESUMED:
        return tsk_conn_resumed(s) ? "yes" : "no";
    default:
        return "";
    }
}

static const char *early_data(const tlsock *s)
{
    static const char *const words[] = {"none", "sent", "accepted", "rejected"};

    return words[tsk_early_outcome(s)];
}

static const char *ktls(tlsock *s)
{
    char *text = tsk_conn_text(s);

    text[0] = '\0';
    if (has_shaken(s))
        tsk_ktls_text(s, text, TSK_CONN_TEXT);
    return text;
}

const char *tlsock_info(const tlsock *conn, int item)
{
    tlsock *s = (tlsock *)(uintptr_t)conn; /* it makes what it tells */

    if (s == NULL)
        return NULL;
    switch (item) {
    case TLSOCK_INFO_VERSION:
    case TLSOCK_INFO_CIPHER:
    case TLSOCK_INFO_GROUP:
    case TLSOCK_INFO_SIGNATURE:
    case TLSOCK_INFO_ALPN:
    case TLSOCK_INFO_RESUMED:
        return of_tls(s, item);
    case TLSOCK_INFO_SNI:
        return sni(s);
    case TLSOCK_INFO_PEER_ADDRESS:
        return s->address;
    case TLSOCK_INFO_EARLY_DATA:
        return early_data(s);
    case TLSOCK_INFO_VERIFIED:
        return tsk_conn_open(s) && !tsk_conn_unproven(s)
                   ? s->facts->verdict.verified
                   : "";
    case TLSOCK_INFO_REVOCATION:
        return s->facts->revocation;
    case TLSOCK_INFO_TIMINGS:
        return timings(s);
    case TLSOCK_INFO_NAME:
        return s->name != NULL ? s->name : "";
    case TLSOCK_INFO_STARTTLS:
        return s->starttls;
    case TLSOCK_INFO_POLICY:
        return policy(s);
    case TLSOCK_INFO_DANE:
        return tsk_dane_text(s);
    case TLSOCK_INFO_CLIENT_CAS:
        return client_cas(s);
    case TLSOCK_INFO_PSK_IDENTITY:
        return tsk_conn_open(s) ? psk_identity(s) : "";
    case TLSOCK_INFO_TRUST:
        return trust(s);
    case TLSOCK_INFO_SESSION:
        return tsk_resume_text(s);
    case TLSOCK_INFO_KTLS:
        return ktls(s);
    case TLSOCK_INFO_LOCAL_ADDRESS:
        return local_address(s);
    case TLSOCK_INFO_STATE:
        return "";
    default:
        return tsk_prints_item(item) ? tsk_prints_info(s, item) : NULL;
    }
}

int64_t tlsock_info_int(const tlsock *s, int item)
{
    const char *text = tlsock_info(s, item);
    int id = 0;

    if (text == NULL)
        return TLSOCK_E_ARGUMENT;
    if (item == TLSOCK_INFO_STATE)
        return state(s);
    if (item == TLSOCK_INFO_EARLY_DATA)
        return tsk_early_outcome(s);
    if (!has_shaken(s))
        return 0;
    switch (item) {
    case TLSOCK_INFO_VERSION:
        return SSL_version(s->ssl);
    case TLSOCK_INFO_CIPHER:
        return (int64_t)(SSL_CIPHER_get_id(SSL_get_current_cipher(s->ssl)) &
                         0xffff);
    case TLSOCK_INFO_GROUP:
        tsk_compat_group(s->ssl, &id);
        return id;
    case TLSOCK_INFO_RESUMED:
        return tsk_conn_resumed(s);
    case TLSOCK_INFO_KTLS:
        return (s->io.kernel.sends ? TLSOCK_KTLS_SEND : 0) |
               (s->io.kernel.receives ? TLSOCK_KTLS_RECEIVE : 0);
    default:
        return 0;
    }
}

int tlsock_info_json(const tlsock *s, char *out, size_t size)
{
    static const struct {
        const char *key;
        int item;
    } texts[] = {
        {"version", TLSOCK_INFO_VERSION},
        {"cipher", TLSOCK_INFO_CIPHER},
        {"group", TLSOCK_INFO_GROUP},
        {"signature", TLSOCK_INFO_SIGNATURE},
        {"alpn", TLSOCK_INFO_ALPN},
        {"sni", TLSOCK_INFO_SNI},
        {"name", TLSOCK_INFO_NAME},
        {"peer_address", TLSOCK_INFO_PEER_ADDRESS},
        {"local_address", TLSOCK_INFO_LOCAL_ADDRESS},
        {"starttls", TLSOCK_INFO_STARTTLS},
        {"verified_by", TLSOCK_INFO_VERIFIED},
        {"trust", TLSOCK_INFO_TRUST},
        {"revocation", TLSOCK_INFO_REVOCATION},
        {"policy", TLSOCK_INFO_POLICY},
        {"dane", TLSOCK_INFO_DANE},
        {"psk_identity", TLSOCK_INFO_PSK_IDENTITY},
        {"session", TLSOCK_INFO_SESSION},
        {"ja3", TLSOCK_INFO_JA3},
        {"ja3s", TLSOCK_INFO_JA3S},
        {"ja4", TLSOCK_INFO_JA4},
        {"ktls", TLSOCK_INFO_KTLS},
    };
    const char *verified;
    size_t pos = 0;

    if (s == NULL || (out == NULL && size != 0))
        return TLSOCK_E_ARGUMENT;
    if (size != 0)
        out[0] = '\0';
    tsk_append(out, size, &pos, "{\"schema\":\"tlsock.info/1\"");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        tsk_append(out, size, &pos, ",\"%s\":", texts[i].key);
        tsk_append_json(out, size, &pos, tlsock_info(s, texts[i].item));
    }
    verified = tlsock_info(s, TLSOCK_INFO_VERIFIED);
    tsk_append(out, size, &pos,
               ",\"verified\":%s,\"resumed\":%s,\"state\":%d,"
               "\"resolve_ms\":%d,\"tcp_ms\":%d,\"tls_ms\":%d}",
               *verified != '\0' && strncmp(verified, "insecure", 8) != 0
                   ? "true"
                   : "false",
               tlsock_info_int(s, TLSOCK_INFO_RESUMED) ? "true" : "false",
               state(s), s->resolve_ms, s->tcp_ms, s->tls_ms);
    return (int)pos;
}

int tlsock_export(const tlsock *conn, const char *label, const void *context,
                  size_t clen, void *out, size_t len)
{
    tlsock *s = (tlsock *)(uintptr_t)conn;
    int rc = TLSOCK_OK;

    if (s == NULL || label == NULL || (out == NULL && len != 0))
        return TLSOCK_E_ARGUMENT;
    if (s->rung != TSK_RUNG_READY)
        return tsk_fail(tsk_err(s), TLSOCK_E_STATE,
                        "keying material exists after the handshake only");
    tsk_ossl_enter();
    if (!SSL_export_keying_material(s->ssl, out, len, label, strlen(label),
                                    context, clen, context != NULL))
        rc = tsk_fail_ossl(tsk_err(s), TLSOCK_E_ARGUMENT,
                           "cannot export \"%.64s\"", label);
    tsk_ossl_leave();
    return rc;
}

/* libssl has a certificate before it is known whether the key goes with it. */
static X509 *peer_leaf(const tlsock *s)
{
    return s->ssl != NULL && !tsk_conn_unproven(s)
               ? SSL_get0_peer_certificate(s->ssl)
               : NULL;
}

int tlsock_fingerprint(const tlsock *s, const char *algo, int of_public_key,
                       char *out, size_t size)
{
    X509 *leaf;
    int rc;

    if (s == NULL || algo == NULL)
        return TLSOCK_E_ARGUMENT;
    leaf = peer_leaf(s);
    if (leaf == NULL)
        return TLSOCK_E_STATE;
    tsk_ossl_enter();
    rc = tsk_cert_fingerprint(leaf, algo, of_public_key, out, size);
    tsk_ossl_leave();
    return rc;
}

/* What was sent: on a server libssl leaves the leaf out of the chain. */
tlsock_cert *tlsock_peer_cert(const tlsock *s)
{
    STACK_OF(X509) * chain, *rest = NULL;
    tlsock_cert *cert = NULL;
    X509 *leaf;

    leaf = s != NULL ? peer_leaf(s) : NULL;
    if (leaf == NULL)
        return NULL;
    tsk_ossl_enter();
    chain = SSL_get_peer_cert_chain(s->ssl);
    rest = sk_X509_new_null();
    for (int i = s->server ? 0 : 1; rest != NULL && i < sk_X509_num(chain); i++)
        if (!sk_X509_push(rest, sk_X509_value(chain, i)))
            goto out;
    if (rest != NULL)
        cert = tsk_cert_new(leaf, rest, NULL, NULL);
out:
    sk_X509_free(rest);
    tsk_ossl_leave();
    return cert;
}

tlsock_cert *tlsock_own_cert(const tlsock *s)
{
    STACK_OF(X509) *chain = NULL;
    tlsock_cert *cert = NULL;
    EVP_PKEY *key;
    X509 *leaf;

    if (s == NULL || s->ssl == NULL)
        return NULL;
    leaf = SSL_get_certificate(s->ssl);
    if (leaf == NULL)
        return NULL;
    tsk_ossl_enter();
    SSL_get0_chain_certs(s->ssl, &chain);
    key = SSL_get_privatekey(s->ssl);
    cert = tsk_cert_new(leaf, chain, tsk_remote_is(key) ? NULL : key, NULL);
    tsk_ossl_leave();
    return cert;
}

struct ssl_st *tlsock_get_ssl(tlsock *s)
{
    if (s == NULL)
        return NULL;
    s->ssl_known = s->ssl != NULL;
    return s->ssl;
}
