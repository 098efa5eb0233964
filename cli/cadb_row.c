/* The rows of the index in memory: in the order of issue, and by serial. */
#include "cadb_private.h"
#include "civil.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* RFC 5280, 5.3.1. Hold (6) and removeFromCRL (8) are for lists that give
 * certificates back, which this CA never does. */
static const struct {
    int code;
    const char *word;
} reasons[] = {{0, "unspecified"},        {1, "keyCompromise"},
               {2, "cACompromise"},       {3, "affiliationChanged"},
               {4, "superseded"},         {5, "cessationOfOperation"},
               {9, "privilegeWithdrawn"}, {10, "aACompromise"}};

#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

const char *cadb_reason_name(int reason)
{
    for (size_t i = 0; i < REASONS; i++) {
        if (reasons[i].code == reason)
            return reasons[i].word;
    }
    return NULL;
}

int cadb_reason_of(const char *word)
{
    for (size_t i = 0; i < REASONS; i++) {
        if (strcasecmp(reasons[i].word, word) == 0)
            return reasons[i].code;
    }
    return -1;
}

void cadb_time_text(int64_t when, char text[32])
{
    civil_text(when, text);
}

/* Exactly what cadb_time_text() writes. */
int cadb_time_parse(int64_t *when, const char *text)
{
    struct tm tm = {0};
    char again[32];
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

    if (end == NULL || *end != '\0')
        return -1;
    *when = civil_seconds(&tm);
    cadb_time_text(*when, again);
    return strcmp(again, text) == 0 ? 0 : -1;
}

int cadb_serial_normal(char out[48], const char *text)
{
    size_t n = 0, zeros;
    char hex[48];

    for (; *text != '\0'; text++) {
        if (*text == ':')
            continue;
        if (!isxdigit((unsigned char)*text) || n + 2 > sizeof(hex))
            return -1;
        hex[n++] = (char)tolower((unsigned char)*text);
    }
    hex[n] = '\0';
    zeros = strspn(hex, "0");
    n -= zeros;
    if (n == 0 || n > 40) /* 20 octets: RFC 5280, 4.1.2.2 */
        return -1;
    snprintf(out, 48, "%s%s", n % 2 != 0 ? "0" : "", hex + zeros);
    return 0;
}

void cadb_index_init(struct cadb_index *x)
{
    memset(x, 0, sizeof(*x));
    x->crl.days = CADB_CRL_DAYS;
}

void cadb_index_free(struct cadb_index *x)
{
    for (size_t i = 0; i < x->n; i++)
        free(x->row[i]);
    for (int i = 0; i < CADB_URLS; i++)
        free(x->url[i]);
    free(x->row);
    free(x->sorted);
    cadb_index_init(x);
}

static const char *put(char **at, const char *text)
{
    char *start = *at;
    size_t size = strlen(text) + 1;

    memcpy(start, text, size);
    *at += size;
    return start;
}

struct cadb_entry *cadb_row_new(const char *serial, const char *sans,
                                const char *subject, const char *dir)
{
    static const char where[] = "/certs/", end[] = ".pem";
    size_t path = strlen(dir) + strlen(serial) + sizeof(where) + sizeof(end);
    size_t size = strlen(serial) + strlen(sans) + strlen(subject) + 3 + path;
    struct cadb_entry *e = calloc(1, sizeof(*e) + size);
    char *at;

    if (e == NULL)
        return NULL;
    at = (char *)(e + 1);
    e->serial = put(&at, serial);
    e->sans = put(&at, sans);
    e->subject = put(&at, subject);
    e->file = at;
    snprintf(at, path, "%s%s%s%s", dir, where, serial, end);
    return e;
}

/* The place of a serial, or where it belongs. */
static size_t place(const struct cadb_index *x, const char *serial, int *found)
{
    size_t low = 0, high = x->n;

    *found = 0;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(x->sorted[mid]->serial, serial);

        if (order == 0) {
            *found = 1;
            return mid;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int grow(struct cadb_index *x)
{
    size_t room = x->room > 0 ? 2 * x->room : 64;
    struct cadb_entry **rows =
        realloc(x->row, room * sizeof(struct cadb_entry *));
    struct cadb_entry **sorted;

    if (rows == NULL)
        return -1;
    x->row = rows;
    sorted = realloc(x->sorted, room * sizeof(struct cadb_entry *));
    if (sorted == NULL)
        return -1;
    x->sorted = sorted;
    x->room = room;
    return 0;
}

int cadb_row_add(struct cadb_index *x, struct cadb_entry *e)
{
    int found;
    size_t at;

    if (x->n == x->room && grow(x) < 0)
        return -1;
    at = place(x, e->serial, &found);
    if (found)
        return -2;
    memmove(x->sorted + at + 1, x->sorted + at,
            (x->n - at) * sizeof(struct cadb_entry *));
    x->sorted[at] = e;
    x->row[x->n++] = e;
    return 0;
}

int cadb_row_push(struct cadb_index *x, struct cadb_entry *e)
{
    if (x->n == x->room && grow(x) < 0)
        return -1;
    x->sorted[x->n] = e;
    x->row[x->n++] = e;
    return 0;
}

static int by_serial(const void *a, const void *b)
{
    return strcmp((*(struct cadb_entry *const *)a)->serial,
                  (*(struct cadb_entry *const *)b)->serial);
}

const struct cadb_entry *cadb_row_sort(struct cadb_index *x)
{
    if (x->n > 0)
        qsort(x->sorted, x->n, sizeof(struct cadb_entry *), by_serial);
    for (size_t i = 1; i < x->n; i++) {
        if (by_serial(&x->sorted[i - 1], &x->sorted[i]) == 0)
            return x->sorted[i];
    }
    return NULL;
}

void cadb_row_drop_last(struct cadb_index *x)
{
    struct cadb_entry *e = x->row[x->n - 1];
    int found;
    size_t at = place(x, e->serial, &found);

    x->n--;
    memmove(x->sorted + at, x->sorted + at + 1,
            (x->n - at) * sizeof(struct cadb_entry *));
    free(e);
}

struct cadb_entry *cadb_row_find(const struct cadb_index *x, const char *serial)
{
    char normal[48];
    int found;
    size_t at;

    if (cadb_serial_normal(normal, serial) < 0)
        return NULL;
    at = place(x, normal, &found);
    return found ? x->sorted[at] : NULL;
}
