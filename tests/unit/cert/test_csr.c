#include "make_help.h"

#include <jansson.h>
#include <openssl/conf.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/stat.h>
#include <unistd.h>

/* Signing requests: made, read, looked into, answered. */

static char *request(EVP_PKEY *key, const char *cn, const char *sans, int spoil)
{
    X509_REQ *req = X509_REQ_new();
    X509_EXTENSION *e;
    STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, *text;
    long n;

    X509_REQ_set_pubkey(req, key);
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN",
                               MBSTRING_UTF8, (const unsigned char *)cn, -1, -1,
                               0);
    if (sans != NULL) {
        e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, sans);
        sk_X509_EXTENSION_push(exts, e);
    }
    e = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "CA:TRUE");
    sk_X509_EXTENSION_push(exts, e);
    X509_REQ_add_extensions(req, exts);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    assert_true(
        X509_REQ_sign(req, spoil ? help_root()->key : key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509_REQ(bio, req), 1);
    n = BIO_get_mem_data(bio, &data);
    text = calloc(1, (size_t)n + 1);
    memcpy(text, data, (size_t)n);
    BIO_free(bio);
    X509_REQ_free(req);
    return text;
}

static void a_request_gives_key_and_names_but_no_powers(void **state)
{
    char *csr =
        request(help_leaf()->key, "b.test", "DNS:B.test,IP:127.0.0.1", 0);
    const char *other[] = {"c.test"};
    tlsock_cert *c =
        help_make(TLSOCK_CERT_OPTS(.csr = csr, .issuer = help_inter()));

    (void)state;
    assert_null(c->key);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(c->leaf), help_leaf()->key),
                     1);
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SUBJECT), "CN=b.test");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SANS),
                        "DNS:b.test, IP:127.0.0.1");
    assert_null(strstr(tlsock_cert_field(c, TLSOCK_CERT_USAGE), "CA"));
    assert_int_equal(help_verdict(c, help_root()), X509_V_OK);
    tlsock_cert_unref(c);
    c = help_make(TLSOCK_CERT_OPTS(.csr = csr, .issuer = help_inter(),
                                   .subject = "CN=own", .sans = other,
                                   .n_sans = 1));
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SUBJECT), "CN=own");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SANS), "DNS:c.test");
    tlsock_cert_unref(c);
    refused(TLSOCK_CERT_OPTS(.csr = csr), TLSOCK_E_ARGUMENT, "needs an issuer",
            NULL);
    refused(
        TLSOCK_CERT_OPTS(.csr = csr, .issuer = help_inter(), .key = "ed25519"),
        TLSOCK_E_ARGUMENT, "its own key", NULL);
    free(csr);
}

/* A key of which nobody can say anything, not even whether it signed. */
static char *of_unknown_kind(void)
{
    char *pem = request(help_leaf()->key, "b.test", NULL, 0), *data, *text;
    BIO *bio = BIO_new_mem_buf(pem, -1), *out = BIO_new(BIO_s_mem());
    X509_REQ *req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    unsigned char *der = NULL, *at;
    int n = i2d_X509_REQ(req, &der), found = 0;
    long len;

    for (at = der; at + 9 <= der + n && !found; at++) /* id-ecPublicKey */
        if (memcmp(at, "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01", 9) == 0) {
            at[8] = 0x63;
            found = 1;
        }
    assert_true(found);
    assert_true(PEM_write_bio(out, "CERTIFICATE REQUEST", "", der, n) > 0);
    len = BIO_get_mem_data(out, &data);
    text = calloc(1, (size_t)len + 1);
    assert_non_null(text);
    memcpy(text, data, (size_t)len);
    BIO_free(bio);
    BIO_free(out);
    X509_REQ_free(req);
    OPENSSL_free(der);
    free(pem);
    return text;
}

