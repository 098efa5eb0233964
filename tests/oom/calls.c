/* For n = 1, 2, ... the n-th system call of a kind fails, on both ends of a
 * real connection: a clear code or no harm done, no descriptor lost. */
#include "ca.h"
#include "fault.h"
#include "netweb.h"
#include "peer.h"
#include "raw.h"
#include "sock.h"

#include "ossl/fiber.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <tlsock/revoke.h>
#include <unistd.h>

#define MOST 2000

struct run {
    tlsock_config *cc, *sc;
    tlsock_listener *listener;
    tlsock *client, *server;
    tlsock_error err;
    char target[40];
    int stage; /* 0 handshake, 1.. talk */
};

static int take_note(struct run *r, tlsock *s, ssize_t rc)
{
    if (rc < TLSOCK_AGAIN && r->err.code == 0)
        r->err = *tlsock_last_error(s);
    return (int)rc;
}

static int serve(struct run *r)
{
    char got[8];
    ssize_t n;

    if (r->server == NULL) {
        tlsock_error err;

        r->server = tlsock_accept(r->listener, &err);
        if (r->server != NULL)
            return TLSOCK_AGAIN;
        if (err.code != TLSOCK_AGAIN)
            r->err = err;
        return err.code;
    }
    n = take_note(r, r->server, tlsock_read(r->server, got, sizeof(got)));
    if (n > 0)
        n = take_note(r, r->server, tlsock_write(r->server, got, (size_t)n));
    return n >= 0 ? TLSOCK_AGAIN : (int)n;
}

static int ask(struct run *r)
{
    char got[8];
    int rc;

    if (r->stage == 0) {
        rc = take_note(r, r->client, tlsock_write(r->client, "ping", 4));
        if (rc > 0)
            r->stage = 1;
        return rc > 0 ? TLSOCK_AGAIN : rc;
    }
    rc = take_note(r, r->client, tlsock_read(r->client, got, sizeof(got)));
    return rc > 0 ? 0 : rc;
}

/* 0 done, or the first failure of either side */
static int turns(struct run *r)
{
    for (int i = 0; i < 2000; i++) {
        tlsock_pollitem items[2] = {
            {.s = r->client},
            {.fd = tlsock_listener_fd(r->listener), .events = POLLIN}};
        int rc = ask(r);

        if (rc != TLSOCK_AGAIN)
            return rc;
        rc = serve(r);
        if (rc != TLSOCK_AGAIN)
            return rc;
        items[0].events = tlsock_events(r->client);
        items[1].s = r->server;
        if (r->server != NULL)
            items[1].events = tlsock_events(r->server);
        rc = tlsock_poll(items, 2, 10);
        if (rc < 0) {
            r->err.code = rc;
            snprintf(r->err.message, sizeof(r->err.message), "poll");
            return rc;
        }
    }
    return TLSOCK_AGAIN;
}

static int whole(struct run *r)
{
    int rc;

    r->listener = tlsock_listen("127.0.0.1:0", r->sc,
                                TLSOCK_OPTS(.nonblocking = 1), &r->err);
    if (r->listener == NULL)
        return r->err.code;
    snprintf(r->target, sizeof(r->target), "localhost:%d",
             tlsock_listener_port(r->listener));
    r->client = tlsock_connect(
        r->target, r->cc, TLSOCK_OPTS(.nonblocking = 1, .timeout_ms = 20000),
        &r->err);
    rc = r->client == NULL ? r->err.code : turns(r);
    tlsock_close(r->client);
    tlsock_close(r->server);
    tlsock_listener_free(r->listener);
    return rc;
}

struct row {
    enum fault_kind kind;
    int value;
    int codes[4]; /* allowed when it fails; 0 at the end */
};

/* The resolver's thread may outlive a connection that was given up. */
static void assert_descriptors(int before, const struct row *row, long n)
{
    int now = sock_count();

    for (int i = 0; i < 60000 && now > before; i++) {
        poll(NULL, 0, 1);
        now = sock_count();
    }
    if (now > before)
        fail_msg("%s %ld: %d descriptors more", fault_name(row->kind), n,
                 now - before);
}

static void check(const struct row *row, long n, const struct run *r, int rc)
{
    int i = 0;

    if (rc == 0)
        return;
    if (rc == TLSOCK_AGAIN)
        fail_msg("%s %ld: stuck", fault_name(row->kind), n);
    while (row->codes[i] != 0 && row->codes[i] != r->err.code)
        i++;
    if (row->codes[i] == 0 || r->err.message[0] == '\0')
        fail_msg("%s %ld: %s \"%s\"", fault_name(row->kind), n,
                 tlsock_errname(r->err.code), r->err.message);
}

