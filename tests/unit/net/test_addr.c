#include "net_help.h"

#include "net/addr.h"

#include <arpa/inet.h>

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME253                                                                \
    L63 "." L63 "." L63 "."                                                    \
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct {
    const char *text;
    int want;
    uint8_t first, last;
} ips[] = {
    {"192.0.2.1", 4, 192, 1},
    {"0.0.0.0", 4, 0, 0},
    {"255.255.255.255", 4, 255, 255},
    {"::1", 6, 0, 1},
    {"2001:DB8::a", 6, 0x20, 10},
    {"::ffff:192.0.2.1", 6, 0, 1},
    {"", 0, 0, 0},
    {"1.2.3", 0, 0, 0},
    {"127.1", 0, 0, 0},
    {"01.2.3.4", 0, 0, 0},
    {"1.2.3.04", 0, 0, 0},
    {"0x7f.0.0.1", 0, 0, 0},
    {"1.2.3.256", 0, 0, 0},
    {"1.2.3.4.5", 0, 0, 0},
    {"1.2.3.4 ", 0, 0, 0},
    {" 1.2.3.4", 0, 0, 0},
    {"[::1]", 0, 0, 0},
    {"fe80::1%lo", 0, 0, 0},
    {"::1::", 0, 0, 0},
    {"1:2:3:4:5:6:7:8:9", 0, 0, 0},
    {"www.example.com", 0, 0, 0},
};

static void ip_parse_takes_only_strict_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ips); i++) {
        uint8_t out[16] = {0};
        int got = tsk_ip_parse(ips[i].text, out);

        if (got != ips[i].want)
            fail_msg("%s: got %d", ips[i].text, got);
        if (got != 0) {
            assert_int_equal(out[0], ips[i].first);
            assert_int_equal(out[got == 4 ? 3 : 15], ips[i].last);
        }
    }
}

static void ip_text_is_what_inet_ntop_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ips); i++) {
        char want[INET6_ADDRSTRLEN], got[INET6_ADDRSTRLEN];
        uint8_t ip[16];

        if (tsk_ip_parse(ips[i].text, ip) == 0)
            continue;
        inet_ntop(ips[i].want == 4 ? AF_INET : AF_INET6, ip, want,
                  sizeof(want));
        tsk_ip_text(got, ips[i].want, ip);
        assert_string_equal(got, want);
    }
}

static const struct {
    const char *host, *want;
} good[] = {
    {"example.com", "example.com"},
    {"ExAmple.COM", "example.com"},
    {"example.com.", "example.com"},
    {"localhost", "localhost"},
    {"a", "a"},
    {"_dmarc.example.com", "_dmarc.example.com"},
    {"r3---sn-x.example", "r3---sn-x.example"},
    {"1and1.example", "1and1.example"},
    {"1.2.3.example", "1.2.3.example"},
    {"3com", "3com"},
    {"0xyz", "0xyz"},
    {"XN--MNCHEN-3YA.de", "xn--mnchen-3ya.de"},
    {"m\xc3\xbcnchen.de", "xn--mnchen-3ya.de"},
    {"M\xc3\x9cNCHEN.DE.", "xn--mnchen-3ya.de"},
    {"mu\xcc\x88nchen.de", "xn--mnchen-3ya.de"}, /* decomposed */
    {"fa\xc3\x9f.de", "xn--fa-hia.de"},          /* not fass.de */
    {"b\xc3\xbc"
     "cher\xe3\x80\x82"
     "example",
     "xn--bcher-kva.example"},
    {"_x.m\xc3\xbcnchen.de", "_x.xn--mnchen-3ya.de"},
    {L63 ".example", L63 ".example"},
    {NAME253, NAME253},
    {NAME253 ".", NAME253},
    {"192.0.2.1", "192.0.2.1"},
    {"2001:DB8:0:0::A", "2001:db8::a"},
    {"0:0:0:0:0:0:0:1", "::1"},
    {"::FFFF:192.0.2.1", "::ffff:192.0.2.1"},
};

