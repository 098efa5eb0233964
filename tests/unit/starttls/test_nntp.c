#include "script.h"

#define CAPS "101 list\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n"
#define ASKED "CAPABILITIES\r\nSTARTTLS\r\n"

static const struct script client[] = {
    {.name = "plain",
     .protocol = "nntp",
     .peer = B("200 hi\r\n" CAPS "382 go\r\n"),
     .sent = B(ASKED)},
    {.name = "no posting, injected",
     .protocol = "nntp",
     .peer = B("201 hi\r\n" CAPS "382 go\r\n281 ok\r\n"),
     .sent = B(ASKED),
     .left = B("281 ok\r\n")},
    {.name = "stripped",
     .protocol = "nntp",
     .peer = B("200 STARTTLS\r\n101 STARTTLS\r\nXSTARTTLS\r\nSTARTTLS1\r\n"
               ".\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE,
     .sent = B("CAPABILITIES\r\n"),
     .tells = "563"},
    {.name = "no capabilities",
     .protocol = "nntp",
     .peer = B("200 hi\r\n500 what?\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE,
     .sent = B("CAPABILITIES\r\n"),
     .tells = "500 what?"},
    {.name = "refused",
     .protocol = "nntp",
     .peer = B("200 hi\r\n" CAPS "580 no key\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(ASKED),
     .tells = "580 no key"},
    {.name = "greeting refuses",
     .protocol = "nntp",
     .peer = B("400 busy\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .tells = "400 busy"},
    {.name = "greeting of SMTP",
     .protocol = "nntp",
     .peer = B("220 mx\r\n"),
     .want = TLSOCK_E_PROTOCOL,
     .tells = "SMTP or FTP"},
    {.name = "a reply of two lines",
     .protocol = "nntp",
     .peer = B("200-hi\r\n200 hi\r\n"),
     .want = TLSOCK_E_PROTOCOL,
     .tells = "one line"},
    {.name = "no code",
     .protocol = "nntp",
     .peer = B("hi\r\n"),
     .want = TLSOCK_E_PROTOCOL,
     .tells = "a reply with a code"},
};

#define HI "201 localhost ready\r\n"
#define NO "483 STARTTLS first\r\n"
#define G "GROUP x\r\n"

static const struct script server[] = {
    {.name = "server",
     .protocol = "nntp",
     .server = 1,
     .peer = B("CAPABILITIES\r\nSTARTTLS\r\n"),
     .sent = B(HI "101 list follows\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n"
                  "382 continue with TLS\r\n")},
    {.name = "server, all before",
     .protocol = "nntp",
     .server = 1,
     .host = "n.test",
     .peer = B(G "starttls x\r\nstarttls\r\n" G),
     .sent = B("201 n.test ready\r\n" NO "501 no arguments allowed\r\n"
               "382 continue with TLS\r\n"),
     .left = B(G)},
    {.name = "server, quits",
     .protocol = "nntp",
     .server = 1,
     .peer = B("QUIT\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(HI "205 bye\r\n"),
     .tells = "goes on without TLS"},
    {.name = "server, never asked",
     .protocol = "nntp",
     .server = 1,
     .peer = B(G G G G G G G G G G),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(HI NO NO NO NO NO NO NO NO NO NO),
     .tells = "GROUP x"},
};

SCRIPTS_MAIN(client, server);
