/**
 * @file config.h
 * Settings that many connections share.
 *
 * A config is made, set, and then used by any number of connections in any
 * number of threads. It freezes at first use: later sets are TLSOCK_E_FROZEN.
 * Everything costly in it (trust store, keys, SSL_CTX) is made once.
 *
 * Every setter returns 0 or a negative code; tlsock_config_error() tells more.
 * Setters on one config are for one thread at a time, until it is in use.
 *
 * Certificates, keys and lists are named by a path or URI: "FILE",
 * "file:FILE", "pem:TEXT" or bare PEM text. PEM, DER and PKCS#12 are told
 * apart by content. Passwords are named, never given: "file:FILE" (its first
 * line), "env:NAME", "fd:N".
 */
#ifndef TLSOCK_CONFIG_H
#define TLSOCK_CONFIG_H

#include <tlsock.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @return a config with the defaults, one reference; NULL: out of memory */
TLSOCK_API tlsock_config *tlsock_config_new(void);
/** @param c a config, frozen or not
 *  @return an unfrozen copy of its settings; NULL: out of memory */
TLSOCK_API tlsock_config *tlsock_config_copy(const tlsock_config *c);
/** @param c a config @return the same, with one more reference */
TLSOCK_API tlsock_config *tlsock_config_ref(tlsock_config *c);
/** @param c one reference is given back; NULL is a no-op */
TLSOCK_API void tlsock_config_unref(tlsock_config *c);

/**
 * Set one option; the keys are those of tlsock_option_next().
 * @param c      the config
 * @param key    "tls.min"; "?tls.min" is ignored where this OpenSSL cannot
 * @param value  as text; "" is not a value
 * @retval 0                  set
 * @retval TLSOCK_E_OPTION    unknown key or bad value: the valid ones are named
 * @retval TLSOCK_E_FROZEN    the config is in use
 * @retval TLSOCK_E_UNSUPPORTED  needs a newer OpenSSL
 */
TLSOCK_API int tlsock_config_set(tlsock_config *c, const char *key,
                                 const char *value);
/**
 * Set options from an INI file: "[section]" lines, "key = value" lines, and
 * comments that begin with ";" or "#". Beside the option keys it takes
 * "trust", "cert", "key", "pass" and "pin". All or nothing.
 * @param c        the config
 * @param path     the file
 * @param section  only this section; NULL: the lines before the first one
 * @return 0, or TLSOCK_E_CONFIG_FILE whose message begins with "path:line:"
 */
TLSOCK_API int tlsock_config_load(tlsock_config *c, const char *path,
                                  const char *section);
/**
 * Read every file and build everything now, to see whether it is good.
 * @param c  the config; not frozen by this
 * @return 0 or the code that the first connection would fail with
 */
TLSOCK_API int tlsock_config_check(tlsock_config *c);
/**
 * Read all files again: new connections use them, live ones keep what they
 * have. If anything is wrong, all stays as it was.
 * @param c  the config
 * @return 0 or a code
 */
TLSOCK_API int tlsock_config_reload(tlsock_config *c);

/**
 * Trust these certificates. The first call replaces the default ("system");
 * further ones add. "+URI" adds in the first call, too. Any certificate may be
 * trusted, a server's own or an intermediate; names are checked all the same.
 * tlsock_info() tells what is in use: TLSOCK_INFO_TRUST.
 * @param c    the config
 * @param uri  "system", "none" for an empty store, a file, a directory, PEM;
 *             "+FILE"
 * @return 0 or a code
 */
TLSOCK_API int tlsock_config_add_trust(tlsock_config *c, const char *uri);
/**
 * Add a certificate with its chain and key. The key may be elsewhere if a hook
 * for TLSOCK_ON_SIGN was set before. Several: the client's SNI and
 * signature algorithms choose. Proven now: key fits, chain in order, in date.
 * @param c         the config
 * @param cert_uri  leaf first, then intermediates
 * @param key_uri   NULL: it is in @p cert_uri
 * @param pass_uri  its password, or NULL
 * @return 0, TLSOCK_E_OWN_FILE, TLSOCK_E_KEY_MISMATCH, TLSOCK_E_PASSWORD, ...
 */
