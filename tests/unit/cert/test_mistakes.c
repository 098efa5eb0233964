/* Files given by mistake, and damaged ones: each has an answer of its own. */
#include "cert_help.h"

#include "cert/load.h"

#include <openssl/pem.h>
#include <openssl/pkcs7.h>

#define CERT TLSOCK_PART_CERT
#define CHAIN TLSOCK_PART_CHAIN
#define KEY TLSOCK_PART_KEY

static char *leaf_pem, *key_pem, *chain_pem;

static void answers(const char *name, const tlsock_error *err, int code,
                    const char *fact, const char *hint)
{
    if (err->code != code || strstr(err->message, fact) == NULL ||
        strstr(err->hint, hint) == NULL)
        fail_msg("%s: %d \"%s\" / \"%s\"", name, err->code, err->message,
                 err->hint);
}

static void refused(const char *name, const char *cert, const char *key,
                    int code, const char *fact, const char *hint)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_load(cert, key, NULL, &err);

    if (c != NULL)
        fail_msg("%s: loaded", name);
    answers(name, &err, code, fact, hint);
}

#define BYTES(text) text, sizeof(text) - 1
#define PEM(label) "-----BEGIN " label "-----\nAAAA\n-----END " label "-----\n"

static const struct {
    const char *name, *data;
    size_t len;
    const char *is, *cert_hint, *key_hint;
} others[] = {
    {"JKS", BYTES("\xfe\xed\xfe\xed\0\0\0\2"), "(JKS)", "keytool", "keytool"},
    {"JCEKS", BYTES("\xce\xce\xce\xce\0\0"), "(JCEKS)", "keytool", "keytool"},
    {"PPK", BYTES("PuTTY-User-Key-File-3: ssh-ed25519\n"), "PuTTY", "cert new",
     "puttygen"},
    {"OpenSSH", BYTES(PEM("OPENSSH PRIVATE KEY")), "an OpenSSH private key",
     "cert new", "ssh-keygen -p -m PKCS8"},
    {"SSH public", BYTES("ssh-ed25519 AAAA me\n"), "of SSH", "cert new",
     "ssh-keygen"},
    {"SSH2", BYTES("---- BEGIN SSH2 PUBLIC KEY ----\n"), "of SSH", "cert new",
     "ssh-keygen"},
    {"PGP", BYTES(PEM("PGP PUBLIC KEY BLOCK")), "a PGP key", "X.509",
     "cert new"},
    {"CSR", BYTES(PEM("CERTIFICATE REQUEST")), "signing request (CSR)",
     "cert sign", "made together"},
    {"CRL", BYTES(PEM("X509 CRL")), "revocation list (CRL)", "--crl",
     "private key"},
    {"public key", BYTES(PEM("PUBLIC KEY")), "a public key", "the CA issued",
     "private half"},
    {"parameters", BYTES(PEM("DH PARAMETERS")), "parameters alone",
     "with the certificate", "with the private key"},
    {"session", BYTES(PEM("SSL SESSION PARAMETERS")), "a TLS session",
     "certificate", "key"},
    {"HTML", BYTES("\n <!DOCTYPE html>\n<html>"), "an HTML page", "download",
     "download"},
    {"HTML in capitals", BYTES("<HTML>"), "an HTML page", "download",
     "download"},
    {"XML", BYTES("<?xml version=\"1.0\"?>"), "XML", "PEM text", "PEM text"},
    {"JSON", BYTES("{\"cert\": 1}"), "JSON", "jq", "jq"},
    {"UTF-16", BYTES("\xff\xfe-\0-\0-\0"), "UTF-16", "iconv", "iconv"},
    {"UTF-16 without mark", BYTES("-\0-\0-\0-\0"), "UTF-16", "iconv", "iconv"},
    {"zip", BYTES("PK\x03\x04xxxx"), "a ZIP archive", "unpack", "unpack"},
    {"gzip", BYTES("\x1f\x8b\x08"), "gzip", "gunzip", "gunzip"},
    {"xz",
     BYTES("\xfd"
           "7zXZ\0"),
     "xz", "unxz", "unxz"},
    {"PDF", BYTES("%PDF-1.7"), "a PDF document", "ask", "ask"},
    {"NSS", BYTES("SQLite format 3\0"), "SQLite", "pk12util", "pk12util"},
    {"program",
     BYTES("\x7f"
           "ELF\2\1"),
     "a program", "right file", "right file"},
    {"blanks", BYTES(" \r\n\t\n"), "blanks only", "completely", "completely"},
    {"zeros", BYTES("\0\0\0\0\0\0"), "zero bytes", "disk", "disk"},
    {"bare base64", BYTES("MIIBcjCCARmgAwIBAgIU\nAAAA\n"),
     "base64 text without BEGIN", "base64 -d", "BEGIN PRIVATE KEY"},
    {"indented", BYTES("  -----BEGIN CERTIFICATE-----\n  AAAA\n"),
     "BEGIN line is not as it must be", "five hyphens", "five hyphens"},
    {"four hyphens", BYTES("----BEGIN CERTIFICATE----\nAAAA\n"),
     "BEGIN line is not as it must be", "five hyphens", "five hyphens"},
    {"no BEGIN", BYTES("AAAA\n-----END X-----\n"), "no BEGIN line", "beginning",
     "beginning"},
    {"anything else", BYTES("hello\n"), "neither PEM nor DER nor PKCS#12",
     "-----BEGIN CERTIFICATE", "-----BEGIN PRIVATE KEY"},
};

