/**
 * @file tlsock.h
 * TLS sockets that are right by default.
 *
 * tlsock_connect("example.com:443", NULL, NULL, &err) resolves, connects,
 * shakes hands and verifies chain and name against the system's trust store;
 * tlsock_listen() and tlsock_accept() are the other side. One handle, one set
 * of calls, blocking or not.
 *
 * Returns: >= 0 is good. TLSOCK_AGAIN means only: poll tlsock_fd() for
 * tlsock_events() for at most tlsock_timeout() milliseconds, then call again.
 * Any other negative value is a stable TLSOCK_E_* code.
 *
 * Threads: a config is shared freely; a connection or listener belongs to one
 * thread at a time (a call made while another is under way gives TLSOCK_E_STATE
 * where that is noticed), but for tlsock_interrupt(). The library never prints,
 * never exits, installs no signal handler, never raises SIGPIPE and leaves
 * OpenSSL's error queue and, where a call fails with a code, the caller's errno
 * as found.
 */
#ifndef TLSOCK_H
#define TLSOCK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef TLSOCK_API
#if defined(__GNUC__)
#define TLSOCK_API __attribute__((visibility("default")))
#else
#define TLSOCK_API
#endif
#endif

#if defined(__GNUC__)
/** The result must be looked at. */
#define TLSOCK_MUST_CHECK __attribute__((warn_unused_result))
/** printf-like: the format is argument @p f, its values begin at @p a. */
#define TLSOCK_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define TLSOCK_MUST_CHECK
#define TLSOCK_PRINTF(f, a)
#endif

typedef struct tlsock tlsock;                   /**< a connection */
typedef struct tlsock_listener tlsock_listener; /**< a listening socket */
typedef struct tlsock_config tlsock_config;     /**< see tlsock/config.h */
typedef struct tlsock_cert tlsock_cert;         /**< see tlsock/cert.h */

/** Success. */
#define TLSOCK_OK 0
/** Poll and call again; never returned by a blocking handle. */
#define TLSOCK_AGAIN (-1)

/** @name Codes: negative, stable, never change their meaning.
 *  1xx use, 2xx system, 3xx on the way, 4xx TLS, 5xx peer, 6xx own side.
 *  @{ */
#define TLSOCK_E_ARGUMENT (-101)    /**< a parameter is not usable */
#define TLSOCK_E_OPTION (-102)      /**< unknown option key or bad value */
#define TLSOCK_E_FROZEN (-103)      /**< the config is in use: set before */
#define TLSOCK_E_STATE (-104)       /**< not possible in this state */
#define TLSOCK_E_UNSUPPORTED (-105) /**< not in this build or this OpenSSL */
#define TLSOCK_E_FORKED (-106)      /**< another process owns the TLS state */
#define TLSOCK_E_INTERRUPTED (-107) /**< tlsock_interrupt() was called */
#define TLSOCK_E_CONFIG_FILE (-108) /**< configuration file: line is named */

#define TLSOCK_E_NOMEM (-201)   /**< out of memory */
#define TLSOCK_E_SYSTEM (-202)  /**< a system call failed: sys_errno */
#define TLSOCK_E_RESOLVE (-203) /**< the host name has no address */
#define TLSOCK_E_CONNECT (-204) /**< no address could be connected */
#define TLSOCK_E_TIMEOUT (-205) /**< the deadline passed */
#define TLSOCK_E_RESET (-206)   /**< the peer reset the connection */
#define TLSOCK_E_LIMIT (-207)   /**< a size limit was reached */

#define TLSOCK_E_PROXY (-301)                /**< a proxy refused */
#define TLSOCK_E_PROXY_AUTH (-302)           /**< a proxy wants a password */
#define TLSOCK_E_STARTTLS_UNAVAILABLE (-303) /**< STARTTLS not offered */
#define TLSOCK_E_STARTTLS_REFUSED (-304)     /**< STARTTLS refused */
#define TLSOCK_E_INJECTION (-305)            /**< plaintext before the TLS */

#define TLSOCK_E_NOT_TLS (-401)              /**< the peer speaks no TLS */
#define TLSOCK_E_VERSION_UNSUPPORTED (-402)  /**< no common TLS version */
#define TLSOCK_E_NO_COMMON_PARAMETERS (-403) /**< cipher, group, signature */
#define TLSOCK_E_CLOSED_IN_HANDSHAKE (-404)  /**< peer closed before TLS */
#define TLSOCK_E_ALERT (-405)                /**< another alert: alert */
#define TLSOCK_E_PROTOCOL (-406)             /**< the peer broke TLS's rules */
#define TLSOCK_E_TRUNCATED (-407)            /**< end without close_notify */
#define TLSOCK_E_CLIENT_CERT_REQUIRED (-408) /**< server wants our certificate */
#define TLSOCK_E_ALPN (-409)                 /**< no common ALPN protocol */

