/* The options of the network: how long, from where, by which way. */
#include "opt.h"

#include "errors.h"
#include "evidence.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROXY_MAX 8192 /* all URLs together */

static int take_timeout(struct opts *o, const char *text)
{
    static const struct {
        const char *unit;
        long ms;
    } units[] = {
        {"ms", 1}, {"s", 1000}, {"", 1000}, {"m", 60000}, {"h", 3600000}};
    char *end = NULL;
    long n;

    if (strcmp(text, "none") == 0) {
        o->timeout_ms = -1;
        return 0;
    }
    errno = 0;
    n = strtol(text, &end, 10);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (errno != 0 || text[0] < '0' || text[0] > '9' ||
            strcmp(end, units[i].unit) != 0)
            continue;
        if (n < 1 || n > 86400000 / units[i].ms)
            break;
        o->timeout_ms = (int)(n * units[i].ms);
        return 0;
    }
    return err_usage(&o->out, o->command,
                     "--timeout 10s, 500ms, 2m, 1h or none (at most 24h)",
                     "--timeout \"%s\" is not a length of time", text);
}

static int take_family(struct opts *o, int family)
{
    if (o->family != 0 && o->family != family)
        return err_usage(&o->out, o->command, "-4, -6, or neither",
                         "-4 and -6 together leave no address");
    o->family = family;
    return 0;
}

static int is_address(const char *text)
{
    char host[INET6_ADDRSTRLEN];
    unsigned char raw[16];
    size_t len = strcspn(text, "%"); /* what follows is a zone: fe80::1%eth0 */

    if (len >= sizeof(host))
        return 0;
    memcpy(host, text, len);
    host[len] = '\0';
    return inet_pton(AF_INET6, host, raw) == 1 ||
           (text[len] == '\0' && inet_pton(AF_INET, host, raw) == 1);
}

static int take_address(struct opts *o, const char *flag, const char *arg,
                        const char **where)
{
    if (!is_address(arg))
        return err_usage(&o->out, o->command, "192.0.2.1 or 2001:db8::1",
                         "%s \"%s\" is not a numeric address", flag, arg);
    *where = arg;
    return 0;
}

/* "PROTO" or "PROTO:ARG". */
static int take_starttls(struct opts *o, const char *arg)
{
    const char *colon = strchr(arg, ':');

    if (colon != NULL && (colon == arg || colon[1] == '\0'))
        return err_usage(&o->out, o->command,
                         "--starttls PROTO or PROTO:ARG, as smtp:my.name.test",
                         "--starttls \"%s\": nothing %s the colon", arg,
                         colon == arg ? "before" : "after");
    o->starttls = arg;
    if (colon == NULL)
        return 0;
    o->starttls = opt_keep(o, arg, (size_t)(colon - arg));
    o->starttls_arg = colon + 1;
    return o->starttls != NULL ? 0 : EXIT_INTERNAL;
}

/* The first line of a file. */
static int read_proxy(struct opts *o, const char *path)
{
    FILE *f = fopen(path, "rbe");
    size_t n;

    if (f == NULL)
        return err_plain(&o->out, "--proxy", EXIT_OWN, "own-file",
                         "--proxy file:FILE that can be read", "%s: %s", path,
                         strerror(errno));
    setvbuf(f, NULL, _IONBF, 0); /* no copy of a password stays behind */
    n = fread(o->proxy, 1, PROXY_MAX - 1, f);
    fclose(f);
    o->proxy[n] = '\0';
    o->proxy[strcspn(o->proxy, "\r\n")] = '\0';
    if (n == PROXY_MAX - 1 || o->proxy[0] == '\0')
        return err_plain(&o->out, "--proxy", EXIT_OWN, "own-file",
                         "--proxy file:FILE whose first line is the URL",
                         "%s: the first line is empty, or the file is longer "
                         "than %d bytes",
                         path, PROXY_MAX - 1);
    return 0;
}

/* Nothing of a URL is repeated here: there may be a password in it. */
static int take_proxy(struct opts *o, const char *arg)
{
    const char *url = arg;

    if (o->proxy != NULL)
        return err_usage(&o->out, o->command,
                         "--proxy URL,URL for one behind the other",
                         "--proxy is given twice");
    o->proxy = calloc(1, PROXY_MAX);
    if (o->proxy == NULL)
        return EXIT_INTERNAL;
    if (strncmp(arg, "file:", 5) == 0)
        return read_proxy(o, arg + 5);
    if (strncmp(arg, "env:", 4) == 0) {
        url = getenv(arg + 4);
        if (url == NULL || url[0] == '\0')
            return err_usage(&o->out, o->command,
                             "--proxy env:NAME of a variable that is set",
                             "--proxy: there is nothing in the environment "
                             "by the name \"%s\"",
                             arg + 4);
    }
    if (strlen(url) >= PROXY_MAX)
        return err_usage(&o->out, o->command, NULL,
                         "--proxy is longer than %d bytes", PROXY_MAX - 1);
    memcpy(o->proxy, url, strlen(url) + 1);
    return 0;
}

