/* TLSA records decide, where DNSSEC vouches for them: RFC 6698, 7671, 7672.
 * The answers of the DNS are ours; tests/servers/dane.sh has real ones. */
#include "ca.h"
#include "cert/cert.h"
#include "core/mem.h"
#include "net/dns.h"
#include "sock.h"

#include <openssl/evp.h>
#include <poll.h>
#include <semaphore.h>
#include <tlsock/info.h>
#include <unistd.h>

#define ROOM 4

struct record {
    int usage, selector, matching;
    const tlsock_cert *of; /* NULL: there is no record */
};

/* What the DNS has about a.test. */
static struct {
    enum tsk_dns_state address, cname, tlsa;
    const char *canon, *at; /* NULL: a.test */
    struct record records[ROOM];
    size_t more;
    sem_t *wait; /* NULL: it answers at once */
    int asked, asked_tlsa;
} dns;

static size_t data_of(const struct record *r, uint8_t **out)
{
    unsigned char *der = NULL;
    int len = r->selector == 1
                  ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(r->of->leaf), &der)
                  : i2d_X509(r->of->leaf, &der);
    uint8_t *data = calloc(1, (size_t)len + 3 + 64);
    unsigned int n = (unsigned int)len;

    data[0] = (uint8_t)r->usage;
    data[1] = (uint8_t)r->selector;
    data[2] = (uint8_t)r->matching;
    if (r->matching == 0)
        memcpy(data + 3, der, n);
    else
        EVP_Digest(der, n, data + 3, &n,
                   r->matching == 1 ? EVP_sha256() : EVP_sha512(), NULL);
    OPENSSL_free(der);
    *out = data;
    return n + 3;
}

static void add_records(struct tsk_dns_answer *out)
{
    uint8_t *data[ROOM];
    size_t at = 0, len[ROOM], n = 0;

    for (; n < ROOM && dns.records[n].of != NULL; n++)
        len[n] = data_of(&dns.records[n], &data[n]);
    for (size_t i = 0; i < n; i++)
        at += len[i];
    out->bytes = tsk_alloc(at + 1);
    assert_non_null(out->bytes);
    at = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(out->bytes + at, data[i], len[i]);
        out->rr[i].data = out->bytes + at;
        out->rr[i].len = len[i];
        at += len[i];
        free(data[i]);
    }
    out->n = n;
    out->more = dns.more;
}

static int is_at(const char *owner)
{
    const char *host = strstr(owner, "._tcp.");

    return host != NULL &&
           strcmp(host + 6, dns.at != NULL ? dns.at : "a.test") == 0;
}

static void answer(struct tsk_dns *d, const char *name, int type,
                   struct tsk_dns_answer *out)
{
    (void)d;
    memset(out, 0, sizeof(*out));
    dns.asked++;
    if (dns.wait != NULL)
        sem_wait(dns.wait);
    snprintf(out->canon, sizeof(out->canon), "%s",
             dns.canon != NULL && type == TSK_DNS_A ? dns.canon : name);
    snprintf(out->why, sizeof(out->why), "as the test wants it");
    out->state = type == TSK_DNS_TLSA    ? dns.tlsa
                 : type == TSK_DNS_CNAME ? dns.cname
                                         : dns.address;
    if (type == TSK_DNS_TLSA) {
        dns.asked_tlsa++;
        if (out->state < TSK_DNS_BOGUS && is_at(name))
            add_records(out);
    } else if (out->state < TSK_DNS_BOGUS) {
        out->n = 1;
    }
}

static int with_dns(void **state)
{
    (void)state;
    memset(&dns, 0, sizeof(dns));
    tsk_dns_ask = answer;
    return 0;
}

static int without_dns(void **state)
{
    (void)state;
    tsk_dns_ask = tsk_dns_query;
    return 0;
}

static tlsock_config *client(const char *mode, const char *tls)
{
    return ca_client("dane", mode, "dane.anchor", ca_get()->root_pem, "tls.max",
                     tls, "revocation", "off", NULL);
}

/* One connection to a server with this certificate; what came of it. */
struct outcome {
    int code;
    char verified[160], info[64], sni[64];
    tlsock_error err;
    int resumed;
};

