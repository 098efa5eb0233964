#include "net_help.h"

#include "net/resolve.h"
#include "net/work.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>

static struct tsk_target target(const char *host, const char *service)
{
    struct tsk_target t = {.is_ip = 0};

    snprintf(t.host, sizeof(t.host), "%s", host);
    snprintf(t.service, sizeof(t.service), "%s", service);
    return t;
}

static void await(const struct tsk_lookup *l)
{
    struct pollfd p = {tsk_lookup_fd(l), POLLIN, 0};

    assert_int_equal(poll(&p, 1, 30000), 1);
}

/* One lookup from start to end. */
static int look_up(const struct tsk_target *t, int family,
                   struct tsk_addrs *out, tlsock_error *err)
{
    struct tsk_lookup *l = tsk_lookup_start(t, family, err);
    int rc;

    if (l == NULL)
        return err->code;
    await(l);
    rc = tsk_lookup_result(l, out, err);
    tsk_lookup_free(l);
    return rc;
}

static void what_is_numeric_needs_no_lookup(void **state)
{
    struct tsk_target t = target("192.0.2.1", "443");
    struct tsk_addrs a;
    tlsock_error err = {0};
    char text[64];

    (void)state;
    assert_int_equal(tsk_resolve_numeric(&a, &t, 0, &err), 1);
    assert_int_equal(a.n, 1);
    tsk_addr_text(text, sizeof(text), (struct sockaddr *)&a.list[0].ss,
                  a.list[0].len);
    assert_string_equal(text, "192.0.2.1:443");
    tsk_addrs_free(&a);
    assert_int_equal(tsk_resolve_numeric(&a, &t, 6, &err), TLSOCK_E_ARGUMENT);
    assert_non_null(strstr(err.message, "192.0.2.1 is no IPv6 address"));
    t = target("2001:db8::1", "0");
    assert_int_equal(tsk_resolve_numeric(&a, &t, 6, &err), 1);
    tsk_addr_text(text, sizeof(text), (struct sockaddr *)&a.list[0].ss,
                  a.list[0].len);
    assert_string_equal(text, "[2001:db8::1]:0");
    tsk_addrs_free(&a);
    t = target("a.example", "443");
    assert_int_equal(tsk_resolve_numeric(&a, &t, 0, &err), 0);
    t = target("192.0.2.1", "https");
    assert_int_equal(tsk_resolve_numeric(&a, &t, 0, &err), 0);
}

