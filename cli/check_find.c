/* Findings: kept as JSON, cleaned on the way in. */
#include "certfield.h"
#include "certtext.h"
#include "check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Whom it concerns, where that is not plain from what it is. The codes that
 * are not here are the library's (tlsock_errslug()) or lint's. */
static const struct {
    const char *code, *affects;
} whom[] = {
    {"chain-incomplete", "clients that do not fetch it: curl, wget, Python, "
                         "Java, Go, most mail servers"},
    {"untrusted-root", "everybody who was not told to trust it"},
    {"name-mismatch", "everybody who asks for this name"},
    {"expired", "everybody"},
    {"not-yet-valid", "everybody"},
    {"revoked", "clients that check revocation"},
    {"must-staple", "clients that honour it, as Firefox does"},
    {"dane", "mail servers and others that go by DANE"},
    {"ip-differs", "clients that come to the one address or the other"},
    {"ip-unreachable", "clients that come to this address: each waits, or "
                       "gives up"},
    {"intolerant", "every client of today"},
    {"version-unsupported", "every client of today"},
    {"protocol-broken", "nobody needs it; who is in between can force it on "
                        "old clients"},
    {"protocol-old", "old clients, who could be held at it; browsers refuse "
                     "it"},
    {"cipher-broken", "clients that agree to it: who is in between reads "
                      "along"},
    {"cipher-weak", "long connections of old clients"},
    {"dh-weak", "clients that agree to it: such a group can be broken "
                "(Logjam); OpenSSL 3 refuses to connect"},
    {"compression", "secrets inside (CRIME)"},
    {"renegotiation-insecure", "who is in between can put requests before a "
                               "client's own; OpenSSL 3 refuses to connect"},
    {"sni-required", "clients without SNI: old libraries, some monitors"},
    {"client-cert-required", "who has no certificate for it"},
};

static const char *affects(const char *code)
{
    for (size_t i = 0; i < sizeof(whom) / sizeof(whom[0]); i++)
        if (strcmp(whom[i].code, code) == 0)
            return whom[i].affects;
    return NULL;
}

const char *check_level_name(enum check_level level)
{
    static const char *const names[] = {"ok", "note", "warning", "error"};

    return names[level];
}

static json_t *add(struct check *c, enum check_level level, const char *code,
                   const char *fix, const char *text)
{
    json_t *f = json_object();
    int bad = level >= CHECK_NOTE;

    json_object_set_new(f, "level", json_string(check_level_name(level)));
    json_object_set_new(f, "code", json_string(code));
    json_object_set_new(f, "text", out_json_text(text));
    if (bad && affects(code) != NULL)
        json_object_set_new(f, "affects", json_string(affects(code)));
    if (fix != NULL && fix[0] != '\0')
        json_object_set_new(f, "fix", out_json_text(fix));
    json_object_set_new(f, "rows", json_array());
    c->found[level]++;
    json_array_append_new(c->findings, f);
    return f;
}

json_t *check_add(struct check *c, enum check_level level, const char *code,
                  const char *fix, const char *format, ...)
{
    char text[2048];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    return add(c, level, code, fix, text);
}

json_t *check_add_error(struct check *c, enum check_level level,
                        const tlsock_error *err)
{
    return add(c, level, tlsock_errslug(err->code), err->hint, err->message);
}

void check_row(json_t *finding, const char *label, const char *format, ...)
{
    json_t *row = json_object();
    char text[1024];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    json_object_set_new(row, "label", json_string(label));
    json_object_set_new(row, "text", out_json_text(text));
    json_array_append_new(json_object_get(finding, "rows"), row);
}

void check_sort(struct check *c)
{
    json_t *sorted = json_array(), *f;
    size_t i;

    for (int level = CHECK_ERROR; level >= CHECK_OK; level--)
        json_array_foreach(c->findings, i, f)
        {
            if (strcmp(certtext_get(f, "level"),
                       check_level_name((enum check_level)level)) == 0)
                json_array_append(sorted, f);
        }
    json_decref(c->findings);
    c->findings = sorted;
}

int check_bad(const struct check *c)
{
    for (int level = c->fail_on; level <= CHECK_ERROR; level++)
        if (c->found[level] > 0)
            return 1;
    return 0;
}

int check_has(const struct check *c, const char *code)
{
    const json_t *f;
    size_t i;

    json_array_foreach(c->findings, i, f)
    {
        if (strcmp(certtext_get(f, "code"), code) == 0)
            return 1;
    }
    return 0;
}

void check_cert_name(const tlsock_cert *c, char *text, size_t size)
{
    static const int items[] = {TLSOCK_CERT_CN, TLSOCK_CERT_SANS,
                                TLSOCK_CERT_SUBJECT};
    const char *name = NULL;

    for (size_t i = 0; i < 3 && (name == NULL || name[0] == '\0'); i++)
        name = c != NULL ? certfield(c, items[i]) : NULL;
    snprintf(text, size, "%s",
             name != NULL && name[0] != '\0' ? name : "(no name)");
}