static void what_a_file_is_instead_is_said(void **state)
{
    (void)state;
    help_text("known.crt", leaf_pem);
    for (size_t i = 0; i < COUNT(others); i++) {
        const char *path =
            help_write("known.other", others[i].data, others[i].len);

        refused(others[i].name, path, NULL, TLSOCK_E_OWN_FILE, others[i].is,
                others[i].cert_hint);
        refused(others[i].name, help_path("known.crt"), path, TLSOCK_E_OWN_FILE,
                others[i].is, others[i].key_hint);
    }
}

/* The same for DER, which has no label: made by OpenSSL. */
static void der_is_told_by_what_decodes_it(void **state)
{
    EVP_PKEY *key = help_leaf()->key;
    X509_REQ *req = X509_REQ_new();
    X509_CRL *crl = X509_CRL_new();
    unsigned char *der[4] = {NULL};
    static const char *const is[] = {"signing request", "revocation list",
                                     "a public key", "a private key"};
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
    int n[4];

    (void)state;
    assert_true(X509_REQ_set_pubkey(req, key) && X509_REQ_set_version(req, 0) &&
                X509_REQ_sign(req, key, EVP_sha256()) > 0);
    assert_true(X509_CRL_set_version(crl, 1) &&
                X509_CRL_set1_lastUpdate(crl, now) &&
                X509_CRL_sign(crl, key, EVP_sha256()) > 0);
    n[0] = i2d_X509_REQ(req, &der[0]);
    n[1] = i2d_X509_CRL(crl, &der[1]);
    n[2] = i2d_PUBKEY(key, &der[2]);
    n[3] = i2d_PrivateKey(key, &der[3]);
    help_text("known.crt", leaf_pem);
    for (int i = 0; i < 4; i++) {
        const char *path = help_write("known.der", der[i], (size_t)n[i]);

        refused(is[i], path, NULL, TLSOCK_E_OWN_FILE, is[i], "");
        if (i < 3)
            refused(is[i], help_path("known.crt"), path, TLSOCK_E_OWN_FILE,
                    is[i], "");
        OPENSSL_free(der[i]);
    }
    X509_REQ_free(req);
    X509_CRL_free(crl);
    ASN1_TIME_free(now);
}

