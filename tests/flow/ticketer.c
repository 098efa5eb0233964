/* The secret of tickets in Redis: fetched ahead by a thread, never waited for.
 * Redis is a few lines here, with every habit a bad one has; the clock is moved
 * by hand. The real one is in tests/servers/tickets.sh. */
#include "ca.h"
#include "fault.h"
#include "lines.h"
#include "peer.h"
#include "sock.h"

#include "api/config_box.h"
#include "api/ticketer.h"
#include "core/clock.h"
#include "session/ticket.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ONE "5b7d19a1c5e84e9f8d0a4cc0bd55f24cfe8c1d43e2ac4d4e9fb6a1d0c3e24f10"
#define TWO "c0ffee5b7d19a1c5e84e9f8d0a4cc0bd55f24cfe8c1d43e2ac4d4e9fb6a1d0aa"

/* AddressSanitizer's heap has locks of its own, which fork() copies as they
 * are: threads that allocate at that moment stop the child for ever.
 * ThreadSanitizer lets no child have threads. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FOREIGN_HEAP
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FOREIGN_HEAP
#endif
#endif

static atomic_llong moved_ms; /* by how much the clocks are ahead */

static int64_t monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 +
           atomic_load(&moved_ms);
}

static int64_t wall(void)
{
    return INT64_C(1800000000) + atomic_load(&moved_ms) / 1000;
}

enum habit {
    GOOD,
    DOWN,    /* hangs up on everybody */
    SILENT,  /* takes what is said, and answers nothing */
    REFUSES, /* an error */
    GARBAGE
};

static struct redis {
    struct sock_server server;
    pthread_mutex_t lock; /* over value */
    char value[256];      /* "": there is none */
    atomic_int habit, asked;
    tlsock_config *tls; /* or NULL */
    tlsock_config *cc;
} redis = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* One side of a conversation, in either kind. */
struct line {
    int fd;
    tlsock *s;
};

static ssize_t hear(struct line *l, char *buf, size_t size)
{
    return l->s != NULL ? tlsock_read(l->s, buf, size)
                        : recv(l->fd, buf, size, 0);
}

static void say(struct line *l, const char *text)
{
    ssize_t n = l->s != NULL ? tlsock_write(l->s, text, strlen(text))
                             : sock_send(l->fd, text, strlen(text));

    (void)n; /* who has hung up hears nothing */
}

static void value_is(const char *value)
{
    pthread_mutex_lock(&redis.lock);
    snprintf(redis.value, sizeof(redis.value), "%s", value);
    pthread_mutex_unlock(&redis.lock);
}

/* What is there, or not, as an answer to GET. */
static void say_value(struct line *l)
{
    char text[300];

    pthread_mutex_lock(&redis.lock);
    if (redis.value[0] == '\0')
        snprintf(text, sizeof(text), "$-1\r\n");
    else
        snprintf(text, sizeof(text), "$%zu\r\n%s\r\n", strlen(redis.value),
                 redis.value);
    pthread_mutex_unlock(&redis.lock);
    say(l, text);
}

/* SET NX: *4, SET, the key, 64 bytes, NX */
static void set_value(struct line *l, const char *said)
{
    const char *at = strstr(said, "\r\n$64\r\n");
    int first;

    pthread_mutex_lock(&redis.lock);
    first = redis.value[0] == '\0' && at != NULL;
    if (first)
        snprintf(redis.value, sizeof(redis.value), "%.64s", at + 7);
    pthread_mutex_unlock(&redis.lock);
    say(l, first ? "+OK\r\n" : "$-1\r\n");
}

static void converse(struct line *l)
{
    char said[2048] = "";
    size_t len = 0, seen = 0;
    int known = 0;

    for (;;) {
        ssize_t n = hear(l, said + len, sizeof(said) - 1 - len);
        char *get;

        if (n <= 0)
            return;
        len += (size_t)n;
        said[len] = '\0';
        if (!known && strstr(said, "\r\nAUTH\r\n") != NULL) {
            known = strstr(said, "\r\nsesame\r\n") != NULL;
            say(l, known ? "+OK\r\n" : "-WRONGPASS\r\n");
        }
        get = strstr(said + seen, "GET\r\n$1\r\nk\r\n");
        if (get == NULL)
            continue;
        if (strstr(said + seen, "SET\r\n") != NULL)
            set_value(l, said + seen);
        seen = len;
        if (atomic_load(&redis.habit) == REFUSES)
            say(l, "-NOAUTH Authentication required.\r\n");
        else if (atomic_load(&redis.habit) == GARBAGE)
            say(l, "220 mail ESMTP\r\n");
        else if (atomic_load(&redis.habit) != SILENT)
            say_value(l);
    }
}

