#include "net/target.h"

#include "core/str.h"
#include "net/addr.h"

#include <stdio.h>
#include <string.h>

/* What the scheme of a URL stands for. Rows without STARTTLS first: they are
 * listed apart in messages. */
static const struct scheme {
    const char *name;
    int port;
    const char *starttls; /* "": TLS at once */
} schemes[] = {
    {"https", 443, ""},       {"imaps", 993, ""},
    {"smtps", 465, ""},       {"pop3s", 995, ""},
    {"ldaps", 636, ""},       {"ftps", 990, ""},
    {"nntps", 563, ""},       {"ircs", 6697, ""},
    {"sips", 5061, ""},       {"xmpps", 5223, ""},
    {"smtp", 25, "smtp"},     {"imap", 143, "imap"},
    {"pop3", 110, "pop3"},    {"ftp", 21, "ftp"},
    {"ldap", 389, "ldap"},    {"nntp", 119, "nntp"},
    {"sieve", 4190, "sieve"}, {"xmpp", 5222, "xmpp"},
    {"irc", 6667, "irc"},     {"postgres", 5432, "postgres"},
    {"mysql", 3306, "mysql"}, {"lmtp", 24, "lmtp"},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The piece at fault, safe to show and short enough for a message. */
struct piece {
    char text[96];
};

static struct piece show(const char *p, size_t len)
{
    struct piece s;

    tsk_printable(s.text, sizeof(s.text), p, len);
    return s;
}

static void hint(tlsock_error *err, int listening)
{
    if (listening)
        tsk_hint(err, "valid: :PORT (this machine only), *:PORT (every "
                      "address), HOST:PORT, [IPV6]:PORT, unix:PATH; port 0 "
                      "takes a free one");
    else
        tsk_hint(err, "valid: HOST, HOST:PORT, HOST:SERVICE, [IPV6]:PORT, "
                      "unix:PATH, or a URL such as https://HOST");
}

static int fail(tlsock_error *err, int listening, const char *what,
                const char *p, size_t len)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "target: %s \"%s\"", what,
             show(p, len).text);
    hint(err, listening);
    return TLSOCK_E_ARGUMENT;
}

static int set_unix(struct tsk_target *t, const char *path, int listening,
                    tlsock_error *err)
{
    size_t len = strlen(path);

    if (len == 0)
        return fail(err, listening, "no path after", "unix:", 5);
    if (len >= sizeof(t->path))
        return fail(err, listening, "UNIX socket path over 107 bytes:", path,
                    len);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f)
            return fail(err, listening, "control character in", path, len);
    memcpy(t->path, path, len + 1);
    return TLSOCK_OK;
}

static int set_port(struct tsk_target *t, const char *p, size_t len,
                    int listening, tlsock_error *err)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char text[sizeof(t->service)];
    int64_t port;

    if (len == 0)
        return fail(err, listening, "port is empty after", ":", 1);
    if (len >= sizeof(text))
        return fail(err, listening, "port or service too long:", p, len);
    memcpy(text, p, len);
    text[len] = '\0';
    if (strspn(text, "0123456789") == len) {
        if (tsk_number(text, listening ? 0 : 1, 65535, &port) != 0)
            return fail(err, listening,
                        listening ? "port must be 0 to 65535, not"
                                  : "port must be 1 to 65535, not",
                        p, len);
        tsk_decimal(t->service, (uint32_t)port);
        return TLSOCK_OK;
    }
    /* RFC 6335, 5.1: letters, digits and hyphens, at least one letter; older
     * entries of /etc/services have a few more characters. */
    if (text[0] == '-' || strpbrk(text, letters) == NULL ||
        strspn(text, "0123456789-_+./"
                     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") <
            len)
        return fail(err, listening, "neither a port nor a service name:", p,
                    len);
    memcpy(t->service, text, len + 1);
    return TLSOCK_OK;
}

static int set_host(struct tsk_target *t, const char *p, size_t len,
                    int listening, tlsock_error *err)
{
    char wire[256];
    uint8_t ip[16];
    int rc;

    if (len == 0)
        return fail(err, listening, "host is empty in", p, strlen(p));
    if (len >= sizeof(t->host))
        return fail(err, listening, "host over 255 bytes:", p, len);
    memcpy(t->host, p, len);
    t->host[len] = '\0';
    rc = tsk_host_normalise(wire, t->host, err);
    if (rc != TLSOCK_OK)
        return rc;
    t->is_ip = tsk_ip_parse(t->host, ip);
    return TLSOCK_OK;
}

/* [v6] or [v6]:port, the form with brackets */
static int set_bracketed(struct tsk_target *t, const char *p, size_t len,
                         int listening, tlsock_error *err)
{
    const char *end = memchr(p, ']', len);
    size_t host_len, rest;
    int rc;

    if (end == NULL)
        return fail(err, listening, "no ] after [ in", p, len);
    host_len = (size_t)(end - p) - 1;
    rc = set_host(t, p + 1, host_len, listening, err);
    if (rc != TLSOCK_OK)
        return rc;
    if (t->is_ip != 6)
        return fail(err, listening, "no IPv6 address between brackets:", p,
                    len);
    rest = len - host_len - 2;
    if (rest == 0)
        return TLSOCK_OK;
    if (end[1] != ':')
        return fail(err, listening, "expected :PORT after ], not", end + 1,
                    rest);
    return set_port(t, end + 2, rest - 1, listening, err);
}

