/**
 * @file openssl.h
 * The way through to OpenSSL, outside the promise of a stable ABI. What is
 * changed behind the library's back is the caller's to answer for.
 */
#ifndef TLSOCK_OPENSSL_H
#define TLSOCK_OPENSSL_H

#include <tlsock.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ssl_st;
struct ssl_ctx_st;
struct x509_st;
struct evp_pkey_st;

/** From here on its peer's chain is verified whatever was remembered of it
 *  (verify.cache), and nothing of it is.
 *  @param s the connection @return its SSL, borrowed; NULL: not yet */
TLSOCK_API struct ssl_st *tlsock_get_ssl(tlsock *s);
/** From here on nothing is remembered by it (verify.cache).
 *  @param c a config, frozen by this
 *  @return its SSL_CTX, borrowed until the config is reloaded or freed; NULL
 *  on failure, see tlsock_config_error() */
TLSOCK_API struct ssl_ctx_st *tlsock_config_get_ctx(tlsock_config *c);
/** @param x a certificate, one reference is taken
 *  @param key its private key, one reference is taken, or NULL
 *  @return a certificate, yours to tlsock_cert_unref(); NULL: out of memory */
TLSOCK_API tlsock_cert *tlsock_cert_from_x509(struct x509_st *x,
                                              struct evp_pkey_st *key);

#ifdef __cplusplus
}
#endif
#endif
