/* What each rule of a policy makes of what a config asks for. */
#include "policy_help.h"

#define NUMBER(f) offsetof(struct tsk_settings, f), 0
#define TEXT(f) offsetof(struct tsk_settings, f), 1

static const struct row {
    const char *rule, *key, *value; /* key NULL: the config's default */
    int server;
    size_t offset;
    int is_text;
    int number;
    const char *text;
    int noted; /* -1: no matter */
    enum tsk_rule_kind kind;
} rows[] = {
    {"tls.min = 1.3", NULL, NULL, 0, NUMBER(tls_min), 0x0304, NULL, 1,
     TSK_RULE_TLS_MIN},
    {"tls.min = 1.3", "tls.min", "1.3", 0, NUMBER(tls_min), 0x0304, NULL, 0,
     TSK_RULE_TLS_MIN},
    {"tls.min = 1.2", "tls.min", "1.3", 0, NUMBER(tls_min), 0x0304, NULL, 0,
     TSK_RULE_TLS_MIN},
    {"verify.psl = on", "verify.psl", "off", 0, NUMBER(psl), 1, NULL, 1,
     TSK_RULE_PSL},
    {"verify.psl = on", NULL, NULL, 0, NUMBER(psl), 1, NULL, 0, TSK_RULE_PSL},
    {"verify.partial-chain = off", NULL, NULL, 0, NUMBER(partial_chain), 0,
     NULL, 1, TSK_RULE_PARTIAL_CHAIN},
    {"verify.partial-chain = off", "verify.partial-chain", "off", 0,
     NUMBER(partial_chain), 0, NULL, 0, TSK_RULE_PARTIAL_CHAIN},
    {"verify.purpose = server", "verify.purpose", "any", 0,
     NUMBER(verify_purpose), 0, NULL, 1, TSK_RULE_PURPOSE},
    {"pin.mode = require", NULL, NULL, 0, NUMBER(pin_mode), TSK_PIN_REQUIRE,
     NULL, 1, TSK_RULE_PIN_MODE},
    {"pin.mode = require", "pin.mode", "require-chain", 0, NUMBER(pin_mode),
     TSK_PIN_REQUIRE_CHAIN, NULL, 0, TSK_RULE_PIN_MODE},
    {"pin.mode = require-chain", "pin.mode", "require", 0, NUMBER(pin_mode),
     TSK_PIN_REQUIRE_CHAIN, NULL, 1, TSK_RULE_PIN_MODE},
    {"revocation = staple", "revocation", "off", 0, NUMBER(revocation),
     TSK_REVOKE_STAPLE, NULL, 1, TSK_RULE_REVOCATION},
    {"revocation = staple", "revocation", "full", 0, NUMBER(revocation),
     TSK_REVOKE_FULL, NULL, 0, TSK_RULE_REVOCATION},
    {"revocation = crl", "revocation", "crl", 0, NUMBER(revocation),
     TSK_REVOKE_CRL, NULL, 0, TSK_RULE_REVOCATION},
    {"revocation = crl", "revocation", "ocsp", 0, NUMBER(revocation),
     TSK_REVOKE_FULL, NULL, 1, TSK_RULE_REVOCATION},
    {"revocation = must-staple", "revocation", "crl", 0, NUMBER(revocation),
     TSK_REVOKE_FULL, NULL, 1, TSK_RULE_REVOCATION},
    {"revocation = full", "revocation", "off", 0, NUMBER(revocation),
     TSK_REVOKE_FULL, NULL, 1, TSK_RULE_REVOCATION},
    {"revocation = crl", "revocation.fail", "soft", 0, NUMBER(revocation_soft),
     0, NULL, 1, TSK_RULE_REVOCATION_FAIL},
    {"revocation = staple", "revocation.fail", "soft", 0,
     NUMBER(revocation_soft), 1, NULL, 0, TSK_RULE_REVOCATION_FAIL},
    {"revocation.fail = hard", "revocation.fail", "soft", 0,
     NUMBER(revocation_soft), 0, NULL, 1, TSK_RULE_REVOCATION_FAIL},
    {"client-auth = ask", NULL, NULL, 1, NUMBER(client_auth), TSK_CLIENT_ASK,
     NULL, 1, TSK_RULE_CLIENT_AUTH},
    {"client-auth = ask", "client-auth", "require", 1, NUMBER(client_auth),
     TSK_CLIENT_REQUIRE, NULL, 0, TSK_RULE_CLIENT_AUTH},
    {"client-auth = require", "client-auth", "ask", 1, NUMBER(client_auth),
     TSK_CLIENT_REQUIRE, NULL, 1, TSK_RULE_CLIENT_AUTH},
    {"client-auth = require", NULL, NULL, 0, NUMBER(client_auth),
     TSK_CLIENT_NONE, NULL, 0, TSK_RULE_CLIENT_AUTH},
    {"session = off", NULL, NULL, 0, NUMBER(session), 0, NULL, 1,
     TSK_RULE_SESSION},
    {"session = off", "session", "off", 0, NUMBER(session), 0, NULL, 0,
     TSK_RULE_SESSION},
    {"tickets = off", NULL, NULL, 1, NUMBER(tickets), 0, NULL, 1,
     TSK_RULE_TICKETS},
    {"starttls = required", "starttls", "opportunistic", 0,
     NUMBER(starttls_opportunistic), 0, NULL, 1, TSK_RULE_STARTTLS},
    {"starttls = required", NULL, NULL, 0, NUMBER(starttls_opportunistic), 0,
     NULL, 0, TSK_RULE_STARTTLS},
    {"truncation = refuse", "truncation", "allow", 0,
     NUMBER(truncation_allowed), 0, NULL, 1, TSK_RULE_TRUNCATION},
    {"groups = P-256:X448", "groups", "X25519:prime256v1", 0, TEXT(groups), 0,
     "prime256v1", 1, TSK_RULE_GROUPS},
    {"groups = P-384:X25519", NULL, NULL, 0, TEXT(groups), 0, "X25519:P-384", 1,
     TSK_RULE_GROUPS},
    {"groups = X25519:P-256", "groups", "P-256", 0, TEXT(groups), 0, "P-256", 0,
     TSK_RULE_GROUPS},
    {"ciphersuites = TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", NULL, NULL,
     0, TEXT(ciphersuites), 0, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256",
     1, TSK_RULE_CIPHERSUITES},
    {"sigalgs = rsa_pkcs1_sha256:ed25519", "sigalgs", "ECDSA+SHA256:RSA+SHA256",
     0, TEXT(sigalgs), 0, "RSA+SHA256", 1, TSK_RULE_SIGALGS},
    {"ciphers = ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
     "ciphers", "ECDHE+AESGCM", 0, TEXT(ciphers), 0,
     "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256", 1,
     TSK_RULE_CIPHERS},
    {"ciphers = ECDHE+CHACHA20", NULL, NULL, 0, TEXT(ciphers), 0,
     "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305", 1,
     TSK_RULE_CIPHERS},
};

