/* ftpdata - fetches a file several times over FTPS (RFC 4217), each through a
 * passive data connection that follows the control connection, or does not:
 *
 *     ftpdata CA PORT USER PASSWORD FILE VERSION follow|alone TIMES
 *
 * Prints what came, and "resumed" or "new" for each; what failed is on stderr,
 * and the exit code is 1. Public API alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock.h>
#include <tlsock/config.h>
#include <tlsock/info.h>

struct ftp {
    tlsock_config *config;
    tlsock *control;
    char *line;
    size_t room;
    int follow;
};

static int failed(const char *what, const tlsock_error *err)
{
    fprintf(stderr, "%s: %s: %s\n", what, tlsock_errslug(err->code),
            err->message);
    return 0;
}

/* The last line of a reply begins with its code and a blank. */
static int reply(struct ftp *f, const char *want)
{
    do {
        if (tlsock_getline(f->control, &f->line, &f->room, 4096) <= 0)
            return failed("control", tlsock_last_error(f->control));
    } while (strlen(f->line) < 4 || f->line[3] != ' ');
    if (strncmp(f->line, want, strlen(want)) == 0)
        return 1;
    fprintf(stderr, "not %s: %s\n", want, f->line);
    return 0;
}

static int say(struct ftp *f, const char *command, const char *arg,
               const char *want)
{
    if (tlsock_printf(f->control, "%s%s\r\n", command, arg) < 0)
        return failed("control", tlsock_last_error(f->control));
    return want == NULL || reply(f, want);
}

/* 227 Entering Passive Mode (127,0,0,1,200,3). */
static tlsock *passive(struct ftp *f)
{
    tlsock_error err;
    unsigned a, b;
    char target[32];
    const char *at;
    tlsock *s;

    if (!say(f, "PASV", "", "227"))
        return NULL;
    at = strchr(f->line, '(');
    if (at == NULL || sscanf(at, "(127,0,0,1,%3u,%3u)", &a, &b) != 2)
        return NULL;
    snprintf(target, sizeof(target), "127.0.0.1:%u", a * 256 + b);
    s = tlsock_connect(
        target, f->config,
        TLSOCK_OPTS(.plain = 1, .name = "localhost",
                    .resume_from = f->follow ? f->control : NULL),
        &err);
    if (s == NULL)
        failed("data", &err);
    return s;
}

static int take(tlsock *data)
{
    char buf[4096];
    ssize_t n;

    if (tlsock_start_tls(data, NULL) < 0)
        return failed("data", tlsock_last_error(data));
    while ((n = tlsock_read(data, buf, sizeof(buf))) > 0)
        fwrite(buf, 1, (size_t)n, stdout);
    puts(tlsock_info_int(data, TLSOCK_INFO_RESUMED) ? "resumed" : "new");
    return n == 0 || failed("data", tlsock_last_error(data));
}

static int fetch(struct ftp *f, const char *file)
{
    tlsock *data = passive(f);
    int ok = data != NULL && say(f, "RETR ", file, "150") && take(data);

    tlsock_close(data);
    return reply(f, "226") && ok;
}

static int begin(struct ftp *f, char **argv)
{
    tlsock_error err;
    char target[32];

    f->config = tlsock_config_new();
    if (tlsock_config_add_trust(f->config, argv[1]) < 0 ||
        tlsock_config_set(f->config, "truncation", "allow") < 0 ||
        tlsock_config_set(f->config, "tls.min", argv[6]) < 0 ||
        tlsock_config_set(f->config, "tls.max", argv[6]) < 0)
        return failed("config", tlsock_config_error(f->config));
    snprintf(target, sizeof(target), "localhost:%s", argv[2]);
    f->control = tlsock_connect(
        target, f->config, TLSOCK_OPTS(.starttls = "ftp", .starttls_arg = "P"),
        &err);
    return f->control != NULL || failed("control", &err);
}

int main(int argc, char **argv)
{
    struct ftp f = {.line = NULL};
    int ok;

    if (argc != 9)
        return 2;
    f.follow = strcmp(argv[7], "follow") == 0;
    ok = begin(&f, argv) && say(&f, "USER ", argv[3], "331") &&
         say(&f, "PASS ", argv[4], "230") && say(&f, "TYPE ", "I", "200");
    for (int i = 0; ok && i < atoi(argv[8]); i++)
        ok = fetch(&f, argv[5]);
    if (ok)
        ok = say(&f, "QUIT", "", "221");
    tlsock_close(f.control);
    tlsock_config_unref(f.config);
    free(f.line);
    return !ok;
}
