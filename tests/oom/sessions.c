/* The n-th allocation fails while sessions are kept in a file, saved, loaded
 * and followed. What must hold at every n: a clear code or success (a session
 * that is lost is a full handshake), no leak, and nobody accepted by a session
 * who would not have been without. */
#include "ca.h"
#include "ends.h"
#include "../flow/shelf.h"

#include <stdio.h>
#include <tlsock/session.h>
#include <unistd.h>

static const char *file(void)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/oom.sessions", ca_get()->dir);
    return path;
}

static int fail_of(struct world *w, tlsock_config *c, int rc)
{
    return rc < 0 ? note(w, tlsock_config_error(c), rc) : rc;
}

/* A client's config whose sessions are in a file. */
static tlsock_config *client(struct world *w)
{
    tlsock_config *c = tlsock_config_new();

    if (c == NULL) {
        w->err.code = TLSOCK_E_NOMEM;
        return NULL;
    }
    if (fail_of(w, c, tlsock_config_set(c, "tls.max", w->with)) == 0 &&
        fail_of(w, c, tlsock_config_set(c, "session.file", file())) == 0 &&
        fail_of(w, c, tlsock_config_add_trust(c, ca_get()->root_pem)) == 0)
        return c;
    tlsock_config_unref(c);
    return NULL;
}

/* Open, with a word each way, and its session there. from: to be followed. */
static int visit(struct world *w, struct peer *p, tlsock *from)
{
    int rc;

    peer_init(p);
    rc = peer_open_opts(p, w->cc,
                        TLSOCK_OPTS(.nonblocking = 1, .resume_from = from),
                        w->sc, TLSOCK_OPTS(.nonblocking = 1), w->name);
    if (rc < 0)
        note(w, p->err[CLIENT].code != 0 ? &p->err[CLIENT] : &p->err[SERVER],
             rc);
    if (rc == 0)
        rc = ends_shake(w, p);
    if (rc == 0)
        rc = ends_talk(w, p, TLSOCK_STATE_TLS);
    return rc;
}

static int save_and_load(struct world *w, tlsock *s, tlsock_config *c)
{
    static unsigned char data[TLSOCK_SESSION_MAX];
    size_t len = sizeof(data);
    int rc = tlsock_session_save(s, data, &len);

    if (rc == TLSOCK_E_STATE) /* lost, for want of memory */
        return 0;
    if (rc < 0)
        return note(w, tlsock_last_error(s), rc);
    rc = tlsock_session_load(c, data, len);
    return rc == TLSOCK_E_STATE ? 0 : fail_of(w, c, rc); /* the same */
}

/* The first is in full, the second by the file, a third follows it. */
static int kept(struct world *w)
{
    struct world own = *w;
    struct peer p, d;
    int rc = 0;

    unlink(file());
    own.cc = client(&own);
    if (own.cc == NULL) {
        w->err = own.err;
        return own.err.code;
    }
    peer_init(&p);
    peer_init(&d);
    for (int i = 0; i < 2 && rc == 0; i++) {
        peer_free(&p);
        rc = visit(&own, &p, NULL);
    }
    if (rc == 0)
        rc = visit(&own, &d, p.conn[CLIENT]);
    if (rc == 0)
        rc = save_and_load(&own, p.conn[CLIENT], own.cc);
    own.accepted = rc == 0;
    peer_free(&d);
    peer_free(&p);
    tlsock_config_unref(own.cc);
    w->err = own.err;
    w->accepted = own.accepted;
    w->broken = own.broken;
    return rc;
}

static struct shelf *shelf;

/* The server remembers in a store, and the second connection is by that. */
static int remembered(struct world *w)
{
    struct peer p;
    int rc = 0;

    memset(shelf, 0, sizeof(*shelf));
    peer_init(&p);
    for (int i = 0; i < 2 && rc == 0; i++) {
        peer_free(&p);
        rc = visit(w, &p, NULL);
    }
    w->accepted = rc == 0;
    peer_free(&p);
    return rc;
}

