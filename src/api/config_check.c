/* Everything read and built once more: to see whether it is good, or to use
 * it from now on. */
#include "api/config_box.h"
#include "cert/cert.h"
#include "core/mem.h"
#include "tls/password.h"

/* A copy of the settings whose certificates come fresh from their files. */
static struct tsk_box *reread(const struct tsk_box *from, int server,
                              tlsock_error *err)
{
    struct tsk_box *box = tsk_box_copy(from, err);
    struct tsk_asker asker;

    if (box == NULL)
        return NULL;
    for (size_t i = 0; i < box->set.n_identities; i++) {
        struct tsk_identity *id = &box->set.identities[i];
        tlsock_cert *cert;

        if (id->cert_uri == NULL)
            continue; /* in memory */
        cert = tsk_cert_load_asking(id->cert_uri, id->key_uri, id->pass_uri,
                                    tsk_password_asker(&asker, &box->set),
                                    err);
        if (cert == NULL)
            goto failed;
        tlsock_cert_unref(id->cert);
        id->cert = cert;
    }
    for (size_t i = 0; i < box->set.n_crls; i++) {
        struct tsk_crl_source *source = &box->set.crls[i];
        struct tsk_crls *fresh = tsk_crls_load(source->uri, err);

        if (fresh == NULL)
            goto failed;
        tsk_crls_unref(source->crls);
        source->crls = fresh;
    }
    if (tsk_box_prove(box, server, err) == TLSOCK_OK)
        return box;
failed:
    tsk_box_unref(box);
    return NULL;
}

/* A fresh box and its ctx with the trust store open; yours both. */
static int rebuild(tlsock_config *c, struct tsk_box **box,
                   struct tsk_ctx **ctx, int *server, tlsock_error *err)
{
    struct tsk_box *from;

    pthread_mutex_lock(&c->lock);
    from = tsk_box_ref(c->box);
    *server = c->serves;
    pthread_mutex_unlock(&c->lock);

    *ctx = NULL;
    *box = reread(from, *server, err);
    if (*box != NULL)
        *ctx = tsk_box_build(*box, err);
    tsk_box_unref(from);
    if (*ctx != NULL && tsk_ctx_trust(*ctx, err) != NULL)
        return TLSOCK_OK;
    tsk_ctx_unref(*ctx);
    tsk_box_unref(*box);
    return err->code;
}

/* The files are read outside the lock, so that connections go on. */
static int redo(tlsock_config *c, int use)
{
    struct tsk_ctx *ctx = NULL, *old = NULL;
    struct tsk_box *box = NULL, *old_box;
    tlsock_error err;
    int rc, server;

    if (c == NULL)
        return TLSOCK_E_ARGUMENT;
    tsk_clear(&err);
    tsk_phase(&err, TLSOCK_PHASE_CONFIG);
    rc = rebuild(c, &box, &ctx, &server, &err);
    pthread_mutex_lock(&c->lock);
    c->err = err;
    if (rc == TLSOCK_OK && use) {
        old_box = c->box;
        c->box = box;
        box = old_box;
        c->serves &= server; /* else these are to be proven yet */
        if (c->snapshot != NULL) { /* else the first connection builds */
            old = c->snapshot;
            c->snapshot = ctx;
            ctx = NULL;
        }
    }
    pthread_mutex_unlock(&c->lock);
    if (rc == TLSOCK_OK) {
        tsk_ctx_unref(ctx);
        tsk_ctx_unref(old);
        tsk_box_unref(box);
    }
    return rc;
}

int tlsock_config_check(tlsock_config *c)
{
    return redo(c, 0);
}

int tlsock_config_reload(tlsock_config *c)
{
    return redo(c, 1);
}
