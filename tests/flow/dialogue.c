/* What a hook of DIALOGUE is told of what both sides say before TLS, and that
 * it is told no password. */
#include "ca.h"
#include "proxy.h"

#include <poll.h>
#include <unistd.h>

struct seen {
    char said[2][8192]; /* by sent */
    size_t len[2];
    int first_sent, server, lines, begun, over, wire, answer;
};

static int dialogue(const tlsock_event *e, void *arg)
{
    struct seen *w = arg;
    size_t *len = &w->len[e->sent];

    assert_true(e->kind == TLSOCK_ON_DIALOGUE && e->conn != NULL);
    assert_int_equal(w->wire, 0);            /* all of it comes before */
    assert_int_equal(w->begun + w->over, 0); /* that is the last one */
    assert_int_equal(e->data == NULL, e->len == 0);
    w->server = e->server;
    if (e->data == NULL) {
        w->begun += !e->sent;
        w->over += e->sent;
        return 0;
    }
    if (w->lines++ == 0)
        w->first_sent = e->sent;
    assert_true(*len + e->len < sizeof(w->said[0]));
    memcpy(w->said[e->sent] + *len, e->data, e->len);
    *len += e->len;
    return w->answer;
}

static int wire(const tlsock_event *e, void *arg)
{
    struct seen *w = arg;

    (void)e;
    w->wire = 1;
    return 0;
}

static void watch(tlsock_config *c, struct seen *w)
{
    memset(w, 0, sizeof(*w));
    assert_code(tlsock_config_on(c, TLSOCK_ON_DIALOGUE, dialogue, w), 0);
    assert_code(tlsock_config_on(c, TLSOCK_ON_WIRE, wire, w), 0);
}

static struct seen client, server; /* too large for a stack */

struct sides {
    tlsock_config *cc, *sc;
    struct peer p;
};

static void make(struct sides *t, const char *protocol)
{
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1, .starttls = protocol);

    t->cc = ca_client(NULL);
    t->sc = ca_server(ca_get()->a, NULL);
    watch(t->cc, &client);
    watch(t->sc, &server);
    peer_init(&t->p);
    assert_code(peer_open_opts(&t->p, t->cc, o, t->sc, o, "a.test"), 0);
}

static void unmake(struct sides *t)
{
    peer_free(&t->p);
    tlsock_config_unref(t->cc);
    tlsock_config_unref(t->sc);
}

static const struct {
    const char *protocol;
    int greets; /* the server speaks first */
    const char *asks;
} protocols[] = {
    {"smtp", 1, "STARTTLS\r\n"},  {"imap", 1, "STARTTLS\r\n"},
    {"pop3", 1, "STLS\r\n"},      {"ftp", 1, "AUTH TLS\r\n"},
    {"ldap", 0, "1.3.6.1.4.1"},   {"xmpp", 0, "<starttls"},
    {"sieve", 1, "STARTTLS\r\n"}, {"http", 0, "Upgrade: TLS"},
};

/* What one side said the other one heard, in whatever portions; all of it was
 * on the wire, and nothing of TLS is part of it. */
static void both_sides_are_told_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT(protocols); i++) {
        struct sides t;

        make(&t, protocols[i / 2].protocol);
        for (int side = CLIENT; side <= SERVER && i % 2 == 1; side++)
            t.p.pipes[side].max_read = 1;
        assert_int_equal(peer_shake(&t.p), 0);
        for (int sent = 0; sent < 2; sent++) {
            assert_int_equal(client.len[sent], server.len[!sent]);
            assert_memory_equal(client.said[sent], server.said[!sent],
                                client.len[sent]);
            assert_memory_equal(client.said[sent],
                                t.p.pipes[sent ? CLIENT : SERVER].data,
                                client.len[sent]);
        }
        if (memmem(client.said[1], client.len[1], protocols[i / 2].asks,
                   strlen(protocols[i / 2].asks)) == NULL)
            fail_msg("%s: \"%s\"", protocols[i / 2].protocol, client.said[1]);
        assert_int_equal(client.first_sent, !protocols[i / 2].greets);
        assert_int_equal(client.begun + server.begun, 2);
        assert_int_equal(client.server, 0);
        assert_int_equal(server.server, 1);
        peer_pingpong(&t.p);
        peer_close(&t.p);
        assert_int_equal(client.over + server.over, 0);
        unmake(&t);
    }
}

/* PBSZ and PROT go within TLS. */
static void what_is_said_within_tls_is_no_part_of_it(void **state)
{
    struct sides t;

    (void)state;
    make(&t, "ftp");
    assert_int_equal(peer_shake(&t.p), 0);
    assert_null(memmem(client.said[1], client.len[1], "PROT", 4));
    assert_null(memmem(server.said[0], server.len[0], "PBSZ", 4));
    unmake(&t);
}

static void a_dialogue_that_leads_nowhere_has_an_end(void **state)
{
    static const char no[] = "220 a.test\r\n250 a.test\r\n";
    struct sides t;

    (void)state;
    make(&t, "smtp");
    pipe_inject(&t.p.pipes[SERVER], no, sizeof(no) - 1);
    for (int i = 0; i < 20 && t.p.rc[CLIENT] == TLSOCK_AGAIN; i++)
        (void)peer_step(&t.p, CLIENT);
    (void)peer_step(&t.p, CLIENT);
    assert_code(t.p.rc[CLIENT], TLSOCK_E_STARTTLS_UNAVAILABLE);
    assert_int_equal(client.len[0], sizeof(no) - 1);
    assert_int_equal(client.over, 0);
    unmake(&t);
    assert_int_equal(client.over, 1);
    assert_int_equal(client.begun, 0);
}