int opt_take_net(struct opts *o, int val, const char *arg)
{
    switch (val) {
    case OPT_TIMEOUT:
        return take_timeout(o, arg);
    case OPT_STARTTLS:
        return take_starttls(o, arg);
    case OPT_PROXY:
        return take_proxy(o, arg);
    case OPT_IP:
        return take_address(o, "--ip", arg, &o->ip);
    case OPT_LOCAL:
        return take_address(o, "--local", arg, &o->local);
    case OPT_IPV4:
        return take_family(o, 4);
    default:
        return take_family(o, 6);
    }
}

/* SCHEME://HOST:PORT/... or HOST:PORT: where HOST begins and ends, without its
 * brackets. */
static const char *find_host(const char *target, size_t *len)
{
    const char *at = strstr(target, "://");

    at = at != NULL ? at + 3 : target;
    if (*at == '[') {
        *len = strcspn(at + 1, "]");
        return at + 1;
    }
    *len = strcspn(at, ":/?#");
    return at;
}

/* Name, SNI and port stay those of the target: only the host is another. */
static int put_ip(struct opts *o, const char *target)
{
    size_t len, before, size = strlen(target) + strlen(o->ip) + 3;
    const char *host = find_host(target, &len), *rest = host + len;
    int v6 = strchr(o->ip, ':') != NULL;
    char *text;

    if (len == 0 || strncasecmp(target, "unix:", 5) == 0)
        return err_usage(&o->out, o->command, "--ip with HOST:PORT or a URL",
                         "--ip stands in for a host, and \"%s\" has none",
                         target);
    before = (size_t)(host - target);
    if (before > 0 && target[before - 1] == '[') {
        before--;
        rest += *rest == ']';
    }
    text = malloc(size);
    if (text == NULL)
        return EXIT_INTERNAL;
    snprintf(text, size, "%.*s%s%s%s%s", (int)before, target, v6 ? "[" : "",
             o->ip, v6 ? "]" : "", rest);
    o->dial = opt_keep(o, text, size);
    o->dialled = opt_keep(o, host, len);
    free(text);
    return o->dial != NULL && o->dialled != NULL ? 0 : EXIT_INTERNAL;
}

int opt_dial(struct opts *o, const char *target)
{
    o->dial = target;
    if (o->proxy != NULL && strcasestr(o->proxy, "https://") != NULL) {
        /* of all that is said of the target, a proxy shares the trust alone:
         * no identity, no pin, no exception */
        int rc;

        tlsock_config_unref(o->proxy_config); /* an earlier target's */
        o->proxy_config = tlsock_config_new();
        if (o->proxy_config == NULL)
            return EXIT_INTERNAL;
        if (opt_add_trust(o, o->proxy_config) != 0)
            return EXIT_OWN;
        rc = evidence_watch(o, o->proxy_config);
        if (rc != 0)
            return rc;
    }
    return o->ip != NULL ? put_ip(o, target) : 0;
}

tlsock *opt_connect(const struct opts *o, tlsock_config *config,
                    int nonblocking, tlsock_error *err)
{
    const char *name = o->name != NULL ? o->name : o->dialled;
    const char *sni = o->sni;

    if (o->verify_name != NULL) { /* the config has it; this is SNI alone */
        if (sni == NULL && name != NULL && !is_address(name))
            sni = name;
        name = NULL;
    }
    return tlsock_connect(
        o->dial, config,
        TLSOCK_OPTS(.nonblocking = nonblocking, .name = name, .sni = sni,
                    .family = o->family, .local = o->local,
                    .starttls = o->starttls, .starttls_arg = o->starttls_arg,
                    .proxy = o->proxy, .proxy_config = o->proxy_config,
                    .timeout_ms = o->timeout_ms),
        err);
}

void opt_listen_hint(const char *target, tlsock_error *err)
{
    if (err->code != TLSOCK_E_ARGUMENT || target[0] == '\0' ||
        target[strspn(target, "0123456789")] != '\0')
        return;
    snprintf(err->message, sizeof(err->message),
             "\"%.20s\" is neither a host nor a port", target);
    snprintf(err->hint, sizeof(err->hint),
             ":%.20s listens on this machine alone, '*:%.20s' on every address",
             target, target);
}
