/* socks - SOCKS5 CONNECT (RFC 1928) with no authentication or with user name
 * and password (RFC 1929). Takes what the replies' own lengths say, and never
 * a byte beyond. */
#ifndef TSK_NET_SOCKS_H
#define TSK_NET_SOCKS_H

#include "net/hop.h"

/* OK, AGAIN or code, as tsk_hop_step(); address or name, and port are known. */
int tsk_socks_step(struct tsk_hop *h, struct tsk_talk *t, tlsock_error *err);

#endif
