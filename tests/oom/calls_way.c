/* The n-th system call of a kind fails in a client on its way through proxies
 * and STARTTLS dialogues: a clear code or no harm done, no descriptor lost. */
#include "ca.h"
#include "fault.h"
#include "way.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 2000

struct row {
    enum fault_kind kind;
    int value;
    int codes[5]; /* allowed when it fails; 0 at the end */
};

/* A failed call comes to light in whatever was under way: connecting, asking
 * the proxy, the dialogue or the handshake. */
static const struct row rows[] = {
    {FAULT_RECV, ECONNRESET, {TLSOCK_E_RESET, TLSOCK_E_CLOSED_IN_HANDSHAKE}},
    {FAULT_RECV, EINTR, {0}},
    {FAULT_RECV, EIO, {TLSOCK_E_SYSTEM}},
    {FAULT_SEND, EPIPE, {TLSOCK_E_RESET, TLSOCK_E_CLOSED_IN_HANDSHAKE}},
    {FAULT_SEND, EINTR, {0}},
    {FAULT_SEND, EIO, {TLSOCK_E_SYSTEM}},
    {FAULT_CONNECT, ECONNREFUSED, {TLSOCK_E_CONNECT}},
    {FAULT_CONNECT, EINTR, {0}},
    {FAULT_CLOSE, EINTR, {0}},
    {FAULT_SOCKET, EMFILE, {TLSOCK_E_SYSTEM}},
    {FAULT_SOCKET, EAFNOSUPPORT, {TLSOCK_E_CONNECT}},
    {FAULT_RESOLVE, EAI_AGAIN, {TLSOCK_E_RESOLVE}},
    {FAULT_RESOLVE, EAI_MEMORY, {TLSOCK_E_NOMEM, TLSOCK_E_RESOLVE}},
    {FAULT_POLL, EINTR, {0}},
    {FAULT_POLL, ENOMEM, {TLSOCK_E_SYSTEM, TLSOCK_E_NOMEM}},
    {FAULT_EPOLL, EMFILE, {TLSOCK_E_SYSTEM}},
    {FAULT_EPOLL, ENOMEM, {TLSOCK_E_SYSTEM, TLSOCK_E_NOMEM}},
    {FAULT_SETSOCKOPT, ENOPROTOOPT, {TLSOCK_E_SYSTEM}},
    {FAULT_THREAD, EAGAIN, {TLSOCK_E_SYSTEM, TLSOCK_E_RESOLVE}},
    {FAULT_PIPE, EMFILE, {TLSOCK_E_SYSTEM, TLSOCK_E_RESOLVE}},
};

struct run {
    tlsock_error err;
    const char *broken;
};

typedef ssize_t call(tlsock *s);

static ssize_t finish(tlsock *s)
{
    return tlsock_handshake(s);
}

static ssize_t ask(tlsock *s)
{
    return tlsock_write(s, "ping", 4);
}

static ssize_t hear(tlsock *s)
{
    char got[8];

    return tlsock_read(s, got, sizeof(got));
}

static ssize_t end(tlsock *s)
{
    return tlsock_shutdown(s, SHUT_RDWR);
}

/* In poll(2) of the caller's own, which has nothing but the private descriptor:
 * one that does not tell would end in a timeout, which no row allows. */
static void wait_for(tlsock *s)
{
    struct pollfd p = {tlsock_fd(s), tlsock_events(s), 0};

    (void)!poll(&p, 1, tlsock_timeout(s));
}

static ssize_t until_done(struct run *r, tlsock *s, call *do_it, int by_library)
{
    for (int i = 0; i < 20000; i++) {
        tlsock_pollitem item = {.s = s, .fd = -1, .events = POLLIN | POLLOUT};
        ssize_t rc = do_it(s);

        if (rc < TLSOCK_AGAIN)
            r->err = *tlsock_last_error(s);
        if (rc != TLSOCK_AGAIN)
            return rc;
        if (!by_library) {
            wait_for(s);
            continue;
        }
        item.events = tlsock_events(s);
        rc = tlsock_poll(&item, 1, -1);
        if (rc < 0) {
            r->err.code = (int)rc;
            snprintf(r->err.message, sizeof(r->err.message), "poll");
            return rc;
        }
    }
    return TLSOCK_AGAIN;
}

