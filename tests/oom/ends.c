#include "ends.h"

#include <sys/socket.h>

#define SECRET "attack at dawn"

/* The same step on both sides; the first failure of either is the outcome. */
int ends_step(struct world *w, struct peer *p, ends_step_fn *do_it,
              const void *d)
{
    int rc[2] = {TLSOCK_AGAIN, TLSOCK_AGAIN};

    for (int i = 0; i < 200 && rc[CLIENT] + rc[SERVER] != 0; i++) {
        enum peer_side side = i % 2 == 0 ? CLIENT : SERVER;

        if (rc[side] == TLSOCK_AGAIN)
            rc[side] = do_it(p->conn[side], d);
        if (rc[side] < TLSOCK_AGAIN)
            return note(w, tlsock_last_error(p->conn[side]), rc[side]);
    }
    return rc[CLIENT] + rc[SERVER] != 0 ? TLSOCK_AGAIN : 0;
}

static int shows(const struct test_pipe *pipe, size_t from)
{
    return pipe->len > from && memmem(pipe->data + from, pipe->len - from,
                                      SECRET, strlen(SECRET)) != NULL;
}

static int say(struct world *w, struct peer *p, enum peer_side from,
               int64_t state)
{
    size_t before = p->pipes[from].len;
    ssize_t n = tlsock_write(p->conn[from], SECRET, strlen(SECRET));
    char got[32];

    if (n >= 0)
        n = tlsock_flush(p->conn[from]);
    if (n < 0)
        return note(w, tlsock_last_error(p->conn[from]), (int)n);
    if (shows(&p->pipes[from], before) != (state == TLSOCK_STATE_PLAIN))
        w->broken = "the wire is not what the state says";
    n = TLSOCK_AGAIN;
    for (int i = 0; i < 3 && n == TLSOCK_AGAIN; i++)
        n = tlsock_read(p->conn[!from], got, sizeof(got));
    if (n < 0)
        return note(w, tlsock_last_error(p->conn[!from]), (int)n);
    if (n != (ssize_t)strlen(SECRET) || memcmp(got, SECRET, (size_t)n) != 0)
        w->broken = "other bytes came than were sent";
    return 0;
}

/* A message each way, in the state that a step that succeeded has promised. */
int ends_talk(struct world *w, struct peer *p, int64_t state)
{
    int rc;

    for (int side = CLIENT; side <= SERVER; side++)
        if (tlsock_info_int(p->conn[side], TLSOCK_INFO_STATE) != state)
            w->broken = "a step succeeded, and the state is another one";
    if ((strncmp(tlsock_info(p->conn[CLIENT], TLSOCK_INFO_VERIFIED), "chain",
                 5) == 0) != (state == TLSOCK_STATE_TLS))
        w->broken = "the verdict is not what the state says";
    rc = say(w, p, CLIENT, state);
    return rc == 0 ? say(w, p, SERVER, state) : rc;
}

static int is_plain(const tlsock *s)
{
    return tlsock_info_int(s, TLSOCK_INFO_STATE) == TLSOCK_STATE_PLAIN;
}

/* Whatever has failed: a handle that is not PLAIN, and does not become so by
 * finishing the CCC it was asked for, sends nothing readable. */
void ends_insist(struct world *w, struct peer *p)
{
    for (int side = CLIENT; side <= SERVER; side++) {
        size_t before = p->pipes[side].len;

        if (p->conn[side] == NULL || is_plain(p->conn[side]))
            continue;
        (void)!tlsock_write(p->conn[side], SECRET, strlen(SECRET));
        (void)!tlsock_flush(p->conn[side]);
        if (shows(&p->pipes[side], before) && !is_plain(p->conn[side]))
            w->broken = "plaintext left after a failure";
    }
}

int ends_open(struct world *w, struct peer *p, const tlsock_opts *o)
{
    int rc;

    peer_init(p);
    rc = peer_open_opts(p, w->cc, o, w->sc, o, w->name);
    if (rc < 0)
        note(w, p->err[CLIENT].code != 0 ? &p->err[CLIENT] : &p->err[SERVER],
             rc);
    return rc;
}

int ends_close(struct world *w, struct peer *p)
{
    int rc = 0;

    for (int side = CLIENT; side <= SERVER; side++) {
        if (rc == 0)
            rc = tlsock_shutdown(p->conn[side], SHUT_WR);
        if (rc < 0)
            note(w, tlsock_last_error(p->conn[side]), rc);
        tlsock_close(p->conn[side]);
        p->conn[side] = NULL;
    }
    return rc;
}

int ends_shake(struct world *w, struct peer *p)
{
    int rc = peer_shake(p);

    for (int side = CLIENT; side <= SERVER && rc < 0; side++)
        if (p->rc[side] < TLSOCK_AGAIN &&
            (w->err.code == 0 || p->err[side].code == TLSOCK_E_NOMEM))
            w->err = p->err[side];
    return rc;
}
