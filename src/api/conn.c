#include "api/conn.h"

#include "api/dane.h"
#include "api/errand.h"
#include "api/io_layer.h"
#include "api/policy.h"
#include "api/policy_rules.h"
#include "core/mem.h"
#include "core/str.h"
#include "net/addr.h"
#include "net/fd.h"
#include "ossl/queue.h"
#include "tls/evidence.h"
#include "tls/hello.h"
#include "tls/prints.h"
#include "tls/op.h"
#include "tls/resume.h"
#include "tls/sign.h"
#include "verify/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int needs_no_name(const struct tsk_settings *set)
{
    /* where a policy wants the chain, too, a pin does not stand in for it */
    return set->n_psks != 0 ||
           (set->n_pins != 0 && set->policy[TSK_RULE_PIN_MODE] == NULL) ||
           (set->insecure & (TSK_INSECURE_NO_NAME | TSK_INSECURE_ALL)) != 0;
}

static int is_address(const char *host)
{
    uint8_t ip[16];

    return host != NULL && tsk_ip_parse(host, ip) != 0;
}

/* host: what stands in for the name where the config's is checked */
static int set_sni(tlsock *s, const char *sni, const char *host_of_target,
                   tlsock_error *err)
{
    char host[256];
    int rc;

    if (sni == NULL) {
        sni = host_of_target != NULL && !is_address(host_of_target)
                  ? host_of_target
                  : s->name;
        if (sni == NULL || is_address(sni))
            return TLSOCK_OK; /* RFC 6066, 3: no addresses in SNI */
    }
    if (*sni == '\0')
        return TLSOCK_OK;
    rc = tsk_host_normalise(host, sni, err);
    if (rc < 0)
        return rc;
    if (is_address(host))
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "SNI \"%s\" is an address: RFC 6066 allows host names "
                        "only",
                        host);
    s->sni = tsk_strdup(host);
    return s->sni != NULL ? TLSOCK_OK : tsk_fail_nomem(err);
}

int tsk_conn_set_name(tlsock *s, const char *name, const char *host,
                      const tlsock_opts *opts, tlsock_error *err)
{
    const char *shown = NULL; /* host, where another name is checked */
    char normal[256];
    int rc;

    if (name == NULL)
        name = opts->name;
    if (name == NULL && s->set->verify_name != NULL) {
        name = s->set->verify_name;
        shown = host;
    }
    if (name == NULL)
        name = host;
    if (name == NULL || *name == '\0') {
        if (name == NULL && (needs_no_name(s->set) || opts->plain))
            return set_sni(s, opts->sni, NULL, err);
        tsk_fail(err, TLSOCK_E_NO_NAME,
                 "no name to check the server's certificate against");
        tsk_hint(err, "give the name the server is known by (opts.name, "
                      "--name), or pin its certificate");
        tsk_rule_explain(s->set, err);
        return TLSOCK_E_NO_NAME;
    }
    if (!tsk_scheme_known(opts->scheme))
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "unknown name scheme \"%s\"; leave it out for RFC 9525",
                        opts->scheme);
    rc = tsk_host_normalise(normal, name, err);
    if (rc < 0)
        return rc;
    s->name = tsk_strdup(normal);
    if (opts->scheme != NULL)
        s->scheme = tsk_strdup(opts->scheme);
    if (s->name == NULL || (opts->scheme != NULL && s->scheme == NULL))
        return tsk_fail_nomem(err);
    return set_sni(s, opts->sni, shown, err);
}

static int budget(const tlsock *s, const tlsock_opts *opts)
{
    if (opts->timeout_ms != 0)
        return opts->timeout_ms;
    return s->server ? s->set->handshake_timeout_ms : s->set->timeout_ms;
}

/* A new connection on a config; opts was copied by tsk_opts_take(). target:
 * what a policy is told of it, or NULL. */
