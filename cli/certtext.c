#include "certtext.h"

#include <stdlib.h>
#include <string.h>

#define INDENT 13 /* where the texts behind labels begin */
#define WIDTH 79
#define LINES 5 /* of a list, unless -v */

const char *certtext_get(const json_t *obj, const char *key)
{
    const char *text = json_string_value(json_object_get(obj, key));

    return text != NULL ? text : "";
}

static long number(const json_t *obj, const char *key)
{
    return (long)json_integer_value(json_object_get(obj, key));
}

static int is(const json_t *obj, const char *key)
{
    return json_is_true(json_object_get(obj, key));
}

static void colored(const struct out *o, const char *color, const char *label,
                    const char *text)
{
    if (text[0] == '\0')
        return;
    fputs("  ", stdout);
    out_label(o, stdout, color, label);
    printf("%s\n", text);
}

void certtext_row(const struct out *o, const char *label, const char *text)
{
    colored(o, "1", label, text);
}

/* Columns that UTF-8 takes, nearly: what matters is that lines do not wrap. */
static int columns(const char *text)
{
    int n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

void certtext_list(const struct out *o, const char *label, const json_t *list)
{
    size_t n = json_array_size(list), i;
    int at = INDENT, lines = 1;

    if (n == 0)
        return;
    fputs("  ", stdout);
    out_label(o, stdout, "1", label);
    for (i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        int len = columns(text != NULL ? text : "");

        if (i > 0 && at + 2 + len > WIDTH) {
            if (lines++ == LINES && !o->verbose)
                break;
            printf("\n%*s", INDENT, "");
            at = INDENT;
        } else if (i > 0) {
            fputs("  ", stdout);
            at += 2;
        }
        fputs(text != NULL ? text : "", stdout);
        at += len;
    }
    if (i < n)
        printf("\n%*s... and %zu more: -v shows them", INDENT, "", n - i);
    putchar('\n');
}

static void add(char *text, size_t size, const char *more)
{
    size_t used = strlen(text);

    snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", more);
}

/* "server, client": what it may be used for; "": it does not say. */
static void purpose_of(const json_t *cert, char *text, size_t size)
{
    static const char *const words[][2] = {
        {"serverAuth", "server"},           {"clientAuth", "client"},
        {"codeSigning", "code signing"},    {"emailProtection", "e-mail"},
        {"timeStamping", "time stamps"},    {"OCSPSigning", "OCSP answers"},
        {"anyExtendedKeyUsage", "anything"}};
    const json_t *eku = json_object_get(cert, "ext_key_usage"), *one;
    char ca[80];
    size_t i;

    text[0] = '\0';
    json_array_foreach(eku, i, one)
    {
        const char *name = certtext_get(one, "name");

        for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
            if (strcmp(name, words[k][0]) == 0)
                name = words[k][1];
        add(text, size, name[0] != '\0' ? name : certtext_get(one, "oid"));
    }
    if (!is(cert, "ca"))
        return;
    if (json_is_integer(json_object_get(cert, "pathlen")))
        snprintf(ca, sizeof(ca), "CA (at most %ld below it)",
                 number(cert, "pathlen"));
    else
        snprintf(ca, sizeof(ca), "CA");
    add(text, size, ca);
}

/* "2026-11-22 to 2027-02-20, 54 days left"; *color goes with it. */
static void validity(const json_t *cert, char *text, size_t size,
                     const char **color)
{
    const char *from = certtext_get(cert, "not_before"),
               *to = certtext_get(cert, "not_after");
    long left = number(cert, "days_left");
    char now[32];

    out_now(now); /* RFC 3339 in UTC sorts as text */
    *color = left < 0 ? OUT_RED : left < 15 ? OUT_YELLOW : OUT_GREEN;
    if (!json_is_integer(json_object_get(cert, "days_left"))) {
        *color = OUT_RED;
        snprintf(text, size, "the dates cannot be read");
    } else if (left < 0) {
        snprintf(text, size, "%.10s to %.10s, EXPIRED %ld day%s ago", from, to,
                 -left, left == -1 ? "" : "s");
    } else if (strcmp(from, now) > 0) {
        *color = OUT_RED;
        snprintf(text, size, "%.10s to %.10s, NOT YET VALID", from, to);
    } else {
        snprintf(text, size, "%.10s to %.10s, %ld day%s left", from, to, left,
                 left == 1 ? "" : "s");
    }
}

/* A value that is copied whole has a line of its own: it would not fit. */
static void long_row(const struct out *o, const char *label, const char *what,
                     const char *text)
{
    if (text[0] == '\0')
        return;
    certtext_row(o, label, what);
    printf("    %s\n", text);
}

/* "DNS:a.test" is a.test to a person; other kinds keep their word. */
static void names(const struct out *o, const json_t *cert)
{
    json_t *list = json_array();
    const json_t *one;
    char text[600];
    size_t i;

    json_array_foreach(json_object_get(cert, "subject_alt_names"), i, one)
    {
        const char *type = certtext_get(one, "type"),
                   *value = certtext_get(one, "value");

        if (strcmp(type, "DNS") == 0 || strcmp(type, "IP") == 0)
            json_array_append_new(list, json_string(value));
        else {
            snprintf(text, sizeof(text), "%s:%s", type, value);
            json_array_append_new(list, out_json_text(text));
        }
    }
    certtext_list(o, "names", list);
    json_decref(list);
}

static void limits(const struct out *o, const json_t *cert)
{
    const json_t *nc = json_object_get(cert, "name_constraints");

    certtext_list(o, "only for", json_object_get(nc, "permitted"));
    certtext_list(o, "never for", json_object_get(nc, "excluded"));
    if (is(cert, "must_staple"))
        certtext_row(o, "staple",
                     "required (must-staple): the server has to "
                     "send an OCSP answer");
}

/* One line each: they are copied, and most stand alone. */
static void urls(const struct out *o, const char *label, const json_t *list)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (i == 3 && !o->verbose)
            break;
        certtext_row(o, i == 0 ? label : "", json_string_value(one));
    }
}

