#include "api/ticketer.h"

#include "api/conn.h"
#include "api/daemon.h"
#include "cert/pass.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/str.h"
#include "net/redis.h"
#include "ossl/queue.h"
#include "session/ticket.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define BUDGET_MS 10000 /* of one connection, all that is said included */
#define EVERY_MS 30000
#define FIRST_PAUSE_MS 5000
#define MOST_PAUSE_MS 60000
#define QUIET_MS 600000 /* between two notes on failures */
#define AGES 2          /* periods that a secret outlives the last answer */

struct ticketer {
    struct tsk_daemon thread;
    struct tsk_tickets *tickets; /* borrowed: it owns us */
    struct tsk_redis_where where;
    tlsock_config *config; /* of TLS to it, or NULL */
    tlsock *s;             /* NULL: nobody is asked, at the moment */
    struct tsk_redis *talk;
    int begun; /* the dialogue on s */
    int64_t due;
    int pause_ms;
    int failing;
    int64_t said; /* when a failure was last told of */
};

/* Who is not there yet, when the fleet's first server comes, is given this. */
static int make_offer(char out[65])
{
    uint8_t bytes[32];
    int ok = RAND_priv_bytes(bytes, sizeof(bytes)) == 1;

    if (ok)
        tsk_hex(out, bytes, sizeof(bytes));
    tsk_wipe(bytes, sizeof(bytes));
    return ok;
}

/* Each time anew: a password that was changed is found. */
static int take_password(struct ticketer *f, tlsock_error *err)
{
    struct tsk_pass pass;
    int rc;

    if (f->where.pass[0] == '\0')
        return TLSOCK_OK;
    rc = tsk_pass_init(&pass, f->where.pass, err);
    if (rc == TLSOCK_OK)
        rc = tsk_pass_get(&pass, err);
    if (rc == TLSOCK_OK)
        memcpy(f->where.password, pass.text, pass.len + 1);
    tsk_pass_wipe(&pass);
    return rc;
}

static int config_failed(tlsock_config *c, tlsock_error *err)
{
    *err = *tlsock_config_error(c);
    tlsock_config_unref(c);
    return err->code;
}

/* Once, and again after a failure: its files may come later. */
static int take_config(struct ticketer *f, tlsock_error *err)
{
    const struct tsk_redis_where *w = &f->where;
    tlsock_config *c;

    if (!w->tls || f->config != NULL)
        return TLSOCK_OK;
    c = tlsock_config_new();
    if (c == NULL)
        return tsk_fail_nomem(err);
    if (w->ca[0] != '\0' && tlsock_config_add_trust(c, w->ca) < 0)
        return config_failed(c, err);
    if (w->cert[0] != '\0' &&
        tlsock_config_add_identity(c, w->cert, NULL, NULL) < 0)
        return config_failed(c, err);
    f->config = c;
    return TLSOCK_OK;
}

static int dial(struct ticketer *f, tlsock_error *err)
{
    const struct tsk_redis_where *w = &f->where;
    tlsock_opts o = {.size = sizeof(o),
                     .nonblocking = 1,
                     .timeout_ms = BUDGET_MS,
                     .plain = !w->tls};
    char target[360];

    /* a scheme, so that a host that is called "unix" is no path */
    snprintf(target, sizeof(target),
             strchr(w->host, ':') != NULL ? "https://[%s]:%s" : "https://%s:%s",
             w->host, w->service);
    f->s = tlsock_connect(target, f->config, &o, err);
    if (f->s == NULL)
        return err->code;
    f->s->for_fetch = 1;
    return tlsock_set_deadline(f->s, BUDGET_MS);
}

static int begin_asking(struct ticketer *f, tlsock_error *err)
{
    char offer[65];
    int rc = take_password(f, err);

    if (rc == TLSOCK_OK)
        rc = take_config(f, err);
    if (rc < 0)
        return rc;
    if (!make_offer(offer))
        return tsk_fail_ossl(err, TLSOCK_E_SYSTEM, "no random bytes");
    f->talk = tsk_redis_new(&f->where, offer);
    tsk_wipe(offer, sizeof(offer));
    return f->talk != NULL ? dial(f, err) : tsk_fail_nomem(err);
}

static int redis_step(void *d, struct tsk_talk *t, tlsock_error *err)
{
    return tsk_redis_step(d, t, err);
}

static ssize_t exchange(tlsock *s, void *arg)
{
    struct ticketer *f = arg;

    if (!f->begun) {
        tsk_dialogue_begin(s);
        f->begun = 1;
    }
    return tsk_dialogue_run(s, redis_step, f->talk);
}

static void hang_up(void *arg)
{
    struct ticketer *f = arg;

    tlsock_abandon(f->s);
    f->s = NULL;
    f->begun = 0;
    tsk_redis_free(f->talk);
    f->talk = NULL;
}

/* What a config's hook is told: where, never how to get in. */
static void place(const struct ticketer *f, char out[160])
{
    char shown[80];

    tsk_printable(shown, sizeof(shown), f->where.key, strlen(f->where.key));
    snprintf(out, 160, "%.40s in Redis at %.80s:%.20s", shown, f->where.host,
             f->where.service);
}

static void say(struct ticketer *f, const char *why, const char *then)
{
    static const char own[] = "tickets.secret: ";
    char where[160];

    if (strncmp(why, own, sizeof(own) - 1) == 0)
        why += sizeof(own) - 1;
    place(f, where);
    tsk_tickets_say(f->tickets, "tickets.secret: %s: %s%s", where, why, then);
}

