#include "api/policy_rules.h"

#include "api/hostset.h"
#include "api/options.h"
#include "api/policy_trust.h"
#include "core/mem.h"
#include "core/str.h"

#include <pthread.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define APPLY(name)                                                            \
    static int name(const struct tsk_rule *rule, struct tsk_settings *set,     \
                    const char *note, tlsock_error *err)

static void *field(const struct tsk_rule *rule, struct tsk_settings *set)
{
    return (char *)set + rule->row->offset;
}

static int number_in(const struct tsk_rule *rule,
                     const struct tsk_settings *set)
{
    int n;

    memcpy(&n, (const char *)set + rule->row->offset, sizeof(n));
    return n;
}

static int change(const struct tsk_rule *rule, struct tsk_settings *set,
                  const char *note, int to)
{
    if (number_in(rule, set) == to)
        return TLSOCK_OK;
    memcpy(field(rule, set), &to, sizeof(to));
    set->policy[rule->row->kind] = note;
    return TLSOCK_OK;
}

/* What the code asked for is what is forbidden, so it is told. */
static int refuse(const char *note, tlsock_error *err, const char *what,
                  const char *value)
{
    char shown[100];

    tsk_printable(shown, sizeof(shown), value, strlen(value));
    tsk_fail(err, TLSOCK_E_POLICY, "%s: the config asks for %s%s", note, what,
             shown);
    tsk_hint(err, "do without it, or ask whoever keeps that policy to change "
                  "it: no program can");
    return TLSOCK_E_POLICY;
}

APPLY(exact)
{
    (void)err;
    return change(rule, set, note, rule->number);
}

APPLY(least)
{
    if (number_in(rule, set) < rule->number)
        change(rule, set, note, rule->number);
    if (rule->row->kind == TSK_RULE_TLS_MIN && set->tls_max != 0 &&
        set->tls_min > set->tls_max)
        return refuse(note, err,
                      "tls.max = ", set->tls_max == 0x0303 ? "1.2" : "less");
    return TLSOCK_OK;
}

/* The weakest demand that is as strong as both. */
static int join(int a, int b)
{
    int low = a < b ? a : b, high = a < b ? b : a;

    if (low == high || low <= TSK_REVOKE_STAPLE)
        return high;
    return TSK_REVOKE_FULL;
}

APPLY(revocation)
{
    (void)err;
    if (rule->number >= TSK_REVOKE_MUST_STAPLE && set->revocation_soft) {
        set->revocation_soft = 0;
        set->policy[TSK_RULE_REVOCATION_FAIL] = note;
    }
    return change(rule, set, note, join(set->revocation, rule->number));
}

APPLY(list)
{
    char *mine, *common;

    memcpy(&mine, field(rule, set), sizeof(mine));
    common = tsk_rule_common(rule->row->kind, mine, rule->text, err);
    if (common == NULL) {
        if (err == NULL || err->code != TLSOCK_E_POLICY)
            return err != NULL ? err->code : TLSOCK_E_POLICY;
        return refuse(note, err, "nothing of that, but for ",
                      mine != NULL ? mine : "the default");
    }
    if (mine == NULL || strcmp(mine, common) != 0)
        set->policy[rule->row->kind] = note;
    tsk_free(mine);
    memcpy(field(rule, set), &common, sizeof(common));
    return TLSOCK_OK;
}

APPLY(trust)
{
    const unsigned any =
        TSK_INSECURE_NO_CHAIN | TSK_INSECURE_SELF_SIGNED | TSK_INSECURE_ALL;
    int same = tsk_policy_trust_is(set, rule->text), rc;

    if (same < 0)
        return tsk_fail_nomem(err);
    if (set->insecure & any)
        return refuse(note, err, "insecure = ",
                      set->insecure_text != NULL ? set->insecure_text : "?");
    if (set->dane != TSK_DANE_OFF)
        return refuse(note, err, "dane", ", which may do without a store");
    if (!same && set->policy[TSK_RULE_TRUST] != NULL) {
        tsk_fail(err, TLSOCK_E_POLICY, "%s: another store is forced by %s",
                 note, set->policy[TSK_RULE_TRUST]);
        tsk_hint(err, "one store can be forced, and both rules have to name "
                      "it alike");
        return TLSOCK_E_POLICY;
    }
    rc = same ? TLSOCK_OK : tsk_policy_trust_put(set, rule->text, err);
    if (rc < 0)
        return rc;
    set->policy[TSK_RULE_TRUST] = note; /* pins alone do not do any more */
    if (set->n_pins != 0 && set->pin_mode != TSK_PIN_REQUIRE_CHAIN) {
        set->pin_mode = TSK_PIN_REQUIRE_CHAIN;
        set->policy[TSK_RULE_PIN_MODE] = note;
    }
    return TLSOCK_OK;
}

