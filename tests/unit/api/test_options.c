#include "test.h"

#include "api/options.h"
#include "core/mem.h"

#include <openssl/err.h>
#include <unistd.h>

#define A255 A250 "aaaaa"
#define A250 A50 A50 A50 A50 A50
#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void drop(struct tsk_settings *set)
{
    tsk_free(set->ciphers);
    tsk_free(set->ciphersuites);
    tsk_free(set->groups);
    tsk_free(set->sigalgs);
    tsk_free(set->verify_name);
    tsk_free(set->verify_scheme);
    tsk_free(set->insecure_text);
    tsk_free(set->session_id_context);
    tsk_free(set->session_file);
    tsk_free(set->keylog);
    tsk_free(set->tickets_secret);
    tsk_free(set->dane_anchor);
    tsk_free(set->dane_resolver);
    tsk_free(set->revocation_cache);
    tsk_free(set->revocation_proxy);
    tsk_free(set->alpn);
    tsk_allow_unref(set->allow);
    memset(set, 0, sizeof(*set));
}

static const struct {
    const char *key, *value;
} good[] = {
    {"tls.min", "1.2"},
    {"tls.min", "1.3"},
    {"tls.min", "TLSv1.3"},
    {"tls.max", "1.2"},
    {"tls.max", "TLSv1.2"},
    {"ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"ciphers", "ECDHE+AESGCM:!RC4:!aNULL:@STRENGTH"},
    {"ciphers", "HIGH:!aNULL:-PSK:+AES128:@SECLEVEL=2"},
    {"ciphersuites", "TLS_AES_128_GCM_SHA256"},
    {"ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"},
    {"groups", "X25519"},
    {"groups", "P-384:X25519"},
    {"sigalgs", "ecdsa_secp256r1_sha256:RSA+SHA256"},
    {"server-order", "on"},
    {"server-order", "off"},
    {"verify.name", "a.test"},
    {"verify.name", "2001:db8::1"},
    {"verify.scheme", "smtp"},
    {"verify.scheme", "rfc4513"},
    {"verify.depth", "-1"},
    {"verify.depth", "32"},
    {"verify.purpose", "server"},
    {"verify.purpose", "client"},
    {"verify.purpose", "any"},
    {"verify.partial-chain", "off"},
    {"verify.psl", "off"},
    {"verify.time", "0"},
    {"verify.time", "1767225600"},
    {"verify.time", "2026-01-31T12:00:00Z"},
    {"verify.time", "2026-01-31t12:00:00.25+05:30"},
    {"verify.time", "2024-02-29T23:59:60Z"},
    {"verify.cache", "on"},
    {"verify.cache", "off"},
    {"pin.mode", "accept"},
    {"pin.mode", "require"},
    {"pin.mode", "require-chain"},
    {"revocation", "off"},
    {"revocation", "must-staple"},
    {"revocation", "full"},
    {"revocation.fail", "soft"},
    {"revocation.cache", "/tmp"},
    {"revocation.timeout", "1500ms"},
    {"revocation.proxy", "http://127.0.0.1:3128"},
    {"staple", "off"},
    {"aia", "on"},
    {"raw-public-keys", "off"},
    {"?raw-public-keys", "on"},
    {"dane", "off"},
    {"dane.anchor", "/dev/null"},
    {"dane.resolver", "127.0.0.1"},
    {"dane.resolver", "::1@5353"},
    {"client-auth", "none"},
    {"client-auth", "ask"},
    {"client-auth", "require"},
    {"client-auth", "later"},
    {"client-auth.allow", "any"},
    {"client-auth.allow", "dns:a.test, cn:Doe\\, John\n\nip:::1"},
    {"client-auth.allow", "+uri:spiffe://td/web/*"},
    {"post-handshake-auth", "on"},
    {"post-handshake-auth", "off"},
    {"insecure", "no-name: lab box"},
    {"insecure", "expired,self-signed:old"},
    {"insecure", "all: because: colons are fine"},
    {"alpn", "h2"},
    {"alpn", "h2, http/1.1"},
    {"alpn", A255},
    {"alpn.required", "on"},
    {"session", "off"},
    {"session.size", "0"},
    {"session.size", "1000000"},
    {"session.timeout", "1s"},
    {"session.timeout", "7d"},
    {"session.timeout", "5000ms"},
    {"session-id-context", "x"},
    {"session-id-context", "12345678901234567890123456789012"},
    {"tickets", "off"},
    {"tickets.secret", "redis://h/?key=k"},
    {"tickets.rotate", "1s"},
    {"tickets.rotate", "7d"},
    {"tickets.count", "0"},
    {"tickets.count", "16"},
    {"early-data", "0"},
    {"early-data", "1048576"},
    {"timeout", "500ms"},
    {"timeout", "2m"},
    {"timeout", "24d"},
    {"timeout", "none"},
    {"timeout", "0"},
    {"handshake-timeout", "10s"},
    {"reload", "off"},
    {"reload", "on-change"},
    {"reload", "100ms"},
    {"reload", "1d"},
    {"starttls", "opportunistic"},
    {"starttls", "required"},
    {"truncation", "allow"},
    {"truncation", "refuse"},
    {"write.buffer", "16384"},
    {"record.size", "512"},
    {"record.size", "16384"},
    {"read-ahead", "off"},
    {"release-buffers", "off"},
    {"prints", "on"},
    {"ktls", "on"},
    {"ktls", "off"},
    {"session.file", "not-there-yet.sessions"},
    {"keylog", "/dev/null"},
    {"keylog", "not-there-yet.log"},
};

/* tells: what the message has to say beside the key and the value */
static const struct {
    const char *key, *value, *tells;
} bad[] = {
    {"tls.min", "1.1", "1.2|1.3"},
    {"tls.min", "1.0", "RFC 8996"},
    {"tls.min", "TLSv1", "RFC 8996"},
    {"tls.min", "SSLv3", "RFC 8996"},
    {"tls.min", "1.4", "1.2|1.3"},
    {"tls.min", " 1.2", "1.2|1.3"},
    {"tls.max", "1.1", "1.2|1.3"},
    {"tls.max", "newest", "1.2|1.3"},
    {"ciphers", "NO-SUCH-SUITE", "NO-SUCH-SUITE"},
    {"ciphers", "ECDHE+AESGCM:TYPO", "TYPO"},
    {"ciphers", "ECDHE+AESGCM::HIGH", "empty"},
    {"ciphers", "!ALL", "nothing usable"},
    {"ciphers", "aNULL", "no usable suite"},
    {"ciphers", "eNULL", "no usable suite"},
    {"ciphers", "aNULL:@SECLEVEL=0", "levels are 1 to 5"},
    {"ciphers", "aNULL:eNULL:@SECLEVEL=1", "no usable suite"},
    {"ciphers", "HIGH:@SECLEVEL=9", "@SECLEVEL=9"},
    {"ciphers", "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"},
    {"ciphers", "PSK-AES128-GCM-SHA256", "no usable suite"},
    {"ciphers", A250, "too long"},
    {"ciphersuites", "TLS_AES_1", "TLS_AES_1"},
    {"ciphersuites", "TLS_AES_128_GCM_SHA256:", "empty"},
    {"groups", "X25519:P-257", "P-257"},
    {"groups", ":", "empty"},
    {"groups", "X25519:X25519", "there twice"},
    {"sigalgs", "RSA+SHA256:RSA+SHA3", "RSA+SHA3"},
    {"server-order", "yes", "on|off"},
    {"server-order", "ON", "on|off"},
    {"verify.name", "a b", "neither a host"},
    {"verify.name", "*.a.test", "neither a host"},
    {"verify.scheme", "none", "name rules"},
    {"verify.scheme", "no-such", "name rules"},
    {"verify.depth", "-2", "-1..32"},
    {"verify.depth", "33", "-1..32"},
    {"verify.depth", "3x", "-1..32"},
    {"verify.purpose", "serve", "server|client|any"},
    {"verify.purpose", "server|client", "server|client|any"},
    {"verify.partial-chain", "1", "on|off"},
    {"verify.psl", "0", "on|off"},
    {"verify.time", "-1", "Unix seconds"},
    {"verify.time", "yesterday", "Unix seconds"},
    {"verify.time", "2026-02-29T12:00:00Z", "Unix seconds"},
    {"verify.time", "2026-13-01T12:00:00Z", "Unix seconds"},
    {"verify.time", "2026-00-01T12:00:00Z", "Unix seconds"},
    {"verify.time", "2026-01-31T24:00:00Z", "Unix seconds"},
    {"verify.time", "2026-01-31T12:00:00", "Unix seconds"},
    {"verify.time", "2026-01-31T12:00:00.Z", "Unix seconds"},
    {"verify.time", "2026-01-31T12:00:00+0100", "Unix seconds"},
    {"verify.time", "2026-01-31T12:00:00+01:60", "Unix seconds"},
    {"verify.time", "1969-12-31T23:59:59Z", "Unix seconds"},
    {"verify.time", "2026-01-31", "Unix seconds"},
    {"verify.cache", "5m", "on|off"},
    {"pin.mode", "any", "accept|require|require-chain"},
    {"revocation", "all", "off|staple|must-staple"},
    {"revocation.fail", "never", "hard|soft"},
    {"revocation.cache", "/nowhere/cache", "No such file"},
    {"revocation.cache", "/dev/null", "not a directory"},
    {"revocation.timeout", "10", "DURATION"},
    {"revocation.proxy", "ftp://127.0.0.1", "not a proxy's URL"},
    {"staple", "always", "on|off"},
    {"aia", "yes", "on|off"},
    {"raw-public-keys", "yes", "on|off"},
    {"dane", "yes", "off|on|require"},
    {"dane.anchor", "/nowhere/anchor", "No such file"},
    {"dane.resolver", "ns.example", "no numeric address"},
    {"dane.resolver", "127.0.0.1:53", "no numeric address"},
    {"dane.resolver", "127.0.0.1@", "no port number"},
    {"dane.resolver", "127.0.0.1@0", "no port number"},
    {"client-auth", "optional", "none|ask|require|later"},
    {"client-auth.allow", "a.test", "of no kind"},
    {"client-auth.allow", "dns:a.test,", "a comma too many"},
    {"post-handshake-auth", "yes", "on|off"},
    {"insecure", "no-name", "WHY is missing"},
    {"insecure", "no-name:", "WHY is missing"},
    {"insecure", "no-name:  x", "3 characters"},
    {"insecure", "everything: lab box", "self-signed"},
    {"insecure", "no-name,: lab box", "WHAT"},
    {"insecure", ": lab box", "WHAT"},
    {"insecure", "yes", "WHAT"},
    {"alpn", "h2,,http/1.1", "1 to 255"},
    {"alpn", " ", "1 to 255"},
    {"alpn", A255 "a", "1 to 255"},
    {"alpn.required", "true", "on|off"},
    {"session", "of", "on|off"},
    {"session.size", "-1", "0..1000000"},
    {"session.size", "1000001", "0..1000000"},
    {"session.size", "99999999999999999999", "0..1000000"},
    {"session.timeout", "0", "with s, m, h or d"},
    {"session.timeout", "0s", "1s to 7d"},
    {"session.timeout", "1500ms", "1s to 7d"},
    {"session.timeout", "8d", "1s to 7d"},
    {"session.timeout", "none", "with s, m, h or d"},
    {"session-id-context", "123456789012345678901234567890123", "32 bytes"},
    {"tickets", "2", "on|off"},
    {"tickets.secret", "redis://h/", "?key=NAME"},
    {"tickets.secret", "literal", "file:PATH, env:NAME"},
    {"tickets.rotate", "0s", "1s to 7d"},
    {"tickets.rotate", "8d", "1s to 7d"},
    {"tickets.count", "17", "0..16"},
    {"timeout", "10", "ms, s, m, h or d"},
    {"timeout", "-5s", "ms, s, m, h or d"},
    {"timeout", "1.5s", "ms, s, m, h or d"},
    {"timeout", "10 s", "ms, s, m, h or d"},
    {"timeout", "s", "ms, s, m, h or d"},
    {"timeout", "25d", "more than 24d"},
    {"timeout", "99999999999s", "ms, s, m, h or d"},
    {"handshake-timeout", "soon", "ms, s, m, h or d"},
    {"reload", "soon", "off, on-change"},
    {"reload", "10", "off, on-change"},
    {"reload", "99ms", "100ms to 1d"},
    {"reload", "25h", "100ms to 1d"},
    {"truncation", "on", "refuse|allow"},
    {"starttls", "off", "required|opportunistic"},
    {"early-data", "1048577", "0..1048576"},
    {"write.buffer", "16385", "0..16384"},
    {"record.size", "511", "512..16384"},
    {"record.size", "16385", "512..16384"},
    {"read-ahead", "maybe", "on|off"},
    {"release-buffers", "", "on|off"},
    {"prints", "yes", "on|off"},
    {"ktls", "auto", "on|off"},
    {"session.file", "/", "directory"},
    {"session.file", "/no/such/directory/file", "No such file"},
    {"keylog", "/", "directory"},
    {"keylog", "/no/such/directory/file", "No such file"},
};

static void good_values_are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct tsk_settings set = {.tls_min = 0x0303, .tls_max = 0x0304};
        tlsock_error err = {0};

        if (tsk_option_set(&set, good[i].key, good[i].value, &err) != 0)
            fail_msg("%s = %s: %s", good[i].key, good[i].value, err.message);
        assert_int_equal(err.code, 0);
        drop(&set);
    }
}

