/* make - the inside of creating certificates: a plan, its parts, its proof.
 *
 * Every option is checked, and nothing that its issuer may not sign is handed
 * out. What comes out passes RFC 5280 and OpenSSL's X509_V_FLAG_X509_STRICT. */
#ifndef TSK_CERT_MAKE_H
#define TSK_CERT_MAKE_H

#include "cert/cert.h"

#include <openssl/x509v3.h>

struct tsk_make {
    const tlsock_cert_opts *o;
    int64_t now, from, to; /* Unix seconds */
    int server, client;    /* purposes */
    const EVP_MD *md;
    X509_NAME *subject;
    GENERAL_NAMES *sans;
    EVP_PKEY *key; /* of a signing request: the public half alone */
};

/* create.c */
tlsock_cert *tsk_cert_create(const tlsock_cert_opts *o, tlsock_error *err);

/* key.c: make a key by its kind, or load one; weak ones are refused */
int tsk_make_key(EVP_PKEY **out, const char *spec, tlsock_error *err);
int tsk_key_strong(EVP_PKEY *key, const char *whose, tlsock_error *err);

/* subject.c: RFC 4514 text <-> name. Yours. */
int tsk_subject_parse(X509_NAME **out, const char *text, tlsock_error *err);

/* san.c: add one name as a user types it; twice the same is added once */
int tsk_san_add(GENERAL_NAMES *sans, const char *text, tlsock_error *err);
int tsk_san_add_general(GENERAL_NAMES *sans, const GENERAL_NAME *name,
                        tlsock_error *err);

int tsk_has_dns(const GENERAL_NAMES *sans); /* any DNS name? */

/* csr.c: the key of a PKCS#10 request, and, unless they are given, subject and
 * names */
int tsk_csr_read(struct tsk_make *m, tlsock_error *err);

/* ext.c: all extensions of x, whose names and keys are set */
int tsk_ext_add(const struct tsk_make *m, X509 *x, tlsock_error *err);
/* extown.c: those the caller wrote out */
int tsk_ext_own(const struct tsk_make *m, X509 *x, tlsock_error *err);
/* extname.c: nameConstraints from "permitted". Yours. */
int tsk_permitted_parse(NAME_CONSTRAINTS **out, const char *text,
                        tlsock_error *err);

void tsk_subtree_text(const GENERAL_NAME *g, char *out, size_t size);

/* issuer.c: may this certificate sign at all, and then: may it sign x? */
int tsk_issuer_check(const struct tsk_make *m, tlsock_error *err);
int tsk_issuer_constrains(const tlsock_cert *ca); /* any name constraints? */
int tsk_issuer_allows(const struct tsk_make *m, X509 *x, tlsock_error *err);

#endif
