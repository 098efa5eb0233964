/* table - the dialogues that turn a plaintext connection into TLS, by name,
 * for both sides. Each is a state machine over a tsk_talk and does no I/O.
 *
 * Names: smtp lmtp imap pop3 ftp ldap nntp sieve xmpp xmpp-server irc postgres
 * mysql (also mariadb) http. */
#ifndef TSK_STARTTLS_TABLE_H
#define TSK_STARTTLS_TABLE_H

#include "core/talk.h"

struct tsk_starttls;

/* What the dialogue is part of. */
enum tsk_starttls_when {
    TSK_STARTTLS_BEFORE, /* plaintext, TLS follows */
    TSK_STARTTLS_AFTER   /* TLS is there */
};

/* protocol, arg and host are copied. arg: the protocol's argument or NULL (see
 * tlsock_starttls(3)); host: the server's name, or NULL.
 * E_ARGUMENT: no such protocol (the message lists them) or a bad argument. */
struct tsk_starttls *tsk_starttls_new(const char *protocol, const char *arg,
                                      const char *host, int server,
                                      enum tsk_starttls_when when,
                                      tlsock_error *err);
/* OK, AGAIN or code, see core/talk.h. E_STARTTLS_UNAVAILABLE: not offered;
 * E_STARTTLS_REFUSED: offered or asked for, and refused, or a client that goes
 * on without it; E_PROTOCOL: another protocol; E_CLOSED_IN_HANDSHAKE, E_LIMIT.
 * All with a hint. Not to be called again once it is over. */
int tsk_starttls_step(struct tsk_starttls *d, struct tsk_talk *t,
                      tlsock_error *err);
/* BEFORE: is there a part that follows once TLS is there (ftp's PBSZ, PROT)? */
int tsk_starttls_has_after(const struct tsk_starttls *d);
/* Servers: does the ClientHello follow the client's request at once, without
 * an answer in between (mysql)? What is left in `in` is TLS then;
 * everywhere else it is for the owner to refuse (E_INJECTION). */
int tsk_starttls_runs_on(const struct tsk_starttls *d);
/* AFTER: does TLS end with it (ftp's CCC)? */
int tsk_starttls_ends_tls(const struct tsk_starttls *d);
const char *tsk_starttls_protocol(const struct tsk_starttls *d);
void tsk_starttls_free(struct tsk_starttls *d);
/* Is there such a dialogue, with such an argument, before TLS? */
int tsk_starttls_leads_to_tls(const char *protocol, const char *arg);
/* "smtp, lmtp, ...": for messages */
const char *tsk_starttls_names(void);

#endif
