#include "world.h"

#include "dir.h"
#include "net/resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

FILE *world_out;
tlsock_cert *world_ca, *world_leaf;

static char dir[] = "/tmp/manual-XXXXXX";
static char port[8];
static struct {
    tlsock_listener *l;
    void (*talk)(tlsock *);
    pthread_t thread;
} server;

/* 2026-08-10 to 2036: the manual's dates are in it */
#define FROM 1786300000
#define UNTIL 2101920000

static int here(const char *host, const char *service,
                const struct addrinfo *hints, struct addrinfo **list)
{
    (void)host;
    (void)service;
    return getaddrinfo("127.0.0.1", port, hints, list);
}

static void save(const tlsock_cert *c, int parts, const char *file,
                 const char *pass)
{
    tlsock_error err;

    if (tlsock_cert_save(c, parts, TLSOCK_FORMAT_PEM, file, pass, &err) < 0)
        fail_msg("%s: %s", file, err.message);
}

int world_begin(void **state)
{
    const char *names[] = {"example.com",      "a.test",
                           "host.internal",    "gate.example.org",
                           "mail.example.org", "chat.example.org"};

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
    world_out = fopen("out", "w");
    assert_non_null(world_out);
    world_ca = tlsock_cert_create(TLSOCK_CERT_OPTS(.subject = "CN=World",
                                                   .ca = 1, .not_before = FROM,
                                                   .not_after = UNTIL),
                                  NULL);
    world_leaf = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.sans = names, .n_sans = COUNT(names),
                         .issuer = world_ca, .not_before = FROM,
                         .not_after = UNTIL),
        NULL);
    assert_non_null(world_leaf);
    save(world_ca, TLSOCK_PART_CERT, "ca.pem", NULL);
    save(world_ca, TLSOCK_PART_CERT, "clients-ca.pem", NULL);
    save(world_leaf, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, "a.pem", NULL);
    save(world_leaf, TLSOCK_PART_KEY, "a.key", NULL);
    save(world_leaf, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, "b.pem", NULL);
    assert_int_equal(setenv("PASS", "sesame", 1), 0);
    save(world_leaf, TLSOCK_PART_KEY, "b.key", "env:PASS");
    assert_int_equal(setenv("SSL_CERT_FILE", "ca.pem", 1), 0);
    tsk_resolve_getaddrinfo = here;
    return 0;
}

int world_end(void **state)
{
    (void)state;
    tsk_resolve_getaddrinfo = getaddrinfo;
    tlsock_cert_unref(world_leaf);
    tlsock_cert_unref(world_ca);
    fclose(world_out);
    assert_int_equal(chdir("/"), 0);
    dir_remove(dir);
    return 0;
}

tlsock_config *world_server(void)
{
    tlsock_config *c = tlsock_config_new();

    assert_int_equal(tlsock_config_add_cert(c, world_leaf), 0);
    return c;
}

static void *accept_one(void *arg)
{
    tlsock_error err;
    tlsock *s = tlsock_accept(server.l, &err);

    (void)arg;
    if (s != NULL)
        server.talk(s);
    return NULL;
}

void world_serve(tlsock_config *c, const tlsock_opts *o, void (*talk)(tlsock *))
{
    tlsock_error err;

    server.talk = talk;
    server.l = tlsock_listen("127.0.0.1:0", c, o, &err);
    tlsock_config_unref(c);
    if (server.l == NULL)
        fail_msg("%s", err.message);
    snprintf(port, sizeof(port), "%d", tlsock_listener_port(server.l));
    assert_int_equal(pthread_create(&server.thread, NULL, accept_one, NULL), 0);
}

void world_wait(void)
{
    pthread_join(server.thread, NULL);
    tlsock_listener_free(server.l);
    server.l = NULL;
}

tlsock *world_client(const char *target, const tlsock_opts *o)
{
    tlsock_error err;
    tlsock *s = tlsock_connect(target, NULL, o, &err);

    if (s == NULL)
        fail_msg("%s: %s", target, err.message);
    return s;
}

void world_greets(tlsock *s)
{
    (void)tlsock_printf(s, "hello\n");
    tlsock_close(s);
}

void world_answers(tlsock *s)
{
    char buf[4096];

    while (tlsock_read(s, buf, sizeof(buf)) > 0)
        ;
    world_greets(s);
}

void world_echoes(tlsock *s)
{
    char line[256];
    ssize_t n = tlsock_read(s, line, sizeof(line));

    if (n > 0)
        n = tlsock_write(s, line, (size_t)n);
    tlsock_close(s);
}
