/* Every setting either changes what a session means, or does not: a new one has
 * to be in this list. */
#include "tls/binding.h"

#include "api/config_box.h"
#include "ca.h"
#include "cert/cert.h"

#include <sys/stat.h>
#include <unistd.h>

enum means { FREE, BOUND };

/* another: no default's value */
static const struct {
    const char *key, *another;
    enum means means;
} rows[] = {
    {"tls.min", "1.3", BOUND},
    {"tls.max", "1.2", BOUND},
    {"ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256", BOUND},
    {"ciphersuites", "TLS_AES_128_GCM_SHA256", BOUND},
    {"groups", "X25519", BOUND},
    {"sigalgs", "ecdsa_secp256r1_sha256", BOUND},
    {"server-order", "off", FREE},   /* a server's */
    {"verify.name", "b.test", FREE}, /* each session has its name */
    {"verify.scheme", "smtp", BOUND},
    {"verify.depth", "3", BOUND},
    {"verify.purpose", "any", BOUND},
    {"verify.partial-chain", "off", BOUND},
    {"verify.psl", "off", BOUND},
    {"verify.time", "1767225600", BOUND},
    {"verify.cache", "off", FREE}, /* how often it is asked, not what */
    {"pin.mode", "require", BOUND},
    {"revocation", "off", BOUND},
    {"revocation.fail", "soft", BOUND},
    {"revocation.cache", "/tmp", FREE},
    {"revocation.timeout", "1500ms", FREE},
    {"revocation.proxy", "http://127.0.0.1:3128", FREE},
    {"staple", "off", FREE}, /* a server's */
    {"aia", "on", BOUND},
    {"raw-public-keys", "on", BOUND},
    {"dane", "on", BOUND},
    {"dane.anchor", "/dev/null", BOUND},
    {"dane.resolver", "127.0.0.1", FREE}, /* need not be trusted */
    {"client-auth", "ask", FREE},         /* a server's */
    {"client-auth.allow", "any", FREE},
    {"post-handshake-auth", "off", FREE},
    {"insecure", "no-name: lab box", BOUND},
    {"alpn", "h2", BOUND},
    {"alpn.required", "on", FREE}, /* asked of each connection */
    {"session", "off", FREE},      /* no sessions at all */
    {"session.size", "7", FREE},
    {"session.file", "some.sessions", FREE},
    {"session.timeout", "1s", FREE}, /* asked when one is taken */
    {"early-data", "1000", FREE}, /* its limit is asked for when it is sent */
    {"session-id-context", "x", FREE}, /* a server's */
    {"timeout", "500ms", FREE},
    {"handshake-timeout", "10s", FREE},
    {"starttls", "opportunistic", FREE}, /* before TLS */
    {"truncation", "allow", FREE},       /* at the end */
    {"write.buffer", "16384", FREE},
    {"record.size", "512", FREE},
    {"reload", "1h", FREE},
    {"read-ahead", "off", FREE},
    {"release-buffers", "off", FREE},
    {"prints", "on", FREE}, /* what is told, not what is done */
    {"ktls", "on", FREE},   /* who encrypts, not what */
    {"keylog", "/dev/null", FREE},
};

/* Families that are a server's alone. */
static const char *const servers[] = {"tickets"};

static int is_servers(const char *key)
{
    for (size_t i = 0; i < COUNT(servers); i++)
        if (strncmp(key, servers[i], strlen(servers[i])) == 0)
            return 1;
    return 0;
}

static void digest(tlsock_config *c, uint8_t out[32])
{
    assert_int_equal(tsk_binding(&c->box->set, NULL, out), 1);
}

static tlsock_config *fresh(uint8_t out[32])
{
    tlsock_config *c = tlsock_config_new();

    assert_non_null(c);
    digest(c, out);
    return c;
}

static int is_row(const char *key)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].key, key) == 0)
            return 1;
    return is_servers(key);
}

static void every_option_is_classified(void **state)
{
    (void)state;
    for (const tlsock_option *o = tlsock_option_next(NULL); o != NULL;
         o = tlsock_option_next(o))
        if (!is_row(o->key))
            fail_msg("does %s change what a session of a client means? Say so "
                     "here, and in src/tls/binding.c",
                     o->key);
}

static void the_digest_has_what_is_bound_and_no_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t before[32], after[32];
        tlsock_config *c = fresh(before);
        int rc = tlsock_config_set(c, rows[i].key, rows[i].another);

        if (rc != TLSOCK_E_UNSUPPORTED) { /* a build without it has none */
            assert_code(rc, 0);
            digest(c, after);
            if ((memcmp(before, after, 32) != 0) != rows[i].means)
                fail_msg("%s changes what a session means: %d", rows[i].key,
                         !rows[i].means);
        }
        tlsock_config_unref(c);
    }
}

static int hook(const tlsock_event *e, void *arg)
{
    (void)e;
    (void)arg;
    return 0;
}

