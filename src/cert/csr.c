#include "cert/csr.h"

#include "cert/load.h"
#include "cert/pem.h"
#include "cert/save.h"
#include "cert/text.h"
#include "core/mem.h"
#include "ossl/queue.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

static int no_request(const struct tsk_source *s, tlsock_error *err)
{
    int rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                           "\"%s\" holds no readable signing request", s->name);

    if (rc == TLSOCK_E_OWN_FILE)
        tsk_hint(err, "a request (PKCS#10) begins with -----BEGIN CERTIFICATE "
                      "REQUEST-----, or is DER");
    return rc;
}

static X509_REQ *decode(const struct tsk_source *s)
{
    const unsigned char *p = s->data;
    struct tsk_pass none = {0};
    struct tsk_pem_block b;
    struct tsk_pem r;
    X509_REQ *req = NULL;
    BIO *bio;

    if (tsk_der_is(s))
        return d2i_X509_REQ(NULL, &p, (long)s->len);
    tsk_pem_begin(&r, s->data, s->len);
    while (tsk_pem_next(&r, &b) == 1) {
        if (strcmp(b.label, "CERTIFICATE REQUEST") != 0 &&
            strcmp(b.label, "NEW CERTIFICATE REQUEST") != 0)
            continue;
        bio = BIO_new_mem_buf(b.text, (int)b.len);
        if (bio != NULL)
            req = PEM_read_bio_X509_REQ(bio, NULL, tsk_pass_pem, &none);
        BIO_free(bio);
        break;
    }
    return req;
}

/* the proof that who asks has the private key: RFC 2986, 3 */
static int prove(X509_REQ *req, const char *name, tlsock_error *err)
{
    EVP_PKEY *key = X509_REQ_get0_pubkey(req);
    int rc;

    if (key == NULL) {
        rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                           "the public key in the request \"%s\" is not usable",
                           name);
        if (rc == TLSOCK_E_OWN_FILE)
            tsk_hint(err, "it is damaged, or of a kind this OpenSSL lacks: "
                          "have the request made anew, with an ECDSA, RSA or "
                          "Ed25519 key");
        return rc;
    }
    if (X509_REQ_verify(req, key) == 1)
        return TLSOCK_OK;
    rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                       "the signature of the request \"%s\" is not good", name);
    if (rc == TLSOCK_E_OWN_FILE)
        tsk_hint(err, "have the request made anew: who made this one did not "
                      "have its private key, or it was changed since");
    return rc;
}

int tsk_csr_open(X509_REQ **out, const char *uri, char name[256],
                 tlsock_error *err)
{
    struct tsk_source s;
    X509_REQ *req = NULL;
    int rc = tsk_source_open(&s, uri, err);

    if (rc == TLSOCK_OK) {
        snprintf(name, 256, "%s", s.name);
        req = decode(&s);
        rc = req != NULL ? prove(req, s.name, err) : no_request(&s, err);
    }
    tsk_source_free(&s);
    if (rc != TLSOCK_OK) {
        X509_REQ_free(req);
        return rc;
    }
    *out = req;
    return TLSOCK_OK;
}

static int bad_exts(const char *name, const char *why, tlsock_error *err)
{
    int rc =
        tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                      "the extensions in the request \"%s\" %s", name, why);

    if (rc == TLSOCK_E_OWN_FILE)
        tsk_hint(err, "have the request made anew");
    return rc;
}

static int has_exts(X509_REQ *req)
{
    return X509_REQ_get_attr_by_NID(req, NID_ext_req, -1) >= 0 ||
           X509_REQ_get_attr_by_NID(req, NID_ms_ext_req, -1) >= 0;
}

int tsk_csr_exts(STACK_OF(X509_EXTENSION) * *out, X509_REQ *req,
                 const char *name, tlsock_error *err)
{
    int there = has_exts(req);
    STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
    const char *fault = NULL;

    if (exts == NULL && there)
        return bad_exts(name, "cannot be read", err);
    for (int i = 0; fault == NULL && i < sk_X509_EXTENSION_num(exts); i++) {
        X509_EXTENSION *e = sk_X509_EXTENSION_value(exts, i);
        const X509V3_EXT_METHOD *known = X509V3_EXT_get(e);
        void *value;

        if (X509v3_get_ext_by_OBJ(exts, X509_EXTENSION_get_object(e), i) >= 0)
            fault = "are there twice";
        if (known == NULL)
            continue;
        value = X509V3_EXT_d2i(e);
        if (value == NULL)
            fault = "are not well-formed";
        else if (known->it != NULL)
            ASN1_item_free(value, ASN1_ITEM_ptr(known->it));
        else
            known->ext_free(value);
    }
    if (fault != NULL) {
        sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
        return bad_exts(name, fault, err);
    }
    *out = exts;
    return TLSOCK_OK;
}

