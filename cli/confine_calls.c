/* System calls that a TLS server never makes, and an intruder might: they fail
 * with EPERM from now on. */
#include "confine.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>

static const char *const programs[] = {"execve", "execveat"};

static const char *const never[] = {
#ifndef CONFINE_TRACES_ITSELF
    "ptrace",
#endif
    /* other processes */
    "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp",
    "pidfd_getfd",
    /* file systems, namespaces, roots */
    "mount", "umount", "umount2", "mount_setattr", "move_mount", "open_tree",
    "fsopen", "fsconfig", "fsmount", "fspick", "pivot_root", "chroot",
    "unshare", "setns", "quotactl", "quotactl_fd", "swapon", "swapoff",
    "name_to_handle_at", "open_by_handle_at", "mknod", "mknodat",
    "fanotify_init",
    /* the kernel itself */
    "init_module", "finit_module", "delete_module", "kexec_load",
    "kexec_file_load", "bpf", "perf_event_open", "userfaultfd",
    "io_uring_setup", "io_uring_enter", "io_uring_register", "add_key",
    "request_key", "keyctl", "lookup_dcookie", "syslog", "acct", "modify_ldt",
    "personality", "iopl", "ioperm", "reboot", "nfsservctl", "vmsplice",
    "uselib", "sysfs", "_sysctl",
    /* the machine */
    "settimeofday", "stime", "clock_settime", "clock_settime64", "adjtimex",
    "clock_adjtime", "clock_adjtime64", "sethostname", "setdomainname",
    "vhangup"};

static int refuse(scmp_filter_ctx f, const char *const *names, size_t n)
{
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        int call = seccomp_syscall_resolve_name(names[i]);

        if (call != __NR_SCMP_ERROR) /* that libseccomp knows */
            rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), call, 0);
        if (rc == -EDOM) /* not of this machine */
            rc = 0;
    }
    return rc;
}

/* A user namespace of one's own is all rights over much of the kernel. What
 * clone3() is asked for cannot be seen; without it, clone() is what is used. */
static int refuse_namespaces(scmp_filter_ctx f)
{
    static const unsigned long spaces[] = {
        CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
        CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};
    int rc = 0, clone3 = seccomp_syscall_resolve_name("clone3");

    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]) && rc == 0; i++)
        rc =
            seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, spaces[i], spaces[i]));
    if (rc == 0 && clone3 != __NR_SCMP_ERROR)
        rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), clone3, 0);
    return rc;
}

const char *confine_calls(int may_run_programs)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    int rc = f != NULL ? 0 : -ENOMEM;

    if (rc == 0)
        rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
    if (rc == 0) /* a tree: the calls that are made often pass few tests */
        rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (rc == 0)
        rc = refuse(f, never, sizeof(never) / sizeof(never[0]));
    if (rc == 0 && !may_run_programs)
        rc = refuse(f, programs, sizeof(programs) / sizeof(programs[0]));
    if (rc == 0)
        rc = refuse_namespaces(f);
    if (rc == 0)
        rc = seccomp_load(f); /* with no_new_privs */
    seccomp_release(f);
    return rc == 0 ? NULL : strerror(-rc);
}

int confine_has_calls(void)
{
    return 1;
}
