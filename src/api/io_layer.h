/* io_layer - a transport of the caller's own (tlsock_io) as a layer. */
#ifndef TSK_API_IO_LAYER_H
#define TSK_API_IO_LAYER_H

#include "core/err.h"
#include "core/layer.h"

struct tsk_layer *tsk_io_layer_new(const tlsock_io *io, void *arg,
                                   tlsock_error *err);
/* Free it without closing what the caller keeps. */
void tsk_io_layer_forget(struct tsk_layer *layer);

#endif