static void every_call_may_fail(void **state)
{
    static const struct row rows[] = {
        {FAULT_RECV,
         ECONNRESET,
         {TLSOCK_E_RESET, TLSOCK_E_CLOSED_IN_HANDSHAKE}},
        {FAULT_RECV, EINTR, {0}},
        {FAULT_RECV, EIO, {TLSOCK_E_SYSTEM}},
        {FAULT_SEND, EPIPE, {TLSOCK_E_RESET, TLSOCK_E_CLOSED_IN_HANDSHAKE}},
        {FAULT_SEND, EINTR, {0}},
        {FAULT_SEND, EIO, {TLSOCK_E_SYSTEM}},
        {FAULT_CONNECT, ECONNREFUSED, {TLSOCK_E_CONNECT}},
        {FAULT_CONNECT, EINTR, {0}},
        {FAULT_WRITE, EINTR, {0}},
        {FAULT_CLOSE, EINTR, {0}},
        {FAULT_SOCKET, EMFILE, {TLSOCK_E_CONNECT, TLSOCK_E_SYSTEM}},
        {FAULT_RESOLVE, EAI_AGAIN, {TLSOCK_E_RESOLVE}},
        {FAULT_RESOLVE, EAI_MEMORY, {TLSOCK_E_NOMEM, TLSOCK_E_RESOLVE}},
        {FAULT_ACCEPT, ECONNABORTED, {0}},
        {FAULT_ACCEPT, EINTR, {0}},
        {FAULT_ACCEPT, EMFILE, {TLSOCK_E_SYSTEM}},
        {FAULT_POLL, EINTR, {0}},
        {FAULT_POLL, ENOMEM, {TLSOCK_E_SYSTEM, TLSOCK_E_NOMEM}},
        {FAULT_EPOLL, EMFILE, {TLSOCK_E_SYSTEM}},
        {FAULT_EPOLL, ENOMEM, {TLSOCK_E_SYSTEM, TLSOCK_E_NOMEM}},
        {FAULT_FCNTL, EINVAL, {TLSOCK_E_SYSTEM}},
        {FAULT_SETSOCKOPT, ENOPROTOOPT, {TLSOCK_E_SYSTEM}},
        {FAULT_THREAD, EAGAIN, {TLSOCK_E_SYSTEM, TLSOCK_E_RESOLVE}},
        {FAULT_PIPE, EMFILE, {TLSOCK_E_SYSTEM, TLSOCK_E_RESOLVE}},
    };
    struct run start = {.cc = ca_client(NULL),
                        .sc = ca_server(ca_get()->ip, NULL)};
    struct run r = start;
    int fds;

    (void)state;
    assert_code(whole(&r), TLSOCK_OK);
    fds = sock_count();
    for (size_t i = 0; i < COUNT(rows); i++) {
        long n;

        for (n = 1; n < MOST; n++) {
            int rc, fired;

            r = start;
            fault_arm(rows[i].kind, n, rows[i].value);
            rc = whole(&r);
            fired = fault_disarm();
            check(&rows[i], n, &r, rc);
            assert_descriptors(fds, &rows[i], n);
            if (!fired) {
                assert_code(rc, TLSOCK_OK);
                break;
            }
        }
        assert_true(n < MOST);
        print_message("# %s fails at each of %ld places\n",
                      fault_name(rows[i].kind), n - 1);
    }
    tlsock_config_unref(start.cc);
    tlsock_config_unref(start.sc);
}

/* With a config of its own each time: nothing is known from the time before. */
static void a_first_visit_may_be_refused_by_openssl(void **state)
{
    int fired = fault_is_there(FAULT_REFUSED);

    (void)state;
    for (long n = 1; fired; n++) {
        struct run r = {.cc = ca_client(NULL),
                        .sc = ca_server(ca_get()->ip, NULL)};
        int rc;

        fault_arm_here(FAULT_REFUSED, n, 1);
        rc = whole(&r);
        fired = fault_disarm();
        if (rc != 0 && (!fired || r.err.code == 0 || r.err.message[0] == '\0'))
            fail_msg("%ld (%s): %s \"%s\"", n, fault_refused(),
                     tlsock_errname(rc), r.err.message);
        tlsock_config_unref(r.cc);
        tlsock_config_unref(r.sc);
        assert_true(n < MOST);
    }
}

