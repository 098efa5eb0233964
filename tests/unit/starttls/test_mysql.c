#include "script.h"

#define SALT8 "12345678"
#define REST "\xff\x02\0\xff\xc1\x15"
/* protocol 10, "5", thread 1, salt, 0, capabilities */
#define GREETING(caps) "\x18\0\0\0\n5\0\1\0\0\0" SALT8 "\0" caps REST
#define REQUEST                                                                \
    "\x20\0\0\1\x01\xaa\x08\0\0\0\0\1\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
    "\0\0\0\0\0"

static const struct script client[] = {
    {.name = "plain", .protocol = "mysql", .peer = B(GREETING("\xff\xff")),
     .sent = B(REQUEST)},
    {.name = "MariaDB, injected", .protocol = "mariadb",
     .peer = B(GREETING("\0\x0a") "\7\0\0\2\0\0\0\2\0\0\0"), .sent = B(REQUEST),
     .left = B("\7\0\0\2\0\0\0\2\0\0\0")},
    {.name = "short greeting", .protocol = "mysql",
     .peer = B("\x11\0\0\0\n\0\1\0\0\0" SALT8 "\0\0\x0a"), .sent = B(REQUEST)},
    {.name = "stripped", .protocol = "mysql",
     .peer = B(GREETING("\xff\xf7")), .want = TLSOCK_E_STARTTLS_UNAVAILABLE,
     .tells = "CLIENT_SSL"},
    {.name = "before 4.1", .protocol = "mysql",
     .peer = B(GREETING("\xff\xfd")), .want = TLSOCK_E_STARTTLS_UNAVAILABLE,
     .tells = "MySQL"},
    {.name = "blocked", .protocol = "mysql",
     .peer = B("\x13\0\0\0\xff\x69\x04Host is blocked\n"),
     .want = TLSOCK_E_STARTTLS_REFUSED, .tells = "FLUSH HOSTS"},
    {.name = "another error", .protocol = "mariadb",
     .peer = B("\5\0\0\0\xff\x01\x04no"), .want = TLSOCK_E_STARTTLS_REFUSED,
     .tells = "1025: no"},
    {.name = "error without a code", .protocol = "mysql",
     .peer = B("\2\0\0\0\xff\1"), .want = TLSOCK_E_PROTOCOL,
     .tells = "protocol 10"},
    {.name = "capabilities cut", .protocol = "mysql",
     .peer = B("\x10\0\0\0\n\0\1\0\0\0" SALT8 "\0\0"),
     .want = TLSOCK_E_PROTOCOL, .tells = "protocol 10"},
    {.name = "version without an end", .protocol = "mysql",
     .peer = B("\3\0\0\0\n55"), .want = TLSOCK_E_PROTOCOL,
     .tells = "protocol 10"},
    {.name = "protocol 9", .protocol = "mysql", .peer = B("\2\0\0\0\t\0"),
     .want = TLSOCK_E_PROTOCOL, .tells = "protocol 10"},
    {.name = "nothing", .protocol = "mysql", .peer = B("\0\0\0\0"),
     .want = TLSOCK_E_PROTOCOL, .tells = "protocol 10"},
    {.name = "not the first packet", .protocol = "mysql",
     .peer = B("\1\0\0\1\n"), .want = TLSOCK_E_PROTOCOL, .tells = "10"},
    {.name = "SSH", .protocol = "mysql", .peer = B("SSH-2.0\r\n"),
     .want = TLSOCK_E_PROTOCOL, .tells = "SSH server"},
    {.name = "cut in its head", .protocol = "mysql", .peer = B("\5\0\0"),
     .want = TLSOCK_E_CLOSED_IN_HANDSHAKE, .tells = "closed"},
};

#define HI                                                                     \
    "\x50\0\0\0\n8.0.0-tlsock\0\1\0\0\0########\0\1\xaa\x2d\2\0\x08\0\x15"     \
    "\0\0\0\0\0\0\0\0\0\0############\0mysql_native_password\0"
#define ERR "\x18\0\0\2\xff\x57\x0c#HY000TLS is required"
#define ZEROS "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static const struct script server[] = {
    {.name = "server", .protocol = "mysql", .server = 1, .peer = B(REQUEST),
     .sent = B(HI)},
    {.name = "server, injected", .protocol = "mariadb", .server = 1,
     .peer = B(REQUEST "\1"), .sent = B(HI), .left = B("\1")},
    {.name = "server, login", .protocol = "mysql", .server = 1,
     .peer = B("\x28\0\0\1\x01\xaa\x08\0" ZEROS ZEROS),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(HI ERR), .tells = "a login"},
    {.name = "server, 32 bytes without CLIENT_SSL", .protocol = "mysql",
     .server = 1, .peer = B("\x20\0\0\1\x01\xa2\x08\0" ZEROS ZEROS),
     .want = TLSOCK_E_STARTTLS_REFUSED, .sent = B(HI ERR), .tells = "a login"},
    {.name = "server, request of before 4.1", .protocol = "mysql", .server = 1,
     .peer = B("\5\0\0\1\0\x08\0\0\0"), .want = TLSOCK_E_PROTOCOL,
     .sent = B(HI), .tells = "an SSLRequest"},
    {.name = "server, TLS", .protocol = "mysql", .server = 1,
     .peer = B("\x16\x03\x01\x02\x00"), .want = TLSOCK_E_PROTOCOL,
     .sent = B(HI), .tells = "this is TLS"},
    {.name = "server, another number", .protocol = "mysql", .server = 1,
     .peer = B("\x20\0\0\2"), .want = TLSOCK_E_PROTOCOL, .sent = B(HI),
     .tells = "an SSLRequest"},
    {.name = "server, cut behind the capabilities", .protocol = "mysql",
     .server = 1, .peer = B("\x20\0\0\1\x01\xaa\x08\0\0"),
     .want = TLSOCK_E_CLOSED_IN_HANDSHAKE, .sent = B(HI), .tells = "closed"},
};

SCRIPTS_MAIN(client, server);
