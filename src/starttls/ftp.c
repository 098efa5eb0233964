/* FTP (RFC 959) with AUTH TLS, PBSZ, PROT and CCC (RFC 4217, RFC 2228). */
#include "starttls/dialogue.h"

#include "core/str.h"

#include <string.h>

enum { GREETING, AUTH };
enum { PBSZ, PROT, CCC };

static int unknown_command(int code)
{
    return code == 500 || code == 502 || code == 504;
}

static int client_greeted(struct tsk_starttls *d, struct tsk_talk *t, int code,
                          const char *line, tlsock_error *err)
{
    if (code == 120) /* RFC 959, 5.4: ready in some minutes; 220 follows */
        return TSK_DLG_MORE;
    if (code >= 400)
        return tsk_dlg_refused(d, line, err);
    if (code != 220)
        return tsk_dlg_alien_line(d, "a greeting (220)", line, err);
    d->state = AUTH;
    return tsk_dlg_answer(t, "AUTH TLS", err);
}

static int client_line(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    int code = tsk_dlg_reply(d, line, 1, err);

    if (code < 0 || code == TSK_DLG_MORE)
        return code;
    if (d->state == GREETING)
        return client_greeted(d, t, code, line, err);
    if (code == 234)
        return TLSOCK_OK;
    return unknown_command(code) ? tsk_dlg_unavailable(d, line, err)
                                 : tsk_dlg_refused(d, line, err);
}

const struct tsk_dlg_side tsk_ftp_client = {NULL, client_line, NULL};

static int server_begin(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    return tsk_talk_say(t, err, "220 %s ready\r\n",
                        d->host != NULL ? d->host : "localhost");
}

static int server_line(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    const char *rest;

    if (tsk_dlg_word(line, "AUTH", &rest)) {
        if (tsk_casecmp(rest, "TLS") != 0 && tsk_casecmp(rest, "TLS-C") != 0)
            return tsk_dlg_answer(t, "504 only AUTH TLS is known", err);
        return tsk_dlg_begin(t, "234 begin TLS", err);
    }
    if (tsk_dlg_word(line, "FEAT", &rest))
        return tsk_dlg_answer(t,
                              "211-Features:\r\n AUTH TLS\r\n PBSZ\r\n "
                              "PROT\r\n CCC\r\n211 End",
                              err);
    if (tsk_dlg_word(line, "NOOP", &rest))
        return tsk_dlg_answer(t, "200 OK", err);
    if (tsk_dlg_word(line, "SYST", &rest))
        return tsk_dlg_answer(t, "215 UNIX Type: L8", err);
    if (tsk_dlg_word(line, "QUIT", &rest))
        return tsk_dlg_bye(d, t, line, "221 bye", err);
    return tsk_dlg_needs_tls(d, t, line, "530 AUTH TLS first", err);
}

const struct tsk_dlg_side tsk_ftp_server = {server_begin, server_line, NULL};

static int ccc(const struct tsk_starttls *d)
{
    return tsk_casecmp(d->arg, "ccc") == 0;
}

static int after_begin(struct tsk_starttls *d, struct tsk_talk *t,
                       tlsock_error *err)
{
    d->state = ccc(d) ? CCC : PBSZ;
    if (d->server)
        return TLSOCK_OK;
    return tsk_talk_say(t, err, "%s\r\n", d->state == CCC ? "CCC" : "PBSZ 0");
}

/* RFC 4217, 9: PROT comes after PBSZ. */
static int after_client(struct tsk_starttls *d, struct tsk_talk *t,
                        const char *line, tlsock_error *err)
{
    int code = tsk_dlg_reply(d, line, 1, err), rc;

    if (code < 0 || code == TSK_DLG_MORE)
        return code;
    if (code / 100 != 2)
        return tsk_dlg_refused(d, line, err);
    if (d->state != PBSZ)
        return TLSOCK_OK;
    d->state = PROT;
    rc = tsk_talk_say(t, err, "PROT %s\r\n",
                      tsk_casecmp(d->arg, "P") == 0 ? "P" : "C");
    return rc < 0 ? rc : TSK_DLG_MORE;
}

static int after_prot(struct tsk_starttls *d, struct tsk_talk *t,
                      const char *level, tlsock_error *err)
{
    if (d->state == PBSZ)
        return tsk_dlg_answer(t, "503 PBSZ 0 first", err);
    if (tsk_casecmp(level, d->arg) == 0)
        return tsk_dlg_begin(t, "200 protected so", err);
    if (tsk_casecmp(level, "S") == 0 || tsk_casecmp(level, "E") == 0)
        return tsk_dlg_answer(t, "536 TLS does not do that", err);
    return tsk_dlg_answer(t, "534 another level is required", err);
}

static int after_server(struct tsk_starttls *d, struct tsk_talk *t,
                        const char *line, tlsock_error *err)
{
    const char *rest;

    if (tsk_dlg_word(line, "QUIT", &rest))
        return tsk_dlg_bye(d, t, line, "221 bye", err);
    if (tsk_dlg_word(line, "NOOP", &rest))
        return tsk_dlg_answer(t, "200 OK", err);
    if (d->state == CCC) {
        if (tsk_dlg_word(line, "CCC", &rest) && rest[0] == '\0')
            return tsk_dlg_begin(t, "200 TLS ends", err);
        return tsk_dlg_needs_tls(d, t, line, "503 CCC is due", err);
    }
    if (tsk_dlg_word(line, "PBSZ", &rest)) {
        d->state = PROT;
        return tsk_dlg_answer(t, "200 PBSZ=0", err);
    }
    if (tsk_dlg_word(line, "PROT", &rest))
        return after_prot(d, t, rest, err);
    return tsk_dlg_needs_tls(d, t, line, "503 PBSZ and PROT are due", err);
}

static int after_line(struct tsk_starttls *d, struct tsk_talk *t,
                      const char *line, tlsock_error *err)
{
    return d->server ? after_server(d, t, line, err)
                     : after_client(d, t, line, err);
}

const struct tsk_dlg_side tsk_ftp_after = {after_begin, after_line, NULL};
