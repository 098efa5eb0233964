#include "helloserve.h"

#include "errors.h"
#include "evidence.h"
#include "hellosay.h"
#include "listen.h"
#include "listening.h"
#include "local.h"

#include <tlsock/info.h>
#include <tlsock/prints.h>

static const char answer[] =
    "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

struct serving {
    const struct helloserve *h;
    tlsock_listener *listener;
    char where[300];
};

/* The answer decides what the client gets; SSLv2's form has no prints. */
static int on_hello(const tlsock_event *e, void *arg)
{
    struct serving *v = arg;
    char now[32];
    struct hello_seen seen = {
        .from = tlsock_info(e->conn, TLSOCK_INFO_PEER_ADDRESS),
        .to = v->where,
        .time = now,
        .message = e->data,
        .len = e->len};

    out_now(now);
    if (e->data != NULL && hello_say(v->h->out, &seen) < 0)
        return TLSOCK_E_HOOK;
    return v->h->let_in ? 0 : TLSOCK_E_HOOK;
}

static int on_ready(void *arg)
{
    struct serving *v = arg;
    int port, rc;

    rc = listening_where(v->h->out, v->where, sizeof(v->where), v->h->target,
                         v->listener, &port);
    if (rc != 0)
        return rc;
    if (!v->h->out->json && !v->h->out->quiet)
        printf("ready    %s  clients are %s\n", v->where,
               v->h->let_in ? "let in" : "refused by an alert");
    fflush(stdout);
    return listening_tell(v->h->out, v->h->port_file, port);
}

static void on_open(void *arg, const tlsock *s, unsigned long id)
{
    (void)arg;
    (void)s;
    (void)id;
}

/* That we refused it is no news; that it never said hello is. */
static void on_end(void *arg, const tlsock *s, unsigned long id,
                   const struct engine_end *end)
{
    struct serving *v = arg;

    (void)id;
    if (end->err != NULL && end->err->code != TLSOCK_E_HOOK &&
        v->h->out->verbose)
        err_report(v->h->out, tlsock_info(s, TLSOCK_INFO_PEER_ADDRESS),
                   end->err, 0);
}

static void on_trouble(void *arg, const tlsock_error *err)
{
    struct serving *v = arg;

    err_report(v->h->out, v->where, err, 0);
}

/* Nobody is to trust it: it may stay as it is made, without the local CA. */
static tlsock_cert *identity(const struct helloserve *h, tlsock_error *err)
{
    static const char *const names[] = {"localhost"};
    int by_ca;

    if (h->let_in)
        return local_host_cert(&by_ca, err);
    return tlsock_cert_create(TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1),
                              err);
}

static int serve(struct serving *v, tlsock_config *c)
{
    struct engine_opts engine = {.listener = v->listener,
                                 .count = (unsigned long)v->h->count,
                                 .mode = ENGINE_REPLY,
                                 .config = c,
                                 .reply = answer,
                                 .reply_len = sizeof(answer) - 1,
                                 .on_ready = on_ready,
                                 .on_open = on_open,
                                 .on_end = on_end,
                                 .on_trouble = on_trouble,
                                 .arg = v};
    int first = 0, rc = engine_run(&engine, &first);

    if (rc < 0)
        return listening_no_loop(v->h->out, v->h->target, -rc);
    return rc;
}

int helloserve_run(const struct helloserve *h)
{
    struct serving v = {.h = h};
    tlsock_config *c = tlsock_config_new();
    tlsock_error err = {0};
    tlsock_cert *own = identity(h, &err);
    int rc;

    if (own == NULL || c == NULL ||
        tlsock_config_set(c, "handshake-timeout", "10s") < 0 ||
        tlsock_config_on(c, TLSOCK_ON_HELLO, on_hello, &v) < 0 ||
        tlsock_config_add_cert(c, own) < 0) {
        rc = err_report(h->out, h->target,
                        own == NULL ? &err : tlsock_config_error(c), 1);
        goto out;
    }
    rc = evidence_watch(h->o, c);
    if (rc != 0)
        goto out;
    v.listener =
        tlsock_listen(h->target, c, TLSOCK_OPTS(.nonblocking = 1), &err);
    if (v.listener == NULL) {
        opt_listen_hint(h->target, &err);
        rc = err_report(h->out, h->target, &err, err.code != TLSOCK_E_SYSTEM);
        goto out;
    }
    rc = serve(&v, c);
out:
    tlsock_listener_free(v.listener);
    tlsock_cert_unref(own);
    tlsock_config_unref(c);
    return rc;
}
