/* libuv_client TARGET... - hello to all at once, in libuv; 1: one failed */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <tlsock.h>
#include <uv.h>
struct job {
    uv_poll_t poll;
    uv_timer_t timer;
    tlsock *s;
    int said;
};
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

static void on_timer(uv_timer_t *timer);
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct job *j = poll->data;
    ssize_t rc = talk(j);
    int ms = tlsock_timeout(j->s), want = tlsock_events(j->s);
    int flags =
        (want & POLLIN ? UV_READABLE : 0) | (want & POLLOUT ? UV_WRITABLE : 0);
    (void)status, (void)events;
    if (rc == TLSOCK_AGAIN) {
        uv_poll_start(poll, flags, on_poll);
        uv_timer_start(&j->timer, on_timer, (unsigned)ms, 0); /* -1: never */
        return;
    }
    if (rc < 0)
        failed = fprintf(stderr, "%s\n", tlsock_last_error(j->s)->message);
    uv_close((uv_handle_t *)poll, NULL);
    uv_close((uv_handle_t *)&j->timer, NULL);
    tlsock_close(j->s);
}
static void on_timer(uv_timer_t *timer)
{
    on_poll(timer->data, 0, 0);
}

int main(int argc, char **argv)
{
    struct job *jobs = calloc((size_t)argc, sizeof(*jobs));
    uv_loop_t *loop = uv_default_loop();
    tlsock_error err;
    for (struct job *j = jobs + 1; j < jobs + argc; j++) {
        /* a uv_poll_t has one descriptor for life */
        j->s = tlsock_connect(
            argv[j - jobs], NULL,
            TLSOCK_OPTS(.nonblocking = 1, .flags = TLSOCK_F_STABLE_FD), &err);
        if (j->s == NULL) {
            failed = fprintf(stderr, "%s\n", err.message);
            continue;
        }
        uv_poll_init(loop, &j->poll, tlsock_fd(j->s));
        uv_timer_init(loop, &j->timer);
        j->poll.data = j;
        j->timer.data = &j->poll;
        on_poll(&j->poll, 0, 0);
    }
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
    free(jobs);
    return failed != 0;
}
