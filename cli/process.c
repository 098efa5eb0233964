#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX (64u << 20) /* more is not an answer to what we ask */
#define ROOM 16384             /* for the first of it */

extern char **environ;

static int runnable(const char *path)
{
    return path[0] == '/' && access(path, X_OK) == 0;
}

static int found(char *path, size_t size, const char *dir, const char *bin,
                 const char *program)
{
    return (size_t)snprintf(path, size, "%s%s/%s", dir, bin, program) < size &&
           runnable(path);
}

/* An ordinary user's PATH lacks the administrator's directories: they are
 * beside those that it names. */
int process_find(char *path, size_t size, const char *program)
{
    const char *dirs = getenv("PATH");
    char *all = strdup(dirs != NULL ? dirs : "/usr/bin:/bin");
    char *save = NULL;
    int rc = -1;

    for (char *dir = all != NULL ? strtok_r(all, ":", &save) : NULL;
         rc < 0 && dir != NULL; dir = strtok_r(NULL, ":", &save)) {
        size_t len = strlen(dir);

        if (found(path, size, dir, "", program))
            rc = 0;
        if (rc < 0 && len >= 4 && strcmp(dir + len - 4, "/bin") == 0) {
            dir[len - 4] = '\0';
            rc = found(path, size, dir, "/sbin", program) ? 0 : -1;
        }
    }
    free(all);
    return rc;
}

/* The environment, with messages in English and text in UTF-8. */
static char **english(void)
{
    static char lc[] = "LC_ALL=C.UTF-8";
    size_t n = 0, used = 0;
    char **env;

    while (environ[n] != NULL)
        n++;
    env = malloc((n + 2) * sizeof(*env));
    if (env == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        if (strncmp(environ[i], "LC_ALL=", 7) != 0 &&
            strncmp(environ[i], "LANGUAGE=", 9) != 0)
            env[used++] = environ[i];
    }
    env[used++] = lc;
    env[used] = NULL;
    return env;
}

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Three pipes: [0] its stdin, [1] its stdout, [2] its stderr. */
static int open_pipes(int pipes[3][2])
{
    for (int i = 0; i < 3; i++)
        pipes[i][0] = pipes[i][1] = -1;
    for (int i = 0; i < 3; i++) {
        if (pipe2(pipes[i], O_CLOEXEC) < 0)
            return errno;
    }
    return 0;
}

static int start(const char *const *argv, int pipes[3][2], pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t set;
    char **env = english();
    int rc;

    if (env == NULL)
        return ENOMEM;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE); /* ignored here, not there */
    rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0) {
        free(env);
        return rc;
    }
    rc = posix_spawnattr_init(&attr);
    if (rc == 0) {
        posix_spawnattr_setsigdefault(&attr, &set);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
        rc = posix_spawn_file_actions_adddup2(&actions, pipes[0][0], 0);
        for (int i = 1; rc == 0 && i < 3; i++)
            rc = posix_spawn_file_actions_adddup2(&actions, pipes[i][1], i);
        if (rc == 0) /* argv is not written to: execve(2) */
            rc = posix_spawn(pid, argv[0], &actions, &attr,
                             (char *const *)(const void *)argv, env);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&actions);
    free(env);
    return rc;
}

/* What is allocated for so many bytes: twice as much each time. */
static size_t room_of(size_t len)
{
    size_t room = ROOM;

    while (room < len)
        room *= 2;
    return room;
}

/* Append what there is to read. 1: more may come; 0: the end; -1: errno. */
static int gather(int fd, char **text, size_t *len)
{
    char chunk[16384], *grown = *text;
    ssize_t n = read(fd, chunk, sizeof(chunk));
    size_t room;

    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 1 : -1;
    if (n == 0)
        return 0;
    if (*len + (size_t)n > OUTPUT_MAX) {
        errno = EFBIG;
        return -1;
    }
    room = room_of(*len + (size_t)n + 1);
    if (room != room_of(*len + 1))
        grown = realloc(*text, room);
    if (grown == NULL)
        return -1;
    memcpy(grown + *len, chunk, (size_t)n);
    *len += (size_t)n;
    grown[*len] = '\0';
    *text = grown;
    return 1;
}

/* Give it its input while taking its output, so that neither waits for the
 * other. 0 or errno. */
static int talk(int ends[3], const char *input, size_t len,
                struct process_said *s)
{
    size_t sent = 0;

    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    if (len == 0)
        shut(&ends[0]);
    while (ends[0] >= 0 || ends[1] >= 0 || ends[2] >= 0) {
        struct pollfd p[3] = {{.fd = ends[0], .events = POLLOUT},
                              {.fd = ends[1], .events = POLLIN},
                              {.fd = ends[2], .events = POLLIN}};

        if (poll(p, 3, -1) < 0 && errno != EINTR)
            return errno;
        if (p[0].revents != 0) {
            ssize_t n = write(ends[0], input + sent, len - sent);

            if (n > 0)
                sent += (size_t)n;
            if (sent == len || (n < 0 && errno != EAGAIN && errno != EINTR))
                shut(&ends[0]); /* it may well end without reading all */
        }
        for (int i = 1; i < 3; i++) {
            int more = p[i].revents == 0 ? 1
                       : i == 1          ? gather(ends[1], &s->out, &s->len)
                                         : gather(ends[2], &s->err, &s->e_len);

            if (more < 0)
                return errno;
            if (more == 0)
                shut(&ends[i]);
        }
    }
    return 0;
}

static int reap(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return 128;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int process_run(const char *const *argv, const char *input, size_t len,
                struct process_said *s)
{
    int pipes[3][2], ends[3], rc;
    pid_t pid;

    *s = (struct process_said){0};
    rc = open_pipes(pipes);
    s->out = calloc(1, ROOM);
    s->err = calloc(1, ROOM);
    if (rc == 0 && (s->out == NULL || s->err == NULL))
        rc = ENOMEM;
    if (rc == 0)
        rc = start(argv, pipes, &pid);
    shut(&pipes[0][0]);
    shut(&pipes[1][1]);
    shut(&pipes[2][1]);
    ends[0] = pipes[0][1];
    ends[1] = pipes[1][0];
    ends[2] = pipes[2][0];
    if (rc == 0) {
        rc = talk(ends, input, len, s);
        for (int i = 0; i < 3; i++)
            shut(&ends[i]);
        s->code = reap(pid);
    }
    for (int i = 0; i < 3; i++)
        shut(&ends[i]);
    if (rc != 0)
        process_free(s);
    return rc;
}

void process_words(const struct process_said *s, char *text, size_t size)
{
    const char *from =
        s->err != NULL && s->err[strspn(s->err, " \t\r\n")] ? s->err : s->out;
    size_t used = 0;

    for (from = from != NULL ? from : ""; *from != '\0' && used + 2 < size;
         from++) {
        int blank = strchr(" \t\r\n", *from) != NULL;

        if (blank && (used == 0 || text[used - 1] == ' '))
            continue;
        text[used++] = blank ? ' ' : *from;
    }
    while (used > 0 && text[used - 1] == ' ')
        used--;
    text[used] = '\0';
    if (used == 0)
        snprintf(text, size, "it did not say why");
}

void process_free(struct process_said *s)
{
    free(s->out);
    free(s->err);
    *s = (struct process_said){0};
}
