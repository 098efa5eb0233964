/* Policies on connections: what fails because of a rule names it. */
#include "policies.h"

/* Both ends in one process obey the same policy, so rules are one-sided. */
static const struct {
    const char *name, *rule;
    const char *ckey, *cvalue, *skey, *svalue;
    int client, server;
    const char *tells;
} failures[] = {
    {"version", "[client]\ntls.min = 1.3", NULL, NULL, "tls.max", "1.2",
     TLSOCK_E_VERSION_UNSUPPORTED, TLSOCK_E_VERSION_UNSUPPORTED,
     "policy.conf:2: tls.min = 1.3"},
    {"groups", "[client]\ngroups = X25519", NULL, NULL, "groups", "P-256",
     TLSOCK_E_NO_COMMON_PARAMETERS, TLSOCK_E_NO_COMMON_PARAMETERS,
     "policy.conf:2: groups = X25519"},
    {"store", "[client]\ntrust = none", NULL, NULL, NULL, NULL,
     TLSOCK_E_CHAIN_INCOMPLETE, 0, "policy.conf:2: trust = none"},
    {"pin", "[client]\npin.mode = require", NULL, NULL, NULL, NULL,
     TLSOCK_E_PIN, 0, "policy.conf:2: pin.mode = require"},
    {"staple", "[client]\nrevocation = must-staple", "revocation", "off", NULL,
     NULL, TLSOCK_E_MUST_STAPLE, 0, "policy.conf:2: revocation = must-staple"},
    {"client", "[server]\nclient-auth = require", "tls.max", "1.2", NULL, NULL,
     0, TLSOCK_E_CLIENT_CERT_MISSING, "policy.conf:2: client-auth = require"},
};

static void a_failure_names_the_rule_it_comes_from(void **state)
{
    for (size_t i = 0; i < COUNT(failures); i++) {
        tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
        struct peer p;
        int side = failures[i].client != 0 ? CLIENT : SERVER;

        policies_forget(state);
        policies_load(failures[i].rule);
        if (failures[i].ckey != NULL)
            assert_code(
                tlsock_config_set(cc, failures[i].ckey, failures[i].cvalue),
                TLSOCK_OK);
        if (failures[i].skey != NULL)
            assert_code(
                tlsock_config_set(sc, failures[i].skey, failures[i].svalue),
                TLSOCK_OK);
        peer_init(&p);
        assert_code(peer_open(&p, cc, sc, "a.test"), TLSOCK_OK);
        peer_shake(&p);
        if (failures[i].client != 0)
            assert_code(p.rc[CLIENT], failures[i].client);
        if (failures[i].server != 0)
            assert_code(p.rc[SERVER], failures[i].server);
        assert_tells(p.err[side].hint, "a policy is in force, ");
        assert_tells(p.err[side].hint, failures[i].tells);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_failure_of_its_own_blames_no_policy(void **state)
{
    tlsock_config *cc = ca_client("tls.min", "1.3", NULL);
    tlsock_config *sc = ca_server(ca_get()->a, "tls.max", "1.2", NULL);
    struct peer p;

    (void)state;
    policies_load("[client]\ntls.min = 1.3\n");
    peer_init(&p);
    assert_code(peer_open(&p, cc, sc, "a.test"), TLSOCK_OK);
    peer_shake(&p);
    assert_code(p.rc[CLIENT], TLSOCK_E_VERSION_UNSUPPORTED);
    assert_null(strstr(p.err[CLIENT].hint, "policy"));
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_cut_stream_names_the_rule(void **state)
{
    tlsock_config *cc = ca_client("truncation", "allow", NULL);
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    char byte;

    (void)state;
    policies_load("truncation = refuse\n");
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_pingpong(&p);
    p.pipes[SERVER].ended = 1;
    assert_code(tlsock_read(p.conn[CLIENT], &byte, 1), TLSOCK_E_TRUNCATED);
    assert_tells(tlsock_last_error(p.conn[CLIENT])->hint,
                 "policy.conf:1: truncation = refuse");
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_pin_needs_a_name_where_the_chain_counts(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    tlsock_error err;

    (void)state;
    assert_code(tlsock_config_add_pin(
                    cc, tlsock_cert_field(ca_get()->a, TLSOCK_CERT_SHA256)),
                TLSOCK_OK);
    policies_load("pin.mode = require-chain\n");
    assert_null(
        tlsock_connect("127.0.0.1:9", cc, TLSOCK_OPTS(.name = ""), &err));
    assert_code(err.code, TLSOCK_E_NO_NAME);
    tlsock_config_unref(cc);
}

static void a_pin_stands_in_for_nothing_any_more(void **state)
{
    tlsock_config *cc = tlsock_config_new();
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    char rule[200];

    (void)state;
    assert_code(tlsock_config_add_pin(
                    cc, tlsock_cert_field(ca_get()->a, TLSOCK_CERT_SHA256)),
                TLSOCK_OK);
    policies_load("[client]\ntrust = none\n");
    peer_init(&p);
    assert_code(peer_open(&p, cc, sc, "a.test"), TLSOCK_OK);
    peer_shake(&p);
    assert_code(p.rc[CLIENT], TLSOCK_E_CHAIN_INCOMPLETE);
    peer_free(&p);

    policies_forget(state);
    snprintf(rule, sizeof(rule), "[client]\ntrust = %s\n", ca_get()->root_pem);
    policies_load(rule);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    assert_tells(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_VERIFIED),
                 "chain and pin");
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void connections_tell_which_rules_shaped_them(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    char json[2048];

    (void)state;
    policies_load("tls.min = 1.3\nsession = off\nverify.psl = on\n");
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    assert_tells(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_POLICY),
                 "policy.conf:1: tls.min = 1.3; ");
    assert_tells(tlsock_info(p.conn[SERVER], TLSOCK_INFO_POLICY),
                 "policy.conf:2: session = off");
    assert_null(strstr(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_POLICY), "psl"));
    assert_true(tlsock_info_json(p.conn[CLIENT], json, sizeof(json)) > 0);
    assert_tells(json, "\"policy\":\"");
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void verification_without_a_connection_obeys_too(void **state)
{
    tlsock_config *c = ca_client("insecure", "no-chain: lab box", NULL);
    tlsock_config *plain = ca_client(NULL);
    tlsock_error err;

    (void)state;
    policies_load("insecure = forbid\n[client]\ntrust = none\n");
    assert_code(tlsock_verify(ca_get()->a, c, NULL, &err), TLSOCK_E_POLICY);
    assert_tells(err.message, "policy.conf:1: insecure = forbid");
    assert_true(tlsock_verify(ca_get()->a, plain, NULL, &err) < 0);
    assert_tells(err.hint, "policy.conf:3: trust = none");
    tlsock_config_unref(c);
    tlsock_config_unref(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POLICIES(a_failure_names_the_rule_it_comes_from),
        POLICIES(a_failure_of_its_own_blames_no_policy),
        POLICIES(a_cut_stream_names_the_rule),
        POLICIES(a_pin_needs_a_name_where_the_chain_counts),
        POLICIES(a_pin_stands_in_for_nothing_any_more),
        POLICIES(connections_tell_which_rules_shaped_them),
        POLICIES(verification_without_a_connection_obeys_too),
    };

    return cmocka_run_group_tests_name("policy", tests, policies_setup,
                                       policies_teardown);
}
