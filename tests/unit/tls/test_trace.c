/* Messages of TLS as lines: made here, byte by byte, with what is cut. */
#include "test.h"

#include <stdlib.h>
#include <tlsock/trace.h>

#define B(literal) literal, sizeof(literal) - 1
#define ZEROS16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define RANDOM ZEROS16 ZEROS16
/* the SHA-256 of "HelloRetryRequest" */
#define RETRY                                                                  \
    "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"         \
    "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

static const struct {
    const char *what;
    int type, version, sent;
    const char *bytes;
    size_t len;
    const char *line;
} rows[] = {
    {"an alert", 21, 0x0304, 1, B("\x02\x2a"),
     "> TLSv1.3 Alert 2 fatal bad certificate"},
    {"a good-bye", 21, 0x0303, 0, B("\x01\0"),
     "< TLSv1.2 Alert 2 warning close notify"},
    {"an alert of a level that is none", 21, 0x0303, 0, B("\x07\xfa"),
     "< TLSv1.2 Alert 2 level 7 unknown (250)"},
    {"an alert that is cut", 21, 0x0303, 0, B("\x02"),
     "< TLSv1.2 Alert 1 malformed"},
    {"a change", 20, 0x0303, 1, B("\1"), "> TLSv1.2 ChangeCipherSpec 1"},
    {"the end", 22, 0x0304, 0, B("\x14\0\0\4abcd"), "< TLSv1.3 Finished 8"},
    {"new keys", 22, 0x0304, 1, B("\x18\0\0\1\1"),
     "> TLSv1.3 KeyUpdate 5 requested"},
    {"new keys of one side", 22, 0x0304, 0, B("\x18\0\0\1\0"),
     "< TLSv1.3 KeyUpdate 5 not requested"},
    {"new keys that are neither", 22, 0x0304, 0, B("\x18\0\0\1\2"),
     "< TLSv1.3 KeyUpdate 5 malformed"},
    {"a ticket", 22, 0x0304, 1,
     B("\4\0\0\x11\0\0\x1c\x20\1\2\3\4\2xy\0\2ab\0\0"),
     "> TLSv1.3 NewSessionTicket 21 lifetime=7200s ticket=2"},
    {"a ticket of TLS 1.2", 22, 0x0303, 1, B("\4\0\0\x8\0\0\0\x3c\0\2ab"),
     "> TLSv1.2 NewSessionTicket 12 lifetime=60s ticket=2"},
    {"a ticket that is cut", 22, 0x0304, 1, B("\4\0\0\3\0\0\0"),
     "> TLSv1.3 NewSessionTicket 7 malformed"},
    {"a message that is none", 22, 0x0304, 0, B("\x63\0\0\0"),
     "< TLSv1.3 handshake-99 4"},
    {"a length that lies", 22, 0x0304, 0, B("\x14\0\0\5abcd"),
     "< TLSv1.3 Finished 8 malformed"},
    {"no message", 22, 0x0304, 0, B(""), "< TLSv1.3 ? 0 malformed"},
    {"a version that is none", 22, 0x1234, 0, B("\x0e\0\0\0"),
     "< 0x1234 ServerHelloDone 4"},
    {"SSLv2's form", 22, 2, 0, B("\1\3\1"), "< SSLv2 ClientHello 3"},
    {"a proof", 22, 0x0304, 1, B("\x0f\0\0\x6\4\3\0\2ab"),
     "> TLSv1.3 CertificateVerify 10 scheme=ecdsa_secp256r1_sha256"},
    {"a proof by whatever", 22, 0x0304, 1, B("\x0f\0\0\x4\xfe\1\0\0"),
     "> TLSv1.3 CertificateVerify 8 scheme=0xfe01"},
    {"a key exchange", 22, 0x0303, 0, B("\x0c\0\0\4\3\0\x17\0"),
     "< TLSv1.2 ServerKeyExchange 8 group=secp256r1"},
    {"extensions", 22, 0x0304, 0, B("\x8\0\0\xb\0\x9\0\x10\0\5\0\3\2h2"),
     "< TLSv1.3 EncryptedExtensions 15 alpn=h2"},
    {"extensions that are cut", 22, 0x0304, 0, B("\x8\0\0\5\0\3\0\x10\0"),
     "< TLSv1.3 EncryptedExtensions 9 malformed"},
    {"a terminal's controls", 22, 0x0304, 0,
     B("\x8\0\0\xc\0\xa\0\x10\0\6\0\4\3\033[m"),
     "< TLSv1.3 EncryptedExtensions 16 alpn=\\x1b[m"},
    {"a blank", 22, 0x0304, 0, B("\x8\0\0\xc\0\xa\0\x10\0\6\0\4\3a b"),
     "< TLSv1.3 EncryptedExtensions 16 alpn=\"a b\""},
    {"no certificate", 22, 0x0304, 0, B("\xb\0\0\4\0\0\0\0"),
     "< TLSv1.3 Certificate 8 certificates=0"},
    {"a certificate that is none", 22, 0x0303, 0, B("\xb\0\0\x8\0\0\5\0\0\2ab"),
     "< TLSv1.2 Certificate 12 certificates=1 subject=unreadable"},
    {"certificates that are cut", 22, 0x0303, 0, B("\xb\0\0\5\0\0\2\0\0"),
     "< TLSv1.2 Certificate 9 malformed"},
    {"one in fewer bytes", 22, 0x0304, 0, B("\x19\0\0\xa\0\3\0\1\2\0\0\2ab"),
     "< TLSv1.3 CompressedCertificate 14 algorithm=zstd uncompressed=258"},
    {"one in fewer bytes, whatever they mean", 22, 0x0304, 0,
     B("\x19\0\0\x8\0\4\1\0\0\0\0\0"),
     "< TLSv1.3 CompressedCertificate 12 algorithm=0x0004 uncompressed=65536"},
    {"one in too few bytes", 22, 0x0304, 0, B("\x19\0\0\7\0\1\0\1\2\0\0"),
     "< TLSv1.3 CompressedCertificate 11 malformed"},
    {"a wish for a hello", 22, 0x0303, 0, B("\0\0\0\0"),
     "< TLSv1.2 HelloRequest 4"},
    {"the end of a flight", 22, 0x0303, 0, B("\xe\0\0\0"),
     "< TLSv1.2 ServerHelloDone 4"},
    {"a client's key", 22, 0x0303, 1, B("\x10\0\0\2\1x"),
     "> TLSv1.2 ClientKeyExchange 6"},
    {"the end of TLS 1.2", 22, 0x0303, 1, B("\x14\0\0\4abcd"),
     "> TLSv1.2 Finished 8"},
    {"the end of early data", 22, 0x0304, 1, B("\5\0\0\0"),
     "> TLSv1.3 EndOfEarlyData 4"},
    {"a compressed certificate that is cut", 22, 0x0304, 0, B("\x19\0\0\2\0\1"),
     "< TLSv1.3 CompressedCertificate 6 malformed"},
    {"a request", 22, 0x0303, 0, B("\xd\0\0\xf\1\1\0\2\4\3\0\7\0\2ab\0\1c"),
     "< TLSv1.2 CertificateRequest 19 authorities=2"},
    {"a request without names", 22, 0x0303, 0, B("\xd\0\0\6\1\1\0\0\0\0"),
     "< TLSv1.2 CertificateRequest 10 authorities=0"},
    {"a request of TLS 1.1", 22, 0x0302, 0, B("\xd\0\0\4\1\1\0\0"),
     "< TLSv1.1 CertificateRequest 8 authorities=0"},
    {"a request whose names are cut", 22, 0x0303, 0,
     B("\xd\0\0\x8\1\1\0\0\0\2\0\1"),
     "< TLSv1.2 CertificateRequest 12 malformed"},
    {"a request of TLS 1.3", 22, 0x0304, 0,
     B("\xd\0\0\x15\0\0\x12\0\xd\0\4\0\2\4\3\0\x2f\0\6\0\4\0\2ab"),
     "< TLSv1.3 CertificateRequest 25 authorities=1"},
    {"one that names nobody", 22, 0x0304, 0, B("\xd\0\0\3\0\0\0"),
     "< TLSv1.3 CertificateRequest 7"},
    {"one whose list lies", 22, 0x0304, 0,
     B("\xd\0\0\xb\0\0\x8\0\x2f\0\4\0\3\0\2"),
     "< TLSv1.3 CertificateRequest 15 malformed"},
    {"a staple", 22, 0x0303, 0, B("\x16\0\0\6\1\0\0\2ab"),
     "< TLSv1.2 CertificateStatus 10 ocsp=2"},
    {"a server's hello", 22, 0x0303, 0,
     B("\2\0\0\x26\3\3" RANDOM "\0\xc0\x2b\0"),
     "< TLSv1.2 ServerHello 42 version=1.2 cipher=0xc02b"},
    {"one of TLS 1.3", 22, 0x0304, 0,
     B("\2\0\0\x34\3\3" RANDOM "\0\x13\1\0\0\xc\0\x2b\0\2\3\4\0\x33\0\2\0\x1d"),
     "< TLSv1.3 ServerHello 56 version=1.3 cipher=0x1301 group=x25519"},
    {"one that asks again", 22, 0x0304, 0,
     B("\2\0\0\x34\3\3" RETRY "\0\x13\1\0\0\xc\0\x2b\0\2\3\4\0\x33\0\2\0\x18"),
     "< TLSv1.3 HelloRetryRequest 56 version=1.3 cipher=0x1301 "
     "group=secp384r1"},
    {"a hello that is cut", 22, 0x0304, 1, B("\1\0\0\2\3\3"),
     "> TLSv1.3 ClientHello 6 malformed"},
};

