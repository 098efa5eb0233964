#include "api/config.h"

#include "api/config_box.h"
#include "api/policy.h"
#include "api/stapler.h"
#include "api/ticketer.h"
#include "api/watch.h"
#include "core/clock.h"
#include "core/mem.h"
#include "session/ticket.h"
#include "tls/identity.h"
#include "tls/log.h"
#include "tls/staple.h"

#include <string.h>

tlsock_config *tsk_config_wrap(struct tsk_box *box)
{
    tlsock_config *c;

    if (box == NULL)
        return NULL;
    c = tsk_alloc(sizeof(*c));
    if (c == NULL) {
        tsk_box_unref(box);
        return NULL;
    }
    atomic_init(&c->refs, 1);
    pthread_mutex_init(&c->lock, NULL);
    c->box = box;
    c->made_at = tsk_wall_time();
    return c;
}

tlsock_config *tlsock_config_new(void)
{
    return tsk_config_wrap(tsk_box_new(NULL));
}

tlsock_config *tlsock_config_copy(const tlsock_config *from)
{
    tlsock_config *c = (tlsock_config *)(uintptr_t)from; /* only to lock */
    tlsock_config *copy;
    struct tsk_box *box;

    if (c == NULL)
        return tlsock_config_new();
    pthread_mutex_lock(&c->lock);
    box = tsk_box_copy(c->box, NULL);
    pthread_mutex_unlock(&c->lock);
    if (box != NULL && tsk_box_part(box) < 0) {
        tsk_box_unref(box);
        return NULL;
    }
    copy = tsk_config_wrap(box);
    if (copy != NULL)
        copy->made_at = c->made_at;
    return copy;
}

tlsock_config *tlsock_config_ref(tlsock_config *c)
{
    if (c != NULL)
        atomic_fetch_add(&c->refs, 1);
    return c;
}

void tlsock_config_unref(tlsock_config *c)
{
    if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    tsk_watch_end(c);
    tsk_use_drop(&c->use[0]);
    tsk_use_drop(&c->use[1]);
    tsk_box_unref(c->box);
    if (c->asked != NULL)
        tsk_free(c->asked->changes);
    tsk_free(c->asked);
    pthread_mutex_destroy(&c->lock);
    tsk_free(c);
}

const tlsock_error *tlsock_config_error(const tlsock_config *c)
{
    static const tlsock_error none;

    return c != NULL ? &c->err : &none;
}

int tlsock_config_on(tlsock_config *c, int event, tlsock_hook *hook, void *arg)
{
    int rc = tsk_config_begin(c);

    if (rc < 0)
        return rc;
    if (event < TLSOCK_ON_HELLO || event >= TSK_EVENTS)
        rc =
            tsk_fail(&c->err, TLSOCK_E_ARGUMENT, "there is no event %d", event);
    else
        c->box->set.on[event] = (struct tsk_hook){hook, arg};
    return tsk_config_end(c, rc);
}

int tsk_config_begin(tlsock_config *c)
{
    if (c == NULL)
        return TLSOCK_E_ARGUMENT;
    pthread_mutex_lock(&c->lock);
    tsk_clear(&c->err);
    tsk_phase(&c->err, TLSOCK_PHASE_CONFIG);
    if (c->asked != NULL) {
        tsk_fail(&c->err, TLSOCK_E_POLICY,
                 "a policy's hook may change its config by "
                 "tlsock_config_set() alone");
        tsk_hint(&c->err, "see tlsock_policy_on(3)");
        return tsk_config_end(c, TLSOCK_E_POLICY);
    }
    if (c->use[0].ctx == NULL && c->use[1].ctx == NULL)
        return TLSOCK_OK;
    tsk_fail(&c->err, TLSOCK_E_FROZEN,
             "the config is in use and cannot be changed any more");
    tsk_hint(&c->err, "set everything before the first connection, or change "
                      "a copy made with tlsock_config_copy()");
    return tsk_config_end(c, TLSOCK_E_FROZEN);
}

int tsk_config_end(tlsock_config *c, int rc)
{
    pthread_mutex_unlock(&c->lock);
    return rc;
}