static void check(const struct row *row, const struct tsk_settings *set)
{
    const char *at = (const char *)set + row->offset, *text;
    int number;

    if (row->is_text) {
        memcpy(&text, at, sizeof(text));
        assert_non_null(text);
        assert_string_equal(text, row->text);
    } else {
        memcpy(&number, at, sizeof(number));
        if (number != row->number)
            fail_msg("%s with %s: %d", row->rule, row->value, number);
    }
    if (row->noted && set->policy[row->kind] == NULL)
        fail_msg("%s: nobody knows why", row->rule);
    if (!row->noted && set->policy[row->kind] != NULL)
        fail_msg("%s with %s: blamed for nothing", row->rule, row->value);
    if (row->noted) {
        assert_tells(set->policy[row->kind], "p.conf:1: ");
        assert_tells(set->policy[row->kind], row->rule);
    }
}

static void each_rule_tightens_and_never_loosens(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *c = tlsock_config_new();
        tlsock_error err;
        struct tsk_ctx *ctx;

        forget(state);
        load(rows[i].rule);
        if (rows[i].key != NULL)
            assert_code(tlsock_config_set(c, rows[i].key, rows[i].value),
                        TLSOCK_OK);
        if (strncmp(rows[i].rule, "client-auth", 11) == 0)
            assert_code(tlsock_config_add_trust(c, "none"), TLSOCK_OK);
        ctx = use(c, rows[i].server, &err);
        if (ctx == NULL)
            fail_msg("%s: %s", rows[i].rule, err.message);
        check(&rows[i], tsk_ctx_settings(ctx));
        tsk_ctx_unref(ctx);
        tlsock_config_unref(c);
    }
}