static void script(int fd, void *arg)
{
    struct line l = {fd, NULL};

    (void)arg;
    atomic_fetch_add(&redis.asked, 1);
    if (atomic_load(&redis.habit) == DOWN)
        return;
    if (redis.tls != NULL)
        l.s = tlsock_server_fd(fd, redis.tls,
                               TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD), NULL);
    converse(&l);
    tlsock_close(l.s);
}

static void start(tlsock_config *tls)
{
    redis.tls = tls;
    atomic_store(&redis.habit, GOOD);
    atomic_store(&redis.asked, 0);
    atomic_store(&moved_ms, 0);
    value_is(ONE);
    redis.cc = ca_client("timeout", "none", NULL); /* the clock jumps */
    sock_serve(&redis.server, 1000000, script, NULL);
}

static void finish(void)
{
    shutdown(redis.server.listener, SHUT_RDWR);
    sock_join(&redis.server);
    tlsock_config_unref(redis.tls);
    tlsock_config_unref(redis.cc);
}

/* A machine of the fleet, which serves from now on. */
static tlsock_config *machine(const char *more, struct lines *l)
{
    char url[300];
    tlsock_listener *listener;
    tlsock_config *sc;

    snprintf(url, sizeof(url), "redis%s://127.0.0.1:%d/?key=k%s",
             redis.tls != NULL ? "s" : "", redis.server.port, more);
    sc = ca_server(ca_get()->a, "tickets.secret", url, "tickets.rotate", "1h",
                   "handshake-timeout", "none", NULL);
    if (l != NULL)
        lines_of(sc, l);
    listener = tlsock_listen("127.0.0.1:0", sc, NULL, NULL);
    assert_non_null(listener); /* whatever Redis does */
    tlsock_listener_free(listener);
    return sc;
}

static struct tsk_tickets *tickets_of(tlsock_config *sc)
{
    return tsk_ctx_settings(sc->use[1].ctx)->ticket_keys;
}

static void advance(tlsock_config *sc, int64_t seconds)
{
    atomic_fetch_add(&moved_ms, seconds * 1000);
    tsk_ticketer_poke(sc->use[1].ctx);
}

/* Within 20 s: the clock moves on, for whoever pauses. */
static void await_ready(tlsock_config *sc, int ready)
{
    for (int i = 0; i < 4000 && tsk_tickets_ready(tickets_of(sc)) != ready; i++)
        poll(NULL, 0, 5);
    assert_int_equal(tsk_tickets_ready(tickets_of(sc)), ready);
}

static void await_asked(int n)
{
    for (int i = 0; i < 4000 && atomic_load(&redis.asked) < n; i++)
        poll(NULL, 0, 5);
    assert_true(atomic_load(&redis.asked) >= n);
}

/* One connection, which is good whatever Redis does: was it resumed? */
static int visit(tlsock_config *sc)
{
    struct peer p;
    int resumed;

    peer_init(&p);
    peer_connect(&p, redis.cc, sc, "a.test");
    peer_pingpong(&p);
    resumed = (int)tlsock_info_int(p.conn[SERVER], TLSOCK_INFO_RESUMED);
    peer_close(&p);
    peer_free(&p);
    return resumed;
}

/* Until the LOG hook tells: some connection takes the line along. */
static void await_line(tlsock_config *sc, const struct lines *l,
                       const char *fact)
{
    for (int i = 0; i < 400 && strstr(l->text, fact) == NULL; i++) {
        visit(sc);
        poll(NULL, 0, 5);
    }
    assert_tells(l->text, fact);
}

static void a_fleet_shares_what_is_there(void **state)
{
    tlsock_config *a, *b;

    (void)state;
    start(NULL);
    a = machine("", NULL);
    b = machine("", NULL);
    await_ready(a, 1);
    await_ready(b, 1);
    assert_int_equal(visit(a), 0);
    assert_int_equal(visit(b), 1);
    assert_int_equal(visit(a), 1);
    tlsock_config_unref(a);
    tlsock_config_unref(b);
    finish();
}

/* Nobody has to put a secret there: the first machine does. */
static void a_fleet_makes_what_is_not_there(void **state)
{
    tlsock_config *a, *b;

    (void)state;
    start(NULL);
    value_is("");
    a = machine("", NULL);
    b = machine("", NULL);
    await_ready(a, 1);
    await_ready(b, 1);
    assert_int_equal(visit(a), 0);
    assert_int_equal(visit(b), 1);
    assert_int_equal(strlen(redis.value), 64);
    tlsock_config_unref(a);
    tlsock_config_unref(b);
    finish();
}

