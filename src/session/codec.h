/* codec - a session as bytes that may be stored elsewhere, and back.
 *
 * A digest over all of it finds what was damaged, cut or mixed up; it proves
 * nothing against somebody who can write to the store: the bytes have the
 * session's secrets, and whoever has or makes those can be its server. Files
 * and stores are trusted as far as that; what they hold is still checked and
 * bounded like bytes of a peer.
 *
 *    0  4  "tsks"
 *    4  1  version, 1
 *    5  1  staple: state
 *    6  1  staple: by whom
 *    7  1  1: by the key alone (DANE-EE)
 *    8 72  expires, since, won, end of the certificates, age of the lists, end
 *          of what is known of revocation, staple: as of, until; Unix seconds,
 *          8 bytes each, and 8 bytes of 0          (all numbers big endian)
 *   80 128 digests: settings, peer, peer and place, certificate and issuer
 *  208  2  length of the texts: verdict, TLSA record, revocation; each ends
 *          with a 0
 *  210  4  length of the session
 *  214     texts, session (SSL_SESSION in DER)
 *          SHA-256 of all before */
#ifndef TSK_SESSION_CODEC_H
#define TSK_SESSION_CODEC_H

#include "session/facts.h"

#define TSK_SESSION_BYTES_MAX ((size_t)16384) /* more is not kept */

/* 1: *out is yours, secret (tsk_free_secret()); 0: larger than
 * TSK_SESSION_BYTES_MAX, or no memory. */
int tsk_session_encode(const struct tsk_session_item *item, uint8_t **out,
                       size_t *len);
/* 1: a whole session of this version, TLS 1.2 or 1.3, that can be resumed;
 * item->ses is yours. 0: anything else, and there is none. */
int tsk_session_decode(const void *data, size_t len,
                       struct tsk_session_item *item);
/* TLS 1.2 or 1.3, all of the bytes, to be resumed: yours; or NULL. */
SSL_SESSION *tsk_session_of_der(const uint8_t *der, size_t len);

#endif
