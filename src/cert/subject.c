#include "cert/make.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/objects.h>
#include <string.h>

#define MOST_PARTS 32
#define TYPE_MAX 64
#define VALUE_MAX 512

struct part {
    int joined; /* "+": belongs to the one before */
    ASN1_OBJECT *type;
    unsigned char value[VALUE_MAX];
    int len;
};

struct parser {
    const char *all, *at;
    struct part *parts;
    int n;
    tlsock_error *err;
};

static int bad(struct parser *p, const char *why)
{
    char shown[128];

    tsk_printable(shown, sizeof(shown), p->all, strlen(p->all));
    tsk_fail(p->err, TLSOCK_E_ARGUMENT, "subject \"%s\" %s", shown, why);
    tsk_hint(p->err, "write it as CN=name,O=organisation,C=two letters (RFC "
                     "4514); a backslash goes before a comma, a plus or a "
                     "backslash that is part of a value");
    return TLSOCK_E_ARGUMENT;
}

static ASN1_OBJECT *type_of(const char *name)
{
    static const char *const usual[][2] = {
        {"CN", "CN"}, {"O", "O"},     {"OU", "OU"},
        {"C", "C"},   {"ST", "ST"},   {"S", "ST"},
        {"L", "L"},   {"DC", "DC"},   {"UID", "UID"},
        {"E", "emailAddress"},        {"emailAddress", "emailAddress"},
        {"serialNumber", "serialNumber"}};

    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (tsk_casecmp(name, usual[i][0]) == 0)
            name = usual[i][1];
    return OBJ_txt2obj(name, 0);
}

static int read_type(struct parser *p, struct part *part)
{
    char name[TYPE_MAX];
    size_t n;

    while (*p->at == ' ')
        p->at++;
    n = strcspn(p->at, "=,+\\");
    if (p->at[n] != '=')
        return bad(p, "has a part without \"=\"");
    if (n == 0 || n >= sizeof(name))
        return bad(p, "has a part without a type before \"=\"");
    memcpy(name, p->at, n);
    name[n] = '\0';
    while (n > 0 && name[n - 1] == ' ')
        name[--n] = '\0';
    p->at = strchr(p->at, '=') + 1;
    part->type = type_of(name);
    return part->type != NULL ? TLSOCK_OK
                              : bad(p, "has a part of an unknown type");
}

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F'
                                                    ? c - 'A' + 'a' : c)
                               : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

/* What a backslash stands before: a special character or two hex digits. */
static int read_escape(struct parser *p, unsigned char *out)
{
    int high = digit(p->at[0]), low = high >= 0 ? digit(p->at[1]) : -1;

    if (low >= 0) {
        *out = (unsigned char)(high * 16 + low);
        p->at += 2;
    } else if (*p->at != '\0' && strchr(" \"#+,;<=>\\", *p->at) != NULL) {
        *out = (unsigned char)*p->at++;
    } else {
        return bad(p, "has a backslash before nothing special");
    }
    return *out != '\0' ? TLSOCK_OK : bad(p, "has a zero byte in a value");
}

static int read_value(struct parser *p, struct part *part)
{
    int kept = 0; /* up to here blanks count */

    while (*p->at == ' ')
        p->at++;
    while (*p->at != '\0' && *p->at != ',' && *p->at != '+') {
        unsigned char c = (unsigned char)*p->at++;

        if (c == '\\') {
            int rc = read_escape(p, &c);

            if (rc != TLSOCK_OK)
                return rc;
            kept = part->len + 1;
        } else if (c != ' ') {
            kept = part->len + 1;
        }
        if (part->len == VALUE_MAX)
            return bad(p, "has a value of more than 512 bytes");
        part->value[part->len++] = c;
    }
    part->len = kept;
    return part->len > 0 ? TLSOCK_OK : bad(p, "has a part without a value");
}

static int read_parts(struct parser *p)
{
    int joined = 0, rc;

    if (*p->at == '\0')
        return bad(p, "is empty");
    for (;;) {
        struct part *part = &p->parts[p->n];

        if (p->n == MOST_PARTS)
            return bad(p, "has more than 32 parts");
        p->n++;
        part->joined = joined;
        rc = read_type(p, part);
        if (rc == TLSOCK_OK)
            rc = read_value(p, part);
        if (rc != TLSOCK_OK)
            return rc;
        if (*p->at == '\0')
            return TLSOCK_OK;
        joined = *p->at++ == '+';
    }
}

static int add_part(struct parser *p, X509_NAME *name, const struct part *part)
{
    int rc, nid = OBJ_obj2nid(part->type);

    if (X509_NAME_add_entry_by_OBJ(name, part->type, MBSTRING_UTF8, part->value,
                                   part->len, -1, part->joined ? -1 : 0))
        return TLSOCK_OK;
    rc = tsk_fail_ossl(p->err, TLSOCK_E_ARGUMENT,
                       "the value of %s in the subject is not possible",
                       OBJ_nid2sn(nid));
    if (rc == TLSOCK_E_ARGUMENT)
        tsk_hint(p->err, "C has two letters, CN and OU at most 64 characters, "
                         "all of it is UTF-8");
    return rc;
}

/* RFC 4514, 2.1: the text begins with the last RDN of the sequence. */
static int build(struct parser *p, X509_NAME *name)
{
    int end = p->n;

    while (end > 0) {
        int first = end - 1;

        while (p->parts[first].joined)
            first--;
        for (int i = first; i < end; i++) {
            int rc = add_part(p, name, &p->parts[i]);

            if (rc != TLSOCK_OK)
                return rc;
        }
        end = first;
    }
    return TLSOCK_OK;
}

int tsk_subject_parse(X509_NAME **out, const char *text, tlsock_error *err)
{
    struct parser p = {.all = text, .at = text, .err = err};
    X509_NAME *name = X509_NAME_new();
    int rc;

    p.parts = tsk_alloc(MOST_PARTS * sizeof(*p.parts));
    if (name == NULL || p.parts == NULL)
        rc = tsk_fail_nomem(err);
    else
        rc = read_parts(&p);
    if (rc == TLSOCK_OK)
        rc = build(&p, name);
    for (int i = 0; i < p.n; i++)
        ASN1_OBJECT_free(p.parts[i].type);
    tsk_free(p.parts);
    if (rc != TLSOCK_OK) {
        X509_NAME_free(name);
        return rc;
    }
    *out = name;
    return TLSOCK_OK;
}
