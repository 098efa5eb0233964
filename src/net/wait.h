/* wait - poll until a deadline, and one private descriptor for several. */
#ifndef TSK_NET_WAIT_H
#define TSK_NET_WAIT_H

#include "core/err.h"

#include <poll.h>
#include <stdint.h>

/* poll() that goes on after EINTR. > 0 ready, 0 deadline passed, or code. */
int tsk_wait(struct pollfd *fds, size_t n, int64_t deadline_ms,
             tlsock_error *err);

/* A descriptor that is readable while one of its members is ready (epoll). */
struct tsk_waitfd;
struct tsk_waitfd *tsk_waitfd_new(tlsock_error *err);
int tsk_waitfd_fd(const struct tsk_waitfd *w);
/* From now on it stands for exactly these. */
int tsk_waitfd_set(struct tsk_waitfd *w, const struct pollfd *fds, size_t n,
                   tlsock_error *err);
void tsk_waitfd_free(struct tsk_waitfd *w);

/* close() for a descriptor that may be a member of some waitfd: the kernel
 * forgets a closed member, and its number may come back with another socket.
 * tsk_waitfd_set() asks the kernel anew about all members after one of these,
 * and skips what did not change otherwise. errno is kept. */
void tsk_wait_close(int fd);

#endif
