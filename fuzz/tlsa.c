/* RDATA of a TLSA record, as whoever signs a zone may have written it, and
 * what OpenSSL makes of those that we would use. */
#include "net/tlsa.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static SSL_CTX *context(void)
{
    static SSL_CTX *ctx;

    if (ctx == NULL) {
        ctx = SSL_CTX_new(TLS_client_method());
        if (ctx == NULL || !SSL_CTX_dane_enable(ctx))
            abort();
    }
    return ctx;
}

static void to_openssl(const struct tsk_tlsa *t)
{
    SSL *ssl = SSL_new(context());
    int rc;

    if (ssl == NULL || SSL_dane_enable(ssl, "a.test") <= 0)
        abort();
    rc = SSL_dane_tlsa_add(ssl, t->usage, t->selector, t->matching, t->data,
                           t->len);
    if (t->matching != 0 && rc != 1) /* a hash of the right length is fine */
        abort();
    SSL_free(ssl);
    ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tsk_tlsa t;
    char text[48];

    if (tsk_tlsa_parse(&t, data, size) != 0)
        return 0;
    if (t.data != data + 3 || t.len != size - 3)
        abort();
    tsk_tlsa_text(text, sizeof(text), &t, 8);
    if (strlen(text) >= sizeof(text) || strchr(text, ' ') == NULL)
        abort();
    (void)tsk_tlsa_usage(t.usage);
    if (tsk_tlsa_fault(&t, 25) == NULL && tsk_tlsa_fault(&t, 443) != NULL)
        abort();
    if (tsk_tlsa_fault(&t, 443) == NULL)
        to_openssl(&t);
    return 0;
}
