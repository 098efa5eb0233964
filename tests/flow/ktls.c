/* ktls = on: what the kernel does it does as libssl would, and what it does
 * not do libssl does. On a kernel without TLS all of it is the second half;
 * tools/vm-ktls runs it on one that has it. */
#include "pair.h"
#include "sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <tlsock/openssl.h>
#include <unistd.h>

#define BIG 300007u
#define BOTH_WAYS (TLSOCK_KTLS_SEND | TLSOCK_KTLS_RECEIVE)

static uint8_t byte_at(size_t i)
{
    return (uint8_t)((i * 2654435761u) >> 13);
}

/* Both nonblocking, over TCP. */
struct ends {
    tlsock_config *config[2];
    tlsock *conn[2];
    int fd[2];
    size_t sent[2], got[2]; /* byte_at(): by CLIENT and by SERVER; from them */
};

static void poll_both(const struct ends *e)
{
    struct pollfd p[2];

    for (int i = 0; i < 2; i++) {
        p[i].fd = tlsock_fd(e->conn[i]);
        p[i].events = (short)tlsock_events(e->conn[i]);
    }
    assert_true(poll(p, 2, -1) > 0);
}

static void shake(struct ends *e)
{
    int rc[2] = {TLSOCK_AGAIN, TLSOCK_AGAIN};

    for (;;) {
        for (int i = 0; i < 2; i++)
            if (rc[i] == TLSOCK_AGAIN)
                rc[i] = tlsock_handshake(e->conn[i]);
        if (rc[0] != TLSOCK_AGAIN && rc[1] != TLSOCK_AGAIN)
            break;
        poll_both(e);
    }
    assert_code(rc[CLIENT], TLSOCK_OK);
    assert_code(rc[SERVER], TLSOCK_OK);
}

