/* Many threads, one client config, one server config, one session cache. */
#include "ca.h"
#include "peer.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS 8

/* Connections of each thread: tests/flow/meson.build knows how long it takes */
static int rounds(void)
{
    const char *text = getenv("TLSOCK_ROUNDS");

    return text != NULL && atoi(text) > 0 ? atoi(text) : 40;
}

struct job {
    pthread_t thread;
    tlsock_config *cc, *sc;
    int id, failed, rounds;
    atomic_int *resumed;
    tlsock *ends[2];
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
        atomic_fetch_add(
            job->resumed,
            (int)tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_RESUMED));
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

    for (int i = 0; i < job->rounds; i++)
        job->failed += round_of(job, job->id + i);
    return NULL;
}

static void start(struct job *jobs, const struct job *job,
                  void *(*first)(void *), int n_first, void *(*rest)(void *))
{
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = *job;
        jobs[i].id = i;
        assert_int_equal(pthread_create(&jobs[i].thread, NULL,
                                        i < n_first ? first : rest, &jobs[i]),
                         0);
    }
}

static void join(struct job *jobs)
{
    for (int i = 0; i < THREADS; i++) {
        pthread_join(jobs[i].thread, NULL);
        assert_int_equal(jobs[i].failed, 0);
    }
}

static void run(tlsock_config *cc, tlsock_config *sc, int n, int expect_resumed)
{
    struct job jobs[THREADS];
    atomic_int resumed = 0;

    start(jobs,
          &(struct job){.cc = cc, .sc = sc, .resumed = &resumed, .rounds = n},
          work, 0, work);
    join(jobs);
    if (expect_resumed)
        assert_true(resumed > THREADS * n / 3);
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
    run(ca_client("tls.max", "1.2", NULL), two_hosts(), rounds() / 5, 1);
    run(ca_client(NULL), two_hosts(), rounds(), 1);
}

static void a_tiny_session_cache_is_shared_safely(void **state)
{
    (void)state;
    run(ca_client("session.size", "1", NULL), two_hosts(), 40, 0);
}

/* Each opens it for itself, and none gets a ticket that another one has. */
static void a_session_file_is_shared_safely(void **state)
{
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/thread.sessions", ca_get()->dir);
    run(ca_client("session.file", path, NULL), two_hosts(), 30, 0);
    unlink(path);
}

