/* HTTP/1.1 Upgrade to TLS (RFC 2817). The answer to the OPTIONS request itself
 * comes in TLS, and is the application's. */
#include "starttls/dialogue.h"

#include "core/str.h"

#include <string.h>

enum { FIRST, HEADERS };
enum { UPGRADE = 1, CONNECTION = 2, HOST = 4, BODY = 8, TWO_HOSTS = 16 };

#define UPGRADES "Upgrade: TLS/1.0, HTTP/1.1\r\nConnection: Upgrade\r\n"

/* Is it one of the list's words, up to a version that may differ? */
static int listed(const char *list, const char *word, int prefix)
{
    size_t n = strlen(word);

    while (*list != '\0') {
        size_t len = strcspn(list, ", \t");

        if ((prefix ? len >= n : len == n) && tsk_casencmp(list, word, n) == 0)
            return 1;
        list += len;
        list += strspn(list, ", \t");
    }
    return 0;
}

/* "Name: value": the value if it is this field, else NULL */
static const char *field(const char *line, const char *name)
{
    size_t n = strlen(name);

    if (tsk_casencmp(line, name, n) != 0 || line[n] != ':')
        return NULL;
    return line + n + 1 + strspn(line + n + 1, " \t");
}

/* Notes what a header says. RFC 9112, 5.1: no blanks before the colon, and a
 * line that goes on with another is obsolete. */
static int header(struct tsk_starttls *d, const char *line, tlsock_error *err)
{
    const char *v;

    if (strcspn(line, " \t:") == 0 || line[strcspn(line, " \t:")] != ':')
        return tsk_dlg_alien_line(d, "a header", line, err);
    v = field(line, "Upgrade");
    if (v != NULL && listed(v, "TLS/1.", 1))
        d->offered |= UPGRADE;
    v = field(line, "Connection");
    if (v != NULL && listed(v, "Upgrade", 0))
        d->offered |= CONNECTION;
    if (field(line, "Host") != NULL)
        d->offered |= d->offered & HOST ? TWO_HOSTS : HOST;
    v = field(line, "Content-Length");
    if ((v != NULL && strcmp(v, "0") != 0) ||
        field(line, "Transfer-Encoding") != NULL)
        d->offered |= BODY;
    return TSK_DLG_MORE;
}

/* RFC 9112, 3.2: an IPv6 address stands in brackets. */
static int client_begin(struct tsk_starttls *d, struct tsk_talk *t,
                        tlsock_error *err)
{
    const char *host = tsk_dlg_name(d), *colon = strchr(host, ':');
    int bare =
        colon != NULL && host[0] != '[' && strchr(colon + 1, ':') != NULL;

    return tsk_talk_say(t, err,
                        "OPTIONS * HTTP/1.1\r\nHost: %s%s%s\r\n"
                        "Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n",
                        bare ? "[" : "", host, bare ? "]" : "");
}

/* "HTTP/1.1 101 text": the code, or -1 */
static int status_of(const char *line)
{
    const char *p = line + 9;

    if (strncmp(line, "HTTP/1.", 7) != 0 ||
        (line[7] != '0' && line[7] != '1') || line[8] != ' ' ||
        strspn(p, "0123456789") != 3 || (p[3] != ' ' && p[3] != '\0'))
        return -1;
    return (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
}

/* Those who do not know the upgrade ignore it, or do not know OPTIONS. */
static int client_no(struct tsk_starttls *d, int status, const char *line,
                     tlsock_error *err)
{
    static const int ignorant[] = {400, 404, 405, 426, 501, 505};

    for (size_t i = 0; i < sizeof(ignorant) / sizeof(ignorant[0]); i++)
        if (status == ignorant[i])
            return tsk_dlg_unavailable(d, line, err);
    return status < 400 ? tsk_dlg_unavailable(d, line, err)
                        : tsk_dlg_refused(d, line, err);
}

static int client_first(struct tsk_starttls *d, const char *line,
                        tlsock_error *err)
{
    int status = status_of(line);

    if (status < 100)
        return tsk_dlg_alien_line(d, "an HTTP response", line, err);
    if (status >= 200)
        return client_no(d, status, line, err);
    d->code = status;
    d->state = HEADERS;
    d->offered = 0;
    return TSK_DLG_MORE;
}

/* RFC 2817, 3.3: 101 with Upgrade: TLS. Other 1xx are not final. */
static int client_line(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    (void)t;
    if (d->state == FIRST)
        return client_first(d, line, err);
    if (line[0] != '\0')
        return header(d, line, err);
    d->state = FIRST;
    if (d->code != 101)
        return TSK_DLG_MORE;
    if ((d->offered & UPGRADE) == 0)
        return tsk_dlg_alien_line(d, "Upgrade: TLS in the answer 101", "101",
                                  err);
    return TLSOCK_OK;
}

const struct tsk_dlg_side tsk_http_client = {client_begin, client_line, NULL};

/* "METHOD target HTTP/1.1": 1, with d->code: is it OPTIONS? RFC 2817, 3.2:
 * only that can be answered after an upgrade without more ado. */
static int request(struct tsk_starttls *d, const char *line)
{
    size_t n = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    const char *target = line + n + 1, *version;

    if (n == 0 || line[n] != ' ')
        return 0;
    version = strchr(target, ' ');
    d->code = strncmp(line, "OPTIONS ", 8) == 0;
    return version != NULL && version != target &&
           strcmp(version + 1, "HTTP/1.1") == 0;
}

static int server_bad(struct tsk_starttls *d, struct tsk_talk *t,
                      const char *why, tlsock_error *err)
{
    int rc = tsk_talk_say(t, err,
                          "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                          "Content-Length: 0\r\n\r\n");

    return rc < 0 ? rc : tsk_dlg_gone_on(d, why, err);
}

static int server_request(struct tsk_starttls *d, struct tsk_talk *t,
                          tlsock_error *err)
{
    if ((d->offered & TWO_HOSTS) != 0 || (d->offered & HOST) == 0)
        return server_bad(d, t, "a request without one Host", err);
    if ((d->offered & BODY) != 0)
        return server_bad(d, t, "a request with a body", err);
    if (d->code && (d->offered & UPGRADE) != 0 &&
        (d->offered & CONNECTION) != 0)
        return tsk_dlg_begin(t, "HTTP/1.1 101 Switching Protocols\r\n" UPGRADES,
                             err);
    d->state = FIRST;
    return tsk_dlg_needs_tls(d, t, "requests without Upgrade: TLS/1.0",
                             "HTTP/1.1 426 Upgrade Required\r\n" UPGRADES
                             "Content-Length: 0\r\n",
                             err);
}

static int server_line(struct tsk_starttls *d, struct tsk_talk *t,
                       const char *line, tlsock_error *err)
{
    if (d->state == HEADERS)
        return line[0] != '\0' ? header(d, line, err)
                               : server_request(d, t, err);
    if (line[0] == '\0') /* RFC 9112, 2.2: before a request, ignored */
        return TSK_DLG_MORE;
    if (!request(d, line))
        return tsk_dlg_alien_line(d, "an HTTP/1.1 request", line, err);
    d->state = HEADERS;
    d->offered = 0;
    return TSK_DLG_MORE;
}

const struct tsk_dlg_side tsk_http_server = {NULL, server_line, NULL};