static void open_ends(struct ends *e, const tlsock_opts *o)
{
    int small = 20000; /* so that one end has to wait for the other */

    sock_tcp_pair(e->fd);
    for (int i = 0; i < 2; i++) {
        fcntl(e->fd[i], F_SETFL, O_NONBLOCK);
        setsockopt(e->fd[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
        setsockopt(e->fd[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    }
    e->conn[CLIENT] =
        tlsock_client_fd(e->fd[CLIENT], "a.test", e->config[CLIENT], o, NULL);
    e->conn[SERVER] =
        tlsock_server_fd(e->fd[SERVER], e->config[SERVER], o, NULL);
    assert_non_null(e->conn[CLIENT]);
    assert_non_null(e->conn[SERVER]);
}

static void configs(struct ends *e, const char *tls_max, const char *key,
                    const char *value)
{
    memset(e, 0, sizeof(*e));
    e->config[CLIENT] = ca_client("ktls", "on", "tls.max", tls_max, NULL);
    e->config[SERVER] = ca_server(ca_get()->a, "ktls", "on", NULL);
    for (int i = 0; key != NULL && i < 2; i++)
        assert_int_equal(tlsock_config_set(e->config[i], key, value), 0);
}

static void begin(struct ends *e, const char *tls_max, const char *key,
                  const char *value)
{
    configs(e, tls_max, key, value);
    open_ends(e, TLSOCK_OPTS(.nonblocking = 1));
    shake(e);
}

static void end(struct ends *e)
{
    for (int i = 0; i < 2; i++) {
        tlsock_abandon(e->conn[i]);
        tlsock_config_unref(e->config[i]);
    }
}

/* What is there for one end is taken, and is what was sent. */
static void take(struct ends *e, int to)
{
    uint8_t buf[20000];
    ssize_t n;

    while ((n = tlsock_read(e->conn[to], buf, sizeof(buf))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            if (buf[i] != byte_at(e->got[to] + (size_t)i))
                fail_msg("byte %zu is wrong", e->got[to] + (size_t)i);
        e->got[to] += (size_t)n;
    }
    assert_code(n, TLSOCK_AGAIN);
}

/* From one end to the other, in pieces of all sizes. */
static void carry(struct ends *e, int from, size_t len)
{
    static const size_t pieces[] = {1, 16384, 100000, 16383, 3, 70001, 16385};
    size_t until = e->sent[from] + len;
    uint8_t buf[100000];

    for (size_t turn = 0; e->got[!from] < until; turn++) {
        size_t n = pieces[turn % COUNT(pieces)];
        ssize_t put = 0;

        if (n > until - e->sent[from])
            n = until - e->sent[from];
        for (size_t i = 0; i < n; i++)
            buf[i] = byte_at(e->sent[from] + i);
        if (n != 0)
            put = tlsock_write(e->conn[from], buf, n);
        if (n == 0)
            assert_true(tlsock_flush(e->conn[from]) <= 0);
        assert_true(put >= 0 || put == TLSOCK_AGAIN);
        e->sent[from] += put > 0 ? (size_t)put : 0;
        if (turn % 3 == 2 || put == TLSOCK_AGAIN || n == 0)
            take(e, !from);
    }
    assert_int_equal(e->got[!from], until);
}

static int sends(const tlsock *s)
{
    return (tlsock_info_int(s, TLSOCK_INFO_KTLS) & TLSOCK_KTLS_SEND) != 0;
}

/* Asked of the kernel itself: only one that has it finds fault with the
 * socket. */
static int kernel_has_it(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

    rc = setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 4);
    rc = rc == 0 || errno == ENOTCONN;
    close(fd);
    return rc;
}

static void the_library_knows_the_kernel(void **state)
{
    (void)state;
    assert_int_equal(tlsock_has("ktls"), kernel_has_it());
}

/* does: by a kernel that has TLS, at least; TLS 1.3 is received by it with
 * some versions of OpenSSL. */
static const struct way {
    const char *tls_max, *key, *value;
    int does, never;
} ways[] = {
    {"1.2", "ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256", BOTH_WAYS, 0},
    {"1.2", "ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384", BOTH_WAYS, 0},
    {"1.3", "ciphersuites", "TLS_AES_128_GCM_SHA256", TLSOCK_KTLS_SEND, 0},
    {"1.3", "ciphersuites", "TLS_AES_256_GCM_SHA384", TLSOCK_KTLS_SEND, 0},
    {"1.3", "ciphersuites", "TLS_CHACHA20_POLY1305_SHA256", 0, 0},
    {"1.2", "ciphers", "ECDHE-ECDSA-AES128-SHA256", 0, BOTH_WAYS},
    {"1.3", "record.size", "8192", 0, BOTH_WAYS},
};

static void check_who(tlsock *s, const struct way *w)
{
    int does = (int)tlsock_info_int(s, TLSOCK_INFO_KTLS);
    const char *text = tlsock_info(s, TLSOCK_INFO_KTLS);
    int want = tlsock_has("ktls") ? w->does : 0;
    char json[2000];

    if ((does & want) != want || (does & w->never) != 0)
        fail_msg("%s: %d, \"%s\"", w->value, does, text);
    if (!tlsock_has("ktls"))
        assert_int_equal(does, 0);
    assert_true((does == 0) == (strncmp(text, "no: ", 4) == 0));
    assert_true((does == BOTH_WAYS) == (strcmp(text, "send and receive") == 0));
    if (does == 0 && w->never == 0 && !kernel_has_it())
        assert_tells(text, "kernel");
    if (strcmp(w->key, "record.size") == 0)
        assert_tells(text, "record.size");
    if (tlsock_has("ktls") && strstr(w->value, "AES128-SHA") != NULL)
        assert_tells(text, "libssl does it for TLSv1.2 with ECDHE-ECDSA-AES");
    assert_true(tlsock_info_json(s, json, sizeof(json)) < (int)sizeof(json));
    assert_tells(json, does == 0 ? "\"ktls\":\"no: " : "\"ktls\":\"send");
}

static void bulk_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct ends e;

        begin(&e, ways[i].tls_max, ways[i].key, ways[i].value);
        check_who(e.conn[CLIENT], &ways[i]);
        check_who(e.conn[SERVER], &ways[i]);
        print_message("# %s %s: %s\n", ways[i].tls_max, ways[i].value,
                      tlsock_info(e.conn[SERVER], TLSOCK_INFO_KTLS));
        carry(&e, CLIENT, BIG);
        carry(&e, SERVER, BIG);
        carry(&e, CLIENT, 1);
        end(&e);
    }
}

static void unasked_the_kernel_is_left_alone(void **state)
{
    struct ends e;

    (void)state;
    begin(&e, "1.3", "ktls", "off");
    for (int i = 0; i < 2; i++) {
        assert_string_equal(tlsock_info(e.conn[i], TLSOCK_INFO_KTLS), "");
        assert_int_equal(tlsock_info_int(e.conn[i], TLSOCK_INFO_KTLS), 0);
    }
    carry(&e, CLIENT, 1000);
    end(&e);
}

static void no_socket_no_kernel(void **state)
{
    struct ends e;
    struct peer p;

    (void)state;
    configs(&e, "1.3", NULL, NULL);
    peer_init(&p);
    peer_connect(&p, e.config[CLIENT], e.config[SERVER], "a.test");
    assert_string_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_KTLS),
                        "no: the transport is no socket");
    peer_pingpong(&p);
    peer_free(&p);
    end(&e);
}