TLSOCK_API int tlsock_config_add_identity(tlsock_config *c,
                                          const char *cert_uri,
                                          const char *key_uri,
                                          const char *pass_uri);
/**
 * The same, for one host name.
 * @param c         the config
 * @param host      "www.example.com", "*.example.com"; "": the default host
 * @param cert_uri  as above
 * @param key_uri   as above
 * @param pass_uri  as above
 * @return 0 or a code
 */
TLSOCK_API int tlsock_config_add_identity_for(tlsock_config *c,
                                              const char *host,
                                              const char *cert_uri,
                                              const char *key_uri,
                                              const char *pass_uri);
/** An identity in memory. @param c the config
 *  @param cert certificate with key, or after a hook for TLSOCK_ON_SIGN was set
 *  also without; one reference is taken
 *  @return 0 or a code */
TLSOCK_API int tlsock_config_add_cert(tlsock_config *c, tlsock_cert *cert);
/**
 * Accept a peer by fingerprint; see "pin.mode". May be called several times:
 * any of the pins will do. With "pin.mode = require-chain" a pin may be that
 * of any certificate of the verified chain, else only the peer's own counts.
 * @param c    the config
 * @param pin  sha256:HEX of the certificate, sha256:pub:HEX of its public key,
 *             or sha256//BASE64 of its public key; HEX alone, with colons, and
 *             as openssl(1) prints it; also SHA-384 and SHA-512. Several are
 *             separated by commas, semicolons or line ends.
 * @return 0 or TLSOCK_E_OPTION: what is wrong with it. SHA-1 and MD5 are
 *         refused: others can make a certificate that has the same.
 */
TLSOCK_API int tlsock_config_add_pin(tlsock_config *c, const char *pin);
/**
 * Provide revocation lists (RFC 5280, 5); "revocation = crl" has them checked,
 * for every certificate of a chain but its anchor. Read now, and kept as it is
 * with an index: about its size and 8 bytes an entry. A signature is verified
 * when a list is first asked; a later question costs microseconds.
 * @param c    the config
 * @param uri  file, directory, "file:FILE", "pem:TEXT" or PEM text: PEM (several
 *             lists) or DER; at most 256 MiB, and 8,000,000 entries a list.
 *             Complete, delta and indirect CRLs (RFC 5280, 6.3). In a directory
 *             all lists in *.crl, *.der, *.pem and hashed names (xxxxxxxx.rN);
 *             what of these holds no list is passed over.
 * @retval 0                  they are provided
 * @retval TLSOCK_E_OWN_FILE  no list is there, or one is damaged: which one
 * @retval TLSOCK_E_LIMIT     larger than that
 * @retval TLSOCK_E_NOMEM     out of memory; other codes as all setters have them
 */
TLSOCK_API int tlsock_config_add_crl(tlsock_config *c, const char *uri);

/** @name Events for tlsock_config_on() @{ */
#define TLSOCK_ON_HELLO 1 /**< a client's ClientHello came; once, before
                               anything is made of it; servers */
#define TLSOCK_ON_VERIFY 2
#define TLSOCK_ON_STAPLE 3
#define TLSOCK_ON_SIGN 4     /**< a signature by a key that is not here */
#define TLSOCK_ON_PASSWORD 5 /**< a key file is encrypted, and no password was
                                  named; cannot be answered later */
#define TLSOCK_ON_TICKET_KEY 6
#define TLSOCK_ON_SESSION 7
#define TLSOCK_ON_CLOSE_NOTIFY 8   /**< the peer ended its direction of TLS */
#define TLSOCK_ON_HANDSHAKE_FAIL 9 /**< no TLS came about */
#define TLSOCK_ON_MESSAGE 10
#define TLSOCK_ON_KEYLOG 11
#define TLSOCK_ON_LOG 12 /**< a line about what is no failure of a call; the
                              answer means nothing */
