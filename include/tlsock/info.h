/**
 * @file info.h
 * What was negotiated, and who the peer is.
 */
#ifndef TLSOCK_INFO_H
#define TLSOCK_INFO_H

#include <tlsock.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @name Items of tlsock_info() and tlsock_info_int() @{ */
#define TLSOCK_INFO_VERSION 1      /**< "TLSv1.3"; int: 0x0304 */
#define TLSOCK_INFO_CIPHER 2       /**< "TLS_AES_256_GCM_SHA384"; int: its id */
#define TLSOCK_INFO_GROUP 3        /**< "X25519"; int: its id (RFC 8446, 4.2.7) */
#define TLSOCK_INFO_SIGNATURE 4    /**< the peer's, "ecdsa_secp256r1_sha256" */
#define TLSOCK_INFO_ALPN 5         /**< "h2"; "" if none */
#define TLSOCK_INFO_SNI 6          /**< sent by us, or by the client; "" */
#define TLSOCK_INFO_PEER_ADDRESS 7 /**< "192.0.2.1:443", "[2001:db8::1]:443" */
#define TLSOCK_INFO_RESUMED 8      /**< "yes" "no"; int: 1 0 */
#define TLSOCK_INFO_EARLY_DATA 9   /**< "none", "sent" (not known yet),
                                        "accepted" or "rejected" (what a client
                                        sent has to be sent again); int:
                                        TLSOCK_EARLY_* */
#define TLSOCK_INFO_VERIFIED 10    /**< begins with chain, pin, psk, insecure;
                                        "" if nobody was to be verified */
#define TLSOCK_INFO_REVOCATION 11  /**< "good by staple ...", "not checked" */
#define TLSOCK_INFO_JA3 12         /**< of the client's hello, ours or the
                                        peer's: 32 hex digits; see
                                        tlsock/prints.h, "" without
                                        prints = on */
#define TLSOCK_INFO_JA3S 13        /**< of the server's: 32 hex digits */
#define TLSOCK_INFO_JA4 14         /**< of the client's:
                                        "t13d1516h2_8daaf6152771_e5627efa2ab1" */
#define TLSOCK_INFO_STATE 15       /**< int: TLSOCK_STATE_* */
#define TLSOCK_INFO_TIMINGS 16     /**< "resolve 1 ms, tcp 12 ms, tls 24 ms" */
#define TLSOCK_INFO_NAME 17        /**< the name that was checked */
#define TLSOCK_INFO_STARTTLS 18    /**< "smtp": the dialogue before TLS; "" */
#define TLSOCK_INFO_DANE 19        /**< "secure 3 1 1": the TLSA record that
                                        fits; "none" "insecure" "unusable": none
                                        has a say; "": dane = off */
#define TLSOCK_INFO_TRUST 24       /**< what the peer was verified against,
                                        "system store: /etc/ssl/certs (...)";
                                        "" if no store was opened */
#define TLSOCK_INFO_CLIENT_CAS 30  /**< "CN=A, CN=B": whose client certificates
                                        the server asked for, as many as fit;
                                        "": any, or it has not asked */
#define TLSOCK_INFO_POLICY 40      /**< the rules that made this connection's
                                        settings stricter: "FILE:7: tls.min =
                                        1.3; ..."; "" */
#define TLSOCK_INFO_PSK_IDENTITY 41 /**< whose pre-shared key it was; "" */
#define TLSOCK_INFO_SESSION 42 /**< of a client: "kept until 2026-01-31T12:00:00Z",
                                    "none yet", "not kept: why", "none: why" */
#define TLSOCK_INFO_KTLS 43    /**< with ktls = on, which records the kernel
                                    encrypts and decrypts: "send and receive",
                                    "send; not receive: why", "receive; not
                                    send: why", "no: why"; "": nobody asked;
                                    int: TLSOCK_KTLS_* or'ed */
#define TLSOCK_INFO_LOCAL_ADDRESS 44 /**< of our end of the socket,
                                         "192.0.2.7:50000"; "" if it is none */
/** @} */

/** @name What the kernel does: TLSOCK_INFO_KTLS @{ */
#define TLSOCK_KTLS_SEND 1
#define TLSOCK_KTLS_RECEIVE 2
/** @} */

/** @name States @{ */
#define TLSOCK_STATE_CONNECTING 1
#define TLSOCK_STATE_PLAIN 2
#define TLSOCK_STATE_HANDSHAKING 3
#define TLSOCK_STATE_TLS 4
#define TLSOCK_STATE_WRITE_CLOSED 5 /**< we sent close_notify */
#define TLSOCK_STATE_PEER_CLOSED 6  /**< the peer sent close_notify */
#define TLSOCK_STATE_CLOSED 7       /**< both, or failed for good */
/** @} */

/** @param s the connection @param item TLSOCK_INFO_*
 *  @return text, borrowed, valid until the next tlsock_info() of this
 *  connection; "" if not known (yet); NULL: no such item */
TLSOCK_API const char *tlsock_info(const tlsock *s, int item);
/** @param s the connection @param item TLSOCK_INFO_*
 *  @return the number; 0 if not known; negative: no such item */
TLSOCK_API int64_t tlsock_info_int(const tlsock *s, int item);
/** All of it as one JSON object. @param s the connection
 *  @param out the caller's memory @param size its size
 *  @return the length of the whole text, as snprintf(3); negative: code */
TLSOCK_API int tlsock_info_json(const tlsock *s, char *out, size_t size);

/** @name Values of TLSOCK_INFO_EARLY_DATA @{ */
#define TLSOCK_EARLY_NONE 0
#define TLSOCK_EARLY_SENT 1     /**< by us; the server has not answered yet */
#define TLSOCK_EARLY_ACCEPTED 2 /**< by the server, whichever side this is */
#define TLSOCK_EARLY_REJECTED 3 /**< it is lost, and has to be sent again */
/** @} */

/**
 * Keying material for the caller's own protocol (RFC 5705, RFC 8446 7.5).
 * @param s        the connection, handshake done
 * @param label    registered label
 * @param context  context value, or NULL for none
 * @param clen     its length
 * @param out      the caller's memory
 * @param len      bytes wanted
 * @return 0 or a code
 */
TLSOCK_API int tlsock_export(const tlsock *s, const char *label,
                             const void *context, size_t clen, void *out,
                             size_t len);
/**
 * Fingerprint of the peer's certificate.
 * @param s              the connection
 * @param algo           "sha256", "sha384", "sha512", "sha1"
 * @param of_public_key  1: of its SubjectPublicKeyInfo, 0: of all of it
 * @param out            the caller's memory: "sha256:HEX", "sha256:pub:HEX"
 * @param size           its size
 * @return length of the text, or a code
 */
TLSOCK_API int tlsock_fingerprint(const tlsock *s, const char *algo,
                                  int of_public_key, char *out, size_t size);
/** @param s the connection
 *  @return the peer's certificate and chain as sent, yours to
 *  tlsock_cert_unref(); NULL: it sent none */
TLSOCK_API tlsock_cert *tlsock_peer_cert(const tlsock *s);
/** @param s the connection
 *  @return our certificate in use, yours to tlsock_cert_unref(), or NULL */
TLSOCK_API tlsock_cert *tlsock_own_cert(const tlsock *s);

#ifdef __cplusplus
}
#endif
#endif
