/* hop - what the dialogues with proxies (http.c, socks.c) share: whom they
 * speak to, what they ask for, and words for what may go wrong with any proxy.
 * Resolves what must be known before the first byte; speaks no protocol. */
#ifndef TSK_NET_HOP_H
#define TSK_NET_HOP_H

#include "net/proxy.h"

struct tsk_lookup;

struct tsk_hop {
    const struct tsk_proxy *via;
    const struct tsk_target *to;
    int family;
    char host[256]; /* of the target in its wire form: no byte of it can be
                       mistaken for protocol */
    int is_ip;      /* ask for ip: 4 or 6; 0: ask for host */
    uint8_t ip[16];
    uint16_t port; /* 0: only its service's name is known yet */
    struct tsk_lookup *lookup;
    char where[160], goal[160]; /* proxy and target, for messages */
    int state;                  /* of the dialogue; begins at 0 */
    int status;                 /* HTTP: of the response being read */
    unsigned fields;            /* HTTP: lines of its header section */
    char schemes[96];           /* HTTP: that a 407 offers */
};

/* What the proxy said, for a message: safe to show, or "..." where it may have
 * repeated the password. out has size bytes, 4 at least. */
void tsk_hop_quote(const struct tsk_hop *h, char *out, size_t size,
                   const void *said, size_t len);
/* What tsk_talk_line() and tsk_talk_need() report, told of this proxy: closed
 * and nonsense are E_PROXY. Returns the code. */
int tsk_hop_cut(const struct tsk_hop *h, int rc, tlsock_error *err);
/* What is in `in` is not `protocol`: E_PROXY with a guess at what it is. */
int tsk_hop_stranger(const struct tsk_hop *h, const struct tsk_talk *t,
                     const char *protocol, tlsock_error *err);

#endif
