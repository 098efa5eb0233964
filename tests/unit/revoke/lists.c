#include "lists.h"

#include <openssl/conf.h>
#include <openssl/rand.h>

static const char lists_conf[] =
    "[p_a]\nfullname=URI:http://a.test/crl\n"
    "[p_b]\nfullname=URI:http://b.test/crl\n"
    "[p_key]\nfullname=URI:http://a.test/crl\nreasons=keyCompromise\n"
    "[p_lists]\nCRLissuer=dirName:lists\n"
    "[p_lists_a]\nfullname=URI:http://a.test/crl\nCRLissuer=dirName:lists\n"
    "[p_rel]\nrelativename=rel\n"
    "[p_rel_lists]\nrelativename=rel\nCRLissuer=dirName:lists\n"
    "[i_a]\nfullname=URI:http://a.test/crl\n"
    "[i_two]\nfullname=URI:http://c.test/crl,URI:http://a.test/crl\n"
    "[i_own]\nfullname=dirName:own\n"
    "[i_rel]\nrelativename=rel\n"
    "[i_relfull]\nfullname=dirName:ownrel\n"
    "[i_user]\nonlyuser=TRUE\n"
    "[i_ca]\nonlyCA=TRUE\n"
    "[i_aa]\nonlyAA=TRUE\n"
    "[i_twice]\nonlyuser=TRUE\nonlyCA=TRUE\n"
    "[i_key]\nonlysomereasons=keyCompromise,CACompromise\n"
    "[i_rest]\nonlysomereasons=affiliationChanged,superseded,"
    "cessationOfOperation,certificateHold,privilegeWithdrawn,AACompromise\n"
    "[i_indirect]\nindirectCRL=TRUE\n"
    "[i_indirect_a]\nfullname=URI:http://a.test/crl\nindirectCRL=TRUE\n"
    "[i_indirect_lists]\nfullname=dirName:lists\nindirectCRL=TRUE\n"
    "[i_indirect_rel]\nrelativename=rel\nindirectCRL=TRUE\n"
    "[lists]\nCN=Lists\n"
    "[own]\nCN=Root CA\n"
    "[rel]\nOU=part 1\n"
    "[ownrel]\nCN=Root CA\nOU=part 1\n";

static X509_EXTENSION *extension(int nid, const char *value)
{
    CONF *conf = NCONF_new(NULL);
    BIO *bio = BIO_new_mem_buf(lists_conf, -1);
    X509_EXTENSION *ext;
    X509V3_CTX ctx;
    long line = 0;

    assert_int_equal(NCONF_load_bio(conf, bio, &line), 1);
    X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
    X509V3_set_nconf(&ctx, conf);
    ext = X509V3_EXT_nconf_nid(conf, &ctx, nid, value);
    if (ext == NULL)
        fail_msg("cannot make \"%s\"", value);
    NCONF_free(conf);
    BIO_free(bio);
    return ext;
}

static X509_EXTENSION *unknown(const char *oid)
{
    int critical = *oid == '!';
    ASN1_OBJECT *obj = OBJ_txt2obj(oid + critical, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext;

    ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05", 2);
    ext = X509_EXTENSION_create_by_OBJ(NULL, obj, critical, value);
    assert_non_null(ext);
    ASN1_OBJECT_free(obj);
    ASN1_OCTET_STRING_free(value);
    return ext;
}

static void entry_issuer(X509_REVOKED *r, const X509 *of)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *g = GENERAL_NAME_new();

    GENERAL_NAME_set0_value(g, GEN_DIRNAME,
                            X509_NAME_dup(X509_get_subject_name(of)));
    sk_GENERAL_NAME_push(names, g);
    assert_int_equal(
        X509_REVOKED_add1_ext_i2d(r, NID_certificate_issuer, names, 1, 0), 1);
    GENERAL_NAMES_free(names);
}

static void add_entry(X509_CRL *crl, const struct list_entry *e)
{
    X509_REVOKED *r = X509_REVOKED_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    ASN1_TIME *t = ASN1_TIME_new();

    ASN1_INTEGER_set(serial, e->serial);
    X509_REVOKED_set_serialNumber(
        r, e->who != NULL ? (ASN1_INTEGER *)X509_get0_serialNumber(e->who)
                          : serial);
    ASN1_TIME_set_string(t, "20260102030405Z");
    X509_REVOKED_set_revocationDate(r, t);
    if (e->reason != 0) {
        ASN1_ENUMERATED *n = ASN1_ENUMERATED_new();

        ASN1_ENUMERATED_set(n, e->reason);
        X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, n, 0, 0);
        ASN1_ENUMERATED_free(n);
    }
    if (e->of != NULL)
        entry_issuer(r, e->of);
    if (e->more != NULL) {
        X509_EXTENSION *ext = unknown(e->more);

        X509_REVOKED_add_ext(r, ext, -1);
        X509_EXTENSION_free(ext);
    }
    X509_CRL_add0_revoked(crl, r);
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(t);
}

static void add_number(X509_CRL *crl, int nid, int value, int critical)
{
    ASN1_INTEGER *n = ASN1_INTEGER_new();

    ASN1_INTEGER_set(n, value);
    if (value != 0)
        X509_CRL_add1_ext_i2d(crl, nid, n, critical, 0);
    ASN1_INTEGER_free(n);
}

