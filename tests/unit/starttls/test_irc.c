#include "script.h"

#define ASKED "STARTTLS\r\n"

static const struct script client[] = {
    {.name = "plain", .protocol = "irc", .peer = B(":s 670 * :go\r\n"),
     .sent = B(ASKED)},
    {.name = "notices first, injected", .protocol = "irc",
     .peer = B("NOTICE AUTH :*** STARTTLS 670\r\n:s NOTICE * :x\r\n"
               ":s 020 * :wait\r\nPING :abc def\r\n:s CAP * LS :tls\r\n"
               "@time=1 :s 670 nick :go\r\n:s 001 nick :hi\r\n"),
     .sent = B(ASKED "PONG :abc def\r\n"), .left = B(":s 001 nick :hi\r\n")},
    {.name = "refused", .protocol = "irc", .peer = B(":s 691 * :no key\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(ASKED), .tells = "no key"},
    {.name = "error", .protocol = "irc", .peer = B("ERROR :full\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(ASKED), .tells = "full"},
    {.name = "unknown", .protocol = "irc",
     .peer = B(":s 421 * STARTTLS :Unknown command\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B(ASKED),
     .tells = "Unknown command"},
    {.name = "not registered", .protocol = "irc",
     .peer = B(":s 451 * :register first\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B(ASKED), .tells = "6697"},
    {.name = "SMTP", .protocol = "irc", .peer = B("220 mx\r\n"),
     .want = TLSOCK_E_PROTOCOL, .sent = B(ASKED), .tells = "SMTP"},
    {.name = "a prefix alone", .protocol = "irc", .peer = B(":s\r\n"),
     .want = TLSOCK_E_PROTOCOL, .sent = B(ASKED), .tells = "IRC message"},
    {.name = "four digits", .protocol = "irc", .peer = B(":s 6700 x\r\n"),
     .want = TLSOCK_E_PROTOCOL, .sent = B(ASKED), .tells = "6700"},
    {.name = "PING with a control byte", .protocol = "irc",
     .peer = B("PING a\rQUIT\r\n"), .want = TLSOCK_E_PROTOCOL,
     .sent = B(ASKED), .tells = "PING"},
    {.name = "closed", .protocol = "irc", .peer = B(":s 6"),
     .want = TLSOCK_E_CLOSED_IN_HANDSHAKE, .sent = B(ASKED),
     .tells = "closed"},
};

#define GO ":localhost 670 * :STARTTLS successful, begin TLS\r\n"
#define NO "451 * :STARTTLS first\r\n"
#define J "JOIN #x\r\n"

static const struct script server[] = {
    {.name = "server", .protocol = "irc", .server = 1, .peer = B("STARTTLS\r\n"),
     .sent = B(GO)},
    {.name = "server, all before", .protocol = "irc", .server = 1,
     .host = "i.test",
     .peer = B("\r\nCAP LS 302\r\nCAP REQ :tls\r\nCAP REQ :sasl\r\nCAP END\r\n"
               "PING x\r\nNICK n\r\nNICK m\r\n" J "lower case\r\n:p starttls\r\n"
               "USER u\r\n"),
     .sent = B(":i.test CAP * LS :tls\r\n:i.test CAP * ACK :tls\r\n" NO
               "PONG x\r\n" NO NO
               ":i.test 670 * :STARTTLS successful, begin TLS\r\n"),
     .left = B("USER u\r\n")},
    {.name = "server, registers", .protocol = "irc", .server = 1,
     .peer = B("NICK n\r\nUSER u 0 * :u\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B("ERROR :STARTTLS is needed\r\n"), .tells = "without TLS"},
    {.name = "server, quits", .protocol = "irc", .server = 1,
     .peer = B("QUIT\r\n"), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B("ERROR :bye\r\n"), .tells = "QUIT"},
    {.name = "server, never asked", .protocol = "irc", .server = 1,
     .peer = B(J J J J J J J J J J), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(NO NO NO NO NO NO NO NO NO NO), .tells = "other commands"},
    {.name = "server, PING with a control byte", .protocol = "irc", .server = 1,
     .peer = B("PING a\x07\r\n"), .want = TLSOCK_E_PROTOCOL, .tells = "PING"},
};

SCRIPTS_MAIN(client, server);
