/* Functions of the process that are asked about each connection. What they
 * wish is built once for each config and each set of wishes. */
#include "api/options.h"
#include "api/policy.h"
#include "api/policy_rules.h"
#include "core/mem.h"
#include "tls/log.h"

#include <string.h>

#define HOOKS_MAX 8
#define CHANGES_MAX 16384

/* Its address is what settings hold: it has to stay. */
static const char note[] = "a hook of this process";

/* A hook is complete before it is counted, and never goes. */
static struct {
    pthread_mutex_t lock;
    struct {
        tlsock_policy_hook *call;
        void *arg;
    } hooks[HOOKS_MAX];
    atomic_size_t n;
} process = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local int asking;

int tlsock_policy_on(tlsock_policy_hook *hook, void *arg)
{
    int rc = TLSOCK_E_LIMIT;
    size_t n;

    if (hook == NULL)
        return TLSOCK_E_ARGUMENT;
    pthread_mutex_lock(&process.lock);
    n = atomic_load(&process.n);
    if (n < HOOKS_MAX) {
        process.hooks[n].call = hook;
        process.hooks[n].arg = arg;
        atomic_store(&process.n, n + 1);
        rc = TLSOCK_OK;
    }
    pthread_mutex_unlock(&process.lock);
    return rc;
}

void tsk_policy_forget_hooks(void)
{
    atomic_store(&process.n, 0);
}

/* The hook's copy of the box, at its first change. */
static int own_box(tlsock_config *c)
{
    struct tsk_box *copy;

    if (c->asked->changes != NULL)
        return TLSOCK_OK;
    copy = tsk_box_copy(c->box, &c->err);
    if (copy == NULL)
        return TLSOCK_E_NOMEM;
    tsk_box_unref(c->box);
    c->box = copy;
    return TLSOCK_OK;
}

static int remember(tlsock_config *c, const char *key, const char *value)
{
    struct tsk_asked *a = c->asked;
    size_t more = strlen(key) + strlen(value) + 2, k = strlen(key);
    char *grown;

    if (a->len + more > CHANGES_MAX)
        return tsk_fail(&c->err, TLSOCK_E_LIMIT,
                        "a policy's hook changes more than %d bytes",
                        CHANGES_MAX);
    grown = tsk_realloc(a->changes, a->len + more + 1);
    if (grown == NULL)
        return tsk_fail_nomem(&c->err);
    a->changes = grown;
    memcpy(grown + a->len, key, k);
    grown[a->len + k] = '=';
    memcpy(grown + a->len + k + 1, value, more - k - 2);
    grown[a->len + more - 1] = '\n';
    grown[a->len + more] = '\0';
    a->len += more;
    return TLSOCK_OK;
}

static int looser(tlsock_config *c, const char *key, const char *value)
{
    tsk_fail(&c->err, TLSOCK_E_POLICY,
             "%s = %.80s is looser than what is in force", key, value);
    tsk_hint(&c->err, "a policy's hook can tighten only");
    return TLSOCK_E_POLICY;
}

static int tighten(tlsock_config *c, struct tsk_rule *rule, const char *key,
                   const char *value, int sides)
{
    int rc = tsk_rule_parse(rule, key, value, sides, &c->err);

    if (rc == TLSOCK_E_OPTION && tsk_option_find(key) != NULL)
        c->err.code = rc =
            TLSOCK_E_POLICY; /* it is one, but does not tighten */
    if (rc < 0)
        return rc;
    if (tsk_rule_looser(rule, &c->box->set))
        return looser(c, key, value);
    rc = own_box(c);
    if (rc == TLSOCK_OK)
        rc = remember(c, key, value);
    if (rc < 0)
        return rc;
    rc = tsk_rule_apply(rule, &c->box->set, note, &c->err);
    if (rc == TLSOCK_OK)
        return rc;
    tsk_about(&c->err, "%s = %.60s: ", key, value);
    c->asked->refused = c->err; /* the box is of no use, if the hook goes on */
    return rc;
}

int tsk_policy_set(tlsock_config *c, const char *key, const char *value)
{
    struct tsk_rule rule = {0};
    int rc;

    pthread_mutex_lock(&c->lock);
    tsk_clear(&c->err);
    tsk_phase(&c->err, TLSOCK_PHASE_CONFIG);
    if (key == NULL || value == NULL)
        rc = tsk_fail(&c->err, TLSOCK_E_ARGUMENT, "key or value is NULL");
    else
        rc = tighten(c, &rule, key, value, TSK_SIDE_BOTH);
    tsk_rule_free(&rule);
    return tsk_config_end(c, rc);
}

