/* The extensions of a clone: names and usages of the seen one, key identifiers
 * of its own. RFC 5280, 4.2. */
#include "cert/clone.h"
#include "cert/make.h"
#include "ossl/queue.h"

#include <openssl/err.h>

#define SIGNS 0x0001 /* bits of keyUsage as below */
#define ENCIPHERS 0x000c
#define AGREES 0x0010
#define ONLY 0x0180 /* encipherOnly, decipherOnly */
#define FOR_CA 0x0060

static int put(X509 *x, int nid, void *value, int critical, tlsock_error *err)
{
    if (value != NULL &&
        X509_add1_ext_i2d(x, nid, value, critical, X509V3_ADD_APPEND) == 1)
        return TLSOCK_OK;
    return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot add the extension %s",
                         OBJ_nid2sn(nid));
}

/* Decode one that is there exactly once, and nothing behind it; else NULL, and
 * at is where it is, or ABSENT, BROKEN (or doubled), or STARVED. */
enum { ABSENT = -1, BROKEN = -2, STARVED = -3 };

static void *decode(X509 *seen, int nid, const ASN1_ITEM *item, int *at)
{
    const ASN1_OCTET_STRING *data;
    const unsigned char *p;
    void *value;

    *at = X509_get_ext_by_NID(seen, nid, -1);
    if (*at < 0) {
        *at = ABSENT;
        return NULL;
    }
    ERR_pop_to_mark(); /* what went wrong before is not its error */
    ERR_set_mark();
    data = X509_EXTENSION_get_data(X509_get_ext(seen, *at));
    p = ASN1_STRING_get0_data(data);
    value = ASN1_item_d2i(NULL, &p, ASN1_STRING_length(data), item);
    if (value != NULL &&
        p == ASN1_STRING_get0_data(data) + ASN1_STRING_length(data) &&
        X509_get_ext_by_NID(seen, nid, *at) < 0)
        return value;
    *at = value == NULL && tsk_ossl_starved() ? STARVED : BROKEN;
    ASN1_item_free(value, item);
    return NULL;
}

static int is_critical(X509 *seen, int at)
{
    return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(seen, at));
}

/* Without its names a clone would be one for the CN alone, or for nobody. */
static int bad_names(X509 *seen, tlsock_error *err)
{
    char who[96];

    tsk_cert_short_name(seen, who, sizeof(who));
    tsk_fail(err, TLSOCK_E_CERT_INVALID,
             "the names (subjectAltName) of \"%s\" cannot be read: malformed, "
             "empty, or there twice",
             who);
    tsk_hint(err, "clients refuse that certificate, so there is nothing to "
                  "imitate; tlsock cert lint tells more");
    return TLSOCK_E_CERT_INVALID;
}

/* The bytes as they were, for names must not change on the way. RFC 5280,
 * 4.2.1.6: critical if the subject is empty. */
static int names(X509 *x, X509 *seen, GENERAL_NAMES **out, tlsock_error *err)
{
    int at, n;
    X509_EXTENSION *ext;
    int rc = TLSOCK_OK;

    *out =
        decode(seen, NID_subject_alt_name, ASN1_ITEM_rptr(GENERAL_NAMES), &at);
    if (at == ABSENT)
        return TLSOCK_OK;
    if (at == STARVED)
        return tsk_fail_nomem(err);
    n = sk_GENERAL_NAME_num(*out);
    if (*out == NULL || n == 0)
        return bad_names(seen, err);
    if (n > TSK_CLONE_NAMES) {
        tsk_fail(err, TLSOCK_E_LIMIT,
                 "the certificate has %d names, more than %d", n,
                 TSK_CLONE_NAMES);
        tsk_hint(err, "no real certificate has that many; one with fewer can "
                      "be cloned");
        return TLSOCK_E_LIMIT;
    }
    ext = X509_EXTENSION_dup(X509_get_ext(seen, at));
    if (ext == NULL ||
        !X509_EXTENSION_set_critical(
            ext, is_critical(seen, at) ||
                     X509_NAME_entry_count(X509_get_subject_name(x)) == 0) ||
        !X509_add_ext(x, ext, -1))
        rc = tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot copy the names");
    X509_EXTENSION_free(ext);
    return rc;
}

static int basic_constraints(X509 *x, tlsock_error *err)
{
    BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();
    int rc = put(x, NID_basic_constraints, bc, 1, err);

    BASIC_CONSTRAINTS_free(bc);
    return rc;
}

/* What a key of this kind can do at all: RFC 8813, RFC 8410. */
static unsigned able(EVP_PKEY *key)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        return 0x0003 | ENCIPHERS;
    case EVP_PKEY_EC:
        return 0x0003 | AGREES | ONLY;
    default:
        return 0x0003;
    }
}

