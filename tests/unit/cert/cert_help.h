/* cert_help - what the tests of certificates share: a directory that goes away,
 * files in it, certificates that must come about, and a verdict on them. */
#ifndef CERT_HELP_H
#define CERT_HELP_H

#include "test.h"

#include "cert/cert.h"

#include <openssl/x509_vfy.h>

#define DAY 86400

/* Made at the first call, gone with help_end(). */
const char *help_dir(void);
void help_end(void);
/* DIR/name; a ring of buffers, good for 8 calls */
const char *help_path(const char *name);
const char *help_write(const char *name, const void *data, size_t len);
const char *help_text(const char *name, const char *text);
/* A whole file, with a NUL behind it; free() it. */
char *help_read(const char *path, size_t *len);
/* The files in DIR, but not those that begin with "known" */
int help_strangers(void);

/* Made, or the test fails with its message. */
tlsock_cert *help_make(const tlsock_cert_opts *o);
/* Made once per program: "CN=Help Root", any depth; CN=Help Inter below it;
 * a.test below that; a.test on its own. */
tlsock_cert *help_root(void);
tlsock_cert *help_inter(void);
tlsock_cert *help_leaf(void);
tlsock_cert *help_alone(void);

/* X509_V_ code of X509_verify_cert() with X509_STRICT, trusting one */
int help_verdict(const tlsock_cert *c, const tlsock_cert *trust);
/* PEM of certificates and key; free() it. */
char *help_pem(const tlsock_cert *c, unsigned parts);

#endif
