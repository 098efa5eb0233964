#include "api/hostset.h"

#include "api/config_box.h"
#include "api/options.h"
#include "core/mem.h"
#include "core/str.h"
#include "tls/hostset.h"

#include <string.h>

static const char *const keys[] = {"ciphers", "ciphersuites", "client-auth",
                                   "client-auth.allow", "trust"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int known_key(const char *key, size_t len)
{
    for (size_t i = 0; i < COUNT(keys); i++)
        if (strlen(keys[i]) == len && memcmp(keys[i], key, len) == 0)
            return 1;
    return 0;
}

/* As the key was written, without its host. */
static int plain_key(char out[32], const char *key, const char *at,
                     tlsock_error *err)
{
    size_t len = (size_t)(at - key);
    char shown[64];

    if (len < 32 && known_key(key, len)) {
        memcpy(out, key, len);
        out[len] = '\0';
        return TLSOCK_OK;
    }
    tsk_printable(shown, sizeof(shown), key, strlen(key));
    tsk_fail(err, TLSOCK_E_OPTION, "\"%s\": no such option of one host",
             shown);
    tsk_hint(err, "one host may have its own ciphers, ciphersuites, "
                  "client-auth, client-auth.allow and trust: "
                  "ciphers@shop.example");
    return TLSOCK_E_OPTION;
}

/* The host's, made if it was not there; NULL: no memory. */
static struct tsk_host_set *host_of(struct tsk_settings *set, const char *name)
{
    struct tsk_host_set *more;

    for (size_t i = 0; i < set->n_host_sets; i++)
        if (strcmp(set->host_sets[i].name, name) == 0)
            return &set->host_sets[i];
    more = tsk_realloc(set->host_sets,
                       (set->n_host_sets + 1) * sizeof(*more));
    if (more == NULL)
        return NULL;
    set->host_sets = more;
    more += set->n_host_sets;
    *more = (struct tsk_host_set){.name = tsk_strdup(name), .client_auth = -1};
    if (more->name == NULL)
        return NULL;
    set->n_host_sets++;
    return more;
}

/* What the table's parsers and setters work on: the host's values alone. */
static void lend(const struct tsk_host_set *h, struct tsk_settings *to)
{
    memset(to, 0, sizeof(*to));
    to->tls_min = 0x0303;
    to->ciphers = h->ciphers;
    to->ciphersuites = h->ciphersuites;
    to->client_auth = h->client_auth;
    to->allow = h->allow;
    to->trust = h->trust;
    to->n_trust = h->n_trust;
}

static void take_back(struct tsk_host_set *h, const struct tsk_settings *from)
{
    h->ciphers = from->ciphers;
    h->ciphersuites = from->ciphersuites;
    h->client_auth = from->client_auth;
    h->allow = from->allow;
    h->trust = from->trust;
    h->n_trust = from->n_trust;
}

int tsk_hostset_option(struct tsk_settings *set, const char *key,
                       const char *value, tlsock_error *err)
{
    const char *at = strchr(key, '@');
    struct tsk_settings lent;
    struct tsk_host_set *h;
    char plain[32], name[256];
    int rc = plain_key(plain, key, at, err);

    if (rc == TLSOCK_OK)
        rc = tsk_settings_host_name(name, at + 1, err);
    if (rc == TLSOCK_OK && name[0] == '\0') {
        rc = tsk_fail(err, TLSOCK_E_OPTION, "%s: no host behind the @", key);
        tsk_hint(err, "%s alone is for all hosts that have none of their own",
                 plain);
    }
    if (rc < 0)
        return rc == TLSOCK_E_ARGUMENT && err != NULL
                   ? (err->code = TLSOCK_E_OPTION)
                   : rc;
    h = host_of(set, name);
    if (h == NULL)
        return tsk_fail_nomem(err);
    lend(h, &lent);
    rc = strcmp(plain, "trust") == 0
             ? tsk_settings_trust(&lent, value, err)
             : tsk_option_set(&lent, plain, value, err);
    take_back(h, &lent);
    return rc;
}

static void free_one(struct tsk_host_set *h)
{
    tsk_free(h->name);
    tsk_free(h->ciphers);
    tsk_free(h->ciphersuites);
    tsk_allow_unref(h->allow);
    for (size_t i = 0; i < h->n_trust; i++)
        tsk_free(h->trust[i]);
    tsk_free(h->trust);
}

void tsk_hostset_free(struct tsk_settings *set)
{
    for (size_t i = 0; i < set->n_host_sets; i++)
        free_one(&set->host_sets[i]);
    tsk_free(set->host_sets);
}

static int copy_text(char **to, const char *from)
{
    *to = from != NULL ? tsk_strdup(from) : NULL;
    return from == NULL || *to != NULL;
}

static int copy_one(struct tsk_host_set *to, const struct tsk_host_set *from)
{
    to->client_auth = from->client_auth;
    to->allow = tsk_allow_ref(from->allow);
    if (!copy_text(&to->name, from->name) ||
        !copy_text(&to->ciphers, from->ciphers) ||
        !copy_text(&to->ciphersuites, from->ciphersuites))
        return TLSOCK_E_NOMEM;
    if (from->n_trust == 0)
        return TLSOCK_OK;
    to->trust = tsk_alloc(from->n_trust * sizeof(*to->trust));
    if (to->trust == NULL)
        return TLSOCK_E_NOMEM;
    for (; to->n_trust < from->n_trust; to->n_trust++)
        if (!copy_text(&to->trust[to->n_trust], from->trust[to->n_trust]))
            return TLSOCK_E_NOMEM;
    return TLSOCK_OK;
}

int tsk_hostset_copy(struct tsk_settings *to, const struct tsk_settings *from)
{
    if (from->n_host_sets == 0)
        return TLSOCK_OK;
    to->host_sets = tsk_alloc(from->n_host_sets * sizeof(*to->host_sets));
    if (to->host_sets == NULL)
        return TLSOCK_E_NOMEM;
    for (size_t i = 0; i < from->n_host_sets; i++) {
        to->n_host_sets++;
        if (copy_one(&to->host_sets[i], &from->host_sets[i]) < 0)
            return TLSOCK_E_NOMEM;
    }
    return TLSOCK_OK;
}

/* Has the host a value of its own for what the rule is about? */
static int concerns(enum tsk_rule_kind kind, const struct tsk_host_set *h)
{
    switch (kind) {
    case TSK_RULE_CIPHERS:
        return h->ciphers != NULL;
    case TSK_RULE_CIPHERSUITES:
        return h->ciphersuites != NULL;
    case TSK_RULE_CLIENT_AUTH:
        return h->client_auth >= 0;
    case TSK_RULE_TRUST:
        return h->n_trust != 0;
    default:
        return 0;
    }
}

int tsk_hostset_apply(const struct tsk_rule *rule, struct tsk_settings *set,
                      const char *note, tlsock_error *err)
{
    enum tsk_rule_kind kind = rule->row->kind;
    int rc = TLSOCK_OK;

    for (size_t i = 0; i < set->n_host_sets && rc == TLSOCK_OK; i++) {
        struct tsk_host_set *h = &set->host_sets[i];
        struct tsk_settings lent;

        if (!concerns(kind, h))
            continue;
        lend(h, &lent);
        rc = rule->row->apply(rule, &lent, note, err);
        take_back(h, &lent);
        if (lent.policy[kind] != NULL)
            set->policy[kind] = note;
    }
    return rc;
}
