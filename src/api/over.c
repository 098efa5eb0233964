#include "api/conn.h"
#include "core/mem.h"
#include "ossl/queue.h"
#include "tls/op.h"

#include <errno.h>
#include <sys/socket.h>

/* The outer connection never waits while it is a transport: whoever waits is
 * the innermost one, for all of them. */
struct over_layer {
    struct tsk_layer base;
    tlsock *outer;
    int owned, was_nonblocking;
};

static ssize_t told(struct over_layer *l, ssize_t n)
{
    if (n < 0 && n != TLSOCK_AGAIN)
        l->base.sys_errno = tsk_err_of(l->outer)->sys_errno;
    return n;
}

static ssize_t over_recv(struct tsk_layer *base, void *buf, size_t len)
{
    struct over_layer *l = (struct over_layer *)base;

    return told(l, tlsock_read(l->outer, buf, len));
}

static ssize_t over_send(struct tsk_layer *base, const void *buf, size_t len)
{
    struct over_layer *l = (struct over_layer *)base;
    ssize_t n = told(l, tlsock_write(l->outer, buf, len));

    return n == 0 ? TLSOCK_AGAIN : n;
}

static int over_flush(struct tsk_layer *base)
{
    struct over_layer *l = (struct over_layer *)base;

    return (int)told(l, tlsock_flush(l->outer));
}

static int over_shut(struct tsk_layer *base)
{
    struct over_layer *l = (struct over_layer *)base;
    int rc = tlsock_shutdown(l->outer, SHUT_WR);

    return (int)told(l, rc == TLSOCK_AGAIN ? TLSOCK_OK : rc);
}

static int over_fd(struct tsk_layer *base)
{
    return tlsock_fd(((struct over_layer *)base)->outer);
}

static short over_events(struct tsk_layer *base, short wanted)
{
    struct over_layer *l = (struct over_layer *)base;

    if (tsk_op_waits(l->outer)) /* a descriptor that is always writable */
        return POLLIN;
    return (short)(tlsock_events(l->outer) | wanted);
}

static int over_holds(struct tsk_layer *base)
{
    return tsk_io_stirs(((struct over_layer *)base)->outer);
}

static const tlsock_error *over_error(struct tsk_layer *base)
{
    return tsk_err_of(((struct over_layer *)base)->outer);
}

static void over_adopt(struct tsk_layer *base)
{
    (void)tlsock_adopt(((struct over_layer *)base)->outer);
}

static void over_free(struct tsk_layer *base, int graceful)
{
    struct over_layer *l = (struct over_layer *)base;

    if (!l->owned)
        l->outer->nonblocking = l->was_nonblocking;
    else if (graceful)
        (void)tlsock_close(l->outer);
    else
        tlsock_abandon(l->outer);
    tsk_free(l);
}

static const struct tsk_layer_ops ops = {.recv = over_recv,
                                         .send = over_send,
                                         .fd = over_fd,
                                         .events = over_events,
                                         .free = over_free,
                                         .shut = over_shut,
                                         .flush = over_flush,
                                         .holds = over_holds,
                                         .error = over_error,
                                         .adopt = over_adopt};

struct tsk_layer *tsk_over_layer_new(tlsock *outer, int owned)
{
    struct over_layer *l = tsk_alloc(sizeof(*l));

    if (l == NULL)
        return NULL;
    l->base.ops = &ops;
    l->outer = outer;
    l->owned = owned;
    l->was_nonblocking = outer->nonblocking;
    outer->nonblocking = 1;
    return &l->base;
}

/* The layer alone. */
static void forget(struct tsk_layer *base)
{
    struct over_layer *l = (struct over_layer *)base;

    l->outer->nonblocking = l->was_nonblocking;
    tsk_free(l);
}

static int usable(tlsock *outer, tlsock_error *err)
{
    if (outer == NULL)
        return tsk_fail(err, TLSOCK_E_ARGUMENT, "the outer connection is NULL");
    if (outer->layer != NULL && outer->rung != TSK_RUNG_PROXY &&
        outer->rung != TSK_RUNG_DEAD)
        return TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_STATE,
             "the outer connection is not there yet, or "
             "no more");
    tsk_hint(err, "finish it first: tlsock_handshake()");
    return TLSOCK_E_STATE;
}

static tlsock *over(tlsock *outer, int server, const char *name,
                    tlsock_config *config, const tlsock_opts *opts,
                    tlsock_error *err)
{
    struct tsk_layer *layer;
    tlsock_opts o;
    tlsock *s = NULL;
    int saved = errno;

    tsk_clear(err);
    tsk_ossl_enter();
    if (tsk_opts_take(&o, opts, err) < 0 || tsk_opts_no_dial(&o, err) < 0 ||
        usable(outer, err) < 0)
        goto out;
    layer = tsk_over_layer_new(outer, (o.flags & TLSOCK_F_BORROW_FD) == 0);
    if (layer == NULL) {
        tsk_fail_nomem(err);
        goto out;
    }
    s = tsk_conn_over_layer(layer, server, name, config, &o, err);
    if (s == NULL)
        forget(layer);
out:
    tsk_ossl_leave();
    errno = saved;
    return s;
}

tlsock *tlsock_client_over(tlsock *outer, const char *name,
                           tlsock_config *config, const tlsock_opts *opts,
                           tlsock_error *err)
{
    return over(outer, 0, name, config, opts, err);
}

tlsock *tlsock_server_over(tlsock *outer, tlsock_config *config,
                           const tlsock_opts *opts, tlsock_error *err)
{
    return over(outer, 1, NULL, config, opts, err);
}
