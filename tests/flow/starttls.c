/* STARTTLS through the public calls: each dialogue of the table with both ends
 * ours, and what a hostile end cannot do. The dialogues themselves have their
 * own tests in tests/unit/starttls. */
#include "ca.h"
#include "sock.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const protocols[] = {
    "smtp",     "lmtp",  "imap",    "pop3",        "ftp",
    "ldap",     "nntp",  "sieve",   "xmpp",        "irc",
    "postgres", "mysql", "mariadb", "xmpp-server", "http"};

struct sides {
    tlsock_config *cc, *sc;
    struct peer p;
};

static void make(struct sides *t, const char *key, const char *value)
{
    memset(t, 0, sizeof(*t));
    t->cc = ca_client(NULL);
    t->sc = ca_server(ca_get()->a, NULL);
    if (key != NULL)
        assert_int_equal(tlsock_config_set(t->cc, key, value), 0);
    peer_init(&t->p);
}

static void open_with(struct sides *t, const tlsock_opts *c,
                      const tlsock_opts *s)
{
    assert_int_equal(peer_open_opts(&t->p, t->cc, c, t->sc, s, "a.test"), 0);
}

static void unmake(struct sides *t)
{
    peer_free(&t->p);
    tlsock_config_unref(t->cc);
    tlsock_config_unref(t->sc);
}

static int64_t state_of(const tlsock *s)
{
    return tlsock_info_int(s, TLSOCK_INFO_STATE);
}

static void each_dialogue_leads_to_tls_by_option(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(protocols); i++) {
        const tlsock_opts *o =
            TLSOCK_OPTS(.nonblocking = 1, .starttls = protocols[i]);
        struct sides t;

        make(&t, NULL, NULL);
        open_with(&t, o, o);
        for (int side = CLIENT; side <= SERVER && i % 2 == 1; side++)
            t.p.pipes[side].max_read = 1; /* in single bytes, every other */
        if (peer_shake(&t.p) != 0)
            fail_msg("%s: %s | %s", protocols[i], t.p.err[CLIENT].message,
                     t.p.err[SERVER].message);
        assert_int_equal(state_of(t.p.conn[CLIENT]), TLSOCK_STATE_TLS);
        for (int side = CLIENT; side <= SERVER; side++)
            assert_string_equal(
                tlsock_info(t.p.conn[side], TLSOCK_INFO_STARTTLS),
                protocols[i]);
        peer_pingpong(&t.p);
        peer_close(&t.p);
        unmake(&t);
    }
}

struct step {
    const char *protocol, *arg;
};

static int by_call(tlsock *s, const struct step *w)
{
    return tlsock_starttls(s, w->protocol, w->arg);
}

static void together(struct sides *t, const struct step *c,
                     const struct step *s, int rc[2])
{
    rc[CLIENT] = rc[SERVER] = TLSOCK_AGAIN;
    for (int i = 0; i < 200; i++) {
        if (rc[CLIENT] == TLSOCK_AGAIN)
            rc[CLIENT] = by_call(t->p.conn[CLIENT], c);
        if (rc[SERVER] == TLSOCK_AGAIN)
            rc[SERVER] = by_call(t->p.conn[SERVER], s);
    }
}

static void both(struct sides *t, const struct step *c, const struct step *s)
{
    int rc[2];

    together(t, c, s, rc);
    if (rc[CLIENT] != 0 || rc[SERVER] != 0)
        fail_msg("%s: %s | %s", c->protocol,
                 tlsock_last_error(t->p.conn[CLIENT])->message,
                 tlsock_last_error(t->p.conn[SERVER])->message);
}

static void each_dialogue_leads_to_tls_by_call(void **state)
{
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1, .plain = 1);

    (void)state;
    for (size_t i = 0; i < COUNT(protocols); i++) {
        struct step w = {protocols[i], NULL};
        struct sides t;

        make(&t, NULL, NULL);
        open_with(&t, o, o);
        both(&t, &w, &w);
        peer_pingpong(&t.p);
        unmake(&t);
    }
}