static void a_secret_is_changed_live(void **state)
{
    struct tsk_ticketkey k, old;
    tlsock_config *a;
    int now;

    (void)state;
    start(NULL);
    a = machine("", NULL);
    await_ready(a, 1);
    assert_int_equal(tsk_tickets_issue(tickets_of(a), &old), 1);
    assert_int_equal(visit(a), 0);
    value_is(TWO "\n" ONE);
    now = atomic_load(&redis.asked);
    advance(a, 30);
    await_asked(now + 1);
    for (int i = 0; i < 4000; i++) { /* the answer is on its way */
        assert_int_equal(tsk_tickets_issue(tickets_of(a), &k), 1);
        if (memcmp(&k, &old, sizeof(k)) != 0)
            break;
        poll(NULL, 0, 5);
    }
    assert_memory_not_equal(&k, &old, sizeof(k));
    assert_int_equal(tsk_tickets_find(tickets_of(a), old.name, &k), 2);
    assert_int_equal(visit(a), 1);
    tlsock_config_unref(a);
    finish();
}

static void without_redis_there_are_full_handshakes(void **state)
{
    static const struct {
        enum habit habit;
        const char *fact;
    } rows[] = {{DOWN, "127.0.0.1"}, /* an end or a reset */
                {REFUSES, "NOAUTH"},
                {GARBAGE, "no Redis server"}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *a;
        struct lines l;

        start(NULL);
        atomic_store(&redis.habit, rows[i].habit);
        a = machine("", &l);
        await_line(a, &l, rows[i].fact);
        assert_tells(l.text, "k in Redis at 127.0.0.1:");
        assert_tells(l.text, "nothing is resumed");
        assert_int_equal(visit(a), 0);
        assert_int_equal(l.calls, 1);
        advance(a, 5); /* the same again: nobody is told twice */
        await_asked(2);
        assert_int_equal(visit(a), 0);
        assert_int_equal(visit(a), 0);
        assert_int_equal(l.calls, 1);
        atomic_store(&redis.habit, GOOD); /* and then it is there */
        advance(a, 10);
        await_ready(a, 1);
        await_line(a, &l, "read again");
        assert_int_equal(visit(a), 1);
        tlsock_config_unref(a);
        finish();
    }
}

/* What nobody answers is given up after ten seconds, or when it is over. */
static void a_silent_redis_holds_nobody_up(void **state)
{
    tlsock_config *a;
    struct lines l;

    (void)state;
    start(NULL);
    atomic_store(&redis.habit, SILENT);
    a = machine("", &l);
    await_asked(1);
    assert_int_equal(visit(a), 0);
    assert_int_equal(visit(a), 0);
    advance(a, 10);
    await_line(a, &l, "in Redis at");
    advance(a, 5);
    await_asked(2);
    tlsock_config_unref(a); /* while it is being asked */
    finish();
}

static void a_secret_outlives_redis_for_a_while(void **state)
{
    tlsock_config *a;
    struct lines l;

    (void)state;
    start(NULL);
    a = machine("", &l);
    await_ready(a, 1);
    assert_int_equal(visit(a), 0);
    atomic_store(&redis.habit, DOWN);
    advance(a, 30);
    await_asked(2);
    await_line(a, &l, "stays in use for a while");
    assert_int_equal(visit(a), 1);
    advance(a, 3600); /* the next period: two from the last answer */
    assert_int_equal(tsk_tickets_ready(tickets_of(a)), 1);
    visit(a);
    assert_int_equal(visit(a), 1);
    advance(a, 3600);
    assert_int_equal(visit(a), 0);
    assert_int_equal(visit(a), 0);
    tlsock_config_unref(a);
    finish();
}

static void what_is_no_secret_changes_nothing(void **state)
{
    tlsock_config *a;
    struct lines l;

    (void)state;
    start(NULL);
    a = machine("", &l);
    await_ready(a, 1);
    assert_int_equal(visit(a), 0);
    value_is("short");
    advance(a, 30);
    await_line(a, &l, "line 1 of it is too short for a secret");
    assert_int_equal(visit(a), 1);
    tlsock_config_unref(a);
    finish();
}

/* Read each time, so that another one is found; who cannot read it says so. */
static void a_password_comes_from_where_it_is_kept(void **state)
{
    tlsock_config *a;
    struct lines l;

    (void)state;
    unsetenv("TEST_REDIS");
    start(NULL);
    a = machine("&pass=env:TEST_REDIS", &l);
    await_line(a, &l, "TEST_REDIS");
    assert_int_equal(tsk_tickets_ready(tickets_of(a)), 0);
    assert_int_equal(atomic_load(&redis.asked), 0);
    assert_int_equal(setenv("TEST_REDIS", "sesame", 1), 0);
    advance(a, 5);
    await_ready(a, 1);
    assert_int_equal(visit(a), 0);
    assert_int_equal(visit(a), 1);
    tlsock_config_unref(a);
    finish();
}

