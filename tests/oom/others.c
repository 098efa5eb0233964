/* The functions that no other program here calls, with the n-th allocation
 * failing: what a certificate, a config and a connection tell, and what is
 * handed out for good. What must hold at every n: the result or its absence,
 * nothing by half, no leak. tools/check-torture holds all programs against the
 * headers. */
#include "ca.h"
#include "ends.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <tlsock/cert.h>
#include <tlsock/hook.h>
#include <tlsock/info.h>
#include <tlsock/openssl.h>
#include <tlsock/prints.h>
#include <tlsock/revoke.h>
#include <unistd.h>

static tlsock_csr *request;
static char key_uri[64], crl[64];

/* What tells of a failure by its result alone. */
static int lacks(struct world *w)
{
    static const tlsock_error err = {.code = TLSOCK_E_NOMEM,
                                     .message = "told by the result"};

    return note(w, &err, TLSOCK_E_NOMEM);
}

/* --- certificates */

static int whose_path(struct world *w)
{
    tlsock_error err = {0};
    tlsock_verify_opts o;
    tlsock_cert *path = NULL;
    int rc;

    tlsock_verify_opts_init(&o, sizeof(o));
    o.name = "a.test";
    rc = tlsock_verify(ca_get()->a, w->cc, &o, &err);
    if (rc == 0)
        rc = tlsock_verify_path(ca_get()->a, w->cc, &o, &path, &err);
    if (rc < 0)
        return note(w, &err, rc);
    if (path == NULL || tlsock_cert_chain_len(path) < 1)
        w->broken = "verified, and there is no path";
    tlsock_cert_unref(path);
    return 0;
}

static int certificates(struct world *w)
{
    tlsock_cert *a = tlsock_cert_ref(ca_get()->a), *at;
    char text[200];
    tlsock_cert_opts o;
    int rc = 0;

    tlsock_cert_opts_init(&o, sizeof(o));
    at = tlsock_cert_chain_at(a, 0);
    if (at == NULL ||
        tlsock_cert_fingerprint(a, "sha256", 1, text, sizeof(text)) < 0 ||
        tlsock_csr_field(request, TLSOCK_CERT_SUBJECT) == NULL)
        rc = lacks(w);
    else if (strcmp(tlsock_csr_field(request, TLSOCK_CERT_SUBJECT),
                    "CN=r.test") != 0)
        w->broken = "the request says something else";
    tlsock_cert_unref(at);
    tlsock_cert_unref(a);
    return rc != 0 ? rc : whose_path(w);
}

/* --- configs */

static int count_file(const char *path, int use, void *arg)
{
    (void)path;
    (void)use;
    ++*(int *)arg;
    return 0;
}

static int configs(struct world *w)
{
    tlsock_config *c = tlsock_config_new(), *again;
    int files = 0, rc;

    if (c == NULL)
        return lacks(w);
    again = tlsock_config_ref(c);
    rc = tlsock_config_add_trust(again, ca_get()->root_pem);
    if (rc == 0)
        rc = tlsock_config_add_crl(c, crl);
    if (rc == 0)
        rc = tlsock_config_add_psk_uri(c, "dev1", key_uri);
    if (rc != 0)
        rc = note(w, tlsock_config_error(c), rc);
    else if (tlsock_config_get_ctx(c) == NULL)
        rc = note(w, tlsock_config_error(c), TLSOCK_E_NOMEM);
    else if (tlsock_config_files(c, count_file, &files) != 0)
        rc = lacks(w);
    else if (files == 0)
        w->broken = "the file of the CA is not told";
    tlsock_config_unref(again);
    tlsock_config_unref(c);
    return rc;
}

/* --- connections */

static int choose(const tlsock_event *e, void *arg)
{
    int rc = tlsock_use_cert(e->conn, ca_get()->b);

    (void)arg;
    return rc == 0 ? tlsock_use_version(e->conn, "1.3") : rc;
}

static int ask_about(struct world *w, tlsock *s)
{
    tlsock_error err = {0};
    tlsock_revocation *r = tlsock_revocation_new(s, &err);
    tlsock_fetch f = {.size = sizeof(f)};
    int rc;

    if (r == NULL)
        return note(w, &err, err.code);
    rc = tlsock_revocation_next(r, &f);
    if (rc == 1)
        rc = tlsock_revocation_answer(r, &f, NULL, 0);
    if (rc >= 0)
        rc = tlsock_revocation_run(r, 0);
    if (rc >= 0 && tlsock_revocation_verdict(r, &err) == 0)
        w->broken = "nobody was asked, and all is well";
    tlsock_revocation_free(r);
    return rc < 0 && rc != TLSOCK_E_REVOCATION_UNKNOWN ? lacks(w) : 0;
}

