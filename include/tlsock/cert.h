/**
 * @file cert.h
 * Certificates: load, create, look into, match, verify. No connection needed.
 *
 * A tlsock_cert is a leaf, the chain that goes with it, and its private key if
 * known. It is reference-counted, never changes, and may be used by any number
 * of threads. URIs and passwords are named as in tlsock/config.h.
 */
#ifndef TLSOCK_CERT_H
#define TLSOCK_CERT_H

#include <tlsock.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Load a certificate: PEM, DER, PKCS#12 or PKCS#7, told apart by content, or by
 * a "pkcs11:" URI from a token. The first certificate is the leaf, the others
 * its chain, kept as given; what has no order (PKCS#12, PKCS#7, tokens) is put
 * in order, and nothing is left out. At most 16 MiB.
 * @param uri       file, "file:FILE", "pem:TEXT" or bare PEM text, or
 *                  "pkcs11:..." (RFC 7512)
 * @param key_uri   its private key; NULL: in @p uri if it is there; "": it is
 *                  not wanted, and no password is asked for
 * @param pass_uri  "file:FILE", "env:NAME", "fd:N", or NULL; for a token, its
 *                  PIN
 * @param err       filled in on failure; may be NULL
 * @return yours to tlsock_cert_unref(); NULL on failure: TLSOCK_E_OWN_FILE,
 *         TLSOCK_E_KEY_MISMATCH, TLSOCK_E_PASSWORD, TLSOCK_E_LIMIT,
 *         TLSOCK_E_UNSUPPORTED (no OpenSSL provider for tokens),
 *         TLSOCK_E_ARGUMENT, TLSOCK_E_NOMEM
 */
TLSOCK_API tlsock_cert *tlsock_cert_load(const char *uri, const char *key_uri,
                                         const char *pass_uri,
                                         tlsock_error *err);
/**
 * The same from memory.
 * @param data      PEM, DER, PKCS#12 or PKCS#7; copied
 * @param len       its length, 1 byte to 16 MiB
 * @param pass_uri  as above
 * @param err       filled in on failure; may be NULL
 * @return as tlsock_cert_load()
 */
TLSOCK_API tlsock_cert *tlsock_cert_parse(const void *data, size_t len,
                                          const char *pass_uri,
                                          tlsock_error *err);
/** @param c a certificate @return the same, with one more reference */
TLSOCK_API tlsock_cert *tlsock_cert_ref(tlsock_cert *c);
/** @param c one reference is given back; NULL is a no-op */
TLSOCK_API void tlsock_cert_unref(tlsock_cert *c);

/** How to make a certificate; zero is the default. All texts are UTF-8,
 *  borrowed for the call. tlsock_cert_create(3) tells all about each. */
typedef struct tlsock_cert_opts {
    size_t size;         /**< TLSOCK_CERT_OPTS() fills it in */
    const char *subject; /**< "CN=...,O=..." (RFC 4514); NULL: the first name */
    const char *const *sans; /**< "DNS:a", "IP:192.0.2.1", "URI:", "EMAIL:",
                                  "UPN:", "XMPP:", "SRV:", "RID:", "DIRNAME:",
                                  "OTHERNAME:OID;TYPE:value"; bare names and
                                  addresses are told apart */
    size_t n_sans;           /**< number of sans */
    const char *key; /**< "ec:P-256" (default), "ec:P-384", "ec:P-521",
                          "rsa:3072" (2048 to 8192), "rsa-pss:3072", "ed25519",
                          "ed448", "ml-dsa-65" where OpenSSL has it, or URI of
                          an existing key, also "pkcs11:" */
    const tlsock_cert *issuer; /**< with its key; NULL: self-signed */
    int ca;                    /**< 1: a CA */
    int pathlen;               /**< CA: most CAs below it; 0: none, -1: any */
    const char *purpose;  /**< words of tlsock_cert_create(3), "server,client"
                               by default: "server", "client", "codeSigning",
                               "timeStamping", "email", "ca", key usages ...;
                               "+word" and "-word" change the default */
    const char *digest;   /**< "sha256" (default), "sha384", "sha512" */
    const char *csr;      /**< URI of a signing request to answer; needs issuer,
                               excludes key and like */
    const char *crl_url;  /**< CRL distribution point; a blank parts several */
    const char *ocsp_url; /**< OCSP responder; a blank parts several */
    const char *aia_url;  /**< where the issuer's certificate is; as above */
    const char *permitted; /**< CA: names it may sign, comma separated:
                                ".test", "10.0.0.0/8" */
    int64_t not_before;    /**< Unix seconds; 0: now */
    int64_t not_after;     /**< Unix seconds; 0: by days */
    int days;              /**< lifetime; 0: 90, for a CA 3650 */
    const char *serial;    /**< hex, below 2^159; NULL: random, 128 bits */
    const char *const *ext; /**< "name=value", as openssl.cnf writes them */
    size_t n_ext;           /**< number of ext */
    const char *pass; /**< password of an existing key: "file:", "env:", "fd:" */
    const tlsock_cert *like; /**< subject, names, usages, kind of key, digest
                                  and lifetime of this one, unless given here */
    const char *csr_ext; /**< which extensions of the request are taken over
                              beyond its names and harmless usages: their
                              names, comma separated, or "all" */
} tlsock_cert_opts;

/** A pointer to options: TLSOCK_CERT_OPTS(.subject = "CN=me", .ca = 1) */
#define TLSOCK_CERT_OPTS(...) \
    (&(tlsock_cert_opts){.size = sizeof(tlsock_cert_opts), __VA_ARGS__})
/** @param o options to set to their defaults @param size sizeof *o */
TLSOCK_API void tlsock_cert_opts_init(tlsock_cert_opts *o, size_t size);

/**
 * Make a key and a certificate: self-signed, or signed by o->issuer, as RFC
 * 5280 wants it. What it forbids, and what the issuer may not sign, is refused
 * with a hint how to go on. Any thread; an issuer may be used by many at once.
 * @param o    how, borrowed; safe without any option but a name
 * @param err  filled in on failure; may be NULL
 * @return with its key (not that of a request) and chain, yours to
 *         tlsock_cert_unref(); NULL on failure: TLSOCK_E_ARGUMENT (an option),
 *         _NO_NAME, _PURPOSE (the issuer may not sign it), _EXPIRED and
 *         _NOT_YET_VALID (the issuer), _KEY_MISMATCH, _CERT_INVALID (o->like),
 *         _OWN_FILE, _PASSWORD, _UNSUPPORTED (by this OpenSSL), _NOMEM
 */
TLSOCK_API tlsock_cert *tlsock_cert_create(const tlsock_cert_opts *o,
                                           tlsock_error *err);

/**
 * Make a copy of a certificate that was seen somewhere, under another CA.
 *
 * Copied byte by byte: subject, subjectAltName. Copied as far as it is safe:
 * dates (cut to the CA's; an expired one stays expired), keyUsage without what
 * is a CA's, extendedKeyUsage without OCSPSigning, the kind of key (never a
 * weak one; what is not known becomes ECDSA P-256). New: key, serial number,
 * key identifiers, CA:FALSE. All else is dropped, critical or not: what points
 * to the real issuer (AIA, CRL and OCSP addresses, key ids, policies, SCTs,
 * must-staple), name constraints, what is unknown or malformed. So a clone
 * does not tell whether the original is good: verify that one first.
 *
 * The clones of a process share one key of each kind, made when it is first
 * needed (RSA: about 100 ms) and wiped at exit. Any number of threads at once.
 * At most 4,096 names and 256 KiB. RFC 5280, 4.2.
 *
 * @param seen  the certificate to imitate, borrowed; needs no key; its chain
 *              does not matter
 * @param ca    who signs, borrowed, with its key; valid now
 * @param err   filled in on failure; may be NULL
 * @return with its key, and the CA and its chain but for a root, yours to
 *         tlsock_cert_unref(); NULL on failure: TLSOCK_E_ARGUMENT (no CA, no
 *         key of it, it ended before @p seen begins), TLSOCK_E_CERT_INVALID
 *         (names or dates of @p seen are unreadable), TLSOCK_E_LIMIT,
 *         TLSOCK_E_NO_NAME, TLSOCK_E_PURPOSE (@p ca is no CA or may not sign
 *         for these names; @p seen is for OCSP answers alone),
 *         TLSOCK_E_EXPIRED, TLSOCK_E_NOT_YET_VALID, TLSOCK_E_KEY_MISMATCH (of
 *         @p ca), TLSOCK_E_UNSUPPORTED, TLSOCK_E_NOMEM
 */
TLSOCK_API tlsock_cert *tlsock_cert_clone(const tlsock_cert *seen,
                                          const tlsock_cert *ca,
                                          tlsock_error *err);

/** A certificate signing request (PKCS#10, RFC 2986), with its private key if
 *  known. Never changes; one owner. */
typedef struct tlsock_csr tlsock_csr;
/**
 * Make a key, or take an existing one, and a request to have it certified.
 * Usages are asked for only if o->purpose or o->like says which.
 * @param o    subject, sans, key, pass, purpose, digest, ext, ca, pathlen,
 *             like; all others are who signs it to decide on: E_ARGUMENT
 * @param err  filled in on failure; may be NULL
 * @return yours to tlsock_csr_free(); NULL on failure: as tlsock_cert_create()
 */
TLSOCK_API tlsock_csr *tlsock_csr_create(const tlsock_cert_opts *o,
                                         tlsock_error *err);
/** @param uri file, "file:FILE", "pem:TEXT", PEM text: PEM or DER
 *  @param err filled in on failure; may be NULL
 *  @return yours to tlsock_csr_free(); NULL: TLSOCK_E_OWN_FILE, also if its
 *  signature is not good (who made it lacks the key), or an extension is
 *  malformed or there twice; TLSOCK_E_NOMEM */
TLSOCK_API tlsock_csr *tlsock_csr_load(const char *uri, tlsock_error *err);
/** @param r NULL is a no-op */
TLSOCK_API void tlsock_csr_free(tlsock_csr *r);
/** @param r the request @param item TLSOCK_CERT_SUBJECT, _CN, _SANS, _KEY_TYPE,
 *  _SIGNATURE, _USAGE or _PIN
 *  @return as tlsock_cert_field() */
TLSOCK_API const char *tlsock_csr_field(const tlsock_csr *r, int item);
/** All of it as one JSON object, "tlsock.csr/1". Each of its "extensions" has
 *  "kept": "yes", "part" or "no", which is what tlsock_cert_create() does with
 *  it if o->csr_ext does not name it, and a "note" why.
 *  @param r the request @param out the caller's memory @param size its size
 *  @return the length of the whole text, as snprintf(3); negative: code */
TLSOCK_API int tlsock_csr_json(const tlsock_csr *r, char *out, size_t size);
/**
 * Write a request or its key; see tlsock_cert_save().
 * @param r         the request
 * @param part      TLSOCK_PART_CERT: the request; TLSOCK_PART_KEY: its key
 * @param format    TLSOCK_FORMAT_PEM or _DER; a key also _TRADITIONAL
 * @param path      the file; replaced if it is there; a key's mode is 0600
 * @param pass_uri  encrypts the key; NULL: not encrypted
 * @param err       filled in on failure; may be NULL
 * @return 0, TLSOCK_E_ARGUMENT, _PASSWORD, _OWN_FILE, _UNSUPPORTED (a key in
 *         hardware), _NOMEM
 */
TLSOCK_API int tlsock_csr_save(const tlsock_csr *r, unsigned part,
                               unsigned format, const char *path,
                               const char *pass_uri, tlsock_error *err);

/** @name What tlsock_cert_save() writes, and how @{ */
#define TLSOCK_PART_CERT 1u
#define TLSOCK_PART_CHAIN 2u
#define TLSOCK_PART_KEY 4u
#define TLSOCK_FORMAT_PEM 0u
#define TLSOCK_FORMAT_DER 1u    /**< exactly one part */
#define TLSOCK_FORMAT_PKCS12 2u /**< needs a password */
#define TLSOCK_FORMAT_TRADITIONAL 3u /**< keys alone: "RSA PRIVATE KEY", "EC
                                          PRIVATE KEY", not encrypted */
/** @} */
/**
 * Write a certificate, its chain, its key. Written aside and renamed, so that
 * readers see the old file or the new; with a key the mode is 0600, else 0644.
 * @param c         the certificate
 * @param parts     TLSOCK_PART_*, or-ed
 * @param format    TLSOCK_FORMAT_*
 * @param path      the file; replaced if it is there
 * @param pass_uri  encrypts the key; NULL: not encrypted
 * @param err       filled in on failure; may be NULL
 * @return 0 or a code
 */
TLSOCK_API int tlsock_cert_save(const tlsock_cert *c, unsigned parts,
                                unsigned format, const char *path,
                                const char *pass_uri, tlsock_error *err);

/**
 * Read a private key and write it in another form, as tlsock_cert_save() does.
 * @param key_uri   PEM, DER, PKCS#12, encrypted or not; one key alone
 * @param pass_uri  its password, or NULL
 * @param format    TLSOCK_FORMAT_PEM (PKCS#8), _DER (PKCS#8), _TRADITIONAL
 * @param path      the file; replaced if it is there; mode 0600
 * @param new_pass  encrypts it; NULL: not encrypted
 * @param err       filled in on failure; may be NULL
 * @return 0 or a code: TLSOCK_E_OWN_FILE, TLSOCK_E_PASSWORD,
 *         TLSOCK_E_UNSUPPORTED (no such form; it cannot leave its token),
 *         TLSOCK_E_ARGUMENT, TLSOCK_E_LIMIT, TLSOCK_E_NOMEM
 */
TLSOCK_API int tlsock_key_save(const char *key_uri, const char *pass_uri,
                               unsigned format, const char *path,
                               const char *new_pass, tlsock_error *err);
/** "sha256:pub:HEX" of a private key's public half: equal to TLSOCK_CERT_PIN of
 *  the certificates and requests it belongs to.
 *  @param key_uri the key, also "pkcs11:" @param pass_uri its password, or NULL
 *  @param out the caller's memory @param size its size; 0: only the length
 *  @param err filled in on failure; may be NULL
 *  @return length of the text, or a code: as tlsock_key_save(); TLSOCK_E_LIMIT
 *  if @p out is too small */
TLSOCK_API int tlsock_key_pin(const char *key_uri, const char *pass_uri,
                              char *out, size_t size, tlsock_error *err);
/**
 * What a private key is, without its secrets, as one JSON object,
 * "tlsock.key/1": kind, bits, curve, whether it is encrypted, digests of its
 * public half, its pin.
 * @param key_uri   PEM, DER, PKCS#12, "pkcs11:", encrypted or not
 * @param pass_uri  its password, or NULL
 * @param out       the caller's memory
 * @param size      its size; 0: only the length is asked for
 * @param err       filled in on failure; may be NULL
 * @return the length of the whole text, as snprintf(3); negative:
 *         TLSOCK_E_ARGUMENT, TLSOCK_E_OWN_FILE (unreadable, or no key),
 *         TLSOCK_E_PASSWORD, TLSOCK_E_LIMIT, TLSOCK_E_NOMEM
 */
TLSOCK_API int tlsock_key_json(const char *key_uri, const char *pass_uri,
                               char *out, size_t size, tlsock_error *err);
/**
 * The chain as a server should send it: the leaf (wherever it was), each one
 * signed by the next; roots and certificates that do not belong are left out.
 * Nothing is fetched. What is missing at the end is tlsock_verify()'s to say.
 * The key tells the leaf; without one it is the certificate that issued none
 * of the others. Of cross-signed issuers the way without an expired certificate
 * is taken, then the one that leads furthest (RFC 5246, 7.4.2).
 * @param c    a leaf and what goes with it, in any order; at most 100
 * @param err  filled in on failure; may be NULL
 * @return a new certificate, with the key if it fits, yours to
 *         tlsock_cert_unref(); NULL on failure: TLSOCK_E_CERT_INVALID if there
 *         is no leaf, or more than one; TLSOCK_E_LIMIT, TLSOCK_E_ARGUMENT,
 *         TLSOCK_E_NOMEM
 */
TLSOCK_API tlsock_cert *tlsock_cert_order(const tlsock_cert *c,
                                          tlsock_error *err);

/** @name How grave a finding of tlsock_cert_lint() is @{ */
#define TLSOCK_LINT_NOTE 0    /**< worth knowing */
#define TLSOCK_LINT_WARNING 1 /**< some clients will refuse it, or soon will */
#define TLSOCK_LINT_ERROR 2   /**< against a MUST of RFC 5280 or the like, or
                                   clients refuse it */
/** @} */
/** One finding. Texts live until the callback returns; safe to print. */
typedef struct tlsock_lint {
    size_t size;        /**< of this struct in the library that runs */
    int severity;       /**< TLSOCK_LINT_* */
    int index;          /**< 0: the leaf; then its chain */
    const char *code;   /**< stable, "san-missing" */
    const char *message; /**< what is wrong, with what was found */
    const char *hint;   /**< what to do */
    const char *source; /**< "RFC 5280, 4.2.1.6" */
} tlsock_lint;
/** @param finding one finding @param arg the caller's
 *  @return 0 goes on, else tlsock_cert_lint() ends with this value */
typedef int tlsock_lint_fn(const tlsock_lint *finding, void *arg);
/**
 * Look for everything in a certificate and its chain that RFC 5280, its
 * updates, RFC 9525 and the rules of browsers forbid or advise against. Judges
 * what is written, not whom to trust; fetches nothing. The certificate may be
 * anybody's. Of a chain 32 certificates are looked at; a rule gives at most one
 * finding for each.
 * @param c    the certificate, borrowed
 * @param fn   called for each finding, worst first, on this thread; NULL: only
 *             count
 * @param arg  handed to @p fn
 * @param err  filled in on failure, but not if @p fn ended it; may be NULL
 * @return number of findings that are TLSOCK_LINT_ERROR, 0 is good; negative:
 *         TLSOCK_E_ARGUMENT, TLSOCK_E_CERT_INVALID (it cannot be encoded),
 *         TLSOCK_E_NOMEM; or what @p fn returned, if not 0
 */
TLSOCK_API int tlsock_cert_lint(const tlsock_cert *c, tlsock_lint_fn *fn,
                                void *arg, tlsock_error *err);

/** @name Items of tlsock_cert_field() @{ */
#define TLSOCK_CERT_SUBJECT 1    /**< "CN=a,O=b" (RFC 4514) */
#define TLSOCK_CERT_ISSUER 2     /**< the same of its issuer */
#define TLSOCK_CERT_CN 3         /**< common name, or "" */
#define TLSOCK_CERT_SANS 4       /**< "DNS:a, IP:192.0.2.1", or "" */
#define TLSOCK_CERT_SERIAL 5     /**< hex, lower case */
#define TLSOCK_CERT_NOT_BEFORE 6 /**< RFC 3339, UTC */
#define TLSOCK_CERT_NOT_AFTER 7  /**< RFC 3339, UTC */
#define TLSOCK_CERT_KEY_TYPE 8   /**< "ECDSA P-256", "RSA 2048", "Ed25519" */
#define TLSOCK_CERT_SIGNATURE 9  /**< "ecdsa-with-SHA256" */
#define TLSOCK_CERT_USAGE 10     /**< "digitalSignature, serverAuth, CA" */
#define TLSOCK_CERT_CRL_URLS 11  /**< separated by blanks */
#define TLSOCK_CERT_OCSP_URLS 12 /**< separated by blanks */
#define TLSOCK_CERT_AIA_URLS 13  /**< separated by blanks */
#define TLSOCK_CERT_SHA256 14    /**< "sha256:HEX" of the certificate */
#define TLSOCK_CERT_PIN 15       /**< "sha256:pub:HEX" of its public key */
#define TLSOCK_CERT_KEY_ID 16    /**< subject key identifier, hex, or "" */
#define TLSOCK_CERT_ISSUER_KEY_ID 17 /**< authority key identifier, hex */
/** @} */
/** @param c the certificate @param item TLSOCK_CERT_*
 *  @return text, escaped, borrowed, as long as the certificate lives; ""
 *  if it is not there; NULL: no such item or out of memory */
TLSOCK_API const char *tlsock_cert_field(const tlsock_cert *c, int item);
/** All of it as one JSON object, "tlsock.cert/1"; its members are explained in
 *  tlsock_cert_json(3). Time and length grow with the certificate's size alone.
 *  @param c the certificate
 *  @param out the caller's memory @param size its size
 *  @return the length of the whole text, as snprintf(3); negative: code */
TLSOCK_API int tlsock_cert_json(const tlsock_cert *c, char *out, size_t size);
/** Does its private key go with it?
 *  @param c the certificate, or NULL @return 1 yes, 0 no */
TLSOCK_API int tlsock_cert_has_key(const tlsock_cert *c);
/** The certificate as PEM text, never with its key.
 *  @param c the certificate
 *  @param parts TLSOCK_PART_CERT, TLSOCK_PART_CHAIN, or both
 *  @param out the caller's memory @param size its size
 *  @return the length of the whole text, as snprintf(3), 0 for a chain that is
 *  not there; TLSOCK_E_ARGUMENT: no such parts, TLSOCK_E_NOMEM */
TLSOCK_API int tlsock_cert_pem(const tlsock_cert *c, unsigned parts, char *out,
                               size_t size);

/** @name What tlsock_data_kind() finds, or-ed @{ */
#define TLSOCK_KIND_CERT 1       /**< a certificate (RFC 5280) */
#define TLSOCK_KIND_CSR 2        /**< a signing request (RFC 2986) */
#define TLSOCK_KIND_CRL 4        /**< a revocation list (RFC 5280) */
#define TLSOCK_KIND_KEY 8        /**< a private key (RFC 5958, RFC 8017, ...) */
#define TLSOCK_KIND_ENCRYPTED 16 /**< with _KEY: one needs a password */
#define TLSOCK_KIND_PKCS12 32    /**< PKCS#12 (RFC 7292): may hold them all */
#define TLSOCK_KIND_PKCS7 64     /**< a bundle of certificates (RFC 2315) */
#define TLSOCK_KIND_PUBLIC 128   /**< a public key alone */
/** @} */
/** What is in a file, told by its content: PEM may hold several kinds. Nothing
 *  is checked but what tells the kinds apart; no password is needed.
 *  @param data the content @param len its length
 *  @return TLSOCK_KIND_*, or-ed; 0: none of these, or no data */
TLSOCK_API int tlsock_data_kind(const void *data, size_t len);
/** @param c the certificate @return how many certificates go with the leaf */
TLSOCK_API int tlsock_cert_chain_len(const tlsock_cert *c);
/** @param c the certificate @param i 0 is the one after the leaf
 *  @return that one, yours to tlsock_cert_unref(); NULL: no such place */
TLSOCK_API tlsock_cert *tlsock_cert_chain_at(const tlsock_cert *c, int i);
/** @param c the certificate @param algo "sha256", "sha384", "sha512", "sha1"
 *  @param of_public_key 1: of its SubjectPublicKeyInfo
 *  @param out the caller's memory: "sha256:HEX", "sha256:pub:HEX"
 *  @param size its size
 *  @return length of the text, or a code */
TLSOCK_API int tlsock_cert_fingerprint(const tlsock_cert *c, const char *algo,
                                       int of_public_key, char *out,
                                       size_t size);
/**
 * Was this certificate issued for @p name? RFC 9525: DNS names against
 * subjectAltName dNSName only, addresses against iPAddress only, a wildcard
 * only as the whole leftmost label and never right under a public suffix.
 * @param c       the certificate
 * @param name    host name (IDN allowed) or IP address
 * @param scheme  NULL: RFC 9525; "smtp", "rfc2818", ...: an older rule
 * @param err     filled in if not; may be NULL
 * @return 0 yes; TLSOCK_E_NAME_MISMATCH, TLSOCK_E_NO_NAME, ... no
 */
TLSOCK_API int tlsock_cert_matches(const tlsock_cert *c, const char *name,
                                   const char *scheme, tlsock_error *err);

/** @name What a certificate is asked to be good for @{ */
#define TLSOCK_PURPOSE_SERVER 0
#define TLSOCK_PURPOSE_CLIENT 1
#define TLSOCK_PURPOSE_ANY 2
/** @} */
/** How to verify; zero is the default. */
typedef struct tlsock_verify_opts {
    size_t size;        /**< TLSOCK_VERIFY_OPTS() fills it in */
    const char *name;   /**< NULL: none asked, or that of "verify.name";
                             "mail:a@b.c": an address */
    const char *scheme; /**< NULL: RFC 9525 */
    int purpose;        /**< TLSOCK_PURPOSE_* */
    int64_t time;       /**< Unix seconds; 0: now */
    int depth;          /**< most intermediates; 0: default, -1: none */
} tlsock_verify_opts;
/** A pointer to options: TLSOCK_VERIFY_OPTS(.name = "example.com") */
#define TLSOCK_VERIFY_OPTS(...) \
    (&(tlsock_verify_opts){.size = sizeof(tlsock_verify_opts), __VA_ARGS__})
/** @param o options to set to their defaults @param size sizeof *o */
TLSOCK_API void tlsock_verify_opts_init(tlsock_verify_opts *o, size_t size);
/**
 * Verify as a connection would: chain, name, purpose, time, pins.
 * @param c       leaf and what was sent with it, in any order
 * @param config  what to trust; NULL: the system trust store
 * @param o       name, purpose, time; NULL: the defaults
 * @param err     filled in if not; may be NULL
 * @return 0 good, a negative code if not
 */
TLSOCK_API int tlsock_verify(const tlsock_cert *c, tlsock_config *config,
                             const tlsock_verify_opts *o, tlsock_error *err);
/**
 * The same, and by which path: what goes into logs and before people's eyes.
 * @param c       leaf and what was sent with it, in any order
 * @param config  what to trust; NULL: the system trust store
 * @param o       name, purpose, time; NULL: the defaults
 * @param path    set to the leaf with the certificates up to the anchor as its
 *                chain, yours to tlsock_cert_unref(); NULL on failure, without
 *                a chain if something else than a chain was the reason to
 *                accept (a pin, an exception). The pointer may be NULL.
 * @param err     filled in if not; may be NULL
 * @return as tlsock_verify()
 */
TLSOCK_API int tlsock_verify_path(const tlsock_cert *c, tlsock_config *config,
                                  const tlsock_verify_opts *o,
                                  tlsock_cert **path, tlsock_error *err);
/**
 * The public suffix of a host name (publicsuffix.org), and labels before it.
 * @param host          host name, IDN allowed
 * @param extra_labels  0: the suffix; 1: the registrable domain; ...
 * @param out           the caller's memory
 * @param size          its size
 * @return length of the text; 0: the name has no such part; negative: code
 */
TLSOCK_API int tlsock_public_suffix(const char *host, int extra_labels,
                                    char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
