/* Sessions that a program keeps or carries itself. */
#include "api/config_box.h"
#include "api/conn.h"
#include "core/mem.h"
#include "ossl/queue.h"
#include "tls/resume.h"

#include <errno.h>
#include <string.h>
#include <tlsock/session.h>

static int take_store(struct tsk_settings *set, const tlsock_store *store,
                      void *arg, tlsock_error *err)
{
    memset(&set->session_store, 0, sizeof(set->session_store));
    set->session_store_arg = NULL;
    if (store == NULL)
        return TLSOCK_OK;
    if (store->size < sizeof(*store))
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "store->size is %zu, that of a tlsock_store is %zu",
                        store->size, sizeof(*store));
    if (store->get == NULL || store->put == NULL || store->del == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "the store has no %s()",
                 store->get == NULL   ? "get"
                 : store->put == NULL ? "put"
                                      : "del");
        tsk_hint(err, "all three are needed: without del() a TLS 1.3 session "
                      "would be used more than once");
        return TLSOCK_E_ARGUMENT;
    }
    set->session_store = *store;
    set->session_store_arg = arg;
    return TLSOCK_OK;
}

int tlsock_config_set_session_store(tlsock_config *c, const tlsock_store *store,
                                    void *arg)
{
    int rc = tsk_config_begin(c);

    if (rc < 0)
        return rc;
    return tsk_config_end(c, take_store(&c->box->set, store, arg, &c->err));
}

static int save(tlsock *s, void *out, size_t *len)
{
    size_t room = *len;
    uint8_t *data;
    int rc = tsk_resume_save(s, &data, len);

    if (rc < 0)
        return rc;
    if (out != NULL && room < *len) {
        rc = tsk_fail(tsk_err(s), TLSOCK_E_LIMIT,
                      "the session has %zu bytes, and there is room for %zu",
                      *len, room);
    } else if (out != NULL) {
        memcpy(out, data, *len);
        tsk_resume_give_away(s);
    }
    tsk_free_secret(data, *len);
    return rc;
}

int tlsock_session_save(tlsock *s, void *out, size_t *len)
{
    int saved = errno, rc;

    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    tsk_err_clear(s);
    if (len == NULL || s->server)
        return tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT, "%s",
                        len == NULL ? "len is NULL"
                                    : "a server has no session to save: its "
                                      "clients have");
    tsk_ossl_enter();
    rc = save(s, out, len);
    tsk_ossl_leave();
    errno = saved;
    return rc;
}

int tlsock_session_load(tlsock_config *config, const void *data, size_t len)
{
    tlsock_config *c = tsk_config_or_default(config);
    tlsock_error why = {0};
    struct tsk_ctx *ctx = NULL;
    int saved = errno, rc;

    if (c == NULL)
        return TLSOCK_E_NOMEM;
    rc = tsk_config_snapshot(c, 0, &ctx, &why);
    if (rc < 0)
        return rc;
    tsk_phase(&why, TLSOCK_PHASE_CONFIG);
    tsk_ossl_enter();
    rc = tsk_resume_load(ctx, data, len, &why);
    tsk_ossl_leave();
    tsk_ctx_unref(ctx);
    if (rc < 0) {
        pthread_mutex_lock(&c->lock);
        c->err = why;
        pthread_mutex_unlock(&c->lock);
    }
    errno = saved;
    return rc;
}