static int told(struct world *w, struct peer *p)
{
    tlsock *s = p->conn[CLIENT];
    char text[200], json[20000];
    unsigned char secret[32];
    tlsock_cert *peer = tlsock_peer_cert(s),
                *own = tlsock_own_cert(p->conn[SERVER]);
    int rc = 0;

    if (peer == NULL || own == NULL ||
        tlsock_cert_field(peer, TLSOCK_CERT_SHA256) == NULL ||
        tlsock_cert_field(own, TLSOCK_CERT_SHA256) == NULL ||
        strcmp(fault_refused(), "X509_digest") == 0)
        rc = lacks(w);
    else if (strcmp(tlsock_cert_field(peer, TLSOCK_CERT_SHA256),
                    tlsock_cert_field(own, TLSOCK_CERT_SHA256)) != 0)
        w->broken = "the two ends name two certificates";
    if (rc == 0 &&
        (tlsock_info_json(s, json, sizeof(json)) < 0 ||
         tlsock_export(s, "EXPORTER-test", NULL, 0, secret, 32) != 0 ||
         tlsock_fingerprint(s, "sha256", 0, text, sizeof(text)) < 0 ||
         tlsock_hello_print(p->pipes[CLIENT].data + 5,
                            p->pipes[CLIENT].len > 5
                                ? (size_t)p->pipes[CLIENT].data[3] * 256 +
                                      p->pipes[CLIENT].data[4]
                                : 0,
                            TLSOCK_INFO_JA4, text, sizeof(text)) < 0))
        rc = lacks(w);
    if (rc == 0 && strncmp(text, "t13", 3) != 0)
        w->broken = "the print is of something else";
    tlsock_cert_unref(peer);
    tlsock_cert_unref(own);
    return rc;
}

static int done_with(struct world *w, struct peer *p)
{
    struct iovec two[2] = {{(void *)(uintptr_t) "pi", 2},
                           {(void *)(uintptr_t) "ng", 2}};
    tlsock *s = p->conn[CLIENT];
    char got[8], line[400];
    ssize_t n;
    int rc;

    tlsock_set_user(s, w);
    if (tlsock_user(s) != w || tlsock_get_ssl(s) == NULL)
        w->broken = "what was kept is gone";
    n = tlsock_writev(s, two, 2);
    if (n < 0)
        return note(w, tlsock_last_error(s), (int)n);
    n = tlsock_read(p->conn[SERVER], got, 1);
    if (n < 0)
        return note(w, tlsock_last_error(p->conn[SERVER]), (int)n);
    if (tlsock_pending(p->conn[SERVER]) != 3)
        w->broken = "three bytes of four have to be there";
    rc = tlsock_request_client_cert(p->conn[SERVER]);
    if (rc < TLSOCK_AGAIN && rc != TLSOCK_E_STATE)
        return note(w, tlsock_last_error(p->conn[SERVER]), rc);
    if (tlsock_adopt(s) != 0)
        w->broken = "nobody but us has forked";
    if (tlsock_set_timeout(s, 1000) != 0)
        w->broken = "no time is taken for it";
    (void)tlsock_interrupt(s);
    n = tlsock_read(s, got, sizeof(got));
    if (n == TLSOCK_E_INTERRUPTED &&
        tlsock_error_format(tlsock_last_error(s), TLSOCK_ERROR_JSON, line,
                            sizeof(line)) < 0)
        return lacks(w);
    return 0;
}

static int connections(struct world *w)
{
    tlsock_config *sc = tlsock_config_new();
    tlsock_opts o;
    struct peer p;
    int rc;

    if (sc == NULL)
        return lacks(w);
    w->sc = sc;
    peer_init(&p);
    tlsock_opts_init(&o, sizeof(o));
    o.nonblocking = 1;
    rc = tlsock_config_add_cert(sc, ca_get()->a);
    if (rc == 0)
        rc = tlsock_config_on(sc, TLSOCK_ON_HELLO, choose, NULL);
    if (rc != 0)
        rc = note(w, tlsock_config_error(sc), rc);
    if (rc == 0)
        rc = ends_open(w, &p, &o);
    if (rc == 0)
        rc = ends_shake(w, &p);
    if (rc == 0)
        rc = told(w, &p);
    if (rc == 0)
        rc = ask_about(w, p.conn[CLIENT]);
    if (rc == 0)
        rc = done_with(w, &p);
    peer_free(&p);
    tlsock_config_unref(sc);
    return rc;
}

