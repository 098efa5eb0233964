/* biokernel - a BIO whose socket encrypts, or decrypts, by itself (kTLS).
 *
 * libssl asks its BIO whether it does, and gives the keys to it in a form that
 * only its own socket BIO understands, which is borrowed for that. Records go
 * through the layer below, so that all of bio.h stays true: nothing waits, and
 * whatever the socket does not take is held. */
#ifndef TSK_OSSL_BIOKERNEL_H
#define TSK_OSSL_BIOKERNEL_H

#include "ossl/bio.h"

/* Was this libssl built with it? */
int tsk_bio_kernel_built(void);
/* What bio.c's BIO_METHOD does not know by itself; as its own functions. */
long tsk_bio_kernel_ctrl(struct tsk_bio *io, int cmd, long num, void *ptr);
int tsk_bio_kernel_read(BIO *b, struct tsk_bio *io, char *out, size_t len,
                        size_t *got);
int tsk_bio_kernel_write(BIO *b, struct tsk_bio *io, const char *data,
                         size_t len, size_t *put);
/* bio.c: send what the layer takes, from where it is, and hold the rest, so
 * that libssl has not to be given the same bytes again: 1, or 0 with io->code
 */
int tsk_bio_through(struct tsk_bio *io, const char *data, size_t len);
/* bio.c: 0: receive now, AGAIN: not yet, or code */
int tsk_bio_may_recv(struct tsk_bio *io);

#endif
