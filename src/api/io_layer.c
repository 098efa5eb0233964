#include "api/io_layer.h"

#include "core/mem.h"

#include <errno.h>
#include <string.h>

struct io_layer {
    struct tsk_layer base;
    tlsock_io io;
    void *arg;
};

static ssize_t settle(struct io_layer *l, ssize_t n, size_t len)
{
    if (n > 0 && (size_t)n > len) /* a callback that claims too much */
        n = TLSOCK_E_PROTOCOL;
    if (n >= 0 || n == TLSOCK_AGAIN)
        return n;
    l->base.sys_errno = EIO;
    return TLSOCK_E_SYSTEM;
}

static ssize_t io_recv(struct tsk_layer *base, void *buf, size_t len)
{
    struct io_layer *l = (struct io_layer *)base;

    return settle(l, l->io.read(l->arg, buf, len), len);
}

static ssize_t io_send(struct tsk_layer *base, const void *buf, size_t len)
{
    struct io_layer *l = (struct io_layer *)base;
    ssize_t n = l->io.write(l->arg, buf, len);

    return settle(l, n == 0 ? TLSOCK_AGAIN : n, len);
}

static int io_fd(struct tsk_layer *base)
{
    struct io_layer *l = (struct io_layer *)base;

    return l->io.fd != NULL ? l->io.fd(l->arg) : -1;
}

static short io_events(struct tsk_layer *base, short wanted)
{
    struct io_layer *l = (struct io_layer *)base;

    return l->io.events != NULL ? l->io.events(l->arg) : wanted;
}

static void io_free(struct tsk_layer *base, int graceful)
{
    struct io_layer *l = (struct io_layer *)base;

    (void)graceful;
    if (l->io.close != NULL)
        l->io.close(l->arg);
    tsk_free(l);
}

static const struct tsk_layer_ops ops = {.recv = io_recv,
                                         .send = io_send,
                                         .fd = io_fd,
                                         .events = io_events,
                                         .free = io_free};

struct tsk_layer *tsk_io_layer_new(const tlsock_io *io, void *arg,
                                   tlsock_error *err)
{
    struct io_layer *l;

    if (io == NULL || io->size < offsetof(tlsock_io, fd) || io->size > 65536 ||
        io->read == NULL || io->write == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "a tlsock_io needs its size, read and write");
        return NULL;
    }
    l = tsk_alloc(sizeof(*l));
    if (l == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    memcpy(&l->io, io, io->size < sizeof(l->io) ? io->size : sizeof(l->io));
    l->arg = arg;
    l->base.ops = &ops;
    return &l->base;
}

void tsk_io_layer_forget(struct tsk_layer *layer)
{
    tsk_free(layer);
}
