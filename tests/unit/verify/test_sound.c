/* What OpenSSL lets pass and we do not. Each fault stands beside the same
 * certificate without it. */
#include "pki.h"

#include "verify/policy.h"

#include <openssl/dsa.h>
#include <openssl/rsa.h>

static X509 *root, *inter;

static X509 *ca(const char *cn, X509 *by, const char *more)
{
    return pki_make(&(struct pki_spec){.cn = cn,
                                       .bc = PKI_CA_BC,
                                       .ku = PKI_CA_KU,
                                       .more = more,
                                       .key = KEY_INTER,
                                       .issuer = by,
                                       .issuer_key = KEY_ROOT});
}

static X509 *leaf_with(const char *san, const char *bc, const char *more)
{
    return pki_make(&(struct pki_spec){.cn = "Leaf",
                                       .san = san,
                                       .bc = bc,
                                       .ku = "critical,digitalSignature",
                                       .eku = "serverAuth,clientAuth",
                                       .more = more,
                                       .key = KEY_LEAF,
                                       .issuer = inter,
                                       .issuer_key = KEY_INTER});
}

static X509 *plain_leaf(void)
{
    return leaf_with("DNS:a.test", PKI_LEAF_BC, NULL);
}

static X509 *signed_again(X509 *x, enum pki_key key)
{
    assert_true(X509_sign(x, pki_key(key), EVP_sha256()) > 0);
    return x;
}

static int setup(void **state)
{
    (void)state;
    root = pki_make(&(struct pki_spec){
        .cn = "Root CA", .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = KEY_ROOT});
    inter = ca("Inter CA", root, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    X509_free(root);
    X509_free(inter);
    pki_free();
    return 0;
}

static int judge_by(X509 *leaf, X509 *by, X509 *anchor, int purpose,
                    tlsock_error *err)
{
    struct tsk_verify_req req = {
        .name = "a.test", .psl = 1, .partial_chain = 1, .purpose = purpose};
    struct tsk_verdict verdict;
    STACK_OF(X509) *sent = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int rc;

    if (by != NULL)
        sk_X509_push(sent, by);
    X509_STORE_add_cert(store, anchor);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, sent), 1);
    rc = tsk_policy_verify(ctx, &req, &verdict, err);
    assert_int_equal(rc == 0, X509_STORE_CTX_get_error(ctx) == X509_V_OK);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_free(sent);
    return rc;
}

static int judge(X509 *leaf, tlsock_error *err)
{
    return judge_by(leaf, inter, root, TLSOCK_PURPOSE_SERVER, err);
}

static void refused(X509 *leaf, const char *told)
{
    tlsock_error err = {0};

    assert_int_equal(judge(leaf, &err), TLSOCK_E_CERT_INVALID);
    assert_tells(err.message, told);
    assert_tells(err.message, "\"Leaf\"");
    assert_tells(err.hint, "reissued by \"Inter CA\"");
    assert_int_equal(err.x509_depth, 0);
    X509_free(leaf);
}

static void accepted(X509 *leaf)
{
    tlsock_error err = {0};

    if (judge(leaf, &err) != 0)
        fail_msg("refused: %s", err.message);
    X509_free(leaf);
}

static X509 *with_serial(const char *hex)
{
    X509 *x = plain_leaf();
    BIGNUM *bn = NULL;

    assert_true(BN_hex2bn(&bn, hex) > 0);
    assert_non_null(BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)));
    BN_free(bn);
    return signed_again(x, KEY_INTER);
}

static void serials_are_positive_and_of_20_octets(void **state)
{
    (void)state;
    accepted(with_serial("01"));
    accepted(with_serial("7fffffffffffffffffffffffffffffffffffffff"));
    refused(with_serial("0"), "serial number is zero");
    refused(with_serial("-5"), "serial number is negative");
    refused(with_serial("80ffffffffffffffffffffffffffffffffffffff"),
            "more than 20 octets");
    refused(with_serial("0102030405060708090a0b0c0d0e0f101112131415"),
            "more than 20 octets");
}

