/* forking HOST:PORT CERT KEY - a server with a process for each client, which
 * alone owns the connection: it shakes hands, echoes and closes. */
#include <signal.h>
#include <stdio.h>
#include <tlsock.h>
#include <tlsock/config.h>
#include <unistd.h>

static int echo(tlsock *s)
{
    char buf[16384];
    ssize_t n;

    while ((n = tlsock_read(s, buf, sizeof(buf))) > 0 &&
           tlsock_write(s, buf, (size_t)n) == n)
        ;
    return tlsock_close(s) < 0 || n != 0;
}

int main(int argc, char **argv)
{
    tlsock_config *config = tlsock_config_new();
    tlsock_listener *l = NULL;
    tlsock_error err = {0};
    tlsock *s;

    if (argc != 4)
        return fprintf(stderr, "forking HOST:PORT CERT KEY\n"), 2;
    if (tlsock_config_add_identity(config, argv[2], argv[3], NULL) < 0)
        err = *tlsock_config_error(config);
    else
        l = tlsock_listen(argv[1], config, NULL, &err);
    tlsock_config_unref(config);
    if (l == NULL)
        return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
    signal(SIGCHLD, SIG_IGN); /* nobody waits for the children */
    printf("%d\n", tlsock_listener_port(l));
    fflush(stdout);
    /* accepting is TCP alone, so a silent client holds up its own process */
    while ((s = tlsock_accept(l, &err)) != NULL) {
        if (fork() == 0) {
            tlsock_listener_free(l);
            tlsock_adopt(s);
            return echo(s);
        }
        tlsock_abandon(s); /* not tlsock_close(), which would end TLS */
    }
    fprintf(stderr, "%s\n%s\n", err.message, err.hint);
    tlsock_listener_free(l);
    return 1;
}
