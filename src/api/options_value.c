/* Parsers of single values: choices, numbers, names. */
#include "api/options.h"
#include "core/mem.h"
#include "core/str.h"
#include "net/addr.h"
#include "net/proxy.h"
#include "verify/host.h"
#include "verify/rule.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

TSK_OPTION_PARSER(version)
{
    const char *v = value;
    int version, above;

    if (strncmp(v, "TLSv", 4) == 0)
        v += 4;
    if (strcmp(v, "1.2") == 0)
        version = 0x0303;
    else if (strcmp(v, "1.3") == 0)
        version = 0x0304;
    else if (strcmp(v, "1.0") == 0 || strcmp(v, "1.1") == 0 ||
             strcmp(v, "1") == 0 || strncmp(v, "SSL", 3) == 0)
        return tsk_option_bad(err, row, value,
                              "broken and formally retired, RFC 8996");
    else
        return tsk_option_bad(err, row, value, NULL);
    if (strcmp(row->pub.key, "tls.min") == 0)
        above = set->tls_max != 0 && version > set->tls_max;
    else
        above = version < set->tls_min;
    if (above)
        return tsk_option_bad(err, row, value, "tls.min is above tls.max");
    *(int *)tsk_option_field(row, set) = version;
    return TLSOCK_OK;
}

/* The place of the value in the row's "a|b|c". */
TSK_OPTION_PARSER(choice)
{
    const char *p = row->pub.type;
    int at = 0;

    for (;; at++) {
        size_t len = strcspn(p, "|");

        if (strlen(value) == len && memcmp(value, p, len) == 0)
            break;
        if (p[len] == '\0')
            return tsk_option_bad(err, row, value, NULL);
        p += len + 1;
    }
    *(int *)tsk_option_field(row, set) = at;
    return TLSOCK_OK;
}

TSK_OPTION_PARSER(onoff)
{
    int on = strcmp(value, "on") == 0;

    if (!on && strcmp(value, "off") != 0)
        return tsk_option_bad(err, row, value, NULL);
    *(int *)tsk_option_field(row, set) = on;
    return TLSOCK_OK;
}

/* The row's "lo..hi". */
TSK_OPTION_PARSER(range)
{
    const char *dots = strstr(row->pub.type, "..");
    char low[16] = "";
    int64_t lo, hi, n;

    memcpy(low, row->pub.type, (size_t)(dots - row->pub.type));
    if (tsk_number(low, INT_MIN, INT_MAX, &lo) != 0 ||
        tsk_number(dots + 2, INT_MIN, INT_MAX, &hi) != 0 ||
        tsk_number(value, lo, hi, &n) != 0)
        return tsk_option_bad(err, row, value, NULL);
    *(int *)tsk_option_field(row, set) = (int)n;
    return TLSOCK_OK;
}

TSK_OPTION_PARSER(name)
{
    char host[256];
    int rc = tsk_host_normalise(host, value, err);

    if (rc == TLSOCK_E_ARGUMENT)
        return tsk_option_bad(err, row, value, "neither a host nor an address");
    return rc < 0 ? rc
                  : tsk_option_text(tsk_option_field(row, set), value, err);
}

TSK_OPTION_PARSER(scheme)
{
    char list[200];

    if (!tsk_scheme_known(value)) {
        tsk_rule_list(list, sizeof(list));
        tsk_option_bad(err, row, value, "no name rules are known for it");
        tsk_hint(err, "the schemes are %s", list);
        return TLSOCK_E_OPTION;
    }
    return tsk_option_text(tsk_option_field(row, set), value, err);
}

/* Length of context: RFC 5077 knows none, OpenSSL's is 32 bytes. */
TSK_OPTION_PARSER(id_context)
{
    if (strlen(value) > 32)
        return tsk_option_bad(err, row, value, "longer than 32 bytes");
    return tsk_option_text(tsk_option_field(row, set), value, err);
}

