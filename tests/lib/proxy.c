#include "proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The client's side of the proxy: plaintext is a connection, too. */
static tlsock *front(int fd, struct test_proxy *p)
{
    tlsock_config *plain = p->tls == NULL ? tlsock_config_new() : NULL;
    const tlsock_opts *o =
        TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD, .plain = p->tls == NULL);
    tlsock *s;

    /* a plain one that never becomes TLS: a client, since servers need an
     * identity */
    s = p->tls != NULL ? tlsock_server_fd(fd, p->tls, o, NULL)
                       : tlsock_client_fd(fd, NULL, plain, o, NULL);
    tlsock_config_unref(plain);
    if (s != NULL)
        tlsock_set_timeout(s, 20000);
    return s;
}

static int dial_loopback(const char *port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sa.sin_port = htons((uint16_t)atoi(port));
    if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int say(tlsock *s, const void *bytes, size_t len)
{
    return tlsock_write(s, bytes, len) == (ssize_t)len ? 0 : -1;
}

/* Bytes both ways until both ends have ended. */
static void relay(tlsock *s, int to)
{
    static const int up = 0, down = 1;
    int open[2] = {1, 1};
    char buf[16384];

    while (open[up] || open[down]) {
        tlsock_pollitem items[2] = {
            {.s = s, .fd = -1, .events = open[up] ? POLLIN : 0},
            {.fd = open[down] ? to : -1, .events = POLLIN}};
        ssize_t n;

        if (tlsock_poll(items, 2, 20000) <= 0)
            return;
        if (open[up] && items[0].revents != 0) {
            n = tlsock_read(s, buf, sizeof(buf));
            if (n > 0 && sock_send(to, buf, (size_t)n) != 0)
                return;
            if (n <= 0)
                shutdown(to, SHUT_WR);
            open[up] = n > 0;
        }
        if (open[down] && items[1].revents != 0) {
            n = recv(to, buf, sizeof(buf), 0);
            if (n > 0 && say(s, buf, (size_t)n) != 0)
                return;
            if (n <= 0)
                (void)!tlsock_shutdown(s, SHUT_WR);
            open[down] = n > 0;
        }
    }
}

static void pass(struct test_proxy *p, tlsock *s, const char *port,
                 const void *yes, size_t len)
{
    char both[512];
    size_t more = p->in_front != NULL ? strlen(p->in_front) : 0;
    int to = dial_loopback(port);

    if (to < 0)
        return;
    p->passed++;
    memcpy(both, yes, len);
    if (more != 0)
        memcpy(both + len, p->in_front, more);
    if (say(s, both, len + more) == 0)
        relay(s, to);
    close(to);
}

static int authorised(const struct test_proxy *p, const char *line)
{
    unsigned char want[256];

    if (strncmp(line, "Proxy-Authorization: Basic ", 27) != 0)
        return 0;
    EVP_EncodeBlock(want, (const unsigned char *)p->auth, (int)strlen(p->auth));
    return strncmp(line + 27, (char *)want, strlen((char *)want)) == 0 &&
           line[27 + strlen((char *)want)] == '\r';
}

static void serve_http(tlsock *s, struct test_proxy *p)
{
    static const char yes[] = "HTTP/1.1 200 OK\r\nVia: test\r\n\r\n";
    static const char who[] = "HTTP/1.1 407 Who\r\n"
                              "Proxy-Authenticate: Basic realm=\"t\"\r\n\r\n";
    char *line = NULL, *colon;
    size_t cap = 0;
    int ok = p->auth == NULL;

    if (tlsock_getline(s, &line, &cap, 4096) > 0 &&
        sscanf(line, "CONNECT %299s HTTP/1.1", p->asked) == 1) {
        while (tlsock_getline(s, &line, &cap, 4096) > 2)
            if (p->auth != NULL)
                ok |= authorised(p, line);
        colon = strrchr(p->asked, ':');
        if (p->answer != NULL)
            say(s, p->answer, strlen(p->answer));
        else if (!ok)
            say(s, who, sizeof(who) - 1);
        else if (colon != NULL)
            pass(p, s, colon + 1, yes, sizeof(yes) - 1);
    }
    free(line);
}

void proxy_http(int fd, void *arg)
{
    tlsock *s = front(fd, arg);

    if (s == NULL)
        return;
    serve_http(s, arg);
    tlsock_close(s);
}

/* RFC 1929 */
static int socks_login(tlsock *s, const struct test_proxy *p)
{
    unsigned char head[2], user[256], pass_len, pass_text[256];
    char got[520];
    int ok;

    if (tlsock_read_full(s, head, 2) != 2 ||
        tlsock_read_full(s, user, head[1]) != head[1] ||
        tlsock_read_full(s, &pass_len, 1) != 1 ||
        tlsock_read_full(s, pass_text, pass_len) != pass_len)
        return 0;
    snprintf(got, sizeof(got), "%.*s:%.*s", head[1], user, pass_len, pass_text);
    ok = strcmp(got, p->auth) == 0;
    say(s, ok ? "\1\0" : "\1\1", 2);
    return ok;
}

static int socks_hello(tlsock *s, const struct test_proxy *p)
{
    unsigned char head[2], methods[255], wanted = p->auth != NULL ? 2 : 0;

    if (tlsock_read_full(s, head, 2) != 2 || head[0] != 5 ||
        tlsock_read_full(s, methods, head[1]) != head[1])
        return 0;
    if (memchr(methods, wanted, head[1]) == NULL) {
        say(s, "\5\377", 2);
        return 0;
    }
    say(s, wanted == 2 ? "\5\2" : "\5\0", 2);
    return wanted == 0 || socks_login(s, p);
}

static int socks_target(tlsock *s, struct test_proxy *p, char port[8])
{
    unsigned char head[5], rest[260];
    size_t len;

    if (tlsock_read_full(s, head, 5) != 5)
        return 0;
    len = head[3] == 1 ? 3 : head[3] == 4 ? 15 : head[4];
    if (tlsock_read_full(s, rest, len + 2) != (ssize_t)len + 2)
        return 0;
    snprintf(port, 8, "%d", rest[len] << 8 | rest[len + 1]);
    if (head[3] == 3)
        snprintf(p->asked, sizeof(p->asked), "%.*s:%s", (int)len, rest, port);
    else
        snprintf(p->asked, sizeof(p->asked), "%d.%d.%d.%d:%s", head[4], rest[0],
                 rest[1], rest[2], port);
    return 1;
}

void proxy_socks5(int fd, void *arg)
{
    static const char yes[] = "\5\0\0\1\177\0\0\1\1\2";
    struct test_proxy *p = arg;
    tlsock *s = front(fd, p);
    char port[8];

    if (s == NULL)
        return;
    if (socks_hello(s, p) && socks_target(s, p, port)) {
        if (p->answer != NULL)
            say(s, p->answer, 10);
        else
            pass(p, s, port, yes, 10);
    }
    tlsock_close(s);
}
