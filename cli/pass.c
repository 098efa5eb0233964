#include "pass.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int stops[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP};
#define STOPS (sizeof(stops) / sizeof(stops[0]))

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
    stopped = sig;
}

/* Whoever gives up at the question gets the terminal back as it was, first. */
static ssize_t read_line(int tty, const struct termios *old, char *line,
                         size_t size)
{
    struct sigaction gives_up = {.sa_handler = stop}, was[STOPS];
    ssize_t n;

    stopped = 0;
    for (size_t i = 0; i < STOPS; i++)
        sigaction(stops[i], &gives_up, &was[i]);
    n = read(tty, line, size);
    tcsetattr(tty, TCSAFLUSH, old);
    for (size_t i = 0; i < STOPS; i++)
        sigaction(stops[i], &was[i], NULL);
    if (stopped != 0)
        raise(stopped);
    return n;
}

/* One line without echo: from before the question on, so that nothing typed is
 * shown or lost. */
static ssize_t ask(int tty, const char *question, char *line, size_t size)
{
    struct termios old, quiet;
    ssize_t n;

    if (tcgetattr(tty, &old) < 0)
        return -1;
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(tty, TCSAFLUSH, &quiet) < 0)
        return -1;
    if (write(tty, question, strlen(question)) < 0) {
        tcsetattr(tty, TCSAFLUSH, &old);
        return -1;
    }
    n = read_line(tty, &old, line, size);
    return write(tty, "\n", 1) == 1 ? n : -1;
}

int pass_prompt(const char *question, char *uri, size_t size)
{
    char line[1024];
    int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    int ends[2], rc = -1;
    ssize_t n;

    if (tty < 0)
        return -1;
    n = ask(tty, question, line, sizeof(line));
    close(tty);
    /* a pipe holds more than a line: the write never waits */
    if (n > 0 && pipe2(ends, O_CLOEXEC) == 0) {
        if (write(ends[1], line, (size_t)n) == n) {
            snprintf(uri, size, "fd:%d", ends[0]);
            rc = 0;
        }
        close(ends[1]);
    }
    explicit_bzero(line, sizeof(line));
    return rc;
}