static void go(struct outcome *o, tlsock_config *cc, tlsock_cert *identity,
               const tlsock_opts *opts)
{
    struct raw_opts raw = {.cert = identity}; /* ours would not serve all */
    struct sock_server server;
    tlsock *s;

    memset(o, 0, sizeof(*o));
    sock_serve(&server, 1, sock_raw_echo, &raw);
    s = tlsock_connect(server.target, cc, opts, &o->err);
    o->code = o->err.code;
    if (s != NULL) {
        char got[4];

        assert_int_equal(tlsock_write(s, "ping", 4), 4);
        assert_int_equal(tlsock_read_full(s, got, 4), 4);
        snprintf(o->verified, sizeof(o->verified), "%s",
                 tlsock_info(s, TLSOCK_INFO_VERIFIED));
        snprintf(o->info, sizeof(o->info), "%s",
                 tlsock_info(s, TLSOCK_INFO_DANE));
        snprintf(o->sni, sizeof(o->sni), "%s", tlsock_info(s, TLSOCK_INFO_SNI));
        o->resumed = (int)tlsock_info_int(s, TLSOCK_INFO_RESUMED);
        tlsock_close(s);
    }
    sock_join(&server);
}

static void usages_mean_what_rfc_7671_says(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct {
        const char *claim;
        tlsock_cert *server;
        struct record records[ROOM];
        int want;
        const char *info;
    } rows[] = {
        {"3 1 1 of its key", ca->a, {{3, 1, 1, ca->a}}, 0, "secure 3 1 1"},
        {"3 0 1", ca->a, {{3, 0, 1, ca->a}}, 0, "secure 3 0 1"},
        {"3 1 2", ca->a, {{3, 1, 2, ca->a}}, 0, "secure 3 1 2"},
        {"3 0 0", ca->a, {{3, 0, 0, ca->a}}, 0, "secure 3 0 0"},
        {"3 1 0", ca->a, {{3, 1, 0, ca->a}}, 0, "secure 3 1 0"},
        {"3 of another's key", ca->a, {{3, 1, 1, ca->b}}, TLSOCK_E_DANE, ""},
        {"3 skips names", ca->b, {{3, 1, 1, ca->b}}, 0, "secure 3 1 1"},
        {"3 skips dates",
         ca->expired,
         {{3, 1, 1, ca->expired}},
         0,
         "secure 3 1 1"},
        {"3 needs no CA",
         ca->self_signed,
         {{3, 1, 1, ca->self_signed}},
         0,
         "secure 3 1 1"},
        {"3 takes no weak key", ca->weak, {{3, 1, 1, ca->weak}}, TLSOCK_E_WEAK,
         ""},
        {"2 of the CA", ca->a, {{2, 0, 1, ca->inter}}, 0, "secure 2 0 1"},
        {"2 of its key", ca->a, {{2, 1, 2, ca->inter}}, 0, "secure 2 1 2"},
        {"2 needs no trusted root",
         ca->stranger,
         {{2, 0, 0, ca->stranger_root}},
         0,
         "secure 2 0 0"},
        {"2 as a key alone",
         ca->stranger,
         {{2, 1, 0, ca->stranger_root}},
         0,
         "secure 2 1 0"},
        {"2 needs the name",
         ca->b,
         {{2, 0, 1, ca->inter}},
         TLSOCK_E_NAME_MISMATCH,
         ""},
        {"2 needs the dates",
         ca->expired,
         {{2, 0, 1, ca->inter}},
         TLSOCK_E_EXPIRED,
         ""},
        {"2 of another CA",
         ca->a,
         {{2, 0, 1, ca->stranger_root}},
         TLSOCK_E_DANE,
         ""},
        {"1 of its key", ca->a, {{1, 1, 1, ca->a}}, 0, "secure 1 1 1"},
        {"1 of another's key", ca->a, {{1, 1, 1, ca->b}}, TLSOCK_E_DANE, ""},
        {"1 needs a trusted root",
         ca->self_signed,
         {{1, 1, 1, ca->self_signed}},
         TLSOCK_E_UNTRUSTED_ROOT,
         ""},
        {"1 needs the name",
         ca->b,
         {{1, 1, 1, ca->b}},
         TLSOCK_E_NAME_MISMATCH,
         ""},
        {"0 of the trusted root",
         ca->a,
         {{0, 0, 1, ca->root}},
         0,
         "secure 0 0 1"},
        {"0 of the CA between",
         ca->a,
         {{0, 1, 1, ca->inter}},
         0,
         "secure 0 1 1"},
        {"0 of another root",
         ca->a,
         {{0, 0, 1, ca->stranger_root}},
         TLSOCK_E_DANE,
         ""},
        {"0 needs a trusted root",
         ca->stranger,
         {{0, 0, 0, ca->stranger_root}},
         TLSOCK_E_UNTRUSTED_ROOT,
         ""},
        {"one of several is enough",
         ca->a,
         {{3, 1, 1, ca->b}, {2, 0, 1, ca->stranger_root}, {3, 1, 1, ca->a}},
         0,
         "secure 3 1 1"},
        {"the stronger hash alone counts (9)",
         ca->a,
         {{3, 1, 1, ca->a}, {3, 1, 2, ca->b}},
         TLSOCK_E_DANE,
         ""},
        {"what is unusable is skipped",
         ca->a,
         {{9, 1, 1, ca->b}, {3, 7, 1, ca->b}, {3, 1, 1, ca->a}},
         0,
         "secure 3 1 1"},
    };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        size_t r = i / 2;
        tlsock_config *cc = client("require", i % 2 ? "1.3" : "1.2");
        struct outcome o;

        memcpy(dns.records, rows[r].records, sizeof(dns.records));
        go(&o, cc, rows[r].server, TLSOCK_OPTS(.name = "a.test"));
        if (o.code != rows[r].want || strcmp(o.info, rows[r].info) != 0)
            fail_msg("%s: %s, \"%s\", %s", rows[r].claim,
                     tlsock_errname(o.code), o.info, o.err.message);
        if (o.code == 0)
            assert_int_equal(strncmp(o.verified, "chain by ", 9), 0);
        else
            assert_true(o.err.hint[0] != '\0');
        tlsock_config_unref(cc);
    }
}

