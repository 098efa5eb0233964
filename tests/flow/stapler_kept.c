/* What servers staple is kept over restart, reload and fork, with the issuer
 * that was fetched for it, and without memory it is got again. */
#include "dir.h"
#include "stapling.h"

#include "cert/cert.h"
#include "core/mem.h"

#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

/* AddressSanitizer's heap has locks of its own, which fork() copies as they
 * are: threads that allocate at that moment stop the child for ever. */
#if defined(__SANITIZE_ADDRESS__)
#define FOREIGN_HEAP
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FOREIGN_HEAP
#endif
#endif

/* Another process finds on disk what one has got, and asks nobody. */
static void a_restart_finds_it_on_disk(void **state)
{
    struct stapling *t = *state;
    char dir[] = "/tmp/tlsock-staples-XXXXXX";

    assert_non_null(mkdtemp(dir));
    for (int i = 0; i < 3; i++) {
        tlsock_config *sc = ca_server(t->a, "revocation.cache", dir, NULL);

        stapling_serve(sc);
        stapling_await(sc, 0, 1);
        tlsock_config_unref(sc); /* and waits until all is written */
    }
    assert_int_equal(httpd_asked(&t->web, NULL), 1);
    /* past half of it the one on disk is used, and a new one asked for */
    stapling_advance(NULL, STAPLING_VALID_S * 3 / 4);
    stapling_how(t, HTTPD_SILENT);
    {
        tlsock_config *sc = ca_server(t->a, "revocation.cache", dir, NULL);
        char told[128];

        stapling_serve(sc);
        httpd_await(&t->web, NULL, 2);
        assert_code(stapling_shake(t, sc, "a.test", told), TLSOCK_OK);
        assert_tells(told, "good by staple");
        tlsock_config_unref(sc);
    }
    dir_remove(dir);
}

static void put_issuer(struct stapling *t, const tlsock_cert *c,
                       unsigned char der[4096], enum httpd_how way)
{
    struct httpd_page page = {.path = "/ca.der", .body = der, .how = way};
    unsigned char *end = der;

    page.len = (size_t)i2d_X509(c->leaf, &end);
    assert_true(page.len > 0 && page.len <= 4096);
    httpd_set(&t->web, &page);
}

static tlsock_cert *leaf_of_root(const struct stapling *t, const char *name)
{
    char url[64], aia[64];
    tlsock_error err = {0};
    tlsock_cert *c;

    snprintf(url, sizeof(url), "%s/ocsp", t->web.url);
    snprintf(aia, sizeof(aia), "%s/ca.der", t->web.url);
    c = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.sans = &name, .n_sans = 1, .issuer = ca_get()->root,
                         .purpose = "server", .ocsp_url = url, .aia_url = aia),
        &err);
    if (c == NULL)
        fail_msg("%s", err.message);
    return c;
}

/* A root is not sent, and who serves need not trust it: it is fetched, and kept
 * beside the staple. */
static void an_issuer_that_is_not_at_hand_is_fetched(void **state)
{
    struct stapling *t = *state;
    tlsock_cert *a = leaf_of_root(t, "a.test");
    char dir[] = "/tmp/tlsock-staples-XXXXXX", told[128];
    unsigned char der[4096];

    assert_non_null(mkdtemp(dir));
    t->r.issuer = ca_get()->root;
    put_issuer(t, ca_get()->root, der, HTTPD_SIZED);
    for (int i = 0; i < 2; i++) {
        tlsock_config *sc = ca_server(a, "revocation.cache", dir, NULL);

        stapling_serve(sc);
        stapling_await(sc, 0, 1);
        assert_code(stapling_shake(t, sc, "a.test", told), TLSOCK_OK);
        assert_tells(told, "good by staple");
        tlsock_config_unref(sc);
    }
    assert_int_equal(httpd_asked(&t->web, "/ca.der"), 1);
    assert_int_equal(httpd_asked(&t->web, "/ocsp*"), 1);
    tlsock_cert_unref(a);
    dir_remove(dir);
}

/* Nobody is asked about a certificate in the name of a CA that is not its. */
static void what_did_not_sign_it_is_no_issuer(void **state)
{
    struct stapling *t = *state;
    tlsock_cert *a = leaf_of_root(t, "a.test");
    const struct {
        const tlsock_cert *c;
        enum httpd_how how;
    } wrong[] = {{ca_get()->inter, HTTPD_SIZED},
                 {ca_get()->stranger_root, HTTPD_SIZED},
                 {ca_get()->root, HTTPD_EARLY}};
    unsigned char der[4096];

    t->r.issuer = ca_get()->root;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        tlsock_config *sc = ca_server(a, NULL);
        int asked = httpd_asked(&t->web, "/ocsp*"), asked_ca = 1 + 3 * (int)i;

        put_issuer(t, wrong[i].c, der, wrong[i].how);
        stapling_serve(sc);
        httpd_await(&t->web, "/ca.der", asked_ca);
        /* bit by bit: its pause begins when it knows, which nobody is told */
        for (int k = 0; k < 4000 && httpd_asked(&t->web, "/ca.der") == asked_ca;
             k++) {
            stapling_advance(sc, 1);
            poll(NULL, 0, 5);
        }
        assert_int_equal(httpd_asked(&t->web, "/ca.der"), 2 + 3 * (int)i);
        assert_int_equal(httpd_asked(&t->web, "/ocsp*"), asked);
        put_issuer(t, ca_get()->root, der, HTTPD_SIZED);
        stapling_await_retry(sc);
        assert_int_equal(httpd_asked(&t->web, "/ca.der"), 3 + 3 * (int)i);
        tlsock_config_unref(sc);
    }
    tlsock_cert_unref(a);
}

