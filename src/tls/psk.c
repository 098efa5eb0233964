#include "tls/psk.h"

#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/evp.h>
#include <openssl/sslerr.h>
#include <stdio.h>
#include <string.h>

/* AES-GCM comes with DHE alone: OpenSSL has it with no ECDHE_PSK. */
#define CIPHERS                                                                \
    "ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES256-GCM-SHA384:"                   \
    "DHE-PSK-AES128-GCM-SHA256:DHE-PSK-CHACHA20-POLY1305"
/* A key given from outside is for SHA-256 (RFC 8446, 4.2.11), so the suites
 * that go with it come first. */
#define SUITES                                                                 \
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:"                     \
    "TLS_AES_256_GCM_SHA384"

/* Before the identity in a server's session, which a ticket takes along. */
static const char mark[] = "tlsock psk ";
#define MARK_LEN (sizeof(mark) - 1)

const char *tsk_psk_ciphers(const struct tsk_settings *set)
{
    if (set->ciphers != NULL)
        return set->ciphers;
    return set->n_psks != 0 ? CIPHERS ":ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:"
                                      "DHE+CHACHA20:!aNULL:!SRP:!DSS"
                            : TSK_DEFAULT_CIPHERS;
}

const char *tsk_psk_suites(const struct tsk_settings *set)
{
    if (set->ciphersuites != NULL)
        return set->ciphersuites;
    return set->n_psks != 0 ? SUITES : TSK_DEFAULT_SUITES;
}

/* Tickets come as identities, too: they are never text alone. */
static int is_text(const unsigned char *id, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (id[i] < 0x20 || id[i] > 0x7e)
            return 0;
    return len > 0 && len <= TSK_PSK_ID_MAX;
}

static const struct tsk_psk *find(const struct tsk_settings *set,
                                  const unsigned char *id, size_t len)
{
    const struct tsk_psk *dflt = NULL;

    for (size_t i = 0; i < set->n_psks; i++) {
        const struct tsk_psk *psk = &set->psks[i];

        if (psk->identity[0] == '\0')
            dflt = psk;
        else if (strlen(psk->identity) == len &&
                 memcmp(psk->identity, id, len) == 0)
            return psk;
    }
    return is_text(id, len) ? dflt : NULL;
}

/* The one a client has: the first that is no server's default. */
static const struct tsk_psk *own(const struct tsk_settings *set)
{
    for (size_t i = 0; i < set->n_psks; i++)
        if (set->psks[i].identity[0] != '\0')
            return &set->psks[i];
    return NULL;
}

/* A session as TLS 1.3 wants it; NULL: no memory. */
static SSL_SESSION *session_of(SSL *ssl, const struct tsk_psk *psk)
{
    static const unsigned char aes_128_gcm_sha256[] = {0x13, 0x01};
    const SSL_CIPHER *suite = SSL_CIPHER_find(ssl, aes_128_gcm_sha256);
    SSL_SESSION *ses = SSL_SESSION_new();

    if (ses != NULL && suite != NULL &&
        SSL_SESSION_set1_master_key(ses, psk->key, psk->len) &&
        SSL_SESSION_set_cipher(ses, suite) &&
        SSL_SESSION_set_protocol_version(ses, TLS1_3_VERSION))
        return ses;
    SSL_SESSION_free(ses);
    return NULL;
}

static int offer_13(SSL *ssl, const EVP_MD *md, const unsigned char **id,
                    size_t *idlen, SSL_SESSION **ses)
{
    tlsock *s = tsk_conn_of(ssl);
    const struct tsk_psk *psk = own(s->set);

    *ses = NULL;
    if (psk == NULL || (md != NULL && !EVP_MD_is_a(md, "SHA256")))
        return 1; /* the server chose another hash: not for this key */
    *ses = session_of(ssl, psk);
    if (*ses == NULL)
        return 0;
    s->psk_tried = 1;
    *id = (const unsigned char *)psk->identity;
    *idlen = strlen(psk->identity);
    return 1;
}

static int say(tlsock *s, const char *identity, size_t len)
{
    char *copy = tsk_strndup(identity, len);
    char shown[110];

    if (copy == NULL)
        return tsk_fail_nomem(tsk_err(s));
    tsk_free(s->psk_identity);
    s->psk_identity = copy;
    tsk_facts_wipe(s);
    tsk_printable(shown, sizeof(shown), identity, len);
    snprintf(s->facts->verdict.verified, sizeof(s->facts->verdict.verified),
             "psk %s", shown);
    return TLSOCK_OK;
}

