/**
 * @file revoke.h
 * Revocation: lists that a CA makes, what a list says, and the answers of an
 * OCSP responder.
 */
#ifndef TLSOCK_REVOKE_H
#define TLSOCK_REVOKE_H

#include <tlsock/cert.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One certificate that is revoked. */
typedef struct tlsock_revoked {
    size_t size;        /**< sizeof(tlsock_revoked), the same in all of them */
    const char *serial; /**< hex, as TLSOCK_CERT_SERIAL */
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
    const tlsock_revoked *revoked; /**< borrowed during the call, any order */
    size_t n_revoked;
    const char *url; /**< where this list is published, written into it as its
                          issuing distribution point; NULL: it covers all */
} tlsock_crl_opts;
/** A pointer to options: TLSOCK_CRL_OPTS(.issuer = ca, .number = "1f") */
#define TLSOCK_CRL_OPTS(...) \
    (&(tlsock_crl_opts){.size = sizeof(tlsock_crl_opts), __VA_ARGS__})
/** @param o options to set to their defaults @param size sizeof *o */
TLSOCK_API void tlsock_crl_opts_init(tlsock_crl_opts *o, size_t size);
/**
 * Make a certificate revocation list (RFC 5280, 5) and write it, aside and
 * renamed, mode 0644. It is of version 2, sorted by serial, with the number
 * (5.2.3), the issuer's key (5.2.1) and each reason (5.3.1).
 * @param o       who, which; number is required: keep it and count it up
 * @param format  TLSOCK_FORMAT_PEM or _DER
 * @param path    the file; replaced if it is there
 * @param err     filled in on failure; may be NULL
 * @retval 0                      written
 * @retval TLSOCK_E_ARGUMENT      an option is missing or not possible: which
 *                                one, which entry; two entries of one serial
 * @retval TLSOCK_E_PURPOSE       the issuer is no CA, or may not sign CRLs
 * @retval TLSOCK_E_KEY_MISMATCH  the key does not belong to the issuer
 * @retval TLSOCK_E_OWN_FILE      the file cannot be written
 * @retval TLSOCK_E_UNSUPPORTED   the key cannot sign; an option of a newer
 *                                version
 * @retval TLSOCK_E_NOMEM         out of memory
 */
TLSOCK_API int tlsock_crl_save(const tlsock_crl_opts *o, unsigned format,
                               const char *path, tlsock_error *err);

/**
 * What a CRL says, as one JSON object, "tlsock.crl/1": issuer, number, dates,
 * whether it is overdue, signature, the key it names, what it is limited to,
 * its extensions (at most 100), how many certificates it revokes, and the first
 * 1,000 of them. Its signature is not verified: that needs the issuer.
 * @param uri   file, "file:FILE", "pem:TEXT", PEM text: PEM or DER, at most 32
 *              MiB
 * @param out   the caller's memory
 * @param size  its size; 0: only the length is asked for
 * @param err   filled in on failure; may be NULL
 * @return the length of the whole text, as snprintf(3); negative:
 *         TLSOCK_E_ARGUMENT, TLSOCK_E_OWN_FILE (unreadable, or no CRL),
 *         TLSOCK_E_LIMIT (too large), TLSOCK_E_NOMEM
 */
TLSOCK_API int tlsock_crl_json(const char *uri, char *out, size_t size,
                               tlsock_error *err);

/** @name What a responder says about a certificate (RFC 6960, 2.2) @{ */
#define TLSOCK_STATUS_GOOD 0
#define TLSOCK_STATUS_REVOKED 1
#define TLSOCK_STATUS_UNKNOWN 2 /**< not one of this CA's */
/** @} */
/** The state of one certificate. */
typedef struct tlsock_status {
    size_t size;
    int status;   /**< TLSOCK_STATUS_*; at first TLSOCK_STATUS_UNKNOWN */
    int64_t when; /**< revoked: since when, Unix seconds */
    int reason;   /**< revoked: as in tlsock_revoked */
} tlsock_status;
/**
 * Says what the state of a certificate is.
 * @param serial  hex, lower case, as TLSOCK_CERT_SERIAL
 * @param out     to be filled in
 * @param arg     the caller's
 * @return 0; a negative code: it cannot be said now, the client gets
 *         "internalError"
 */
typedef int tlsock_status_fn(const char *serial, tlsock_status *out, void *arg);

/** How to answer OCSP requests; zero is the default. */
typedef struct tlsock_ocsp_opts {
    size_t size;               /**< TLSOCK_OCSP_OPTS() fills it in */
    const tlsock_cert *issuer; /**< the CA whose certificates are asked about */
    const tlsock_cert *signer; /**< with its key; NULL: the issuer itself, with
                                    its key. Else a certificate of the issuer
                                    with the purpose OCSPSigning */
    tlsock_status_fn *status;  /**< called for each certificate asked about */
    void *arg;                 /**< handed to it */
    int64_t this_update;       /**< Unix seconds; 0: now */
    int valid_s;               /**< seconds until the next update; 0: a day; -1:
                                    none is said, newer ones are always there */
    const char *digest;        /**< as for tlsock_cert_create() */
} tlsock_ocsp_opts;
/** A pointer to options: TLSOCK_OCSP_OPTS(.issuer = ca, .status = look_up) */
#define TLSOCK_OCSP_OPTS(...) \
    (&(tlsock_ocsp_opts){.size = sizeof(tlsock_ocsp_opts), __VA_ARGS__})
