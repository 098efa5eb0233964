/* both HOST:PORT CERT KEY - TLS and plaintext on one port, for protocols whose
 * client speaks first. The answer says which it was. */
#include <stdio.h>
#include <tlsock.h>
#include <tlsock/config.h>

static void answer(tlsock *s)
{
    /* waits for the first bytes and leaves them where they are */
    int kind = tlsock_sniff(tlsock_fd(s), 10000);
    char line[80];
    int rc = kind == TLSOCK_SNIFF_TLS ? tlsock_start_tls(s, NULL) : 0;

    if (kind > 0 && rc == 0 && tlsock_read(s, line, sizeof(line)) > 0)
        rc = (int)tlsock_printf(s, "hello by %s\n",
                                kind == TLSOCK_SNIFF_TLS ? "TLS" : "plaintext");
    if (rc < 0)
        fprintf(stderr, "%s\n", tlsock_last_error(s)->message);
    tlsock_close(s);
}

int main(int argc, char **argv)
{
    tlsock_config *config = tlsock_config_new();
    tlsock_listener *l = NULL;
    tlsock_error err = {0};
    tlsock *s;

    if (argc != 4)
        return fprintf(stderr, "both HOST:PORT CERT KEY\n"), 2;
    if (tlsock_config_add_identity(config, argv[2], argv[3], NULL) < 0)
        err = *tlsock_config_error(config);
    else
        l = tlsock_listen(argv[1], config, TLSOCK_OPTS(.plain = 1), &err);
    tlsock_config_unref(config);
    if (l == NULL)
        return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
    printf("%d\n", tlsock_listener_port(l));
    fflush(stdout);
    while ((s = tlsock_accept(l, &err)) != NULL)
        answer(s);
    fprintf(stderr, "%s\n%s\n", err.message, err.hint);
    tlsock_listener_free(l);
    return 1;
}