/* Host and, if there is one, port: what URLs and plain targets share. */
static int set_authority(struct tsk_target *t, const char *p, size_t len,
                         int listening, tlsock_error *err)
{
    const char *colon = memchr(p, ':', len);
    size_t after = colon != NULL ? len - (size_t)(colon - p) - 1 : 0;
    char text[64];
    uint8_t ip[16];
    int rc;

    if (len > 0 && p[0] == '[')
        return set_bracketed(t, p, len, listening, err);
    if (colon == NULL)
        return set_host(t, p, len, listening, err);
    /* Several colons: an address, or nothing. */
    if (memchr(colon + 1, ':', after) != NULL) {
        if (len < sizeof(text)) {
            memcpy(text, p, len);
            text[len] = '\0';
            if (tsk_ip_parse(text, ip) == 6)
                return set_host(t, p, len, listening, err);
        }
        return fail(err, listening,
                    "an IPv6 address with a port needs brackets:", p, len);
    }
    if (colon == p)
        return fail(err, listening, "host is empty in", p, len);
    rc = set_port(t, colon + 1, after, listening, err);
    if (rc != TLSOCK_OK)
        return rc;
    return set_host(t, p, (size_t)(colon - p), listening, err);
}

static int unknown_scheme(const char *p, size_t len, tlsock_error *err)
{
    char list[200];
    size_t pos = 0;

    if (len == 4 && tsk_casencmp(p, "http", 4) == 0) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "target: http is plaintext");
        tsk_hint(err, "for TLS it is https://HOST");
        return TLSOCK_E_ARGUMENT;
    }
    tsk_fail(err, TLSOCK_E_ARGUMENT, "target: unknown URL scheme \"%s\"",
             show(p, len).text);
    for (size_t i = 0; i < COUNT(schemes); i++)
        tsk_append(list, sizeof(list), &pos, " %s", schemes[i].name);
    tsk_hint(err, "known schemes:%s", list);
    return TLSOCK_E_ARGUMENT;
}

static const struct scheme *find_scheme(const char *p, size_t len)
{
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (strlen(schemes[i].name) == len &&
            tsk_casencmp(p, schemes[i].name, len) == 0)
            return &schemes[i];
    return NULL;
}

/* RFC 3986 as far as it says where to connect. */
static int set_url(struct tsk_target *t, const char *text, const char *sep,
                   tlsock_error *err)
{
    const struct scheme *s = find_scheme(text, (size_t)(sep - text));
    const char *auth = sep + 3, *rest;
    size_t len = strcspn(auth, "/?#");
    int rc;

    if (s == NULL)
        return unknown_scheme(text, (size_t)(sep - text), err);
    rest = auth + len;
    if (len == 0)
        return fail(err, 0, "no host in URL", text, (size_t)(rest - text));
    rc = set_authority(t, auth, len, 0, err);
    if (rc != TLSOCK_OK)
        return rc;
    if (*rest != '\0' && strcmp(rest, "/") != 0 &&
        strcmp(s->name, "https") != 0)
        return fail(err, 0, "only https URLs may have a path, not", rest,
                    strlen(rest));
    snprintf(t->scheme, sizeof(t->scheme), "%s", s->name);
    snprintf(t->starttls, sizeof(t->starttls), "%s", s->starttls);
    if (t->service[0] == '\0')
        snprintf(t->service, sizeof(t->service), "%d", s->port);
    return TLSOCK_OK;
}

static int set_listening(struct tsk_target *t, const char *text,
                         tlsock_error *err)
{
    size_t len = strlen(text);
    int rc;

    if (text[0] == ':' && strchr(text + 1, ':') == NULL)
        return set_port(t, text + 1, len - 1, 1, err);
    if (text[0] == '*') {
        if (text[1] != ':')
            return fail(err, 1, "expected *:PORT, not", text, len);
        t->any = 1;
        return set_port(t, text + 2, len - 2, 1, err);
    }
    rc = set_authority(t, text, len, 1, err);
    if (rc == TLSOCK_OK && t->service[0] == '\0')
        return fail(err, 1, "no port to listen on in", text, len);
    return rc;
}

/* Faults of the text as a whole, before it is taken apart. A password in it
 * is never repeated. */
static int check_text(const char *text, int listening, const char *sep,
                      tlsock_error *err)
{
    size_t len = strnlen(text, 4096);
    const char *auth = sep != NULL ? sep + 3 : text;

    if (len == 0) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "target is empty");
        hint(err, listening);
        return TLSOCK_E_ARGUMENT;
    }
    if (memchr(auth, '@', strcspn(auth, "/?#")) != NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "target: user names and passwords are not taken here (\"@\")");
        hint(err, listening);
        return TLSOCK_E_ARGUMENT;
    }
    if (len == 4096)
        return fail(err, listening, "over 4095 bytes:", text, 64);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= 0x20 || text[i] == 0x7f)
            return fail(err, listening, "space or control character in", text,
                        len);
    return TLSOCK_OK;
}

static int parse(struct tsk_target *t, const char *text, int listening,
                 tlsock_error *err)
{
    const char *sep;
    int rc;

    if (strncmp(text, "unix:", 5) == 0)
        return set_unix(t, text + 5, listening, err);
    sep = strstr(text, "://");
    rc = check_text(text, listening, sep, err);
    if (rc != TLSOCK_OK)
        return rc;
    if (sep != NULL && listening)
        return fail(err, 1, "cannot listen on a URL:", text, strlen(text));
    if (sep != NULL)
        return set_url(t, text, sep, err);
    if (listening)
        return set_listening(t, text, err);
    rc = set_authority(t, text, strlen(text), 0, err);
    if (rc == TLSOCK_OK && t->service[0] == '\0')
        memcpy(t->service, "443", 4);
    return rc;
}

int tsk_target_parse(struct tsk_target *t, const char *text, int listening,
                     tlsock_error *err)
{
    int rc;

    memset(t, 0, sizeof(*t));
    rc = parse(t, text, listening, err);
    if (rc != TLSOCK_OK)
        memset(t, 0, sizeof(*t));
    return rc;
}