/* TLS 1.2 alone: the server chose a suite with a key. Also called while a
 * ClientHello is made, where TLS 1.3 has offer_13(). Sessions are stored before
 * the handshake ends, so what it is worth is said here. */
static unsigned int offer_12(SSL *ssl, const char *hint, char *id,
                             unsigned int id_max, unsigned char *key,
                             unsigned int key_max)
{
    tlsock *s = tsk_conn_of(ssl);
    const struct tsk_psk *psk = own(s->set);

    (void)hint;
    if (psk == NULL || SSL_get_state(ssl) == TLS_ST_CW_CLNT_HELLO ||
        strlen(psk->identity) > id_max || psk->len > key_max)
        return 0;
    s->psk_tried = s->by_psk = 1;
    if (say(s, psk->identity, strlen(psk->identity)) < 0) {
        tsk_phase(tsk_err(s), TLSOCK_PHASE_HANDSHAKE); /* the failure's cause */
        return 0;
    }
    memcpy(id, psk->identity, strlen(psk->identity) + 1);
    memcpy(key, psk->key, psk->len);
    return (unsigned int)psk->len;
}

static int find_13(SSL *ssl, const unsigned char *id, size_t len,
                   SSL_SESSION **ses)
{
    tlsock *s = tsk_conn_of(ssl);
    const struct tsk_psk *psk = find(s->set, id, len);
    unsigned char note[MARK_LEN + TSK_PSK_ID_MAX];

    *ses = NULL;
    s->psk_found = 0;
    if (psk == NULL)
        return 1; /* a ticket, or nobody's */
    s->psk_tried = 1;
    memcpy(note, mark, MARK_LEN);
    memcpy(note + MARK_LEN, id, len);
    *ses = session_of(ssl, psk);
    if (*ses == NULL)
        return 0;
    if (!SSL_SESSION_set1_ticket_appdata(*ses, note, MARK_LEN + len)) {
        SSL_SESSION_free(*ses);
        *ses = NULL;
        return 0;
    }
    s->psk_found = 1;
    return 1;
}

static unsigned int find_12(SSL *ssl, const char *id, unsigned char *key,
                            unsigned int max)
{
    tlsock *s = tsk_conn_of(ssl);
    const struct tsk_psk *psk;

    if (SSL_version(ssl) >= TLS1_3_VERSION || id == NULL)
        return 0; /* asked after find_13(), of what need not be text */
    s->psk_tried = 1;
    psk = find(s->set, (const unsigned char *)id, strlen(id));
    if (psk == NULL || psk->len > max)
        return 0;
    memcpy(key, psk->key, psk->len);
    return (unsigned int)psk->len;
}

void tsk_psk_setup(SSL_CTX *ctx, const struct tsk_settings *set)
{
    if (set->n_psks == 0)
        return;
    if (own(set) != NULL) {
        SSL_CTX_set_psk_use_session_callback(ctx, offer_13);
        SSL_CTX_set_psk_client_callback(ctx, offer_12);
    }
    SSL_CTX_set_psk_find_session_callback(ctx, find_13);
    SSL_CTX_set_psk_server_callback(ctx, find_12);
}

/* Of a server in TLS 1.3: now, or when the ticket was won. */
static int finish_server_13(tlsock *s)
{
    void *note = NULL;
    size_t len = 0;

    if (!SSL_session_reused(s->ssl) ||
        !SSL_SESSION_get0_ticket_appdata(SSL_get0_session(s->ssl), &note,
                                         &len) ||
        len <= MARK_LEN || memcmp(note, mark, MARK_LEN) != 0)
        return TLSOCK_OK;
    s->by_psk = s->psk_found;
    return say(s, (const char *)note + MARK_LEN, len - MARK_LEN);
}

