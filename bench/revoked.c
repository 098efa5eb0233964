/* What it costs to ask about revocation once the answers are known: handshakes
 * over memory, so that whatever calls the system is the library.
 *
 *   tlsock-revoked [MODE [N]]   MODE: off (the default), crl, full; N: 200
 *
 * strace -c -f tlsock-revoked full 200, and the same with 400: the difference
 * is what 200 connections take that ask nobody any more. */
#include "bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <time.h>
#include <tlsock.h>
#include <tlsock/cert.h>
#include <tlsock/config.h>
#include <tlsock/info.h>
#include <tlsock/revoke.h>
#include <unistd.h>

struct stream {
    unsigned char bytes[1 << 16];
    size_t from, to;
};

struct end {
    struct stream *in, *out;
};

static ssize_t take(void *arg, void *buf, size_t len)
{
    struct stream *s = ((struct end *)arg)->in;
    size_t n = s->to - s->from;

    if (n == 0)
        return TLSOCK_AGAIN;
    n = n < len ? n : len;
    memcpy(buf, s->bytes + s->from, n);
    s->from += n;
    if (s->from == s->to)
        s->from = s->to = 0;
    return (ssize_t)n;
}

static ssize_t give(void *arg, const void *buf, size_t len)
{
    struct stream *s = ((struct end *)arg)->out;
    size_t room = sizeof(s->bytes) - s->to, n = len < room ? len : room;

    if (n == 0)
        return TLSOCK_AGAIN;
    memcpy(s->bytes + s->to, buf, n);
    s->to += n;
    return (ssize_t)n;
}

static const tlsock_io io = {.size = sizeof(io), .read = take, .write = give};

static int listen_somewhere(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) != 0 ||
        listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        bench_die("no port for the lists");
    *port = ntohs(a.sin_port);
    return fd;
}

/* Gives out a CRL per CA, for ever. */
static void publish(int listener, const char *const files[2])
{
    for (;;) {
        char request[4096], body[65536], head[128];
        int fd = accept(listener, NULL, NULL);
        ssize_t n = fd >= 0 ? read(fd, request, sizeof(request) - 1) : -1;
        FILE *f;
        size_t len;

        if (n <= 0)
            continue;
        request[n] = '\0';
        f = fopen(files[strstr(request, "/root") != NULL], "rb");
        len = f != NULL ? fread(body, 1, sizeof(body), f) : 0;
        if (f != NULL)
            fclose(f);
        snprintf(head, sizeof(head),
                 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
        if (write(fd, head, strlen(head)) < 0 || write(fd, body, len) < 0)
            bench_die("the web server cannot answer");
        close(fd);
    }
}

struct pki {
    tlsock_cert *root, *inter, *leaf;
    char crls[2][64];
};

static void make_pki(struct pki *p, int port)
{
    static const char *const sans[] = {"a.test"};
    char inter_url[64], root_url[64];
    tlsock_error err;

    snprintf(inter_url, sizeof(inter_url), "http://127.0.0.1:%d/inter", port);
    snprintf(root_url, sizeof(root_url), "http://127.0.0.1:%d/root", port);
    p->root =
        bench_cert(TLSOCK_CERT_OPTS(.subject = "CN=Root", .ca = 1, .pathlen = 1));
    p->inter = bench_cert(TLSOCK_CERT_OPTS(.subject = "CN=Inter", .ca = 1,
                                     .issuer = p->root, .crl_url = root_url));
    p->leaf = bench_cert(TLSOCK_CERT_OPTS(.sans = sans, .n_sans = 1,
                                    .issuer = p->inter, .crl_url = inter_url));
    for (int i = 0; i < 2; i++) {
        snprintf(p->crls[i], sizeof(p->crls[i]), "/tmp/tlsock-revoked-%d-%d",
                 (int)getpid(), i);
        if (tlsock_crl_save(TLSOCK_CRL_OPTS(.issuer = i ? p->root : p->inter,
                                            .number = "1"),
                            TLSOCK_FORMAT_DER, p->crls[i], &err) != 0)
            bench_die("%s", err.message);
    }
}

static tlsock_config *client_config(const struct pki *p, const char *mode)
{
    tlsock_config *c = tlsock_config_new();
    char pem[8192];

    if (tlsock_cert_pem(p->root, TLSOCK_PART_CERT, pem, sizeof(pem)) < 0 ||
        tlsock_config_add_trust(c, pem) != 0 ||
        tlsock_config_set(c, "session", "off") != 0 ||
        tlsock_config_set(c, "revocation", mode) != 0)
        bench_die("%s", tlsock_config_error(c)->message);
    return c;
}

static void handshake(tlsock_config *cc, tlsock_config *sc, int show)
{
    static struct stream up, down;
    struct end client = {&down, &up}, server = {&up, &down};
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1, .timeout_ms = -1);
    tlsock *s, *c;
    int rc, peer = TLSOCK_AGAIN;

    up = down = (struct stream){.from = 0};
    c = tlsock_client_io(&io, &client, "a.test", cc, o, NULL);
    s = tlsock_server_io(&io, &server, sc, o, NULL);
    if (c == NULL || s == NULL)
        bench_die("no connection");
    while ((rc = tlsock_handshake(c)) == TLSOCK_AGAIN || peer == TLSOCK_AGAIN) {
        if (peer == TLSOCK_AGAIN)
            peer = tlsock_handshake(s);
        if (rc != TLSOCK_AGAIN && rc != 0)
            break;
    }
    if (rc != 0 || peer != 0)
        bench_die("%s", tlsock_last_error(rc != 0 ? c : s)->message);
    if (show)
        printf("revocation    %s\n", tlsock_info(c, TLSOCK_INFO_REVOCATION));
    tlsock_abandon(c);
    tlsock_abandon(s);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "off";
    int n = argc > 2 ? atoi(argv[2]) : 200, port, listener;
    tlsock_config *cc, *sc = tlsock_config_new();
    struct pki pki;
    double begin;
    pid_t web;

    listener = listen_somewhere(&port);
    make_pki(&pki, port);
    web = fork();
    if (web == 0)
        publish(listener, (const char *const[]){pki.crls[0], pki.crls[1]});
    cc = client_config(&pki, mode);
    if (tlsock_config_set(sc, "staple", "off") != 0 ||
        tlsock_config_add_cert(sc, pki.leaf) != 0)
        bench_die("%s", tlsock_config_error(sc)->message);
    handshake(cc, sc, 1);
    begin = bench_cpu_us();
    for (int i = 0; i < n; i++)
        handshake(cc, sc, 0);
    printf("%-6s %6d handshakes, both sides: %.1f us of CPU each\n", mode, n,
           (bench_cpu_us() - begin) / n);
    kill(web, SIGTERM);
    unlink(pki.crls[0]);
    unlink(pki.crls[1]);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
    tlsock_cert_unref(pki.leaf);
    tlsock_cert_unref(pki.inter);
    tlsock_cert_unref(pki.root);
    return 0;
}
