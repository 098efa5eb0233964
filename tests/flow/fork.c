/* Who may use a connection after fork(): its owner, and nobody else. */
#include "ca.h"
#include "sock.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct sides {
    tlsock_config *cc, *sc;
    tlsock *client, *server;
};

static void shake(struct sides *t)
{
    int crc = TLSOCK_AGAIN, src = TLSOCK_AGAIN;

    for (int i = 0; i < 20 && (crc != 0 || src != 0); i++) {
        crc = tlsock_handshake(t->client);
        src = tlsock_handshake(t->server);
    }
    assert_code(crc, TLSOCK_OK);
    assert_code(src, TLSOCK_OK);
    assert_code(tlsock_flush(t->server), TLSOCK_OK);
    assert_code(tlsock_set_nonblocking(t->client, 0), TLSOCK_OK);
    assert_code(tlsock_set_nonblocking(t->server, 0), TLSOCK_OK);
    /* a broken promise ends a test, it does not hang it */
    assert_code(tlsock_set_timeout(t->client, 20000), TLSOCK_OK);
    assert_code(tlsock_set_timeout(t->server, 20000), TLSOCK_OK);
}

static int start(void **state)
{
    struct sides *t = test_malloc(sizeof(*t));
    int fds[2];

    t->cc = ca_client(NULL);
    t->sc = ca_server(ca_get()->a, NULL);
    sock_pair(fds);
    t->client = tlsock_client_fd(fds[0], "a.test", t->cc,
                                 TLSOCK_OPTS(.nonblocking = 1), NULL);
    t->server =
        tlsock_server_fd(fds[1], t->sc, TLSOCK_OPTS(.nonblocking = 1), NULL);
    assert_non_null(t->client);
    assert_non_null(t->server);
    *state = t;
    return 0;
}

static int put_away(void **state)
{
    struct sides *t = *state;

    tlsock_abandon(t->client);
    tlsock_abandon(t->server);
    tlsock_config_unref(t->cc);
    tlsock_config_unref(t->sc);
    test_free(t);
    return 0;
}

static void assert_child(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* The child's exit status: the number of the first claim that failed. */
#define CLAIM(n, truth)                                                        \
    do {                                                                       \
        if (!(truth))                                                          \
            test_exit(n);                                                      \
    } while (0)

static void a_child_is_refused(void **state)
{
    struct sides *t = *state;
    char got[4];
    pid_t pid;

    shake(t);
    pid = fork();
    if (pid == 0) {
        CLAIM(1, tlsock_write(t->client, "evil", 4) == TLSOCK_E_FORKED);
        CLAIM(2, tlsock_read(t->client, got, 4) == TLSOCK_E_FORKED);
        CLAIM(3, tlsock_handshake(t->client) == TLSOCK_E_FORKED);
        CLAIM(4, tlsock_shutdown(t->client, SHUT_WR) == TLSOCK_E_FORKED);
        CLAIM(5, tlsock_flush(t->client) == TLSOCK_E_FORKED);
        CLAIM(6, tlsock_last_error(t->client)->hint[0] != '\0');
        tlsock_close(t->client); /* sends nothing */
        test_exit(0);
    }
    assert_child(pid);
    assert_int_equal(tlsock_write(t->client, "good", 4), 4);
    assert_int_equal(tlsock_read_full(t->server, got, 4), 4);
    assert_memory_equal(got, "good", 4);
    assert_int_equal(tlsock_write(t->server, "back", 4), 4);
    assert_int_equal(tlsock_read_full(t->client, got, 4), 4);
}

static void a_child_may_adopt(void **state)
{
    struct sides *t = *state;
    char got[4];
    pid_t pid;

    shake(t);
    pid = fork();
    if (pid == 0) {
        CLAIM(1, tlsock_adopt(t->client) == 0);
        CLAIM(2, tlsock_write(t->client, "mine", 4) == 4);
        CLAIM(3, tlsock_read_full(t->client, got, 4) == 4);
        CLAIM(4, tlsock_close(t->client) == 0);
        test_exit(0);
    }
    tlsock_abandon(t->client); /* as it gives the connection up */
    t->client = NULL;
    assert_int_equal(tlsock_read_full(t->server, got, 4), 4);
    assert_memory_equal(got, "mine", 4);
    assert_int_equal(tlsock_write(t->server, "yours", 4), 4);
    assert_int_equal(tlsock_read(t->server, got, 4), 0);
    assert_child(pid);
}

/* accept, fork, the parent closes, the child talks: right as it stands */
static void a_connection_without_tls_belongs_to_who_begins(void **state)
{
    struct sides *t = *state;
    char got[4];
    pid_t pid = fork();

    if (pid == 0) {
        tlsock_abandon(t->client); /* the parent's */
        tlsock_set_nonblocking(t->server, 0);
        tlsock_set_timeout(t->server, 20000);
        CLAIM(1, tlsock_read_full(t->server, got, 4) == 4);
        CLAIM(2, tlsock_write(t->server, got, 4) == 4);
        CLAIM(3, tlsock_read(t->server, got, 4) == 0);
        CLAIM(4, tlsock_close(t->server) == 0);
        test_exit(0);
    }
    assert_code(tlsock_close(t->server), TLSOCK_OK);
    t->server = NULL;
    assert_code(tlsock_set_nonblocking(t->client, 0), TLSOCK_OK);
    assert_code(tlsock_set_timeout(t->client, 20000), TLSOCK_OK);
    assert_int_equal(tlsock_write(t->client, "ping", 4), 4);
    assert_int_equal(tlsock_read_full(t->client, got, 4), 4);
    assert_code(tlsock_shutdown(t->client, SHUT_RDWR), TLSOCK_OK);
    assert_child(pid);
}

static void a_config_works_on_both_sides_of_a_fork(void **state)
{
    struct sides *t = *state, again = *t;
    pid_t pid;
    int fds[2];

    shake(t);
    pid = fork();
    sock_pair(fds);
    again.client = tlsock_client_fd(fds[0], "a.test", t->cc,
                                    TLSOCK_OPTS(.nonblocking = 1), NULL);
    again.server =
        tlsock_server_fd(fds[1], t->sc, TLSOCK_OPTS(.nonblocking = 1), NULL);
    if (pid == 0) {
        int rc = TLSOCK_AGAIN;

        for (int i = 0; i < 20 && rc == TLSOCK_AGAIN; i++) {
            (void)!tlsock_handshake(again.server);
            rc = tlsock_handshake(again.client);
        }
        test_exit(rc == 0 ? 0 : 1);
    }
    shake(&again);
    tlsock_abandon(again.client);
    tlsock_abandon(again.server);
    assert_child(pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_child_is_refused, start, put_away),
        cmocka_unit_test_setup_teardown(a_child_may_adopt, start, put_away),
        cmocka_unit_test_setup_teardown(
            a_connection_without_tls_belongs_to_who_begins, start, put_away),
        cmocka_unit_test_setup_teardown(a_config_works_on_both_sides_of_a_fork,
                                        start, put_away),
    };

    return cmocka_run_group_tests_name("fork", tests, ca_setup, ca_teardown);
}
