/* starttls serve CERT KEY | starttls HOST:PORT - from plaintext to TLS by a
 * dialogue of one's own. "serve" answers one client on a free port, which is
 * the first line printed; the other says hello and prints the answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock.h>
#include <tlsock/config.h>

/* The next line is this one; with NULL it is sent back. */
static int expect(tlsock *s, const char *want)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n = tlsock_getline(s, &line, &cap, 512);
    int ok = n > 0 && (want == NULL || strcmp(line, want) == 0);

    if (ok && want == NULL)
        ok = tlsock_write(s, line, (size_t)n) == n;
    free(line);
    return ok;
}

/* Once TLS is there, nothing that was said before it counts. */
static int serve(tlsock *s)
{
    return tlsock_printf(s, "220 ready\r\n") > 0 && expect(s, "STARTTLS\r\n") &&
           tlsock_printf(s, "220 go\r\n") > 0 &&
           tlsock_start_tls(s, NULL) == 0 && expect(s, NULL);
}

static int talk(tlsock *s)
{
    char line[80] = "";

    if (!expect(s, "220 ready\r\n") || tlsock_printf(s, "STARTTLS\r\n") < 0 ||
        !expect(s, "220 go\r\n") || tlsock_start_tls(s, NULL) < 0 ||
        tlsock_printf(s, "hello\n") < 0 || tlsock_read(s, line, 79) <= 0)
        return 0;
    return fputs(line, stdout) >= 0;
}

static tlsock *accept_one(const char *cert, const char *key, tlsock_error *err)
{
    tlsock_config *c = tlsock_config_new();
    tlsock_listener *l = NULL;
    tlsock *s = NULL;

    if (tlsock_config_add_identity(c, cert, key, NULL) < 0)
        *err = *tlsock_config_error(c);
    else
        l = tlsock_listen(":0", c, TLSOCK_OPTS(.plain = 1), err);
    if (l != NULL) {
        printf("%d\n", tlsock_listener_port(l));
        fflush(stdout);
        s = tlsock_accept(l, err);
    }
    tlsock_listener_free(l);
    tlsock_config_unref(c);
    return s;
}

int main(int argc, char **argv)
{
    tlsock_error err = {0};
    tlsock *s = argc == 4 ? accept_one(argv[2], argv[3], &err)
                          : tlsock_connect(argc > 1 ? argv[1] : "", NULL,
                                           TLSOCK_OPTS(.plain = 1), &err);
    const char *why;
    int ok;

    if (s == NULL)
        return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
    ok = argc == 4 ? serve(s) : talk(s);
    why = tlsock_last_error(s)->message;
    if (!ok)
        fprintf(stderr, "%s\n", *why ? why : "the peer says something else");
    return tlsock_close(s) < 0 || !ok;
}
