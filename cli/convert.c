#include "convert.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <tlsock/cert.h>

static const struct {
    const char *word;
    int form;
    int suffix; /* also of a file */
} forms[] = {{"pem", TO_PEM, 1},
             {"crt", TO_PEM, 1},
             {"key", TO_PEM, 1},
             {"csr", TO_PEM, 1},
             {"crl", TO_PEM, 1},
             {"pkcs8", TO_PEM, 0},
             {"der", TO_DER, 1},
             {"cer", TO_DER, 1},
             {"p12", TO_P12, 1},
             {"pfx", TO_P12, 1},
             {"pkcs12", TO_P12, 0},
             {"p7b", TO_P7B, 1},
             {"p7c", TO_P7B, 1},
             {"pkcs7", TO_P7B, 0},
             {"traditional", TO_TRADITIONAL, 0}};

static int form_of(const char *word, int file)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (strcasecmp(word, forms[i].word) == 0 && (!file || forms[i].suffix))
            return forms[i].form;
    return TO_UNKNOWN;
}

int convert_form(const char *word)
{
    return form_of(word, 0);
}

int convert_form_of_file(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot;

    dot = strrchr(slash != NULL ? slash : path, '.');
    return dot != NULL ? form_of(dot + 1, 1) : TO_UNKNOWN;
}

static char *taken(BIO *bio, size_t *len)
{
    char *data = NULL, *copy;
    long n = BIO_get_mem_data(bio, &data);

    copy = n > 0 ? malloc((size_t)n) : NULL;
    if (copy != NULL) {
        memcpy(copy, data, (size_t)n);
        *len = (size_t)n;
    }
    return copy;
}

/* Is this DER one thing and nothing behind it? */
static int decodes(const unsigned char *der, long len, int kind)
{
    int (*const kind_of)(const void *, size_t) = tlsock_data_kind;

    return len > 0 && kind_of(der, (size_t)len) == kind;
}

char *convert_wrap(const char *data, size_t len, int kind, int form,
                   size_t *out_len)
{
    const char *label =
        kind == TLSOCK_KIND_CSR ? PEM_STRING_X509_REQ : PEM_STRING_X509_CRL;
    BIO *in = BIO_new_mem_buf(data, (int)len), *out = BIO_new(BIO_s_mem());
    unsigned char *der = NULL;
    char *name = NULL, *header = NULL, *result = NULL;
    long n = 0;
    int ok;

    if (in == NULL || out == NULL)
        goto out;
    if (data[0] == '0') {
        der = OPENSSL_memdup(data, len);
        n = (long)len;
    } else {
        while ((ok = PEM_read_bio(in, &name, &header, &der, &n)) == 1 &&
               strstr(name, kind == TLSOCK_KIND_CSR ? "REQUEST" : "CRL") ==
                   NULL) {
            OPENSSL_free(name);
            OPENSSL_free(header);
            OPENSSL_clear_free(der, (size_t)n); /* it may be a key */
            name = header = NULL;
            der = NULL;
        }
    }
    if (der == NULL || !decodes(der, n, kind))
        goto out;
    ok = form == TO_DER ? BIO_write(out, der, (int)n) == n
                        : PEM_write_bio(out, label, "", der, n) > 0;
    if (ok)
        result = taken(out, out_len);
out:
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(in);
    BIO_free(out);
    ERR_clear_error();
    return result;
}

char *convert_bundle(const char *pem, size_t *out_len)
{
    BIO *in = BIO_new_mem_buf(pem, -1), *out = BIO_new(BIO_s_mem());
    PKCS7 *p7 = PKCS7_new();
    char *result = NULL;
    X509 *x;
    int ok;

    ok = in != NULL && out != NULL && p7 != NULL &&
         PKCS7_set_type(p7, NID_pkcs7_signed) == 1 &&
         PKCS7_content_new(p7, NID_pkcs7_data) == 1;
    /* no data, only certificates (RFC 2315, 9) */
    if (ok)
        PKCS7_set_detached(p7, 1);
    while (ok && (x = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
        ok = PKCS7_add_certificate(p7, x);
        X509_free(x);
    }
    if (ok && i2d_PKCS7_bio(out, p7) == 1)
        result = taken(out, out_len);
    PKCS7_free(p7);
    BIO_free(in);
    BIO_free(out);
    ERR_clear_error();
    return result;
}
