/* over serve CERT KEY | over HOST:PORT NAME - TLS within TLS: whoever ends the
 * outer one, a load balancer for example, cannot read the inner one, which has
 * a name and a verdict of its own. "serve" is both ends, for one client. */
#include <stdio.h>
#include <tlsock.h>
#include <tlsock/config.h>

static tlsock *accept_one(tlsock_config *c, tlsock_error *err)
{
    tlsock_listener *l = tlsock_listen(":0", c, NULL, err);
    tlsock *outer, *inner;

    if (l == NULL)
        return NULL;
    printf("%d\n", tlsock_listener_port(l));
    fflush(stdout);
    outer = tlsock_accept(l, err);
    tlsock_listener_free(l);
    inner = outer == NULL ? NULL : tlsock_server_over(outer, c, NULL, err);
    if (inner ==
        NULL) /* a failure leaves it ours, else it is the inner one's */
        tlsock_close(outer);
    return inner;
}

static tlsock *connect_inner(const char *target, const char *name,
                             tlsock_config *c, tlsock_error *err)
{
    tlsock *outer = tlsock_connect(target, c, NULL, err);
    tlsock *inner =
        outer == NULL ? NULL : tlsock_client_over(outer, name, c, NULL, err);

    if (inner == NULL)
        tlsock_close(outer);
    return inner;
}

int main(int argc, char **argv)
{
    tlsock_config *c = tlsock_config_new();
    tlsock_error err = {0};
    tlsock *s = NULL;
    char line[80] = "";
    ssize_t n;

    if (argc != 3 && argc != 4)
        return fprintf(stderr, "over serve CERT KEY | HOST:PORT NAME\n"), 2;
    if (argc == 3)
        s = connect_inner(argv[1], argv[2], c, &err);
    else if (tlsock_config_add_identity(c, argv[2], argv[3], NULL) == 0)
        s = accept_one(c, &err);
    else
        err = *tlsock_config_error(c);
    tlsock_config_unref(c);
    if (s == NULL)
        return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
    n = argc == 3 ? tlsock_printf(s, "hello\n") : 1;
    if (n > 0 && (n = tlsock_read(s, line, sizeof(line) - 1)) > 0)
        n = argc == 3 ? fputs(line, stdout) : tlsock_printf(s, "%s", line);
    if (n < 0)
        fprintf(stderr, "%s\n", tlsock_last_error(s)->message);
    return tlsock_close(s) < 0 || n <= 0;
}
