/* get - one request by HTTP/1.1 (RFC 9110, RFC 9112) and its response, as a
 * dialogue on bytes (core/talk.h): what is fetched for revocation and missing
 * issuers. Follows no redirection, connects nowhere, knows no TLS. */
#ifndef TSK_NET_GET_H
#define TSK_NET_GET_H

#include "net/proxy.h"
#include "net/url.h"

struct tsk_get;

/* All borrowed for as long as the dialogue lives. */
struct tsk_get_ask {
    const char *method, *url;
    const char *content_type; /* NULL: there is no body */
    const void *body;
    size_t body_len;
    size_t most;                 /* bytes of the response's body */
    const struct tsk_proxy *via; /* an HTTP proxy is asked, by the whole URL
                                    (RFC 9112, 3.2.2); NULL: the server */
};

/* NULL: E_ARGUMENT (the URL, a method that is none), E_NOMEM. */
struct tsk_get *tsk_get_new(const struct tsk_get_ask *ask, tlsock_error *err);
/* OK: a whole response is there, 200 or a redirection; what follows it in `in`
 * is ignored. AGAIN, or a code, whose message the caller puts the URL before:
 * E_LIMIT (body or header section too large), E_TRUNCATED (it ended early),
 * E_PROTOCOL (no HTTP, any other status), E_PROXY_AUTH, E_NOMEM. Once OK, it
 * stays so. */
int tsk_get_step(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err);
/* Where it connects to. */
const struct tsk_url *tsk_get_url(const struct tsk_get *g);
/* After OK. A redirection: its status, and what its Location field says;
 * else 0 and NULL. */
int tsk_get_moved(const struct tsk_get *g, const char **location);
const void *tsk_get_body(const struct tsk_get *g, size_t *len);
void tsk_get_free(struct tsk_get *g);

#endif