static tlsock *conn_new(tlsock_config *config, int server, const char *target,
                        const tlsock_opts *opts, tlsock_error *err)
{
    tlsock *s = tsk_alloc(sizeof(*s));

    if (s == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    s->server = server;
    tsk_facts_init(s);
    if (tsk_config_snapshot(config, server, &s->ctx, err) < 0 ||
        tsk_policy_ask(config, server, target, &s->ctx, err) < 0) {
        tsk_ctx_unref(s->ctx);
        tsk_free(s);
        return NULL;
    }
    s->set = tsk_ctx_settings(s->ctx);
    s->nonblocking = opts->nonblocking != 0;
    s->flags = opts->flags;
    s->plain_first = opts->plain != 0;
    s->budget_ms = budget(s, opts);
    s->fork_generation = tsk_fork_generation();
    s->wake_fd = -1;
    atomic_init(&s->interrupted, 0);
    s->io.interrupted = &s->interrupted;
    atomic_init(&s->in_call, 0);
    pthread_mutex_init(&s->wake_lock, NULL);
    s->user = opts->user;
    s->call_timeout_ms = -1;
    s->deadline = TSK_NEVER;
    s->t_start = tsk_now_ms();
    s->hs_deadline = tsk_deadline_in(s->budget_ms);
    if (opts->session_key != NULL)
        s->session_for = tsk_strdup(opts->session_key);
    if (opts->session_key != NULL && s->session_for == NULL) {
        tsk_fail_nomem(err);
    } else if (tsk_resume_follow(s, opts->resume_from, err) == TLSOCK_OK) {
        return s;
    }
    tsk_conn_free(s, 0);
    return NULL;
}

void tsk_conn_free(tlsock *s, int graceful)
{
    tsk_dial_free(s->dial);
    tsk_path_free(s->path);
    tsk_dane_free(s);
    tsk_dialogue_free(s);
    tsk_errand_free(s);
    tsk_sign_end(s);
    tsk_hello_free(s);
    tsk_prints_free(s);
    tsk_waitfd_free(s->waitfd);
    tsk_evidence_end(s);
    if (s->ssl != NULL) {
        SSL_set_quiet_shutdown(s->ssl, 1);
        tsk_resume_end(s);
        /* libssl marks the session of a connection that is freed without
         * close_notify, and a server that remembers shares it with others */
        if (s->server)
            SSL_set_shutdown(s->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(s->ssl);
    }
    tsk_hand_forget(s);
    tsk_free_text(s->via);
    tlsock_config_unref(s->via_config);
    tsk_bio_free(&s->io);
    tsk_buf_free(&s->plain);
    tsk_buf_free(&s->hold);
    if (s->layer != NULL)
        s->layer->ops->free(s->layer, graceful);
    tsk_ctx_unref(s->ctx);
    tsk_free(s->name);
    tsk_free(s->sni);
    tsk_free(s->scheme);
    tsk_free(s->session_for);
    tsk_resume_free(s);
    tsk_free(s->psk_identity);
    tsk_facts_free(s);
    tsk_free(s->err);
    tsk_free(s->text);
    pthread_mutex_destroy(&s->wake_lock);
    tsk_free(s);
}

/* A constructor on a blocking handle completes the handshake; on a
 * nonblocking one the first call begins it, and tells how it goes. */
static tlsock *complete(tlsock *s, tlsock_error *err)
{
    if (s->nonblocking)
        return s;
    if ((s->flags & TLSOCK_F_EARLY) != 0
            ? tsk_conn_until_tls(s) == TLSOCK_OK
            : tsk_run(s, TLSOCK_PHASE_HANDSHAKE, NULL, NULL) == TLSOCK_OK)
        return s;
    if (err != NULL)
        *err = *tsk_err_of(s);
    return NULL;
}

/* What is between the connection and its TLS, but for the dial. */
static int prepare_way(tlsock *s, const struct tsk_target *t,
                       const tlsock_opts *o, tlsock_error *err)
{
    const char *protocol = o->starttls;
    int rc;

    if (protocol == NULL && t != NULL && t->starttls[0] != '\0')
        protocol = t->starttls;
    if (protocol != NULL && !o->plain) {
        rc = tsk_dialogue_set(s, protocol, o->starttls_arg, err);
        if (rc < 0)
            return rc;
    }
    return o->proxy != NULL ? tsk_path_set(s, o->proxy, t, o, err) : TLSOCK_OK;
}

static int prepare_dial(tlsock *s, const struct tsk_target *t,
                        const tlsock_opts *o, tlsock_error *err)
{
    const char *host = t->host[0] != '\0' ? t->host : NULL;
    int rc = tsk_conn_set_name(s, NULL, host, o, err);

    if (rc == TLSOCK_OK)
        rc = prepare_way(s, t, o, err);
    if (rc == TLSOCK_OK)
        rc = tsk_dane_prepare(s, t, o, err);
    if (rc < 0)
        return rc;
    s->dial = tsk_dial_new(s->path != NULL ? tsk_path_first(s->path) : t,
                           o->family, o->local, err);
    if (s->dial == NULL)
        return TLSOCK_E_NOMEM;
    s->rung = TSK_RUNG_DIAL;
    if (t->path[0] != '\0')
        snprintf(s->address, sizeof(s->address), "unix:%.58s", t->path);
    if (s->nonblocking) {
        s->waitfd = tsk_waitfd_new(err);
        if (s->waitfd == NULL)
            return TLSOCK_E_SYSTEM;
    }
    return TLSOCK_OK;
}

tlsock *tlsock_connect(const char *target, tlsock_config *config,
                       const tlsock_opts *opts, tlsock_error *err)
{
    struct tsk_target t;
    tlsock_opts o;
    tlsock *s = NULL, *done = NULL;
    int saved = errno;

    tsk_clear(err);
    if (target == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "the target is NULL");
        return NULL;
    }
    tsk_ossl_enter();
    if (tsk_opts_take(&o, opts, err) < 0 ||
        tsk_target_parse(&t, target, 0, err) < 0)
        goto out;
    s = conn_new(config, 0, target, &o, err);
    if (s == NULL)
        goto out;
    /* a URL brings its protocol's rules, if nobody asked for others */
    if (o.scheme == NULL && s->set->verify_scheme == NULL &&
        t.scheme[0] != '\0' && tsk_scheme_known(t.scheme))
        o.scheme = t.scheme;
    if (prepare_dial(s, &t, &o, err) < 0)
        goto out;
    done = complete(s, err);
out:
    if (done == NULL && s != NULL)
        tsk_conn_free(s, 0);
    tsk_ossl_leave();
    errno = saved;
    return done;
}

/* Hooks that may answer later and fetches have descriptors of their own: one
 * private one stands for these and the socket until TLS is there. */
int tsk_conn_prepare_waiting(tlsock *s)
{
    static const int later[] = {TLSOCK_ON_HELLO, TLSOCK_ON_VERIFY,
                                TLSOCK_ON_STAPLE, TLSOCK_ON_SIGN,
                                TLSOCK_ON_TICKET_KEY};
    int any = s->set->revocation >= TSK_REVOKE_CRL;

    any = s->server ? any && (s->set->client_auth != TSK_CLIENT_NONE ||
                              s->set->n_host_sets != 0)
                    : any || s->set->aia;
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
        any |= s->set->on[later[i]].call != NULL;
    if (s->waitfd != NULL || !s->nonblocking ||
        (s->layer != NULL && (!any || s->layer->ops->fd(s->layer) < 0)))
        return TLSOCK_OK;
    s->waitfd = tsk_waitfd_new(tsk_err(s));
    if (s->waitfd == NULL)
        return tsk_err_of(s)->code;
    return tsk_conn_sync_waitfd(s);
}

/* layer: owned on success alone. */
static tlsock *over_layer(struct tsk_layer *layer, int server,
                          const struct tsk_origin *from, const char *name,
                          tlsock_config *config, const tlsock_opts *o,
                          tlsock_error *err)
{
    const char *target = from->target;
    tlsock *s, *done = NULL;

    if (target == NULL)
        target = name != NULL ? name : o->name;
    s = conn_new(config, server, target, o, err);

    if (s == NULL)
        return NULL;
    memcpy(s->address, from->address, sizeof(s->address));
    if (!server && tsk_conn_set_name(s, name, NULL, o, err) < 0)
        goto out;
    if (prepare_way(s, NULL, o, err) < 0 ||
        tsk_dane_prepare(s, NULL, o, err) < 0)
        goto out;
    if (tsk_ladder_begin(s, layer) < 0 || tsk_conn_prepare_waiting(s) < 0) {
        if (err != NULL)
            *err = *tsk_err_of(s);
        goto out;
    }
    done = server ? s : complete(s, err);
out:
    if (done == NULL) {
        s->layer = NULL; /* stays the caller's */
        tsk_conn_free(s, 0);
    }
    return done;
}

tlsock *tsk_conn_over_layer(struct tsk_layer *layer, int server,
                            const char *name, tlsock_config *config,
                            const tlsock_opts *o, tlsock_error *err)
{
    static const struct tsk_origin unknown;

    return over_layer(layer, server, &unknown, name, config, o, err);
}

/* accepted: known to be a stream socket, whatever its peer did since; or NULL
 */
static tlsock *over_fd(int fd, int server, const struct tsk_origin *accepted,
                       const char *name, tlsock_config *config,
                       const tlsock_opts *opts, tlsock_error *err)
{
    struct tsk_origin from = {0};
    struct tsk_layer *layer = NULL;
    tlsock_opts o;
    tlsock *s = NULL;
    int saved = errno;

    tsk_clear(err);
    tsk_ossl_enter();
    if (accepted != NULL)
        from = *accepted;
    if (tsk_opts_take(&o, opts, err) < 0 || tsk_opts_no_dial(&o, err) < 0 ||
        (accepted == NULL &&
         tsk_fd_check_stream(fd, from.address, sizeof(from.address), err) < 0))
        goto out;
    layer = tsk_fd_layer_new(fd, 0);
    if (layer == NULL) {
        tsk_fail_nomem(err);
        goto out;
    }
    if ((o.flags & TLSOCK_F_BORROW_FD) == 0)
        tsk_fd_layer_may_wait(layer, accepted != NULL);
    if (from.limited)
        tsk_fd_layer_limited(layer);
    s = over_layer(layer, server, &from, name, config, &o, err);
    if (s == NULL)
        layer->ops->free(layer, 0);
    else if ((o.flags & TLSOCK_F_BORROW_FD) == 0)
        tsk_fd_layer_own(layer);
out:
    tsk_ossl_leave();
    errno = saved;
    return s;
}

tlsock *tlsock_client_fd(int fd, const char *name, tlsock_config *config,
                         const tlsock_opts *opts, tlsock_error *err)
{
    return over_fd(fd, 0, NULL, name, config, opts, err);
}

tlsock *tlsock_server_fd(int fd, tlsock_config *config, const tlsock_opts *opts,
                         tlsock_error *err)
{
    return over_fd(fd, 1, NULL, NULL, config, opts, err);
}

tlsock *tsk_conn_accepted(int fd, const struct tsk_origin *from,
                          tlsock_config *config, const tlsock_opts *opts,
                          tlsock_error *err)
{
    return over_fd(fd, 1, from, NULL, config, opts, err);
}

static tlsock *over_io(const tlsock_io *io, void *arg, int server,
                       const char *name, tlsock_config *config,
                       const tlsock_opts *opts, tlsock_error *err)
{
    struct tsk_layer *layer;
    tlsock_opts o;
    tlsock *s = NULL;
    int saved = errno;

    tsk_clear(err);
    tsk_ossl_enter();
    if (tsk_opts_take(&o, opts, err) < 0 || tsk_opts_no_dial(&o, err) < 0)
        goto out;
    layer = tsk_io_layer_new(io, arg, err);
    if (layer == NULL)
        goto out;
    s = tsk_conn_over_layer(layer, server, name, config, &o, err);
    if (s == NULL)
        tsk_io_layer_forget(layer);
out:
    tsk_ossl_leave();
    errno = saved;
    return s;
}

tlsock *tlsock_client_io(const tlsock_io *io, void *arg, const char *name,
                         tlsock_config *config, const tlsock_opts *opts,
                         tlsock_error *err)
{
    return over_io(io, arg, 0, name, config, opts, err);
}

tlsock *tlsock_server_io(const tlsock_io *io, void *arg, tlsock_config *config,
                         const tlsock_opts *opts, tlsock_error *err)
{
    return over_io(io, arg, 1, NULL, config, opts, err);
}
