/* fd - the socket layer: CLOEXEC, blocks only where it may (else MSG_DONTWAIT,
 * so that a foreign descriptor's flags stay as they are), never SIGPIPE; and
 * the small calls around sockets: listen, accept, addresses, sniffing. */
#ifndef TSK_NET_FD_H
#define TSK_NET_FD_H

#include "core/err.h"
#include "core/layer.h"
#include "net/target.h"

/* owned: free closes it. NULL: no memory, the fd is untouched. */
struct tsk_layer *tsk_fd_layer_new(int fd, int owned);
/* It may wait in recv(2), under a time limit of the socket's that is taken off
 * before anybody else gets the descriptor: not for a borrowed one, whose owner
 * may be using it. ours: this library made the socket, without O_NONBLOCK. */
void tsk_fd_layer_may_wait(struct tsk_layer *l, int ours);
/* The time limit is there already: the socket has it from its listener. */
void tsk_fd_layer_limited(struct tsk_layer *l);
/* Is it O_NONBLOCK, or can be made so? Then nobody waits in it any more. */
int tsk_fd_layer_nonblock(struct tsk_layer *l);
void tsk_fd_layer_own(struct tsk_layer *l); /* from now on free closes it */
int tsk_fd_layer_is(const struct tsk_layer *l);
/* Its descriptor, the caller's from now on, O_NONBLOCK if the library made it;
 * the layer is freed. Only of a socket layer. */
int tsk_fd_layer_give(struct tsk_layer *l);
/* Is it a connected stream socket? Else E_ARGUMENT. TCP_NODELAY is set. peer:
 * as tsk_fd_address() says it; size may be 0. */
int tsk_fd_check_stream(int fd, char *peer, size_t size, tlsock_error *err);
/* Is it a listening stream socket? Else E_ARGUMENT. */
int tsk_fd_check_listening(int fd, tlsock_error *err);
/* "192.0.2.1:443", "[::1]:443", "unix:/path", "" - the peer's or our side */
void tsk_fd_address(int fd, int peer, char *out, size_t size);
int tsk_fd_port(int fd); /* our side; 0: not an IP socket */
/* A bound, listening socket (numeric or resolved inline), O_NONBLOCK; v6 "any"
 * is dual stack. */
int tsk_fd_listen(const struct tsk_target *t, int family, int backlog, int *fd,
                  tlsock_error *err);
/* It waits in accept(2), under a time limit that accepted sockets inherit: 1;
 * 0: it has no limit. Not for a listener of the caller's: others may be
 * accepting from it, too. */
int tsk_fd_listener_may_wait(int fd);
/* OK, AGAIN, code; transient failures (ECONNABORTED, EINTR) are retried or
 * AGAIN. Out of descriptors is E_SYSTEM, and the listener stays usable.
 * nonblocking: it never waits, and the socket is O_NONBLOCK; else it waits if
 * the listener does. peer: as tsk_fd_address() says it; or NULL. */
int tsk_fd_accept(int listener, int nonblocking, int *fd, char peer[64],
                  tlsock_error *err);
int tsk_fd_sniff(int fd, int timeout_ms); /* TLSOCK_SNIFF_*, or code */

#endif
