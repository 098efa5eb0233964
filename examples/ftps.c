/* ftps HOST:PORT USER FILE - fetches a file by FTP with TLS (RFC 4217),
 * password from stdin; by the resumed session a server knows whose the data
 * are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock.h>
#include <tlsock/config.h>
#include <tlsock/info.h>
static tlsock *control;
static char *line; /* the last one of the last reply, in room bytes */
static size_t room;

/* Send a command with its argument; is the reply of this kind? */
static int say(const char *want, const char *command, const char *arg)
{
    if (tlsock_printf(control, "%s%s\r\n", command, arg) < 0)
        return 0;
    do {
        if (tlsock_getline(control, &line, &room, 4096) <= 0)
            return 0;
    } while (strlen(line) < 4 || line[3] != ' ');
    return strncmp(line, want, 1) == 0;
}

/* 229 Entering Extended Passive Mode (|||51234|): the same host, this port */
static tlsock *open_data(tlsock_config *config, tlsock_error *err)
{
    char target[80];
    const char *address = tlsock_info(control, TLSOCK_INFO_PEER_ADDRESS);
    const char *bar = say("2", "EPSV", "") ? strstr(line, "(|||") : NULL;

    if (bar == NULL)
        return NULL;
    snprintf(target, sizeof(target), "%.*s:%d",
             (int)(strrchr(address, ':') - address), address, atoi(bar + 4));
    return tlsock_connect(
        target, config,
        TLSOCK_OPTS(.plain = 1, .name = tlsock_info(control, TLSOCK_INFO_NAME),
                    .resume_from = control),
        err);
}

static int fetch(tlsock *data)
{
    char buf[16384];
    ssize_t n = tlsock_start_tls(data, NULL);

    while (n >= 0 && (n = tlsock_read(data, buf, sizeof(buf))) > 0)
        fwrite(buf, 1, (size_t)n, stdout);
    if (n < 0)
        fprintf(stderr, "%s\n", tlsock_last_error(data)->message);
    return n == 0; /* an end without close_notify: not the whole file */
}

int main(int argc, char **argv)
{
    tlsock_config *config = tlsock_config_new();
    tlsock_error err = {.message = "the server says no"};
    char password[128] = "";
    tlsock *data;
    int ok = 0;

    if (argc != 4 || scanf("%127s", password) != 1)
        return fprintf(stderr, "ftps HOST:PORT USER FILE\n"), 2;
    control = tlsock_connect(
        argv[1], config, TLSOCK_OPTS(.starttls = "ftp", .starttls_arg = "P"),
        &err);
    if (control != NULL && say("3", "USER ", argv[2]) &&
        say("2", "PASS ", password) && say("2", "TYPE ", "I") &&
        (data = open_data(config, &err)) != NULL) {
        ok = say("1", "RETR ", argv[3]) && fetch(data);
        tlsock_close(data);
    }
    if (!ok)
        fprintf(stderr, "%s %s\n", err.message, line == NULL ? "" : line);
    tlsock_config_unref(config);
    free(line);
    return tlsock_close(control) < 0 || !ok;
}
