#include "out.h"

#include "civil.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Marks that make text read in another order, or are not seen at all. */
static int is_hidden(unsigned c)
{
    static const unsigned ranges[][2] = {
        {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e},
        {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return 1;
    return 0;
}

/* jansson drops what it has no memory for, and so do those who nest its calls:
 * it is told once, at the end. */
static atomic_int lost;

void out_lack(void)
{
    lost = 1;
}

static void *json_memory(size_t size)
{
    void *p = malloc(size);

    if (p == NULL)
        lost = 1;
    return p;
}

void out_begin(void)
{
    json_set_alloc_funcs(json_memory, free);
}

int out_lost(void)
{
    return lost;
}

/* Length of the UTF-8 sequence at s that may be shown as it is, or 0. */
static size_t showable(const unsigned char *s)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned c;
    size_t n;

    if (s[0] < 0x80)
        return s[0] >= 0x20 && s[0] != 0x7f ? 1 : 0;
    n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    c = s[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3fu);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    return c < 0xa0 || is_hidden(c) ? 0 : n; /* below: C1 controls */
}

char *out_clean(char *dst, size_t size, const char *text)
{
    const unsigned char *s = (const unsigned char *)(text != NULL ? text : "?");
    size_t used = 0;

    while (*s != '\0') {
        size_t n = showable(s);

        if (used + (n > 0 ? n : 4) >= size)
            break;
        if (n == 0) {
            snprintf(dst + used, 5, "\\x%02x", *s++);
            used += 4;
            continue;
        }
        memcpy(dst + used, s, n);
        used += n;
        s += n;
    }
    dst[used] = '\0';
    return dst;
}

int out_colored(const struct out *o, FILE *to)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    if (o->color >= 0)
        return o->color;
    if (no != NULL && no[0] != '\0')
        return 0;
    if (term == NULL || strcmp(term, "dumb") == 0)
        return 0;
    return isatty(fileno(to));
}

void out_label(const struct out *o, FILE *to, const char *color,
               const char *label)
{
    int pad = (int)strlen(label) < 10 ? 11 - (int)strlen(label) : 1;

    if (out_colored(o, to))
        fprintf(to, "\033[%sm%s\033[0m%*s", color, label, pad, "");
    else
        fprintf(to, "%s%*s", label, pad, "");
}

void out_warning(const struct out *o, const char *text)
{
    int colored = out_colored(o, stderr);

    fprintf(stderr, "tlsock: %sWARNING: %s%s\n", colored ? "\033[1;31m" : "",
            text, colored ? "\033[0m" : "");
}

json_t *out_json_text(const char *text)
{
    json_t *value;
    size_t size;
    char *clean;

    if (text == NULL)
        return json_null();
    size = 4 * strlen(text) + 1;
    clean = json_memory(size);
    if (clean == NULL)
        return json_null();
    value = json_string(out_clean(clean, size, text));
    free(clean);
    return value;
}

json_t *out_json_raw(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);

    return value != NULL ? value : json_null();
}

int out_json_print(json_t *value)
{
    int rc = -1;

    if (value != NULL)
        rc = json_dumpf(value, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(value);
    if (rc == 0 && putchar('\n') != EOF && fflush(stdout) == 0)
        return 0;
    return -1;
}

/* Seconds from now until then. */
static double until(const char *rfc3339, int *ok)
{
    struct tm tm = {0};
    const char *end = strptime(rfc3339, "%Y-%m-%dT%H:%M:%SZ", &tm);

    *ok = end != NULL && *end == '\0';
    return *ok ? (double)(civil_seconds(&tm) - (int64_t)time(NULL)) : 0;
}

int out_age(char text[32], const char *rfc3339)
{
    static const struct {
        int seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    int ok;
    int64_t age = -(int64_t)until(rfc3339, &ok);
    size_t i = 0;

    if (!ok)
        return -1;
    age = age < 0 ? 0 : age; /* their clock is ahead of ours */
    while (i < 3 && age < 2 * units[i].seconds)
        i++;
    age /= units[i].seconds;
    snprintf(text, 32, "%lld %s%s old", (long long)age, units[i].name,
             i == 0 ? "s" : "");
    return 0;
}

long out_days_until(const char *rfc3339, int *ok)
{
    double seconds = until(rfc3339, ok);

    if (!*ok)
        return 0;
    return (long)(seconds / 86400) - (seconds < 0 ? 1 : 0);
}

void out_now(char text[32])
{
    time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
