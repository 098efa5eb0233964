/* resume HOST:PORT FILE - says hello, and whether a session was resumed: FILE
 * keeps it for the next process. */
#include <stdio.h>
#include <tlsock.h>
#include <tlsock/config.h>
#include <tlsock/info.h>

int main(int argc, char **argv)
{
    tlsock_config *config = tlsock_config_new();
    tlsock_error err = {0};
    tlsock *s = NULL;
    char line[80] = "";

    if (argc != 3)
        return fprintf(stderr, "resume HOST:PORT FILE\n"), 2;
    if (tlsock_config_set(config, "session.file", argv[2]) < 0)
        err = *tlsock_config_error(config);
    else
        s = tlsock_connect(argv[1], config, NULL, &err);
    tlsock_config_unref(config);
    if (s == NULL)
        return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
    /* TLS 1.3 has the session for the next time come with the answer */
    if (tlsock_printf(s, "hello\n") < 0 ||
        tlsock_read(s, line, sizeof(line) - 1) <= 0)
        fprintf(stderr, "%s\n", tlsock_last_error(s)->message);
    printf("%s%s, session %s\n", line,
           tlsock_info_int(s, TLSOCK_INFO_RESUMED) ? "resumed" : "full",
           tlsock_info(s, TLSOCK_INFO_SESSION));
    return tlsock_close(s) < 0;
}