static void each_message_is_a_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char line[TLSOCK_TRACE_LINE];
        char *exact = malloc(rows[i].len + 1);
        tlsock_event e = {.size = sizeof(e),
                          .kind = TLSOCK_ON_MESSAGE,
                          .type = rows[i].type,
                          .version = rows[i].version,
                          .sent = rows[i].sent,
                          .data = exact + 1,
                          .len = rows[i].len};
        int n;

        memcpy(exact + 1, rows[i].bytes, rows[i].len); /* to the last byte */
        n = tlsock_trace_line(&e, line, sizeof(line));
        if (strcmp(line, rows[i].line) != 0)
            fail_msg("%s: \"%s\"", rows[i].what, line);
        assert_int_equal(n, strlen(line));
        free(exact);
    }
}

/* Whatever the length of a message says, and wherever it ends. */
static void a_message_that_is_cut_anywhere_is_a_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t len = 0; len < rows[i].len; len++) {
            char line[TLSOCK_TRACE_LINE];
            char *exact = malloc(len + 1);
            tlsock_event e = {.kind = TLSOCK_ON_MESSAGE,
                              .type = rows[i].type,
                              .version = rows[i].version,
                              .data = exact + 1,
                              .len = len};

            memcpy(exact + 1, rows[i].bytes, len);
            assert_true(tlsock_trace_line(&e, line, sizeof(line)) > 0);
            free(exact);
        }
    }
}

