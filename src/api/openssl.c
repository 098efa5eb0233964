#include "api/config.h"

#include <tlsock/openssl.h>

struct ssl_ctx_st *tlsock_config_get_ctx(tlsock_config *c)
{
    struct tsk_ctx *ctx;
    SSL_CTX *ssl;

    if (c == NULL || tsk_config_snapshot(c, 0, &ctx, NULL) < 0)
        return NULL;
    ssl = tsk_ctx_ssl(ctx);
    tsk_ctx_opened(ctx);
    tsk_ctx_unref(ctx); /* the config keeps it */
    return ssl;
}
