/* What a process that serves may no longer ask of the kernel. Each call is made
 * by a child: without the filter, where it fails for a reason of its own, and
 * with it. */
#include "confine.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* None of these does anything, if it is let through. */
static const struct {
    const char *name;
    long call, args[3];
    int want; /* with the filter */
    int runs_programs;
} rows[] = {
    {"execve", SYS_execve, {0, 0, 0}, EPERM, 0},
    {"execveat", SYS_execveat, {-1, 0, 0}, EPERM, 0},
    {"execve for --exec", SYS_execve, {0, 0, 0}, EFAULT, 1},
#ifndef CONFINE_TRACES_ITSELF
    {"ptrace", SYS_ptrace, {-1, -1, 0}, EPERM, 0},
#endif
    {"process_vm_readv", SYS_process_vm_readv, {-1, 0, -1}, EPERM, 0},
    {"process_vm_writev", SYS_process_vm_writev, {-1, 0, -1}, EPERM, 0},
    {"mount", SYS_mount, {0, 0, 0}, EPERM, 0},
    {"mount for --exec", SYS_mount, {0, 0, 0}, EPERM, 1},
    {"umount2", SYS_umount2, {0, 0xff, 0}, EPERM, 0},
    {"pivot_root", SYS_pivot_root, {0, 0, 0}, EPERM, 0},
    {"chroot", SYS_chroot, {0, 0, 0}, EPERM, 0},
    {"unshare", SYS_unshare, {0, 0, 0}, EPERM, 0},
    {"setns", SYS_setns, {-1, 0, 0}, EPERM, 0},
    {"clone of a user namespace",
     SYS_clone,
     {CLONE_NEWUSER | CLONE_FS, 0, 0},
     EPERM,
     0},
    {"clone3", SYS_clone3, {0, 0, 0}, ENOSYS, 0},
    {"init_module", SYS_init_module, {0, 0, 0}, EPERM, 0},
    {"delete_module", SYS_delete_module, {0, 0, 0}, EPERM, 0},
    {"kexec_load", SYS_kexec_load, {0, 0, 0}, EPERM, 0},
    {"bpf", SYS_bpf, {-1, 0, 0}, EPERM, 0},
    {"perf_event_open", SYS_perf_event_open, {0, -1, -1}, EPERM, 0},
    {"userfaultfd", SYS_userfaultfd, {-1, 0, 0}, EPERM, 0},
    {"io_uring_setup", SYS_io_uring_setup, {0, 0, 0}, EPERM, 0},
    {"keyctl", SYS_keyctl, {-1, 0, 0}, EPERM, 0},
    {"add_key", SYS_add_key, {0, 0, 0}, EPERM, 0},
    {"open_by_handle_at", SYS_open_by_handle_at, {-1, 0, 0}, EPERM, 0},
    {"settimeofday", SYS_settimeofday, {0, 1, 0}, EPERM, 0},
    {"syslog", SYS_syslog, {-1, 0, 0}, EPERM, 0},
    /* what a server does need */
    {"accept4", SYS_accept4, {-1, 0, 0}, EBADF, 0},
    {"openat", SYS_openat, {-1, 0, 0}, EFAULT, 0},
    {"getrandom", SYS_getrandom, {0, 0, 0xff}, EINVAL, 0},
};

/* The errno of the call, in a child; 99: the filter was not taken. */
static int outcome(size_t i, int filtered)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        const char *why =
            filtered ? confine_calls(rows[i].runs_programs) : NULL;

        errno = 0;
        if (why == NULL)
            (void)syscall(rows[i].call, rows[i].args[0], rows[i].args[1],
                          rows[i].args[2], 0, 0, 0);
        _exit(why != NULL ? 99 : errno);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Nothing else refuses anything: rights to modules, roots, tracing, mounts,
 * kernels, clocks and logs, and no filter of a container. */
static int is_free(void)
{
    static const int needed[] = {16, 18, 19, 21, 22, 25, 34};
    unsigned long long rights = 0;
    int filter = -1, all = 1;
    char line[256];
    FILE *f = fopen("/proc/self/status", "re");

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        (void)sscanf(line, "CapEff: %llx", &rights);
        (void)sscanf(line, "Seccomp: %d", &filter);
    }
    if (f != NULL)
        fclose(f);
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        all = all && (rights >> needed[i] & 1) != 0;
    return all && filter == 0;
}

static void what_no_server_needs_is_refused(void **state)
{
    int free_of_others = is_free();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int before = outcome(i, 0), after = outcome(i, 1);

        if (after != rows[i].want)
            fail_msg("%s: %s, not %s", rows[i].name, strerror(after),
                     strerror(rows[i].want));
        if (free_of_others && rows[i].want == EPERM && before == EPERM)
            fail_msg("%s: refused without the filter as well", rows[i].name);
    }
}

static void *wait_and_try(void *arg)
{
    int *go = arg;
    char byte;

    if (read(go[0], &byte, 1) != 1)
        return NULL;
    errno = 0;
    (void)syscall(SYS_mount, 0, 0, 0, 0, 0);
    return (void *)(intptr_t)errno;
}

static void threads_that_are_there_obey(void **state)
{
    pid_t pid = fork();
    int status = 0;

    (void)state;
    if (pid == 0) {
        void *got = NULL;
        pthread_t t;
        int go[2];

        if (pipe(go) != 0 || pthread_create(&t, NULL, wait_and_try, go) != 0 ||
            confine_calls(0) != NULL || write(go[1], "", 1) != 1 ||
            pthread_join(t, &got) != 0)
            _exit(99);
        _exit((int)(intptr_t)got);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), EPERM);
}

int main(void)
{
    if (prctl(PR_GET_SECCOMP) < 0 && errno == EINVAL) { /* qemu, above all */
        puts("1..0 # SKIP this kernel filters no system calls");
        return 0;
    }

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_server_needs_is_refused),
        cmocka_unit_test(threads_that_are_there_obey),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
