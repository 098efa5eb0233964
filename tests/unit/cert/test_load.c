#include "cert_help.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <sys/stat.h>
#include <unistd.h>

#define CERT TLSOCK_PART_CERT
#define CHAIN TLSOCK_PART_CHAIN
#define KEY TLSOCK_PART_KEY

/* Loads, and says so if it should not, or what it said if it should. */
static void loads(const char *name, const char *uri, const char *key,
                  const char *pass, int chain, int has_key)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_load(uri, key, pass, &err);

    if (c == NULL)
        fail_msg("%s: %s", name, err.message);
    if (tlsock_cert_chain_len(c) != chain || (c->key != NULL) != has_key)
        fail_msg("%s: chain %d, key %d", name, tlsock_cert_chain_len(c),
                 c->key != NULL);
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SANS), "DNS:a.test");
    tlsock_cert_unref(c);
}

static void refused(const char *uri, const char *key, const char *pass,
                    int code, const char *fact, const char *file)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_load(uri, key, pass, &err);

    if (c != NULL)
        fail_msg("loaded, though: %s", fact);
    assert_code(err.code, code);
    assert_tells(err.message, fact);
    if (file != NULL)
        assert_tells(err.message, file);
    assert_true(err.hint[0] != '\0');
}

static char *with(const char *before, const char *pem, const char *after)
{
    size_t n = strlen(before) + strlen(pem) + strlen(after) + 1;
    char *text = malloc(n);

    assert_non_null(text);
    snprintf(text, n, "%s%s%s", before, pem, after);
    return text;
}

static char *crlf(const char *pem)
{
    char *text = malloc(2 * strlen(pem) + 1), *p = text;

    assert_non_null(text);
    for (; *pem != '\0'; pem++) {
        if (*pem == '\n')
            *p++ = '\r';
        *p++ = *pem;
    }
    *p = '\0';
    return text;
}