static void host_becomes_lower_case_alabels(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        tlsock_error err = {0};
        char out[256] = "?";

        if (tsk_host_normalise(out, good[i].host, &err) != TLSOCK_OK)
            fail_msg("%s: %s", good[i].host, err.message);
        assert_string_equal(out, good[i].want);
        assert_int_equal(tsk_host_normalise(out, good[i].host, NULL), 0);
    }
}

static const struct {
    const char *host, *says;
} refused[] = {
    {"", "is empty"},
    {".", "only a dot"},
    {"..", "begins with a dot"},
    {".example.com", "begins with a dot"},
    {"a..b", "empty label"},
    {"a.b..", "empty label"},
    {"*", "'*'"},
    {"*.example.com", "'*'"},
    {"a*.example.com", "'*'"},
    {"[::1]", "brackets"},
    {"::1]", "brackets"},
    {"foo:bar", "colon"},
    {"example.com:443", "colon"},
    {"::g", "colon"},
    {"fe80::1%eth0", "zones"},
    {"https://www.example.com", "colon"},
    {"a b", "characters"},
    {"a\tb", "a\\x09b"},
    {"a\nb", "characters"},
    {"a/b", "characters"},
    {"a@b", "characters"},
    {"a,b", "characters"},
    {"1.2.3.4.5.6", "ends in a number"},
    {"12345.6", "ends in a number"},
    {"121.2.3.512", "ends in a number"},
    {"1.2.3.4.", "ends in a number"},
    {"127.1", "ends in a number"},
    {"12", "ends in a number"},
    {"example.12", "ends in a number"},
    {"0x7f000001", "ends in a number"},
    {"1.0X7f", "ends in a number"},
    {"1.0x", "ends in a number"},
    {"\xef\xbc\x91.\xef\xbc\x92", "ends in a number"}, /* full width digits */
    {L63 "a.example", "longer than 63"},
    {NAME253 "c", "longer than 253"},
    {NAME253 "c.", "longer than 253"},
    {"m\xc3.de", "no valid IDN"}, /* broken UTF-8 */
    {"xn--\xc3\xbc.de", "no valid IDN"},
    {"a\xe2\x80\x8b"
     "b\xe2\x84\xab\xf4\x90\x80\x80",
     "no valid IDN"},
    {"a\xe3\x80\x82\xe3\x80\x82"
     "b",
     ""}, /* two dots, mapped */
    {"a\xef\xbc\x8f"
     "b.de",
     ""}, /* a slash, mapped */
};

static void host_that_no_name_is_is_refused_with_its_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        tlsock_error err = {0};
        char out[256] = "?";
        int rc = tsk_host_normalise(out, refused[i].host, &err);

        if (rc != TLSOCK_E_ARGUMENT || err.code != rc ||
            strstr(err.message, refused[i].says) == NULL)
            fail_msg("\"%s\": got %d \"%s\" %s", refused[i].host, rc,
                     err.message, out);
        assert_string_equal(out, "");
        assert_true(err.hint[0] != '\0');
        assert_int_equal(tsk_host_normalise(out, refused[i].host, NULL), rc);
    }
}

static void host_of_any_length_is_bounded(void **state)
{
    static const char umlaut[] = "\xc3\xbc";
    char big[9000], out[256];
    tlsock_error err;

    (void)state;
    for (size_t len = 200; len < sizeof(big); len += 97) {
        memset(big, 'a', len);
        big[len] = '\0';
        assert_int_equal(tsk_host_normalise(out, big, &err), TLSOCK_E_ARGUMENT);
        memcpy(big + len - 2, umlaut, 2);
        assert_int_equal(tsk_host_normalise(out, big, &err), TLSOCK_E_ARGUMENT);
        for (size_t i = 0; i + 1 < len; i += 2)
            memcpy(big + i, umlaut, 2);
        big[len & ~(size_t)1] = '\0';
        assert_int_equal(tsk_host_normalise(out, big, &err), TLSOCK_E_ARGUMENT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ip_parse_takes_only_strict_forms),
        cmocka_unit_test(ip_text_is_what_inet_ntop_writes),
        cmocka_unit_test(host_becomes_lower_case_alabels),
        cmocka_unit_test(host_that_no_name_is_is_refused_with_its_fault),
        cmocka_unit_test(host_of_any_length_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
