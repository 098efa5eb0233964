#include "script.h"

#define CAPS "+OK list\r\nUIDL\r\nSTLS\r\n.\r\n"

static const struct script client[] = {
    {.name = "plain", .protocol = "pop3",
     .peer = B("+OK hi\r\n" CAPS "+OK go\r\n"), .sent = B("CAPA\r\nSTLS\r\n")},
    {.name = "injected", .protocol = "pop3",
     .peer = B("+OK\n" CAPS "+OK\n+OK logged in\r\n"),
     .sent = B("CAPA\r\nSTLS\r\n"), .left = B("+OK logged in\r\n")},
    {.name = "stripped", .protocol = "pop3",
     .peer = B("+OK STLS\r\n+OK STLS\r\nXSTLS\r\nSTLSX\r\nX STLS\r\n.\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B("CAPA\r\n"),
     .tells = "does not offer STLS"},
    {.name = "no CAPA", .protocol = "pop3",
     .peer = B("+OK hi\r\n-ERR what?\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B("CAPA\r\n"),
     .tells = "-ERR what?"},
    {.name = "refused", .protocol = "pop3",
     .peer = B("+OK hi\r\n" CAPS "-ERR no\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B("CAPA\r\nSTLS\r\n"),
     .tells = "-ERR no"},
    {.name = "greeting refuses", .protocol = "pop3", .peer = B("-ERR full\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .tells = "-ERR full"},
    {.name = "lookalike", .protocol = "pop3", .peer = B("+OKAY\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "+OK or -ERR"},
    {.name = "IMAP", .protocol = "pop3", .peer = B("* OK\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "IMAP"},
};

#define HI "+OK localhost ready\r\n"
#define NO "-ERR STLS first\r\n"
#define U "USER x\r\n"

static const struct script server[] = {
    {.name = "server", .protocol = "pop3", .server = 1,
     .peer = B("CAPA\r\nSTLS\r\n"),
     .sent = B(HI "+OK\r\nSTLS\r\nRESP-CODES\r\n.\r\n+OK begin TLS\r\n")},
    {.name = "server, all before", .protocol = "pop3", .server = 1,
     .host = "p.test", .peer = B("USER x\r\nstls x\r\nstls\r\nUSER y\r\n"),
     .sent = B("+OK p.test ready\r\n" NO NO "+OK begin TLS\r\n"),
     .left = B("USER y\r\n")},
    {.name = "server, quits", .protocol = "pop3", .server = 1,
     .peer = B("QUIT\r\n"), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(HI "+OK bye\r\n"), .tells = "goes on without TLS"},
    {.name = "server, never asked", .protocol = "pop3", .server = 1,
     .peer = B(U U U U U U U U U U), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(HI NO NO NO NO NO NO NO NO NO NO), .tells = "USER x"},
};

SCRIPTS_MAIN(client, server);
