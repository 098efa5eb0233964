#include "script.h"

#define SSL "\0\0\0\x08\x04\xd2\x16\x2f"
#define GSS "\0\0\0\x08\x04\xd2\x16\x30"
#define CANCEL "\0\0\0\x10\x04\xd2\x16\x2e"
#define STARTUP "\0\0\0\x10\0\3\0\0user\0"
#define REFUSAL                                                                \
    "E\0\0\0\x3a"                                                              \
    "SFATAL\0VFATAL\0C28000\0Mno encryption: SSL is required\0\0"

static const struct script client[] = {
    {.name = "plain", .protocol = "postgres", .peer = B("S"), .sent = B(SSL)},
    {.name = "injected (one byte may come)", .protocol = "postgres",
     .peer = B("SR\0\0\0\x08\0\0\0\0"), .sent = B(SSL),
     .left = B("R\0\0\0\x08\0\0\0\0")},
    {.name = "no", .protocol = "postgres", .peer = B("N"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B(SSL), .tells = "SSLReq"},
    {.name = "error", .protocol = "postgres",
     .peer = B("E\0\0\0\x1b" "SFATAL\0Mtoo \x1b[2J many\0\0"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(SSL),
     .tells = "too \\x1b[2J many"},
    {.name = "error without a message", .protocol = "postgres",
     .peer = B("E\0\0\0\x0c" "SFATAL\0\0"), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(SSL), .tells = "without a message"},
    {.name = "error, a text that does not end", .protocol = "postgres",
     .peer = B("E\0\0\0\x0a" "Mabcde"), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(SSL), .tells = "without a message"},
    {.name = "error, shorter than its length", .protocol = "postgres",
     .peer = B("E\0\0\0\3"), .want = TLSOCK_E_PROTOCOL, .sent = B(SSL),
     .tells = "an error message"},
    {.name = "error, too long", .protocol = "postgres",
     .peer = B("ERROR: x"), .want = TLSOCK_E_PROTOCOL, .sent = B(SSL),
     .tells = "an error message", .at_once = 1},
    {.name = "error, cut", .protocol = "postgres", .peer = B("E\0\0\0\x09xx"),
     .want = TLSOCK_E_CLOSED_IN_HANDSHAKE, .sent = B(SSL), .tells = "closed"},
    {.name = "error, cut in its length", .protocol = "postgres",
     .peer = B("E\0"), .want = TLSOCK_E_CLOSED_IN_HANDSHAKE, .sent = B(SSL),
     .tells = "closed"},
    {.name = "SSH", .protocol = "postgres", .peer = B("SSH-2.0-x\r\n"),
     .want = TLSOCK_E_PROTOCOL, .sent = B(SSL), .tells = "SSH server",
     .at_once = 1},
    {.name = "TLS", .protocol = "postgres", .peer = B("\x15\x03\x01"),
     .want = TLSOCK_E_PROTOCOL, .sent = B(SSL), .tells = "TLS alert"},
};

static const struct script server[] = {
    {.name = "server", .protocol = "postgres", .server = 1, .peer = B(SSL),
     .sent = B("S")},
    {.name = "server, GSS first, injected", .protocol = "postgres",
     .server = 1, .peer = B(GSS SSL STARTUP), .sent = B("NS"),
     .left = B(STARTUP)},
    {.name = "server, GSS twice", .protocol = "postgres", .server = 1,
     .peer = B(GSS GSS), .want = TLSOCK_E_PROTOCOL, .sent = B("N"),
     .tells = "an SSLRequest"},
    {.name = "server, plaintext", .protocol = "postgres", .server = 1,
     .peer = B(STARTUP), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(REFUSAL), .tells = "StartupMessage"},
    {.name = "server, cancel", .protocol = "postgres", .server = 1,
     .peer = B(CANCEL), .want = TLSOCK_E_STARTTLS_REFUSED,
     .tells = "CancelRequest"},
    {.name = "server, SSLRequest of another length", .protocol = "postgres",
     .server = 1, .peer = B("\0\0\0\x09\x04\xd2\x16\x2f"),
     .want = TLSOCK_E_PROTOCOL, .tells = "an SSLRequest"},
    {.name = "server, TLS", .protocol = "postgres", .server = 1,
     .peer = B("\x16\x03\x01"), .want = TLSOCK_E_PROTOCOL,
     .tells = "this is TLS"},
};

SCRIPTS_MAIN(client, server);
