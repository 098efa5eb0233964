/* layer - what a hop of a connection can do: a socket, a user's transport,
 * another connection.
 *
 * recv: > 0 bytes, 0 end of stream, TLSOCK_AGAIN, other negative code.
 * send: > 0 bytes, TLSOCK_AGAIN, other negative code.
 * On a negative code other than AGAIN, sys_errno says why (or is 0).
 * Neither ever waits. free closes what the layer owns and frees the layer.
 * recv_wait is recv, but may wait for TSK_LAYER_WAIT_MS before it is AGAIN;
 * only while the layer's "waits" is set, which it clears itself.
 * Those marked optional are NULL where a layer has nothing of the kind. */
#ifndef TSK_CORE_LAYER_H
#define TSK_CORE_LAYER_H

#include <stddef.h>
#include <sys/types.h>
#include <tlsock.h>

/* So long may a blocking call not notice tlsock_interrupt(). */
#define TSK_LAYER_WAIT_MS 20

struct tsk_layer;

struct tsk_layer_ops {
    ssize_t (*recv)(struct tsk_layer *, void *buf, size_t len);
    ssize_t (*send)(struct tsk_layer *, const void *buf, size_t len);
    int (*fd)(struct tsk_layer *);                     /* -1: none */
    short (*events)(struct tsk_layer *, short wanted); /* what to poll for */
    void (*free)(struct tsk_layer *, int graceful);
    /* optional: look at what recv would give, and leave it there */
    ssize_t (*peek)(struct tsk_layer *, void *buf, size_t len);
    ssize_t (*recv_wait)(struct tsk_layer *, void *buf, size_t len);
    /* optional: no more will be sent. 0 or code */
    int (*shut)(struct tsk_layer *);
    /* optional: send on what send took and holds. 0, AGAIN, code */
    int (*flush)(struct tsk_layer *);
    /* optional: 1: recv has bytes that no descriptor tells of */
    int (*holds)(struct tsk_layer *);
    /* optional: what failed below, in full */
    const tlsock_error *(*error)(struct tsk_layer *);
    /* optional: one record of a type, of what encrypts by itself: as send and
     * recv; see net/ktls.h */
    ssize_t (*send_record)(struct tsk_layer *, int type, const void *, size_t);
    ssize_t (*recv_record)(struct tsk_layer *, int *type, void *, size_t);
    /* optional: what is below belongs to this process from now on */
    void (*adopt)(struct tsk_layer *);
};

struct tsk_layer {
    const struct tsk_layer_ops *ops;
    int sys_errno;
    int waits; /* recv_wait may be called */
};

#endif
