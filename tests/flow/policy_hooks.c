/* Hooks of a policy are asked about each connection and listener, and nothing
 * is built twice. */
#include "lines.h"
#include "policies.h"

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <tlsock/openssl.h>

/* What a hook does, and what it saw. */
struct asked {
    const char *key, *value; /* NULL: nothing is changed */
    const char *more[2];
    int answer;
    int rc; /* of the last change */
    atomic_int calls;
    int servers;
    char target[64];
};

static int hook(const char *target, int is_server, tlsock_config *c, void *arg)
{
    struct asked *a = arg;

    atomic_fetch_add(&a->calls, 1);
    a->servers += is_server;
    snprintf(a->target, sizeof(a->target), "%s", target);
    if (a->key != NULL)
        a->rc = tlsock_config_set(c, a->key, a->value);
    if (a->more[0] != NULL && a->rc == TLSOCK_OK)
        a->rc = tlsock_config_set(c, a->more[0], a->more[1]);
    return a->answer;
}

static void connect_once(tlsock_config *cc, tlsock_config *sc, SSL_CTX **ctx)
{
    struct peer p;

    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_pingpong(&p);
    if (ctx != NULL)
        *ctx = SSL_get_SSL_CTX(tlsock_get_ssl(p.conn[CLIENT]));
    peer_close(&p);
    peer_free(&p);
}

static void a_hook_tightens_and_the_result_is_kept(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct asked a = {.key = "groups", .value = "P-384"};
    SSL_CTX *first, *second;
    struct peer p;

    (void)state;
    assert_code(tlsock_policy_on(hook, &a), TLSOCK_OK);
    connect_once(cc, sc, &first);
    connect_once(cc, sc, &second);
    assert_ptr_equal(first, second);
    assert_int_equal(a.calls, 4);
    assert_int_equal(a.servers, 2);
    a.value = "P-256";
    connect_once(cc, sc, &second);
    assert_ptr_not_equal(first, second);
    a.value = "P-384";
    connect_once(cc, sc, &second);
    assert_ptr_equal(first, second);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    assert_string_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_GROUP),
                        "P-384");
    assert_string_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_POLICY),
                        "a hook of this process");
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_hook_that_changes_nothing_builds_nothing(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct asked a = {.answer = 0};
    SSL_CTX *ctx;

    (void)state;
    assert_code(tlsock_policy_on(hook, &a), TLSOCK_OK);
    connect_once(cc, sc, &ctx);
    assert_ptr_equal(ctx, tlsock_config_get_ctx(cc));
    assert_string_equal(a.target, ""); /* the server came second */
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void more_results_than_are_kept_stay_right(void **state)
{
    static const char *const groups[] = {"P-256", "P-384", "X25519"};
    static const char *const suites[] = {
        "TLS_AES_256_GCM_SHA384",
        "TLS_AES_128_GCM_SHA256",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256",
        ("TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:"
         "TLS_CHACHA20_POLY1305_SHA256")};
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct asked a = {.key = "groups", .more = {"ciphersuites"}};

    (void)state;
    assert_code(tlsock_policy_on(hook, &a), TLSOCK_OK);
    for (int i = 0; i < 63; i++) {
        struct peer p;

        a.value = groups[i % 3];
        a.more[1] = suites[i / 3 % 7];
        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        assert_code(a.rc, TLSOCK_OK);
        assert_string_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_GROUP),
                            groups[i % 3]);
        assert_memory_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_CIPHER),
                            suites[i / 3 % 7], 18);
        peer_free(&p);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static const struct {
    const char *name, *ckey, *cvalue;
    struct asked asked;
    int set, connect; /* codes */
    const char *tells;
} refusals[] = {
    {"looser",
     "tls.min",
     "1.3",
     {.key = "tls.min", .value = "1.2"},
     TLSOCK_E_POLICY,
     0,
     ""},
    {"looser revocation",
     "revocation",
     "full",
     {.key = "revocation", .value = "crl"},
     TLSOCK_E_POLICY,
     0,
     ""},
    {"no rule",
     NULL,
     NULL,
     {.key = "truncation", .value = "allow"},
     TLSOCK_E_POLICY,
     0,
     ""},
    {"an option that cannot be tightened",
     NULL,
     NULL,
     {.key = "timeout", .value = "1s"},
     TLSOCK_E_POLICY,
     0,
     ""},
    {"no option",
     NULL,
     NULL,
     {.key = "tls.mni", .value = "1.3"},
     TLSOCK_E_OPTION,
     0,
     ""},
    {"NULL",
     NULL,
     NULL,
     {.key = "tls.min", .value = NULL},
     TLSOCK_E_ARGUMENT,
     0,
     ""},
    {"a ban that the hook does not act on",
     "insecure",
     "no-name: lab",
     {.key = "insecure", .value = "forbid"},
     TLSOCK_E_POLICY,
     TLSOCK_E_POLICY,
     "no-name: lab"},
    {"its own code",
     NULL,
     NULL,
     {.answer = TLSOCK_E_HOOK},
     0,
     TLSOCK_E_HOOK,
     "a.test"},
    {"nonsense",
     NULL,
     NULL,
     {.answer = TLSOCK_AGAIN},
     0,
     TLSOCK_E_HOOK,
     "a.test"},
    {"the setter's code",
     "tls.min",
     "1.3",
     {.key = "tls.min", .value = "1.2", .answer = TLSOCK_E_POLICY},
     TLSOCK_E_POLICY,
     TLSOCK_E_POLICY,
     "looser"},
    {"too much",
     NULL,
     NULL,
     {.key = "groups", .value = "X448", .answer = 0},
     TLSOCK_E_POLICY,
     TLSOCK_E_POLICY,
     "groups"},
};

