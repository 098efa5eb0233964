/* For n = 1, 2, ... the n-th allocation of the library, then of OpenSSL,
 * fails: every time a clear code, no crash, no leak (the sanitizer's part), and
 * never a peer accepted that would not have been. */
#include "ca.h"
#include "each.h"
#include "peer.h"

#include <sys/socket.h>

typedef ssize_t call(tlsock *s);

static ssize_t ping(tlsock *s)
{
    return tlsock_write(s, "ping", 4);
}

static ssize_t pong(tlsock *s)
{
    return tlsock_printf(s, "%s\n", "pong");
}

static ssize_t hear(tlsock *s)
{
    char got[8];

    return tlsock_read(s, got, sizeof(got));
}

static ssize_t look(tlsock *s)
{
    char got[8];

    return tlsock_peek(s, got, sizeof(got));
}

static ssize_t line(tlsock *s)
{
    char *text = NULL;
    size_t cap = 0;
    ssize_t n = tlsock_getline(s, &text, &cap, 100);

    free(text);
    return n;
}

static ssize_t end(tlsock *s)
{
    return tlsock_shutdown(s, SHUT_WR);
}

static int talk(struct world *w, struct peer *p)
{
    static const struct {
        enum peer_side side;
        call *call;
    } steps[] = {{CLIENT, ping}, {SERVER, hear}, {SERVER, pong}, {CLIENT, look},
                 {CLIENT, line}, {CLIENT, end},  {SERVER, hear}};

    for (size_t i = 0; i < COUNT(steps); i++) {
        tlsock *s = p->conn[steps[i].side];
        ssize_t rc = TLSOCK_AGAIN;

        /* everything is there, but a short supply may ask for patience */
        for (int k = 0; k < 3 && rc == TLSOCK_AGAIN; k++)
            rc = steps[i].call(s);
        if (rc < 0)
            return note(w, tlsock_last_error(s), (int)rc);
    }
    return 0;
}

/* connect, handshake, data both ways, close_notify */
static int connection(struct world *w)
{
    struct peer p;
    int rc;

    peer_init(&p);
    rc = peer_open(&p, w->cc, w->sc, w->name);
    if (rc < 0)
        note(w, p.err[CLIENT].code != 0 ? &p.err[CLIENT] : &p.err[SERVER], rc);
    if (rc == 0)
        rc = peer_shake(&p);
    w->accepted = p.conn[CLIENT] != NULL && p.rc[CLIENT] == 0;
    for (int side = CLIENT; side <= SERVER && rc < 0; side++)
        if (p.rc[side] < TLSOCK_AGAIN &&
            (w->err.code == 0 || p.err[side].code == TLSOCK_E_NOMEM))
            w->err = p.err[side];
    if (rc == 0)
        rc = talk(w, &p);
    for (int side = CLIENT; side <= SERVER; side++) {
        tlsock_close(p.conn[side]);
        p.conn[side] = NULL;
    }
    peer_free(&p);
    return rc;
}

static int config_code(struct world *w, tlsock_config *c, int rc)
{
    return rc < 0 ? note(w, tlsock_config_error(c), rc) : 0;
}

/* configs from files, built in full, without a connection yet */
static int from_nothing(struct world *w)
{
    const struct test_ca *ca = ca_get();
    tlsock_config *cc = tlsock_config_new(), *sc = tlsock_config_new();
    int rc = TLSOCK_E_NOMEM;

    if (setenv("SECRET", "5b7d19a1c5e84e9f8d0a4cc0bd55f24c", 0) != 0)
        rc = TLSOCK_E_SYSTEM;

    if (cc == NULL || sc == NULL) {
        w->err.code = rc; /* a constructor without an error of its own */
        goto out;
    }
    rc = config_code(w, cc, tlsock_config_add_trust(cc, ca->root_pem));
    if (rc == 0)
        rc = config_code(w, cc, tlsock_config_set(cc, "alpn", "h2,http/1.1"));
    if (rc == 0)
        rc = config_code(w, sc,
                         tlsock_config_set(sc, "ciphers", "ECDHE+AESGCM"));
    if (rc == 0)
        rc = config_code(
            w, sc, tlsock_config_add_identity(sc, ca->a_pem, ca->a_key, NULL));
    if (rc == 0)
        rc = config_code(
            w, sc,
            tlsock_config_set(sc, "tickets.secret", "rediss://:p@h/?key=k"));
    if (rc == 0)
        rc = config_code(w, sc,
                         tlsock_config_set(sc, "tickets.secret", "env:SECRET"));
    if (rc == 0)
        rc = config_code(w, cc, tlsock_config_check(cc));
    if (rc == 0)
        rc = config_code(w, sc, tlsock_config_check(sc));
out:
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
    return rc;
}