static void an_address_is_shown_with_its_port_as_far_as_it_fits(void **state)
{
    static const struct {
        const char *ip;
        size_t size;
        const char *want;
    } rows[] = {
        {"192.0.2.1", 64, "192.0.2.1:65535"},
        {"192.0.2.1", 16, "192.0.2.1:65535"},
        {"192.0.2.1", 15, "192.0.2.1:6553"},
        {"192.0.2.1", 1, ""},
        {"2001:db8::1", 64, "[2001:db8::1]:65535"},
        {"2001:db8::1", 12, "[2001:db8::"},
        {"::ffff:192.0.2.1", 64, "192.0.2.1:65535"}, /* dual stack */
        {"1111:2222:3333:4444:5555:6666:7777:8888", 64,
         "[1111:2222:3333:4444:5555:6666:7777:8888]:65535"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tsk_target t = target(rows[i].ip, "65535");
        struct tsk_addrs a;
        tlsock_error err = {0};
        char text[64];

        assert_int_equal(tsk_resolve_numeric(&a, &t, 0, &err), 1);
        memset(text, 'x', sizeof(text));
        tsk_addr_text(text, rows[i].size, (struct sockaddr *)&a.list[0].ss,
                      a.list[0].len);
        assert_string_equal(text, rows[i].want);
        tsk_addrs_free(&a);
    }
}

/* The system's resolver knows "localhost" at most, by a file. */
static void names_under_localhost_are_this_machine(void **state)
{
    static const char *const names[] = {"localhost", "no.such.name.localhost"};
    static const char *const want[] = {
        [0] = "127.0.0.1:443", [4] = "127.0.0.1:443", [6] = "[::1]:443"};
    static const int families[] = {0, 4, 6};

    (void)state;
    for (size_t i = 0; i < COUNT(names) * COUNT(families); i++) {
        struct tsk_target t = target(names[i / COUNT(families)], "443");
        int family = families[i % COUNT(families)];
        struct tsk_addrs a;
        tlsock_error err = {0};
        char text[64];

        if (look_up(&t, family, &a, &err) != TLSOCK_OK)
            fail_msg("%s", err.message);
        tsk_addr_text(text, sizeof(text), (struct sockaddr *)&a.list[0].ss,
                      a.list[0].len);
        assert_string_equal(text, want[family]);
        tsk_addrs_free(&a);
        assert_int_equal(tsk_resolve_now(&a, &t, family, &err), TLSOCK_OK);
        assert_int_equal(a.n, family == 0 ? 2 : 1);
        tsk_addrs_free(&a);
    }
}

/* What the resolver was asked last. */
static struct {
    char host[256], service[64];
    struct addrinfo hints;
    sigset_t mask;
    int answer;
} asked;

static int record(const char *host, const char *service,
                  const struct addrinfo *hints, struct addrinfo **out)
{
    snprintf(asked.host, sizeof(asked.host), "%s", host != NULL ? host : "");
    snprintf(asked.service, sizeof(asked.service), "%s", service);
    asked.hints = *hints;
    pthread_sigmask(SIG_SETMASK, NULL, &asked.mask);
    if (asked.answer != 0) {
        errno = EMFILE;
        return asked.answer;
    }
    return getaddrinfo("127.0.0.1", "80", NULL, out);
}

static int use_record(void **state)
{
    (void)state;
    memset(&asked, 0, sizeof(asked));
    tsk_resolve_getaddrinfo = record;
    return 0;
}

static int use_system(void **state)
{
    (void)state;
    tsk_resolve_getaddrinfo = getaddrinfo;
    return 0;
}

static const struct {
    const char *host, *service;
    int family;
    const char *wire;
    int ai_family, flags;
} asks[] = {
    {"M\xc3\xbcnchen.Example.", "443", 0, "xn--mnchen-3ya.example", AF_UNSPEC,
     AI_ADDRCONFIG | AI_NUMERICSERV},
    {"a.example", "https", 0, "a.example", AF_UNSPEC, AI_ADDRCONFIG},
    {"a.example", "443", 4, "a.example", AF_INET, AI_NUMERICSERV},
    {"a.example", "443", 6, "a.example", AF_INET6, AI_NUMERICSERV},
    /* RFC 6761, 6.3: no name is asked for */
    {"localhost", "443", 0, "", AF_UNSPEC, AI_NUMERICSERV},
    {"localhost.", "https", 6, "", AF_INET6, 0},
    {"x.LocalHost", "443", 0, "", AF_UNSPEC, AI_NUMERICSERV},
    {"a.b.localhost", "443", 4, "", AF_INET, AI_NUMERICSERV},
    {"localhost.example", "443", 0, "localhost.example", AF_UNSPEC,
     AI_ADDRCONFIG | AI_NUMERICSERV},
    {"notlocalhost", "443", 0, "notlocalhost", AF_UNSPEC,
     AI_ADDRCONFIG | AI_NUMERICSERV},
    {"x.notlocalhost", "443", 0, "x.notlocalhost", AF_UNSPEC,
     AI_ADDRCONFIG | AI_NUMERICSERV},
    {"localhost.localdomain", "443", 0, "localhost.localdomain", AF_UNSPEC,
     AI_ADDRCONFIG | AI_NUMERICSERV},
};

static void the_resolver_is_asked_in_wire_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(asks); i++) {
        struct tsk_target t = target(asks[i].host, asks[i].service);
        struct tsk_addrs a;
        tlsock_error err;

        assert_int_equal(look_up(&t, asks[i].family, &a, &err), TLSOCK_OK);
        assert_string_equal(asked.host, asks[i].wire);
        assert_string_equal(asked.service, asks[i].service);
        assert_int_equal(asked.hints.ai_family, asks[i].ai_family);
        assert_int_equal(asked.hints.ai_flags, asks[i].flags);
        assert_int_equal(asked.hints.ai_socktype, SOCK_STREAM);
        assert_true(sigismember(&asked.mask, SIGTERM) == 1);
        assert_true(sigismember(&asked.mask, SIGALRM) == 1);
        tsk_addrs_free(&a);
    }
}

