/* config_help - certificates and INI files for the tests of the config, made
 * in a directory of their own. Header only: two programs use it. */
#ifndef TEST_CONFIG_HELP_H
#define TEST_CONFIG_HELP_H

#include "test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

static char help_dir[64];

/* dir/name; four calls until a buffer is used again */
static inline const char *help_path(const char *name)
{
    static char paths[4][128];
    static unsigned at;
    char *p = paths[at++ % 4];

    snprintf(p, sizeof(paths[0]), "%s/%s", help_dir, name);
    return p;
}

static inline void help_write(const char *name, const char *text)
{
    FILE *f = fopen(help_path(name), "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* A self-signed certificate with its key in one file, and the key alone in
 * NAME.key. san may be NULL. */
static inline void help_cert(const char *name, const char *san, long from_s,
                             long to_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_NAME *subject = X509_get_subject_name(x);
    char alone[64];
    FILE *f;

    assert_non_null(key);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), from_s);
    X509_gmtime_adj(X509_getm_notAfter(x), to_s);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, subject);
    X509_set_pubkey(x, key);
    if (san != NULL) {
        X509_EXTENSION *e =
            X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);

        assert_non_null(e);
        X509_add_ext(x, e, -1);
        X509_EXTENSION_free(e);
    }
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    f = fopen(help_path(name), "w");
    assert_non_null(f);
    PEM_write_X509(f, x);
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    snprintf(alone, sizeof(alone), "%s.key", name);
    f = fopen(help_path(alone), "w");
    assert_non_null(f);
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(key);
}

/* An empty list of revocations, of nobody known. */
static inline void help_crl(const char *name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_CRL *crl = X509_CRL_new();
    X509_NAME *issuer = X509_NAME_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
    FILE *f = fopen(help_path(name), "w");

    assert_non_null(key);
    assert_non_null(f);
    X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, issuer);
    X509_CRL_set1_lastUpdate(crl, now);
    X509_CRL_set1_nextUpdate(crl, now);
    assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_X509_CRL(f, crl), 1);
    assert_int_equal(fclose(f), 0);
    ASN1_TIME_free(now);
    X509_NAME_free(issuer);
    X509_CRL_free(crl);
    EVP_PKEY_free(key);
}

#define HELP_DAY 86400L

static inline int help_setup(void **state)
{
    (void)state;
    strcpy(help_dir, "config-test-XXXXXX");
    if (mkdtemp(help_dir) == NULL)
        return -1;
    help_cert("a.pem", "DNS:a.test", -HELP_DAY, HELP_DAY);
    help_cert("b.pem", "DNS:b.test", -HELP_DAY, HELP_DAY);
    help_cert("nameless.pem", NULL, -HELP_DAY, HELP_DAY);
    help_cert("old.pem", "DNS:a.test", -2 * HELP_DAY, -HELP_DAY);
    help_write("empty", "");
    help_crl("a.crl");
    return 0;
}

static inline int help_teardown(void **state)
{
    static const char *const names[] = {
        "a.pem", "a.pem.key", "b.pem", "b.pem.key", "nameless.pem",
        "nameless.pem.key", "old.pem", "old.pem.key", "live.pem",
        "live.pem.key", "empty", "a.crl", "f.ini", "big.ini", "keys.log"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        unlink(help_path(names[i]));
    return rmdir(help_dir);
}

#endif
