/* Who is the peer, with the n-th allocation failing: keys shared beforehand,
 * clients that rules let in, hooks that have a say. What must hold at every n:
 * a clear code or success, and nobody comes in who would not have. */
#include "ca.h"
#include "ends.h"

static const char key_a[] = "0123456789abcdef0123456789abcdef";
static const char key_b[] = "another key of sixteen bytes or more";

/* How a side is set up, and whose acceptance counts. */
struct plot {
    const char *rules;    /* client-auth.allow, or NULL */
    tlsock_cert *shown;   /* the client's certificate, or NULL */
    const char *keys[2];  /* PSK of client and server, or NULL */
    int hosts;            /* the server has another certificate, too */
    int on, answer, late; /* an event of the client's, or 0 */
    const char *verified; /* what the judge then tells */
    enum peer_side judge;
    struct tlsock_op *op;
};

static int hook(const tlsock_event *e, void *arg)
{
    struct plot *p = arg;

    p->op = p->late ? e->op : NULL;
    return p->late ? TLSOCK_AGAIN : p->answer;
}

/* Of one config, all that the plot has for it. */
static int prepare(struct world *w, struct plot *p, tlsock_config *c,
                   enum peer_side side)
{
    const char *key = p->keys[side];
    int rc = 0;

    if (key != NULL)
        rc = tlsock_config_add_psk(c, "dev1", key, strlen(key));
    else if (side == SERVER)
        rc = tlsock_config_add_cert(c, ca_get()->a);
    if (rc == 0 && side == SERVER && p->hosts)
        rc = tlsock_config_add_cert(c, ca_get()->b);
    if (rc == 0 && side == CLIENT && p->shown != NULL)
        rc = tlsock_config_add_cert(c, p->shown);
    if (rc == 0 && side == SERVER && p->rules != NULL)
        rc = tlsock_config_set(c, "client-auth", "require");
    if (rc == 0 && side == SERVER && p->rules != NULL)
        rc = tlsock_config_set(c, "client-auth.allow", p->rules);
    if (rc == 0 && side == CLIENT && p->on != 0)
        rc = tlsock_config_on(c, p->on, hook, p);
    return rc == 0 ? 0 : note(w, tlsock_config_error(c), rc);
}

static int shake(struct world *w, struct plot *p, struct peer *both)
{
    int rc = ends_shake(w, both);

    if (rc == TLSOCK_AGAIN && p->op != NULL) {
        (void)tlsock_op_done(p->op, p->answer, NULL, 0);
        p->op = NULL;
        rc = ends_shake(w, both);
    }
    w->accepted = both->conn[p->judge] != NULL && both->rc[p->judge] == 0;
    if (w->accepted && rc == 0 && p->verified != NULL &&
        strcmp(tlsock_info(both->conn[p->judge], TLSOCK_INFO_VERIFIED),
               p->verified) != 0)
        w->broken = "accepted, and not for what it is";
    return rc;
}

/* Configs are made anew: what they hold is this scenario's, too. */
static int meeting(struct world *w)
{
    struct plot p = *(const struct plot *)w->with;
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1);
    struct peer both;
    int rc;

    w->cc = tlsock_config_copy(w->cc);
    w->sc = tlsock_config_copy(w->sc);
    rc = w->cc == NULL || w->sc == NULL
             ? note(w, &(tlsock_error){0}, TLSOCK_E_NOMEM)
             : prepare(w, &p, w->cc, CLIENT);
    if (rc == 0)
        rc = prepare(w, &p, w->sc, SERVER);
    peer_init(&both);
    if (rc == 0)
        rc = ends_open(w, &both, o);
    if (rc == 0)
        rc = shake(w, &p, &both);
    peer_free(&both);
    tlsock_config_unref(w->cc);
    tlsock_config_unref(w->sc);
    return rc;
}

