/* The n-th allocation fails while a handle goes up and down between plaintext
 * and TLS, and while TLS runs inside TLS. What must hold at every n: a clear
 * code or success, no leak, nothing said in TLS that shows on the wire, no
 * plaintext because memory was short, and no wrong name or injected byte that
 * slips through. */
#include "ca.h"
#include "ends.h"

struct dialogue {
    const char *protocol, *arg, *down; /* down: what ends TLS, or NULL */
};

static int starttls(tlsock *s, const void *arg)
{
    const struct dialogue *d = arg;

    return tlsock_starttls(s, d->protocol, d->arg);
}

static int starttls_down(tlsock *s, const void *arg)
{
    const struct dialogue *d = arg;

    return tlsock_starttls(s, d->protocol, d->down);
}

static int up(tlsock *s, const void *unused)
{
    (void)unused;
    return tlsock_start_tls(s, NULL);
}

static int down(tlsock *s, const void *unused)
{
    (void)unused;
    return tlsock_stop_tls(s);
}

/* plain -> dialogue -> TLS -> plain -> TLS -> plain -> TLS */
static int up_and_down(struct world *w)
{
    const struct dialogue *d = w->with;
    static const int64_t plain = TLSOCK_STATE_PLAIN, tls = TLSOCK_STATE_TLS;
    const struct {
        ends_step_fn *step;
        int64_t state;
    } steps[] = {{starttls, tls},
                 {d->down != NULL ? starttls_down : down, plain},
                 {up, tls},
                 {down, plain},
                 {up, tls}};
    struct peer p;
    int rc = ends_open(w, &p, TLSOCK_OPTS(.nonblocking = 1, .plain = 1));

    for (size_t i = 0; i < COUNT(steps) && rc == 0; i++) {
        rc = ends_step(w, &p, steps[i].step, d);
        if (rc == 0)
            rc = ends_talk(w, &p, steps[i].state);
    }
    if (rc == 0)
        rc = ends_close(w, &p);
    else
        ends_insist(w, &p);
    peer_free(&p);
    return rc;
}

/* The server offers TLS: plaintext is no way out of a lack of memory. */
static int opportunistic(struct world *w)
{
    struct peer p;
    int rc =
        ends_open(w, &p, TLSOCK_OPTS(.nonblocking = 1, .starttls = "smtp"));

    if (rc == 0)
        rc = ends_shake(w, &p);
    if (p.conn[CLIENT] != NULL &&
        tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_STATE) ==
            TLSOCK_STATE_PLAIN)
        w->broken = "plaintext, though the server offers TLS";
    if (rc == 0)
        rc = ends_talk(w, &p, TLSOCK_STATE_TLS);
    else
        ends_insist(w, &p);
    peer_free(&p);
    return rc;
}

struct hostile {
    enum peer_side victim;
    const char *protocol, *says;
};

/* One side alone, and what somebody put on the wire. */
static int injected(struct world *w)
{
    const struct hostile *h = w->with;
    const tlsock_opts *o =
        TLSOCK_OPTS(.nonblocking = 1, .starttls = h->protocol);
    struct peer p;
    tlsock *s;
    int rc = TLSOCK_AGAIN;

    peer_init(&p);
    pipe_inject(&p.pipes[!h->victim], h->says, strlen(h->says));
    s = h->victim == CLIENT
            ? tlsock_client_io(&peer_io, &p.ends[CLIENT], w->name, w->cc, o,
                               &w->err)
            : tlsock_server_io(&peer_io, &p.ends[SERVER], w->sc, o, &w->err);
    p.conn[h->victim] = s;
    if (s == NULL)
        rc = w->err.code;
    for (int i = 0; i < 20 && rc == TLSOCK_AGAIN; i++)
        rc = tlsock_handshake(s);
    w->accepted = rc == 0;
    if (s != NULL && rc < TLSOCK_AGAIN) {
        note(w, tlsock_last_error(s), rc);
        ends_insist(w, &p);
    }
    peer_free(&p);
    return rc;
}

struct nest {
    tlsock_config *servers[2]; /* a.test, b.test, in turns */
    const char *names[3];
    int wrong; /* the layer whose name is; -1: none */
};

static int nest_one(struct world *w, struct peer *p, int depth)
{
    const struct nest *n = w->with;
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1);
    tlsock *c, *s;

    p->rc[CLIENT] = p->rc[SERVER] = TLSOCK_AGAIN;
    c = tlsock_client_over(p->conn[CLIENT], n->names[depth], w->cc, o,
                           &p->err[CLIENT]);
    if (c == NULL)
        return note(w, &p->err[CLIENT], p->err[CLIENT].code);
    p->conn[CLIENT] = c;
    s = tlsock_server_over(p->conn[SERVER], n->servers[depth % 2], o,
                           &p->err[SERVER]);
    if (s == NULL)
        return note(w, &p->err[SERVER], p->err[SERVER].code);
    p->conn[SERVER] = s;
    return 0;
}

