/* Chains of anybody's making, DER upon DER: every rule of lint looks at them,
 * and a CA of ours clones them. */
#include "cert/cert.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int look(const tlsock_lint *f, void *arg)
{
    (void)arg;
    for (const char *p = f->message; *p != '\0'; p++)
        if ((unsigned char)*p < ' ')
            abort(); /* not safe on a terminal */
    if (f->message[0] == '\0' || f->hint[0] == '\0' || f->source[0] == '\0')
        abort();
    return 0;
}

static const tlsock_cert *our_ca(void)
{
    static tlsock_cert *ca;

    if (ca == NULL)
        ca = tlsock_cert_create(TLSOCK_CERT_OPTS(.subject = "CN=CA", .ca = 1),
                                NULL);
    if (ca == NULL)
        abort();
    return ca;
}

static void copy(const tlsock_cert *seen)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_clone(seen, our_ca(), &err);

    if (c == NULL && (err.code == 0 || err.message[0] == '\0'))
        abort(); /* no silent failures */
    if (c != NULL && (X509_check_ca(c->leaf) != 0 ||
                      X509_verify(c->leaf, our_ca()->key) != 1))
        abort();
    tlsock_cert_unref(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    const unsigned char *p = data;
    tlsock_error err = {0};
    tlsock_cert *c;
    X509 *leaf = NULL, *x;

    while (chain != NULL && len > (size_t)(p - data) &&
           (x = d2i_X509(NULL, &p, (long)(len - (size_t)(p - data)))) != NULL) {
        if (leaf == NULL)
            leaf = x;
        else if (sk_X509_push(chain, x) <= 0)
            abort();
    }
    c = leaf != NULL ? tsk_cert_new(leaf, chain, NULL, &err) : NULL;
    if (c != NULL) {
        if (tlsock_cert_lint(c, look, NULL, &err) < 0 && err.code == 0)
            abort();
        copy(c);
    }
    tlsock_cert_unref(c);
    X509_free(leaf);
    sk_X509_pop_free(chain, X509_free);
    return 0;
}
