/* http - HTTP CONNECT (RFC 9110, 9.3.6; RFC 9112): one request, its interim
 * and its final response, and nothing beyond their header sections. Knows the
 * Basic scheme (RFC 7617) and no other. */
#ifndef TSK_NET_HTTP_H
#define TSK_NET_HTTP_H

#include "net/hop.h"

/* OK, AGAIN or code, as tsk_hop_step(); host and port are known. */
int tsk_http_step(struct tsk_hop *h, struct tsk_talk *t, tlsock_error *err);

#endif
