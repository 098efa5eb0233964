#include "tls/resume.h"

#include "core/mem.h"
#include "session/codec.h"
#include "tls/ctx_private.h"
#include "tls/keep.h"
#include "tls/op.h"

#include <stdio.h>
#include <string.h>

void tsk_resume_give_away(const tlsock *s)
{
    const struct tsk_session_item *newest = s->resume.newest;

    if (SSL_SESSION_get_protocol_version(newest->ses) >= TLS1_3_VERSION)
        tsk_keep_forget(s->ctx, newest->key, newest->ses);
}

static void free_item(struct tsk_session_item **item)
{
    if (*item != NULL)
        SSL_SESSION_free((*item)->ses);
    tsk_free(*item);
    *item = NULL;
}

/* What both were verified by is the same. 1, 0, or E_NOMEM */
static int same_settings(struct tsk_ctx *a, struct tsk_ctx *b)
{
    uint8_t one[TSK_SESSION_KEY], other[TSK_SESSION_KEY];

    if (a == b)
        return 1;
    if (!tsk_keep_binding(a, one) || !tsk_keep_binding(b, other))
        return TLSOCK_E_NOMEM;
    return memcmp(one, other, sizeof(one)) == 0;
}

/* Held as it is now: the other connection may be gone when TLS begins. In
 * TLS 1.3 a ticket is used once (RFC 8446, C.4), so that nobody can tell whose
 * connections belong together; of a data connection and its control connection
 * everybody knows. So one ticket may serve several of them. */
int tsk_resume_follow(tlsock *s, const tlsock *from, tlsock_error *err)
{
    const struct tsk_session_item *newest;
    struct tsk_session_item *held;
    int same;

    if (from == NULL)
        return TLSOCK_OK;
    if (s->server || from->server) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "opts.resume_from is of clients: %s is a server's",
                 s->server ? "this connection" : "what it names");
        tsk_hint(err, "a server resumes what the client offers");
        return TLSOCK_E_ARGUMENT;
    }
    newest = from->resume.newest;
    if (newest == NULL || !s->set->session)
        return TLSOCK_OK; /* nothing to offer: a full handshake */
    same = same_settings(from->ctx, s->ctx);
    if (same <= 0)
        return same == 0 ? TLSOCK_OK : tsk_fail_nomem(err);
    held = s->resume.from = tsk_alloc(sizeof(*held));
    if (held == NULL)
        return tsk_fail_nomem(err);
    *held = *newest;
    if (!SSL_SESSION_up_ref(held->ses)) {
        held->ses = NULL;
        return tsk_fail_nomem(err);
    }
    tsk_resume_give_away(from);
    return TLSOCK_OK;
}

/* 1: item is what to offer, its reference ours */
static int find(tlsock *s, struct tsk_session_item *item)
{
    struct tsk_resume *r = &s->resume;

    if (r->from != NULL &&
        memcmp(r->from->peer, r->peer, TSK_SESSION_KEY) == 0 &&
        tsk_session_fresh(&r->from->facts, r->from->expires, tsk_wall_time())) {
        *item = *r->from;
        r->from->ses = NULL;
        free_item(&r->from);
        r->follows = 1;
        return 1;
    }
    return tsk_keep_take(s->ctx, r->key, r->peer, item, s);
}

static void hold(tlsock *s, SSL_SESSION *ses)
{
    SSL_SESSION_free(s->held);
    s->held = ses != NULL && SSL_SESSION_up_ref(ses) ? ses : NULL;
}

