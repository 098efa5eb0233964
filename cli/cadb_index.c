/* The index as a file: text that people read and diff.
 *
 *   # tlsock CA index 1
 *   # ...                              any number of remarks
 *   crl-number = 3
 *   ...                                settings, each at most once
 *   V 5f.. 2026-..Z 2027-..Z - - "DNS:app.test" "CN=app.test"
 *   R 60.. 2026-..Z 2027-..Z 2026-..Z keyCompromise "" "CN=alice"
 *   end 2
 *
 * In quotes, \" \\ and \xNN stand for what could break a line. Read strictly:
 * whatever is not understood is an error with its line, since guessing could
 * lose a revocation. "end" tells a file that was cut off. */
#include "cadb_private.h"
#include "memfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char first_line[] = "# tlsock CA index 1";
static const char remarks[] =
    "# One line per certificate: status (V valid, R revoked), serial,\n"
    "# issued, expires, revoked, reason, names, subject. Look at it with\n"
    "# tlsock ca list; it is written by tlsock alone.\n";
static const char *const url_keys[CADB_URLS] = {"crl-url", "ocsp-url",
                                                "aia-url"};

struct reader {
    struct cadb_index *x;
    const char *file, *dir;
    unsigned long line;
    unsigned seen; /* bits of settings */
    tlsock_error *err;
};

static int damaged(const struct reader *r, const char *what)
{
    return cadb_fail(r->err, TLSOCK_E_OWN_FILE, 0,
                     "nothing was changed: bring this line back from a backup, "
                     "or look at certs/ for what was issued, and write the "
                     "line anew as the others are",
                     "%s, line %lu: %s", r->file, r->line, what);
}

