/* store - sessions a client may offer again, bounded, least recently used
 * goes first. Thread-safe. Keys are digests: who may resume what is decided by
 * whoever makes them. Counted: snapshots whose sessions mean the same share
 * them. */
#ifndef TSK_SESSION_STORE_H
#define TSK_SESSION_STORE_H

#include "session/facts.h"

struct tsk_sessions;

struct tsk_sessions *tsk_sessions_new(size_t most); /* NULL: no memory */
struct tsk_sessions *tsk_sessions_ref(struct tsk_sessions *c);
void tsk_sessions_unref(struct tsk_sessions *c); /* NULL is a no-op */
/* A reference is taken. Out of memory: not kept. */
void tsk_sessions_put(struct tsk_sessions *c,
                      const struct tsk_session_item *item);
/* 1: the newest for this key that has not expired, item->ses is yours; 0. A
 * TLS 1.3 session is given out once (RFC 8446, C.4). */
int tsk_sessions_take(struct tsk_sessions *c,
                      const uint8_t key[TSK_SESSION_KEY], int64_t now,
                      struct tsk_session_item *item);
/* This one of a key, or with ses NULL all of it, is not given out any more. */
void tsk_sessions_forget(struct tsk_sessions *c,
                         const uint8_t key[TSK_SESSION_KEY],
                         const SSL_SESSION *ses);
size_t tsk_sessions_count(struct tsk_sessions *c);

#endif
