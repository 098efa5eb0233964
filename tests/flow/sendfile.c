/* A file goes into a connection: every byte once, also from a pipe. */
#include "fault.h"
#include "pair.h"
#include "sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BIG 1000007u
#define PART 65536u

static uint8_t byte_at(size_t i)
{
    return (uint8_t)((i * 2654435761u) >> 13);
}

static int file_of(size_t len)
{
    int fd = memfd_create("tlsock", MFD_CLOEXEC);
    uint8_t *all = test_malloc(len + 1);

    for (size_t i = 0; i < len; i++)
        all[i] = byte_at(i);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, all, len), len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    test_free(all);
    return fd;
}

static void make_pipe(int fds[2])
{
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
}

/* What the server has got so far: byte_at() from the first on. */
struct got {
    struct peer *p;
    size_t n;
};

/* Takes what is there; the number of bytes. */
static size_t take(struct got *g)
{
    uint8_t buf[4096];
    size_t total = 0;
    ssize_t n;

    while ((n = tlsock_read(g->p->conn[SERVER], buf, sizeof(buf))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(buf[i], byte_at(g->n + (size_t)i));
        g->n += (size_t)n;
        total += (size_t)n;
    }
    assert_code(n, TLSOCK_AGAIN);
    return total;
}

struct sink {
    tlsock_config *config;
    int plain;
    size_t len;
    int bad;
};

/* No assertions in a thread: it counts. */
static void count_bytes(int fd, void *arg)
{
    struct sink *k = arg;
    tlsock *s = tlsock_server_fd(
        fd, k->config,
        TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD, .plain = k->plain), NULL);
    uint8_t buf[16384];
    ssize_t n;

    while ((n = tlsock_read(s, buf, sizeof(buf))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            k->bad += buf[i] != byte_at(k->len + (size_t)i);
        k->len += (size_t)n;
    }
    k->bad += n != 0;
    tlsock_close(s);
}

/* Blocking client and a thread that counts; ended by end(). */
struct sides {
    struct sock_thread thread;
    struct sink sink;
    tlsock_config *cc;
    tlsock *c;
};

static void begin(struct sides *t, int tcp, int plain)
{
    int fds[2];

    memset(t, 0, sizeof(*t));
    t->cc = ca_client(NULL);
    t->sink.plain = plain;
    t->sink.config = ca_server(ca_get()->a, NULL);
    (tcp ? sock_tcp_pair : sock_pair)(fds);
    sock_run(&t->thread, fds[1], count_bytes, &t->sink);
    t->c = tlsock_client_fd(fds[0], "a.test", t->cc,
                            TLSOCK_OPTS(.plain = plain), NULL);
    assert_non_null(t->c);
}

static void end(struct sides *t, size_t len)
{
    assert_code(tlsock_close(t->c), TLSOCK_OK);
    sock_wait(&t->thread);
    assert_int_equal(t->sink.bad, 0);
    assert_int_equal(t->sink.len, len);
    tlsock_config_unref(t->cc);
    tlsock_config_unref(t->sink.config);
}

static void a_blocking_handle_sends_all_there_is(void **state)
{
    static const size_t lens[] = {0, 1, PART - 1, PART, PART + 1, BIG};

    (void)state;
    for (size_t i = 0; i < COUNT(lens) * 8; i++) {
        size_t len = lens[i / 8], more = i & 1 ? 1000 : 0;
        int fd = file_of(len);
        int64_t offset = 0;
        struct sides t;

        begin(&t, i / 8 % 2 == 0, (i & 4) != 0);
        assert_int_equal(
            tlsock_sendfile(t.c, fd, i & 2 ? &offset : NULL, len + more), len);
        assert_int_equal(offset, i & 2 ? len : 0);
        assert_int_equal(lseek(fd, 0, SEEK_CUR), i & 2 ? 0 : len);
        end(&t, len);
        close(fd);
    }
}

static void a_piece_from_the_middle(void **state)
{
    struct peer *p = pair_of(state);
    int fd = file_of(5000);
    struct got g = {p, 1000};
    int64_t offset = 1000;

    assert_int_equal(tlsock_sendfile(p->conn[CLIENT], fd, &offset, 2000), 2000);
    assert_int_equal(offset, 3000);
    assert_int_equal(take(&g), 2000);
    assert_int_equal(lseek(fd, 3000, SEEK_SET), 3000);
    assert_int_equal(tlsock_sendfile(p->conn[CLIENT], fd, NULL, 500), 500);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 3500);
    assert_int_equal(take(&g), 500);
    close(fd);
}

