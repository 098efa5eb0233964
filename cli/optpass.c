/* Passwords of the command line. One for something new is asked for twice:
 * a slip would lock it for good. */
#include "errors.h"
#include "opt.h"
#include "pass.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What pass_prompt() put into its pipe; the descriptor is closed. */
static ssize_t typed(const char *uri, char *line, size_t size)
{
    int fd = atoi(uri + 3);
    ssize_t n = read(fd, line, size);

    close(fd);
    return n;
}

static int again(const char *flag, const char *line, ssize_t len, char *uri,
                 size_t size)
{
    char second[1024], question[64];
    int ends[2], rc = -1;
    ssize_t n;

    snprintf(question, sizeof(question), "The same again (%s): ", flag);
    if (pass_prompt(question, uri, size) < 0)
        return -1;
    n = typed(uri, second, sizeof(second));
    if (n == len && memcmp(line, second, (size_t)n) == 0 &&
        pipe2(ends, O_CLOEXEC) == 0) {
        /* a pipe holds more than a line */
        rc = write(ends[1], line, (size_t)len) == len ? ends[0] : -1;
        close(ends[1]);
    }
    explicit_bzero(second, sizeof(second));
    return rc;
}

static int ask(struct opts *o, const char *flag, int twice, const char **uri)
{
    char text[32], line[1024], question[64];
    ssize_t len;
    int fd;

    snprintf(question, sizeof(question),
             "Password of the private key (%s): ", flag);
    if (pass_prompt(question, text, sizeof(text)) < 0)
        return err_plain(&o->out, flag, EXIT_OWN, "password",
                         "file:FILE, env:NAME or fd:N in place of prompt",
                         "there is no terminal to ask for the password");
    if (twice) {
        len = typed(text, line, sizeof(line));
        fd = len > 0 ? again(flag, line, len, text, sizeof(text)) : -1;
        explicit_bzero(line, sizeof(line));
        if (fd < 0)
            return err_plain(&o->out, flag, EXIT_OWN, "password",
                             "run it again and type the same twice",
                             "the two passwords are not the same");
        snprintf(text, sizeof(text), "fd:%d", fd);
    }
    *uri = opt_keep(o, text, strlen(text));
    return *uri != NULL ? 0 : EXIT_INTERNAL;
}

int opt_take_pass(struct opts *o, const char *flag, const char *arg, int twice,
                  const char **uri)
{
    if (strcmp(arg, "prompt") == 0)
        return ask(o, flag, twice, uri);
    if (strncmp(arg, "file:", 5) != 0 && strncmp(arg, "env:", 4) != 0 &&
        strncmp(arg, "fd:", 3) != 0) /* not repeated: it may be a password */
        return err_usage(&o->out, o->command,
                         "file:FILE, env:NAME, fd:N or prompt",
                         "%s names where the password is; it is never given "
                         "on the command line",
                         flag);
    *uri = arg;
    return 0;
}

const char *opt_ca(const struct opts *o)
{
    return o->ca.n > 0 ? o->ca.v[o->ca.n - 1] : NULL;
}

const char *opt_pass(const struct opts *o)
{
    return o->n_idents > 0 ? o->idents[0].pass : NULL;
}