static const struct {
    int eai, want;
    const char *hint;
} failures[] = {
    {EAI_NONAME, TLSOCK_E_RESOLVE, "spelt"},
    {EAI_FAIL, TLSOCK_E_RESOLVE, "spelt"},
    {EAI_AGAIN, TLSOCK_E_RESOLVE, "name server"},
    {EAI_SERVICE, TLSOCK_E_RESOLVE, "/etc/services"},
    {EAI_FAMILY, TLSOCK_E_RESOLVE, "spelt"},
    {EAI_SYSTEM, TLSOCK_E_RESOLVE, "name server"},
    {EAI_MEMORY, TLSOCK_E_NOMEM, ""},
};

static void each_failure_names_host_service_and_advice(void **state)
{
    struct tsk_target t = target("a.example", "imaps");

    (void)state;
    for (size_t i = 0; i < COUNT(failures); i++) {
        tlsock_error err = {0};
        struct tsk_addrs a;

        asked.answer = failures[i].eai;
        assert_int_equal(look_up(&t, 0, &a, &err), failures[i].want);
        assert_int_equal(err.code, failures[i].want);
        assert_non_null(strstr(err.hint, failures[i].hint));
        if (err.code != TLSOCK_E_RESOLVE)
            continue;
        assert_non_null(strstr(err.message, "\"a.example\" (port imaps): "));
        assert_true(err.hint[0] != '\0');
        assert_int_equal(err.sys_errno,
                         failures[i].eai == EAI_SYSTEM ? EMFILE : 0);
    }
}

static int no_address(const char *host, const char *service,
                      const struct addrinfo *hints, struct addrinfo **out)
{
    int rc = record(host, service, hints, out);

    for (struct addrinfo *a = *out; rc == 0 && a != NULL; a = a->ai_next)
        a->ai_family = AF_UNIX;
    return rc;
}

static void an_answer_without_addresses_is_a_failure(void **state)
{
    struct tsk_target t = target("a.example", "443");
    tlsock_error err = {0};
    struct tsk_addrs a;

    (void)state;
    tsk_resolve_getaddrinfo = no_address;
    assert_int_equal(look_up(&t, 0, &a, &err), TLSOCK_E_RESOLVE);
}

/* A resolver that hangs until told. */
static struct {
    sem_t entered, go, left;
    pthread_mutex_t lock;
    int now, most;
} slow = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int hang(const char *host, const char *service,
                const struct addrinfo *hints, struct addrinfo **out)
{
    (void)host;
    (void)service;
    (void)hints;
    pthread_mutex_lock(&slow.lock);
    slow.now++;
    slow.most = slow.now > slow.most ? slow.now : slow.most;
    pthread_mutex_unlock(&slow.lock);
    sem_post(&slow.entered);
    while (sem_wait(&slow.go) != 0)
        ;
    pthread_mutex_lock(&slow.lock);
    slow.now--;
    pthread_mutex_unlock(&slow.lock);
    sem_post(&slow.left);
    return getaddrinfo("127.0.0.1", "80", NULL, out);
}

static int use_hang(void **state)
{
    (void)state;
    sem_init(&slow.entered, 0, 0);
    sem_init(&slow.go, 0, 0);
    sem_init(&slow.left, 0, 0);
    slow.now = slow.most = 0;
    tsk_resolve_getaddrinfo = hang;
    return 0;
}

static void a_slow_resolver_delays_nobody(void **state)
{
    struct tsk_target t = target("a.example", "443");
    struct tsk_lookup *l = tsk_lookup_start(&t, 0, NULL);
    struct pollfd p = {tsk_lookup_fd(l), POLLIN, 0};
    struct tsk_addrs a;

    (void)state;
    sem_wait(&slow.entered);
    assert_int_equal(tsk_lookup_result(l, &a, NULL), TLSOCK_AGAIN);
    assert_int_equal(poll(&p, 1, 0), 0);
    sem_post(&slow.go);
    await(l);
    assert_int_equal(tsk_lookup_result(l, &a, NULL), TLSOCK_OK);
    assert_int_equal(a.n >= 1, 1);
    tsk_addrs_free(&a);
    tsk_lookup_free(l);
}

#define MANY (TSK_WORK_THREADS + 20)