/* A slow reader: what is counted as taken arrives, and nothing else. */
static void a_nonblocking_handle_takes_what_it_counts(void **state)
{
    struct peer *p = pair_of(state);

    p->pipes[CLIENT].capacity = 30000;
    for (int own_offset = 0; own_offset <= 1; own_offset++) {
        int fd = file_of(BIG), again = 0;
        struct got g = {p, 0};
        int64_t offset = 0;
        size_t sent = 0;
        ssize_t n = 1;

        while (n != 0) {
            n = tlsock_sendfile(p->conn[CLIENT], fd,
                                own_offset ? &offset : NULL, SSIZE_MAX);
            assert_true(n >= 0 || n == TLSOCK_AGAIN);
            sent += n > 0 ? (size_t)n : 0;
            again += n == TLSOCK_AGAIN;
            if (n == TLSOCK_AGAIN)
                assert_int_equal(tlsock_events(p->conn[CLIENT]) & 4, 4);
            assert_int_equal(own_offset ? offset : lseek(fd, 0, SEEK_CUR),
                             sent);
            take(&g);
        }
        while (tlsock_flush(p->conn[CLIENT]) == TLSOCK_AGAIN)
            take(&g);
        take(&g);
        assert_true(again > 10);
        assert_int_equal(sent, BIG);
        assert_int_equal(g.n, BIG);
        close(fd);
    }
}

static size_t fill(int fd, size_t from, size_t to)
{
    uint8_t buf[1000];
    size_t n = to - from < sizeof(buf) ? to - from : sizeof(buf);
    ssize_t put;

    for (size_t i = 0; i < n; i++)
        buf[i] = byte_at(from + i);
    put = write(fd, buf, n);
    return put > 0 ? (size_t)put : 0;
}

/* Whatever has left the pipe is on its way, also while the peer is slow, and
 * what is written between keeps its place. */
static void nothing_that_left_a_pipe_is_lost(void **state)
{
    struct peer *p = pair_of(state);
    size_t filled = 0, sent = 0;
    struct got g = {p, 0};
    int fds[2], full = 0;

    make_pipe(fds);
    p->pipes[CLIENT].capacity = 7000;
    for (int turn = 0; g.n < BIG; turn++) {
        ssize_t n;

        while (filled == sent || (filled < BIG && filled - sent < 20000))
            filled += fill(fds[1], filled, BIG);
        n = tlsock_sendfile(p->conn[CLIENT], fds[0], NULL, BIG);
        full += n == TLSOCK_AGAIN;
        assert_true(n > 0 || n == TLSOCK_AGAIN);
        sent += n > 0 ? (size_t)n : 0;
        if (sent == filled && filled < BIG) { /* by hand, in between */
            uint8_t b = byte_at(sent);

            if (tlsock_write(p->conn[CLIENT], &b, 1) == 1)
                filled = ++sent;
        }
        if (turn % 3 != 0 || sent == BIG)
            take(&g);
        if (sent == BIG)
            break;
    }
    while (tlsock_flush(p->conn[CLIENT]) == TLSOCK_AGAIN)
        take(&g);
    take(&g);
    assert_int_equal(g.n, BIG);
    assert_true(full > 10);
    close(fds[0]);
    close(fds[1]);
}

static void feed(int fd, void *unused)
{
    (void)unused;
    for (size_t n = 0; n < BIG;)
        n += fill(fd, n, BIG);
}

static void a_pipe_or_socket_is_sent_to_its_end(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        int socket = way & 1;
        struct sock_thread writer;
        struct sides t;
        int fds[2];

        if (socket)
            sock_pair(fds);
        else
            make_pipe(fds);
        begin(&t, 1, way >> 1);
        sock_run(&writer, fds[1], feed, NULL);
        assert_int_equal(tlsock_sendfile(t.c, fds[0], NULL, 100), 100);
        assert_int_equal(tlsock_sendfile(t.c, fds[0], NULL, SSIZE_MAX),
                         BIG - 100);
        assert_int_equal(tlsock_sendfile(t.c, fds[0], NULL, SSIZE_MAX), 0);
        sock_wait(&writer);
        end(&t, BIG);
        close(fds[0]);
    }
}