static int add_pin(tlsock_config *c)
{
    return tlsock_config_add_pin(
        c, "sha256:"
           "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
}

static int add_other_pin(tlsock_config *c)
{
    return tlsock_config_add_pin(
        c, "sha256:pub:"
           "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
}

static int add_cert(tlsock_config *c)
{
    return tlsock_config_add_cert(c, ca_get()->client);
}

static int add_other_cert(tlsock_config *c)
{
    return tlsock_config_add_cert(c, ca_get()->stranger_client);
}

static int add_key(tlsock_config *c)
{
    return tlsock_config_add_psk(c, "id", "0123456789abcdef", 16);
}

static int add_other_key(tlsock_config *c)
{
    return tlsock_config_add_psk(c, "id", "0123456789abcdeF", 16);
}

static int on_verify(tlsock_config *c)
{
    return tlsock_config_on(c, TLSOCK_ON_VERIFY, hook, NULL);
}

static int on_staple(tlsock_config *c)
{
    return tlsock_config_on(c, TLSOCK_ON_STAPLE, hook, NULL);
}

static int on_name(tlsock_config *c)
{
    return tlsock_config_on(c, TLSOCK_ON_NAME, hook, NULL);
}

static int another_reason(tlsock_config *c)
{
    return tlsock_config_set(c, "insecure", "expired: a reason");
}

static int a_policy(tlsock_config *c)
{
    c->box->set.policy[TSK_RULE_TRUST] = "FILE:1: trust = system";
    return 0;
}

/* What is no option: each gives a digest of its own. */
static void what_else_a_config_has_is_in_it(void **state)
{
    static int (*const adds[])(tlsock_config *) = {
        add_pin, add_other_pin, add_cert,       add_other_cert,
        add_key, add_other_key, on_verify,      on_staple,
        on_name, a_policy,      another_reason,
    };
    uint8_t all[COUNT(adds) + 1][32];

    (void)state;
    for (size_t i = 0; i < COUNT(adds); i++) {
        tlsock_config *c = fresh(all[0]);

        assert_code(adds[i](c), 0);
        digest(c, all[i + 1]);
        for (size_t k = 0; k <= i; k++)
            assert_memory_not_equal(all[k], all[i + 1], 32);
        tlsock_config_unref(c);
    }
}

static void trusted(const char *const *uris, size_t n, uint8_t out[32])
{
    struct tsk_trust *t = tsk_trust_new(uris, n, NULL);

    assert_non_null(t);
    assert_int_equal(tsk_trust_digest(t, 0, out), 1);
    tsk_trust_unref(t);
}

static void by_content(const char *dir, uint8_t out[32])
{
    const char *const uris[] = {dir};
    struct tsk_trust *t = tsk_trust_new(uris, 1, NULL);

    assert_non_null(t);
    assert_int_equal(tsk_trust_digest(t, 1, out), 1);
    tsk_trust_unref(t);
}

static void put_in(const char *dir, const tlsock_cert *cert)
{
    char path[160];

    (void)mkdir(dir, 0700);
    snprintf(path, sizeof(path), "%s/%08lx.0", dir,
             X509_subject_name_hash(ca_get()->root->leaf));
    (void)unlink(path);
    assert_int_equal(tlsock_cert_save(cert, TLSOCK_PART_CERT, TLSOCK_FORMAT_PEM,
                                      path, NULL, NULL),
                     0);
}

static void remove_from(const char *dir)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/%08lx.0", dir,
             X509_subject_name_hash(ca_get()->root->leaf));
    unlink(path);
    rmdir(dir);
}

/* Machines whose directories hold the same have the same tickets. */
static void directories_are_the_same_on_every_machine(void **state)
{
    char one[100], two[100];
    const char *const uris[2][1] = {{one}, {two}};
    uint8_t d[5][32];

    (void)state;
    snprintf(one, sizeof(one), "%s/one", ca_get()->dir);
    snprintf(two, sizeof(two), "%s/two", ca_get()->dir);
    put_in(one, ca_get()->root);
    put_in(two, ca_get()->root);
    by_content(one, d[0]);
    by_content(two, d[1]);
    trusted(uris[0], 1, d[2]);
    trusted(uris[1], 1, d[3]);
    put_in(two, ca_get()->stranger_root);
    by_content(two, d[4]);
    remove_from(one);
    remove_from(two);
    assert_memory_equal(d[0], d[1], 32);
    assert_memory_not_equal(d[2], d[3], 32);
    assert_memory_not_equal(d[1], d[4], 32);
}

/* By content: not by the name of a file, nor by the order. */
static void trust_is_what_is_in_the_files(void **state)
{
    const char *root = ca_get()->root_pem, *b = ca_get()->b_pem;
    const char *const one[] = {root}, *const two[] = {root, b},
                      *const swapped[] = {b, root}, *const none[] = {"none"},
                      *const system[] = {"system"};
    char copy[128];
    const char *const moved[] = {copy};
    uint8_t d[7][32];

    (void)state;
    snprintf(copy, sizeof(copy), "%s/copy.pem", ca_get()->dir);
    assert_int_equal(tlsock_cert_save(ca_get()->root, TLSOCK_PART_CERT,
                                      TLSOCK_FORMAT_PEM, copy, NULL, NULL),
                     0);
    trusted(one, 1, d[0]);
    trusted(moved, 1, d[1]);
    trusted(two, 2, d[2]);
    trusted(swapped, 2, d[3]);
    trusted(none, 1, d[4]);
    trusted(system, 1, d[5]);
    trusted(system, 1, d[6]);
    unlink(copy);
    assert_memory_equal(d[0], d[1], 32);
    assert_memory_equal(d[2], d[3], 32);
    assert_memory_equal(d[5], d[6], 32);
    assert_memory_not_equal(d[0], d[2], 32);
    assert_memory_not_equal(d[0], d[4], 32);
    assert_memory_not_equal(d[4], d[5], 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_classified),
        cmocka_unit_test(the_digest_has_what_is_bound_and_no_more),
        cmocka_unit_test(what_else_a_config_has_is_in_it),
        cmocka_unit_test(trust_is_what_is_in_the_files),
        cmocka_unit_test(directories_are_the_same_on_every_machine),
    };

    return cmocka_run_group_tests(tests, ca_setup, ca_teardown);
}