static void pem_is_taken_in_every_usual_dress(void **state)
{
    char *pem = help_pem(help_leaf(), CERT | CHAIN | KEY), *dressed;
    static const struct {
        const char *name, *before, *after;
    } cases[] = {
        {"bare", "", ""},
        {"text before", "subject=a.test\nissuer: somebody\n\n", ""},
        {"byte order mark", "\xef\xbb\xbf", ""},
        {"text behind", "", "\nthis is no PEM\n"},
        {"text that begins with a zero", "0 of 1\n", ""},
        {"another block before",
         "-----BEGIN DH PARAMETERS-----\nMAYCAQMCAQI=\n"
         "-----END DH PARAMETERS-----\n",
         ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        dressed = with(cases[i].before, pem, cases[i].after);
        loads(cases[i].name, help_text("known.pem", dressed), NULL, NULL, 1, 1);
        free(dressed);
    }
    dressed = crlf(pem);
    loads("CRLF", help_text("known.pem", dressed), NULL, NULL, 1, 1);
    free(dressed);
    dressed = with("pem:", pem, "");
    loads("pem:", dressed, NULL, NULL, 1, 1);
    free(dressed);
    loads("inline", pem, NULL, NULL, 1, 1);
    dressed = with("file:", help_path("known.pem"), "");
    loads("file:", dressed, NULL, NULL, 1, 1);
    free(dressed);
    dressed = with("file://", help_path("known.pem"), "");
    loads("file://", dressed, NULL, NULL, 1, 1);
    free(dressed);
    free(pem);
}

static void key_is_found_wherever_it_is(void **state)
{
    char *cert = help_pem(help_leaf(), CERT), *key = help_pem(help_leaf(), KEY),
         *other = help_pem(help_root(), KEY), *both, *three;

    (void)state;
    help_text("known.crt", cert);
    help_text("known.key", key);
    loads("in no file", help_path("known.crt"), NULL, NULL, 0, 0);
    loads("in its own file", help_path("known.crt"), help_path("known.key"),
          NULL, 0, 1);
    both = with(key, cert, "");
    loads("before the certificate", help_text("known.both", both), NULL, NULL,
          0, 1);
    three = with(other, both, "");
    loads("among other keys", help_text("known.three", three), NULL, NULL, 0,
          1);
    loads("in the other file, if one is named", help_path("known.both"),
          help_path("known.key"), NULL, 0, 1);
    free(cert);
    free(key);
    free(other);
    free(both);
    free(three);
}

static const char *der(const char *name, int key)
{
    unsigned char *p = NULL;
    const tlsock_cert *c = help_leaf();
    int n = key ? i2d_PrivateKey(c->key, &p) : i2d_X509(c->leaf, &p);
    const char *path;

    assert_true(n > 0);
    path = help_write(name, p, (size_t)n);
    OPENSSL_free(p);
    return path;
}

static void der_and_pkcs12_are_told_by_content(void **state)
{
    tlsock_error err = {0};
    const char *p12 = help_path("known.p12");

    (void)state;
    setenv("TEST_PASS", "sesame", 1);
    loads("DER", der("known.der", 0), der("known-key.der", 1), NULL, 0, 1);
    loads("DER without key", help_path("known.der"), NULL, NULL, 0, 0);
    assert_code(tlsock_cert_save(help_leaf(), CERT | CHAIN | KEY,
                                 TLSOCK_FORMAT_PKCS12, p12, "env:TEST_PASS",
                                 &err),
                0);
    loads("PKCS#12", p12, NULL, "env:TEST_PASS", 1, 1);
    loads("key from PKCS#12", help_path("known.der"), p12, "env:TEST_PASS", 0,
          1);
    assert_code(tlsock_cert_save(help_leaf(), CERT | CHAIN,
                                 TLSOCK_FORMAT_PKCS12, p12, "env:TEST_PASS",
                                 &err),
                0);
    loads("PKCS#12 without key", p12, NULL, "env:TEST_PASS", 1, 0);
    assert_code(tlsock_cert_save(help_leaf(), KEY, TLSOCK_FORMAT_DER,
                                 help_path("known-sealed.der"), "env:TEST_PASS",
                                 &err),
                0);
    loads("encrypted DER key", help_path("known.der"),
          help_path("known-sealed.der"), "env:TEST_PASS", 0, 1);
    refused(help_path("known.der"), help_path("known-sealed.der"), NULL,
            TLSOCK_E_PASSWORD, "no password", "known-sealed.der");
}

/* mac_rounds -1: no MAC; 0: more than anybody writes */
static const char *odd_p12(const char *name, int mac_rounds)
{
    const char *path = help_path(name);
    const ASN1_INTEGER *rounds = NULL;
    BIO *bio = BIO_new_file(path, "wb");
    STACK_OF(X509) *chain = sk_X509_new_null();
    PKCS12 *p12;

    sk_X509_push(chain, help_inter()->leaf);
    p12 = PKCS12_create("sesame", NULL, help_leaf()->key, help_leaf()->leaf,
                        chain, 0, 0, 2048, mac_rounds != 0 ? mac_rounds : 2048,
                        0);
    sk_X509_free(chain);
    assert_non_null(p12);
    if (mac_rounds == 0) {
        PKCS12_get0_mac(NULL, NULL, NULL, &rounds, p12);
        assert_int_equal(ASN1_INTEGER_set((ASN1_INTEGER *)rounds, 10000001), 1);
    }
    assert_int_equal(i2d_PKCS12_bio(bio, p12), 1);
    BIO_free(bio);
    PKCS12_free(p12);
    return path;
}

static void pkcs12_of_other_makers_is_read_or_refused(void **state)
{
    const char *bare = odd_p12("known-bare.p12", -1);
    tlsock_error err = {0};
    tlsock_cert *c;

    (void)state;
    setenv("TEST_PASS", "sesame", 1);
    c = tlsock_cert_load(bare, NULL, "env:TEST_PASS", &err);
    if (c != NULL) { /* newer versions of OpenSSL do */
        assert_non_null(c->key);
        tlsock_cert_unref(c);
    } else {
        refused(bare, NULL, "env:TEST_PASS", TLSOCK_E_OWN_FILE, "without a MAC",
                "known-bare.p12");
    }
    loads("PKCS#12 with a usual MAC", odd_p12("known-mac.p12", 4096), NULL,
          "env:TEST_PASS", 1, 1);
    refused(odd_p12("known-slow.p12", 0), NULL, "env:TEST_PASS",
            TLSOCK_E_OWN_FILE, "more than 10000000 rounds", "known-slow.p12");
}

static void old_pkcs12_with_rc2_is_read_or_named(void **state)
{
    tlsock_error err = {0};
    tlsock_cert *c;

    (void)state;
    setenv("TEST_PASS", "sesame", 1);
    setenv("OPENSSL_MODULES", "/nowhere", 1); /* no provider is there */
    refused(CORPUS "/rc2.p12", NULL, "env:TEST_PASS", TLSOCK_E_OWN_FILE, "RC2",
            "rc2.p12");
    unsetenv("OPENSSL_MODULES");
    c = tlsock_cert_load(CORPUS "/rc2.p12", NULL, "env:TEST_PASS", &err);
    if (c != NULL) {
        assert_non_null(c->key);
        assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_CN), "old.test");
    } else { /* this machine has no legacy provider */
        assert_code(err.code, TLSOCK_E_OWN_FILE);
        assert_tells(err.message, "RC2");
        assert_tells(err.hint, "legacy");
    }
    tlsock_cert_unref(c);
    refused(CORPUS "/rc2.p12", NULL, NULL, TLSOCK_E_PASSWORD, "no password",
            "rc2.p12");
}

