#include "script.h"

#define CAPS "\"IMPLEMENTATION\" \"x\"\r\n\"STARTTLS\"\r\nOK\r\n"

static const struct script client[] = {
    {.name = "plain",
     .protocol = "sieve",
     .peer = B(CAPS "OK\r\n"),
     .sent = B("STARTTLS\r\n")},
    {.name = "literals",
     .protocol = "sieve",
     .peer = B("\"SIEVE\" {7}\r\nOK\r\nNO\n\r\n\"X\" {0}\r\n {3}\r\nabc\r\n"
               "\"starttls\"\r\nOK {2}\r\nhi\r\nOK (TAG {1}\r\nx) \"go\"\r\n"
               "\"INJECTED\"\r\n"),
     .sent = B("STARTTLS\r\n"),
     .left = B("\"INJECTED\"\r\n")},
    {.name = "no literals",
     .protocol = "sieve",
     .peer =
         B("\"A\" {}\r\n\"B\" {x}\r\n\"C\" 5}\r\n\"D\" {+}\r\n" CAPS "OK\r\n"),
     .sent = B("STARTTLS\r\n")},
    {.name = "stripped",
     .protocol = "sieve",
     .peer = B("\"XSTARTTLS\"\r\n\"STARTTLSX\"\r\n\"SIEVE\" \"STARTTLS\"\r\n"
               "\"SIEVE\" {12}\r\n\r\n\"STARTTLS\"\r\nOK\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE,
     .tells = "does not offer"},
    {.name = "refused",
     .protocol = "sieve",
     .peer = B(CAPS "NO \"no key\"\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B("STARTTLS\r\n"),
     .tells = "no key"},
    {.name = "bye",
     .protocol = "sieve",
     .peer = B("BYE \"busy\"\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .tells = "BYE"},
    {.name = "a capability in place of an answer",
     .protocol = "sieve",
     .peer = B(CAPS "\"X\"\r\n"),
     .want = TLSOCK_E_PROTOCOL,
     .sent = B("STARTTLS\r\n"),
     .tells = "OK, NO, BYE"},
    {.name = "lookalike",
     .protocol = "sieve",
     .peer = B("OKAY\r\n"),
     .want = TLSOCK_E_PROTOCOL,
     .tells = "OKAY"},
    {.name = "literal too long",
     .protocol = "sieve",
     .peer = B("\"X\" {4097}\r\n"),
     .want = TLSOCK_E_LIMIT,
     .tells = "4096"},
    {.name = "literal longer than any number",
     .protocol = "sieve",
     .peer = B("\"X\" {99999999999999999999}\r\n"),
     .want = TLSOCK_E_LIMIT,
     .tells = "literal"},
    {.name = "cut in a literal",
     .protocol = "sieve",
     .peer = B("\"X\" {9}\r\nabc"),
     .want = TLSOCK_E_CLOSED_IN_HANDSHAKE,
     .tells = "closed"},
    {.name = "SMTP",
     .protocol = "sieve",
     .peer = B("220 mx\r\n"),
     .want = TLSOCK_E_PROTOCOL,
     .tells = "SMTP"},
};

#define HI                                                                     \
    "\"IMPLEMENTATION\" \"tlsock\"\r\n\"SIEVE\" \"\"\r\n\"STARTTLS\"\r\n"      \
    "\"VERSION\" \"1.0\"\r\nOK\r\n"
#define NO "NO (ENCRYPT-NEEDED) \"STARTTLS first\"\r\n"
#define A "LISTSCRIPTS\r\n"

static const struct script server[] = {
    {.name = "server",
     .protocol = "sieve",
     .server = 1,
     .peer = B("STARTTLS\r\n"),
     .sent = B(HI "OK\r\n")},
    {.name = "server, all before",
     .protocol = "sieve",
     .server = 1,
     .peer = B("CAPABILITY\r\nNOOP\r\nAUTHENTICATE {10+}\r\nSTARTTLS\r\n\r\n"
               "PUT {3+}\r\nabc {1+}\r\n.\r\nstarttls x\r\nstarttls\r\n" A),
     .sent = B(HI HI "OK\r\n" NO NO NO "OK\r\n"),
     .left = B(A)},
    {.name = "server, quits",
     .protocol = "sieve",
     .server = 1,
     .peer = B("LOGOUT\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(HI "OK\r\n"),
     .tells = "goes on without TLS"},
    {.name = "server, never asked",
     .protocol = "sieve",
     .server = 1,
     .peer = B(A A A A A A A A A A),
     .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(HI NO NO NO NO NO NO NO NO NO NO),
     .tells = "LISTSCRIPTS"},
    {.name = "server, literal too long",
     .protocol = "sieve",
     .server = 1,
     .peer = B("PUT {5000+}\r\n"),
     .want = TLSOCK_E_LIMIT,
     .sent = B(HI),
     .tells = "literal"},
};

SCRIPTS_MAIN(client, server);
