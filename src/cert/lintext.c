/* How extensions are written: RFC 5280, 4.1.2.9 and 4.2. */
#include "cert/lint.h"

#include <openssl/objects.h>
#include <string.h>

#define MOST 256 /* extensions that are looked at */

static int count(const struct tsk_lint_cert *l)
{
    int n = X509_get_ext_count(l->x);

    return n < MOST ? n : MOST;
}

static const char *name_of(struct tsk_lint_cert *l, X509_EXTENSION *ext)
{
    char text[80];

    if (OBJ_obj2txt(text, sizeof(text), X509_EXTENSION_get_object(ext), 0) <= 0)
        return "(unreadable)";
    return tsk_lint_show(l, text, strlen(text));
}

static int doubled(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < count(l); i++) {
        X509_EXTENSION *ext = X509_get_ext(l->x, i);

        if (X509_get_ext_by_OBJ(l->x, X509_EXTENSION_get_object(ext), i) >= 0)
            return tsk_lint_say(l, "the extension %s is there more than once",
                                name_of(l, ext));
    }
    return 0;
}

static int none(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->exts.whole_n == 0 || l->exts.n > 0)
        return 0;
    return tsk_lint_say(l, "its list of extensions is empty");
}

/* 1: cannot be decoded, 2: something is behind it */
static int state(X509_EXTENSION *ext)
{
    const X509V3_EXT_METHOD *m = X509V3_EXT_get(ext);
    const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(ext);
    const unsigned char *p = ASN1_STRING_get0_data(data);
    long n = ASN1_STRING_length(data);
    void *value;

    if (m == NULL)
        return 0;
    value = m->it != NULL ? (void *)ASN1_item_d2i(NULL, &p, n, m->it())
                          : m->d2i(NULL, &p, n);
    if (value == NULL)
        return 1;
    if (m->it != NULL)
        ASN1_item_free(value, m->it());
    else
        m->ext_free(value);
    return p == ASN1_STRING_get0_data(data) + n ? 0 : 2;
}

static int malformed(struct tsk_lint_cert *l, int arg)
{
    for (int i = 0; i < count(l); i++) {
        X509_EXTENSION *ext = X509_get_ext(l->x, i);

        if (state(ext) != arg)
            continue;
        if (arg == 1)
            return tsk_lint_say(l, "the extension %s cannot be decoded",
                                name_of(l, ext));
        return tsk_lint_say(l,
                            "there is something behind the end of the "
                            "extension %s",
                            name_of(l, ext));
    }
    return 0;
}

/* The boolean "critical" of the next extension; 0: there is none. */
static int next_boolean(struct tsk_der *exts, struct tsk_der *boolean)
{
    struct tsk_der ext, oid;

    while (tsk_der_next(exts, &ext))
        if (tsk_der_next(&ext, &oid) && tsk_der_next(&ext, boolean) &&
            boolean->tag == V_ASN1_BOOLEAN)
            return 1;
    return 0;
}

static int bad_boolean(struct tsk_lint_cert *l, int arg)
{
    struct tsk_der exts = l->exts, b;

    (void)arg;
    while (next_boolean(&exts, &b))
        if (b.n != 1 || (b.p[0] != 0xff && b.p[0] != 0))
            return tsk_lint_say(l,
                                "an extension is critical by 0x%02x: TRUE "
                                "is 0xff",
                                b.n > 0 ? b.p[0] : 0);
    return 0;
}

static int written_false(struct tsk_lint_cert *l, int arg)
{
    struct tsk_der exts = l->exts, b;

    (void)arg;
    while (next_boolean(&exts, &b))
        if (b.n == 1 && b.p[0] == 0)
            return tsk_lint_say(l, "critical is written out where it is FALSE");
    return 0;
}

static int unknown_critical(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < count(l); i++) {
        X509_EXTENSION *ext = X509_get_ext(l->x, i);

        if (X509_EXTENSION_get_critical(ext) && !X509_supported_extension(ext))
            return tsk_lint_say(l,
                                "the extension %s is critical, and clients "
                                "do not know it",
                                name_of(l, ext));
    }
    return 0;
}

static int obsolete(struct tsk_lint_cert *l, int arg)
{
    static const int old[] = {
        NID_netscape_cert_type,       NID_netscape_base_url,
        NID_netscape_revocation_url,  NID_netscape_ca_revocation_url,
        NID_netscape_renewal_url,     NID_netscape_ca_policy_url,
        NID_netscape_ssl_server_name, NID_netscape_comment};

    (void)arg;
    for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
        if (X509_get_ext_by_NID(l->x, old[i], -1) >= 0)
            return tsk_lint_say(l, "it has %s, which nobody reads any more",
                                OBJ_nid2ln(old[i]));
    return 0;
}

const struct tsk_lint_rule tsk_lint_ext[] = {
    {"ext-duplicate", LINT_E, LINT_ANY, doubled, 0, "RFC 5280, 4.2",
     "have it issued anew, with one of each kind"},
    {"ext-empty", LINT_E, LINT_ANY, none, 0, "RFC 5280, 4.1",
     "have it issued anew"},
    {"ext-malformed", LINT_E, LINT_ANY, malformed, 1, "RFC 5280, 4.2",
     "have it issued anew: clients refuse it, or do as if it were not there"},
    {"ext-trailing", LINT_E, LINT_ANY, malformed, 2, "RFC 5280, 4.2",
     "have it issued anew"},
    {"ext-boolean", LINT_E, LINT_ANY, bad_boolean, 0, "X.690, 11.1",
     "have it issued by software that writes DER"},
    {"ext-default", LINT_E, LINT_ANY, written_false, 0, "X.690, 11.5",
     "have it issued by software that writes DER"},
    {"ext-unknown-critical", LINT_E, LINT_ANY, unknown_critical, 0,
     "RFC 5280, 4.2", "have it issued without, or not critical"},
    {"ext-obsolete", LINT_N, LINT_ANY, obsolete, 0, "practice", "leave it out"},
    {.code = NULL}};
