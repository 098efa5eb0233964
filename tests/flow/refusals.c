/* What no call takes: nothing where something has to be, sizes and times that
 * are none, a state that is too early. Each says so by its result and, where
 * there is somebody to tell, by a message; nothing else happens, which the good
 * calls at the end show. */
#include "ca.h"
#include "peer.h"

#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <tlsock/cert.h>
#include <tlsock/config.h>
#include <tlsock/hook.h>
#include <tlsock/info.h>
#include <tlsock/openssl.h>
#include <tlsock/prints.h>
#include <tlsock/revoke.h>
#include <tlsock/session.h>
#include <unistd.h>

struct row {
    const char *name;
    long long got, want;
};

static void hold(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].got != rows[i].want)
            fail_msg("%s: %lld instead of %lld", rows[i].name, rows[i].got,
                     rows[i].want);
}

#define BAD TLSOCK_E_ARGUMENT

static void no_connection_is_refused_by_every_call(void **state)
{
    char buf[8], *line = NULL;
    size_t cap = 0;
    int fd = -1;
    int64_t offset = 0;
    struct iovec iov = {buf, sizeof(buf)};
    const struct row rows[] = {
        {"read", tlsock_read(NULL, buf, 8), BAD},
        {"read_full", tlsock_read_full(NULL, buf, 8), BAD},
        {"read_early", tlsock_read_early(NULL, buf, 8), BAD},
        {"peek", tlsock_peek(NULL, buf, 8), BAD},
        {"getline", tlsock_getline(NULL, &line, &cap, 100), BAD},
        {"write", tlsock_write(NULL, "x", 1), BAD},
        {"write_early", tlsock_write_early(NULL, "x", 1), BAD},
        {"writev", tlsock_writev(NULL, &iov, 1), BAD},
        {"printf", tlsock_printf(NULL, "%d", 1), BAD},
        {"sendfile", tlsock_sendfile(NULL, 0, &offset, 1), BAD},
        {"flush", tlsock_flush(NULL), BAD},
        {"handshake", tlsock_handshake(NULL), BAD},
        {"start_tls", tlsock_start_tls(NULL, "a.test"), BAD},
        {"stop_tls", tlsock_stop_tls(NULL), BAD},
        {"starttls", tlsock_starttls(NULL, "smtp", NULL), BAD},
        {"detach", tlsock_detach(NULL, &fd), BAD},
        {"adopt", tlsock_adopt(NULL), BAD},
        {"interrupt", tlsock_interrupt(NULL), BAD},
        {"shutdown", tlsock_shutdown(NULL, SHUT_WR), BAD},
        {"request_client_cert", tlsock_request_client_cert(NULL), BAD},
        {"set_nonblocking", tlsock_set_nonblocking(NULL, 1), BAD},
        {"set_deadline", tlsock_set_deadline(NULL, 1), BAD},
        {"set_timeout", tlsock_set_timeout(NULL, 1), BAD},
        {"export", tlsock_export(NULL, "EXPORTER-x", NULL, 0, buf, 8), BAD},
        {"fingerprint", tlsock_fingerprint(NULL, "sha256", 0, buf, 8), BAD},
        {"info_json", tlsock_info_json(NULL, NULL, 0), BAD},
        {"info_int", tlsock_info_int(NULL, TLSOCK_INFO_STATE), BAD},
        {"use_cert", tlsock_use_cert(NULL, ca_get()->a), BAD},
        {"use_alpn", tlsock_use_alpn(NULL, "h2"), BAD},
        {"use_version", tlsock_use_version(NULL, "1.3"), BAD},
        {"use_client_auth", tlsock_use_client_auth(NULL, "ask"), BAD},
        {"session_save", tlsock_session_save(NULL, NULL, 0), BAD},
        {"close", tlsock_close(NULL), 0},
        {"fd", tlsock_fd(NULL), -1},
        {"timeout", tlsock_timeout(NULL), -1},
        {"events", tlsock_events(NULL), 0},
        {"pending", (long long)tlsock_pending(NULL), 0},
        {"info", tlsock_info(NULL, TLSOCK_INFO_VERSION) == NULL, 1},
        {"own_cert", tlsock_own_cert(NULL) == NULL, 1},
        {"peer_cert", tlsock_peer_cert(NULL) == NULL, 1},
        {"get_ssl", tlsock_get_ssl(NULL) == NULL, 1},
        {"user", tlsock_user(NULL) == NULL, 1},
    };

    (void)state;
    hold(rows, COUNT(rows));
    assert_null(line);
    assert_int_equal(fd, -1);
    tlsock_abandon(NULL);
    tlsock_set_user(NULL, buf);
}

