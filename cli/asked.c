#include "asked.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

const char *asked_word(enum asked_fate fate)
{
    static const char *const words[] = {"kept", "changed", "dropped"};

    return words[fate];
}

static X509_REQ *read_csr(const char *file)
{
    BIO *bio = BIO_new_file(file, "rb");
    X509_REQ *req = NULL;

    if (bio == NULL)
        return NULL;
    req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    if (req == NULL && BIO_seek(bio, 0) == 0)
        req = d2i_X509_REQ_bio(bio, NULL);
    BIO_free(bio);
    return req;
}

static X509 *read_cert(const char *file)
{
    BIO *bio = BIO_new_file(file, "rb");
    X509 *x = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return x;
}

/* What was printed, cleaned, its lines joined. */
static void take_text(char *out, size_t size, BIO *bio)
{
    char *data = NULL, raw[512];
    long len = BIO_get_mem_data(bio, &data);
    size_t used = 0;

    for (long i = 0; i < len && used + 2 < sizeof(raw); i++) {
        if (data[i] == '\n') {
            if (used > 0 && raw[used - 1] != ' ')
                raw[used++] = ' ';
        } else if (data[i] != '\0' &&
                   (data[i] != ' ' || used == 0 || raw[used - 1] != ' ')) {
            raw[used++] = data[i];
        }
    }
    while (used > 0 && raw[used - 1] == ' ')
        used--;
    raw[used] = '\0';
    out_clean(out, size, raw);
}

static void ext_text(char *out, size_t size, X509_EXTENSION *ext)
{
    BIO *bio = BIO_new(BIO_s_mem());

    out[0] = '\0';
    if (bio == NULL)
        return;
    if (X509V3_EXT_print(bio, ext, X509V3_EXT_DEFAULT, 0) != 1) {
        int len = ASN1_STRING_length(X509_EXTENSION_get_data(ext));

        (void)BIO_reset(bio);
        BIO_printf(bio, "%d bytes", len);
    }
    take_text(out, size, bio);
    BIO_free(bio);
}

static void name_text(char *out, size_t size, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());

    out[0] = '\0';
    if (bio == NULL)
        return;
    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    take_text(out, size, bio);
    BIO_free(bio);
}

static enum asked_fate fate_of(const X509 *x, X509_EXTENSION *ext)
{
    int at = X509_get_ext_by_OBJ(x, X509_EXTENSION_get_object(ext), -1);

    if (at < 0)
        return ASKED_DROPPED;
    return ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(X509_get_ext(x, at)),
                                 X509_EXTENSION_get_data(ext)) == 0
               ? ASKED_KEPT
               : ASKED_CHANGED;
}

static void take_ext(struct asked_one *one, const X509 *x, X509_EXTENSION *ext)
{
    const ASN1_OBJECT *obj = X509_EXTENSION_get_object(ext);
    int nid = OBJ_obj2nid(obj);

    if (nid != NID_undef)
        snprintf(one->name, sizeof(one->name), "%s", OBJ_nid2sn(nid));
    else
        OBJ_obj2txt(one->name, sizeof(one->name), obj, 1);
    one->critical = X509_EXTENSION_get_critical(ext);
    ext_text(one->text, sizeof(one->text), ext);
    one->fate = fate_of(x, ext);
}

static int compare(struct asked *a, X509_REQ *req, const X509 *x)
{
    STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
    int n = exts != NULL ? sk_X509_EXTENSION_num(exts) : 0;

    name_text(a->subject, sizeof(a->subject), X509_REQ_get_subject_name(req));
    a->subject_kept = X509_NAME_cmp(X509_REQ_get_subject_name(req),
                                    X509_get_subject_name(x)) == 0;
    a->ext = calloc((size_t)n + 1, sizeof(*a->ext));
    for (int i = 0; a->ext != NULL && i < n; i++)
        take_ext(&a->ext[a->n++], x, sk_X509_EXTENSION_value(exts, i));
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    return a->ext != NULL ? 0 : -1;
}

int asked_compare(struct asked *a, const char *csr, const char *cert)
{
    X509_REQ *req = read_csr(csr);
    X509 *x = read_cert(cert);
    int rc = -1;

    memset(a, 0, sizeof(*a));
    if (req != NULL && x != NULL)
        rc = compare(a, req, x);
    X509_REQ_free(req);
    X509_free(x);
    ERR_clear_error();
    return rc;
}

void asked_free(struct asked *a)
{
    free(a->ext);
    a->ext = NULL;
    a->n = 0;
}
