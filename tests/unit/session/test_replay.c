/* One table for a process and its children: each name is new once. */
#include "session/replay.h"
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void name(uint8_t id[TSK_REPLAY_ID], uint32_t place, uint32_t number)
{
    memset(id, 0, TSK_REPLAY_ID);
    memcpy(id, &number, sizeof(number));
    memcpy(id + 16, &place, sizeof(place));
}

static int first(uint32_t place, uint32_t number, int64_t now)
{
    uint8_t id[TSK_REPLAY_ID];

    name(id, place, number);
    return tsk_replay_first(id, now);
}

static int no_pages, no_lock;

/* MMAP: as mmap() is called where it comes to the linker */
#define GLUED(a, b) a##b
#define NAMED(a, b) GLUED(a, b)
#define REAL_MMAP NAMED(__real_, MMAP)
#define WRAP_MMAP NAMED(__wrap_, MMAP)

void *REAL_MMAP(void *at, size_t n, int prot, int flags, int fd, off_t off);
void *WRAP_MMAP(void *at, size_t n, int prot, int flags, int fd, off_t off);
void *WRAP_MMAP(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
    return no_pages ? MAP_FAILED : REAL_MMAP(at, n, prot, flags, fd, off);
}

int __real_pthread_mutexattr_setpshared(pthread_mutexattr_t *a, int shared);
int __wrap_pthread_mutexattr_setpshared(pthread_mutexattr_t *a, int shared);
int __wrap_pthread_mutexattr_setpshared(pthread_mutexattr_t *a, int shared)
{
    return no_lock ? ENOTSUP : __real_pthread_mutexattr_setpshared(a, shared);
}

/* Early data would be taken twice: so it is refused, by the config. */
static void without_a_table_nothing_opens(void **state)
{
    tlsock_error err = {0};

    (void)state;
    no_pages = 1;
    assert_code(tsk_replay_open(&err), TLSOCK_E_NOMEM);
    no_pages = 0;
    no_lock = 1;
    assert_code(tsk_replay_open(&err), TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, ENOTSUP);
    assert_tells(err.message, "lock");
    no_lock = 0;
    assert_int_equal(first(1, 1, 1), 0);
}

static void before_it_is_open_all_is_seen(void **state)
{
    (void)state;
    assert_int_equal(first(1, 1, 1), 0);
    assert_int_equal(tsk_replay_open(NULL), 0);
    assert_int_equal(tsk_replay_open(NULL), 0);
    assert_int_equal(first(1, 1, 1), 1);
}

static void a_name_is_new_once_within_its_time(void **state)
{
    (void)state;
    assert_int_equal(first(1000, 7, 100), 1);
    assert_int_equal(first(1000, 7, 100), 0);
    assert_int_equal(first(1000, 8, 100), 1);
    assert_int_equal(first(1000, 7, 100 + TSK_REPLAY_KEEP_S - 1), 0);
    assert_int_equal(first(1000, 7, 100 + TSK_REPLAY_KEEP_S), 1);
}

/* An entry that ends makes room in front of one that stays. */
static void an_older_entry_behind_is_still_found(void **state)
{
    (void)state;
    assert_int_equal(first(2000, 1, 1000), 1);
    assert_int_equal(first(2000, 2, 1050), 1);
    assert_int_equal(first(2000, 2, 1000 + TSK_REPLAY_KEEP_S), 0);
}

static void no_room_is_no_permission(void **state)
{
    uint32_t n = 0;

    (void)state;
    while (n < 1000 && first(3000, n, 5000))
        n++;
    assert_within(n, 8, 999);
    assert_int_equal(first(3000, 5000, 5000), 0);
    assert_int_equal(first(3000, 5000, 5000 + TSK_REPLAY_KEEP_S), 1);
}

static void children_share_it(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    assert_true(child >= 0);
    if (child == 0)
        test_exit(first(4000, 1, 9000) ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(first(4000, 1, 9000), 0);
}

/* qemu gives no locks back of processes that have died. */
static int locks_are_given_back(void)
{
    void *head;
    size_t len;

    return syscall(SYS_get_robust_list, 0, &head, &len) == 0 || errno != ENOSYS;
}

/* Wherever it is at that moment: also while it holds the lock. */
static void who_is_killed_stops_nobody(void **state)
{
    (void)state;
    if (!locks_are_given_back()) {
        print_message("# not tried: no locks of the dead are given back\n");
        return;
    }
    for (uint32_t round = 0; round < 10; round++) {
        int fds[2], status;
        char byte;
        pid_t child;

        assert_int_equal(pipe(fds), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            assert_int_equal(write(fds[1], "x", 1), 1);
            for (uint32_t i = 0;; i++)
                first(5000 + i, i, 20000);
        }
        assert_int_equal(read(fds[0], &byte, 1), 1);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        close(fds[0]);
        close(fds[1]);
        assert_int_equal(first(60000, round, 30000), 1);
        assert_int_equal(first(60000, round, 30000), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_table_nothing_opens),
        cmocka_unit_test(before_it_is_open_all_is_seen),
        cmocka_unit_test(a_name_is_new_once_within_its_time),
        cmocka_unit_test(an_older_entry_behind_is_still_found),
        cmocka_unit_test(no_room_is_no_permission),
        cmocka_unit_test(children_share_it),
        cmocka_unit_test(who_is_killed_stops_nobody),
    };

    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
