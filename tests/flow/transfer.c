/* Much data through each kind of way: the checksums are equal, and memory does
 * not grow with it. TLSOCK_TRANSFER: bytes, 16 MiB by default. */
#include "ca.h"
#include "proxy.h"

#include <openssl/evp.h>
#include <sys/socket.h>
#include <unistd.h>

/* The quarantine of AddressSanitizer grows as it likes. */
#if defined(__SANITIZE_ADDRESS__)
#define COUNTS_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COUNTS_MEMORY 0
#endif
#endif
#ifndef COUNTS_MEMORY
#define COUNTS_MEMORY 1
#endif

#define CHUNK 65536
#define SLACK_KIB 4096 /* over what it was after the first eighth */

struct run {
    tlsock_config *cc, *sc[2], *pc;
    const char *kind;
    size_t total;
    int plain, nested;
    uint8_t sum[32]; /* of what the server received */
    size_t received;
    long early_kib, late_kib;
    char why[320];
};

static size_t total_bytes(void)
{
    const char *text = getenv("TLSOCK_TRANSFER");

    return text != NULL ? strtoull(text, NULL, 10) : 16u << 20;
}

static long rss_kib(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return kib;
}

/* Different at every place, cheap, and nothing that could be compressed. */
static void fill(uint8_t *buf, size_t at)
{
    uint64_t x = at * 2654435761u + 88172645463325252u;

    for (size_t i = 0; i < CHUNK; i += 8) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(buf + i, &x, 8);
    }
}

static tlsock *server_side(int fd, const struct run *r)
{
    const tlsock_opts *o =
        TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD, .plain = r->plain);
    tlsock *s = tlsock_server_fd(fd, r->sc[0], o, NULL);

    if (s != NULL && r->nested)
        s = tlsock_server_over(s, r->sc[1], NULL, NULL);
    if (s != NULL)
        tlsock_set_timeout(s, 60000);
    return s;
}

static void receive(int fd, void *arg)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    static uint8_t buf[CHUNK];
    struct run *r = arg;
    tlsock *s = server_side(fd, r);
    ssize_t n;

    EVP_DigestInit_ex(md, EVP_sha256(), NULL);
    while (s != NULL && (n = tlsock_read(s, buf, sizeof(buf))) > 0) {
        EVP_DigestUpdate(md, buf, (size_t)n);
        r->received += (size_t)n;
        if (r->early_kib == 0 && r->received >= r->total / 8)
            r->early_kib = rss_kib();
    }
    r->late_kib = rss_kib();
    if (s != NULL)
        snprintf(r->why, sizeof(r->why), "%s", tlsock_last_error(s)->message);
    EVP_DigestFinal_ex(md, r->sum, NULL);
    EVP_MD_CTX_free(md);
    tlsock_close(s);
}

static tlsock *client_side(const struct run *r, const char *target,
                           const char *proxies)
{
    tlsock_error err;
    tlsock *s =
        tlsock_connect(target, r->cc,
                       TLSOCK_OPTS(.name = "a.test", .proxy = proxies,
                                   .proxy_config = r->cc, .plain = r->plain),
                       &err);

    if (s == NULL)
        fail_msg("%s: %s", r->kind, err.message);
    if (r->nested)
        s = tlsock_client_over(s, "b.test", r->cc, NULL, &err);
    assert_non_null(s);
    assert_code(tlsock_set_timeout(s, 60000), TLSOCK_OK);
    return s;
}

static void transfer(struct run *r, const char *proxies)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    struct sock_server server;
    static uint8_t buf[CHUNK];
    uint8_t sum[32];
    size_t sent = 0;
    tlsock *s;

    r->total = total_bytes();
    sock_serve(&server, 1, receive, r);
    s = client_side(r, server.target, proxies);
    EVP_DigestInit_ex(md, EVP_sha256(), NULL);
    while (sent < r->total) {
        size_t n = r->total - sent < CHUNK ? r->total - sent : CHUNK;

        fill(buf, sent);
        EVP_DigestUpdate(md, buf, n);
        if (tlsock_write(s, buf, n) != (ssize_t)n)
            fail_msg("%s: %s", r->kind, tlsock_last_error(s)->message);
        sent += n;
    }
    EVP_DigestFinal_ex(md, sum, NULL);
    EVP_MD_CTX_free(md);
    assert_code(tlsock_shutdown(s, SHUT_RDWR), TLSOCK_OK);
    assert_code(tlsock_close(s), TLSOCK_OK);
    sock_join(&server);
    if (r->received != sent)
        fail_msg("%s: %zu of %zu bytes: %s", r->kind, r->received, sent,
                 r->why);
    assert_memory_equal(sum, r->sum, sizeof(sum));
    print_message("# %s: %zu MiB, %ld KiB at an eighth, %ld KiB at the end\n",
                  r->kind, sent >> 20, r->early_kib, r->late_kib);
    if (COUNTS_MEMORY)
        assert_true(r->late_kib <= r->early_kib + SLACK_KIB);
}

static struct run run_new(const char *kind)
{
    struct run r = {.kind = kind};

    r.cc = ca_client(NULL);
    r.sc[0] = ca_server(ca_get()->a, NULL);
    r.sc[1] = ca_server(ca_get()->b, NULL);
    r.pc = ca_server(ca_get()->ip, NULL);
    return r;
}

static void run_free(struct run *r)
{
    tlsock_config_unref(r->cc);
    tlsock_config_unref(r->sc[0]);
    tlsock_config_unref(r->sc[1]);
    tlsock_config_unref(r->pc);
}

static void through_plaintext(void **state)
{
    struct run r = run_new("plain");

    (void)state;
    r.plain = 1;
    transfer(&r, NULL);
    run_free(&r);
}

static void through_tls(void **state)
{
    struct run r = run_new("TLS");

    (void)state;
    transfer(&r, NULL);
    run_free(&r);
}

static void through_tls_in_tls(void **state)
{
    struct run r = run_new("TLS in TLS");

    (void)state;
    r.nested = 1;
    transfer(&r, NULL);
    run_free(&r);
}

static void through_a_chain_of_proxies(void **state)
{
    struct run r = run_new("http, socks5 and https proxy");
    struct test_proxy p[3] = {{0}};
    struct sock_server proxy[3];
    char urls[200];

    (void)state;
    p[2].tls = r.pc;
    sock_serve(&proxy[0], 1, proxy_http, &p[0]);
    sock_serve(&proxy[1], 1, proxy_socks5, &p[1]);
    sock_serve(&proxy[2], 1, proxy_http, &p[2]);
    snprintf(urls, sizeof(urls), "http://%s,socks5://%s,https://%s",
             proxy[0].target, proxy[1].target, proxy[2].target);
    transfer(&r, urls);
    for (int i = 0; i < 3; i++)
        sock_join(&proxy[i]);
    run_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(through_plaintext),
        cmocka_unit_test(through_tls),
        cmocka_unit_test(through_tls_in_tls),
        cmocka_unit_test(through_a_chain_of_proxies),
    };

    return cmocka_run_group_tests_name("transfer", tests, ca_setup,
                                       ca_teardown);
}