static void the_message_has_the_record_that_would_fit(void **state)
{
    tlsock_config *cc = client("on", "1.3");
    char *text = NULL, want[100];
    struct record right = {3, 1, 1, ca_get()->a};
    uint8_t *data;
    struct outcome o;

    (void)state;
    dns.records[0] = (struct record){3, 1, 1, ca_get()->b};
    go(&o, cc, ca_get()->a, TLSOCK_OPTS(.name = "a.test"));
    assert_code(o.code, TLSOCK_E_DANE);
    assert_int_equal(o.err.phase, TLSOCK_PHASE_VERIFY);
    data_of(&right, &data);
    text = OPENSSL_buf2hexstr(data + 3, 32);
    snprintf(want, sizeof(want), "3 1 1 ");
    for (const char *p = text; *p != '\0'; p++)
        if (*p != ':')
            snprintf(want + strlen(want), 2, "%c", *p | 0x20);
    assert_tells(o.err.hint, want);
    assert_tells(o.err.hint, "._tcp.a.test. IN TLSA 3 1 1");
    assert_string_equal(o.err.presented, want);
    assert_tells(o.err.message, "_tcp.a.test: 3 1 1 ");
    OPENSSL_free(text);
    free(data);
    tlsock_config_unref(cc);
}

static void what_dnssec_says_decides(void **state)
{
    static const struct {
        const char *claim;
        enum tsk_dns_state address, tlsa;
        int usage; /* -1: no record */
        int on, require;
        const char *info;
    } rows[] = {
        {"signed: none", TSK_DNS_SECURE, TSK_DNS_SECURE, -1, 0, TLSOCK_E_DANE,
         "none"},
        {"unsigned zone", TSK_DNS_INSECURE, TSK_DNS_SECURE, 3, 0, TLSOCK_E_DANE,
         "insecure"},
        {"unsigned records", TSK_DNS_SECURE, TSK_DNS_INSECURE, 3, 0,
         TLSOCK_E_DANE, "insecure"},
        {"none that is usable", TSK_DNS_SECURE, TSK_DNS_SECURE, 4, 0,
         TLSOCK_E_DANE, "unusable"},
        {"bogus records", TSK_DNS_SECURE, TSK_DNS_BOGUS, 3, TLSOCK_E_DANE,
         TLSOCK_E_DANE, ""},
        {"bogus addresses", TSK_DNS_BOGUS, TSK_DNS_SECURE, 3, TLSOCK_E_DANE,
         TLSOCK_E_DANE, ""},
        {"no answer", TSK_DNS_SECURE, TSK_DNS_FAILED, 3, TLSOCK_E_DANE,
         TLSOCK_E_DANE, ""},
        {"no address", TSK_DNS_FAILED, TSK_DNS_SECURE, 3, TLSOCK_E_DANE,
         TLSOCK_E_DANE, ""},
        {"good", TSK_DNS_SECURE, TSK_DNS_SECURE, 3, 0, 0, "secure 3 1 1"},
    };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        size_t r = i / 2;
        int want = i % 2 ? rows[r].require : rows[r].on;
        tlsock_config *cc = client(i % 2 ? "require" : "on", "1.3");
        struct outcome o;

        memset(&dns, 0, sizeof(dns));
        dns.address = rows[r].address;
        dns.tlsa = rows[r].tlsa;
        if (rows[r].usage >= 0)
            dns.records[0] = (struct record){rows[r].usage, 1, 1, ca_get()->a};
        go(&o, cc, ca_get()->a, TLSOCK_OPTS(.name = "a.test"));
        if (o.code != want ||
            strcmp(o.info, want == 0 ? rows[r].info : "") != 0)
            fail_msg("%s, %s: %s, \"%s\", %s", rows[r].claim,
                     i % 2 ? "require" : "on", tlsock_errname(o.code), o.info,
                     o.err.message);
        if (want != 0)
            assert_true(o.err.hint[0] != '\0');
        if (rows[r].address == TSK_DNS_INSECURE) /* RFC 7672, 2.2.2 */
            assert_int_equal(dns.asked_tlsa, 0);
        tlsock_config_unref(cc);
    }
}