static void a_hook_cannot_loosen_and_may_refuse(void **state)
{
    for (size_t i = 0; i < COUNT(refusals); i++) {
        tlsock_config *cc = ca_client(NULL);
        struct asked a = refusals[i].asked;
        struct peer p;
        tlsock_error err = {0};

        policies_forget(state);
        if (refusals[i].ckey != NULL)
            assert_code(
                tlsock_config_set(cc, refusals[i].ckey, refusals[i].cvalue),
                TLSOCK_OK);
        assert_code(tlsock_policy_on(hook, &a), TLSOCK_OK);
        peer_init(&p);
        p.conn[CLIENT] =
            tlsock_client_io(&peer_io, &p.ends[CLIENT], "a.test", cc,
                             TLSOCK_OPTS(.nonblocking = 1), &err);
        assert_code(a.rc, refusals[i].set);
        assert_code(err.code, refusals[i].connect);
        assert_tells(err.message, refusals[i].tells);
        assert_string_equal(a.target, "a.test");
        if (err.code != 0)
            assert_true(err.hint[0] != '\0');
        peer_free(&p);
        tlsock_config_unref(cc);
    }
}

/* When a config is first used, not at each connection. */
static void policies_in_force_and_refusals_are_logged(void **state)
{
    struct asked refuses = {.answer = TLSOCK_E_POLICY};
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct lines l;

    policies_forget(state);
    policies_load("[client]\ntls.min = 1.3");
    lines_of(cc, &l);
    for (int i = 0; i < 2; i++) {
        struct peer p;

        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        assert_int_equal(l.calls, 1);
        peer_free(&p);
    }
    assert_tells(l.text, "policies in force: ");
    assert_tells(l.text, "policy.conf (1 rule)");
    assert_code(tlsock_policy_on(hook, &refuses), TLSOCK_OK);
    for (int i = 0; i < 2; i++)
        assert_null(tlsock_connect("a.test:1", cc, NULL, NULL));
    assert_int_equal(l.calls, 3);
    assert_tells(l.text, "refused by a policy: ");
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
    policies_forget(state);
}

static tlsock_config *kept;

static int greedy(const char *target, int is_server, tlsock_config *c,
                  void *arg)
{
    int *bad = arg;
    struct tlsock_error err;
    tlsock *s;

    (void)is_server;
    *bad |= tlsock_config_add_trust(c, "system") != TLSOCK_E_POLICY;
    *bad |= tlsock_config_add_pin(c, "x") != TLSOCK_E_POLICY;
    *bad |= tlsock_config_on(c, TLSOCK_ON_CLOSE_NOTIFY, NULL, NULL) !=
            TLSOCK_E_POLICY;
    *bad |= tlsock_config_get_ctx(c) != NULL;
    s = tlsock_connect(target, NULL, TLSOCK_OPTS(.nonblocking = 1), &err);
    *bad |= s != NULL || err.code != TLSOCK_E_POLICY;
    kept = tlsock_config_ref(c);
    return 0;
}

static void a_hook_gets_no_more_than_it_is_meant_to(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    struct peer p;
    tlsock_error err;
    int bad = 0;

    (void)state;
    assert_code(tlsock_policy_on(greedy, &bad), TLSOCK_OK);
    peer_init(&p);
    p.conn[CLIENT] = tlsock_client_io(&peer_io, &p.ends[CLIENT], "a.test", cc,
                                      TLSOCK_OPTS(.nonblocking = 1), &err);
    assert_non_null(p.conn[CLIENT]);
    assert_int_equal(bad, 0);
    /* what it kept is of no use */
    tsk_policy_forget();
    assert_null(tlsock_client_io(&peer_io, &p.ends[CLIENT], "a.test", kept,
                                 TLSOCK_OPTS(.nonblocking = 1), &err));
    assert_code(err.code, TLSOCK_E_STATE);
    assert_code(tlsock_config_set(kept, "groups", "P-256"), TLSOCK_OK);
    tlsock_config_unref(kept);
    peer_free(&p);
    tlsock_config_unref(cc);
}