/* TLS in TLS in TLS */
static int nested(struct world *w)
{
    const struct nest *n = w->with;
    struct peer p;
    int rc = ends_open(w, &p, TLSOCK_OPTS(.nonblocking = 1));

    for (int depth = 0; depth < 3 && rc == 0; depth++) {
        rc = depth > 0 ? nest_one(w, &p, depth) : 0;
        if (rc == 0)
            rc = ends_shake(w, &p);
        w->accepted |= depth == n->wrong && p.rc[CLIENT] == 0;
    }
    if (rc == 0)
        rc = ends_talk(w, &p, TLSOCK_STATE_TLS);
    if (rc == 0)
        rc = ends_close(w, &p);
    else
        ends_insist(w, &p);
    peer_free(&p);
    return rc;
}

/* cc and sc are made here; all else is in w. */
static void with(const char *what, scenario *run, enum fault_kind kind,
                 struct world w, const char *starttls_mode, int want)
{
    w.cc = ca_client("starttls", starttls_mode, NULL);
    w.sc = ca_server(ca_get()->a, NULL);
    w.name = w.name != NULL ? w.name : "a.test";
    w.dense = 200;
    w.stride = w.stride != 0 ? w.stride : 41;
    each(what, run, &w, kind, want);
    tlsock_config_unref(w.cc);
    tlsock_config_unref(w.sc);
}

static const struct dialogue dialogues[] = {
    {"ftp", "P", "ccc"},      {"smtp", NULL, NULL}, {"ldap", NULL, NULL},
    {"postgres", NULL, NULL}, {"xmpp", NULL, NULL}, {"mysql", NULL, NULL},
};

static void own_memory_may_fail_on_the_way_up_and_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(dialogues); i++)
        with(dialogues[i].protocol, up_and_down, FAULT_OWN,
             (struct world){.with = &dialogues[i]}, "required", 0);
}

/* A dialogue asks nothing of OpenSSL: two of them will do. */
static void openssl_memory_may_fail_on_the_way_up_and_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        with(dialogues[i].protocol, up_and_down, FAULT_OPENSSL,
             (struct world){.with = &dialogues[i]}, "required", 0);
}

static const enum fault_kind both_kinds[] = {FAULT_OWN, FAULT_OPENSSL};

static void no_memory_is_no_reason_for_plaintext(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(both_kinds); i++)
        with("opportunistic", opportunistic, both_kinds[i], (struct world){0},
             "opportunistic", 0);
}

static void injected_bytes_stay_refused(void **state)
{
    static const struct hostile cases[] = {
        {CLIENT, "smtp",
         "220 x\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n250 evil\r\n"},
        {CLIENT, "postgres", "SX"},
        {SERVER, "smtp", "EHLO c\r\nSTARTTLS\r\nMAIL FROM:<evil>\r\n"},
        {SERVER, "imap", "a STARTTLS\r\nb LOGIN x y\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(cases); i++)
        with(cases[i / 2].protocol, injected, FAULT_OWN,
             (struct world){.with = &cases[i / 2]},
             i % 2 == 0 ? "required" : "opportunistic", TLSOCK_E_INJECTION);
}

/* The names of the three layers; the servers show a.test, b.test, a.test. */
static const struct {
    const char *what, *names[3];
    int wrong;
} nests[] = {
    {"three layers", {"a.test", "b.test", "a.test"}, -1},
    {"outer name wrong", {"b.test", "b.test", "a.test"}, 0},
    {"middle name wrong", {"a.test", "a.test", "a.test"}, 1},
    {"inner name wrong", {"a.test", "b.test", "b.test"}, 2},
};

static void nest_with(enum fault_kind kind, long stride)
{
    tlsock_config *a = ca_server(ca_get()->a, NULL);
    tlsock_config *b = ca_server(ca_get()->b, NULL);

    for (size_t i = 0; i < COUNT(nests); i++) {
        struct nest n = {.servers = {a, b}, .wrong = nests[i].wrong};

        memcpy(n.names, nests[i].names, sizeof(n.names));
        with(nests[i].what, nested, kind,
             (struct world){.with = &n, .name = n.names[0], .stride = stride},
             "required", n.wrong >= 0 ? TLSOCK_E_NAME_MISMATCH : 0);
    }
    tlsock_config_unref(a);
    tlsock_config_unref(b);
}

static void own_memory_may_fail_in_any_layer(void **state)
{
    (void)state;
    nest_with(FAULT_OWN, 0);
}

static void openssl_memory_may_fail_in_any_layer(void **state)
{
    (void)state;
    nest_with(FAULT_OPENSSL, 83);
}

/* One part per process: they may run side by side. */
int main(int argc, char **argv)
{
    const struct CMUnitTest own[] = {
        cmocka_unit_test(own_memory_may_fail_on_the_way_up_and_down),
        cmocka_unit_test(injected_bytes_stay_refused),
        cmocka_unit_test(own_memory_may_fail_in_any_layer),
    };
    const struct CMUnitTest openssl[] = {
        cmocka_unit_test(openssl_memory_may_fail_on_the_way_up_and_down),
        cmocka_unit_test(no_memory_is_no_reason_for_plaintext),
        cmocka_unit_test(openssl_memory_may_fail_in_any_layer),
    };
    int rc = 0;

    fault_init();
    if (argc < 2 || strcmp(argv[1], "own") == 0)
        rc |= cmocka_run_group_tests(own, ca_setup, ca_teardown);
    if (argc < 2 || strcmp(argv[1], "openssl") == 0)
        rc |= cmocka_run_group_tests(openssl, ca_setup, ca_teardown);
    return rc;
}
