#include "api/conn.h"
#include "api/dane.h"
#include "api/errand.h"
#include "core/mem.h"
#include "core/str.h"
#include "net/fd.h"
#include "tls/early.h"
#include "tls/resume.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Sessions may be offered to whoever has this name at this address. */
static int name_sessions(tlsock *s)
{
    char records[65] = "";

    if (s->server || !s->set->session)
        return TLSOCK_OK;
    if (s->dane != NULL && tsk_dane_digest(s->dane, records, tsk_err(s)) < 0)
        return tsk_err_of(s)->code;
    return tsk_resume_name(s, records);
}

/* The server spoke before TLS could begin: libssl shall judge it. */
static int hand_over_input(tlsock *s)
{
    if (tsk_bio_feed(&s->io, tsk_buf_at(&s->plain), s->plain.len) < 0)
        return tsk_fail_nomem(tsk_err(s));
    tsk_buf_take(&s->plain, s->plain.len);
    return TLSOCK_OK;
}

static int enter_tls(tlsock *s)
{
    int64_t hs = tsk_deadline_in(s->set->handshake_timeout_ms);
    int rc;

    tsk_hand_reset(s);
    rc = name_sessions(s);
    if (rc == TLSOCK_OK)
        rc = hand_over_input(s);
    if (rc < 0)
        return rc;
    if (hs < s->hs_deadline)
        tsk_conn_hurry(s, hs);
    s->rung = TSK_RUNG_TLS;
    return TLSOCK_OK;
}

static int begin_tls(tlsock *s)
{
    if (s->dialogue == NULL)
        return enter_tls(s);
    tsk_dialogue_begin_shown(s);
    s->rung = TSK_RUNG_STARTTLS;
    return TLSOCK_OK;
}

int tsk_ladder_go_on(tlsock *s)
{
    tsk_conn_hurry(s, tsk_deadline_in(s->budget_ms));
    return begin_tls(s);
}

static int land(tlsock *s)
{
    if (s->plain_first) {
        s->rung = TSK_RUNG_PLAIN;
        s->was_plain = 1;
        s->hs_deadline = TSK_NEVER;
        return TLSOCK_OK;
    }
    return begin_tls(s);
}

/* What the records say has to be known before anything is said; in PLAIN, too,
 * where a descriptor of the lookup's would come too late. */
static int step_dane(tlsock *s)
{
    int rc = tsk_dane_step(s);

    return rc == TLSOCK_OK ? land(s) : rc;
}

/* All that is between here and the peer is passed. */
static int arrived(tlsock *s)
{
    if (s->dane == NULL)
        return land(s);
    s->rung = TSK_RUNG_DANE;
    return TLSOCK_OK;
}

int tsk_ladder_begin(tlsock *s, struct tsk_layer *layer)
{
    int fd = layer->ops->fd(layer), rc;

    if (fd >= 0 && s->address[0] == '\0')
        tsk_fd_address(fd, 1, s->address, sizeof(s->address));
    s->layer = s->io.below = layer;
    if (s->path != NULL) {
        s->rung = TSK_RUNG_PROXY;
        return TLSOCK_OK;
    }
    rc = arrived(s);
    if (rc < 0)
        s->layer = NULL; /* stays the caller's */
    return rc;
}

static int dialled(tlsock *s)
{
    int fd = tsk_dial_take_fd(s->dial), rc;
    struct tsk_layer *layer = tsk_fd_layer_new(fd, 1);

    if (layer == NULL) {
        close(fd);
        return tsk_fail_nomem(tsk_err(s));
    }
    s->resolve_ms = tsk_dial_resolve_ms(s->dial);
    s->tcp_ms = tsk_dial_connect_ms(s->dial);
    if (tsk_dial_blocking(s->dial))
        tsk_fd_layer_may_wait(layer, 1);
    tsk_dial_address(s->dial, s->address, sizeof(s->address));
    rc = tsk_ladder_begin(s, layer);
    if (rc < 0) {
        layer->ops->free(layer, 0);
        return rc;
    }
    if (s->waitfd != NULL) /* before the losers' descriptors are closed */
        tsk_waitfd_set(s->waitfd, NULL, 0, NULL);
    tsk_dial_free(s->dial);
    s->dial = NULL;
    return TLSOCK_OK;
}

static int step_dial(tlsock *s)
{
    int rc = tsk_dane_begin(s);

    if (rc < 0)
        return rc;
    tsk_dial_may_wait(s->dial, !s->nonblocking && s->dane == NULL &&
                                   tsk_bio_may_wait(&s->io));
    rc = tsk_dial_step(s->dial, tsk_err(s));
    if (rc == TLSOCK_OK)
        return dialled(s);
    if (rc == TLSOCK_AGAIN)
        return rc;
    if (s->path != NULL)
        tsk_about(tsk_err(s), "the proxy: ");
    if (tsk_err_of(s)->phase == 0)
        tsk_err(s)->phase = tsk_dial_phase(s->dial);
    return rc;
}

static int step_proxy(tlsock *s)
{
    int rc = tsk_path_step(s);

    return rc == TLSOCK_OK ? arrived(s) : rc;
}

static int step_starttls(tlsock *s)
{
    int rc = tsk_dialogue_before(s);

    if (rc == TLSOCK_OK && s->rung == TSK_RUNG_STARTTLS)
        rc = enter_tls(s);
    return rc;
}

/* What is left of it would come as data that nobody can send again. */
static int unread(tlsock *s)
{
    tsk_fail(tsk_err(s), TLSOCK_E_STATE, "early data is not read to its end");
    tsk_hint(tsk_err(s), "call tlsock_read_early() until it gives 0");
    return TLSOCK_E_STATE;
}

int tsk_ladder_step(tlsock *s)
{
    static const struct {
        int (*step)(tlsock *);
        int phase;
    } rungs[] = {
        [TSK_RUNG_DIAL] = {step_dial, 0},
        [TSK_RUNG_PROXY] = {step_proxy, TLSOCK_PHASE_PROXY},
        [TSK_RUNG_DANE] = {step_dane, TLSOCK_PHASE_RESOLVE},
        [TSK_RUNG_STARTTLS] = {step_starttls, TLSOCK_PHASE_STARTTLS},
        [TSK_RUNG_TLS] = {tsk_errand_tls, TLSOCK_PHASE_HANDSHAKE},
        [TSK_RUNG_CHECK] = {tsk_errand_check, TLSOCK_PHASE_VERIFY},
        [TSK_RUNG_AFTER] = {tsk_dialogue_after, TLSOCK_PHASE_STARTTLS},
    };

    if (tsk_early_reading(s) && !s->early.wanted && s->rung == TSK_RUNG_TLS)
        return unread(s);
    while (!tsk_conn_open(s)) {
        int phase, rc;

        if (s->early.wanted && s->rung == TSK_RUNG_TLS)
            return TLSOCK_OK; /* data goes before the handshake is over */

        if (s->rung == TSK_RUNG_DEAD)
            return s->dead;
        phase = rungs[s->rung].phase;
        rc = rungs[s->rung].step(s);
        if (rc < 0 && rc != TLSOCK_AGAIN) {
            if (tsk_err_of(s)->phase == 0)
                tsk_err(s)->phase = phase;
            s->rung = TSK_RUNG_DEAD;
            s->dead = rc;
        }
        if (rc < 0)
            return rc;
        if (tsk_conn_open(s)) {
            s->hs_deadline = TSK_NEVER;
            s->fd_is_known = 1;
        }
    }
    return TLSOCK_OK;
}