static void a_reload_keeps_what_still_fits(void **state)
{
    struct stapling *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);
    char told[128];

    stapling_serve(sc);
    stapling_await(sc, 0, 1);
    stapling_how(t, HTTPD_SILENT);
    for (int i = 0; i < 3; i++) {
        assert_code(tlsock_config_reload(sc), TLSOCK_OK);
        assert_code(stapling_shake(t, sc, "a.test", told), TLSOCK_OK);
        assert_tells(told, "good by staple");
    }
    assert_int_equal(httpd_asked(&t->web, NULL), 1);
    stapling_how(t, HTTPD_SIZED);
    stapling_advance(sc,
                     STAPLING_VALID_S * 3 / 4); /* the new one's thread asks */
    httpd_await(&t->web, NULL, 2);
    tlsock_config_unref(sc);
}

#ifndef __SANITIZE_THREAD__
static void child(struct stapling *t, tlsock_config *sc, int accepts)
{
    char told[128] = "";

    alarm(60);
    if (stapling_shake(t, sc, "a.test", told) != TLSOCK_OK ||
        strstr(told, "good by staple") == NULL)
        test_exit(1);
    if (!accepts)
        test_exit(0);
    /* past half of it: the child's own thread asks */
    stapling_advance(sc, STAPLING_VALID_S * 3 / 4);
    stapling_await(sc, 0, stapling_wall() - 60);
    tlsock_config_unref(sc);
    test_exit(0);
}

static void a_child_has_what_was_fetched_and_goes_on_by_itself(void **state)
{
    struct stapling *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);

    stapling_serve(sc);
    stapling_await(sc, 0, 1);
    /* the responder is in this process, whose clock will not be moved */
    atomic_store(&t->r.older_s, -STAPLING_VALID_S * 3 / 4);
    for (int i = 0; i < 20; i++) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
            child(t, sc, i == 19);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    assert_int_equal(httpd_asked(&t->web, NULL), 2);
    tlsock_config_unref(sc);
}

#ifndef FOREIGN_HEAP
/* Forks in the midst of its work. The responder uses no OpenSSL here, whose
 * locks would be this test's and not the library's. */
static void a_fork_finds_no_lock_held(void **state)
{
    struct stapling *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);

    atomic_store(&t->r.garbage, 1);
    stapling_serve(sc);
    for (int i = 0; i < 40; i++) {
        char told[128];
        int status;
        pid_t pid;

        stapling_advance(sc, 601); /* it asks, and fails */
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            alarm(60);
            stapling_advance(sc, 601);
            status = stapling_shake(t, sc, "a.test", told);
            tlsock_config_unref(sc);
            test_exit(status == TLSOCK_OK ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    assert_true(httpd_asked(&t->web, NULL) > 1);
    tlsock_config_unref(sc);
}
#endif
#endif

static atomic_int countdown;
static pthread_t main_thread;

static int nth_fails_elsewhere(void)
{
    return !pthread_equal(pthread_self(), main_thread) &&
           atomic_fetch_sub(&countdown, 1) == 1;
}

static int nth_fails_here(void)
{
    return pthread_equal(pthread_self(), main_thread) &&
           atomic_fetch_sub(&countdown, 1) == 1;
}

/* Where it fails, it is tried again after a pause, by thread or next call. */
static void without_memory_it_is_tried_again(void **state)
{
    static int (*const fails[])(void) = {nth_fails_elsewhere, nth_fails_here};
    struct stapling *t = *state;
    char dir[] = "/tmp/tlsock-staples-XXXXXX";
    int more[2] = {1, 1};

    main_thread = pthread_self();
    assert_non_null(mkdtemp(dir));
    for (int n = 2; more[0] || more[1]; n++) {
        tlsock_config *sc = ca_server(t->a, "revocation.cache", dir, NULL);
        tlsock_listener *l;

        assert_true(n < 600);
        n += !more[n % 2];
        atomic_store(&countdown, n / 2);
        tsk_mem_fail = fails[n % 2];
        l = tlsock_listen(":0", sc, NULL, NULL);
        tlsock_listener_free(l);
        if (n % 2 != 0) { /* the second time it does not */
            more[1] = atomic_load(&countdown) <= 0;
            atomic_store(&countdown, 0);
        }
        stapling_serve(sc);
        stapling_await_retry(sc);
        tlsock_config_unref(sc);
        if (n % 2 == 0)
            more[0] = atomic_load(&countdown) <= 0;
        tsk_mem_fail = NULL;
        atomic_fetch_add(&stapling_moved_ms,
                         (long long)STAPLING_VALID_S * 1000);
    }
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAPLING(a_restart_finds_it_on_disk),
        STAPLING(an_issuer_that_is_not_at_hand_is_fetched),
        STAPLING(what_did_not_sign_it_is_no_issuer),
        STAPLING(a_reload_keeps_what_still_fits),
#ifndef __SANITIZE_THREAD__ /* it ends children that start threads */
        STAPLING(a_child_has_what_was_fetched_and_goes_on_by_itself),
#ifndef FOREIGN_HEAP
        STAPLING(a_fork_finds_no_lock_held),
#endif
#endif
        STAPLING(without_memory_it_is_tried_again),
    };

    return cmocka_run_group_tests_name("staples kept", tests, ca_setup,
                                       ca_teardown);
}
