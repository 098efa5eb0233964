/* copy - from a file into a socket, by the system (sendfile(2)).
 *
 * Never waits and never raises SIGPIPE, which takes some care: sendfile(2) has
 * no flags for either. Knows nothing of connections. */
#ifndef TSK_NET_COPY_H
#define TSK_NET_COPY_H

#include "core/layer.h"

#include <stdint.h>

/* > 0: bytes that are with the system; 0: the file's end; AGAIN; E_RESET or
 * E_SYSTEM with sys_errno; E_UNSUPPORTED: not with this layer or file, nothing
 * was read. offset: moved on; NULL: the file's own position is. */
ssize_t tsk_copy_file(struct tsk_layer *to, int from, int64_t *offset,
                      size_t len);

#endif
