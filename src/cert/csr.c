#include "cert/load.h"
#include "cert/make.h"
#include "cert/pem.h"
#include "ossl/queue.h"

#include <openssl/pem.h>
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

static int take_names(struct tsk_make *m, X509_REQ *req, tlsock_error *err)
{
    STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
    GENERAL_NAMES *names = X509V3_get_d2i(exts, NID_subject_alt_name, NULL,
                                          NULL);
    int rc = TLSOCK_OK;

    for (int i = 0; rc == TLSOCK_OK && i < sk_GENERAL_NAME_num(names); i++)
        rc = tsk_san_add_general(m->sans, sk_GENERAL_NAME_value(names, i), err);
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    return rc;
}

static int take(struct tsk_make *m, X509_REQ *req, const char *name,
                tlsock_error *err)
{
    EVP_PKEY *key = X509_REQ_get0_pubkey(req);
    int rc;

    /* the proof that who asks has the private key */
    if (key == NULL || X509_REQ_verify(req, key) != 1) {
        rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                           "the signature of the request \"%s\" is not good",
                           name);
        if (rc == TLSOCK_E_OWN_FILE)
            tsk_hint(err, "have the request made anew");
        return rc;
    }
    rc = tsk_key_strong(key, name, err);
    if (rc != TLSOCK_OK)
        return rc;
    EVP_PKEY_up_ref(key);
    m->key = key;
    if (m->o->subject == NULL &&
        X509_NAME_entry_count(X509_REQ_get_subject_name(req)) > 0) {
        m->subject = X509_NAME_dup(X509_REQ_get_subject_name(req));
        if (m->subject == NULL)
            return tsk_fail_nomem(err);
    }
    return m->o->n_sans == 0 ? take_names(m, req, err) : TLSOCK_OK;
}

int tsk_csr_read(struct tsk_make *m, tlsock_error *err)
{
    struct tsk_source s;
    X509_REQ *req = NULL;
    int rc = tsk_source_open(&s, m->o->csr, err);

    if (rc == TLSOCK_OK) {
        req = decode(&s);
        rc = req != NULL ? take(m, req, s.name, err) : no_request(&s, err);
    }
    X509_REQ_free(req);
    tsk_source_free(&s);
    return rc;
}
