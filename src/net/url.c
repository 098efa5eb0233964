#include "net/url.h"

#include "core/str.h"
#include "net/addr.h"
#include "net/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *after_scheme(const char *text)
{
    return tsk_casencmp(text, "http://", 7) == 0 ? text + 7 : NULL;
}

void tsk_url_show(char out[160], const char *text)
{
    const char *auth = after_scheme(text);
    size_t len = strnlen(text, TSK_URL_MOST);

    if (auth != NULL && memchr(auth, '@', strcspn(auth, "/?#")) != NULL)
        snprintf(out, 160, "http://...");
    else
        tsk_printable(out, 160, text, len);
}

static int bad(const char *text, const char *what, const char *hint,
               tlsock_error *err)
{
    char shown[160];

    tsk_url_show(shown, text);
    tsk_fail(err, TLSOCK_E_ARGUMENT, "URL %s: %s", shown, what);
    tsk_hint(err, "%s", hint);
    return TLSOCK_E_ARGUMENT;
}

/* Faults of the text as a whole, before it is taken apart. */
static int check_text(const char *text, tlsock_error *err)
{
    const char *auth = after_scheme(text);
    size_t len = strnlen(text, TSK_URL_MOST + 1);

    if (len > TSK_URL_MOST)
        return bad(text, "it is too long", "at most 4000 bytes are taken", err);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f)
            return bad(text, "a space, control byte or no ASCII is in it",
                       "such bytes are written %XX (RFC 3986, 2.1)", err);
    if (auth == NULL)
        return bad(text, "it is no http:// URL",
                   "what is fetched is signed: only http:// is asked", err);
    if (memchr(auth, '@', strcspn(auth, "/?#")) != NULL)
        return bad(text, "user names and passwords are not taken here",
                   "leave out all up to the @", err);
    return TLSOCK_OK;
}

/* RFC 3986, 3.2: host [ ":" port ]; several colons need brackets, and a port
 * has digits alone. Else: what is missing for tsk_target_parse() to agree. */
static int port_text(const char *auth, size_t len, const char **port)
{
    const char *colon = memchr(auth, ':', len);

    if (len > 0 && auth[0] == '[') {
        const char *end = memchr(auth, ']', len);

        colon =
            end != NULL ? memchr(end, ':', len - (size_t)(end - auth)) : NULL;
    }
    *port = colon != NULL ? colon + 1 : auth + len;
    return strspn(*port, "0123456789") == len - (size_t)(*port - auth);
}

static int set_authority(struct tsk_url *u, const char *text, const char *auth,
                         size_t len, tlsock_error *err)
{
    struct tsk_target t;
    const char *port;
    char all[320], number[12] = "";
    size_t host;
    int v6;

    if (len > 300 || !port_text(auth, len, &port))
        return bad(text, "host or port is malformed",
                   "write http://HOST/, http://HOST:PORT/ or "
                   "http://[IPV6]:PORT/",
                   err);
    host = (size_t)(port - auth) - (port > auth && port[-1] == ':');
    snprintf(all, sizeof(all), "https://%.*s:%.*s", (int)host, auth,
             port == auth + len ? 2 : (int)(auth + len - port),
             port == auth + len ? "80" : port);
    if (tsk_target_parse(&t, all, 0, err) < 0 ||
        tsk_host_normalise(u->host, t.host, err) < 0) {
        tsk_about(err, "URL: ");
        return TLSOCK_E_ARGUMENT;
    }
    u->port = atoi(t.service);
    v6 = t.is_ip == 6;
    if (u->port != 80)
        snprintf(number, sizeof(number), ":%d", u->port);
    snprintf(u->authority, sizeof(u->authority), "%s%s%s%s", v6 ? "[" : "",
             u->host, v6 ? "]" : "", number);
    return TLSOCK_OK;
}

int tsk_url_parse(struct tsk_url *u, const char *text, tlsock_error *err)
{
    const char *auth;
    size_t len;
    int rc;

    memset(u, 0, sizeof(*u));
    rc = check_text(text, err);
    if (rc < 0)
        return rc;
    auth = after_scheme(text);
    len = strcspn(auth, "/?#");
    rc = set_authority(u, text, auth, len, err);
    u->path = auth + len;
    u->path_len = strcspn(u->path, "#");
    return rc;
}

/* RFC 3986, 5.2.4, in place: "." and ".." are no names of what is asked for.
 * p: a path that begins with /; what follows it (a query) is moved along. */
static void remove_dots(char *p)
{
    char *out = p, *in = p, *end = p + strcspn(p, "?");

    while (in < end) {
        char *next = in + 1 + strcspn(in + 1, "/?");
        size_t len = (size_t)(next - in);
        int dot = len == 2 && in[1] == '.',
            up = len == 3 && in[1] == '.' && in[2] == '.';

        if (up)
            while (out > p && *--out != '/')
                ;
        if (dot || up) {
            if (next == end) /* it names a directory */
                *out++ = '/';
        } else {
            memmove(out, in, len);
            out += len;
        }
        in = next;
    }
    memmove(out, end, strlen(end) + 1);
}

/* How many bytes of base are kept before the reference. */
static size_t kept(const char *base, const char *to)
{
    size_t root = 7 + strcspn(base + 7, "/?#"),
           path = root + strcspn(base + root, "?#");

    if (to[0] == '\0' || to[0] == '#')
        return path + strcspn(base + path, "#");
    if (to[0] == '/')
        return to[1] == '/' ? 5 : root;
    if (to[0] == '?')
        return path;
    while (path > root && base[path - 1] != '/')
        path--;
    return path;
}

/* RFC 3986, 3.1: does it begin with a scheme? */
static int is_absolute(const char *to)
{
    size_t n = strspn(to, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "0123456789+-.");

    return n > 0 && to[n] == ':' && (to[0] < '0' || to[0] > '9');
}

int tsk_url_resolve(char *out, const char *base, const char *to,
                    tlsock_error *err)
{
    size_t keep = is_absolute(to) ? 0 : kept(base, to), more = strcspn(to, "#"),
           root;
    int slash;

    /* RFC 3986, 5.2.3: the base has no path */
    slash = keep > 7 && more > 0 && to[0] != '/' && to[0] != '?' &&
            base[keep - 1] != '/';
    if (keep + (size_t)slash + more > TSK_URL_MOST)
        return bad(to, "it is too long", "at most 4000 bytes are taken", err);
    memcpy(out, base, keep);
    if (slash)
        out[keep++] = '/';
    memcpy(out + keep, to, more);
    out[keep + more] = '\0';
    if (after_scheme(out) == NULL)
        return TLSOCK_OK;
    root = 7 + strcspn(out + 7, "/?");
    if (out[root] == '/')
        remove_dots(out + root);
    return TLSOCK_OK;
}
