/* acme_jws - requests of ACME clients: JSON Web Signatures in the form of RFC
 * 8555, 6.2, on libjose.
 *
 * Knows what a sound request looks like, and keys; knows no accounts. */
#ifndef CLI_ACME_JWS_H
#define CLI_ACME_JWS_H

#include <jansson.h>
#include <stddef.h>

#define ACME_THUMB 44 /* base64url of 32 bytes, and a NUL */
#define ACME_PIN 80   /* "sha256:pub:HEX" */

struct acme_jws {
    json_t *whole, *head;                /* head: the protected one */
    json_t *payload;                     /* NULL: empty (POST-as-GET) */
    const char *alg, *nonce, *url, *kid; /* nonce, kid: may be NULL */
    json_t *jwk;                         /* borrowed; may be NULL */
};

struct acme_problem {
    int status;
    const char *type; /* "badNonce" */
    char detail[320];
};

/* 0, or *p says what is wrong. acme_jws_free() in both cases. The signature is
 * not looked at yet. */
int acme_jws_parse(struct acme_jws *j, const void *body, size_t len,
                   struct acme_problem *p);
void acme_jws_free(struct acme_jws *j);
/* A public key that may be an account's: 0, or *p says why not. */
int acme_jwk_check(const json_t *jwk, struct acme_problem *p);
/* Was it signed with this key, which was checked? 0, or *p. */
int acme_jws_verify(const struct acme_jws *j, const json_t *jwk,
                    struct acme_problem *p);
/* RFC 7638. 0 or -1. */
int acme_jwk_thumb(const json_t *jwk, char out[ACME_THUMB]);
/* The same as TLSOCK_CERT_PIN of a certificate with this key. 0 or -1. */
int acme_jwk_pin(const json_t *jwk, char out[ACME_PIN]);
/* base64url: yours to free(), NULL: it is none, or more than most bytes. */
unsigned char *acme_b64_decode(const char *text, size_t most, size_t *len);
void acme_b64_encode(const void *bytes, size_t len, char *out, size_t size);
/* Fills in a problem; gives -1. */
int acme_problem(struct acme_problem *p, int status, const char *type,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
