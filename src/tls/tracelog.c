#include "tls/trace.h"

#include "core/str.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tlsock/trace.h>
#include <unistd.h>

#define LINE (TLSOCK_TRACE_LINE + 64)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char target[4096]; /* "": nobody asked */

/* Whoever has more rights than who started it must not be made to write. */
static void look(void)
{
    const char *value = secure_getenv("TLSOCK_TRACE");

    if (value != NULL && strlen(value) < sizeof(target))
        memcpy(target, value, strlen(value) + 1);
}

int tsk_trace_wanted(const tlsock *s)
{
    pthread_once(&once, look);
    return target[0] != '\0' &&
           tsk_ctx_settings(s->ctx)->policy[TSK_RULE_TRACE] == NULL;
}

/* Opened for each line: a program that closes all descriptors, and opens files
 * of its own, finds no line of ours in them. */
static int open_target(void)
{
    if (strcmp(target, "stderr") == 0)
        return STDERR_FILENO;
    return open(target,
                O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY |
                    O_NONBLOCK,
                0600);
}

/* A pipe that nobody reads any more is no reason to die: a SIGPIPE of our own
 * making is taken back. */
static void write_line(int fd, const char *line, size_t len)
{
    static const struct timespec at_once;
    sigset_t pipe, before, pending;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    sigpending(&pending);
    if (write(fd, line, len) < 0 && !sigismember(&pending, SIGPIPE))
        (void)sigtimedwait(&pipe, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void tsk_trace_log(const tlsock_event *e)
{
    char line[LINE];
    struct timespec now;
    struct tm tm;
    size_t at = 0;
    int fd = open_target();

    if (fd < 0)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    tsk_append(line, sizeof(line), &at, "%02d:%02d:%02d.%06ldZ %ld ",
               tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec / 1000,
               (long)getpid());
    at += (size_t)tsk_trace_line(e, line + at, sizeof(line) - at - 1);
    line[at++] = '\n';
    write_line(fd, line, at);
    if (fd != STDERR_FILENO)
        close(fd);
}
