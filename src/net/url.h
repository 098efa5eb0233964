/* url - http:// URLs of requests: where to connect, what to ask for, where a
 * redirection leads (RFC 3986). Resolves no names; percent-encoding stays as
 * it is. */
#ifndef TSK_NET_URL_H
#define TSK_NET_URL_H

#include "core/err.h"

#define TSK_URL_MOST 4000 /* bytes of a URL */

struct tsk_url {
    char host[256];      /* wire form, without brackets */
    int port;            /* 80 unless it is told */
    char authority[272]; /* as the Host field has it: without :80 */
    const char *path;    /* path and query, in the text; "" or with / or ? */
    size_t path_len;     /* a fragment is not part of it */
};

/* text is borrowed for as long as u is used. E_ARGUMENT with a hint: no http://
 * URL, too long, with a user name in it (which is not repeated), with a byte
 * that could be taken for protocol: control bytes, space, no ASCII. */
int tsk_url_parse(struct tsk_url *u, const char *text, tlsock_error *err);
/* The absolute URL that `to`, a reference found at `base`, means: RFC 3986, 5;
 * without its fragment. out: TSK_URL_MOST + 1 bytes. base was parsed before.
 * E_ARGUMENT: too long; else what it gives has to be parsed. */
int tsk_url_resolve(char *out, const char *base, const char *to,
                    tlsock_error *err);
/* For messages: safe to show, cut, never with a password. */
void tsk_url_show(char out[160], const char *text);

#endif
