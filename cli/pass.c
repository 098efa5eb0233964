#include "pass.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* One line without echo; the terminal is left as it was. */
static ssize_t ask(int tty, char *line, size_t size)
{
    static const char question[] = "Password of the private key: ";
    struct termios old, quiet;
    ssize_t n;

    if (tcgetattr(tty, &old) < 0)
        return -1;
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    if (write(tty, question, sizeof(question) - 1) < 0 ||
        tcsetattr(tty, TCSAFLUSH, &quiet) < 0)
        return -1;
    n = read(tty, line, size);
    tcsetattr(tty, TCSAFLUSH, &old);
    return write(tty, "\n", 1) == 1 ? n : -1;
}

int pass_prompt(char *uri, size_t size)
{
    char line[1024];
    int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    int ends[2], rc = -1;
    ssize_t n;

    if (tty < 0)
        return -1;
    n = ask(tty, line, sizeof(line));
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
