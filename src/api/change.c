#include "api/conn.h"
#include "core/mem.h"
#include "net/fd.h"
#include "starttls/table.h"

#include <errno.h>
#include <string.h>

struct wish {
    const char *name, *protocol, *arg;
    enum tsk_rung was; /* when the call was made */
};

static int not_now(tlsock *s, const char *call, const char *hint)
{
    tsk_fail(tsk_err(s), TLSOCK_E_STATE, "%s: %s", call,
             s->rung == TSK_RUNG_PLAIN ? "the connection has no TLS"
                                       : "the connection is in TLS");
    tsk_hint(tsk_err(s), "%s", hint);
    return TLSOCK_E_STATE;
}

static int ended(tlsock *s)
{
    tsk_fail(tsk_err(s),
             s->sent_close ? TLSOCK_E_STATE : TLSOCK_E_CLOSED_IN_HANDSHAKE,
             "%s before TLS could begin",
             s->sent_close ? "tlsock_shutdown() was called"
                           : "the peer ended the connection");
    tsk_hint(tsk_err(s), "TLS needs both directions");
    return tsk_err_of(s)->code;
}

static int injected(tlsock *s)
{
    tsk_fail(tsk_err(s), TLSOCK_E_INJECTION,
             "%zu bytes of plaintext from %s are unread where TLS has to begin",
             s->plain.len, s->address[0] != '\0' ? s->address : "the peer");
    tsk_hint(tsk_err(s),
             "read them first, if they belong there; behind a reply "
             "that says \"start TLS now\" nothing does");
    return TLSOCK_E_INJECTION;
}

/* A TLS server never speaks first: what is there by now was said in plaintext,
 * before our ClientHello. */
static int look_for_input(tlsock *s)
{
    int rc;

    if (s->plain.len == 0 && !s->server) {
        s->nonblocking |= 2; /* look, do not be polite */
        rc = tsk_io_more(s, 256);
        s->nonblocking &= ~2;
        if (rc < 0 && rc != TLSOCK_AGAIN)
            return rc;
    }
    if (s->plain.len != 0)
        return injected(s);
    return s->got_close || s->sent_close ? ended(s) : TLSOCK_OK;
}

static int take_name(tlsock *s, const char *name)
{
    tlsock_opts o = {.size = sizeof(o), .name = name, .scheme = s->scheme};
    char *old_name = s->name, *old_sni = s->sni, *old_scheme = s->scheme;
    int rc;

    if (s->server)
        return name == NULL ? TLSOCK_OK
                            : tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT,
                                       "a server has no name to check");
    if (name == NULL && s->name != NULL)
        return TLSOCK_OK;
    s->name = s->scheme = NULL;
    if (name != NULL)
        s->sni = NULL;
    rc = tsk_conn_set_name(s, name, NULL, &o, tsk_err(s));
    if (rc < 0) {
        tsk_free(s->name);
        tsk_free(s->scheme);
        if (s->sni != old_sni)
            tsk_free(s->sni);
        s->name = old_name;
        s->scheme = old_scheme;
        s->sni = old_sni;
        return rc;
    }
    tsk_free(old_name);
    tsk_free(old_scheme);
    if (s->sni != old_sni)
        tsk_free(old_sni);
    return TLSOCK_OK;
}

static ssize_t do_start_tls(tlsock *s, void *arg)
{
    const struct wish *w = arg;
    int rc;

    if (s->rung == TSK_RUNG_READY && w->was == TSK_RUNG_READY)
        return not_now(s, "tlsock_start_tls()",
                       "end it first: tlsock_stop_tls()");
    if (s->rung == TSK_RUNG_READY)
        return TLSOCK_OK; /* begun by an earlier call */
    rc = tsk_io_flush(s);
    if (rc == TLSOCK_OK)
        rc = look_for_input(s);
    if (rc == TLSOCK_OK)
        rc = take_name(s, w->name);
    return rc == TLSOCK_OK ? tsk_ladder_go_on(s) : rc;
}

/* The job begins it, the ladder does the rest. */
static int change(tlsock *s, int phase, tsk_job *job, struct wish *w)
{
    int rc;

    w->was = s->rung;
    rc = (int)tsk_run(s, phase, job, w);
    return rc < 0 ? rc : (int)tsk_run(s, phase, NULL, NULL);
}

