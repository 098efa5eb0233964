/* A thousand connections at once, both ends of each in one thread with one
 * epoll set, as a program with a loop of its own has it. */
#include "ca.h"
#include "sock.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 1000
#define MESSAGE 3000

enum stage { SEND, ECHO, ALL_THERE, BYE, DONE };

struct end {
    tlsock *s;
    int fd; /* in the set, or -1 */
    short events;
    int id; /* clients: 0.., servers: -1 */
    enum stage stage;
    size_t sent, got;
    char hold[4096]; /* servers: to be sent back */
};

struct crowd {
    tlsock_config *cc, *sc;
    tlsock_listener *l;
    int epoll;
    struct end *clients, *servers;
    int accepted, echoed, done, served;
};

static char byte_of(int id, size_t i)
{
    return (char)(id * 31 + (int)i * 7 + (int)(i >> 8));
}

static void broken(const struct end *e, const char *doing)
{
    fail_msg("%s %d, %s: %s", e->id < 0 ? "server" : "client", e->id, doing,
             tlsock_last_error(e->s)->message);
}

/* The descriptor changes once, when the handshake is done; a closed one has
 * left the set by itself, and its number may be another's by now. */
static void watch(struct crowd *c, struct end *e)
{
    int fd = tlsock_fd(e->s);
    short events = tlsock_events(e->s);
    struct epoll_event ev = {.data.ptr = e};

    if (fd == e->fd && events == e->events)
        return;
    ev.events = (events & POLLIN ? (uint32_t)EPOLLIN : 0) |
                (events & POLLOUT ? (uint32_t)EPOLLOUT : 0);
    if (fd != e->fd && e->fd >= 0)
        (void)epoll_ctl(c->epoll, EPOLL_CTL_DEL, e->fd, &ev);
    if (epoll_ctl(c->epoll, fd == e->fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
                  &ev) != 0)
        fail_msg("epoll_ctl %d: %s", fd, strerror(errno));
    e->fd = fd;
    e->events = events;
}

/* > 0 got on, 0 waits */
static int client_step(struct crowd *c, struct end *e)
{
    char buf[MESSAGE];
    ssize_t n = 0;

    switch (e->stage) {
    case SEND:
        for (size_t i = e->sent; i < MESSAGE; i++)
            buf[i] = byte_of(e->id, i);
        n = tlsock_write(e->s, buf + e->sent, MESSAGE - e->sent);
        e->sent += n > 0 ? (size_t)n : 0;
        if (e->sent == MESSAGE)
            e->stage = ECHO;
        break;
    case ECHO:
        n = tlsock_read(e->s, buf, sizeof(buf));
        if (n == 0)
            fail_msg("client %d: an early end", e->id);
        for (ssize_t i = 0; i < n; i++)
            if (buf[i] != byte_of(e->id, e->got++))
                fail_msg("client %d: byte %zu", e->id, e->got - 1);
        if (e->got == MESSAGE) {
            e->stage = ALL_THERE;
            c->echoed++;
        }
        break;
    case ALL_THERE: /* nobody leaves before everybody is in */
        if (c->echoed < CLIENTS)
            return 0;
        assert_tells(tlsock_info(e->s, TLSOCK_INFO_VERIFIED), "chain");
        e->stage = BYE;
        return 1;
    case BYE:
        n = tlsock_shutdown(e->s, SHUT_RDWR);
        if (n == 0) {
            e->stage = DONE;
            c->done++;
        }
        break;
    default:
        return 0;
    }
    if (n < TLSOCK_AGAIN)
        broken(e, "on its way");
    return n != TLSOCK_AGAIN;
}

static int server_step(struct crowd *c, struct end *e)
{
    ssize_t n;

    if (e->sent < e->got) {
        n = tlsock_write(e->s, e->hold + e->sent, e->got - e->sent);
        e->sent += n > 0 ? (size_t)n : 0;
    } else {
        n = tlsock_read(e->s, e->hold, sizeof(e->hold));
        e->sent = 0;
        e->got = n > 0 ? (size_t)n : 0;
    }
    if (n < TLSOCK_AGAIN)
        broken(e, "serving");
    if (n == 0) { /* close_notify: said, heard, answered */
        assert_code(tlsock_close(e->s), TLSOCK_OK);
        e->s = NULL;
        c->served++;
        return 0;
    }
    return n != TLSOCK_AGAIN;
}