#define TLSOCK_E_CHAIN_INCOMPLETE (-501)    /**< an intermediate is missing */
#define TLSOCK_E_UNTRUSTED_ROOT (-502)      /**< the root is not trusted */
#define TLSOCK_E_NAME_MISMATCH (-503)       /**< certificate of another name */
#define TLSOCK_E_NO_NAME (-504)             /**< no name to check */
#define TLSOCK_E_EXPIRED (-505)             /**< validity is over */
#define TLSOCK_E_NOT_YET_VALID (-506)       /**< validity has not begun */
#define TLSOCK_E_PURPOSE (-507)             /**< not made for this use */
#define TLSOCK_E_WEAK (-508)                /**< key or signature too weak */
#define TLSOCK_E_CERT_INVALID (-509)        /**< breaks RFC 5280 otherwise */
#define TLSOCK_E_PIN (-510)                 /**< none of the pins fits */
#define TLSOCK_E_CLIENT_CERT_MISSING (-511) /**< the client sent none */
#define TLSOCK_E_CLIENT_CERT_DENIED (-512)  /**< client-auth.allow says no */
#define TLSOCK_E_REVOKED (-513)             /**< revoked by its issuer */
#define TLSOCK_E_REVOCATION_UNKNOWN (-514)  /**< nobody could tell */
#define TLSOCK_E_STAPLE (-515)              /**< stapled OCSP is no good */
#define TLSOCK_E_MUST_STAPLE (-516)         /**< staple promised, not sent */
#define TLSOCK_E_DANE (-517)                /**< not as its TLSA records say */
#define TLSOCK_E_PSK (-518)                 /**< pre-shared keys differ */

#define TLSOCK_E_OWN_FILE (-601)     /**< own certificate, key or other file */
#define TLSOCK_E_KEY_MISMATCH (-602) /**< key does not fit the certificate */
#define TLSOCK_E_PASSWORD (-603)     /**< password missing or wrong */
#define TLSOCK_E_TRUST_STORE (-604)  /**< no usable trust store */
#define TLSOCK_E_POLICY (-605)       /**< a policy of this process says no */
#define TLSOCK_E_HOOK (-606)         /**< a hook refused */
/** @} */

/** @name What was under way when it failed: tlsock_error.phase @{ */
#define TLSOCK_PHASE_NONE 0
#define TLSOCK_PHASE_RESOLVE 1
#define TLSOCK_PHASE_CONNECT 2
#define TLSOCK_PHASE_PROXY 3
#define TLSOCK_PHASE_STARTTLS 4
#define TLSOCK_PHASE_HANDSHAKE 5
#define TLSOCK_PHASE_VERIFY 6
#define TLSOCK_PHASE_READ 7
#define TLSOCK_PHASE_WRITE 8
#define TLSOCK_PHASE_CLOSE 9
#define TLSOCK_PHASE_CONFIG 10
/** @} */

/**
 * What went wrong: a plain value of 1,024 bytes that the caller owns.
 * All texts are NUL-terminated UTF-8; text that came from the network is
 * escaped and may be printed as it is.
 */
typedef struct tlsock_error {
    int code;            /**< TLSOCK_E_*, TLSOCK_AGAIN or 0 */
    int phase;           /**< TLSOCK_PHASE_* */
    int sys_errno;       /**< errno of the failed system call, or 0 */
    int alert;           /**< TLS alert (RFC 8446, 6) sent or got, or 0 */
    int alert_from_peer; /**< 1: the peer sent it, 0: we did */
    int x509_code;       /**< OpenSSL's X509_V_ERR_*, or 0 */
    int x509_depth;      /**< its place in the chain, 0 is the leaf */
    uint32_t ossl_code;  /**< OpenSSL's own error code, or 0 */
    char message[320];   /**< what and which: one sentence */
    char hint[240];      /**< what to do about it, or "" */
    char expected[112];  /**< for example the name asked for */
    char presented[112]; /**< for example the names in the certificate */
    char subject[96];    /**< the certificate it is about */
    char address[64];    /**< the peer's address and port */
    char reserved[48];
} tlsock_error;

/** @name tlsock_opts.flags @{ */
#define TLSOCK_F_BORROW_FD 0x1u /**< never close the fd that was passed in */
#define TLSOCK_F_STABLE_FD 0x2u /**< tlsock_fd() never changes */
#define TLSOCK_F_EARLY 0x4u /**< a blocking client's constructor leaves the
                                 handshake to the first call that needs it, so
                                 that tlsock_write_early() may go before */
/** @} */

