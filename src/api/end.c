#include "api/conn.h"
#include "ossl/queue.h"

#include <errno.h>
#include <sys/socket.h>

int tlsock_handshake(tlsock *s)
{
    return (int)tsk_run(s, TLSOCK_PHASE_HANDSHAKE, NULL, NULL);
}

static ssize_t do_shut_write(tlsock *s, void *arg)
{
    (void)arg;
    return tsk_close_notify(s);
}

static ssize_t do_shut_both(tlsock *s, void *arg)
{
    char scrap[4096];
    ssize_t n;
    int rc = tsk_close_notify(s);

    (void)arg;
    if (rc < 0)
        return rc;
    do
        n = tsk_io_read(s, scrap, sizeof(scrap));
    while (n > 0);
    return n;
}

int tlsock_shutdown(tlsock *s, int how)
{
    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if (how != SHUT_WR && how != SHUT_RDWR)
        return tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT,
                        "tlsock_shutdown() takes SHUT_WR or SHUT_RDWR");
    return (int)tsk_run(s, TLSOCK_PHASE_CLOSE,
                        how == SHUT_WR ? do_shut_write : do_shut_both, NULL);
}

/* Only who owns a live session may say good-bye for it. */
static int has_to_say(const tlsock *s)
{
    return tsk_conn_open(s) && s->fork_generation == tsk_fork_generation();
}

int tlsock_close(tlsock *s)
{
    int saved = errno, rc = TLSOCK_OK;

    if (s == NULL)
        return TLSOCK_OK;
    tsk_ossl_enter();
    if (has_to_say(s)) {
        /* whoever closes may say so, but not wait again */
        if (atomic_exchange(&s->interrupted, 0))
            s->nonblocking = 1;
        rc = (int)tsk_run(s, TLSOCK_PHASE_CLOSE,
                          s->ssl != NULL ? do_shut_write : tsk_job_flush, NULL);
        if (rc == TLSOCK_AGAIN) /* one try: what is left is dropped */
            rc = TLSOCK_E_TIMEOUT;
        if (rc == TLSOCK_OK)
            tsk_close_drain(s);
    }
    tsk_conn_free(s, 1);
    tsk_ossl_leave();
    errno = saved;
    return rc;
}

void tlsock_abandon(tlsock *s)
{
    int saved = errno;

    if (s == NULL)
        return;
    tsk_ossl_enter();
    tsk_conn_free(s, 0);
    tsk_ossl_leave();
    errno = saved;
}

/* With all of its layers: an inner one is of no use without those below. */
int tlsock_adopt(tlsock *s)
{
    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    s->fork_generation = tsk_fork_generation();
    if (s->path != NULL)
        tsk_path_adopt(s->path);
    if (s->layer != NULL && s->layer->ops->adopt != NULL)
        s->layer->ops->adopt(s->layer);
    return TLSOCK_OK;
}