/* The value as bytes, in whatever state. */
static X509 *with_raw(int nid, const void *der, int len)
{
    X509 *x = leaf_with(nid == NID_subject_alt_name ? NULL : "DNS:a.test",
                        PKI_LEAF_BC, NULL);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext;

    ASN1_OCTET_STRING_set(value, der, len);
    ext = X509_EXTENSION_create_by_NID(NULL, nid, 0, value);
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
    return signed_again(x, KEY_INTER);
}

#define RAW(nid, bytes) with_raw(nid, bytes, sizeof(bytes) - 1)

static void malformed_extensions_are_refused(void **state)
{
    (void)state;
    accepted(RAW(NID_subject_alt_name, "\x30\x08\x82\x06"
                                       "a.test"));
    refused(RAW(NID_subject_alt_name, "\x30\x08\x82\x06"
                                      "a.test!"),
            "subjectAltName is damaged");
    refused(RAW(NID_subject_alt_name, "\x30\x0e\x82\x06"
                                      "a.test\x87\x04\x01\x02"),
            "");
    refused(RAW(NID_subject_alt_name, "\x30\x0d\x82\x06"
                                      "a.test\x87\x03\x01\x02\x03"),
            "no name or address");
    refused(RAW(NID_subject_alt_name, "\x30\x0a\x82\x06"
                                      "a.test\x82\x00"),
            "no name or address");
    refused(RAW(NID_subject_alt_name, "\x30\x0d\x82\x06"
                                      "a.test\x82\x03"
                                      "b\0c"),
            "no name or address");
    refused(RAW(NID_subject_alt_name, "\x30\x00"), "");
    accepted(leaf_with("DNS:a.test,RID:1.2.3,otherName:1.2.3;UTF8:x",
                       PKI_LEAF_BC, NULL));

    accepted(leaf_with("DNS:a.test", PKI_LEAF_BC,
                       "authorityInfoAccess=caIssuers;URI:http://a.test/ca"));
    refused(RAW(NID_info_access, "\x30\x00"), "authorityInfoAccess");
    refused(RAW(NID_info_access, "\x05\x00"), "authorityInfoAccess");
    refused(RAW(NID_info_access, "\x30\x12\x30\x10\x06\x08\x2b\x06\x01\x05\x05"
                                 "\x07\x30\x02\x86\x04"
                                 "a\n b"),
            "authorityInfoAccess");
}

/* What OpenSSL cannot read at all is told by what is wrong with it. */
static void what_cannot_be_read_is_named(void **state)
{
    static const unsigned char null[] = {5, 0}, nothing[] = {0x30, 0};
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext;
    X509 *x;

    (void)state;
    refused(RAW(NID_name_constraints, "\x05\x00"),
            "nameConstraints are damaged");
    refused(RAW(NID_crl_distribution_points, "\x05\x00"),
            "an extension of it is damaged");
    x = leaf_with(NULL, PKI_LEAF_BC, NULL);
    ASN1_OCTET_STRING_set(value, null, sizeof(null));
    ext = X509_EXTENSION_create_by_NID(NULL, NID_crl_distribution_points, 0,
                                       value);
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_set(value, nothing, sizeof(nothing));
    ext = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, value);
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
    refused(signed_again(x, KEY_INTER), "subjectAltName is empty");
}

static X509_EXTENSION *unknown_ext(const char *oid)
{
    ASN1_OCTET_STRING *v = ASN1_OCTET_STRING_new();
    ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
    X509_EXTENSION *ext;

    ASN1_OCTET_STRING_set(v, (const unsigned char *)"\x05\x00", 2);
    ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 0, v);
    ASN1_OBJECT_free(obj);
    ASN1_OCTET_STRING_free(v);
    assert_non_null(ext);
    return ext;
}

static void an_extension_is_there_once(void **state)
{
    X509 *x = plain_leaf();
    X509_EXTENSION *ext;

    (void)state;
    ext = X509_get_ext(x, X509_get_ext_by_NID(x, NID_ext_key_usage, -1));
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    refused(signed_again(x, KEY_INTER), "");
    /* one that nobody knows, too */
    x = plain_leaf();
    ext = unknown_ext("1.2.3.4.5");
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    accepted(signed_again(X509_dup(x), KEY_INTER));
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    refused(signed_again(x, KEY_INTER), "there twice");
    X509_EXTENSION_free(ext);
}

