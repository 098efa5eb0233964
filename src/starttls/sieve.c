/* ManageSieve (RFC 5804). Strings may be literals, "{5}" and then five bytes,
 * which belong to the line before them and are not looked at. */
#include "starttls/dialogue.h"

#include "core/str.h"

#include <string.h>

enum { CAPS, STARTTLS };
enum { OTHER, OK, NO };

#define SIEVE_CAPS                                                             \
    "\"IMPLEMENTATION\" \"tlsock\"\r\n\"SIEVE\" \"\"\r\n\"STARTTLS\"\r\n"      \
    "\"VERSION\" \"1.0\"\r\nOK\r\n"

static int is_status(const char *line, const char *word)
{
    size_t n = strlen(word);

    return tsk_casencmp(line, word, n) == 0 &&
           (line[n] == '\0' || line[n] == ' ');
}

enum { NO_LITERAL = -1, TOO_LONG = -2 };

/* The bytes of a literal that follow the line, or one of the above. "{5+}" is
 * a client's way to say it. */
static int64_t literal(const char *line)
{
    size_t len = strlen(line);
    const char *open = strrchr(line, '{');
    char digits[8] = "";
    int64_t n;

    if (open == NULL || len == 0 || line[len - 1] != '}')
        return NO_LITERAL;
    len -= (size_t)(open - line) + 2; /* between the braces */
    if (len > 0 && open[len] == '+')
        len--;
    if (len == 0 || strspn(open + 1, "0123456789") != len)
        return NO_LITERAL;
    if (len >= sizeof(digits))
        return TOO_LONG;
    memcpy(digits, open + 1, len);
    return tsk_number(digits, 0, TSK_TALK_LINE, &n) == 0 ? n : TOO_LONG;
}

static int skip(struct tsk_starttls *d, struct tsk_talk *t, tlsock_error *err)
{
    size_t n = d->skip;
    int rc;

    if (tsk_talk_need(t, n, &rc, err) == NULL)
        return rc;
    d->skip = 0;
    rc = tsk_talk_take(t, n, err);
    return rc < 0 ? rc : TSK_DLG_MORE;
}

static int too_long(tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_LIMIT,
             "the peer announced a literal of more than %d bytes before TLS",
             TSK_TALK_LINE);
    tsk_hint(err, "this is no ManageSieve, or a hostile peer: check host, port "
                  "and protocol");
    return TLSOCK_E_LIMIT;
}

/* A line of either side, or the literal behind one: MORE, AGAIN or code. What
 * it says is complete (*done) when no literal follows. */
static int next(struct tsk_starttls *d, struct tsk_talk *t, char *line,
                int *done, tlsock_error *err)
{
    int rc;
    int64_t n;

    *done = 0;
    if (d->skip > 0)
        return skip(d, t, err);
    rc = tsk_dlg_line(d, t, line, err);
    if (rc <= 0)
        return rc;
    n = literal(line);
    if (n == TOO_LONG)
        return too_long(err);
    *done = n == NO_LITERAL;
    d->skip = *done ? 0 : (size_t)n;
    return TSK_DLG_MORE;
}

static int client_done(struct tsk_starttls *d, struct tsk_talk *t, int status,
                       const char *line, tlsock_error *err)
{
    if (status == OTHER)
        return TSK_DLG_MORE;
    if (status == NO)
        return tsk_dlg_refused(d, line, err);
    if (d->state == STARTTLS)
        return TLSOCK_OK;
    if (!d->offered)
        return tsk_dlg_unavailable(d, NULL, err);
    d->state = STARTTLS;
    return tsk_dlg_answer(t, "STARTTLS", err);
}

/* What the line is: its status + 1 in d->code, for the rest of it to come. */
static int client_first(struct tsk_starttls *d, const char *line,
                        tlsock_error *err)
{
    if (is_status(line, "OK"))
        d->code = OK + 1;
    else if (is_status(line, "NO") || is_status(line, "BYE"))
        d->code = NO + 1;
    else if (d->state == CAPS && line[0] == '"')
        d->code = OTHER + 1;
    else
        return tsk_dlg_alien_line(d, "OK, NO, BYE or a capability", line, err);
    if (d->code == OTHER + 1 && is_status(line, "\"STARTTLS\""))
        d->offered = 1;
    return TSK_DLG_MORE;
}

static int client_bytes(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    char line[TSK_TALK_LINE];
    int done, status, rc, skipping = d->skip > 0;

    rc = next(d, t, line, &done, err);
    if (rc != TSK_DLG_MORE || skipping)
        return rc;
    if (d->code == 0)
        rc = client_first(d, line, err);
    if (rc != TSK_DLG_MORE || !done)
        return rc;
    status = d->code - 1;
    d->code = 0;
    return client_done(d, t, status, line, err);
}

const struct tsk_dlg_side tsk_sieve_client = {NULL, NULL, client_bytes};

static int server_begin(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    (void)d;
    return tsk_talk_say(t, err, "%s", SIEVE_CAPS);
}

static int server_command(struct tsk_starttls *d, struct tsk_talk *t,
                          const char *line, tlsock_error *err)
{
    const char *rest;
    int rc;

    if (tsk_dlg_word(line, "STARTTLS", &rest) && rest[0] == '\0')
        return tsk_dlg_begin(t, "OK", err);
    if (tsk_dlg_word(line, "CAPABILITY", &rest)) {
        rc = tsk_talk_say(t, err, "%s", SIEVE_CAPS);
        return rc < 0 ? rc : TSK_DLG_MORE;
    }
    if (tsk_dlg_word(line, "NOOP", &rest))
        return tsk_dlg_answer(t, "OK", err);
    if (tsk_dlg_word(line, "LOGOUT", &rest))
        return tsk_dlg_bye(d, t, line, "OK", err);
    return tsk_dlg_needs_tls(d, t, line,
                             "NO (ENCRYPT-NEEDED) \"STARTTLS first\"", err);
}

/* RFC 5804, 1.2: clients' literals follow without being asked for. */
static int server_bytes(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    char line[TSK_TALK_LINE];
    int done, rest, rc, skipping = d->skip > 0;

    rc = next(d, t, line, &done, err);
    if (rc != TSK_DLG_MORE || skipping)
        return rc;
    rest = d->code;
    d->code = !done;
    if (!done)
        return TSK_DLG_MORE;
    /* the end of a command with literals: none of those is known here */
    return server_command(d, t, rest ? "(literal)" : line, err);
}

const struct tsk_dlg_side tsk_sieve_server = {server_begin, NULL, server_bytes};
