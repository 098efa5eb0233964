/* ktls - sockets that encrypt and decrypt by themselves (Linux, "kTLS").
 *
 * Knows records and their types. Keys are libssl's to give, and what is in a
 * record is libssl's to understand. */
#ifndef TSK_NET_KTLS_H
#define TSK_NET_KTLS_H

#include <sys/types.h>

/* The socket can be given keys, and until then works as before: 0, or the errno
 * that says why not. */
int tsk_ktls_ready(int fd);
/* Does the running kernel have it? */
int tsk_ktls_there(void);
/* One record of a type, whole or not at all: as send(2). Never waits, never
 * raises SIGPIPE. */
ssize_t tsk_ktls_send(int fd, int type, const void *p, size_t n);
/* As recv(2): of one record, or a part of it. Its type; 0: the end. */
ssize_t tsk_ktls_recv(int fd, int *type, void *p, size_t n);

#endif
