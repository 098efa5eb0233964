/* bio - a BIO over a layer, with buffers of our own under libssl.
 *
 * One recv fills the buffer for many records; what libssl writes is held until
 * it would wait for the peer, or until tsk_bio_flush(), so that a flight, its
 * tickets and a reply leave in as few sends as can be. Knows nothing of TLS. */
#ifndef TSK_OSSL_BIO_H
#define TSK_OSSL_BIO_H

#include "core/buf.h"
#include "core/layer.h"

#include <openssl/bio.h>
#include <stdatomic.h>

#define TSK_BIO_IN 16384        /* first size of the input buffer */
#define TSK_BIO_IN_MOST 131072  /* grown to while every recv fills it */
#define TSK_BIO_OUT_MOST 131072 /* held output; beyond it a write waits */
#define TSK_BIO_OUT_KEPT 32768  /* a full record: kept until it is idle */
#define TSK_BIO_OUT_SMALL 4096  /* made anew for less than it costs to keep */
#define TSK_BIO_TURN 32768      /* received in vain: more than any record */

struct tsk_bio {
    struct tsk_layer *below; /* borrowed */
    struct tsk_buf in, out;
    size_t in_size;  /* how much the next recv asks for */
    int polite;      /* blocking: what is not there is waited for */
    int64_t until;   /* and the layer may do that, until then; 0: it may not */
    const atomic_int *interrupted; /* unless this is set; or NULL */
    int wait;        /* the layer does, in the next recv */
    int exact;       /* never receive beyond the record under way */
    int from_memory; /* for now: do not ask the socket */
    int through;     /* a flush follows: send from libssl's own memory */
    int just_sent;   /* nothing was received since the last send */
    int drained;     /* the last recv took all there was */
    size_t lazy;     /* of out: nobody waits for them (TLS 1.3 tickets) */
    size_t turn;     /* received since a call began, or had a result */
    int turn_over;   /* that was too much: let others have theirs */
    int eof;         /* the stream below has ended */
    struct {
        int asked;           /* libssl may give keys to the socket */
        int sends, receives; /* it did: records are the kernel's */
        int type;            /* of the record that comes next, or 0: data */
        int refused[2];      /* errno of receiving's, sending's keys, or 0 */
        int rekeyed; /* new keys are due, which the kernel cannot have */
        int damaged; /* it cannot read on, and sends nothing any more */
    } kernel;        /* see biokernel.h */
    int code;        /* failure of the layer below, or 0 */
    int stop;        /* libssl reads and writes nothing any more */
    /* Told of what has come (no bytes: the end) and of what has left; other
     * than 0 stops it. NULL: nobody wants to know. */
    int (*tap)(void *arg, int sent, const void *bytes, size_t len);
    void *tap_arg;
    size_t untapped;   /* of out: from before there was a tap */
    short want;        /* POLLIN, POLLOUT: what a wait is for */
    uint8_t first[64]; /* what the peer said first, for error texts */
    size_t n_first;
};

/* A BIO whose state is io; both outlive the SSL. NULL: no memory. */
BIO *tsk_bio_new(struct tsk_bio *io);
/* Receive past the buffer, after sending what is held: > 0, 0, AGAIN, code. */
ssize_t tsk_bio_recv(struct tsk_bio *io, void *buf, size_t len);
/* Send what is held: 0, TLSOCK_AGAIN (want is POLLOUT), or a code. */
int tsk_bio_flush(struct tsk_bio *io);
/* Is anything held that the peer may be waiting for? */
static inline int tsk_bio_must_send(const struct tsk_bio *io)
{
    return io->out.len > io->lazy;
}
/* Is the end so far away that a layer's wait ends before it? */
int tsk_bio_may_wait(const struct tsk_bio *io);
/* Bytes that were received before TLS began: 0, or E_NOMEM. */
int tsk_bio_feed(struct tsk_bio *io, const void *bytes, size_t n);
/* Nothing is under way: give memory back. */
void tsk_bio_idle(struct tsk_bio *io);
void tsk_bio_free(struct tsk_bio *io);

#endif
