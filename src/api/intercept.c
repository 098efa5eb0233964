/* Certificates of who stands in between. */
#include "intercept/mint.h"

#include <errno.h>

tlsock_intercept *tlsock_intercept_new(tlsock_cert *ca, const char *cache_dir,
                                       tlsock_error *err)
{
    tlsock_intercept *i;
    int saved = errno;

    tsk_clear(err);
    if (ca == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "there is no CA to mint with");
        tsk_hint(err, "load a CA together with its key: tlsock_cert_load()");
        return NULL;
    }
    i = tsk_mint_new(ca, cache_dir, err);
    errno = saved;
    return i;
}

int tlsock_intercept_set(tlsock_intercept *i, const char *option,
                         const char *value)
{
    if (i == NULL || option == NULL || value == NULL)
        return TLSOCK_E_ARGUMENT;
    return tsk_mint_set(i, option, value);
}

tlsock_cert *tlsock_intercept_leaf(tlsock_intercept *i,
                                   const tlsock_cert *upstream,
                                   tlsock_error *err)
{
    tlsock_cert *c;
    int saved = errno;

    tsk_clear(err);
    if (i == NULL || upstream == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "%s",
                 i == NULL ? "there is nothing to mint with"
                           : "there is no certificate to imitate");
        tsk_hint(err, "give what tlsock_intercept_new() and "
                      "tlsock_peer_cert() have returned");
        return NULL;
    }
    c = tsk_mint_leaf(i, upstream, err);
    errno = saved;
    return c;
}

void tlsock_intercept_free(tlsock_intercept *i)
{
    tsk_mint_free(i);
}
