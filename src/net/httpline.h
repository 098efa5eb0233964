/* httpline - what the HTTP dialogues (http.c, get.c) share: single lines, and
 * the Basic scheme. Knows no order of lines. */
#ifndef TSK_NET_HTTPLINE_H
#define TSK_NET_HTTPLINE_H

#include "net/proxy.h"

/* RFC 9112, 4: HTTP-version SP 3DIGIT SP [ reason-phrase ]; without a reason
 * the last SP is often missing, too. -1: not so. */
int tsk_http_status(const char *line);
/* RFC 9110, 5.6.2: the length of the token at p, of which names of fields and
 * schemes are made. */
size_t tsk_http_token(const char *p);
/* RFC 7617, 2: the field Proxy-Authorization, from user name, colon, password,
 * which p has. 0, or E_NOMEM. */
int tsk_http_login(struct tsk_talk *t, const struct tsk_proxy *p,
                   tlsock_error *err);

#endif
