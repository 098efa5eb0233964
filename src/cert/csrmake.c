#include "cert/csr.h"

#include "cert/save.h"
#include "ossl/queue.h"

#include <openssl/pem.h>

static int fill(const struct tsk_make *m, X509_REQ *req, tlsock_error *err)
{
    if (X509_REQ_set_version(req, X509_REQ_VERSION_1) &&
        X509_REQ_set_subject_name(req, m->subject) &&
        X509_REQ_set_pubkey(req, m->key) &&
        (sk_X509_EXTENSION_num(m->exts) <= 0 ||
         X509_REQ_add_extensions(req, m->exts)))
        return TLSOCK_OK;
    return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot make the request");
}

static int sign(const struct tsk_make *m, X509_REQ *req, tlsock_error *err)
{
    EVP_MD_CTX *ctx = tsk_make_signer(m->key, m->md, err);
    int ok;

    if (ctx == NULL)
        return TLSOCK_E_UNSUPPORTED;
    ok = X509_REQ_sign_ctx(req, ctx) > 0;
    EVP_MD_CTX_free(ctx);
    return ok ? TLSOCK_OK
              : tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED,
                              "the key cannot sign the request");
}

static int make(struct tsk_make *m, tlsock_csr **out, tlsock_error *err)
{
    X509_REQ *req = NULL;
    int rc = tsk_make_plan(m, err);

    if (rc == TLSOCK_OK)
        rc = tsk_plan_key(m, err);
    if (rc == TLSOCK_OK)
        rc = tsk_ext_build(m, err);
    if (rc == TLSOCK_OK) {
        req = X509_REQ_new();
        rc = req != NULL ? fill(m, req, err) : tsk_fail_nomem(err);
    }
    if (rc == TLSOCK_OK)
        rc = sign(m, req, err);
    if (rc == TLSOCK_OK) {
        *out = tsk_csr_new(req, m->key, err);
        rc = *out != NULL ? TLSOCK_OK : TLSOCK_E_NOMEM;
    }
    X509_REQ_free(req);
    return rc;
}

tlsock_csr *tsk_csr_create(const tlsock_cert_opts *o, tlsock_error *err)
{
    struct tsk_make m = {.o = o, .request = 1};
    tlsock_csr *r = NULL;
    int rc;

    tsk_ossl_enter();
    rc = make(&m, &r, err);
    tsk_make_free(&m);
    tsk_ossl_leave();
    return rc == TLSOCK_OK ? r : NULL;
}

static int bad_part(tlsock_error *err, const char *what, const char *hint)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "%s", what);
    tsk_hint(err, "%s", hint);
    return TLSOCK_E_ARGUMENT;
}

static int check_save(const tlsock_csr *r, unsigned part, unsigned format,
                      const char *pass_uri, tlsock_error *err)
{
    if (part != TLSOCK_PART_CERT && part != TLSOCK_PART_KEY)
        return bad_part(err, "nothing that can be saved was named",
                        "the part is TLSOCK_PART_CERT, the request, or "
                        "TLSOCK_PART_KEY, its key");
    if (format == TLSOCK_FORMAT_PKCS12 || format > TLSOCK_FORMAT_TRADITIONAL ||
        (part == TLSOCK_PART_CERT && format == TLSOCK_FORMAT_TRADITIONAL))
        return bad_part(err, "a request has no such format",
                        "formats are TLSOCK_FORMAT_PEM and _DER");
    if (part == TLSOCK_PART_KEY && r->key == NULL)
        return bad_part(err, "the request comes without its private key",
                        "the key is where the request was made");
    return part == TLSOCK_PART_KEY
               ? tsk_key_has_form(r->key, format, pass_uri, err)
               : TLSOCK_OK;
}

static int save(const tlsock_csr *r, unsigned part, unsigned format,
                const char *path, const struct tsk_pass *pass,
                tlsock_error *err)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    int ok, rc;

    if (bio == NULL)
        return tsk_fail_nomem(err);
    if (part == TLSOCK_PART_KEY)
        ok = tsk_key_put(bio, r->key, format, pass);
    else if (format == TLSOCK_FORMAT_DER)
        ok = i2d_X509_REQ_bio(bio, r->req);
    else
        ok = PEM_write_bio_X509_REQ(bio, r->req);
    rc = tsk_save_bio(bio, ok, path, part == TLSOCK_PART_KEY ? 0600 : 0644,
                      err);
    BIO_free(bio);
    return rc;
}

int tsk_csr_save(const tlsock_csr *r, unsigned part, unsigned format,
                 const char *path, const char *pass_uri, tlsock_error *err)
{
    struct tsk_pass pass;
    int rc;

    tsk_ossl_enter();
    rc = tsk_pass_init(&pass, pass_uri, err);
    if (rc == TLSOCK_OK)
        rc = check_save(r, part, format, pass_uri, err);
    if (rc == TLSOCK_OK && part == TLSOCK_PART_KEY)
        rc = tsk_save_password(&pass, err);
    if (rc == TLSOCK_OK)
        rc = save(r, part, format, path, &pass, err);
    tsk_pass_wipe(&pass);
    tsk_ossl_leave();
    return rc;
}
