/* idcache - sessions that a server remembers by their ids, where it gives out
 * no tickets: those of TLS 1.2 (RFC 5246, 7.3) and the stateful tickets of TLS
 * 1.3 (RFC 8446, 4.6.1). Bounded: what was used least recently goes first.
 *
 * Counted: all snapshots of one config share it, those made by a reload too.
 * Thread-safe; who forks holds the lock. A child of fork() goes on with a copy
 * of its own. Expiry is libssl's business. */
#ifndef TSK_SESSION_IDCACHE_H
#define TSK_SESSION_IDCACHE_H

#include <openssl/ssl.h>
#include <stddef.h>

struct tsk_idcache;

struct tsk_idcache *tsk_idcache_new(void); /* NULL: no memory */
struct tsk_idcache *tsk_idcache_ref(struct tsk_idcache *c); /* NULL: NULL */
void tsk_idcache_unref(struct tsk_idcache *c);
/* A reference is taken; at most `most` stay. Without memory it is not kept. */
void tsk_idcache_put(struct tsk_idcache *c, SSL_SESSION *ses, size_t most);
SSL_SESSION *tsk_idcache_get(struct tsk_idcache *c, const unsigned char *id,
                             size_t len); /* a reference, yours; or NULL */
void tsk_idcache_drop(struct tsk_idcache *c, const SSL_SESSION *ses);
size_t tsk_idcache_count(struct tsk_idcache *c);

#endif
