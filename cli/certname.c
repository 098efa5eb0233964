/* certname - names, subjects and dates as people write them. */
#include "certfield.h"
#include "certopts.h"
#include "civil.h"
#include "errors.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static int is_ip(const char *text, size_t len)
{
    unsigned char ip[16];
    char one[64];

    if (len == 0 || len >= sizeof(one))
        return 0;
    memcpy(one, text, len);
    one[len] = '\0';
    return inet_pton(AF_INET, one, ip) == 1 ||
           inet_pton(AF_INET6, one, ip) == 1;
}

static int slip(const struct opts *o, const char *arg, const char *fix,
                const char *what)
{
    char shown[300];

    return err_usage(&o->out, o->command, fix, "\"%s\" %s",
                     out_clean(shown, sizeof(shown), arg), what);
}

/* "a.test,b.test": the shell parts words by blanks. */
static int is_list(const struct opts *o, const char *arg)
{
    char fix[400], clean[500];
    size_t n = 0;

    for (const char *p = arg; *p != '\0' && n + 2 < sizeof(fix); p++) {
        if (*p != ',' && *p != ';' && *p != ' ')
            fix[n++] = *p;
        else if (n > 0 && fix[n - 1] != ' ')
            fix[n++] = ' ';
    }
    fix[n] = '\0';
    return slip(o, arg, out_clean(clean, sizeof(clean), fix),
                "is a list in one word: names are separated by blanks");
}

/* An address of a web page is not the name of its host. */
static int is_url(const struct opts *o, const char *arg, const char *host)
{
    char fix[300], clean[320];
    size_t n;

    if (strchr(host, '@') != NULL && strcspn(host, "@") < strcspn(host, "/"))
        host = strchr(host, '@') + 1;
    n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
    snprintf(fix, sizeof(fix), "the host alone: %.*s", (int)n, host);
    return slip(o, arg, out_clean(clean, sizeof(clean), fix),
                "is a URL; a certificate is for a host (a URI as a name is "
                "written URI:...)");
}

static int is_host_port(const struct opts *o, const char *arg, const char *port)
{
    char fix[300], clean[320];

    snprintf(fix, sizeof(fix), "the host alone: %.*s", (int)(port - arg), arg);
    return slip(o, arg, out_clean(clean, sizeof(clean), fix),
                "has a port; a certificate is for every port of a host");
}

static int has_slash(const struct opts *o, const char *arg, const char *slash)
{
    char fix[300], clean[320];

    if (is_ip(arg, (size_t)(slash - arg)))
        return slip(o, arg,
                    "name each address; a CA can be limited to a network: "
                    "--make-ca --permitted",
                    "is a network; a certificate is for single addresses");
    if (slash == arg || arg[0] == '.')
        return slip(o, arg, "--out PREFIX says where the files go",
                    "is a path, not a host name");
    snprintf(fix, sizeof(fix), "the host alone: %.*s", (int)(slash - arg), arg);
    return slip(o, arg, out_clean(clean, sizeof(clean), fix),
                "has a path; a certificate is for a host");
}

static int bad_star(const struct opts *o, const char *arg)
{
    const char *last = strrchr(arg, '*');
    const char *rest = arg[0] == '.' ? arg : last + 1;
    char fix[300], clean[320];

    if (last != NULL && last != arg)
        rest += strcspn(rest, "."); /* "a*b.test" is about test */
    rest += strspn(rest, ".");
    if (*rest == '\0')
        return slip(o, arg, "'*.app.test', or each host by its name",
                    "would be for every host there is");
    snprintf(fix, sizeof(fix),
             "'*.%s', which is for each host right below "
             "it, and %s itself as a name of its own",
             rest, rest);
    return slip(o, arg, out_clean(clean, sizeof(clean), fix),
                "is no wildcard: the star is the whole first label, and the "
                "only one");
}

static int is_kind(const char *arg)
{
    static const char *const kinds[] = {
        "DNS:", "IP:",   "URI:",     "EMAIL:",     "RID:",
        "UPN:", "XMPP:", "DIRNAME:", "OTHERNAME:", "SRV:"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strncasecmp(arg, kinds[i], strlen(kinds[i])) == 0)
            return 1;
    }
    return 0;
}

static int marked(struct opts *o, const char *kind, const char *arg,
                  const char **san)
{
    char text[4096];

    if ((size_t)snprintf(text, sizeof(text), "%s%s", kind, arg) >= sizeof(text))
        return slip(o, "...", NULL, "is too long for a name");
    *san = opt_keep(o, text, strlen(text));
    return *san != NULL ? 0 : EXIT_INTERNAL;
}

static int is_web(const char *arg, size_t scheme)
{
    static const char *const schemes[] = {
        "http", "https", "ws",   "wss",   "smtp", "smtps", "imap", "imaps",
        "ftp",  "ftps",  "pop3", "pop3s", "ldap", "ldaps", "tcp",  "tls"};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (scheme == strlen(schemes[i]) &&
            strncasecmp(arg, schemes[i], scheme) == 0)
            return 1;
    }
    return 0;
}

