/* intercept HOST:PORT SERVER:PORT CA KEY - stands between clients and a server,
 * which is verified; clients get a copy of its certificate, signed by CA. Port
 * 0 takes a free one; the first line printed is the port. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <tlsock/config.h>
#include <tlsock/info.h>
#include <tlsock/intercept.h>

static tlsock_intercept *mint;
static const char *target;
static _Thread_local tlsock *up; /* the server, of the client of this thread */

/* The server is asked while the client waits for our certificate. */
static int hello(const tlsock_event *e, void *arg)
{
    tlsock_config *config = tlsock_config_new();
    tlsock_error err = {.code = TLSOCK_E_NOMEM};
    tlsock_cert *seen, *copy;
    int rc = TLSOCK_E_CONNECT;

    (void)arg;
    if (*e->text == '\0' || tlsock_config_set(config, "alpn", e->text) == 0)
        up = tlsock_connect(target, config, TLSOCK_OPTS(.sni = e->name), &err);
    tlsock_config_unref(config);
    seen = up != NULL ? tlsock_peer_cert(up) : NULL;
    copy = seen != NULL ? tlsock_intercept_leaf(mint, seen, &err) : NULL;
    if (copy != NULL)
        rc = tlsock_use_cert(e->conn, copy);
    if (rc == 0)
        rc = tlsock_use_alpn(e->conn, tlsock_info(up, TLSOCK_INFO_ALPN));
    if (rc != 0)
        fprintf(stderr, "%s\n%s\n", err.message, err.hint);
    tlsock_cert_unref(copy);
    tlsock_cert_unref(seen);
    return rc;
}

static void *relay(void *arg)
{
    tlsock *s = arg;
    ssize_t n = tlsock_handshake(s) == 0;
    tlsock_pollitem ends[2] = {{.s = s, .events = POLLIN},
                               {.s = up, .events = POLLIN}};
    char buf[16384];

    while (n > 0 && tlsock_poll(ends, 2, -1) > 0)
        for (int i = 0; i < 2 && n > 0; i++)
            if (ends[i].revents != 0 &&
                (n = tlsock_read(ends[i].s, buf, sizeof(buf))) > 0)
                n = tlsock_write(ends[!i].s, buf, (size_t)n);
    tlsock_close(up);
    tlsock_close(s);
    return NULL;
}

int main(int argc, char **argv)
{
    tlsock_config *config = tlsock_config_new();
    tlsock_listener *l = NULL;
    tlsock_error err = {0};
    tlsock_cert *ca;
    pthread_t t;
    tlsock *s;

    if (argc != 5)
        return fprintf(stderr, "intercept HOST:PORT SERVER:PORT CA KEY\n"), 2;
    target = argv[2];
    ca = tlsock_cert_load(argv[3], argv[4], NULL, &err);
    mint = ca != NULL ? tlsock_intercept_new(ca, NULL, &err) : NULL;
    if (mint != NULL &&
        tlsock_config_on(config, TLSOCK_ON_HELLO, hello, 0) == 0)
        l = tlsock_listen(argv[1], config, NULL, &err);
    if (l != NULL)
        printf("%d\n", tlsock_listener_port(l)), fflush(stdout);
    while (l != NULL && (s = tlsock_accept(l, &err)) != NULL)
        if (pthread_create(&t, NULL, relay, s) == 0)
            pthread_detach(t);
    return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
}