/* RFC 4217: PBSZ and PROT follow the handshake, CCC takes TLS down. */
static void ftp_protects_data_and_clears_its_channel(void **state)
{
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1, .plain = 1);
    struct step up = {"ftp", "P"}, ccc = {"ftp", "ccc"};
    struct sides t;
    size_t before;

    (void)state;
    make(&t, NULL, NULL);
    open_with(&t, o, o);
    both(&t, &up, &up);
    assert_int_equal(state_of(t.p.conn[CLIENT]), TLSOCK_STATE_TLS);
    peer_pingpong(&t.p);
    both(&t, &ccc, &ccc);
    assert_int_equal(state_of(t.p.conn[CLIENT]), TLSOCK_STATE_PLAIN);
    assert_int_equal(state_of(t.p.conn[SERVER]), TLSOCK_STATE_PLAIN);
    before = t.p.pipes[CLIENT].len;
    peer_say(&t.p, CLIENT, "PASV\r\n", 6);
    assert_memory_equal(t.p.pipes[CLIENT].data + before, "PASV\r\n", 6);
    up.arg = NULL;
    both(&t, &up, &up); /* and up again */
    peer_pingpong(&t.p);
    unmake(&t);
}

static const struct {
    const char *name, *protocol;
    enum peer_side victim;
    const char *peer_says; /* all of it, at once */
    int code;
    const char *tells;
} hostile[] = {
    {"stripped", "smtp", CLIENT, "220 x\r\n250-x\r\n250 SIZE\r\n",
     TLSOCK_E_STARTTLS_UNAVAILABLE, "STARTTLS"},
    {"refused", "smtp", CLIENT,
     "220 x\r\n250-x\r\n250 STARTTLS\r\n454 not now\r\n",
     TLSOCK_E_STARTTLS_REFUSED, "454 not now"},
    {"injected reply", "smtp", CLIENT,
     "220 x\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n250 evil\r\n",
     TLSOCK_E_INJECTION, "10 bytes"},
    {"injected command", "smtp", SERVER,
     "EHLO c\r\nSTARTTLS\r\nMAIL FROM:<evil>\r\n", TLSOCK_E_INJECTION,
     "18 bytes"},
    {"injected after imap", "imap", SERVER, "a STARTTLS\r\nb LOGIN x y\r\n",
     TLSOCK_E_INJECTION, "13 bytes"},
    {"injected before postgres' TLS", "postgres", CLIENT, "SX",
     TLSOCK_E_INJECTION, "1 bytes"},
    {"another protocol", "imap", CLIENT, "SSH-2.0-x\r\n", TLSOCK_E_PROTOCOL,
     "SSH"},
    {"no TLS wanted", "smtp", SERVER, "QUIT\r\n", TLSOCK_E_STARTTLS_REFUSED,
     "QUIT"},
};

static void a_hostile_end_is_refused_with_its_own_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        enum peer_side us = hostile[i].victim;
        const tlsock_opts *o =
            TLSOCK_OPTS(.nonblocking = 1, .starttls = hostile[i].protocol);
        const tlsock_error *err;
        struct sides t;
        int rc = TLSOCK_AGAIN;

        make(&t, NULL, NULL);
        open_with(&t, o, o);
        pipe_inject(&t.p.pipes[!us], hostile[i].peer_says,
                    strlen(hostile[i].peer_says));
        for (int n = 0; n < 20 && rc == TLSOCK_AGAIN; n++)
            rc = tlsock_handshake(t.p.conn[us]);
        err = tlsock_last_error(t.p.conn[us]);
        if (rc != hostile[i].code)
            fail_msg("%s: %s: %s", hostile[i].name, tlsock_errname(rc),
                     err->message);
        assert_int_equal(err->phase, TLSOCK_PHASE_STARTTLS);
        assert_tells(err->message, hostile[i].tells);
        assert_true(err->hint[0] != '\0');
        assert_int_equal(state_of(t.p.conn[us]), TLSOCK_STATE_CLOSED);
        unmake(&t);
    }
}

