/* The result for a person: verdict first, worst first. */
#include "check.h"

#include <string.h>

static const char *get(const json_t *obj, const char *key)
{
    const char *text = json_string_value(json_object_get(obj, key));

    return text != NULL ? text : "";
}

static void colored(const struct check *c, const char *color, const char *text,
                    int pad)
{
    if (out_colored(&c->o.out, stdout))
        printf("\033[%sm%-*s\033[0m", color, pad, text);
    else
        printf("%-*s", pad, text);
}

static void count(int n, const char *what, int *before)
{
    if (n == 0)
        return;
    printf("%s%d %s%s", *before ? ", " : "  ", n, what, n == 1 ? "" : "s");
    *before = 1;
}

/* "shop.example.com:443  NOT OK  1 error  (2 addresses, 31 connections, 0.9
 * s)" */
static void verdict(const struct check *c)
{
    int bad = check_bad(c), before = 0;
    size_t n = json_array_size(json_object_get(c->doc, "addresses"));

    printf("%s  ", get(c->doc, "server"));
    colored(c, bad ? OUT_RED : OUT_GREEN, bad ? "NOT OK" : "ok", 0);
    count(c->found[CHECK_ERROR], "error", &before);
    count(c->found[CHECK_WARN], "warning", &before);
    count(c->found[CHECK_NOTE], "note", &before);
    printf(
        "  (%zu address%s, %lld connection%s, %.1f s)\n", n, n == 1 ? "" : "es",
        (long long)json_integer_value(json_object_get(c->doc, "connections")),
        json_integer_value(json_object_get(c->doc, "connections")) == 1 ? ""
                                                                        : "s",
        (double)json_integer_value(json_object_get(c->doc, "elapsed_ms")) /
            1000);
}

/* Of what is good, words: "key exchange". */
static void spaced(char *out, size_t size, const char *code)
{
    snprintf(out, size, "%s", code);
    for (char *p = out; *p != '\0'; p++)
        if (*p == '-')
            *p = ' ';
}

static void print(const struct check *c, const json_t *f)
{
    static const struct {
        const char *level, *label, *color;
    } labels[] = {{"error", "ERROR", OUT_RED},
                  {"warning", "WARN", OUT_YELLOW},
                  {"note", "note", "1"},
                  {"ok", "ok", OUT_GREEN}};
    const json_t *row;
    char code[64];
    size_t i = 0;

    while (i < 3 && strcmp(labels[i].level, get(f, "level")) != 0)
        i++;
    snprintf(code, sizeof(code), "%s", get(f, "code"));
    if (i == 3)
        spaced(code, sizeof(code), get(f, "code"));
    colored(c, labels[i].color, labels[i].label, 5);
    printf(" %-16s  %s\n", code, get(f, "text"));
    json_array_foreach(json_object_get(f, "rows"), i, row)
        printf("        %-8s %s\n", get(row, "label"), get(row, "text"));
    if (get(f, "affects")[0] != '\0')
        printf("      affects  %s\n", get(f, "affects"));
    if (get(f, "fix")[0] != '\0')
        printf("      fix      %s\n", get(f, "fix"));
    if (c->o.out.verbose && get(f, "source")[0] != '\0')
        printf("      says     %s\n", get(f, "source"));
}

static void print_all(const struct check *c)
{
    const char *version;
    json_t *of;

    json_object_foreach(json_object_get(c->doc, "ciphers"), version, of)
    {
        const json_t *s;
        size_t i;

        json_array_foreach(json_object_get(of, "suites"), i, s) printf(
            "%-8s %s%s%s\n", i == 0 ? version : "", get(s, "name"),
            strcmp(get(s, "strength"), "good") == 0 ? "" : "  ",
            strcmp(get(s, "strength"), "good") == 0 ? "" : get(s, "strength"));
    }
}

static void print_addresses(const struct check *c)
{
    const json_t *a;
    size_t i;

    json_array_foreach(json_object_get(c->doc, "addresses"), i, a)
        printf("%-8s %s  %s  %s  %s\n", i == 0 ? "address" : "",
               get(a, "address"), get(a, "version"), get(a, "cipher"),
               get(a, "error")[0] != '\0' ? get(a, "error") : "verified");
}

static int grave_enough(const struct check *c, const json_t *f)
{
    for (int level = c->fail_on; level <= CHECK_ERROR; level++)
        if (strcmp(get(f, "level"),
                   check_level_name((enum check_level)level)) == 0)
            return 1;
    return 0;
}

/* With -q there is nothing to say of what is good. */
void check_print_text(struct check *c)
{
    const json_t *f;
    size_t i;

    if (c->o.out.quiet && !check_bad(c))
        return;
    verdict(c);
    putchar('\n');
    json_array_foreach(c->findings, i, f)
    {
        if (!c->o.out.quiet || grave_enough(c, f))
            print(c, f);
    }
    if (c->o.out.verbose) {
        putchar('\n');
        print_addresses(c);
        print_all(c);
    }
}
