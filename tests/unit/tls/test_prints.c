/* JA3, JA3S and JA4 of messages built here: what their authors published for
 * these lists, and what is no hello. */
#include "test.h"

#include "tls/greeting.h"

#include <stdlib.h>
#include <tlsock/prints.h>

#define MOST 4096

/* A hello under construction. */
struct msg {
    unsigned char bytes[MOST];
    size_t len;
};

struct ext {
    unsigned type;
    const char *body;
    size_t len;
};
#define E(type, literal)                                                       \
    {                                                                          \
        type, literal, sizeof(literal) - 1                                     \
    }
#define EMPTY(type)                                                            \
    {                                                                          \
        type, "", 0                                                            \
    }

static void u8(struct msg *m, unsigned v)
{
    m->bytes[m->len++] = (unsigned char)v;
}

static void u16(struct msg *m, unsigned v)
{
    u8(m, v >> 8);
    u8(m, v & 0xff);
}

static void add_extensions(struct msg *m, const struct ext *ext, size_t n)
{
    size_t at = m->len;

    if (n == 0)
        return;
    u16(m, 0);
    for (size_t i = 0; i < n; i++) {
        u16(m, ext[i].type);
        u16(m, (unsigned)ext[i].len);
        memcpy(m->bytes + m->len, ext[i].body, ext[i].len);
        m->len += ext[i].len;
    }
    m->bytes[at] = (unsigned char)((m->len - at - 2) >> 8);
    m->bytes[at + 1] = (unsigned char)(m->len - at - 2);
}

static void begin(struct msg *m, unsigned type, unsigned version)
{
    memset(m, 0, sizeof(*m));
    u8(m, type);
    m->len += 3;
    u16(m, version);
    m->len += 32; /* random */
    u8(m, 0);     /* session id */
}

static void end(struct msg *m)
{
    m->bytes[2] = (unsigned char)((m->len - 4) >> 8);
    m->bytes[3] = (unsigned char)(m->len - 4);
}

static void client(struct msg *m, unsigned version, const unsigned *ciphers,
                   size_t n, const struct ext *ext, size_t n_ext)
{
    begin(m, 1, version);
    u16(m, (unsigned)(2 * n));
    for (size_t i = 0; i < n; i++)
        u16(m, ciphers[i]);
    u16(m, 0x0100); /* no compression */
    add_extensions(m, ext, n_ext);
    end(m);
}

static void server(struct msg *m, unsigned version, unsigned cipher,
                   const struct ext *ext, size_t n_ext)
{
    begin(m, 2, version);
    u16(m, cipher);
    u8(m, 0);
    add_extensions(m, ext, n_ext);
    end(m);
}

static void is(const struct msg *m, int item, const char *want)
{
    char out[1024];
    int n = tlsock_hello_print(m->bytes, m->len, item, out, sizeof(out));

    assert_string_equal(out, want);
    assert_int_equal(n, strlen(want));
}

static const unsigned old_ciphers[] = {47,    53,    5,  10, 49161, 49162,
                                       49171, 49172, 50, 56, 19,    4};
static const struct ext old_ext[] = {E(0, "\0\x09\0\0\x06"
                                          "a.test"),
                                     E(10, "\0\x06\0\x17\0\x18\0\x19"),
                                     E(11, "\x01\0")};
#define OLD(m) client(m, 0x0301, old_ciphers, 12, old_ext, 3)

