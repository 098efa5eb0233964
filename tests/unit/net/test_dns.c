/* libunbound against a name server of ours, that says what it is told to.
 * Signed zones have their test in tests/servers/dane.sh. */
#include "net_help.h"

#include "net/tlsa.h"
#include "net/work.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define HEADER 12

static struct {
    pthread_t thread;
    int fd, port;
    char anchor[64], address[32];
    int rcode;   /* of each answer */
    int records; /* TLSA records that a name has */
} server;

static void put(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* A record of the name in the question; gives its end. */
static size_t record(uint8_t *p, size_t at, unsigned type, const void *rdata,
                     size_t len)
{
    put(p + at, 0xc000 + HEADER);
    put(p + at + 2, type);
    put(p + at + 4, 1);
    put(p + at + 6, 0);
    put(p + at + 8, 60);
    put(p + at + 10, (unsigned)len);
    memcpy(p + at + 12, rdata, len);
    return at + 12 + len;
}

static size_t reply(uint8_t *p, size_t len)
{
    size_t at = HEADER;
    unsigned type, n = 0;

    while (at < len && p[at] != 0)
        at += p[at] + 1u;
    type = (unsigned)p[at + 1] << 8 | p[at + 2];
    at += 5;
    put(p + 2, 0x8580u + (unsigned)server.rcode);
    if (server.rcode == 0 && type == TSK_DNS_A) {
        at = record(p, at, type, "\x7f\0\0\1", 4);
        n = 1;
    }
    for (; server.rcode == 0 && type == TSK_DNS_TLSA &&
           n < (unsigned)server.records;
         n++) {
        uint8_t tlsa[35] = {3, 1, 1, (uint8_t)n};

        at = record(p, at, type, tlsa, sizeof(tlsa));
    }
    put(p + 4, 1);
    put(p + 6, n);
    put(p + 8, 0);
    put(p + 10, 0);
    return at;
}

static void *serve(void *unused)
{
    static uint8_t p[16384];

    (void)unused;
    for (;;) {
        struct sockaddr_in from;
        socklen_t size = sizeof(from);
        ssize_t n =
            recvfrom(server.fd, p, 4096, 0, (struct sockaddr *)&from, &size);

        if (n <= HEADER + 4) /* the end, or nonsense */
            return NULL;
        sendto(server.fd, p, reply(p, (size_t)n), 0, (struct sockaddr *)&from,
               size);
    }
}

static int start(void **state)
{
    struct sockaddr_in sin = {.sin_family = AF_INET};
    socklen_t len = sizeof(sin);
    FILE *f;
    int fd;

    (void)state;
    snprintf(server.anchor, sizeof(server.anchor), "/tmp/tlsock-anchor-XXXXXX");
    fd = mkstemp(server.anchor);
    f = fdopen(fd, "w");
    fprintf(f, "signed.example. DS 12345 13 2 %064d\n", 7);
    fclose(f);
    server.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
    getsockname(server.fd, (struct sockaddr *)&sin, &len);
    server.port = ntohs(sin.sin_port);
    snprintf(server.address, sizeof(server.address), "127.0.0.1@%d",
             server.port);
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int put_away(void **state)
{
    struct sockaddr_in sin = {.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)server.port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)state;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sendto(fd, "", 1, 0, (struct sockaddr *)&sin, sizeof(sin));
    pthread_join(server.thread, NULL);
    close(fd);
    close(server.fd);
    unlink(server.anchor);
    return 0;
}

static struct tsk_dns *resolver(void)
{
    tlsock_error err;
    struct tsk_dns *d = tsk_dns_new(server.anchor, server.address, &err);

    if (d == NULL)
        fail_msg("%s", err.message);
    return d;
}

static void an_answer_is_secure_only_below_the_anchor(void **state)
{
    static const struct {
        const char *name;
        int type, rcode, state;
        const char *why;
    } rows[] = {
        {"a.unsigned.test", TSK_DNS_A, 0, TSK_DNS_INSECURE, ""},
        {"_1._tcp.a.unsigned.test", TSK_DNS_TLSA, 0, TSK_DNS_INSECURE, ""},
        {"a.signed.example", TSK_DNS_A, 0, TSK_DNS_BOGUS, "signed.example"},
        {"a.broken.test", TSK_DNS_A, 2, TSK_DNS_FAILED, "server failure"},
        {"a.refused.test", TSK_DNS_A, 5, TSK_DNS_FAILED, ""},
    };

    (void)state;
    server.records = 2;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tsk_dns *d = resolver(); /* no answer is a cached one */
        struct tsk_dns_answer a;

        server.rcode = rows[i].rcode;
        tsk_dns_query(d, rows[i].name, rows[i].type, &a);
        if ((int)a.state != rows[i].state || strstr(a.why, rows[i].why) == NULL)
            fail_msg("%s: %d, %s", rows[i].name, a.state, a.why);
        if (rows[i].state == TSK_DNS_INSECURE)
            assert_int_equal(a.n, rows[i].type == TSK_DNS_A ? 1 : 2);
        tsk_dns_answer_free(&a);
        tsk_dns_unref(d);
    }
    server.rcode = 0;
}