/* 0 blocking, 1 nonblocking with tlsock_poll(), 2 with poll(2) */
static ssize_t whole(struct run *r, const struct way *w, int mode)
{
    static call *const steps[] = {finish, ask, hear, end};
    tlsock *s = way_connect(w, "a.test", mode != 0, &r->err);
    ssize_t rc = 0;

    if (s == NULL)
        return r->err.code;
    for (size_t i = 0; i < COUNT(steps) && rc >= 0; i++) {
        rc = until_done(r, s, steps[i], mode == 1);
        if (i == 0 && rc == 0 &&
            strncmp(tlsock_info(s, TLSOCK_INFO_VERIFIED), "chain", 5) != 0)
            r->broken = "not verified";
    }
    tlsock_close(s);
    return rc;
}

static void judge(const char *what, const struct row *row, long n,
                  const struct run *r, ssize_t rc)
{
    int i = 0;

    if (r->broken != NULL)
        fail_msg("%s: %s %ld: %s", what, fault_name(row->kind), n, r->broken);
    if (rc >= 0)
        return;
    while (row->codes[i] != 0 && row->codes[i] != r->err.code)
        i++;
    if (row->codes[i] == 0 || r->err.message[0] == '\0')
        fail_msg("%s: %s %ld: %s: %s", what, fault_name(row->kind), n,
                 tlsock_errname((int)rc), r->err.message);
}

/* One row of one way; gives the number of places where it can fail. */
static long places(const struct way *w, const struct row *row, int mode)
{
    for (long n = 1; n < MOST; n++) {
        struct run r = {{0}, NULL};
        ssize_t rc;
        int fired;

        if (row->kind == FAULT_RESOLVE) /* a thread of the library's own */
            fault_arm(row->kind, n, row->value);
        else
            fault_arm_here(row->kind, n, row->value);
        rc = whole(&r, w, mode);
        fired = fault_disarm();
        judge(w->kind->name, row, n, &r, rc);
        if (!fired) {
            assert_code(rc, TLSOCK_OK);
            return n - 1;
        }
    }
    return -1;
}

/* A thread that has waited keeps the descriptor that wakes it. A deadline that
 * is near is waited for by poll(2); nobody answers. */
static void wait_once(void)
{
    tlsock_config *cc = ca_client(NULL);
    tlsock_error err = {0};
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_null(tlsock_client_fd(fds[0], "a.test", cc,
                                 TLSOCK_OPTS(.timeout_ms = 1), &err));
    assert_code(err.code, TLSOCK_E_TIMEOUT);
    close(fds[0]);
    close(fds[1]);
    tlsock_config_unref(cc);
}

static void every_call_may_fail_on_every_way(void **state)
{
    long total[COUNT(rows)] = {0};

    (void)state;
    wait_once();
    for (size_t k = 0; k < way_count; k++) {
        struct way w;
        int before = sock_count();

        way_begin(&w, &way_kinds[k], ca_get()->ip);
        for (size_t i = 0; i < 3 * COUNT(rows); i++) {
            long n = places(&w, &rows[i / 3], (int)(i % 3));

            assert_true(n >= 0);
            total[i / 3] += n;
        }
        way_end(&w);
        /* the resolver's thread may outlive a connection that was given up */
        for (int i = 0; i < 60000 && sock_count() > before; i++)
            poll(NULL, 0, 1);
        if (sock_count() > before)
            fail_msg("%s: %d descriptors more", w.kind->name,
                     sock_count() - before);
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("# %s %d fails at each of %ld places\n",
                      fault_name(rows[i].kind), rows[i].value, total[i]);
        assert_true(total[i] > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_may_fail_on_every_way),
    };

    return cmocka_run_group_tests_name("calls_way", tests, ca_setup,
                                       ca_teardown);
}