static void *copy_and_free(void *arg)
{
    struct job *job = arg;

    for (int i = 0; i < job->rounds; i++) {
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
    struct job job = {.cc = cc, .sc = sc, .resumed = &resumed, .rounds = 40};

    (void)state;
    assert_int_equal(round_of(&job, 0), 0); /* frozen by its first use */
    start(jobs, &job, copy_and_free, 2, work);
    join(jobs);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* Both ends over a real socket, verified: 0 */
static int connect_ends(struct job *job)
{
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1);
    int fds[2], done = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return 1;
    job->ends[0] = tlsock_client_fd(fds[0], "a.test", job->cc, o, NULL);
    job->ends[1] = tlsock_server_fd(fds[1], job->sc, o, NULL);
    for (int i = 0; i < 20 && done != 2; i++)
        done = (tlsock_handshake(job->ends[0]) == 0) +
               (tlsock_handshake(job->ends[1]) == 0);
    return done != 2;
}

static void free_ends(struct job *job)
{
    tlsock_abandon(job->ends[0]);
    tlsock_abandon(job->ends[1]);
}

static ssize_t reads(tlsock *s)
{
    char buf[8];

    return tlsock_read(s, buf, sizeof(buf));
}

/* The poll wakes up, the call after it says why. */
static ssize_t polls(tlsock *s)
{
    tlsock_pollitem item = {.s = s, .fd = -1, .events = POLLIN};

    return tlsock_poll(&item, 1, -1) == 1 ? reads(s) : TLSOCK_E_STATE;
}

static ssize_t writes(tlsock *s)
{
    static const char zeros[65536];
    ssize_t n;

    do
        n = tlsock_write(s, zeros, sizeof(zeros));
    while (n > 0); /* until the socket is full */
    return n;
}

static void *wait_to_be_interrupted(void *arg)
{
    static ssize_t (*const calls[])(tlsock *) = {reads, polls, writes};
    struct job *job = arg;

    job->failed = calls[job->id % 3](job->ends[0]) != TLSOCK_E_INTERRUPTED;
    return NULL;
}

/* Whether the other thread waits already, or is about to, or was first. */
static void interrupts_come_from_other_threads(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = two_hosts();

    (void)state;
    for (int i = 0; i < 30; i++) {
        struct job jobs[THREADS];

        for (int k = 0; k < THREADS; k++) {
            jobs[k] = (struct job){.cc = cc, .sc = sc, .id = k + i};
            assert_int_equal(connect_ends(&jobs[k]), 0);
            assert_code(tlsock_set_nonblocking(jobs[k].ends[0], 0), 0);
            assert_int_equal(pthread_create(&jobs[k].thread, NULL,
                                            wait_to_be_interrupted, &jobs[k]),
                             0);
        }
        for (int k = THREADS - 1; k >= 0; k--)
            assert_code(tlsock_interrupt(jobs[k].ends[0]), TLSOCK_OK);
        join(jobs);
        for (int k = 0; k < THREADS; k++)
            free_ends(&jobs[k]);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* What one end says the other says back, all of it moved by tlsock_poll(). */
static void *poll_and_talk(void *arg)
{
    struct job *job = arg;
    char buf[8];
    int told = 0;

    if (connect_ends(job) != 0 || tlsock_write(job->ends[0], "x", 1) != 1)
        job->failed++;
    while (told < job->rounds && job->failed == 0) {
        tlsock_pollitem items[2] = {
            {.s = job->ends[0], .fd = -1, .events = POLLIN},
            {.s = job->ends[1], .fd = -1, .events = POLLIN}};

        if (tlsock_poll(items, 2, 20000) < 1)
            job->failed++;
        for (int i = 0; i < 2; i++) {
            ssize_t n = items[i].revents != 0 ? tlsock_read(items[i].s, buf, 8)
                                              : TLSOCK_AGAIN;

            if (n == 1)
                n = tlsock_write(items[i].s, buf, 1);
            job->failed += n != 1 && n != TLSOCK_AGAIN;
            told += n == 1;
        }
    }
    free_ends(job);
    return NULL;
}

static int step_both(struct peer *p, int (*step)(tlsock *))
{
    int rc[2] = {TLSOCK_AGAIN, TLSOCK_AGAIN};

    for (int i = 0; i < 40; i++)
        if (rc[i % 2] == TLSOCK_AGAIN)
            rc[i % 2] = step(p->conn[i % 2]);
    return rc[CLIENT] != 0 || rc[SERVER] != 0;
}

static int up(tlsock *s)
{
    return tlsock_start_tls(s, NULL);
}

static int smtp(tlsock *s)
{
    return tlsock_starttls(s, "smtp", NULL);
}

static int say(struct peer *p)
{
    char got[8];

    return tlsock_write(p->conn[CLIENT], "word", 4) != 4 ||
           tlsock_read(p->conn[SERVER], got, 8) != 4 ||
           tlsock_write(p->conn[SERVER], "word", 4) != 4 ||
           tlsock_read(p->conn[CLIENT], got, 8) != 4;
}

static void *go_up_and_down(void *arg)
{
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1, .plain = 1);
    struct job *job = arg;
    struct peer p;

    peer_init(&p);
    job->failed = peer_open_opts(&p, job->cc, o, job->sc, o, "a.test") != 0;
    for (int i = 0; i < job->rounds && job->failed == 0; i++)
        job->failed = step_both(&p, i == 0 ? smtp : up) || say(&p) ||
                      step_both(&p, tlsock_stop_tls) || say(&p);
    peer_free(&p);
    return NULL;
}

/* Side by side, on one pair of configs. */
static void threads_poll_and_change_beside_each_other(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = two_hosts();
    struct job jobs[THREADS];

    (void)state;
    start(jobs, &(struct job){.cc = cc, .sc = sc, .rounds = rounds()},
          poll_and_talk, THREADS / 2, go_up_and_down);
    join(jobs);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* Answers come from eight threads, each op twice, while eight others shake
 * hands and some connections go before their answer. */
struct desk {
    pthread_mutex_t lock;
    struct tlsock_op *waiting[4 * THREADS];
    size_t n;
    int closed, odd;
};

static int put_on_desk(const tlsock_event *e, void *arg)
{
    struct desk *d = arg;
    int rc = TLSOCK_E_LIMIT;

    pthread_mutex_lock(&d->lock);
    if (d->n < sizeof(d->waiting) / sizeof(d->waiting[0])) {
        d->waiting[d->n++] = e->op;
        rc = TLSOCK_AGAIN;
    }
    pthread_mutex_unlock(&d->lock);
    return rc;
}

static void *answer_all(void *arg)
{
    struct desk *d = arg;
    int closed = 0, odd = 0;

    while (!closed) {
        struct tlsock_op *op = NULL;
        int rc;

        pthread_mutex_lock(&d->lock);
        if (d->n != 0)
            op = d->waiting[--d->n];
        closed = d->closed && op == NULL;
        pthread_mutex_unlock(&d->lock);
        if (op == NULL) {
            poll(NULL, 0, 1);
            continue;
        }
        odd += tlsock_op_done(op, 0, "answer", 6) != 0;
        rc = tlsock_op_done(op, TLSOCK_E_HOOK, NULL, 0);
        odd += rc != 0 && rc != TLSOCK_E_STATE;
    }
    pthread_mutex_lock(&d->lock);
    d->odd += odd;
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

static void *shake_later(void *arg)
{
    struct job *job = arg;

    for (int i = 0; i < job->rounds; i++) {
        struct peer p;
        int rc = shake(&p, job, "a.test");

        for (int n = 0; i % 4 != 3 && rc == TLSOCK_AGAIN && n < 30000; n++) {
            poll(NULL, 0, 1);
            rc = peer_shake(&p);
        }
        job->failed |= i % 4 == 3 ? rc != TLSOCK_AGAIN && rc != 0 : rc != 0;
        peer_free(&p);
    }
    return NULL;
}

static void answers_come_from_many_threads(void **state)
{
    struct desk desk = {.lock = PTHREAD_MUTEX_INITIALIZER};
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    pthread_t answering[THREADS];
    struct job jobs[THREADS];

    (void)state;
    assert_code(tlsock_config_on(sc, TLSOCK_ON_HELLO, put_on_desk, &desk), 0);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){.cc = cc, .sc = sc, .rounds = rounds() / 10 + 8};
        assert_int_equal(
            pthread_create(&answering[i], NULL, answer_all, &desk), 0);
        assert_int_equal(
            pthread_create(&jobs[i].thread, NULL, shake_later, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(jobs[i].thread, NULL);
        assert_false(jobs[i].failed);
    }
    pthread_mutex_lock(&desk.lock);
    desk.closed = 1;
    pthread_mutex_unlock(&desk.lock);
    for (int i = 0; i < THREADS; i++)
        pthread_join(answering[i], NULL);
    assert_int_equal(desk.odd, 0);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_config_serves_many_threads),
        cmocka_unit_test(a_tiny_session_cache_is_shared_safely),
        cmocka_unit_test(a_session_file_is_shared_safely),
        cmocka_unit_test(copies_and_reloads_go_on_beside_connections),
        cmocka_unit_test(interrupts_come_from_other_threads),
        cmocka_unit_test(threads_poll_and_change_beside_each_other),
        cmocka_unit_test(answers_come_from_many_threads),
    };

    return cmocka_run_group_tests_name("thread", tests, ca_setup, ca_teardown);
}
