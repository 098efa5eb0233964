/* target - what a user types to say where: host:port, URL, unix:PATH.
 * One parser for library and tool. Resolves nothing. */
#ifndef TSK_NET_TARGET_H
#define TSK_NET_TARGET_H

#include "core/err.h"

#include <stdint.h>

struct tsk_target {
    char host[256];    /* as typed, without brackets; "" with path */
    char service[64];  /* decimal port or service name */
    char path[108];    /* UNIX socket, or "" */
    char scheme[16];   /* of a URL, lower case, or "" */
    char starttls[16]; /* protocol whose dialogue comes first, or "" */
    int is_ip;         /* host is a numeric address: 4 or 6 */
    int any;           /* listen on every address ("*:port") */
};

/* listening: ":port" is loopback and "*:port" any address; else they are
 * refused. Nonsense is TLSOCK_E_ARGUMENT and names the valid forms. */
int tsk_target_parse(struct tsk_target *t, const char *text, int listening,
                     tlsock_error *err);

#endif
