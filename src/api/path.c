#include "api/conn.h"
#include "core/mem.h"
#include "core/str.h"
#include "net/proxy.h"

#include <stdio.h>
#include <string.h>

struct tsk_path {
    struct tsk_proxy *list;
    size_t n, at;             /* list[at] is asked now */
    struct tsk_target target; /* where it all leads */
    int family;
    tlsock_config *config; /* of https:// proxies, NULL: the default */
    tlsock *tls;           /* to list[at], as long as it shakes hands */
    int secured;           /* TLS to list[at] is up, or not wanted */
    struct tsk_hop *hop;
};

int tsk_path_set(tlsock *s, const char *urls, const struct tsk_target *t,
                 const tlsock_opts *o, tlsock_error *err)
{
    struct tsk_path *p;
    int rc;

    if (t->path[0] != '\0') {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "unix:%s: no proxy leads to a UNIX socket", t->path);
        tsk_hint(err, "leave the proxy out");
        return TLSOCK_E_ARGUMENT;
    }
    p = tsk_alloc(sizeof(*p));
    if (p == NULL)
        return tsk_fail_nomem(err);
    rc = tsk_proxies_parse(&p->list, &p->n, urls, err);
    if (rc < 0) {
        tsk_free(p);
        return rc;
    }
    s->via = tsk_strdup(urls);
    if (s->via == NULL) {
        tsk_proxies_free(p->list, p->n);
        tsk_free(p);
        return tsk_fail_nomem(err);
    }
    if (o->proxy_config != NULL)
        s->via_config = tlsock_config_ref(o->proxy_config);
    p->target = *t;
    p->family = o->family;
    if (o->proxy_config != NULL)
        p->config = tlsock_config_ref(o->proxy_config);
    s->path = p;
    return TLSOCK_OK;
}

const struct tsk_target *tsk_path_first(const struct tsk_path *p)
{
    return &p->list[0].target;
}

/* The transport so far becomes that of a connection to the proxy. */
static int begin_tls(tlsock *s, struct tsk_path *p)
{
    tlsock_opts o = {.size = sizeof(o), .nonblocking = 1, .timeout_ms = -1};

    p->tls = tsk_conn_over_layer(s->layer, 0, p->list[p->at].target.host,
                                 p->config, &o, tsk_err(s));
    if (p->tls == NULL)
        return tsk_err_of(s)->code;
    p->tls->for_fetch = s->for_fetch;
    s->layer = NULL;
    return TLSOCK_OK;
}

static int of_proxy(tlsock *s, const struct tsk_path *p)
{
    tlsock_error why = *tsk_err_of(p->tls);

    *tsk_err(s) = why;
    tsk_about(tsk_err(s), "TLS to the proxy %s: ", p->list[p->at].target.host);
    return tsk_err_of(s)->code;
}

/* TLS to an https:// proxy: 0, AGAIN, code. */
static int secure(tlsock *s, struct tsk_path *p)
{
    struct tsk_layer *layer;
    int rc;

    if (p->secured || !p->list[p->at].tls)
        return TLSOCK_OK;
    if (p->tls == NULL) {
        rc = begin_tls(s, p);
        if (rc < 0)
            return rc;
    }
    rc = tlsock_handshake(p->tls);
    if (rc == TLSOCK_AGAIN)
        return rc;
    if (rc < 0)
        return of_proxy(s, p);
    layer = tsk_over_layer_new(p->tls, 1);
    if (layer == NULL)
        return tsk_fail_nomem(tsk_err(s));
    p->tls = NULL;
    p->secured = 1;
    s->layer = s->io.below = layer;
    return TLSOCK_OK;
}

static int hop_step(void *d, struct tsk_talk *t, tlsock_error *err)
{
    return tsk_hop_step(d, t, err);
}

static int ask(tlsock *s, struct tsk_path *p)
{
    const struct tsk_target *to =
        p->at + 1 < p->n ? &p->list[p->at + 1].target : &p->target;
    int rc;

    if (p->hop == NULL) {
        p->hop = tsk_hop_new(&p->list[p->at], to, p->family, tsk_err(s));
        if (p->hop == NULL)
            return tsk_err_of(s)->code;
        tsk_dialogue_begin_shown(s);
    }
    rc = tsk_dialogue_run(s, hop_step, p->hop);
    if (rc < 0)
        return rc;
    tsk_hop_free(p->hop);
    p->hop = NULL;
    p->secured = 0;
    p->at++;
    return TLSOCK_OK;
}

int tsk_path_step(tlsock *s)
{
    struct tsk_path *p = s->path;

    while (p->at < p->n) {
        int rc = secure(s, p);

        if (rc == TLSOCK_OK)
            rc = ask(s, p);
        if (rc < 0)
            return rc;
        if (p->at < p->n && s->plain.len != 0) {
            tsk_fail(tsk_err(s), TLSOCK_E_PROXY,
                     "the proxy %s spoke before it was asked",
                     p->list[p->at].target.host);
            tsk_hint(tsk_err(s),
                     "is it a proxy, and of the kind the URL says?");
            return TLSOCK_E_PROXY;
        }
    }
    snprintf(s->address, sizeof(s->address), "%.50s:%.10s", p->target.host,
             p->target.service);
    tsk_path_free(p);
    s->path = NULL;
    return TLSOCK_OK;
}

size_t tsk_path_pollfds(const tlsock *s, struct pollfd *fds, size_t max)
{
    const struct tsk_path *p = s->path;
    int wait_ms;

    if (p->tls != NULL)
        return tsk_conn_pollfds(p->tls, fds, max, &wait_ms);
    if (p->hop == NULL || tsk_hop_fd(p->hop) < 0 || max == 0)
        return 0;
    fds[0] = (struct pollfd){tsk_hop_fd(p->hop), POLLIN, 0};
    return 1;
}

void tsk_path_adopt(struct tsk_path *p)
{
    if (p->tls != NULL)
        (void)tlsock_adopt(p->tls);
}

void tsk_path_free(struct tsk_path *p)
{
    if (p == NULL)
        return;
    tsk_hop_free(p->hop);
    tlsock_abandon(p->tls);
    tsk_proxies_free(p->list, p->n);
    tlsock_config_unref(p->config);
    tsk_free(p);
}
