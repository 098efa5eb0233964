#include "tls/op.h"

static tlsock_event about(tlsock *s, int kind)
{
    return (tlsock_event){
        .size = sizeof(tlsock_event), .kind = kind, .conn = s, .fd = -1};
}

int tsk_hook_close_notify(tlsock *s)
{
    const struct tsk_hook *on = &s->set->on[TLSOCK_ON_CLOSE_NOTIFY];
    tlsock_event e = about(s, TLSOCK_ON_CLOSE_NOTIFY);
    int rc = TLSOCK_OK;

    if (on->call != NULL)
        rc = tsk_op_call(on, &e);
    if (rc >= 0)
        return TLSOCK_OK;
    return tsk_fail(tsk_err(s), rc != TLSOCK_AGAIN ? rc : TLSOCK_E_HOOK,
                    "a hook refused the end that the peer announced");
}

int tsk_hook_handshake_fail(tlsock *s)
{
    const struct tsk_hook *on = &s->set->on[TLSOCK_ON_HANDSHAKE_FAIL];
    tlsock_event e = about(s, TLSOCK_ON_HANDSHAKE_FAIL);

    if (on->call == NULL)
        return TLSOCK_OK;
    e.data = s->io.first;
    e.len = s->io.n_first;
    e.error = tsk_err_of(s);
    e.fd = s->layer->ops->fd(s->layer);
    return tsk_op_call(on, &e);
}