int tsk_psk_finish(tlsock *s)
{
    const struct tsk_psk *psk = own(s->set);
    const char *id;

    if (s->set->n_psks == 0)
        return TLSOCK_OK;
    if (SSL_version(s->ssl) >= TLS1_3_VERSION) {
        if (s->server)
            return finish_server_13(s);
        /* what is resumed has a ticket, and a key has none (yet) */
        s->by_psk = psk != NULL && SSL_session_reused(s->ssl) &&
                    !SSL_SESSION_has_ticket(SSL_get0_session(s->ssl));
        return s->by_psk ? say(s, psk->identity, strlen(psk->identity))
                         : TLSOCK_OK;
    }
    id = SSL_get_psk_identity(s->ssl);
    if (!s->server || id == NULL)
        return TLSOCK_OK;
    s->by_psk = !SSL_session_reused(s->ssl);
    return say(s, id, strlen(id));
}

int tsk_psk_alone(const tlsock *s)
{
    const struct tsk_settings *set = s->set;
    int pins = set->n_pins != 0 && set->policy[TSK_RULE_PIN_MODE] == NULL;

    return !s->server && set->n_psks != 0 && s->name == NULL && !pins &&
           (set->insecure & (TSK_INSECURE_NO_NAME | TSK_INSECURE_ALL)) == 0;
}

int tsk_psk_no_name(tlsock *s)
{
    tsk_fail(tsk_err(s), TLSOCK_E_NO_NAME,
             "the server shows a certificate in place of a pre-shared key, and "
             "there is no name to check it against");
    tsk_hint(tsk_err(s), "is our identity one of its keys'? Else give the name "
                         "the server is known by (opts.name, --name)");
    return TLSOCK_E_NO_NAME;
}

/* "identity "X"" for messages. */
static void whose(const tlsock *s, char *out, size_t size)
{
    const struct tsk_psk *psk = own(s->set);
    const char *id = psk != NULL ? psk->identity : "";
    char shown[110];

    tsk_printable(shown, sizeof(shown), id, strlen(id));
    snprintf(out, size, "\"%s\"", shown);
}

static int fail_client(tlsock *s)
{
    char id[120];

    whose(s, id, sizeof(id));
    switch (s->alert) {
    case SSL_AD_UNKNOWN_PSK_IDENTITY:
        tsk_fail(tsk_err(s), TLSOCK_E_PSK, "the server has no key of %s", id);
        tsk_hint(tsk_err(s), "compare the identity with those of the server");
        return TLSOCK_E_PSK;
    case SSL_AD_ILLEGAL_PARAMETER:
    case SSL_AD_DECRYPT_ERROR:
    case SSL_AD_BAD_RECORD_MAC:
        if (!s->psk_tried)
            return 0;
        tsk_fail(tsk_err(s), TLSOCK_E_PSK,
                 "the server's pre-shared key of %s is another one", id);
        tsk_hint(tsk_err(s), "give both sides the same key, byte by byte");
        return TLSOCK_E_PSK;
    case SSL_AD_HANDSHAKE_FAILURE:
        tsk_fail(tsk_err(s), TLSOCK_E_PSK,
                 "the server takes neither our pre-shared key of %s nor "
                 "another way in",
                 id);
        tsk_hint(tsk_err(s),
                 "compare the identity with those of the server, and "
                 "ciphers and groups");
        return TLSOCK_E_PSK;
    default:
        return 0;
    }
}

static int fail_server(tlsock *s, int reason)
{
    if (reason == SSL_R_PSK_IDENTITY_NOT_FOUND ||
        (s->set->n_identities == 0 &&
         (reason == SSL_R_NO_SHARED_CIPHER ||
          reason == SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM))) {
        tsk_fail(tsk_err(s), TLSOCK_E_PSK,
                 "the client has none of our pre-shared keys");
        tsk_hint(tsk_err(s), "compare its identity with ours, or add a "
                             "certificate for clients without a key");
        return TLSOCK_E_PSK;
    }
    if (s->psk_tried && (reason == SSL_R_BINDER_DOES_NOT_VERIFY ||
                         reason == SSL_R_DIGEST_CHECK_FAILED ||
                         reason == SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC)) {
        tsk_fail(tsk_err(s), TLSOCK_E_PSK,
                 "the client's pre-shared key is not that of its identity");
        tsk_hint(tsk_err(s), "give both sides the same key, byte by byte");
        return TLSOCK_E_PSK;
    }
    return 0;
}

int tsk_psk_fail(tlsock *s, int reason)
{
    if (s->set->n_psks == 0 || SSL_is_init_finished(s->ssl))
        return 0;
    if (s->server)
        return fail_server(s, reason);
    return s->alert_from_peer && own(s->set) != NULL ? fail_client(s) : 0;
}
