/* certfield - what a certificate says, for results: the library's calls, and
 * one thing more. These give the same for what is not there and for what there
 * was no memory for, which OpenSSL often takes for "unknown", too; a result
 * that lacks something has to say so (out_lost()). errno is ENOMEM then. */
#ifndef CLI_CERTFIELD_H
#define CLI_CERTFIELD_H

#include <tlsock/cert.h>

const char *certfield(const tlsock_cert *c, int item);
/* The same, "" in place of NULL. */
const char *certfield_text(const tlsock_cert *c, int item);
/* A new reference, as the library's. */
tlsock_cert *certfield_chain(const tlsock_cert *c, int i);
/* As tlsock_cert_json(). */
int certfield_json(const tlsock_cert *c, char *text, size_t size);
/* Of a request: never NULL, "" if there is no memory for it. */
const char *certfield_csr(const tlsock_csr *r, int item);
/* Those parts in PEM behind `before`, which was malloc'd or is NULL and is
 * given away. NULL: no memory. */
char *certfield_pem(char *before, const tlsock_cert *c, unsigned parts);

#endif
