/* IRC (RFC 1459) with the capability "tls" (IRCv3, CAP LS) and STARTTLS with
 * its numerics 670 and 691. A server without either may leave STARTTLS
 * unanswered: it is asked for its capabilities first. */
#include "starttls/dialogue.h"

#include "core/str.h"

#include <string.h>

enum { CAPABILITIES, STARTTLS }; /* what the client has asked for */
enum { NICK = 1, USER = 2 };     /* what the server's client has said */

#define ARG_MOST 400

/* Past "@tags " and ":prefix ": the command. */
static const char *command(const char *line)
{
    for (int i = 0; i < 2; i++) {
        if (line[0] != (i == 0 ? '@' : ':'))
            continue;
        line += strcspn(line, " ");
        line += strspn(line, " ");
    }
    return line;
}

/* RFC 1459, 2.3.1: letters; or three digits, from a server that says who it
 * is: other protocols begin with three digits, too. */
static int is_command(const char *text, int prefix)
{
    size_t n = strcspn(text, " ");

    if (n == 3 && prefix && strspn(text, "0123456789") == 3)
        return 1;
    return n > 0 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == n;
}

static int pong(struct tsk_starttls *d, struct tsk_talk *t, const char *line,
                const char *arg, tlsock_error *err)
{
    int rc;

    for (const char *p = arg; *p != '\0'; p++)
        if ((uint8_t)*p < ' ' || p - arg > ARG_MOST)
            return tsk_dlg_alien_line(d, "a PING with a word", line, err);
    rc = tsk_talk_say(t, err, "PONG %s\r\n", arg);
    return rc < 0 ? rc : TSK_DLG_MORE;
}

static int client_begin(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    (void)d;
    return tsk_talk_say(t, err, "CAP LS\r\n");
}

/* CAP END first: an open negotiation would hold up the registration that
 * follows within TLS. */
static int ask(struct tsk_starttls *d, struct tsk_talk *t, const char *before,
               tlsock_error *err)
{
    int rc = tsk_talk_say(t, err, "%sSTARTTLS\r\n", before);

    d->state = STARTTLS;
    return rc < 0 ? rc : TSK_DLG_MORE;
}

/* ":server CAP nick LS :a b c", with "*" before the list if more lines follow
 */
static int client_caps(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, const char *args, tlsock_error *err)
{
    const char *rest = args + strcspn(args, " ");

    rest += strspn(rest, " ");
    if (d->state != CAPABILITIES || !tsk_dlg_word(rest, "LS", &rest))
        return TSK_DLG_MORE;
    for (const char *p = strchr(rest, ':'); p != NULL; p = strchr(p + 1, ' ')) {
        size_t n = strcspn(p + 1, " =");

        d->offered |= n == 3 && memcmp(p + 1, "tls", 3) == 0;
    }
    if (rest[0] == '*')
        return TSK_DLG_MORE;
    return d->offered ? ask(d, t, "CAP END\r\n", err)
                      : tsk_dlg_unavailable(d, line, err);
}

/* Servers may say NOTICE, PING or numerics before they answer. */
static int client_line(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    const char *text = command(line), *rest;

    if (!is_command(text, text != line))
        return tsk_dlg_alien_line(d, "an IRC message", line, err);
    if (d->state == STARTTLS && tsk_dlg_word(text, "670", &rest))
        return TLSOCK_OK;
    if (tsk_dlg_word(text, "691", &rest) || tsk_dlg_word(text, "ERROR", &rest))
        return tsk_dlg_refused(d, line, err);
    if (tsk_dlg_word(text, "CAP", &rest))
        return client_caps(d, t, line, rest, err);
    /* unknown command; not registered: the server may be older than CAP */
    if (tsk_dlg_word(text, "421", &rest) || tsk_dlg_word(text, "451", &rest))
        return d->state == CAPABILITIES ? ask(d, t, "", err)
                                        : tsk_dlg_unavailable(d, line, err);
    if (tsk_dlg_word(text, "PING", &rest))
        return pong(d, t, line, rest, err);
    return TSK_DLG_MORE;
}

const struct tsk_dlg_side tsk_irc_client = {client_begin, client_line, NULL};

static int say(const struct tsk_starttls *d, struct tsk_talk *t,
               const char *text, tlsock_error *err)
{
    int rc = tsk_talk_say(t, err, ":%s %s\r\n", tsk_dlg_name(d), text);

    return rc < 0 ? rc : TSK_DLG_MORE;
}

static int server_cap(struct tsk_starttls *d, struct tsk_talk *t,
                      const char *line, const char *what, tlsock_error *err)
{
    const char *rest;

    if (tsk_dlg_word(what, "LS", &rest))
        return say(d, t, "CAP * LS :tls", err);
    if (tsk_dlg_word(what, "REQ", &rest) && tsk_casecmp(rest, ":tls") == 0)
        return say(d, t, "CAP * ACK :tls", err);
    if (tsk_dlg_word(what, "END", &rest))
        return TSK_DLG_MORE;
    return tsk_dlg_needs_tls(d, t, line, "451 * :STARTTLS first", err);
}

/* NICK and USER may come before STARTTLS; with both the client is registered,
 * and has gone on without it. */
static int server_register(struct tsk_starttls *d, struct tsk_talk *t,
                           const char *line, int which, tlsock_error *err)
{
    d->state |= which;
    if (d->state != (NICK | USER))
        return TSK_DLG_MORE;
    return tsk_dlg_bye(d, t, line, "ERROR :STARTTLS is needed", err);
}

static int server_line(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    const char *text = command(line), *rest;
    int rc;

    if (line[0] == '\0') /* RFC 1459, 2.3.1: ignored */
        return TSK_DLG_MORE;
    if (tsk_dlg_word(text, "STARTTLS", &rest)) {
        rc = say(d, t, "670 * :STARTTLS successful, begin TLS", err);
        return rc < 0 ? rc : TLSOCK_OK;
    }
    if (tsk_dlg_word(text, "CAP", &rest))
        return server_cap(d, t, line, rest, err);
    if (tsk_dlg_word(text, "NICK", &rest))
        return server_register(d, t, "NICK", NICK, err);
    if (tsk_dlg_word(text, "USER", &rest))
        return server_register(d, t, "USER", USER, err);
    if (tsk_dlg_word(text, "PING", &rest))
        return pong(d, t, line, rest, err);
    if (tsk_dlg_word(text, "QUIT", &rest))
        return tsk_dlg_bye(d, t, "QUIT", "ERROR :bye", err);
    return tsk_dlg_needs_tls(d, t,
                             is_command(text, 0) ? "other commands" : line,
                             "451 * :STARTTLS first", err);
}

const struct tsk_dlg_side tsk_irc_server = {NULL, server_line, NULL};