static void a_listener_outlives_a_shortage_of_descriptors(void **state)
{
    struct run r = {.cc = ca_client(NULL), .sc = ca_server(ca_get()->ip, NULL)};
    tlsock_error err = {0};

    (void)state;
    r.listener =
        tlsock_listen("127.0.0.1:0", r.sc, TLSOCK_OPTS(.nonblocking = 1), NULL);
    assert_non_null(r.listener);
    snprintf(r.target, sizeof(r.target), "127.0.0.1:%d",
             tlsock_listener_port(r.listener));
    r.client =
        tlsock_connect(r.target, r.cc, TLSOCK_OPTS(.nonblocking = 1), NULL);
    assert_non_null(r.client);
    (void)!tlsock_handshake(r.client);
    fault_arm(FAULT_ACCEPT, 1, EMFILE);
    assert_null(tlsock_accept(r.listener, &err));
    fault_disarm();
    assert_code(err.code, TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, EMFILE);
    assert_code(turns(&r), TLSOCK_OK);
    tlsock_close(r.client);
    tlsock_close(r.server);
    tlsock_listener_free(r.listener);
    tlsock_config_unref(r.cc);
    tlsock_config_unref(r.sc);
}

static void a_listener_that_cannot_wait_says_why(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->ip, NULL);
    tlsock_listener *l = tlsock_listen("127.0.0.1:0", sc, NULL, NULL);
    tlsock_error err = {0};

    (void)state;
    assert_non_null(l);
    fault_arm_here(FAULT_POLL, 1, EIO);
    assert_null(tlsock_accept(l, &err));
    assert_int_equal(fault_disarm(), 1);
    assert_code(err.code, TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, EIO);
    tlsock_listener_free(l);
    tlsock_config_unref(sc);
}

/* The next one that serves begins it: who listens is not held up. */
static void a_thread_that_cannot_start_is_started_later(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->ip, "tickets.secret",
                                  "redis://127.0.0.1:1/?key=k", NULL);
    tlsock_listener *l;

    (void)state;
    fault_arm_here(FAULT_THREAD, 1, EAGAIN);
    l = tlsock_listen("127.0.0.1:0", sc, NULL, NULL);
    assert_int_equal(fault_disarm(), 1);
    assert_non_null(l);
    tlsock_listener_free(l);
    fault_arm_here(FAULT_THREAD, 1000, EAGAIN);
    l = tlsock_listen("127.0.0.1:0", sc, NULL, NULL);
    assert_int_equal(fault_disarm(), 0);
    assert_non_null(l);
    tlsock_listener_free(l);
    tlsock_config_unref(sc);
}

static void a_secret_that_cannot_be_read_says_why(void **state)
{
    static const struct {
        enum fault_kind kind;
        int value, code;
    } rows[] = {{FAULT_READ, ENOMEM, TLSOCK_E_NOMEM},
                {FAULT_READ, EIO, TLSOCK_E_OWN_FILE},
                {FAULT_READ, EINTR, 0},
                {FAULT_STAT, EIO, TLSOCK_E_OWN_FILE}};
    char path[128], source[140];
    FILE *f;

    (void)state;
    snprintf(path, sizeof(path), "%s/secret", ca_get()->dir);
    snprintf(source, sizeof(source), "file:%s", path);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("5b7d19a1c5e84e9f8d0a4cc0bd55f24c\n", f);
    fclose(f);
    assert_int_equal(chmod(path, 0600), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *c = tlsock_config_new();

        fault_arm_here(rows[i].kind, 1, rows[i].value);
        assert_code(tlsock_config_set(c, "tickets.secret", source),
                    rows[i].code);
        assert_int_equal(fault_disarm(), 1);
        assert_code(tlsock_config_error(c)->code, rows[i].code);
        tlsock_config_unref(c);
    }
    unlink(path);
}