static void extensions_are_bounded(void **state)
{
    X509 *x = plain_leaf();

    (void)state;
    for (int i = 0; i < 130; i++) {
        X509_EXTENSION *ext;
        char oid[32];

        snprintf(oid, sizeof(oid), "1.2.3.4.6.%d", i);
        ext = unknown_ext(oid);
        X509_add_ext(x, ext, -1);
        X509_EXTENSION_free(ext);
    }
    refused(signed_again(x, KEY_INTER), "more than 128 extensions");
}

static void a_leaf_is_no_ca(void **state)
{
    X509 *own;
    tlsock_error err = {0};

    (void)state;
    refused(leaf_with("DNS:a.test", "critical,CA:TRUE", NULL), "CA");
    refused(leaf_with("DNS:a.test", PKI_LEAF_BC,
                      "nameConstraints=permitted;DNS:a.test"),
            "nameConstraints, but is no CA");
    /* asked about as what it is, a CA is fine */
    own = leaf_with("DNS:a.test", "critical,CA:TRUE", NULL);
    assert_int_equal(judge_by(own, inter, root, TLSOCK_PURPOSE_ANY, &err),
                     TLSOCK_OK);
    X509_free(own);
    /* and one's own self-signed leaf may say of itself what it likes */
    own = pki_make(&(struct pki_spec){.cn = "Leaf",
                                      .san = "DNS:a.test",
                                      .bc = "critical,CA:TRUE",
                                      .ku = "critical,digitalSignature,"
                                            "keyCertSign",
                                      .key = KEY_LEAF});
    assert_int_equal(judge_by(own, NULL, own, TLSOCK_PURPOSE_SERVER, &err),
                     TLSOCK_OK);
    X509_free(own);
}

static void constraint_row(const char *constraints, const char *san, int want,
                           const char *told)
{
    X509 *limited = ca("Limited CA", root, constraints);
    X509 *x = pki_make(&(struct pki_spec){.cn = "Leaf",
                                          .san = san,
                                          .bc = PKI_LEAF_BC,
                                          .ku = "critical,digitalSignature",
                                          .eku = "serverAuth",
                                          .key = KEY_LEAF,
                                          .issuer = limited,
                                          .issuer_key = KEY_INTER});
    tlsock_error err = {0};
    int rc = judge_by(x, limited, root, TLSOCK_PURPOSE_SERVER, &err);

    if (rc != want || (rc != 0 && strstr(err.message, told) == NULL))
        fail_msg("%s, %s: %s \"%s\"", constraints, san, tlsock_errname(rc),
                 err.message);
    X509_free(x);
    X509_free(limited);
}

#define NC "nameConstraints=critical,"

static void wildcards_stay_within_name_constraints(void **state)
{
    static const char stands[] = "its wildcard stands for a name";
    int no = TLSOCK_E_CERT_INVALID;

    (void)state;
    constraint_row(NC "permitted;DNS:a.test", "DNS:a.test,DNS:*.a.test", 0, "");
    constraint_row(NC "permitted;DNS:x.a.test,permitted;DNS:b.test",
                   "DNS:a.test,DNS:*.a.test", no, "may not issue");
    constraint_row(NC "excluded;DNS:b.test", "DNS:a.test,DNS:*.b.test", no,
                   "may not issue");
    constraint_row(NC "excluded;DNS:x.b.test", "DNS:a.test,DNS:*.b.test", no,
                   stands);
    constraint_row(NC "excluded;DNS:.x.b.test", "DNS:a.test,DNS:*.B.test", no,
                   stands);
    constraint_row(NC "excluded;DNS:x.y.b.test", "DNS:a.test,DNS:*.b.test", 0,
                   "");
    constraint_row(NC "excluded;DNS:xb.test", "DNS:a.test,DNS:*.b.test", 0, "");
    constraint_row(NC "excluded;email:b.test", "DNS:a.test,DNS:*.b.test", 0,
                   "");
}