void tsk_config_log(tlsock_config *c, const tlsock_error *about,
                    const char *what, const char *text)
{
    struct tsk_box *box;

    pthread_mutex_lock(&c->lock);
    box = tsk_box_ref(c->box);
    pthread_mutex_unlock(&c->lock);
    tsk_log(&box->set, NULL, about, "%s%s", what, text);
    tsk_box_unref(box);
}

void tsk_use_drop(struct tsk_use *use)
{
    for (size_t i = 0; i < TSK_VARIANTS; i++) {
        tsk_free(use->variants[i].changes);
        tsk_ctx_unref(use->variants[i].ctx);
    }
    tsk_ctx_unref(use->ctx);
    memset(use, 0, sizeof(*use));
}

static int use_current(const struct tsk_use *use)
{
    return use->ctx != NULL && use->generation == tsk_policy_generation();
}

int tsk_use_build(struct tsk_use *use, const struct tsk_use *other,
                  struct tsk_box *box, int server, tlsock_error *err)
{
    unsigned generation = tsk_policy_generation();
    struct tsk_ctx *ctx = NULL;
    struct tsk_box *strict;

    if (use_current(other) && !tsk_policy_sided()) {
        generation = other->generation;
        ctx = tsk_ctx_ref(other->ctx);
    } else {
        strict = tsk_policy_apply(box, server, err);
        if (strict != NULL)
            ctx = tsk_box_build(strict, err);
        tsk_box_unref(strict);
    }
    if (ctx == NULL)
        return err->code;
    tsk_use_drop(use);
    use->ctx = ctx;
    use->generation = generation;
    return TLSOCK_OK;
}

int tsk_config_change(tlsock_config *c,
                      int (*change)(struct tsk_settings *set, void *arg,
                                    tlsock_error *err),
                      void *arg)
{
    struct tsk_box *box, *old = NULL;
    tlsock_error why;
    int rc = tsk_config_begin(c);

    if (rc < 0)
        return rc;
    box = tsk_box_copy(c->box, &c->err);
    why = c->err;
    tsk_config_end(c, rc);
    if (box == NULL)
        return TLSOCK_E_NOMEM;
    rc = change(&box->set, arg, &why);
    old = box;
    if (tsk_config_begin(c) < 0) {
        rc = TLSOCK_E_FROZEN;
    } else {
        if (rc == TLSOCK_OK) {
            old = c->box;
            c->box = box;
        } else {
            c->err = why;
        }
        tsk_config_end(c, rc);
    }
    tsk_box_unref(old);
    return rc;
}

/* Locked. A config that cannot be built stays open to be mended. */
static int freeze(tlsock_config *c, int server, tlsock_error *err)
{
    struct tsk_use *use = &c->use[server];
    int rc = TLSOCK_OK;

    if (server && !c->serves)
        rc = tsk_box_prove(c->box, 1, err);
    if (rc == TLSOCK_OK && !use_current(use))
        rc = tsk_use_build(use, &c->use[!server], c->box, server, err);
    if (rc == TLSOCK_OK)
        c->serves |= server;
    return rc;
}

/* Made once, kept for the life of the process, so it stays reachable. After a
 * failure (out of memory) the next call tries again. */
tlsock_config *tsk_config_or_default(tlsock_config *given)
{
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    static tlsock_config *config;
    tlsock_config *c;

    if (given != NULL)
        return given;
    pthread_mutex_lock(&once);
    if (config == NULL)
        config = tlsock_config_new();
    c = config;
    pthread_mutex_unlock(&once);
    return c;
}

/* Of a config that a policy's hook was handed no connection is made: it would
 * be none of what was asked about. */
static int usable(const tlsock_config *c, tlsock_error *err)
{
    if (c->asked == NULL)
        return tsk_policy_ready(err);
    return tsk_fail(err, TLSOCK_E_STATE,
                    "this config belongs to a policy's hook");
}