/* The examples of the text that JA3 was published with. */
static void ja3_is_what_was_published(void **state)
{
    static const unsigned few[] = {4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99};
    struct msg m;

    (void)state;
    OLD(&m);
    is(&m, TLSOCK_INFO_JA3_RAW,
       "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
    is(&m, TLSOCK_INFO_JA3, "ada70206e40642a3e4461f35503241d5");
    client(&m, 0x0301, few, COUNT(few), NULL, 0);
    is(&m, TLSOCK_INFO_JA3_RAW, "769,4-5-10-9-100-98-3-6-19-18-99,,,");
    is(&m, TLSOCK_INFO_JA3, "de350869b8c85de67a350c8d186f11e6");
}

/* What servers of known programs answered, as JA3S was published with. */
static const struct {
    const char *whose;
    unsigned version, cipher, ext[3];
    size_t n;
    const char *raw, *ja3s;
} servers[] = {
    {"Tor",
     0x0303,
     49199,
     {65281, 11, 15},
     3,
     "771,49199,65281-11-15",
     "a95ca7eab4d47d051a5cd4fb7b6005dc"},
    {"Trickbot",
     0x0301,
     49172,
     {65281, 11},
     2,
     "769,49172,65281-11",
     "623de93db17d313345d7ea481e7443cf"},
    {"Emotet",
     0x0303,
     60,
     {65281},
     1,
     "771,60,65281",
     "80b3a14bccc8598a1f3bbe83e71f735f"},
};

static void ja3s_is_what_was_published(void **state)
{
    struct msg m;

    (void)state;
    for (size_t i = 0; i < COUNT(servers); i++) {
        struct ext ext[3] = {EMPTY(0)};

        for (size_t e = 0; e < servers[i].n; e++)
            ext[e] = (struct ext)EMPTY(servers[i].ext[e]);
        server(&m, servers[i].version, servers[i].cipher, ext, servers[i].n);
        is(&m, TLSOCK_INFO_JA3S_RAW, servers[i].raw);
        is(&m, TLSOCK_INFO_JA3S, servers[i].ja3s);
    }
}

static void ja3s_is_of_extensions_in_their_order(void **state)
{
    static const struct ext ext[] = {EMPTY(65281), EMPTY(0), EMPTY(11),
                                     EMPTY(35),    EMPTY(5), EMPTY(16)};
    struct msg m;

    (void)state;
    server(&m, 0x0301, 47, ext, COUNT(ext));
    is(&m, TLSOCK_INFO_JA3S_RAW, "769,47,65281-0-11-35-5-16");
    is(&m, TLSOCK_INFO_JA3S, "836ce314215654b5b1f85f97c73e506f");
    is(&m, TLSOCK_INFO_JA3SN_RAW, "769,47,0-5-11-16-35-65281");
    server(&m, 0x0303, 0xc02f, NULL, 0);
    is(&m, TLSOCK_INFO_JA3S_RAW, "771,49199,");
    is(&m, TLSOCK_INFO_JA3SN_RAW, "771,49199,");
}

static const unsigned ciphers[] = {
    0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
    0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
static const struct ext extensions[] = {
    EMPTY(0xfafa),
    EMPTY(0x001b),
    E(0x0000, "\0\x09\0\0\x06"
              "a.test"),
    EMPTY(0x0033),
    E(0x0010, "\0\x0c\x02"
              "h2"
              "\x08"
              "http/1.1"),
    EMPTY(0x4469),
    EMPTY(0x0017),
    EMPTY(0x002d),
    E(0x000d, "\0\x10\x04\x03\x08\x04\x04\x01\x05\x03\x08\x05\x05\x01\x08"
              "\x06\x06\x01"),
    EMPTY(0x0005),
    EMPTY(0x0023),
    EMPTY(0x0012),
    E(0x002b, "\x06\x3a\x3a\x03\x04\x03\x03"),
    EMPTY(0xff01),
    E(0x000b, "\x01\0"),
    E(0x000a, "\0\x08\x4a\x4a\0\x1d\0\x17\0\x18"),
    EMPTY(0x0015)};
#define CHROME(m)                                                              \
    client(m, 0x0303, ciphers, COUNT(ciphers), extensions, COUNT(extensions))
#define ALL_CIPHERS                                                            \
    "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,"   \
    "0035"
#define SIGNATURES "0403,0804,0401,0503,0805,0501,0806,0601"

/* The worked example of JA4's technical details, GREASE where a browser has
 * it. */
static void ja4_is_what_was_published(void **state)
{
    struct msg m;

    (void)state;
    CHROME(&m);
    is(&m, TLSOCK_INFO_JA4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    is(&m, TLSOCK_INFO_JA4_R,
       "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,"
       "c030,cca8,cca9_0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,"
       "0033,4469,ff01_" SIGNATURES);
    is(&m, TLSOCK_INFO_JA4_O, "t13d1516h2_acb858a92679_18f69afefd3d");
    is(&m, TLSOCK_INFO_JA4_RO,
       "t13d1516h2_" ALL_CIPHERS
       "_001b,0000,0033,0010,4469,0017,002d,000d,0005,"
       "0023,0012,002b,ff01,000b,000a,0015_" SIGNATURES);
}

static void sorting_is_of_extensions_alone(void **state)
{
    struct msg m;

    (void)state;
    CHROME(&m);
    is(&m, TLSOCK_INFO_JA3_RAW,
       "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-"
       "157-47-53,27-0-51-16-17513-23-45-13-5-35-18-43-65281-11-10-21,29-23-24,"
       "0");
    is(&m, TLSOCK_INFO_JA3N_RAW,
       "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-"
       "157-47-53,0-5-10-11-13-16-18-21-23-27-35-43-45-51-17513-65281,29-23-24,"
       "0");
}

/* Names of protocols, as the technical details list them. */
static void ja4_tells_the_first_protocol(void **state)
{
    static const struct {
        struct ext alpn;
        const char *want;
    } rows[] = {
        {E(16, "\0\x03\x02h2"), "h2"},
        {E(16, "\0\x09\x08http/1.1"), "h1"},
        {E(16, "\0\x02\x01x"), "xx"},
        {E(16, "\0\x02\x01\xab"), "ab"},
        {E(16, "\0\x03\x02\xab\xcd"), "ad"},
        {E(16, "\0\x03\x02\x30\xab"), "3b"},
        {E(16, "\0\x05\x04\x30\x31\xab\xcd"), "3d"},
        {E(16, "\0\x05\x04\x30\xab\xcd\x31"), "01"},
        {E(16, "\0\0"), "00"},
        {E(16, "\0\x01\0"), "00"},
    };
    char want[64];
    struct msg m;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        client(&m, 0x0303, ciphers + 1, 1, &rows[i].alpn, 1);
        snprintf(want, sizeof(want), "t12i0101%s_1301_0010", rows[i].want);
        is(&m, TLSOCK_INFO_JA4_RO, want);
    }
}

static void ja4_tells_the_version(void **state)
{
    static const struct {
        unsigned version;
        const char *want;
    } rows[] = {{0x0303, "12"}, {0x0302, "11"}, {0x0301, "10"},
                {0x0300, "s3"}, {0x0002, "s2"}, {0x0204, "00"}};
    static const struct ext grease = E(43, "\x02\x3a\x3a");
    char want[64];
    struct msg m;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        client(&m, rows[i].version, ciphers + 1, 1, NULL, 0);
        snprintf(want, sizeof(want), "t%si010000_1301_", rows[i].want);
        is(&m, TLSOCK_INFO_JA4_R, want);
    }
    client(&m, 0x0303, ciphers + 1, 1, &grease, 1);
    is(&m, TLSOCK_INFO_JA4_R, "t00i010100_1301_002b");
}

/* What has no values is zeros, and no digest of nothing. */
static void nothing_is_no_digest(void **state)
{
    static const struct ext names[] = {E(0, ""), E(16, "\0\x03\x02h2")};
    struct msg m;

    (void)state;
    client(&m, 0x0303, ciphers, 1, NULL, 0); /* GREASE alone */
    is(&m, TLSOCK_INFO_JA4, "t12i000000_000000000000_000000000000");
    is(&m, TLSOCK_INFO_JA3_RAW, "771,,,,");
    client(&m, 0x0303, ciphers, 0, names, 2);
    is(&m, TLSOCK_INFO_JA4, "t12d0002h2_000000000000_000000000000");
}

static void counts_end_at_99(void **state)
{
    unsigned many[150];
    struct ext ext[120];
    struct msg m;
    char out[160];

    (void)state;
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = (unsigned)i + 1;
    for (size_t i = 0; i < COUNT(ext); i++)
        ext[i] = (struct ext){(unsigned)i + 100, "", 0};
    client(&m, 0x0303, many, COUNT(many), ext, COUNT(ext));
    assert_int_equal(
        tlsock_hello_print(m.bytes, m.len, TLSOCK_INFO_JA4, out, sizeof(out)),
        36);
    assert_memory_equal(out, "t12i999900_", 11);
}

/* The first one counts, both are told of. */
static void an_extension_that_comes_twice_is_shown_twice(void **state)
{
    static const struct ext twice[] = {E(10, "\0\x02\0\x1d"),
                                       E(10, "\0\x02\0\x17"), E(11, "\0")};
    struct msg m;

    (void)state;
    client(&m, 0x0303, ciphers + 1, 1, twice, 3);
    is(&m, TLSOCK_INFO_JA3_RAW, "771,4865,10-10-11,29,");
}

static void each_item_is_of_one_kind_of_message(void **state)
{
    static const int of_client[] = {TLSOCK_INFO_JA3,    TLSOCK_INFO_JA3_RAW,
                                    TLSOCK_INFO_JA3N,   TLSOCK_INFO_JA4,
                                    TLSOCK_INFO_JA4_R,  TLSOCK_INFO_JA4_O,
                                    TLSOCK_INFO_JA4_RO, TLSOCK_INFO_JA3N_RAW};
    static const int of_server[] = {TLSOCK_INFO_JA3S, TLSOCK_INFO_JA3S_RAW,
                                    TLSOCK_INFO_JA3SN, TLSOCK_INFO_JA3SN_RAW};
    struct msg c, s;
    char out[8];

    (void)state;
    OLD(&c);
    server(&s, 0x0303, 47, NULL, 0);
    for (size_t i = 0; i < COUNT(of_client); i++) {
        is(&s, of_client[i], "");
        assert_true(tlsock_hello_print(c.bytes, c.len, of_client[i], out,
                                       sizeof(out)) > 8);
        assert_int_equal(strlen(out), 7); /* cut, and ended */
    }
    for (size_t i = 0; i < COUNT(of_server); i++) {
        is(&c, of_server[i], "");
        assert_true(tlsock_hello_print(s.bytes, s.len, of_server[i], NULL, 0) >
                    6);
    }
}

static int print_of(const void *bytes, size_t len)
{
    char out[64];

    return tlsock_hello_print(bytes, len, TLSOCK_INFO_JA4, out, sizeof(out));
}

/* In memory of exactly its size: a byte too far is seen. */
static int cut(const struct msg *m, size_t len, int repair)
{
    unsigned char *p = malloc(len != 0 ? len : 1);
    int rc;

    assert_non_null(p);
    memcpy(p, m->bytes, len);
    if (repair && len >= 4) {
        p[2] = (unsigned char)((len - 4) >> 8);
        p[3] = (unsigned char)(len - 4);
    }
    rc = print_of(p, len);
    free(p);
    return rc;
}

/* One cut is whole: behind the compression, where extensions may be missing. */
static void a_hello_that_is_cut_has_none(void **state)
{
    struct msg m;
    size_t whole = 0;

    (void)state;
    CHROME(&m);
    assert_true(cut(&m, m.len, 0) > 0);
    for (size_t n = 0; n < m.len; n++) {
        assert_code(cut(&m, n, 0), TLSOCK_E_PROTOCOL);
        whole += cut(&m, n, 1) > 0;
    }
    assert_int_equal(whole, 1);
    server(&m, 0x0303, 47, old_ext, 3);
    for (size_t n = 0; n < m.len; n++)
        assert_code(cut(&m, n, 0), TLSOCK_E_PROTOCOL);
}

static const struct {
    const char *name;
    struct ext ext;
} bad[] = {
    {"groups of three bytes", E(10, "\0\x03\0\x1d\0")},
    {"groups with a byte behind", E(10, "\0\x02\0\x1d\0")},
    {"groups that are longer than that", E(10, "\0\x04\0\x1d")},
    {"groups without a length", E(10, "\0")},
    {"formats that are longer", E(11, "\x02\0")},
    {"formats without a length", EMPTY(11)},
    {"signatures of one byte", E(13, "\0\x01\x04")},
    {"no signatures at all", EMPTY(13)},
    {"versions of one byte", E(43, "\x01\x03")},
    {"versions with a byte behind", E(43, "\x02\x03\x04\0")},
    {"a protocol that is longer than its list", E(16, "\0\x03\x03h2")},
    {"a list of protocols that is longer", E(16, "\0\x04\x02h2")},
};

static void an_extension_that_is_malformed_spoils_it(void **state)
{
    struct msg m;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        client(&m, 0x0303, ciphers, 2, &bad[i].ext, 1);
        if (print_of(m.bytes, m.len) != TLSOCK_E_PROTOCOL)
            fail_msg("%s", bad[i].name);
        /* of a server they have another form, which nobody asks for */
        server(&m, 0x0303, 47, &bad[i].ext, 1);
        assert_int_equal(
            tlsock_hello_print(m.bytes, m.len, TLSOCK_INFO_JA3S, NULL, 0), 32);
    }
}

