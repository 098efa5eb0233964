#include "script.h"

#include "fault.h"

int end_begin(struct end *e, const char *protocol, const char *arg,
              const char *host, int server, int after)
{
    memset(e, 0, sizeof(*e));
    e->t.in = &e->in;
    e->d = tsk_starttls_new(protocol, arg, host, server,
                            after ? TSK_STARTTLS_AFTER : TSK_STARTTLS_BEFORE,
                            &e->err);
    return e->d != NULL ? 0 : e->err.code;
}

void end_feed(struct end *e, const void *bytes, size_t n)
{
    assert_int_equal(tsk_buf_add(&e->in, bytes, n), 0);
}

int end_step(struct end *e)
{
    int rc = tsk_starttls_step(e->d, &e->t, &e->err);

    assert_true(rc <= 0);
    if (rc < TLSOCK_AGAIN) {
        assert_code(e->err.code, rc);
        assert_int_equal(e->err.phase, TLSOCK_PHASE_STARTTLS);
        assert_true(e->err.message[0] != '\0');
        assert_true(e->err.hint[0] != '\0');
    } else {
        assert_int_equal(e->err.code, 0);
    }
    return rc;
}

void end_free(struct end *e)
{
    tsk_starttls_free(e->d);
    tsk_talk_free(&e->t);
    tsk_buf_free(&e->in);
}

static int begin(struct end *e, const struct script *s)
{
    return end_begin(e, s->protocol, s->arg, s->host, s->server, s->after);
}

/* The first n bytes in pieces, then the end if it is called for. */
static int play(struct end *e, const struct script *s, size_t n, size_t piece,
                size_t *fed)
{
    int rc = end_step(e);

    for (*fed = 0; rc == TLSOCK_AGAIN && *fed < n;) {
        size_t some = n - *fed < piece ? n - *fed : piece;

        end_feed(e, s->peer.p + *fed, some);
        *fed += some;
        rc = end_step(e);
    }
    if (rc != TLSOCK_AGAIN)
        return rc;
    e->t.ended = 1;
    return end_step(e);
}

static void same(const struct script *s, const char *what, struct bytes want,
                 const uint8_t *p, size_t n)
{
    char shown[4096];
    size_t i = 0;

    while (i < n && i < want.n &&
           (want.p[i] == '#' || (uint8_t)want.p[i] == p[i]))
        i++;
    if (i == n && i == want.n)
        return;
    snprintf(shown, sizeof(shown), "%.*s", (int)n, (const char *)p);
    fail_msg("%s: %s differs at byte %zu of %zu (%zu expected): \"%s\"",
             s->name, what, i, n, want.n, shown);
}

static void check_failure(const struct script *s, const tlsock_error *err)
{
    assert_non_null(s->tells);
    if (strstr(err->message, s->tells) == NULL &&
        strstr(err->hint, s->tells) == NULL)
        fail_msg("%s: \"%s\" (%s) does not tell \"%s\"", s->name, err->message,
                 err->hint, s->tells);
}

static void run_in_pieces(const struct script *s, size_t piece)
{
    struct end e;
    size_t fed;
    int rc;

    assert_int_equal(begin(&e, s), 0);
    rc = play(&e, s, s->peer.n, piece, &fed);
    if (rc != s->want)
        fail_msg("%s, pieces of %zu: %s, not %s: %s", s->name, piece,
                 tlsock_errname(rc), tlsock_errname(s->want), e.err.message);
    same(s, "what was sent", s->sent, tsk_buf_at(&e.t.out), e.t.out.len);
    if (rc == 0) {
        end_feed(&e, s->peer.p + fed, s->peer.n - fed);
        same(s, "what is left", s->left, tsk_buf_at(&e.in), e.in.len);
    } else {
        check_failure(s, &e.err);
    }
    end_free(&e);
}

static void run_cut(const struct script *s)
{
    for (size_t n = 0; n < s->peer.n - s->left.n; n++) {
        struct end e;
        size_t fed;
        int rc;

        assert_int_equal(begin(&e, s), 0);
        rc = play(&e, s, n, n + 1, &fed);
        if (rc != TLSOCK_E_CLOSED_IN_HANDSHAKE)
            fail_msg("%s, cut at %zu: %s", s->name, n, tlsock_errname(rc));
        end_free(&e);
    }
}

/* 1: the n-th allocation was reached, and its failure was told */
static int told(const struct script *s, long n, int rc, const tlsock_error *err)
{
    if (!fault_disarm())
        return 0;
    if (rc != TLSOCK_E_NOMEM || err->code != rc || err->hint[0] == '\0' ||
        err->phase != TLSOCK_PHASE_STARTTLS)
        fail_msg("%s, allocation %ld: %d %s", s->name, n, rc, err->message);
    return 1;
}

static int begin_without_memory(const struct script *s, long n)
{
    struct end e;
    int rc, hit;

    fault_arm(FAULT_OWN, n, 1);
    rc = begin(&e, s);
    hit = told(s, n, rc, &e.err);
    end_free(&e);
    return hit;
}

static int step_without_memory(const struct script *s, long n)
{
    struct end e;
    int rc, hit;

    assert_int_equal(begin(&e, s), 0);
    end_feed(&e, s->peer.p, s->peer.n);
    e.t.ended = 1;
    fault_arm(FAULT_OWN, n, 1);
    rc = end_step(&e);
    hit = told(s, n, rc, &e.err);
    if (!hit)
        assert_code(rc, s->want);
    end_free(&e);
    return hit;
}

static void run_without_memory(const struct script *s)
{
    long n = 1;

    while (begin_without_memory(s, n))
        n++;
    assert_true(n > 1); /* something was allocated at all */
    for (n = 1; step_without_memory(s, n);)
        n++;
}

void scripts_run(const struct script *s, size_t n)
{
    for (; n > 0; n--, s++) {
        run_in_pieces(s, s->peer.n + 1);
        if (!s->at_once)
            run_in_pieces(s, 1);
        if (s->want == 0)
            run_cut(s);
        run_without_memory(s);
    }
}