#define TLSOCK_ON_NAME 13
/** @} */

/** What a VERIFY or STAPLE hook may answer beside 0 and refusals. */
#define TLSOCK_ACCEPT 1

struct tlsock_op;

/** What a hook is told; valid during the call. Fields may be added. */
typedef struct tlsock_event {
    size_t size;          /**< of this struct, as the library knows it */
    int kind;             /**< TLSOCK_ON_* */
    tlsock *conn;         /**< the connection; a hook must not use it for
                               anything but tlsock_info(), tlsock_user() and,
                               in HELLO, tlsock_use_cert(). NULL: PASSWORD, and
                               LOG of what concerns the config */
    struct tlsock_op *op; /**< NULL: it cannot be answered later */
    const void *data;     /**< HANDSHAKE_FAIL: what the peer said first; HELLO:
                               the ClientHello, the whole handshake message as
                               it came, from its type 1 on (RFC 8446, 4.1.2);
                               NULL if it had SSLv2's form; SIGN: the digest,
                               by the hash that the scheme's name ends in, or
                               for ed25519 and ed448 the message itself */
    size_t len;           /**< bytes of it */
    const tlsock_error *error; /**< HANDSHAKE_FAIL: why; LOG: the facts, or
                                    NULL; PASSWORD: the last one was wrong, or
                                    NULL; else NULL */
    int fd; /**< HANDSHAKE_FAIL: the socket, still open: a plaintext client may
                 be told so by send(2); -1: there is none */
    const char *name; /**< HELLO: the SNI, or ""; VERIFY and NAME: the name that
                           is expected, NULL: none; PASSWORD: the file or URI it
                           is for; SIGN: the scheme, "ecdsa_secp256r1_sha256" */
    const char *text; /**< VERIFY: as TLSOCK_INFO_VERIFIED; HELLO: the ALPN
                           protocols, "h2,http/1.1"; LOG: the line */
    const tlsock_cert *cert; /**< VERIFY: the chain as it was built, leaf first,
                                  anchor last; NAME: the peer's; STAPLE: leaf
                                  and issuer; SIGN: ours. Borrowed. */
} tlsock_event;

/** 0 goes on, a negative TLSOCK_E_* refuses; anything that means nothing for
 * the event is TLSOCK_E_HOOK, and refuses as well. TLSOCK_ON_NAME: 0 says that
 * the certificate is for the name, TLSOCK_E_NAME_MISMATCH that it is not. */
typedef int tlsock_hook(const tlsock_event *event, void *arg);

/**
 * Answer an event. A hook whose event has an op may keep it, return
 * TLSOCK_AGAIN, and have this called later, by any thread, exactly once; the
 * connection's descriptor wakes. A hook of PASSWORD or SIGN calls it itself to
 * hand over its result, and returns 0. The connection may be gone by then, and
 * an answer may come twice: both are harmless. Not after fork() in the child.
 * @param op    of the event; an opaque number, never followed as a pointer
 * @param code  as the hook would have returned
 * @param data  SIGN: the signature, PASSWORD: the password; copied, wiped later
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
 * asked then. Nothing is recorded in tlsock_last_error().
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
 * Be told of an event of every connection of this config, on the thread that
 * makes the call. Set PASSWORD and SIGN before the identities they are for.
 * TLSOCK_ON_SIGN: the signature is as the scheme has it in TLS (RFC 8446,
 * 4.2.3): ECDSA in DER, RSA-PSS with a salt as long as the digest and MGF1 by
 * the same hash, PKCS#1 v1.5 around the digest; it is checked before it is
 * sent. TLSOCK_ON_PASSWORD is asked again, at most twice, if its password does
 * not open the file; TLSOCK_AGAIN is TLSOCK_E_HOOK there. TLSOCK_ON_CLOSE_NOTIFY: once, before the read that gives 0; a
 * refusal is what that read gives instead. TLSOCK_ON_HANDSHAKE_FAIL: before our
 * alert is sent; a refusal keeps it back. TLSOCK_ON_NAME: instead of the
 * built-in rules of names, whenever the chain is good and a name is expected;
 * not if a pin stands in for both. Of tlsock_verify(), too, conn is NULL then.
 * A resumed session keeps the verdict that it was won with.
 * @param c      the config
 * @param event  TLSOCK_ON_*
 * @param hook   the function; NULL: none
 * @param arg    handed to it
 * @retval 0                     done
 * @retval TLSOCK_E_ARGUMENT     no such event
 * @retval TLSOCK_E_UNSUPPORTED  not in this version
 * @retval TLSOCK_E_FROZEN       the config is in use
 */