static const struct row {
    const char *what, *name, *tls;
    struct plot plot;
    int want;
} rows[] = {
    {"psk", NULL, "1.3", {.keys = {key_a, key_a}, .verified = "psk dev1"}, 0},
    {"psk, TLS 1.2",
     NULL,
     "1.2",
     {.keys = {key_a, key_a}, .verified = "psk dev1"},
     0},
    {"another psk", NULL, "1.3", {.keys = {key_a, key_b}}, TLSOCK_E_PSK},
    {"another psk, TLS 1.2",
     NULL,
     "1.2",
     {.keys = {key_a, key_b}},
     TLSOCK_E_PSK},
    {"one of two hosts", "b.test", "1.3", {.hosts = 1, .verified = "chain"}, 0},
    {"the hook is asked",
     "a.test",
     "1.3",
     {.on = TLSOCK_ON_VERIFY, .verified = "chain"},
     0},
    {"the hook answers late",
     "a.test",
     "1.3",
     {.on = TLSOCK_ON_VERIFY, .late = 1, .verified = "chain"},
     0},
    {"the hook refuses",
     "a.test",
     "1.3",
     {.on = TLSOCK_ON_VERIFY, .answer = TLSOCK_E_HOOK},
     TLSOCK_E_HOOK},
    {"the hook refuses late",
     "a.test",
     "1.2",
     {.on = TLSOCK_ON_VERIFY, .answer = TLSOCK_E_HOOK, .late = 1},
     TLSOCK_E_HOOK},
    {"the hook leaves a wrong name",
     "b.test",
     "1.3",
     {.on = TLSOCK_ON_VERIFY},
     TLSOCK_E_NAME_MISMATCH},
    {"no staple is fine",
     "a.test",
     "1.3",
     {.on = TLSOCK_ON_STAPLE, .verified = "chain"},
     0},
    {"no staple is refused",
     "a.test",
     "1.3",
     {.on = TLSOCK_ON_STAPLE, .answer = TLSOCK_E_MUST_STAPLE},
     TLSOCK_E_MUST_STAPLE},
};

static const struct row clients[] = {
    {"a rule lets in",
     "a.test",
     "1.3",
     {.rules = "dns:x.test, cn:Test Client",
      .verified = "chain",
      .judge = SERVER},
     0},
    {"a rule of each kind keeps out",
     "a.test",
     "1.3",
     {.rules = "dns:x.test, dns:*.y.test, cn:Else, uri:spiffe://t/p/*, "
               "email:a@b.test, ip:192.0.2.1, issuer:Else, "
               "issuer:CN=Else\\,O=Else, sha256:00000000000000000000000000000"
               "00000000000000000000000000000000001",
      .judge = SERVER},
     TLSOCK_E_CLIENT_CERT_DENIED},
    {"the same in TLS 1.2",
     "a.test",
     "1.2",
     {.rules = "email:a@b.test, cn:Else", .judge = SERVER},
     TLSOCK_E_CLIENT_CERT_DENIED},
};

static void play(const struct row *row, tlsock_cert *shown,
                 enum fault_kind kind)
{
    struct plot plot = row->plot;
    struct world w = {
        .with = &plot, .name = row->name, .dense = 40, .stride = 31};

    plot.shown = shown;
    w.cc = plot.keys[CLIENT] != NULL ? tlsock_config_new() : ca_client(NULL);
    w.sc = tlsock_config_new();
    assert_code(tlsock_config_set(w.cc, "tls.max", row->tls), 0);
    if (shown != NULL)
        assert_code(tlsock_config_add_trust(w.sc, ca_get()->root_pem), 0);
    each(row->what, meeting, &w, kind, row->want);
    tlsock_config_unref(w.cc);
    tlsock_config_unref(w.sc);
}

static void all(enum fault_kind kind)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        play(&rows[i], NULL, kind);
    for (size_t i = 0; i < COUNT(clients); i++)
        play(&clients[i], ca_get()->client, kind);
}

static void nobody_comes_in_without_own_memory(void **state)
{
    (void)state;
    all(FAULT_OWN);
}

static void nobody_comes_in_without_openssls_memory(void **state)
{
    (void)state;
    all(FAULT_OPENSSL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest own[] = {
        cmocka_unit_test(nobody_comes_in_without_own_memory)};
    const struct CMUnitTest openssl[] = {
        cmocka_unit_test(nobody_comes_in_without_openssls_memory)};

    fault_init();
    return argc > 1 && strcmp(argv[1], "own") == 0
               ? cmocka_run_group_tests(own, ca_setup, ca_teardown)
               : cmocka_run_group_tests(openssl, ca_setup, ca_teardown);
}
