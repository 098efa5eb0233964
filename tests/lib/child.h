/* child - a process of its own for a part of a test. */
#ifndef TEST_CHILD_H
#define TEST_CHILD_H

#include "test.h"

#include <sys/wait.h>

/* fork(); a child that hangs ends itself, and the test fails. */
static inline pid_t child(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        alarm(60);
    return pid;
}

/* How it ended, as waitpid() tells. */
static inline int ended(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

#endif