/** One connection or listener; zero is the default. Strings are copied. */
typedef struct tlsock_opts {
    size_t size;    /**< sizeof(tlsock_opts): TLSOCK_OPTS() fills it in */
    int timeout_ms; /**< budget of connect and handshake, milliseconds;
                         0: the config's "timeout", -1: none */
    int nonblocking;          /**< calls return TLSOCK_AGAIN, never wait */
    int plain;                /**< start without TLS */
    unsigned flags;           /**< TLSOCK_F_* */
    int family;               /**< 0 any, 4, 6 */
    const char *name;         /**< expected in the certificate;
                                   NULL: the target's host */
    const char *sni;          /**< NULL: name; "": none */
    const char *scheme;       /**< name rules; NULL: RFC 9525 */
    const char *starttls;     /**< dialogue to run before TLS */
    const char *starttls_arg; /**< its argument */
    const char *proxy;        /**< URLs of proxies, separated by commas */
    tlsock_config *proxy_config; /**< for https:// proxies */
    const char *local;           /**< numeric address to bind */
    tlsock *resume_from;         /**< offer that client's session (FTPS data
                                      connections); may be closed afterwards */
    const char *session_key;     /**< instead of the peer's address, within the
                                      same name and settings */
    int backlog;                 /**< listeners; 0: the system's most */
    void *user;                  /**< see tlsock_user() */
} tlsock_opts;

/** A pointer to options: TLSOCK_OPTS(.timeout_ms = 5000, .family = 6) */
#define TLSOCK_OPTS(...) \
    (&(tlsock_opts){.size = sizeof(tlsock_opts), __VA_ARGS__})

/**
 * Set all options to their defaults (for languages without TLSOCK_OPTS()).
 * @param o     options to fill in
 * @param size  sizeof *o as the caller was compiled
 */
TLSOCK_API void tlsock_opts_init(tlsock_opts *o, size_t size);

/** One entry for tlsock_poll(). */
typedef struct tlsock_pollitem {
    tlsock *s;     /**< a connection, or NULL for a plain descriptor */
    int fd;        /**< the plain descriptor if @p s is NULL; -1: ignored */
    short events;  /**< POLLIN, POLLOUT: what the caller wants to do */
    short revents; /**< out: what can be done now */
} tlsock_pollitem;

/** A transport of the caller's own. */
typedef struct tlsock_io {
    size_t size; /**< sizeof(tlsock_io) */
    /** > 0 bytes, 0 end, TLSOCK_AGAIN, other negative: failure */
    ssize_t (*read)(void *arg, void *buf, size_t len);
    /** > 0 bytes, TLSOCK_AGAIN, other negative: failure */
    ssize_t (*write)(void *arg, const void *buf, size_t len);
    /** descriptor to poll, or -1; may be NULL */
    int (*fd)(void *arg);
    /** POLLIN | POLLOUT to poll for; may be NULL: what TLS waits for */
    short (*events)(void *arg);
    /** called once when the connection ends; may be NULL */
    void (*close)(void *arg);
} tlsock_io;

/**
 * Connect to @p target: resolve, race all addresses (RFC 8305), handshake,
 * verify chain, name, purpose, time and stapled revocation.
 *
 * Targets: host:port, host:service, [v6]:port, unix:PATH, or a URL whose
 * scheme gives the port: https, imaps, smtps, pop3s, ldaps, ftps, ... begin
 * with TLS; smtp, lmtp, imap, pop3, ftp, ldap, nntp, sieve, xmpp, irc,
 * postgres, mysql begin with their STARTTLS dialogue, see tlsock_starttls().
 * opts->proxy names the proxies on the way. A blocking call returns when the
 * peer is verified or the budget is spent. With opts->nonblocking it returns at
 * once, in state CONNECTING.
 *
 * @param target  where to; copied
 * @param config  settings, one reference is taken; NULL: the defaults
 * @param opts    options of this connection, or NULL
 * @param err     filled in on failure; may be NULL
 * @return the connection, yours to tlsock_close(); NULL on failure
 */
TLSOCK_API tlsock *tlsock_connect(const char *target, tlsock_config *config,
                                  const tlsock_opts *opts, tlsock_error *err);

/**
 * TLS as a client over a connected stream socket.
 * @param fd      the socket: yours on failure, owned by the connection on
 *                success unless TLSOCK_F_BORROW_FD
 * @param name    expected in the certificate; NULL: opts->name. Without any,
 *                and without a pin, TLSOCK_E_NO_NAME
 * @param config  settings, one reference is taken; NULL: the defaults
 * @param opts    options, or NULL
 * @param err     filled in on failure; may be NULL
 * @return the connection, verified unless nonblocking; NULL on failure
 */
TLSOCK_API tlsock *tlsock_client_fd(int fd, const char *name,
                                    tlsock_config *config,
                                    const tlsock_opts *opts,
                                    tlsock_error *err);

/**
 * TLS as a client over a transport of the caller's own.
 * @param io      its functions, copied
 * @param arg     handed to each of them; io->close(arg) is called once when a
 *                connection that was returned ends, never on failure
 * @param name    as for tlsock_client_fd()
 * @param config  settings, one reference is taken; NULL: the defaults
 * @param opts    options, or NULL
 * @param err     filled in on failure; may be NULL
 * @return the connection; NULL on failure
 */
TLSOCK_API tlsock *tlsock_client_io(const tlsock_io *io, void *arg,
                                    const char *name, tlsock_config *config,
                                    const tlsock_opts *opts,
                                    tlsock_error *err);

