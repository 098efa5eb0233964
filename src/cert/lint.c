#include "cert/lint.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/err.h>
#include <string.h>

static const struct tsk_lint_rule *const tables[] = {
    tsk_lint_chain,    tsk_lint_base,        tsk_lint_dates, tsk_lint_key,
    tsk_lint_rsa,      tsk_lint_subject,     tsk_lint_san,   tsk_lint_dns,
    tsk_lint_usage,    tsk_lint_constraints, tsk_lint_ext,   tsk_lint_critical,
    tsk_lint_pointers, tsk_lint_policies,    tsk_lint_sct,
};

const struct tsk_lint_rule *tsk_lint_rule_at(size_t i)
{
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        for (const struct tsk_lint_rule *r = tables[t]; r->code != NULL; r++)
            if (i-- == 0)
                return r;
    return NULL;
}

struct finding {
    const struct tsk_lint_rule *rule;
    int index;
    char *message;
};

struct found {
    struct finding *v;
    size_t n, room;
};

static int keep(struct found *f, const struct tsk_lint_rule *rule,
                const struct tsk_lint_cert *l)
{
    if (f->n == f->room) {
        size_t room = f->room != 0 ? 2 * f->room : 16;
        struct finding *v = tsk_realloc(f->v, room * sizeof(*v));

        if (v == NULL)
            return -1;
        f->v = v;
        f->room = room;
    }
    f->v[f->n].rule = rule;
    f->v[f->n].index = l->index;
    f->v[f->n].message = tsk_strdup(l->message);
    if (f->v[f->n].message == NULL)
        return -1;
    f->n++;
    return 0;
}

static int concerns(const struct tsk_lint_cert *l, int whom)
{
    switch (whom) {
    case LINT_CA:
        return l->ca;
    case LINT_END:
        return !l->ca;
    case LINT_SERVER:
        return l->server;
    case LINT_FIRST:
        return l->index == 0;
    case LINT_CHAIN:
        return l->index > 0;
    default:
        return 1;
    }
}

/* What OpenSSL could not do for want of memory looks like a fault of the
 * certificate. Its queue holds few: it is emptied after each rule. */
static int starved(const struct tsk_lint_cert *l)
{
    int now = tsk_ossl_starved();

    ERR_pop_to_mark();
    ERR_set_mark();
    return l->starved || now;
}

static int judge(struct found *f, struct tsk_lint_cert *l)
{
    if (starved(l))
        return -1;
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        for (const struct tsk_lint_rule *r = tables[t]; r->code != NULL; r++) {
            int bad = concerns(l, r->whom) && r->check(l, r->arg);

            if (starved(l) || (bad && keep(f, r, l) != 0))
                return -1;
        }
    return 0;
}

static int collect(struct found *f, const tlsock_cert *c, tlsock_error *err)
{
    int n = 1 + sk_X509_num(c->chain), rc = TLSOCK_OK;
    int64_t now = tsk_wall_time();

    for (int i = 0; rc == TLSOCK_OK && i < n && i < TSK_LINT_CERTS; i++) {
        struct tsk_lint_cert l;

        rc = tsk_lint_open(&l, c, i, now, err);
        if (rc == TLSOCK_OK && judge(f, &l) != 0)
            rc = tsk_fail_nomem(err);
        tsk_lint_close(&l);
    }
    return rc;
}

/* Worst first, else in the order found. */
static int tell(const struct found *f, tlsock_lint_fn *fn, void *arg)
{
    for (int severity = LINT_E; severity >= LINT_N; severity--) {
        for (size_t i = 0; i < f->n; i++) {
            const struct tsk_lint_rule *rule = f->v[i].rule;
            tlsock_lint one = {.size = sizeof(one),
                               .severity = severity,
                               .index = f->v[i].index,
                               .code = rule->code,
                               .message = f->v[i].message,
                               .hint = rule->hint,
                               .source = rule->source};
            int rc = rule->severity == severity ? fn(&one, arg) : 0;

            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

int tsk_cert_lint(const tlsock_cert *c, tlsock_lint_fn *fn, void *arg,
                  tlsock_error *err)
{
    struct found f = {0};
    int rc, errors = 0;

    tsk_ossl_enter();
    rc = collect(&f, c, err);
    tsk_ossl_leave();
    for (size_t i = 0; i < f.n; i++)
        errors += f.v[i].rule->severity == LINT_E;
    if (rc == TLSOCK_OK && fn != NULL)
        rc = tell(&f, fn, arg);
    for (size_t i = 0; i < f.n; i++)
        tsk_free(f.v[i].message);
    tsk_free(f.v);
    return rc == TLSOCK_OK ? errors : rc;
}