void tsk_resume_offer(tlsock *s)
{
    struct tsk_session_item item;
    SSL_SESSION *own;

    if (!s->resume.wanted || !find(s, &item))
        return;
    own = SSL_SESSION_dup(item.ses);
    s->offered = own != NULL && SSL_set_session(s->ssl, own);
    if (s->offered && SSL_SESSION_get_protocol_version(own) < TLS1_3_VERSION)
        hold(s, own); /* to be compared in the end */
    SSL_SESSION_free(own);
    SSL_SESSION_free(item.ses);
    if (!s->offered)
        return;
    *s->facts = item.facts;
    s->resume.until = item.expires;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What the server says of the ticket: RFC 8446, 4.6.1; RFC 5077, 3.3, where 0
 * says nothing. */
static int64_t lifetime(const SSL_SESSION *ses)
{
    int64_t said = (int64_t)SSL_SESSION_get_ticket_lifetime_hint(ses);
    int tls13 = SSL_SESSION_get_protocol_version(ses) >= TLS1_3_VERSION;

    if (tls13 || (SSL_SESSION_has_ticket(ses) && said != 0))
        return said;
    return SSL_SESSION_get_timeout(ses);
}

/* What cannot be read is over, too: INT64_MIN. */
static int64_t until(int64_t end, int64_t now)
{
    return end > now ? end - now : 0;
}

/* Resumption skips the certificate, so it ends with the certificate; and what
 * was told about its revocation has to be asked anew. */
static int64_t end_of(const tlsock *s, const SSL_SESSION *ses,
                      const struct tsk_session_facts *f)
{
    int64_t then = s->set->verify_time != 0 ? s->set->verify_time : f->won;
    int64_t left = least(lifetime(ses), s->set->session_timeout_s);

    left = least(left, f->since + TSK_SESSION_LIFE - f->won);
    if (f->verdict.expires != 0)
        left = least(left, until(f->verdict.expires, then));
    if (f->revocation_until != 0)
        left = least(left, until(f->revocation_until, then));
    return f->won + left;
}

/* The verdict as it was when the server showed its certificate. */
static void take_facts(const tlsock *s, struct tsk_session_facts *f)
{
    char *resumed;

    *f = *s->facts;
    f->won = tsk_wall_time();
    f->process = tsk_fork_generation();
    if (!tsk_conn_resumed(s) || f->since == 0)
        f->since = f->won;
    resumed = strstr(f->verdict.verified, " (resumed)");
    if (resumed != NULL)
        *resumed = '\0';
}

static void set_newest(tlsock *s, const struct tsk_session_item *item)
{
    struct tsk_session_item *copy = NULL;

    if (SSL_SESSION_up_ref(item->ses)) {
        copy = tsk_alloc(sizeof(*copy));
        if (copy == NULL)
            SSL_SESSION_free(item->ses);
        else
            *copy = *item;
    }
    free_item(&s->resume.newest);
    s->resume.newest = copy;
}

int tsk_resume_encode(tlsock *s, struct tsk_session_item *item, uint8_t **out,
                      size_t *len)
{
    return tsk_keep_binding(s->ctx, item->binding) &&
           tsk_session_encode(item, out, len);
}

/* The program's own word on it: < 0 it is not to be kept */
static int ask_hook(tlsock *s, struct tsk_session_item *item)
{
    const struct tsk_hook *on = &s->set->on[TLSOCK_ON_SESSION];
    tlsock_event e = {.size = sizeof(e),
                      .kind = TLSOCK_ON_SESSION,
                      .conn = s,
                      .fd = -1,
                      .name = s->name};
    uint8_t *data;
    int rc;

    if (on->call == NULL || !tsk_resume_encode(s, item, &data, &e.len))
        return 0;
    e.data = data;
    rc = tsk_op_call(on, &e);
    tsk_free_secret(data, e.len);
    return rc;
}

static const char *keep(tlsock *s, struct tsk_session_item *item)
{
    if (item->expires <= item->facts.won)
        return "it ends at once: see certificate, revocation and the "
               "server's lifetime";
    set_newest(s, item);
    if (ask_hook(s, item) < 0)
        return "the hook for TLSOCK_ON_SESSION did not want it";
    if (s->resume.follows)
        return "the connection follows another one (resume_from)";
    return tsk_keep_put(s->ctx, item, s);
}

static void keep_one(tlsock *s, SSL_SESSION *ses)
{
    struct tsk_resume *r = &s->resume;
    struct tsk_session_item item = {.ses = SSL_SESSION_dup(ses)};

    if (item.ses == NULL) {
        r->why = "out of memory";
        return;
    }
    take_facts(s, &item.facts);
    item.expires = end_of(s, ses, &item.facts);
    memcpy(item.peer, r->peer, TSK_SESSION_KEY);
    memcpy(item.key, r->key, TSK_SESSION_KEY);
    r->why = keep(s, &item);
    if (r->why == NULL)
        r->until = item.expires;
    SSL_SESSION_free(item.ses);
}

/* Of TLS 1.2 one may come before the peer is known to be good: it waits. */
int tsk_resume_won(SSL *ssl, SSL_SESSION *ses)
{
    tlsock *s = tsk_conn_of(ssl);

    if (s == NULL || s->server || !s->resume.wanted)
        return 0;
    if (!SSL_SESSION_is_resumable(ses)) {
        s->resume.why = "the server does not resume";
        return 0;
    }
    if (!tsk_conn_open(s) && s->rung != TSK_RUNG_AFTER) {
        hold(s, ses);
        return 0;
    }
    keep_one(s, ses);
    return 0; /* each that keeps it has a reference of its own */
}

/* Of TLS 1.2, what came before the connection was open. Of a session that is
 * resumed libssl says nothing, but if its ticket was renewed (RFC 5077, 3.3) it
 * is another one now. Borrowed; or NULL. */
static SSL_SESSION *won_early(const tlsock *s)
{
    SSL_SESSION *now = SSL_get0_session(s->ssl);
    int renewed = tsk_conn_resumed(s) && now != s->held;

    if (s->held == NULL || SSL_version(s->ssl) >= TLS1_3_VERSION)
        return NULL;
    return renewed || (!tsk_conn_resumed(s) && now == s->held) ? now : NULL;
}

void tsk_resume_settle(tlsock *s)
{
    struct tsk_resume *r = &s->resume;
    struct tsk_session_item item = {0};
    SSL_SESSION *early;

    if (s->server || !r->wanted)
        return;
    early = won_early(s);
    if (early != NULL)
        keep_one(s, early);
    hold(s, NULL);
    if (!tsk_conn_resumed(s) || r->newest != NULL ||
        SSL_version(s->ssl) >= TLS1_3_VERSION)
        return;
    /* what was offered is good for another time */
    item.ses = SSL_get0_session(s->ssl);
    take_facts(s, &item.facts);
    item.expires = r->until;
    memcpy(item.peer, r->peer, TSK_SESSION_KEY);
    memcpy(item.key, r->key, TSK_SESSION_KEY);
    set_newest(s, &item);
}

/* RFC 5246, 7.2.2, and RFC 8446, 6.2: what a fatal alert ended is forgotten,
 * and so is what a handshake failed with. Any other end leaves a session as
 * good as it was (RFC 5246, 7.2.1); libssl, which answers a cut connection with
 * an alert and marks its sessions, has copies of ours. */
void tsk_resume_end(tlsock *s)
{
    int failed =
        s->rung == TSK_RUNG_DEAD && s->offered && !SSL_is_init_finished(s->ssl);
    int cut =
        s->io.eof && !s->alert_from_peer && s->alert == SSL_AD_DECODE_ERROR;

    if (!s->server && s->resume.wanted && ((s->alert != 0 && !cut) || failed))
        tsk_keep_forget(s->ctx, s->resume.key, NULL);
}

void tsk_resume_reset(tlsock *s)
{
    struct tsk_resume *r = &s->resume;

    free_item(&r->newest);
    r->wanted = r->follows = 0;
    r->until = 0;
    r->why = NULL;
}

void tsk_resume_free(tlsock *s)
{
    tsk_resume_reset(s);
    free_item(&s->resume.from);
}
