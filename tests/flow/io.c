/* The data calls: what they give, what they leave, how they travel. */
#include "pair.h"
#include "tls/conn.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

static void say(struct peer *p, const void *msg, size_t len)
{
    assert_int_equal(tlsock_write(p->conn[SERVER], msg, len), len);
}

/* Nobody could tell when there is something to do. */
static void who_blocks_needs_a_descriptor(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    struct peer p;

    (void)state;
    peer_init(&p);
    assert_code(peer_open_opts(&p, cc, NULL, NULL, NULL, "a.test"),
                TLSOCK_E_STATE);
    assert_tells(p.err[CLIENT].message, "nonblocking");
    peer_free(&p);
    tlsock_config_unref(cc);
}

static void peek_takes_nothing(void **state)
{
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    char got[16];

    assert_code(tlsock_peek(c, got, 4), TLSOCK_AGAIN);
    say(p, "abcdef", 6);
    for (int i = 0; i < 3; i++) {
        memset(got, 0, sizeof(got));
        assert_int_equal(tlsock_peek(c, got, 3), 3);
        assert_memory_equal(got, "abc", 3);
    }
    assert_int_equal(tlsock_read(c, got, 2), 2);
    assert_int_equal(tlsock_peek(c, got, sizeof(got)), 4);
    assert_memory_equal(got, "cdef", 4);
    assert_int_equal(tlsock_read(c, got, sizeof(got)), 4);
    assert_code(tlsock_read(c, got, 1), TLSOCK_AGAIN);
}

/* One that has no look of its own is read into memory. */
static void peek_at_a_transport_that_cannot_takes_nothing(void **state)
{
    struct peer *p = pair_of(state);
    char got[8];

    assert_code(tlsock_peek(p->conn[CLIENT], got, 4), TLSOCK_AGAIN);
    say(p, "abc", 3);
    for (int i = 0; i < 2; i++)
        assert_int_equal(tlsock_peek(p->conn[CLIENT], got, sizeof(got)), 3);
    assert_int_equal(tlsock_read(p->conn[CLIENT], got, sizeof(got)), 3);
    assert_memory_equal(got, "abc", 3);
    p->pipes[SERVER].ended = 1;
    assert_int_equal(tlsock_peek(p->conn[CLIENT], got, sizeof(got)), 0);
}

static void pending_counts_what_needs_no_socket(void **state)
{
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    char got[64];

    assert_int_equal(tlsock_pending(c), 0);
    say(p, "abcdef", 6);
    assert_int_equal(tlsock_read(c, got, 2), 2);
    assert_int_equal(tlsock_pending(c), 4);
    assert_int_equal(tlsock_read(c, got, 4), 4);
    assert_int_equal(tlsock_pending(c), 0);
}

static void read_full_waits_for_all_unless_the_end_comes(void **state)
{
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    char got[64];

    say(p, "abc", 3);
    assert_int_equal(tlsock_read_full(c, got, 3), 3);
    say(p, "abc", 3);
    assert_int_equal(tlsock_shutdown(p->conn[SERVER], SHUT_WR), 0);
    assert_int_equal(tlsock_read_full(c, got, 10), 3);
    assert_int_equal(tlsock_read_full(c, got, 10), 0);
}

static void zero_bytes_are_zero_bytes(void **state)
{
    struct peer *p = pair_of(state);
    size_t before = p->pipes[CLIENT].len;
    char got[4];

    assert_int_equal(tlsock_write(p->conn[CLIENT], "", 0), 0);
    assert_int_equal(tlsock_read(p->conn[CLIENT], got, 0), 0);
    assert_int_equal(tlsock_read_full(p->conn[CLIENT], got, 0), 0);
    assert_int_equal(p->pipes[CLIENT].len, before);
    peer_pingpong(p);
}

