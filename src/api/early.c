/* tlsock_write_early(), tlsock_read_early(): see tls/early.h for what they
 * are, and why nobody gets there by accident. */
#include "tls/early.h"

#include "api/conn.h"
#include "ossl/queue.h"

#include <limits.h>

struct early {
    const unsigned char *out; /* NULL: it is read */
    void *in;
    size_t len, done;
};

static int too_late(tlsock *s)
{
    tsk_fail(tsk_err(s), TLSOCK_E_STATE, "%s",
             s->rung == TSK_RUNG_PLAIN
                 ? "early data belongs to TLS, and this connection is in "
                   "plaintext"
                 : "the handshake is over: it is too late for early data");
    tsk_hint(tsk_err(s), "%s",
             s->server || s->nonblocking
                 ? "call this before anything else on the connection"
                 : "give TLSOCK_F_EARLY to the constructor, which "
                   "otherwise completes the handshake");
    return TLSOCK_E_STATE;
}

static ssize_t do_write(tlsock *s, struct early *e)
{
    while (e->done < e->len) {
        ssize_t n = tsk_early_write(s, e->out + e->done, e->len - e->done);

        if (n == TLSOCK_AGAIN && s->nonblocking && e->done != 0)
            break;
        if (n < 0)
            return n;
        if (n == 0)
            break;
        e->done += (size_t)n;
    }
    return (ssize_t)e->done;
}

static ssize_t do_early(tlsock *s, void *arg)
{
    struct early *e = arg;

    if (s->rung != TSK_RUNG_TLS)
        return too_late(s);
    return e->out != NULL ? do_write(s, e) : tsk_early_read(s, e->in, e->len);
}

static ssize_t run(tlsock *s, struct early *e, int phase)
{
    int was = s->early.wanted;
    ssize_t rc;

    if (s->set->early_data == 0) {
        tsk_fail(tsk_err(s), TLSOCK_E_OPTION,
                 "early-data is 0: none is allowed");
        tsk_hint(tsk_err(s),
                 "set early-data to the most bytes to send or take, "
                 "if what they ask for may be done twice");
        return TLSOCK_E_OPTION;
    }
    s->early.wanted = 1;
    rc = tsk_run(s, phase, do_early, e);
    s->early.wanted = was;
    return rc;
}

ssize_t tlsock_write_early(tlsock *s, const void *data, size_t len)
{
    struct early e = {.out = data, .len = len};

    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if (data == NULL || len == 0 || len > SSIZE_MAX)
        return tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT,
                        "tlsock_write_early() needs bytes to send");
    return run(s, &e, TLSOCK_PHASE_WRITE);
}

ssize_t tlsock_read_early(tlsock *s, void *buf, size_t len)
{
    struct early e = {.in = buf, .len = len};

    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if (!s->server)
        return tsk_fail(tsk_err(s), TLSOCK_E_STATE,
                        "tlsock_read_early() is for servers: clients get no "
                        "early data");
    if (buf == NULL || len == 0 || len > SSIZE_MAX)
        return tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT,
                        "tlsock_read_early() needs memory to read into");
    return run(s, &e, TLSOCK_PHASE_READ);
}

int tsk_conn_until_tls(tlsock *s)
{
    int rc;

    s->early.wanted = 1;
    rc = (int)tsk_run(s, TLSOCK_PHASE_CONNECT, NULL, NULL);
    s->early.wanted = 0;
    return rc;
}