static void what_is_no_hello_is_refused(void **state)
{
    static const unsigned char v2[] = {0x80, 0x2e, 1, 0,    2, 0, 0x15,
                                       0,    0,    0, 0x10, 1, 0, 128};
    static unsigned char huge[262145] = {1, 3, 0xff, 0xfd};
    struct msg m;
    char out[8] = "x";

    (void)state;
    OLD(&m);
    assert_code(print_of(v2, sizeof(v2)), TLSOCK_E_PROTOCOL); /* SSLv2 */
    m.bytes[0] = 11;                                          /* Certificate */
    assert_code(print_of(m.bytes, m.len), TLSOCK_E_PROTOCOL);
    m.bytes[0] = 1;
    m.bytes[38] = 33; /* session id */
    assert_code(print_of(m.bytes, m.len), TLSOCK_E_PROTOCOL);
    assert_code(print_of(huge, sizeof(huge)), TLSOCK_E_LIMIT);
    assert_code(print_of(huge, sizeof(huge) - 1), TLSOCK_E_PROTOCOL);
    assert_code(print_of(NULL, 0), TLSOCK_E_ARGUMENT);
    assert_code(
        tlsock_hello_print(m.bytes, m.len, TLSOCK_INFO_SNI, out, sizeof(out)),
        TLSOCK_E_ARGUMENT);
    assert_string_equal(out, "");
    assert_code(tlsock_hello_print(m.bytes, m.len, TLSOCK_INFO_JA3, NULL, 4),
                TLSOCK_E_ARGUMENT);
}

