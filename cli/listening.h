/* listening - where a server listens, for people and for programs that wait
 * for it. */
#ifndef CLI_LISTENING_H
#define CLI_LISTENING_H

#include "out.h"

#include <sys/socket.h>
#include <tlsock.h>

/* "127.0.0.1:8443", "[::1]:8443"; the target itself if it is no port, which is
 * 0 then. 0, or an exit code after having said why. */
int listening_where(const struct out *o, char *out, size_t size,
                    const char *target, const tlsock_listener *l, int *port);
/* "192.0.2.1:443", "[2001:db8::1]:443": 0, or -1. */
int listening_address(char *out, size_t size, const struct sockaddr_storage *sa,
                      socklen_t len);
/* Can this machine alone reach it? 1 or 0, or -1: listening_unknown() says why,
 * by errno, and gives the exit code. */
int listening_is_local(const tlsock_listener *l);
int listening_unknown(const struct out *o, const char *target);
/* The file of --port-file, opened while it still can be; NULL: none is wanted,
 * *fd is -1. 0, or an exit code after having said why. */
int listening_open(const struct out *o, const char *file, int *fd);
void listening_close(int *fd);
/* The port into it; *fd is closed. */
int listening_tell_there(const struct out *o, const char *file, int *fd,
                         int port);
/* Both in one. */
int listening_tell(const struct out *o, const char *file, int port);
/* There is no event loop: says why, by an errno, and gives the exit code. */
int listening_no_loop(const struct out *o, const char *where, int errnum);

#endif
