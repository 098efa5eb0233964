/* downgrade serve CERT KEY | downgrade HOST:PORT - the password by TLS, then
 * back to plaintext, as FTP does with CCC (RFC 4217) for firewalls that read
 * along. "serve" answers one client on a free port, its first line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock.h>
#include <tlsock/config.h>

static int expect(tlsock *s, const char *want)
{
    char *line = NULL;
    size_t cap = 0;
    int ok = tlsock_getline(s, &line, &cap, 512) > 0 && strcmp(line, want) == 0;

    free(line);
    return ok;
}

static int say(tlsock *s, const char *line)
{
    return tlsock_printf(s, "%s", line) > 0;
}

/* Each side sends its end of TLS and waits for the other's, so that no byte of
 * plaintext is taken for TLS or the other way round. */
static int serve(tlsock *s)
{
    return expect(s, "PASS sesame\r\n") && say(s, "230 welcome\r\n") &&
           expect(s, "CCC\r\n") && say(s, "200 in the open\r\n") &&
           tlsock_stop_tls(s) == 0 && expect(s, "NOOP\r\n") &&
           say(s, "200 hello\r\n");
}

static int talk(tlsock *s)
{
    return say(s, "PASS sesame\r\n") && expect(s, "230 welcome\r\n") &&
           say(s, "CCC\r\n") && expect(s, "200 in the open\r\n") &&
           tlsock_stop_tls(s) == 0 && say(s, "NOOP\r\n") &&
           expect(s, "200 hello\r\n");
}

static tlsock *accept_one(tlsock_config *c, tlsock_error *err)
{
    tlsock_listener *l = tlsock_listen(":0", c, NULL, err);
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
    tlsock_config *c = tlsock_config_new();
    tlsock_error err = {0};
    tlsock *s = NULL;
    int ok;

    /* what the peer sends behind its end of TLS is not read with it */
    if (tlsock_config_set(c, "read-ahead", "off") < 0 ||
        (argc == 4 &&
         tlsock_config_add_identity(c, argv[2], argv[3], NULL) < 0))
        err = *tlsock_config_error(c);
    else
        s = argc == 4 ? accept_one(c, &err)
                      : tlsock_connect(argc > 1 ? argv[1] : "", c, NULL, &err);
    tlsock_config_unref(c);
    if (s == NULL)
        return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
    ok = argc == 4 ? serve(s) : talk(s);
    puts(ok ? "done" : tlsock_last_error(s)->message);
    return tlsock_close(s) < 0 || !ok;
}
