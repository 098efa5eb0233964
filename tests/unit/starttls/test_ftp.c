#include "script.h"

static const struct script client[] = {
    {.name = "plain", .protocol = "ftp", .peer = B("220 hi\r\n234 go\r\n"),
     .sent = B("AUTH TLS\r\n")},
    {.name = "anything within a reply", .protocol = "ftp", .arg = "P",
     .peer = B("120 soon\r\n220-hi\r\n 220 x\r\n530 no\r\n\r\n220-y\r\n"
               "220 hi\r\n234-\r\n234 go\r\n230 logged in\r\n"),
     .sent = B("AUTH TLS\r\n"), .left = B("230 logged in\r\n")},
    {.name = "unknown", .protocol = "ftp", .peer = B("220 hi\r\n500 what?\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B("AUTH TLS\r\n"),
     .tells = "500 what?"},
    {.name = "not implemented", .protocol = "ftp",
     .peer = B("220 hi\r\n502 no\r\n"), .want = TLSOCK_E_STARTTLS_UNAVAILABLE,
     .sent = B("AUTH TLS\r\n"), .tells = "990"},
    {.name = "another mechanism", .protocol = "ftp",
     .peer = B("220 hi\r\n504 KERBEROS\r\n"),
     .want = TLSOCK_E_STARTTLS_UNAVAILABLE, .sent = B("AUTH TLS\r\n"),
     .tells = "504 KERBEROS"},
    {.name = "refused", .protocol = "ftp",
     .peer = B("220 hi\r\n431 no key\r\n"), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B("AUTH TLS\r\n"), .tells = "431 no key"},
    {.name = "wants security data", .protocol = "ftp",
     .peer = B("220 hi\r\n334 x\r\n"), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B("AUTH TLS\r\n"), .tells = "334 x"},
    {.name = "greeting refuses", .protocol = "ftp", .peer = B("421 busy\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .tells = "421 busy"},
    {.name = "another greeting", .protocol = "ftp", .peer = B("230 hi\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "a greeting (220)"},
    {.name = "no code", .protocol = "ftp", .peer = B("SSH-2.0\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "SSH"},
    /* after the handshake */
    {.name = "protected", .protocol = "ftp", .arg = "p", .after = 1,
     .peer = B("200-ok\r\n200 PBSZ=0\r\n200 ok\r\n220 x\r\n"),
     .sent = B("PBSZ 0\r\nPROT P\r\n"), .left = B("220 x\r\n")},
    {.name = "clear", .protocol = "ftp", .arg = "C", .after = 1,
     .peer = B("200 ok\r\n200 ok\r\n"), .sent = B("PBSZ 0\r\nPROT C\r\n")},
    {.name = "PBSZ unknown", .protocol = "ftp", .arg = "P", .after = 1,
     .peer = B("500 what?\r\n"), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B("PBSZ 0\r\n"), .tells = "500 what?"},
    {.name = "PROT refused", .protocol = "ftp", .arg = "C", .after = 1,
     .peer = B("200 ok\r\n534 no\r\n"), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B("PBSZ 0\r\nPROT C\r\n"), .tells = "534 no"},
    {.name = "no reply", .protocol = "ftp", .arg = "C", .after = 1,
     .peer = B("moin\r\n"), .want = TLSOCK_E_PROTOCOL, .sent = B("PBSZ 0\r\n"),
     .tells = "a reply with a code"},
    {.name = "end of TLS", .protocol = "ftp", .arg = "ccc", .after = 1,
     .peer = B("200 ok\r\n"), .sent = B("CCC\r\n")},
    {.name = "no end of TLS", .protocol = "ftp", .arg = "CCC", .after = 1,
     .peer = B("533 never\r\n"), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B("CCC\r\n"), .tells = "533 never"},
};

#define HI "220 localhost ready\r\n"
#define NO "530 AUTH TLS first\r\n"
#define U "USER x\r\n"

static const struct script server[] = {
    {.name = "server", .protocol = "ftp", .server = 1,
     .peer = B("AUTH TLS\r\n"), .sent = B(HI "234 begin TLS\r\n")},
    {.name = "server, all before", .protocol = "ftp", .server = 1,
     .host = "f.test",
     .peer = B("FEAT\r\nNOOP\r\nSYST\r\n" U "AUTH SSL\r\nAUTH\r\n"
               "auth tls-c\r\n" U),
     .sent = B("220 f.test ready\r\n211-Features:\r\n AUTH TLS\r\n PBSZ\r\n "
               "PROT\r\n CCC\r\n211 End\r\n200 OK\r\n215 UNIX Type: L8\r\n" NO
               "504 only AUTH TLS is known\r\n504 only AUTH TLS is known\r\n"
               "234 begin TLS\r\n"),
     .left = B(U)},
    {.name = "server, quits", .protocol = "ftp", .server = 1,
     .peer = B("QUIT\r\n"), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(HI "221 bye\r\n"), .tells = "goes on without TLS"},
    {.name = "server, never asked", .protocol = "ftp", .server = 1,
     .peer = B(U U U U U U U U U U), .want = TLSOCK_E_STARTTLS_REFUSED,
     .sent = B(HI NO NO NO NO NO NO NO NO NO NO), .tells = "USER x"},
    {.name = "server, protected", .protocol = "ftp", .server = 1, .after = 1,
     .arg = "P",
     .peer = B("NOOP\r\n" U "PROT P\r\nPBSZ 0\r\nPROT C\r\nPROT E\r\n"
               "PROT S\r\nprot p\r\n" U),
     .sent = B("200 OK\r\n503 PBSZ and PROT are due\r\n503 PBSZ 0 first\r\n"
               "200 PBSZ=0\r\n534 another level is required\r\n"
               "536 TLS does not do that\r\n536 TLS does not do that\r\n"
               "200 protected so\r\n"),
     .left = B(U)},
    {.name = "server, end of TLS", .protocol = "ftp", .server = 1, .after = 1,
     .arg = "ccc", .peer = B(U "CCC x\r\nCCC\r\n"),
     .sent = B("503 CCC is due\r\n503 CCC is due\r\n200 TLS ends\r\n")},
    {.name = "server, quits in TLS", .protocol = "ftp", .server = 1,
     .after = 1, .arg = "P", .peer = B("QUIT\r\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B("221 bye\r\n"),
     .tells = "without what was agreed on"},
};

SCRIPTS_MAIN(client, server);