static void what_is_no_name_cannot_be_constrained(void **state)
{
    int no = TLSOCK_E_CERT_INVALID;

    (void)state;
    constraint_row(NC "permitted;DNS:test", "DNS:a.test,DNS:b..test", no,
                   "DNS name that is none");
    constraint_row(NC "permitted;DNS:test", "DNS:a.test,DNS:b.*.test", no,
                   "DNS name that is none");
    constraint_row(NC "excluded;DNS:other", "DNS:a.test,DNS:*.", no,
                   "DNS name that is none");
    constraint_row(NC "excluded;email:other.test", "DNS:a.test,DNS:b..test", 0,
                   "");
    constraint_row(NC "permitted;email:b.test", "DNS:a.test,email:me@b.test", 0,
                   "");
    constraint_row(NC "excluded;email:c.test", "DNS:a.test,email:me@b..test",
                   no, "e-mail address that is none");
    constraint_row(NC "excluded;email:c.test", "DNS:a.test,email:me@b.test", 0,
                   "");
    constraint_row(NC "excluded;email:c.test", "DNS:a.test,email:@b.test", no,
                   "e-mail address that is none");
    constraint_row(NC "excluded;email:c.test", "DNS:a.test,email:me@", no,
                   "e-mail address that is none");
    constraint_row(NC "excluded;email:c.test", "DNS:a.test,email:a@b@d.test",
                   no, "e-mail address that is none");
}

static void empty_constraints_are_refused(void **state)
{
    NAME_CONSTRAINTS *nc = NAME_CONSTRAINTS_new();
    X509 *limited = ca("Limited CA", root, NULL), *x;
    tlsock_error err = {0};

    (void)state;
    X509_add1_ext_i2d(limited, NID_name_constraints, nc, 1, 0);
    NAME_CONSTRAINTS_free(nc);
    signed_again(limited, KEY_ROOT);
    x = pki_make(&(struct pki_spec){.cn = "Leaf",
                                    .san = "DNS:a.test",
                                    .bc = PKI_LEAF_BC,
                                    .eku = "serverAuth",
                                    .key = KEY_LEAF,
                                    .issuer = limited,
                                    .issuer_key = KEY_INTER});
    assert_int_equal(judge_by(x, limited, root, TLSOCK_PURPOSE_SERVER, &err),
                     TLSOCK_E_CERT_INVALID);
    assert_tells(err.message, "CA certificate \"Limited CA\"");
    assert_tells(err.message, "nameConstraints are empty");
    assert_int_equal(err.x509_depth, 1);
    X509_free(x);
    X509_free(limited);
}

static X509 *with_key(EVP_PKEY *key)
{
    X509 *x = plain_leaf();

    assert_non_null(key);
    assert_int_equal(X509_set_pubkey(x, key), 1);
    EVP_PKEY_free(key);
    return signed_again(x, KEY_INTER);
}

static EVP_PKEY *dsa_key(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
    EVP_PKEY *params = NULL, *key = NULL;

    EVP_PKEY_paramgen_init(ctx);
    EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, 2048);
    assert_int_equal(EVP_PKEY_paramgen(ctx, &params), 1);
    EVP_PKEY_CTX_free(ctx);
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, params, NULL);
    EVP_PKEY_keygen_init(ctx);
    assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(params);
    return key;
}

static void odd_keys_are_refused(void **state)
{
    static const struct {
        EVP_PKEY *(*make)(void);
        const char *told;
    } rows[] = {{dsa_key, "DSA key"}};
    tlsock_error err = {0};
    X509 *x;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        x = with_key(rows[i].make());
        assert_int_equal(judge(x, &err), TLSOCK_E_WEAK);
        assert_tells(err.message, rows[i].told);
        X509_free(x);
    }
    x = with_key(EVP_RSA_gen(2052));
    assert_int_equal(judge(x, &err), TLSOCK_E_WEAK);
    assert_tells(err.message, "no multiple of 8");
    X509_free(x);
    accepted(with_key(EVP_RSA_gen(2048)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serials_are_positive_and_of_20_octets),
        cmocka_unit_test(malformed_extensions_are_refused),
        cmocka_unit_test(what_cannot_be_read_is_named),
        cmocka_unit_test(an_extension_is_there_once),
        cmocka_unit_test(extensions_are_bounded),
        cmocka_unit_test(a_leaf_is_no_ca),
        cmocka_unit_test(wildcards_stay_within_name_constraints),
        cmocka_unit_test(what_is_no_name_cannot_be_constrained),
        cmocka_unit_test(empty_constraints_are_refused),
        cmocka_unit_test(odd_keys_are_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