APPLY(no_insecure)
{
    (void)rule;
    if (set->insecure != 0)
        return refuse(note, err, "insecure = ",
                      set->insecure_text != NULL ? set->insecure_text : "?");
    set->policy[TSK_RULE_INSECURE] = note; /* hooks must not accept either */
    return TLSOCK_OK;
}

APPLY(no_time)
{
    (void)rule;
    return set->verify_time == 0
               ? TLSOCK_OK
               : refuse(note, err, "verify.time", ", which is not now");
}

APPLY(no_psk)
{
    (void)rule;
    return set->n_psks == 0 ? TLSOCK_OK
                            : refuse(note, err, "pre-shared keys", "");
}

APPLY(no_keylog)
{
    (void)rule;
    if (set->keylog != NULL)
        return refuse(note, err, "keylog = ", set->keylog);
    return set->on[TLSOCK_ON_KEYLOG].call == NULL
               ? TLSOCK_OK
               : refuse(note, err, "a hook", " of TLSOCK_ON_KEYLOG");
}

APPLY(no_trace)
{
    (void)rule;
    (void)err;
    set->policy[TSK_RULE_TRACE] = note;
    return TLSOCK_OK;
}

static const struct tsk_rulerow rows[] = {
#define POLICY(key, values, kind, first, apply, field, side, help)             \
    {key,                                                                      \
     values,                                                                   \
     TSK_RULE_##kind,                                                          \
     first,                                                                    \
     apply,                                                                    \
     offsetof(struct tsk_settings, field),                                     \
     TSK_SIDE_##side,                                                          \
     help},
#include "api/policy.def"
#undef POLICY
};

static char keys[512];
static pthread_once_t keys_once = PTHREAD_ONCE_INIT;

static void gather_keys(void)
{
    size_t pos = 0;

    for (size_t i = 0; i < COUNT(rows); i++)
        tsk_append(keys, sizeof(keys), &pos, "%s%s", i != 0 ? ", " : "",
                   rows[i].key);
}

static const char *rule_keys(void)
{
    pthread_once(&keys_once, gather_keys);
    return keys;
}

static int unknown(const char *key, tlsock_error *err)
{
    char shown[64];

    tsk_printable(shown, sizeof(shown), key, strlen(key));
    tsk_fail(err, TLSOCK_E_OPTION, "%s \"%s\"",
             tsk_option_find(key) != NULL ? "a policy cannot tighten"
                                          : "a policy has no key",
             shown);
    tsk_hint(err, "valid keys: %s", rule_keys());
    return TLSOCK_E_OPTION;
}

static int bad_value(const struct tsk_rulerow *row, const char *value,
                     tlsock_error *err)
{
    char shown[80];

    tsk_printable(shown, sizeof(shown), value, strlen(value));
    tsk_fail(err, TLSOCK_E_OPTION, "%s: \"%s\" does not tighten it; valid: %s",
             row->key, shown, row->values);
    tsk_hint(err, "%s: %s", row->key, row->help);
    return TLSOCK_E_OPTION;
}

/* Lists are judged as the option is. Names that only other releases of OpenSSL
 * know are right: what is not there is in no list. */
static int parse_list(struct tsk_rule *rule, const char *value,
                      tlsock_error *err)
{
    struct tsk_settings scratch = {0};
    char *text;
    int rc = tsk_option_set(&scratch, rule->row->key, value, err);

    memcpy(&text, field(rule, &scratch), sizeof(text));
    tsk_free(text);
    if (rc < 0 && rc != TLSOCK_E_UNSUPPORTED)
        return rc;
    tsk_clear(err);
    rule->text = tsk_strdup(value);
    return rule->text != NULL ? TLSOCK_OK : tsk_fail_nomem(err);
}

static int parse_trust(struct tsk_rule *rule, const char *value,
                       tlsock_error *err)
{
    int rc = tsk_policy_trust_check(value, err);

    if (rc < 0)
        return rc;
    rule->text = tsk_strdup(value);
    return rule->text != NULL ? TLSOCK_OK : tsk_fail_nomem(err);
}

/* The place of the value in "a|b|c". */
static int parse_choice(struct tsk_rule *rule, const char *value,
                        tlsock_error *err)
{
    const char *p = rule->row->values;

    for (int at = 0;; at++) {
        size_t len = strcspn(p, "|");

        if (strlen(value) == len && memcmp(value, p, len) == 0) {
            rule->number = rule->row->first + at;
            return TLSOCK_OK;
        }
        if (p[len] == '\0')
            return bad_value(rule->row, value, err);
        p += len + 1;
    }
}

