#include "way.h"

#include <string.h>
#include <tlsock/info.h>

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

void way_print(const struct out *o, const tlsock *s, const char *proxies)
{
    char url[300], text[400];
    const char *rest = next_proxy(proxies, url, sizeof(url));
    const char *starttls = tlsock_info(s, TLSOCK_INFO_STARTTLS);
    int n = 0;

    if (starttls[0] == '\0' && proxies == NULL)
        return;
    out_label(o, stderr, OUT_GREEN, "way");
    for (; rest != NULL; rest = next_proxy(rest, url, sizeof(url)))
        fprintf(stderr, "%s%s", n++ > 0 ? " > " : "through ",
                out_clean(text, sizeof(text), url));
    if (starttls[0] != '\0')
        fprintf(stderr, "%sSTARTTLS %s", n > 0 ? ", " : "", starttls);
    fputc('\n', stderr);
}

void way_json(json_t *obj, const tlsock *s, const char *proxies)
{
    char url[300];
    const char *rest = next_proxy(proxies, url, sizeof(url));
    const char *starttls = tlsock_info(s, TLSOCK_INFO_STARTTLS);
    json_t *list = json_array();

    for (; rest != NULL; rest = next_proxy(rest, url, sizeof(url)))
        json_array_append_new(list, out_json_text(url));
    json_object_set_new(obj, "starttls",
                        out_json_text(starttls[0] != '\0' ? starttls : NULL));
    json_object_set_new(obj, "proxy", list);
}