/* Where it says nothing, or nothing readable, what TLS needs: a certificate
 * without any keyUsage may do everything. */
static int key_usage(X509 *x, EVP_PKEY *key, X509 *seen, tlsock_error *err)
{
    ASN1_BIT_STRING *bits, *made;
    unsigned usage = 0;
    int at, rc, ok;

    bits = decode(seen, NID_key_usage, ASN1_ITEM_rptr(ASN1_BIT_STRING), &at);
    for (int i = 0; i < 9; i++)
        if (bits != NULL && ASN1_BIT_STRING_get_bit(bits, i))
            usage |= 1u << i;
    ASN1_BIT_STRING_free(bits);
    if (at == STARVED)
        return tsk_fail_nomem(err);
    if (bits == NULL)
        usage = SIGNS | (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? 0x04 : 0);
    usage &= able(key) & ~(unsigned)FOR_CA;
    if ((usage & AGREES) == 0)
        usage &= ~(unsigned)ONLY;
    if (usage == 0)
        usage = SIGNS;
    made = ASN1_BIT_STRING_new();
    ok = made != NULL;
    for (int i = 0; ok && i < 9; i++)
        if ((usage & (1u << i)) != 0)
            ok = ASN1_BIT_STRING_set_bit(made, i, 1);
    rc = ok ? put(x, NID_key_usage, made, 1, err) : tsk_fail_nomem(err);
    ASN1_BIT_STRING_free(made);
    return rc;
}

/* Its own CA's CRLs and OCSP answers are nothing that a copy may sign. */
static int no_purpose(X509 *seen, tlsock_error *err)
{
    char who[96];

    tsk_cert_short_name(seen, who, sizeof(who));
    tsk_fail(err, TLSOCK_E_PURPOSE,
             "\"%s\" is only for signing OCSP answers: a copy could speak for "
             "your CA",
             who);
    tsk_hint(err, "clone a certificate of a server, a client or a person");
    return TLSOCK_E_PURPOSE;
}

/* An unreadable list becomes the narrowest that a clone is for. None at all
 * stays none. */
static int purposes(X509 *x, X509 *seen, tlsock_error *err)
{
    int at, rc = TLSOCK_OK, ok = 1;
    EXTENDED_KEY_USAGE *eku = decode(seen, NID_ext_key_usage,
                                     ASN1_ITEM_rptr(EXTENDED_KEY_USAGE), &at);

    if (at == ABSENT)
        return TLSOCK_OK;
    if (at == STARVED)
        return tsk_fail_nomem(err);
    if (eku == NULL || sk_ASN1_OBJECT_num(eku) == 0) {
        EXTENDED_KEY_USAGE_free(eku);
        eku = EXTENDED_KEY_USAGE_new();
        ok = eku != NULL &&
             sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(NID_server_auth)) > 0;
    }
    for (int i = sk_ASN1_OBJECT_num(eku) - 1; ok && i >= 0; i--)
        if (OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, i)) == NID_OCSP_sign)
            ASN1_OBJECT_free(sk_ASN1_OBJECT_delete(eku, i));
    if (!ok)
        rc = tsk_fail_nomem(err);
    else if (sk_ASN1_OBJECT_num(eku) == 0)
        rc = no_purpose(seen, err);
    else
        rc = put(x, NID_ext_key_usage, eku, is_critical(seen, at), err);
    EXTENDED_KEY_USAGE_free(eku);
    return rc;
}

static int key_ids(X509 *x, X509 *ca, tlsock_error *err)
{
    ASN1_OCTET_STRING *id = tsk_ext_key_id(x);
    AUTHORITY_KEYID *aki = tsk_ext_authority(ca);
    int rc = put(x, NID_subject_key_identifier, id, 0, err);

    if (rc == TLSOCK_OK)
        rc = put(x, NID_authority_key_identifier, aki, 0, err);
    ASN1_OCTET_STRING_free(id);
    AUTHORITY_KEYID_free(aki);
    return rc;
}

int tsk_clone_ext(X509 *x, EVP_PKEY *key, X509 *seen, X509 *ca,
                  GENERAL_NAMES **san, tlsock_error *err)
{
    int rc = key_ids(x, ca, err);

    if (rc == TLSOCK_OK)
        rc = basic_constraints(x, err);
    if (rc == TLSOCK_OK)
        rc = key_usage(x, key, seen, err);
    if (rc == TLSOCK_OK)
        rc = purposes(x, seen, err);
    if (rc == TLSOCK_OK)
        rc = names(x, seen, san, err);
    return rc;
}