static void more_lookups_than_threads_wait_in_line(void **state)
{
    struct tsk_target t = target("a.example", "443");
    struct tsk_lookup *l[MANY];
    int before;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        l[i] = tsk_lookup_start(&t, 0, NULL);
        assert_non_null(l[i]);
    }
    for (int i = 0; i < TSK_WORK_THREADS; i++)
        sem_wait(&slow.entered);
    /* first, last and one in the middle of the line, and one that runs */
    before = count_fds();
    tsk_lookup_free(l[TSK_WORK_THREADS]);
    tsk_lookup_free(l[MANY - 1]);
    tsk_lookup_free(l[MANY - 10]);
    tsk_lookup_free(l[0]);
    assert_int_equal(count_fds(), before - 4); /* at once */
    l[0] = l[TSK_WORK_THREADS] = l[MANY - 10] = NULL;
    l[MANY - 1] = tsk_lookup_start(&t, 0, NULL); /* the end of it is whole */
    for (int i = 0; i < MANY; i++)
        sem_post(&slow.go);
    for (int i = 0; i < MANY; i++) {
        struct tsk_addrs a;

        if (l[i] == NULL)
            continue;
        await(l[i]);
        assert_int_equal(tsk_lookup_result(l[i], &a, NULL), TLSOCK_OK);
        tsk_addrs_free(&a);
        tsk_lookup_free(l[i]);
    }
    for (int i = 0; i < MANY - 2; i++) /* three never began, one more did */
        sem_wait(&slow.left);
    assert_int_equal(slow.most, TSK_WORK_THREADS);
    tsk_lookup_free(NULL);
}

static void a_forked_child_resolves_by_itself(void **state)
{
    struct tsk_target t = target("a.example", "443");
    struct tsk_lookup *ours = tsk_lookup_start(&t, 0, NULL);
    struct tsk_addrs a;
    tlsock_error err = {0};
    int status = 0;
    pid_t pid;

    (void)state;
    sem_wait(&slow.entered);
#ifdef __SANITIZE_THREAD__ /* it ends children that start threads */
    sem_post(&slow.go);
    sem_wait(&slow.left);
    tsk_lookup_free(ours);
    skip();
#endif
    pid = fork();
    if (pid == 0) {
        if (tsk_lookup_result(ours, &a, &err) != TLSOCK_E_FORKED)
            test_exit(1);
        tsk_lookup_free(ours);
        tsk_resolve_getaddrinfo = record;
        if (look_up(&t, 0, &a, &err) != TLSOCK_OK)
            test_exit(2);
        test_exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    sem_post(&slow.go);
    await(ours);
    assert_int_equal(tsk_lookup_result(ours, &a, NULL), TLSOCK_OK);
    tsk_addrs_free(&a);
    tsk_lookup_free(ours);
}

/* Whoever takes a target apart has looked at its name; who has not is told. */
static void a_name_that_is_none_is_not_asked_for(void **state)
{
    struct tsk_target t = target("a..example", "443");
    struct tsk_addrs a;
    tlsock_error err = {0};

    (void)state;
    assert_null(tsk_lookup_start(&t, 0, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_code(tsk_resolve_now(&a, &t, 0, &err), TLSOCK_E_ARGUMENT);
    assert_non_null(strstr(err.message, "a..example"));
}

static int countdown;

static int nth(void)
{
    return countdown-- == 0;
}

static void lookups_without_memory_fail_and_leave_nothing(void **state)
{
    struct tsk_target t = target("a.example", "443");
    int rc = -2, tries = 0;

    (void)state;
    for (int n = 0; rc != TLSOCK_OK; n++, tries++) {
        struct tsk_addrs a;
        tlsock_error err = {0};

        assert_true(n < 10);
        countdown = n;
        tsk_mem_fail = nth;
        rc = look_up(&t, 0, &a, &err);
        tsk_mem_fail = NULL;
        if (rc == TLSOCK_OK)
            tsk_addrs_free(&a);
        else
            assert_int_equal(rc, TLSOCK_E_NOMEM);
    }
    assert_true(tries >= 2);
}

#define R(f) cmocka_unit_test_setup_teardown(f, use_record, use_system)
#define H(f) cmocka_unit_test_setup_teardown(f, use_hang, use_system)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_numeric_needs_no_lookup),
        cmocka_unit_test(a_name_that_is_none_is_not_asked_for),
        cmocka_unit_test(an_address_is_shown_with_its_port_as_far_as_it_fits),
        cmocka_unit_test(names_under_localhost_are_this_machine),
        R(the_resolver_is_asked_in_wire_form),
        R(each_failure_names_host_service_and_advice),
        R(an_answer_without_addresses_is_a_failure),
        R(lookups_without_memory_fail_and_leave_nothing),
        H(a_slow_resolver_delays_nobody),
        H(more_lookups_than_threads_wait_in_line),
        H(a_forked_child_resolves_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
