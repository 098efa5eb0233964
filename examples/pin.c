/* pin HOST:PORT PIN - says hello to the one server whose certificate has this
 * fingerprint (sha256:HEX, or sha256:pub:HEX of its key): no CA, no name. */
#include <stdio.h>
#include <tlsock.h>
#include <tlsock/config.h>

int main(int argc, char **argv)
{
    tlsock_config *config = tlsock_config_new();
    tlsock_error err = {0};
    tlsock *s = NULL;
    char line[80] = "";
    int rc;

    if (argc != 3)
        return fprintf(stderr, "pin HOST:PORT PIN\n"), 2;
    if (tlsock_config_set(config, "pin.mode", "require") < 0 ||
        tlsock_config_add_pin(config, argv[2]) < 0)
        err = *tlsock_config_error(config);
    else
        s = tlsock_connect(argv[1], config, NULL, &err);
    tlsock_config_unref(config);
    if (s == NULL && err.code == TLSOCK_E_PIN)
        fprintf(stderr, "expected %s\nfound    %s\n", err.expected,
                err.presented);
    if (s == NULL)
        return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
    rc = (int)tlsock_printf(s, "hello\n");
    if (rc < 0 || (rc = (int)tlsock_read(s, line, sizeof(line) - 1)) <= 0)
        fprintf(stderr, "%s\n", tlsock_last_error(s)->message);
    fputs(line, stdout);
    return tlsock_close(s) < 0 || rc <= 0;
}
