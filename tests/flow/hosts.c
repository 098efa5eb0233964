/* Several identities: by the name that is asked for, and by what the client can
 * verify; the same whether they are decoded at once or when asked for. */
#include "ca.h"
#include "peer.h"

#include "api/config_box.h"

#include <unistd.h>

/* Files of one certificate, in the order in which they are added. */
struct file {
    const char *tag, *host; /* host NULL: names are its SANs */
    const char *sans[3];
    const char *key;
    char cert[128], keyfile[128];
    tlsock_cert *made;
};

static struct file files[] = {
    {.tag = "first", .sans = {"first.test"}},
    {.tag = "star", .sans = {"*.shop.test", "shop.test"}},
    {.tag = "exact", .sans = {"pay.shop.test"}},
    {.tag = "deep", .sans = {"*.a.shop.test"}},
    {.tag = "upper", .sans = {"MIXED.Test"}},
    {.tag = "idn", .host = "b\xc3\xbc" "cher.test",
     .sans = {"xn--bcher-kva.test"}},
    {.tag = "idnstar", .host = "*.b\xc3\xbc" "cher.test",
     .sans = {"*.xn--bcher-kva.test"}},
    {.tag = "alias", .host = "Alias.Test.", .sans = {"other.test"}},
    {.tag = "two", .sans = {"one.test", "two.test", "192.0.2.1"}},
    {.tag = "twice", .sans = {"one.test"}}, /* the first one stays */
};

static void save(struct file *f, size_t i)
{
    tlsock_error err;
    size_t n = 0;

    while (n < 3 && f->sans[n] != NULL)
        n++;
    f->made = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.sans = f->sans, .n_sans = n, .key = f->key,
                         .issuer = ca_get()->inter, .purpose = "server"),
        &err);
    if (f->made == NULL)
        fail_msg("%s: %s", f->tag, err.message);
    snprintf(f->cert, sizeof(f->cert), "%s/h%zu.pem", ca_get()->dir, i);
    snprintf(f->keyfile, sizeof(f->keyfile), "%s/h%zu.key", ca_get()->dir, i);
    assert_code(tlsock_cert_save(f->made, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN,
                                 TLSOCK_FORMAT_PEM, f->cert, NULL, &err), 0);
    assert_code(tlsock_cert_save(f->made, TLSOCK_PART_KEY, TLSOCK_FORMAT_PEM,
                                 f->keyfile, NULL, &err), 0);
}

/* The same key types for one name. */
static struct file kinds[] = {
    {.tag = "rsa", .sans = {"k.test"}, .key = "rsa:2048"},
    {.tag = "p256", .sans = {"k.test"}, .key = "ec:P-256"},
    {.tag = "p384", .sans = {"k.test"}, .key = "ec:P-384"},
    {.tag = "ed25519", .sans = {"k.test"}, .key = "ed25519"},
};
/* "*" has what the name in full lacks. */
static struct file fallback[] = {
    {.tag = "only ec", .sans = {"x.f.test"}, .key = "ec:P-256"},
    {.tag = "star rsa", .sans = {"*.f.test"}, .key = "rsa:2048"},
    {.tag = "star ec", .sans = {"*.f.test"}, .key = "ec:P-256"},
};

static void add(tlsock_config *c, const struct file *f)
{
    int rc = f->host != NULL
                 ? tlsock_config_add_identity_for(c, f->host, f->cert,
                                                  f->keyfile, NULL)
                 : tlsock_config_add_identity(c, f->cert, f->keyfile, NULL);

    if (rc < 0)
        fail_msg("%s: %s", f->tag, tlsock_config_error(c)->message);
}

