/* Threads connect while policies and hooks come. */
#include "policies.h"

#include <pthread.h>
#include <stdatomic.h>

/* Threads that connect while policies and hooks come. */
struct job {
    pthread_t thread;
    tlsock_config *cc, *sc;
    atomic_int *strict;
    int failed;
};

static int by_name(const char *target, int is_server, tlsock_config *c,
                   void *arg)
{
    (void)arg;
    if (is_server || target[0] != 'a')
        return 0;
    return tlsock_config_set(c, "groups", "P-384:P-256");
}

static void *work(void *arg)
{
    struct job *job = arg;

    for (int i = 0; i < 60; i++) {
        int strict = atomic_load(job->strict), rc;
        struct peer p;

        peer_init(&p);
        rc = peer_open(&p, job->cc, job->sc, i % 2 ? "a.test" : "b.test");
        if (rc == 0)
            rc = peer_shake(&p);
        if (i % 2 == 0)
            job->failed |= p.rc[CLIENT] != TLSOCK_E_NAME_MISMATCH;
        else
            job->failed |= rc != 0;
        if (i % 2 != 0 && rc == 0 && strict)
            job->failed |=
                tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_VERSION) != 0x0304;
        peer_free(&p);
    }
    return NULL;
}

static void policies_may_come_while_threads_connect(void **state)
{
    struct job jobs[4];
    atomic_int strict = 0;
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    tlsock_error err;

    (void)state;
    policies_write("tls.min = 1.3\n");
    for (size_t i = 0; i < COUNT(jobs); i++) {
        jobs[i] = (struct job){.cc = cc, .sc = sc, .strict = &strict};
        assert_int_equal(pthread_create(&jobs[i].thread, NULL, work, &jobs[i]),
                         0);
    }
    assert_code(tlsock_policy_load(policies_file, &err), TLSOCK_OK);
    atomic_store(&strict, 1);
    assert_code(tlsock_policy_on(by_name, NULL), TLSOCK_OK);
    assert_tells(tlsock_policy_text(), "policy.conf (1 rule)");
    for (size_t i = 0; i < COUNT(jobs); i++) {
        pthread_join(jobs[i].thread, NULL);
        assert_int_equal(jobs[i].failed, 0);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void the_environment_is_read_by_whoever_is_first(void **state)
{
    struct job jobs[4];
    atomic_int strict = 1;
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);

    (void)state;
    policies_write("tls.min = 1.3\n");
    setenv("TLSOCK_POLICY", policies_file, 1);
    for (size_t i = 0; i < COUNT(jobs); i++) {
        jobs[i] = (struct job){.cc = cc, .sc = sc, .strict = &strict};
        assert_int_equal(pthread_create(&jobs[i].thread, NULL, work, &jobs[i]),
                         0);
    }
    for (size_t i = 0; i < COUNT(jobs); i++) {
        pthread_join(jobs[i].thread, NULL);
        assert_int_equal(jobs[i].failed, 0);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POLICIES(policies_may_come_while_threads_connect),
        POLICIES(the_environment_is_read_by_whoever_is_first),
    };

    return cmocka_run_group_tests_name("policy threads", tests, policies_setup,
                                       policies_teardown);
}