static const struct {
    const char *bytes;
    size_t len;
    const char *line;
} said[] = {
    {B("220 mx.test ESMTP\r\n"), "> plaintext 19 \"220 mx.test ESMTP\""},
    {B("+OK\n"), "> plaintext 4 \"+OK\""},
    {B("\r\n"), "> plaintext 2 \"\""},
    {B("S"), "> plaintext 1 \"S\""},
    {B("A a\r\nB: b\n\r\n"), "> plaintext 12 \"A a\\r\\nB: b\\n\""},
    {B("a\rb\n"), "> plaintext 4 \"a\\x0db\""},
    {B("\xc3\xa4 \xff\\\n"), "> plaintext 6 \"\xc3\xa4 \\xff\\x5c\""},
    {B("\033[31mred\n"), "> plaintext 9 1b 5b 33 31 6d 72 65 64 0a"},
    {B("\5\1\0"), "> plaintext 3 05 01 00"},
    {B("\0" ZEROS16 ZEROS16 ZEROS16 ZEROS16),
     "> plaintext 65 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
     "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
     "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 ..."},
};

/* Text, or the bytes of a packet; a peer has no control over the terminal. */
static void what_is_said_before_tls_is_a_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(said); i++) {
        char line[TLSOCK_TRACE_LINE], *exact = malloc(said[i].len);
        tlsock_event e = {.kind = TLSOCK_ON_DIALOGUE,
                          .sent = 1,
                          .data = exact,
                          .len = said[i].len};
        int n;

        memcpy(exact, said[i].bytes, said[i].len);
        n = tlsock_trace_line(&e, line, sizeof(line));
        assert_string_equal(line, said[i].line);
        assert_int_equal(n, strlen(line));
        for (size_t size = 1; size <= said[i].len; size++) {
            char *room = malloc(size);

            assert_within(tlsock_trace_line(&e, room, size), 0, size - 1);
            free(room);
        }
        free(exact);
    }
}

static void little_room_cuts_the_line(void **state)
{
    tlsock_event e = {.kind = TLSOCK_ON_MESSAGE,
                      .type = 21,
                      .version = 0x0304,
                      .data = "\2\50",
                      .len = 2};
    char line[8] = "xxxxxxx";

    (void)state;
    assert_int_equal(tlsock_trace_line(&e, line, 6), 5);
    assert_string_equal(line, "< TLS");
    assert_int_equal(tlsock_trace_line(&e, line, 1), 0);
    assert_string_equal(line, "");
}

static void nonsense_is_refused(void **state)
{
    tlsock_event e = {.kind = TLSOCK_ON_WIRE, .data = "x", .len = 1};
    char line[8];

    (void)state;
    assert_code(tlsock_trace_line(&e, line, 8), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_trace_line(NULL, line, 8), TLSOCK_E_ARGUMENT);
    e = (tlsock_event){.kind = TLSOCK_ON_DIALOGUE}; /* its end is no line */
    assert_code(tlsock_trace_line(&e, line, 8), TLSOCK_E_ARGUMENT);
    e = (tlsock_event){.kind = TLSOCK_ON_MESSAGE, .data = "x", .len = 1};
    assert_code(tlsock_trace_line(&e, NULL, 8), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_trace_line(&e, line, 0), TLSOCK_E_ARGUMENT);
    e.data = NULL;
    assert_code(tlsock_trace_line(&e, line, 8), TLSOCK_E_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_is_a_line),
        cmocka_unit_test(a_message_that_is_cut_anywhere_is_a_line),
        cmocka_unit_test(what_is_said_before_tls_is_a_line),
        cmocka_unit_test(little_room_cuts_the_line),
        cmocka_unit_test(nonsense_is_refused),
    };

    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