static void each_bad_file_has_its_own_message(void **state)
{
    char *pem = help_pem(help_leaf(), CERT), *key = help_pem(help_leaf(), KEY);
    char *half = with("", pem, ""), *bad = with("", pem, "");
    unsigned char big[2] = "x";
    size_t n;
    char *bytes;
    int fd;

    (void)state;
    half[strlen(half) / 2] = '\0';
    memcpy(strchr(bad, '\n') + 5, "!!!!", 4);
    refused(help_path("missing.pem"), NULL, NULL, TLSOCK_E_OWN_FILE,
            "No such file", "missing.pem");
    refused(help_dir(), NULL, NULL, TLSOCK_E_OWN_FILE, "is a directory",
            "tlsock-cert-");
    refused("", NULL, NULL, TLSOCK_E_OWN_FILE, "no file is named", NULL);
    refused(help_text("known-empty", ""), NULL, NULL, TLSOCK_E_OWN_FILE,
            "is empty", "known-empty");
    refused(help_text("known-half", half), NULL, NULL, TLSOCK_E_OWN_FILE,
            "is truncated", "known-half");
    refused(help_text("known-bad", bad), NULL, NULL, TLSOCK_E_OWN_FILE,
            "certificate 1 in", "known-bad");
    refused(help_text("known-text", "hello\n"), NULL, NULL, TLSOCK_E_OWN_FILE,
            "neither PEM nor DER", "known-text");
    refused(help_text("known-keyonly", key), NULL, NULL, TLSOCK_E_OWN_FILE,
            "no certificate, but a private key", "known-keyonly");
    refused(der("known-keyonly.der", 1), NULL, NULL, TLSOCK_E_OWN_FILE,
            "no certificate, but a private key", "known-keyonly.der");
    setenv("OPENSSL_MODULES", "/nowhere", 1); /* it may be installed */
    refused("pkcs11:object=x", NULL, NULL, TLSOCK_E_UNSUPPORTED, "token", NULL);
    unsetenv("OPENSSL_MODULES");
    bytes = help_read(der("known.der", 0), &n);
    refused(help_write("known-cut.der", bytes, n - 9), NULL, NULL,
            TLSOCK_E_OWN_FILE, "is truncated", "known-cut.der");
    bytes[n] = 'x';
    refused(help_write("known-long.der", bytes, n + 1), NULL, NULL,
            TLSOCK_E_OWN_FILE, "its DER data end after", "known-long.der");
    free(bytes);
    fd = open(help_path("known-big"), O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, big, 1, 16 * 1024 * 1024), 1);
    close(fd);
    refused(help_path("known-big"), NULL, NULL, TLSOCK_E_LIMIT,
            "is larger than 16777216", "known-big");
    help_text("known.crt", pem);
    refused(help_path("known.crt"), help_path("known.crt"), NULL,
            TLSOCK_E_OWN_FILE, "holds no private key", "known.crt");
    refused(help_path("known.crt"), help_path("missing.key"), NULL,
            TLSOCK_E_OWN_FILE, "No such file", "missing.key");
    key[strlen(key) - 20] = '\0';
    refused(help_path("known.crt"), help_text("known-half.key", key), NULL,
            TLSOCK_E_OWN_FILE, "is truncated", "known-half.key");
    refused(help_path("known.crt"),
            help_text("known-bad.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n"
                                       "-----END PRIVATE KEY-----\n"),
            NULL, TLSOCK_E_OWN_FILE, "is damaged", "known-bad.key");
    free(pem);
    free(key);
    free(half);
    free(bad);
}

