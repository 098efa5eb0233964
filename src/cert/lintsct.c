/* Certificate Transparency: RFC 6962, 3.3. */
#include "cert/lint.h"

#include <openssl/objects.h>
#include <string.h>

/* The octets inside the OCTET STRING; 0: not there, -1: no OCTET STRING */
static int list_of(const struct tsk_lint_cert *l, struct tsk_der *list)
{
    int at = X509_get_ext_by_NID(l->x, NID_ct_precert_scts, -1);
    const ASN1_OCTET_STRING *data;
    struct tsk_der all = {0};

    if (at < 0)
        return 0;
    data = X509_EXTENSION_get_data(X509_get_ext(l->x, at));
    all.p = ASN1_STRING_get0_data(data);
    all.n = (size_t)ASN1_STRING_length(data);
    if (!tsk_der_next(&all, list) || list->tag != V_ASN1_OCTET_STRING ||
        all.n > 0)
        return -1;
    return 1;
}

/* "opaque <1..2^16-1>": its content, and in behind it; 0: cut off */
static int opaque(struct tsk_der *in, struct tsk_der *out)
{
    size_t n = in->n >= 2 ? (size_t)in->p[0] << 8 | in->p[1] : 0;

    if (in->n < 2 || n > in->n - 2)
        return 0;
    out->p = in->p + 2;
    out->n = n;
    in->p += 2 + n;
    in->n -= 2 + n;
    return 1;
}

/* version, 32 of log id, 8 of time, extensions, 2 of algorithm, signature */
static int sct_ok(struct tsk_der sct)
{
    struct tsk_der rest, part;

    if (sct.n > 0 && sct.p[0] != 0)
        return 1; /* of a later version, which nobody here can judge */
    if (sct.n < 41)
        return 0;
    rest.p = sct.p + 41;
    rest.n = sct.n - 41;
    if (!opaque(&rest, &part) || rest.n < 2)
        return 0;
    rest.p += 2;
    rest.n -= 2;
    return opaque(&rest, &part) && part.n > 0 && rest.n == 0;
}

static int malformed(struct tsk_lint_cert *l, int arg)
{
    struct tsk_der all, list, sct;
    int rc = list_of(l, &all);

    (void)arg;
    if (rc == 0)
        return 0;
    if (rc < 0 || !opaque(&all, &list) || all.n > 0)
        return tsk_lint_say(l, "its list of SCTs cannot be read");
    while (list.n > 0)
        if (!opaque(&list, &sct) || !sct_ok(sct))
            return tsk_lint_say(l, "an SCT in its list cannot be read");
    return 0;
}

static int empty(struct tsk_lint_cert *l, int arg)
{
    struct tsk_der all, list;

    (void)arg;
    if (list_of(l, &all) <= 0 || !opaque(&all, &list) || list.n > 0)
        return 0;
    return tsk_lint_say(l, "its list of SCTs is empty");
}

static int poisoned(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (X509_get_ext_by_NID(l->x, NID_ct_precert_poison, -1) < 0)
        return 0;
    return tsk_lint_say(l, "it is a precertificate, made for logs alone");
}

const struct tsk_lint_rule tsk_lint_sct[] = {
    {"precertificate", LINT_E, LINT_ANY, poisoned, 0, "RFC 6962, 3.1",
     "take the certificate itself: every client refuses this one"},
    {"sct-malformed", LINT_E, LINT_ANY, malformed, 0, "RFC 6962, 3.3",
     "have it issued anew"},
    {"sct-empty", LINT_E, LINT_ANY, empty, 0, "RFC 6962, 3.3",
     "have it issued anew, with SCTs or without the extension"},
    {.code = NULL}};
