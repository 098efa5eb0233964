/* psk serve|HOST:PORT IDENTITY KEYFILE - two programs that share a key instead
 * of certificates. "psk serve" answers one client on a free port, which is the
 * first line printed; the other says hello and prints the answer. KEYFILE has
 * one line of hex digits, from "openssl rand -hex 32". */
#include <stdio.h>
#include <string.h>
#include <tlsock.h>
#include <tlsock/config.h>

static tlsock *open_server(tlsock_config *config, tlsock_error *err)
{
    tlsock_listener *l = tlsock_listen("127.0.0.1:0", config, NULL, err);
    tlsock *s;

    if (l == NULL)
        return NULL;
    printf("%d\n", tlsock_listener_port(l));
    fflush(stdout);
    s = tlsock_accept(l, err);
    tlsock_listener_free(l);
    return s;
}

int main(int argc, char **argv)
{
    tlsock_config *config = tlsock_config_new();
    tlsock_error err = {0};
    char line[80] = "";
    int serves = argc > 1 && strcmp(argv[1], "serve") == 0, rc;
    tlsock *s = NULL;
    ssize_t n;

    if (argc != 4)
        return fprintf(stderr, "psk serve|HOST:PORT IDENTITY KEYFILE\n"), 2;
    snprintf(line, sizeof(line), "file:%s", argv[3]);
    if (tlsock_config_add_psk_uri(config, argv[2], line) < 0)
        err = *tlsock_config_error(config);
    else
        s = serves ? open_server(config, &err)
                   : tlsock_connect(argv[1], config, NULL, &err);
    tlsock_config_unref(config);
    if (s == NULL)
        return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
    rc = serves ? 0 : tlsock_printf(s, "hello\n");
    n = rc < 0 ? rc : tlsock_read(s, line, sizeof(line) - 1);
    if (n > 0 && serves)
        n = tlsock_write(s, line, (size_t)n);
    if (n < 0)
        fprintf(stderr, "%s\n", tlsock_last_error(s)->message);
    else if (!serves)
        printf("%.*s", (int)n, line);
    return tlsock_close(s) < 0 || n < 0;
}
