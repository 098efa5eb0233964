#include "each.h"

#define MOST 100000

int note(struct world *w, const tlsock_error *err, int rc)
{
    if (w->err.code == 0)
        w->err = *err;
    if (w->err.code == 0)
        w->err.code = rc;
    return rc;
}

/* What failed must have a name and a text; the library's own failures are
 * out of memory and nothing else. */
static void check(const char *what, enum fault_kind kind, long n,
                  const struct world *w, int rc)
{
    if (rc == 0)
        return; /* a cache that stays empty is no failure */
    if (rc == TLSOCK_AGAIN)
        fail_msg("%s, %s %ld (%s): stuck", what, fault_name(kind), n,
                 fault_refused());
    if (strcmp(tlsock_errslug(w->err.code), tlsock_errslug(-9999)) == 0)
        fail_msg("%s, %s %ld: code %d", what, fault_name(kind), n, w->err.code);
    if (kind == FAULT_OWN && w->err.code != TLSOCK_E_NOMEM)
        fail_msg("%s, %s %ld: %s: %s", what, fault_name(kind), n,
                 tlsock_errname(w->err.code), w->err.message);
    if (w->err.message[0] == '\0' && rc != TLSOCK_E_NOMEM)
        fail_msg("%s, %s %ld (%s): %s without a message", what,
                 fault_name(kind), n, fault_refused(), tlsock_errname(rc));
}

static long after(long n, const struct world *w, enum fault_kind kind)
{
    if (w->by_line && kind == FAULT_OPENSSL &&
        getenv("TLSOCK_OOM_EVERY") == NULL) {
        do
            n++;
        while (!fault_tells(n));
        return n;
    }
    if (w->stride == 0 || kind != FAULT_OPENSSL || n < w->dense ||
        getenv("TLSOCK_OOM_EVERY") != NULL)
        return n + 1;
    return n + w->stride;
}

/* One run. 1: the failure has happened. */
static int once(const char *what, scenario *run, struct world *w,
                enum fault_kind kind, long n, int *rc)
{
    int fired;

    fault_arm_here(kind, n, 1);
    *rc = run(w);
    fired = fault_disarm();
    if (w->broken != NULL)
        fail_msg("%s, %s %ld (%s): %s", what, fault_name(kind), n,
                 fault_refused(), w->broken);
    return fired;
}

static void each_of(const char *what, scenario *run, const struct world *start,
                    enum fault_kind kind, int want)
{
    long n, failed = 0, tried = 0;
    struct world w = *start;

    if (start->by_line) {
        w = *start;
        fault_watch();
        run(&w);
        fault_disarm();
    }
    for (n = 1; n < MOST; n = after(n, start, kind)) {
        int rc, fired;

        w = *start;
        fired = once(what, run, &w, kind, n, &rc);
        if (want != 0 && (w.accepted || rc == 0))
            fail_msg("%s, %s %ld (%s): a wrong peer was accepted", what,
                     fault_name(kind), n, fault_refused());
        if (!fired) {
            if (rc != want)
                fail_msg("%s: %s: %s", what, tlsock_errname(rc), w.err.message);
            break;
        }
        tried++;
        failed += rc != 0;
        if (want == 0)
            check(what, kind, n, &w, rc);
    }
    assert_true(n < MOST);
    print_message("# %s: up to %ld, %s: %ld runs, %ld failed\n", what, n - 1,
                  fault_name(kind), tried, failed);
}

void each(const char *what, scenario *run, const struct world *start,
          enum fault_kind kind, int want)
{
    struct world w = *start;

    run(&w); /* what is made once per process is made now */
    each_of(what, run, start, kind, want);
    /* what has no memory left is not all that OpenSSL may say no to */
    if (kind == FAULT_OPENSSL && !start->soft)
        each_of(what, run, start, FAULT_REFUSED, want);
}
