/* trace - a message of TLS in one readable line.
 *
 * Reads anybody's bytes: each length is held against what is there, and what
 * does not fit makes the line say "malformed". Text is escaped. Decides
 * nothing, keeps nothing. */
#ifndef TSK_TLS_TRACE_H
#define TSK_TLS_TRACE_H

#include "tls/conn.h"
#include "tls/greeting.h"

/* A line under way. */
struct tsk_trace {
    char *out;
    size_t size, at; /* at goes on counting, as snprintf() does */
    const tlsock_event *e;
};

/* An event of MESSAGE, without the end of the line: its length. */
int tsk_trace_line(const tlsock_event *e, char *out, size_t size);

/* " name=" and a text, formatted; a text of the network's, which is escaped */
void tsk_trace_fact(struct tsk_trace *t, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void tsk_trace_text(struct tsk_trace *t, const char *name, const char *escaped);
/* The bytes of a message that follow so many bytes: 0, or -1: too few. */
int tsk_trace_skip(struct tsk_span *s, size_t n);
/* A vector with its length in front: 0, or -1 */
int tsk_trace_vector(struct tsk_span *s, size_t width, struct tsk_span *out);
unsigned tsk_trace_16(const uint8_t *p);
/* tracehello.c: both hellos, whole messages: 0, or -1: malformed */
int tsk_trace_hello(struct tsk_trace *t, const uint8_t *message, size_t len);
/* tracebody.c: a handshake message without its head: 0, or -1 */
int tsk_trace_body(struct tsk_trace *t, int type, struct tsk_span body);
/* tracename.c: "x25519", "ecdsa_secp256r1_sha256", or "0x1234" in room */
const char *tsk_trace_group(unsigned id, char room[8]);
const char *tsk_trace_scheme(unsigned id, char room[8]);
const char *tsk_trace_version(int version, char room[8]); /* "TLSv1.3" */
const char *tsk_trace_message(int type);                  /* NULL: not known */
/* tracelog.c: TLSOCK_TRACE, of the environment, wants messages of s. */
int tsk_trace_wanted(const tlsock *s);
void tsk_trace_log(const tlsock_event *e);

#endif
