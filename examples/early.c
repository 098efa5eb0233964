/* early serve CERT KEY | early HOST:PORT FILE - hello, with the first flight of
 * TLS where the session in FILE allows it (0-RTT). "serve" prints its port and
 * answers, and says how each hello came. */
#include <stdio.h>
#include <string.h>
#include <tlsock.h>
#include <tlsock/config.h>
#include <tlsock/info.h>

/* Whoever recorded the first flight can send it again: what is asked that way
 * must be harmless to do twice. */
static int answer(tlsock *s)
{
    char line[80] = "", more[80];
    ssize_t n = tlsock_read_early(s, line, sizeof(line) - 1);
    const char *how = n > 0 ? "early" : "in time";

    while (n > 0 && tlsock_read_early(s, more, sizeof(more)) > 0)
        ; /* until it gives 0 */
    if (n == 0)
        n = tlsock_read(s, line, sizeof(line) - 1);
    return n > 0 && tlsock_printf(s, "%s: %s", how, line) > 0;
}

static int serve(tlsock_config *c, tlsock_error *err)
{
    tlsock_listener *l = tlsock_listen(":0", c, NULL, err);
    tlsock *s;

    if (l == NULL)
        return 0;
    printf("%d\n", tlsock_listener_port(l));
    fflush(stdout);
    while ((s = tlsock_accept(l, err)) != NULL) {
        if (!answer(s))
            fprintf(stderr, "%s\n", tlsock_last_error(s)->message);
        tlsock_close(s);
    }
    tlsock_listener_free(l);
    return 0;
}

static int ask(tlsock *s)
{
    char line[80] = "";
    ssize_t n = tlsock_write_early(s, "hello\n", 6); /* 0: no such session */

    if (n >= 0 && tlsock_handshake(s) == 0 &&
        tlsock_info_int(s, TLSOCK_INFO_EARLY_DATA) != TLSOCK_EARLY_ACCEPTED)
        n = tlsock_write(s, "hello\n", 6);
    return n == 6 && tlsock_read(s, line, sizeof(line) - 1) > 0 &&
           fputs(line, stdout) >= 0;
}

int main(int argc, char **argv)
{
    tlsock_config *c = tlsock_config_new();
    tlsock_error err = {0};
    tlsock *s = NULL;
    int serves = argc == 4 && strcmp(argv[1], "serve") == 0, ok = 0;

    if (!serves && argc != 3)
        return fprintf(stderr, "early serve CERT KEY | HOST:PORT FILE\n"), 2;
    if (tlsock_config_set(c, "early-data", "4096") < 0 ||
        (serves ? tlsock_config_add_identity(c, argv[2], argv[3], NULL)
                : tlsock_config_set(c, "session.file", argv[2])) < 0)
        err = *tlsock_config_error(c);
    else if (serves)
        ok = serve(c, &err);
    else
        s = tlsock_connect(argv[1], c, TLSOCK_OPTS(.flags = TLSOCK_F_EARLY),
                           &err);
    tlsock_config_unref(c);
    if (s != NULL && !(ok = ask(s)))
        err = *tlsock_last_error(s);
    if (!ok)
        fprintf(stderr, "%s\n%s\n", err.message, err.hint);
    return tlsock_close(s) < 0 || !ok;
}
