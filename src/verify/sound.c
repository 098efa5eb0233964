/* What RFC 5280 and the rules of the web refuse in a chain and OpenSSL does
 * not look at. An anchor is trusted as it is, but for its kind of key; a leaf
 * that is its own anchor has to be well-formed. */
#include "cert/cert.h"
#include "ossl/queue.h"
#include "verify/chain.h"
#include "verify/dane.h"

#include <openssl/x509v3.h>
#include <string.h>

#define SERIAL_MAX 20  /* octets: RFC 5280, 4.1.2.2 */
#define EXTENSIONS 128 /* real ones have about ten */

struct fault {
    const char *what;
    const char *source;
};

static int fault(struct fault *f, const char *what, const char *source)
{
    f->what = what;
    f->source = source;
    return 1;
}

static int serial_fault(X509 *x, struct fault *f)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
    const unsigned char *p = ASN1_STRING_get0_data(serial);
    int len = ASN1_STRING_length(serial);
    static const char source[] = "RFC 5280, 4.1.2.2";

    if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
        return fault(f, "its serial number is negative", source);
    if (len == 0 || (len == 1 && p[0] == 0))
        return fault(f, "its serial number is zero", source);
    if (len > SERIAL_MAX || (len == SERIAL_MAX && p[0] > 0x7f))
        return fault(f, "its serial number has more than 20 octets", source);
    return 0;
}

static int twice(X509 *x, struct fault *f)
{
    int n = X509_get_ext_count(x);

    if (n > EXTENSIONS)
        return fault(f, "it has more than 128 extensions", "a limit of ours");
    for (int i = 1; i < n; i++) {
        const ASN1_OBJECT *obj = X509_EXTENSION_get_object(X509_get_ext(x, i));

        if (X509_get_ext_by_OBJ(x, obj, -1) != i)
            return fault(f, "an extension is there twice", "RFC 5280, 4.2");
    }
    return 0;
}

/* The extension decoded, all of it. NULL: there is none, or *bad. */
static void *decode(X509 *x, int nid, int *bad)
{
    int at = X509_get_ext_by_NID(x, nid, -1);
    ASN1_OCTET_STRING *value;
    const X509V3_EXT_METHOD *method;
    const unsigned char *p;
    ASN1_VALUE *v;
    long len;

    if (at < 0)
        return NULL;
    value = X509_EXTENSION_get_data(X509_get_ext(x, at));
    method = X509V3_EXT_get_nid(nid);
    p = ASN1_STRING_get0_data(value);
    len = ASN1_STRING_length(value);
    v = ASN1_item_d2i(NULL, &p, len, ASN1_ITEM_ptr(method->it));
    *bad = v == NULL || p != ASN1_STRING_get0_data(value) + len;
    if (!*bad)
        return v;
    ASN1_item_free(v, ASN1_ITEM_ptr(method->it));
    return NULL;
}

/* IA5String without what no name and no URL has. */
static int readable(const ASN1_IA5STRING *s)
{
    const unsigned char *p = ASN1_STRING_get0_data(s);
    int len = ASN1_STRING_length(s);

    for (int i = 0; i < len; i++)
        if (p[i] <= ' ' || p[i] > '~')
            return 0;
    return len > 0;
}

static int name_fault(const GENERAL_NAME *g)
{
    int len;

    switch (g->type) {
    case GEN_DNS:
    case GEN_URI:
    case GEN_EMAIL:
        return !readable(g->d.ia5);
    case GEN_IPADD:
        len = ASN1_STRING_length(g->d.ip);
        return len != 4 && len != 16;
    default:
        return 0;
    }
}

static int san_fault(X509 *x, struct fault *f)
{
    static const char source[] = "RFC 5280, 4.2.1.6";
    int bad = 0, at = -1;
    GENERAL_NAMES *names = decode(x, NID_subject_alt_name, &bad);

    if (bad)
        return fault(f, "its subjectAltName is damaged", source);
    if (names == NULL)
        return 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && at < 0; i++)
        if (name_fault(sk_GENERAL_NAME_value(names, i)))
            at = i;
    bad = sk_GENERAL_NAME_num(names) == 0;
    GENERAL_NAMES_free(names);
    if (bad)
        return fault(f, "its subjectAltName is empty", source);
    return at >= 0 ? fault(f,
                           "its subjectAltName holds something that is no "
                           "name or address",
                           source)
                   : 0;
}

static int aia_fault(X509 *x, struct fault *f)
{
    int bad = 0;
    AUTHORITY_INFO_ACCESS *aia = decode(x, NID_info_access, &bad);

    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(aia) && !bad; i++) {
        const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(aia, i);

        bad = d->location->type == GEN_URI &&
              !readable(d->location->d.uniformResourceIdentifier);
    }
    bad |= aia != NULL && sk_ACCESS_DESCRIPTION_num(aia) == 0;
    AUTHORITY_INFO_ACCESS_free(aia);
    return bad ? fault(f, "its authorityInfoAccess is damaged",
                       "RFC 5280, 4.2.2.1")
               : 0;
}

