/* Every C example of section 3 is called, and does what its page says. */
#include "world.h"

#include "manual_blocks.h" /* all of them, static: one not called is an error */

#include <openssl/ocsp.h>
#include <pthread.h>

/* ---- what examples leave to their reader */
static pthread_t finder;
static struct question asked;

static void *find(void *arg)
{
    (void)arg;
    op_done_1_found(asked, world_leaf);
    return NULL;
}

int enqueue(const char *host, struct question q)
{
    assert_string_equal(host, "a.test");
    asked = q;
    return pthread_create(&finder, NULL, find, NULL);
}

void *my_http(const tlsock_fetch *f, size_t *len)
{
    (void)f;
    *len = 0;
    return NULL;
}

static void hear(tlsock *s)
{
    char line[64];
    ssize_t n = tlsock_read(s, line, sizeof(line));

    (void)n;
}

/* ---- certificates */
static void certificates(void **state)
{
    tlsock_config *c = tlsock_config_new();
    tlsock_cert *again;
    tlsock_error err = {0};

    (void)state;
    assert_int_equal(cert_1_make_identity(c, &err), 0);
    tlsock_config_unref(c);
    assert_int_equal(cert_create_1_make_server_certificate(&err), 0);
    again = cert_create_2_renew(world_leaf, world_ca, &err);
    assert_non_null(again);
    tlsock_cert_unref(again);
    assert_int_equal(cert_json_1_print_json(world_leaf), 0);
    assert_int_equal(cert_lint_1_check("app.pem"), 0);
    assert_true(cert_lint_1_check("none.pem") < 0);
    assert_int_equal(cert_order_1_put_in_order("app.pem", "chain.pem", &err),
                     0);
    assert_int_equal(key_save_1_fits("a.pem", "a.key", &err), 1);
    assert_int_equal(key_save_1_fits("ca.pem", "a.key", &err), 0);
    assert_int_equal(csr_1_ask_for_certificate(&err), 0);
    assert_int_equal(access("www.key", R_OK), 0);
    assert_int_equal(verify_1_good_at_new_year("a.pem", "a.test"), 0);
    assert_code(verify_1_good_at_new_year("a.pem", "other.test"),
                TLSOCK_E_NAME_MISMATCH);
    assert_true(crl_save_1_publish(world_ca, "1234", &err) > 0);
}

