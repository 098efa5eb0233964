/* A connection as a FILE *: what is written arrives, what comes is read, and
 * an end, a cut and a failure are told apart. */
#include "fault.h"
#include "pair.h"
#include "sock.h"

#include "tls/conn.h"

#include <errno.h>
#include <sys/socket.h>

#define MEGABYTE (1u << 20)

static FILE *open_file(tlsock *s, const char *mode)
{
    FILE *f = tlsock_fopen(s, mode);

    if (f == NULL)
        fail_msg("%s: %s", mode, tlsock_last_error(s)->message);
    return f;
}

static void say(struct peer *p, const char *text)
{
    size_t len = strlen(text);

    assert_int_equal(tlsock_write(p->conn[SERVER], text, len), len);
}

static void assert_hears(struct peer *p, const char *text)
{
    char got[64] = "";
    ssize_t n = tlsock_read(p->conn[SERVER], got, sizeof(got) - 1);

    assert_true(n >= 0);
    assert_string_equal(got, text);
}

static void assert_line(FILE *f, const char *text)
{
    char got[64] = "";

    assert_non_null(fgets(got, sizeof(got), f));
    assert_string_equal(got, text);
}

/* a blocking client of a server that runs a script on the other end */
static tlsock *client_of(int fd, tlsock_config *cc)
{
    tlsock_error err;
    tlsock *c = tlsock_client_fd(fd, "a.test", cc, NULL, &err);

    if (c == NULL)
        fail_msg("%s", err.message);
    return c;
}

static void requests_and_answers_need_no_flush(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct sock_thread peer;
    char *line = NULL;
    size_t cap = 0;
    int fds[2];
    tlsock *c;
    FILE *f;

    (void)state;
    sock_pair(fds);
    sock_run(&peer, fds[1], sock_echo, sc);
    c = client_of(fds[0], cc);
    f = open_file(c, "r+");
    for (int i = 0; i < 100; i++) {
        char want[32];
        int len = snprintf(want, sizeof(want), "request %d\n", i);

        assert_int_equal(fprintf(f, "request %d\n", i), len);
        if (i % 2 == 0)
            assert_line(f, want);
        else
            assert_int_equal(getline(&line, &cap, f), len);
    }
    assert_string_equal(line, "request 99\n");
    assert_int_equal(fclose(f), 0);
    assert_code(tlsock_shutdown(c, SHUT_WR), TLSOCK_OK);
    f = open_file(c, "r");
    assert_int_equal(getline(&line, &cap, f), -1);
    assert_true(feof(f));
    assert_false(ferror(f));
    assert_int_equal(fclose(f), 0);
    assert_code(tlsock_close(c), TLSOCK_OK);
    sock_wait(&peer);
    free(line);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* Server: takes all until the end, then gives all back through stdio. */
static void store_and_return(int fd, void *config)
{
    tlsock *s = tlsock_server_fd(
        fd, config, TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD), NULL);
    FILE *f = tlsock_fopen(s, "r+");
    uint8_t *all = malloc(MEGABYTE + 1);

    if (f != NULL && all != NULL) {
        size_t n = fread(all, 1, MEGABYTE + 1, f);

        if (feof(f) && fwrite(all, 1, n, f) == n)
            (void)fflush(f);
        (void)fclose(f);
    }
    free(all);
    tlsock_close(s);
    shutdown(fd, SHUT_WR);
    sock_mute(fd, NULL);
}

/* in pieces of all sizes */
static void write_all(FILE *f, const uint8_t *p, size_t len)
{
    for (size_t done = 0, part = 1; done < len; done += part) {
        part = part * 3 + 1;
        if (part > len - done)
            part = len - done;
        assert_int_equal(fwrite(p + done, 1, part, f), part);
    }
    assert_int_equal(fflush(f), 0);
}