static void with_a_store(enum fault_kind kind, const char *version)
{
    struct world w = {.cc = ca_client("tls.max", version, NULL),
                      .sc = ca_server(ca_get()->a, "tickets", "off", NULL),
                      .name = "a.test",
                      .dense = 4,
                      .stride = 401};

    shelf = test_calloc(1, sizeof(*shelf));
    assert_code(tlsock_config_set_session_store(w.sc, &shelf_store, shelf), 0);
    each("remembered", remembered, &w, kind, 0);
    assert_true(shelf->puts > 0 && shelf->gets > 0);
    tlsock_config_unref(w.cc);
    tlsock_config_unref(w.sc);
    test_free(shelf);
}

static struct peer first; /* a connection whose session others go by */
static unsigned char saved[TLSOCK_SESSION_MAX];
static size_t saved_len;

/* A config that has won none itself learns what it would be bound to. */
static int by_another(struct world *w, int load)
{
    struct peer p;
    int rc = 0;

    w->cc = client(w);
    if (w->cc == NULL)
        return w->err.code;
    peer_init(&p);
    if (load)
        rc = tlsock_session_load(w->cc, saved, saved_len);
    if (rc == TLSOCK_E_STATE) {
        if (strstr(tlsock_config_error(w->cc)->message, "other") != NULL)
            w->broken = "what lacks memory is not taken for other trust";
        rc = 0; /* not taken, for want of memory */
    }
    rc = fail_of(w, w->cc, rc);
    if (rc == 0)
        rc = visit(w, &p, load ? NULL : first.conn[CLIENT]);
    w->accepted = rc == 0;
    peer_free(&p);
    tlsock_config_unref(w->cc);
    w->cc = NULL;
    return rc;
}

static int loaded(struct world *w)
{
    return by_another(w, 1);
}

static int followed(struct world *w)
{
    return by_another(w, 0);
}

static void with_another(enum fault_kind kind, const char *version)
{
    struct world w = {.sc = ca_server(ca_get()->a, NULL),
                      .name = "a.test",
                      .with = version,
                      .dense = 10,
                      .stride = 401};
    struct world own = w;

    own.cc = client(&own);
    assert_int_equal(visit(&own, &first, NULL), 0);
    saved_len = sizeof(saved);
    assert_code(tlsock_session_save(first.conn[CLIENT], saved, &saved_len), 0);
    each("loaded", loaded, &w, kind, 0);
    each("followed", followed, &w, kind, 0);
    peer_free(&first);
    tlsock_config_unref(own.cc);
    tlsock_config_unref(w.sc);
}

static void with(enum fault_kind kind)
{
    static const char *const versions[] = {"1.2", "1.3"};

    for (size_t v = 0; v < COUNT(versions); v++) {
        struct world good = {.sc = ca_server(ca_get()->a, NULL),
                             .name = "a.test",
                             .with = versions[v],
                             .dense = 10,
                             .stride = 401};
        struct world bad = good;

        each("kept", kept, &good, kind, 0);
        bad.name = "other.test";
        each("not kept", kept, &bad, kind, TLSOCK_E_NAME_MISMATCH);
        tlsock_config_unref(good.sc);
        with_a_store(kind, versions[v]);
        with_another(kind, versions[v]);
    }
    unlink(file());
}

static void own_memory_may_fail_while_sessions_are_kept(void **state)
{
    (void)state;
    with(FAULT_OWN);
}

static void openssls_memory_may_fail_while_sessions_are_kept(void **state)
{
    (void)state;
    with(FAULT_OPENSSL);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest own[] = {
        cmocka_unit_test(own_memory_may_fail_while_sessions_are_kept)};
    static const struct CMUnitTest openssl[] = {
        cmocka_unit_test(openssls_memory_may_fail_while_sessions_are_kept)};

    fault_init();
    if (argc == 2 && strcmp(argv[1], "own") == 0)
        return cmocka_run_group_tests_name("sessions-own", own, ca_setup,
                                           ca_teardown);
    return cmocka_run_group_tests_name("sessions-openssl", openssl, ca_setup,
                                       ca_teardown);
}
