/* serve HOST:PORT CERT KEY - an echo server, one thread per client
 *
 * Port 0 takes a free one; the first line printed is the port. */
#include <pthread.h>
#include <stdio.h>
#include <tlsock.h>
#include <tlsock/config.h>

static void *echo(void *arg)
{
    tlsock *s = arg;
    char buf[16384];
    ssize_t n;

    while ((n = tlsock_read(s, buf, sizeof(buf))) > 0) {
        if (tlsock_write(s, buf, (size_t)n) < 0)
            break;
    }
    if (n < 0)
        fprintf(stderr, "%s\n", tlsock_last_error(s)->message);
    tlsock_close(s);
    return NULL;
}

static int serve(tlsock_listener *l)
{
    pthread_t thread;
    tlsock_error err;
    tlsock *s;

    while ((s = tlsock_accept(l, &err)) != NULL) {
        if (pthread_create(&thread, NULL, echo, s) == 0)
            pthread_detach(thread);
        else
            tlsock_close(s);
    }
    fprintf(stderr, "%s\n%s\n", err.message, err.hint);
    return 1;
}

int main(int argc, char **argv)
{
    tlsock_config *config = tlsock_config_new();
    tlsock_listener *l;
    tlsock_error err;

    if (argc != 4 || config == NULL) {
        fprintf(stderr, "usage: %s HOST:PORT CERT KEY\n", argv[0]);
        tlsock_config_unref(config);
        return 2;
    }
    if (tlsock_config_add_identity(config, argv[2], argv[3], NULL) < 0) {
        fprintf(stderr, "%s\n%s\n", tlsock_config_error(config)->message,
                tlsock_config_error(config)->hint);
        tlsock_config_unref(config);
        return 1;
    }
    l = tlsock_listen(argv[1], config, NULL, &err);
    tlsock_config_unref(config);
    if (l == NULL) {
        fprintf(stderr, "%s\n%s\n", err.message, err.hint);
        return 1;
    }
    printf("%d\n", tlsock_listener_port(l));
    fflush(stdout);
    serve(l);
    tlsock_listener_free(l);
    return 1;
}
