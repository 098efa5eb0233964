/* lint_make - certificates with one thing wrong, made by OpenSSL directly.
 *
 * root > inter > leaf are sound: no rule has anything against them. A recipe
 * changes one of them. */
#ifndef LINT_MAKE_H
#define LINT_MAKE_H

#include "cert_help.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#define LINT_NOW ((int64_t)1795694400) /* 2026-11-26 12:00 */

enum shape {
    PLAIN,     /* leaf, inter */
    ALONE,     /* leaf */
    WITH_ROOT, /* leaf, inter, root */
    SWAPPED,   /* leaf, root, inter */
    TWICE,     /* leaf, inter, inter */
    LONG,      /* leaf, 11 times inter */
    FULL,      /* leaf, 40 times inter */
    SELF       /* a leaf that signed itself */
};

struct attr {
    int nid, type; /* type 0: UTF-8 */
    const char *text;
    int joined; /* of one RDN with the one before */
};

struct patch { /* hex: whole DER elements, and what comes in their place */
    const char *old, *new;
};

struct recipe {
    enum shape shape;
    int version;            /* 1, 2, 4; 0: 3 */
    int bare, nameless;     /* no extensions, no subject */
    const char *serial;     /* hex, may begin with - */
    struct attr attr[4];    /* the subject */
    const char *ext[4];     /* "name=value" in place of that, "name=": none */
    int from_days, to_days; /* from LINT_NOW on; 0: as usual */
    const char *from_text, *to_text; /* "uYYMM...", "gYYYYMM..." */
    const char *digest;
    EVP_PKEY *(*key)(void);    /* yours; for the subject */
    EVP_PKEY *(*signer)(void); /* yours; in place of the issuer's */
    void (*edit)(X509 *x);     /* after it was signed */
    struct patch patch;
    const char *behind_key; /* hex, put behind the public key */
};

/* at 0: the leaf, 1: inter, 2: root. Yours; the test fails if it cannot be made.
 * NULL: this OpenSSL decodes no such thing, and 3.0 would. */
tlsock_cert *lint_make(const struct recipe *r, int at);
void lint_make_free(void);

/* Keys for recipes. */
EVP_PKEY *key_rsa(void);
EVP_PKEY *key_rsa_small(void);
EVP_PKEY *key_rsa_large(void);
EVP_PKEY *key_rsa_2047(void);
EVP_PKEY *key_rsa_even(void);
EVP_PKEY *key_rsa_multiple(void);
EVP_PKEY *key_rsa_e2(void);
EVP_PKEY *key_rsa_e3(void);
EVP_PKEY *key_rsa_e_long(void);
EVP_PKEY *key_rsa_roca(void);
EVP_PKEY *key_rsa_fermat(void);
EVP_PKEY *key_ec(void);
EVP_PKEY *key_ec_192(void);
EVP_PKEY *key_ec_k1(void);
EVP_PKEY *key_ec_384(void);
EVP_PKEY *key_ec_explicit(void);
EVP_PKEY *key_ec_compressed(void);
EVP_PKEY *key_ec_521(void);
EVP_PKEY *key_ed25519(void);
EVP_PKEY *key_ed448(void);
EVP_PKEY *key_dsa(void);
EVP_PKEY *key_inter(void);
void key_free(void); /* what they keep */

/* Edits for recipes. */
void edit_outer_alg(X509 *x);
void edit_params(X509 *x);
void edit_key_params(X509 *x);
void edit_key_garbage(X509 *x);
void edit_issuer_empty(X509 *x);
void edit_issuer_printable(X509 *x);
void edit_double_ext(X509 *x);
void edit_null_params(X509 *x);

#endif
