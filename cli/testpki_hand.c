/* testpki_hand - what the library refuses to make, made with OpenSSL alone:
 * weak keys and signatures, missing names, issuers that may not. */
#include "testpki.h"

#include <openssl/bn.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <tlsock/openssl.h>

#define DAY 86400

static const EVP_MD *digest(const char *name)
{
    if (name != NULL && strcmp(name, "md5") == 0)
        return EVP_md5();
    return name != NULL && strcmp(name, "sha1") == 0 ? EVP_sha1()
                                                     : EVP_sha256();
}

static int add(X509 *x, X509V3_CTX *ctx, int nid, const char *text)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, ctx, nid, text);
    int ok = e != NULL && X509_add_ext(x, e, -1);

    X509_EXTENSION_free(e);
    return ok;
}

/* An arc that is for examples alone (RFC 9371 leaves 32473 to them). */
static int add_unknown(X509 *x)
{
    ASN1_OBJECT *obj = OBJ_txt2obj("1.3.6.1.4.1.32473.1", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *e = NULL;
    int ok =
        obj != NULL && value != NULL &&
        ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\x00", 2) &&
        X509_EXTENSION_create_by_OBJ(&e, obj, 1, value) != NULL &&
        X509_add_ext(x, e, -1);

    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(obj);
    return ok;
}

static int extend(const struct zoo *z, const struct zoo_row *row, X509 *x,
                  X509 *issuer)
{
    char names[600], basic[64];
    const char *eku =
        row->purpose != NULL ? row->purpose : "serverAuth,clientAuth";
    X509V3_CTX ctx;
    int ok;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    strcpy(basic, "critical,CA:FALSE");
    if (row->ca && row->pathlen >= 0)
        snprintf(basic, sizeof(basic), "critical,CA:TRUE,pathlen:%d",
                 row->pathlen);
    else if (row->ca)
        strcpy(basic, "critical,CA:TRUE");
    ok = add(x, &ctx, NID_subject_key_identifier, "hash") &&
         add(x, &ctx, NID_authority_key_identifier, "keyid:always") &&
         add(x, &ctx, NID_basic_constraints, basic) &&
         add(x, &ctx, NID_key_usage,
             row->ca ? "critical,keyCertSign,cRLSign"
                     : "critical,digitalSignature");
    if (ok && !row->ca)
        ok = add(x, &ctx, NID_ext_key_usage, eku);
    if (ok && row->names != NULL)
        ok = add(x, &ctx, NID_subject_alt_name,
                 zoo_text(z, names, sizeof(names), row->names));
    if (ok && row->fault == ZOO_UNKNOWN_CRITICAL)
        ok = add_unknown(x);
    return ok;
}

static int name_it(const struct zoo *z, const struct zoo_row *row, X509 *x)
{
    char text[300], cn[300];
    size_t len;

    /* the first name, without its kind */
    zoo_text(z, text, sizeof(text), row->cn != NULL ? row->cn : row->names + 4);
    len = strcspn(text, ",");
    snprintf(cn, sizeof(cn), "%.*s", (int)len, text);
    return X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_commonName,
                                      MBSTRING_UTF8, (unsigned char *)cn, -1,
                                      -1, 0);
}

static int number_it(X509 *x)
{
    unsigned char random[16];
    BIGNUM *bn;
    int ok;

    if (RAND_bytes(random, sizeof(random)) != 1)
        return 0;
    random[0] = (unsigned char)((random[0] & 0x7f) | 0x40);
    bn = BN_bin2bn(random, sizeof(random), NULL);
    ok = bn != NULL && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) != NULL;
    BN_free(bn);
    return ok;
}

static int date_it(const struct zoo *z, const struct zoo_row *row, X509 *x)
{
    int64_t from = z->now + (row->from != 0 ? row->from : -1) * (int64_t)DAY;
    int64_t to = z->now + (row->to != 0 ? row->to : z->days) * (int64_t)DAY;

    return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(x), (time_t)to) != NULL;
}

/* The last byte belongs to a number: it stays well-formed. */
static void spoil(X509 *x)
{
    const ASN1_BIT_STRING *sig = NULL;

    X509_get0_signature(&sig, NULL, x);
    ((unsigned char *)ASN1_STRING_get0_data(
        sig))[ASN1_STRING_length(sig) - 1] ^= 1;
}

int zoo_hand(struct zoo *z, size_t i)
{
    const struct zoo_row *row = &zoo_rows[i];
    const struct zoo_made *by =
        &z->made[zoo_find(row->issuer, strlen(row->issuer))];
    struct zoo_made *m = &z->made[i];

    m->x = X509_new();
    if (m->x == NULL || !X509_set_version(m->x, 2) || !number_it(m->x) ||
        !name_it(z, row, m->x) || !date_it(z, row, m->x) ||
        !X509_set_issuer_name(m->x, X509_get_subject_name(by->x)) ||
        !X509_set_pubkey(m->x, m->key) || !extend(z, row, m->x, by->x) ||
        X509_sign(m->x, by->key, digest(row->digest)) <= 0)
        return zoo_failed(z, row->name);
    if (row->fault == ZOO_BAD_SIGNATURE)
        spoil(m->x);
    m->c = tlsock_cert_from_x509(m->x, m->key);
    return m->c != NULL ? 0 : zoo_failed(z, row->name);
}
