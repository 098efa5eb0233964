/* Other programs as clients that are asked for a certificate after the
 * handshake: OpenSSL's own and curl. */
#include "ca.h"
#include "sock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char identity[96]; /* certificate, chain and key of the client */

static int make_identity(void **state)
{
    ca_setup(state);
    snprintf(identity, sizeof(identity), "%s/late.pem", ca_get()->dir);
    assert_code(
        tlsock_cert_save(ca_get()->client,
                         TLSOCK_PART_CERT | TLSOCK_PART_CHAIN | TLSOCK_PART_KEY,
                         TLSOCK_FORMAT_PEM, identity, NULL, NULL),
        0);
    return 0;
}

static int drop_identity(void **state)
{
    unlink(identity);
    return ca_teardown(state);
}

/* Quiet, without input; a terminal's end is no end to it. */
static pid_t start(const char *const *argv)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        test_exit(127);
    }
    return pid;
}

static void put_away(pid_t pid, int want)
{
    int status;

    if (want < 0)
        kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (want >= 0)
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == want);
}

static void asked(tlsock *s, int want)
{
    int rc;

    assert_non_null(s);
    rc = tlsock_request_client_cert(s);
    if (rc != want)
        fail_msg("%s: %s", tlsock_errname(rc), tlsock_last_error(s)->message);
    if (want == 0) {
        tlsock_cert *seen = tlsock_peer_cert(s);

        assert_non_null(seen);
        assert_string_equal(tlsock_cert_field(seen, TLSOCK_CERT_CN),
                            "Test Client");
        tlsock_cert_unref(seen);
    }
}

static tlsock_config *server(void)
{
    tlsock_config *sc =
        ca_server(ca_get()->ip, "client-auth", "later", "timeout", "30s",
                  "handshake-timeout", "30s", NULL);

    assert_code(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
    return sc;
}

static void openssls_client_answers_if_told_to(void **state)
{
    static const int wants[] = {0, TLSOCK_E_UNSUPPORTED};
    tlsock_config *sc = server();
    tlsock_listener *l = tlsock_listen("127.0.0.1:0", sc, NULL, NULL);
    char where[32];

    (void)state;
    assert_non_null(l);
    snprintf(where, sizeof(where), "127.0.0.1:%d", tlsock_listener_port(l));
    for (size_t i = 0; i < COUNT(wants); i++) {
        const char *const argv[] = {
            "openssl",     "s_client", "-quiet",
            "-connect",    where,      "-cert",
            identity,      "-key",     identity,
            "-cert_chain", identity,   wants[i] == 0 ? "-enable_pha" : NULL,
            NULL};
        pid_t pid = start(argv);
        tlsock *s = tlsock_accept(l, NULL);

        asked(s, wants[i]);
        tlsock_close(s);
        put_away(pid, -1);
    }
    tlsock_listener_free(l);
    tlsock_config_unref(sc);
}

static void curl_answers_in_the_middle_of_a_request(void **state)
{
    tlsock_config *sc = server();
    tlsock_listener *l = tlsock_listen("127.0.0.1:0", sc, NULL, NULL);
    char url[48], *line = NULL;
    size_t cap = 0;
    const char *const argv[] = {"curl",
                                "-q",
                                "-sf",
                                "--noproxy",
                                "*",
                                "--max-time",
                                "30",
                                "--tlsv1.3",
                                "--http1.1",
                                "--cacert",
                                ca_get()->root_pem,
                                "--cert",
                                identity,
                                "--key",
                                identity,
                                url,
                                NULL};
    pid_t pid;
    tlsock *s;

    (void)state;
    assert_non_null(l);
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/",
             tlsock_listener_port(l));
    pid = start(argv);
    s = tlsock_accept(l, NULL);
    assert_non_null(s);
    while (tlsock_getline(s, &line, &cap, 4096) > 2)
        continue;
    free(line);
    asked(s, 0);
    assert_true(tlsock_printf(s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                                 "Connection: close\r\n\r\nhi") > 0);
    tlsock_close(s);
    put_away(pid, 0);
    tlsock_listener_free(l);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssls_client_answers_if_told_to),
        cmocka_unit_test(curl_answers_in_the_middle_of_a_request),
    };

    return cmocka_run_group_tests_name("pha_others", tests, make_identity,
                                       drop_identity);
}
