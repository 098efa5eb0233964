/* Many threads, one cache: for ThreadSanitizer, and for what they find. */
#include "stash.h"

#include "core/mem.h"

#include <pthread.h>

#define THREADS 6
#define URLS 4

struct job {
    pthread_t thread;
    const char *dir;
    unsigned char *der[URLS];
    size_t len[URLS], memory[URLS]; /* which differ */
    int id, rounds, failed;
};

/* What a find may be is known by its key alone. */
static int verdict(struct tsk_revcache *c, int i)
{
    struct tsk_status st = {.state = TSK_GOOD,
                            .by = TSK_BY_OCSP,
                            .as_of = stash_now,
                            .until = stash_now + DAY,
                            .reason = i % 64};
    uint8_t key[32] = {(uint8_t)(i % 64)};

    tsk_revcache_keep_status(c, key, &st);
    return tsk_revcache_status(c, key, stash_now, &st) && st.reason != i % 64;
}

static int list(struct tsk_revcache *c, const struct job *job, int i)
{
    int which = i % URLS, bad;
    struct tsk_crls *l;
    char url[32];

    snprintf(url, sizeof(url), "http://a.test/%d", which);
    if (i % 3 == 0) {
        l = tsk_crls_parse(job->der[which], job->len[which], url, NULL);
        tsk_revcache_keep_crls(c, url, l, job->der[which], job->len[which],
                               stash_now + DAY);
        tsk_crls_unref(l);
    }
    l = tsk_revcache_crls(c, url, stash_now);
    bad = l == NULL || tsk_crls_memory(l) != job->memory[which];
    tsk_crls_unref(l);
    return bad;
}

static int response(struct tsk_revcache *c, int i)
{
    struct tsk_buf der = {0};
    uint8_t key[32] = {(uint8_t)(i % 4)};
    char body[9] = "";
    int bad;

    snprintf(body, sizeof(body), "body%04d", i % 4);
    tsk_revcache_keep_ocsp(c, key, body, 8, stash_now + DAY);
    bad = tsk_revcache_ocsp(c, key, stash_now, &der) != 1 || der.len != 8 ||
          memcmp(tsk_buf_at(&der), body, 8) != 0;
    tsk_buf_free(&der);
    return bad;
}

static void *work(void *arg)
{
    struct job *job = arg;

    for (int i = job->id; i < job->id + job->rounds; i++) {
        struct tsk_revcache *c = tsk_revcache_open(job->dir, NULL);

        job->failed += c == NULL || verdict(c, i) || list(c, job, i) ||
                       (i % 8 == 0 && response(c, i / 8));
        tsk_revcache_unref(c);
    }
    return NULL;
}

/* One cache stays open, or each thread makes and forgets its own. */
static void run(int keep_open)
{
    struct job jobs[THREADS] = {0};
    const char *dir = stash_dir(), *rounds = getenv("TLSOCK_ROUNDS");
    struct tsk_revcache *c = stash_open(dir);

    for (int i = 0; i < URLS; i++) {
        struct tsk_crls *l;
        char url[32];

        snprintf(url, sizeof(url), "http://a.test/%d", i);
        jobs[0].der[i] = stash_crl(i + 1, 7, &jobs[0].len[i]);
        l = tsk_crls_parse(jobs[0].der[i], jobs[0].len[i], url, NULL);
        assert_non_null(l);
        jobs[0].memory[i] = tsk_crls_memory(l);
        assert_true(i == 0 || jobs[0].memory[i] > jobs[0].memory[i - 1]);
        tsk_revcache_keep_crls(c, url, l, jobs[0].der[i], jobs[0].len[i],
                               stash_now + DAY);
        tsk_crls_unref(l);
    }
    if (!keep_open)
        tsk_revcache_unref(c);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = jobs[0];
        jobs[i].dir = dir;
        jobs[i].id = i;
        jobs[i].rounds = rounds != NULL ? atoi(rounds) : 100;
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&jobs[i].thread, NULL, work, &jobs[i]),
                         0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(jobs[i].thread, NULL);
        assert_int_equal(jobs[i].failed, 0);
    }
    if (keep_open)
        tsk_revcache_unref(c);
    assert_int_equal(stash_files(dir, NULL), URLS + 4);
    for (int i = 0; i < URLS; i++)
        free(jobs[0].der[i]);
}

static void threads_share_what_they_keep(void **state)
{
    (void)state;
    run(1);
}

static void threads_open_and_forget_one_at_once(void **state)
{
    (void)state;
    run(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_what_they_keep),
        cmocka_unit_test(threads_open_and_forget_one_at_once),
    };

    return cmocka_run_group_tests_name("cachethread", tests, stash_real_time,
                                       stash_teardown);
}
