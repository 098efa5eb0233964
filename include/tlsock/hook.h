/**
 * @file hook.h
 * Events of a config's connections, and the hooks that are told of them.
 *
 * A hook is a function of the program's that tlsock_config_on() sets for one
 * kind of event. It lets go on or refuses; where its event has an op it may
 * answer later, by tlsock_op_done(), from any thread. tlsock/config.h includes
 * this header.
 */
#ifndef TLSOCK_HOOK_H
#define TLSOCK_HOOK_H

#include <tlsock.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @name Events for tlsock_config_on() @{ */
#define TLSOCK_ON_HELLO 1 /**< a client's ClientHello came; once, before
                               anything is made of it; servers */
#define TLSOCK_ON_VERIFY 2
#define TLSOCK_ON_STAPLE 3
#define TLSOCK_ON_SIGN 4     /**< a signature by a key that is not here */
#define TLSOCK_ON_PASSWORD 5 /**< a key file is encrypted, and no password was
                                  named; cannot be answered later */
#define TLSOCK_ON_TICKET_KEY 6 /**< a server seals a session ticket, or opens
                                    one */
#define TLSOCK_ON_SESSION 7 /**< a client has won a session; a refusal keeps it
                                 out of the config's memory, file or store */
#define TLSOCK_ON_CLOSE_NOTIFY 8   /**< the peer ended its direction of TLS */
#define TLSOCK_ON_HANDSHAKE_FAIL 9 /**< no TLS came about */
#define TLSOCK_ON_MESSAGE 10 /**< a message of TLS came, or is on its way out:
                                  handshake, alert, ChangeCipherSpec */
#define TLSOCK_ON_KEYLOG 11  /**< a secret of a connection: who has it can
                                  decrypt what was recorded */
#define TLSOCK_ON_LOG 12 /**< a line about what is no failure of a call; the
                              answer means nothing */
#define TLSOCK_ON_NAME 13
#define TLSOCK_ON_EARLY_DATA 14 /**< a client offers early data that this
                                     process and its forks have not seen */
#define TLSOCK_ON_WIRE 15       /**< bytes of the transport came, or have left,
                                     since TLS began */
#define TLSOCK_ON_DIALOGUE 16   /**< plaintext of ours before TLS: a dialogue
                                     with a proxy, or of STARTTLS */
/** @} */

/** What a VERIFY, STAPLE or TICKET_KEY hook may answer beside 0 and refusals. */
#define TLSOCK_ACCEPT 1

struct tlsock_op;

/** A key of tickets (RFC 5077, 4), for a TICKET_KEY hook to fill in. Wiped when
 * it was used. */
typedef struct tlsock_ticket_key {
    unsigned char name[16]; /**< public, one of its own for each key, sent with
                                 the ticket; to open, as the client sent it */
    unsigned char key[64];  /**< random: 32 bytes for AES-256-CBC, 32 for
                                 HMAC-SHA-256 */
} tlsock_ticket_key;

/** What a hook is told; valid during the call. Fields may be added. */
typedef struct tlsock_event {
    size_t size;          /**< of this struct, as the library knows it */
    int kind;             /**< TLSOCK_ON_* */
    tlsock *conn;         /**< the connection; a hook must not use it for
                               anything but tlsock_info(), tlsock_user() and,
                               in HELLO, tlsock_use_cert() and its like. NULL:
                               PASSWORD, and LOG of what concerns the config */
    struct tlsock_op *op; /**< NULL: it cannot be answered later */
    const void *data;     /**< HANDSHAKE_FAIL: what the peer said first; HELLO:
                               the ClientHello, the whole handshake message as
                               it came, from its type 1 on (RFC 8446, 4.1.2);
                               NULL if it had SSLv2's form; SIGN: the digest,
                               by the hash that the scheme's name ends in, or
                               for ed25519 and ed448 the message itself;
                               EARLY_DATA: 32 bytes that name the ticket;
                               SESSION: what tlsock_session_load() takes, a
                               secret, wiped after the call;
                               TICKET_KEY: the 16 bytes of the key's name, NULL:
                               a ticket is to be sealed; MESSAGE: all of it,
                               decrypted, a handshake's from its type on (RFC
                               8446, 4); WIRE: the bytes, NULL: there are no
                               more, see tlsock_config_on(); DIALOGUE: what is
                               said, NULL: it is over */
    size_t len;           /**< bytes of it */
    const tlsock_error *error; /**< HANDSHAKE_FAIL: why; LOG: the facts, or
                                    NULL; PASSWORD: the last one was wrong, or
                                    NULL; else NULL */
    int fd; /**< HANDSHAKE_FAIL: the socket, still open: a plaintext client may
                 be told so by send(2); -1: there is none */
    const char *name; /**< HELLO: the SNI, or ""; VERIFY, NAME and SESSION: the
                           name that is expected, NULL: none; PASSWORD: the file or URI it
                           is for; SIGN: the scheme, "ecdsa_secp256r1_sha256" */
    const char *text; /**< VERIFY: as TLSOCK_INFO_VERIFIED; HELLO: the ALPN
                           protocols, "h2,http/1.1"; LOG: the line; KEYLOG: a
                           line as in a file of SSLKEYLOGFILE, without its end;
                           a secret, wiped after the call */
    const tlsock_cert *cert; /**< VERIFY: the chain as it was built, leaf first,
                                  anchor last; NAME: the peer's; STAPLE: leaf
                                  and issuer; SIGN: ours. Borrowed. */
    tlsock_ticket_key *ticket; /**< TICKET_KEY: to be filled in; else NULL */
    int sent;    /**< MESSAGE, WIRE, DIALOGUE: 1 by us, 0 by the peer */
    int version; /**< MESSAGE: of TLS, as on the wire: 0x0304 is TLS 1.3; what
                      is known by then: a ClientHello's is no promise */
    int type;    /**< MESSAGE: TLS's ContentType: 22 handshake, 21 alert, 20
                      ChangeCipherSpec (RFC 8446, B.1) */
    int server;  /**< DIALOGUE: 1: we are the server */
} tlsock_event;