static void ocsp(void **state)
{
    unsigned char out[8192];
    size_t len = sizeof(out);
    char stolen[] = "1234";
    tlsock_error err = {0};

    (void)state;
    assert_int_equal(
        ocsp_answer_1_respond(world_ca, stolen, "?", 1, out, &len, &err),
        OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
    {
        tlsock_status st = {.size = sizeof(st)};

        assert_int_equal(ocsp_answer_1_look_up("1234", &st, stolen), 0);
        assert_int_equal(st.status, TLSOCK_STATUS_REVOKED);
        assert_int_equal(ocsp_answer_1_look_up("1235", &st, stolen), 0);
        assert_int_equal(st.status, TLSOCK_STATUS_GOOD);
    }
}

/* ---- configs */
static void configs(void **state)
{
    int (*const set[])(tlsock_config *) = {
        config_1_set_up,   config_on_1_set_up, config_reload_1_set_up,
        hello_print_1_set, op_done_1_set_up,   trace_line_1_set_up,
    };
    tlsock_error err = {.code = TLSOCK_E_NAME_MISMATCH, .message = "other"};
    tlsock_listener *l;

    (void)state;
    for (size_t i = 0; i < COUNT(set); i++) {
        tlsock_config *c = tlsock_config_new();

        assert_int_equal(set[i](c), 0);
        if (set[i] == config_reload_1_set_up)
            config_reload_1_on_request(c);
        tlsock_config_unref(c);
    }
    error_1_explain(&err);
    /* their ports are fixed, and may be taken or not allowed here */
    l = listen_3_submission(NULL, &err);
    assert_null(l);
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    l = starttls_4_serve(NULL, &err);
    assert_null(l);
    assert_true(listen_1_serve(NULL, &err) < 0);
    assert_int_equal(policy_load_1_main(), 1); /* no such file */
    {
        tlsock_config *c = tlsock_config_new();

        assert_int_equal(policy_load_1_rules("bank.example:443", 0, c, NULL),
                         0);
        tlsock_config_unref(c);
    }
}

/* ---- a client, blocking */
static void clients(void **state)
{
    char answer[64] = "";
    tlsock_error err = {0};
    tlsock *s;

    (void)state;
    world_serve(world_server(), NULL, world_echoes);
    assert_int_equal(program_1_main(), 0);
    world_wait();

    world_serve(world_server(), NULL, world_answers);
    s = world_client("a.test:1", NULL);
    info_1_show(s);
    assert_int_equal(close_1_ask(s, "what?\n", answer, 6), 6);
    assert_memory_equal(answer, "hello\n", 6);
    world_wait();

    world_serve(world_server(), NULL, world_echoes);
    s = connect_1_dial("a.test:1", &err);
    assert_non_null(s);
    assert_int_equal(fopen_1_ask(s, "who?", answer, sizeof(answer)), 0);
    assert_string_equal(answer, "who?\r\n");
    tlsock_close(s);
    world_wait();

    world_serve(world_server(), NULL, world_greets);
    s = world_client("a.test:1", NULL);
    assert_int_equal(read_1_print_lines(s), 0);
    tlsock_close(s);
    world_wait();

    world_serve(world_server(), NULL, world_answers);
    s = world_client("a.test:1", NULL);
    assert_true(sendfile_1_send_file(s, "ca.pem") > 100);
    assert_int_equal(read_1_print_lines(s), 0);
    tlsock_close(s);
    world_wait();
}

static void nothing(void)
{
}

static int heard(tlsock *s)
{
    char buf[64];
    ssize_t n = tlsock_read(s, buf, sizeof(buf));

    return n > 0 ? 0 : TLSOCK_E_HOOK; /* the end, or worse */
}

static void clients_that_wait(void **state)
{
    tlsock *s;
    int64_t at = 0;
    int fd;

    (void)state;
    world_serve(world_server(), NULL, world_answers);
    s = world_client("a.test:1", NULL);
    assert_true(interrupt_1_read_until(s, nothing) <= 0);
    world_wait();

    world_serve(world_server(), NULL, world_greets);
    s = world_client("a.test:1", NULL);
    assert_true(poll_3_relay(s, heard) <= 0);
    tlsock_close(s);
    world_wait();

    world_serve(world_server(), NULL, world_answers);
    s = world_client("a.test:1", NULL);
    fd = open("ca.pem", O_RDONLY | O_CLOEXEC);
    assert_int_equal(sendfile_2_send_on(s, fd, &at, 100), 1);
    assert_int_equal(at, 100);
    close(fd);
    tlsock_close(s);
    world_wait();
}

static void client_that_polls(void **state)
{
    struct job j = {.fd = -1};
    int set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev;
    ssize_t n;

    (void)state;
    world_serve(world_server(), NULL, world_greets);
    j.s = world_client("a.test:1", TLSOCK_OPTS(.nonblocking = 1));
    assert_int_equal(poll_1_finish(j.s), 0);
    while ((n = poll_2_on_ready(set, &j)) == TLSOCK_AGAIN)
        assert_true(epoll_wait(set, &ev, 1, 30000) > 0);
    assert_int_equal(n, 0);
    close(set);
    world_wait();
}

/* ---- sessions, early data, revocation */
static void sessions(void **state)
{
    tlsock_config *like = tlsock_config_new(), *early = tlsock_config_new();
    tlsock_error err = {0};
    char answer[8] = "";
    tlsock *s;

    (void)state;
    world_serve(world_server(), NULL, world_greets);
    s = world_client("a.test:1", NULL);
    assert_int_equal(read_1_print_lines(s), 0); /* the ticket comes with it */
    assert_int_equal(session_save_1_carry(s, like), 0);
    /* the certificate names nobody who could be asked */
    assert_code(revocation_new_1_still_good(s, &err),
                TLSOCK_E_REVOCATION_UNKNOWN);
    tlsock_close(s);
    world_wait();
    tlsock_config_unref(like);

    assert_int_equal(tlsock_config_set(early, "early-data", "4096"), 0);
    world_serve(world_server(), NULL, world_echoes);
    s = tlsock_connect("a.test:1", early, TLSOCK_OPTS(.flags = TLSOCK_F_EARLY),
                       &err);
    assert_non_null(s);
    assert_int_equal(write_early_1_ask(s, "hello", 5), 0);
    assert_int_equal(tlsock_read_full(s, answer, 5), 5);
    assert_string_equal(answer, "hello");
    tlsock_close(s);
    world_wait();
    tlsock_config_unref(early);
}

/* ---- within and behind others */
static void gate(tlsock *s)
{
    tlsock_config *c = world_server();
    tlsock_error err;
    tlsock *inner = tlsock_server_over(s, c, NULL, &err);

    tlsock_config_unref(c);
    if (inner == NULL)
        tlsock_close(s);
    else
        world_greets(inner);
}

static int greeted(tlsock *s)
{
    char line[6];

    return tlsock_read_full(s, line, 6) == 6 ? 0 : TLSOCK_E_HOOK;
}

static void layers(void **state)
{
    tlsock_config *a = tlsock_config_new(), *b = tlsock_config_new();
    tlsock_error err = {0};
    tlsock *s;

    (void)state;
    world_serve(world_server(), NULL, gate);
    s = client_over_1_behind(a, b, &err);
    assert_non_null(s);
    assert_int_equal(greeted(s), 0);
    tlsock_close(s);
    world_wait();
    tlsock_config_unref(a);
    tlsock_config_unref(b);

    world_serve(world_server(), NULL, gate);
    s = world_client("a.test:1", NULL);
    assert_true(client_over_2_inside(s, "host.internal", greeted, &err) <= 0);
    tlsock_close(s);
    world_wait();

    /* its proxy is at a port that is nobody's here */
    s = connect_2_greet(&err);
    assert_true(s != NULL || err.message[0] != '\0');
    tlsock_close(s);
}

/* ---- from plaintext to TLS */
static void consents(tlsock *s)
{
    char line[64];

    if (tlsock_read(s, line, sizeof(line)) > 0 &&
        tlsock_printf(s, "ok\n") > 0 && tlsock_start_tls(s, NULL) == 0 &&
        tlsock_read(s, line, sizeof(line)) > 0 && tlsock_stop_tls(s) == 0)
        hear(s);
    tlsock_close(s);
}

static void begins(tlsock *s)
{
    if (listen_2_begin(s) == 0)
        (void)tlsock_printf(s, "hello\n");
    tlsock_close(s);
}

static void ends_tls(tlsock *s)
{
    if (tlsock_printf(s, "hello\n") > 0 && tlsock_stop_tls(s) == 0)
        (void)tlsock_printf(s, "plain\n");
    tlsock_close(s);
}

static void starts_tls(tlsock *s)
{
    if (tlsock_start_tls(s, NULL) == 0)
        (void)tlsock_printf(s, "hello\n");
    tlsock_close(s);
}

static void up_and_down(void **state)
{
    char buf[64] = "";
    ssize_t have;
    tlsock *s;
    int fd;

    (void)state;
    world_serve(world_server(), TLSOCK_OPTS(.plain = 1), consents);
    s = world_client("a.test:1", TLSOCK_OPTS(.plain = 1));
    assert_int_equal(start_tls_1_up_and_down(s), 0);
    tlsock_close(s);
    world_wait();

    world_serve(world_server(), TLSOCK_OPTS(.plain = 1), begins);
    s = world_client("a.test:1", NULL);
    assert_int_equal(greeted(s), 0);
    tlsock_close(s);
    world_wait();

    world_serve(world_server(), NULL, ends_tls);
    s = world_client("a.test:1", NULL);
    assert_int_equal(greeted(s), 0);
    assert_int_equal(tlsock_read(s, buf, sizeof(buf)), 0);
    assert_int_equal(start_tls_2_hand_over(s, &fd, buf, sizeof(buf), &have), 0);
    while (have < 6) { /* it was dialled here: nonblocking */
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t n;

        assert_int_equal(poll(&p, 1, 30000), 1);
        n = read(fd, buf + have, sizeof(buf) - (size_t)have);
        assert_true(n > 0);
        have += n;
    }
    assert_memory_equal(buf, "plain\n", 6);
    close(fd);
    world_wait();

    world_serve(world_server(), TLSOCK_OPTS(.plain = 1), starts_tls);
    s = world_client("a.test:1", TLSOCK_OPTS(.plain = 1, .nonblocking = 1));
    assert_int_equal(start_tls_3_run(s), 0);
    tlsock_close(s);
    world_wait();
}

static int no_login(tlsock *s)
{
    (void)s;
    return TLSOCK_E_HOOK;
}

static void after_starttls(tlsock *s)
{
    if (tlsock_handshake(s) == 0)
        hear(s);
    tlsock_close(s);
}

static void starttls(void **state)
{
    tlsock_config *maybe = tlsock_config_new();
    tlsock_error err = {0};
    tlsock *s;

    (void)state;
    world_serve(world_server(), TLSOCK_OPTS(.starttls = "smtp"),
                after_starttls);
    s = starttls_1_mail(&err);
    if (s == NULL)
        fail_msg("%s", err.message);
    tlsock_close(s);
    world_wait();

    assert_int_equal(tlsock_config_set(maybe, "starttls", "opportunistic"), 0);
    world_serve(world_server(), TLSOCK_OPTS(.starttls = "imap"),
                after_starttls);
    s = tlsock_connect("a.test:1", maybe, TLSOCK_OPTS(.plain = 1), &err);
    assert_non_null(s);
    assert_int_equal(starttls_2_try_tls(s), 1);
    tlsock_close(s);
    world_wait();
    tlsock_config_unref(maybe);

    world_serve(world_server(), TLSOCK_OPTS(.starttls = "ftp"), after_starttls);
    s = world_client("a.test:1", TLSOCK_OPTS(.plain = 1));
    assert_true(starttls_3_ftp(s, no_login) < 0);
    tlsock_close(s);
    world_wait();
}

/* ---- servers that choose */
static void books(tlsock *s)
{
    if (tlsock_handshake(s) == 0)
        (void)request_client_cert_1_may_see_the_books(s);
    tlsock_close(s);
}

static tlsock *seen; /* a connection to whom is imitated */
static tlsock_intercept *mint;

static int imitate(const tlsock_event *e, void *arg)
{
    (void)arg;
    return intercept_new_1_imitate(mint, e, seen);
}

static void choices(void **state)
{
    tlsock_config *c = world_server(), *copy;
    tlsock_error err = {0};
    tlsock *s;

    (void)state;
    assert_int_equal(tlsock_config_set(c, "client-auth", "later"), 0);
    assert_int_equal(tlsock_config_add_trust(c, "clients-ca.pem"), 0);
    world_serve(c, NULL, books);
    s = world_client("a.test:1", NULL);
    assert_int_equal(read_1_print_lines(s), 0);
    copy = cert_clone_1_stand_in(s, world_ca, &err);
    assert_non_null(copy);
    tlsock_config_unref(copy);
    seen = s;
    world_wait();

    mint = tlsock_intercept_new(world_ca, NULL, &err);
    assert_non_null(mint);
    c = world_server();
    assert_int_equal(tlsock_config_on(c, TLSOCK_ON_HELLO, imitate, NULL), 0);
    world_serve(c, NULL, world_greets);
    s = world_client("a.test:1", NULL);
    assert_int_equal(greeted(s), 0);
    tlsock_close(s);
    world_wait();
    tlsock_intercept_free(mint);
    tlsock_close(seen);

    c = world_server();
    assert_int_equal(op_done_1_set_up(c), 0);
    world_serve(c, NULL, world_greets);
    s = world_client("a.test:1", NULL);
    assert_int_equal(greeted(s), 0);
    pthread_join(finder, NULL);
    tlsock_close(s);
    world_wait();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates),
        cmocka_unit_test(ocsp),
        cmocka_unit_test(configs),
        cmocka_unit_test(clients),
        cmocka_unit_test(clients_that_wait),
        cmocka_unit_test(client_that_polls),
        cmocka_unit_test(sessions),
        cmocka_unit_test(layers),
        cmocka_unit_test(up_and_down),
        cmocka_unit_test(starttls),
        cmocka_unit_test(choices),
    };

    return cmocka_run_group_tests(tests, world_begin, world_end);
}