static void bad_requests_are_refused(void **state)
{
    char *forged = request(help_leaf()->key, "b.test", NULL, 1),
         *odd = request(help_leaf()->key, "b.test", "DNS:a b.test", 0),
         *cert = help_pem(help_leaf(), TLSOCK_PART_CERT);
    EVP_PKEY *key = EVP_RSA_gen(1024);
    char *weak = request(key, "b.test", "DNS:b.test", 0);
    char *strange = of_unknown_kind();

    (void)state;
    refused(TLSOCK_CERT_OPTS(.csr = strange, .issuer = help_inter()),
            TLSOCK_E_OWN_FILE, "public key in the request", "OpenSSL lacks");
    free(strange);
    refused(TLSOCK_CERT_OPTS(.csr = forged, .issuer = help_inter()),
            TLSOCK_E_OWN_FILE, "signature of the request", NULL);
    refused(TLSOCK_CERT_OPTS(.csr = odd, .issuer = help_inter()),
            TLSOCK_E_ARGUMENT, "in the request: ", "host");
    refused(TLSOCK_CERT_OPTS(.csr = weak, .issuer = help_inter()),
            TLSOCK_E_ARGUMENT, "too weak", NULL);
    refused(TLSOCK_CERT_OPTS(.csr = cert, .issuer = help_inter()),
            TLSOCK_E_OWN_FILE, "no readable signing request", "PKCS#10");
    refused(TLSOCK_CERT_OPTS(.csr = "/missing.csr", .issuer = help_inter()),
            TLSOCK_E_OWN_FILE, "/missing.csr", NULL);
    EVP_PKEY_free(key);
    free(forged);
    free(odd);
    free(cert);
    free(weak);
}

/* --- a stranger's wishes --- */

/* PEM of a request with extensions as openssl.cnf writes them; free() it */
static char *wish(const char *const *exts, size_t n)
{
    X509_REQ *req = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    BIO *bio = BIO_new(BIO_s_mem());
    CONF *conf = NCONF_new(NULL);
    X509V3_CTX ctx;
    char *data, *text;
    long len;

    X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
    X509V3_set_nconf(&ctx, conf);
    X509_REQ_set_pubkey(req, help_leaf()->key);
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN",
                               MBSTRING_UTF8, (const unsigned char *)"w.test",
                               -1, -1, 0);
    for (size_t i = 0; i < n; i++) {
        char name[64];
        const char *eq = strchr(exts[i], '=');
        X509_EXTENSION *e;

        snprintf(name, sizeof(name), "%.*s", (int)(eq - exts[i]), exts[i]);
        e = X509V3_EXT_nconf(conf, &ctx, name, eq + 1);
        if (e == NULL)
            fail_msg("%s", exts[i]);
        sk_X509_EXTENSION_push(list, e);
    }
    NCONF_free(conf);
    X509_REQ_add_extensions(req, list);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    assert_true(X509_REQ_sign(req, help_leaf()->key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509_REQ(bio, req), 1);
    len = BIO_get_mem_data(bio, &data);
    text = calloc(1, (size_t)len + 1);
    memcpy(text, data, (size_t)len);
    BIO_free(bio);
    X509_REQ_free(req);
    return text;
}

static const char *const greedy[] = {
    "subjectAltName=DNS:w.test",
    "basicConstraints=critical,CA:TRUE,pathlen:3",
    "keyUsage=critical,keyCertSign,cRLSign",
    "extendedKeyUsage=serverAuth,codeSigning",
    "nameConstraints=critical,permitted;DNS:w.test",
    "certificatePolicies=1.2.3.4",
    "tlsfeature=status_request",
    "1.2.3.4.5=ASN1:UTF8String:x",
    "subjectKeyIdentifier=01:02"};

static void only_names_and_harmless_usages_are_taken_unasked(void **state)
{
    char *csr = wish(greedy, COUNT(greedy));
    tlsock_cert *c =
        help_make(TLSOCK_CERT_OPTS(.csr = csr, .issuer = help_inter()));

    (void)state;
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_USAGE),
                        "digitalSignature, serverAuth");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SANS), "DNS:w.test");
    assert_int_equal(ext_critical(c, NID_name_constraints), -1);
    assert_int_equal(ext_critical(c, NID_certificate_policies), -1);
    assert_int_equal(ext_critical(c, NID_tlsfeature), -1);
    assert_int_equal(X509_get_ext_count(c->leaf), 6); /* all are ours */
    assert_int_equal(help_verdict(c, help_root()), X509_V_OK);
    tlsock_cert_unref(c);
    free(csr);
}