/* The certificate that would be if all were granted; nobody signs it. */
static tlsock_cert *view_of(X509_REQ *req, tlsock_error *err)
{
    STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
    EVP_PKEY *key = X509_REQ_get0_pubkey(req);
    X509 *x = X509_new();
    tlsock_cert *view = NULL;
    int ok = x != NULL && key != NULL && (exts != NULL || !has_exts(req)) &&
             X509_set_version(x, X509_VERSION_3) &&
             X509_set_subject_name(x, X509_REQ_get_subject_name(req)) &&
             X509_set_pubkey(x, key);

    for (int i = 0; ok && i < sk_X509_EXTENSION_num(exts); i++)
        ok = X509_add_ext(x, sk_X509_EXTENSION_value(exts, i), -1);
    if (ok)
        view = tsk_cert_new(x, NULL, NULL, err);
    else
        tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot read the request");
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    X509_free(x);
    return view;
}

static char *signature_of(X509_REQ *req)
{
    const X509_ALGOR *alg = NULL;
    const ASN1_OBJECT *obj = NULL;
    char text[128];

    X509_REQ_get0_signature(req, NULL, &alg);
    X509_ALGOR_get0(&obj, NULL, NULL, alg);
    if (OBJ_obj2nid(obj) != NID_undef)
        snprintf(text, sizeof(text), "%s", OBJ_nid2ln(OBJ_obj2nid(obj)));
    else if (OBJ_obj2txt(text, sizeof(text), obj, 1) <= 0)
        snprintf(text, sizeof(text), "(unreadable)");
    return tsk_strdup(text);
}

tlsock_csr *tsk_csr_new(X509_REQ *req, EVP_PKEY *key, tlsock_error *err)
{
    tlsock_csr *r = tsk_alloc(sizeof(*r));

    if (r == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    r->view = view_of(req, err);
    r->signature = signature_of(req);
    if (r->view != NULL && r->signature == NULL)
        tsk_fail_nomem(err);
    if (r->view == NULL || r->signature == NULL) {
        tsk_csr_free(r);
        return NULL;
    }
    r->req = req;
    if (key != NULL)
        EVP_PKEY_up_ref(key);
    r->key = key;
    return r;
}

void tsk_csr_free(tlsock_csr *r)
{
    if (r == NULL)
        return;
    X509_REQ_free(r->req);
    EVP_PKEY_free(r->key);
    if (r->view != NULL)
        tsk_cert_free(r->view);
    tsk_free(r->signature);
    tsk_free(r);
}

tlsock_csr *tsk_csr_load(const char *uri, tlsock_error *err)
{
    STACK_OF(X509_EXTENSION) *exts = NULL;
    X509_REQ *req = NULL;
    tlsock_csr *r = NULL;
    char name[256];

    tsk_ossl_enter();
    if (tsk_csr_open(&req, uri, name, err) == TLSOCK_OK &&
        tsk_csr_exts(&exts, req, name, err) == TLSOCK_OK)
        r = tsk_csr_new(req, NULL, err);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    if (r == NULL)
        X509_REQ_free(req);
    tsk_ossl_leave();
    return r;
}

const char *tsk_csr_field(const tlsock_csr *r, int item)
{
    switch (item) {
    case TLSOCK_CERT_SIGNATURE:
        return r->signature;
    case TLSOCK_CERT_SUBJECT:
    case TLSOCK_CERT_CN:
    case TLSOCK_CERT_SANS:
    case TLSOCK_CERT_KEY_TYPE:
    case TLSOCK_CERT_USAGE:
    case TLSOCK_CERT_PIN:
        return tsk_cert_field(r->view, item);
    default:
        return NULL;
    }
}
