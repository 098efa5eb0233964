/* compat - what differs between OpenSSL 3.0 and its successors: the one place
 * that looks at versions. */
#ifndef TSK_OSSL_COMPAT_H
#define TSK_OSSL_COMPAT_H

#include <openssl/ssl.h>

/* The default key exchange groups, the post-quantum hybrid first where the
 * linked OpenSSL has it. 1, or 0 with OpenSSL's error queue. */
int tsk_compat_default_groups(SSL_CTX *ctx);
const char *tsk_compat_group_list(void); /* those, as a list */
int tsk_compat_has_pq(void);
/* Certificates are compressed where the peer can that, too (RFC 8879). */
int tsk_compat_has_cert_compression(void);
/* What is in the context is compressed, once, for peers that ask for it. What
 * cannot be, or is no smaller, goes as it is. */
void tsk_compat_compress_certs(SSL_CTX *ctx);
/* Keys without certificates (RFC 7250) are taken from a server, and shown by
 * one, where both sides can: 1, or 0 with OpenSSL's error queue. */
int tsk_compat_has_raw_keys(void);
int tsk_compat_take_raw_keys(SSL *ssl);
/* What libssl asks to verify, if it is one: borrowed; NULL: a certificate. */
EVP_PKEY *tsk_compat_raw_key(X509_STORE_CTX *ctx);
/* The first release that has a group or signature scheme which 3.0 does not
 * have; NULL: no release is known to. */
const char *tsk_compat_since(const char *name);
/* The negotiated group: "X25519", "secp256r1"; "" if none. */
const char *tsk_compat_group(SSL *ssl, int *id);
/* RFC 8446's name of the scheme the peer signed with; "" if it did not. */
const char *tsk_compat_peer_signature(SSL *ssl);
/* The first error of a queue means that memory was refused, though it does not
 * say so: since 3.2 nothing is recorded where it could not be had again, nor by
 * who called, only further up that "the ASN.1 library" failed. Whatever else
 * fails there gives a reason of its own. */
int tsk_compat_starved(unsigned long first);
/* libssl's own buffers are freed, if nothing is in them, nor on its way: it
 * keeps one to write when tickets came, until somebody writes. */
void tsk_compat_free_buffers(SSL *ssl);

#endif