/* What a reload on the library's own thread had to say. */
static void tell_note(tlsock_config *c, struct tsk_ctx *ctx)
{
    char note[TSK_NOTE];

    if (!atomic_load_explicit(&c->noted, memory_order_relaxed))
        return;
    pthread_mutex_lock(&c->lock);
    memcpy(note, c->note, sizeof(note));
    atomic_store(&c->noted, 0);
    pthread_mutex_unlock(&c->lock);
    tsk_log(tsk_ctx_settings(ctx), NULL, NULL, "%s", note);
}

/* TCP's first flight is ten segments (RFC 6928): what is more makes each full
 * handshake wait for the client once more. */
#define FIRST_FLIGHT 14000

static void tell_size(const struct tsk_settings *set)
{
    size_t most = 0, which = 0;
    char name[200];

    for (size_t i = 0; i < set->n_identities; i++) {
        size_t bytes = tsk_identity_bytes(&set->identities[i]);

        if (bytes > most) {
            most = bytes;
            which = i;
        }
    }
    if (most > FIRST_FLIGHT)
        tsk_log(set, NULL, NULL,
                "certificate %.150s: with its chain it is of %zu bytes, more "
                "than goes out at once, so that each full handshake takes one "
                "round trip more; an ECDSA key and a shorter chain are smaller",
                tsk_settings_file_name(set->identities[which].cert_uri, name,
                                       sizeof(name)),
                most);
}

/* What happened meanwhile, and what this call was refused for. */
static void tell(tlsock_config *c, struct tsk_ctx *ctx, int fresh,
                 const tlsock_error *why)
{
    const char *policies = fresh ? tlsock_policy_text() : "";
    struct tsk_staples *st = ctx != NULL ? tsk_ctx_staples(ctx) : NULL;
    char note[TSK_STAPLE_NOTE], tickets[TSK_TICKETS_NOTE];

    if (policies[0] != '\0')
        tsk_config_log(c, NULL, "policies in force: ", policies);
    if (why->code == TLSOCK_E_POLICY)
        tsk_config_log(c, why, "refused by a policy: ", why->message);
    if (st != NULL && tsk_staples_said(st, note))
        tsk_log(tsk_ctx_settings(ctx), NULL, NULL, "%s", note);
    if (ctx != NULL &&
        tsk_tickets_said(tsk_ctx_settings(ctx)->ticket_keys, tickets))
        tsk_log(tsk_ctx_settings(ctx), NULL, NULL, "%s", tickets);
}

int tsk_config_snapshot(tlsock_config *config, int server, struct tsk_ctx **out,
                        tlsock_error *err)
{
    tlsock_config *c = tsk_config_or_default(config);
    tlsock_error why;
    int rc, fresh = 0;

    if (c == NULL)
        return tsk_fail_nomem(err);
    server = server != 0;
    tsk_clear(&why);
    tsk_phase(&why, TLSOCK_PHASE_CONFIG);
    rc = usable(c, &why); /* reads files: before the lock */
    if (rc == TLSOCK_OK && atomic_load_explicit(&c->due, memory_order_relaxed))
        tsk_watch_do(c);
    pthread_mutex_lock(&c->lock);
    if (rc == TLSOCK_OK &&
        (!use_current(&c->use[server]) || (server && !c->serves))) {
        fresh = 1;
        rc = freeze(c, server, &why);
    }
    if (rc == TLSOCK_OK)
        *out = tsk_ctx_ref(c->use[server].ctx);
    else
        c->err = why;
    pthread_mutex_unlock(&c->lock);
    if (rc < 0 && err != NULL)
        *err = why;
    if (rc == TLSOCK_OK && server) {
        tsk_stapler_begin(*out);
        tsk_ticketer_begin(*out);
    }
    if (rc == TLSOCK_OK && tsk_ctx_settings(*out)->reload_ms != 0)
        tsk_watch_begin(c);
    tell(c, rc == TLSOCK_OK && server ? *out : NULL, fresh && rc == TLSOCK_OK,
         &why);
    if (rc == TLSOCK_OK)
        tell_note(c, *out);
    if (rc == TLSOCK_OK && fresh && server)
        tell_size(tsk_ctx_settings(*out));
    return rc;
}
