/* Servers' tickets: who shares a secret resumes the others' sessions, for as
 * long as the clock says; nothing that goes wrong with a secret is more than a
 * full handshake. The clock is moved by hand. */
#include "ticketing.h"

#include "session/ticket.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TWO "c0ffee5b7d19a1c5e84e9f8d0a4cc0bd55f24cfe8c1d43e2ac4d4e9fb6a1d0aa"

/* A session won with one server: does the other one resume it? */
static int passes(const char *version, tlsock_config *from, tlsock_config *to)
{
    tlsock_config *cc = ca_client("tls.max", version, NULL);
    int resumed;

    assert_int_equal(once(cc, from), 0);
    resumed = once(cc, to);
    tlsock_config_unref(cc);
    return resumed;
}

static void who_has_the_secret_resumes(void **state)
{
    static const struct {
        const char *name, *a, *b; /* sources; NULL: none is named */
        const char *rotate_a, *rotate_b;
        int want;
    } rows[] = {
        {"the same secret", "env:ONE", "env:ONE", "12h", "12h", 1},
        {"the same, written elsewhere", "env:ONE", "env:SAME", "12h", "12h", 1},
        {"another one", "env:ONE", "env:TWO", "12h", "12h", 0},
        {"random ones", NULL, NULL, "12h", "12h", 0},
        {"one and a random one", "env:ONE", NULL, "12h", "12h", 0},
        {"other periods", "env:ONE", "env:ONE", "12h", "6h", 0},
        {"among several", "env:ONE", "env:TWO_ONE", "12h", "12h", 1},
        {"the second one does not issue", "env:TWO_ONE", "env:ONE", "12h",
         "12h", 0},
        {"the first one does", "env:TWO_ONE", "env:TWO", "12h", "12h", 1},
    };

    (void)state;
    secret_is("ONE", ONE);
    secret_is("SAME", "# of all machines\r\n\r\n  " ONE " \r\n");
    secret_is("TWO", TWO);
    secret_is("TWO_ONE", TWO "\n" ONE "\n");
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        tlsock_config *a = server(rows[i / 2].a, rows[i / 2].rotate_a);
        tlsock_config *b = server(rows[i / 2].b, rows[i / 2].rotate_b);

        if (passes(versions[i % 2], a, b) != rows[i / 2].want)
            fail_msg("%s, TLS %s: not %d", rows[i / 2].name, versions[i % 2],
                     rows[i / 2].want);
        tlsock_config_unref(a);
        tlsock_config_unref(b);
    }
}

/* Two machines that count in hours, a ticket of the first one's, and the clock
 * of the second. */
static void a_key_opens_for_one_more_period(void **state)
{
    static const struct {
        int64_t later_s;
        int resumed, renewed; /* TLS 1.3 gives a new ticket each time */
    } rows[] = {
        {0, 1, 0},     {3599, 1, 0},  {3600, 1, 1},  {7199, 1, 1},
        {7200, 0, 1},  {86400, 0, 1}, {-1, 1, 0}, /* that clock is behind */
        {-3600, 1, 0}, {-3601, 0, 1}, {-86400, 0, 1}};
    tlsock_config *a, *b;

    (void)state;
    secret_is("ONE", ONE);
    a = server("env:ONE", "1h");
    b = server("env:ONE", "1h");
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        struct visitor v = {.version = versions[i % 2]};

        assert_code(visit(&v, a), TLSOCK_OK);
        moved_s = rows[i / 2].later_s;
        assert_code(visit(&v, b), TLSOCK_OK);
        moved_s = 0;
        if (v.resumed != rows[i / 2].resumed ||
            v.renewed != (rows[i / 2].renewed || i % 2 == 1))
            fail_msg("%lld s later, TLS %s: resumed %d, renewed %d",
                     (long long)rows[i / 2].later_s, v.version, v.resumed,
                     v.renewed);
        leave(&v);
    }
    tlsock_config_unref(a);
    tlsock_config_unref(b);
}

static void no_ticket_promises_more_than_its_key(void **state)
{
    static const struct {
        const char *rotate, *timeout;
        long hint;
    } rows[] = {{"12h", "7200s", 7200}, {"30m", "7200s", 1800},
                {"30m", "600s", 600},   {"7d", "7d", 604800},
                {NULL, "7d", 604800},   {NULL, "600s", 600}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        struct visitor v = {.version = versions[i % 2]};
        tlsock_config *sc =
            ca_server(ca_get()->a, "session.timeout", rows[i / 2].timeout,
                      rows[i / 2].rotate != NULL ? "tickets.rotate" : NULL,
                      rows[i / 2].rotate, NULL);

        assert_code(visit(&v, sc), TLSOCK_OK);
        assert_int_equal(v.hint, rows[i / 2].hint);
        leave(&v);
        tlsock_config_unref(sc);
    }
}

