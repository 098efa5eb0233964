#include "script.h"

#define CAPS "* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n"
#define ASKED "a1 CAPABILITY\r\na2 STARTTLS\r\n"

static const struct script client[] = {
    {.name = "plain",
     .protocol = "imap",
     .peer = B("* OK hi\r\n" CAPS "a2 OK go\r\n"),
     .sent = B(ASKED)},
    {.name = "told in the greeting",
     .protocol = "imap",
     .peer = B("* OK [CAPABILITY IMAP4 starttls] hi\r\na2 OK go\r\n"),
     .sent = B("a2 STARTTLS\r\n")},
    {.name = "told less in the greeting",
     .protocol = "imap",
     .peer = B("* OK [CAPABILITY IMAP4] STARTTLS\r\n" CAPS "a2 OK go\r\n"),
     .sent = B(ASKED)},
    {.name = "untagged in between",
     .protocol = "imap",
     .peer = B("* ok hi\r\n* NOTE x\r\n" CAPS "* 1 EXISTS\r\nA2 ok go\r\n"),
     .sent = B(ASKED)},
    {.name = "injected",
     .protocol = "imap",
     .peer = B("* OK hi\r\n" CAPS "a2 OK go\r\na3 OK logged in\r\n"),
     .sent = B(ASKED),
     .left = B("a3 OK logged in\r\n")},
    {.name = "preauth",
     .protocol = "imap",
     .peer = B("* PREAUTH hi\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .tells = "6.2.1"},
    {.name = "bye",
     .protocol = "imap",
     .peer = B("* BYE busy\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .tells = "* BYE busy"},
    {.name = "bye later",
     .protocol = "imap",
     .peer = B("* OK hi\r\n* BYE idle\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B("a1 CAPABILITY\r\n"),
     .tells = "* BYE idle"},
    {.name = "stripped",
     .protocol = "imap",
     .peer = B("* OK hi\r\n* CAPABILITY IMAP4rev1 XSTARTTLS STARTTLSX\r\n"
               "a1 OK STARTTLS\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE,
     .sent = B("a1 CAPABILITY\r\n"),
     .tells = "993"},
    {.name = "no capabilities",
     .protocol = "imap",
     .peer = B("* OK hi\r\na1 BAD what?\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE,
     .sent = B("a1 CAPABILITY\r\n"),
     .tells = "BAD what?"},
    {.name = "refused",
     .protocol = "imap",
     .peer = B("* OK hi\r\n" CAPS "a2 NO not now\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(ASKED),
     .tells = "a2 NO not now"},
    {.name = "a foreign tag",
     .protocol = "imap",
     .peer = B("* OK hi\r\na9 OK done\r\n"),
     .want = TLSOCK_E_PROTOCOL,
     .sent = B("a1 CAPABILITY\r\n"),
     .tells = "our tag"},
    {.name = "neither OK nor NO",
     .protocol = "imap",
     .peer = B("* OK hi\r\na1 OKAY\r\n"),
     .want = TLSOCK_E_PROTOCOL,
     .sent = B("a1 CAPABILITY\r\n"),
     .tells = "OK, NO or BAD"},
    {.name = "POP3",
     .protocol = "imap",
     .peer = B("+OK hi\r\n"),
     .want = TLSOCK_E_PROTOCOL,
     .tells = "POP3"},
    {.name = "TLS",
     .protocol = "imap",
     .peer = B("\x16\x03\x03"),
     .want = TLSOCK_E_PROTOCOL,
     .tells = "this is TLS"},
};

#define ALL "IMAP4rev1 STARTTLS LOGINDISABLED"
#define HI "* OK [CAPABILITY " ALL "] localhost ready\r\n"
#define NO " NO [PRIVACYREQUIRED] STARTTLS first\r\n"
#define TAG16 "tttttttttttttttt"

static const struct script server[] = {
    {.name = "server",
     .protocol = "imap",
     .server = 1,
     .peer = B("x CAPABILITY\r\ny STARTTLS\r\n"),
     .sent = B(HI "* CAPABILITY " ALL "\r\nx OK done\r\n"
                  "y OK begin TLS now\r\n")},
    {.name = "server, all before",
     .protocol = "imap",
     .server = 1,
     .host = "i.test",
     .peer = B("1 noop\r\n2 LOGIN a b\r\n3 STARTTLS x\r\n\r\n{1} NOOP\r\n"
               "4 STARTTLS\r\n5 NOOP\r\n"),
     .sent = B("* OK [CAPABILITY " ALL "] i.test ready\r\n1 OK done\r\n2" NO
               "3" NO "* BAD a tag is needed\r\n* BAD a tag is needed\r\n"
               "4 OK begin TLS now\r\n"),
     .left = B("5 NOOP\r\n")},
    {.name = "server, tag of 64 and 65",
     .protocol = "imap",
     .server = 1,
     .peer = B(TAG16 TAG16 TAG16 TAG16 "t NOOP\r\n" TAG16 TAG16 TAG16 TAG16
                                       " LOGIN\r\nx STARTTLS\r\n"),
     .sent = B(HI "* BAD a tag is needed\r\n" TAG16 TAG16 TAG16 TAG16 NO
                  "x OK begin TLS now\r\n")},
    {.name = "server, quits",
     .protocol = "imap",
     .server = 1,
     .peer = B("x LOGOUT\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(HI "* BYE\r\nx OK bye\r\n"),
     .tells = "goes on without TLS"},
    {.name = "server, never asked",
     .protocol = "imap",
     .server = 1,
     .peer = B("a X\r\na X\r\na X\r\na X\r\na X\r\na X\r\na X\r\na X\r\n"
               "a X\r\na X\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(HI "a" NO "a" NO "a" NO "a" NO "a" NO "a" NO "a" NO "a" NO "a" NO
                  "a" NO),
     .tells = "a X"},
};

SCRIPTS_MAIN(client, server);