static void a_certificate_that_cannot_be_read_says_why(void **state)
{
    static const struct {
        int value, code;
    } rows[] = {{EIO, TLSOCK_E_OWN_FILE}, {EINTR, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_error err = {0};
        tlsock_cert *c;

        fault_arm_here(FAULT_READ, 1, rows[i].value);
        c = tlsock_cert_load(ca_get()->a_pem, NULL, NULL, &err);
        assert_int_equal(fault_disarm(), 1);
        assert_code(err.code, rows[i].code);
        assert_int_equal(c == NULL, rows[i].code != 0);
        if (c == NULL) {
            assert_tells(err.message, ca_get()->a_pem);
            assert_tells(err.message, "Input/output error");
        }
        tlsock_cert_unref(c);
    }
}

static void a_fiber_needs_a_stack(void **state)
{
    struct tsk_fiber *f;

    (void)state;
    fault_arm_here(FAULT_MAP, 1, ENOMEM);
    f = tsk_fiber_new();
    assert_int_equal(fault_disarm(), tsk_fiber_can());
    assert_null(f);
    f = tsk_fiber_new();
    assert_int_equal(f != NULL, tsk_fiber_can());
    tsk_fiber_free(f);
}

/* Made once in a process, for all that take early data. */
static void early_data_needs_a_memory_of_tickets(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    tlsock_config *sc = ca_server(ca_get()->a, "early-data", "100", NULL);

    (void)state;
    for (int missing = 1; missing >= 0; missing--) {
        struct peer p;

        peer_init(&p);
        if (missing)
            fault_arm_here(FAULT_MAP, 1, ENOMEM);
        assert_code(peer_open(&p, cc, sc, "a.test"),
                    missing ? TLSOCK_E_NOMEM : 0);
        if (missing)
            assert_int_equal(fault_disarm(), 1);
        peer_free(&p);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* What cannot be waited for is not known, and that is no good. */
static void a_check_that_cannot_wait_knows_nothing(void **state)
{
    static const struct net says = {NET_GOOD, NET_NONE, NET_NONE, NET_NONE};
    struct raw_opts raw = {0};
    struct netweb net;
    struct sock_thread t;
    tlsock_config *cc = tlsock_config_new();
    tlsock_error err = {0};
    tlsock_revocation *r;
    int fds[2];
    tlsock *s;

    (void)state;
    netweb_start(&net, &says);
    raw.cert = net.pki.leaf;
    assert_code(tlsock_config_add_trust(cc, net.root), 0);
    sock_pair(fds);
    sock_run(&t, fds[1], sock_raw_echo, &raw);
    s = tlsock_client_fd(fds[0], "a.test", cc, NULL, &err);
    assert_non_null(s);
    r = tlsock_revocation_new(s, &err);
    assert_non_null(r);
    fault_arm_here(FAULT_POLL, 1, EIO);
    assert_code(tlsock_revocation_run(r, 20000), TLSOCK_E_REVOCATION_UNKNOWN);
    assert_int_equal(fault_disarm(), 1);
    tlsock_revocation_free(r);
    tlsock_close(s);
    sock_wait(&t);
    netweb_stop(&net);
    tlsock_config_unref(cc);
}

/* The same through a transport of the caller's own, whose n-th call fails. */
static void a_transport_may_fail_at_any_call(void **state)
{
    tlsock_config *cc = ca_client("session", "off", NULL);
    tlsock_config *sc = ca_server(ca_get()->a, NULL);

    (void)state;
    for (int way = 0; way < 4; way++) {
        size_t n = 0;
        int rc;

        do {
            struct peer p;

            n++;
            peer_init(&p);
            if (way & 1)
                p.pipes[way >> 1].fail_read_at = n;
            else
                p.pipes[way >> 1].fail_write_at = n;
            rc = peer_open(&p, cc, sc, "a.test");
            if (rc == 0)
                rc = peer_shake(&p);
            if (rc == TLSOCK_AGAIN)
                rc = p.rc[SERVER];
            for (int side = CLIENT; side <= SERVER; side++)
                if (p.rc[side] < TLSOCK_AGAIN)
                    assert_true(p.err[side].message[0] != '\0');
            peer_free(&p);
        } while (rc < TLSOCK_AGAIN && n < 100);
        assert_code(rc, TLSOCK_OK);
        assert_true(n > 1);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_may_fail),
        cmocka_unit_test(a_first_visit_may_be_refused_by_openssl),
        cmocka_unit_test(a_listener_outlives_a_shortage_of_descriptors),
        cmocka_unit_test(a_listener_that_cannot_wait_says_why),
        cmocka_unit_test(a_thread_that_cannot_start_is_started_later),
        cmocka_unit_test(a_secret_that_cannot_be_read_says_why),
        cmocka_unit_test(a_certificate_that_cannot_be_read_says_why),
        cmocka_unit_test(a_fiber_needs_a_stack),
        cmocka_unit_test(early_data_needs_a_memory_of_tickets),
        cmocka_unit_test(a_check_that_cannot_wait_knows_nothing),
        cmocka_unit_test(a_transport_may_fail_at_any_call),
    };

    fault_init();
    return cmocka_run_group_tests_name("calls", tests, ca_setup, ca_teardown);
}
