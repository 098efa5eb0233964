/* Many threads ask the same lists: the first verifies the signature, all get
 * the same answer. */
#include "lists.h"

#include "revoke/crljudge.h"

#include <pthread.h>

#define THREADS 8

static X509 *root, *leaf, *on_it;

static int rounds(void)
{
    const char *text = getenv("TLSOCK_ROUNDS");

    return text != NULL && atoi(text) > 0 ? atoi(text) : 40;
}

static int setup(void **state)
{
    (void)state;
    root = lists_root();
    leaf = lists_leaf(root, "p_a");
    on_it = lists_leaf(root, "p_b");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    X509_free(leaf);
    X509_free(on_it);
    X509_free(root);
    pki_free();
    return 0;
}

struct job {
    pthread_t thread;
    pthread_barrier_t *start;
    struct tsk_crls *const *lists;
    STACK_OF(X509) * good, *bad;
    int failed;
};

static int ask(const struct job *job, STACK_OF(X509) * chain,
               enum tsk_state want)
{
    struct tsk_crl_question q = {.chain = chain, .now = LISTS_NOW};
    struct tsk_status st;
    tlsock_error err;

    return tsk_crl_judge(job->lists, 2, &q, &st, &err) != 0 || st.state != want;
}

static void *work(void *arg)
{
    struct job *job = arg;

    pthread_barrier_wait(job->start);
    for (int i = 0; i < 10; i++) {
        job->failed += ask(job, job->good, TSK_GOOD);
        job->failed += ask(job, job->bad, TSK_REVOKED);
    }
    return NULL;
}

static void threads_judge_one_list(void **state)
{
    X509 *good[] = {leaf, root}, *bad[] = {on_it, root};
    STACK_OF(X509) * chains[] = {pki_stack(good, 2), pki_stack(bad, 2)};
    struct list_spec base = {.by = root, .key = KEY_ROOT, .number = 1};
    struct list_spec delta = {.by = root,
                              .key = KEY_ROOT,
                              .number = 2,
                              .base = 1,
                              .entries = {{.who = on_it}}};

    (void)state;
    for (int i = 0; i < rounds(); i++) {
        struct tsk_crls *lists[] = {lists_read(&base), lists_read(&delta)};
        struct job jobs[THREADS];
        pthread_barrier_t start;

        pthread_barrier_init(&start, NULL, THREADS);
        for (int t = 0; t < THREADS; t++) {
            jobs[t] = (struct job){.start = &start,
                                   .lists = lists,
                                   .good = chains[0],
                                   .bad = chains[1]};
            assert_int_equal(
                pthread_create(&jobs[t].thread, NULL, work, &jobs[t]), 0);
        }
        for (int t = 0; t < THREADS; t++) {
            pthread_join(jobs[t].thread, NULL);
            assert_int_equal(jobs[t].failed, 0);
        }
        pthread_barrier_destroy(&start);
        tsk_crls_unref(lists[0]);
        tsk_crls_unref(lists[1]);
    }
    sk_X509_free(chains[0]);
    sk_X509_free(chains[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_judge_one_list),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
