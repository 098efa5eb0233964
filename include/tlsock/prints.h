/**
 * @file prints.h
 * Fingerprints of TLS programs: what a ClientHello or a ServerHello tells of
 * the software that sent it.
 *
 * JA3 and JA3S are an MD5 of numbers in the order of the message, JA4 has a part
 * that can be read and two truncated SHA-256 of sorted lists, for clients that
 * shuffle their extensions. Values reserved for GREASE (RFC 8701) are left out.
 * A raw text is what the digest is of. They tell programs apart, and prove
 * nothing: whoever wants to look like another program can.
 *
 * Of a connection they are items of tlsock_info(): on a server within a HELLO
 * hook, and else, on both sides, where the option prints is on, which keeps the
 * two messages for as long as the connection is there. Of a client that was
 * told to try again (HelloRetryRequest) the first hello counts, of a server the
 * last one.
 */
#ifndef TLSOCK_PRINTS_H
#define TLSOCK_PRINTS_H

#include <tlsock/info.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @name More items: of TLSOCK_INFO_JA3, _JA3S and _JA4 in tlsock/info.h @{ */
#define TLSOCK_INFO_JA3_RAW 50   /**< "771,4865-4866,0-10-11,29-23,0" */
#define TLSOCK_INFO_JA3N 51      /**< with the extensions sorted */
#define TLSOCK_INFO_JA3N_RAW 52
#define TLSOCK_INFO_JA3S_RAW 53  /**< "771,4865,43-51" */
#define TLSOCK_INFO_JA3SN 54     /**< with the extensions sorted */
#define TLSOCK_INFO_JA3SN_RAW 55
#define TLSOCK_INFO_JA4_R 56     /**< its lists instead of their digests */
#define TLSOCK_INFO_JA4_O 57     /**< in the order of the message, SNI and ALPN
                                      among the extensions */
#define TLSOCK_INFO_JA4_RO 58    /**< the raw text of that */
/** @} */

/**
 * A fingerprint of a message that the caller has, from a capture for example.
 * Any thread; nothing is kept.
 * @param hello  a whole ClientHello or ServerHello of TLS over TCP: a handshake
 *               message, from its type 1 or 2 on, without the record's header
 * @param len    its length, at most 262144 bytes
 * @param item   TLSOCK_INFO_JA3 and the like
 * @param out    the caller's memory; always terminated, if size is not 0
 * @param size   its size; 160 holds each but the raw texts
 * @return the length of the whole text, as snprintf(3); 0: the item is of the
 * other kind of message
 * @retval TLSOCK_E_ARGUMENT  no such item, or no message
 * @retval TLSOCK_E_PROTOCOL  it is neither of the two, or malformed
 * @retval TLSOCK_E_LIMIT     it is longer than that
 * @retval TLSOCK_E_NOMEM     out of memory
 * @retval TLSOCK_E_UNSUPPORTED    OpenSSL has no such digest: MD5, in a restricted
 *                            build
 */
TLSOCK_API int tlsock_hello_print(const void *hello, size_t len, int item,
                                  char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
