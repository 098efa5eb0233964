/* psl - questions to the Public Suffix List that libpsl carries. */
#include "core/str.h"
#include "net/addr.h"
#include "verify/host.h"

#include <libpsl.h>
#include <stdio.h>
#include <string.h>

int tsk_psl_built_in(void)
{
    return psl_builtin() != NULL;
}

int tsk_psl_is_suffix(const char *alabel_host)
{
    const psl_ctx_t *psl = psl_builtin();

    /* Without "*" as the rule for what the list does not know: a private
     * network's names are its own affair. */
    return psl != NULL &&
           psl_is_public_suffix2(psl, alabel_host,
                                 PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}

static size_t count_labels(const char *host)
{
    size_t n = 1;

    for (; *host != '\0'; host++)
        n += *host == '.';
    return n;
}

/* The last n labels of a name without final dot; NULL: it has fewer. */
static const char *last_labels(const char *host, size_t n)
{
    const char *p = host + strlen(host);

    while (p > host) {
        if (*--p == '.' && --n == 0)
            return p + 1;
    }
    return n == 1 ? host : NULL;
}

/* The name as typed, in lower case, without the dot; if it has the labels of
 * the A-label form. Else the latter must do. */
static const char *as_typed(char out[1025], const char *host,
                            const char *alabels)
{
    char *lower = NULL;
    size_t len;
    int same;

    if (psl_str_to_utf8lower(host, "utf-8", NULL, &lower) != PSL_SUCCESS)
        return alabels;
    len = strlen(lower);
    if (len > 0 && lower[len - 1] == '.')
        len--;
    same = len <= 1024;
    snprintf(out, 1025, "%.*s", (int)len, lower);
    psl_free_string(lower);
    return same && count_labels(out) == count_labels(alabels) ? out : alabels;
}

int tsk_psl_suffix(const char *host, int extra_labels, char *out, size_t size)
{
    const psl_ctx_t *psl = psl_builtin();
    char alabels[256], typed[1025];
    const char *suffix, *part;
    uint8_t ip[16];
    int rc, dot;

    if (size > 0)
        out[0] = '\0';
    if (psl == NULL)
        return TLSOCK_E_UNSUPPORTED;
    rc = tsk_host_normalise(alabels, host, NULL);
    if (rc < 0)
        return rc;
    if (tsk_ip_parse(alabels, ip))
        return 0;
    suffix = psl_unregistrable_domain(psl, alabels);
    if (suffix == NULL)
        return 0;
    part = last_labels(as_typed(typed, host, alabels),
                       count_labels(suffix) + (size_t)extra_labels);
    if (part == NULL)
        return 0;
    dot = host[strlen(host) - 1] == '.';
    return snprintf(out, size, "%s%s", part, dot ? "." : "");
}
