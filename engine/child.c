#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

extern char **environ;

static void close_pair(int pair[2])
{
    close(pair[0]);
    close(pair[1]);
}

/* The child gets the signals of a fresh program: we ignore SIGPIPE, and the
 * event loop may block others. */
static int spawn(char *const *argv, int in, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t all, none;
    pid_t pid;
    int rc;

    sigemptyset(&none);
    sigemptyset(&all);
    sigaddset(&all, SIGPIPE);
    sigaddset(&all, SIGINT);
    sigaddset(&all, SIGTERM);
    sigaddset(&all, SIGHUP);
    sigaddset(&all, SIGCHLD);
    rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return rc;
    rc = posix_spawnattr_init(&attr);
    if (rc != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return rc;
    }
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    rc = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawnp(&pid, argv[0], &actions, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

int child_start(struct child *c, char *const *argv)
{
    int in[2], out[2], rc;

    if (pipe2(in, O_CLOEXEC) < 0)
        return errno;
    if (pipe2(out, O_CLOEXEC) < 0) {
        rc = errno;
        close_pair(in);
        return rc;
    }
    rc = spawn(argv, in[0], out[1]);
    if (rc == 0 && (fcntl(in[1], F_SETFL, O_NONBLOCK) < 0 ||
                    fcntl(out[0], F_SETFL, O_NONBLOCK) < 0))
        rc = errno;
    if (rc != 0) {
        close_pair(in);
        close_pair(out);
        return rc;
    }
    close(in[0]);
    close(out[1]);
    c->to = in[1];
    c->from = out[0];
    return 0;
}
