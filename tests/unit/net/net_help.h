/* net_help - what the tests of net share: sockets on loopback that behave in
 * a known way, a clock that stands still, a resolver that says what it is
 * told. */
#ifndef TEST_NET_HELP_H
#define TEST_NET_HELP_H

#include "test.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/mem.h"

/* A TCP socket bound to a free port of 127.0.0.1, or of every address: refuses
 * connections unless backlog >= 0. */
static inline int bound(uint32_t addr, int backlog, int *port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET};
    socklen_t len = sizeof(sin);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sin.sin_addr.s_addr = htonl(addr);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
    if (backlog >= 0)
        assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
    *port = ntohs(sin.sin_port);
    return fd;
}

#define FILLERS 4
/* A listener whose queue is full: a new connection gets no answer. */
struct blackhole {
    int fd, port, fillers[FILLERS];
};

static inline void blackhole_open(struct blackhole *b)
{
    struct sockaddr_in sin = {.sin_family = AF_INET};

    b->fd = bound(INADDR_ANY, 0, &b->port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sin.sin_port = htons((uint16_t)b->port);
    for (int i = 0; i < FILLERS; i++) {
        b->fillers[i] =
            socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(b->fillers[i] >= 0);
        (void)!connect(b->fillers[i], (struct sockaddr *)&sin, sizeof(sin));
    }
}

static inline void blackhole_close(struct blackhole *b)
{
    for (int i = 0; i < FILLERS; i++)
        close(b->fillers[i]);
    close(b->fd);
}

static inline int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

extern int64_t fake_now;
int64_t fake_clock(void);

#endif
