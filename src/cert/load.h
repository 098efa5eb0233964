/* load - the inside of reading certificates and keys: bytes with a name, told
 * apart by content. Never prompts. Does not judge what it reads. */
#ifndef TSK_CERT_LOAD_H
#define TSK_CERT_LOAD_H

#include "cert/cert.h"
#include "cert/pass.h"

#define TSK_CERT_FILE_MAX ((size_t)16 * 1024 * 1024)

struct tsk_source {
    unsigned char *data; /* NUL behind it */
    size_t len;
    char name[256];
};

/* Reads the URI; an empty file is E_OWN_FILE. Free in all outcomes. */
int tsk_source_open(struct tsk_source *s, const char *uri, tlsock_error *err);
void tsk_source_free(struct tsk_source *s);

int tsk_der_is(const struct tsk_source *s); /* may be DER, of whatever kind */
/* 0; or E_OWN_FILE if its outer length is not that of the data */
int tsk_der_whole(const struct tsk_source *s, tlsock_error *err);

/* The first private key in PEM, DER or PKCS#12 that fits leaf (NULL: any); if
 * none fits, the first. None there: 0 and *key NULL. */
int tsk_key_read(const struct tsk_source *s, struct tsk_pass *pass, X509 *leaf,
                 EVP_PKEY **key, tlsock_error *err);

int tsk_p12_is(const struct tsk_source *s);
/* certs: leaf first, then its chain in order; key may be NULL (not wanted). */
int tsk_p12_read(const struct tsk_source *s, struct tsk_pass *pass,
                 STACK_OF(X509) * certs, EVP_PKEY **key, tlsock_error *err);

/* What the public tlsock_cert_parse() does. */
tlsock_cert *tsk_cert_parse(const void *data, size_t len, const char *pass_uri,
                            tlsock_error *err);

#endif
