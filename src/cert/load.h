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
    const char *token; /* "pkcs11:" URI, borrowed; then there are no data */
    char name[256];    /* for messages: never with a PIN */
};
struct tsk_pem_block;

/* Reads the URI; an empty file is E_OWN_FILE. Free in all outcomes. */
int tsk_source_open(struct tsk_source *s, const char *uri, tlsock_error *err);
void tsk_source_free(struct tsk_source *s);

/* E_OWN_FILE: what is there instead of a certificate or a private key */
int tsk_no_cert(const struct tsk_source *s, tlsock_error *err);
int tsk_no_key(const struct tsk_source *s, tlsock_error *err);
/* E_OWN_FILE: a block that does not decode; what ("certificate 2") it is. */
int tsk_pem_damage(const struct tsk_source *s, const struct tsk_pem_block *b,
                   const char *what, tlsock_error *err);
/* E_OWN_FILE: a block without its END line */
int tsk_pem_truncated(const struct tsk_source *s, const struct tsk_pem_block *b,
                      tlsock_error *err);

int tsk_der_is(const struct tsk_source *s); /* may be DER, of whatever kind */
/* 0; or E_OWN_FILE if its outer length is not that of the data */
int tsk_der_whole(const struct tsk_source *s, tlsock_error *err);

/* The first private key in PEM, DER or PKCS#12 that fits leaf; if none fits,
 * the first. leaf NULL: there must be one alone. None there: 0 and *key NULL.
 */
int tsk_key_read(const struct tsk_source *s, struct tsk_pass *pass, X509 *leaf,
                 EVP_PKEY **key, tlsock_error *err);

int tsk_p12_is(const struct tsk_source *s);
/* certs: leaf first, then its chain in order; key may be NULL (not wanted). */
int tsk_p12_read(const struct tsk_source *s, struct tsk_pass *pass,
                 STACK_OF(X509) * certs, EVP_PKEY **key, tlsock_error *err);

/* PKCS#7 that holds certificates (.p7b, .p7c): leaf first if there is one, its
 * chain in order. p7 is DER. */
int tsk_p7_is(const struct tsk_source *s);
int tsk_p7_read(const unsigned char *der, size_t len, const char *name,
                STACK_OF(X509) * certs, tlsock_error *err);
int tsk_p7_read_pem(const struct tsk_source *s, const struct tsk_pem_block *b,
                    STACK_OF(X509) * certs, tlsock_error *err);

/* Objects on a token, through OpenSSL's provider for them (RFC 7512). */
int tsk_token_is(const char *uri);
void tsk_token_name(const char *uri, char name[256]); /* without the PIN */
int tsk_token_certs(const struct tsk_source *s, struct tsk_pass *pin,
                    STACK_OF(X509) * certs, tlsock_error *err);
int tsk_token_key(const struct tsk_source *s, struct tsk_pass *pin, X509 *leaf,
                  EVP_PKEY **key, tlsock_error *err);
int tsk_token_nothing(const struct tsk_source *s, const char *wanted,
                      tlsock_error *err);
/* May the private half leave the place where it is? */
int tsk_key_stays(const EVP_PKEY *key);

/* A copy that belongs to the default library context; NULL: no memory */
X509 *tsk_cert_copy(X509 *x);

/* What the public tlsock_cert_parse() does. */
tlsock_cert *tsk_cert_parse(const void *data, size_t len, const char *pass_uri,
                            tlsock_error *err);

#endif
