/* staple - a libssl server staples any bytes, those that it would keep back or
 * change, too: since OpenSSL 3.6 it reads a response, sends it only if it is
 * about its certificate, and encodes it again. */
#ifndef TEST_STAPLE_H
#define TEST_STAPLE_H

#include <openssl/ssl.h>

/* For the callback of SSL_CTX_set_tlsext_status_cb(): what it returns. The
 * bytes are borrowed until the server's certificate has been written. */
int staple_bytes(SSL *ssl, const unsigned char *bytes, size_t len);

#endif