/* One config has one secret, whatever becomes of its snapshots. */
static void a_random_secret_outlives_a_reload(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct visitor v = {.version = versions[i]};
        tlsock_config *sc = server(NULL, "12h"), *copy;

        assert_code(visit(&v, sc), TLSOCK_OK);
        assert_int_equal(v.resumed, 0);
        assert_code(tlsock_config_reload(sc), TLSOCK_OK);
        assert_code(visit(&v, sc), TLSOCK_OK);
        assert_int_equal(v.resumed, 1);
        copy = tlsock_config_copy(sc);
        assert_code(visit(&v, copy), TLSOCK_OK);
        assert_int_equal(v.resumed, 0);
        leave(&v);
        tlsock_config_unref(copy);
        tlsock_config_unref(sc);
    }
}

/* A child of a fork: one connection, then its end. */
static void be_served_by_a_child(struct visitor *v, tlsock_config *sc)
{
    SSL *ssl = offering(v);
    char got[2];
    int fds[2], status = -1;
    pid_t pid;

    sock_pair(fds);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        tlsock *s = tlsock_server_fd(fds[1], sc, NULL, NULL);

        close(fds[0]);
        if (s == NULL || tlsock_write(s, "hi", 2) != 2)
            test_exit(1);
        test_exit(tlsock_read(s, got, 1) == 0 ? 0 : 2);
    }
    close(fds[1]);
    assert_int_equal(SSL_set_fd(ssl, fds[0]), 1);
    assert_int_equal(SSL_do_handshake(ssl), 1);
    assert_int_equal(SSL_read(ssl, got, 2), 2);
    look_at(v, ssl);
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void children_of_one_parent_resume_each_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct visitor v = {.version = versions[i]};
        tlsock_config *sc = server(NULL, "12h");
        /* as a server that forks has it: the listener comes first */
        tlsock_listener *l = tlsock_listen("127.0.0.1:0", sc, NULL, NULL);

        assert_non_null(l);
        be_served_by_a_child(&v, sc);
        assert_int_equal(v.resumed, 0);
        for (int n = 0; n < 2; n++) {
            be_served_by_a_child(&v, sc);
            assert_int_equal(v.resumed, 1);
        }
        leave(&v);
        tlsock_listener_free(l);
        tlsock_config_unref(sc);
    }
}

/* Without tickets it is the server that remembers: across a reload, not more
 * than it may, and not in another config. */
static void a_server_without_tickets_remembers(void **state)
{
    static const struct {
        const char *size;
        int first, second; /* of two visitors: who is still known */
    } rows[] = {{"1024", 1, 1}, {"1", 0, 1}, {"0", 0, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        struct visitor a = {.version = versions[i % 2]};
        struct visitor b = {.version = versions[i % 2]};
        tlsock_config *sc = ca_server(ca_get()->a, "tickets", "off",
                                      "session.size", rows[i / 2].size, NULL);
        tlsock_config *copy;

        assert_code(visit(&a, sc), TLSOCK_OK);
        assert_code(visit(&b, sc), TLSOCK_OK);
        assert_int_equal(a.resumed + b.resumed, 0);
        assert_code(tlsock_config_reload(sc), TLSOCK_OK);
        copy = tlsock_config_copy(sc);
        assert_code(visit(&b, sc), TLSOCK_OK);
        if (b.resumed != rows[i / 2].second)
            fail_msg("size %s, TLS %s: %d", rows[i / 2].size, b.version,
                     b.resumed);
        assert_code(visit(&a, sc), TLSOCK_OK);
        assert_int_equal(a.resumed, rows[i / 2].first);
        assert_code(visit(&a, copy), TLSOCK_OK);
        assert_int_equal(a.resumed, 0);
        leave(&a);
        leave(&b);
        tlsock_config_unref(copy);
        tlsock_config_unref(sc);
    }
}

static char path[128];

static void write_secret(const char *text, mode_t mode)
{
    char aside[160];
    FILE *f;

    snprintf(aside, sizeof(aside), "%s.new", path);
    f = fopen(aside, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(aside, mode), 0);
    assert_int_equal(rename(aside, path), 0);
}

/* One more connection, so that the file is looked at; and one that may tell. */
static void expect(struct visitor *v, tlsock_config *sc, int resumed)
{
    moved_ms += TSK_TICKETS_LOOK_MS;
    assert_code(visit(v, sc), TLSOCK_OK);
    assert_int_equal(v->resumed, resumed);
}

static void a_file_is_rotated_live(void **state)
{
    char source[160];

    (void)state;
    snprintf(path, sizeof(path), "%s/secret", ca_get()->dir);
    snprintf(source, sizeof(source), "file:%s", path);
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct visitor v = {.version = versions[i]};
        tlsock_config *sc;
        struct lines l;

        write_secret(ONE "\n", 0600);
        sc = server(source, "12h");
        lines_of(sc, &l);
        assert_code(visit(&v, sc), TLSOCK_OK);
        write_secret(ONE "\n" TWO "\n", 0640);
        expect(&v, sc, 1);
        assert_int_equal(v.renewed, i);
        write_secret(TWO "\n" ONE "\n", 0600);
        expect(&v, sc, 1);
        assert_int_equal(v.renewed, 1);
        assert_tells(l.text, "was read anew");
        write_secret("short\n", 0600);
        expect(&v, sc, 1); /* TWO's */
        assert_tells(l.text, "line 1 of");
        assert_tells(l.text, "what was read before stays in use");
        write_secret(ONE "\n", 0644);
        expect(&v, sc, 1);
        assert_tells(l.text, "mode 0644");
        assert_int_equal(unlink(path), 0);
        expect(&v, sc, 1);
        assert_tells(l.text, "is gone");
        l.text[0] = '\0';
        expect(&v, sc, 1); /* still gone, and that was said */
        assert_string_equal(l.text, "");
        write_secret(ONE "\n", 0600);
        expect(&v, sc, 0);
        assert_null(strstr(l.text, ONE));
        leave(&v);
        tlsock_config_unref(sc);
    }
    assert_int_equal(unlink(path), 0);
}