/**
 * TLS as a server over a connected stream socket. Never handshakes by itself:
 * the first read, write or tlsock_handshake() does.
 * @param fd      as for tlsock_client_fd()
 * @param config  settings with an identity, one reference is taken
 * @param opts    options, or NULL
 * @param err     filled in on failure; may be NULL
 * @return the connection, in state HANDSHAKING; NULL on failure
 */
TLSOCK_API tlsock *tlsock_server_fd(int fd, tlsock_config *config,
                                    const tlsock_opts *opts,
                                    tlsock_error *err);

/**
 * TLS as a server over a transport of the caller's own.
 * @param io      as for tlsock_client_io()
 * @param arg     as for tlsock_client_io()
 * @param config  settings with an identity, one reference is taken
 * @param opts    options, or NULL
 * @param err     filled in on failure; may be NULL
 * @return the connection; NULL on failure
 */
TLSOCK_API tlsock *tlsock_server_io(const tlsock_io *io, void *arg,
                                    tlsock_config *config,
                                    const tlsock_opts *opts,
                                    tlsock_error *err);

/**
 * TLS as a client inside another connection: TLS in TLS, to any depth. Each
 * layer has its own name, config and verdict.
 * @param outer   a connection in state PLAIN or TLS that nobody else uses from
 *                now on; yours on failure, owned on success and closed with
 *                the inner one, unless TLSOCK_F_BORROW_FD
 * @param name    expected in the inner certificate; as for tlsock_client_fd()
 * @param config  settings of the inner layer; NULL: the defaults
 * @param opts    options, or NULL
 * @param err     filled in on failure; may be NULL
 * @return the inner connection; NULL on failure
 */
TLSOCK_API tlsock *tlsock_client_over(tlsock *outer, const char *name,
                                      tlsock_config *config,
                                      const tlsock_opts *opts,
                                      tlsock_error *err);

/**
 * TLS as a server inside another connection.
 * @param outer   as for tlsock_client_over()
 * @param config  settings with an identity, one reference is taken
 * @param opts    options, or NULL
 * @param err     filled in on failure; may be NULL
 * @return the inner connection, in state HANDSHAKING; NULL on failure
 */
TLSOCK_API tlsock *tlsock_server_over(tlsock *outer, tlsock_config *config,
                                      const tlsock_opts *opts,
                                      tlsock_error *err);

/**
 * Listen. Everything in @p config is proven here, not at the first client:
 * an identity is there, its key fits, its chain is in order and in date.
 *
 * Targets: host:port, [v6]:port, unix:PATH; ":port" is loopback alone,
 * "*:port" every address. Port 0 takes a free one: tlsock_listener_port().
 *
 * @param target  where; copied
 * @param config  settings with an identity, one reference is taken
 * @param opts    nonblocking, timeout_ms, flags pass to what is accepted
 * @param err     filled in on failure; may be NULL
 * @return the listener, yours to tlsock_listener_free(); NULL on failure
 */
TLSOCK_API tlsock_listener *tlsock_listen(const char *target,
                                          tlsock_config *config,
                                          const tlsock_opts *opts,
                                          tlsock_error *err);

/**
 * Take over a listening socket (from systemd, from a parent).
 * @param fd      yours on failure, owned on success unless TLSOCK_F_BORROW_FD
 * @param config  settings with an identity, one reference is taken
 * @param opts    as for tlsock_listen()
 * @param err     filled in on failure; may be NULL
 * @return the listener; NULL on failure
 */
TLSOCK_API tlsock_listener *tlsock_listener_from_fd(int fd,
                                                    tlsock_config *config,
                                                    const tlsock_opts *opts,
                                                    tlsock_error *err);

/**
 * Accept one connection. Never handshakes, so a slow client delays nobody:
 * the first read, write or tlsock_handshake() does, within a deadline.
 * @param l    the listener
 * @param err  filled in on failure; code is TLSOCK_AGAIN if nobody is waiting
 *             on a nonblocking listener, where it is required
 * @return the connection, in state HANDSHAKING; NULL on failure
 */
TLSOCK_API tlsock *tlsock_accept(tlsock_listener *l, tlsock_error *err);

/** @param l the listener @return its descriptor, for poll only */
TLSOCK_API int tlsock_listener_fd(const tlsock_listener *l);
/** @param l the listener @return its port; 0 for a UNIX socket */
TLSOCK_API int tlsock_listener_port(const tlsock_listener *l);
/** @param l closed and freed; NULL is a no-op */
TLSOCK_API void tlsock_listener_free(tlsock_listener *l);

/**
 * Finish what is under way: resolving, connecting, handshake, verification.
 * Harmless when done.
 * @param s  the connection
 * @retval 0             the peer is verified, data may flow
 * @retval TLSOCK_AGAIN  nonblocking: poll and call again
 * @retval <0            failure; see tlsock_last_error()
 */
TLSOCK_API int tlsock_handshake(tlsock *s) TLSOCK_MUST_CHECK;