int tsk_rule_parse(struct tsk_rule *rule, const char *key, const char *value,
                   int sides, tlsock_error *err)
{
    memset(rule, 0, sizeof(*rule));
    for (size_t i = 0; i < COUNT(rows) && rule->row == NULL; i++)
        if (strcmp(rows[i].key, key) == 0)
            rule->row = &rows[i];
    if (rule->row == NULL)
        return unknown(key, err);
    rule->sides = sides & rule->row->sides;
    if (rule->sides == 0) {
        tsk_fail(err, TLSOCK_E_OPTION, "%s has no meaning for a %s", key,
                 sides == TSK_SIDE_SERVER ? "server" : "client");
        tsk_hint(err, "%s: %s", key, rule->row->help);
        return TLSOCK_E_OPTION;
    }
    if (rule->row->apply == list)
        return parse_list(rule, value, err);
    if (rule->row->apply == trust)
        return parse_trust(rule, value, err);
    return parse_choice(rule, value, err);
}

void tsk_rule_free(struct tsk_rule *rule)
{
    tsk_free(rule->text);
    rule->text = NULL;
}

int tsk_rule_apply(const struct tsk_rule *rule, struct tsk_settings *set,
                   const char *note, tlsock_error *err)
{
    tlsock_error why = {0};

    int rc;

    if (err == NULL)
        err = &why;
    rc = rule->row->apply(rule, set, note, err);
    return rc == TLSOCK_OK ? tsk_hostset_apply(rule, set, note, err) : rc;
}

int tsk_rule_looser(const struct tsk_rule *rule, const struct tsk_settings *set)
{
    if (rule->row->apply == least)
        return rule->number < number_in(rule, set);
    return rule->row->apply == revocation && rule->number != set->revocation &&
           join(set->revocation, rule->number) == set->revocation;
}

#define BIT(kind) (1u << TSK_RULE_##kind)
#define LISTS (BIT(CIPHERS) | BIT(CIPHERSUITES) | BIT(GROUPS) | BIT(SIGALGS))
#define PEER (BIT(TRUST) | BIT(PARTIAL_CHAIN) | BIT(PIN_MODE))

static const struct {
    int code;
    unsigned kinds;
} causes[] = {
    {TLSOCK_E_VERSION_UNSUPPORTED, BIT(TLS_MIN)},
    {TLSOCK_E_NO_COMMON_PARAMETERS, BIT(TLS_MIN) | LISTS},
    {TLSOCK_E_CHAIN_INCOMPLETE, PEER},
    {TLSOCK_E_UNTRUSTED_ROOT, PEER},
    {TLSOCK_E_TRUST_STORE, BIT(TRUST)},
    {TLSOCK_E_PIN, BIT(PIN_MODE)},
    {TLSOCK_E_NO_NAME, BIT(PIN_MODE)},
    {TLSOCK_E_NAME_MISMATCH, BIT(PSL) | BIT(PIN_MODE)},
    {TLSOCK_E_EXPIRED, BIT(PIN_MODE)},
    {TLSOCK_E_NOT_YET_VALID, BIT(PIN_MODE)},
    {TLSOCK_E_PURPOSE, BIT(PURPOSE) | BIT(PIN_MODE)},
    {TLSOCK_E_REVOKED, BIT(REVOCATION)},
    {TLSOCK_E_REVOCATION_UNKNOWN, BIT(REVOCATION) | BIT(REVOCATION_FAIL)},
    {TLSOCK_E_STAPLE, BIT(REVOCATION)},
    {TLSOCK_E_MUST_STAPLE, BIT(REVOCATION)},
    {TLSOCK_E_CLIENT_CERT_MISSING, BIT(CLIENT_AUTH)},
    {TLSOCK_E_TRUNCATED, BIT(TRUNCATION)},
    {TLSOCK_E_STARTTLS_UNAVAILABLE, BIT(STARTTLS)},
};

void tsk_rule_explain(const struct tsk_settings *set, tlsock_error *err)
{
    static const char begins[] = "a policy is in force, ";
    char was[sizeof(err->hint)];
    unsigned kinds = 0;

    if (err == NULL || strncmp(err->hint, begins, sizeof(begins) - 1) == 0)
        return;
    for (size_t i = 0; i < COUNT(causes); i++)
        if (causes[i].code == err->code)
            kinds = causes[i].kinds;
    for (int kind = 0; kind < TSK_RULE_KINDS; kind++) {
        if ((kinds >> kind & 1) == 0 || set->policy[kind] == NULL)
            continue;
        memcpy(was, err->hint, sizeof(was));
        tsk_hint(err, "%s%s; %s", begins, set->policy[kind], was);
        return;
    }
}
