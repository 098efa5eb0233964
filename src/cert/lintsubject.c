/* The subject's name: RFC 5280, 4.1.2.4, 4.1.2.6 and its upper bounds. */
#include "cert/lint.h"
#include "core/str.h"

#include <openssl/objects.h>
#include <string.h>

#define MOST 256 /* attributes that are looked at */

static int count(const X509_NAME *name)
{
    int n = X509_NAME_entry_count(name);

    return n < MOST ? n : MOST;
}

static const ASN1_STRING *entry(const struct tsk_lint_cert *l, int i, int *nid)
{
    X509_NAME_ENTRY *e = X509_NAME_get_entry(X509_get_subject_name(l->x), i);

    *nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(e));
    return X509_NAME_ENTRY_get_data(e);
}

/* Characters, not bytes; -1: not readable as text. */
static int characters(const ASN1_STRING *s)
{
    unsigned char *utf8 = NULL;
    int n = ASN1_STRING_to_UTF8(&utf8, s), chars = n < 0 ? -1 : 0;

    for (int i = 0; i < n; i++)
        chars += (utf8[i] & 0xc0) != 0x80;
    OPENSSL_free(utf8);
    return chars;
}

static const struct {
    int nid, most, type; /* type: the only one allowed, or 0 */
} bounds[] = {
    {NID_commonName, 64, 0},
    {NID_organizationName, 64, 0},
    {NID_organizationalUnitName, 64, 0},
    {NID_localityName, 128, 0},
    {NID_stateOrProvinceName, 128, 0},
    {NID_title, 64, 0},
    {NID_surname, 64, 0},
    {NID_givenName, 64, 0},
    {NID_streetAddress, 128, 0},
    {NID_postalCode, 40, 0},
    {NID_serialNumber, 64, V_ASN1_PRINTABLESTRING},
    {NID_countryName, 2, V_ASN1_PRINTABLESTRING},
    {NID_dnQualifier, 64, V_ASN1_PRINTABLESTRING},
    {NID_pkcs9_emailAddress, 255, V_ASN1_IA5STRING},
    {NID_domainComponent, 63, V_ASN1_IA5STRING},
};

#define BOUNDS ((int)(sizeof(bounds) / sizeof(bounds[0])))

static int bound_of(int nid)
{
    for (int i = 0; i < BOUNDS; i++)
        if (bounds[i].nid == nid)
            return i;
    return -1;
}

static int too_long(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < count(X509_get_subject_name(l->x)); i++) {
        int nid, at, n;
        const ASN1_STRING *s = entry(l, i, &nid);

        at = bound_of(nid);
        n = at >= 0 && nid != NID_countryName ? characters(s) : 0;
        if (n > 0 && n > bounds[at].most)
            return tsk_lint_say(l, "%s has %d characters, more than %d",
                                OBJ_nid2sn(nid), n, bounds[at].most);
    }
    return 0;
}

static int wrong_type(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < count(X509_get_subject_name(l->x)); i++) {
        int nid, at;
        const ASN1_STRING *s = entry(l, i, &nid);

        at = bound_of(nid);
        if (at >= 0 && bounds[at].type != 0 &&
            ASN1_STRING_type(s) != bounds[at].type)
            return tsk_lint_say(l, "%s is of type %s, not %s", OBJ_nid2sn(nid),
                                ASN1_tag2str(ASN1_STRING_type(s)),
                                ASN1_tag2str(bounds[at].type));
    }
    return 0;
}

static int old_type(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < count(X509_get_subject_name(l->x)); i++) {
        int nid, type = ASN1_STRING_type(entry(l, i, &nid));

        if (type == V_ASN1_T61STRING || type == V_ASN1_BMPSTRING ||
            type == V_ASN1_UNIVERSALSTRING)
            return tsk_lint_say(l,
                                "%s is of type %s, neither UTF8String nor "
                                "PrintableString",
                                OBJ_nid2sn(nid), ASN1_tag2str(type));
    }
    return 0;
}

static int country(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < count(X509_get_subject_name(l->x)); i++) {
        int nid;
        const ASN1_STRING *s = entry(l, i, &nid);
        const unsigned char *p = ASN1_STRING_get0_data(s);

        if (nid != NID_countryName)
            continue;
        if (ASN1_STRING_length(s) != 2 || p[0] < 'A' || p[0] > 'Z' ||
            p[1] < 'A' || p[1] > 'Z')
            return tsk_lint_say(l,
                                "the country \"%s\" is not two capital "
                                "letters",
                                tsk_lint_str(l, s));
    }
    return 0;
}

static int is_printable(unsigned char c)
{
    return c != '\0' &&
           strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                  "0123456789 '()+,-./:=?",
                  c) != NULL;
}

static int bad_character(const ASN1_STRING *s)
{
    const unsigned char *p = ASN1_STRING_get0_data(s);
    int type = ASN1_STRING_type(s), n = ASN1_STRING_length(s);

    for (int i = 0; i < n; i++) {
        if (type == V_ASN1_PRINTABLESTRING && !is_printable(p[i]))
            return 1;
        if ((type == V_ASN1_UTF8STRING || type == V_ASN1_IA5STRING) &&
            (p[i] < 0x20 || p[i] == 0x7f))
            return 1;
        if (type == V_ASN1_IA5STRING && p[i] > 0x7f)
            return 1;
    }
    return 0;
}

