/* csr - signing requests (PKCS#10, RFC 2986): read, made, looked into, and
 * answered. What a request asks for is a wish: only its names and harmless
 * usages are taken over unasked. */
#ifndef TSK_CERT_CSR_H
#define TSK_CERT_CSR_H

#include "cert/make.h"

struct tlsock_csr {
    X509_REQ *req;
    EVP_PKEY *key;     /* or NULL */
    tlsock_cert *view; /* what it asks for, as a certificate: for its texts */
    char *signature;   /* "ecdsa-with-SHA256" */
};

/* csr.c: both take a reference on key, which may be NULL */
tlsock_csr *tsk_csr_new(X509_REQ *req, EVP_PKEY *key, tlsock_error *err);
tlsock_csr *tsk_csr_load(const char *uri, tlsock_error *err);
void tsk_csr_free(tlsock_csr *r);
const char *tsk_csr_field(const tlsock_csr *r, int item);
/* A request with a good signature, and what to call it. Yours. */
int tsk_csr_open(X509_REQ **out, const char *uri, char name[256],
                 tlsock_error *err);
/* Its extensions, NULL: none. Yours. Malformed or twice there: E_OWN_FILE */
int tsk_csr_exts(STACK_OF(X509_EXTENSION) * *out, X509_REQ *req,
                 const char *name, tlsock_error *err);

/* csrmake.c */
tlsock_csr *tsk_csr_create(const tlsock_cert_opts *o, tlsock_error *err);
int tsk_csr_save(const tlsock_csr *r, unsigned part, unsigned format,
                 const char *path, const char *pass_uri, tlsock_error *err);
/* csrtake.c: key, and, unless they are given, subject, names and usages; what
 * o->csr_ext names */
int tsk_csr_take(struct tsk_make *m, tlsock_error *err);
/* Is it taken over unasked? -1: in part; note: why not, or "" */
int tsk_csr_keeps(X509_EXTENSION *ext, const char **note);
/* csrjson.c */
int tsk_csr_json(const tlsock_csr *r, char *out, size_t size);

#endif
