/* What is written and has not left yet: write.buffer, and what waits for room.
 */
#include "pair.h"
#include "sock.h"

#include <sys/socket.h>

static int pair_buffered(void **state)
{
    return pair_start(state, "1.3", "4096");
}

static ssize_t call_read(tlsock *s)
{
    char got[4];

    return tlsock_read(s, got, sizeof(got));
}

static ssize_t call_peek(tlsock *s)
{
    char got[4];

    return tlsock_peek(s, got, sizeof(got));
}

static ssize_t call_read_full(tlsock *s)
{
    char got[4];

    return tlsock_read_full(s, got, sizeof(got));
}

static ssize_t call_getline(tlsock *s)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n = tlsock_getline(s, &line, &cap, 100);

    free(line);
    return n;
}

/* Who asks for input has said what it had to say: it hears of what cannot
 * leave. */
static void what_cannot_leave_is_told_by_the_read(void **state)
{
    static ssize_t (*const calls[])(tlsock *) = {call_read, call_peek,
                                                 call_read_full, call_getline};

    (void)state;
    for (size_t i = 0; i < COUNT(calls); i++) {
        void *own = NULL;
        struct peer *p;
        tlsock *c;

        pair_buffered(&own);
        p = pair_of(&own);
        c = p->conn[CLIENT];
        assert_int_equal(tlsock_printf(c, "waits"), 5);
        p->pipes[CLIENT].fail_write_at = p->pipes[CLIENT].writes + 1;
        assert_code(calls[i](c), TLSOCK_E_SYSTEM);
        assert_code(tlsock_last_error(c)->code, TLSOCK_E_SYSTEM);
        pair_stop(&own);
    }
}

/* The same in plaintext, where a peek looks into the socket, and what a pipe
 * had for a file that is sent is held. */
static void what_cannot_leave_is_told_by_a_peek_in_plaintext(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    tlsock_error err = {0};
    char block[4096] = "";
    int fds[2], source[2];
    tlsock *c;

    (void)state;
    sock_pair(fds);
    c = tlsock_client_fd(fds[0], "a.test", cc,
                         TLSOCK_OPTS(.plain = 1, .nonblocking = 1), &err);
    assert_non_null(c);
    while (send(fds[0], block, sizeof(block), MSG_DONTWAIT) > 0)
        continue;
    assert_int_equal(pipe(source), 0);
    assert_int_equal(write(source[1], block, 100), 100);
    assert_int_equal(tlsock_sendfile(c, source[0], NULL, 100), 100);
    assert_code(tlsock_peek(c, block, 1), TLSOCK_AGAIN);
    close(fds[1]);
    assert_code(tlsock_peek(c, block, 1), TLSOCK_E_RESET);
    assert_code(tlsock_last_error(c)->code, TLSOCK_E_RESET);
    assert_int_equal(tlsock_last_error(c)->phase, TLSOCK_PHASE_WRITE);
    close(source[0]);
    close(source[1]);
    tlsock_close(c);
    tlsock_config_unref(cc);
}

/* What is taken waits for room, and there is an end to that. */
static void printf_takes_no_more_than_can_leave(void **state)
{
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    int rc = 2000;

    p->pipes[CLIENT].capacity = 1;
    for (int i = 0; i < 100 && rc == 2000; i++)
        rc = tlsock_printf(c, "%02000d", 7);
    assert_code(rc, TLSOCK_AGAIN);
    p->pipes[CLIENT].fail_write_at = p->pipes[CLIENT].writes + 1;
    assert_code(tlsock_printf(c, "more"), TLSOCK_E_SYSTEM);
}

static void writes_leave_at_once_without_a_buffer(void **state)
{
    struct peer *p = pair_of(state);
    size_t sends = p->pipes[CLIENT].sends;

    for (size_t i = 1; i <= 5; i++) {
        assert_int_equal(tlsock_write(p->conn[CLIENT], "x", 1), 1);
        assert_int_equal(p->pipes[CLIENT].sends, sends + i);
    }
}

static void a_write_buffer_joins_writes_until_flush(void **state)
{
    struct peer *p = pair_of(state);
    size_t before = p->pipes[CLIENT].len;
    char got[1000];

    for (int i = 0; i < 100; i++)
        assert_int_equal(tlsock_write(p->conn[CLIENT], "0123456", 7), 7);
    assert_int_equal(p->pipes[CLIENT].len, before);
    assert_code(tlsock_flush(p->conn[CLIENT]), TLSOCK_OK);
    assert_int_equal(pipe_records(&p->pipes[CLIENT], before, 23), 1);
    assert_int_equal(tlsock_read(p->conn[SERVER], got, sizeof(got)), 700);
}

