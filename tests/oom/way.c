#include "way.h"

#include "ca.h"

#include <limits.h>
#include <sys/socket.h>

const struct way_kind way_kinds[] = {
    {"http", {"http://u:p@127.0.0.1"}, NULL, "127.0.0.1"},
    {"https", {"https://127.0.0.1"}, NULL, "127.0.0.1"},
    {"socks5", {"socks5://u:p@127.0.0.1"}, NULL, "localhost"},
    {"chain",
     {"http://127.0.0.1", "socks5h://127.0.0.1", "https://127.0.0.1"},
     NULL,
     "127.0.0.1"},
    {"smtp", {NULL}, "smtp", "127.0.0.1"},
    {"postgres", {NULL}, "postgres", "127.0.0.1"},
    {"ldap", {NULL}, "ldap", "127.0.0.1"},
    {"xmpp", {NULL}, "xmpp", "127.0.0.1"},
    {"mysql", {NULL}, "mysql", "127.0.0.1"},
    {"imap behind http", {"http://127.0.0.1"}, "imap", "127.0.0.1"},
};
const size_t way_count = COUNT(way_kinds);

static void echo(int fd, void *arg)
{
    const struct way *w = arg;
    tlsock *s = tlsock_server_fd(
        fd, w->server,
        TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD, .starttls = w->kind->starttls),
        NULL);
    char buf[64];
    ssize_t n;

    if (s == NULL)
        return;
    tlsock_set_timeout(s, 20000);
    while ((n = tlsock_read(s, buf, sizeof(buf))) > 0)
        if (tlsock_write(s, buf, (size_t)n) != n)
            break;
    tlsock_close(s);
}

static void add_hop(struct way *w, const char *url)
{
    size_t i = w->n_hops++, len = strlen(w->urls);
    const char *auth = strstr(url, "u:p@");

    w->how[i].auth = auth != NULL ? "u:p" : NULL;
    w->how[i].tls = strncmp(url, "https:", 6) == 0 ? w->proxy : NULL;
    sock_serve(&w->hops[i], INT_MAX,
               strncmp(url, "socks", 5) == 0 ? proxy_socks5 : proxy_http,
               &w->how[i]);
    snprintf(w->urls + len, sizeof(w->urls) - len, "%s%s:%d", i > 0 ? "," : "",
             url, w->hops[i].port);
}

void way_begin(struct way *w, const struct way_kind *kind,
               tlsock_cert *proxy_shows)
{
    memset(w, 0, sizeof(*w));
    w->kind = kind;
    w->cc = ca_client("session", "off", NULL);
    w->server = ca_server(ca_get()->a, NULL);
    w->proxy = ca_server(proxy_shows, NULL);
    sock_serve(&w->last, INT_MAX, echo, w);
    snprintf(w->target, sizeof(w->target), "%s:%d", kind->host, w->last.port);
    for (size_t i = 0; i < WAY_HOPS && kind->hops[i] != NULL; i++)
        add_hop(w, kind->hops[i]);
}

tlsock *way_connect(const struct way *w, const char *name, int nonblocking,
                    tlsock_error *err)
{
    return tlsock_connect(w->target, w->cc,
                          TLSOCK_OPTS(.name = name, .nonblocking = nonblocking,
                                      .timeout_ms = 20000, .family = 4,
                                      .starttls = w->kind->starttls,
                                      .proxy = w->n_hops != 0 ? w->urls : NULL,
                                      .proxy_config = w->cc),
                          err);
}

/* Wakes the thread that accepts: it has no client to wait for any more. */
static void put_away(struct sock_server *s)
{
    shutdown(s->listener, SHUT_RDWR);
    sock_join(s);
}

void way_end(struct way *w)
{
    for (size_t i = 0; i < w->n_hops; i++)
        put_away(&w->hops[i]);
    put_away(&w->last);
    tlsock_config_unref(w->cc);
    tlsock_config_unref(w->server);
    tlsock_config_unref(w->proxy);
}