static void tls_to_redis_is_verified(void **state)
{
    char good[160];
    tlsock_config *a;
    struct lines l;

    (void)state;
    snprintf(good, sizeof(good), "&ca=%s", ca_get()->root_pem);
    start(ca_server(ca_get()->ip, NULL));
    a = machine(good, &l);
    await_ready(a, 1);
    assert_int_equal(visit(a), 0);
    assert_int_equal(visit(a), 1);
    tlsock_config_unref(a);
    a = machine("", &l); /* the system's CAs did not sign that */
    await_line(a, &l, "in Redis at 127.0.0.1:");
    assert_tells(l.text, "root");
    assert_int_equal(tsk_tickets_ready(tickets_of(a)), 0);
    tlsock_config_unref(a);
    a = machine("&ca=/no/such/file", &l);
    await_line(a, &l, "/no/such/file");
    tlsock_config_unref(a);
    finish();
}

/* Four threads that serve, one that reloads, and Redis that comes and goes; in
 * sum the clock moves by less than a handshake has. */
/* Only what the threads allocate, ours and Redis's, may fail. */
static void without_memory_it_asks_again(void **state)
{
    char good[160];
    int hit = 1;

    (void)state;
    snprintf(good, sizeof(good), "&ca=%s", ca_get()->root_pem);
    start(ca_server(ca_get()->ip, NULL));
    fault_hold(1);
    for (long n = 1; hit; n++) {
        tlsock_config *a;
        struct tsk_tickets *t;

        assert_true(n < 1000);
        fault_arm(FAULT_OWN, n, 0);
        a = machine(good, NULL);
        t = tickets_of(a);
        for (int i = 0; i < 4000 && !tsk_tickets_ready(t); i++) {
            poll(NULL, 0, 1);
            if (i % 10 == 9)
                advance(a, 5);
        }
        hit = fault_disarm();
        assert_int_equal(tsk_tickets_ready(t), 1);
        tlsock_config_unref(a);
    }
    fault_hold(0);
    finish();
}

static void *keep_visiting(void *arg)
{
    for (int i = 0; i < 20; i++)
        visit(arg);
    return NULL;
}

static void threads_and_reloads_do_not_mind(void **state)
{
    pthread_t threads[4];
    tlsock_config *a;

    (void)state;
    start(NULL);
    atomic_store(&redis.habit, DOWN);
    a = machine("", NULL);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_visiting, a),
                         0);
    for (int i = 0; i < 10; i++) {
        value_is(i % 2 ? ONE : TWO);
        atomic_store(&redis.habit, i % 2 ? DOWN : GOOD);
        atomic_fetch_add(&moved_ms, 2500);
        assert_code(tlsock_config_reload(a), TLSOCK_OK);
        tsk_ticketer_poke(a->use[1].ctx); /* nobody else swaps it */
    }
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    tlsock_config_unref(a);
    finish();
}

#ifndef FOREIGN_HEAP
/* The child asks by itself. */
static void a_child_has_a_thread_of_its_own(void **state)
{
    tlsock_config *a;
    int status = -1;
    pid_t pid;

    (void)state;
    start(NULL);
    a = machine("", NULL);
    await_ready(a, 1);
    value_is(TWO);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct tsk_ticketkey old, k;

        if (!tsk_tickets_issue(tickets_of(a), &old))
            test_exit(1);
        atomic_fetch_add(&moved_ms, 60000); /* what it has is due */
        visit(a);                           /* it begins here */
        for (int i = 0; i < 4000; i++) {
            if (tsk_tickets_issue(tickets_of(a), &k) &&
                memcmp(&k, &old, sizeof(k)) != 0)
                test_exit(0);
            poll(NULL, 0, 5);
        }
        test_exit(2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    tlsock_config_unref(a);
    finish();
}
#endif

static int setup(void **state)
{
    tsk_clock_monotonic = monotonic;
    tsk_clock_wall = wall;
    return ca_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fleet_shares_what_is_there),
        cmocka_unit_test(a_fleet_makes_what_is_not_there),
        cmocka_unit_test(a_secret_is_changed_live),
        cmocka_unit_test(without_redis_there_are_full_handshakes),
        cmocka_unit_test(a_silent_redis_holds_nobody_up),
        cmocka_unit_test(a_secret_outlives_redis_for_a_while),
        cmocka_unit_test(what_is_no_secret_changes_nothing),
        cmocka_unit_test(a_password_comes_from_where_it_is_kept),
        cmocka_unit_test(tls_to_redis_is_verified),
        cmocka_unit_test(without_memory_it_asks_again),
        cmocka_unit_test(threads_and_reloads_do_not_mind),
#ifndef FOREIGN_HEAP
        cmocka_unit_test(a_child_has_a_thread_of_its_own),
#endif
    };

    fault_init();
    return cmocka_run_group_tests_name("ticketer", tests, setup, ca_teardown);
}