static int refused(const tlsock_config *copy, int code, const char *target,
                   tlsock_error *err)
{
    if (copy->asked->refused.code != 0) {
        if (err != NULL)
            *err = copy->asked->refused;
        return copy->asked->refused.code;
    }
    if (code == copy->err.code) {
        if (err != NULL)
            *err = copy->err;
        return code;
    }
    if (code == TLSOCK_AGAIN)
        code = TLSOCK_E_HOOK;
    tsk_fail(err, code, "a policy's hook refuses \"%.200s\"", target);
    tsk_hint(err, "this process has rules of its own about connections");
    return code;
}

static int call(tlsock_config *copy, const char *target, int server)
{
    size_t n = atomic_load(&process.n);
    int rc = TLSOCK_OK;

    asking = 1;
    for (size_t i = 0; i < n && rc >= 0; i++)
        rc = process.hooks[i].call(target, server, copy, process.hooks[i].arg);
    asking = 0;
    return rc < 0 ? rc : copy->asked->refused.code;
}

/* Locked. NULL: not made yet. */
static struct tsk_ctx *known(const struct tsk_use *use, const char *changes)
{
    for (size_t i = 0; i < TSK_VARIANTS && i < use->n_variants; i++)
        if (strcmp(use->variants[i].changes, changes) == 0)
            return tsk_ctx_ref(use->variants[i].ctx);
    return NULL;
}

/* Locked. It is kept, if there is memory; the oldest one gives way. */
static void keep(struct tsk_use *use, const char *changes, struct tsk_ctx *ctx)
{
    struct tsk_variant *v = &use->variants[use->n_variants % TSK_VARIANTS];
    char *copy = tsk_strdup(changes);

    if (copy == NULL)
        return;
    tsk_free(v->changes);
    tsk_ctx_unref(v->ctx);
    v->changes = copy;
    v->ctx = tsk_ctx_ref(ctx);
    use->n_variants++;
}

/* *ctx becomes the one that obeys the changes, too. Built without the lock: a
 * second thread may do so as well, and the first one's is what both use. */
static int vary(tlsock_config *c, int server, tlsock_config *copy,
                struct tsk_ctx **ctx, tlsock_error *err)
{
    const char *changes = copy->asked->changes;
    struct tsk_use *use = &c->use[server];
    struct tsk_ctx *made, *other;

    pthread_mutex_lock(&c->lock);
    made = use->ctx == *ctx ? known(use, changes) : NULL;
    pthread_mutex_unlock(&c->lock);
    if (made == NULL) {
        made = tsk_box_build(copy->box, err);
        if (made == NULL)
            return err->code;
        pthread_mutex_lock(&c->lock);
        other = use->ctx == *ctx ? known(use, changes) : NULL;
        if (use->ctx == *ctx && other == NULL)
            keep(use, changes, made);
        pthread_mutex_unlock(&c->lock);
        if (other != NULL) {
            tsk_ctx_unref(made);
            made = other;
        }
    }
    tsk_ctx_unref(*ctx);
    *ctx = made;
    return TLSOCK_OK;
}

/* What a hook is handed: nothing is copied until it changes something. */
static tlsock_config *hand_out(const struct tsk_ctx *ctx)
{
    tlsock_config *copy = tsk_config_wrap(tsk_box_ref(tsk_box_of(ctx)));

    if (copy == NULL)
        return NULL;
    copy->asked = tsk_alloc(sizeof(*copy->asked));
    if (copy->asked != NULL)
        return copy;
    tlsock_config_unref(copy);
    return NULL;
}

int tsk_policy_ask(tlsock_config *config, int server, const char *target,
                   struct tsk_ctx **ctx, tlsock_error *err)
{
    tlsock_error why = {0};
    tlsock_config *copy;
    int rc;

    if (atomic_load(&process.n) == 0)
        return TLSOCK_OK;
    if (err == NULL)
        err = &why;
    if (asking) {
        tsk_fail(err, TLSOCK_E_POLICY,
                 "a policy's hook must not make connections");
        tsk_hint(err, "it would be asked about them in turn; see "
                      "tlsock_policy_on(3)");
        return TLSOCK_E_POLICY;
    }
    copy = hand_out(*ctx);
    if (copy == NULL)
        return tsk_fail_nomem(err);
    if (target == NULL)
        target = "";
    rc = call(copy, target, server);
    if (rc < 0)
        rc = refused(copy, rc, target, err);
    else if (copy->asked->changes != NULL)
        rc = vary(tsk_config_or_default(config), server, copy, ctx, err);
    if (rc < 0)
        tsk_log(tsk_ctx_settings(*ctx), NULL, err, "refused by a policy: %s",
                err->message);
    tlsock_config_unref(copy);
    return rc;
}