static void bad_values_are_refused_with_the_valid_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct tsk_settings set = {.tls_min = 0x0303, .tls_max = 0x0304};
        struct tsk_settings before = set;
        tlsock_error err = {0};
        int rc = tsk_option_set(&set, bad[i].key, bad[i].value, &err);

        if (rc != TLSOCK_E_OPTION)
            fail_msg("%s = %s: %s", bad[i].key, bad[i].value,
                     tlsock_errname(rc));
        assert_code(err.code, rc);
        assert_tells(err.message, bad[i].key);
        assert_tells(err.message, bad[i].tells);
        assert_string_not_equal(err.hint, "");
        assert_memory_equal(&set, &before, sizeof(set));
    }
}

static void every_option_refuses_the_empty_value(void **state)
{
    const tlsock_option *o = NULL;

    (void)state;
    for (o = tlsock_option_next(NULL); o != NULL; o = tlsock_option_next(o)) {
        struct tsk_settings set = {0};
        tlsock_error err = {0};

        assert_code(tsk_option_set(&set, o->key, "", &err), TLSOCK_E_OPTION);
        assert_tells(err.message, o->type);
    }
}

static void every_option_is_in_both_tables(void **state)
{
    const tlsock_option *o;

    (void)state;
    for (o = tlsock_option_next(NULL); o != NULL; o = tlsock_option_next(o)) {
        int goods = 0, bads = 0;

        for (size_t i = 0; i < COUNT(good); i++)
            goods += strcmp(good[i].key, o->key) == 0;
        for (size_t i = 0; i < COUNT(bad); i++)
            bads += strcmp(bad[i].key, o->key) == 0;
        if (goods == 0 || bads == 0)
            fail_msg("%s: %d good, %d bad values", o->key, goods, bads);
    }
}