/**
 * Ask the client for a certificate after the handshake (TLS 1.3, RFC 8446
 * 4.6.2), for example when it wants something that not everybody may have. Its
 * answer is judged as in a handshake, by "client-auth.allow" too; then
 * tlsock_peer_cert() and TLSOCK_INFO_VERIFIED tell of it, and before that of
 * nobody. "client-auth" is "later", "ask" (an answer without a certificate is
 * good: there is no tlsock_peer_cert()) or "require". Data that comes before
 * the answer stays readable, in order, 1 MiB of it at most. A read or write
 * may go on meanwhile on a nonblocking handle; call again until it is not
 * TLSOCK_AGAIN. The call has the time of "handshake-timeout".
 * @param s  a server's connection; the handshake is finished if need be
 * @retval 0                              the client has answered
 * @retval TLSOCK_AGAIN                   nonblocking: poll and call again
 * @retval TLSOCK_E_UNSUPPORTED           the client does not offer that, or
 *                                        it is TLS 1.2 or HTTP/2
 * @retval TLSOCK_E_STATE                 a client's connection, PLAIN, ended,
 *                                        or "client-auth = none"
 * @retval TLSOCK_E_CLIENT_CERT_MISSING   it has sent none, or ended
 * @retval TLSOCK_E_CLIENT_CERT_DENIED    no rule of "client-auth.allow" fits
 * @retval TLSOCK_E_LIMIT                 read what has come, then call again
 * @retval TLSOCK_E_TIMEOUT               it has not answered; may be repeated
 * @retval <0                             any other failure, as of a handshake
 */
TLSOCK_API int tlsock_request_client_cert(tlsock *s) TLSOCK_MUST_CHECK;

/**
 * PLAIN -> TLS, in the role that the handle was made for. Plaintext that has
 * come and was not read is TLSOCK_E_INJECTION: it stays readable, nothing is
 * sent, and the state is PLAIN as before. A handle that fails later, in the
 * handshake, is of no more use. Repeating the call is harmless.
 * @param s     a connection that is PLAIN
 * @param name  clients: expected in the certificate, instead of the name the
 *              handle was made with; NULL: that one. Servers: NULL
 * @retval 0                   TLS is up and the peer verified
 * @retval TLSOCK_AGAIN        nonblocking: poll and call again
 * @retval TLSOCK_E_INJECTION  unread plaintext; or the client of a server
 *                             goes on in plaintext
 * @retval TLSOCK_E_STATE      not PLAIN
 * @retval <0                  any other failure; see tlsock_last_error()
 */
TLSOCK_API int tlsock_start_tls(tlsock *s, const char *name) TLSOCK_MUST_CHECK;

/**
 * TLS -> PLAIN: sends close_notify and waits for the peer's. After that both
 * sides speak plaintext, until tlsock_start_tls(). Of a handle that began as
 * PLAIN, that has been PLAIN before, or whose config says "read-ahead = off",
 * nothing beyond the peer's close_notify ever leaves the socket. Others hold
 * what a hasty peer sent right behind it: it is read first, as plaintext.
 * @param s  a connection in TLS
 * @retval 0                   the state is PLAIN
 * @retval TLSOCK_AGAIN        nonblocking: poll and call again
 * @retval TLSOCK_E_STATE      the peer still sends data: read it to its end,
 *                             then call again; or there is no TLS
 * @retval TLSOCK_E_TRUNCATED  the peer vanished without close_notify
 * @retval <0                  any other failure; see tlsock_last_error()
 */
TLSOCK_API int tlsock_stop_tls(tlsock *s) TLSOCK_MUST_CHECK;

/**
 * The whole STARTTLS dialogue of a protocol, then tlsock_start_tls(). Clients
 * play the client's part from the server's greeting on, servers the server's.
 * A server that does not offer TLS is a failure, unless the config says
 * "starttls = opportunistic"; one that refuses it is a failure always.
 * @param s         a connection that is PLAIN, at the very beginning
 * @param protocol  smtp lmtp imap pop3 ftp ldap nntp sieve xmpp xmpp-server irc
 *                  postgres mysql (mariadb) http
 * @param arg       argument of the protocol, or NULL: smtp, lmtp: the name to
 *                  say in EHLO, LHLO; xmpp: the domain; http: the host; ftp:
 *                  "P" or "C" adds PBSZ and PROT after the handshake, and "ccc"
 *                  on a connection in TLS ends TLS by CCC (RFC 4217)
 * @retval 0                               TLS is up and the peer verified
 * @retval TLSOCK_AGAIN                    nonblocking: poll and call again
 * @retval TLSOCK_E_STARTTLS_UNAVAILABLE   the server does not offer it
 * @retval TLSOCK_E_STARTTLS_REFUSED       the server refused
 * @retval TLSOCK_E_INJECTION              plaintext behind the dialogue
 * @retval TLSOCK_E_LIMIT                  the peer says more than it may
 * @retval <0                              see tlsock_last_error()
 */
TLSOCK_API int tlsock_starttls(tlsock *s, const char *protocol,
                               const char *arg) TLSOCK_MUST_CHECK;

