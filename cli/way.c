#include "way.h"

#include <string.h>
#include <strings.h>

const char *facts_starttls_of(const char *target)
{
    static const char *const names[] = {"smtp", "lmtp",     "imap",  "pop3",
                                        "ftp",  "ldap",     "nntp",  "sieve",
                                        "xmpp", "postgres", "mysql", "irc"};
    const char *end = strstr(target, "://");

    for (size_t i = 0; end != NULL && i < sizeof(names) / sizeof(names[0]);
         i++) {
        if (strlen(names[i]) == (size_t)(end - target) &&
            strncasecmp(target, names[i], strlen(names[i])) == 0)
            return names[i];
    }
    return NULL;
}

/* The next URL of a list without user and password: the rest of the list, or
 * NULL after the last. */
static const char *next_proxy(const char *list, char *out, size_t size)
{
    const char *at, *end, *host = NULL;
    int scheme;

    if (list == NULL)
        return NULL;
    list += strspn(list, ", \t");
    if (*list == '\0')
        return NULL;
    end = list + strcspn(list, ", \t");
    at = strstr(list, "://");
    scheme = at != NULL && at < end ? (int)(at + 3 - list) : 0;
    for (const char *p = list; p < end; p++)
        if (*p == '@')
            host = p + 1;
    if (host == NULL)
        host = list + scheme;
    snprintf(out, size, "%.*s%.*s", scheme, list, (int)(end - host), host);
    return end;
}

void way_print(const struct out *o, const struct facts_way *way)
{
    char url[300], text[400];
    const char *rest = next_proxy(way->proxy, url, sizeof(url));
    int n = 0;

    if (way->starttls == NULL && way->proxy == NULL)
        return;
    out_label(o, stderr, OUT_GREEN, "way");
    for (; rest != NULL; rest = next_proxy(rest, url, sizeof(url)))
        fprintf(stderr, "%s%s", n++ > 0 ? " > " : "through ",
                out_clean(text, sizeof(text), url));
    if (way->starttls != NULL)
        fprintf(stderr, "%sSTARTTLS %s", n > 0 ? ", " : "",
                out_clean(text, sizeof(text), way->starttls));
    fputc('\n', stderr);
}

void way_json(json_t *obj, const struct facts_way *way)
{
    char url[300];
    const char *rest = next_proxy(way->proxy, url, sizeof(url));
    json_t *list = json_array();

    for (; rest != NULL; rest = next_proxy(rest, url, sizeof(url)))
        json_array_append_new(list, out_json_text(url));
    json_object_set_new(obj, "starttls", out_json_text(way->starttls));
    json_object_set_new(obj, "proxy", list);
}