static void unreadable_file_names_who_may_not(void **state)
{
    int root = geteuid() == 0; /* who may read anything */

    (void)state;
    help_text("known-secret", "x");
    assert_int_equal(chmod(help_path("known-secret"), 0), 0);
    if (root)
        assert_int_equal(seteuid(65534), 0);
    refused(help_path("known-secret"), NULL, NULL, TLSOCK_E_OWN_FILE,
            "Permission denied", "known-secret");
    if (root)
        assert_int_equal(seteuid(0), 0);
}

static void foreign_key_names_both_files(void **state)
{
    char *cert = help_pem(help_leaf(), CERT), *key = help_pem(help_root(), KEY),
         *both = with(cert, key, "");

    (void)state;
    help_text("known-m.crt", cert);
    help_text("known-m.key", key);
    refused(help_path("known-m.crt"), help_path("known-m.key"), NULL,
            TLSOCK_E_KEY_MISMATCH, "known-m.key", "known-m.crt");
    refused(help_text("known-m.both", both), NULL, NULL, TLSOCK_E_KEY_MISMATCH,
            "does not belong to the first certificate", "known-m.both");
    free(cert);
    free(key);
    free(both);
}

static const char *fd_uri(const char *text, int *fd)
{
    static char uri[32];
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
    close(ends[1]);
    *fd = ends[0];
    snprintf(uri, sizeof(uri), "fd:%d", ends[0]);
    return uri;
}

static void password_comes_from_file_env_or_fd(void **state)
{
    const char *file = help_path("known-sealed.pem");
    char uri[600], rest[16] = "";
    tlsock_error err = {0};
    int fd;

    (void)state;
    setenv("TEST_PASS", "open sesame", 1);
    assert_code(tlsock_cert_save(help_leaf(), CERT | KEY, TLSOCK_FORMAT_PEM,
                                 file, "env:TEST_PASS", &err),
                0);
    loads("environment", file, NULL, "env:TEST_PASS", 0, 1);
    snprintf(uri, sizeof(uri), "file:%s",
             help_text("known-pass", "open sesame\r\nsecond line\n"));
    loads("file, first line", file, NULL, uri, 0, 1);
    loads("descriptor", file, NULL, fd_uri("open sesame\nmore\n", &fd), 0, 1);
    assert_int_equal(read(fd, rest, sizeof(rest)), 5); /* not ours */
    assert_string_equal(rest, "more\n");
    close(fd);
    loads("descriptor without line end", file, NULL, fd_uri("open sesame", &fd),
          0, 1);
    close(fd);
}

