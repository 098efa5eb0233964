#include "net_help.h"

#include "net/wait.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

int64_t fake_now;

struct pipes {
    int in[2], other[2];
    struct tsk_waitfd *w;
};

static int setup(void **state)
{
    struct pipes *p = calloc(1, sizeof(*p));
    tlsock_error err;

    assert_non_null(p);
    assert_int_equal(pipe(p->in), 0);
    assert_int_equal(pipe(p->other), 0);
    p->w = tsk_waitfd_new(&err);
    assert_non_null(p->w);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pipes *p = *state;

    tsk_waitfd_free(p->w);
    close(p->in[0]);
    close(p->in[1]);
    close(p->other[0]);
    close(p->other[1]);
    free(p);
    return 0;
}

static int ready(const struct pipes *p)
{
    struct pollfd fd = {tsk_waitfd_fd(p->w), POLLIN, 0};

    return poll(&fd, 1, 0);
}

static void set(struct pipes *p, int fd, short events)
{
    struct pollfd fds[] = {{fd, events, 0}};

    assert_int_equal(tsk_waitfd_set(p->w, fds, 1, NULL), TLSOCK_OK);
}

static void wait_reports_what_is_ready_and_a_past_deadline(void **state)
{
    struct pipes *p = *state;
    struct pollfd fds[] = {{p->in[0], POLLIN, 0}, {p->other[1], POLLOUT, 0}};

    assert_int_equal(tsk_wait(fds, 1, tsk_deadline_in(0), NULL), 0);
    assert_int_equal(tsk_wait(fds, 1, tsk_deadline_in(5), NULL), 0);
    assert_int_equal(tsk_wait(fds, 2, TSK_NEVER, NULL), 1);
    assert_int_equal(fds[1].revents, POLLOUT);
    assert_int_equal(write(p->in[1], "x", 1), 1);
    assert_int_equal(tsk_wait(fds, 2, TSK_NEVER, NULL), 2);
    assert_int_equal(tsk_wait(NULL, 0, tsk_deadline_in(0), NULL), 0);
}

static void nothing(int sig)
{
    (void)sig;
}

static void wait_goes_on_after_a_signal(void **state)
{
    struct pipes *p = *state;
    struct pollfd fds[] = {{p->in[0], POLLIN, 0}};
    struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    struct sigaction sa = {.sa_handler = nothing}, old;
    int rc;

    sigaction(SIGALRM, &sa, &old);
    setitimer(ITIMER_REAL, &often, NULL);
    rc = tsk_wait(fds, 1, tsk_deadline_in(20), NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &old, NULL);
    assert_int_equal(rc, 0);
}

static void waitfd_is_readable_while_a_member_is_ready(void **state)
{
    struct pipes *p = *state;

    assert_int_equal(ready(p), 0);
    set(p, p->in[0], POLLIN);
    assert_int_equal(ready(p), 0);
    assert_int_equal(write(p->in[1], "x", 1), 1);
    assert_int_equal(ready(p), 1);
    set(p, p->other[0], POLLIN); /* it stands for that one alone now */
    assert_int_equal(ready(p), 0);
    set(p, p->other[1], POLLOUT);
    assert_int_equal(ready(p), 1);
    set(p, p->other[1], 0); /* other events of the same member */
    assert_int_equal(ready(p), 0);
    set(p, p->other[1], POLLIN | POLLOUT);
    assert_int_equal(ready(p), 1);
    assert_int_equal(tsk_waitfd_set(p->w, NULL, 0, NULL), TLSOCK_OK);
    assert_int_equal(ready(p), 0);
}