static const struct {
    const char *csr_ext, *purpose;
    const char *usage; /* NULL: refused */
    int features, policies, extensions;
} grants[] = {
    {"tlsfeature", NULL, "digitalSignature, serverAuth", 0, -1, 7},
    {"tlsfeature, certificatePolicies", NULL, "digitalSignature, serverAuth", 0,
     0, 8},
    {"extendedKeyUsage", NULL, "digitalSignature, serverAuth, codeSigning", -1,
     -1, 6},
    {"1.2.3.4.5", NULL, "digitalSignature, serverAuth", -1, -1, 7},
    {"subjectKeyIdentifier,subjectAltName", NULL,
     "digitalSignature, serverAuth", -1, -1, 6},
    {"1.2.3.4.6", NULL, "digitalSignature, serverAuth", -1, -1, 6},
    {"extendedKeyUsage", "client", "digitalSignature, clientAuth", -1, -1, 6},
    {"keyUsage", NULL, NULL, 0, 0, 0},        /* keyCertSign in a leaf */
    {"nameConstraints", NULL, NULL, 0, 0, 0}, /* for a CA alone */
    {"nonsense", NULL, NULL, 0, 0, 0},
    {"tlsfeature,", NULL, NULL, 0, 0, 0},
};

static void what_is_named_is_taken_over(void **state)
{
    char *csr = wish(greedy, COUNT(greedy));

    (void)state;
    for (size_t i = 0; i < COUNT(grants); i++) {
        const tlsock_cert_opts o = {.size = sizeof(o),
                                    .csr = csr,
                                    .issuer = help_root(),
                                    .csr_ext = grants[i].csr_ext,
                                    .purpose = grants[i].purpose};
        tlsock_cert *c;

        if (grants[i].usage == NULL) {
            refused(&o, TLSOCK_E_ARGUMENT, "", NULL);
            continue;
        }
        c = help_make(&o);
        assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_USAGE),
                            grants[i].usage);
        assert_int_equal(ext_critical(c, NID_tlsfeature), grants[i].features);
        assert_int_equal(ext_critical(c, NID_certificate_policies),
                         grants[i].policies);
        assert_int_equal(X509_get_ext_count(c->leaf), grants[i].extensions);
        tlsock_cert_unref(c);
    }
    refused(TLSOCK_CERT_OPTS(.csr = csr, .issuer = help_root(),
                             .csr_ext = "nonsense"),
            TLSOCK_E_ARGUMENT, "\"nonsense\"", "tlsfeature");
    refused(TLSOCK_CERT_OPTS(.subject = "CN=x", .ca = 1, .csr_ext = "all"),
            TLSOCK_E_ARGUMENT, "but no request", NULL);
    free(csr);
}

static void all_of_a_request_may_make_a_ca(void **state)
{
    char *csr = wish(greedy, COUNT(greedy));
    tlsock_cert *c = help_make(
        TLSOCK_CERT_OPTS(.csr = csr, .issuer = help_root(), .csr_ext = "all"));

    (void)state;
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_USAGE),
                        "keyCertSign, cRLSign, serverAuth, codeSigning, CA");
    assert_int_equal(X509_get_pathlen(c->leaf), 3);
    assert_int_equal(ext_critical(c, NID_name_constraints), 1);
    tlsock_cert_unref(c);
    free(csr);
}

static void a_ca_request_needs_the_word_of_the_issuer(void **state)
{
    tlsock_error err = {0};
    tlsock_csr *r = tlsock_csr_create(
        TLSOCK_CERT_OPTS(.subject = "CN=Sub CA", .ca = 1), &err);
    tlsock_cert *c;

    (void)state;
    assert_non_null(r);
    assert_code(tlsock_csr_save(r, TLSOCK_PART_CERT, 0, help_path("known.csr"),
                                NULL, &err),
                0);
    tlsock_csr_free(r);
    refused(
        TLSOCK_CERT_OPTS(.csr = help_path("known.csr"), .issuer = help_root()),
        TLSOCK_E_NO_NAME, "subjectAltName", NULL);
    c = help_make(TLSOCK_CERT_OPTS(.csr = help_path("known.csr"), .ca = 1,
                                   .issuer = help_root()));
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_USAGE),
                        "keyCertSign, cRLSign, CA");
    assert_int_equal(help_verdict(c, help_root()), X509_V_OK);
    tlsock_cert_unref(c);
}

