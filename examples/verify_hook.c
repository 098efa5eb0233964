/* verify_hook HOST:PORT ISSUER - a rule of one's own on top of verification:
 * the chain has to pass through a CA whose subject is ISSUER. */
#include <stdio.h>
#include <string.h>
#include <tlsock.h>
#include <tlsock/cert.h>
#include <tlsock/config.h>

static int through(const tlsock_event *e, void *arg)
{
    const char *issuer = arg;
    int found = 0;

    if (e->error != NULL)
        return 0; /* refused already, and it stays so */
    for (int i = 0; i < tlsock_cert_chain_len(e->cert); i++) {
        tlsock_cert *ca = tlsock_cert_chain_at(e->cert, i);

        found |=
            ca != NULL &&
            strcmp(tlsock_cert_field(ca, TLSOCK_CERT_SUBJECT), issuer) == 0;
        tlsock_cert_unref(ca);
    }
    return found ? 0 : TLSOCK_E_HOOK;
}

int main(int argc, char **argv)
{
    tlsock_config *config = tlsock_config_new();
    tlsock_error err = {0};
    tlsock *s = NULL;

    if (argc != 3)
        return fprintf(stderr, "verify_hook HOST:PORT ISSUER\n"), 2;
    if (tlsock_config_on(config, TLSOCK_ON_VERIFY, through, argv[2]) < 0)
        err = *tlsock_config_error(config);
    else
        s = tlsock_connect(argv[1], config, NULL, &err);
    tlsock_config_unref(config);
    if (s == NULL)
        return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
    printf("by %s\n", argv[2]);
    return tlsock_close(s) < 0;
}
