/* Sessions in a file: across restarts and processes, and until what ends. */
#include "lines.h"
#include "resuming.h"

#include "core/clock.h"
#include "session/file.h"
#include "revoke/cache.h"
#include "tls/conn.h"
#include "tls/ctx_private.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <tlsock/revoke.h>
#include <unistd.h>

static const char *file(void)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/sessions", ca_get()->dir);
    return path;
}

static tlsock_config *with_file(const char *version)
{
    return ca_client("tls.max", version, "session.file", file(), NULL);
}

/* once() with a config that is new each time, as after a restart */
static int restarted(const char *version, tlsock_config *sc, const char *key,
                     const char *value)
{
    tlsock_config *cc = with_file(version);
    int rc;

    if (key != NULL)
        assert_code(tlsock_config_set(cc, key, value), 0);
    rc = once(cc, sc, "a.test");
    tlsock_config_unref(cc);
    return rc;
}

static void a_file_survives_a_restart(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        struct stat st;

        unlink(file());
        assert_int_equal(restarted(versions[v], sc, NULL, NULL), 0);
        for (int i = 0; i < 3; i++)
            assert_int_equal(restarted(versions[v], sc, NULL, NULL), 1);
        assert_int_equal(stat(file(), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        tlsock_config_unref(sc);
    }
}

/* The file has a session of this peer, and yet there is none for those. */
static void other_settings_find_nothing_in_the_file(void **state)
{
    static const struct {
        const char *key, *value;
        int want;
    } rows[] = {{"timeout", "7s", 1},     {"alpn", "h2", 0},
                {"verify.depth", "7", 0}, {"insecure", "expired: lab box", 0},
                {"session", "off", 0},    {NULL, NULL, 1}};

    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *sc = ca_server(ca_get()->a, "tickets.count", "1", NULL);

        unlink(file());
        assert_int_equal(restarted(versions[v], sc, NULL, NULL), 0);
        for (size_t i = 0; i < COUNT(rows); i++)
            assert_int_equal(
                restarted(versions[v], sc, rows[i].key, rows[i].value),
                rows[i].want);
        tlsock_config_unref(sc);
    }
}

static void other_trust_finds_nothing_in_the_file(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *sc = ca_server(ca_get()->a, NULL), *cc;

        unlink(file());
        assert_int_equal(restarted(versions[v], sc, NULL, NULL), 0);
        cc = with_file(versions[v]);
        assert_code(tlsock_config_add_trust(cc, ca_get()->b_pem), 0);
        assert_int_equal(once(cc, sc, "a.test"), 0);
        tlsock_config_unref(cc);
        cc = tlsock_config_new();
        assert_code(tlsock_config_set(cc, "tls.max", versions[v]), 0);
        assert_code(tlsock_config_set(cc, "session.file", file()), 0);
        assert_code(tlsock_config_add_trust(cc, "none"), 0);
        assert_true(once(cc, sc, "a.test") <= TLSOCK_E_CHAIN_INCOMPLETE);
        tlsock_config_unref(cc);
        assert_int_equal(restarted(versions[v], sc, NULL, NULL), 1);
        tlsock_config_unref(sc);
    }
}