/* The next word, ended by a blank; NULL: there is none. */
static char *word(char **at)
{
    char *start = *at, *blank = strchr(start, ' ');

    if (*start == '\0' || *start == ' ')
        return NULL;
    if (blank == NULL) {
        *at = start + strlen(start);
        return start;
    }
    *blank = '\0';
    *at = blank + 1;
    return start;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* "text" with its escapes undone where it stands; NULL: it is not one. */
static char *quoted(char **at)
{
    char *in = *at, *start, *to;

    if (*in++ != '"')
        return NULL;
    start = to = in;
    while (*in != '"') {
        if (*in == '\0')
            return NULL;
        if (*in != '\\') {
            *to++ = *in++;
        } else if (in[1] == '\\' || in[1] == '"') {
            *to++ = in[1];
            in += 2;
        } else {
            int high = in[1] == 'x' ? hex_digit(in[2]) : -1;
            int low = high >= 0 ? hex_digit(in[3]) : -1;

            if (low < 0 || (high == 0 && low == 0))
                return NULL;
            *to++ = (char)(high << 4 | low);
            in += 4;
        }
    }
    in++;
    *to = '\0';
    if (*in != '\0' && *in++ != ' ')
        return NULL;
    *at = in;
    return start;
}

static const char *status(struct cadb_entry *e, const char *state,
                          const char *when, const char *why)
{
    if (strcmp(state, "V") == 0)
        return strcmp(when, "-") == 0 && strcmp(why, "-") == 0
                   ? NULL
                   : "a valid certificate has a time or reason of revocation";
    e->revoked = 1;
    e->reason = cadb_reason_of(why);
    if (cadb_time_parse(&e->revoked_at, when) < 0)
        return "the time of revocation is none";
    return e->reason >= 0 ? NULL : "the reason of revocation is none";
}

static int take_row(struct reader *r, char *line)
{
    char *field[6], *sans, *subject, serial[48];
    struct cadb_entry *e;
    const char *wrong;

    for (int i = 0; i < 6; i++) {
        field[i] = word(&line);
        if (field[i] == NULL)
            return damaged(r, "a column is missing");
    }
    sans = quoted(&line);
    subject = sans != NULL ? quoted(&line) : NULL;
    if (subject == NULL || *line != '\0')
        return damaged(r, "names and subject are not two quoted texts");
    if (cadb_serial_normal(serial, field[1]) < 0 ||
        strcmp(serial, field[1]) != 0)
        return damaged(r, "the serial is none");
    e = cadb_row_new(serial, sans, subject, r->dir);
    if (e == NULL)
        return cadb_nomem(r->err);
    wrong = cadb_time_parse(&e->issued, field[2]) < 0 ||
                    cadb_time_parse(&e->expires, field[3]) < 0
                ? "the time of issue or of expiry is none"
                : status(e, field[0], field[4], field[5]);
    if (wrong == NULL && cadb_row_push(r->x, e) == 0)
        return 0;
    free(e);
    return wrong != NULL ? damaged(r, wrong) : cadb_nomem(r->err);
}

static int take_end(struct reader *r, uint64_t n)
{
    const struct cadb_entry *twice;
    char why[80];

    if (n != r->x->n)
        return damaged(r, "the number of lines is another: some are missing, "
                          "or were added by hand");
    twice = cadb_row_sort(r->x);
    if (twice == NULL)
        return 1;
    snprintf(why, sizeof(why), "the serial %s is there twice", twice->serial);
    return damaged(r, why);
}

static int number(const char *text, uint64_t most, uint64_t *value)
{
    char *end;

    if (*text < '0' || *text > '9')
        return -1;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *value <= most ? 0 : -1;
}

static int take_crl(struct cadb_crl_state *crl, const char *key,
                    const char *value)
{
    uint64_t n = 0;

    if (strcmp(key, "number") == 0)
        return number(value, INT64_MAX, &crl->number);
    if (strcmp(key, "made") == 0)
        return cadb_time_parse(&crl->made, value);
    if (strcmp(key, "due") == 0)
        return cadb_time_parse(&crl->due, value);
    if (strcmp(key, "days") == 0) {
        int rc = number(value, 36500, &n);

        crl->days = (int)n;
        return rc == 0 && n > 0 ? 0 : -1;
    }
    crl->outdated = strcmp(value, "yes") == 0;
    return crl->outdated || strcmp(value, "no") == 0 ? 0 : -1;
}

static int take_setting(struct reader *r, const char *key, char *value)
{
    static const char *const keys[] = {"crl-number",   "crl-made", "crl-due",
                                       "crl-outdated", "crl-days", "crl-url",
                                       "ocsp-url",     "aia-url"};
    unsigned which = 0;

    while (which < 8 && strcmp(keys[which], key) != 0)
        which++;
    if (which == 8)
        return damaged(r, "this setting is not known");
    if ((r->seen & 1u << which) != 0)
        return damaged(r, "this setting is there twice");
    r->seen |= 1u << which;
    if (which < 5)
        return take_crl(&r->x->crl, key + 4, value) == 0
                   ? 0
                   : damaged(r, "the value is not possible");
    value = quoted(&value);
    if (value == NULL)
        return damaged(r, "the value is no quoted text");
    r->x->url[which - 5] = strdup(value);
    return r->x->url[which - 5] != NULL ? 0 : cadb_nomem(r->err);
}

/* 1: it was the last one. */
static int take_line(struct reader *r, char *line)
{
    char *equals;
    uint64_t n;

    if (r->line == 1)
        return strcmp(line, first_line) == 0
                   ? 0
                   : damaged(r, "this is no index that this version knows");
    if (line[0] == '#')
        return 0;
    if (strncmp(line, "end ", 4) == 0) {
        return number(line + 4, SIZE_MAX, &n) == 0
                   ? take_end(r, n)
                   : damaged(r, "the number of lines is none");
    }
    if (line[1] == ' ' && (line[0] == 'V' || line[0] == 'R'))
        return take_row(r, line);
    equals = strstr(line, " = ");
    if (equals == NULL)
        return damaged(r, "this is neither a certificate nor a setting");
    *equals = '\0';
    return take_setting(r, line, equals + 3);
}

int cadb_index_parse(struct cadb_index *x, const char *file, char *text,
                     size_t len, const char *dir, tlsock_error *err)
{
    struct reader r = {x, file, dir, 0, 0, err};
    char *end = text + len, *newline;
    int rc = 0;

    cadb_index_init(x);
    while (rc == 0) {
        r.line++;
        newline = memchr(text, '\n', (size_t)(end - text));
        if (newline == NULL)
            rc = damaged(&r, "the file ends too early");
        else if (memchr(text, '\0', (size_t)(newline - text)) != NULL)
            rc = damaged(&r, "there is a 0 byte in it");
        else
            *newline = '\0';
        if (rc == 0)
            rc = take_line(&r, text);
        if (newline != NULL)
            text = newline + 1;
    }
    if (rc == 1 && text != end) {
        r.line++;
        rc = damaged(&r, "there is something behind the end");
    }
    if (rc == 1)
        return 0;
    cadb_index_free(x);
    return rc;
}

static void put_quoted(FILE *f, const char *text)
{
    putc('"', f);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            fprintf(f, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(f, "\\x%02x", c);
        else
            putc(c, f);
    }
    putc('"', f);
}

static void put_row(FILE *f, const struct cadb_entry *e)
{
    char issued[32], expires[32], revoked[32] = "-";

    cadb_time_text(e->issued, issued);
    cadb_time_text(e->expires, expires);
    if (e->revoked)
        cadb_time_text(e->revoked_at, revoked);
    fprintf(f, "%c %s %s %s %s %s ", e->revoked ? 'R' : 'V', e->serial, issued,
            expires, revoked, e->revoked ? cadb_reason_name(e->reason) : "-");
    put_quoted(f, e->sans);
    putc(' ', f);
    put_quoted(f, e->subject);
    putc('\n', f);
}

static void put_time(FILE *f, const char *key, int64_t when)
{
    char text[32];

    if (when == 0)
        return;
    cadb_time_text(when, text);
    fprintf(f, "%s = %s\n", key, text);
}

static void put_head(FILE *f, const struct cadb_index *x)
{
    fprintf(f, "%s\n%scrl-number = %llu\n", first_line, remarks,
            (unsigned long long)x->crl.number);
    put_time(f, "crl-made", x->crl.made);
    put_time(f, "crl-due", x->crl.due);
    fprintf(f, "crl-outdated = %s\ncrl-days = %d\n",
            x->crl.outdated ? "yes" : "no", x->crl.days);
    for (int i = 0; i < CADB_URLS; i++) {
        if (x->url[i] == NULL)
            continue;
        fprintf(f, "%s = ", url_keys[i]);
        put_quoted(f, x->url[i]);
        putc('\n', f);
    }
}

char *cadb_index_text(const struct cadb_index *x, size_t *len)
{
    struct memfile m;
    FILE *f = memfile_open(&m);

    if (f != NULL) {
        put_head(f, x);
        for (size_t i = 0; i < x->n; i++)
            put_row(f, x->row[i]);
        fprintf(f, "end %zu\n", x->n);
    }
    return memfile_close(&m, f, len);
}
