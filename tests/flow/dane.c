/* TLSA records decide, where DNSSEC vouches for them: RFC 6698, 7671, 7672. */
#include "danes.h"

#include <openssl/crypto.h>

static void usages_mean_what_rfc_7671_says(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct {
        const char *claim;
        tlsock_cert *server;
        struct danes_record records[DANES_RECORDS];
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
        {"3 takes no weak key",
         ca->weak,
         {{3, 1, 1, ca->weak}},
         TLSOCK_E_WEAK,
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
        tlsock_config *cc = danes_client("require", i % 2 ? "1.3" : "1.2");
        struct danes_outcome o;

        memcpy(danes.records, rows[r].records, sizeof(danes.records));
        danes_visit(&o, cc, rows[r].server, TLSOCK_OPTS(.name = "a.test"));
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
    tlsock_config *cc = danes_client("on", "1.3");
    char *text = NULL, want[100];
    struct danes_record right = {3, 1, 1, ca_get()->a};
    uint8_t *data;
    struct danes_outcome o;

    (void)state;
    danes.records[0] = (struct danes_record){3, 1, 1, ca_get()->b};
    danes_visit(&o, cc, ca_get()->a, TLSOCK_OPTS(.name = "a.test"));
    assert_code(o.code, TLSOCK_E_DANE);
    assert_int_equal(o.err.phase, TLSOCK_PHASE_VERIFY);
    danes_data(&right, &data);
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
        tlsock_config *cc = danes_client(i % 2 ? "require" : "on", "1.3");
        struct danes_outcome o;

        memset(&danes, 0, sizeof(danes));
        danes.address = rows[r].address;
        danes.tlsa = rows[r].tlsa;
        if (rows[r].usage >= 0)
            danes.records[0] =
                (struct danes_record){rows[r].usage, 1, 1, ca_get()->a};
        danes_visit(&o, cc, ca_get()->a, TLSOCK_OPTS(.name = "a.test"));
        if (o.code != want ||
            strcmp(o.info, want == 0 ? rows[r].info : "") != 0)
            fail_msg("%s, %s: %s, \"%s\", %s", rows[r].claim,
                     i % 2 ? "require" : "on", tlsock_errname(o.code), o.info,
                     o.err.message);
        if (want != 0)
            assert_true(o.err.hint[0] != '\0');
        if (rows[r].address == TSK_DNS_INSECURE) /* RFC 7672, 2.2.2 */
            assert_int_equal(danes.asked_tlsa, 0);
        tlsock_config_unref(cc);
    }
}

static void records_that_cannot_be_read_are_none(void **state)
{
    static const struct {
        const tlsock_cert *of;
        const char *message;
    } rows[] = {{&danes_junk, "OpenSSL cannot read any"},
                {&danes_nothing, "too short"}};

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        tlsock_config *cc = danes_client(i % 2 ? "require" : "on", "1.3");
        struct danes_outcome o;

        danes.records[0] = (struct danes_record){3, 0, 0, rows[i / 2].of};
        danes_visit(&o, cc, ca_get()->a, TLSOCK_OPTS(.name = "a.test"));
        if (i % 2) {
            assert_code(o.code, TLSOCK_E_DANE);
            assert_tells(o.err.message, rows[i / 2].message);
        } else {
            if (o.code != 0)
                fail_msg("%s", o.err.message);
            assert_string_equal(o.info, "unusable");
            assert_string_equal(o.verified, "chain");
            assert_string_equal(o.sni, "a.test");
        }
        tlsock_config_unref(cc);
    }
}

static void what_the_resolver_lacks_is_told(void **state)
{
    static const struct {
        int no_anchor, no_memory, want;
    } rows[] = {{1, 0, TLSOCK_E_TRUST_STORE}, {0, 1, TLSOCK_E_NOMEM}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = danes_client("on", "1.3");
        struct danes_outcome o;

        danes.address = TSK_DNS_FAILED;
        danes.no_anchor = rows[i].no_anchor;
        danes.no_memory = rows[i].no_memory;
        danes_visit(&o, cc, ca_get()->a, TLSOCK_OPTS(.name = "a.test"));
        assert_code(o.code, rows[i].want);
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
        struct danes_record record;
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
        tlsock_config *cc = danes_client("require", "1.3");
        struct danes_outcome o;

        memset(&danes, 0, sizeof(danes));
        danes.address = rows[i].address;
        danes.cname = rows[i].cname;
        danes.canon = "b.test";
        danes.at = rows[i].at;
        danes.records[0] = rows[i].record;
        danes_visit(&o, cc, rows[i].server, TLSOCK_OPTS(.name = "a.test"));
        if (o.code != rows[i].want || strcmp(o.info, rows[i].info) != 0 ||
            strcmp(o.sni, rows[i].sni) != 0)
            fail_msg("%s: %s, \"%s\", SNI %s, %s", rows[i].claim,
                     tlsock_errname(o.code), o.info, o.sni, o.err.message);
        tlsock_config_unref(cc);
    }
}

#define T(test)                                                                \
    cmocka_unit_test_setup_teardown(test, danes_setup, danes_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(usages_mean_what_rfc_7671_says),
        T(the_message_has_the_record_that_would_fit),
        T(what_dnssec_says_decides),
        T(records_that_cannot_be_read_are_none),
        T(what_the_resolver_lacks_is_told),
        T(cnames_are_followed_only_where_they_are_signed),
    };

    return cmocka_run_group_tests(tests, ca_setup_rsa, ca_teardown);
}