/* What was PLAIN may be so again, and a socket with keys never is. */
static void plaintext_and_the_kernel_exclude_each_other(void **state)
{
    struct ends e;
    int rc[2] = {TLSOCK_AGAIN, TLSOCK_AGAIN};

    (void)state;
    configs(&e, "1.3", NULL, NULL);
    open_ends(&e, TLSOCK_OPTS(.nonblocking = 1, .plain = 1));
    while (rc[0] == TLSOCK_AGAIN || rc[1] == TLSOCK_AGAIN)
        for (int i = 0; i < 2; i++)
            if (rc[i] == TLSOCK_AGAIN)
                rc[i] = tlsock_start_tls(e.conn[i], i == 0 ? "a.test" : NULL);
    assert_code(rc[CLIENT], TLSOCK_OK);
    assert_code(rc[SERVER], TLSOCK_OK);
    assert_string_equal(tlsock_info(e.conn[CLIENT], TLSOCK_INFO_KTLS),
                        "no: the connection may be plaintext again");
    carry(&e, SERVER, 1000);
    end(&e);
}

static void tls_ends_only_where_libssl_encrypts(void **state)
{
    struct ends e;
    int rc;

    (void)state;
    begin(&e, "1.2", NULL, NULL);
    rc = tlsock_stop_tls(e.conn[CLIENT]);
    if (sends(e.conn[CLIENT])) {
        assert_code(rc, TLSOCK_E_UNSUPPORTED);
        assert_tells(tlsock_last_error(e.conn[CLIENT])->hint, "ktls = off");
        carry(&e, CLIENT, 1000); /* nothing has happened */
    } else {
        assert_code(rc, TLSOCK_AGAIN);
    }
    end(&e);
}

static int file_of(size_t len)
{
    int fd = memfd_create("tlsock", MFD_CLOEXEC);
    uint8_t *all = test_malloc(len);

    for (size_t i = 0; i < len; i++)
        all[i] = byte_at(i);
    assert_int_equal(write(fd, all, len), len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    test_free(all);
    return fd;
}

/* The same, whoever encrypts: what is counted has been taken from the file,
 * and arrives; the position is where the count says. */
static void a_file_goes_the_same_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT(ways); i++) {
        const struct way *w = &ways[i / 2];
        int own_offset = i & 1, fd = file_of(BIG), again = 0;
        int64_t offset = 0;
        ssize_t n = 1;
        struct ends e;

        begin(&e, w->tls_max, w->key, w->value);
        while (n != 0) {
            n = tlsock_sendfile(e.conn[SERVER], fd, own_offset ? &offset : NULL,
                                SSIZE_MAX);
            assert_true(n >= 0 || n == TLSOCK_AGAIN);
            e.sent[SERVER] += n > 0 ? (size_t)n : 0;
            assert_int_equal(own_offset ? offset : lseek(fd, 0, SEEK_CUR),
                             e.sent[SERVER]);
            again += n == TLSOCK_AGAIN;
            if (n == TLSOCK_AGAIN)
                assert_int_equal(tlsock_events(e.conn[SERVER]) & POLLOUT,
                                 POLLOUT);
            if (n != TLSOCK_AGAIN)
                continue;
            poll_both(&e);
            take(&e, CLIENT);
        }
        while (tlsock_flush(e.conn[SERVER]) == TLSOCK_AGAIN)
            take(&e, CLIENT);
        while (e.got[CLIENT] < BIG) {
            poll_both(&e);
            take(&e, CLIENT);
        }
        assert_int_equal(e.sent[SERVER], BIG);
        assert_true(again > 0);
        carry(&e, SERVER, 5000); /* what follows has its place */
        end(&e);
        close(fd);
    }
}

static ssize_t read_some(struct ends *e, int to)
{
    char buf[100];
    ssize_t n;

    while ((n = tlsock_read(e->conn[to], buf, sizeof(buf))) == TLSOCK_AGAIN) {
        struct pollfd p = {tlsock_fd(e->conn[to]), POLLIN, 0};

        assert_int_equal(poll(&p, 1, -1), 1);
    }
    return n;
}

static void ends_and_truncation_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT(ways); i++) {
        const struct way *w = &ways[i / 2];
        struct ends e;

        begin(&e, w->tls_max, w->key, w->value);
        carry(&e, CLIENT, 40000);
        if (i & 1) {
            assert_code(tlsock_shutdown(e.conn[SERVER], SHUT_WR), TLSOCK_OK);
            assert_int_equal(read_some(&e, CLIENT), 0);
            carry(&e, CLIENT, 40000); /* the other half goes on */
        } else {
            assert_int_equal(shutdown(e.fd[SERVER], SHUT_WR), 0);
            assert_code(read_some(&e, CLIENT), TLSOCK_E_TRUNCATED);
        }
        end(&e);
    }
}