static int characters_bad(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < count(X509_get_subject_name(l->x)); i++) {
        int nid;
        const ASN1_STRING *s = entry(l, i, &nid);

        if (bad_character(s))
            return tsk_lint_say(l,
                                "%s has characters that %s does not allow: "
                                "\"%s\"",
                                OBJ_nid2sn(nid),
                                ASN1_tag2str(ASN1_STRING_type(s)),
                                tsk_lint_str(l, s));
    }
    return 0;
}

static int blank(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < count(X509_get_subject_name(l->x)); i++) {
        int nid;
        const ASN1_STRING *s = entry(l, i, &nid);
        const unsigned char *p = ASN1_STRING_get0_data(s);
        int n = ASN1_STRING_length(s);

        if (n > 0 && (p[0] == ' ' || p[n - 1] == ' '))
            return tsk_lint_say(l, "%s begins or ends with a blank: \"%s\"",
                                OBJ_nid2sn(nid), tsk_lint_str(l, s));
    }
    return 0;
}

static int empty_value(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < count(X509_get_subject_name(l->x)); i++) {
        int nid;

        if (ASN1_STRING_length(entry(l, i, &nid)) == 0)
            return tsk_lint_say(l, "%s is there, but empty", OBJ_nid2sn(nid));
    }
    return 0;
}

static int repeated(struct tsk_lint_cert *l, int wanted)
{
    int n = 0;

    for (int i = 0; i < count(X509_get_subject_name(l->x)); i++) {
        int nid;

        (void)entry(l, i, &nid);
        n += nid == wanted;
    }
    if (n < 2)
        return 0;
    return tsk_lint_say(l,
                        "it has %d of %s: clients differ in which one "
                        "counts",
                        n, OBJ_nid2sn(wanted));
}

static int multi_valued(struct tsk_lint_cert *l, int arg)
{
    X509_NAME *name = X509_get_subject_name(l->x);
    int last = -1;

    (void)arg;
    for (int i = 0; i < count(name); i++) {
        int set = X509_NAME_ENTRY_set(X509_NAME_get_entry(name, i));

        if (set == last)
            return tsk_lint_say(l, "an RDN has several attributes, which much "
                                   "software shows wrongly");
        last = set;
    }
    return 0;
}

static int has_email(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (X509_NAME_get_index_by_NID(X509_get_subject_name(l->x),
                                   NID_pkcs9_emailAddress, -1) < 0)
        return 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(l->san); i++)
        if (sk_GENERAL_NAME_value(l->san, i)->type == GEN_EMAIL)
            return 0;
    return tsk_lint_say(l, "a mail address is in the subject, but none among "
                           "the names");
}

static int ca_nameless(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (X509_NAME_entry_count(X509_get_subject_name(l->x)) > 0)
        return 0;
    return tsk_lint_say(l, "it is a CA, and its subject is empty");
}

static int not_critical(struct tsk_lint_cert *l, int arg)
{
    int at = X509_get_ext_by_NID(l->x, NID_subject_alt_name, -1);

    (void)arg;
    if (l->ca || X509_NAME_entry_count(X509_get_subject_name(l->x)) > 0 ||
        (at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(l->x, at))))
        return 0;
    return tsk_lint_say(l, "its subject is empty, and %s",
                        at < 0 ? "it has no names either"
                               : "its names are not critical");
}

const struct tsk_lint_rule tsk_lint_subject[] = {
    {"subject-ca-empty", LINT_E, LINT_CA, ca_nameless, 0, "RFC 5280, 4.1.2.6",
     "a CA needs a name: make it anew"},
    {"subject-empty", LINT_E, LINT_END, not_critical, 0, "RFC 5280, 4.2.1.6",
     "have it issued with a subject, or with critical names"},
    {"subject-too-long", LINT_E, LINT_ANY, too_long, 0, "RFC 5280, A.1",
     "shorten the value; long host names need no CN"},
    {"subject-attribute-type", LINT_E, LINT_ANY, wrong_type, 0, "RFC 5280, A.1",
     "have it issued with the type that is asked for"},
    {"subject-string-type", LINT_W, LINT_ANY, old_type, 0, "RFC 5280, 4.1.2.4",
     "have it issued with UTF8String"},
    {"subject-country", LINT_E, LINT_ANY, country, 0,
     "RFC 5280, A.1; ISO 3166-1", "write DE, FR, US, ..."},
    {"subject-characters", LINT_E, LINT_ANY, characters_bad, 0,
     "RFC 5280, 4.1.2.4",
     "have it issued with UTF8String, and without "
     "control characters"},
    {"subject-blank", LINT_W, LINT_ANY, blank, 0, "CA/B BR, 7.1.4",
     "have it issued without it: names are compared byte by byte"},
    {"subject-empty-value", LINT_W, LINT_ANY, empty_value, 0, "CA/B BR, 7.1.4",
     "leave the attribute out"},
    {"subject-several-cn", LINT_W, LINT_ANY, repeated, NID_commonName,
     "CA/B BR, 7.1.4", "one CN, and all names in subjectAltName"},
    {"subject-several-countries", LINT_W, LINT_ANY, repeated, NID_countryName,
     "CA/B BR, 7.1.4", "leave one of them out"},
    {"subject-multi-valued", LINT_N, LINT_ANY, multi_valued, 0,
     "CA/B BR, 7.1.4", "one attribute in each RDN"},
    {"subject-email", LINT_W, LINT_END, has_email, 0, "RFC 5280, 4.1.2.6",
     "put it into subjectAltName as rfc822Name"},
    {.code = NULL}};