/* Each may fail for another reason, and would be heard each time. */
static void failed(struct ticketer *f, const tlsock_error *why)
{
    int told;

    hang_up(f);
    told = f->failing && tsk_now_ms() - f->said < QUIET_MS;
    f->failing = 1;
    f->due = tsk_deadline_in(f->pause_ms);
    f->pause_ms *= 2;
    if (f->pause_ms > MOST_PAUSE_MS)
        f->pause_ms = MOST_PAUSE_MS;
    if (told)
        return;
    f->said = tsk_now_ms();
    say(f, why->message,
        tsk_tickets_ready(f->tickets)
            ? "; what was read before stays in use for a while"
            : "; until it is read, nothing is resumed");
}

static int use(struct ticketer *f, tlsock_error *err)
{
    int64_t until =
        tsk_wall_time() + (int64_t)AGES * tsk_tickets_rotate_s(f->tickets);
    struct tsk_secrets secrets;
    size_t len;
    const char *text = tsk_redis_value(f->talk, &len);
    int rc;

    rc = tsk_secrets_parse(&secrets, text, len, "it", err);
    if (rc == TLSOCK_OK)
        tsk_tickets_use(f->tickets, &secrets, until);
    tsk_wipe(&secrets, sizeof(secrets));
    return rc;
}

static int go_on(struct ticketer *f, tlsock_error *err)
{
    int rc;

    if (f->talk == NULL) {
        rc = begin_asking(f, err);
        if (rc < 0)
            return rc;
    }
    rc = (int)tsk_run(f->s, TLSOCK_PHASE_READ, exchange, f);
    if (rc < 0 && rc != TLSOCK_AGAIN)
        *err = *tsk_err_of(f->s);
    return rc < 0 ? rc : use(f, err);
}

static void step(void *arg)
{
    struct ticketer *f = arg;
    tlsock_error why = {0};
    int rc;

    if (f->talk == NULL && tsk_now_ms() < f->due)
        return;
    rc = go_on(f, &why);
    if (rc == TLSOCK_AGAIN)
        return;
    if (rc < 0) {
        failed(f, &why);
        return;
    }
    hang_up(f);
    if (f->failing)
        say(f, "it was read again", "");
    f->failing = 0;
    f->pause_ms = FIRST_PAUSE_MS;
    f->due = tsk_deadline_in(EVERY_MS);
}

static size_t pollfds(void *arg, struct pollfd *fds, size_t max, int64_t *until)
{
    const struct ticketer *f = arg;
    int wait_ms;
    size_t n;

    *until = f->due;
    if (f->s == NULL)
        return 0;
    n = tsk_conn_pollfds(f->s, fds, max, &wait_ms);
    *until = tsk_deadline_in(wait_ms);
    if (tsk_conn_deadline(f->s) < *until)
        *until = tsk_conn_deadline(f->s);
    return n;
}

static void stop(void *fetcher)
{
    struct ticketer *f = fetcher;

    tsk_daemon_stop(&f->thread); /* hangs up, too */
    tlsock_config_unref(f->config);
    tsk_free_secret(f, sizeof(*f));
}

/* NULL: no memory. */
static struct ticketer *ticketer_new(struct tsk_tickets *t)
{
    struct ticketer *f = tsk_alloc(sizeof(*f));

    if (f == NULL)
        return NULL;
    /* the URL was looked at when it was set: it is good */
    (void)tsk_redis_where(&f->where, tsk_tickets_remote(t), NULL);
    f->thread = (struct tsk_daemon){.name = "tlsock-ticket",
                                    .kind = TSK_DAEMON_FETCHES,
                                    .step = step,
                                    .pollfds = pollfds,
                                    .drop = hang_up,
                                    .arg = f};
    tsk_daemon_init(&f->thread);
    f->tickets = t;
    f->due = tsk_now_ms();
    f->pause_ms = FIRST_PAUSE_MS;
    return f;
}

/* Locked. 1: a thread runs. */
static int begin(struct tsk_tickets *t, struct tsk_tickets_fetcher *fetcher)
{
    if (fetcher->fetcher == NULL) {
        fetcher->fetcher = ticketer_new(t);
        fetcher->stop = stop;
    }
    return fetcher->fetcher != NULL &&
           tsk_daemon_begin(&((struct ticketer *)fetcher->fetcher)->thread);
}

void tsk_ticketer_begin(struct tsk_ctx *c)
{
    struct tsk_tickets *t = tsk_ctx_settings(c)->ticket_keys;
    struct tsk_tickets_fetcher *fetcher = tsk_tickets_fetcher(t);
    unsigned now = tsk_fork_generation();

    tsk_tickets_look(t);
    if (tsk_tickets_remote(t) == NULL || atomic_load(&fetcher->begun) == now)
        return;
    tsk_ossl_enter();
    tsk_daemon_lock(TSK_DAEMON_FETCHES);
    if (begin(t, fetcher))
        atomic_store(&fetcher->begun, now);
    tsk_daemon_unlock(TSK_DAEMON_FETCHES);
    tsk_ossl_leave();
}

void tsk_ticketer_poke(struct tsk_ctx *c)
{
    struct tsk_tickets_fetcher *fetcher =
        tsk_tickets_fetcher(tsk_ctx_settings(c)->ticket_keys);

    tsk_daemon_lock(TSK_DAEMON_FETCHES);
    if (fetcher->fetcher != NULL)
        tsk_daemon_wake(&((struct ticketer *)fetcher->fetcher)->thread);
    tsk_daemon_unlock(TSK_DAEMON_FETCHES);
}
