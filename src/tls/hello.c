#include "tls/hello.h"

#include "cert/cert.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"
#include "tls/evidence.h"
#include "tls/hostset.h"
#include "tls/op.h"

#include <string.h>

#define CLIENT_HELLO 1 /* RFC 8446, 4 */

static size_t big16(const unsigned char *p)
{
    return (size_t)p[0] << 8 | p[1];
}

/* list length, type 0 (host_name), length, name */
void tsk_hello_sni(const unsigned char *ext, size_t len,
                   char out[TSK_HELLO_TEXT])
{
    size_t n;

    out[0] = '\0';
    if (len < 5 || big16(ext) != len - 2 || ext[2] != 0)
        return;
    n = big16(ext + 3);
    if (n <= len - 5 && n <= 255)
        tsk_printable(out, TSK_HELLO_TEXT, ext + 5, n);
}

void tsk_hello_alpn(const unsigned char *ext, size_t len,
                    char out[TSK_HELLO_TEXT])
{
    size_t at = 2, pos = 0;

    out[0] = '\0';
    if (len < 2 || big16(ext) != len - 2)
        return;
    while (at < len && pos + 1 < TSK_HELLO_TEXT) {
        size_t n = ext[at++];

        if (n == 0 || n > len - at) {
            out[0] = '\0';
            return;
        }
        if (pos != 0)
            out[pos++] = ',';
        tsk_printable(out + pos, TSK_HELLO_TEXT - pos, ext + at, n);
        pos += strlen(out + pos);
        at += n;
    }
}

/* The message as it came is seen nowhere else: libssl keeps no extensions that
 * it does not know. */
void tsk_hello_seen(tlsock *s, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;

    if (!s->server || len < 4 || p[0] != CLIENT_HELLO || s->hello.told ||
        s->hello.data != NULL)
        return;
    s->hello.data = tsk_alloc(len);
    if (s->hello.data == NULL)
        return;
    memcpy(s->hello.data, bytes, len);
    s->hello.len = len;
}

static void drop_message(tlsock *s)
{
    tsk_free(s->hello.data);
    s->hello.data = NULL;
    s->hello.len = 0;
}

static void let_choose(tlsock *s, int yes)
{
    pthread_mutex_lock(&s->wake_lock);
    s->hello.choosing = yes;
    pthread_mutex_unlock(&s->wake_lock);
}

int tsk_hello_choose(tlsock *s, tlsock_cert *cert)
{
    tlsock_cert *old = NULL;
    int rc = TLSOCK_E_STATE;

    pthread_mutex_lock(&s->wake_lock);
    if (s->hello.choosing) {
        old = s->hello.chosen;
        s->hello.chosen = tlsock_cert_ref(cert);
        rc = TLSOCK_OK;
    }
    pthread_mutex_unlock(&s->wake_lock);
    tlsock_cert_unref(old);
    return rc;
}

void tsk_hello_free(tlsock *s)
{
    drop_message(s);
    tlsock_cert_unref(s->hello.chosen);
    s->hello.chosen = NULL;
    tsk_free(s->hello.use);
    s->hello.use = NULL;
}

static int ask(tlsock *s, SSL *ssl)
{
    char sni[TSK_HELLO_TEXT] = "", alpn[TSK_HELLO_TEXT] = "";
    tlsock_event e = {.size = sizeof(e),
                      .kind = TLSOCK_ON_HELLO,
                      .conn = s,
                      .fd = -1,
                      .name = sni,
                      .text = alpn,
                      .data = s->hello.data,
                      .len = s->hello.len};
    const unsigned char *ext;
    size_t len;
    int rc;

    if (s->hello.data == NULL && !SSL_client_hello_isv2(ssl))
        return tsk_fail_nomem(tsk_err(s));
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &ext, &len))
        tsk_hello_sni(ext, len, sni);
    if (SSL_client_hello_get0_ext(
            ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &ext,
            &len))
        tsk_hello_alpn(ext, len, alpn);
    let_choose(s, 1);
    rc = tsk_op_event(s, &e, TSK_OP_LATER);
    drop_message(s);
    return rc;
}