/* The file is opened when connections are; here the plain mistakes show. */
TSK_OPTION_PARSER(file)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(value, '/');
    struct stat st;

    if (strlen(value) >= sizeof(dir))
        return tsk_option_bad(err, row, value, "too long for a path");
    if (strcmp(value, "env:") == 0)
        return tsk_option_bad(err, row, value, "no variable is named");
    if (strncmp(value, "env:", 4) == 0)
        return tsk_option_text(tsk_option_field(row, set), value, err);
    if (stat(value, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return tsk_option_bad(err, row, value, "a directory");
        if (access(value, W_OK) != 0)
            return tsk_option_bad(err, row, value, strerror(errno));
        return tsk_option_text(tsk_option_field(row, set), value, err);
    }
    snprintf(dir, sizeof(dir), "%.*s",
             slash != NULL ? (int)(slash - value) + 1 : 1,
             slash != NULL ? value : ".");
    if (access(dir, W_OK | X_OK) != 0)
        return tsk_option_bad(err, row, value, strerror(errno));
    return tsk_option_text(tsk_option_field(row, set), value, err);
}

static const struct {
    const char *name;
    unsigned bit;
} faults[] = {
    {"no-chain", TSK_INSECURE_NO_CHAIN},
    {"no-name", TSK_INSECURE_NO_NAME},
    {"expired", TSK_INSECURE_EXPIRED},
    {"self-signed", TSK_INSECURE_SELF_SIGNED},
    {"all", TSK_INSECURE_ALL},
};

static unsigned fault_bit(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT(faults); i++)
        if (strlen(faults[i].name) == len &&
            memcmp(faults[i].name, name, len) == 0)
            return faults[i].bit;
    return 0;
}

/* Bits of "WHAT" or "WHAT,WHAT"; 0: one of them is unknown. */
static unsigned fault_bits(const char *list, size_t len)
{
    unsigned bits = 0, bit;

    for (;;) {
        const char *comma = memchr(list, ',', len);
        size_t n = comma != NULL ? (size_t)(comma - list) : len;

        bit = fault_bit(list, n);
        if (bit == 0)
            return 0;
        bits |= bit;
        if (comma == NULL)
            return bits;
        list += n + 1;
        len -= n + 1;
    }
}

TSK_OPTION_PARSER(insecure)
{
    const char *colon = strchr(value, ':'), *why;
    unsigned bits;
    int rc;

    bits = fault_bits(value, strcspn(value, ":"));
    if (bits == 0)
        return tsk_option_bad(err, row, value,
                              "WHAT is no-name, no-chain, expired, "
                              "self-signed or all");
    why = colon != NULL ? colon + 1 + strspn(colon + 1, " \t") : "";
    if (strlen(why) < 3)
        return tsk_option_bad(err, row, value,
                              "WHY is missing: say in 3 characters or more "
                              "why this is acceptable");
    rc = tsk_option_text(&set->insecure_text, value, err);
    if (rc == TLSOCK_OK)
        set->insecure = bits;
    return rc;
}

/* Made where it is not there yet; its parent has to be. */
TSK_OPTION_PARSER(directory)
{
    struct stat st;

    if (strlen(value) >= PATH_MAX)
        return tsk_option_bad(err, row, value, "too long for a path");
    if (mkdir(value, 0700) != 0 && errno != EEXIST)
        return tsk_option_bad(err, row, value, strerror(errno));
    if (stat(value, &st) != 0)
        return tsk_option_bad(err, row, value, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return tsk_option_bad(err, row, value, "not a directory");
    if (access(value, R_OK | W_OK | X_OK) != 0)
        return tsk_option_bad(err, row, value, strerror(errno));
    return tsk_option_text(tsk_option_field(row, set), value, err);
}

TSK_OPTION_PARSER(proxy)
{
    struct tsk_proxy *list = NULL;
    size_t n = 0;
    int rc = tsk_proxies_parse(&list, &n, value, err);

    tsk_proxies_free(list, n);
    if (rc == TLSOCK_E_ARGUMENT) /* it may hold a password: not repeated */
        return tsk_option_bad(err, row, "...", "not a proxy's URL");
    return rc < 0 ? rc
                  : tsk_option_text(tsk_option_field(row, set), value, err);
}
