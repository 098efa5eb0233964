#include "starttls/dialogue.h"

#include "core/str.h"

#include <string.h>

/* The peer's words, safe to show and short enough for a message. */
struct words {
    char text[112];
};

static struct words show(const void *p, size_t len)
{
    struct words w;

    tsk_printable(w.text, sizeof(w.text), p, len);
    return w;
}

static struct words show_text(const char *text)
{
    return show(text, strlen(text));
}

int tsk_dlg_unavailable(const struct tsk_starttls *d, const char *words,
                        tlsock_error *err)
{
    if (words != NULL)
        tsk_fail(err, TLSOCK_E_STARTTLS_UNAVAILABLE,
                 "the %s server does not offer %s: it answered \"%s\"",
                 d->row->title, d->row->verb, show_text(words).text);
    else
        tsk_fail(err, TLSOCK_E_STARTTLS_UNAVAILABLE,
                 "the %s server does not offer %s", d->row->title,
                 d->row->verb);
    if (d->row->tls != NULL)
        tsk_hint(err,
                 "its TLS port is usually %s. If it used to offer this, "
                 "somebody in between may take the offer away; \"starttls "
                 "= opportunistic\" goes on without protection",
                 d->row->tls);
    else
        tsk_hint(err,
                 "its administrator can enable TLS. If it used to offer "
                 "this, somebody in between may take the offer away; "
                 "\"starttls = opportunistic\" goes on without protection");
    return TLSOCK_E_STARTTLS_UNAVAILABLE;
}

int tsk_dlg_refused(const struct tsk_starttls *d, const char *words,
                    tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_STARTTLS_REFUSED, "the %s server refused: \"%s\"",
             d->row->title, show_text(words).text);
    tsk_hint(err, "these are the server's own words, and its log may say more; "
                  "it may be overloaded, lack a certificate or refuse this "
                  "address");
    return TLSOCK_E_STARTTLS_REFUSED;
}

int tsk_dlg_gone_on(const struct tsk_starttls *d, const char *words,
                    tlsock_error *err)
{
    const char *what =
        d->when == TSK_STARTTLS_AFTER ? "what was agreed on" : "TLS";

    tsk_fail(err, TLSOCK_E_STARTTLS_REFUSED,
             "the %s client goes on without %s: \"%s\"", d->row->title, what,
             show_text(words).text);
    tsk_hint(err,
             "let the client use %s (it may call the setting STARTTLS, "
             "\"TLS required\" or \"explicit TLS\")",
             d->row->verb);
    return TLSOCK_E_STARTTLS_REFUSED;
}

/* What strangers begin with. own: who may begin so, and is no stranger. */
static const struct {
    const char *begins;
    size_t len;
    const char *own, *hint;
} strangers[] = {
    {"\x16", 1, "",
     "this is TLS: the peer begins with it at once; leave "
     "STARTTLS out, and use the URL scheme or port for TLS"},
    {"\x15", 1, "",
     "this is a TLS alert: the peer expects TLS at once; leave "
     "STARTTLS out, and use the URL scheme or port for TLS"},
    {"SSH-", 4, "", "this is an SSH server: check host and port"},
    {"RFB ", 4, "", "this is a VNC server: check host and port"},
    {"HTTP/", 5, "http", "this is an HTTP server: check host and port"},
    {"<html", 5, "", "this is an HTTP server: check host and port"},
    {"<!DOCTYPE", 9, "", "this is an HTTP server: check host and port"},
    {"<", 1, "xmpp xmpp-server",
     "this looks like XMPP: check port and protocol"},
    {"* ", 2, "imap",
     "this looks like IMAP: use protocol imap, or check host "
     "and port"},
    {"+OK", 3, "pop3",
     "this looks like POP3: use protocol pop3, or check host "
     "and port"},
    {"220", 3, "smtp lmtp ftp",
     "this looks like SMTP or FTP: use protocol "
     "smtp or ftp, or check host and port"},
    {"200 ", 4, "nntp smtp lmtp ftp",
     "this looks like NNTP: use protocol "
     "nntp, or check host and port"},
    {"201 ", 4, "nntp smtp lmtp ftp",
     "this looks like NNTP: use protocol "
     "nntp, or check host and port"},
    {"\"IMPL", 5, "sieve",
     "this looks like ManageSieve: use protocol sieve, "
     "or check host and port"},
    {"0\x84", 2, "ldap",
     "this looks like LDAP: use protocol ldap, or check "
     "host and port"},
    {"GET ", 4, "http", "the client speaks HTTP: check which port it uses"},
    {"POST ", 5, "http", "the client speaks HTTP: check which port it uses"},
    {"EHLO ", 5, "smtp", "the client speaks SMTP: check which port it uses"},
    {"USER ", 5, "ftp pop3 irc",
     "the client speaks FTP, POP3 or IRC: check "
     "which port it uses"},
};

static const char *who_is_it(const struct tsk_starttls *d, const void *bytes,
                             size_t len)
{
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
        if (len >= strangers[i].len &&
            memcmp(bytes, strangers[i].begins, strangers[i].len) == 0 &&
            strstr(strangers[i].own, d->row->name) == NULL)
            return strangers[i].hint;
    return NULL;
}

int tsk_dlg_alien(const struct tsk_starttls *d, const char *wanted,
                  const void *bytes, size_t len, tlsock_error *err)
{
    struct words came = show(bytes, len);
    const char *hint = who_is_it(d, bytes, len);

    tsk_fail(err, TLSOCK_E_PROTOCOL,
             "the %s %s sent \"%s\" where %s was expected", d->row->title,
             d->server ? "client" : "server", came.text, wanted);
    tsk_facts(err, wanted, came.text, NULL);
    if (hint != NULL)
        tsk_hint(err, "%s", hint);
    else
        tsk_hint(err, "is this port one for %s? Check host, port and protocol",
                 d->row->title);
    return TLSOCK_E_PROTOCOL;
}

int tsk_dlg_alien_line(const struct tsk_starttls *d, const char *wanted,
                       const char *line, tlsock_error *err)
{
    return tsk_dlg_alien(d, wanted, line, strlen(line), err);
}

/* Text may begin with a blank line, never with a control byte. */
int tsk_dlg_line(const struct tsk_starttls *d, struct tsk_talk *t, char *line,
                 tlsock_error *err)
{
    const uint8_t *p = tsk_buf_at(t->in);

    if (t->in->len > 0 && p[0] < ' ' && strchr("\r\n\t", p[0]) == NULL)
        return tsk_dlg_alien(d, "a line of text", p,
                             t->in->len < 24 ? t->in->len : 24, err);
    return tsk_talk_line(t, line, err);
}

void tsk_dlg_memory_hint(tlsock_error *err)
{
    if (err != NULL && err->code == TLSOCK_E_NOMEM)
        tsk_hint(err, "free memory, or raise this process's limit (ulimit -v)");
}
