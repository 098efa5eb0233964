/**
 * @file session.h
 * Sessions kept and carried elsewhere.
 *
 * A client resumes by itself: nothing here is needed for that, nor for sessions
 * that survive a restart, which "session.file" keeps. These are for a store of
 * the program's own, and for a single session that goes from one config,
 * process or machine to another. A server without tickets can have such a store,
 * too.
 *
 * The bytes of a session are secrets, and they are trust: whoever reads them can
 * decrypt what is sent in a resumed TLS 1.2 session; whoever writes them can
 * pretend to be the server, or to a server one of its clients, since a resumed
 * session shows no certificate. What
 * is damaged, cut, mixed up, expired, of another version, peer, trust or other
 * settings is found out, and is no session; somebody who makes bytes on purpose
 * is not. Keep them where you would keep a private key.
 */
#ifndef TLSOCK_SESSION_H
#define TLSOCK_SESSION_H

#include <tlsock.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TLSOCK_SESSION_MAX 16384    /**< most bytes of a session */
#define TLSOCK_SESSION_KEY_MAX 64   /**< most bytes of a store's key */

/**
 * A store of the program's own. Its functions are called by any thread at any
 * time, several at once, while a connection is made or reads; they must not wait
 * long and must not use the connection. Keys are opaque bytes, the same for the
 * same peer and settings in every process. All of it is a cache: what cannot be
 * done is not done, and costs a full handshake.
 */
typedef struct tlsock_store {
    size_t size; /**< sizeof(tlsock_store) */
    /** Copy what is kept under a key. *len: room at out, then its length.
     *  0: there it is; negative: there is none. */
    int (*get)(void *arg, const void *key, size_t klen, void *out, size_t *len);
    /** Keep a copy until then (Unix seconds), in place of what was there.
     *  0, negative: not kept. */
    int (*put)(void *arg, const void *key, size_t klen, const void *data,
               size_t len, int64_t expires);
    /** Remove. 0: it was there and is gone; negative: it was not there. Of
     *  several that call at once for one key, one gets 0: so a client's TLS 1.3
     *  session, which is used once (RFC 8446, C.4), is used once among all
     *  processes. */
    int (*del)(void *arg, const void *key, size_t klen);
} tlsock_store;

/**
 * Keep the sessions of a config's clients there, instead of in memory or
 * "session.file". At most four per peer are asked for and kept.
 *
 * Where the config is a server's with "tickets = off", the sessions that it
 * remembers are there, too: servers with the same "session-id-context" and
 * demands on clients that share a store resume each other's. Such a session is
 * got as often as a client comes with it. With "early-data", of all of them one
 * takes what is sent early with a session: who gets 0 of del(). A server that
 * gives out tickets keeps nothing there.
 * @param c      the config
 * @param store  copied; NULL: none any more
 * @param arg    handed to its functions; has to live as long as config, its
 *               copies and their connections
 * @retval 0                  set
 * @retval TLSOCK_E_ARGUMENT  a function is missing, or size is wrong
 * @retval TLSOCK_E_FROZEN    the config is in use
 */
TLSOCK_API int tlsock_config_set_session_store(tlsock_config *c,
                                               const tlsock_store *store,
                                               void *arg);

/**
 * The newest session of a connection, to be resumed later. In TLS 1.3 the
 * server sends it after the handshake, so it is there once something was read;
 * until then there is none yet. It is the caller's then: a TLS 1.3 session is
 * not resumed by the config that won it as well.
 * @param s    a client's connection
 * @param out  the caller's memory, to be wiped; NULL: only the length is asked
 *             for
 * @param len  room at @p out, then the length; TLSOCK_SESSION_MAX is enough
 * @retval 0                  there it is
 * @retval TLSOCK_E_STATE     there is none yet, or none to be had:
 *                            tlsock_last_error() and TLSOCK_INFO_SESSION say
 *                            why
 * @retval TLSOCK_E_LIMIT     too little room: *len is what is needed
 * @retval TLSOCK_E_ARGUMENT  no client, or len is NULL
 * @retval TLSOCK_E_NOMEM     out of memory
 */
TLSOCK_API int tlsock_session_save(tlsock *s, void *out, size_t *len);
/**
 * Have the next connection to the same peer resume a session. Counts as a use
 * of the config, which is frozen from then on.
 * @param c     the config; NULL: the process's default
 * @param data  what tlsock_session_save() or TLSOCK_ON_SESSION gave
 * @param len   bytes of it
 * @retval 0                  it will be offered, once if it is of TLS 1.3
 * @retval TLSOCK_E_ARGUMENT  these are no session, or one of another version
 * @retval TLSOCK_E_STATE     it is over, or was won with other trust or other
 *                            settings, or "session = off": a full handshake
 *                            follows
 * @retval TLSOCK_E_NOMEM     out of memory; other codes as the first connection
 *                            of the config would have them
 */
TLSOCK_API int tlsock_session_load(tlsock_config *c, const void *data,
                                   size_t len);

#ifdef __cplusplus
}
#endif
#endif