static void a_silent_source_ends_at_the_deadline(void **state)
{
    struct sides t;
    int fds[2];

    (void)state;
    make_pipe(fds);
    begin(&t, 0, 0);
    tlsock_set_deadline(t.c, 0);
    assert_code(tlsock_sendfile(t.c, fds[0], NULL, 10), TLSOCK_E_TIMEOUT);
    assert_tells(tlsock_last_error(t.c)->message, "descriptor");
    assert_true(tlsock_last_error(t.c)->hint[0] != '\0');
    tlsock_set_deadline(t.c, -1);
    assert_int_equal(fill(fds[1], 0, 10), 10); /* it goes on as if nothing */
    assert_int_equal(tlsock_sendfile(t.c, fds[0], NULL, 10), 10);
    end(&t, 10);
    close(fds[0]);
    close(fds[1]);
}

static void the_end_of_a_file_is_0(void **state)
{
    static const int64_t ends[] = {5000, 5001, INT64_MAX - 1, INT64_MAX};
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    struct got g = {p, 0};
    int fd = file_of(5000), null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    for (size_t i = 0; i < COUNT(ends); i++) {
        int64_t offset = ends[i];

        assert_int_equal(tlsock_sendfile(c, fd, &offset, 100), 0);
        assert_int_equal(offset, ends[i]);
    }
    assert_int_equal(tlsock_sendfile(c, fd, NULL, 0), 0);
    assert_int_equal(tlsock_sendfile(c, null, NULL, 10), 0);
    assert_int_equal(tlsock_sendfile(c, fd, NULL, 9000), 5000);
    assert_int_equal(tlsock_sendfile(c, fd, NULL, 9000), 0);
    assert_int_equal(lseek(fd, 5000, SEEK_SET), 5000);
    assert_int_equal(fill(fd, 5000, 5400), 400); /* it grows */
    assert_int_equal(lseek(fd, 5000, SEEK_SET), 5000);
    assert_int_equal(tlsock_sendfile(c, fd, NULL, 9000), 400);
    assert_int_equal(take(&g), 5400);
    close(fd);
    close(null);
}

enum source { FILE_10, DIRECTORY, WRITE_ONLY, WRITE_END, EMPTY, CLOSED };

static int open_source(enum source what, int pipe_fds[2])
{
    char path[96];
    int fd;

    snprintf(path, sizeof(path), "%s/only", ca_get()->dir);
    switch (what) {
    case FILE_10:
        return file_of(10);
    case DIRECTORY:
        return open(ca_get()->dir, O_RDONLY | O_CLOEXEC);
    case WRITE_ONLY:
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        unlink(path);
        return fd;
    case WRITE_END:
        return dup(pipe_fds[1]);
    case EMPTY:
        return dup(pipe_fds[0]);
    default:
        return -1;
    }
}

static void what_cannot_be_sent_is_refused_and_named(void **state)
{
    static const struct {
        const char *name;
        enum source source;
        int64_t offset; /* -1: NULL */
        size_t len;
        int code, sys;
        const char *tells, *hint;
    } rows[] = {
        {"a directory", DIRECTORY, -1, 10, TLSOCK_E_SYSTEM, EISDIR,
         "cannot read", "directory"},
        {"a directory at", DIRECTORY, 3, 10, TLSOCK_E_SYSTEM, EISDIR,
         "offset 3", "directory"},
        {"closed", CLOSED, -1, 10, TLSOCK_E_SYSTEM, EBADF, "descriptor -1",
         "open for reading"},
        {"closed at", CLOSED, 0, 10, TLSOCK_E_SYSTEM, EBADF, "descriptor -1",
         "open for reading"},
        {"write-only", WRITE_ONLY, 0, 10, TLSOCK_E_SYSTEM, EBADF, "cannot read",
         "open for reading"},
        {"a pipe's other end", WRITE_END, -1, 10, TLSOCK_E_SYSTEM, EBADF,
         "cannot read", "open for reading"},
        {"a pipe at", EMPTY, 0, 10, TLSOCK_E_ARGUMENT, ESPIPE, "no offsets",
         "NULL"},
        {"an empty pipe", EMPTY, -1, 10, TLSOCK_E_SYSTEM, EAGAIN, "cannot read",
         "POLLIN"},
        {"before the file", FILE_10, -2, 10, TLSOCK_E_ARGUMENT, 0, "-2", ""},
        {"too much", FILE_10, 0, SIZE_MAX, TLSOCK_E_ARGUMENT, 0, "SSIZE_MAX",
         ""},
    };
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    int pipe_fds[2];

    make_pipe(pipe_fds);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = open_source(rows[i].source, pipe_fds);
        int64_t offset = rows[i].offset;
        ssize_t n;

        errno = EXDEV;
        n = tlsock_sendfile(c, fd, offset != -1 ? &offset : NULL, rows[i].len);
        assert_int_equal(errno, EXDEV);
        if (n != rows[i].code)
            fail_msg("%s: %zd %s", rows[i].name, n,
                     tlsock_last_error(c)->message);
        assert_int_equal(tlsock_last_error(c)->code, rows[i].code);
        assert_int_equal(tlsock_last_error(c)->sys_errno, rows[i].sys);
        assert_tells(tlsock_last_error(c)->message, rows[i].tells);
        assert_tells(tlsock_last_error(c)->hint, rows[i].hint);
        assert_int_equal(offset, rows[i].offset);
        peer_pingpong(p); /* the connection is as good as before */
        if (fd >= 0)
            close(fd);
    }
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    assert_code(tlsock_sendfile(NULL, 0, NULL, 1), TLSOCK_E_ARGUMENT);
}