static int endless(const char *target, int is_server, tlsock_config *c,
                   void *arg)
{
    int *times = arg, rc;

    (void)target;
    (void)is_server;
    do
        rc = tlsock_config_set(c, "groups", "P-256");
    while (rc == 0 && ++*times < 5000);
    return rc;
}

/* Each change is remembered, so that the next connection need not be built. */
static void a_hook_changes_no_more_than_can_be_kept(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    tlsock_error err;
    struct peer p;
    int times = 0;

    (void)state;
    assert_code(tlsock_policy_on(endless, &times), TLSOCK_OK);
    peer_init(&p);
    assert_null(tlsock_client_io(&peer_io, &p.ends[CLIENT], "a.test", cc,
                                 TLSOCK_OPTS(.nonblocking = 1), &err));
    assert_code(err.code, TLSOCK_E_LIMIT);
    assert_within(times, 1000, 4999);
    peer_free(&p);
    tlsock_config_unref(cc);
}

static void hooks_add_up_to_eight(void **state)
{
    struct asked a = {.answer = 0}, no = {.answer = TLSOCK_E_HOOK};
    tlsock_config *cc = ca_client(NULL);
    struct peer p;
    tlsock_error err;

    (void)state;
    assert_code(tlsock_policy_on(NULL, NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_policy_on(hook, &a), TLSOCK_OK);
    assert_code(tlsock_policy_on(hook, &no), TLSOCK_OK);
    for (int i = 2; i < 8; i++)
        assert_code(tlsock_policy_on(hook, &a), TLSOCK_OK);
    assert_code(tlsock_policy_on(hook, &a), TLSOCK_E_LIMIT);
    peer_init(&p);
    assert_null(tlsock_client_io(&peer_io, &p.ends[CLIENT], "a.test", cc,
                                 TLSOCK_OPTS(.nonblocking = 1), &err));
    assert_code(err.code, TLSOCK_E_HOOK);
    assert_int_equal(a.calls, 1);
    assert_int_equal(no.calls, 1);
    peer_free(&p);
    tlsock_config_unref(cc);
}

static void listeners_and_what_they_accept_are_asked_about(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->ip, NULL);
    struct asked a = {.key = "tls.min", .value = "1.3"};
    tlsock_listener *l;
    tlsock *c, *s;
    tlsock_error err;
    char target[40];

    (void)state;
    assert_code(tlsock_policy_on(hook, &a), TLSOCK_OK);
    l = tlsock_listen("127.0.0.1:0", sc, NULL, &err);
    assert_non_null(l);
    assert_int_equal(a.servers, 1);
    assert_string_equal(a.target, "127.0.0.1:0");
    snprintf(target, sizeof(target), "127.0.0.1:%d", tlsock_listener_port(l));
    c = tlsock_connect(target, cc, TLSOCK_OPTS(.nonblocking = 1), &err);
    assert_non_null(c);
    assert_string_equal(a.target, target);
    assert_code(tlsock_handshake(c), TLSOCK_AGAIN); /* the SYN is on its way */
    s = tlsock_accept(l, &err);
    assert_non_null(s);
    assert_int_equal(a.servers, 2);
    assert_string_equal(a.target, "127.0.0.1:0");
    a.answer = TLSOCK_E_POLICY; /* nobody may listen any more */
    assert_null(tlsock_listen("127.0.0.1:0", sc, NULL, &err));
    assert_code(err.code, TLSOCK_E_POLICY);
    tlsock_abandon(c);
    tlsock_abandon(s);
    tlsock_listener_free(l);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POLICIES(a_hook_tightens_and_the_result_is_kept),
        POLICIES(a_hook_that_changes_nothing_builds_nothing),
        POLICIES(more_results_than_are_kept_stay_right),
        POLICIES(policies_in_force_and_refusals_are_logged),
        POLICIES(a_hook_cannot_loosen_and_may_refuse),
        POLICIES(a_hook_gets_no_more_than_it_is_meant_to),
        POLICIES(a_hook_changes_no_more_than_can_be_kept),
        POLICIES(hooks_add_up_to_eight),
        POLICIES(listeners_and_what_they_accept_are_asked_about),
    };

    return cmocka_run_group_tests_name("policy hooks", tests, policies_setup,
                                       policies_teardown);
}