static void an_endless_peer_comes_to_an_end(void **state)
{
    static const char *const chunks[] = {"250-x\r\n", "xxxxxxxx"};

    (void)state;
    for (size_t i = 0; i < COUNT(chunks); i++) {
        const tlsock_opts *o =
            TLSOCK_OPTS(.nonblocking = 1, .starttls = "smtp");
        struct sides t;
        int rc = TLSOCK_AGAIN;
        size_t sent = 0;

        make(&t, NULL, NULL);
        open_with(&t, o, o);
        pipe_inject(&t.p.pipes[SERVER], "220 hello\r\n", 11);
        while (rc == TLSOCK_AGAIN && sent < 1000000) {
            pipe_inject(&t.p.pipes[SERVER], chunks[i], strlen(chunks[i]));
            sent += strlen(chunks[i]);
            rc = tlsock_handshake(t.p.conn[CLIENT]);
        }
        assert_code(rc, TLSOCK_E_LIMIT);
        assert_true(sent < 70000);
        unmake(&t);
    }
}

/* Only by the option that is named so, only where TLS is not to be had, and it
 * can be seen. */
static void opportunistic_goes_on_in_plaintext_and_says_so(void **state)
{
    static const struct {
        const char *says;
        int code;
    } cases[] = {
        {"220 x\r\n250-x\r\n250 SIZE\r\n", TLSOCK_OK},
        {"220 x\r\n250 STARTTLS\r\n", TLSOCK_OK}, /* its first line: a name */
        {"220 x\r\n250-x\r\n250 STARTTLS\r\n454 no\r\n",
         TLSOCK_E_STARTTLS_REFUSED},
        {"554 go away\r\n", TLSOCK_E_STARTTLS_REFUSED},
        {"220 x\r\n250-x\r\n250 STARTTLS\r\n220 go\r\nevil\r\n",
         TLSOCK_E_INJECTION},
        {"HTTP/1.1 400 Bad\r\n", TLSOCK_E_PROTOCOL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const tlsock_opts *o =
            TLSOCK_OPTS(.nonblocking = 1, .starttls = "smtp");
        struct sides t;
        int rc = TLSOCK_AGAIN;

        make(&t, "starttls", "opportunistic");
        open_with(&t, o, o);
        pipe_inject(&t.p.pipes[SERVER], cases[i].says, strlen(cases[i].says));
        for (int n = 0; n < 20 && rc == TLSOCK_AGAIN; n++)
            rc = tlsock_handshake(t.p.conn[CLIENT]);
        assert_code(rc, cases[i].code);
        if (rc == TLSOCK_OK) {
            assert_int_equal(state_of(t.p.conn[CLIENT]), TLSOCK_STATE_PLAIN);
            assert_tells(tlsock_info(t.p.conn[CLIENT], TLSOCK_INFO_VERIFIED),
                         "insecure");
        }
        unmake(&t);
    }
}

static void with_tls_opportunistic_verifies_all_the_same(void **state)
{
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1, .starttls = "smtp");
    struct sides t;

    (void)state;
    make(&t, "starttls", "opportunistic");
    assert_int_equal(peer_open_opts(&t.p, t.cc, o, t.sc, o, "b.test"), 0);
    assert_code(peer_shake(&t.p), TLSOCK_E_NAME_MISMATCH);
    unmake(&t);
}

static void nonsense_is_refused_before_a_byte(void **state)
{
    static const struct {
        const char *protocol, *arg, *tells;
    } cases[] = {
        {"gopher", NULL, "gopher"},
        {"smtp", "a\r\nMAIL", "bad argument"},
        {"imap", "x", "no argument"},
        {"ftp", "ccc", "ccc"},
    };
    struct sides t;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        tlsock_error err = {0};

        make(&t, NULL, NULL);
        assert_null(tlsock_client_io(
            &peer_io, &t.p.ends[CLIENT], "a.test", t.cc,
            TLSOCK_OPTS(.nonblocking = 1, .starttls = cases[i].protocol,
                        .starttls_arg = cases[i].arg),
            &err));
        assert_code(err.code, TLSOCK_E_ARGUMENT);
        assert_tells(err.message, cases[i].tells);
        assert_null(tlsock_listen(":0", t.sc,
                                  TLSOCK_OPTS(.starttls = cases[i].protocol,
                                              .starttls_arg = cases[i].arg),
                                  &err));
        assert_code(err.code, TLSOCK_E_ARGUMENT);
        unmake(&t);
    }
    make(&t, NULL, NULL);
    peer_connect(&t.p, t.cc, t.sc, "a.test");
    assert_string_equal(tlsock_info(t.p.conn[CLIENT], TLSOCK_INFO_STARTTLS),
                        "");
    assert_code(tlsock_starttls(t.p.conn[CLIENT], "smtp", NULL),
                TLSOCK_E_STATE);
    assert_code(tlsock_starttls(t.p.conn[CLIENT], "ftp", "x"),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_starttls(t.p.conn[CLIENT], NULL, NULL),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_starttls(NULL, "smtp", NULL), TLSOCK_E_ARGUMENT);
    peer_pingpong(&t.p); /* and TLS goes on */
    unmake(&t);
}

