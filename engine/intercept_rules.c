#include "intercept_rules.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RULES_MOST 100000
#define TEXT_MOST 255

enum { BY_NAME, BY_ADDRESS, BY_CLIENT, BY_JA4 };

struct rule {
    int verdict, by;
    unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;
    char *text;       /* as written */
    const char *what; /* in it: what is compared */
};

struct intercept_rules {
    struct rule *v;
    size_t n;
};

static const char *const words[] = {"intercept", "pass", "deny"};

const char *rules_word(int verdict)
{
    return words[verdict];
}

struct intercept_rules *rules_new(void)
{
    return calloc(1, sizeof(struct intercept_rules));
}

void rules_free(struct intercept_rules *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++)
        free(r->v[i].text);
    free(r->v);
    free(r);
}

/* 32: an IPv4 address, 128: IPv6, 0: neither. */
static unsigned address(const char *text, size_t len, unsigned char out[16])
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0,    0,
                                             0, 0, 0, 0, 0xff, 0xff};
    char host[INET6_ADDRSTRLEN];

    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    if (len >= sizeof(host))
        return 0;
    memcpy(host, text, len);
    host[len] = '\0';
    memcpy(out, mapped, sizeof(mapped));
    if (inet_pton(AF_INET, host, out + 12) == 1)
        return 32;
    return inet_pton(AF_INET6, host, out) == 1 ? 128 : 0;
}

/* 1: an address, with or without "/bits"; 0: none; -1: bits are wrong. */
static int network(struct rule *r)
{
    size_t len = strcspn(r->what, "/");
    unsigned size = address(r->what, len, r->address);
    char *end;
    unsigned long bits;

    if (size == 0)
        return 0;
    r->bits = 128;
    if (r->what[len] == '\0')
        return 1;
    bits = strtoul(r->what + len + 1, &end, 10);
    if (r->what[len + 1] < '0' || r->what[len + 1] > '9' || *end != '\0' ||
        bits > size)
        return -1;
    r->bits = (unsigned)bits + 128 - size;
    return 1;
}

static int is_name(const char *text)
{
    if (strcmp(text, "*") == 0)
        return 1;
    if (strncmp(text, "*.", 2) == 0)
        text += 2;
    return *text != '\0' && *text != '.' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789-_.") == strlen(text);
}

static const char *understand(struct rule *r)
{
    int rc;

    r->by = BY_NAME;
    r->what = r->text;
    if (strncmp(r->text, "ja4:", 4) == 0) {
        r->by = BY_JA4;
        r->what = r->text + 4;
        return *r->what != '\0' ? NULL : "ja4: without a fingerprint";
    }
    if (strncmp(r->text, "from:", 5) == 0) {
        r->by = BY_CLIENT;
        r->what = r->text + 5;
    }
    rc = network(r);
    if (rc < 0)
        return "the number behind the slash is too large, or none";
    if (rc == 0 && r->by == BY_CLIENT)
        return "from: needs an address";
    if (rc > 0 && r->by == BY_NAME)
        r->by = BY_ADDRESS;
    if (rc == 0 && !is_name(r->what))
        return "no name, no address, no ja4:FINGERPRINT";
    return NULL;
}

int rules_add(struct intercept_rules *r, int verdict, const char *what,
              const char **why)
{
    struct rule new = {.verdict = verdict}, *grown;

    *why = "too many rules";
    if (r->n >= RULES_MOST)
        return -1;
    *why = "too long";
    if (strlen(what) > TEXT_MOST)
        return -1;
    *why = "out of memory";
    new.text = strdup(what);
    if (new.text == NULL)
        return -1;
    *why = understand(&new);
    if (*why == NULL) {
        *why = "out of memory";
        grown = (r->n & (r->n - 1)) != 0
                    ? r->v /* its size is the next power of two */
                    : realloc(r->v, (r->n == 0 ? 1 : 2 * r->n) * sizeof(new));
        if (grown != NULL) {
            r->v = grown;
            r->v[r->n++] = new;
            return 0;
        }
    }
    free(new.text);
    return -1;
}