/* Line LINE (from 1) of the text replaced, or left out if with is NULL. */
static char *with_line(const char *text, int line, const char *with)
{
    size_t size = strlen(text) + 256;
    char *out = calloc(1, size), *to = out;

    assert_non_null(out);
    for (int n = 1; *text != '\0'; n++) {
        size_t len = strcspn(text, "\n") + 1;

        if (n != line)
            to +=
                snprintf(to, size - (size_t)(to - out), "%.*s", (int)len, text);
        else if (with != NULL)
            to += snprintf(to, size - (size_t)(to - out), "%s\n", with);
        text += len;
    }
    return out;
}

static void damaged(const char *name, char *text, const char *fact,
                    const char *hint)
{
    refused(name, help_text("known.damaged", text), NULL, TLSOCK_E_OWN_FILE,
            fact, hint);
    free(text);
}

static char *without_line_ends(const char *text, const char *instead)
{
    char *out = calloc(2, strlen(text) + 1), *to = out;

    assert_non_null(out);
    for (; *text != '\0'; text++)
        to += sprintf(to, "%s", *text == '\n' ? instead : (char[]){*text, 0});
    return out;
}

static void damage_has_a_line_or_a_count(void **state)
{
    char *at;

    (void)state;
    damaged("bad character", with_line(leaf_pem, 3, "MIIB*zzz"),
            "\"*\" in line 3 is not base64", "plain text");
    damaged("bad byte", with_line(leaf_pem, 4, "MIIB\x81zzz"),
            "byte 0x81 in line 4", "plain text");
    damaged("end in the middle", with_line(leaf_pem, 3, "MIIBzz=="),
            "goes on behind the end (\"=\") in line 3", "again");
    damaged("a line is lost", with_line(leaf_pem, 3, NULL), "it says that it",
            "all of it");
    damaged("a line is short", with_line(leaf_pem, 3, "MIIBzzzz"),
            "line 3 is shorter than the others", "all of it");
    damaged("nothing in it", strdup(PEM("CERTIFICATE")), "is damaged", "");
    damaged("empty block",
            strdup("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
            "has no content", "");
    damaged("joined lines", without_line_ends(leaf_pem, " "), "joined to one",
            "quote");
    damaged("escaped line ends", without_line_ends(leaf_pem, "\\n"),
            "written as \"\\n\"", "printf");
    at = with_line(chain_pem, 1, "# a comment\n-----BEGIN CERTIFICATE-----");
    *strstr(strstr(at, "-----END") + 40, "MII") = '!';
    damaged("the second certificate", at, "certificate 2 in", "plain text");
    at = strdup(leaf_pem);
    *strstr(at, "-----END") = '\0';
    damaged("no END", at, "\"BEGIN CERTIFICATE\" in line 1 has no END line",
            "all of it");
    at = with_line(key_pem, 2, "MII*");
    help_text("known.crt", leaf_pem);
    refused("key", help_path("known.crt"), help_text("known.damaged", at),
            TLSOCK_E_OWN_FILE, "the private key in", "plain text");
    free(at);
}

static void truncated_der_is_counted(void **state)
{
    unsigned char *der = NULL;
    int n = i2d_X509(help_leaf()->leaf, &der);
    char want[64];

    (void)state;
    snprintf(want, sizeof(want), "data are %d bytes long, and %d of them are",
             n, n - 9);
    refused("cut", help_write("known.der", der, (size_t)n - 9), NULL,
            TLSOCK_E_OWN_FILE, want, "binary");
    refused("hardly begun", help_write("known.der", der, 3), NULL,
            TLSOCK_E_OWN_FILE, "its 3 bytes", "binary");
    der[8] ^= 0x40;
    refused("damaged", help_write("known.der", der, (size_t)n), NULL,
            TLSOCK_E_OWN_FILE, "is damaged", "binary");
    OPENSSL_free(der);
}

static void bytes_behind_pkcs12_are_counted(void **state)
{
    const char *path = help_path("known.p12");
    tlsock_error err = {0};
    size_t len;
    char *all;

    (void)state;
    setenv("TEST_PASS", "sesame", 1);
    assert_code(tlsock_cert_save(help_leaf(), CERT | KEY, TLSOCK_FORMAT_PKCS12,
                                 path, "env:TEST_PASS", &err),
                0);
    all = help_read(path, &len);
    help_write("known.p12", all, len + 1); /* with its NUL */
    refused("one byte more", help_path("known.p12"), NULL, TLSOCK_E_OWN_FILE,
            "its DER data end after", "PEM");
    free(all);
}

static void a_key_of_another_certificate_is_named(void **state)
{
    char *inter_key = help_pem(help_inter(), KEY),
         *root_key = help_pem(help_root(), KEY);

    (void)state;
    help_text("known.chain", chain_pem);
    help_text("known.key", inter_key);
    refused("its issuer's", help_path("known.chain"), help_path("known.key"),
            TLSOCK_E_KEY_MISMATCH, "belongs to certificate 2 in",
            "tlsock cert fix");
    help_text("known.key", root_key);
    refused("nobody's", help_path("known.chain"), help_path("known.key"),
            TLSOCK_E_KEY_MISMATCH, "does not belong to certificate",
            "cert match");
    help_text("known.crt", leaf_pem);
    help_text("known.key", key_pem);
    refused("swapped", help_path("known.key"), help_path("known.crt"),
            TLSOCK_E_OWN_FILE, "but a private key", "swapped");
    free(inter_key);
    free(root_key);
}

static void bundle(const tlsock_cert *const *c, size_t n, int der,
                   const char *name)
{
    BIO *bio = BIO_new_file(help_path(name), "wb");
    PKCS7 *p7 = PKCS7_new();

    assert_non_null(bio);
    assert_non_null(p7);
    assert_int_equal(PKCS7_set_type(p7, NID_pkcs7_signed), 1);
    assert_int_equal(PKCS7_content_new(p7, NID_pkcs7_data), 1);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(PKCS7_add_certificate(p7, c[i]->leaf), 1);
    assert_true(der ? i2d_PKCS7_bio(bio, p7) : PEM_write_bio_PKCS7(bio, p7));
    PKCS7_free(p7);
    BIO_free(bio);
}

/* Signed is not all that PKCS#7 may be: what is not has no certificates. */
static void pkcs7_of_another_kind_holds_no_certificate(void **state)
{
    BIO *bio = BIO_new_file(help_path("known.p7"), "wb");
    PKCS7 *p7 = PKCS7_new();

    (void)state;
    assert_non_null(bio);
    assert_int_equal(PKCS7_set_type(p7, NID_pkcs7_data), 1);
    assert_int_equal(ASN1_STRING_set(p7->d.data, "text", 4), 1);
    assert_true(PEM_write_bio_PKCS7(bio, p7));
    PKCS7_free(p7);
    BIO_free(bio);
    refused("data", help_path("known.p7"), NULL, TLSOCK_E_OWN_FILE,
            "holds no certificate", "export");
}

static void pkcs7_bundles_are_read_leaf_first(void **state)
{
    const tlsock_cert *any[] = {help_root(), help_leaf(), help_inter()};
    tlsock_error err = {0};

    (void)state;
    help_text("known.key", key_pem);
    for (int der = 0; der < 2; der++) {
        tlsock_cert *c, *up;

        bundle(any, 3, der, "known.p7");
        c = tlsock_cert_load(help_path("known.p7"), help_path("known.key"),
                             NULL, &err);
        if (c == NULL)
            fail_msg("%s", err.message);
        assert_int_equal(tlsock_cert_chain_len(c), 2);
        assert_non_null(c->key);
        up = tlsock_cert_chain_at(c, 0);
        assert_string_equal(tlsock_cert_field(up, TLSOCK_CERT_CN),
                            "Help Inter");
        tlsock_cert_unref(up);
        tlsock_cert_unref(c);
        bundle(NULL, 0, der, "known.p7");
        refused("empty", help_path("known.p7"), NULL, TLSOCK_E_OWN_FILE,
                "holds no certificate", "export");
        bundle(any, 3, der, "known.p7");
        refused("as a key", help_path("known.crt"), help_path("known.p7"),
                TLSOCK_E_OWN_FILE, "PKCS#7", "certificates only");
    }
    refused("damaged", "-----BEGIN PKCS7-----\nMII!\n-----END PKCS7-----\n",
            NULL, TLSOCK_E_OWN_FILE, "the PKCS#7 bundle in", "again");
}

static void an_empty_key_uri_asks_for_no_key(void **state)
{
    const char *sealed = help_path("known.sealed");
    tlsock_error err = {0};
    tlsock_cert *c;

    (void)state;
    setenv("TEST_PASS", "sesame", 1);
    assert_code(tlsock_cert_save(help_leaf(), CERT | KEY, TLSOCK_FORMAT_PEM,
                                 sealed, "env:TEST_PASS", &err),
                0);
    refused("encrypted", sealed, NULL, TLSOCK_E_PASSWORD, "is encrypted", "");
    c = tlsock_cert_load(sealed, "", NULL, &err);
    assert_non_null(c);
    assert_null(c->key);
    tlsock_cert_unref(c);
}

/* Ciphers that are in OpenSSL's legacy provider alone. */
static void keys_under_old_ciphers_open_with_the_password(void **state)
{
    static const char *const files[] = {CORPUS "/des-md5.pem",
                                        CORPUS "/dek-des.pem"};
    tlsock_error err = {0};
    char pin[128];

    (void)state;
    setenv("TEST_PASS", "sesame", 1);
    setenv("TEST_WRONG", "wrong", 1);
    for (size_t i = 0; i < COUNT(files); i++) {
        int rc;

        setenv("OPENSSL_MODULES", "/nowhere", 1); /* no provider is there */
        assert_code(
            tlsock_key_pin(files[i], "env:TEST_PASS", pin, sizeof(pin), &err),
            TLSOCK_E_OWN_FILE);
        answers(files[i], &err, TLSOCK_E_OWN_FILE, "cannot undo", "legacy");
        unsetenv("OPENSSL_MODULES");
        rc = tlsock_key_pin(files[i], "env:TEST_PASS", pin, sizeof(pin), &err);
        if (rc < 0) { /* this machine has no legacy provider */
            answers(files[i], &err, TLSOCK_E_OWN_FILE, "cannot undo", "legacy");
            continue;
        }
        assert_int_equal(rc, 75);
        assert_code(
            tlsock_key_pin(files[i], "env:TEST_WRONG", pin, sizeof(pin), &err),
            TLSOCK_E_PASSWORD);
        assert_code(tlsock_key_pin(files[i], NULL, pin, sizeof(pin), &err),
                    TLSOCK_E_PASSWORD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_file_is_instead_is_said),
        cmocka_unit_test(der_is_told_by_what_decodes_it),
        cmocka_unit_test(damage_has_a_line_or_a_count),
        cmocka_unit_test(truncated_der_is_counted),
        cmocka_unit_test(a_key_of_another_certificate_is_named),
        cmocka_unit_test(pkcs7_of_another_kind_holds_no_certificate),
        cmocka_unit_test(pkcs7_bundles_are_read_leaf_first),
        cmocka_unit_test(bytes_behind_pkcs12_are_counted),
        cmocka_unit_test(an_empty_key_uri_asks_for_no_key),
        cmocka_unit_test(keys_under_old_ciphers_open_with_the_password),
    };
    int rc;

    leaf_pem = help_pem(help_leaf(), CERT);
    key_pem = help_pem(help_leaf(), KEY);
    chain_pem = help_pem(help_leaf(), CERT | CHAIN);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    free(leaf_pem);
    free(key_pem);
    free(chain_pem);
    help_end();
    return rc;
}
