/* through PORT NAME CA PATH SECONDS AT-ONCE - loads a server of HTTP, or a
 * proxy that looks like one: a new connection and a whole handshake for each
 * request. Prints requests, bytes and seconds. */
#include "bench.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct sum {
    long requests, bytes;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int dial(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        bench_die("connect");
    return fd;
}

static long get(char **argv, SSL_CTX *ctx)
{
    static char buf[1 << 17];
    SSL *ssl = SSL_new(ctx);
    int fd = dial(atoi(argv[1])), len, n;
    long bytes = 0;

    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 ||
        SSL_set_tlsext_host_name(ssl, argv[2]) != 1 ||
        SSL_set1_host(ssl, argv[2]) != 1 || SSL_connect(ssl) != 1)
        bench_die("handshake: %s",
                  X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
    len = snprintf(buf, sizeof(buf),
                   "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                   argv[4], argv[2]);
    if (SSL_write(ssl, buf, len) != len)
        bench_die("request");
    while ((n = SSL_read(ssl, buf, sizeof(buf))) > 0)
        bytes += n;
    if (bytes == 0)
        bench_die("no answer");
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
    return bytes;
}

/* The plainest client there is: what differs are the interceptors. */
static struct sum load(char **argv, double until)
{
    struct sum sum = {0, 0};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (ctx == NULL || SSL_CTX_load_verify_file(ctx, argv[3]) != 1)
        bench_die("CA");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    do {
        sum.bytes += get(argv, ctx);
        sum.requests++;
    } while (now() < until);
    SSL_CTX_free(ctx);
    return sum;
}

int main(int argc, char **argv)
{
    struct sum all = {0, 0}, one;
    double began, until;
    int fds[2], at_once, failed = 0, status;

    if (argc != 7 || pipe(fds) != 0)
        return 2;
    at_once = atoi(argv[6]);
    began = now();
    until = began + atof(argv[5]);
    for (int i = 0; i < at_once; i++) {
        if (fork() == 0) {
            one = load(argv, until);
            _exit(write(fds[1], &one, sizeof(one)) != sizeof(one));
        }
    }
    close(fds[1]);
    while (read(fds[0], &one, sizeof(one)) == sizeof(one)) {
        all.requests += one.requests;
        all.bytes += one.bytes;
    }
    while (wait(&status) > 0)
        failed |= status != 0;
    printf("%ld %ld %.3f\n", all.requests, all.bytes, now() - began);
    return failed;
}