static void after_shutdown_no_file_is_sent(void **state)
{
    struct peer *p = pair_of(state);
    int fd = file_of(10);

    assert_code(tlsock_shutdown(p->conn[CLIENT], SHUT_WR), TLSOCK_OK);
    assert_code(tlsock_sendfile(p->conn[CLIENT], fd, NULL, 10), TLSOCK_E_STATE);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
    close(fd);
}

static void a_call_that_fails_moves_nothing(void **state)
{
    static const struct {
        enum fault_kind kind;
        int value, code;
        int own_offset;
    } rows[] = {
        {FAULT_READ, EIO, TLSOCK_E_SYSTEM, 0},
        {FAULT_READ, EIO, TLSOCK_E_SYSTEM, 1},
        {FAULT_OWN, ENOMEM, TLSOCK_E_NOMEM, 0},
        {FAULT_OWN, ENOMEM, TLSOCK_E_NOMEM, 1},
        {FAULT_POLL, ENOMEM, TLSOCK_E_SYSTEM, 0},
        {FAULT_FCNTL, EIO, TLSOCK_E_SYSTEM, 0},
        {FAULT_READ, EINTR, 1000, 0},
        {FAULT_READ, EINTR, 1000, 1},
        {FAULT_POLL, EINTR, 1000, 0},
    };
    struct peer *p = pair_of(state);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct got g = {p, 0};
        int fd = file_of(1000);
        int64_t offset = 0, *at = rows[i].own_offset ? &offset : NULL;
        ssize_t n;

        fault_arm(rows[i].kind, 1, rows[i].value);
        n = tlsock_sendfile(p->conn[CLIENT], fd, at, 50000);
        assert_int_equal(fault_disarm(), 1);
        if (n != rows[i].code)
            fail_msg("%s %d: %zd", fault_name(rows[i].kind), rows[i].value, n);
        if (n < 0) {
            assert_int_equal(tlsock_last_error(p->conn[CLIENT])->code, n);
            assert_int_equal(offset, 0);
            assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
            n = tlsock_sendfile(p->conn[CLIENT], fd, at, 5000);
        }
        assert_int_equal(n, 1000);
        assert_int_equal(take(&g), 1000);
        close(fd);
    }
}

static void a_broken_transport_is_told(void **state)
{
    struct peer *p = pair_of(state);
    int fd = file_of(10);

    p->pipes[CLIENT].fail_write_at = p->pipes[CLIENT].writes + 1;
    assert_code(tlsock_sendfile(p->conn[CLIENT], fd, NULL, 10),
                TLSOCK_E_SYSTEM);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_code(tlsock_sendfile(p->conn[CLIENT], fd, NULL, 10),
                TLSOCK_E_SYSTEM);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
    close(fd);
}

/* With "write.buffer": what was held before goes before. */
static void order_is_kept_with_a_write_buffer(void **state)
{
    struct peer *p = pair_of(state);
    struct got g = {p, 0};
    int fd = file_of(3000);
    uint8_t head[100];

    for (size_t i = 0; i < sizeof(head); i++)
        head[i] = byte_at(i);
    assert_int_equal(tlsock_write(p->conn[CLIENT], head, 100), 100);
    assert_int_equal(take(&g), 0);
    assert_int_equal(lseek(fd, 100, SEEK_SET), 100);
    assert_int_equal(tlsock_sendfile(p->conn[CLIENT], fd, NULL, 2900), 2900);
    assert_code(tlsock_flush(p->conn[CLIENT]), TLSOCK_OK);
    assert_int_equal(take(&g), 3000);
    close(fd);
}

