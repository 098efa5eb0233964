#include "api/conn.h"
#include "api/dane.h"
#include "core/mem.h"
#include "starttls/table.h"
#include "tls/evidence.h"

#include <stdio.h>
#include <string.h>

#define CHUNK 1024 /* what a dialogue receives at once, if it says nothing */

static int starttls(void *d, struct tsk_talk *t, tlsock_error *err)
{
    return tsk_starttls_step(d, t, err);
}

int tsk_dialogue_set(tlsock *s, const char *protocol, const char *arg,
                     tlsock_error *err)
{
    struct tsk_starttls *d = tsk_starttls_new(protocol, arg, s->name, s->server,
                                              TSK_STARTTLS_BEFORE, err);

    if (d == NULL)
        return err != NULL ? err->code : TLSOCK_E_ARGUMENT;
    if (tsk_starttls_has_after(d)) {
        s->after = tsk_starttls_new(protocol, arg, s->name, s->server,
                                    TSK_STARTTLS_AFTER, err);
        if (s->after == NULL) {
            tsk_starttls_free(d);
            return TLSOCK_E_NOMEM;
        }
    }
    s->dialogue = d;
    snprintf(s->starttls, sizeof(s->starttls), "%s", tsk_starttls_protocol(d));
    return TLSOCK_OK;
}

int tsk_dialogue_set_after(tlsock *s, const char *protocol, const char *arg)
{
    s->after = tsk_starttls_new(protocol, arg, s->name, s->server,
                                TSK_STARTTLS_AFTER, tsk_err(s));
    return s->after != NULL ? TLSOCK_OK : tsk_err_of(s)->code;
}

void tsk_dialogue_begin(tlsock *s)
{
    tsk_talk_free(&s->talk);
    s->talk = (struct tsk_talk){.in = &s->plain};
}

static void heard(void *arg, const void *bytes, size_t n)
{
    tsk_evidence_dialogue(arg, 0, bytes, n);
}

void tsk_dialogue_begin_shown(tlsock *s)
{
    tsk_dialogue_begin(s);
    if (!tsk_evidence_wants_dialogue(s))
        return;
    s->talk.seen = heard;
    s->talk.arg = s;
}

/* The n last bytes that were queued, without passwords. No memory: they are not
 * shown. */
static void show(tlsock *s, size_t n)
{
    const struct tsk_talk *t = &s->talk;
    size_t from = t->queued - n;
    uint8_t *copy = tsk_alloc(n);

    if (copy == NULL)
        return;
    memcpy(copy, tsk_buf_at(&t->out) + t->out.len - n, n);
    for (size_t at = t->secret_from; at < t->secret_to; at++)
        if (at >= from)
            copy[at - from] = '*';
    tsk_evidence_dialogue(s, 1, copy, n);
    tsk_free(copy);
}

static int say(tlsock *s)
{
    while (s->talk.out.len != 0) {
        ssize_t n = tsk_io_send(s, tsk_buf_at(&s->talk.out), s->talk.out.len);

        if (n < 0)
            return (int)n;
        tsk_buf_take(&s->talk.out, (size_t)n);
    }
    return tsk_io_flush(s);
}

/* > 0 or at the end: the dialogue has something to go on with */
static int hear(tlsock *s)
{
    int n;

    if (s->talk.ended) /* then it waits for something else */
        return TLSOCK_AGAIN;
    n = tsk_io_more(s, s->talk.chunk != 0 ? s->talk.chunk : CHUNK);
    if (n == 0)
        s->talk.ended = 1;
    return n < 0 ? n : TLSOCK_OK;
}

/* It failed: what it has said of that is worth one try. */
static int last_words(tlsock *s, int rc)
{
    tlsock_error err = *tsk_err_of(s);

    (void)say(s);
    *tsk_err(s) = err;
    return rc;
}

int tsk_dialogue_run(tlsock *s, tsk_dialogue_step *step, void *d)
{
    for (;;) {
        size_t queued = s->talk.queued;
        int rc = say(s), done;

        if (rc < 0)
            return rc;
        done = step(d, &s->talk, tsk_err(s));
        if (s->talk.seen != NULL && s->talk.queued != queued)
            show(s, s->talk.queued - queued);
        if (s->talk.seen != NULL && tsk_evidence_refused(s) < 0)
            return tsk_err_of(s)->code;
        if (done < 0 && done != TLSOCK_AGAIN)
            return last_words(s, done);
        rc = say(s);
        if (rc == TLSOCK_OK && done == TLSOCK_OK)
            s->talk.seen = NULL; /* another one may be within TLS */
        if (rc < 0 || done == TLSOCK_OK)
            return rc;
        rc = hear(s);
        if (rc < 0)
            return rc;
    }
}

/* RFC 3207, 6 and CVE-2011-0411: what follows the dialogue in plaintext is
 * anybody's, and must not be taken for something said within TLS. */
static int injected(tlsock *s)
{
    tsk_fail(tsk_err(s), TLSOCK_E_INJECTION,
             "%s sent %zu bytes of plaintext behind its STARTTLS %s",
             s->address[0] != '\0' ? s->address : "the peer", s->plain.len,
             s->server ? "command" : "reply");
    tsk_hint(tsk_err(s), "somebody on the way may have put them there; a peer "
                         "that does so by itself has to be mended");
    tsk_err(s)->phase = TLSOCK_PHASE_STARTTLS;
    return TLSOCK_E_INJECTION;
}

/* Only where the config says so by name: see "starttls". */
static int go_on_in_plaintext(tlsock *s)
{
    int rc = tsk_facts_begin(s);

    if (rc < 0)
        return rc;
    snprintf(s->facts->verdict.verified, sizeof(s->facts->verdict.verified),
             "insecure: plaintext, since the server offers no TLS "
             "(starttls = opportunistic)");
    tsk_err_clear(s);
    tsk_dialogue_free(s);
    s->rung = TSK_RUNG_PLAIN;
    return TLSOCK_OK;
}

int tsk_dialogue_before(tlsock *s)
{
    int rc = tsk_dialogue_run(s, starttls, s->dialogue);

    s->was_plain = 1;
    /* who refuses it, or all service, says no more than that it is not now */
    if (rc == TLSOCK_E_STARTTLS_UNAVAILABLE && !s->server &&
        s->set->starttls_opportunistic && !tsk_dane_forbids_plaintext(s))
        return go_on_in_plaintext(s);
    if (rc == TLSOCK_OK && s->plain.len != 0 &&
        !tsk_starttls_runs_on(s->dialogue))
        rc = injected(s);
    if (rc < 0)
        return rc;
    tsk_starttls_free(s->dialogue);
    s->dialogue = NULL;
    return TLSOCK_OK;
}

int tsk_dialogue_after(tlsock *s)
{
    int rc;

    if (!s->stopping) {
        rc = tsk_dialogue_run(s, starttls, s->after);
        if (rc < 0)
            return rc;
        s->stopping = tsk_starttls_ends_tls(s->after);
    }
    rc = s->stopping ? tsk_close_tls(s) : TLSOCK_OK;
    if (rc < 0)
        return rc;
    if (s->rung != TSK_RUNG_PLAIN)
        s->rung = TSK_RUNG_READY;
    tsk_dialogue_free(s);
    return TLSOCK_OK;
}

void tsk_dialogue_free(tlsock *s)
{
    tsk_starttls_free(s->dialogue);
    tsk_starttls_free(s->after);
    s->dialogue = s->after = NULL;
    tsk_talk_free(&s->talk);
}
