#include "script.h"

/* Our client against our server, through memory. */
static const struct {
    const char *protocol, *arg;
    int after;
} pairs[] = {
    {"smtp", "c.test", 0}, {"smtp", NULL, 0},        {"lmtp", NULL, 0},
    {"imap", NULL, 0},     {"pop3", NULL, 0},        {"ftp", NULL, 0},
    {"ftp", "P", 0},       {"ftp", "P", 1},          {"ftp", "C", 1},
    {"ftp", "ccc", 1},     {"ldap", NULL, 0},        {"nntp", NULL, 0},
    {"sieve", NULL, 0},    {"xmpp", "x.test", 0},    {"xmpp", NULL, 0},
    {"irc", NULL, 0},      {"xmpp-server", NULL, 0}, {"postgres", NULL, 0},
    {"mysql", NULL, 0},    {"mariadb", NULL, 0},     {"http", "h.test:8", 0},
};

/* What one has to say, in pieces, until it is told that it is enough. */
static int carry(struct end *from, struct end *to, size_t piece, int rc)
{
    while (from->t.out.len > 0) {
        size_t n = from->t.out.len < piece ? from->t.out.len : piece;

        end_feed(to, tsk_buf_at(&from->t.out), n);
        tsk_buf_take(&from->t.out, n);
        if (rc == TLSOCK_AGAIN)
            rc = end_step(to);
    }
    return rc;
}

static void meet(size_t i, size_t piece)
{
    struct end c, s;
    int got_c, got_s, rounds = 0;

    assert_int_equal(end_begin(&c, pairs[i].protocol, pairs[i].arg, "h.test", 0,
                               pairs[i].after),
                     0);
    assert_int_equal(end_begin(&s, pairs[i].protocol, pairs[i].arg, "h.test", 1,
                               pairs[i].after),
                     0);
    got_c = end_step(&c);
    got_s = end_step(&s);
    while (c.t.out.len + s.t.out.len > 0) {
        got_s = carry(&c, &s, piece, got_s);
        got_c = carry(&s, &c, piece, got_c);
        assert_true(++rounds < 20);
    }
    if (got_c != 0 || got_s != 0)
        fail_msg("%s: client %s, server %s", pairs[i].protocol,
                 tlsock_errname(got_c), tlsock_errname(got_s));
    assert_int_equal(c.in.len, 0);
    assert_int_equal(s.in.len, 0);
    end_free(&c);
    end_free(&s);
}

static void both_sides_come_to_tls_and_leave_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        meet(i, 1);
        meet(i, 7);
        meet(i, 65536);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_come_to_tls_and_leave_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