/* The descriptor stays the caller's until it is handed over. */
static int taken_out(struct world *w)
{
    tlsock_error err = {0};
    tlsock *s;
    int fds[2], fd = -1, rc = 0;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    s = tlsock_client_fd(fds[0], "a.test", w->cc, TLSOCK_OPTS(.plain = 1),
                         &err);
    if (s == NULL)
        rc = note(w, &err, err.code);
    else
        rc = tlsock_detach(s, &fd);
    if (s != NULL && rc != 0) {
        rc = note(w, tlsock_last_error(s), rc);
        tlsock_abandon(s);
    } else if (rc == 0 && fd != fds[0]) {
        w->broken = "another descriptor came out";
    }
    if (s == NULL || rc == 0)
        close(fds[0]);
    close(fds[1]);
    return rc;
}

/* --- what belongs to no object */

static int of_the_library(struct world *w)
{
    const tlsock_option *o = NULL;
    char text[100];
    size_t n = 0;
    int rc;

    while ((o = tlsock_option_next(o)) != NULL)
        n++;
    if (n < 50 || tlsock_version() == NULL || tlsock_openssl_version() == NULL)
        w->broken = "a table lacks something";
    if (tlsock_trust_store() == NULL || tlsock_dane_anchor() == NULL ||
        tlsock_policy_text() == NULL)
        return lacks(w);
    rc = tlsock_public_suffix("a.b.example.com", 1, text, sizeof(text));
    if (rc < 0)
        return rc == TLSOCK_E_UNSUPPORTED ? 0 : lacks(w);
    if (strcmp(text, "example.com") != 0)
        w->broken = "another suffix";
    return 0;
}

static const struct {
    const char *name;
    scenario *run;
} rows[] = {
    {"certificates", certificates},     {"configs", configs},
    {"connections", connections},       {"taken out", taken_out},
    {"of the library", of_the_library},
};

static void all(enum fault_kind kind)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w = {.name = "b.test", .by_line = 1};

        w.cc = ca_client(NULL);
        each(rows[i].name, rows[i].run, &w, kind, 0);
        tlsock_config_unref(w.cc);
    }
}

static void without_own_memory(void **state)
{
    (void)state;
    all(FAULT_OWN);
}

static void without_openssls_memory(void **state)
{
    (void)state;
    all(FAULT_OPENSSL);
}

static int set_up(void **state)
{
    static const char *const sans[] = {"r.test"};
    static const char psk[] = "000102030405060708090a0b0c0d0e0f"
                              "101112131415161718191a1b1c1d1e1f";
    char path[40] = "/tmp/othersXXXXXX";
    tlsock_error err = {0};
    int rc = ca_setup(state), fd = mkstemp(path);

    request =
        tlsock_csr_create(TLSOCK_CERT_OPTS(.sans = sans, .n_sans = 1), &err);
    snprintf(key_uri, sizeof(key_uri), "file:%s", path);
    if (request == NULL || fd < 0 || write(fd, psk, 64) != 64)
        return -1;
    close(fd);
    snprintf(crl, sizeof(crl), "%s.crl", path);
    if (tlsock_crl_save(
            TLSOCK_CRL_OPTS(.issuer = ca_get()->inter, .number = "1"),
            TLSOCK_FORMAT_PEM, crl, &err) != 0)
        return -1;
    return rc;
}

static int tear_down(void **state)
{
    unlink(key_uri + 5);
    unlink(crl);
    tlsock_csr_free(request);
    return ca_teardown(state);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest own[] = {cmocka_unit_test(without_own_memory)};
    const struct CMUnitTest openssl[] = {
        cmocka_unit_test(without_openssls_memory)};

    fault_init();
    if (argc > 1 && strcmp(argv[1], "openssl") == 0)
        return cmocka_run_group_tests_name("others-openssl", openssl, set_up,
                                           tear_down);
    return cmocka_run_group_tests_name("others-own", own, set_up, tear_down);
}
