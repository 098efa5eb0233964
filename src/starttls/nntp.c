/* NNTP (RFC 3977) with STARTTLS (RFC 4642). */
#include "starttls/dialogue.h"

#include <string.h>

enum { GREETING, CAPABILITIES, LIST, STARTTLS };

static int client_greeted(struct tsk_starttls *d, struct tsk_talk *t, int code,
                          const char *line, tlsock_error *err)
{
    if (code >= 400)
        return tsk_dlg_refused(d, line, err);
    if (code != 200 && code != 201)
        return tsk_dlg_alien_line(d, "a greeting (200, 201)", line, err);
    d->state = CAPABILITIES;
    return tsk_dlg_answer(t, "CAPABILITIES", err);
}

static int client_list(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    const char *rest;

    if (strcmp(line, ".") != 0) {
        d->offered |= tsk_dlg_word(line, "STARTTLS", &rest);
        return TSK_DLG_MORE;
    }
    if (!d->offered)
        return tsk_dlg_unavailable(d, NULL, err);
    d->state = STARTTLS;
    return tsk_dlg_answer(t, "STARTTLS", err);
}

static int client_line(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    int code;

    if (d->state == LIST)
        return client_list(d, t, line, err);
    code = tsk_dlg_reply(d, line, 0, err);
    if (code < 0)
        return code;
    if (code == TSK_DLG_MORE) /* RFC 3977, 3.2: replies have one line */
        return tsk_dlg_alien_line(d, "a reply of one line", line, err);
    if (d->state == GREETING)
        return client_greeted(d, t, code, line, err);
    if (d->state == STARTTLS)
        return code == 382 ? TLSOCK_OK : tsk_dlg_refused(d, line, err);
    if (code != 101)
        return tsk_dlg_unavailable(d, line, err);
    d->state = LIST;
    return TSK_DLG_MORE;
}

const struct tsk_dlg_side tsk_nntp_client = {NULL, client_line, NULL};

static int server_begin(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    return tsk_talk_say(t, err, "201 %s ready\r\n", tsk_dlg_name(d));
}

static int server_line(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    const char *rest;

    if (tsk_dlg_word(line, "CAPABILITIES", &rest))
        return tsk_dlg_answer(
            t, "101 list follows\r\nVERSION 2\r\nSTARTTLS\r\n.", err);
    if (tsk_dlg_word(line, "STARTTLS", &rest)) {
        if (rest[0] != '\0')
            return tsk_dlg_answer(t, "501 no arguments allowed", err);
        return tsk_dlg_begin(t, "382 continue with TLS", err);
    }
    if (tsk_dlg_word(line, "QUIT", &rest))
        return tsk_dlg_bye(d, t, line, "205 bye", err);
    return tsk_dlg_needs_tls(d, t, line, "483 STARTTLS first", err);
}

const struct tsk_dlg_side tsk_nntp_server = {server_begin, server_line, NULL};
