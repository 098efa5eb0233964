/* crowd - many clients of an interceptor, with the public API alone.
 *
 *   crowd certs DIR N                      DIR/root.pem, and DIR/I.pem with its
 *                                          key for nI.test, I below N
 *   crowd hold PROXY TARGET CA N PID       N connections open at once, bytes
 *                                          both ways, then closed; PID is the
 *                                          interceptor
 *   crowd press PROXY TARGET CA NAMES OFF  requests without end, until the
 * proxy is gone; names from OFF on crowd show PROXY TARGET CA NAMES "nI.test
 * sha256:..." of each
 *
 * PROXY is a URL, TARGET an address with its port, CA the interceptor's, which
 * alone is trusted. */
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <tlsock/cert.h>
#include <tlsock/config.h>
#include <tlsock/info.h>

#define THREADS 4
#define MOST 4096
#define WAIT_MS 60000
#define LOADED 20 /* requests, and the load is on */

static const char *proxy, *target;
static tlsock_config *config;
static int number, first; /* names, connections; where they begin */
static long interceptor;
static tlsock *conns[MOST];
static int at_start;
static atomic_int bad, done;
static pthread_barrier_t all_here;

static void fail(const char *what, int i, const tlsock_error *err)
{
    fprintf(stderr, "%d: %s: %s\n", i, what, err != NULL ? err->message : "");
    atomic_fetch_add(&bad, 1);
}

static tlsock *come(int name, tlsock_error *err)
{
    char text[32];

    snprintf(text, sizeof(text), "n%d.test", name);
    return tlsock_connect(target, config,
                          TLSOCK_OPTS(.proxy = proxy, .name = text), err);
}

/* Descriptors of the interceptor. */
static int count(void)
{
    char path[64];
    DIR *dir;
    int n = 0;

    snprintf(path, sizeof(path), "/proc/%ld/fd", interceptor);
    dir = opendir(path);
    if (dir == NULL)
        return -1;
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

/* Some of each connection's own, so that a mix-up is seen. */
static void say(tlsock *s, int i)
{
    char text[600];

    snprintf(text, sizeof(text), "%0599d", i);
    if (s != NULL && tlsock_write(s, text, 599) != 599)
        fail("write", i, tlsock_last_error(s));
}

static void hear(tlsock *s, int i)
{
    char want[600], got[600];

    snprintf(want, sizeof(want), "%0599d", i);
    if (s == NULL)
        return;
    if (tlsock_read_full(s, got, 599) != 599)
        fail("read", i, tlsock_last_error(s));
    else if (memcmp(got, want, 599) != 0)
        fail("what came back is another's", i, NULL);
}

static void leave(tlsock *s, int i)
{
    char more;

    if (s == NULL)
        return;
    if (tlsock_shutdown(s, SHUT_WR) < 0 || tlsock_read(s, &more, 1) != 0)
        fail("end", i, tlsock_last_error(s));
    tlsock_close(s);
}

static void check_open(void)
{
    int now = count();

    printf("open %d\n", now - at_start);
    if (now - at_start < 2 * number)
        fail("the interceptor does not hold two for each", now, NULL);
}

/* Each thread has every fourth. Nobody says anything before all are there, and
 * nobody leaves before all have heard. */
static void *hold(void *arg)
{
    int mine = (int)(size_t)arg;
    tlsock_error err;

    for (int i = mine; i < number; i += THREADS) {
        conns[i] = come(i % 2, &err);
        if (conns[i] == NULL)
            fail("connect", i, &err);
    }
    pthread_barrier_wait(&all_here);
    if (mine == 0)
        check_open();
    for (int i = mine; i < number; i += THREADS)
        say(conns[i], i);
    pthread_barrier_wait(&all_here);
    for (int i = mine; i < number; i += THREADS)
        hear(conns[i], i);
    pthread_barrier_wait(&all_here);
    for (int i = mine; i < number; i += THREADS)
        leave(conns[i], i);
    return NULL;
}

/* 0, or the proxy is gone: then it was cut off at any place. */
static int ask(int name)
{
    static const char request[] = "GET /page HTTP/1.1\r\nHost: n.test\r\n\r\n";
    tlsock_error err;
    tlsock *s = come(name, &err);
    char text[256];
    ssize_t n = s != NULL ? tlsock_write(s, request, sizeof(request) - 1) : -1;

    while (n > 0)
        n = tlsock_read(s, text, sizeof(text));
    if (n == 0 && atomic_fetch_add(&done, 1) + 1 == LOADED) {
        puts("pressed"); /* and others are on their way */
        fflush(stdout);
    }
    tlsock_close(s);
    return n < 0 ? -1 : 0;
}

static void *press(void *arg)
{
    int i = (int)(size_t)arg;

    while (ask(first + i++ % number) == 0)
        continue;
    return NULL;
}

static void run(void *(*what)(void *))
{
    pthread_t threads[THREADS];

    pthread_barrier_init(&all_here, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, what, (void *)i) != 0)
            exit(2);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&all_here);
}

