/* Servers that break TLS itself, or speak something else. */
#include "matrix.h"

#define HANDSHAKE .phase = TLSOCK_PHASE_HANDSHAKE
#define PROTOCOL .want = TLSOCK_E_PROTOCOL, HANDSHAKE
#define NO_COMMON .want = TLSOCK_E_NO_COMMON_PARAMETERS, HANDSHAKE
#define CLOSED .want = TLSOCK_E_CLOSED_IN_HANDSHAKE, HANDSHAKE
#define NOT_TLS .want = TLSOCK_E_NOT_TLS, HANDSHAKE
#define ALERT .want = TLSOCK_E_ALERT, HANDSHAKE
#define VERSION .want = TLSOCK_E_VERSION_UNSUPPORTED, HANDSHAKE
#define TIMEOUT .want = TLSOCK_E_TIMEOUT, HANDSHAKE, .timeout_ms = 400

#define HELLO .group = "hello", .serve = mx_say
#define HOLD .said = {.bytes = "", .end = MX_HOLD}
#define ENDS .group = "ends early", .serve = mx_say
#define ALERTS .group = "alerts", .serve = mx_say
#define FLOOD .group = "floods of bytes", .serve = mx_say
#define SLOW .group = "silent", .serve = mx_say
#define FOREIGN .group = "no TLS", .serve = mx_say

#define FATAL(n) .said = {MX_BYTES("\x15\x03\x03\x00\x02\x02" n), .end = MX_HOLD}

/* RFC 8446, 4.2.1 and 4.2.8 */
#define IS_13 "\x00\x2b\x00\x02\x03\x04"
#define X25519(share) "\x00\x33\x00\x24\x00\x1d\x00\x20" share
#define EIGHT "\x09\x41\x16\x2b\x58\x3c\x77\x01"
#define SHARE X25519(EIGHT EIGHT EIGHT EIGHT)
#define GROUP(n) "\x00\x33\x00\x02" n
#define SUITE_13 0x1302
#define SUITE_12 0xc02c /* ECDHE-ECDSA-AES256-GCM-SHA384 */

#define IN_12 .versions = MX_12

/* A hello of TLS 1.2, and one of TLS 1.3, with what is wrong about it. */
#define IS(v, suite, ...)                                                      \
    .hello =                                                                   \
        &(const struct mx_hello){.version = v, .cipher = suite, __VA_ARGS__}
#define EXT(text) .ext = text, .n_ext = sizeof(text) - 1
#define OF_12(suite, ...) IS(0x0303, suite, __VA_ARGS__), .versions = MX_12
#define OF_13(ext13, ...)                                                      \
    IS(0x0303, SUITE_13, EXT(IS_13 ext13), __VA_ARGS__), .versions = MX_13
#define SID .sid = 1
#define ZEROS "\0\0\0\0\0\0\0\0"

