#include "sock.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

void sock_pair(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                     0);
}

int sock_listen(int *port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    *port = ntohs(sa.sin_port);
    return fd;
}

void sock_tcp_pair(int fds[2])
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    int port, listener = sock_listen(&port);

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sa.sin_port = htons((uint16_t)port);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fds[0], (struct sockaddr *)&sa, sizeof(sa)), 0);
    fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fds[1] >= 0);
    close(listener);
}

int sock_count(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    if (dir == NULL)
        return -1;
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

void sock_reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}

int sock_send(int fd, const void *bytes, size_t len)
{
    const char *p = bytes;

    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n <= 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

/* raw OpenSSL writes with write(2); the library's own claim about SIGPIPE has
 * its own test, without this. */
static void block_sigpipe(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void *run_server(void *arg)
{
    struct sock_server *s = arg;

    block_sigpipe();
    for (int i = 0; i < s->connections; i++) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
            break;
        s->script(fd, s->arg);
        close(fd);
    }
    return NULL;
}

void sock_serve(struct sock_server *s, int connections, sock_script *script,
                void *arg)
{
    memset(s, 0, sizeof(*s));
    s->listener = sock_listen(&s->port);
    s->connections = connections;
    s->script = script;
    s->arg = arg;
    snprintf(s->target, sizeof(s->target), "127.0.0.1:%d", s->port);
    assert_int_equal(pthread_create(&s->thread, NULL, run_server, s), 0);
}

void sock_join(struct sock_server *s)
{
    pthread_join(s->thread, NULL);
    close(s->listener);
}

static void *run_thread(void *arg)
{
    struct sock_thread *t = arg;

    block_sigpipe();
    t->script(t->fd, t->arg);
    close(t->fd);
    return NULL;
}

void sock_run(struct sock_thread *t, int fd, sock_script *script, void *arg)
{
    t->fd = fd;
    t->script = script;
    t->arg = arg;
    assert_int_equal(pthread_create(&t->thread, NULL, run_thread, t), 0);
}

void sock_wait(struct sock_thread *t)
{
    pthread_join(t->thread, NULL);
}

void sock_mute(int fd, void *unused)
{
    char buf[4096];

    (void)unused;
    while (recv(fd, buf, sizeof(buf), 0) > 0)
        ;
}

void sock_banner(int fd, void *text)
{
    sock_send(fd, text, strlen(text));
    sock_mute(fd, NULL);
}

static void read_hello(int fd)
{
    uint8_t head[5], body[16384 + 256];

    if (recv(fd, head, sizeof(head), MSG_WAITALL) != sizeof(head))
        return;
    if (recv(fd, body, (size_t)head[3] << 8 | head[4], MSG_WAITALL) < 0)
        return;
}

void sock_hello_close(int fd, void *unused)
{
    (void)unused;
    read_hello(fd);
    shutdown(fd, SHUT_WR);
    sock_mute(fd, NULL);
}

void sock_hello_reset(int fd, void *unused)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    (void)unused;
    read_hello(fd);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

void sock_drip(int fd, void *bytes)
{
    read_hello(fd);
    for (const char *p = bytes; *p != '\0'; p++)
        if (sock_send(fd, p, 1) != 0)
            return;
    sock_mute(fd, NULL);
}

void sock_raw_echo(int fd, void *raw_opts)
{
    SSL *ssl = raw_new(SERVER, raw_opts);
    char buf[4096];
    int n;

    SSL_set_fd(ssl, fd);
    if (SSL_do_handshake(ssl) == 1) {
        while ((n = SSL_read(ssl, buf, sizeof(buf))) > 0)
            if (SSL_write(ssl, buf, n) <= 0)
                break;
        SSL_shutdown(ssl);
    }
    raw_free(ssl);
    shutdown(fd, SHUT_WR);
    sock_mute(fd, NULL);
}

void sock_raw_vanish(int fd, void *raw_opts)
{
    SSL *ssl = raw_new(SERVER, raw_opts);

    SSL_set_fd(ssl, fd);
    if (SSL_do_handshake(ssl) == 1)
        SSL_write(ssl, "hello", 5);
    raw_free(ssl);
    shutdown(fd, SHUT_WR);
    sock_mute(fd, NULL);
}

void sock_echo(int fd, void *config)
{
    tlsock *s = tlsock_server_fd(fd, config,
                                 TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD),
                                 NULL);
    char buf[4096];
    ssize_t n;

    if (s == NULL)
        return;
    while ((n = tlsock_read(s, buf, sizeof(buf))) > 0)
        if (tlsock_write(s, buf, (size_t)n) != n)
            break;
    tlsock_close(s);
    shutdown(fd, SHUT_WR);
    sock_mute(fd, NULL);
}