/** 0 goes on, a negative TLSOCK_E_* refuses; anything that means nothing for
 * the event is TLSOCK_E_HOOK, and refuses as well. TLSOCK_ON_NAME: 0 says that
 * the certificate is for the name, a code (TLSOCK_E_NAME_MISMATCH) that it is
 * not. */
typedef int tlsock_hook(const tlsock_event *event, void *arg);

/**
 * Answer an event. A hook whose event has an op may keep it, return
 * TLSOCK_AGAIN, and have this called later, by any thread, exactly once; the
 * connection's descriptor wakes. A hook of PASSWORD or SIGN calls it itself to
 * hand over its result, and returns 0. The connection may be gone by then, and
 * an answer may come twice: both are harmless. Not after fork() in the child.
 * @param op    of the event; an opaque number, never followed as a pointer
 * @param code  as the hook would have returned
 * @param data  SIGN: the signature, PASSWORD: the password, TICKET_KEY: a
 *              tlsock_ticket_key; copied, wiped later
 * @param len   bytes of it, at most 65536
 * @retval 0                  taken, or nobody waits for it any more
 * @retval TLSOCK_E_ARGUMENT  there never was such an op; or no data, with len
 * @retval TLSOCK_E_STATE     it was answered before
 * @retval TLSOCK_E_FORKED    it belongs to another process
 * @retval TLSOCK_E_LIMIT     too much data; the event is answered with this
 * @retval TLSOCK_E_NOMEM     out of memory; the event is answered with this
 */
TLSOCK_API int tlsock_op_done(struct tlsock_op *op, int code, const void *data,
                              size_t len);

/**
 * Choose our certificate for one connection: within a HELLO hook, or after it
 * said TLSOCK_AGAIN and before tlsock_op_done(), by whatever thread, as long as
 * the connection is there. The last call counts; what the config has is not
 * asked then, and with a HELLO hook it need not have any. Nothing is recorded in tlsock_last_error().
 * @param s     the event's conn
 * @param cert  certificate with chain and key, one reference is taken
 * @retval 0                      this one is used
 * @retval TLSOCK_E_ARGUMENT      one of the two is NULL
 * @retval TLSOCK_E_STATE         no HELLO is being answered
 * @retval TLSOCK_E_OWN_FILE      it has no key
 * @retval TLSOCK_E_KEY_MISMATCH  the key is another one's
 */
TLSOCK_API int tlsock_use_cert(tlsock *s, tlsock_cert *cert);

/**
 * Choose the application protocol (ALPN) of one connection, where and as
 * tlsock_use_cert() may be called. "alpn" and "alpn.required" of the config are
 * not asked then. A client that offers others and not this one is refused with
 * TLSOCK_E_ALPN and the alert no_application_protocol; with one that offers
 * none at all, none is agreed on.
 * @param s         the event's conn
 * @param protocol  copied: exactly this one, "h2", at most 255 bytes; "": none
 * @retval 0                  it is chosen
 * @retval TLSOCK_E_ARGUMENT  NULL, or too long
 * @retval TLSOCK_E_STATE     no HELLO is being answered
 * @retval TLSOCK_E_NOMEM     out of memory
 */
TLSOCK_API int tlsock_use_alpn(tlsock *s, const char *protocol);

/**
 * Choose the versions of TLS of one connection, where and as tlsock_use_cert()
 * may be called. Only fewer than the config has: nobody gets around tls.min.
 * @param s         the event's conn
 * @param versions  "1.2", "1.3" or "1.2-1.3"
 * @retval 0                  they are chosen
 * @retval TLSOCK_E_ARGUMENT  NULL, or none of these texts
 * @retval TLSOCK_E_OPTION    not within tls.min and tls.max
 * @retval TLSOCK_E_STATE     no HELLO is being answered
 * @retval TLSOCK_E_NOMEM     out of memory
 */
TLSOCK_API int tlsock_use_version(tlsock *s, const char *versions);

