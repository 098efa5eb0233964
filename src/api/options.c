#include "api/options.h"

#include "api/hostset.h"
#include "core/mem.h"
#include "core/str.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define KEY_MAX 32 /* longer than any key, for the nearest one */

static const struct tsk_optrow rows[] = {
#define OPTION(key, type, dflt, since, parser, field, help)                    \
    {{key, type, dflt, since, help},                                           \
     tsk_opt_##parser,                                                         \
     offsetof(struct tsk_settings, field)},
#include "api/options.def"
#undef OPTION
};

const tlsock_option *tlsock_option_next(const tlsock_option *o)
{
    const struct tsk_optrow *row = (const struct tsk_optrow *)(const void *)o;

    if (row == NULL)
        return &rows[0].pub;
    for (size_t i = 0; i + 1 < COUNT(rows); i++)
        if (row == &rows[i])
            return &rows[i + 1].pub;
    return NULL;
}

const struct tsk_optrow *tsk_option_find(const char *key)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].pub.key, key) == 0)
            return &rows[i];
    return NULL;
}

/* The sentence of the option; what is too long ends between words. */
static void say_help(tlsock_error *err, const struct tsk_optrow *row)
{
    static const char more[] = " ... (tlsock.conf(5) has it all)";
    const char *help = row->pub.help;
    size_t room = sizeof(err->hint) - strlen(row->pub.key) - 3;
    size_t len = strlen(help);

    if (len <= room) {
        tsk_hint(err, "%s: %s", row->pub.key, help);
        return;
    }
    len = room - (sizeof(more) - 1);
    while (len > 0 && help[len] != ' ')
        len--;
    tsk_hint(err, "%s: %.*s%s", row->pub.key, (int)len, help, more);
}

int tsk_option_bad(tlsock_error *err, const struct tsk_optrow *row,
                   const char *value, const char *why)
{
    char shown[80];
    int rc;

    tsk_printable(shown, sizeof(shown), value, strlen(value));
    rc = tsk_fail(err, TLSOCK_E_OPTION,
                  "%s: \"%s\" is not valid%s%s%s; valid: %s", row->pub.key,
                  shown, why != NULL ? " (" : "", why != NULL ? why : "",
                  why != NULL ? ")" : "", row->pub.type);
    if (err != NULL)
        say_help(err, row);
    return rc;
}

int tsk_option_text(char **field, const char *value, tlsock_error *err)
{
    char *copy = tsk_strdup(value);

    if (copy == NULL)
        return tsk_fail_nomem(err);
    tsk_free_text(*field);
    *field = copy;
    return TLSOCK_OK;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance; b is one of the table's keys, so shorter than
 * KEY_MAX. */
static size_t distance(const char *a, const char *b)
{
    size_t row[KEY_MAX + 1], n = strlen(b);

    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t swap = diagonal + (a[i] != b[j]);

            diagonal = row[j + 1];
            row[j + 1] = least(swap, least(row[j], row[j + 1]) + 1);
        }
    }
    return row[n];
}

static const char *nearest(const char *key)
{
    const char *best = NULL;
    size_t len = strlen(key), limit = len < 6 ? 2 : len / 3 + 1;

    if (len > KEY_MAX)
        return NULL;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t d = distance(key, rows[i].pub.key);

        if (d < limit || (d == limit && best == NULL)) {
            limit = d;
            best = rows[i].pub.key;
        }
    }
    return best;
}

/* "verify.x" -> the keys that begin with "verify"; "" if there are none. */
static void family(const char *key, char *out, size_t size)
{
    size_t stem = strcspn(key, ".-"), pos = 0;

    out[0] = '\0';
    for (size_t i = 0; stem != 0 && i < COUNT(rows); i++) {
        const char *k = rows[i].pub.key;

        if (strncmp(k, key, stem) == 0 && strcspn(k, ".-") == stem)
            tsk_append(out, size, &pos, "%s%s", pos != 0 ? ", " : "", k);
    }
}

static int unknown_key(const char *key, tlsock_error *err)
{
    char shown[64], kin[180];
    const char *near;

    tsk_printable(shown, sizeof(shown), key, strlen(key));
    if (strcmp(key, "verify") == 0) {
        tsk_fail(err, TLSOCK_E_OPTION,
                 "verify: verification cannot be "
                 "switched off");
        tsk_hint(err, "name what to forgive, and why: insecure = "
                      "no-name: WHY; see insecure in tlsock.conf(5); a "
                      "configuration file may have verify = i-accept-mitm");
        return TLSOCK_E_OPTION;
    }
    near = nearest(key);
    family(key, kin, sizeof(kin));
    if (near != NULL)
        tsk_fail(err, TLSOCK_E_OPTION,
                 "unknown option \"%s\"; did you mean \"%s\"?", shown, near);
    else
        tsk_fail(err, TLSOCK_E_OPTION, "unknown option \"%s\"", shown);
    if (kin[0] != '\0')
        tsk_hint(err, "options of this family: %s", kin);
    else
        tsk_hint(err, "tlsock.conf(5) lists all options");
    return TLSOCK_E_OPTION;
}

int tsk_option_set(struct tsk_settings *set, const char *key, const char *value,
                   tlsock_error *err)
{
    const struct tsk_optrow *row;
    int optional, rc;

    if (key == NULL || value == NULL)
        return tsk_fail(err, TLSOCK_E_ARGUMENT, "%s is NULL",
                        key == NULL ? "the option's key" : "the value");
    optional = *key == '?';
    key += optional;
    if (strchr(key, '@') != NULL)
        return tsk_hostset_option(set, key, value, err);
    row = tsk_option_find(key);
    if (row == NULL)
        return unknown_key(key, err);
    if (*value == '\0')
        return tsk_option_bad(err, row, value, "a value is needed");
    if (strlen(value) > TSK_OPTION_MAX)
        return tsk_option_bad(err, row, value, "longer than 8192 bytes");
    rc = row->parse(row, set, value, err);
    if (optional && (rc == TSK_OPTION_UNKNOWN || rc == TLSOCK_E_UNSUPPORTED)) {
        tsk_clear(err);
        return TLSOCK_OK;
    }
    return rc == TSK_OPTION_UNKNOWN ? TLSOCK_E_OPTION : rc;
}

int tsk_option_defaults(struct tsk_settings *set, tlsock_error *err)
{
    int rc = TLSOCK_OK;

    for (size_t i = 0; i < COUNT(rows) && rc == TLSOCK_OK; i++)
        if (rows[i].pub.dflt[0] != '\0')
            rc = rows[i].parse(&rows[i], set, rows[i].pub.dflt, err);
    return rc;
}