static void another_name_finds_nothing_in_the_file(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        tlsock_config *cc = with_file(versions[v]);

        unlink(file());
        assert_int_equal(restarted(versions[v], sc, NULL, NULL), 0);
        assert_code(once(cc, sc, "b.test"), TLSOCK_E_NAME_MISMATCH);
        assert_int_equal(restarted(versions[v], sc, NULL, NULL), 1);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void list_of(const char *path, const char *number, tlsock_cert *revoked)
{
    const tlsock_revoked one = {
        .size = sizeof(one),
        .serial = revoked != NULL
                      ? tlsock_cert_field(revoked, TLSOCK_CERT_SERIAL)
                      : NULL,
        .when = 1};
    tlsock_error err;

    if (tlsock_crl_save(TLSOCK_CRL_OPTS(.issuer = ca_get()->inter,
                                        .number = number, .revoked = &one,
                                        .n_revoked = revoked != NULL),
                        TLSOCK_FORMAT_PEM, path, &err) != 0)
        fail_msg("%s", err.message);
}

static int listed(const char *version, tlsock_config *sc, const char *list,
                  const char *roots)
{
    tlsock_config *cc = with_file(version);
    int rc;

    assert_code(tlsock_config_set(cc, "revocation", "crl"), 0);
    assert_code(tlsock_config_add_crl(cc, list), 0);
    assert_code(tlsock_config_add_crl(cc, roots), 0);
    rc = once(cc, sc, "a.test");
    tlsock_config_unref(cc);
    return rc;
}

/* Won before a list revoked the certificate: of no use since. */
static void a_session_does_not_outlive_a_revocation(void **state)
{
    char list[128], roots[128];

    (void)state;
    snprintf(list, sizeof(list), "%s/inter.crl", ca_get()->dir);
    snprintf(roots, sizeof(roots), "%s/root.crl", ca_get()->dir);
    if (tlsock_crl_save(
            TLSOCK_CRL_OPTS(.issuer = ca_get()->root, .number = "1"),
            TLSOCK_FORMAT_PEM, roots, NULL) != 0)
        fail();
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *sc = ca_server(ca_get()->a, "staple", "off", NULL);

        unlink(file());
        list_of(list, "1", NULL);
        assert_int_equal(listed(versions[v], sc, list, roots), 0);
        assert_int_equal(listed(versions[v], sc, list, roots), 1);
        list_of(list, "2", ca_get()->a);
        assert_code(listed(versions[v], sc, list, roots), TLSOCK_E_REVOKED);
        list_of(list, "3", NULL);
        assert_int_equal(listed(versions[v], sc, list, roots), 0);
        tlsock_config_unref(sc);
    }
}

