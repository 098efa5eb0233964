/* prints - what a hello tells of the program that sent it: JA3, JA3S and JA4,
 * with their raw texts and the variants that sort.
 *
 * Knows greetings and digests; of connections only where the messages are that
 * were kept. */
#ifndef TSK_TLS_PRINTS_H
#define TSK_TLS_PRINTS_H

#include "tls/conn.h"
#include "tls/greeting.h"

/* TLSOCK_INFO_JA* of a greeting into out, as snprintf does it: the length of
 * all of it, 0 if it is no item of this kind of greeting; E_NOMEM;
 * E_UNSUPPORTED: there is no such digest. item is one of tsk_prints_item(). */
int tsk_prints_text(const struct tsk_greeting *g, int item, char *out,
                    size_t size);
int tsk_prints_item(int item);      /* 1: it is one of these */
int tsk_prints_of_server(int item); /* 1: and of a ServerHello */

/* A handshake message, of a connection with prints = on. */
void tsk_prints_seen(tlsock *s, const void *bytes, size_t len);
/* An item of the connection: borrowed until the next one; "" not known. */
const char *tsk_prints_info(tlsock *s, int item);
void tsk_prints_free(tlsock *s); /* what is kept of it */

#endif
