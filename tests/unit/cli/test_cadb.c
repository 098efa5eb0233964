/* The directory of a CA: what is asked of it that it has not, or cannot keep,
 * and a file that somebody takes away in between. */
#include "cadb.h"

#include "dir.h"
#include "test.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <tlsock/revoke.h>
#include <unistd.h>

static int taken_away; /* the list goes as soon as it is made */

int __real_tlsock_crl_save(const tlsock_crl_opts *o, unsigned format,
                           const char *path, tlsock_error *err);
int __wrap_tlsock_crl_save(const tlsock_crl_opts *o, unsigned format,
                           const char *path, tlsock_error *err);

int __wrap_tlsock_crl_save(const tlsock_crl_opts *o, unsigned format,
                           const char *path, tlsock_error *err)
{
    int rc = __real_tlsock_crl_save(o, format, path, err);

    if (taken_away)
        assert_int_equal(unlink(path), 0);
    return rc;
}

static char dir[] = "/tmp/cadbXXXXXX";
static struct cadb *db;

static const char *issue(const char *name)
{
    const char *const names[] = {name};
    tlsock_error err = {0};
    tlsock_cert *c =
        cadb_issue(db, TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1), &err);

    assert_non_null(c);
    tlsock_cert_unref(c);
    return cadb_at(db, cadb_count(db) - 1)->serial;
}

static void only_what_it_issued_is_revoked_for_reasons_there_are(void **state)
{
    const char *serial = issue("a.test");
    const struct {
        const char *serial;
        int reason, code;
        const char *tells;
    } rows[] = {{"1234", 1, TLSOCK_E_ARGUMENT, "issued no certificate"},
                {"no serial", 1, TLSOCK_E_ARGUMENT, "issued no certificate"},
                {serial, 7, TLSOCK_E_ARGUMENT, "7 is no reason"},
                {serial, -1, TLSOCK_E_ARGUMENT, "-1 is no reason"},
                {serial, 4, 0, ""},
                {serial, 1, 0, ""}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_error err = {0};

        assert_int_equal(cadb_revoke(db, rows[i].serial, rows[i].reason, &err),
                         rows[i].code);
        assert_tells(err.message, rows[i].tells);
        assert_int_equal(cadb_find(db, serial)->revoked, i >= 4);
    }
    assert_int_equal(cadb_find(db, serial)->reason, 4); /* the first counts */
}

static EVP_PKEY *ca_key(void)
{
    char path[64];
    EVP_PKEY *key;
    FILE *f;

    snprintf(path, sizeof(path), "%s/ca.key", dir);
    f = fopen(path, "r");
    assert_non_null(f);
    key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    assert_non_null(key);
    return key;
}

/* One that was signed elsewhere with the CA's key, whatever its serial. */
static tlsock_cert *signed_elsewhere(const char *serial)
{
    int len = tlsock_cert_pem(cadb_ca(db), TLSOCK_PART_CERT, NULL, 0);
    char pem[8192], *data;
    EVP_PKEY *key = ca_key();
    BIO *bio = BIO_new(BIO_s_mem());
    X509 *ca, *x = X509_new();
    BIGNUM *n = NULL;
    X509_EXTENSION *ext;
    X509V3_CTX ctx;
    tlsock_cert *c;

    assert_within(len, 1, sizeof(pem) - 1);
    tlsock_cert_pem(cadb_ca(db), TLSOCK_PART_CERT, pem, sizeof(pem));
    assert_int_equal(BIO_write(bio, pem, len), len);
    ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    assert_non_null(ca);
    assert_true(BN_hex2bn(&n, serial) > 0);
    X509_set_version(x, X509_VERSION_3);
    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    X509_set_issuer_name(x, X509_get_subject_name(ca));
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"elsewhere", -1, -1, 0);
    X509_set1_notBefore(x, X509_get0_notBefore(ca));
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, key);
    X509V3_set_ctx(&ctx, ca, x, NULL, NULL, 0);
    ext = X509V3_EXT_nconf_nid(NULL, &ctx, NID_authority_key_identifier,
                               "keyid:always");
    assert_non_null(ext);
    X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    (void)BIO_reset(bio);
    assert_int_equal(PEM_write_bio_X509(bio, x), 1);
    len = (int)BIO_get_mem_data(bio, &data);
    c = tlsock_cert_parse(data, (size_t)len, NULL, NULL);
    assert_non_null(c);
    BN_free(n);
    X509_free(x);
    X509_free(ca);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return c;
}

static void serials_beyond_the_rules_are_not_taken_over(void **state)
{
    static const struct {
        const char *serial;
        int code;
    } rows[] = {
        {"7f00000000000000000000000000000000000001", 0}, /* 20 octets */
        {"7f0000000000000000000000000000000000000001", TLSOCK_E_CERT_INVALID},
        {"0", TLSOCK_E_CERT_INVALID},
        {"-1", TLSOCK_E_CERT_INVALID}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_cert *c = signed_elsewhere(rows[i].serial);
        size_t before = cadb_count(db);
        tlsock_error err = {0};

        if (cadb_adopt(db, c, &err) != rows[i].code)
            fail_msg("%s: %s", rows[i].serial, err.message);
        assert_int_equal(cadb_count(db), before + (rows[i].code == 0));
        if (rows[i].code != 0)
            assert_tells(err.message, "its serial number");
        tlsock_cert_unref(c);
    }
}

static void a_list_that_went_is_missed(void **state)
{
    tlsock_error err = {0};
    uint64_t number = cadb_crl_state(db)->number;

    (void)state;
    taken_away = 1;
    assert_int_equal(cadb_crl(db, 0, &err), TLSOCK_E_OWN_FILE);
    taken_away = 0;
    assert_tells(err.message, "is not there any more");
    assert_tells(err.hint, "try again");
    assert_int_equal(cadb_crl_state(db)->outdated, 1);
    assert_int_equal(cadb_crl_state(db)->number, number + 1);
    assert_int_equal(cadb_crl(db, 0, &err), 0);
    assert_int_equal(cadb_crl_state(db)->outdated, 0);
    assert_int_equal(access(cadb_crl_path(db, 1), R_OK), 0);
}

static int set_up(void **state)
{
    const struct cadb_init how = {
        .dir = dir, .how = TLSOCK_CERT_OPTS(.subject = "CN=a CA", .ca = 1)};
    tlsock_error err = {0};
    tlsock_cert *ca;

    (void)state;
    if (mkdtemp(dir) == NULL)
        return -1;
    ca = cadb_create(&how, &err);
    tlsock_cert_unref(ca);
    return ca != NULL ? cadb_open(&db, dir, NULL, 1, &err) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    cadb_close(db);
    dir_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_it_issued_is_revoked_for_reasons_there_are),
        cmocka_unit_test(serials_beyond_the_rules_are_not_taken_over),
        cmocka_unit_test(a_list_that_went_is_missed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
