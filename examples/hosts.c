/* hosts HOST:PORT [NAME CERT KEY]... - one server for many names: a client gets
 * the certificate of the name that it asks for (SNI), and the first one if it
 * asks for none; the answer is the name. */
#include <stdio.h>
#include <string.h>
#include <tlsock.h>
#include <tlsock/config.h>
#include <tlsock/info.h>

static int add(tlsock_config *c, char **at, const char *host)
{
    return tlsock_config_add_identity_for(c, host, at[1], at[2], NULL);
}

int main(int argc, char **argv)
{
    tlsock_config *config = tlsock_config_new();
    tlsock_listener *l = NULL;
    tlsock_error err = {0};
    tlsock *s;
    int rc;

    if (argc < 5 || argc % 3 != 2)
        return fprintf(stderr, "hosts HOST:PORT [NAME CERT KEY]...\n"), 2;
    rc = add(config, argv + 2, ""); /* the default */
    for (char **at = argv + 2; rc == 0 && *at != NULL; at += 3)
        rc = add(config, at, *at);
    if (rc < 0)
        err = *tlsock_config_error(config);
    else
        l = tlsock_listen(argv[1], config, NULL, &err);
    tlsock_config_unref(config);
    if (l == NULL)
        return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
    printf("%d\n", tlsock_listener_port(l));
    fflush(stdout);
    while ((s = tlsock_accept(l, &err)) != NULL) {
        if (tlsock_handshake(s) < 0 ||
            tlsock_printf(s, "this is %s\n", tlsock_info(s, TLSOCK_INFO_SNI)) <
                0)
            fprintf(stderr, "%s\n", tlsock_last_error(s)->message);
        tlsock_close(s);
    }
    fprintf(stderr, "%s\n%s\n", err.message, err.hint);
    tlsock_listener_free(l);
    return 1;
}