static void summary(const struct out *o, const json_t *cert)
{
    char text[400], purpose[300];
    const char *color;

    names(o, cert);
    certtext_row(o, "issuer",
                 is(cert, "self_signed") ? "itself (self-signed)"
                                         : certtext_get(cert, "issuer"));
    validity(cert, text, sizeof(text), &color);
    colored(o, color, "valid", text);
    snprintf(text, sizeof(text), "%s, signed with %s",
             certtext_get(cert, "key_type"), certtext_get(cert, "signature"));
    certtext_row(o, "key", text);
    purpose_of(cert, purpose, sizeof(purpose));
    certtext_row(o, "for",
                 purpose[0] != '\0' ? purpose : "anything: it does not say");
    limits(o, cert);
    urls(o, "CRL", json_object_get(cert, "crl_urls"));
    urls(o, "OCSP", json_object_get(cert, "ocsp_urls"));
    urls(o, "issuer at", json_object_get(cert, "aia_urls"));
    long_row(o, "pin", "of the key, for --pin", certtext_get(cert, "pin"));
    long_row(o, "digest", "of the certificate, for --pin",
             certtext_get(cert, "sha256"));
}

static void key_details(const struct out *o, const json_t *cert)
{
    const json_t *key = json_object_get(cert, "key");
    const char *e = certtext_get(key, "exponent");
    char text[400];

    snprintf(text, sizeof(text), "%ld bits, about %ld bits of security%s%s",
             number(key, "bits"), number(key, "security_bits"),
             e[0] != '\0' ? ", exponent " : "", e);
    certtext_row(o, "", text);
    certtext_row(o, "key id", certtext_get(cert, "key_id"));
    certtext_row(o, "by key id", certtext_get(cert, "issuer_key_id"));
}

static void scts(const struct out *o, const json_t *cert)
{
    const json_t *one;
    char text[300];
    size_t i;

    json_array_foreach(json_object_get(cert, "scts"), i, one)
    {
        snprintf(text, sizeof(text), "%.20s  log %.16s...",
                 certtext_get(one, "time"), certtext_get(one, "log_id"));
        certtext_row(o, i == 0 ? "logged" : "", text);
    }
}

static void extensions(const struct out *o, const json_t *cert)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(cert, "extensions"), i, one)
    {
        const char *name = certtext_get(one, "name"),
                   *data = certtext_get(one, "data");

        if (i == 0)
            certtext_row(o, "extensions", "as OpenSSL prints them");
        printf("    %s%s: %s%s\n",
               name[0] != '\0' ? name : certtext_get(one, "oid"),
               is(one, "critical") ? " (critical)" : "",
               data[0] != '\0' ? data : "DER ",
               data[0] != '\0' ? "" : certtext_get(one, "der"));
    }
}

static void everything(const struct out *o, const json_t *cert)
{
    const json_t *prints = json_object_get(cert, "fingerprints");
    char text[80];

    snprintf(text, sizeof(text), "%ld", number(cert, "version"));
    certtext_row(o, "version", text);
    certtext_row(o, "serial", certtext_get(cert, "serial"));
    certtext_row(o, "from", certtext_get(cert, "not_before"));
    certtext_row(o, "until", certtext_get(cert, "not_after"));
    key_details(o, cert);
    certtext_list(o, "usage", json_object_get(cert, "usage"));
    scts(o, cert);
    certtext_row(o, "SHA-1", certtext_get(prints, "sha1"));
    certtext_row(o, "SHA-256", certtext_get(prints, "sha256"));
    snprintf(text, sizeof(text), "%ld bytes of DER", number(cert, "size"));
    certtext_row(o, "size", text);
    extensions(o, cert);
}

static void headline(const struct out *o, const json_t *cert, int place)
{
    const char *subject = certtext_get(cert, "subject");

    printf(out_colored(o, stdout) ? "\033[1m%d  %s\033[0m\n" : "%d  %s\n",
           place, subject[0] != '\0' ? subject : "(no subject)");
}

void certtext_print(const struct out *o, const json_t *cert, int place)
{
    headline(o, cert, place);
    summary(o, cert);
    if (o->verbose)
        everything(o, cert);
}

void certtext_line(const struct out *o, const json_t *cert, int place)
{
    int root = is(cert, "self_signed");
    const char *color, *rest;
    char text[200];

    headline(o, cert, place);
    validity(cert, text, sizeof(text), &color);
    rest = strchr(text, ',');
    fputs("  ", stdout);
    out_label(o, stdout, color, root ? "root" : "issuer");
    printf("%s%suntil %.10s%s\n", root ? "" : certtext_get(cert, "issuer"),
           root ? "" : ", ", certtext_get(cert, "not_after"),
           rest != NULL ? rest : "");
}