static void lines_come_whole(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } lines[] = {{"one\n", 4},
                 {"\n", 1},
                 {"t\0wo\n", 5},
                 {"three\r\n", 7},
                 {"no line feed", 12}};
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    char *line = NULL;
    size_t cap = 0;

    assert_code(tlsock_getline(c, &line, &cap, 100), TLSOCK_AGAIN);
    for (size_t i = 0; i < COUNT(lines); i++)
        say(p, lines[i].text, lines[i].len);
    for (size_t i = 0; i < COUNT(lines) - 1; i++) {
        assert_int_equal(tlsock_getline(c, &line, &cap, 100), lines[i].len);
        assert_memory_equal(line, lines[i].text, lines[i].len + 1);
    }
    assert_code(tlsock_getline(c, &line, &cap, 100), TLSOCK_AGAIN);
    assert_int_equal(tlsock_shutdown(p->conn[SERVER], SHUT_WR), 0);
    assert_int_equal(tlsock_getline(c, &line, &cap, 100), 12);
    assert_string_equal(line, "no line feed");
    assert_int_equal(tlsock_getline(c, &line, &cap, 100), 0);
    free(line);
}

static void a_line_may_come_in_pieces(void **state)
{
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    const char *text = "piece by piece\n";
    char *line = NULL;
    size_t cap = 0;

    for (size_t i = 0; text[i] != '\0'; i++) {
        assert_code(tlsock_getline(c, &line, &cap, 15), TLSOCK_AGAIN);
        say(p, text + i, 1);
    }
    assert_int_equal(tlsock_getline(c, &line, &cap, 15), 15);
    assert_string_equal(line, text);
    free(line);
}

static void a_line_over_the_limit_consumes_nothing(void **state)
{
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    char *line = NULL, got[16];
    size_t cap = 0;

    say(p, "0123456789\nnext\n", 16);
    assert_code(tlsock_getline(c, &line, &cap, 10), TLSOCK_E_LIMIT);
    assert_code(tlsock_getline(c, &line, &cap, 3), TLSOCK_E_LIMIT);
    assert_int_equal(tlsock_getline(c, &line, &cap, 11), 11);
    assert_int_equal(tlsock_getline(c, &line, &cap, 5), 5);
    assert_string_equal(line, "next\n");
    free(line);
    assert_code(tlsock_read(c, got, sizeof(got)), TLSOCK_AGAIN);
}

static void lines_and_reads_may_alternate(void **state)
{
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    char *line = NULL, got[8];
    size_t cap = 0;

    say(p, "head\nbody", 9);
    assert_int_equal(tlsock_getline(c, &line, &cap, 100), 5);
    assert_int_equal(tlsock_pending(c), 4);
    assert_int_equal(tlsock_peek(c, got, 2), 2);
    assert_int_equal(tlsock_read(c, got, sizeof(got)), 4);
    assert_memory_equal(got, "body", 4);
    free(line);
}

static void pieces_travel_as_one_record(void **state)
{
    struct peer *p = pair_of(state);
    struct iovec iov[5] = {{(char[]){"ab"}, 2},
                           {NULL, 0},
                           {(char[]){"c"}, 1},
                           {(char[]){"def"}, 3},
                           {(char[]){"g"}, 1}};
    size_t before = p->pipes[CLIENT].len, sends = p->pipes[CLIENT].sends;
    char got[16];

    assert_int_equal(tlsock_writev(p->conn[CLIENT], iov, 5), 7);
    assert_int_equal(pipe_records(&p->pipes[CLIENT], before, 23), 1);
    assert_int_equal(p->pipes[CLIENT].sends, sends + 1);
    assert_int_equal(tlsock_read(p->conn[SERVER], got, sizeof(got)), 7);
    assert_memory_equal(got, "abcdefg", 7);
    assert_code(tlsock_writev(p->conn[CLIENT], iov, 1025), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_writev(p->conn[CLIENT], iov, -1), TLSOCK_E_ARGUMENT);
}

static void printf_is_all_or_nothing(void **state)
{
    struct peer *p = pair_of(state);
    size_t before = p->pipes[CLIENT].len;
    char got[3000];

    assert_int_equal(tlsock_printf(p->conn[CLIENT], "%s %d\r\n", "GET", 42), 8);
    assert_int_equal(pipe_records(&p->pipes[CLIENT], before, 23), 1);
    assert_int_equal(tlsock_read(p->conn[SERVER], got, sizeof(got)), 8);
    assert_memory_equal(got, "GET 42\r\n", 8);
    assert_int_equal(tlsock_printf(p->conn[CLIENT], "%02000d", 7), 2000);
    assert_int_equal(tlsock_read(p->conn[SERVER], got, sizeof(got)), 2000);
    assert_int_equal(tlsock_printf(p->conn[CLIENT], "%s", ""), 0);
}