int tlsock_start_tls(tlsock *s, const char *name)
{
    struct wish w = {.name = name};

    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    return change(s, TLSOCK_PHASE_HANDSHAKE, do_start_tls, &w);
}

static int go_on_within_tls(tlsock *s, const struct wish *w)
{
    int rc = tsk_dialogue_set_after(s, w->protocol, w->arg);

    if (rc == TLSOCK_E_ARGUMENT &&
        tsk_starttls_leads_to_tls(w->protocol, w->arg))
        return not_now(s, "tlsock_starttls()",
                       "it leads to TLS, which is there already");
    if (rc < 0)
        return rc;
    tsk_dialogue_begin(s);
    tsk_conn_hurry(s, tsk_deadline_in(s->budget_ms));
    s->rung = TSK_RUNG_AFTER;
    return TLSOCK_OK;
}

/* In plaintext the dialogue comes before TLS, in TLS after it (FTP's PBSZ, PROT
 * and CCC). */
static ssize_t do_starttls(tlsock *s, void *arg)
{
    const struct wish *w = arg;
    int rc = TLSOCK_OK;

    if (s->rung == TSK_RUNG_READY && w->was == TSK_RUNG_READY)
        return go_on_within_tls(s, w);
    if (s->rung == TSK_RUNG_READY || w->was != TSK_RUNG_PLAIN)
        return TLSOCK_OK; /* begun by an earlier call */
    if (s->got_close || s->sent_close)
        return ended(s);
    if (!s->server)
        rc = take_name(s, NULL);
    if (rc == TLSOCK_OK)
        rc = tsk_dialogue_set(s, w->protocol, w->arg, tsk_err(s));
    return rc == TLSOCK_OK ? tsk_ladder_go_on(s) : rc;
}

int tlsock_starttls(tlsock *s, const char *protocol, const char *arg)
{
    struct wish w = {.protocol = protocol, .arg = arg};

    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if (protocol == NULL)
        return tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT, "the protocol is NULL");
    return change(s, TLSOCK_PHASE_STARTTLS, do_starttls, &w);
}

static ssize_t do_stop_tls(tlsock *s, void *arg)
{
    const struct wish *w = arg;

    if (s->rung == TSK_RUNG_PLAIN)
        return w->was == TSK_RUNG_PLAIN
                   ? not_now(s, "tlsock_stop_tls()", "nothing is to be done")
                   : TLSOCK_OK;
    if (!s->stopping) {
        s->stopping = 1;
        tsk_conn_hurry(s, tsk_deadline_in(s->set->handshake_timeout_ms));
    }
    return tsk_close_tls(s);
}

int tlsock_stop_tls(tlsock *s)
{
    struct wish w = {0};
    int rc;

    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    w.was = s->rung;
    rc = (int)tsk_run(s, TLSOCK_PHASE_CLOSE, do_stop_tls, &w);
    if (rc != TLSOCK_AGAIN)
        s->stopping = 0; /* another call has a time of its own */
    return rc;
}

static int no_detach(tlsock *s, const char *why, const char *hint)
{
    tsk_fail(tsk_err(s), TLSOCK_E_STATE, "tlsock_detach(): %s", why);
    tsk_hint(tsk_err(s), "%s", hint);
    return TLSOCK_E_STATE;
}

static ssize_t do_detach(tlsock *s, void *arg)
{
    (void)arg;
    if (s->rung != TSK_RUNG_PLAIN)
        return no_detach(s, "the connection is in TLS",
                         "end it first: tlsock_stop_tls()");
    if (!tsk_fd_layer_is(s->layer))
        return no_detach(s,
                         "there is no socket below, but another connection "
                         "or functions of the caller's",
                         "go on with the handle");
    if (s->plain.len != 0)
        return no_detach(s, "received bytes are unread",
                         "read tlsock_pending() bytes first: the socket does "
                         "not have them any more");
    return tsk_io_flush(s);
}

int tlsock_detach(tlsock *s, int *fd)
{
    int rc;

    if (s == NULL || fd == NULL)
        return TLSOCK_E_ARGUMENT;
    rc = (int)tsk_run(s, TLSOCK_PHASE_CLOSE, do_detach, NULL);
    if (rc < 0)
        return rc;
    *fd = tsk_fd_layer_give(s->layer);
    s->layer = NULL;
    tsk_conn_free(s, 0);
    return TLSOCK_OK;
}