static void add_ext(X509_CRL *crl, X509_EXTENSION *ext, int critical)
{
    if (critical >= 0)
        X509_EXTENSION_set_critical(ext, critical);
    assert_int_equal(X509_CRL_add_ext(crl, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

static void add_exts(X509_CRL *crl, const struct list_spec *s)
{
    AUTHORITY_KEYID *akid = AUTHORITY_KEYID_new();
    char section[64];

    if (s->keyid) {
        akid->keyid =
            ASN1_OCTET_STRING_dup(X509_get0_subject_key_id((X509 *)s->by));
        X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, akid, 0, 0);
    }
    AUTHORITY_KEYID_free(akid);
    add_number(crl, NID_crl_number, s->number, 0);
    add_number(crl, NID_delta_crl, s->base, 1);
    if (s->idp != NULL) {
        snprintf(section, sizeof(section), "@%s", s->idp);
        add_ext(crl, extension(NID_issuing_distribution_point, section), 1);
    }
    if (s->more != NULL)
        add_ext(crl, unknown(s->more), -1);
}

static void set_dates(X509_CRL *crl, const struct list_spec *s)
{
    int dated = s->from_days != 0 || s->to_days != 0;
    time_t now = LISTS_NOW;
    ASN1_TIME *t = ASN1_TIME_new();

    X509_time_adj_ex(t, dated ? s->from_days : -1, 0, &now);
    X509_CRL_set1_lastUpdate(crl, t);
    X509_time_adj_ex(t, dated ? s->to_days : 7, 0, &now);
    if (s->to_days != 999)
        X509_CRL_set1_nextUpdate(crl, t);
    ASN1_TIME_free(t);
}

X509_CRL *lists_make(const struct list_spec *s)
{
    X509_CRL *crl = X509_CRL_new();

    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(s->by));
    set_dates(crl, s);
    for (size_t i = 0; i < COUNT(s->entries); i++)
        if (s->entries[i].who != NULL || s->entries[i].serial != 0)
            add_entry(crl, &s->entries[i]);
    add_exts(crl, s);
    assert_true(X509_CRL_sign(crl, pki_key(s->key),
                              s->weak ? EVP_sha1() : EVP_sha256()) > 0);
    return crl;
}

unsigned char *lists_der(const struct list_spec *s, int *len)
{
    X509_CRL *crl = lists_make(s);
    unsigned char *der = NULL;

    *len = i2d_X509_CRL(crl, &der);
    assert_true(*len > 0);
    X509_CRL_free(crl);
    return der;
}

struct tsk_crls *lists_read(const struct list_spec *s)
{
    tlsock_error err = {0};
    unsigned char *der;
    struct tsk_crls *l;
    int len;

    der = lists_der(s, &len);
    if (s->spoil) /* the last byte of the signature's number */
        der[len - 1] ^= 1;
    l = tsk_crls_parse(der, (size_t)len, "list", &err);
    if (l == NULL)
        fail_msg("%s", err.message);
    OPENSSL_free(der);
    return l;
}

X509 *lists_cert(const struct pki_spec *spec, const char *points)
{
    X509 *x = pki_make(spec), *again;
    time_t now = LISTS_NOW;
    unsigned char *der = NULL;
    const unsigned char *p;
    int len;

    X509_time_adj_ex(X509_getm_notBefore(x), -30, 0, &now);
    X509_time_adj_ex(X509_getm_notAfter(x), 30, 0, &now);
    if (points != NULL) {
        X509_EXTENSION *ext = extension(NID_crl_distribution_points, points);

        X509_add_ext(x, ext, -1);
        X509_EXTENSION_free(ext);
    }
    assert_true(
        X509_sign(x,
                  pki_key(spec->issuer != NULL ? spec->issuer_key : spec->key),
                  EVP_sha256()) > 0);
    len = i2d_X509(x, &der);
    p = der;
    again = d2i_X509(NULL, &p, len); /* what OpenSSL keeps of it is of before */
    assert_non_null(again);
    OPENSSL_free(der);
    X509_free(x);
    return again;
}

X509 *lists_root(void)
{
    return lists_cert(
        &(struct pki_spec){
            .cn = "Root CA", .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = KEY_ROOT},
        NULL);
}

X509 *lists_leaf(X509 *root, const char *points)
{
    return lists_cert(&(struct pki_spec){.cn = "Leaf",
                                         .bc = PKI_LEAF_BC,
                                         .key = KEY_LEAF,
                                         .issuer = root,
                                         .issuer_key = KEY_ROOT},
                      points);
}

unsigned char *lists_big(const X509 *by, enum pki_key key, int n, int *len)
{
    X509_CRL *crl = lists_make(
        &(struct list_spec){.by = by, .key = key, .number = 1, .keyid = 1});
    ASN1_TIME *t = ASN1_TIME_set(NULL, LISTS_NOW - 100);
    unsigned char *der = NULL, raw[16];

    for (int i = 0; i < n; i++) {
        X509_REVOKED *r = X509_REVOKED_new();
        ASN1_INTEGER *serial = ASN1_INTEGER_new();

        assert_int_equal(RAND_bytes(raw, sizeof(raw)), 1);
        raw[0] = (unsigned char)(raw[0] & 0x3f) | 0x40;
        ASN1_STRING_set(serial, raw, sizeof(raw));
        X509_REVOKED_set_serialNumber(r, serial);
        X509_REVOKED_set_revocationDate(r, t);
        X509_CRL_add0_revoked(crl, r);
        ASN1_INTEGER_free(serial);
    }
    ASN1_TIME_free(t);
    assert_true(X509_CRL_sign(crl, pki_key(key), EVP_sha256()) > 0);
    *len = i2d_X509_CRL(crl, &der);
    assert_true(*len > 0);
    X509_CRL_free(crl);
    return der;
}