static int pair_buffered(void **state)
{
    return pair_start(state, "1.3", "4096");
}

/* Where the socket may not wait, the system copies; the peer sees no
 * difference, and neither does the caller. */
static void plaintext_is_copied_by_the_system(void **state)
{
    struct sides t;
    int64_t at = 0;
    int file = file_of(300000), flags;

    (void)state;
    begin(&t, 1, 1);
    flags = fcntl(tlsock_fd(t.c), F_GETFL);
    assert_int_equal(fcntl(tlsock_fd(t.c), F_SETFL, flags | O_NONBLOCK), 0);
    assert_int_equal(tlsock_sendfile(t.c, file, NULL, 1000000), 300000);
    assert_int_equal(tlsock_sendfile(t.c, file, NULL, 1000000), 0);
    end(&t, 300000);
    begin(&t, 1, 1);
    flags = fcntl(tlsock_fd(t.c), F_GETFL);
    assert_int_equal(fcntl(tlsock_fd(t.c), F_SETFL, flags | O_NONBLOCK), 0);
    assert_int_equal(tlsock_sendfile(t.c, file, &at, 150000), 150000);
    assert_int_equal(at, 150000);
    assert_int_equal(tlsock_sendfile(t.c, file, &at, 1000000), 150000);
    end(&t, 300000);
    close(file);
}

/* The same with a peer that reads late, one that is gone, a file that is not
 * open. */
static void what_the_system_copies_may_wait_or_fail(void **state)
{
    size_t len = 8u << 20, got = 0;
    int file = file_of(len), fds[2];
    tlsock_config *cc = ca_client(NULL);
    static uint8_t buf[65536];
    int64_t at = 0;
    tlsock *c;
    ssize_t n;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
                     0);
    c = tlsock_client_fd(fds[0], NULL, cc,
                         TLSOCK_OPTS(.plain = 1, .nonblocking = 1), NULL);
    assert_non_null(c);
    assert_code(tlsock_sendfile(c, 9999, &at, 10), TLSOCK_E_SYSTEM);
    assert_int_equal(tlsock_last_error(c)->sys_errno, EBADF);
    for (int i = 0; i < 100000 && got < len; i++) {
        n = at < (int64_t)len ? tlsock_sendfile(c, file, &at, len) : 1;
        assert_true(n > 0 || n == TLSOCK_AGAIN);
        if (n == TLSOCK_AGAIN)
            assert_int_equal(tlsock_events(c) & POLLOUT, POLLOUT);
        while ((n = recv(fds[1], buf, sizeof(buf), 0)) > 0)
            for (ssize_t k = 0; k < n; k++)
                assert_int_equal(buf[k], byte_at(got++));
    }
    assert_int_equal(got, len);
    close(fds[1]);
    at = 0;
    assert_code(tlsock_sendfile(c, file, &at, len), TLSOCK_E_RESET);
    assert_int_equal(at, 0);
    tlsock_abandon(c);
    tlsock_config_unref(cc);
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plaintext_is_copied_by_the_system),
        cmocka_unit_test(what_the_system_copies_may_wait_or_fail),
        cmocka_unit_test(a_blocking_handle_sends_all_there_is),
        BOTH(a_piece_from_the_middle),
        PLAIN(a_piece_from_the_middle),
        BOTH(a_nonblocking_handle_takes_what_it_counts),
        PLAIN(a_nonblocking_handle_takes_what_it_counts),
        BOTH(nothing_that_left_a_pipe_is_lost),
        PLAIN(nothing_that_left_a_pipe_is_lost),
        cmocka_unit_test(a_pipe_or_socket_is_sent_to_its_end),
        cmocka_unit_test(a_silent_source_ends_at_the_deadline),
        BOTH(the_end_of_a_file_is_0),
        PLAIN(the_end_of_a_file_is_0),
        BOTH(what_cannot_be_sent_is_refused_and_named),
        PLAIN(what_cannot_be_sent_is_refused_and_named),
        BOTH(after_shutdown_no_file_is_sent),
        BOTH(a_call_that_fails_moves_nothing),
        PLAIN(a_call_that_fails_moves_nothing),
        BOTH(a_broken_transport_is_told),
        PLAIN(a_broken_transport_is_told),
        cmocka_unit_test_setup_teardown(order_is_kept_with_a_write_buffer,
                                        pair_buffered, pair_stop),
    };

    fault_init();
    return cmocka_run_group_tests_name("sendfile", tests, ca_setup,
                                       ca_teardown);
}