static void a_megabyte_goes_both_ways(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    uint8_t *msg = test_malloc(MEGABYTE), *got = test_malloc(MEGABYTE + 1);

    (void)state;
    for (size_t i = 0; i < MEGABYTE; i++)
        msg[i] = (uint8_t)(i * 2654435761u >> 11);
    for (int tcp = 0; tcp <= 1; tcp++) {
        struct sock_thread peer;
        int fds[2];
        tlsock *c;
        FILE *f;

        (tcp ? sock_tcp_pair : sock_pair)(fds);
        sock_run(&peer, fds[1], store_and_return, sc);
        c = client_of(fds[0], cc);
        f = open_file(c, "r+b");
        write_all(f, msg, MEGABYTE);
        assert_code(tlsock_shutdown(c, SHUT_WR), TLSOCK_OK);
        assert_int_equal(fread(got, 1, MEGABYTE + 1, f), MEGABYTE);
        assert_memory_equal(got, msg, MEGABYTE);
        assert_true(feof(f));
        assert_false(ferror(f));
        assert_int_equal(fclose(f), 0);
        assert_code(tlsock_close(c), TLSOCK_OK);
        sock_wait(&peer);
    }
    test_free(msg);
    test_free(got);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void written_text_leaves_at_flush_close_and_when_full(void **state)
{
    struct peer *p = pair_of(state);
    size_t before = p->pipes[CLIENT].len;
    char buffer[256], text[300], got[400];
    FILE *f = open_file(p->conn[CLIENT], "w");
    size_t have = 0;

    memset(text, 'x', sizeof(text));
    assert_int_equal(setvbuf(f, buffer, _IOFBF, sizeof(buffer)), 0);
    assert_true(fputs("one\n", f) >= 0);
    assert_int_equal(p->pipes[CLIENT].len, before);
    assert_int_equal(fflush(f), 0);
    assert_hears(p, "one\n");
    before = p->pipes[CLIENT].len;
    assert_int_equal(fwrite(text, 1, sizeof(text), f), sizeof(text));
    assert_true(p->pipes[CLIENT].len > before);
    assert_int_equal(fclose(f), 0);
    f = open_file(p->conn[CLIENT], "we");
    assert_true(fputs("y", f) >= 0);
    assert_int_equal(fclose(f), 0);
    while (have < sizeof(text) + 1) {
        ssize_t n =
            tlsock_read(p->conn[SERVER], got + have, sizeof(got) - have);

        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_memory_equal(got, text, sizeof(text));
    assert_int_equal(got[sizeof(text)], 'y');
}

static void a_flush_does_not_wait_in_write_buffer(void **state)
{
    struct peer *p = pair_of(state);
    FILE *f = open_file(p->conn[CLIENT], "w");

    assert_true(fputs("now", f) >= 0);
    assert_int_equal(fflush(f), 0);
    assert_hears(p, "now");
    assert_int_equal(fclose(f), 0);
}

static int pair_buffered(void **state)
{
    return pair_start(state, "1.3", "4096");
}

static void input_survives_a_turn_to_writing(void **state)
{
    struct peer *p = pair_of(state);
    FILE *f = open_file(p->conn[CLIENT], "r+");

    say(p, "first\nsecond\nthird\n");
    assert_line(f, "first\n");
    assert_true(fputs("answer to first\n", f) >= 0);
    assert_int_equal(fflush(f), 0);
    assert_hears(p, "answer to first\n");
    assert_line(f, "second\n");
    assert_true(fputs("x\n", f) >= 0);
    assert_line(f, "third\n"); /* flushed by the C library itself */
    assert_hears(p, "x\n");
    say(p, "fourth\n");
    assert_line(f, "fourth\n");
    assert_int_equal(fclose(f), 0);
}

static void input_that_is_flushed_is_the_connections_again(void **state)
{
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    char buffer[4], got[16] = "", *line = NULL;
    size_t cap = 0;
    FILE *f;

    say(p, "line\nab\ncdefgh");
    assert_int_equal(tlsock_getline(c, &line, &cap, 10), 5);
    free(line);
    f = open_file(c, "r");
    assert_int_equal(setvbuf(f, buffer, _IOFBF, sizeof(buffer)), 0);
    assert_line(f, "ab\n");
    assert_int_equal(fflush(f), 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(tlsock_read(c, got, sizeof(got)), 6);
    assert_string_equal(got, "cdefgh");
}

static void an_unbuffered_stream_takes_what_it_gives(void **state)
{
    struct peer *p = pair_of(state);
    char got[8] = "";
    FILE *f = open_file(p->conn[CLIENT], "r");

    assert_int_equal(setvbuf(f, NULL, _IONBF, 0), 0);
    say(p, "abc");
    assert_int_equal(getc(f), 'a');
    assert_int_equal(fclose(f), 0);
    assert_int_equal(tlsock_read(p->conn[CLIENT], got, sizeof(got)), 2);
    assert_string_equal(got, "bc");
}

static void a_stream_is_a_view(void **state)
{
    struct peer *p = pair_of(state);
    FILE *in = open_file(p->conn[CLIENT], "r");
    FILE *out = open_file(p->conn[CLIENT], "w");

    say(p, "in\n");
    assert_line(in, "in\n");
    assert_true(fputs("out\n", out) >= 0);
    assert_int_equal(fclose(out), 0);
    assert_hears(p, "out\n");
    assert_int_equal(fclose(in), 0);
    peer_pingpong(p); /* the connection is as it was */
}

static void the_end_is_feof(void **state)
{
    struct peer *p = pair_of(state);
    FILE *f = open_file(p->conn[CLIENT], "r");

    say(p, "last\n");
    assert_code(tlsock_shutdown(p->conn[SERVER], SHUT_WR), TLSOCK_OK);
    assert_line(f, "last\n");
    assert_int_equal(getc(f), EOF);
    assert_true(feof(f));
    assert_false(ferror(f));
    assert_int_equal(fclose(f), 0);
}

static void a_cut_is_ferror_and_never_feof(void **state)
{
    struct peer *p = pair_of(state);
    FILE *f = open_file(p->conn[CLIENT], "r");

    say(p, "last\n");
    p->pipes[SERVER].ended = 1;
    assert_line(f, "last\n");
    errno = 0;
    assert_int_equal(getc(f), EOF);
    assert_int_equal(errno, EPROTO);
    assert_true(ferror(f));
    assert_false(feof(f));
    assert_code(tlsock_last_error(p->conn[CLIENT])->code, TLSOCK_E_TRUNCATED);
    assert_tells(tlsock_last_error(p->conn[CLIENT])->message, "close_notify");
    assert_int_equal(fclose(f), 0);
}

static void a_reset_is_ferror_both_ways(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);

    (void)state;
    for (int writing = 0; writing <= 1; writing++) {
        int fds[2], rc = TLSOCK_AGAIN;
        tlsock *c, *s;
        FILE *f;

        sock_tcp_pair(fds);
        c = tlsock_client_fd(fds[0], "a.test", cc,
                             TLSOCK_OPTS(.nonblocking = 1), NULL);
        s = tlsock_server_fd(
            fds[1], sc,
            TLSOCK_OPTS(.nonblocking = 1, .flags = TLSOCK_F_BORROW_FD), NULL);
        while (rc == TLSOCK_AGAIN) {
            rc = tlsock_handshake(c);
            (void)!tlsock_handshake(s);
        }
        assert_code(rc, TLSOCK_OK);
        tlsock_abandon(s);
        sock_reset(fds[1]);
        tlsock_set_nonblocking(c, 0);
        f = open_file(c, writing ? "w" : "r");
        errno = 0;
        if (writing) { /* whether the first one fails is the system's */
            while (fputs("to nobody", f) >= 0 && fflush(f) == 0)
                ;
            assert_true(errno == EPIPE || errno == ECONNRESET);
        } else {
            assert_int_equal(getc(f), EOF);
            assert_int_equal(errno, ECONNRESET);
        }
        assert_true(ferror(f));
        assert_false(feof(f));
        assert_code(tlsock_last_error(c)->code, TLSOCK_E_RESET);
        (void)fclose(f);
        tlsock_close(c);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_deadline_is_etimedout(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct sock_thread peer;
    int fds[2];
    tlsock *c;
    FILE *f;

    (void)state;
    sock_pair(fds);
    sock_run(&peer, fds[1], sock_echo, sc);
    c = client_of(fds[0], cc);
    f = open_file(c, "r+");
    tlsock_set_deadline(c, 0);
    errno = 0;
    assert_int_equal(getc(f), EOF);
    assert_int_equal(errno, ETIMEDOUT);
    tlsock_set_deadline(c, -1);
    clearerr(f);
    assert_true(fputs("again\n", f) >= 0); /* a time-out is not the end */
    assert_line(f, "again\n");
    assert_int_equal(fclose(f), 0);
    tlsock_close(c);
    sock_wait(&peer);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_nonblocking_read_is_eagain(void **state)
{
    struct peer *p = pair_of(state);
    FILE *f = open_file(p->conn[CLIENT], "r");

    errno = 0;
    assert_int_equal(getc(f), EOF);
    assert_int_equal(errno, EAGAIN);
    assert_true(ferror(f));
    assert_false(feof(f));
    clearerr(f);
    say(p, "x");
    assert_int_equal(getc(f), 'x');
    assert_int_equal(fclose(f), 0);
}

/* Unbuffered: the count is exact, and what follows joins on. */
static void a_nonblocking_write_tells_what_it_took(void **state)
{
    struct peer *p = pair_of(state);
    uint8_t *msg = test_malloc(MEGABYTE), *got = test_malloc(MEGABYTE);
    FILE *f = open_file(p->conn[CLIENT], "w");
    size_t sent = 0, have = 0;
    int full = 0;

    for (size_t i = 0; i < MEGABYTE; i++)
        msg[i] = (uint8_t)(i >> 8 ^ i);
    p->pipes[CLIENT].capacity = 50000;
    assert_int_equal(setvbuf(f, NULL, _IONBF, 0), 0);
    while (have < MEGABYTE) {
        ssize_t n;

        errno = 0;
        sent += fwrite(msg + sent, 1, MEGABYTE - sent, f);
        if (sent < MEGABYTE) {
            assert_int_equal(errno, EAGAIN);
            assert_true(ferror(f));
            clearerr(f);
            full++;
        } else if (tlsock_flush(p->conn[CLIENT]) < TLSOCK_AGAIN) {
            fail_msg("%s", tlsock_last_error(p->conn[CLIENT])->message);
        }
        n = tlsock_read(p->conn[SERVER], got + have, MEGABYTE - have);
        assert_true(n > 0 || n == TLSOCK_AGAIN);
        have += n > 0 ? (size_t)n : 0;
    }
    assert_true(full > 1);
    assert_int_equal(sent, MEGABYTE);
    assert_memory_equal(got, msg, MEGABYTE);
    assert_int_equal(fclose(f), 0);
    test_free(msg);
    test_free(got);
}

static void writing_after_shutdown_is_epipe(void **state)
{
    struct peer *p = pair_of(state);
    FILE *f = open_file(p->conn[CLIENT], "w");

    assert_code(tlsock_shutdown(p->conn[CLIENT], SHUT_WR), TLSOCK_OK);
    assert_true(fputs("late", f) >= 0);
    errno = 0;
    assert_int_equal(fflush(f), EOF);
    assert_int_equal(errno, EPIPE);
    assert_true(ferror(f));
    assert_code(tlsock_last_error(p->conn[CLIENT])->code, TLSOCK_E_STATE);
    (void)fclose(f);
}

/* Codes of each kind, as if the connection had met them. */
static void each_code_has_its_errno(void **state)
{
    static const struct {
        int code, sys, want;
    } rows[] = {
        {TLSOCK_E_ARGUMENT, 0, EINVAL},
        {TLSOCK_E_STATE, 0, EPIPE},
        {TLSOCK_E_UNSUPPORTED, 0, ENOTSUP},
        {TLSOCK_E_FORKED, 0, EPERM},
        {TLSOCK_E_INTERRUPTED, 0, EINTR},
        {TLSOCK_E_NOMEM, 0, ENOMEM},
        {TLSOCK_E_SYSTEM, 0, EIO},
        {TLSOCK_E_SYSTEM, ENETDOWN, ENETDOWN},
        {TLSOCK_E_RESOLVE, 0, EHOSTUNREACH},
        {TLSOCK_E_CONNECT, 0, ECONNREFUSED},
        {TLSOCK_E_CONNECT, ENETUNREACH, ENETUNREACH},
        {TLSOCK_E_TIMEOUT, 0, ETIMEDOUT},
        {TLSOCK_E_RESET, 0, ECONNRESET},
        {TLSOCK_E_RESET, EPIPE, EPIPE},
        {TLSOCK_E_LIMIT, 0, EMSGSIZE},
        {TLSOCK_E_PROXY, 0, ECONNREFUSED},
        {TLSOCK_E_PROXY_AUTH, 0, EACCES},
        {TLSOCK_E_STARTTLS_REFUSED, 0, EPROTO},
        {TLSOCK_E_INJECTION, 0, EPROTO},
        {TLSOCK_E_NOT_TLS, 0, EPROTO},
        {TLSOCK_E_ALERT, 0, EPROTO},
        {TLSOCK_E_TRUNCATED, 0, EPROTO},
        {TLSOCK_E_CLIENT_CERT_REQUIRED, 0, EACCES},
        {TLSOCK_E_ALPN, 0, EPROTO},
        {TLSOCK_E_CHAIN_INCOMPLETE, 0, EACCES},
        {TLSOCK_E_NAME_MISMATCH, 0, EACCES},
        {TLSOCK_E_MUST_STAPLE, 0, EACCES},
        {TLSOCK_E_OWN_FILE, 0, EINVAL},
        {TLSOCK_E_POLICY, 0, EPERM},
        {TLSOCK_E_HOOK, 0, EPERM},
    };
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];

    for (size_t i = 0; i < COUNT(rows); i++) {
        FILE *f = open_file(c, "r");

        c->rung = TSK_RUNG_DEAD;
        tsk_err(c)->code = c->dead = rows[i].code;
        tsk_err(c)->sys_errno = rows[i].sys;
        errno = 0;
        assert_int_equal(getc(f), EOF);
        if (errno != rows[i].want || !ferror(f) || feof(f))
            fail_msg("%s (%d): %s", tlsock_errname(rows[i].code), rows[i].sys,
                     strerror(errno));
        fclose(f);
    }
}

static void a_peer_that_is_not_trusted_is_eacces(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    tlsock_config *sc = ca_server(ca_get()->stranger, NULL);
    struct peer p;
    FILE *f;

    (void)state;
    peer_init(&p);
    assert_code(peer_open(&p, cc, sc, "a.test"), TLSOCK_OK);
    f = open_file(p.conn[CLIENT], "r+"); /* reading shakes hands */
    errno = 0;
    for (int i = 0; i < 10 && (errno == 0 || errno == EAGAIN); i++) {
        clearerr(f);
        assert_int_equal(getc(f), EOF);
        assert_false(feof(f));
        if (errno == EAGAIN)
            (void)!tlsock_handshake(p.conn[SERVER]);
    }
    assert_int_equal(errno, EACCES);
    assert_code(tlsock_last_error(p.conn[CLIENT])->code,
                TLSOCK_E_CHAIN_INCOMPLETE);
    fclose(f);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void modes_are_those_of_fdopen(void **state)
{
    static const struct {
        const char *mode;
        int reads, writes;
    } rows[] = {
        {"r", 1, 0},   {"rb", 1, 0},  {"re", 1, 0},      {"w", 0, 1},
        {"wb", 0, 1},  {"wbe", 0, 1}, {"r+", 1, 1},      {"r+b", 1, 1},
        {"rb+", 1, 1}, {"w+", 1, 1},  {"w+be", 1, 1},    {"a", 0, 0},
        {"a+", 0, 0},  {"", 0, 0},    {"+r", 0, 0},      {"rw", 0, 0},
        {"wx", 0, 0},  {"R", 0, 0},   {"r,ccs=x", 0, 0}, {NULL, 0, 0},
    };
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];

    for (size_t i = 0; i < COUNT(rows); i++) {
        FILE *f;

        errno = EXDEV;
        f = tlsock_fopen(c, rows[i].mode);
        assert_int_equal(errno, EXDEV);
        if (!rows[i].reads && !rows[i].writes) {
            assert_null(f);
            assert_code(tlsock_last_error(c)->code, TLSOCK_E_ARGUMENT);
            assert_tells(tlsock_last_error(c)->message, "mode");
            assert_tells(tlsock_last_error(c)->hint, "r+");
            continue;
        }
        assert_non_null(f);
        assert_int_equal(fputs("x", f) >= 0, rows[i].writes);
        assert_int_equal(fflush(f), 0);
        say(p, "y");
        clearerr(f);
        assert_int_equal(getc(f), rows[i].reads ? 'y' : EOF);
        assert_int_equal(fclose(f), 0);
        if (rows[i].writes)
            assert_hears(p, "x");
        if (!rows[i].reads) {
            char y;

            assert_int_equal(tlsock_read(c, &y, 1), 1);
        }
    }
    assert_null(tlsock_fopen(NULL, "r"));
}

static void a_stream_has_no_positions(void **state)
{
    struct peer *p = pair_of(state);
    FILE *f = open_file(p->conn[CLIENT], "r");

    say(p, "abc");
    assert_int_equal(getc(f), 'a');
    errno = 0;
    assert_int_equal(ftell(f), -1);
    assert_int_equal(errno, ESPIPE);
    assert_int_equal(fseek(f, 0, SEEK_SET), -1);
    assert_int_equal(fseek(f, 0, SEEK_END), -1);
    assert_int_equal(fseek(f, 9, SEEK_CUR), -1);
    assert_int_equal(fseek(f, -4, SEEK_CUR), -1);
    assert_int_equal(getc(f), 'b');
    assert_int_equal(fclose(f), 0);
}

static void no_memory_is_told(void **state)
{
    struct peer *p = pair_of(state);
    tlsock *c = p->conn[CLIENT];
    static const enum fault_kind kinds[] = {FAULT_OWN, FAULT_FILE};
    FILE *f;

    for (size_t i = 0; i < COUNT(kinds); i++) {
        fault_arm(kinds[i], 1, ENOMEM);
        assert_null(tlsock_fopen(c, "r"));
        assert_int_equal(fault_disarm(), 1);
        assert_code(tlsock_last_error(c)->code, TLSOCK_E_NOMEM);
    }
    f = open_file(c, "r");
    say(p, "a\nb\n");
    assert_line(f, "a\n");
    assert_int_equal(fflush(f), 0);
    fault_arm(FAULT_OWN, 1, ENOMEM); /* for what is given back */
    errno = 0;
    assert_int_equal(fclose(f), EOF);
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(fault_disarm(), 1);
    peer_pingpong(p);
}

static void a_flush_that_fails_is_ferror(void **state)
{
    struct peer *p = pair_of(state);
    FILE *f = open_file(p->conn[CLIENT], "w");

    assert_true(fputs("held", f) >= 0);
    p->pipes[CLIENT].fail_write_at = p->pipes[CLIENT].writes + 1;
    errno = 0;
    assert_int_equal(fflush(f), EOF);
    assert_int_equal(errno, EIO);
    assert_true(ferror(f));
    assert_code(tlsock_last_error(p->conn[CLIENT])->code, TLSOCK_E_SYSTEM);
    (void)fclose(f);
}

static void the_feature_is_told(void **state)
{
    (void)state;
    assert_int_equal(tlsock_has("stdio"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_and_answers_need_no_flush),
        cmocka_unit_test(a_megabyte_goes_both_ways),
        BOTH(written_text_leaves_at_flush_close_and_when_full),
        PLAIN(written_text_leaves_at_flush_close_and_when_full),
        cmocka_unit_test_setup_teardown(a_flush_does_not_wait_in_write_buffer,
                                        pair_buffered, pair_stop),
        BOTH(input_survives_a_turn_to_writing),
        PLAIN(input_survives_a_turn_to_writing),
        BOTH(input_that_is_flushed_is_the_connections_again),
        PLAIN(input_that_is_flushed_is_the_connections_again),
        BOTH(an_unbuffered_stream_takes_what_it_gives),
        PLAIN(an_unbuffered_stream_takes_what_it_gives),
        BOTH(a_stream_is_a_view),
        PLAIN(a_stream_is_a_view),
        BOTH(the_end_is_feof),
        BOTH(a_cut_is_ferror_and_never_feof),
        cmocka_unit_test(a_reset_is_ferror_both_ways),
        cmocka_unit_test(a_deadline_is_etimedout),
        BOTH(a_nonblocking_read_is_eagain),
        PLAIN(a_nonblocking_read_is_eagain),
        BOTH(a_nonblocking_write_tells_what_it_took),
        PLAIN(a_nonblocking_write_tells_what_it_took),
        BOTH(writing_after_shutdown_is_epipe),
        BOTH(each_code_has_its_errno),
        cmocka_unit_test(a_peer_that_is_not_trusted_is_eacces),
        BOTH(modes_are_those_of_fdopen),
        PLAIN(modes_are_those_of_fdopen),
        BOTH(a_stream_has_no_positions),
        PLAIN(a_stream_has_no_positions),
        BOTH(no_memory_is_told),
        PLAIN(no_memory_is_told),
        BOTH(a_flush_that_fails_is_ferror),
        PLAIN(a_flush_that_fails_is_ferror),
        cmocka_unit_test_setup_teardown(a_flush_that_fails_is_ferror,
                                        pair_buffered, pair_stop),
        cmocka_unit_test(the_feature_is_told),
    };

    fault_init();
    return cmocka_run_group_tests_name("stdio", tests, ca_setup, ca_teardown);
}