static void cnames_are_followed_only_where_they_are_signed(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct {
        const char *claim, *at;
        tlsock_cert *server;
        enum tsk_dns_state address, cname;
        struct record record;
        int want;
        const char *info, *sni;
    } rows[] = {
        {"the name at the end",
         "b.test",
         ca->b,
         TSK_DNS_SECURE,
         TSK_DNS_SECURE,
         {2, 0, 1, ca->inter},
         0,
         "secure 2 0 1",
         "b.test"},
        {"or the expected one",
         "b.test",
         ca->a,
         TSK_DNS_SECURE,
         TSK_DNS_SECURE,
         {2, 0, 1, ca->inter},
         0,
         "secure 2 0 1",
         "b.test"},
        {"which public CAs need",
         "b.test",
         ca->b,
         TSK_DNS_SECURE,
         TSK_DNS_SECURE,
         {1, 0, 1, ca->b},
         TLSOCK_E_NAME_MISMATCH,
         "",
         ""},
        {"else records at the start",
         "a.test",
         ca->a,
         TSK_DNS_SECURE,
         TSK_DNS_SECURE,
         {3, 1, 1, ca->a},
         0,
         "secure 3 1 1",
         "a.test"},
        {"an unsigned end, a signed start",
         "a.test",
         ca->a,
         TSK_DNS_INSECURE,
         TSK_DNS_SECURE,
         {3, 1, 1, ca->a},
         0,
         "secure 3 1 1",
         "a.test"},
        {"not at the unsigned end",
         "b.test",
         ca->b,
         TSK_DNS_INSECURE,
         TSK_DNS_SECURE,
         {3, 1, 1, ca->b},
         TLSOCK_E_DANE,
         "",
         ""},
        {"nothing is signed",
         "a.test",
         ca->a,
         TSK_DNS_INSECURE,
         TSK_DNS_INSECURE,
         {3, 1, 1, ca->a},
         TLSOCK_E_DANE,
         "",
         ""},
        {"a bogus start",
         "a.test",
         ca->a,
         TSK_DNS_INSECURE,
         TSK_DNS_BOGUS,
         {3, 1, 1, ca->a},
         TLSOCK_E_DANE,
         "",
         ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = client("require", "1.3");
        struct outcome o;

        memset(&dns, 0, sizeof(dns));
        dns.address = rows[i].address;
        dns.cname = rows[i].cname;
        dns.canon = "b.test";
        dns.at = rows[i].at;
        dns.records[0] = rows[i].record;
        go(&o, cc, rows[i].server, TLSOCK_OPTS(.name = "a.test"));
        if (o.code != rows[i].want || strcmp(o.info, rows[i].info) != 0 ||
            strcmp(o.sni, rows[i].sni) != 0)
            fail_msg("%s: %s, \"%s\", SNI %s, %s", rows[i].claim,
                     tlsock_errname(o.code), o.info, o.sni, o.err.message);
        tlsock_config_unref(cc);
    }
}

static void sessions_end_with_the_records_they_were_won_under(void **state)
{
    tlsock_config *cc = client("on", "1.2");
    const tlsock_opts *opts =
        TLSOCK_OPTS(.name = "a.test", .session_key = "the server");
    const struct test_ca *ca = ca_get();
    tlsock_config *sc = ca_server(ca->a, NULL);
    struct sock_server server;
    static const int resumed[] = {0, 1, 0, 0};

    (void)state;
    sock_serve(&server, 4, sock_echo, sc);
    for (size_t i = 0; i < 4; i++) {
        tlsock_error err;
        tlsock *s;

        dns.records[0] = (struct record){3, 1, 1, ca->a};
        if (i == 2)
            dns.records[1] = (struct record){3, 1, 1, ca->b};
        if (i == 3)
            memset(dns.records, 0, sizeof(dns.records));
        s = tlsock_connect(server.target, cc, opts, &err);
        if (s == NULL)
            fail_msg("%s", err.message);
        assert_int_equal(tlsock_info_int(s, TLSOCK_INFO_RESUMED), resumed[i]);
        assert_string_equal(tlsock_info(s, TLSOCK_INFO_DANE),
                            i < 3 ? "secure 3 1 1" : "none");
        tlsock_close(s);
    }
    sock_join(&server);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void without_a_host_name_there_is_nothing_to_ask(void **state)
{
    tlsock_config *on = client("on", "1.3"), *must = client("require", "1.3");
    tlsock_cert *ip = ca_get()->ip;
    struct outcome o;
    tlsock_error err;
    int fds[2];

    (void)state;
    go(&o, on, ip, NULL);
    assert_code(o.code, 0);
    assert_string_equal(o.info, "");
    assert_int_equal(dns.asked, 0);
    assert_null(tlsock_connect("127.0.0.1:1", must, NULL, &err));
    assert_code(err.code, TLSOCK_E_UNSUPPORTED);
    assert_tells(err.hint, "opts.name");
    assert_null(tlsock_connect("unix:/nowhere", must,
                               TLSOCK_OPTS(.name = "a.test"), &err));
    assert_code(err.code, TLSOCK_E_UNSUPPORTED);
    sock_pair(fds);
    assert_null(tlsock_client_fd(fds[0], "a.test", must, NULL, &err));
    assert_code(err.code, TLSOCK_E_UNSUPPORTED);
    close(fds[0]);
    close(fds[1]);
    tlsock_config_unref(on);
    tlsock_config_unref(must);
}

static void pins_and_forgiveness_do_not_get_around_require(void **state)
{
    const struct test_ca *ca = ca_get();
    static const struct {
        const char *mode, *insecure;
        int want;
        const char *verified;
    } rows[] = {
        {"on", NULL, 0, "pin "},
        {"require", NULL, TLSOCK_E_DANE, ""},
        {"on", "no-chain: a test", TLSOCK_E_DANE, ""},
        {"on", "all: a test", 0, "insecure "},
    };

    (void)state;
    dns.records[0] = (struct record){3, 1, 1, ca->b};
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = client(rows[i].mode, "1.3");
        char pin[96];
        struct outcome o;

        assert_true(
            tlsock_cert_fingerprint(ca->a, "sha256", 0, pin, sizeof(pin)) > 0);
        if (rows[i].insecure == NULL)
            assert_int_equal(tlsock_config_add_pin(cc, pin), 0);
        else
            assert_int_equal(
                tlsock_config_set(cc, "insecure", rows[i].insecure), 0);
        go(&o, cc, ca->a, TLSOCK_OPTS(.name = "a.test"));
        assert_code(o.code, rows[i].want);
        assert_int_equal(
            strncmp(o.verified, rows[i].verified, strlen(rows[i].verified)), 0);
        tlsock_config_unref(cc);
    }
}

static void a_lookup_that_takes_long_is_bounded_and_polled(void **state)
{
    tlsock_config *cc = client("on", "1.3");
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    struct sock_server server;
    tlsock_error err;
    sem_t gate;
    tlsock *s;
    int rc = TLSOCK_AGAIN, turns = 0;

    (void)state;
    sem_init(&gate, 0, 0);
    dns.wait = &gate;
    dns.records[0] = (struct record){3, 1, 1, ca_get()->a};
    sock_serve(&server, 2, sock_echo, sc);
    assert_null(tlsock_connect(server.target, cc,
                               TLSOCK_OPTS(.name = "a.test", .timeout_ms = 100),
                               &err));
    assert_code(err.code, TLSOCK_E_TIMEOUT);
    assert_tells(err.message, "TLSA records of a.test");
    assert_int_equal(err.phase, TLSOCK_PHASE_RESOLVE);
    s = tlsock_connect(
        server.target, cc,
        TLSOCK_OPTS(.name = "a.test", .nonblocking = 1, .timeout_ms = 60000),
        &err);
    assert_non_null(s);
    /* two lookups of two questions each, that of the first one given up */
    while ((rc = tlsock_handshake(s)) == TLSOCK_AGAIN) {
        struct pollfd pfd = {tlsock_fd(s), tlsock_events(s), 0};

        if (++turns == 3)
            for (int i = 0; i < 4; i++)
                sem_post(&gate);
        poll(&pfd, 1, turns < 3 ? 10 : tlsock_timeout(s));
    }
    if (rc != 0)
        fail_msg("%s", tlsock_last_error(s)->message);
    assert_string_equal(tlsock_info(s, TLSOCK_INFO_DANE), "secure 3 1 1");
    tlsock_close(s);
    sock_join(&server);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void no_starttls(int fd, void *unused)
{
    char line[256];

    (void)unused;
    if (sock_send(fd, "220 mx ESMTP\r\n", 14) == 0 &&
        read(fd, line, sizeof(line)) > 0 && sock_send(fd, "250 mx\r\n", 8) == 0)
        while (read(fd, line, sizeof(line)) > 0)
            sock_send(fd, "502 no\r\n", 8);
}

static void records_promise_tls(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        tlsock_config *cc =
            ca_client("dane", "on", "dane.anchor", ca_get()->root_pem,
                      "starttls", "opportunistic", NULL);
        struct sock_server server;
        tlsock_error err;
        tlsock *s;

        if (i == 1)
            dns.records[0] = (struct record){3, 1, 1, ca_get()->a};
        sock_serve(&server, 1, no_starttls, NULL);
        s = tlsock_connect(server.target, cc,
                           TLSOCK_OPTS(.name = "a.test", .starttls = "smtp"),
                           &err);
        if (i == 0)
            assert_non_null(s);
        else
            assert_code(err.code, TLSOCK_E_STARTTLS_UNAVAILABLE);
        tlsock_close(s);
        sock_join(&server);
        tlsock_config_unref(cc);
    }
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, with_dns, without_dns)
    const struct CMUnitTest tests[] = {
        T(usages_mean_what_rfc_7671_says),
        T(the_message_has_the_record_that_would_fit),
        T(what_dnssec_says_decides),
        T(cnames_are_followed_only_where_they_are_signed),
        T(sessions_end_with_the_records_they_were_won_under),
        T(without_a_host_name_there_is_nothing_to_ask),
        T(pins_and_forgiveness_do_not_get_around_require),
        T(a_lookup_that_takes_long_is_bounded_and_polled),
        T(records_promise_tls),
    };

    return cmocka_run_group_tests(tests, ca_setup, ca_teardown);
}