/* Which of the files the server showed; "none" if there was no handshake. */
static const char *shown(tlsock_config *cc, tlsock_config *sc, const char *sni,
                         const struct file *all, size_t n)
{
    const char *tag = "none";
    char want[80], got[80];
    tlsock_cert *c;
    struct peer p;

    peer_init(&p);
    assert_code(peer_open_opts(&p, cc,
                               TLSOCK_OPTS(.nonblocking = 1, .sni = sni), sc,
                               TLSOCK_OPTS(.nonblocking = 1), "any.test"),
                TLSOCK_OK);
    if (peer_shake(&p) == 0) {
        c = tlsock_peer_cert(p.conn[CLIENT]);
        tlsock_cert_fingerprint(c, "sha256", 0, got, sizeof(got));
        tlsock_cert_unref(c);
        tag = "another";
        for (size_t i = 0; i < n; i++) {
            tlsock_cert_fingerprint(all[i].made, "sha256", 0, want,
                                    sizeof(want));
            if (strcmp(want, got) == 0)
                tag = all[i].tag;
        }
    }
    peer_free(&p);
    return tag;
}

static void each_way(void (*test)(void))
{
    size_t was = tsk_identities_at_once;

    test();
    tsk_identities_at_once = 0; /* all wait until they are asked for */
    test();
    tsk_identities_at_once = was;
}