static void a_retry_is_told_apart(void **state)
{
    static const unsigned char random[] = {
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
        0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
        0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    struct tsk_greeting g;
    struct msg m;

    (void)state;
    server(&m, 0x0303, 0x1301, NULL, 0);
    assert_int_equal(tsk_greeting_parse(&g, m.bytes, m.len), 0);
    assert_true(g.server && !g.retry);
    memcpy(m.bytes + 6, random, sizeof(random));
    assert_int_equal(tsk_greeting_parse(&g, m.bytes, m.len), 0);
    assert_true(g.retry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ja3_is_what_was_published),
        cmocka_unit_test(ja3s_is_what_was_published),
        cmocka_unit_test(ja3s_is_of_extensions_in_their_order),
        cmocka_unit_test(ja4_is_what_was_published),
        cmocka_unit_test(sorting_is_of_extensions_alone),
        cmocka_unit_test(ja4_tells_the_first_protocol),
        cmocka_unit_test(ja4_tells_the_version),
        cmocka_unit_test(nothing_is_no_digest),
        cmocka_unit_test(counts_end_at_99),
        cmocka_unit_test(an_extension_that_comes_twice_is_shown_twice),
        cmocka_unit_test(each_item_is_of_one_kind_of_message),
        cmocka_unit_test(a_hello_that_is_cut_has_none),
        cmocka_unit_test(an_extension_that_is_malformed_spoils_it),
        cmocka_unit_test(what_is_no_hello_is_refused),
        cmocka_unit_test(a_retry_is_told_apart),
    };

    return cmocka_run_group_tests_name("prints", tests, NULL, NULL);
}