/**
 * Take the descriptor out of a PLAIN connection and free the handle.
 * @param s   the connection; gone on success alone
 * @param fd  gets the descriptor, yours from then on
 * @retval 0               done
 * @retval TLSOCK_AGAIN    nonblocking: bytes wait to be sent; call again
 * @retval TLSOCK_E_STATE  not PLAIN; or received bytes are unread: read
 *                         tlsock_pending() bytes first; or no descriptor
 * @retval <0              sending what was pending failed
 */
TLSOCK_API int tlsock_detach(tlsock *s, int *fd) TLSOCK_MUST_CHECK;

/**
 * Read decrypted bytes, finishing the handshake first if needed.
 * @param s    the connection
 * @param buf  the caller's memory, at least @p len bytes
 * @param len  most bytes to store
 * @retval >0                  bytes stored
 * @retval 0                   the peer sent close_notify: all has been read
 *                             (or @p len is 0)
 * @retval TLSOCK_AGAIN        nonblocking: poll and call again
 * @retval TLSOCK_E_TRUNCATED  the peer vanished without close_notify
 * @retval <0                  any other failure; see tlsock_last_error()
 */
TLSOCK_API ssize_t tlsock_read(tlsock *s, void *buf,
                               size_t len) TLSOCK_MUST_CHECK;

/**
 * Read exactly @p len bytes unless the stream ends first. Nonblocking: as
 * tlsock_read(), which may give fewer.
 * @param s    the connection
 * @param buf  the caller's memory, at least @p len bytes
 * @param len  bytes wanted
 * @return bytes stored (fewer than @p len: the stream ended after them, as it
 *         should, with close_notify), or as tlsock_read(). If a blocking call
 *         fails after some bytes, they are kept for the next call.
 */
TLSOCK_API ssize_t tlsock_read_full(tlsock *s, void *buf,
                                    size_t len) TLSOCK_MUST_CHECK;

/**
 * As tlsock_read(), but the bytes stay to be read again.
 * @param s    the connection
 * @param buf  the caller's memory, at least @p len bytes
 * @param len  most bytes to store
 * @return as tlsock_read()
 */
TLSOCK_API ssize_t tlsock_peek(tlsock *s, void *buf,
                               size_t len) TLSOCK_MUST_CHECK;

/**
 * Read one line, up to and with its LF, as getline(3) does.
 * A line that is not complete yet stays in the connection (TLSOCK_AGAIN).
 * The last line may lack its LF. NUL bytes are data.
 * @param s     the connection
 * @param line  *line is memory of malloc() or NULL; grown as needed, yours
 * @param cap   its size
 * @param max   most bytes of one line without the NUL; more is
 *              TLSOCK_E_LIMIT, and nothing is consumed
 * @return bytes in *line without the NUL it ends with; 0 at the end; negative
 *         as tlsock_read()
 */
TLSOCK_API ssize_t tlsock_getline(tlsock *s, char **line, size_t *cap,
                                  size_t max) TLSOCK_MUST_CHECK;

/**
 * Write. Taken bytes are the connection's: the buffer is free at once, and
 * there is no rule for repeated calls. Blocking handles take everything.
 * @param s    the connection
 * @param buf  the bytes
 * @param len  how many
 * @retval >=0           bytes taken; fewer than @p len only if nonblocking
 * @retval TLSOCK_AGAIN  nonblocking: none taken
 * @retval <0            failure; see tlsock_last_error()
 */
TLSOCK_API ssize_t tlsock_write(tlsock *s, const void *buf,
                                size_t len) TLSOCK_MUST_CHECK;

/**
 * Send data with the first flight of a resumed TLS 1.3 session (0-RTT, RFC
 * 8446, 2.3). Whoever records these bytes can send them to the server again:
 * they may ask only for what may be done twice. "early-data" has to allow it,
 * and this is the first call of a nonblocking handle, or of one made with
 * TLSOCK_F_EARLY. After tlsock_handshake() TLSOCK_INFO_EARLY_DATA says whether
 * the server took it; if not, the same bytes go again by tlsock_write().
 * On a server: an answer that leaves before the client has proven that it is
 * there now, after tlsock_read_early() gave data.
 * @param s     the connection
 * @param data  the bytes
 * @param len   how many
 * @retval >0                  bytes under way; fewer than @p len at a limit
 * @retval 0                   none may be sent: no session that allows it
 * @retval TLSOCK_AGAIN        nonblocking: there is no connection yet
 * @retval TLSOCK_E_OPTION     "early-data" is 0
 * @retval TLSOCK_E_STATE      the handshake is over
 * @retval TLSOCK_E_ARGUMENT   nothing to send
 * @retval <0                  the handshake failed; see tlsock_last_error()
 */
TLSOCK_API ssize_t tlsock_write_early(tlsock *s, const void *data,
                                      size_t len) TLSOCK_MUST_CHECK;

