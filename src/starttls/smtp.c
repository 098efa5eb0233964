/* SMTP (RFC 3207) and LMTP (RFC 2033), which differs by its LHLO alone. */
#include "starttls/dialogue.h"

#include <string.h>

enum { GREETING, HELLO, STARTTLS };

static const char *hello(const struct tsk_starttls *d)
{
    return d->row->name[0] == 'l' ? "LHLO" : "EHLO";
}

static int client_greeted(struct tsk_starttls *d, struct tsk_talk *t, int code,
                          const char *line, tlsock_error *err)
{
    int rc;

    if (code != 220)
        return code >= 400
                   ? tsk_dlg_refused(d, line, err)
                   : tsk_dlg_alien_line(d, "a greeting (220)", line, err);
    rc = tsk_talk_say(t, err, "%s %s\r\n", hello(d),
                      d->arg != NULL ? d->arg : "localhost");
    d->state = HELLO;
    return rc < 0 ? rc : TSK_DLG_MORE;
}

/* RFC 5321, 4.1.1.1: the first line of the reply is a name and a greeting;
 * the others begin with a keyword. */
static int client_hello(struct tsk_starttls *d, struct tsk_talk *t, int code,
                        const char *line, tlsock_error *err)
{
    if (code / 100 == 4)
        return tsk_dlg_refused(d, line, err);
    if (code != 250 || !d->offered)
        return tsk_dlg_unavailable(d, code == 250 ? NULL : line, err);
    d->state = STARTTLS;
    return tsk_dlg_answer(t, "STARTTLS", err);
}

static void note_offer(struct tsk_starttls *d, const char *line)
{
    const char *rest;

    if (d->state == HELLO && d->count > 0 && strncmp(line, "250", 3) == 0 &&
        line[3] != '\0' && tsk_dlg_word(line + 4, "STARTTLS", &rest))
        d->offered = 1;
}

static int client_line(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    int code = tsk_dlg_reply(d, line, 0, err);

    if (code < 0)
        return code;
    note_offer(d, line);
    if (code == TSK_DLG_MORE)
        return code;
    if (d->state == GREETING)
        return client_greeted(d, t, code, line, err);
    if (d->state == HELLO)
        return client_hello(d, t, code, line, err);
    return code == 220 ? TLSOCK_OK : tsk_dlg_refused(d, line, err);
}

const struct tsk_dlg_side tsk_smtp_client = {NULL, client_line, NULL};

static int server_begin(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    return tsk_talk_say(t, err, "220 %s %s ready\r\n", tsk_dlg_name(d),
                        d->row->name[0] == 'l' ? "LMTP" : "ESMTP");
}

static int server_hello(struct tsk_starttls *d, struct tsk_talk *t,
                        const char *name, tlsock_error *err)
{
    int rc;

    if (name[0] == '\0')
        return tsk_dlg_answer(t, "501 5.5.4 a name is needed", err);
    rc = tsk_talk_say(t, err, "250-%s\r\n250 STARTTLS\r\n", tsk_dlg_name(d));
    return rc < 0 ? rc : TSK_DLG_MORE;
}

static int server_starttls(struct tsk_talk *t, const char *rest,
                           tlsock_error *err)
{
    if (rest[0] != '\0') /* RFC 3207, 4 */
        return tsk_dlg_answer(t, "501 5.5.4 no parameters allowed", err);
    return tsk_dlg_begin(t, "220 2.0.0 ready to start TLS", err);
}

/* RFC 3207, 4: all but NOOP, EHLO, STARTTLS and QUIT may be refused by 530.
 * RFC 2033, 4.1: HELO and EHLO are unknown to LMTP. */
static int server_line(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    int lmtp = d->row->name[0] == 'l';
    const char *rest;

    if (tsk_dlg_word(line, hello(d), &rest))
        return server_hello(d, t, rest, err);
    if (tsk_dlg_word(line, "STARTTLS", &rest))
        return server_starttls(t, rest, err);
    if (!lmtp && tsk_dlg_word(line, "HELO", &rest) && rest[0] != '\0') {
        int rc = tsk_talk_say(t, err, "250 %s\r\n", tsk_dlg_name(d));

        return rc < 0 ? rc : TSK_DLG_MORE;
    }
    if (tsk_dlg_word(line, "NOOP", &rest) || tsk_dlg_word(line, "RSET", &rest))
        return tsk_dlg_answer(t, "250 2.0.0 OK", err);
    if (tsk_dlg_word(line, "QUIT", &rest))
        return tsk_dlg_bye(d, t, line, "221 2.0.0 bye", err);
    if (lmtp && (tsk_dlg_word(line, "EHLO", &rest) ||
                 tsk_dlg_word(line, "HELO", &rest)))
        return tsk_dlg_needs_tls(d, t, line, "500 5.5.1 LHLO is the word", err);
    return tsk_dlg_needs_tls(
        d, t, line, "530 5.7.0 Must issue a STARTTLS command first", err);
}

const struct tsk_dlg_side tsk_smtp_server = {server_begin, server_line, NULL};