static void a_mute_peer_is_cut_off(void **state)
{
    struct sock_server server;
    struct sides t;
    char target[64];
    tlsock_error err;

    (void)state;
    make(&t, NULL, NULL);
    sock_serve(&server, 1, sock_mute, NULL);
    snprintf(target, sizeof(target), "smtp://127.0.0.1:%d", server.port);
    assert_null(tlsock_connect(
        target, t.cc, TLSOCK_OPTS(.timeout_ms = 50, .name = "a.test"), &err));
    assert_code(err.code, TLSOCK_E_TIMEOUT);
    assert_int_equal(err.phase, TLSOCK_PHASE_STARTTLS);
    assert_tells(err.message, "STARTTLS");
    sock_join(&server);
    unmake(&t);
}

struct listening {
    tlsock_listener *l;
    int code;
};

static void *serve_one(void *arg)
{
    struct listening *v = arg;
    tlsock *s = tlsock_accept(v->l, NULL);
    char buf[64];
    ssize_t n = tlsock_read(s, buf, sizeof(buf)); /* all of it happens here */

    v->code = n < 0 ? (int)n : 0;
    if (n > 0)
        (void)!tlsock_write(s, buf, (size_t)n);
    tlsock_close(s);
    return NULL;
}

/* Blocking, over a socket, by URL and by the listener's option. */
static void one_call_each_with_a_url(void **state)
{
    static const char *const schemes[] = {"smtp", "imap", "postgres", "ldap"};

    (void)state;
    for (size_t i = 0; i < COUNT(schemes); i++) {
        struct listening v = {0};
        struct sides t;
        pthread_t thread;
        char target[64], got[8];
        tlsock_error err;
        tlsock *s;

        make(&t, NULL, NULL);
        v.l = tlsock_listen("127.0.0.1:0", t.sc,
                            TLSOCK_OPTS(.starttls = schemes[i]), &err);
        assert_non_null(v.l);
        snprintf(target, sizeof(target), "%s://127.0.0.1:%d", schemes[i],
                 tlsock_listener_port(v.l));
        assert_int_equal(pthread_create(&thread, NULL, serve_one, &v), 0);
        s = tlsock_connect(target, t.cc, TLSOCK_OPTS(.name = "a.test"), &err);
        if (s == NULL)
            fail_msg("%s: %s", target, err.message);
        assert_int_equal(tlsock_write(s, "hello", 5), 5);
        assert_int_equal(tlsock_read_full(s, got, 5), 5);
        assert_int_equal(tlsock_read(s, got, 5), 0);
        assert_code(tlsock_close(s), TLSOCK_OK);
        pthread_join(thread, NULL);
        assert_code(v.code, TLSOCK_OK);
        tlsock_listener_free(v.l);
        unmake(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_dialogue_leads_to_tls_by_option),
        cmocka_unit_test(each_dialogue_leads_to_tls_by_call),
        cmocka_unit_test(ftp_protects_data_and_clears_its_channel),
        cmocka_unit_test(a_hostile_end_is_refused_with_its_own_code),
        cmocka_unit_test(an_endless_peer_comes_to_an_end),
        cmocka_unit_test(opportunistic_goes_on_in_plaintext_and_says_so),
        cmocka_unit_test(with_tls_opportunistic_verifies_all_the_same),
        cmocka_unit_test(nonsense_is_refused_before_a_byte),
        cmocka_unit_test(a_mute_peer_is_cut_off),
        cmocka_unit_test(one_call_each_with_a_url),
    };

    return cmocka_run_group_tests_name("starttls", tests, ca_setup,
                                       ca_teardown);
}