static void every_row_is_complete_and_its_key_unique(void **state)
{
    const tlsock_option *o, *p;

    (void)state;
    for (o = tlsock_option_next(NULL); o != NULL; o = tlsock_option_next(o)) {
        size_t len = strlen(o->help);

        assert_true(strlen(o->key) > 0 && strlen(o->key) <= 32);
        assert_true(strlen(o->type) > 0 && strlen(o->since) > 0);
        assert_non_null(o->dflt);
        assert_true(len > 10 && o->help[len - 1] == '.');
        for (p = tlsock_option_next(o); p != NULL; p = tlsock_option_next(p))
            assert_string_not_equal(o->key, p->key);
    }
    o = &(tlsock_option){.key = "of a stranger"};
    assert_null(tlsock_option_next(o));
}

static void defaults_are_those_of_the_table(void **state)
{
    struct tsk_settings set = {0};

    (void)state;
    assert_int_equal(tsk_option_defaults(&set, NULL), 0);
    assert_int_equal(set.tls_min, 0x0303);
    assert_int_equal(set.tls_max, 0x0304);
    assert_int_equal(set.timeout_ms, 30000);
    assert_int_equal(set.handshake_timeout_ms, 30000);
    assert_int_equal(set.tickets_count, 1);
    assert_int_equal(set.tickets_rotate_s, 0);
    assert_int_equal(tsk_settings_rotate_s(&set), 43200);
    assert_null(set.tickets_secret);
    assert_true(set.tickets && set.session && set.server_order && set.psl);
    assert_true(set.partial_chain && set.release_buffers && set.read_ahead);
    assert_int_equal(set.session_size, 1024);
    assert_int_equal(set.session_timeout_s, 7200);
    assert_int_equal(set.revocation, TSK_REVOKE_STAPLE);
    assert_int_equal(set.client_auth, TSK_CLIENT_NONE);
    assert_int_equal(set.pin_mode, TSK_PIN_ACCEPT);
    assert_int_equal(set.verify_purpose, TLSOCK_PURPOSE_SERVER);
    assert_int_equal(set.write_buffer, 0);
    assert_int_equal(set.insecure, 0);
    assert_int_equal(set.truncation_allowed, 0);
    assert_int_equal(set.starttls_opportunistic, 0);
    assert_int_equal(set.alpn_required, 0);
    assert_null(set.ciphers);
    assert_null(set.keylog);
    drop(&set);
}