static void a_connection_refuses_what_is_none(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    char buf[8], *line = NULL;
    size_t cap = 0;
    struct iovec null = {NULL, 4}, huge[2] = {{buf, SSIZE_MAX}, {buf, 1}};
    struct peer p;
    tlsock *s;

    (void)state;
    peer_init(&p);
    assert_int_equal(peer_open(&p, cc, sc, "a.test"), 0);
    s = p.conn[CLIENT];
    {
        const struct row rows[] = {
            {"read to NULL", tlsock_read(s, NULL, 8), BAD},
            {"read of too much", tlsock_read(s, buf, (size_t)-1), BAD},
            {"peek to NULL", tlsock_peek(s, NULL, 8), BAD},
            {"write of NULL", tlsock_write(s, NULL, 8), BAD},
            {"write of too much", tlsock_write(s, buf, (size_t)-1), BAD},
            {"writev of NULL", tlsock_writev(s, NULL, 1), BAD},
            {"writev of less than none", tlsock_writev(s, &null, -1), BAD},
            {"writev from NULL", tlsock_writev(s, &null, 1), BAD},
            {"writev of too much", tlsock_writev(s, huge, 2), BAD},
            {"getline to nowhere", tlsock_getline(s, NULL, &cap, 9), BAD},
            {"getline without cap", tlsock_getline(s, &line, NULL, 9), BAD},
            {"getline of 0", tlsock_getline(s, &line, &cap, 0), BAD},
            {"getline of too much",
             tlsock_getline(s, &line, &cap, (size_t)SSIZE_MAX), BAD},
            {"a deadline below -1", tlsock_set_deadline(s, -2), BAD},
            {"a timeout below -1", tlsock_set_timeout(s, -2), BAD},
            {"shutdown of nothing", tlsock_shutdown(s, 77), BAD},
            {"detach to nowhere", tlsock_detach(s, NULL), BAD},
            {"export to NULL", tlsock_export(s, "x", NULL, 0, NULL, 8), BAD},
            {"export of no label", tlsock_export(s, NULL, NULL, 0, buf, 8),
             BAD},
            {"export before the handshake",
             tlsock_export(s, "EXPORTER-x", NULL, 0, buf, 8), TLSOCK_E_STATE},
            {"a print of no kind", tlsock_fingerprint(s, NULL, 0, buf, 8), BAD},
            {"facts to NULL", tlsock_info_json(s, NULL, 8), BAD},
            {"no certificate yet", tlsock_peer_cert(s) == NULL, 1},
            {"nor one of ours", tlsock_own_cert(s) == NULL, 1},
        };

        hold(rows, COUNT(rows));
    }
    assert_null(line);
    /* and after all this it is as good as new */
    assert_int_equal(peer_shake(&p), 0);
    assert_int_equal(tlsock_export(s, "EXPORTER-x", NULL, 0, buf, 8), 0);
    assert_int_equal(tlsock_set_deadline(s, -1), 0);
    assert_int_equal(tlsock_set_timeout(s, -1), 0);
    peer_pingpong(&p);
    peer_close(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void options_that_are_none_are_named(void **state)
{
    static const struct {
        const char *name;
        tlsock_opts opts;
        const char *says;
    } rows[] = {
        {"a size of nothing", {.size = 4}, "size"},
        {"a size beyond all", {.size = 70000}, "size"},
        {"a family", {.size = sizeof(tlsock_opts), .family = 5}, "family"},
        {"a time", {.size = sizeof(tlsock_opts), .timeout_ms = -2}, "timeout"},
        {"a scheme",
         {.size = sizeof(tlsock_opts), .scheme = "gopher+x"},
         "gopher"},
    };
    tlsock_config *cc = ca_client(NULL);
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_error err = {0};
        tlsock *s = tlsock_client_fd(fds[0], "a.test", cc, &rows[i].opts, &err);

        if (s != NULL || err.code != BAD ||
            strstr(err.message, rows[i].says) == NULL)
            fail_msg("%s: %d \"%s\"", rows[i].name, err.code, err.message);
    }
    /* the descriptor has stayed ours, and serves */
    {
        tlsock_error err = {0};
        tlsock *s =
            tlsock_client_fd(fds[0], "a.test", cc,
                             TLSOCK_OPTS(.family = 4, .nonblocking = 1), &err);

        if (s == NULL)
            fail_msg("%d \"%s\"", err.code, err.message);
        tlsock_abandon(s);
    }
    close(fds[1]);
    tlsock_config_unref(cc);
}

static void nothing_to_listen_at_is_refused(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    tlsock_error err = {0};
    tlsock_listener *l;

    (void)state;
    assert_null(tlsock_listen(NULL, sc, NULL, &err));
    assert_int_equal(err.code, BAD);
    assert_tells(err.message, "NULL");
    err = (tlsock_error){0};
    assert_null(tlsock_accept(NULL, &err));
    assert_int_equal(err.code, BAD);
    assert_tells(err.message, "NULL");
    assert_int_equal(tlsock_listener_fd(NULL), -1);
    tlsock_listener_free(NULL);
    l = tlsock_listen("127.0.0.1:0", sc, NULL, &err);
    assert_non_null(l);
    assert_true(tlsock_listener_port(l) > 0);
    tlsock_listener_free(l);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_connection_is_refused_by_every_call),
        cmocka_unit_test(a_connection_refuses_what_is_none),
        cmocka_unit_test(options_that_are_none_are_named),
        cmocka_unit_test(nothing_to_listen_at_is_refused),
    };

    return cmocka_run_group_tests_name("refusals", tests, ca_setup,
                                       ca_teardown);
}