/* Another connection has learned it meanwhile: known to the cache alone. */
static void what_is_learned_meanwhile_ends_a_session(void **state)
{
    char list[128], roots[128];

    (void)state;
    snprintf(list, sizeof(list), "%s/inter.crl", ca_get()->dir);
    snprintf(roots, sizeof(roots), "%s/root.crl", ca_get()->dir);
    list_of(list, "4", NULL);
    for (size_t i = 0; i < COUNT(versions) * 2; i++) {
        struct tsk_status st = {.state = i < 2 ? TSK_GOOD : TSK_REVOKED,
                                .by = TSK_BY_OCSP,
                                .as_of = 1,
                                .until = time(NULL) + 3600};
        tlsock_config *sc = ca_server(ca_get()->a, "staple", "off", NULL);
        tlsock_config *cc =
            ca_client("tls.max", versions[i % 2], "revocation", "crl", NULL);
        struct peer p;

        assert_code(tlsock_config_add_crl(cc, list), 0);
        assert_code(tlsock_config_add_crl(cc, roots), 0);
        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        peer_pingpong(&p);
        tsk_revcache_keep_status(p.conn[CLIENT]->ctx->revcache,
                                 p.conn[CLIENT]->facts->asked, &st);
        peer_close(&p);
        peer_free(&p);
        assert_int_equal(once(cc, sc, "a.test"), i < 2);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

/* The first of all ends counts, each in its turn. */
static void a_session_ends_when_the_first_of_its_ends_is_there(void **state)
{
    static const struct {
        const char *what, *timeout, *server_timeout;
        int after; /* seconds; the last one that resumes */
    } rows[] = {{"session.timeout", "100s", "7d", 99},
                {"the server's lifetime", "7d", "50s", 49}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        const char *version = versions[i % 2];
        tlsock_config *sc = ca_server(ca_get()->a, "session.timeout",
                                      rows[i / 2].server_timeout, NULL);
        tlsock_config *cc = ca_client("tls.max", version, "session.timeout",
                                      rows[i / 2].timeout, NULL);

        today = time(NULL);
        tsk_clock_wall = wall;
        assert_int_equal(once(cc, sc, "a.test"), 0);
        today += rows[i / 2].after;
        assert_int_equal(once(cc, sc, "a.test"), 1);
        today += rows[i / 2].after + 1; /* of the one that renewed it, too */
        assert_int_equal(once(cc, sc, "a.test"), 0);
        tsk_clock_wall = NULL;
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

/* Resuming renews a ticket, but not what was proven a week ago. */
static void a_week_after_the_handshake_there_is_another(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->a, "session.timeout", "7d", NULL);
    tlsock_config *cc = ca_client("session.timeout", "7d", NULL);

    (void)state;
    today = time(NULL);
    tsk_clock_wall = wall;
    assert_int_equal(once(cc, sc, "a.test"), 0);
    for (int day = 1; day < 7; day++) {
        today += 86400;
        assert_int_equal(once(cc, sc, "a.test"), 1);
    }
    today += 86400;
    assert_int_equal(once(cc, sc, "a.test"), 0);
    tsk_clock_wall = NULL;
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* The certificates of the tests live 90 days or so. */
static void a_session_ends_with_the_certificate(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->a, NULL), *cc;
    struct tm tm = {0};
    char near[32];
    time_t t;

    (void)state;
    assert_non_null(
        strptime(tlsock_cert_field(ca_get()->a, TLSOCK_CERT_NOT_AFTER),
                 "%Y-%m-%dT%H:%M:%SZ", &tm));
    t = timegm(&tm);
    for (int left = 0; left < 2; left++) {
        snprintf(near, sizeof(near), "%lld", (long long)t - 30 * left);
        cc = ca_client("verify.time", near, NULL);
        today = time(NULL);
        tsk_clock_wall = wall;
        assert_int_equal(once(cc, sc, "a.test"), 0);
        today += 29;
        assert_int_equal(once(cc, sc, "a.test"), left);
        today += 31;
        assert_int_equal(once(cc, sc, "a.test"), 0);
        tsk_clock_wall = NULL;
        tlsock_config_unref(cc);
    }
    tlsock_config_unref(sc);
}

/* Won by the program: what others could have written is told and left. */
static void a_file_that_is_of_no_use_is_told_and_left(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    tlsock_config *cc = with_file("1.3"), *again;
    struct lines said;
    FILE *f;

    (void)state;
    unlink(file());
    f = fopen(file(), "w");
    assert_non_null(f);
    fputs("# what the user has here\n", f);
    fclose(f);
    assert_int_equal(chmod(file(), 0600), 0);
    lines_of(cc, &said);
    assert_int_equal(once(cc, sc, "a.test"), 0);
    assert_int_equal(once(cc, sc, "a.test"), 0);
    assert_int_equal(said.calls, 1);
    assert_tells(said.text, "session.file");
    assert_tells(said.text, "not of this format");
    tlsock_config_unref(cc);
    assert_int_equal(chmod(file(), 0620), 0);
    again = with_file("1.3");
    assert_code(once(again, sc, "a.test"), TLSOCK_E_OWN_FILE);
    assert_tells(tlsock_config_error(again)->hint, "chmod 600");
    tlsock_config_unref(again);
    unlink(file());
    tlsock_config_unref(sc);
}

/* Four processes and one file: each ticket is used once among them. */
static int visits(tlsock_config *sc)
{
    int bad = 0;

    for (int i = 0; i < 8; i++) {
        tlsock_config *cc = with_file("1.3");
        struct peer p;

        peer_init(&p);
        bad += peer_open(&p, cc, sc, "a.test") != 0 || peer_shake(&p) != 0;
        bad += tlsock_write(p.conn[SERVER], "x", 1) != 1;
        bad += tlsock_read(p.conn[CLIENT], &(char){0}, 1) != 1;
        peer_free(&p);
        tlsock_config_unref(cc);
    }
    return bad;
}

static void processes_share_a_file(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    int status;

    (void)state;
    unlink(file());
    assert_int_equal(restarted("1.3", sc, NULL, NULL), 0);
    for (int i = 0; i < 4; i++)
        if (fork() == 0)
            test_exit(visits(sc));
    for (int i = 0; i < 4; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(restarted("1.3", sc, NULL, NULL), 1);
    tlsock_config_unref(sc);
}

/* --- a store of the program's own --- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_survives_a_restart),
        cmocka_unit_test(other_settings_find_nothing_in_the_file),
        cmocka_unit_test(other_trust_finds_nothing_in_the_file),
        cmocka_unit_test(another_name_finds_nothing_in_the_file),
        cmocka_unit_test(a_session_does_not_outlive_a_revocation),
        cmocka_unit_test(what_is_learned_meanwhile_ends_a_session),
        cmocka_unit_test(a_session_ends_when_the_first_of_its_ends_is_there),
        cmocka_unit_test(a_week_after_the_handshake_there_is_another),
        cmocka_unit_test(a_session_ends_with_the_certificate),
        cmocka_unit_test(a_file_that_is_of_no_use_is_told_and_left),
        cmocka_unit_test(processes_share_a_file),
    };

    return cmocka_run_group_tests_name("resume_keep", tests, ca_setup,
                                       ca_teardown);
}
