/* A program that has more rights than who started it (set-user-ID) must not be
 * made to write by the environment: neither TLSOCK_TRACE nor SSLKEYLOGFILE is
 * heeded by it. The same program without those rights is the twin. Needs root,
 * to make one. */
#include "ca.h"
#include "dir.h"
#include "pair.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOMEBODY 65534
#define SECURE 10 /* exit code of the child: it has such rights */

static char dir[] = "/tmp/secureXXXXXX", copy[64], lines[64], keys[64];

/* In the child: a connection of both sides here, that lets the environment name
 * a file of secrets. */
static int connect_once(void)
{
    tlsock_config *cc, *sc;
    struct peer p;

    (void)ca_setup(NULL);
    cc = ca_client("keylog", "env:SSLKEYLOGFILE", NULL);
    sc = ca_server(ca_get()->a, NULL);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_pingpong(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
    (void)ca_teardown(NULL);
    return getauxval(AT_SECURE) != 0 ? SECURE : 0;
}

static void put_copy(mode_t mode)
{
    char buf[65536];
    int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), out;
    ssize_t n;

    (void)unlink(copy);
    out = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    assert_true(in >= 0 && out >= 0);
    while ((n = read(in, buf, sizeof(buf))) > 0)
        assert_int_equal(write(out, buf, (size_t)n), n);
    assert_int_equal(n, 0);
    assert_int_equal(fchmod(out, mode), 0);
    close(in);
    close(out);
}

/* What the copy exits with if somebody without rights starts it. */
static int run_as_somebody(void)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (setgid(SOMEBODY) == 0 && setuid(SOMEBODY) == 0)
            execl(copy, copy, "child", (char *)NULL);
        test_exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (int)st.st_size : -1;
}

static void who_has_no_more_rights_writes(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    put_copy(0755);
    assert_int_equal(run_as_somebody(), 0);
    assert_true(size_of(lines) > 0);
    assert_true(size_of(keys) > 0);
    assert_int_equal(unlink(lines), 0);
    assert_int_equal(unlink(keys), 0);
}

static void who_has_more_rights_does_not(void **state)
{
    int code;

    (void)state;
    if (geteuid() != 0)
        skip();
    put_copy(04755);
    code = run_as_somebody();
    if (code == 0) /* the file system takes no notice of the bit */
        skip();
    assert_int_equal(code, SECURE);
    assert_int_equal(size_of(lines), -1);
    assert_int_equal(size_of(keys), -1);
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL || chmod(dir, 0777) != 0)
        return -1;
    snprintf(copy, sizeof(copy), "%s/copy", dir);
    snprintf(lines, sizeof(lines), "%s/lines", dir);
    snprintf(keys, sizeof(keys), "%s/keys", dir);
    return setenv("TLSOCK_TRACE", lines, 1) != 0 ||
                   setenv("SSLKEYLOGFILE", keys, 1) != 0
               ? -1
               : 0;
}

static int tear_down(void **state)
{
    (void)state;
    dir_remove(dir);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_no_more_rights_writes),
        cmocka_unit_test(who_has_more_rights_does_not),
    };

    if (argc == 2 && strcmp(argv[1], "child") == 0)
        test_exit(connect_once());
    return cmocka_run_group_tests_name("secure", tests, set_up, tear_down);
}