static int constraints_fault(X509 *x, struct fault *f)
{
    static const char source[] = "RFC 5280, 4.2.1.10";
    int bad = 0, empty;
    NAME_CONSTRAINTS *nc = decode(x, NID_name_constraints, &bad);

    if (bad)
        return fault(f, "its nameConstraints are damaged", source);
    if (nc == NULL)
        return 0;
    empty = sk_GENERAL_SUBTREE_num(nc->permittedSubtrees) <= 0 &&
            sk_GENERAL_SUBTREE_num(nc->excludedSubtrees) <= 0;
    NAME_CONSTRAINTS_free(nc);
    return empty ? fault(f, "its nameConstraints are empty", source) : 0;
}

static int any_fault(X509 *x, struct fault *f)
{
    return serial_fault(x, f) || twice(x, f) || san_fault(x, f) ||
           aia_fault(x, f) || constraints_fault(x, f);
}

/* What a certificate that issues nothing must not say of itself. */
static int leaf_fault(X509 *x, struct fault *f)
{
    if (X509_get_extension_flags(x) & EXFLAG_CA)
        return fault(f,
                     "it is a CA's (basicConstraints CA:TRUE), not a "
                     "server's or a client's",
                     "CA/Browser Forum BR, 7.1.2.7");
    if (X509_get_ext_by_NID(x, NID_name_constraints, -1) >= 0)
        return fault(f, "it has nameConstraints, but is no CA",
                     "RFC 5280, 4.2.1.10");
    return 0;
}

static int key_fault(X509 *x, struct fault *f)
{
    EVP_PKEY *key = X509_get0_pubkey(x);
    int id = key != NULL ? EVP_PKEY_get_base_id(key) : 0;

    if (id == EVP_PKEY_DSA)
        return fault(f, "it has a DSA key", "FIPS 186-5");
    if ((id == EVP_PKEY_RSA || id == EVP_PKEY_RSA_PSS) &&
        EVP_PKEY_get_bits(key) % 8 != 0)
        return fault(f, "the bits of its RSA key are no multiple of 8",
                     "CA/Browser Forum BR, 6.1.5");
    return 0;
}

static int refuse(X509_STORE_CTX *ctx, X509 *x, int depth, int x509,
                  const struct fault *f, tlsock_error *err)
{
    int code = x509 == X509_V_ERR_EE_KEY_TOO_SMALL ? TLSOCK_E_WEAK
                                                   : TLSOCK_E_CERT_INVALID;
    char name[96], issuer[96];

    X509_STORE_CTX_set_error(ctx, x509);
    X509_STORE_CTX_set_error_depth(ctx, depth);
    if (err == NULL)
        return code;
    tsk_cert_short_name(x, name, sizeof(name));
    tsk_cert_short_issuer(x, issuer, sizeof(issuer));
    tsk_fail(err, code, "the %s \"%s\" is not acceptable: %s (%s)",
             depth == 0 ? "certificate" : "CA certificate", name, f->what,
             f->source);
    tsk_hint(err,
             "have it reissued by \"%.60s\" without that; tlsock cert "
             "lint tells all that is wrong with it",
             issuer);
    tsk_facts(err, NULL, NULL, name);
    err->x509_code = x509;
    err->x509_depth = depth;
    return code;
}

static int check_each(X509_STORE_CTX *ctx, STACK_OF(X509) * chain,
                      const struct tsk_verify_req *req,
                      const struct tsk_dane_match *dane, tlsock_error *err)
{
    int n = sk_X509_num(chain), anchor = dane->bare_key ? n : n - 1;

    for (int i = 0; i < n; i++) {
        X509 *x = sk_X509_value(chain, i);
        struct fault f;

        if (key_fault(x, &f))
            return refuse(ctx, x, i, X509_V_ERR_EE_KEY_TOO_SMALL, &f, err);
        if (dane->usage == 3 || (i > 0 && i == anchor))
            break;
        if (any_fault(x, &f) ||
            (i == 0 && n > 1 && req->purpose != TLSOCK_PURPOSE_ANY &&
             leaf_fault(x, &f)))
            return refuse(ctx, x, i, X509_V_ERR_INVALID_EXTENSION, &f, err);
    }
    return TLSOCK_OK;
}

int tsk_sound_chain(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                    tlsock_error *err)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    struct fault f = {.source = "RFC 5280, 4.2.1.10"};
    struct tsk_dane_match dane = {.usage = -1};
    int depth = 0, starved = 0, rc;

    (void)tsk_dane_matched(req->dane, &dane);
    rc = check_each(ctx, chain, req, &dane, err);
    if (rc != TLSOCK_OK || dane.usage == 3)
        return rc;
    f.what = tsk_constraint_fault(chain, &depth, &starved);
    if (starved) {
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_OUT_OF_MEM);
        return tsk_fail_nomem(err);
    }
    if (f.what != NULL)
        return refuse(ctx, sk_X509_value(chain, depth), depth,
                      X509_V_ERR_PERMITTED_VIOLATION, &f, err);
    return TLSOCK_OK;
}

int tsk_sound_damaged(X509_STORE_CTX *ctx, tlsock_error *err)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);

    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *x = sk_X509_value(chain, i);
        struct fault f;

        if ((X509_get_extension_flags(x) & EXFLAG_INVALID) == 0)
            continue;
        if (!any_fault(x, &f))
            fault(&f, "an extension of it is damaged", "RFC 5280, 4.2");
        refuse(ctx, x, i, X509_V_ERR_INVALID_EXTENSION, &f, err);
        return 1;
    }
    return 0;
}
