#include "pass.h"

#include <fcntl.h>
#include <poll.h>
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

/* Held back but while it waits: no signal comes between a look and the wait. */
struct held {
    sigset_t mask;
    struct sigaction was[STOPS];
};

static void hold(struct held *h)
{
    struct sigaction gives_up = {.sa_handler = stop};
    sigset_t all;

    stopped = 0;
    sigemptyset(&all);
    for (size_t i = 0; i < STOPS; i++)
        sigaddset(&all, stops[i]);
    sigprocmask(SIG_BLOCK, &all, &h->mask);
    for (size_t i = 0; i < STOPS; i++)
        sigaction(stops[i], &gives_up, &h->was[i]);
}

static void let_go(const struct held *h)
{
    for (size_t i = 0; i < STOPS; i++)
        sigaction(stops[i], &h->was[i], NULL);
    if (stopped != 0)
        raise(stopped);
    sigprocmask(SIG_SETMASK, &h->mask, NULL);
}

static ssize_t answer(int tty, const char *question, char *line, size_t size,
                      const sigset_t *mask)
{
    struct pollfd p = {.fd = tty, .events = POLLIN};

    if (write(tty, question, strlen(question)) < 0 ||
        ppoll(&p, 1, NULL, mask) < 0)
        return -1;
    return read(tty, line, size);
}

/* One line without echo: from before the question on, so that nothing typed is
 * shown or lost. Whoever gives up gets the terminal back as it was, first. */
static ssize_t ask(int tty, const char *question, char *line, size_t size)
{
    struct termios old, quiet;
    struct held signals;
    ssize_t n = -1;

    if (tcgetattr(tty, &old) < 0)
        return -1;
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    hold(&signals);
    if (tcsetattr(tty, TCSAFLUSH, &quiet) == 0) {
        n = answer(tty, question, line, size, &signals.mask);
        tcsetattr(tty, TCSAFLUSH, &old);
        if (write(tty, "\n", 1) != 1)
            n = -1;
    }
    let_go(&signals);
    return n;
}

int pass_prompt(const char *question, char *uri, size_t size)
{
    char line[1024];
    int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    int ends[2], rc = -1;
    ssize_t n;

    if (tty < 0)
        return -1;
    do
        n = ask(tty, question, line, sizeof(line));
    while (n < 0 && stopped == SIGTSTP); /* back again: the same question */
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
