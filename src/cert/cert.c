#include "cert/cert.h"

#include "cert/text.h"
#include "core/mem.h"
#include "ossl/ext.h"
#include "ossl/queue.h"

#include <errno.h>

/* They are shared from now on. */
static int settle(X509 *leaf, STACK_OF(X509) * chain)
{
    int ok = tsk_ossl_settle(leaf);

    for (int i = 0; ok && i < sk_X509_num(chain); i++)
        ok = tsk_ossl_settle(sk_X509_value(chain, i));
    return ok;
}

tlsock_cert *tsk_cert_new(X509 *leaf, STACK_OF(X509) * chain, EVP_PKEY *key,
                          tlsock_error *err)
{
    tlsock_cert *c = tsk_alloc(sizeof(*c));

    if (c == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    tsk_ossl_enter();
    atomic_init(&c->refs, 1);
    atomic_init(&c->remote, NULL);
    for (size_t i = 0; i < TSK_CERT_FIELDS; i++)
        atomic_init(&c->fields[i], NULL);
    c->chain = chain != NULL ? X509_chain_up_ref(chain) : sk_X509_new_null();
    if (c->chain == NULL || !settle(leaf, c->chain)) {
        sk_X509_pop_free(c->chain, X509_free);
        tsk_free(c);
        tsk_fail_nomem(err);
        tsk_ossl_leave();
        return NULL;
    }
    X509_up_ref(leaf);
    c->leaf = leaf;
    if (key != NULL)
        EVP_PKEY_up_ref(key);
    c->key = key;
    tsk_ossl_leave();
    return c;
}

void tsk_cert_free(tlsock_cert *c)
{
    X509_free(c->leaf);
    sk_X509_pop_free(c->chain, X509_free);
    EVP_PKEY_free(c->key);
    EVP_PKEY_free(atomic_load(&c->remote));
    for (size_t i = 0; i < TSK_CERT_FIELDS; i++)
        tsk_free(atomic_load(&c->fields[i]));
    tsk_free(c);
}

/* Threads may make the same text at once; the first one in stays. */
const char *tsk_cert_field(tlsock_cert *c, int item)
{
    char *text, *none = NULL;

    if (item < 1 || item >= TSK_CERT_FIELDS)
        return NULL;
    text = atomic_load(&c->fields[item]);
    if (text != NULL)
        return text;
    tsk_ossl_enter();
    text = tsk_cert_text(c->leaf, item);
    tsk_ossl_leave();
    if (text == NULL) /* not to be taken for what a certificate lacks */
        errno = ENOMEM;
    if (text != NULL &&
        !atomic_compare_exchange_strong(&c->fields[item], &none, text)) {
        tsk_free(text);
        return none;
    }
    return text;
}
