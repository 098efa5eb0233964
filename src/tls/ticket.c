#include "tls/ticket.h"

#include "core/mem.h"
#include "ossl/queue.h"
#include "session/ticket.h"
#include "tls/ctx_private.h"
#include "tls/op.h"
#include "tls/sign.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

_Static_assert(sizeof(((tlsock_ticket_key *)0)->key) ==
                   sizeof(((struct tsk_ticketkey *)0)->aes) +
                       sizeof(((struct tsk_ticketkey *)0)->hmac),
               "a hook's key is both of ours");

static int has_hook(const struct tsk_settings *set)
{
    return set->on[TLSOCK_ON_TICKET_KEY].call != NULL;
}

int tsk_ticket_ready(const tlsock *s)
{
    return has_hook(s->set) || tsk_tickets_ready(s->set->ticket_keys);
}

static int is_zero(const unsigned char *p, size_t len)
{
    unsigned char any = 0;

    for (size_t i = 0; i < len; i++)
        any |= p[i];
    return any == 0;
}

/* What came with tlsock_op_done() takes the place of what the hook left. */
static int take_answer(tlsock *s, tlsock_ticket_key *room)
{
    size_t len;
    const void *data = tsk_op_data(s->op, &len);

    if (len == sizeof(*room))
        memcpy(room, data, len);
    if ((len == 0 || len == sizeof(*room)) &&
        !is_zero(room->key, sizeof(room->key)))
        return TLSOCK_ACCEPT;
    tsk_fail(tsk_err(s), TLSOCK_E_HOOK,
             "the TICKET_KEY hook of this program accepted without a key");
    tsk_hint(tsk_err(s),
             "fill in event->ticket within the call, or hand a "
             "tlsock_ticket_key of %zu bytes over with "
             "tlsock_op_done()",
             sizeof(*room));
    return TLSOCK_E_HOOK;
}

/* Tickets that follow the handshake are made within a write or read, where
 * nothing can wait: there the event has no op. */
static int ask_hook(tlsock *s, tlsock_event *e)
{
    int rc =
        tsk_sign_ask(s, e, tsk_sign_can_wait(s) ? TSK_OP_LATER : TSK_OP_NONE);

    if (rc == TLSOCK_ACCEPT)
        rc = take_answer(s, e->ticket);
    tsk_op_end(s);
    if (rc < 0 && tsk_err_of(s)->phase == 0)
        tsk_phase(tsk_err(s), TLSOCK_PHASE_HANDSHAKE);
    return rc;
}

/* What libssl's callback returns: name NULL: 1, 0; else 1, 2, 0; or -1. */
static int by_hook(tlsock *s, const unsigned char *name,
                   struct tsk_ticketkey *k)
{
    tlsock_ticket_key room = {{0}, {0}};
    tlsock_event e = {.size = sizeof(e),
                      .kind = TLSOCK_ON_TICKET_KEY,
                      .conn = s,
                      .fd = -1,
                      .data = name,
                      .len = name != NULL ? TSK_TICKET_NAME : 0,
                      .ticket = &room};
    int rc;

    if (name != NULL)
        memcpy(room.name, name, sizeof(room.name));
    rc = ask_hook(s, &e);
    if (rc == TLSOCK_ACCEPT) {
        memcpy(k->name, room.name, sizeof(k->name));
        memcpy(k->aes, room.key, sizeof(k->aes));
        memcpy(k->hmac, room.key + sizeof(k->aes), sizeof(k->hmac));
        if (name != NULL && memcmp(room.name, name, sizeof(room.name)) != 0)
            rc = 2;
    }
    tsk_wipe(&room, sizeof(room));
    return rc < 0 ? -1 : rc;
}

static int find_key(SSL *ssl, const unsigned char *name,
                    struct tsk_ticketkey *k)
{
    tlsock *s = tsk_conn_of(ssl);

    if (s == NULL) /* an SSL that somebody else made of our SSL_CTX */
        return 0;
    if (has_hook(s->set))
        return by_hook(s, name, k);
    return name != NULL ? tsk_tickets_find(s->set->ticket_keys, name, k)
                        : tsk_tickets_issue(s->set->ticket_keys, k);
}

/* TLS 1.2 can send an empty ticket (RFC 5077, 3.3), TLS 1.3 cannot: there it is
 * one that nobody opens, which ends in a full handshake just the same. */
static int key_to_issue(SSL *ssl, struct tsk_ticketkey *k)
{
    int rc = find_key(ssl, NULL, k);

    if (rc != 0 || SSL_version(ssl) < TLS1_3_VERSION)
        return rc;
    return RAND_priv_bytes((unsigned char *)k, sizeof(*k)) == 1 ? 1 : -1;
}

/* In TLS 1.3 a ticket is for one use (RFC 8446, C.4): who brings one gets
 * another, which libssl sends after 2 alone. */
static int key_to_open(SSL *ssl, const unsigned char *name,
                       struct tsk_ticketkey *k)
{
    int rc = find_key(ssl, name, k);

    return rc == 1 && SSL_version(ssl) >= TLS1_3_VERSION ? 2 : rc;
}

static int set_mac(EVP_MAC_CTX *mac, struct tsk_ticketkey *k)
{
    static char sha256[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
        OSSL_PARAM_construct_end()};

    return EVP_MAC_init(mac, k->hmac, sizeof(k->hmac), params);
}

/* libssl's: 1 go on, 2 and make a new ticket, 0 there is no key, -1 failed. */
static int ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv,
                      EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal)
{
    const struct tsk_ctx *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const EVP_CIPHER *aes = c->ticket_cipher;
    struct tsk_ticketkey k;
    int rc = seal ? key_to_issue(ssl, &k) : key_to_open(ssl, name, &k);

    if (rc > 0 && seal) {
        memcpy(name, k.name, sizeof(k.name));
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) != 1 ||
            !EVP_EncryptInit_ex2(cipher, aes, k.aes, iv, NULL))
            rc = -1;
    } else if (rc > 0 && !EVP_DecryptInit_ex2(cipher, aes, k.aes, iv, NULL)) {
        rc = -1;
    }
    if (rc > 0 && !set_mac(mac, &k))
        rc = -1;
    tsk_wipe(&k, sizeof(k));
    return rc;
}

int tsk_ticket_setup(struct tsk_ctx *c, tlsock_error *err)
{
    c->ticket_cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    if (c->ticket_cipher == NULL ||
        !SSL_CTX_set_tlsext_ticket_key_evp_cb(c->ssl, ticket_key))
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "session tickets");
    return tsk_server_tickets(c, err);
}