/**
 * Read early data, on a server, before anything else and until it gives 0. It
 * may be a recording: a ticket brings it once to this process and its forks,
 * and machines that share tickets need a hook for TLSOCK_ON_EARLY_DATA. A
 * server that does not call this refuses it.
 * @param s    the connection
 * @param buf  the caller's memory
 * @param len  its size, bytes
 * @retval >0  bytes in @p buf
 * @retval 0   that was all, or there was none: the rest is tlsock_read()'s
 * @retval <0  as tlsock_write_early(); TLSOCK_E_STATE for clients
 */
TLSOCK_API ssize_t tlsock_read_early(tlsock *s, void *buf,
                                     size_t len) TLSOCK_MUST_CHECK;

/**
 * As tlsock_write(), for several pieces, sent in as few records as can be.
 * @param s    the connection
 * @param iov  the pieces, borrowed
 * @param n    how many, at most 1024
 * @return as tlsock_write()
 */
TLSOCK_API ssize_t tlsock_writev(tlsock *s, const struct iovec *iov,
                                 int n) TLSOCK_MUST_CHECK;

/**
 * Formatted tlsock_write(); all or nothing.
 * @param s       the connection
 * @param format  as printf(3)
 * @return bytes taken, or negative as tlsock_write(); on a nonblocking handle
 *         TLSOCK_AGAIN means that none was taken
 */
TLSOCK_API int tlsock_printf(tlsock *s, const char *format,
                             ...) TLSOCK_PRINTF(2, 3);

/**
 * Send a part of a file. PLAIN connections over a socket let the system copy
 * it; TLS reads and encrypts it here.
 * @param s       the connection
 * @param fd      the file, open for reading; borrowed
 * @param offset  where to begin; moved on by what was taken. NULL: at the
 *                file's own position, which is moved on likewise
 * @param len     most bytes to send
 * @retval >0              bytes taken; fewer than @p len: the file has no more,
 *                         or the handle is nonblocking
 * @retval 0               the file is at its end (or @p len is 0)
 * @retval TLSOCK_AGAIN    nonblocking: none taken
 * @retval TLSOCK_E_SYSTEM reading the file failed: sys_errno
 * @retval <0              any other failure; see tlsock_last_error()
 */
TLSOCK_API ssize_t tlsock_sendfile(tlsock *s, int fd, int64_t *offset,
                                   size_t len) TLSOCK_MUST_CHECK;

/**
 * Standard I/O over a connection, where the C library can (glibc, musl). The
 * stream is a view: fclose() flushes it and leaves the connection open; close
 * the stream before the connection. A failure sets ferror() and errno (EPROTO,
 * EPIPE, ECONNRESET, ETIMEDOUT, EAGAIN ...), and tlsock_last_error() says more.
 * feof() is the peer's close_notify and nothing else.
 * @param s     the connection, borrowed
 * @param mode  "r", "w" or "r+" as for fdopen(3); "b" and "e" are ignored
 * @return the stream, yours to fclose(); NULL: see tlsock_last_error()
 */
TLSOCK_API FILE *tlsock_fopen(tlsock *s, const char *mode);

/**
 * Send what is held back by "write.buffer" or waits for the socket.
 * @param s  the connection
 * @retval 0             everything is with the system
 * @retval TLSOCK_AGAIN  nonblocking: poll and call again
 * @retval <0            failure; see tlsock_last_error()
 */
TLSOCK_API int tlsock_flush(tlsock *s) TLSOCK_MUST_CHECK;

/** @param s the connection
 *  @return bytes that tlsock_read() gives without touching the socket */
TLSOCK_API size_t tlsock_pending(const tlsock *s);

/**
 * Say that we are done. SHUT_WR sends close_notify; reading goes on.
 * SHUT_RDWR also waits for the peer's close_notify, discarding its data.
 * @param s    the connection
 * @param how  SHUT_WR or SHUT_RDWR
 * @retval 0             done
 * @retval TLSOCK_AGAIN  nonblocking: poll and call again
 * @retval <0            failure; TLSOCK_E_TRUNCATED: the peer just vanished
 */
TLSOCK_API int tlsock_shutdown(tlsock *s, int how) TLSOCK_MUST_CHECK;

/**
 * Send close_notify once, close the descriptor if owned, free everything.
 * Never waits for the peer. Blocking handles send what is pending within the
 * deadline; nonblocking ones try once.
 * @param s  the connection, gone afterwards in every case; NULL is a no-op
 * @retval 0   all was sent
 * @retval <0  bytes were dropped
 */
TLSOCK_API int tlsock_close(tlsock *s);

/**
 * Free without a byte on the wire.
 * @param s  the connection, gone afterwards; NULL is a no-op
 */
TLSOCK_API void tlsock_abandon(tlsock *s);

/**
 * After fork(): this process is the owner of the TLS state now. The other one
 * has to call tlsock_abandon(), which sends nothing: two owners would encrypt
 * different bytes with the same keys and sequence numbers.
 * @param s  the connection
 * @return 0
 */
TLSOCK_API int tlsock_adopt(tlsock *s);