/**
 * Choose whether one connection's client is asked for a certificate, where and
 * as tlsock_use_cert() may be called. "ask": it is, and whatever it has is
 * taken, or nothing; it has to prove that the key is its own. Is the chain not
 * trusted, TLSOCK_INFO_VERIFIED begins with "insecure any client" and says why;
 * TLSOCK_ON_VERIFY is asked as ever, and may refuse; revocation is not checked.
 * Such a connection leaves no session, and none is resumed in it. "none": it is
 * not asked, as the config may have it anyway.
 * @param s    the event's conn
 * @param how  "ask" or "none"
 * @retval 0                  it is chosen
 * @retval TLSOCK_E_ARGUMENT  NULL, or none of these texts
 * @retval TLSOCK_E_OPTION    client-auth of the config asks for more: it is
 *                            require, or ask and so is this
 * @retval TLSOCK_E_POLICY    a policy wants it asked, or wants it verified
 * @retval TLSOCK_E_STATE     no HELLO is being answered
 * @retval TLSOCK_E_NOMEM     out of memory
 */
TLSOCK_API int tlsock_use_client_auth(tlsock *s, const char *how);

/**
 * Be told of an event of every connection of this config, on the thread that
 * makes the call. Set PASSWORD and SIGN before the identities they are for.
 * TLSOCK_ON_SIGN: the signature is as the scheme has it in TLS (RFC 8446,
 * 4.2.3): ECDSA in DER, RSA-PSS with a salt as long as the digest and MGF1 by
 * the same hash, PKCS#1 v1.5 around the digest; it is checked before it is
 * sent. TLSOCK_ON_PASSWORD is asked again, at most twice, if its password does
 * not open the file; TLSOCK_AGAIN is TLSOCK_E_HOOK there.
 * TLSOCK_ON_CLOSE_NOTIFY: once, before the read that gives 0; a refusal is what
 * that read gives instead. TLSOCK_ON_HANDSHAKE_FAIL: before our alert is sent;
 * a refusal keeps it back. TLSOCK_ON_NAME: instead of the built-in rules of
 * names, whenever the chain is good and a name is expected; not if a pin stands
 * in for both. Of tlsock_verify(), too, conn is NULL then.
 * TLSOCK_ON_EARLY_DATA: a server's, for a store that several machines share:
 * 0 if that has not seen these bytes before, anything else leaves the data out
 * and goes on; a name need not be kept for longer than a minute.
 * A resumed session keeps the verdict that it was won with.
 * TLSOCK_ON_TICKET_KEY: in place of tickets.secret and tickets.rotate. To seal,
 * event->data is NULL: fill in name and key of event->ticket, and answer
 * TLSOCK_ACCEPT; 0 says that there is no key, and the client gets no ticket, or
 * one that nobody opens. To open, event->data is the name of the key: fill in
 * the key, and answer TLSOCK_ACCEPT; 0 says that it is unknown, and a full
 * handshake follows. Change the name there to that of the key which seals now,
 * if it is another one: the client then gets a new ticket. A refusal ends the
 * connection. It may answer later, where there is an op, and then hands over
 * all of a tlsock_ticket_key; there is none, and TLSOCK_AGAIN is no answer, for
 * a ticket that follows the handshake: after lists or responders were asked
 * about the client, or after tlsock_request_client_cert(). Threads that share
 * the config call it at once; forget old keys, and do not let one seal for more
 * than some hours.
 * TLSOCK_ON_MESSAGE: in their order, also those that are encrypted; of a
 * connection whose peer spoke SSLv2's form in its first message, that one has
 * version 2. TLS 1.3's ChangeCipherSpec means nothing. TLSOCK_ON_KEYLOG: each secret once it is there, which is before what it
 * encrypts leaves, and after what it decrypts came. TLSOCK_ON_WIRE: ciphertext
 * as it is read from and written to the transport, in whatever portions; what
 * went before TLS, a dialogue of STARTTLS or of a proxy, is DIALOGUE's. With
 * data NULL, sent 0: the peer ended the stream; sent 1: TLS is over on this
 * connection, which is closed, abandoned or PLAIN again; the last event of it,
 * told in any case once there was one. On a server the first WIRE comes before
 * MESSAGE, and that before HELLO. TLSOCK_ON_DIALOGUE: each line or packet that
 * came, and what was said to it, in their order, before the first WIRE; of a
 * password each byte is '*'. With data NULL, sent 0: TLS begins; sent 1: the
 * connection ended without; the last event of it, told in any case once there was
 * one. What is said within TLS is not part of it, nor are the library's own
 * requests. A refusal by one of these four ends the connection: nothing more is
 * read or sent, no alert either.
 * @param c      the config
 * @param event  TLSOCK_ON_*
 * @param hook   the function; NULL: none
 * @param arg    handed to it
 * @retval 0                     done
 * @retval TLSOCK_E_ARGUMENT     no such event
 * @retval TLSOCK_E_FROZEN       the config is in use
 */
TLSOCK_API int tlsock_config_on(tlsock_config *c, int event, tlsock_hook *hook,
                                void *arg);

#ifdef __cplusplus
}
#endif
#endif
