/* misbehaved PORT ROOT.pem <ROWS - connects to a server that misbehaves as the
 * name asks, once for each line "NAME CODE", and prints "NAME CODE GOT": the
 * tool does the same, but as many processes would take their time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock/config.h>

/* What came of it: "good" after data and close_notify, or the code's name. */
static const char *outcome(const char *target, tlsock_config *c,
                           const char *name)
{
    tlsock_error err = {0};
    tlsock *s = tlsock_connect(target, c, TLSOCK_OPTS(.name = name), &err);
    char buf[256];
    ssize_t n = 1;

    while (s != NULL && n > 0)
        n = tlsock_read(s, buf, sizeof(buf));
    if (n < 0)
        err = *tlsock_last_error(s);
    tlsock_close(s);
    return err.code == 0 ? "good" : tlsock_errslug(err.code);
}

/* A config that waits no longer than that. */
static tlsock_config *config(const char *root, const char *timeout)
{
    tlsock_config *c = tlsock_config_new();

    if (c == NULL || tlsock_config_add_trust(c, root) < 0 ||
        tlsock_config_set(c, "timeout", timeout) < 0 ||
        tlsock_config_set(c, "handshake-timeout", timeout) < 0)
        exit(2);
    return c;
}

int main(int argc, char **argv)
{
    char line[200], name[128], target[32], row[64], code[64];
    tlsock_config *quick, *slow;

    if (argc != 3)
        return 2;
    quick = config(argv[2], "400ms");
    slow = config(argv[2], "60s"); /* the machine may be busy */
    snprintf(target, sizeof(target), "127.0.0.1:%s", argv[1]);
    while (fgets(line, sizeof(line), stdin) != NULL &&
           sscanf(line, "%63s %63s", row, code) == 2) {
        snprintf(name, sizeof(name), "%s.wild.test", row);
        printf(
            "%s %s %s\n", row, code,
            outcome(target, strcmp(code, "timeout") == 0 ? quick : slow, name));
    }
    tlsock_config_unref(quick);
    tlsock_config_unref(slow);
    return 0;
}