static void a_write_buffer_never_delays_a_reply(void **state)
{
    static const char *const ways[] = {"read", "getline", "peek", "shutdown",
                                       "close"};
    struct peer *p = pair_of(state);
    char got[16], *line = NULL;
    size_t cap = 0;

    for (size_t i = 0; i < COUNT(ways); i++) {
        tlsock *c = p->conn[CLIENT];

        assert_int_equal(tlsock_write(c, "ask", 3), 3);
        assert_code(tlsock_read(p->conn[SERVER], got, 16), TLSOCK_AGAIN);
        if (i == 0)
            assert_code(tlsock_read(c, got, 1), TLSOCK_AGAIN);
        else if (i == 1)
            assert_code(tlsock_getline(c, &line, &cap, 10), TLSOCK_AGAIN);
        else if (i == 2)
            assert_code(tlsock_peek(c, got, 1), TLSOCK_AGAIN);
        else if (i == 3) /* the last that may write */
            break;
        assert_int_equal(tlsock_read(p->conn[SERVER], got, 16), 3);
    }
    assert_code(tlsock_shutdown(p->conn[CLIENT], SHUT_WR), TLSOCK_OK);
    assert_int_equal(tlsock_read(p->conn[SERVER], got, 16), 3);
    assert_int_equal(tlsock_read(p->conn[SERVER], got, 16), 0);
    free(line);
}

static void close_sends_what_a_write_buffer_holds(void **state)
{
    struct peer *p = pair_of(state);
    char got[16];

    assert_int_equal(tlsock_write(p->conn[CLIENT], "last", 4), 4);
    assert_code(tlsock_close(p->conn[CLIENT]), TLSOCK_OK);
    p->conn[CLIENT] = NULL;
    assert_int_equal(tlsock_read(p->conn[SERVER], got, 16), 4);
    assert_int_equal(tlsock_read(p->conn[SERVER], got, 16), 0);
}

/* Records leave together, so it is not the first that finds out. */
static void a_full_write_buffer_that_cannot_leave_is_told(void **state)
{
    struct peer *p = pair_of(state);
    static const uint8_t msg[1000];
    ssize_t rc = sizeof(msg);

    p->pipes[CLIENT].fail_write_at = p->pipes[CLIENT].writes + 1;
    for (int i = 0; i < 1000 && rc > 0; i++)
        rc = tlsock_write(p->conn[CLIENT], msg, sizeof(msg));
    assert_code(rc, TLSOCK_E_SYSTEM);
    assert_code(tlsock_last_error(p->conn[CLIENT])->code, TLSOCK_E_SYSTEM);
    assert_code(tlsock_write(p->conn[CLIENT], msg, 1), TLSOCK_E_SYSTEM);
}

static void a_full_write_buffer_goes_by_itself(void **state)
{
    struct peer *p = pair_of(state);
    uint8_t msg[20000], got[20000];

    for (size_t i = 0; i < sizeof(msg); i++)
        msg[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < sizeof(msg); i += 100)
        assert_int_equal(tlsock_write(p->conn[CLIENT], msg + i, 100), 100);
    assert_code(tlsock_flush(p->conn[CLIENT]), TLSOCK_OK);
    for (size_t have = 0; have < sizeof(got);) {
        ssize_t n =
            tlsock_read(p->conn[SERVER], got + have, sizeof(got) - have);

        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_memory_equal(msg, got, sizeof(msg));
}

#define BUFFERED(test)                                                         \
    {                                                                          \
#test, test, pair_buffered, pair_stop, NULL                            \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_leave_is_told_by_the_read),
        cmocka_unit_test(what_cannot_leave_is_told_by_a_peek_in_plaintext),
        BOTH(printf_takes_no_more_than_can_leave),
        BOTH(writes_leave_at_once_without_a_buffer),
        BUFFERED(a_write_buffer_joins_writes_until_flush),
        BUFFERED(a_write_buffer_never_delays_a_reply),
        BUFFERED(close_sends_what_a_write_buffer_holds),
        BUFFERED(a_full_write_buffer_that_cannot_leave_is_told),
        BUFFERED(a_full_write_buffer_goes_by_itself),
    };

    return cmocka_run_group_tests_name("held", tests, ca_setup, ca_teardown);
}