static int listening(struct world *w)
{
    tlsock_error err = {0};
    tlsock_listener *l = tlsock_listen("127.0.0.1:0", w->sc,
                                       TLSOCK_OPTS(.nonblocking = 1), &err);

    if (l == NULL)
        return note(w, &err, err.code);
    if (tlsock_accept(l, &err) != NULL)
        return TLSOCK_E_STATE;
    tlsock_listener_free(l);
    return err.code == TLSOCK_AGAIN ? 0 : note(w, &err, err.code);
}

static void with(const char *what, scenario *run, enum fault_kind kind,
                 const char *tls_max, const char *session, const char *name,
                 int want)
{
    struct world w = {.name = name};

    /* Loading files is 19,000 allocations, nearly all of them OpenSSL's trials
     * of other formats: each line of its will do. Connections are tried at
     * every n. */
    w.by_line = run == from_nothing;
    w.cc = ca_client("tls.max", tls_max, "session", session, NULL);
    w.sc = ca_server(ca_get()->a, NULL);
    each(what, run, &w, kind, want);
    tlsock_config_unref(w.cc);
    tlsock_config_unref(w.sc);
}

#define CASE(name, run, kind, tls_max, session, host, want)                    \
    static void name(void **state)                                             \
    {                                                                          \
        (void)state;                                                           \
        with(#name, run, kind, tls_max, session, host, want);                  \
    }

CASE(own_memory_may_fail_in_tls_12, connection, FAULT_OWN, "1.2", "off",
     "a.test", 0)
CASE(own_memory_may_fail_in_tls_13, connection, FAULT_OWN, "1.3", "off",
     "a.test", 0)
CASE(own_memory_may_fail_when_resuming, connection, FAULT_OWN, "1.3", "on",
     "a.test", 0)
CASE(own_memory_may_fail_from_nothing, from_nothing, FAULT_OWN, "1.3", "on",
     "a.test", 0)
CASE(own_memory_may_fail_in_listen, listening, FAULT_OWN, "1.3", "on", "a.test",
     0)
CASE(own_failures_let_no_wrong_name_pass, connection, FAULT_OWN, "1.3", "off",
     "b.test", TLSOCK_E_NAME_MISMATCH)
CASE(openssl_memory_may_fail_in_tls_12, connection, FAULT_OPENSSL, "1.2", "off",
     "a.test", 0)
CASE(openssl_memory_may_fail_in_tls_13, connection, FAULT_OPENSSL, "1.3", "off",
     "a.test", 0)
CASE(openssl_memory_may_fail_when_resuming, connection, FAULT_OPENSSL, "1.3",
     "on", "a.test", 0)
CASE(openssl_memory_may_fail_in_listen, listening, FAULT_OPENSSL, "1.3", "on",
     "a.test", 0)
CASE(openssl_memory_may_fail_from_nothing, from_nothing, FAULT_OPENSSL, "1.3",
     "on", "a.test", 0)
CASE(openssl_failures_let_no_wrong_name_pass, connection, FAULT_OPENSSL, "1.3",
     "off", "b.test", TLSOCK_E_NAME_MISMATCH)

#define PART(name)                                                             \
    {                                                                          \
#name, name, NULL, NULL, NULL                                          \
    }

/* One part per process: they take a while, and may run side by side. */
static int run_part(const char *part)
{
    const struct CMUnitTest own[] = {
        PART(own_memory_may_fail_in_tls_12),
        PART(own_memory_may_fail_in_tls_13),
        PART(own_memory_may_fail_when_resuming),
        PART(own_memory_may_fail_from_nothing),
        PART(own_memory_may_fail_in_listen),
        PART(own_failures_let_no_wrong_name_pass),
    };
    const struct CMUnitTest tls12[] = {PART(openssl_memory_may_fail_in_tls_12)};
    const struct CMUnitTest tls13[] = {PART(openssl_memory_may_fail_in_tls_13)};
    const struct CMUnitTest config[] = {
        PART(openssl_memory_may_fail_in_listen),
        PART(openssl_memory_may_fail_when_resuming),
        PART(openssl_memory_may_fail_from_nothing)};
    const struct CMUnitTest refusal[] = {
        PART(openssl_failures_let_no_wrong_name_pass)};

    if (strcmp(part, "own") == 0)
        return cmocka_run_group_tests(own, ca_setup, ca_teardown);
    if (strcmp(part, "tls12") == 0)
        return cmocka_run_group_tests(tls12, ca_setup, ca_teardown);
    if (strcmp(part, "tls13") == 0)
        return cmocka_run_group_tests(tls13, ca_setup, ca_teardown);
    if (strcmp(part, "config") == 0)
        return cmocka_run_group_tests(config, ca_setup, ca_teardown);
    if (strcmp(part, "refusal") == 0)
        return cmocka_run_group_tests(refusal, ca_setup, ca_teardown);
    return 2;
}

int main(int argc, char **argv)
{
    static const char *const all[] = {"own", "tls12", "tls13", "config",
                                      "refusal"};
    int rc = 0;

    fault_init();
    if (argc > 1)
        return run_part(argv[1]);
    for (size_t i = 0; i < COUNT(all); i++)
        rc |= run_part(all[i]);
    return rc;
}