static void set(struct tsk_settings *s, const char *key, const char *value)
{
    tlsock_error err = {0};

    if (tsk_option_set(s, key, value, &err) != 0)
        fail_msg("%s: %s", key, err.message);
}

static void values_arrive_where_they_belong(void **state)
{
    struct tsk_settings s = {0};

    (void)state;
    set(&s, "verify.time", "2026-01-31T12:00:00Z");
    assert_int_equal(s.verify_time, 1769860800);
    set(&s, "verify.time", "2026-01-31T13:30:00+01:30");
    assert_int_equal(s.verify_time, 1769860800);
    set(&s, "verify.time", "2000-03-01T00:00:00-00:00");
    assert_int_equal(s.verify_time, 951868800);
    set(&s, "timeout", "none");
    assert_int_equal(s.timeout_ms, -1);
    set(&s, "timeout", "2m");
    assert_int_equal(s.timeout_ms, 120000);
    set(&s, "session.timeout", "1h");
    assert_int_equal(s.session_timeout_s, 3600);
    set(&s, "insecure", "no-name,expired: lab box");
    assert_int_equal(s.insecure, TSK_INSECURE_NO_NAME | TSK_INSECURE_EXPIRED);
    assert_string_equal(s.insecure_text, "no-name,expired: lab box");
    set(&s, "insecure", "all: test");
    assert_int_equal(s.insecure, TSK_INSECURE_ALL);
    set(&s, "pin.mode", "require-chain");
    assert_int_equal(s.pin_mode, TSK_PIN_REQUIRE_CHAIN);
    set(&s, "revocation", "must-staple");
    assert_int_equal(s.revocation, TSK_REVOKE_MUST_STAPLE);
    set(&s, "client-auth", "require");
    assert_int_equal(s.client_auth, TSK_CLIENT_REQUIRE);
    set(&s, "truncation", "allow");
    assert_int_equal(s.truncation_allowed, 1);
    set(&s, "verify.depth", "-1");
    assert_int_equal(s.verify_depth, -1);
    set(&s, "alpn", "h2 , http/1.1");
    assert_int_equal(s.alpn_len, 12);
    assert_memory_equal(s.alpn, "\x02h2\x08http/1.1", 12);
    set(&s, "groups", "X25519");
    set(&s, "groups", "P-256");
    assert_string_equal(s.groups, "P-256");
    drop(&s);
}

