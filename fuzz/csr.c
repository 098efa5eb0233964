/* Signing requests of anybody's making: read, shown, and what of them a CA
 * would grant. */
#include "cert/csr.h"
#include "core/mem.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int claim)
{
    if (!claim)
        abort();
}

/* No silent failures. */
static void must_say(const tlsock_error *err)
{
    must(err->code != 0 && err->message[0] != '\0');
}

/* Of the length that was said, and an object to its end. */
static void check_json(const tlsock_csr *r)
{
    char small[64], *json;
    int n = tlsock_csr_json(r, NULL, 0);

    must(n > 2 && tlsock_csr_json(r, small, sizeof(small)) == n);
    json = malloc((size_t)n + 1);
    if (json == NULL)
        return;
    must(tlsock_csr_json(r, json, (size_t)n + 1) == n);
    must(strlen(json) == (size_t)n && json[0] == '{' && json[n - 1] == '}');
    free(json);
}

static void look(const tlsock_csr *r)
{
    for (int i = 0; i <= TSK_CERT_FIELDS; i++)
        (void)tlsock_csr_field(r, i);
    check_json(r);
}

/* What cert sign makes of it. */
static void grant(X509_REQ *req)
{
    STACK_OF(X509_EXTENSION) *exts = NULL;
    tlsock_error err = {0};

    if (tsk_csr_exts(&exts, req, "fuzz", &err) != TLSOCK_OK)
        must_say(&err);
    for (int i = 0; i < sk_X509_EXTENSION_num(exts); i++) {
        const char *note = NULL;

        (void)tsk_csr_keeps(sk_X509_EXTENSION_value(exts, i), &note);
        must(note != NULL);
    }
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
}

/* Behind a signature that is not good, which no mutation makes good again. */
static void unproven(const uint8_t *data, size_t len)
{
    const unsigned char *p = data;
    X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)len);
    tlsock_error err = {0};
    tlsock_csr *r;

    if (req == NULL)
        return;
    grant(req);
    r = tsk_csr_new(req, NULL, &err);
    if (r == NULL) {
        must_say(&err);
        X509_REQ_free(req);
        return;
    }
    look(r);
    tlsock_csr_free(r);
}

/* DER as PEM, and whatever text it is as such. */
static char *uri_of(const uint8_t *data, size_t len, int wrap)
{
    static const char begin[] = "-----BEGIN CERTIFICATE REQUEST-----\n";
    static const char end[] = "\n-----END CERTIFICATE REQUEST-----\n";
    char *uri = malloc(4 + sizeof(begin) + sizeof(end) + len * 2 + 4);
    size_t at = 4;

    if (uri == NULL)
        return NULL;
    memcpy(uri, "pem:", at);
    if (!wrap) {
        memcpy(uri + at, data, len);
        uri[at + len] = '\0';
        return uri;
    }
    memcpy(uri + at, begin, sizeof(begin));
    at += sizeof(begin) - 1;
    at += (size_t)EVP_EncodeBlock((unsigned char *)uri + at, data, (int)len);
    memcpy(uri + at, end, sizeof(end));
    return uri;
}

static void load(const uint8_t *data, size_t len, int wrap)
{
    char *uri = uri_of(data, len, wrap);
    tlsock_error err = {0};
    tlsock_csr *r;

    if (uri == NULL)
        return;
    r = tlsock_csr_load(uri, &err);
    if (r != NULL)
        look(r);
    else
        must_say(&err);
    tlsock_csr_free(r);
    free(uri);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    unproven(data, len);
    load(data, len, 1);
    load(data, len, 0);
    return 0;
}