int certname_take(struct opts *o, const char *arg, const char **san)
{
    const char *scheme = strstr(arg, "://"), *colon = strrchr(arg, ':');
    size_t len = strlen(arg);

    *san = arg;
    if (len == 0)
        return err_usage(&o->out, o->command, NULL, "an empty NAME");
    if (is_kind(arg) || is_ip(arg, len))
        return 0;
    if (strpbrk(arg, ",; ") != NULL)
        return is_list(o, arg);
    if (scheme != NULL && is_web(arg, (size_t)(scheme - arg)))
        return is_url(o, arg, scheme + 3);
    if (scheme != NULL)
        return marked(o, "URI:", arg, san);
    if (strchr(arg, '/') != NULL)
        return has_slash(o, arg, strchr(arg, '/'));
    if (arg[0] == '[' && arg[len - 1] == ']')
        return 0;
    if (colon != NULL && colon[1] != '\0' &&
        strspn(colon + 1, "0123456789") == strlen(colon + 1))
        return is_host_port(o, arg, colon);
    if (strchr(arg, '@') != NULL)
        return marked(o, "EMAIL:", arg, san);
    if (arg[0] == '.' || (strchr(arg, '*') != NULL &&
                          (strncmp(arg, "*.", 2) != 0 || arg[2] == '\0' ||
                           strchr(arg + 1, '*') != NULL)))
        return bad_star(o, arg);
    return 0;
}

void certname_subject(char *out, size_t size, const char *name)
{
    size_t used = (size_t)snprintf(out, size, "CN=");
    int first = 1;

    for (; *name != '\0' && used + 3 < size; name++) {
        int edge = (first || name[1] == '\0') && *name == ' ';

        if (edge || strchr(",+\"\\<>;=/#", *name) != NULL)
            out[used++] = '\\';
        out[used++] = *name;
        first = 0;
    }
    out[used] = '\0';
}

static int is_date(const char *text, struct tm *tm, int *has_time)
{
    const char *end = strptime(text, "%Y-%m-%d", tm);
    char again[32], day[16];

    if (end != text + 10 || text[0] < '0' || text[0] > '9')
        return 0;
    *has_time = *end != '\0';
    if (*has_time) {
        end = strptime(end, "T%H:%M:%SZ", tm);
        if (end == NULL || *end != '\0')
            return 0;
    }
    if (tm->tm_sec > 59)
        return 0;
    civil_text(civil_seconds(tm), again); /* February 30 is another day */
    snprintf(day, sizeof(day), "%.10s", again);
    return strncmp(text, day, 10) == 0;
}

int certname_time(const struct opts *o, const char *flag, const char *text,
                  int end, int64_t *seconds)
{
    struct tm tm = {0};
    char shown[100];
    int has_time = 0;

    if (!is_date(text, &tm, &has_time))
        return err_usage(&o->out, o->command,
                         "write 2026-12-31, or 2026-12-31T10:00:00Z (UTC)",
                         "%s \"%s\" is no date", flag,
                         out_clean(shown, sizeof(shown), text));
    *seconds = civil_seconds(&tm);
    if (end && !has_time)
        *seconds += 86399;
    if (*seconds <= 0)
        return err_usage(&o->out, o->command, NULL, "%s \"%s\" is before 1970",
                         flag, text);
    return 0;
}

/* One of "DNS:a, IP:b": without its kind, which a person sees. NULL: done.
 * A comma within a name is escaped, so ", " parts them. */
static const char *next_name(const char **at, size_t *len)
{
    static const char *const kinds[] = {"DNS:", "IP:", "EMAIL:", "URI:"};
    const char *name = *at, *end;

    if (*name == '\0')
        return NULL;
    end = strstr(name, ", ");
    *at = end != NULL ? end + 2 : name + strlen(name);
    *len = end != NULL ? (size_t)(end - name) : strlen(name);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t n = strlen(kinds[i]);

        if (*len > n && strncmp(name, kinds[i], n) == 0) {
            *len -= n;
            return name + n;
        }
    }
    return name;
}

void certname_print(const char *label, const char *sans)
{
    const int column = 7, width = 79;
    const char *name;
    int at = column;
    size_t len;

    printf("%-*s", column, label);
    while ((name = next_name(&sans, &len)) != NULL) {
        if (at > column && at + 2 + (int)len > width) {
            printf("\n%*s", column, "");
            at = column;
        }
        at += printf("  %.*s", (int)len, name);
    }
    putchar('\n');
}

json_t *certname_json(const char *sans)
{
    json_t *list = json_array();
    const char *name;
    char one[600];
    size_t len;

    while ((name = next_name(&sans, &len)) != NULL) {
        snprintf(one, sizeof(one), "%.*s", (int)len, name);
        json_array_append_new(list, out_json_text(one));
    }
    return list;
}

void certname_field(json_t *obj, const char *key, const tlsock_cert *c,
                    int item)
{
    json_object_set_new(obj, key, out_json_text(certfield(c, item)));
}
