/* Listening and accepting: proven before the first client, and no client
 * delays another. */
#include "ca.h"
#include "sock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static void sni_picks_the_identity(void **state)
{
    const struct test_ca *ca = ca_get();
    static const struct {
        const char *name;
        int code;
    } rows[] = {{"a.test", 0},
                {"b.test", 0},
                {"B.TEST", 0},
                {"x.w.test", 0},
                {"y.w.test", 0},
                {"w.test", TLSOCK_E_NAME_MISMATCH},
                {"nobody.test", TLSOCK_E_NAME_MISMATCH}};
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca->a, NULL);

    (void)state;
    assert_int_equal(tlsock_config_add_cert(sc, ca->b), 0);
    assert_int_equal(tlsock_config_add_cert(sc, ca->wild), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct peer p;

        peer_init(&p);
        assert_int_equal(peer_open(&p, cc, sc, rows[i].name), 0);
        peer_shake(&p);
        assert_code(p.rc[CLIENT], rows[i].code);
        peer_free(&p);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void an_identity_may_be_named(void **state)
{
    const struct test_ca *ca = ca_get();
    tlsock_config *cc = ca_client(NULL), *sc = tlsock_config_new();
    struct peer p;

    (void)state;
    assert_code(tlsock_config_add_identity_for(sc, "", ca->b_pem, ca->b_key,
                                               NULL), TLSOCK_OK);
    assert_code(tlsock_config_add_identity_for(sc, "a.test", ca->a_pem,
                                               ca->a_key, NULL), TLSOCK_OK);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_free(&p);
    peer_init(&p);
    peer_connect(&p, cc, sc, "b.test"); /* the default */
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void rsa_and_ecdsa_live_side_by_side(void **state)
{
    static const struct {
        const char *ciphers, *key;
    } rows[] = {{"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDSA"},
                {"ECDHE-RSA-AES128-GCM-SHA256", "RSA"}};
    tlsock_config *sc = ca_server(ca_get()->a, NULL);

    (void)state;
    assert_int_equal(tlsock_config_add_cert(sc, ca_get()->rsa), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("tls.max", "1.2", "ciphers",
                                      rows[i].ciphers, NULL);
        tlsock_cert *c;
        struct peer p;

        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        c = tlsock_peer_cert(p.conn[CLIENT]);
        assert_memory_equal(tlsock_cert_field(c, TLSOCK_CERT_KEY_TYPE),
                            rows[i].key, strlen(rows[i].key));
        tlsock_cert_unref(c);
        peer_free(&p);
        tlsock_config_unref(cc);
    }
    tlsock_config_unref(sc);
}

static void no_identity_fails_at_listen(void **state)
{
    tlsock_config *c = tlsock_config_new();
    int fds = sock_count();
    tlsock_error err;
    struct peer p;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_null(tlsock_listen("127.0.0.1:0", i == 0 ? c : NULL, NULL,
                                  &err));
        assert_code(err.code, TLSOCK_E_OWN_FILE);
        assert_true(err.hint[0] != '\0');
    }
    peer_init(&p);
    assert_null(tlsock_server_io(&peer_io, &p.ends[SERVER], c, NULL, &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    peer_free(&p);
    assert_int_equal(sock_count(), fds);
    tlsock_config_unref(c);
}

static void unfit_identities_are_refused_when_added(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct {
        tlsock_cert *cert;
        int code;
    } rows[] = {{ca->expired, TLSOCK_E_EXPIRED},
                {ca->not_yet, TLSOCK_E_NOT_YET_VALID},
                {ca->a, 0},
                {ca->self_signed, 0}};
    tlsock_config *c = tlsock_config_new();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_code(tlsock_config_add_cert(c, rows[i].cert), rows[i].code);
    tlsock_config_unref(c);
}

static tlsock_listener *listen_any(tlsock_config *sc, const tlsock_opts *opts,
                                   char target[32])
{
    tlsock_error err;
    tlsock_listener *l = tlsock_listen("127.0.0.1:0", sc, opts, &err);

    if (l == NULL)
        fail_msg("%s", err.message);
    assert_within(tlsock_listener_port(l), 1, 65535);
    snprintf(target, 32, "127.0.0.1:%d", tlsock_listener_port(l));
    return l;
}

static int tcp_connect(int port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sa.sin_port = htons((uint16_t)port);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

static void a_silent_client_delays_nobody(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    tlsock *mute, *served, *client;
    int rc = TLSOCK_AGAIN, fd;
    tlsock_listener *l;
    tlsock_error err;
    char target[32], got[4];

    (void)state;
    l = listen_any(sc, TLSOCK_OPTS(.nonblocking = 1), target);
    assert_null(tlsock_accept(l, &err));
    assert_code(err.code, TLSOCK_AGAIN);
    fd = tcp_connect(tlsock_listener_port(l)); /* says nothing, ever */
    client = tlsock_connect(target, cc,
                            TLSOCK_OPTS(.nonblocking = 1, .name = "a.test"),
                            &err);
    assert_non_null(client);
    do
        mute = tlsock_accept(l, &err);
    while (mute == NULL && err.code == TLSOCK_AGAIN);
    assert_non_null(mute);
    assert_int_equal(tlsock_info_int(mute, TLSOCK_INFO_STATE),
                     TLSOCK_STATE_HANDSHAKING);
    do {
        rc = tlsock_handshake(client);
        served = tlsock_accept(l, &err);
    } while (served == NULL && rc == TLSOCK_AGAIN && err.code == TLSOCK_AGAIN);
    assert_non_null(served);
    while (rc == TLSOCK_AGAIN) {
        (void)!tlsock_handshake(served);
        assert_code(tlsock_handshake(mute), TLSOCK_AGAIN);
        rc = tlsock_handshake(client);
    }
    assert_code(rc, TLSOCK_OK);
    assert_int_equal(tlsock_write(client, "ping", 4), 4);
    while ((rc = (int)tlsock_read(served, got, 4)) == TLSOCK_AGAIN)
        ;
    assert_int_equal(rc, 4);
    assert_string_equal(tlsock_info(client, TLSOCK_INFO_PEER_ADDRESS), target);
    tlsock_close(client);
    tlsock_close(served);
    tlsock_close(mute);
    close(fd);
    tlsock_listener_free(l);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void *accept_and_echo(void *arg)
{
    tlsock *s = tlsock_accept(arg, NULL);
    char buf[64];
    ssize_t n;

    if (s == NULL)
        return NULL;
    while ((n = tlsock_read(s, buf, sizeof(buf))) > 0)
        if (tlsock_write(s, buf, (size_t)n) != n)
            break;
    tlsock_close(s);
    return s;
}

static void one_call_each_makes_a_connection(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->ip, NULL);
    tlsock_listener *l;
    pthread_t thread;
    tlsock_error err;
    char target[32], got[5];
    tlsock *s;

    (void)state;
    l = listen_any(sc, NULL, target);
    assert_int_equal(pthread_create(&thread, NULL, accept_and_echo, l), 0);
    s = tlsock_connect(target, cc, NULL, &err);
    if (s == NULL)
        fail_msg("%s", err.message);
    assert_int_equal(tlsock_printf(s, "hello"), 5);
    assert_int_equal(tlsock_read_full(s, got, 5), 5);
    assert_memory_equal(got, "hello", 5);
    assert_code(tlsock_shutdown(s, SHUT_RDWR), TLSOCK_OK);
    assert_code(tlsock_close(s), TLSOCK_OK);
    pthread_join(thread, NULL);
    tlsock_listener_free(l);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_unix_socket_is_a_target(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    tlsock_listener *l;
    pthread_t thread;
    tlsock_error err;
    char target[96], got[5];
    tlsock *s;

    (void)state;
    snprintf(target, sizeof(target), "unix:%s/sock", ca_get()->dir);
    l = tlsock_listen(target, sc, NULL, &err);
    if (l == NULL)
        fail_msg("%s", err.message);
    assert_int_equal(tlsock_listener_port(l), 0);
    assert_null(tlsock_connect(target, cc, NULL, &err));
    assert_code(err.code, TLSOCK_E_NO_NAME);
    assert_int_equal(pthread_create(&thread, NULL, accept_and_echo, l), 0);
    s = tlsock_connect(target, cc, TLSOCK_OPTS(.name = "a.test"), &err);
    if (s == NULL)
        fail_msg("%s", err.message);
    assert_int_equal(tlsock_printf(s, "hello"), 5);
    assert_int_equal(tlsock_read_full(s, got, 5), 5);
    tlsock_close(s);
    pthread_join(thread, NULL);
    tlsock_listener_free(l);
    unlink(target + 5);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_listening_socket_can_be_taken_over(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->ip, NULL);
    int port, fd = sock_listen(&port), pair[2];
    tlsock_listener *l;
    pthread_t thread;
    tlsock_error err;
    char target[32];
    tlsock *s;

    (void)state;
    sock_pair(pair);
    assert_null(tlsock_listener_from_fd(pair[0], sc, NULL, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_int_equal(close(pair[0]), 0);
    assert_int_equal(close(pair[1]), 0);
    l = tlsock_listener_from_fd(fd, sc, NULL, &err);
    assert_non_null(l);
    assert_int_equal(tlsock_listener_port(l), port);
    snprintf(target, sizeof(target), "127.0.0.1:%d", port);
    assert_int_equal(pthread_create(&thread, NULL, accept_and_echo, l), 0);
    s = tlsock_connect(target, cc, NULL, &err);
    assert_non_null(s);
    tlsock_close(s);
    pthread_join(thread, NULL);
    tlsock_listener_free(l);
    assert_int_equal(close(fd), -1);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_sniffer_consumes_nothing(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        int want;
    } rows[] = {{"\x16\x03\x01\x02\x00\x01", 6, TLSOCK_SNIFF_TLS},
                {"GET / HTTP/1.1\r\n", 16, TLSOCK_SNIFF_PLAIN},
                {"", 0, TLSOCK_SNIFF_NONE}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char got[32];
        int fds[2];

        sock_pair(fds);
        assert_int_equal(sock_send(fds[1], rows[i].bytes, rows[i].len), 0);
        assert_int_equal(tlsock_sniff(fds[0], 0), rows[i].want);
        close(fds[1]);
        assert_int_equal(recv(fds[0], got, sizeof(got), 0), rows[i].len);
        close(fds[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sni_picks_the_identity),
        cmocka_unit_test(an_identity_may_be_named),
        cmocka_unit_test(rsa_and_ecdsa_live_side_by_side),
        cmocka_unit_test(no_identity_fails_at_listen),
        cmocka_unit_test(unfit_identities_are_refused_when_added),
        cmocka_unit_test(a_silent_client_delays_nobody),
        cmocka_unit_test(one_call_each_makes_a_connection),
        cmocka_unit_test(a_unix_socket_is_a_target),
        cmocka_unit_test(a_listening_socket_can_be_taken_over),
        cmocka_unit_test(a_sniffer_consumes_nothing),
    };

    return cmocka_run_group_tests_name("server", tests, ca_setup_rsa, ca_teardown);
}
