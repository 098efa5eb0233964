/* cert - what a tlsock_cert is inside. Immutable once made, counted. */
#ifndef TSK_CERT_CERT_H
#define TSK_CERT_CERT_H

#include "core/err.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <tlsock/cert.h>

#define TSK_CERT_FIELDS 18

struct tlsock_cert {
    atomic_int refs;
    X509 *leaf;
    STACK_OF(X509) * chain; /* never NULL; what goes with the leaf, in order */
    EVP_PKEY *key;          /* or NULL */
    _Atomic(EVP_PKEY *) remote; /* without key: one that asks, or NULL */
    _Atomic(char *) fields[TSK_CERT_FIELDS]; /* texts, made when asked for */
};

/* Takes a reference on each; chain may be NULL and is copied. */
tlsock_cert *tsk_cert_new(X509 *leaf, STACK_OF(X509) * chain, EVP_PKEY *key,
                          tlsock_error *err);
/* Load without further proof (cert/load.c): as tlsock_cert_load(). */
tlsock_cert *tsk_cert_load(const char *uri, const char *key_uri,
                           const char *pass_uri, tlsock_error *err);
struct tsk_asker;
/* The same; asker (cert/pass.h), or NULL, is asked for what pass_uri does not
 * say, up to three times. */
tlsock_cert *tsk_cert_load_asking(const char *uri, const char *key_uri,
                                  const char *pass_uri,
                                  const struct tsk_asker *asker,
                                  tlsock_error *err);
/* Every certificate in a file, directory-less URI or PEM text, for trust
 * stores; unreadable or without any: E_OWN_FILE naming the file. Yours. */
STACK_OF(X509) * tsk_cert_load_all(const char *uri, tlsock_error *err);
/* What a file named by a URI holds, at most max bytes (else E_LIMIT naming
 * it), with a NUL behind it; yours: tsk_free_secret(*data, *len). name gets
 * what to call it in messages: the path, or "inline PEM". */
int tsk_uri_read(const char *uri, size_t max, unsigned char **data, size_t *len,
                 char name[256], tlsock_error *err);
/* How it is to serve, or-ed; 0 is a client that has its key. */
#define TSK_PROVE_SERVER 1  /* it needs names */
#define TSK_PROVE_KEYLESS 2 /* the key may be elsewhere */
/* Is it fit to be an identity? Key there and fitting, chain complete in order
 * (each signed by the next), in date, names present for a server.
 * E_OWN_FILE, E_KEY_MISMATCH, E_EXPIRED, E_CHAIN_INCOMPLETE, E_NO_NAME, with
 * name (the file) in the message. */
int tsk_cert_prove(const tlsock_cert *c, const char *name, int how,
                   int64_t now, tlsock_error *err);
/* PEM text of leaf and chain, as tlsock_cert_pem(). */
int tsk_cert_pem(const tlsock_cert *c, unsigned parts, char *out, size_t size);
/* TLSOCK_KIND_*, or-ed. */
int tsk_data_kind(const void *data, size_t len);
/* Texts for messages and info, escaped. */
void tsk_cert_short_name(X509 *x, char *out, size_t size);   /* CN, O or SAN */
void tsk_cert_short_issuer(X509 *x, char *out, size_t size);
void tsk_cert_sans_text(X509 *x, char *out, size_t size); /* "a.test, b.test" */
void tsk_cert_date(const ASN1_TIME *t, char out[32]);     /* RFC 3339, UTC */
int64_t tsk_cert_time(const ASN1_TIME *t); /* Unix seconds; INT64_MIN: bad */
/* "sha256:HEX", "sha256:pub:HEX"; length or code */
int tsk_cert_fingerprint(X509 *x, const char *algo, int of_public_key,
                         char *out, size_t size);

#endif