static void names(void)
{
    static const struct {
        const char *sni, *want;
    } rows[] = {
        {"first.test", "first"},
        {"FIRST.TEST", "first"},
        {"xfirst.test", "first"}, /* the default, as all below that say so */
        {"first.test.test", "first"},
        {"test", "first"},
        {"", "first"}, /* no SNI at all */
        {"shop.test", "star"},
        {"www.shop.test", "star"},
        {"WWW.Shop.TEST", "star"},
        {"pay.shop.test", "exact"}, /* before "*" */
        {"PAY.shop.test", "exact"},
        {"pay.pay.shop.test", "first"}, /* "*" is one label */
        {"x.a.shop.test", "deep"},
        {"a.shop.test", "star"},
        {"x.y.a.shop.test", "first"},
        {"xshop.test", "first"},
        {"mixed.test", "upper"},
        {"xn--bcher-kva.test", "idn"},
        {"XN--BCHER-KVA.TEST", "idn"},
        {"www.xn--bcher-kva.test", "idnstar"},
        {"xn--bcher-kva.shop.test", "star"}, /* an A-label is a label */
        {"alias.test", "alias"},
        {"other.test", "first"}, /* its SANs do not count: it has a host */
        {"one.test", "two"},
        {"two.test", "two"},
    };
    tlsock_config *cc = ca_client("insecure", "all: test", NULL);
    tlsock_config *sc = tlsock_config_new();

    for (size_t i = 0; i < COUNT(files); i++)
        add(sc, &files[i]);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = shown(cc, sc, rows[i].sni, files, COUNT(files));

        if (strcmp(got, rows[i].want) != 0)
            fail_msg("\"%s\": %s instead of %s", rows[i].sni, got,
                     rows[i].want);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_name_finds_its_identity(void **state)
{
    (void)state;
    each_way(names);
}

static void the_empty_host_is_the_default(void **state)
{
    tlsock_config *cc = ca_client("insecure", "all: test", NULL);
    tlsock_config *sc = tlsock_config_new();

    (void)state;
    add(sc, &files[0]);
    assert_code(tlsock_config_add_identity_for(sc, "", files[2].cert,
                                               files[2].keyfile, NULL), 0);
    assert_string_equal(shown(cc, sc, "x.test", files, 3), "exact");
    assert_string_equal(shown(cc, sc, "", files, 3), "exact");
    assert_string_equal(shown(cc, sc, "first.test", files, 3), "first");
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void hosts_that_cannot_be_are_refused(void **state)
{
    static const char *const bad[] = {"a b.test",  "*",         "*.*.test",
                                      "w*.a.test", "a..test",   "*.",
                                      "a.test:443"};
    tlsock_config *c = tlsock_config_new();

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        int rc = tlsock_config_add_identity_for(c, bad[i], files[0].cert,
                                                files[0].keyfile, NULL);

        if (rc != TLSOCK_E_ARGUMENT)
            fail_msg("\"%s\": %d", bad[i], rc);
        assert_true(tlsock_config_error(c)->hint[0] != '\0');
    }
    tlsock_config_unref(c);
}

#define RSA_ALGS "rsa_pss_rsae_sha256:RSA+SHA256"
#define P256_ALGS "ecdsa_secp256r1_sha256"
#define P384_ALGS "ecdsa_secp384r1_sha384"

static const struct algs {
    const char *sigalgs, *tls, *want;
} algs[] = {
    {RSA_ALGS, "1.3", "rsa"},
    {RSA_ALGS, "1.2", "rsa"},
    {P256_ALGS ":" RSA_ALGS, "1.3", "p256"},
    {P256_ALGS ":" RSA_ALGS, "1.2", "p256"},
    {RSA_ALGS ":" P256_ALGS, "1.3", "p256"}, /* the server's order */
    {RSA_ALGS ":" P256_ALGS, "1.2", "p256"},
    {P384_ALGS, "1.3", "p384"}, /* TLS 1.3 binds the curve */
    {P384_ALGS ":" RSA_ALGS, "1.3", "p384"},
    {"ed25519", "1.3", "ed25519"},
    {"ed25519", "1.2", "ed25519"},
    {"ed25519:" RSA_ALGS, "1.3", "ed25519"},
    {"ecdsa_secp521r1_sha512", "1.3", "none"},
    {"rsa_pss_pss_sha256", "1.3", "none"},
};

/* n of the kinds, beginning with one of them, in both directions. */
static tlsock_config *with_kinds(size_t from, int backwards)
{
    tlsock_config *sc = tlsock_config_new();
    size_t n = COUNT(kinds);

    add(sc, &files[0]); /* the default is another one */
    for (size_t i = 0; i < n; i++)
        add(sc, &kinds[(from + (backwards ? n - i : i)) % n]);
    return sc;
}

static void key_kinds(void)
{
    for (size_t way = 0; way < 4; way++) {
        tlsock_config *sc = with_kinds(way / 2, way % 2);

        for (size_t i = 0; i < COUNT(algs); i++) {
            tlsock_config *cc =
                ca_client("insecure", "all: test", "tls.max", algs[i].tls,
                          "sigalgs", algs[i].sigalgs, NULL);
            const char *got = shown(cc, sc, "k.test", kinds, COUNT(kinds)),
                       *want = algs[i].want;
            /* TLS 1.2 and a client of both curves: the first one added */
            int either = strcmp(want, "p256") == 0 && algs[i].tls[2] == '2' &&
                         strcmp(got, "p384") == 0;

            if (strcmp(got, want) != 0 && !either)
                fail_msg("way %zu, %s in %s: %s instead of %s", way,
                         algs[i].sigalgs, algs[i].tls, got, want);
            tlsock_config_unref(cc);
        }
        tlsock_config_unref(sc);
    }
}

static void the_key_is_one_that_the_client_can_verify(void **state)
{
    (void)state;
    each_way(key_kinds);
}

static void the_default_has_all_its_keys(void **state)
{
    static const char *const want[][2] = {{RSA_ALGS, "rsa"},
                                          {P384_ALGS, "p384"},
                                          {P256_ALGS, "p256"}};

    (void)state;
    for (int named = 0; named < 2; named++) {
        tlsock_config *sc = tlsock_config_new();

        for (size_t i = 0; i < COUNT(kinds); i++)
            assert_code(named ? tlsock_config_add_identity_for(
                                    sc, "", kinds[i].cert, kinds[i].keyfile,
                                    NULL)
                              : tlsock_config_add_identity(
                                    sc, kinds[i].cert, kinds[i].keyfile, NULL),
                        TLSOCK_OK);
        for (size_t i = 0; i < COUNT(want); i++) {
            tlsock_config *cc = ca_client("insecure", "all: test", "sigalgs",
                                          want[i][0], NULL);

            assert_string_equal(shown(cc, sc, "no.test", kinds, COUNT(kinds)),
                                want[i][1]);
            assert_string_equal(shown(cc, sc, "", kinds, COUNT(kinds)),
                                want[i][1]);
            tlsock_config_unref(cc);
        }
        tlsock_config_unref(sc);
    }
}

static void fallbacks(void)
{
    static const struct {
        const char *sni, *sigalgs, *want;
    } rows[] = {{"x.f.test", P256_ALGS ":" RSA_ALGS, "only ec"},
                {"x.f.test", RSA_ALGS, "star rsa"}, /* better than none */
                {"y.f.test", P256_ALGS ":" RSA_ALGS, "star ec"},
                {"y.f.test", RSA_ALGS, "star rsa"},
                {"x.f.test", "ed25519", "none"}};
    tlsock_config *sc = tlsock_config_new();

    for (size_t i = 0; i < COUNT(fallback); i++)
        add(sc, &fallback[i]);
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("insecure", "all: test", "sigalgs",
                                      rows[i].sigalgs, NULL);

        assert_string_equal(
            shown(cc, sc, rows[i].sni, fallback, COUNT(fallback)),
            rows[i].want);
        tlsock_config_unref(cc);
    }
    tlsock_config_unref(sc);
}

