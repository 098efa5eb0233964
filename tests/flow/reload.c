/* Files that change while a config is in use: what is good is taken for new
 * connections, what is not leaves all as it was, and says which file it is. */
#include "ca.h"
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <tlsock/revoke.h>
#include <unistd.h>

static char cert[96], key[96], trust[96], crl[96], psk[96];
static char *const paths[] = {cert, key, trust, crl, psk};

static void save(tlsock_cert *c, unsigned parts, const char *path)
{
    tlsock_error err;

    if (tlsock_cert_save(c, parts, TLSOCK_FORMAT_PEM, path, NULL, &err) != 0)
        fail_msg("%s", err.message);
}

static void save_identity(tlsock_cert *c)
{
    save(c, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, cert);
    save(c, TLSOCK_PART_KEY, key);
}

static void spill(const char *path, const char *text, size_t len)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

/* What a file holds; yours to test_free(). */
static char *slurp(const char *path, size_t *len)
{
    char *text = test_malloc(65536);
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    *len = fread(text, 1, 65536, f);
    fclose(f);
    return text;
}

/* The intermediate's list, with or without the client on it. */
static void save_crl(int revoke_client)
{
    const char *serial =
        tlsock_cert_field(ca_get()->client, TLSOCK_CERT_SERIAL);
    tlsock_revoked one = {.size = sizeof(one), .serial = serial};
    tlsock_error err;

    one.when = time(NULL) - 60;
    if (tlsock_crl_save(TLSOCK_CRL_OPTS(.issuer = ca_get()->inter,
                                        .number = "1", .revoked = &one,
                                        .n_revoked = (size_t)revoke_client),
                        TLSOCK_FORMAT_PEM, crl, &err) != 0)
        fail_msg("%s", err.message);
}

static void restore(void)
{
    static const char hex[] = "00112233445566778899aabbccddeeff\n";

    save_identity(ca_get()->a);
    save(ca_get()->root, TLSOCK_PART_CERT, trust);
    save_crl(0);
    spill(psk, hex, sizeof(hex) - 1);
}

/* A server that uses all of them. */
static tlsock_config *server(const char *k, const char *v)
{
    tlsock_config *sc = tlsock_config_new();
    char uri[128];

    restore();
    snprintf(uri, sizeof(uri), "file:%s", psk);
    if (k != NULL)
        assert_code(tlsock_config_set(sc, k, v), 0);
    assert_code(tlsock_config_add_identity(sc, cert, key, NULL), 0);
    assert_code(tlsock_config_add_trust(sc, trust), 0);
    assert_code(tlsock_config_add_crl(sc, crl), 0);
    assert_code(tlsock_config_add_psk_uri(sc, "device", uri), 0);
    return sc;
}

/* The server's certificate that a new connection gets: 'a', 'b', or 0. */
static char serves(tlsock_config *cc, tlsock_config *sc)
{
    char name[2] = "", san[32];
    struct peer p;
    tlsock_cert *c;

    peer_init(&p);
    assert_code(peer_open(&p, cc, sc, "any.test"), 0);
    if (peer_shake(&p) == 0) {
        c = tlsock_peer_cert(p.conn[CLIENT]);
        snprintf(san, sizeof(san), "%s",
                 tlsock_cert_field(c, TLSOCK_CERT_SANS));
        name[0] = strstr(san, "a.test") != NULL ? 'a' : 'b';
        tlsock_cert_unref(c);
    }
    peer_free(&p);
    return name[0];
}

static tlsock_config *anybody(void)
{
    return ca_client("insecure", "all: test", "session", "off", NULL);
}

