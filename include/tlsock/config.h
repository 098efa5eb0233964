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
 *
 * What asks or tells the program along the way is in tlsock/hook.h.
 */
#ifndef TLSOCK_CONFIG_H
#define TLSOCK_CONFIG_H

#include <tlsock.h>
#include <tlsock/hook.h>

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
 * Read every file and build everything now, to see whether it is good; decodes
 * all identities, those that wait for a client to ask for them, too.
 * @param c  the config; not frozen by this
 * @return 0 or the code that the first connection would fail with
 */
TLSOCK_API int tlsock_config_check(tlsock_config *c);
/**
 * Read all files again: certificates, keys, trust, CRLs, keys of PSKs. All is
 * validated first; then new connections use them, live ones keep what they
 * have. If anything is wrong, all stays as it was. By any thread; with the
 * option "reload" it happens by itself.
 * @param c  the config
 * @return 0 or the code of what is wrong; tlsock_config_error() names the file
 */
TLSOCK_API int tlsock_config_reload(tlsock_config *c);

#define TLSOCK_FILE_READ 0      /**< it is read, perhaps again later */
#define TLSOCK_FILE_WRITE 1     /**< it is written, and made if it is not there */
#define TLSOCK_FILE_DIRECTORY 2 /**< files come and go in it */
/** What tlsock_config_files() calls. @param path a file or directory that a
 *  config names; it need not be there @param use TLSOCK_FILE_* @param arg as
 *  given @return 0: go on; anything else ends it */
typedef int tlsock_file_hook(const char *path, int use, void *arg);
/**
 * Tell which files a config needs from now on, reloads included, for programs
 * that give up the right to open others. Those of the system's trust store and
 * of policies are told, too; not those of the C library or of a PKCS#11 module.
 * @param c     the config
 * @param hook  called for each file or directory, perhaps more than once; not
 *              to use @p c
 * @param arg   handed to it
 * @return 0, TLSOCK_E_ARGUMENT, TLSOCK_E_NOMEM, or what ended it
 */
TLSOCK_API int tlsock_config_files(const tlsock_config *c,
                                   tlsock_file_hook *hook, void *arg);

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
 * signature algorithms choose. Proven now: key fits, chain in order, in date;
 * behind the 100th one, signatures within the chain only when a client first
 * asks for it, or by tlsock_config_check().
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
 * @param host      "www.example.com", "*.example.com", U- or A-labels; "":
 *                  the default host
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

/**
 * A key that the peer has, too, in place of certificates. A client offers its
 * first one, needs no name and no trust store then, and is told by
 * TLSOCK_INFO_VERIFIED: "psk IDENTITY". A server takes any of several and needs
 * no certificate; with one it serves both kinds of clients. Always with fresh
 * keys beside it (forward secrecy), in TLS 1.2 and 1.3.
 * @param c         the config
 * @param identity  the key's name, up to 255 bytes of printable ASCII, sent in
 *                  the clear; "": a server's key for identities it does not know
 * @param key       16 to 256 random bytes, copied, wiped when the config goes
 * @param len       bytes of @p key
 * @return 0, TLSOCK_E_ARGUMENT, TLSOCK_E_FROZEN or TLSOCK_E_NOMEM
 */
TLSOCK_API int tlsock_config_add_psk(tlsock_config *c, const char *identity,
                                     const void *key, size_t len);
/**
 * The same with a key that is written down in hex digits.
 * @param c         the config
 * @param identity  as above
 * @param uri       where its line is: "file:FILE", "env:NAME", "fd:N"
 * @return 0, TLSOCK_E_OWN_FILE if there are no hex digits, or a code as above
 */
TLSOCK_API int tlsock_config_add_psk_uri(tlsock_config *c,
                                         const char *identity,
                                         const char *uri);

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
/** @return the system's DNSSEC trust anchor, where "dane" begins to trust: its
 *  path, or what was looked at in vain; "" if this build has no DANE; static */
TLSOCK_API const char *tlsock_dane_anchor(void);

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