static int use_chosen(tlsock *s, SSL *ssl)
{
    const tlsock_cert *id = s->hello.chosen;

    if (id == NULL && (s->set->n_identities != 0 || s->set->n_psks != 0))
        return TLSOCK_OK;
    if (id == NULL) {
        tsk_fail(tsk_err(s), TLSOCK_E_OWN_FILE,
                 "the HELLO hook chose no certificate, and the config has "
                 "none");
        tsk_hint(tsk_err(s), "choose one with tlsock_use_cert(), or refuse");
        return TLSOCK_E_OWN_FILE;
    }
    SSL_certs_clear(ssl);
    if (tsk_server_use(ssl, id))
        return TLSOCK_OK;
    return tsk_fail_ossl(tsk_err(s), TLSOCK_E_OWN_FILE,
                         "cannot use the certificate that the HELLO hook "
                         "chose");
}

/* Why the hook refuses, as far as there is an alert for it: who stands in
 * between hands the verdict on the server down to the client. */
static int alert_of(int code)
{
    static const struct {
        int code, alert;
    } rows[] = {
        {TLSOCK_E_NO_NAME, SSL_AD_UNRECOGNIZED_NAME}, /* RFC 6066, 3 */
        {TLSOCK_E_NAME_MISMATCH, SSL_AD_UNRECOGNIZED_NAME},
        {TLSOCK_E_NOMEM, SSL_AD_INTERNAL_ERROR},
        {TLSOCK_E_OWN_FILE, SSL_AD_INTERNAL_ERROR},
        {TLSOCK_E_CHAIN_INCOMPLETE, SSL_AD_UNKNOWN_CA},
        {TLSOCK_E_UNTRUSTED_ROOT, SSL_AD_UNKNOWN_CA},
        {TLSOCK_E_EXPIRED, SSL_AD_CERTIFICATE_EXPIRED},
        {TLSOCK_E_NOT_YET_VALID, SSL_AD_CERTIFICATE_EXPIRED},
        {TLSOCK_E_REVOKED, SSL_AD_CERTIFICATE_REVOKED},
        {TLSOCK_E_PURPOSE, SSL_AD_UNSUPPORTED_CERTIFICATE},
        {TLSOCK_E_CERT_INVALID, SSL_AD_BAD_CERTIFICATE},
        {TLSOCK_E_VERSION_UNSUPPORTED, SSL_AD_PROTOCOL_VERSION},
        {TLSOCK_E_NO_COMMON_PARAMETERS, SSL_AD_HANDSHAKE_FAILURE},
        {TLSOCK_E_CLIENT_CERT_REQUIRED, SSL_AD_HANDSHAKE_FAILURE},
        {TLSOCK_E_LIMIT, SSL_AD_ACCESS_DENIED}, /* it may try later */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].code == code)
            return rows[i].alert;
    /* no system call, no way to anybody: nothing that the client did */
    return code <= -200 && code > -400 ? SSL_AD_INTERNAL_ERROR
                                       : SSL_AD_ACCESS_DENIED;
}

int tsk_hello_cb(SSL *ssl, int *alert, void *arg)
{
    tlsock *s = tsk_conn_of(ssl);
    int rc;

    (void)arg;
    if (s->hello.told) /* RFC 8446, 4.1.2: the second one repeats the first */
        return SSL_CLIENT_HELLO_SUCCESS;
    rc = tsk_hostset_enter(s, ssl);
    if (rc == TLSOCK_OK && s->set->on[TLSOCK_ON_HELLO].call != NULL)
        rc = tsk_op_waits(s) ? tsk_op_poll(s) : ask(s, ssl);
    if (rc == TLSOCK_AGAIN)
        return SSL_CLIENT_HELLO_RETRY;
    let_choose(s, 0);
    s->hello.told = 1;
    tsk_evidence_told(s);
    tsk_op_end(s);
    if (rc >= 0)
        rc = use_chosen(s, ssl);
    if (rc >= 0)
        rc = tsk_hello_apply(s, ssl);
    if (rc >= 0)
        return SSL_CLIENT_HELLO_SUCCESS;
    tsk_phase(tsk_err(s), TLSOCK_PHASE_HANDSHAKE);
    *alert = alert_of(rc);
    return SSL_CLIENT_HELLO_ERROR;
}