static int parse_line(struct intercept_rules *r, char *line, const char **why)
{
    char *save = NULL, *word, *what;

    line[strcspn(line, "#")] = '\0';
    word = strtok_r(line, " \t\r", &save);
    if (word == NULL)
        return 0;
    what = strtok_r(NULL, " \t\r", &save);
    *why = "intercept WHAT, pass WHAT or deny WHAT is expected";
    if (what == NULL || strtok_r(NULL, " \t\r", &save) != NULL)
        return -1;
    for (int i = RULE_INTERCEPT; i <= RULE_DENY; i++)
        if (strcmp(word, words[i]) == 0)
            return rules_add(r, i, what, why);
    return -1;
}

int rules_parse(struct intercept_rules *r, const char *text, size_t len,
                const char **why)
{
    char line[2 * TEXT_MOST];
    int number = 0;

    while (len > 0) {
        const char *end = memchr(text, '\n', len);
        size_t n = end != NULL ? (size_t)(end - text) : len;

        number++;
        *why = "the line is too long, or has a byte 0 in it";
        if (n >= sizeof(line) || memchr(text, 0, n) != NULL)
            return number;
        memcpy(line, text, n);
        line[n] = '\0';
        if (parse_line(r, line, why) != 0)
            return number;
        n += end != NULL;
        text += n;
        len -= n;
    }
    return 0;
}

/* A trailing dot means nothing; "*.a.test" is everything below a.test. */
static int name_fits(const char *pattern, const char *name)
{
    size_t n = strlen(name), p = strlen(pattern);

    if (n > 0 && name[n - 1] == '.')
        n--;
    if (p > 1 && pattern[p - 1] == '.')
        p--;
    if (strcmp(pattern, "*") == 0)
        return 1;
    if (pattern[0] != '*')
        return n == p && strncasecmp(pattern, name, n) == 0;
    p--; /* with its dot */
    return n > p && strncasecmp(pattern + 1, name + n - p, p) == 0;
}

static int ja4_fits(const char *pattern, const char *ja4)
{
    size_t p = strlen(pattern);

    if (*ja4 == '\0')
        return 0;
    if (pattern[p - 1] == '*')
        return strncmp(pattern, ja4, p - 1) == 0;
    return strcmp(pattern, ja4) == 0;
}

static int within(const struct rule *r, const unsigned char a[16])
{
    unsigned whole = r->bits / 8, rest = r->bits % 8;

    return memcmp(r->address, a, whole) == 0 &&
           (rest == 0 || ((r->address[whole] ^ a[whole]) >> (8 - rest)) == 0);
}

static int sockaddr_fits(const struct rule *r, const struct sockaddr *sa)
{
    unsigned char a[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    if (sa->sa_family == AF_INET)
        memcpy(a + 12, &((const struct sockaddr_in *)(const void *)sa)->sin_addr,
               4);
    else if (sa->sa_family == AF_INET6)
        memcpy(a, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr,
               16);
    else
        return 0;
    return within(r, a);
}

/* 1 fits, 0 not, -1: it takes the address. */
static int address_fits(const struct rule *r, const struct rule_facts *f)
{
    unsigned char a[16];

    if (f->to != NULL)
        return sockaddr_fits(r, f->to);
    if (address(f->host, strlen(f->host), a) != 0)
        return within(r, a);
    return -1;
}

static int fits(const struct rule *r, const struct rule_facts *f)
{
    int yes;

    if (r->by == BY_ADDRESS)
        return address_fits(r, f);
    if (r->by == BY_CLIENT)
        return f->from != NULL && sockaddr_fits(r, f->from);
    yes = r->by == BY_JA4 ? ja4_fits(r->what, f->ja4)
                          : name_fits(r->what, f->host) ||
                                (f->sni[0] != '\0' && name_fits(r->what, f->sni));
    /* what may fit later may go before a rule that fits now, unless it says
     * no as well */
    return !yes && f->early && r->verdict != RULE_DENY ? -1 : yes;
}

int rules_match(const struct intercept_rules *r, const struct rule_facts *f,
                const char **what)
{
    *what = "";
    for (size_t i = 0; i < r->n; i++) {
        int rc = fits(&r->v[i], f);

        if (rc < 0)
            return RULE_UNKNOWN;
        if (rc > 0) {
            *what = r->v[i].text;
            return r->v[i].verdict;
        }
    }
    return RULE_INTERCEPT;
}