static void what_is_no_secret_is_refused(void **state)
{
    static const struct {
        const char *value, *fact;
        int code;
    } rows[] = {
        {"env:NO_SUCH", "NO_SUCH is not set", TLSOCK_E_OWN_FILE},
        {"env:SHORT", "line 1 of environment variable SHORT is too short",
         TLSOCK_E_OWN_FILE},
        {"env:SAME", "the same few characters", TLSOCK_E_OWN_FILE},
        {"env:NONE", "holds no secret", TLSOCK_E_OWN_FILE},
        {"file:/no/such/file", "cannot read /no/such/file", TLSOCK_E_OWN_FILE},
        {"file:/dev/null", "no regular file", TLSOCK_E_OWN_FILE},
        {"a-Secret-That-Was-Typed-By-Mistake", "not valid", TLSOCK_E_OPTION},
        {"redis://a-Secret@h/", "no ?key=NAME", TLSOCK_E_OPTION},
        {"redis://h/?key=a-Secret&x=1", "what follows the ?", TLSOCK_E_OPTION},
        {"redis://:a-Secret@h:1:2/?key=k", "host or port", TLSOCK_E_OPTION},
        {"redis://h/?key=k&ca=a-Secret", "what follows", TLSOCK_E_OPTION},
    };
    tlsock_config *c = tlsock_config_new();

    (void)state;
    secret_is("SHORT", "a-Secret-of-too-few-characters!");
    secret_is("SAME", "abcabcabcabcabcabcabcabcabcabcabc");
    secret_is("NONE", "# nothing\n\n");
    for (size_t i = 0; i < COUNT(rows); i++) {
        const tlsock_error *e = tlsock_config_error(c);

        assert_code(tlsock_config_set(c, "tickets.secret", rows[i].value),
                    rows[i].code);
        assert_tells(e->message, rows[i].fact);
        assert_null(strstr(e->message, "a-Secret"));
        assert_true(e->hint[0] != '\0');
        assert_null(strstr(e->hint, "a-Secret"));
    }
    tlsock_config_unref(c);
}

/* A variable that goes before the config is used: the listener tells. */
static void a_secret_is_read_before_the_first_client(void **state)
{
    tlsock_config *sc;
    tlsock_error err;

    (void)state;
    secret_is("ONE", ONE);
    sc = server("env:ONE", "12h");
    assert_int_equal(unsetenv("ONE"), 0);
    assert_null(tlsock_listen("127.0.0.1:0", sc, NULL, &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    assert_tells(err.message, "ONE is not set");
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_the_secret_resumes),
        cmocka_unit_test(a_key_opens_for_one_more_period),
        cmocka_unit_test(no_ticket_promises_more_than_its_key),
        cmocka_unit_test(a_random_secret_outlives_a_reload),
        cmocka_unit_test(children_of_one_parent_resume_each_others),
        cmocka_unit_test(a_server_without_tickets_remembers),
        cmocka_unit_test(a_file_is_rotated_live),
        cmocka_unit_test(what_is_no_secret_is_refused),
        cmocka_unit_test(a_secret_is_read_before_the_first_client),
    };

    return cmocka_run_group_tests_name("tickets", tests, setup, ca_teardown);
}
