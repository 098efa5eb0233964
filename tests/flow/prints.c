/* JA3, JA3S and JA4 of a connection: both sides tell the same of the same
 * bytes, where they were asked to keep them. */
#include "ca.h"
#include "hellos.h"
#include "peer.h"

#include <tlsock/config.h>
#include <tlsock/prints.h>

/* The first handshake message that a pipe logged. */
static size_t first_message(const struct test_pipe *pipe, const uint8_t **at)
{
    const uint8_t *p = pipe->data;

    assert_true(pipe->len > 9);
    assert_int_equal(p[0], 22);
    *at = p + 5;
    return 4 + ((size_t)p[6] << 16 | (size_t)p[7] << 8 | p[8]);
}

static void of_wire(const struct test_pipe *pipe, int item, char out[160])
{
    const uint8_t *at;
    size_t len = first_message(pipe, &at);

    assert_true(tlsock_hello_print(at, len, item, out, 160) > 0);
}

static void is_same(const struct peer *p, int item, const char *want)
{
    assert_string_equal(tlsock_info(p->conn[CLIENT], item), want);
    assert_string_equal(tlsock_info(p->conn[SERVER], item), want);
}

static void both_sides_tell_the_same(void **state)
{
    tlsock_config *cc = ca_client("prints", "on", "alpn", "h2", NULL);
    tlsock_config *sc = ca_server(ca_get()->a, "prints", "on", NULL);
    char ja3[160], ja3s[160], ja4[160], json[4096];
    struct peer p;

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    of_wire(&p.pipes[CLIENT], TLSOCK_INFO_JA3, ja3);
    of_wire(&p.pipes[CLIENT], TLSOCK_INFO_JA4, ja4);
    of_wire(&p.pipes[SERVER], TLSOCK_INFO_JA3S, ja3s);
    is_same(&p, TLSOCK_INFO_JA3, ja3);
    is_same(&p, TLSOCK_INFO_JA4, ja4);
    is_same(&p, TLSOCK_INFO_JA3S, ja3s);
    assert_memory_equal(ja4, "t13d", 4);
    assert_memory_equal(ja4 + 8, "h2_", 3);
    assert_true(tlsock_info_json(p.conn[SERVER], json, sizeof(json)) > 0);
    assert_non_null(strstr(json, ja3));
    assert_non_null(strstr(json, ja3s));
    assert_non_null(strstr(json, ja4));
    peer_pingpong(&p);
    is_same(&p, TLSOCK_INFO_JA4, ja4);
    assert_int_equal(tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_JA4), 0);
    peer_close(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void without_the_option_nothing_is_kept(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    for (int item = TLSOCK_INFO_JA3; item <= TLSOCK_INFO_JA4; item++)
        is_same(&p, item, "");
    for (int item = TLSOCK_INFO_JA3_RAW; item <= TLSOCK_INFO_JA4_RO; item++)
        is_same(&p, item, "");
    assert_null(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_JA4_RO + 1));
    peer_close(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

struct asked {
    char ja3[64], ja4[64], ja3s[64], raw[1024];
    int answer;
};

static int hello(const tlsock_event *e, void *arg)
{
    struct asked *a = arg;

    snprintf(a->ja3, sizeof(a->ja3), "%s",
             tlsock_info(e->conn, TLSOCK_INFO_JA3));
    snprintf(a->ja4, sizeof(a->ja4), "%s",
             tlsock_info(e->conn, TLSOCK_INFO_JA4));
    snprintf(a->ja3s, sizeof(a->ja3s), "%s",
             tlsock_info(e->conn, TLSOCK_INFO_JA3S));
    snprintf(a->raw, sizeof(a->raw), "%s",
             tlsock_info(e->conn, TLSOCK_INFO_JA4_RO));
    return a->answer;
}

/* kept: the option, which goes on telling after the hook */
static void hook_asks(const char *kept)
{
    tlsock_config *cc = ca_client(NULL);
    tlsock_config *sc = ca_server(ca_get()->a, "prints", kept, NULL);
    struct asked a = {.ja3s = "?"};
    char ja3[160], ja4[160];
    struct peer p;

    assert_code(tlsock_config_on(sc, TLSOCK_ON_HELLO, hello, &a), 0);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    of_wire(&p.pipes[CLIENT], TLSOCK_INFO_JA3, ja3);
    of_wire(&p.pipes[CLIENT], TLSOCK_INFO_JA4, ja4);
    assert_string_equal(a.ja3, ja3);
    assert_string_equal(a.ja4, ja4);
    assert_string_equal(a.ja3s, ""); /* not yet */
    assert_memory_equal(a.raw, ja4, 11);
    assert_string_equal(tlsock_info(p.conn[SERVER], TLSOCK_INFO_JA4),
                        strcmp(kept, "on") == 0 ? ja4 : "");
    peer_close(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_hello_hook_can_ask_without_the_option(void **state)
{
    (void)state;
    hook_asks("off");
}

static void a_hello_hook_can_ask_with_it(void **state)
{
    (void)state;
    hook_asks("on");
}

static void a_hook_can_refuse_by_it(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct asked a = {.answer = TLSOCK_E_HOOK};
    struct peer p;

    (void)state;
    assert_code(tlsock_config_on(sc, TLSOCK_ON_HELLO, hello, &a), 0);
    peer_init(&p);
    assert_int_equal(peer_open(&p, cc, sc, "a.test"), 0);
    assert_code(peer_shake(&p), TLSOCK_E_ALERT);
    assert_code(p.rc[SERVER], TLSOCK_E_HOOK);
    assert_memory_equal(a.ja4, "t13d", 4);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* The client's first hello counts, and the server's last. */
static void a_retry_changes_neither(void **state)
{
    tlsock_config *cc = ca_client("prints", "on", "groups", "X25519:P-384",
                                  NULL);
    tlsock_config *sc = ca_server(ca_get()->a, "prints", "on", "groups",
                                  "P-384", NULL);
    char ja3[160], retry[160];
    struct peer p;

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    of_wire(&p.pipes[CLIENT], TLSOCK_INFO_JA3, ja3);
    of_wire(&p.pipes[SERVER], TLSOCK_INFO_JA3S_RAW, retry);
    is_same(&p, TLSOCK_INFO_JA3, ja3);
    assert_string_equal(retry, "771,4866,43-51"); /* HelloRetryRequest */
    is_same(&p, TLSOCK_INFO_JA3S_RAW, retry);
    peer_close(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* Raw texts that are longer than other items ever are. */
static void a_long_text_is_whole(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    tlsock_config *sc = ca_server(ca_get()->a, "prints", "on", NULL);
    uint8_t bytes[HELLO_LONG];
    char want[2048];
    const char *text;
    struct peer p;

    (void)state;
    hello_long(bytes);
    assert_true(tlsock_hello_print(bytes + 5, HELLO_LONG - 5,
                                   TLSOCK_INFO_JA3_RAW, want,
                                   sizeof(want)) > 512);
    peer_init(&p);
    assert_int_equal(peer_open(&p, cc, sc, "a.test"), 0);
    pipe_inject(&p.pipes[CLIENT], bytes, HELLO_LONG);
    peer_step(&p, SERVER);
    for (int again = 0; again < 2; again++) {
        text = tlsock_info(p.conn[SERVER], TLSOCK_INFO_JA3_RAW);
        assert_string_equal(text, want);
    }
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_tell_the_same),
        cmocka_unit_test(without_the_option_nothing_is_kept),
        cmocka_unit_test(a_hello_hook_can_ask_without_the_option),
        cmocka_unit_test(a_hello_hook_can_ask_with_it),
        cmocka_unit_test(a_hook_can_refuse_by_it),
        cmocka_unit_test(a_retry_changes_neither),
        cmocka_unit_test(a_long_text_is_whole),
    };

    return cmocka_run_group_tests_name("prints", tests, ca_setup, ca_teardown);
}