/** @param o options to set to their defaults @param size sizeof *o */
TLSOCK_API void tlsock_ocsp_opts_init(tlsock_ocsp_opts *o, size_t size);

/** Most bytes of an OCSP request that is looked at. */
#define TLSOCK_OCSP_REQUEST_MAX 65536
/** Most certificates that one OCSP request may ask about. */
#define TLSOCK_OCSP_CERTS_MAX 100

/**
 * Answer an OCSP request (RFC 6960), whatever it is: also what cannot be
 * parsed gets an answer that says so. The nonce of the request comes back
 * (RFC 9654); signatures of requests are not asked for. Nothing is kept
 * between calls: several threads may answer at once.
 * @param o        who, how
 * @param request  DER, of anybody
 * @param len      its length
 * @param out      the caller's memory for the response, DER
 * @param out_len  in: its size, 128 KiB is enough but for signers with
 *                 huge certificates; out: the length of the response
 * @param err      filled in on failure; may be NULL
 * @retval 0        the response tells the states
 * @retval 1        "malformedRequest": no request, a nonce of 0 or more than
 *                  128 octets, too much
 * @retval 6        "unauthorized": not about this issuer's certificates
 * @retval TLSOCK_E_ARGUMENT  an option is missing or not possible; there is no
 *                  response: *out_len is 0
 * @retval TLSOCK_E_LIMIT     out is too small, *out_len is what is needed
 * @retval <0       any other failure (TLSOCK_E_PURPOSE, TLSOCK_E_EXPIRED,
 *                  TLSOCK_E_KEY_MISMATCH, TLSOCK_E_UNSUPPORTED,
 *                  TLSOCK_E_NOMEM, what status() gave): the response is
 *                  "internalError"
 */
TLSOCK_API int tlsock_ocsp_answer(const tlsock_ocsp_opts *o,
                                  const void *request, size_t len, void *out,
                                  size_t *out_len, tlsock_error *err);


/** @name Asking whether a peer's chain is revoked, by the caller's own HTTP
 *  @{ */
/** One request to be made. */
typedef struct tlsock_fetch {
    size_t size;              /**< set by the caller: sizeof(tlsock_fetch) */
    const char *method;       /**< "GET", "POST" */
    const char *url;          /**< http://... */
    const char *content_type; /**< of the body; NULL: there is none */
    const void *body;
    size_t body_len;
    int id; /**< of this request */
} tlsock_fetch;

typedef struct tlsock_revocation tlsock_revocation;
/**
 * Ask about the chain that a connection's peer was verified by: all of it, by
 * CRLs first, OCSP where there is none. What is known already (given lists,
 * cache, staple) is not asked again.
 * @param s    a connection whose handshake is done; not needed afterwards
 * @param err  filled in on failure; may be NULL
 * @return yours to tlsock_revocation_free(); NULL: TLSOCK_E_STATE without a
 *         chain that was verified, TLSOCK_E_NOMEM
 */
TLSOCK_API tlsock_revocation *tlsock_revocation_new(const tlsock *s,
                                                    tlsock_error *err);
/**
 * The next request to make. Several may be under way at once.
 * @param r    the check
 * @param out  filled in; its texts live as long as @p r; .size set by the
 *             caller
 * @retval 1             make this one, then tlsock_revocation_answer()
 * @retval 0             nothing more to ask now: all is answered, see
 *                       tlsock_revocation_verdict(), or answers are awaited
 * @return negative: a code
 */
TLSOCK_API int tlsock_revocation_next(tlsock_revocation *r, tlsock_fetch *out);
/**
 * What came back.
 * @param r     the check
 * @param f     the request, as it was given out
 * @param data  the body of a 200 response; NULL: the request failed
 * @param len   its length
 * @retval 0 taken: good, revoked, or of no use, which is then tried elsewhere
 * @retval TLSOCK_E_ARGUMENT there is no such request
 * @retval TLSOCK_E_NOMEM out of memory
 */
TLSOCK_API int tlsock_revocation_answer(tlsock_revocation *r,
                                        const tlsock_fetch *f, const void *data,
                                        size_t len);
/**
 * @param r    the check
 * @param err  filled in on failure; may be NULL
 * @retval 0                            the whole chain is not revoked
 * @retval TLSOCK_AGAIN                 requests are not answered yet
 * @retval TLSOCK_E_REVOKED             which certificate, when, why, says who
 * @retval TLSOCK_E_REVOCATION_UNKNOWN  nobody could tell, and why
 */
TLSOCK_API int tlsock_revocation_verdict(tlsock_revocation *r,
                                         tlsock_error *err);
/**
 * Make all requests with the library's own HTTP, and wait for them.
 * @param r           the check
 * @param timeout_ms  most time; -1: no limit but each request's own
 * @return as tlsock_revocation_verdict(), or TLSOCK_E_TIMEOUT
 */
TLSOCK_API int tlsock_revocation_run(tlsock_revocation *r, int timeout_ms);
/** @param r the check; NULL is a no-op */
TLSOCK_API void tlsock_revocation_free(tlsock_revocation *r);
/** @} */

#ifdef __cplusplus
}
#endif
#endif
