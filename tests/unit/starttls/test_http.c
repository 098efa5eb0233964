#include "script.h"

#define ASK(host)                                                              \
    "OPTIONS * HTTP/1.1\r\nHost: " host "\r\nUpgrade: TLS/1.0\r\n"             \
    "Connection: Upgrade\r\n\r\n"
#define UPGRADES "Upgrade: TLS/1.0, HTTP/1.1\r\nConnection: Upgrade\r\n"
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\n" UPGRADES "\r\n"
#define CLIENT .protocol = "http", .host = "h.test"

static const struct script client[] = {
    {CLIENT, .name = "plain", .peer = B(SWITCH), .sent = B(ASK("h.test"))},
    {CLIENT, .name = "argument, injected", .arg = "a.test:80",
     .peer = B("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101\r\nX: y\r\n"
               "upgrade: HTTP/1.1 ,\ttls/1.2\r\n\r\nHTTP/1.1 200 OK\r\n"),
     .sent = B(ASK("a.test:80")), .left = B("HTTP/1.1 200 OK\r\n")},
    {.name = "IPv6",
     .protocol = "http",
     .host = "2001:db8::1",
     .peer = B(SWITCH),
     .sent = B(ASK("[2001:db8::1]"))},
    {.name = "IPv6 in brackets",
     .protocol = "http",
     .arg = "[::1]:80",
     .peer = B(SWITCH),
     .sent = B(ASK("[::1]:80"))},
    {CLIENT, .name = "ignored", .peer = B("HTTP/1.1 200 OK\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B(ASK("h.test")),
     .tells = "443"},
    {CLIENT, .name = "unknown", .peer = B("HTTP/1.0 405 Not Allowed\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B(ASK("h.test")),
     .tells = "405 Not Allowed"},
    {CLIENT, .name = "refused", .peer = B("HTTP/1.1 503 busy\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(ASK("h.test")),
     .tells = "503 busy"},
    {CLIENT, .name = "switches to something else",
     .peer = B("HTTP/1.1 101 x\r\nUpgrade: websocket, XTLS/1.0\r\n"
               "X-Upgrade: TLS/1.0\r\n\r\n"),
     .want = TLSOCK_E_PROTOCOL, .sent = B(ASK("h.test")),
     .tells = "Upgrade: TLS"},
    {CLIENT, .name = "upgrade in the answer before",
     .peer = B("HTTP/1.1 100 x\r\n" UPGRADES "\r\nHTTP/1.1 101 x\r\n\r\n"),
     .want = TLSOCK_E_PROTOCOL, .sent = B(ASK("h.test")),
     .tells = "Upgrade: TLS"},
    {CLIENT, .name = "folded header",
     .peer = B("HTTP/1.1 101 x\r\nX: y\r\n z\r\n\r\n"),
     .want = TLSOCK_E_PROTOCOL, .sent = B(ASK("h.test")), .tells = "a header"},
    {CLIENT, .name = "no header", .peer = B("HTTP/1.1 101 x\r\nUpgrade\r\n"),
     .want = TLSOCK_E_PROTOCOL, .sent = B(ASK("h.test")), .tells = "a header"},
    {CLIENT, .name = "blank before the colon",
     .peer = B("HTTP/1.1 101 x\r\nUpgrade : TLS/1.0\r\n"),
     .want = TLSOCK_E_PROTOCOL, .sent = B(ASK("h.test")), .tells = "a header"},
    {CLIENT, .name = "status of four digits", .peer = B("HTTP/1.1 1010\r\n"),
     .want = TLSOCK_E_PROTOCOL, .sent = B(ASK("h.test")), .tells = "1010"},
    {CLIENT, .name = "status below 100", .peer = B("HTTP/1.1 099 x\r\n"),
     .want = TLSOCK_E_PROTOCOL, .sent = B(ASK("h.test")), .tells = "099"},
    {CLIENT, .name = "HTTP/2", .peer = B("HTTP/1.2 101 x\r\n"),
     .want = TLSOCK_E_PROTOCOL, .sent = B(ASK("h.test")), .tells = "1.2"},
    {CLIENT, .name = "SMTP", .peer = B("220 mx\r\n"), .want = TLSOCK_E_PROTOCOL,
     .sent = B(ASK("h.test")), .tells = "SMTP"},
};

#define NO                                                                     \
    "HTTP/1.1 426 Upgrade Required\r\n" UPGRADES "Content-Length: 0\r\n\r\n"
#define BAD                                                                    \
    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n"   \
    "\r\n"
#define G "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
#define SERVER .protocol = "http", .server = 1

static const struct script server[] = {
    {SERVER, .name = "server", .peer = B(ASK("h")), .sent = B(SWITCH)},
    {SERVER, .name = "server, all before, injected",
     .peer = B("\r\n" G "OPTIONS * HTTP/1.1\r\nHost: h\r\nUpgrade: TLS/1.0\r\n"
               "\r\nOPTIONS * HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\n"
               "Connection: Upgrade\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n"
               "Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n"
               "OPTIONS * HTTP/1.1\r\nHost: h\r\nUpgrade: tls/1.3\r\n"
               "Content-Length: 0\r\nConnection: close, upgrade\r\n\r\n" G),
     .sent = B(NO NO NO NO SWITCH), .left = B(G)},
    {SERVER, .name = "server, body",
     .peer = B("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(BAD), .tells = "body"},
    {SERVER, .name = "server, chunks",
     .peer = B("OPTIONS * HTTP/1.1\r\nHost: h\r\nUpgrade: TLS/1.0\r\n"
               "Connection: Upgrade\r\nTransfer-Encoding: chunked\r\n\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(BAD), .tells = "body"},
    {SERVER, .name = "server, no host", .peer = B("GET / HTTP/1.1\r\n\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(BAD), .tells = "one Host"},
    {SERVER, .name = "server, two hosts",
     .peer = B("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(BAD), .tells = "one Host"},
    {SERVER, .name = "server, HTTP/1.0", .peer = B("GET / HTTP/1.0\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "HTTP/1.1 request"},
    {SERVER, .name = "server, no target", .peer = B("GET  HTTP/1.1\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "HTTP/1.1 request"},
    {SERVER, .name = "server, a word", .peer = B("GET\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "HTTP/1.1 request"},
    {SERVER, .name = "server, SMTP", .peer = B("EHLO c\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "the client speaks SMTP"},
    {SERVER, .name = "server, never asked", .peer = B(G G G G G G G G G G),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(NO NO NO NO NO NO NO NO NO NO), .tells = "without Upgrade"},
};

SCRIPTS_MAIN(client, server);
