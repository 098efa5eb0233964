/* Where the target is, and how a connection to it comes about. */
#include "check.h"

#include "errors.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsock/openssl.h>

#define PART_MS 500 /* how long the peer's goodbye is waited for */

static void keep(struct check *c, const struct addrinfo *a)
{
    char text[64];

    if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0,
                    NI_NUMERICHOST) != 0)
        return;
    for (size_t i = 0; i < c->n_at; i++)
        if (strcmp(c->at[i].dial, text) == 0)
            return;
    if (c->n_at == CHECK_ADDRESSES)
        c->more_at++;
    else
        snprintf(c->at[c->n_at++].dial, sizeof(c->at[0].dial), "%s", text);
}

#ifdef AI_IDN
#define IDN AI_IDN
#else /* then it takes names in ASCII alone */
#define IDN 0
#endif

/* With --ip, a proxy or a UNIX socket there is nothing to resolve here. */
int check_resolve(struct check *c)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = IDN},
                    *list = NULL;
    int rc;

    c->n_at = 0;
    if (c->host[0] == '\0' || c->o.proxy != NULL || c->o.ip != NULL) {
        c->n_at = 1;
        snprintf(c->at[0].dial, sizeof(c->at[0].dial), "%s",
                 c->o.ip != NULL ? c->o.ip : "");
        return 0;
    }
    hints.ai_family = c->o.family == 4   ? AF_INET
                      : c->o.family == 6 ? AF_INET6
                                         : AF_UNSPEC;
    rc = getaddrinfo(c->host, NULL, &hints, &list);
    for (const struct addrinfo *a = list; rc == 0 && a != NULL; a = a->ai_next)
        keep(c, a);
    if (list != NULL)
        freeaddrinfo(list);
    if (c->n_at > 0)
        return 0;
    return err_plain(&c->o.out, c->target, EXIT_NETWORK, "resolve",
                     "check the spelling of the name, and -4, -6 and the "
                     "resolver of this machine",
                     "\"%.200s\" has no address: %s", c->host,
                     rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
}

int check_turn_to(struct check *c, const struct check_address *a)
{
    const char *ip = c->o.ip;
    int rc;

    c->o.ip = a->dial[0] != '\0' ? a->dial : NULL;
    tlsock_config_unref(c->o.proxy_config);
    c->o.proxy_config = NULL;
    rc = opt_dial(&c->o, c->whole);
    c->o.ip = ip;
    return rc;
}

static int finish(tlsock *s)
{
    int rc = tlsock_handshake(s);

    while (rc == TLSOCK_AGAIN) {
        tlsock_pollitem item = {.s = s, .fd = -1, .events = POLLIN | POLLOUT};

        rc = tlsock_poll(&item, 1, -1);
        if (rc >= 0)
            rc = tlsock_handshake(s);
    }
    return rc;
}

/* What the peer asks for and hands out, which nothing else tells. */
static void seen(int sent, int version, int type, const void *data, size_t len,
                 SSL *ssl, void *arg)
{
    struct check *c = arg;
    const unsigned char *p = data;

    (void)version;
    (void)ssl;
    if (sent || type != SSL3_RT_HANDSHAKE || len == 0)
        return;
    c->cert_asked = c->cert_asked || p[0] == SSL3_MT_CERTIFICATE_REQUEST;
    c->tickets += p[0] == SSL3_MT_NEWSESSION_TICKET;
}

static void watch(struct check *c, tlsock_config *config)
{
    SSL_CTX *ctx = tlsock_config_get_ctx(config);

    if (ctx != NULL && SSL_CTX_set_msg_callback_arg(ctx, c))
        SSL_CTX_set_msg_callback(ctx, seen);
}

tlsock *check_connect(struct check *c, tlsock_config *config, const char *sni,
                      tlsock_error *err)
{
    const char *asked = c->o.sni;
    tlsock *s;
    int rc;

    *err = (tlsock_error){0};
    c->cert_asked = c->tickets = 0;
    c->connections++;
    watch(c, config);
    if (sni != NULL)
        c->o.sni = sni;
    s = opt_connect(&c->o, config, 1, err);
    c->o.sni = asked;
    rc = s != NULL ? finish(s) : 0;
    if (rc < 0)
        *err = err_of_call(s, rc);
    return s;
}

int check_part(tlsock *s, tlsock_error *err)
{
    char buf[4096];
    size_t heard = 0;

    *err = (tlsock_error){0};
    if (tlsock_shutdown(s, SHUT_WR) < 0)
        return 0;
    tlsock_set_deadline(s, PART_MS);
    while (heard < 64 * sizeof(buf)) {
        tlsock_pollitem item = {.s = s, .fd = -1, .events = POLLIN};
        ssize_t n;

        if (tlsock_poll(&item, 1, PART_MS) <= 0)
            break;
        n = tlsock_read(s, buf, sizeof(buf));
        if (n == TLSOCK_AGAIN)
            continue;
        if (n < 0 && tlsock_last_error(s)->alert_from_peer)
            *err = *tlsock_last_error(s);
        if (n <= 0)
            break;
        heard += (size_t)n;
    }
    return err->code;
}

tlsock_config *check_variant(struct check *c, const char *key,
                             const char *value)
{
    tlsock_config *v = tlsock_config_copy(c->look);

    if (v != NULL && tlsock_config_set(v, key, value) == 0)
        return v;
    tlsock_config_unref(v);
    return NULL;
}
