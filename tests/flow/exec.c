/* What a program inherits that is executed: no descriptor of the library's. */
#include "ca.h"

#include <dirent.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

/* Descriptors above 2 that are open, as "3,7,": but for the list's own. */
static void open_fds(char *out, size_t size)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *e;
    size_t len = 0;

    out[0] = '\0';
    while (dir != NULL && (e = readdir(dir)) != NULL)
        if (atoi(e->d_name) > 2 && atoi(e->d_name) != dirfd(dir))
            len += (size_t)snprintf(out + len, size - len, "%s,", e->d_name);
    if (dir != NULL)
        closedir(dir);
}

static char at_start[4096];

static const char *self;

static tlsock *begin(tlsock_config *cc, int port, const char *proxy)
{
    char target[64];
    tlsock *s;

    snprintf(target, sizeof(target), "localhost:%d", port);
    s = tlsock_connect(
        target, cc, TLSOCK_OPTS(.nonblocking = 1, .family = 4, .proxy = proxy),
        NULL);
    assert_non_null(s);
    return s;
}

/* Until it shakes hands, or asks its proxy. */
static void arrive(tlsock *s, int64_t state)
{
    while (tlsock_info_int(s, TLSOCK_INFO_STATE) != state) {
        tlsock_pollitem item = {.s = s, .fd = -1, .events = POLLIN};

        assert_code(tlsock_handshake(s), TLSOCK_AGAIN);
        assert_true(tlsock_poll(&item, 1, 0) >= 0);
    }
}

static void nothing_is_inherited_by_exec(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->ip, NULL);
    tlsock_listener *l =
        tlsock_listen("127.0.0.1:0", sc, TLSOCK_OPTS(.nonblocking = 1), NULL);
    tlsock *s[4] = {NULL};
    char target[140], mine[4096];
    tlsock_listener *u;
    int port = tlsock_listener_port(l);
    int status;
    pid_t pid;

    (void)state;
    assert_non_null(l);
    snprintf(target, sizeof(target), "unix:%s/sock", ca_get()->dir);
    u = tlsock_listen(target, sc, NULL, NULL);
    assert_non_null(u);
    snprintf(target, sizeof(target), "socks5://127.0.0.1:%d", port);
    s[0] = begin(cc, port, NULL);
    (void)!tlsock_handshake(s[0]); /* looks its name up, or more */
    s[1] = begin(cc, port, NULL);
    arrive(s[1], TLSOCK_STATE_HANDSHAKING);
    s[2] = begin(cc, port, target);
    (void)!tlsock_handshake(s[2]);
    s[3] = tlsock_accept(l, &(tlsock_error){0});
    assert_non_null(s[3]);
    open_fds(mine, sizeof(mine));
    assert_true(strlen(mine) > strlen(at_start) + 6); /* there are some */
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        execl("/proc/self/exe", self, "list", at_start, (char *)NULL);
        test_exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    for (size_t i = 0; i < COUNT(s); i++)
        tlsock_abandon(s[i]);
    tlsock_listener_free(l);
    tlsock_listener_free(u);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* In the program that was executed: is there anything that was not there when
 * its parent began? */
static int list(const char *before)
{
    char now[4096];

    open_fds(now, sizeof(now));
    if (strcmp(now, before) == 0)
        return 0;
    fprintf(stderr, "inherited: %s instead of %s\n", now, before);
    return 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_inherited_by_exec),
    };

    if (argc == 3 && strcmp(argv[1], "list") == 0)
        return list(argv[2]);
    self = argv[0];
    open_fds(at_start, sizeof(at_start));
    return cmocka_run_group_tests_name("exec", tests, ca_setup, ca_teardown);
}