/* Not without memory: the locale has no such letter. */
static void printf_tells_what_it_cannot_print(void **state)
{
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];

    errno = ENOENT;
    assert_code(tlsock_printf(c, "%ls", L"\x100"), TLSOCK_E_ARGUMENT);
    assert_int_equal(errno, ENOENT);
    assert_code(tlsock_last_error(c)->code, TLSOCK_E_ARGUMENT);
    assert_tells(tlsock_last_error(c)->message, "tlsock_printf()");
    assert_int_equal(tlsock_last_error(c)->sys_errno, EILSEQ);
    assert_int_equal(tlsock_printf(c, "%ls", L"x"), 1);
}

static void a_slow_reader_stops_a_writer(void **state)
{
    struct peer *p = pair_of(state);
    uint8_t *msg = malloc(3000000), *got = malloc(3000000);
    size_t taken = 0;
    ssize_t n;

    for (size_t i = 0; i < 3000000; i++)
        msg[i] = (uint8_t)(i * 11 + i / 256);
    p->pipes[CLIENT].capacity = 65536;
    while ((n = tlsock_write(p->conn[CLIENT], msg + taken, 3000000 - taken)) >
           0)
        taken += (size_t)n;
    assert_code(n, TLSOCK_AGAIN);
    assert_true(taken < 1000000); /* memory is bounded */
    assert_true(tlsock_events(p->conn[CLIENT]) & POLLOUT);
    for (size_t have = 0; have < 3000000;) {
        n = tlsock_read(p->conn[SERVER], got + have, 3000000 - have);
        if (n == TLSOCK_AGAIN) { /* other buffers, other places: allowed */
            n = tlsock_write(p->conn[CLIENT], msg + taken, 3000000 - taken);
            assert_true(n > 0 || n == TLSOCK_AGAIN ||
                        (n == 0 && taken == 3000000));
            taken += n > 0 ? (size_t)n : 0;
            if (n == 0)
                assert_true(tlsock_flush(p->conn[CLIENT]) <= 0);
            continue;
        }
        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_memory_equal(msg, got, 3000000);
    free(msg);
    free(got);
}

static void data_flows_both_ways_at_once(void **state)
{
    struct peer *p = pair_of(state);
    enum { N = 400000 };
    uint8_t *msg = malloc(N), *got[2] = {malloc(N), malloc(N)};
    size_t sent[2] = {0}, have[2] = {0};

    for (size_t i = 0; i < N; i++)
        msg[i] = (uint8_t)(i % 251);
    p->pipes[CLIENT].capacity = p->pipes[SERVER].capacity = 5000;
    for (int turn = 0; turn < 4000; turn++) {
        int side = turn % 2;
        ssize_t n =
            tlsock_write(p->conn[side], msg + sent[side], N - sent[side]);

        assert_true(n >= 0 || n == TLSOCK_AGAIN);
        sent[side] += n > 0 ? (size_t)n : 0;
        assert_true(tlsock_flush(p->conn[side]) >= TLSOCK_AGAIN);
        n = tlsock_read(p->conn[side], got[side] + have[side], N - have[side]);
        assert_true(n >= 0 || n == TLSOCK_AGAIN);
        have[side] += n > 0 ? (size_t)n : 0;
    }
    for (int side = 0; side < 2; side++) {
        assert_int_equal(have[side], N);
        assert_memory_equal(got[side], msg, N);
        free(got[side]);
    }
    free(msg);
}

static void the_events_to_poll_for_follow_the_need(void **state)
{
    struct peer *p = pair_of(state);
    char got[4];

    assert_code(tlsock_read(p->conn[CLIENT], got, 4), TLSOCK_AGAIN);
    assert_int_equal(tlsock_events(p->conn[CLIENT]), POLLIN);
    assert_int_equal(tlsock_fd(p->conn[CLIENT]), -1);
}

/* One read, two records in one receive: the second is counted although it is
 * encrypted still, and a loop that asks for the timeout is not left waiting. */
static void pending_knows_records_that_are_encrypted_still(void **state)
{
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    char got[64];

    say(p, "first", 5);
    say(p, "second", 6);
    assert_int_equal(tlsock_read(c, got, sizeof(got)), 5);
    assert_int_equal(tlsock_timeout(c), 0);
    assert_int_equal(tlsock_pending(c), 6);
    assert_int_equal(tlsock_read(c, got, sizeof(got)), 6);
    assert_int_equal(tlsock_pending(c), 0);
    assert_true(tlsock_timeout(c) != 0);
}

/* Half a record: there is nothing to be read yet, and that is found once. */
static void half_a_record_is_not_pending(void **state)
{
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    char got[64];
    size_t before = p->pipes[SERVER].len;

    say(p, "first", 5);
    say(p, "second", 6);
    p->pipes[SERVER].len -= 3;
    assert_int_equal(tlsock_read(c, got, sizeof(got)), 5);
    assert_int_equal(tlsock_pending(c), 0);
    assert_true(tlsock_timeout(c) != 0);
    p->pipes[SERVER].len += 3;
    assert_true(p->pipes[SERVER].len > before);
    assert_int_equal(tlsock_read(c, got, sizeof(got)), 6);
}

/* A damaged record is found by tlsock_pending(); the read that follows says
 * so. */
static void a_damaged_record_is_told_by_the_read(void **state)
{
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    char got[64];

    say(p, "first", 5);
    say(p, "second", 6);
    p->pipes[SERVER].data[p->pipes[SERVER].len - 1] ^= 1;
    assert_int_equal(tlsock_read(c, got, sizeof(got)), 5);
    assert_int_equal(tlsock_pending(c), 0);
    assert_int_equal(tlsock_timeout(c), 0);
    assert_code(tlsock_read(c, got, sizeof(got)), TLSOCK_E_PROTOCOL);
    assert_true(tlsock_last_error(c)->message[0] != '\0');
}

/* What was taken first arrives first, however much of it had to wait. */
static void no_write_overtakes_another(void **state)
{
    struct peer *p = pair_of(state);
    size_t len = 300000, got = 0;
    char *text = malloc(len + 1), buf[4096];
    ssize_t n;

    assert_non_null(text);
    memset(text, 'a', len);
    text[len] = '\0';
    p->pipes[CLIENT].capacity = 20000;
    assert_int_equal(tlsock_printf(p->conn[CLIENT], "%s", text), len);
    n = tlsock_write(p->conn[CLIENT], "b", 1);
    assert_code(n, TLSOCK_AGAIN);
    assert_true(tlsock_events(p->conn[CLIENT]) & POLLOUT);
    for (int i = 0; got < len + 1 && i < 10000; i++) {
        if (n != 1)
            n = tlsock_write(p->conn[CLIENT], "b", 1);
        else
            (void)!tlsock_flush(p->conn[CLIENT]);
        for (;;) {
            ssize_t r = tlsock_read(p->conn[SERVER], buf, sizeof(buf));

            if (r <= 0)
                break;
            got += (size_t)r;
            if (got <= len)
                assert_null(memchr(buf, 'b', (size_t)r));
        }
    }
    assert_int_equal(got, len + 1);
    free(text);
}

/* A wrong argument later does not become the reason of the failure. */
static void why_it_failed_stays(void **state)
{
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    char got[4];

    p->pipes[SERVER].ended = 1;
    assert_code(tlsock_read(c, got, 4), TLSOCK_E_TRUNCATED);
    assert_code(tlsock_read(c, NULL, 4), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_read(c, got, 4), TLSOCK_E_TRUNCATED);
    assert_code(tlsock_last_error(c)->code, TLSOCK_E_TRUNCATED);
    assert_tells(tlsock_last_error(c)->message, "truncated");
}

/* What has been read and sent needs no memory any more, on either side. */
static void an_idle_connection_holds_no_buffers(void **state)
{
    struct peer *p = pair_of(state);
    char big[20000], got[20000];

    memset(big, 'x', sizeof(big));
    peer_pump(p, CLIENT, (uint8_t *)big, sizeof(big), (uint8_t *)got);
    peer_pump(p, SERVER, (uint8_t *)big, sizeof(big), (uint8_t *)got);
    for (int side = CLIENT; side <= SERVER; side++) {
        const struct tlsock *s = p->conn[side];

        assert_code(tlsock_read(p->conn[side], got, 1), TLSOCK_AGAIN);
        assert_int_equal(s->io.in.cap, 0);
        assert_int_equal(s->io.out.cap, 0);
    }
}

/* Records as small as was asked for, and a queue that is full in between. */
static void records_have_the_size_that_was_asked_for(void **state)
{
    static const struct {
        const char *size, *tls, *ciphers;
        size_t each;
    } rows[] = {
        {"512", "1.3", NULL, 512},
        {"512", "1.2", NULL, 512},
        {"512", "1.2", "ECDHE-ECDSA-AES256-SHA384", 512},
        {"4000", "1.3", NULL, 4000},
        {"16384", "1.3", NULL, 16384},
    };
    static uint8_t msg[400000], got[400000];

    (void)state;
    for (size_t i = 0; i < sizeof(msg); i++)
        msg[i] = (uint8_t)(i * 7 + i / 511);
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("tls.max", rows[i].tls, "record.size",
                                      rows[i].size, NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        struct peer p;
        size_t before;

        if (rows[i].ciphers != NULL) {
            assert_code(tlsock_config_set(cc, "ciphers", rows[i].ciphers), 0);
            assert_code(tlsock_config_set(sc, "ciphers", rows[i].ciphers), 0);
        }
        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        before = p.pipes[CLIENT].len;
        peer_say(&p, CLIENT, msg, 20000);
        assert_int_equal(pipe_records(&p.pipes[CLIENT], before, 23),
                         (20000 + rows[i].each - 1) / rows[i].each);
        p.pipes[CLIENT].capacity = 3000;
        peer_pump(&p, CLIENT, msg, sizeof(msg), got);
        assert_memory_equal(msg, got, sizeof(msg));
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_record_size_is_within_its_limits(void **state)
{
    static const char *const bad[] = {"0", "511", "16385", "large"};
    tlsock_config *c = tlsock_config_new();

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_code(tlsock_config_set(c, "record.size", bad[i]),
                    TLSOCK_E_OPTION);
    tlsock_config_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_have_the_size_that_was_asked_for),
        cmocka_unit_test(a_record_size_is_within_its_limits),
        cmocka_unit_test(who_blocks_needs_a_descriptor),
        BOTH(peek_takes_nothing),
        PLAIN(peek_at_a_transport_that_cannot_takes_nothing),
        BOTH(pending_counts_what_needs_no_socket),
        BOTH(read_full_waits_for_all_unless_the_end_comes),
        BOTH(pending_knows_records_that_are_encrypted_still),
        BOTH(half_a_record_is_not_pending),
        BOTH(a_damaged_record_is_told_by_the_read),
        BOTH(no_write_overtakes_another),
        PLAIN(no_write_overtakes_another),
        BOTH(why_it_failed_stays),
        BOTH(an_idle_connection_holds_no_buffers),
        PLAIN(an_idle_connection_holds_no_buffers),
        BOTH(zero_bytes_are_zero_bytes),
        BOTH(lines_come_whole),
        BOTH(a_line_may_come_in_pieces),
        BOTH(a_line_over_the_limit_consumes_nothing),
        BOTH(lines_and_reads_may_alternate),
        BOTH(pieces_travel_as_one_record),
        BOTH(printf_is_all_or_nothing),
        BOTH(printf_tells_what_it_cannot_print),
        BOTH(a_slow_reader_stops_a_writer),
        BOTH(data_flows_both_ways_at_once),
        BOTH(the_events_to_poll_for_follow_the_need),
    };

    return cmocka_run_group_tests_name("io", tests, ca_setup, ca_teardown);
}
