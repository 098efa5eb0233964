/* resolve - host and service to socket addresses, off the caller's thread (see
 * work.h). Knows nothing of races and sockets: see dial.h. */
#ifndef TSK_NET_RESOLVE_H
#define TSK_NET_RESOLVE_H

#include "core/err.h"
#include "net/target.h"

#include <netdb.h>
#include <sys/socket.h>

struct tsk_addr {
    struct sockaddr_storage ss;
    socklen_t len;
};

struct tsk_addrs {
    struct tsk_addr *list; /* in the order getaddrinfo() wants them tried */
    size_t n;
};

/* No thread needed: UNIX paths, and numeric hosts with decimal ports. 1: done,
 * 0: a lookup is needed, or code. host "" is the loopback address, or any
 * address with t->any. */
int tsk_resolve_numeric(struct tsk_addrs *out, const struct tsk_target *t,
                        int family, tlsock_error *err);
/* Waits for the resolver; for listeners, whose owner expects it. */
int tsk_resolve_now(struct tsk_addrs *out, const struct tsk_target *t,
                    int family, tlsock_error *err);
void tsk_addrs_free(struct tsk_addrs *a);
/* RFC 8305, 4: the families take turns, beginning with the one that the
 * resolver prefers; within a family its order stays. In place: when a turn's
 * family is not at hand, its next address is moved up. */
void tsk_addrs_interleave(struct tsk_addrs *a);
/* "192.0.2.1:443", "[::1]:443", "unix:/path", or "" */
void tsk_addr_text(char *out, size_t size, const struct sockaddr *sa,
                   socklen_t len);

struct tsk_lookup;
struct tsk_lookup *tsk_lookup_start(const struct tsk_target *t, int family,
                                    tlsock_error *err);
int tsk_lookup_fd(const struct tsk_lookup *l); /* readable: it is done */
/* OK: addresses moved to out. AGAIN. Or E_RESOLVE, E_NOMEM, ... */
int tsk_lookup_result(struct tsk_lookup *l, struct tsk_addrs *out,
                      tlsock_error *err);
void tsk_lookup_free(struct tsk_lookup *l); /* cancels; never waits */

/* Tests only: what answers, and what frees its answers. Set them while no
 * lookup is under way. */
extern int (*tsk_resolve_getaddrinfo)(const char *, const char *,
                                      const struct addrinfo *,
                                      struct addrinfo **);
extern void (*tsk_resolve_freeaddrinfo)(struct addrinfo *);

#endif
