#include "intercept_watch.h"

#include <string.h>
#include <strings.h>

enum { NONE, MAIL_OR_FTP, SMTP, FTP, IMAP, POP3 };

/* What a client may say before TLS, and what answers with a list. */
static const struct {
    int protocol;
    const char *command;
    int starts, list;
} commands[] = {
    {SMTP, "EHLO", 0, 0},       {SMTP, "HELO", 0, 0},
    {SMTP, "LHLO", 0, 0},       {SMTP, "NOOP", 0, 0},
    {SMTP, "RSET", 0, 0},       {SMTP, "HELP", 0, 0},
    {SMTP, "QUIT", 0, 0},       {SMTP, "STARTTLS", 1, 0},
    {FTP, "FEAT", 0, 0},        {FTP, "SYST", 0, 0},
    {FTP, "OPTS", 0, 0},        {FTP, "HOST", 0, 0},
    {FTP, "CLNT", 0, 0},        {FTP, "AUTH TLS", 1, 0},
    {FTP, "AUTH SSL", 1, 0},    {FTP, "AUTH TLS-C", 1, 0},
    {IMAP, "CAPABILITY", 0, 0}, {IMAP, "NOOP", 0, 0},
    {IMAP, "ID", 0, 0},         {IMAP, "LOGOUT", 0, 0},
    {IMAP, "STARTTLS", 1, 0},   {POP3, "CAPA", 0, 1},
    {POP3, "NOOP", 0, 0},       {POP3, "QUIT", 0, 0},
    {POP3, "STLS", 1, 0},
};

const char *watch_protocol(const struct watch *w)
{
    return w->protocol == SMTP   ? "smtp"
           : w->protocol == FTP  ? "ftp"
           : w->protocol == IMAP ? "imap"
           : w->protocol == POP3 ? "pop3"
                                 : "";
}

/* word, then the end or a blank */
static int begins(const char *line, const char *word)
{
    size_t n = strlen(word);

    return strncasecmp(line, word, n) == 0 &&
           (line[n] == '\0' || line[n] == ' ');
}

static int find(const struct watch *w, const char *line)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        int fits = commands[i].protocol == w->protocol ||
                   (w->protocol == MAIL_OR_FTP && commands[i].protocol <= FTP);

        if (fits && begins(line, commands[i].command))
            return (int)i;
    }
    return -1;
}

/* A tag and a literal's "{" are IMAP's alone; what has a literal is not one of
 * the commands above. */
static const char *cut_tag(struct watch *w, const char *line)
{
    size_t n = strcspn(line, " ");

    if (n == 0 || n >= sizeof(w->tag) || line[n] == '\0' ||
        line[strlen(line) - 1] == '}')
        return "";
    memcpy(w->tag, line, n);
    w->tag[n] = '\0';
    return line + n + 1;
}

static void client_line(struct watch *w, const char *line)
{
    int i;

    if (w->protocol == IMAP)
        line = cut_tag(w, line);
    i = find(w, line);
    if (w->protocol == NONE || i < 0) {
        w->state = WATCH_OFF;
        return;
    }
    w->protocol = commands[i].protocol;
    w->listing = commands[i].list;
    w->asked = commands[i].starts;
    if (!w->asked)
        w->due++;
}

static void greeting(struct watch *w, const char *line)
{
    if (strncmp(line, "220", 3) == 0)
        w->protocol = MAIL_OR_FTP;
    else if (begins(line, "* OK"))
        w->protocol = IMAP;
    else if (begins(line, "+OK"))
        w->protocol = POP3;
    else
        w->state = WATCH_OFF;
    /* "220-" goes on: the last line of it is an answer like any other */
    if (w->protocol == MAIL_OR_FTP && line[3] == '-')
        w->due = 1;
}

/* Is this the last line of an answer? */
static int is_last(struct watch *w, const char *line)
{
    if (w->protocol == IMAP)
        return begins(line, w->tag) && w->tag[0] != '\0';
    if (w->protocol == POP3 && w->listing) {
        if (strcmp(line, ".") != 0 && strncmp(line, "-ERR", 4) != 0)
            return 0;
        w->listing = 0;
        return 1;
    }
    if (w->protocol == POP3)
        return line[0] == '+' || line[0] == '-';
    return strspn(line, "0123456789") == 3 && line[3] != '-';
}

static int is_yes(const struct watch *w, const char *line)
{
    switch (w->protocol) {
    case IMAP: /* a tag alone is no answer */
        return line[strlen(w->tag)] == ' ' &&
               begins(line + strlen(w->tag) + 1, "OK");
    case POP3:
        return begins(line, "+OK");
    case FTP:
        return strncmp(line, "234", 3) == 0;
    default:
        return strncmp(line, "220", 3) == 0;
    }
}

static void server_line(struct watch *w, const char *line)
{
    if (w->protocol == NONE) {
        greeting(w, line);
        return;
    }
    if (!is_last(w, line))
        return;
    if (w->protocol != IMAP && w->due > 0) {
        w->due--;
        return;
    }
    if (!w->asked)
        return;
    w->asked = 0;
    if (is_yes(w, line))
        w->state = WATCH_TLS;
}

static void whole_line(struct watch *w, int from_client,
                       struct watch_side *side)
{
    size_t n = side->len - 1; /* without its LF */

    if (n > 0 && side->line[n - 1] == '\r')
        n--;
    if (memchr(side->line, 0, n) != NULL) {
        w->state = WATCH_OFF;
        return;
    }
    side->line[n] = '\0';
    if (from_client)
        client_line(w, side->line);
    else
        server_line(w, side->line);
    side->len = 0;
}

size_t watch_bytes(struct watch *w, int from_client, const char *buf,
                   size_t len)
{
    struct watch_side *side = from_client ? &w->client : &w->server;

    for (size_t i = 0; i < len; i++) {
        if (w->state == WATCH_OFF)
            return len;
        if (from_client && w->asked)
            w->state = WATCH_BAD;
        if (w->state != WATCH_ON)
            return i;
        if (side->len == sizeof(side->line)) {
            w->state = WATCH_OFF;
            return len;
        }
        side->line[side->len++] = buf[i];
        if (buf[i] == '\n')
            whole_line(w, from_client, side);
    }
    /* what the server says behind its "go" would count as protected */
    return len;
}
