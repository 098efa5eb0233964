/* proxy - the way through proxies: their URLs, and the dialogue with one of
 * them (HTTP CONNECT, SOCKS5) as a state machine over a tsk_talk. Knows no
 * sockets; TLS to an https:// proxy is its owner's business. */
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
    char *user, *password;    /* both or neither; percent-decoded, secret */
};

#define TSK_PROXIES_MOST 8
#define TSK_PROXY_SECRET_MOST 1023 /* bytes of a user name or a password */

/* "http://user:pass@host:3128, socks5h://[::1]:1080": in the order they are
 * passed. Without a port: http 80, https 443, socks5 and socks5h 1080, as RFC
 * 9110 and RFC 1928 have them. What is special in a URL (: @ / ? # % and the
 * comma of the list) is written %XX in user and password; "user@" has an empty
 * password, which SOCKS5 refuses (RFC 1929, 2).
 * E_ARGUMENT with a hint for nonsense; a list with an @ in it is not repeated,
 * since any part of it may be of a password. *list is yours. */
int tsk_proxies_parse(struct tsk_proxy **list, size_t *n, const char *urls,
                      tlsock_error *err);
void tsk_proxies_free(struct tsk_proxy *list, size_t n);

struct tsk_hop;
/* The dialogue that asks a proxy for a way to `to`; both borrowed for as long
 * as the hop lives. family: 0, 4, 6, of what socks5:// resolves. E_ARGUMENT: a
 * way that no proxy can be asked for, such as to a UNIX socket. */
struct tsk_hop *tsk_hop_new(const struct tsk_proxy *via,
                            const struct tsk_target *to, int family,
                            tlsock_error *err);
/* OK, AGAIN or code, see core/talk.h: E_PROXY (what it answered and what that
 * means), E_PROXY_AUTH, E_RESOLVE, E_LIMIT (it talks without end), ... After a
 * code it is over: only tsk_hop_free() may follow. Once OK, it stays so. */
int tsk_hop_step(struct tsk_hop *h, struct tsk_talk *t, tlsock_error *err);
/* >= 0: AGAIN means only that this descriptor must be readable (resolving) */
int tsk_hop_fd(const struct tsk_hop *h);
void tsk_hop_free(struct tsk_hop *h);

#endif