static void records_beyond_the_limit_are_counted(void **state)
{
    struct tsk_dns *d = resolver();
    struct tsk_dns_answer a;
    struct tsk_tlsa t;

    (void)state;
    server.records = TSK_DNS_MOST + 5;
    tsk_dns_query(d, "_1._tcp.many.test", TSK_DNS_TLSA, &a);
    assert_int_equal(a.state, TSK_DNS_INSECURE);
    assert_int_equal(a.n, TSK_DNS_MOST);
    assert_int_equal(a.more, 5);
    for (size_t i = 0; i < a.n; i++) {
        assert_int_equal(tsk_tlsa_parse(&t, a.rr[i].data, a.rr[i].len), 0);
        assert_int_equal(t.len, 32);
    }
    tsk_dns_answer_free(&a);
    tsk_dns_unref(d);
}

static void a_fork_has_a_resolver_of_its_own(void **state)
{
    struct tsk_dns *d = resolver();
    struct tsk_dns_answer a;
    int status;
    pid_t pid;

    (void)state;
    tsk_dns_query(d, "first.fork.test", TSK_DNS_A, &a);
    assert_int_equal(a.state, TSK_DNS_INSECURE);
    tsk_dns_answer_free(&a);
    pid = fork();
    if (pid == 0) {
        tsk_dns_query(d, "second.fork.test", TSK_DNS_A, &a);
        test_exit(a.state == TSK_DNS_INSECURE && a.n == 1 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    tsk_dns_unref(d);
}

static void a_lookup_that_cannot_begin_says_why(void **state)
{
    struct tsk_dns *d = resolver();
    struct rlimit all, none;
    tlsock_error err = {0};

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    none = all;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_null(tsk_tlsa_start(d, "a.test", "25", &err));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
    assert_int_equal(err.code, TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, EMFILE);
    assert_true(err.hint[0] != '\0');
    tsk_dns_unref(d);
}

static void what_cannot_be_an_anchor_is_named(void **state)
{
    char broken[] = "/tmp/tlsock-anchor-XXXXXX";
    static const char *const no_file[] = {"/nowhere/anchor", "/dev/null", "/"};
    int fd = mkstemp(broken);
    struct tsk_dns_answer a;
    tlsock_error err;
    struct tsk_dns *d;

    (void)state;
    for (size_t i = 0; i < COUNT(no_file); i++) {
        assert_null(tsk_dns_new(no_file[i], NULL, &err));
        assert_int_equal(err.code, TLSOCK_E_TRUST_STORE);
        assert_non_null(strstr(err.message, no_file[i]));
        assert_non_null(strstr(err.hint, "dane.anchor"));
    }
    assert_null(tsk_dns_new(broken, NULL, &err));
    assert_non_null(strstr(err.message, "empty"));
    assert_int_equal(write(fd, "no (anchor\n", 11), 11);
    close(fd);
    d = tsk_dns_new(broken, server.address, &err);
    assert_non_null(d);
    tsk_dns_query(d, "a.unsigned.test", TSK_DNS_A, &a);
    assert_int_equal(a.state, TSK_DNS_FAILED);
    assert_int_equal(a.no_anchor, 1);
    assert_non_null(strstr(a.why, broken));
    tsk_dns_unref(d);
    unlink(broken);
}

static void a_lookup_asks_for_what_it_says(void **state)
{
    struct tsk_dns *d = resolver();
    const struct tsk_tlsa_set *set = NULL;
    static const struct {
        const char *host, *service;
        enum tsk_tlsa_state want;
        const char *why;
    } rows[] = {
        {"host.unsigned.test", "443", TSK_TLSA_INSECURE, "A of host.unsigned"},
        {"host.signed.example", "443", TSK_TLSA_BOGUS, "A of host.signed"},
        {"host.unsigned.test", "no-such-service", TSK_TLSA_FAILED,
         "no-such-service"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_error err;
        struct tsk_tlsa_lookup *l =
            tsk_tlsa_start(d, rows[i].host, rows[i].service, &err);
        struct pollfd p;

        assert_non_null(l);
        p = (struct pollfd){tsk_tlsa_fd(l), POLLIN, 0};
        assert_int_equal(poll(&p, 1, 60000), 1);
        assert_int_equal(tsk_tlsa_result(l, &set, &err), 0);
        if (set->state != rows[i].want || strstr(set->why, rows[i].why) == NULL)
            fail_msg("%s: %d, %s", rows[i].host, set->state, set->why);
        tsk_tlsa_free(l);
    }
    tsk_dns_unref(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_secure_only_below_the_anchor),
        cmocka_unit_test(records_beyond_the_limit_are_counted),
        cmocka_unit_test(a_fork_has_a_resolver_of_its_own),
        cmocka_unit_test(a_lookup_that_cannot_begin_says_why),
        cmocka_unit_test(what_cannot_be_an_anchor_is_named),
        cmocka_unit_test(a_lookup_asks_for_what_it_says),
    };

    return cmocka_run_group_tests(tests, start, put_away);
}