static void run_hold(void)
{
    int now;

    at_start = count();
    run(hold);
    for (int ms = 0; (now = count()) != at_start && ms < WAIT_MS; ms += 20)
        (void)poll(NULL, 0, 20);
    printf("closed %d\n", now - at_start);
    if (now != at_start)
        fail("descriptors stay open", now - at_start, NULL);
}

static void show(void)
{
    tlsock_error err;

    for (int i = 0; i < number; i++) {
        tlsock *s = come(i, &err);
        tlsock_cert *c = s != NULL ? tlsock_peer_cert(s) : NULL;

        if (c == NULL)
            fail("no certificate", i, &err);
        else
            printf("n%d.test %s\n", i,
                   tlsock_cert_field(c, TLSOCK_CERT_SHA256));
        tlsock_cert_unref(c);
        tlsock_close(s);
    }
}

static int certs(const char *dir)
{
    tlsock_cert *ca = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = "CN=Crowd", .ca = 1), NULL);
    char path[512], name[32];
    const char *names[] = {name};
    int rc;

    snprintf(path, sizeof(path), "%s/root.pem", dir);
    rc = tlsock_cert_save(ca, TLSOCK_PART_CERT, TLSOCK_FORMAT_PEM, path, NULL,
                          NULL);
    for (int i = 0; rc == 0 && i < number; i++) {
        tlsock_cert *c;

        snprintf(name, sizeof(name), "n%d.test", i);
        snprintf(path, sizeof(path), "%s/%d.pem", dir, i);
        c = tlsock_cert_create(
            TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1, .issuer = ca), NULL);
        rc = tlsock_cert_save(c, TLSOCK_PART_CERT | TLSOCK_PART_KEY,
                              TLSOCK_FORMAT_PEM, path, NULL, NULL);
        tlsock_cert_unref(c);
    }
    tlsock_cert_unref(ca);
    return rc == 0 ? 0 : 1;
}

/* Descriptors for all. */
static void make_room(void)
{
    struct rlimit most;

    if (getrlimit(RLIMIT_NOFILE, &most) < 0)
        exit(2);
    most.rlim_cur = most.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &most) < 0)
        exit(2);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";

    if (argc == 4 && strcmp(mode, "certs") == 0) {
        number = atoi(argv[3]);
        return certs(argv[2]);
    }
    if (argc < 6 || atoi(argv[5]) < 1 || atoi(argv[5]) > MOST)
        return 2;
    proxy = argv[2];
    target = argv[3];
    number = atoi(argv[5]);
    config = tlsock_config_new();
    if (config == NULL || tlsock_config_add_trust(config, argv[4]) < 0 ||
        tlsock_config_set(config, "timeout", "120s") < 0)
        return 2;
    make_room();
    if (strcmp(mode, "hold") == 0 && argc == 7) {
        interceptor = atol(argv[6]);
        run_hold();
    } else if (strcmp(mode, "press") == 0 && argc == 7) {
        first = atoi(argv[6]);
        run(press);
        printf("done %d\n", atomic_load(&done));
    } else if (strcmp(mode, "show") == 0) {
        show();
    } else {
        return 2;
    }
    tlsock_config_unref(config);
    return atomic_load(&bad) == 0 ? 0 : 1;
}
