/* Dialogues in front of TLS that go wrong. */
#include "matrix.h"

#define STARTTLS .group = "STARTTLS", .serve = mx_talk
#define PHASE .phase = TLSOCK_PHASE_STARTTLS
#define UNAVAILABLE .want = TLSOCK_E_STARTTLS_UNAVAILABLE, PHASE
#define REFUSED .want = TLSOCK_E_STARTTLS_REFUSED, PHASE
#define INJECTION .want = TLSOCK_E_INJECTION
#define PROTOCOL .want = TLSOCK_E_PROTOCOL, PHASE
#define LIMIT .want = TLSOCK_E_LIMIT, PHASE
#define CLOSED .want = TLSOCK_E_CLOSED_IN_HANDSHAKE, PHASE
#define TIMEOUT .want = TLSOCK_E_TIMEOUT, PHASE, .timeout_ms = 400

/* Says the first, waits for an answer, says the next ... */
#define TALK(...) .talk = (const char *const[]){__VA_ARGS__, NULL}
#define SMTP .starttls = "smtp"
#define IMAP .starttls = "imap"
#define POP3 .starttls = "pop3"
#define FTP .starttls = "ftp"
#define POSTGRES .starttls = "postgres"

#define EHLO "250-mx\r\n250-SIZE\r\n250 STARTTLS\r\n"
#define END .said = {.bytes = "", .at_once = 1}
#define HOLD .said = {.bytes = "", .at_once = 1, .end = MX_HOLD}
#define FLOOD(text) .said = {MX_BYTES(text), .at_once = 1, .times = -1}
#define LINE64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

const struct mx_row mx_rows_starttls[] = {
    {STARTTLS, .name = "smtp: as it should be", .want = TLSOCK_OK, SMTP,
     TALK("220 mx ESMTP\r\n", EHLO, "220 go ahead\r\n")},
    {STARTTLS, .name = "smtp: not offered", UNAVAILABLE, SMTP,
     TALK("220 mx ESMTP\r\n", "250-mx\r\n250 SIZE\r\n"), HOLD},
    {STARTTLS, .name = "smtp: refused", REFUSED, .tells = "454", SMTP,
     TALK("220 mx ESMTP\r\n", EHLO, "454 not now\r\n"), HOLD},
    {STARTTLS, .name = "smtp: no service at all", REFUSED, .tells = "554", SMTP,
     TALK("554 go away\r\n"), HOLD},
    {STARTTLS, .name = "smtp: plaintext put in behind the answer", INJECTION,
     SMTP,
     TALK("220 mx ESMTP\r\n", EHLO, "220 go ahead\r\n250 injected\r\n"), HOLD},
    {STARTTLS, .name = "smtp: plaintext where TLS has to begin",
     .want = TLSOCK_E_NOT_TLS, SMTP,
     TALK("220 mx ESMTP\r\n", EHLO, "220 go ahead\r\n", "250 what?\r\n"), HOLD},
    {STARTTLS, .name = "smtp: a greeting without end", LIMIT, SMTP,
     TALK("220-x\r\n"), FLOOD("220-" LINE64 "\r\n")},
    {STARTTLS, .name = "smtp: a line without end", LIMIT, SMTP,
     TALK("220 "), FLOOD(LINE64)},
    {STARTTLS, .name = "smtp: closes at once", CLOSED, SMTP, TALK(""), END},
    {STARTTLS, .name = "smtp: closes behind its greeting", CLOSED, SMTP,
     TALK("220 mx ESMTP\r\n", ""), END},
    {STARTTLS, .name = "smtp: closes in place of TLS",
     .want = TLSOCK_E_CLOSED_IN_HANDSHAKE, SMTP,
     TALK("220 mx ESMTP\r\n", EHLO, "220 go ahead\r\n", ""), END},
    {STARTTLS, .name = "smtp: says nothing", TIMEOUT, SMTP, TALK(""), HOLD},
    {STARTTLS, .name = "smtp: stops in its answer", TIMEOUT, SMTP,
     TALK("220 mx ESMTP\r\n", "250-mx\r\n"), HOLD},
    {STARTTLS, .name = "smtp: is an IMAP server", PROTOCOL, SMTP,
     TALK("* OK ready\r\n"), HOLD},
    {STARTTLS, .name = "smtp: speaks TLS at once", PROTOCOL, SMTP,
     TALK("\x15\x03\x01\x01\x02\x02\x32\n"), HOLD},
    {STARTTLS, .name = "smtp: TLS, and the wrong name",
     .want = TLSOCK_E_NAME_MISMATCH, SMTP, .leaf = {.san = "DNS:b.test"},
     TALK("220 mx ESMTP\r\n", EHLO, "220 go ahead\r\n")},

    {STARTTLS, .name = "imap: as it should be", .want = TLSOCK_OK, IMAP,
     TALK("* OK ready\r\n", "* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK\r\n",
          "a2 OK\r\n")},
    {STARTTLS, .name = "imap: not offered", UNAVAILABLE, IMAP,
     TALK("* OK ready\r\n", "* CAPABILITY IMAP4rev1\r\na1 OK\r\n"), HOLD},
    {STARTTLS, .name = "imap: refused", REFUSED, IMAP,
     TALK("* OK ready\r\n", "* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK\r\n",
          "a2 NO\r\n"), HOLD},
    {STARTTLS, .name = "imap: PREAUTH leaves no way to TLS", REFUSED, IMAP,
     TALK("* PREAUTH welcome back\r\n"), HOLD},

    {STARTTLS, .name = "pop3: as it should be", .want = TLSOCK_OK, POP3,
     TALK("+OK ready\r\n", "+OK\r\nSTLS\r\n.\r\n", "+OK go\r\n")},
    {STARTTLS, .name = "pop3: not offered", UNAVAILABLE, POP3,
     TALK("+OK ready\r\n", "+OK\r\nTOP\r\n.\r\n"), HOLD},
    {STARTTLS, .name = "pop3: a list without end", LIMIT, POP3,
     TALK("+OK ready\r\n", "+OK\r\n"), FLOOD("X-" LINE64 "\r\n")},

    {STARTTLS, .name = "ftp: as it should be", .want = TLSOCK_OK, FTP,
     TALK("220 ready\r\n", "234 go\r\n")},
    {STARTTLS, .name = "ftp: unknown", UNAVAILABLE, FTP,
     TALK("220 ready\r\n", "500 what?\r\n"), HOLD},

    {STARTTLS, .name = "postgres: as it should be", .want = TLSOCK_OK,
     POSTGRES, TALK("", "S")},
    {STARTTLS, .name = "postgres: not offered", UNAVAILABLE, POSTGRES,
     TALK("", "N"), HOLD},
    {STARTTLS, .name = "postgres: an error put in behind the answer",
     INJECTION, POSTGRES, TALK("", "SEerror"), HOLD},
    {STARTTLS, .name = "postgres: no answer that there is", PROTOCOL,
     POSTGRES, TALK("", "X"), HOLD},
};

const size_t mx_n_starttls = COUNT(mx_rows_starttls);