/* Under keys that nobody has. */
static void damage_is_no_data(void **state)
{
    static const uint8_t record[] = {23, 3, 3, 0, 40, 1, 2, 3, 4, 5, 6, 7};
    uint8_t bad[45] = {0};

    (void)state;
    memcpy(bad, record, sizeof(record));
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct ends e;

        configs(&e, ways[i].tls_max, ways[i].key, ways[i].value);
        assert_int_equal(tlsock_config_set(e.config[SERVER], "ktls", "off"), 0);
        open_ends(&e, TLSOCK_OPTS(.nonblocking = 1));
        shake(&e);
        carry(&e, SERVER, 1000);
        assert_int_equal(sock_send(e.fd[SERVER], bad, sizeof(bad)), 0);
        assert_code(read_some(&e, CLIENT), TLSOCK_E_PROTOCOL);
        assert_int_equal(tlsock_last_error(e.conn[CLIENT])->alert, 20);
        end(&e);
    }
}

/* Whoever asks for new keys gets them of libssl; the kernel has none. */
static void new_keys(void **state)
{
    static const int requests[] = {SSL_KEY_UPDATE_NOT_REQUESTED,
                                   SSL_KEY_UPDATE_REQUESTED};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ends e;
        int rekeys, rc;

        configs(&e, "1.3", "ciphersuites", "TLS_AES_128_GCM_SHA256");
        assert_int_equal(tlsock_config_set(e.config[SERVER], "ktls", "off"), 0);
        open_ends(&e, TLSOCK_OPTS(.nonblocking = 1));
        shake(&e);
        carry(&e, SERVER, 1000);
        rekeys = requests[i] == SSL_KEY_UPDATE_NOT_REQUESTED ||
                 !sends(e.conn[CLIENT]);
        rekeys &= (tlsock_info_int(e.conn[CLIENT], TLSOCK_INFO_KTLS) &
                   TLSOCK_KTLS_RECEIVE) == 0;
        assert_int_equal(
            SSL_key_update(tlsock_get_ssl(e.conn[SERVER]), requests[i]), 1);
        if (rekeys) {
            carry(&e, SERVER, 1000);
            carry(&e, CLIENT, 1000);
        } else {
            assert_int_equal(tlsock_write(e.conn[SERVER], "x", 1), 1);
            rc = (int)read_some(&e, CLIENT);
            if (rc >= 0) /* the answer goes with what is sent next */
                rc = (int)tlsock_write(e.conn[CLIENT], "x", 1);
            assert_code(rc, TLSOCK_E_UNSUPPORTED);
            assert_tells(tlsock_last_error(e.conn[CLIENT])->message,
                         "KeyUpdate");
            assert_tells(tlsock_last_error(e.conn[CLIENT])->hint, "ktls = off");
        }
        end(&e);
    }
}

/* Small writes are gathered before the kernel sees them. */
static void gathered_writes_leave_when_they_are_flushed(void **state)
{
    struct ends e;

    (void)state;
    begin(&e, "1.3", "write.buffer", "16384");
    for (; e.sent[CLIENT] < 300; e.sent[CLIENT]++) {
        uint8_t b = byte_at(e.sent[CLIENT]);

        assert_int_equal(tlsock_write(e.conn[CLIENT], &b, 1), 1);
    }
    take(&e, SERVER);
    assert_int_equal(e.got[SERVER], 0);
    assert_code(tlsock_flush(e.conn[CLIENT]), TLSOCK_OK);
    take(&e, SERVER);
    assert_int_equal(e.got[SERVER], 300);
    end(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_knows_the_kernel),
        cmocka_unit_test(bulk_both_ways),
        cmocka_unit_test(unasked_the_kernel_is_left_alone),
        cmocka_unit_test(no_socket_no_kernel),
        cmocka_unit_test(plaintext_and_the_kernel_exclude_each_other),
        cmocka_unit_test(tls_ends_only_where_libssl_encrypts),
        cmocka_unit_test(a_file_goes_the_same_way),
        cmocka_unit_test(ends_and_truncation_are_told_apart),
        cmocka_unit_test(damage_is_no_data),
        cmocka_unit_test(new_keys),
        cmocka_unit_test(gathered_writes_leave_when_they_are_flushed),
    };

    return cmocka_run_group_tests_name("ktls", tests, ca_setup, ca_teardown);
}
