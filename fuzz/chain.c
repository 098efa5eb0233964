/* Chains of any certificates: verified, searched for other paths, and looked
 * at for what OpenSSL leaves open as if OpenSSL had liked them. The input is a
 * list of DER certificates, each behind two bytes of length: anchor, leaf,
 * what was sent. */
#include "core/clock.h"
#include "verify/chain.h"

#include <stdint.h>
#include <tlsock/cert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static X509 *next(const uint8_t **p, size_t *left)
{
    const uint8_t *der;
    size_t len;

    if (*left < 2)
        return NULL;
    len = (size_t)(*p)[0] << 8 | (*p)[1];
    *p += 2;
    *left -= 2;
    if (len > *left)
        len = *left;
    der = *p;
    *p += len;
    *left -= len;
    return d2i_X509(NULL, &der, (long)len);
}

static void look(STACK_OF(X509) * chain, X509 *anchor,
                 const struct tsk_verify_req *req)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    struct tsk_chain_run run = {.req = req};
    tlsock_error err;

    X509_STORE_add_cert(store, anchor);
    if (X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain)) {
        (void)tsk_chain_verify(ctx, &run, &err);
        (void)tsk_path_search(ctx, &run);
        X509_STORE_CTX_set0_verified_chain(ctx, X509_chain_up_ref(chain));
        (void)tsk_sound_chain(ctx, req, &err);
        (void)tsk_sound_damaged(ctx, &err);
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tsk_verify_req req = {
        .partial_chain = 1, .psl = 1, .time = 1800000000};
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *anchor = next(&data, &size), *x;

    while (anchor != NULL && sk_X509_num(chain) < 40 &&
           (x = next(&data, &size)) != NULL)
        sk_X509_push(chain, x);
    if (sk_X509_num(chain) > 0) {
        sk_X509_push(chain, anchor);
        look(chain, anchor, &req);
        anchor = NULL;
    }
    X509_free(anchor);
    sk_X509_pop_free(chain, X509_free);
    return 0;
}