static void what_is_forbidden_is_refused_and_named(void **state)
{
    static const struct {
        const char *rule, *key, *value, *tells;
    } cases[] = {
        {"insecure = forbid", "insecure", "no-name: lab box", "no-name: lab"},
        {"insecure = forbid", "insecure", "expired: lab box", "expired: lab"},
        {"trust = system", "insecure", "no-chain: lab box", "no-chain"},
        {"trust = system", "insecure", "self-signed: lab box", "self-signed"},
        {"trust = none", "insecure", "all: lab box", "all"},
        {"trust = system", "dane", "on", "dane"},
        {"keylog = forbid", "keylog", "keys.log", "keys.log"},
        {"verify.time = now", "verify.time", "1000000000", "verify.time"},
        {"tls.min = 1.3", "tls.max", "1.2", "tls.max = 1.2"},
        {"groups = X448", NULL, NULL, "the default"},
        {"groups = X448", "groups", "P-256", "P-256"},
        {"ciphers = ECDHE+CHACHA20", "ciphers", "ECDHE+AESGCM", "AESGCM"},
        {"ciphersuites = TLS_AES_128_CCM_SHA256", NULL, NULL, "the default"},
        {"sigalgs = ed448", "sigalgs", "ed25519", "ed25519"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        tlsock_config *c = tlsock_config_new();
        tlsock_error err;

        if (strcmp(cases[i].rule, "trust = system") == 0 &&
            cases[i].key != NULL && strcmp(cases[i].key, "dane") == 0 &&
            !tlsock_has("dane")) {
            tlsock_config_unref(c); /* nothing to forbid: it says so itself */
            continue;
        }
        forget(state);
        load(cases[i].rule);
        if (cases[i].key != NULL)
            assert_code(tlsock_config_set(c, cases[i].key, cases[i].value),
                        TLSOCK_OK);
        assert_null(use(c, 0, &err));
        assert_code(err.code, TLSOCK_E_POLICY);
        assert_tells(err.message, "p.conf:1: ");
        assert_tells(err.message, cases[i].rule);
        assert_tells(err.message, cases[i].tells);
        assert_true(err.hint[0] != '\0');
        assert_int_equal(err.phase, TLSOCK_PHASE_CONFIG);
        /* it was the config that was refused, and it can be mended */
        assert_code(tlsock_config_set(c, "tls.min", "1.2"), TLSOCK_OK);
        tlsock_config_unref(c);
    }
}

/* There is no connection of this config, and the message says why. */
static void refused(tlsock_config *c, const char *tells)
{
    tlsock_error err;

    assert_null(use(c, 0, &err));
    assert_code(err.code, TLSOCK_E_POLICY);
    assert_tells(err.message, tells);
}

/* What a connection of it would have. */
static struct tsk_ctx *used(tlsock_config *c, int server)
{
    tlsock_error err;
    struct tsk_ctx *ctx = use(c, server, &err);

    if (ctx == NULL)
        fail_msg("%s", err.message);
    return ctx;
}

static void without_the_wish_a_ban_harms_nobody(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx;

    (void)state;
    load("insecure = forbid\nkeylog = forbid\nverify.time = now\n");
    ctx = used(c, 0);
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

static int keylog_hook(const tlsock_event *e, void *arg)
{
    (void)e;
    (void)arg;
    return 0;
}

static void a_hook_for_secrets_is_a_keylog_too(void **state)
{
    tlsock_config *c = tlsock_config_new();

    (void)state;
    load("keylog = forbid");
    c->box->set.on[TLSOCK_ON_KEYLOG].call = keylog_hook;
    refused(c, "TLSOCK_ON_KEYLOG");
    tlsock_config_unref(c);
}

static void pre_shared_keys_can_be_forbidden(void **state)
{
    tlsock_config *c = tlsock_config_new();

    (void)state;
    load("psk = forbid");
    assert_code(tlsock_config_add_psk(c, "x", "0123456789abcdef", 16),
                TLSOCK_OK);
    refused(c, "p.conf:1: psk = forbid");
    tlsock_config_unref(c);
}

static void a_forced_store_replaces_all_others(void **state)
{
    tlsock_config *c = tlsock_config_new();
    const struct tsk_settings *set;
    struct tsk_ctx *ctx;
    char rule[512], cwd[300];

    (void)state;
    snprintf(rule, sizeof(rule), "trust = system , %.300s/%.100s",
             getcwd(cwd, sizeof(cwd)), help_path("a.pem"));
    load(rule);
    assert_code(tlsock_config_add_trust(c, help_path("b.pem")), TLSOCK_OK);
    assert_code(tlsock_config_add_pin(c, "sha256:0123456789abcdef0123456789abc"
                                         "def0123456789abcdef0123456789abcdef"),
                TLSOCK_OK);
    ctx = used(c, 0);
    set = tsk_ctx_settings(ctx);
    assert_int_equal(set->n_trust, 2);
    assert_string_equal(set->trust[0], "system");
    assert_tells(set->trust[1], "/a.pem");
    assert_int_equal(set->pin_mode, TSK_PIN_REQUIRE_CHAIN);
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

static void two_policies_force_one_store_or_none(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx;

    (void)state;
    load("trust = system");
    load("trust = system");
    ctx = used(c, 0);
    assert_non_null(tsk_ctx_settings(ctx)->policy[TSK_RULE_TRUST]);
    tsk_ctx_unref(ctx);
    load("# another\ntrust = none");
    refused(c, "p.conf:1: trust = system");
    refused(c, "p.conf:2: trust = none");
    tlsock_config_unref(c);
}

static void the_strictest_of_several_counts(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx;

    (void)state;
    load("tls.min = 1.3\ngroups = P-256:P-384");
    load("tls.min = 1.2\ngroups = P-384:X25519");
    ctx = used(c, 0);
    assert_int_equal(tsk_ctx_settings(ctx)->tls_min, 0x0304);
    assert_string_equal(tsk_ctx_settings(ctx)->groups, "P-384");
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

static void sections_are_for_one_side(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *client, *server;
    tlsock_error err;

    (void)state;
    load("session = off\n[client]\ntls.min = 1.3\n[server]\ntickets = off\n");
    client = used(c, 0);
    tlsock_config_unref(c);
    c = tlsock_config_new();
    server = used(c, 1);
    assert_int_equal(tsk_ctx_settings(client)->tls_min, 0x0304);
    assert_int_equal(tsk_ctx_settings(client)->tickets, 1);
    assert_int_equal(tsk_ctx_settings(server)->tls_min, 0x0303);
    assert_int_equal(tsk_ctx_settings(server)->tickets, 0);
    assert_int_equal(tsk_ctx_settings(server)->session, 0);
    tsk_ctx_unref(client);
    tsk_ctx_unref(server);
    /* one config on both sides has two snapshots then */
    assert_int_equal(tsk_config_snapshot(c, 0, &client, &err), 0);
    assert_int_equal(tsk_config_snapshot(c, 1, &server, &err), 0);
    assert_ptr_not_equal(client, server);
    tsk_ctx_unref(client);
    tsk_ctx_unref(server);
    tlsock_config_unref(c);
}

static void both_sides_share_what_is_the_same(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *client = NULL, *server;
    tlsock_error err;

    (void)state;
    load("tls.min = 1.3");
    server = used(c, 1);
    assert_int_equal(tsk_config_snapshot(c, 0, &client, &err), 0);
    assert_ptr_equal(client, server);
    tsk_ctx_unref(client);
    tsk_ctx_unref(server);
    tlsock_config_unref(c);
}

static void a_config_in_use_obeys_a_later_policy(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *before, *after, *again;

    (void)state;
    assert_code(tlsock_config_set(c, "insecure", "no-name: lab"), TLSOCK_OK);
    before = used(c, 0);
    load("tls.min = 1.3");
    after = used(c, 0);
    assert_int_equal(tsk_ctx_settings(before)->tls_min, 0x0303);
    assert_int_equal(tsk_ctx_settings(after)->tls_min, 0x0304);
    again = used(c, 0); /* and is not built for each connection */
    assert_ptr_equal(again, after);
    assert_code(tlsock_config_set(c, "tls.min", "1.2"), TLSOCK_E_FROZEN);
    assert_code(tlsock_config_check(c), TLSOCK_OK);
    load("insecure = forbid");
    refused(c, "p.conf:1: insecure = forbid");
    assert_code(tlsock_config_check(c), TLSOCK_E_POLICY);
    assert_code(tlsock_config_reload(c), TLSOCK_E_POLICY);
    tsk_ctx_unref(before);
    tsk_ctx_unref(after);
    tsk_ctx_unref(again);
    tlsock_config_unref(c);
}

static void a_copy_has_what_was_asked_for_and_obeys_itself(void **state)
{
    tlsock_config *c = tlsock_config_new(), *copy;
    struct tsk_ctx *ctx;

    (void)state;
    load("tls.min = 1.3");
    ctx = used(c, 0);
    copy = tlsock_config_copy(c);
    assert_int_equal(copy->box->set.tls_min, 0x0303);
    tsk_ctx_unref(ctx);
    ctx = used(copy, 0);
    assert_int_equal(tsk_ctx_settings(ctx)->tls_min, 0x0304);
    tsk_ctx_unref(ctx);
    tlsock_config_unref(copy);
    tlsock_config_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_rule_tightens_and_never_loosens),
        T(what_is_forbidden_is_refused_and_named),
        T(without_the_wish_a_ban_harms_nobody),
        T(a_hook_for_secrets_is_a_keylog_too),
        T(pre_shared_keys_can_be_forbidden),
        T(a_forced_store_replaces_all_others),
        T(two_policies_force_one_store_or_none),
        T(the_strictest_of_several_counts),
        T(sections_are_for_one_side),
        T(both_sides_share_what_is_the_same),
        T(a_config_in_use_obeys_a_later_policy),
        T(a_copy_has_what_was_asked_for_and_obeys_itself),
    };

    return cmocka_run_group_tests_name("policy", tests, help_setup,
                                       policy_teardown);
}
