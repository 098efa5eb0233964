/* The HTTP within connections that are decrypted, for --har and --html: one
 * recorder for each, fed by a tap. */
#include "intercept_web.h"

#include "errors.h"
#include "evidence.h"
#include "intercept_har.h"
#include "intercept_seq.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tlsock/info.h>

#define KEPT_MOST 268435456 /* of bodies under way, in all connections */

struct web {
    struct icept *v;
    struct har *har;
    struct seq *seq;
    atomic_size_t left;
};

struct webconn {
    struct web *web;
    struct har_conn c;
    struct httprec *rec;
    int64_t now;
    int noted;
};

static int64_t clock_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static json_t *side(const tlsock *s)
{
    static const struct {
        const char *key;
        int item;
    } items[] = {{"version", TLSOCK_INFO_VERSION},
                 {"cipher", TLSOCK_INFO_CIPHER},
                 {"group", TLSOCK_INFO_GROUP},
                 {"alpn", TLSOCK_INFO_ALPN},
                 {"resumed", TLSOCK_INFO_RESUMED}};
    json_t *obj = json_object();

    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
        json_object_set_new(obj, items[i].key,
                            har_text(tlsock_info(s, items[i].item)));
    return obj;
}

static json_t *both_sides(const struct intercept_event *e)
{
    json_t *obj = json_object(), *up = side(e->up);

    json_object_set_new(up, "verified",
                        har_text(tlsock_info(e->up, TLSOCK_INFO_VERIFIED)));
    json_object_set_new(up, "name",
                        har_text(tlsock_info(e->up, TLSOCK_INFO_NAME)));
    json_object_set_new(obj, "up", up);
    json_object_set_new(obj, "down", side(e->down));
    json_object_set_new(obj, "sni", har_text(e->sni));
    json_object_set_new(obj, "ja4", har_text(e->ja4));
    return obj;
}

/* "192.0.2.1:443" and "[2001:db8::1]:443" without their ports. */
static void only_address(char *to, size_t size, const char *from)
{
    const char *colon = strrchr(from, ':');
    size_t n = colon != NULL ? (size_t)(colon - from) : strlen(from);

    if (from[0] == '[' && n > 2) {
        from++;
        n -= 2;
    }
    snprintf(to, size, "%.*s", (int)n, from);
}

static void name(struct har_conn *c, const struct intercept_event *e)
{
    c->id = e->id;
    snprintf(c->client, sizeof(c->client), "%s", e->client);
    snprintf(c->target, sizeof(c->target), "%s", e->target);
    if (e->up != NULL)
        only_address(c->server, sizeof(c->server),
                     tlsock_info(e->up, TLSOCK_INFO_PEER_ADDRESS));
}

static void on_done(void *arg, const struct httprec_tx *tx)
{
    struct webconn *w = arg;
    json_t *entry = w->web->har != NULL ? har_entry_json(&w->c, tx) : NULL;

    if (entry != NULL)
        har_add(w->web->har, entry);
    if (w->web->seq != NULL)
        seq_tx(w->web->seq, w->c.id, tx);
}

/* Once, when it is known: why there is nothing, or no more, of it. */
static void note(struct webconn *w)
{
    const char *why = httprec_note(w->rec);

    if (why[0] == '\0' || w->noted)
        return;
    w->noted = 1;
    icept_event(w->web->v, &(struct intercept_event){.kind = INTERCEPT_NOTE,
                                                     .id = w->c.id,
                                                     .client = w->c.client,
                                                     .target = w->c.target,
                                                     .sni = "",
                                                     .alpn = "",
                                                     .ja4 = "",
                                                     .starttls = "",
                                                     .reason = why});
}

struct web *web_new(struct icept *v, int *rc)
{
    struct web *w = calloc(1, sizeof(*w));

    if (w == NULL) {
        *rc = err_plain(&v->o.out, "intercept", EXIT_INTERNAL, "nomem", "",
                        "out of memory");
        return NULL;
    }
    w->v = v;
    atomic_init(&w->left, KEPT_MOST);
    if (v->har_path != NULL)
        w->har = har_open(&v->o.out, v->har_path, v->force, rc);
    if (*rc == 0 && v->html_path != NULL)
        w->seq = seq_open(&v->o.out, v->html_path, v->force, rc);
    if (*rc == 0)
        return w;
    web_free(w);
    return NULL;
}

void web_free(struct web *w)
{
    if (w == NULL)
        return;
    har_close(w->har);
    seq_close(w->seq, clock_us());
    free(w);
}

static int on_message(const tlsock_event *e, struct web *w, int is_client)
{
    seq_message(w->seq, e, is_client, clock_us());
    return evidence_message(&w->v->o, e);
}

static int on_up(const tlsock_event *e, void *arg)
{
    return on_message(e, arg, 0);
}

static int on_down(const tlsock_event *e, void *arg)
{
    return on_message(e, arg, 1);
}

void web_watch(struct web *w, tlsock_config *up, tlsock_config *down)
{
    if (w == NULL || w->seq == NULL)
        return;
    (void)tlsock_config_on(up, TLSOCK_ON_MESSAGE, on_up, w);
    (void)tlsock_config_on(down, TLSOCK_ON_MESSAGE, on_down, w);
}

/* In place of the one that is there, if any. */
static void record(struct webconn *w, const struct intercept_event *e)
{
    int is_tls = e->kind == INTERCEPT_OPEN;
    struct httprec_opts o = {.scheme = is_tls ? "https" : "http",
                             .host = e->target,
                             .alpn = "",
                             .on_done = on_done,
                             .arg = w,
                             .left = &w->web->left};

    httprec_free(w->rec);
    name(&w->c, e);
    if (is_tls) {
        json_decref(w->c.tls);
        w->c.tls = both_sides(e);
        o.alpn = tlsock_info(e->down, TLSOCK_INFO_ALPN);
    }
    w->rec = httprec_new(&o);
    w->noted = 0;
}

void *web_open(void *arg, const struct intercept_event *e)
{
    struct webconn *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return NULL;
    w->web = arg;
    record(w, e);
    return w;
}

void web_turn(void *key, const struct intercept_event *e)
{
    record(key, e);
}

/* A clock that is set back does not make times that run backwards. */
static int64_t go_on(struct webconn *w)
{
    int64_t now = clock_us();

    w->now = now > w->now ? now : w->now;
    return w->now;
}

void web_data(void *key, int from_client, const void *bytes, size_t len)
{
    struct webconn *w = key;

    if (w->rec == NULL)
        return; /* no memory */
    httprec_data(w->rec, from_client, bytes, len, go_on(w));
    note(w);
}

void web_close(void *key)
{
    struct webconn *w = key;

    if (w->rec != NULL) {
        httprec_close(w->rec, go_on(w));
        note(w);
        httprec_free(w->rec);
    }
    json_decref(w->c.tls);
    free(w);
}

void web_event(struct web *web, const struct intercept_event *e)
{
    struct har_conn c = {0};

    if (web->seq != NULL)
        seq_event(web->seq, e, clock_us());
    if (web->har == NULL ||
        (e->kind != INTERCEPT_DENY && e->kind != INTERCEPT_FAIL))
        return;
    name(&c, e);
    har_add(web->har,
            har_failure_json(&c, e->err != NULL ? e->err->message : e->reason,
                             clock_us()));
}
