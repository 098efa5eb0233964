/* proxy - the way through proxies: their URLs, and the dialogue with one of
 * them (HTTP CONNECT, SOCKS5) as a state machine over a tsk_talk. TLS to an
 * https:// proxy is its owner's business. */
#ifndef TSK_NET_PROXY_H
#define TSK_NET_PROXY_H

#include "core/talk.h"
#include "net/target.h"

enum tsk_proxy_kind {
    TSK_PROXY_HTTP,   /* http://, https:// */
    TSK_PROXY_SOCKS5, /* socks5://: names are resolved here */
    TSK_PROXY_SOCKS5H /* socks5h://: names are resolved there */
};

struct tsk_proxy {
    enum tsk_proxy_kind kind;
    int tls;                  /* https:// */
    struct tsk_target target; /* where it is: host, service */
    char *user, *password;    /* NULL: none; percent-decoded, secret */
};

#define TSK_PROXIES_MOST 8

/* "http://user:pass@host:3128,socks5h://[::1]:1080": E_ARGUMENT with a hint for
 * nonsense, which is named without any password. *list is yours. */
int tsk_proxies_parse(struct tsk_proxy **list, size_t *n, const char *urls,
                      tlsock_error *err);
void tsk_proxies_free(struct tsk_proxy *list, size_t n);

struct tsk_hop;
/* The dialogue that asks a proxy for a way to `to`; both borrowed for as long
 * as the hop lives. family: 0, 4, 6, of what socks5:// resolves. */
struct tsk_hop *tsk_hop_new(const struct tsk_proxy *via,
                            const struct tsk_target *to, int family,
                            tlsock_error *err);
/* OK, AGAIN or code, see core/talk.h: E_PROXY (what it answered and what that
 * means), E_PROXY_AUTH, E_RESOLVE, ... */
int tsk_hop_step(struct tsk_hop *h, struct tsk_talk *t, tlsock_error *err);
/* >= 0: AGAIN means only that this descriptor must be readable (resolving) */
int tsk_hop_fd(const struct tsk_hop *h);
void tsk_hop_free(struct tsk_hop *h);

#endif