const struct mx_row mx_rows_wire[] = {
    {HELLO, .name = "of SSLv3", VERSION, .tells = "SSLv3", IS(0x0300, SUITE_12, SID),
     HOLD},
    {HELLO, .name = "of TLS 1.0", VERSION, .tells = "TLSv1.0",
     IS(0x0301, SUITE_12, SID), HOLD},
    {HELLO, .name = "of TLS 1.1", VERSION, .tells = "TLSv1.1",
     IS(0x0302, SUITE_12, SID), HOLD},
    {HELLO, .name = "of a version of the future", VERSION, IS(0x0909, SUITE_12, SID),
     HOLD},
    {HELLO, .name = "a suite without encryption", NO_COMMON,
     OF_12(0x0001, .sid = 0), HOLD},
    {HELLO, .name = "a suite for export", NO_COMMON, OF_12(0x0003, .sid = 0), HOLD},
    {HELLO, .name = "an anonymous suite", NO_COMMON, OF_12(0x0034, .sid = 0),
     HOLD},
    {HELLO, .name = "a suite of TLS 1.3 in TLS 1.2", NO_COMMON,
     OF_12(SUITE_13, .sid = 0), HOLD},
    {HELLO, .name = "a suite of TLS 1.2 in TLS 1.3", NO_COMMON,
     IS(0x0303, SUITE_12, EXT(IS_13 SHARE), SID),
     .versions = MX_13, HOLD},
    {HELLO, .name = "the random of a server that went down to TLS 1.2",
     PROTOCOL, .tells = "fallback", IS(0x0303, SUITE_12, .downgrade = 1), HOLD},
    {HELLO, .name = "compression", PROTOCOL, OF_12(SUITE_12, .compression = 1),
     HOLD},
    {HELLO, .name = "an extension that nobody asked for", PROTOCOL,
     OF_12(SUITE_12, EXT("\x00\x10\x00\x05\x00\x03\x02h2")), HOLD},
    {HELLO, .name = "an extension twice", PROTOCOL, OF_12(SUITE_12, EXT("\x00\x17\x00\x00\x00\x17\x00\x00")),
     HOLD},
    {HELLO, .name = "an extension longer than the message", PROTOCOL,
     OF_12(SUITE_12, EXT("\x00\x17\x00\x40")), HOLD},
    {HELLO, .name = "another session id", PROTOCOL, OF_13(SHARE, .sid = 2),
     HOLD},
    {HELLO, .name = "no key share", NO_COMMON, OF_13("", SID), HOLD},
    {HELLO, .name = "a key share of zeros", PROTOCOL, OF_13(X25519(ZEROS ZEROS ZEROS ZEROS), SID), HOLD},
    {HELLO, .name = "a key share of a group that was not offered",
     NO_COMMON, OF_13("\x00\x33\x00\x0c\x00\x19\x00\x08" EIGHT, SID), HOLD},
    {HELLO, .name = "a retry with the group that was there", NO_COMMON,
     OF_13(GROUP("\x00\x1d"), SID, .retry = 1), HOLD},
    {HELLO, .name = "a retry with a group that was not offered",
     NO_COMMON, OF_13(GROUP("\x00\x19"), SID, .retry = 1), HOLD},
    {HELLO, .name = "a retry that changes nothing", PROTOCOL,
     OF_13("", SID, .retry = 1), HOLD},
    {HELLO, .name = "and then what is not encrypted", PROTOCOL,
     OF_13(SHARE, SID),
     .said = {MX_BYTES("\x16\x03\x03\x00\x06\x08\x00\x00\x02\x00\x00"),
              .end = MX_HOLD}},
    {HELLO, .name = "a certificate in its place", PROTOCOL,
     .said = {MX_BYTES("\x16\x03\x03\x00\x07\x0b\x00\x00\x03\x00\x00\x00"),
              .end = MX_HOLD}},
    {HELLO, .name = "Finished in its place", PROTOCOL,
     .said = {MX_BYTES("\x16\x03\x03\x00\x10\x14\x00\x00\x0c" "Finished it!"),
              .end = MX_HOLD}},
    {HELLO, .name = "data in its place", PROTOCOL,
     .said = {MX_BYTES("\x17\x03\x03\x00\x04" "data"), .end = MX_HOLD}},
    {HELLO, .name = "a ClientHello in its place", PROTOCOL,
     .said = {MX_BYTES("\x16\x03\x03\x00\x04\x01\x00\x00\x00"),
              .end = MX_HOLD}},
    {HELLO, .name = "an empty certificate list (TLS 1.2)", PROTOCOL,
     OF_12(SUITE_12, .sid = 0),
     .said = {MX_BYTES("\x16\x03\x03\x00\x07\x0b\x00\x00\x03\x00\x00\x00"),
              .end = MX_HOLD}},
    {HELLO, .name = "a certificate that is none (TLS 1.2)", PROTOCOL,
     OF_12(SUITE_12, .sid = 0),
     .said = {MX_BYTES("\x16\x03\x03\x00\x0e\x0b\x00\x00\x0a\x00\x00\x07\x00"
                       "\x00\x04" "none"),
              .end = MX_HOLD}},

    {ENDS, .name = "at once", CLOSED, .said = {.bytes = "", .at_once = 1}},
    {ENDS, .name = "behind the ClientHello", CLOSED, .said = {.bytes = ""}},
    {ENDS, .name = "behind the ClientHello, with a RST", CLOSED,
     .said = {.bytes = "", .end = MX_RST}},
    {ENDS, .name = "behind one byte", CLOSED, .said = {MX_BYTES("\x16")}},
    {ENDS, .name = "behind a record's header", CLOSED,
     .said = {MX_BYTES("\x16\x03\x03\x00\x40")}},
    {ENDS, .name = "behind its hello", CLOSED, OF_13(SHARE, SID),
     .said = {.bytes = ""}},

    {ALERTS, .name = "handshake_failure", NO_COMMON, FATAL("\x28")},
    {ALERTS, .name = "protocol_version", VERSION, FATAL("\x46")},
    {ALERTS, .name = "insufficient_security", NO_COMMON, FATAL("\x47")},
    {ALERTS, .name = "internal_error", ALERT, .tells = "internal error",
     FATAL("\x50")},
    {ALERTS, .name = "unrecognized_name", ALERT, .tells = "112",
     FATAL("\x70")},
    {ALERTS, .name = "access_denied", ALERT, .tells = "49", FATAL("\x31")},
    {ALERTS, .name = "decode_error", ALERT, .tells = "50", FATAL("\x32")},
    {ALERTS, .name = "no_application_protocol", .want = TLSOCK_E_ALPN,
     HANDSHAKE, FATAL("\x78")},
    {ALERTS, .name = "of a number that nobody knows", ALERT, .tells = "200",
     FATAL("\xc8")},
    {ALERTS, .name = "close_notify", CLOSED,
     .said = {MX_BYTES("\x15\x03\x03\x00\x02\x01\x00")}},
    {ALERTS, .name = "longer than an alert", PROTOCOL,
     .said = {MX_BYTES("\x15\x03\x03\x00\x04\x02\x50\x02\x50"),
              .end = MX_HOLD}},

    {FLOOD, .name = "warnings", PROTOCOL,
     .said = {MX_BYTES("\x15\x03\x03\x00\x02\x01\x70"), .times = -1}},
    {FLOOD, .name = "HelloRequests", TIMEOUT, IN_12,
     .said = {MX_BYTES("\x16\x03\x03\x00\x04\x00\x00\x00\x00"), .times = -1}},
    {FLOOD, .name = "ChangeCipherSpecs", PROTOCOL, OF_13(SHARE, SID),
     .said = {MX_BYTES("\x14\x03\x03\x00\x01\x01"), .times = -1}},
    {FLOOD, .name = "empty handshake records", PROTOCOL,
     .said = {MX_BYTES("\x16\x03\x03\x00\x00"), .times = -1}},
    {FLOOD, .name = "empty records of data", PROTOCOL,
     .said = {MX_BYTES("\x17\x03\x03\x00\x00"), .times = -1}},
    {FLOOD, .name = "a record beyond 2^14 bytes", PROTOCOL,
     .said = {MX_BYTES("\x16\x03\x03\x48\x01\x02\x00\x48\x00"), .times = -1}},
    {FLOOD, .name = "a hello of 16 MB", PROTOCOL,
     .said = {MX_BYTES("\x16\x03\x03\x00\x04\x02\xff\xff\xff"), .times = -1}},
    {FLOOD, .name = "a certificate message of 16 MB (TLS 1.2)", PROTOCOL,
     OF_12(SUITE_12, .sid = 0),
     .said = {MX_BYTES("\x16\x03\x03\x00\x04\x0b\xff\xff\xff"), .times = -1}},

    {SLOW, .name = "says nothing", TIMEOUT, HOLD},
    {SLOW, .name = "says one byte", TIMEOUT,
     .said = {MX_BYTES("\x16"), .end = MX_HOLD}},
    {SLOW, .name = "says its hello and no more", TIMEOUT, OF_13(SHARE, SID), HOLD},

    {FOREIGN, .name = "HTTP", NOT_TLS, .tells = "HTTP/1.1 400",
     .said = {MX_BYTES("HTTP/1.1 400 Bad Request\r\n\r\n")}},
    {FOREIGN, .name = "SMTP", NOT_TLS, .tells = "220 mx",
     .said = {MX_BYTES("220 mx ESMTP\r\n"), .at_once = 1, .end = MX_HOLD}},
    {FOREIGN, .name = "IMAP", NOT_TLS, .tells = "* OK",
     .said = {MX_BYTES("* OK ready\r\n"), .at_once = 1, .end = MX_HOLD}},
    {FOREIGN, .name = "SSH", NOT_TLS, .tells = "SSH-2.0",
     .said = {MX_BYTES("SSH-2.0-x\r\n"), .at_once = 1, .end = MX_HOLD}},
    {FOREIGN, .name = "noise", NOT_TLS,
     .said = {MX_BYTES("\x9c\x01\x02\x03\x04\x05\x06\x07\x08"),
              .end = MX_HOLD}},
    {FOREIGN, .name = "noise without end", NOT_TLS,
     .said = {MX_BYTES("\x9c\x01\x02\x03\x04\x05\x06\x07\x08"), .times = -1}},
    {FOREIGN, .name = "the hello of SSLv2", NOT_TLS,
     .said = {MX_BYTES("\x80\x0b\x04\x00\x01\x00\x02\x00\x00\x00\x00\x00\x00"),
              .end = MX_HOLD}},
    {FOREIGN, .name = "a record of version 9.9", NOT_TLS,
     .said = {MX_BYTES("\x16\x09\x09\x00\x04\x02\x00\x00\x00"),
              .end = MX_HOLD}},
    {FOREIGN, .name = "what we said", PROTOCOL,
     .said = {MX_BYTES("\x16\x03\x01\x00\x04\x01\x00\x00\x00"),
              .end = MX_HOLD}},
};

const size_t mx_n_wire = COUNT(mx_rows_wire);