TLSOCK_API int tlsock_config_on(tlsock_config *c, int event, tlsock_hook *hook,
                                void *arg);

/** @param c a config, or NULL @return its last error, borrowed, never NULL */
TLSOCK_API const tlsock_error *tlsock_config_error(const tlsock_config *c);

/**
 * Put a policy into force, for the whole process and for good: from now on no
 * new connection, of whatever config, is made under looser settings than the
 * file's. Several add up, the strictest counts. A file that TLSOCK_POLICY names
 * and /etc/tlsock/policy.conf are in force without this call. May be called by
 * any thread; see tlsock-policy.conf(5).
 * @param path  the file
 * @param err   why not, or NULL
 * @retval 0                      in force
 * @retval TLSOCK_E_CONFIG_FILE   cannot be read, or is wrong: "path:line: ..."
 * @retval TLSOCK_E_ARGUMENT, TLSOCK_E_NOMEM
 */
TLSOCK_API int tlsock_policy_load(const char *path, tlsock_error *err);

/**
 * What a policy's hook is asked: may this connection or listener be, and how?
 * It must not make connections, and must not keep @p config.
 * @param target     as the caller named it: of tlsock_connect(), of
 *                   tlsock_listen() for what that accepts, too; else the name
 *                   that is expected; "" if there is none
 * @param is_server  1: of a server or listener
 * @param config     a copy of the connection's settings, as strict as all
 *                   policies; tlsock_config_set() tightens it, with the keys
 *                   and values of tlsock-policy.conf(5). What would be looser
 *                   than it was is TLSOCK_E_POLICY and changes nothing.
 * @param arg        as given to tlsock_policy_on()
 * @return 0: go on; a negative TLSOCK_E_* refuses, and is the caller's code
 */
typedef int tlsock_policy_hook(const char *target, int is_server,
                               tlsock_config *config, void *arg);
/**
 * Have a function asked before each connection and each listener of the process,
 * on the thread that makes it. Several are asked in turn; none can be taken
 * away. What a hook changes is built once for each config and each set of
 * changes, not for each connection.
 * @param hook  the function
 * @param arg   handed to it; has to live as long as the process
 * @retval 0                  it will be asked
 * @retval TLSOCK_E_ARGUMENT  hook is NULL
 * @retval TLSOCK_E_LIMIT     there are eight already
 */
TLSOCK_API int tlsock_policy_on(tlsock_policy_hook *hook, void *arg);
/** @return the files in force, "FILE (3 rules), ..."; "" if there are none; why
 *  nothing can connect, if that is so; valid as long as the process */
TLSOCK_API const char *tlsock_policy_text(void);

/** @return which system trust store is used and why: "PATH (why)", or what was
 *  looked at in vain; static */
TLSOCK_API const char *tlsock_trust_store(void);

/** One row of the option table. */
typedef struct tlsock_option {
    const char *key;   /**< "tls.min" */
    const char *type;  /**< the valid values: "1.2|1.3", "0..100", "TEXT" */
    const char *dflt;  /**< default, as text */
    const char *since; /**< version of tlsock that brought it */
    const char *help;  /**< one sentence */
} tlsock_option;
/** @param o the row before, or NULL for the first
 *  @return the next row, static; NULL after the last */
TLSOCK_API const tlsock_option *tlsock_option_next(const tlsock_option *o);

#ifdef __cplusplus
}
#endif
#endif
