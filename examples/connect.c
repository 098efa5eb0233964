/* connect HOST:PORT - says hello over verified TLS and prints the answer */
#include <stdio.h>
#include <tlsock.h>
int main(int argc, char **argv)
{
    char line[80] = "";
    tlsock_error err;
    tlsock *s = tlsock_connect(argc > 1 ? argv[1] : "", NULL, NULL, &err);
    if (s == NULL)
        return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
    if (tlsock_printf(s, "hello\n") > 0 && tlsock_read(s, line, 79) > 0)
        fputs(line, stdout);
    return tlsock_close(s) < 0;
}