static void rare_names_are_kept_and_unusable_ones_refused(void **state)
{
    static const char *const rare[] = {
        "subjectAltName=RID:1.2.3,otherName:1.2.3.4;UTF8:x,email:a@b.test"};
    static const char *const damaged[] = {"subjectAltName=DER:0500"};
    static const char *const twice[] = {"keyUsage=digitalSignature",
                                        "keyUsage=cRLSign"};
    static const char *const edi[] = {"subjectAltName=DER:3007a505a1030c0141"};
    static const char *const zero[] = {"subjectAltName=DER:3005820361002e"};
    char *csr = wish(rare, 1);
    tlsock_cert *c =
        help_make(TLSOCK_CERT_OPTS(.csr = csr, .issuer = help_root(),
                                   .purpose = "client"));
    tlsock_error err = {0};

    (void)state;
    assert_tells(tlsock_cert_field(c, TLSOCK_CERT_SANS), "EMAIL:a@b.test");
    tlsock_cert_unref(c);
    free(csr);
    csr = wish(damaged, 1);
    assert_null(tlsock_csr_load(csr, &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    assert_tells(err.message, "not well-formed");
    refused(TLSOCK_CERT_OPTS(.csr = csr, .issuer = help_root()),
            TLSOCK_E_OWN_FILE, "not well-formed", "made anew");
    free(csr);
    csr = wish(twice, 2);
    refused(TLSOCK_CERT_OPTS(.csr = csr, .issuer = help_root()),
            TLSOCK_E_OWN_FILE, "there twice", NULL);
    free(csr);
    csr = wish(edi, 1);
    refused(TLSOCK_CERT_OPTS(.csr = csr, .issuer = help_root()),
            TLSOCK_E_ARGUMENT, "that nobody uses", "which names");
    free(csr);
    csr = wish(zero, 1);
    refused(TLSOCK_CERT_OPTS(.csr = csr, .issuer = help_root()),
            TLSOCK_E_ARGUMENT, "zero byte", NULL);
    free(csr);
}

/* --- the object --- */

static void a_request_is_made_saved_and_read(void **state)
{
    const char *names[] = {"r.test", "192.0.2.1"}, *own[] = {"tlsfeature=5"};
    tlsock_error err = {0};
    tlsock_csr *r = tlsock_csr_create(
        TLSOCK_CERT_OPTS(.sans = names, .n_sans = 2, .purpose = "server",
                         .ext = own, .n_ext = 1, .key = "ec:P-384",
                         .digest = "sha384"),
        &err);
    const char *path = help_path("known.csr"), *key = help_path("known.key");
    static const unsigned formats[] = {TLSOCK_FORMAT_PEM, TLSOCK_FORMAT_DER};
    tlsock_cert *c;
    char pin[80];
    struct stat st;

    (void)state;
    if (r == NULL)
        fail_msg("%s", err.message);
    snprintf(pin, sizeof(pin), "%s", tlsock_csr_field(r, TLSOCK_CERT_PIN));
    for (size_t i = 0; i < COUNT(formats); i++) {
        tlsock_csr *again;

        assert_code(
            tlsock_csr_save(r, TLSOCK_PART_CERT, formats[i], path, NULL, &err),
            0);
        again = tlsock_csr_load(path, &err);
        assert_non_null(again);
        assert_string_equal(tlsock_csr_field(again, TLSOCK_CERT_SUBJECT),
                            "CN=r.test");
        assert_string_equal(tlsock_csr_field(again, TLSOCK_CERT_CN), "r.test");
        assert_string_equal(tlsock_csr_field(again, TLSOCK_CERT_SANS),
                            "DNS:r.test, IP:192.0.2.1");
        assert_string_equal(tlsock_csr_field(again, TLSOCK_CERT_KEY_TYPE),
                            "ECDSA P-384");
        assert_string_equal(tlsock_csr_field(again, TLSOCK_CERT_SIGNATURE),
                            "ecdsa-with-SHA384");
        assert_string_equal(tlsock_csr_field(again, TLSOCK_CERT_USAGE),
                            "digitalSignature, serverAuth");
        assert_string_equal(tlsock_csr_field(again, TLSOCK_CERT_PIN), pin);
        assert_null(tlsock_csr_field(again, TLSOCK_CERT_SERIAL));
        assert_null(tlsock_csr_field(again, 99));
        assert_code(tlsock_csr_save(again, TLSOCK_PART_KEY, formats[i], key,
                                    NULL, &err),
                    TLSOCK_E_ARGUMENT);
        assert_tells(err.message, "without its private key");
        tlsock_csr_free(again);
    }
    assert_code(tlsock_csr_save(r, TLSOCK_PART_KEY, TLSOCK_FORMAT_TRADITIONAL,
                                key, NULL, &err),
                0);
    assert_int_equal(stat(key, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    c = help_make(TLSOCK_CERT_OPTS(.csr = path, .issuer = help_inter()));
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_PIN), pin);
    tlsock_cert_unref(c);
    tlsock_csr_free(r);
}

static void a_key_that_is_there_is_used(void **state)
{
    char *pem = help_pem(help_leaf(), TLSOCK_PART_KEY);
    tlsock_error err = {0};
    tlsock_csr *r = tlsock_csr_create(
        TLSOCK_CERT_OPTS(.subject = "CN=me", .purpose = "client", .key = pem),
        &err);

    (void)state;
    assert_non_null(r);
    assert_string_equal(tlsock_csr_field(r, TLSOCK_CERT_PIN),
                        tlsock_cert_field(help_leaf(), TLSOCK_CERT_PIN));
    tlsock_csr_free(r);
    free(pem);
}

static const struct {
    tlsock_cert_opts o;
    int code;
    const char *fault;
} bad[] = {
    {{.subject = "CN=x"}, TLSOCK_E_NO_NAME, "subjectAltName"},
    {{.purpose = "client"}, TLSOCK_E_NO_NAME, "a signing request needs a name"},
    {{.subject = "CN=x", .days = 1}, TLSOCK_E_ARGUMENT, "no lifetime"},
    {{.subject = "CN=x", .not_after = 1}, TLSOCK_E_ARGUMENT, "no lifetime"},
    {{.subject = "CN=x", .serial = "1"}, TLSOCK_E_ARGUMENT, "no serial"},
    {{.subject = "CN=x", .csr = "x"}, TLSOCK_E_ARGUMENT, "no issuer"},
    {{.subject = "CN=x", .csr_ext = "x"}, TLSOCK_E_ARGUMENT, "no issuer"},
    {{.subject = "CN=x", .crl_url = "x"}, TLSOCK_E_ARGUMENT, "no addresses"},
    {{.subject = "CN=x", .permitted = "x"}, TLSOCK_E_ARGUMENT, "no permitted"},
    {{.subject = "CN=x", .purpose = "keyCertSign"},
     TLSOCK_E_ARGUMENT,
     "for a CA alone"},
    {{.subject = "CN=x", .key = "rsa:1024"}, TLSOCK_E_ARGUMENT, "too short"},
    {{.subject = "x"}, TLSOCK_E_ARGUMENT, "without \"=\""},
    {{.subject = "CN=x", .n_sans = 1}, TLSOCK_E_ARGUMENT, "a list is NULL"},
};

static void what_a_request_cannot_have_is_refused(void **state)
{
    tlsock_error err = {0};
    char *cert = help_pem(help_leaf(), TLSOCK_PART_CERT);

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        tlsock_cert_opts o = bad[i].o;

        o.size = sizeof(o);
        assert_null(tlsock_csr_create(&o, &err));
        assert_code(err.code, bad[i].code);
        assert_tells(err.message, bad[i].fault);
        assert_true(err.hint[0] != '\0');
        assert_null(tlsock_csr_create(&o, NULL));
    }
    assert_null(tlsock_csr_create(NULL, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_null(tlsock_csr_load(NULL, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_null(tlsock_csr_load(cert, &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    assert_tells(err.hint, "PKCS#10");
    assert_null(tlsock_csr_load("/missing.csr", &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    free(cert);
}

static const struct {
    unsigned part, format;
    const char *pass, *fault;
    int code;
} unsaved[] = {
    {0, 0, NULL, "nothing that can be saved", TLSOCK_E_ARGUMENT},
    {TLSOCK_PART_CHAIN, 0, NULL, "nothing that can be", TLSOCK_E_ARGUMENT},
    {TLSOCK_PART_CERT, TLSOCK_FORMAT_PKCS12, NULL, "no such format",
     TLSOCK_E_ARGUMENT},
    {TLSOCK_PART_CERT, TLSOCK_FORMAT_TRADITIONAL, NULL, "no such format",
     TLSOCK_E_ARGUMENT},
    {TLSOCK_PART_KEY, 4, NULL, "no such format", TLSOCK_E_ARGUMENT},
    {TLSOCK_PART_KEY, TLSOCK_FORMAT_TRADITIONAL, NULL, "only RSA and EC",
     TLSOCK_E_ARGUMENT},
    {TLSOCK_PART_KEY, 0, "env:TEST_UNSET", "is not set", TLSOCK_E_PASSWORD},
    {TLSOCK_PART_KEY, 0, "hunter2", "of no known form", TLSOCK_E_ARGUMENT},
};

static void what_cannot_be_saved_is_refused(void **state)
{
    tlsock_error err = {0};
    tlsock_csr *r = tlsock_csr_create(TLSOCK_CERT_OPTS(.subject = "CN=x",
                                                       .purpose = "client",
                                                       .key = "ed25519"),
                                      &err);
    const char *path = help_path("known.none");

    (void)state;
    unsetenv("TEST_UNSET");
    for (size_t i = 0; i < COUNT(unsaved); i++) {
        assert_code(tlsock_csr_save(r, unsaved[i].part, unsaved[i].format, path,
                                    unsaved[i].pass, &err),
                    unsaved[i].code);
        assert_tells(err.message, unsaved[i].fault);
        assert_int_not_equal(access(path, F_OK), 0);
    }
    assert_code(tlsock_csr_save(NULL, 1, 0, path, NULL, &err),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_csr_save(r, 1, 0, NULL, NULL, &err), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_csr_save(r, 1, 0, "", NULL, NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_csr_save(r, 1, 0, help_path("known.gone/x"), NULL, &err),
                TLSOCK_E_OWN_FILE);
    tlsock_csr_free(r);
    tlsock_csr_free(NULL);
    assert_null(tlsock_csr_field(NULL, 1));
    assert_int_equal(tlsock_csr_json(NULL, NULL, 0), TLSOCK_E_ARGUMENT);
}

static void json_tells_what_would_be_kept(void **state)
{
    char *csr = wish(greedy, COUNT(greedy)), out[8192];
    static const char *const kept[] = {"yes", "no", "no", "part", "no",
                                       "no",  "no", "no", "no"};
    tlsock_csr *r = tlsock_csr_load(csr, NULL);
    int n = tlsock_csr_json(r, out, sizeof(out));
    json_t *obj = json_loads(out, 0, NULL), *exts;

    (void)state;
    assert_true(n > 0 && (size_t)n == strlen(out));
    assert_int_equal(tlsock_csr_json(r, NULL, 0), n);
    assert_non_null(obj);
    assert_string_equal(json_string_value(json_object_get(obj, "schema")),
                        "tlsock.csr/1");
    assert_string_equal(json_string_value(json_object_get(obj, "subject")),
                        "CN=w.test");
    assert_true(json_is_true(json_object_get(obj, "ca")));
    assert_int_equal(json_integer_value(json_object_get(obj, "pathlen")), 3);
    assert_int_equal(json_integer_value(json_object_get(obj, "key_bits")), 256);
    assert_true(json_is_false(json_object_get(obj, "has_key")));
    assert_int_equal(json_array_size(json_object_get(obj, "sans")), 1);
    assert_int_equal(json_array_size(json_object_get(obj, "usage")), 5);
    exts = json_object_get(obj, "extensions");
    assert_int_equal(json_array_size(exts), COUNT(greedy));
    for (size_t i = 0; i < COUNT(greedy); i++) {
        json_t *e = json_array_get(exts, i);

        assert_string_equal(json_string_value(json_object_get(e, "kept")),
                            kept[i]);
        assert_int_equal(json_is_null(json_object_get(e, "note")),
                         strcmp(kept[i], "yes") == 0);
    }
    json_decref(obj);
    tlsock_csr_free(r);
    free(csr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_gives_key_and_names_but_no_powers),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(only_names_and_harmless_usages_are_taken_unasked),
        cmocka_unit_test(what_is_named_is_taken_over),
        cmocka_unit_test(all_of_a_request_may_make_a_ca),
        cmocka_unit_test(a_ca_request_needs_the_word_of_the_issuer),
        cmocka_unit_test(rare_names_are_kept_and_unusable_ones_refused),
        cmocka_unit_test(a_request_is_made_saved_and_read),
        cmocka_unit_test(a_key_that_is_there_is_used),
        cmocka_unit_test(what_a_request_cannot_have_is_refused),
        cmocka_unit_test(what_cannot_be_saved_is_refused),
        cmocka_unit_test(json_tells_what_would_be_kept),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    help_end();
    return rc;
}