static void what_is_good_is_for_new_connections(void **state)
{
    tlsock_config *cc = anybody(), *sc = server(NULL, NULL);
    struct peer old;

    (void)state;
    peer_init(&old);
    peer_connect(&old, cc, sc, "any.test");
    save_identity(ca_get()->b);
    assert_int_equal(serves(cc, sc), 'a'); /* nobody has said so yet */
    assert_code(tlsock_config_reload(sc), 0);
    assert_int_equal(serves(cc, sc), 'b');
    peer_pingpong(&old);
    peer_close(&old);
    peer_free(&old);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

enum harm { NONSENSE, EMPTY, HALF, GONE, LOOP, DIRECTORY };

static void harm(const char *path, enum harm how)
{
    size_t len;
    char *text = slurp(path, &len);

    unlink(path);
    if (how == NONSENSE)
        spill(path, "no such thing\n", 14);
    else if (how == EMPTY)
        spill(path, "", 0);
    else if (how == HALF)
        spill(path, text, len / 2);
    else if (how == LOOP)
        assert_int_equal(symlink(path, path), 0);
    else if (how == DIRECTORY)
        assert_int_equal(mkdir(path, 0700), 0);
    test_free(text);
}

static void mend(const char *path)
{
    if (unlink(path) != 0)
        rmdir(path);
    restore();
}

static void what_is_bad_is_named_and_changes_nothing(void **state)
{
    tlsock_config *cc = anybody(), *sc = server(NULL, NULL);

    (void)state;
    assert_int_equal(serves(cc, sc), 'a');
    for (size_t i = 0; i < COUNT(paths); i++) {
        for (int how = NONSENSE; how <= DIRECTORY; how++) {
            const tlsock_error *err;
            int rc;

            harm(paths[i], how);
            rc = tlsock_config_reload(sc);
            err = tlsock_config_error(sc);
            /* half of 16 bytes are no key, but half a line of hex may be one
             * of 8, which is too short */
            if (rc >= 0 || err->code != rc ||
                (paths[i] != psk && strstr(err->message, paths[i]) == NULL))
                fail_msg("%s, harm %d: %d, %s", paths[i], how, rc,
                         err->message);
            assert_true(err->hint[0] != '\0' || err->sys_errno != 0);
            assert_int_equal(serves(cc, sc), 'a');
            mend(paths[i]);
            assert_code(tlsock_config_reload(sc), 0);
        }
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void what_does_not_fit_changes_nothing(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct {
        tlsock_cert *c;
        unsigned parts;
        int code;
    } rows[] = {
        {ca->b, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, TLSOCK_E_KEY_MISMATCH},
        {ca->expired, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN,
         TLSOCK_E_KEY_MISMATCH}};
    tlsock_config *cc = anybody(), *sc = server(NULL, NULL);

    (void)state;
    assert_int_equal(serves(cc, sc), 'a');
    for (size_t i = 0; i < COUNT(rows); i++) {
        save(rows[i].c, rows[i].parts, cert);
        assert_code(tlsock_config_reload(sc), rows[i].code);
        assert_tells(tlsock_config_error(sc)->message, cert);
        assert_int_equal(serves(cc, sc), 'a');
    }
    save_identity(ca->expired);
    assert_code(tlsock_config_reload(sc), TLSOCK_E_EXPIRED);
    assert_int_equal(serves(cc, sc), 'a');
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* Root may read anything: another user may not. */
static void files_of_others_change_nothing(void **state)
{
    tlsock_config *cc = anybody(), *sc = server(NULL, NULL);
    uid_t me = geteuid();
    int rc;

    (void)state;
    assert_int_equal(serves(cc, sc), 'a');
    if (me == 0)
        assert_int_equal(seteuid(65534), 0);
    else
        assert_int_equal(chmod(cert, 0), 0);
    rc = tlsock_config_reload(sc);
    if (me == 0)
        assert_int_equal(seteuid(me), 0);
    assert_code(rc, TLSOCK_E_OWN_FILE);
    assert_int_equal(tlsock_config_error(sc)->sys_errno, EACCES);
    assert_tells(tlsock_config_error(sc)->message, cert);
    assert_int_equal(serves(cc, sc), 'a');
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* The client's verdict on its handshake, the server's in *theirs; resumed: the
 * server took a session. */
static int meet(tlsock_config *cc, tlsock_config *sc, int *theirs, int *resumed)
{
    struct peer p;
    int rc;

    peer_init(&p);
    assert_code(peer_open(&p, cc, sc, "a.test"), 0);
    rc = peer_shake(&p);
    *theirs = p.rc[SERVER];
    *resumed = 0;
    if (rc == 0) {
        peer_pingpong(&p);
        *resumed = (int)tlsock_info_int(p.conn[SERVER], TLSOCK_INFO_RESUMED);
        peer_close(&p);
    }
    rc = p.rc[CLIENT];
    peer_free(&p);
    return rc;
}

static void sessions_of_clients_end_with_their_trust(void **state)
{
    static const struct {
        const char *change, *tls, *revocation;
        int code;
    } rows[] = {{"nothing", "1.2", "off", TLSOCK_OK},
                {"nothing", "1.3", "off", TLSOCK_OK},
                {"nothing", "1.3", "crl", TLSOCK_OK},
                {"trust", "1.2", "off", TLSOCK_E_CHAIN_INCOMPLETE},
                {"trust", "1.3", "off", TLSOCK_E_CHAIN_INCOMPLETE},
                /* TLS 1.2 makes no sessions where it may take long to know */
                {"crl", "1.3", "crl", TLSOCK_E_REVOKED}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("tls.max", rows[i].tls, NULL);
        tlsock_config *sc = server("client-auth", "require");
        int theirs, resumed;

        assert_code(tlsock_config_set(sc, "revocation", rows[i].revocation), 0);
        assert_code(tlsock_config_set(sc, "revocation.fail", "soft"), 0);
        assert_code(tlsock_config_add_cert(cc, ca_get()->client), 0);
        assert_code(meet(cc, sc, &theirs, &resumed), 0);
        assert_code(meet(cc, sc, &theirs, &resumed), 0);
        assert_int_equal(resumed, 1); /* as long as it is the same */
        if (strcmp(rows[i].change, "trust") == 0)
            save(ca_get()->stranger_root, TLSOCK_PART_CERT, trust);
        else if (strcmp(rows[i].change, "crl") == 0)
            save_crl(1);
        assert_code(tlsock_config_reload(sc), 0);
        (void)meet(cc, sc, &theirs, &resumed);
        assert_code(theirs, rows[i].code);
        assert_int_equal(resumed, rows[i].code == TLSOCK_OK);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_client_forgets_sessions_of_older_trust(void **state)
{
    tlsock_config *cc = tlsock_config_new(), *sc = ca_server(ca_get()->a, NULL);
    int theirs, resumed;

    (void)state;
    restore();
    assert_code(tlsock_config_add_trust(cc, trust), 0);
    assert_code(meet(cc, sc, &theirs, &resumed), 0);
    assert_code(meet(cc, sc, &theirs, &resumed), 0);
    assert_int_equal(resumed, 1);
    for (int i = 0; i < 2; i++) { /* the same again, and written anew */
        assert_code(tlsock_config_reload(cc), 0);
        assert_code(meet(cc, sc, &theirs, &resumed), 0);
        assert_int_equal(resumed, 1);
        save(ca_get()->root, TLSOCK_PART_CERT, trust);
    }
    save(ca_get()->stranger_root, TLSOCK_PART_CERT, trust);
    assert_code(tlsock_config_reload(cc), 0);
    assert_true(meet(cc, sc, &theirs, &resumed) <= TLSOCK_E_CHAIN_INCOMPLETE);
    save(ca_get()->root, TLSOCK_PART_CERT, trust);
    assert_code(tlsock_config_reload(cc), 0);
    assert_code(meet(cc, sc, &theirs, &resumed), 0);
    assert_int_equal(resumed, 0);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* Each file that sessions are bound to. */
static void a_client_forgets_what_another_file_would_not_have_won(void **state)
{
    static const char *const rows[] = {"nothing", "trust", "crl", "identity",
                                       "psk"};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = server(NULL, NULL); /* as a client */
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        int theirs, resumed;

        assert_code(meet(cc, sc, &theirs, &resumed), 0);
        if (strcmp(rows[i], "trust") == 0)
            save(ca_get()->inter, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, trust);
        else if (strcmp(rows[i], "crl") == 0)
            save_crl(1);
        else if (strcmp(rows[i], "identity") == 0)
            save_identity(ca_get()->b);
        else if (strcmp(rows[i], "psk") == 0)
            spill(psk, "ffeeddccbbaa99887766554433221100\n", 33);
        assert_code(tlsock_config_reload(cc), 0);
        assert_code(meet(cc, sc, &theirs, &resumed), 0);
        if (resumed != (i == 0))
            fail_msg("%s: %d", rows[i], resumed);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_new_key_of_a_device_is_taken(void **state)
{
    static const char now[] = "ffeeddccbbaa99887766554433221100\n";
    tlsock_config *sc = server(NULL, NULL);
    char uri[128];

    (void)state;
    snprintf(uri, sizeof(uri), "file:%s", psk);
    for (int i = 0; i < 2; i++) {
        tlsock_config *cc = tlsock_config_new();
        int theirs, resumed;

        assert_code(tlsock_config_add_psk_uri(cc, "device", uri), 0);
        assert_code(meet(cc, sc, &theirs, &resumed), 0);
        spill(psk, now, sizeof(now) - 1);
        assert_code(tlsock_config_reload(sc), 0);
        assert_true(meet(cc, sc, &theirs, &resumed) < 0);
        assert_code(tlsock_config_reload(cc), 0); /* and of the client */
        assert_code(meet(cc, sc, &theirs, &resumed), 0);
        tlsock_config_unref(cc);
        restore();
        assert_code(tlsock_config_reload(sc), 0);
    }
    tlsock_config_unref(sc);
}

static int note(const tlsock_event *e, void *arg)
{
    snprintf(arg, 400, "%s", e->text);
    return 0;
}

/* New connections until one gets this certificate, or a line of the log tells
 * of this; half a minute is too long. */
static int comes(tlsock_config *cc, tlsock_config *sc, char want,
                 const char *said, const char *text)
{
    time_t end = time(NULL) + 30;

    while (time(NULL) < end) {
        char got = serves(cc, sc);

        if (got == 0)
            return 0;
        if (text != NULL ? strstr(said, text) != NULL : got == want)
            return 1;
    }
    return 0;
}

static void changed_files_are_taken_by_themselves(void **state)
{
    tlsock_config *cc = anybody(), *sc = server("reload", "100ms");
    char said[400] = "";
    struct peer old;

    (void)state;
    assert_code(tlsock_config_on(sc, TLSOCK_ON_LOG, note, said), 0);
    peer_init(&old);
    peer_connect(&old, cc, sc, "any.test");
    save_identity(ca_get()->b);
    assert_true(comes(cc, sc, 'b', said, NULL));
    assert_true(comes(cc, sc, 'b', said, "reloaded"));
    /* half a change: the key follows later */
    save(ca_get()->a, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, cert);
    assert_true(comes(cc, sc, 'b', said, "not reloaded"));
    assert_tells(said, cert);
    assert_int_equal(serves(cc, sc), 'b');
    save(ca_get()->a, TLSOCK_PART_KEY, key);
    assert_true(comes(cc, sc, 'a', said, NULL));
    /* gone, and back */
    unlink(key);
    assert_true(comes(cc, sc, 'a', said, "not reloaded"));
    assert_tells(said, key);
    save_identity(ca_get()->b);
    assert_true(comes(cc, sc, 'b', said, NULL));
    peer_pingpong(&old);
    peer_close(&old);
    peer_free(&old);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static int password(const tlsock_event *e, void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return tlsock_op_done(e->op, 0, "secret", 6);
}

static void hooks_are_asked_by_the_caller(void **state)
{
    tlsock_config *cc = anybody(), *sc = tlsock_config_new();
    pthread_t asked = 0;
    char said[400] = "";
    tlsock_error err;

    (void)state;
    restore();
    assert_int_equal(setenv("TSK_TEST_PASS", "secret", 1), 0);
    assert_code(tlsock_cert_save(ca_get()->a, TLSOCK_PART_KEY,
                                 TLSOCK_FORMAT_PEM, key, "env:TSK_TEST_PASS",
                                 &err),
                0);
    assert_code(tlsock_config_on(sc, TLSOCK_ON_PASSWORD, password, &asked), 0);
    assert_code(tlsock_config_on(sc, TLSOCK_ON_LOG, note, said), 0);
    assert_code(tlsock_config_set(sc, "reload", "100ms"), 0);
    assert_code(tlsock_config_add_identity(sc, cert, key, NULL), 0);
    assert_int_equal(serves(cc, sc), 'a');
    assert_code(tlsock_cert_save(ca_get()->b, TLSOCK_PART_KEY,
                                 TLSOCK_FORMAT_PEM, key, "env:TSK_TEST_PASS",
                                 &err),
                0);
    asked = 0;
    save(ca_get()->b, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, cert);
    assert_true(comes(cc, sc, 'b', said, NULL));
    assert_true(pthread_equal(asked, pthread_self()));
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

#ifndef __SANITIZE_THREAD__
static void a_child_looks_for_itself(void **state)
{
    tlsock_config *cc = anybody(), *sc = server("reload", "100ms");
    int status = -1;
    pid_t child;

    (void)state;
    assert_int_equal(serves(cc, sc), 'a');
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        save_identity(ca_get()->b);
        test_exit(comes(cc, sc, 'b', "", NULL) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(comes(cc, sc, 'b', "", NULL)); /* and so does the parent */
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}
#endif

struct job {
    tlsock_config *cc, *sc;
    atomic_int *end;
    int failed, done;
};

static void *connect_on(void *arg)
{
    struct job *j = arg;

    while (!atomic_load(j->end) || j->done == 0) {
        struct peer p;
        char got[8];

        peer_init(&p);
        if (peer_open(&p, j->cc, j->sc, "any.test") != 0 ||
            peer_shake(&p) != 0 ||
            tlsock_write(p.conn[CLIENT], "ping", 4) != 4 ||
            tlsock_read(p.conn[SERVER], got, 8) != 4)
            j->failed++;
        peer_free(&p);
        j->done++;
    }
    return NULL;
}

/* By calls and by the thread at once, with good files and bad ones. */
static void no_connection_fails_meanwhile(void **state)
{
    tlsock_config *cc = anybody(), *sc = server("reload", "100ms");
    pthread_t threads[3];
    struct job jobs[3];
    atomic_int end = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(jobs); i++) {
        jobs[i] = (struct job){.cc = cc, .sc = sc, .end = &end};
        assert_int_equal(
            pthread_create(&threads[i], NULL, connect_on, &jobs[i]), 0);
    }
    for (int i = 0; i < 30; i++) {
        if (i % 3 == 0)
            save_identity(i % 2 == 0 ? ca_get()->b : ca_get()->a);
        else if (i % 3 == 1)
            spill(key, "half", 4);
        assert_int_equal(tlsock_config_reload(sc) == 0, i % 3 == 0);
        (void)tlsock_config_check(cc);
    }
    atomic_store(&end, 1);
    for (size_t i = 0; i < COUNT(jobs); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(jobs[i].failed, 0);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static int set_up(void **state)
{
    static const char *const names[] = {"r.pem", "r.key", "r-ca.pem", "r.crl",
                                        "r.psk"};

    for (size_t i = 0; i < COUNT(paths); i++)
        snprintf(paths[i], sizeof(cert), "%s/%s", ca_get()->dir, names[i]);
    return ca_setup(state);
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < COUNT(paths); i++)
        unlink(paths[i]);
    return ca_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_good_is_for_new_connections),
        cmocka_unit_test(what_is_bad_is_named_and_changes_nothing),
        cmocka_unit_test(what_does_not_fit_changes_nothing),
        cmocka_unit_test(files_of_others_change_nothing),
        cmocka_unit_test(sessions_of_clients_end_with_their_trust),
        cmocka_unit_test(a_client_forgets_sessions_of_older_trust),
        cmocka_unit_test(a_client_forgets_what_another_file_would_not_have_won),
        cmocka_unit_test(a_new_key_of_a_device_is_taken),
        cmocka_unit_test(changed_files_are_taken_by_themselves),
        cmocka_unit_test(hooks_are_asked_by_the_caller),
#ifndef __SANITIZE_THREAD__ /* it ends children that start threads */
        cmocka_unit_test(a_child_looks_for_itself),
#endif
        cmocka_unit_test(no_connection_fails_meanwhile),
    };

    return cmocka_run_group_tests_name("reload", tests, set_up, tear_down);
}
