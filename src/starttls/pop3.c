/* POP3 (RFC 1939) with CAPA (RFC 2449) and STLS (RFC 2595, 4). */
#include "starttls/dialogue.h"

#include <string.h>

enum { GREETING, CAPA, CAPS, STLS };

static int client_next(struct tsk_starttls *d, struct tsk_talk *t,
                       tlsock_error *err)
{
    if (d->state == GREETING) {
        d->state = CAPA;
        return tsk_dlg_answer(t, "CAPA", err);
    }
    if (d->state == CAPA) {
        d->state = CAPS;
        return TSK_DLG_MORE;
    }
    return TLSOCK_OK;
}

/* A line of the list; a dot ends it. */
static int client_caps(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    const char *rest;

    if (strcmp(line, ".") != 0) {
        d->offered |= tsk_dlg_word(line, "STLS", &rest);
        return TSK_DLG_MORE;
    }
    if (!d->offered)
        return tsk_dlg_unavailable(d, NULL, err);
    d->state = STLS;
    return tsk_dlg_answer(t, "STLS", err);
}

static int client_line(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    const char *rest;

    if (d->state == CAPS)
        return client_caps(d, t, line, err);
    if (tsk_dlg_word(line, "+OK", &rest))
        return client_next(d, t, err);
    if (!tsk_dlg_word(line, "-ERR", &rest))
        return tsk_dlg_alien_line(d, "+OK or -ERR", line, err);
    return d->state == CAPA ? tsk_dlg_unavailable(d, line, err)
                            : tsk_dlg_refused(d, line, err);
}

const struct tsk_dlg_side tsk_pop3_client = {NULL, client_line, NULL};

static int server_begin(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    return tsk_talk_say(t, err, "+OK %s ready\r\n", tsk_dlg_name(d));
}

static int server_line(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    const char *rest;

    if (tsk_dlg_word(line, "CAPA", &rest))
        return tsk_dlg_answer(t, "+OK\r\nSTLS\r\nRESP-CODES\r\n.", err);
    if (tsk_dlg_word(line, "STLS", &rest) && rest[0] == '\0')
        return tsk_dlg_begin(t, "+OK begin TLS", err);
    if (tsk_dlg_word(line, "QUIT", &rest))
        return tsk_dlg_bye(d, t, line, "+OK bye", err);
    return tsk_dlg_needs_tls(d, t, line, "-ERR STLS first", err);
}

const struct tsk_dlg_side tsk_pop3_server = {server_begin, server_line, NULL};
