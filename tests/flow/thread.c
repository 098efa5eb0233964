/* Many threads, one client config, one server config, one session cache. */
#include "ca.h"
#include "peer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define THREADS 8
#define ROUNDS 40

struct job {
    pthread_t thread;
    tlsock_config *cc, *sc;
    int id, failed;
    atomic_int *resumed;
};

/* No assertions in here: cmocka's are for the main thread. */
static int shake(struct peer *p, const struct job *job, const char *name)
{
    peer_init(p);
    if (peer_open(p, job->cc, job->sc, name) != 0)
        return TLSOCK_E_STATE;
    return peer_shake(p);
}

static int round_of(struct job *job, int i)
{
    static const char *const names[] = {"a.test", "b.test", "c.test"};
    struct peer p;
    char got[8];
    int bad = 0, rc = shake(&p, job, names[i % 3]);

    if (i % 3 == 2) {
        bad = p.rc[CLIENT] != TLSOCK_E_NAME_MISMATCH;
    } else if (rc != 0) {
        bad = 1;
    } else {
        bad |= tlsock_write(p.conn[CLIENT], "ping", 4) != 4;
        bad |= tlsock_read(p.conn[SERVER], got, 8) != 4;
        bad |= tlsock_write(p.conn[SERVER], "pong", 4) != 4;
        bad |= tlsock_read(p.conn[CLIENT], got, 8) != 4;
        atomic_fetch_add(job->resumed,
                         (int)tlsock_info_int(p.conn[CLIENT],
                                              TLSOCK_INFO_RESUMED));
        bad |= tlsock_close(p.conn[CLIENT]) != 0;
        p.conn[CLIENT] = NULL;
        bad |= tlsock_read(p.conn[SERVER], got, 8) != 0;
    }
    peer_free(&p);
    return bad;
}

static void *work(void *arg)
{
    struct job *job = arg;

    for (int i = 0; i < ROUNDS; i++)
        job->failed += round_of(job, job->id + i);
    return NULL;
}

static void run(tlsock_config *cc, tlsock_config *sc, int expect_resumed)
{
    struct job jobs[THREADS];
    atomic_int resumed = 0;

    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){.cc = cc, .sc = sc, .id = i,
                               .resumed = &resumed};
        assert_int_equal(
            pthread_create(&jobs[i].thread, NULL, work, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(jobs[i].thread, NULL);
        assert_int_equal(jobs[i].failed, 0);
    }
    if (expect_resumed)
        assert_true(resumed > THREADS * ROUNDS / 3);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static tlsock_config *two_hosts(void)
{
    tlsock_config *sc = ca_server(ca_get()->a, NULL);

    assert_int_equal(tlsock_config_add_cert(sc, ca_get()->b), 0);
    return sc;
}

/* The first use of all builds trust store and SSL_CTX: in eight threads. */
static void one_config_serves_many_threads(void **state)
{
    (void)state;
    run(ca_client("tls.max", "1.2", NULL), two_hosts(), 1);
    run(ca_client(NULL), two_hosts(), 1);
}

static void a_tiny_session_cache_is_shared_safely(void **state)
{
    (void)state;
    run(ca_client("session.size", "1", NULL), two_hosts(), 0);
}

static void *copy_and_free(void *arg)
{
    struct job *job = arg;

    for (int i = 0; i < ROUNDS; i++) {
        tlsock_config *c = tlsock_config_ref(job->cc);
        tlsock_config *copy = tlsock_config_copy(c);

        if (tlsock_config_set(copy, "timeout", "5s") != 0 ||
            (job->id == 0 &&
             tlsock_config_set(c, "timeout", "5s") != TLSOCK_E_FROZEN))
            job->failed++;
        tlsock_config_unref(copy);
        tlsock_config_unref(c);
        if (i % 10 == job->id && tlsock_config_reload(job->cc) != 0)
            job->failed++;
        job->failed += round_of(job, i);
    }
    return NULL;
}

static void copies_and_reloads_go_on_beside_connections(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = two_hosts();
    struct job jobs[THREADS];
    atomic_int resumed = 0;

    (void)state;
    /* frozen by its first use */
    jobs[0] = (struct job){.cc = cc, .sc = sc, .resumed = &resumed};
    assert_int_equal(round_of(&jobs[0], 0), 0);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){.cc = cc, .sc = sc, .id = i,
                               .resumed = &resumed};
        assert_int_equal(pthread_create(&jobs[i].thread, NULL,
                                        i < 2 ? copy_and_free : work,
                                        &jobs[i]),
                         0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(jobs[i].thread, NULL);
        assert_int_equal(jobs[i].failed, 0);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_config_serves_many_threads),
        cmocka_unit_test(a_tiny_session_cache_is_shared_safely),
        cmocka_unit_test(copies_and_reloads_go_on_beside_connections),
    };

    return cmocka_run_group_tests_name("thread", tests, ca_setup, ca_teardown);
}