static void waitfd_merges_doubles_and_skips_gaps(void **state)
{
    struct pipes *p = *state;
    int s[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    struct pollfd fds[] = {{-1, POLLIN, 0}, {s[0], POLLIN, 0},
                           {s[0], POLLOUT, 0}};

    assert_int_equal(tsk_waitfd_set(p->w, fds, 3, NULL), TLSOCK_OK);
    assert_int_equal(ready(p), 1);
    assert_int_equal(tsk_waitfd_set(p->w, fds, 2, NULL), TLSOCK_OK);
    assert_int_equal(ready(p), 0);
    tsk_wait_close(s[0]);
    tsk_wait_close(s[1]);
}

static void waitfd_sees_a_new_socket_under_an_old_number(void **state)
{
    struct pipes *p = *state;
    int fd = dup(p->in[0]);

    assert_int_equal(write(p->other[1], "x", 1), 1);
    set(p, fd, POLLIN);
    assert_int_equal(ready(p), 0);
    tsk_waitfd_set(p->w, NULL, 0, NULL);
    set(p, p->in[0], POLLIN);
    assert_int_equal(dup2(p->other[0], fd), fd);
    set(p, fd, POLLIN);
    assert_int_equal(ready(p), 1);
    tsk_wait_close(fd); /* the kernel takes it out, the list still has it */
    assert_int_equal(dup(p->other[0]), fd);
    set(p, fd, POLLIN);
    assert_int_equal(ready(p), 1);
    tsk_wait_close(fd);
}

static void waitfd_forgets_closed_members_quietly(void **state)
{
    struct pipes *p = *state;
    int fd = dup(p->in[0]);

    set(p, fd, POLLIN);
    tsk_wait_close(fd);
    set(p, p->in[0], POLLIN);
    assert_int_equal(write(p->in[1], "x", 1), 1);
    assert_int_equal(ready(p), 1);
}

static void waitfd_refuses_a_file_and_can_be_set_again(void **state)
{
    struct pipes *p = *state;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    FILE *file = tmpfile();
    struct pollfd fds[] = {{fileno(file), POLLIN, 0}};
    tlsock_error err = {0};

    assert_int_equal(tsk_waitfd_set(p->w, fds, 1, &err), TLSOCK_E_SYSTEM);
    assert_int_equal(err.code, TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, EPERM);
    assert_int_equal(tsk_waitfd_set(p->w, fds, 1, NULL), TLSOCK_E_SYSTEM);
    set(p, p->other[1], POLLOUT);
    assert_int_equal(ready(p), 1);
    fclose(file);
    close(fd);
}

static int refuse(void)
{
    return 1;
}

static void waitfd_without_memory_fails_and_stays_usable(void **state)
{
    struct pipes *p = *state;
    struct pollfd fds[] = {{p->other[1], POLLOUT, 0}};
    tlsock_error err = {0};

    tsk_mem_fail = refuse;
    assert_null(tsk_waitfd_new(&err));
    assert_int_equal(err.code, TLSOCK_E_NOMEM);
    err.code = 0;
    assert_int_equal(tsk_waitfd_set(p->w, fds, 1, &err), TLSOCK_E_NOMEM);
    assert_int_equal(err.code, TLSOCK_E_NOMEM);
    tsk_mem_fail = NULL;
    set(p, p->other[1], POLLOUT);
    tsk_mem_fail = refuse; /* nothing changed: nothing is needed */
    assert_int_equal(tsk_waitfd_set(p->w, fds, 1, &err), TLSOCK_OK);
    tsk_mem_fail = NULL;
    assert_int_equal(ready(p), 1);
    tsk_waitfd_free(NULL);
}

static void waitfd_without_descriptors_fails(void **state)
{
    struct rlimit old, few;
    tlsock_error err = {0};
    struct tsk_waitfd *w;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    w = tsk_waitfd_new(&err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_null(w);
    assert_int_equal(err.code, TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, EMFILE);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(wait_reports_what_is_ready_and_a_past_deadline),
        T(wait_goes_on_after_a_signal),
        T(waitfd_is_readable_while_a_member_is_ready),
        T(waitfd_merges_doubles_and_skips_gaps),
        T(waitfd_sees_a_new_socket_under_an_old_number),
        T(waitfd_forgets_closed_members_quietly),
        T(waitfd_refuses_a_file_and_can_be_set_again),
        T(waitfd_without_descriptors_fails),
        T(waitfd_without_memory_fails_and_stays_usable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
