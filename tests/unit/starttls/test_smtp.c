#include "script.h"

#define OFFER "220 mx ESMTP\r\n250-mx\r\n250-SIZE 1\r\n250 STARTTLS\r\n"
#define ASKED "EHLO localhost\r\nSTARTTLS\r\n"

static const struct script client[] = {
    {.name = "plain", .protocol = "smtp", .peer = B(OFFER "220 go\r\n"),
     .sent = B(ASKED)},
    {.name = "line feeds, lower case, many lines", .protocol = "smtp",
     .peer = B("220-mx\n220-\n220\n250-mx\n250-starttls\n250 8BITMIME\n"
               "220-go\n220 on\n"),
     .sent = B(ASKED)},
    {.name = "name to say", .protocol = "smtp", .arg = "[192.0.2.1]",
     .peer = B(OFFER "220 go\r\n"),
     .sent = B("EHLO [192.0.2.1]\r\nSTARTTLS\r\n")},
    {.name = "lmtp", .protocol = "lmtp", .arg = "a.test",
     .peer = B(OFFER "220 go\r\n"), .sent = B("LHLO a.test\r\nSTARTTLS\r\n")},
    {.name = "injected commands", .protocol = "smtp",
     .peer = B(OFFER "220 go\r\n250 injected\r\n"), .sent = B(ASKED),
     .left = B("250 injected\r\n")},
    {.name = "stripped", .protocol = "smtp",
     .peer = B("220 mx\r\n250-mx\r\n250 SIZE 1\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B("EHLO localhost\r\n"),
     .tells = "465"},
    {.name = "no TLS port to name", .protocol = "lmtp",
     .peer = B("220 mx\r\n250 mx\r\n"), .want = TLSOCK_E_STARTTLS_UNAVAILABLE,
     .sent = B("LHLO localhost\r\n"), .tells = "administrator"},
    {.name = "lookalikes", .protocol = "smtp",
     .peer = B("220 STARTTLS\r\n250-STARTTLS\r\n250-XSTARTTLS\r\n"
               "250-STARTTLSX\r\n250-X STARTTLS\r\n250 \r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B("EHLO localhost\r\n"),
     .tells = "does not offer STARTTLS"},
    {.name = "in the greeting of EHLO alone", .protocol = "smtp",
     .peer = B("220 mx\r\n250 STARTTLS\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B("EHLO localhost\r\n"),
     .tells = "does not offer"},
    {.name = "EHLO unknown", .protocol = "smtp",
     .peer = B("220 mx\r\n500 what?\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B("EHLO localhost\r\n"),
     .tells = "500 what?"},
    {.name = "EHLO refused for now", .protocol = "smtp",
     .peer = B("220 mx\r\n421 busy\r\n"), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B("EHLO localhost\r\n"), .tells = "421 busy"},
    {.name = "greeting refuses", .protocol = "smtp",
     .peer = B("554 no SMTP here\r\n"), .want = TLSOCK_E_STARTTLS_REFUSED,
     .tells = "554 no SMTP here"},
    {.name = "greeting of NNTP", .protocol = "smtp",
     .peer = B("200 news\r\n"), .want = TLSOCK_E_PROTOCOL,
     .tells = "a greeting (220)"},
    {.name = "STARTTLS refused, escaped", .protocol = "smtp",
     .peer = B(OFFER "454 not \x1b[2J now\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(ASKED),
     .tells = "454 not \\x1b[2J now"},
    {.name = "codes differ within a reply", .protocol = "smtp",
     .peer = B("220-mx\r\n250 mx\r\n"), .want = TLSOCK_E_PROTOCOL,
     .tells = "one code in all lines"},
    {.name = "no code within a reply", .protocol = "smtp",
     .peer = B("220-mx\r\n2200\r\n"), .want = TLSOCK_E_PROTOCOL,
     .tells = "a reply with a code"},
    {.name = "code of two digits", .protocol = "smtp", .peer = B("22 mx\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "22 mx"},
    {.name = "code beyond 599", .protocol = "smtp", .peer = B("620 mx\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "620 mx"},
    {.name = "TLS at once", .protocol = "smtp",
     .peer = B("\x15\x03\x01\x00\x02\x02\x46"), .want = TLSOCK_E_PROTOCOL,
     .tells = "TLS alert"},
    {.name = "SSH", .protocol = "smtp", .peer = B("SSH-2.0-x\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "SSH server"},
    {.name = "IMAP", .protocol = "smtp", .peer = B("* OK hi\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "IMAP"},
    {.name = "nobody knows", .protocol = "smtp", .peer = B("moin\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "one for SMTP?"},
    {.name = "NUL", .protocol = "smtp", .peer = B("220 m\0x\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "NUL"},
    {.name = "early end", .protocol = "smtp", .peer = B("220 mx"),
     .want = TLSOCK_E_CLOSED_IN_HANDSHAKE, .tells = "closed"},
};

#define HI "220 localhost ESMTP ready\r\n"
#define GO "220 2.0.0 ready to start TLS\r\n"
#define NEED "530 5.7.0 Must issue a STARTTLS command first\r\n"
#define MAIL "MAIL FROM:<a@b>\r\n"

static const struct script server[] = {
    {.name = "server", .protocol = "smtp", .server = 1,
     .peer = B("EHLO c\r\nSTARTTLS\r\n"),
     .sent = B(HI "250-localhost\r\n250 STARTTLS\r\n" GO)},
    {.name = "server, all before", .protocol = "smtp", .server = 1,
     .arg = "mx.test", .host = "other.test",
     .peer = B("noop\r\nHELO\r\nHELO c\r\nEHLO\r\nrset\r\n" MAIL
               "STARTTLS x\r\nSTARTTLS\r\n"),
     .sent = B("220 mx.test ESMTP ready\r\n250 2.0.0 OK\r\n" NEED
               "250 mx.test\r\n501 5.5.4 a name is needed\r\n250 2.0.0 OK\r\n"
               NEED "501 5.5.4 no parameters allowed\r\n" GO)},
    {.name = "server, injected", .protocol = "smtp", .server = 1,
     .peer = B("STARTTLS\r\nRSET\r\n"), .sent = B(HI GO),
     .left = B("RSET\r\n")},
    {.name = "LMTP server", .protocol = "lmtp", .server = 1, .host = "l.test",
     .peer = B("EHLO c\r\nHELO c\r\nLHLO c\r\nSTARTTLS\r\n"),
     .sent = B("220 l.test LMTP ready\r\n500 5.5.1 LHLO is the word\r\n"
               "500 5.5.1 LHLO is the word\r\n"
               "250-l.test\r\n250 STARTTLS\r\n" GO)},
    {.name = "server, quits", .protocol = "smtp", .server = 1,
     .peer = B("QUIT\r\n"), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(HI "221 2.0.0 bye\r\n"), .tells = "goes on without TLS"},
    {.name = "server, never asked", .protocol = "smtp", .server = 1,
     .peer = B(MAIL MAIL MAIL MAIL MAIL MAIL MAIL MAIL MAIL MAIL MAIL),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(HI NEED NEED NEED NEED NEED NEED NEED NEED NEED NEED),
     .tells = "MAIL FROM"},
    {.name = "server, TLS at once", .protocol = "smtp", .server = 1,
     .peer = B("\x16\x03\x01\x02\x00\x01"), .want = TLSOCK_E_PROTOCOL,
     .sent = B(HI), .tells = "this is TLS"},
};

SCRIPTS_MAIN(client, server);
