#include "api/conn.h"
#include "api/policy.h"
#include "core/mem.h"
#include "net/fd.h"
#include "ossl/queue.h"
#include "starttls/table.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct tlsock_listener {
    int fd, owned;
    int limited; /* what is accepted has a time limit for recv(2) from fd */
    tlsock_config *config;
    tlsock_opts opts;              /* what passes to accepted connections */
    char *starttls, *starttls_arg; /* opts has these */
    char *target;                  /* as it was named, or "" */
    char path[108];                /* UNIX socket to unlink, or "" */
};

/* Copied, and known to be a dialogue, before the first client comes. */
static int take_starttls(tlsock_listener *l, const tlsock_opts *o,
                         tlsock_error *err)
{
    struct tsk_starttls *d;

    if (o->starttls == NULL)
        return TLSOCK_OK;
    d = tsk_starttls_new(o->starttls, o->starttls_arg, NULL, 1,
                         TSK_STARTTLS_BEFORE, err);
    if (d == NULL)
        return TLSOCK_E_ARGUMENT;
    tsk_starttls_free(d);
    l->starttls = tsk_strdup(o->starttls);
    if (o->starttls_arg != NULL)
        l->starttls_arg = tsk_strdup(o->starttls_arg);
    if (l->starttls == NULL ||
        (o->starttls_arg != NULL && l->starttls_arg == NULL))
        return tsk_fail_nomem(err);
    l->opts.starttls = l->starttls;
    l->opts.starttls_arg = l->starttls_arg;
    return TLSOCK_OK;
}

/* Proves the config now, so that no client has to find out. */
static tlsock_listener *listener_new(const char *target, tlsock_config *config,
                                     const tlsock_opts *o, tlsock_error *err)
{
    tlsock_listener *l;
    struct tsk_ctx *ctx;
    int rc = tsk_config_snapshot(config, 1, &ctx, err);

    if (rc < 0)
        return NULL;
    rc = tsk_policy_ask(config, 1, target, &ctx, err);
    tsk_ctx_unref(ctx);
    if (rc < 0)
        return NULL;
    l = tsk_alloc(sizeof(*l));
    if (l == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    l->fd = -1;
    l->config = tlsock_config_ref(config);
    l->opts.size = sizeof(l->opts);
    l->opts.timeout_ms = o->timeout_ms;
    l->opts.nonblocking = o->nonblocking;
    l->opts.flags = o->flags & ~TLSOCK_F_BORROW_FD;
    l->opts.user = o->user;
    l->opts.plain = o->plain;
    l->target = tsk_strdup(target);
    if (l->target == NULL)
        tsk_fail_nomem(err);
    if (l->target == NULL || take_starttls(l, o, err) < 0) {
        tlsock_listener_free(l);
        return NULL;
    }
    return l;
}

tlsock_listener *tlsock_listen(const char *target, tlsock_config *config,
                               const tlsock_opts *opts, tlsock_error *err)
{
    tlsock_listener *l = NULL;
    struct tsk_target t;
    tlsock_opts o;
    int saved = errno;

    tsk_clear(err);
    if (target == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "the target is NULL");
        return NULL;
    }
    tsk_ossl_enter();
    if (tsk_opts_take(&o, opts, err) < 0 ||
        tsk_target_parse(&t, target, 1, err) < 0)
        goto out;
    l = listener_new(target, config, &o, err);
    if (l == NULL)
        goto out;
    l->owned = 1;
    if (tsk_fd_listen(&t, o.family, o.backlog > 0 ? o.backlog : SOMAXCONN,
                      &l->fd, err) < 0) {
        tlsock_listener_free(l);
        l = NULL;
        goto out;
    }
    l->limited = !o.nonblocking && tsk_fd_listener_may_wait(l->fd);
    memcpy(l->path, t.path, sizeof(l->path));
out:
    tsk_ossl_leave();
    errno = saved;
    return l;
}

tlsock_listener *tlsock_listener_from_fd(int fd, tlsock_config *config,
                                         const tlsock_opts *opts,
                                         tlsock_error *err)
{
    tlsock_listener *l = NULL;
    tlsock_opts o;
    int saved = errno;

    tsk_clear(err);
    tsk_ossl_enter();
    if (tsk_opts_take(&o, opts, err) == TLSOCK_OK &&
        tsk_fd_check_listening(fd, err) == TLSOCK_OK)
        l = listener_new("", config, &o, err);
    if (l != NULL) {
        l->fd = fd;
        l->owned = (o.flags & TLSOCK_F_BORROW_FD) == 0;
    }
    tsk_ossl_leave();
    errno = saved;
    return l;
}

static int accept_fd(tlsock_listener *l, int *fd, char peer[64],
                     tlsock_error *err)
{
    for (;;) {
        struct pollfd p = {l->fd, POLLIN, 0};
        int rc = tsk_fd_accept(l->fd, l->opts.nonblocking, fd, peer, err);

        if (rc != TLSOCK_AGAIN)
            return rc;
        if (l->opts.nonblocking) {
            if (err != NULL)
                err->code = TLSOCK_AGAIN;
            return rc;
        }
        rc = tsk_wait(&p, 1, TSK_NEVER, err);
        if (rc < 0)
            return rc;
    }
}

tlsock *tlsock_accept(tlsock_listener *l, tlsock_error *err)
{
    struct tsk_origin from = {0};
    int saved = errno, fd;
    tlsock *s = NULL;

    tsk_clear(err);
    if (l == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "the listener is NULL");
        return NULL;
    }
    from.target = l->target;
    from.limited = l->limited;
    if (accept_fd(l, &fd, from.address, err) == TLSOCK_OK) {
        s = tsk_conn_accepted(fd, &from, l->config, &l->opts, err);
        if (s == NULL)
            close(fd);
    }
    errno = saved;
    return s;
}

int tlsock_listener_fd(const tlsock_listener *l)
{
    return l != NULL ? l->fd : -1;
}

int tlsock_listener_port(const tlsock_listener *l)
{
    return l != NULL ? tsk_fd_port(l->fd) : 0;
}

void tlsock_listener_free(tlsock_listener *l)
{
    int saved = errno;

    if (l == NULL)
        return;
    if (l->owned && l->fd >= 0) {
        if (l->path[0] != '\0')
            unlink(l->path);
        close(l->fd);
    }
    tlsock_config_unref(l->config);
    tsk_free(l->starttls);
    tsk_free(l->starttls_arg);
    tsk_free(l->target);
    tsk_free(l);
    errno = saved;
}