/* Decrypted bytes tell no descriptor: a handle is driven until it waits. */
static void drive(struct crowd *c, struct end *e)
{
    while (e->s != NULL && e->stage != DONE &&
           (e->id >= 0 ? client_step(c, e) : server_step(c, e)) > 0)
        ;
    if (e->stage == DONE && e->s != NULL) {
        assert_code(tlsock_close(e->s), TLSOCK_OK);
        e->s = NULL;
    }
    if (e->s != NULL)
        watch(c, e);
}

static void accept_all(struct crowd *c)
{
    tlsock_error err;
    tlsock *s;

    while ((s = tlsock_accept(c->l, &err)) != NULL) {
        struct end *e = &c->servers[c->accepted++];

        assert_true(c->accepted <= CLIENTS);
        *e = (struct end){.s = s, .fd = -1, .id = -1};
        drive(c, e);
    }
    assert_code(err.code, TLSOCK_AGAIN);
}

static void open_crowd(struct crowd *c)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
    char target[40];

    memset(c, 0, sizeof(*c));
    c->cc = ca_client("session", "off", NULL);
    c->sc = ca_server(ca_get()->ip, "handshake-timeout", "none", NULL);
    c->l = tlsock_listen("127.0.0.1:0", c->sc, TLSOCK_OPTS(.nonblocking = 1),
                         NULL);
    assert_non_null(c->l);
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    assert_int_equal(
        epoll_ctl(c->epoll, EPOLL_CTL_ADD, tlsock_listener_fd(c->l), &ev), 0);
    c->clients = test_calloc(CLIENTS, sizeof(*c->clients));
    c->servers = test_calloc(CLIENTS, sizeof(*c->servers));
    snprintf(target, sizeof(target), "127.0.0.1:%d",
             tlsock_listener_port(c->l));
    for (int i = 0; i < CLIENTS; i++) {
        struct end *e = &c->clients[i];
        tlsock_error err;

        *e = (struct end){.fd = -1, .id = i};
        e->s = tlsock_connect(target, c->cc,
                              TLSOCK_OPTS(.nonblocking = 1, .timeout_ms = -1),
                              &err);
        if (e->s == NULL)
            fail_msg("client %d: %s", i, err.message);
        drive(c, e);
    }
}

static void close_crowd(struct crowd *c)
{
    tlsock_listener_free(c->l);
    tlsock_config_unref(c->cc);
    tlsock_config_unref(c->sc);
    (void)close(c->epoll);
    test_free(c->clients);
    test_free(c->servers);
}

static void a_thousand_clients_in_one_thread(void **state)
{
    struct crowd c;
    int before = sock_count(), freed = 0;

    (void)state;
    open_crowd(&c);
    while (c.done < CLIENTS || c.served < CLIENTS) {
        struct epoll_event ready[256];
        int n = epoll_wait(c.epoll, ready, COUNT(ready), -1);

        assert_true(n > 0);
        for (int i = 0; i < n; i++) {
            if (ready[i].data.ptr == NULL)
                accept_all(&c);
            else
                drive(&c, ready[i].data.ptr);
        }
        for (int i = 0; !freed && c.echoed == CLIENTS && i < CLIENTS; i++)
            drive(&c, &c.clients[i]);
        freed |= c.echoed == CLIENTS;
    }
    assert_int_equal(c.accepted, CLIENTS);
    close_crowd(&c);
    assert_int_equal(sock_count(), before);
}

/* Two sockets for each client, and the descriptor that it connects with. */
static int room_for_all(void **state)
{
    struct rlimit most;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &most), 0);
    most.rlim_cur = most.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &most), 0);
    if (most.rlim_cur < 3 * CLIENTS + 50)
        fail_msg("%lu descriptors are too few: raise the hard limit",
                 (unsigned long)most.rlim_cur);
    return ca_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_clients_in_one_thread),
    };

    return cmocka_run_group_tests_name("many", tests, room_for_all,
                                       ca_teardown);
}
