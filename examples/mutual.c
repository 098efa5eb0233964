/* mutual CERT KEY CLIENT-CA RULES - a server for clients with a certificate
 *
 * RULES say which of the clients of CLIENT-CA come in: "cn:Alice,
 * dns:*.backup.test". Tells three clients who they are, on a free port of
 * loopback, which is the first line printed. */
#include <stdio.h>
#include <tlsock.h>
#include <tlsock/cert.h>
#include <tlsock/config.h>
#include <tlsock/info.h>

static void greet(tlsock *s)
{
    tlsock_cert *peer;

    /* shakes hands: whom no rule lets in gets no further */
    if (tlsock_handshake(s) < 0) {
        fprintf(stderr, "%s\n", tlsock_last_error(s)->message);
    } else {
        peer = tlsock_peer_cert(s);
        tlsock_printf(s, "you are %s\n",
                      tlsock_cert_field(peer, TLSOCK_CERT_SUBJECT));
        tlsock_cert_unref(peer);
    }
    tlsock_close(s);
}

int main(int argc, char **argv)
{
    tlsock_config *config = tlsock_config_new();
    tlsock_listener *l;
    tlsock_error err = {0};
    tlsock *s;

    if (argc != 5)
        return fprintf(stderr, "mutual CERT KEY CLIENT-CA RULES\n"), 2;
    if (tlsock_config_add_identity(config, argv[1], argv[2], NULL) < 0 ||
        tlsock_config_add_trust(config, argv[3]) < 0 ||
        tlsock_config_set(config, "client-auth", "require") < 0 ||
        tlsock_config_set(config, "client-auth.allow", argv[4]) < 0) {
        err = *tlsock_config_error(config);
        tlsock_config_unref(config);
        return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
    }
    l = tlsock_listen("127.0.0.1:0", config, NULL, &err);
    tlsock_config_unref(config);
    if (l == NULL)
        return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
    printf("%d\n", tlsock_listener_port(l));
    fflush(stdout);
    for (int i = 0; i < 3 && (s = tlsock_accept(l, &err)) != NULL; i++)
        greet(s);
    tlsock_listener_free(l);
    return 0;
}
