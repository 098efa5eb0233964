#include "tls/conn.h"

static tlsock_event about(tlsock *s, int kind)
{
    return (tlsock_event){
        .size = sizeof(tlsock_event), .kind = kind, .conn = s, .fd = -1};
}

int tsk_hook_close_notify(tlsock *s)
{
    tlsock_event e = about(s, TLSOCK_ON_CLOSE_NOTIFY);
    int rc = TLSOCK_OK;

    if (s->set->on_close_notify.call != NULL)
        rc = s->set->on_close_notify.call(&e, s->set->on_close_notify.arg);
    if (rc >= 0)
        return TLSOCK_OK;
    return tsk_fail(&s->err, rc != TLSOCK_AGAIN ? rc : TLSOCK_E_HOOK,
                    "a hook refused the end that the peer announced");
}

int tsk_hook_handshake_fail(tlsock *s)
{
    tlsock_event e = about(s, TLSOCK_ON_HANDSHAKE_FAIL);

    if (s->set->on_handshake_fail.call == NULL)
        return TLSOCK_OK;
    e.data = s->io.first;
    e.len = s->io.n_first;
    e.error = &s->err;
    e.fd = s->layer->ops->fd(s->layer);
    return s->set->on_handshake_fail.call(&e, s->set->on_handshake_fail.arg);
}
