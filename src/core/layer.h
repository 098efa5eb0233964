/* layer - what a hop of a connection can do: a socket, a user's transport,
 * later a proxy or another TLS session.
 *
 * recv: > 0 bytes, 0 end of stream, TLSOCK_AGAIN, other negative code.
 * send: > 0 bytes, TLSOCK_AGAIN, other negative code.
 * On a negative code other than AGAIN, sys_errno says why (or is 0).
 * Neither ever waits. free closes what the layer owns and frees the layer. */
#ifndef TSK_CORE_LAYER_H
#define TSK_CORE_LAYER_H

#include <stddef.h>
#include <sys/types.h>

struct tsk_layer;

struct tsk_layer_ops {
    ssize_t (*recv)(struct tsk_layer *, void *buf, size_t len);
    ssize_t (*send)(struct tsk_layer *, const void *buf, size_t len);
    int (*fd)(struct tsk_layer *);                     /* -1: none */
    short (*events)(struct tsk_layer *, short wanted); /* what to poll for */
    void (*free)(struct tsk_layer *, int graceful);
};

struct tsk_layer {
    const struct tsk_layer_ops *ops;
    int sys_errno;
};

#endif