/* Before it can go on, it has to say what it has begun. */
static void a_dialogue_that_cannot_be_said_has_failed(void **state)
{
    struct sides t;
    struct test_pipe *out = &t.p.pipes[CLIENT];

    (void)state;
    make(&t, "smtp");
    out->capacity = 1;
    pipe_inject(&t.p.pipes[SERVER], "220 a.test\r\n", 12);
    for (int i = 0; i < 5; i++)
        assert_code(peer_step(&t.p, CLIENT), TLSOCK_AGAIN);
    assert_int_equal(out->len, 1);
    out->fail_write_at = out->writes + 1;
    assert_true(peer_step(&t.p, CLIENT) < TLSOCK_AGAIN);
    assert_true(t.p.err[CLIENT].message[0] != '\0');
    unmake(&t);
}

static void a_refusal_ends_the_connection(void **state)
{
    static const struct {
        int answer, code;
        const char *hint;
    } rows[] = {{TLSOCK_E_POLICY, TLSOCK_E_POLICY, "DIALOGUE"},
                {3, TLSOCK_E_HOOK, "negative"}};

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        int side = i % 2 == 0 ? CLIENT : SERVER;
        struct sides t;

        make(&t, "smtp");
        (side == CLIENT ? &client : &server)->answer = rows[i / 2].answer;
        assert_true(peer_shake(&t.p) != 0);
        assert_code(t.p.rc[side], rows[i / 2].code);
        assert_tells(t.p.err[side].hint, rows[i / 2].hint);
        assert_int_equal(client.begun + server.begun, 0);
        unmake(&t);
    }
}

/* Nor is whoever only traces, or nobody. */
static void without_a_hook_nobody_is_told(void **state)
{
    struct sides t;

    (void)state;
    make(&t, "smtp");
    tlsock_config_unref(t.cc);
    peer_free(&t.p);
    memset(&client, 0, sizeof(client));
    t.cc = ca_client(NULL);
    peer_init(&t.p);
    assert_code(
        peer_open_opts(
            &t.p, t.cc, TLSOCK_OPTS(.nonblocking = 1, .starttls = "smtp"), t.sc,
            TLSOCK_OPTS(.nonblocking = 1, .starttls = "smtp"), "a.test"),
        0);
    memset(&server, 0, sizeof(server));
    assert_int_equal(peer_shake(&t.p), 0);
    assert_int_equal(client.lines, 0);
    assert_true(server.lines > 0);
    unmake(&t);
}

static const struct {
    const char *url, *login; /* url: without its port */
    sock_script *script;
    const char *says; /* a part of it */
} proxies[] = {
    {"http://u:hidden%21@127.0.0.1", "u:hidden!", proxy_http,
     "\r\nProxy-Authorization: Basic ************\r\n\r\n"},
    {"socks5h://u:hidden%21@127.0.0.1", "u:hidden!", proxy_socks5,
     "\5\2\0\2***********\5\1"},
    {"http://127.0.0.1", NULL, proxy_http, "CONNECT 127.0.0.1:"},
};

static void a_proxy_is_told_passwords_and_nobody_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(proxies); i++) {
        struct test_proxy way = {.auth = proxies[i].login};
        tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
        struct sock_server proxy, to;
        const char *part = proxies[i].says;
        size_t len = memcmp(part, "\5\2", 2) == 0 ? 17 : strlen(part);
        tlsock_error err = {0};
        char url[80];
        tlsock *s;

        watch(cc, &client);
        sock_serve(&to, 1, sock_echo, sc);
        sock_serve(&proxy, 1, proxies[i].script, &way);
        snprintf(url, sizeof(url), "%s:%d", proxies[i].url, proxy.port);
        s = tlsock_connect(to.target, cc,
                           TLSOCK_OPTS(.name = "a.test", .proxy = url), &err);
        if (s == NULL)
            fail_msg("%s", err.message);
        if (memmem(client.said[1], client.len[1], part, len) == NULL)
            fail_msg("%s: \"%s\"", url, client.said[1]);
        assert_null(memmem(client.said[1], client.len[1], "hidden", 6));
        assert_true(client.len[0] > 0 && client.begun == 1);
        assert_code(tlsock_close(s), TLSOCK_OK);
        sock_join(&proxy);
        sock_join(&to);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_are_told_the_same),
        cmocka_unit_test(what_is_said_within_tls_is_no_part_of_it),
        cmocka_unit_test(a_dialogue_that_leads_nowhere_has_an_end),
        cmocka_unit_test(a_dialogue_that_cannot_be_said_has_failed),
        cmocka_unit_test(a_refusal_ends_the_connection),
        cmocka_unit_test(without_a_hook_nobody_is_told),
        cmocka_unit_test(a_proxy_is_told_passwords_and_nobody_else),
    };

    return cmocka_run_group_tests_name("dialogue", tests, ca_setup,
                                       ca_teardown);
}
