/**
 * @file revoke.h
 * Revocation: lists that a CA makes, and answers that it gives.
 */
#ifndef TLSOCK_REVOKE_H
#define TLSOCK_REVOKE_H

#include <tlsock/cert.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One certificate that is revoked. */
typedef struct tlsock_revoked {
    size_t size;
    const char *serial; /**< hex */
    int64_t when;       /**< Unix seconds */
    int reason;         /**< RFC 5280, 5.3.1; 0: unspecified, not written */
} tlsock_revoked;

/** How to make a CRL; zero is the default. */
typedef struct tlsock_crl_opts {
    size_t size;               /**< TLSOCK_CRL_OPTS() fills it in */
    const tlsock_cert *issuer; /**< the CA, with its key */
    const char *number;        /**< hex, larger than the one before */
    int64_t this_update;       /**< Unix seconds; 0: now */
    int64_t next_update;       /**< Unix seconds; 0: by days */
    int days;                  /**< until the next one; 0: 7 */
    const char *digest;        /**< as for tlsock_cert_create() */
    const tlsock_revoked *revoked; /**< borrowed during the call */
    size_t n_revoked;
} tlsock_crl_opts;
/** A pointer to options: TLSOCK_CRL_OPTS(.issuer = ca, .number = "1f") */
#define TLSOCK_CRL_OPTS(...) \
    (&(tlsock_crl_opts){.size = sizeof(tlsock_crl_opts), __VA_ARGS__})
/**
 * Make a certificate revocation list (RFC 5280, 5) and write it, aside and
 * renamed, mode 0644.
 * @param o       who, which
 * @param format  TLSOCK_FORMAT_PEM or _DER
 * @param path    the file; replaced if it is there
 * @param err     filled in on failure; may be NULL
 * @return 0 or a code
 */
TLSOCK_API int tlsock_crl_save(const tlsock_crl_opts *o, unsigned format,
                               const char *path, tlsock_error *err);

#ifdef __cplusplus
}
#endif
#endif
