/* IMAP (RFC 9051, 6.2.1; RFC 3501; RFC 2595). */
#include "starttls/dialogue.h"

#include "core/str.h"

#include <string.h>

enum { GREETING, CAPABILITY, STARTTLS };

#define CAPS "IMAP4rev1 STARTTLS LOGINDISABLED"
#define TAG_MOST 64

/* Is STARTTLS one of the words up to the end, or to the ] of a code? */
static int offers(const char *caps)
{
    while (*caps != '\0' && *caps != ']') {
        size_t n = strcspn(caps, " ]");

        if (n == 8 && tsk_casencmp(caps, "STARTTLS", 8) == 0)
            return 1;
        caps += n;
        caps += strspn(caps, " ");
    }
    return 0;
}

static int client_starttls(struct tsk_starttls *d, struct tsk_talk *t,
                           tlsock_error *err)
{
    d->state = STARTTLS;
    return tsk_dlg_answer(t, "a2 STARTTLS", err);
}

/* RFC 9051, 7.1: a greeting may tell the capabilities in a code. A server that
 * lists none there, or fewer, is asked. */
static int client_greeted(struct tsk_starttls *d, struct tsk_talk *t,
                          const char *line, tlsock_error *err)
{
    const char *rest, *caps;

    if (tsk_dlg_word(line, "* OK", &rest)) {
        if (tsk_dlg_word(rest, "[CAPABILITY", &caps) && offers(caps))
            return client_starttls(d, t, err);
        d->state = CAPABILITY;
        return tsk_dlg_answer(t, "a1 CAPABILITY", err);
    }
    if (tsk_dlg_word(line, "* BYE", &rest))
        return tsk_dlg_refused(d, line, err);
    if (tsk_dlg_word(line, "* PREAUTH", &rest)) {
        tsk_dlg_refused(d, line, err);
        tsk_hint(err,
                 "the connection is logged in already, and RFC 9051 (6.2.1) "
                 "allows no STARTTLS then: somebody in between may have "
                 "put this in; the TLS port is 993 (imaps://)");
        return TLSOCK_E_STARTTLS_REFUSED;
    }
    return tsk_dlg_alien_line(d, "a greeting (* OK)", line, err);
}

static int client_untagged(struct tsk_starttls *d, const char *line,
                           tlsock_error *err)
{
    const char *rest;

    if (tsk_dlg_word(line, "* BYE", &rest))
        return tsk_dlg_refused(d, line, err);
    if (tsk_dlg_word(line, "* CAPABILITY", &rest))
        d->offered = offers(rest);
    return TSK_DLG_MORE;
}

static int client_capable(struct tsk_starttls *d, struct tsk_talk *t, int ok,
                          const char *line, tlsock_error *err)
{
    if (!ok || !d->offered)
        return tsk_dlg_unavailable(d, ok ? NULL : line, err);
    return client_starttls(d, t, err);
}

static int client_line(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    const char *tag = d->state == CAPABILITY ? "a1" : "a2", *rest, *text;
    int ok;

    if (d->state == GREETING)
        return client_greeted(d, t, line, err);
    if (line[0] == '*' && line[1] == ' ')
        return client_untagged(d, line, err);
    if (!tsk_dlg_word(line, tag, &rest))
        return tsk_dlg_alien_line(d, "an answer with our tag", line, err);
    ok = tsk_dlg_word(rest, "OK", &text);
    if (!ok && !tsk_dlg_word(rest, "NO", &text) &&
        !tsk_dlg_word(rest, "BAD", &text))
        return tsk_dlg_alien_line(d, "OK, NO or BAD", line, err);
    if (d->state == CAPABILITY)
        return client_capable(d, t, ok, line, err);
    return ok ? TLSOCK_OK : tsk_dlg_refused(d, line, err);
}

const struct tsk_dlg_side tsk_imap_client = {NULL, client_line, NULL};

static int server_begin(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    return tsk_talk_say(t, err, "* OK [CAPABILITY " CAPS "] %s ready\r\n",
                        tsk_dlg_name(d));
}

/* RFC 9051, 9: tag = 1*<any ASTRING-CHAR except "+">. Its length, or 0. */
static int tag_of(const char *line)
{
    size_t n = strcspn(line, " ");

    if (n == 0 || n > TAG_MOST || line[n] != ' ')
        return 0;
    for (size_t i = 0; i < n; i++)
        if (line[i] <= ' ' || line[i] > '~' ||
            strchr("(){%*\"\\+", line[i]) != NULL)
            return 0;
    return (int)n;
}

static int say(struct tsk_talk *t, const char *before, const char *line,
               int tag, const char *after, tlsock_error *err)
{
    return tsk_talk_say(t, err, "%s%.*s %s\r\n", before, tag, line, after);
}

static int server_quit(struct tsk_starttls *d, struct tsk_talk *t, int tag,
                       const char *line, tlsock_error *err)
{
    int rc = say(t, "* BYE\r\n", line, tag, "OK bye", err);

    return rc < 0 ? rc : tsk_dlg_gone_on(d, line, err);
}

static int server_other(struct tsk_starttls *d, struct tsk_talk *t, int tag,
                        const char *line, tlsock_error *err)
{
    char answer[TAG_MOST + 64];
    size_t pos = 0;

    tsk_append(answer, sizeof(answer), &pos,
               "%.*s NO [PRIVACYREQUIRED] STARTTLS first", tag, line);
    return tsk_dlg_needs_tls(d, t, line, answer, err);
}

static int server_line(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    int tag = tag_of(line), rc;
    const char *verb = line + tag + 1, *rest;

    if (tag == 0)
        return tsk_dlg_needs_tls(d, t, line, "* BAD a tag is needed", err);
    if (tsk_dlg_word(verb, "STARTTLS", &rest) && rest[0] == '\0')
        return say(t, "", line, tag, "OK begin TLS now", err);
    if (tsk_dlg_word(verb, "LOGOUT", &rest))
        return server_quit(d, t, tag, line, err);
    if (tsk_dlg_word(verb, "CAPABILITY", &rest))
        rc = say(t, "* CAPABILITY " CAPS "\r\n", line, tag, "OK done", err);
    else if (tsk_dlg_word(verb, "NOOP", &rest))
        rc = say(t, "", line, tag, "OK done", err);
    else
        return server_other(d, t, tag, line, err);
    return rc < 0 ? rc : TSK_DLG_MORE;
}

const struct tsk_dlg_side tsk_imap_server = {server_begin, server_line, NULL};