/**
 * From any thread: the call that waits on this connection, and all later ones
 * but tlsock_close(), tlsock_abandon() and those that only look, fail with
 * TLSOCK_E_INTERRUPTED; tlsock_close() tries once to send, and waits no more. tlsock_poll() wakes up, too; an event loop of your own
 * must be woken by you. The handle has to live until this call has returned.
 * @param s  the connection
 * @return 0 or a code
 */
TLSOCK_API int tlsock_interrupt(tlsock *s);

/** @param s the connection
 *  @return descriptor to poll, never to read or write; -1: there is none.
 *  While connecting it may be a private one; it changes once, when the
 *  handshake is done (never with TLSOCK_F_STABLE_FD). */
TLSOCK_API int tlsock_fd(const tlsock *s);
/** @param s the connection @return POLLIN | POLLOUT to poll for now */
TLSOCK_API short tlsock_events(const tlsock *s);
/** @param s the connection
 *  @return milliseconds after which to call again at the latest; -1: no limit;
 *  0: call now, there is something to do without waiting */
TLSOCK_API int tlsock_timeout(const tlsock *s);

/**
 * poll(2) over connections and plain descriptors. Knows decrypted bytes that
 * wait in memory and that a read may have to wait for writing.
 * @param items       what to wait for; revents is filled in
 * @param n           how many
 * @param timeout_ms  milliseconds; 0: look only; -1: no limit
 * @return how many items have revents; 0: time is up; negative: code
 */
TLSOCK_API int tlsock_poll(tlsock_pollitem *items, size_t n, int timeout_ms);

/** @param s the connection @param on 1: calls never wait, 0: they do
 *  @return 0 or a code */
TLSOCK_API int tlsock_set_nonblocking(tlsock *s, int on);
/**
 * A point in time after which every call that would wait fails with
 * TLSOCK_E_TIMEOUT.
 * @param s            the connection
 * @param ms_from_now  milliseconds; -1: no deadline
 * @return 0 or a code
 */
TLSOCK_API int tlsock_set_deadline(tlsock *s, int64_t ms_from_now);
/**
 * How long each single call may wait from its own start.
 * @param s            the connection
 * @param ms_per_call  milliseconds; -1: no limit (the default)
 * @return 0 or a code
 */
TLSOCK_API int tlsock_set_timeout(tlsock *s, int ms_per_call);
/** @param s the connection @param user a pointer kept for the caller */
TLSOCK_API void tlsock_set_user(tlsock *s, void *user);
/** @param s the connection @return what was set, or opts->user */
TLSOCK_API void *tlsock_user(const tlsock *s);

/** What tlsock_sniff() saw. */
#define TLSOCK_SNIFF_NONE 0  /**< nothing (in time) */
#define TLSOCK_SNIFF_TLS 1   /**< a TLS ClientHello begins */
#define TLSOCK_SNIFF_PLAIN 2 /**< something else */
/**
 * Does the peer of this socket begin with TLS? Peeks, consumes nothing.
 * @param fd          a connected stream socket, borrowed
 * @param timeout_ms  milliseconds to wait for the first bytes; -1: no limit
 * @return TLSOCK_SNIFF_*; negative: code
 */
TLSOCK_API int tlsock_sniff(int fd, int timeout_ms);

/** @param s the connection, or NULL
 *  @return its last error, borrowed, valid until the next call; never NULL */
TLSOCK_API const tlsock_error *tlsock_last_error(const tlsock *s);
/** @param code any code @return "TLSOCK_E_NAME_MISMATCH"; never NULL */
TLSOCK_API const char *tlsock_errname(int code);
/** @param code any code @return "name-mismatch"; never NULL */
TLSOCK_API const char *tlsock_errslug(int code);

/** @name How tlsock_error_format() writes @{ */
#define TLSOCK_ERROR_LINE 0u /**< one line */
#define TLSOCK_ERROR_FULL 1u /**< several lines: cause, fix, details */
#define TLSOCK_ERROR_JSON 2u /**< one JSON object */
/** @} */
/**
 * Write an error as text.
 * @param err   the error
 * @param how   TLSOCK_ERROR_*
 * @param out   the caller's memory, or NULL if @p size is 0
 * @param size  its size; the text is cut to fit, with a NUL
 * @return the length of the whole text, as snprintf(3); negative: code
 */
TLSOCK_API int tlsock_error_format(const tlsock_error *err, unsigned how,
                                   char *out, size_t size);

/** @return the library's version, "0.1.0" */
TLSOCK_API const char *tlsock_version(void);
/** @return the OpenSSL that is linked now, "OpenSSL 3.0.22 ..." */
TLSOCK_API const char *tlsock_openssl_version(void);
/**
 * Is a feature there, in this build, with the OpenSSL that is linked now?
 * @param feature  "tls1.3" "pq" "psl" "idn" "ipv6" "ktls" "ocsp" ...; the
 *                 whole list is in tlsock(3)
 * @return 1 yes, 0 no or unknown
 */
TLSOCK_API int tlsock_has(const char *feature);

#ifdef __cplusplus
}
#endif
#endif
