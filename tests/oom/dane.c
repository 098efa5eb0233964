/* A connection that goes by TLSA records, with the n-th allocation failing:
 * never a peer accepted whom the records do not name. */
#include "ca.h"
#include "cert/cert.h"
#include "core/mem.h"
#include "each.h"
#include "net/dns.h"
#include "sock.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <sys/socket.h>
#include <tlsock/info.h>
#include <unistd.h>

/* The records of the host: one of a hash, one of a whole certificate. */
static uint8_t records[2][4096];
static size_t lens[2];

static void answer(struct tsk_dns *d, const char *name, int type,
                   struct tsk_dns_answer *out)
{
    (void)d;
    memset(out, 0, sizeof(*out));
    snprintf(out->canon, sizeof(out->canon), "%s", name);
    out->state = TSK_DNS_SECURE;
    out->n = type == TSK_DNS_TLSA ? 2 : 1;
    for (size_t i = 0; i < 2; i++) {
        out->rr[i].data = records[i];
        out->rr[i].len = lens[i];
    }
}

static void publish(const tlsock_cert *leaf, const tlsock_cert *ca)
{
    unsigned char *spki = NULL, *p = records[1] + 3;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf->leaf), &spki);

    memcpy(records[0], "\3\1\1", 3);
    EVP_Digest(spki, (size_t)len, records[0] + 3, NULL, EVP_sha256(), NULL);
    lens[0] = 35;
    memcpy(records[1], "\2\0\0", 3);
    lens[1] = 3 + (size_t)i2d_X509(ca->leaf, &p);
    OPENSSL_free(spki);
}

static int set(struct world *w, tlsock_config *c, const char *key,
               const char *value)
{
    int rc = tlsock_config_set(c, key, value);

    return rc < 0 ? note(w, tlsock_config_error(c), rc) : 0;
}

static int prepare(struct world *w, tlsock_config *c)
{
    int rc = set(w, c, "dane", "require");

    if (rc == 0)
        rc = set(w, c, "dane.anchor", ca_get()->root_pem);
    if (rc == 0)
        rc = set(w, c, "dane.resolver", "127.0.0.1@53");
    return rc == 0 ? set(w, c, "session", "on") : rc;
}

/* The server waits for one connection, which may never have been made. */
static void poke(int port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
    close(fd);
}

static int by_records(struct world *w)
{
    tlsock_config *cc = tlsock_config_new();
    int rc = TLSOCK_E_NOMEM;
    tlsock_error err = {0};
    struct sock_server server;
    tlsock *s;

    if (cc == NULL) {
        w->err.code = rc;
        return rc;
    }
    rc = prepare(w, cc);
    if (rc != 0)
        goto out;
    sock_serve(&server, 1, sock_echo, w->sc);
    s = tlsock_connect(server.target, cc, TLSOCK_OPTS(.name = "a.test"), &err);
    rc = s == NULL ? note(w, &err, err.code) : 0;
    w->accepted = s != NULL;
    if (s != NULL &&
        strncmp(tlsock_info(s, TLSOCK_INFO_DANE), "secure ", 7) != 0)
        w->broken = "accepted without a record";
    tlsock_close(s);
    if (rc != 0)
        poke(server.port);
    sock_join(&server);
out:
    tlsock_config_unref(cc);
    return rc;
}

static void run(enum fault_kind kind)
{
    const struct test_ca *ca = ca_get();
    struct world w = {.dense = 60, .stride = 17};

    tsk_dns_ask = answer;
    w.sc = ca_server(ca->a, NULL);
    publish(ca->a, ca->inter);
    each("by DANE-EE", by_records, &w, kind, 0);
    publish(ca->b, ca->inter);
    each("by DANE-TA", by_records, &w, kind, 0);
    publish(ca->b, ca->stranger_root);
    each("refused", by_records, &w, kind, TLSOCK_E_DANE);
    tlsock_config_unref(w.sc);
    tsk_dns_ask = tsk_dns_query;
}

static void own_memory_fails(void **state)
{
    (void)state;
    run(FAULT_OWN);
}

static void openssl_memory_fails(void **state)
{
    (void)state;
    run(FAULT_OPENSSL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest own[] = {cmocka_unit_test(own_memory_fails)};
    const struct CMUnitTest openssl[] = {
        cmocka_unit_test(openssl_memory_fails)};

    fault_init();
    return argc > 1 && strcmp(argv[1], "own") == 0
               ? cmocka_run_group_tests(own, ca_setup, ca_teardown)
               : cmocka_run_group_tests(openssl, ca_setup, ca_teardown);
}
