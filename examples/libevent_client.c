/* libevent_client TARGET... - hello to all at once, in libevent's loop; exit
 * code 1: one failed */
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <tlsock.h>

struct job {
    tlsock *s;
    int said;
};
static struct event_base *base;
static int failed;

/* AGAIN: later; 0 done; else a code */
static ssize_t talk(struct job *j)
{
    char in[4096];
    ssize_t n = j->said ? 0 : tlsock_printf(j->s, "hello\n");

    j->said |= n > 0; /* AGAIN: this one again, before any other */
    if (n >= 0)
        n = tlsock_shutdown(j->s, SHUT_WR);
    if (n < 0)
        return n;
    /* decrypted bytes make no descriptor readable: read until AGAIN */
    while ((n = tlsock_read(j->s, in, sizeof(in))) > 0)
        fwrite(in, 1, (size_t)n, stdout);
    return n;
}

/* Each wait is an event of its own: descriptor and directions may change at
 * any step, and libevent has forgotten the old ones by then. */
static void on_ready(evutil_socket_t unused, short what, void *arg)
{
    struct job *j = arg;
    ssize_t rc = talk(j);
    int ms = tlsock_timeout(j->s);
    short want = tlsock_events(j->s);
    struct timeval tv = {ms / 1000, ms % 1000 * 1000};

    (void)unused;
    (void)what;
    if (rc == TLSOCK_AGAIN &&
        event_base_once(base, tlsock_fd(j->s),
                        (want & POLLIN ? EV_READ : 0) |
                            (want & POLLOUT ? EV_WRITE : 0),
                        on_ready, j, ms >= 0 ? &tv : NULL) == 0)
        return;
    if (rc != 0)
        failed = fprintf(stderr, "%s\n", tlsock_last_error(j->s)->message);
    tlsock_close(j->s);
}

int main(int argc, char **argv)
{
    struct job *jobs = calloc((size_t)argc, sizeof(*jobs));
    tlsock_error err;

    base = event_base_new();
    for (int i = 1; i < argc; i++) {
        tlsock *s =
            tlsock_connect(argv[i], NULL, TLSOCK_OPTS(.nonblocking = 1), &err);
        jobs[i].s = s;
        if (s == NULL)
            failed = fprintf(stderr, "%s\n", err.message);
        else
            on_ready(-1, 0, &jobs[i]);
    }
    event_base_dispatch(base);
    event_base_free(base);
    free(jobs);
    return failed != 0;
}
