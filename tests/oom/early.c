/* Early data with each allocation failing: none is told of twice, none is
 * taken for other data, and the handshake stands or falls as a whole. */
#include "ends.h"

#include "ca.h"

#include <openssl/ssl.h>

static const char ask[] = "may be done twice";

static int leave_a_session(struct world *w)
{
    struct peer p;
    int rc;

    peer_init(&p);
    rc = ends_open(w, &p, TLSOCK_OPTS(.nonblocking = 1));
    if (rc == 0)
        rc = ends_shake(w, &p);
    if (rc == 0)
        rc = ends_talk(w, &p, TLSOCK_STATE_TLS);
    if (rc == 0)
        rc = ends_close(w, &p);
    peer_free(&p);
    return rc;
}

static int failed(struct world *w, tlsock *s, ssize_t rc)
{
    return note(w, tlsock_last_error(s), (int)rc);
}

/* All of it, as the server reads it. */
static int take(struct world *w, struct peer *p, size_t sent)
{
    char got[64];
    size_t len = 0;

    for (;;) {
        ssize_t n =
            tlsock_read_early(p->conn[SERVER], got + len, sizeof(got) - len);

        if (n == TLSOCK_AGAIN && peer_step(p, CLIENT) < 0 &&
            p->rc[CLIENT] != TLSOCK_AGAIN)
            return note(w, &p->err[CLIENT], p->rc[CLIENT]);
        if (n == TLSOCK_AGAIN)
            continue;
        if (n < 0)
            return failed(w, p->conn[SERVER], n);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    if (len != 0 && (len != sent || memcmp(got, ask, len) != 0))
        w->broken = "early data arrives as it was sent, or not at all";
    return 0;
}

static int early(struct world *w)
{
    struct peer p;
    ssize_t n;
    int rc = leave_a_session(w);

    if (rc < 0)
        return rc;
    peer_init(&p);
    rc = ends_open(w, &p, TLSOCK_OPTS(.nonblocking = 1));
    if (rc < 0)
        goto out;
    n = tlsock_write_early(p.conn[CLIENT], ask, sizeof(ask));
    rc = n < 0 ? failed(w, p.conn[CLIENT], n) : take(w, &p, (size_t)n);
    if (rc == 0)
        rc = ends_shake(w, &p);
    if (rc == 0 && tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_EARLY_DATA) !=
                       tlsock_info_int(p.conn[SERVER], TLSOCK_INFO_EARLY_DATA))
        w->broken = "both sides know what became of early data";
    if (rc == 0)
        rc = ends_talk(w, &p, TLSOCK_STATE_TLS);
    if (rc == 0)
        rc = ends_close(w, &p);
out:
    peer_free(&p);
    return rc;
}

static int key_of(const tlsock_event *e, void *arg)
{
    (void)arg;
    memset(e->ticket, 1, sizeof(*e->ticket));
    return TLSOCK_ACCEPT;
}

static int not_seen(const tlsock_event *e, void *arg)
{
    (void)e;
    (void)arg;
    return 0;
}

/* With keys of the config, and with those of a hook: it is read aside then. */
static void run(const char *what, enum fault_kind kind)
{
    for (int hook = 0; hook < 2; hook++) {
        struct world w = {.name = "a.test", .dense = 60, .stride = 23};

        w.cc = ca_client("early-data", "100", NULL);
        w.sc = ca_server(ca_get()->a, "early-data", "100", NULL);
        if (hook) {
            assert_code(
                tlsock_config_on(w.sc, TLSOCK_ON_TICKET_KEY, key_of, NULL), 0);
            assert_code(
                tlsock_config_on(w.sc, TLSOCK_ON_EARLY_DATA, not_seen, NULL),
                0);
        }
        each(what, early, &w, kind, 0);
        tlsock_config_unref(w.cc);
        tlsock_config_unref(w.sc);
    }
}

static void own_memory_may_fail(void **state)
{
    (void)state;
    run("early data, own memory", FAULT_OWN);
}

static void openssl_memory_may_fail(void **state)
{
    (void)state;
    run("early data, OpenSSL's memory", FAULT_OPENSSL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_memory_may_fail),
        cmocka_unit_test(openssl_memory_may_fail),
    };

    fault_init();
    return cmocka_run_group_tests_name("early", tests, ca_setup, ca_teardown);
}