static void unknown_keys_name_the_nearest_one(void **state)
{
    static const struct {
        const char *key, *tells, *hint;
    } cases[] = {
        {"tls.mim", "\"tls.min\"", "tls.max"},
        {"timout", "\"timeout\"", "tlsock.conf(5)"},
        {"verify.dept", "\"verify.depth\"", "verify.psl"},
        {"session.path", "unknown", "session.size"},
        {"colour", "unknown option \"colour\"", "tlsock.conf(5)"},
        {"", "unknown", "tlsock.conf(5)"},
        {"a\nb", "a\\x0ab", "tlsock.conf(5)"},
        {"verify", "cannot be switched off", "insecure"},
        {"?verify", "cannot be switched off", "insecure"},
        {"?tls.mim", "\"tls.min\"", "tls.max"},
        {"??tls.min", "unknown", ""},
        {A255, "unknown", "tlsock.conf(5)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tsk_settings s = {0};
        tlsock_error err = {0};

        assert_code(tsk_option_set(&s, cases[i].key, "on", &err),
                    TLSOCK_E_OPTION);
        assert_tells(err.message, cases[i].tells);
        assert_tells(err.hint, cases[i].hint);
    }
}

static void a_question_mark_forgives_only_what_openssl_lacks(void **state)
{
    static const struct {
        const char *key, *value;
        int want;
    } cases[] = {
        {"?groups", "X25519:no-such-group", TLSOCK_OK},
        {"?ciphers", "NO-SUCH-SUITE", TLSOCK_OK},
        {"?ciphersuites", "TLS_NO_SUCH", TLSOCK_OK},
        {"?sigalgs", "no_such_algorithm", TLSOCK_OK},
        {"?groups", "X25519::P-256", TLSOCK_E_OPTION},
        {"?groups", "", TLSOCK_E_OPTION},
        {"?ciphers", "aNULL", TLSOCK_E_OPTION},
        {"?tls.min", "1.1", TLSOCK_E_OPTION},
        {"?no.such.key", "on", TLSOCK_E_OPTION},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tsk_settings s = {0};
        tlsock_error err = {0};
        int rc = tsk_option_set(&s, cases[i].key, cases[i].value, &err);

        if (rc != cases[i].want)
            fail_msg("%s = %s: %s", cases[i].key, cases[i].value,
                     tlsock_errname(rc));
        assert_int_equal(err.code, rc);
        assert_null(s.groups);
        drop(&s);
    }
}

static void what_a_newer_openssl_has_is_unsupported_or_taken(void **state)
{
    struct tsk_settings s = {0};
    tlsock_error err = {0};
    int rc = tsk_option_set(&s, "groups", "X25519MLKEM768", &err);

    (void)state;
    if (rc != TLSOCK_OK) {
        assert_code(rc, TLSOCK_E_UNSUPPORTED);
        assert_tells(err.message, "X25519MLKEM768");
        assert_tells(err.message, "3.5 and later have it");
        assert_tells(err.hint, "?groups");
    }
    assert_int_equal(rc == TLSOCK_OK, OpenSSL_version_num() >= 0x30500000UL);
    assert_int_equal(tsk_option_set(&s, "?groups", "X25519MLKEM768", NULL), 0);
    drop(&s);
}

static void the_lowest_version_is_never_above_the_highest(void **state)
{
    struct tsk_settings s = {0};
    tlsock_error err = {0};

    (void)state;
    assert_int_equal(tsk_option_defaults(&s, NULL), 0);
    set(&s, "tls.max", "1.2");
    assert_code(tsk_option_set(&s, "tls.min", "1.3", &err), TLSOCK_E_OPTION);
    assert_tells(err.message, "above tls.max");
    set(&s, "tls.max", "1.3");
    set(&s, "tls.min", "1.3");
    assert_code(tsk_option_set(&s, "tls.max", "1.2", &err), TLSOCK_E_OPTION);
    drop(&s);
}

static void null_and_endless_values_are_refused(void **state)
{
    struct tsk_settings s = {0};
    static char endless[TSK_OPTION_MAX + 2];

    (void)state;
    memset(endless, 'a', sizeof(endless) - 1);
    assert_code(tsk_option_set(&s, NULL, "on", NULL), TLSOCK_E_ARGUMENT);
    assert_code(tsk_option_set(&s, "session", NULL, NULL), TLSOCK_E_ARGUMENT);
    assert_code(tsk_option_set(&s, "alpn", endless, NULL), TLSOCK_E_OPTION);
}

static void openssls_queue_stays_as_it_was(void **state)
{
    struct tsk_settings s = {0};

    (void)state;
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 7);
    tsk_option_set(&s, "ciphers", "NO-SUCH-SUITE", NULL);
    tsk_option_set(&s, "groups", "P-256:none", NULL);
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 7);
    assert_int_equal(ERR_get_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_values_are_taken),
        cmocka_unit_test(bad_values_are_refused_with_the_valid_form),
        cmocka_unit_test(every_option_refuses_the_empty_value),
        cmocka_unit_test(every_option_is_in_both_tables),
        cmocka_unit_test(every_row_is_complete_and_its_key_unique),
        cmocka_unit_test(defaults_are_those_of_the_table),
        cmocka_unit_test(values_arrive_where_they_belong),
        cmocka_unit_test(unknown_keys_name_the_nearest_one),
        cmocka_unit_test(a_question_mark_forgives_only_what_openssl_lacks),
        cmocka_unit_test(what_a_newer_openssl_has_is_unsupported_or_taken),
        cmocka_unit_test(the_lowest_version_is_never_above_the_highest),
        cmocka_unit_test(null_and_endless_values_are_refused),
        cmocka_unit_test(openssls_queue_stays_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