static void a_star_helps_where_the_full_name_cannot(void **state)
{
    (void)state;
    each_way(fallbacks);
}

static int note(const tlsock_event *e, void *arg)
{
    snprintf(arg, 400, "%s", e->text);
    return 0;
}

/* A certificate of 700 names, and one of one. */
static void what_takes_another_round_trip_is_told(void **state)
{
    static char text[700][24];
    const char *sans[700];
    tlsock_config *cc = ca_client("insecure", "all: test", NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(sans); i++) {
        snprintf(text[i], sizeof(text[i]), "host%06zu.large.test", i);
        sans[i] = text[i];
    }
    for (int large = 0; large < 2; large++) {
        tlsock_cert *c = tlsock_cert_create(
            TLSOCK_CERT_OPTS(.sans = sans, .n_sans = large ? COUNT(sans) : 1,
                             .issuer = ca_get()->inter),
            NULL);
        tlsock_config *sc = ca_server(c, NULL);
        char said[400] = "";

        assert_code(tlsock_config_on(sc, TLSOCK_ON_LOG, note, said), 0);
        (void)shown(cc, sc, "large.test", files, 1);
        if (large)
            assert_tells(said, "one round trip more");
        else
            assert_string_equal(said, "");
        tlsock_config_unref(sc);
        tlsock_cert_unref(c);
    }
    tlsock_config_unref(cc);
}

static int make_all(void **state)
{
    (void)ca_get();
    for (size_t i = 0; i < COUNT(files); i++)
        save(&files[i], i);
    for (size_t i = 0; i < COUNT(kinds); i++)
        save(&kinds[i], 20 + i);
    for (size_t i = 0; i < COUNT(fallback); i++)
        save(&fallback[i], 30 + i);
    return ca_setup(state);
}

static void drop(struct file *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unlink(f[i].cert);
        unlink(f[i].keyfile);
        tlsock_cert_unref(f[i].made);
    }
}

static int drop_all(void **state)
{
    drop(files, COUNT(files));
    drop(kinds, COUNT(kinds));
    drop(fallback, COUNT(fallback));
    return ca_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_finds_its_identity),
        cmocka_unit_test(the_empty_host_is_the_default),
        cmocka_unit_test(hosts_that_cannot_be_are_refused),
        cmocka_unit_test(the_key_is_one_that_the_client_can_verify),
        cmocka_unit_test(the_default_has_all_its_keys),
        cmocka_unit_test(a_star_helps_where_the_full_name_cannot),
        cmocka_unit_test(what_takes_another_round_trip_is_told),
    };

    return cmocka_run_group_tests_name("hosts", tests, make_all, drop_all);
}