static void password_missing_or_wrong_names_the_key_file(void **state)
{
    char large[2048] = "";
    const char *file = help_path("known-sealed.pem");
    char uri[600];
    tlsock_error err = {0};

    (void)state;
    setenv("TEST_PASS", "sesame", 1);
    unsetenv("TEST_NO_PASS");
    assert_code(tlsock_cert_save(help_leaf(), CERT | KEY, TLSOCK_FORMAT_PEM,
                                 file, "env:TEST_PASS", &err),
                0);
    setenv("TEST_PASS", "sesam", 1);
    refused(file, NULL, NULL, TLSOCK_E_PASSWORD, "no password was given",
            "known-sealed.pem");
    refused(file, NULL, "env:TEST_PASS", TLSOCK_E_PASSWORD, "does not open",
            "known-sealed.pem");
    refused(file, NULL, "env:TEST_NO_PASS", TLSOCK_E_PASSWORD, "TEST_NO_PASS",
            "is not set");
    snprintf(uri, sizeof(uri), "file:%s", help_path("missing.pass"));
    refused(file, NULL, uri, TLSOCK_E_PASSWORD, "missing.pass", "No such file");
    refused(file, NULL, "fd:1048000", TLSOCK_E_PASSWORD, "descriptor", NULL);
    refused(file, NULL, "fd:1048577", TLSOCK_E_ARGUMENT, "no known form", NULL);
    memset(large, 'a', sizeof(large) - 1);
    snprintf(uri, sizeof(uri), "file:%s", help_text("known-large", large));
    refused(file, NULL, uri, TLSOCK_E_PASSWORD, "longer than 1023 bytes",
            "known-large");
    /* a password typed by mistake is not repeated */
    assert_null(tlsock_cert_load(file, NULL, "hunter2", &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_null(strstr(err.message, "hunter2"));
    assert_null(strstr(err.hint, "hunter2"));
    assert_tells(err.hint, "env:NAME");
}

static void parse_takes_the_same_from_memory(void **state)
{
    char *pem = help_pem(help_leaf(), CERT | CHAIN | KEY);
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_parse(pem, strlen(pem), NULL, &err);

    (void)state;
    assert_non_null(c);
    assert_int_equal(tlsock_cert_chain_len(c), 1);
    assert_non_null(c->key);
    tlsock_cert_unref(c);
    assert_null(tlsock_cert_parse(pem, 40, NULL, &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    assert_null(tlsock_cert_parse(pem, 0, NULL, &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    assert_null(tlsock_cert_parse(NULL, 5, NULL, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_null(tlsock_cert_load(NULL, NULL, NULL, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_null(tlsock_cert_load("/missing", NULL, NULL, NULL));
    free(pem);
}

static void load_all_takes_every_certificate(void **state)
{
    char *a = help_pem(help_leaf(), CERT | CHAIN),
         *b = help_pem(help_root(), CERT), *all = with(a, b, "");
    tlsock_error err = {0};
    STACK_OF(X509) *certs =
        tsk_cert_load_all(help_text("known-all", all), &err);

    (void)state;
    assert_non_null(certs);
    assert_int_equal(sk_X509_num(certs), 3);
    sk_X509_pop_free(certs, X509_free);
    assert_null(tsk_cert_load_all(help_text("known-none", "none\n"), &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    assert_tells(err.message, "known-none");
    assert_null(tsk_cert_load_all(help_path("missing"), &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    free(a);
    free(b);
    free(all);
}

static void chain_is_kept_and_walked(void **state)
{
    tlsock_cert *up = tlsock_cert_chain_at(help_leaf(), 0);

    (void)state;
    assert_non_null(up);
    assert_string_equal(tlsock_cert_field(up, TLSOCK_CERT_CN), "Help Inter");
    tlsock_cert_unref(up);
    assert_null(tlsock_cert_chain_at(help_leaf(), 1));
    assert_null(tlsock_cert_chain_at(help_leaf(), -1));
    assert_null(tlsock_cert_chain_at(NULL, 0));
    assert_int_equal(tlsock_cert_chain_len(NULL), 0);
    up = tlsock_cert_ref(help_leaf());
    tlsock_cert_unref(up);
    assert_null(tlsock_cert_ref(NULL));
    tlsock_cert_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pem_is_taken_in_every_usual_dress),
        cmocka_unit_test(key_is_found_wherever_it_is),
        cmocka_unit_test(der_and_pkcs12_are_told_by_content),
        cmocka_unit_test(pkcs12_of_other_makers_is_read_or_refused),
        cmocka_unit_test(old_pkcs12_with_rc2_is_read_or_named),
        cmocka_unit_test(each_bad_file_has_its_own_message),
        cmocka_unit_test(unreadable_file_names_who_may_not),
        cmocka_unit_test(foreign_key_names_both_files),
        cmocka_unit_test(password_comes_from_file_env_or_fd),
        cmocka_unit_test(password_missing_or_wrong_names_the_key_file),
        cmocka_unit_test(parse_takes_the_same_from_memory),
        cmocka_unit_test(load_all_takes_every_certificate),
        cmocka_unit_test(chain_is_kept_and_walked),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    help_end();
    return rc;
}
