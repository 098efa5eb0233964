#include "fault.h"
#include "lint_make.h"

#include "cert/clone.h"
#include "core/clock.h"

#include <openssl/err.h>
#include <pthread.h>

static tlsock_cert *root, *ca; /* any name; root, and a CA below it */

static int64_t now(void)
{
    return LINT_NOW;
}

static tlsock_cert *clone_with(const struct recipe *r, const tlsock_cert *by)
{
    tlsock_cert *seen = lint_make(r, 0), *c;
    tlsock_error err = {0};

    c = tlsock_cert_clone(seen, by, &err);
    if (c == NULL)
        fail_msg("no clone: %s", err.message);
    assert_true(ERR_peek_error() == 0);
    tlsock_cert_unref(seen);
    return c;
}

static int same_string(const ASN1_STRING *a, const ASN1_STRING *b)
{
    return ASN1_STRING_type(a) == ASN1_STRING_type(b) &&
           ASN1_STRING_cmp(a, b) == 0;
}

static void same_name(X509 *a, X509 *b)
{
    const unsigned char *p, *q;
    size_t n, m;

    assert_int_equal(X509_NAME_get0_der(X509_get_subject_name(a), &p, &n), 1);
    assert_int_equal(X509_NAME_get0_der(X509_get_subject_name(b), &q, &m), 1);
    assert_int_equal(n, m);
    assert_memory_equal(p, q, n);
}

static X509_EXTENSION *ext(X509 *x, int nid)
{
    int at = X509_get_ext_by_NID(x, nid, -1);

    return at >= 0 ? X509_get_ext(x, at) : NULL;
}

static void same_ext(X509 *a, X509 *b, int nid)
{
    assert_non_null(ext(a, nid));
    assert_non_null(ext(b, nid));
    assert_true(same_string(X509_EXTENSION_get_data(ext(a, nid)),
                            X509_EXTENSION_get_data(ext(b, nid))));
}

static void a_clone_is_the_same_to_a_client_and_signed_by_the_ca(void **state)
{
    const struct recipe plain = {
        .ext = {"subjectAltName=DNS:a.test,DNS:*.B.test,IP:192.0.2.1,"
                "URI:http://a.test/,email:x@a.test",
                "extendedKeyUsage=clientAuth,serverAuth,1.2.3.4"}};
    tlsock_cert *seen = lint_make(&plain, 0);
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_clone(seen, ca, &err);

    (void)state;
    assert_non_null(c);
    same_name(c->leaf, seen->leaf);
    same_ext(c->leaf, seen->leaf, NID_subject_alt_name);
    same_ext(c->leaf, seen->leaf, NID_ext_key_usage);
    same_ext(c->leaf, seen->leaf, NID_key_usage);
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_NOT_BEFORE),
                        tlsock_cert_field(seen, TLSOCK_CERT_NOT_BEFORE));
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_NOT_AFTER),
                        tlsock_cert_field(seen, TLSOCK_CERT_NOT_AFTER));
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_ISSUER),
                        "CN=Clone CA");
    assert_string_not_equal(tlsock_cert_field(c, TLSOCK_CERT_SERIAL),
                            tlsock_cert_field(seen, TLSOCK_CERT_SERIAL));
    assert_int_equal(
        EVP_PKEY_eq(X509_get0_pubkey(c->leaf), X509_get0_pubkey(seen->leaf)),
        0);
    assert_int_equal(X509_check_private_key(c->leaf, c->key), 1);
    assert_int_equal(tlsock_cert_chain_len(c), 1); /* the CA, not the root */
    tlsock_cert_unref(seen);
    tlsock_cert_unref(c);
}

/* With X509_STRICT, by the real clock's verifier. */
static void openssl_verifies_it_strictly(void **state)
{
    const struct recipe plain = {0};
    tlsock_cert *c = clone_with(&plain, ca);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    (void)state;
    assert_int_equal(X509_STORE_add_cert(store, root->leaf), 1);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, c->leaf, c->chain), 1);
    X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT);
    X509_STORE_CTX_set_time(ctx, 0, (time_t)LINT_NOW);
    assert_int_equal(X509_verify_cert(ctx), 1);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    assert_code(tlsock_cert_matches(c, "a.test", NULL, NULL), 0);
    tlsock_cert_unref(c);
}

static void odd_names_stay_what_they_were_byte_by_byte(void **state)
{
    static const struct recipe odd[] = {
        {.attr = {{NID_commonName, V_ASN1_T61STRING, "a\xe4.test", 0},
                  {NID_organizationName, V_ASN1_BMPSTRING, "\0a\0b", 1}}},
        {.attr = {{NID_commonName, V_ASN1_PRINTABLESTRING, "a_b", 0},
                  {NID_commonName, V_ASN1_UTF8STRING, " b,c\\ ", 0}}},
        {.ext = {"subjectAltName=DER:300c820a612e74657374002e6262"}},
        {.ext = {"subjectAltName=DER:30048202ff2a"}},
        {.nameless = 1, .ext = {"subjectAltName=DNS:a.test"}},
        {.ext = {"subjectAltName=otherName:1.2.3.4;UTF8:x,dirName:dn"}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(odd); i++) {
        tlsock_cert *seen = lint_make(&odd[i], 0), *c;

        c = tlsock_cert_clone(seen, ca, NULL);
        assert_non_null(c);
        same_name(c->leaf, seen->leaf);
        same_ext(c->leaf, seen->leaf, NID_subject_alt_name);
        assert_int_equal(
            X509_EXTENSION_get_critical(ext(c->leaf, NID_subject_alt_name)),
            odd[i].nameless);
        tlsock_cert_unref(seen);
        tlsock_cert_unref(c);
    }
}

static void
what_points_to_the_real_issuer_or_makes_a_ca_is_left_out(void **state)
{
    static const char *const bad[] = {
        "authorityInfoAccess=OCSP;URI:http://o.test",
        "crlDistributionPoints=URI:http://c.test",
        "freshestCRL=URI:http://c.test",
        "certificatePolicies=1.2.3",
        "1.3.6.1.4.1.11129.2.4.2=DER:04020000",
        "1.3.6.1.4.1.11129.2.4.3=critical,DER:0500",
        "tlsfeature=status_request",
        "nameConstraints=critical,permitted;DNS:a.test",
        "policyConstraints=critical,requireExplicitPolicy:0",
        "inhibitAnyPolicy=critical,0",
        "policyMappings=critical,1.2.3:1.2.4",
        "issuerAltName=DNS:i.test",
        "subjectInfoAccess=caRepository;URI:http://r.test",
        "noCheck=ignored",
        "nsCertType=sslCA",
        "nsComment=hello",
        "1.2.3.4=critical,DER:0500",
        "1.2.3.4=DER:0500",
        "certificatePolicies=DER:0500",
        "authorityKeyIdentifier=DER:0500",
        "subjectKeyIdentifier=DER:ff",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        const struct recipe r = {
            .ext = {bad[i], "basicConstraints=critical,CA:TRUE,pathlen:3",
                    "keyUsage=critical,digitalSignature,keyCertSign,cRLSign"}};
        tlsock_cert *c = clone_with(&r, ca);
        struct tlsock_lint *none = NULL;

        /* key ids, basicConstraints, two usages, names: no more */
        assert_int_equal(X509_get_ext_count(c->leaf), 6);
        assert_int_equal(X509_check_ca(c->leaf), 0);
        assert_int_equal(X509_get_key_usage(c->leaf), KU_DIGITAL_SIGNATURE);
        assert_true(X509_get_pathlen(c->leaf) == -1);
        assert_int_equal(
            ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(c->leaf),
                                  X509_get0_subject_key_id(ca->leaf)),
            0);
        assert_code(tlsock_cert_lint(c, NULL, none, NULL), 0);
        tlsock_cert_unref(c);
    }
}

static void usages_are_kept_as_far_as_a_leaf_and_its_key_go(void **state)
{
    static const struct {
        EVP_PKEY *(*key)(void);
        const char *seen;
        uint32_t want;
    } cases[] = {
        {NULL, "keyUsage=critical,digitalSignature", KU_DIGITAL_SIGNATURE},
        {NULL, "keyUsage=digitalSignature,nonRepudiation,keyAgreement",
         KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_AGREEMENT},
        {NULL, "keyUsage=critical,keyCertSign,cRLSign", KU_DIGITAL_SIGNATURE},
        {NULL, "keyUsage=critical,keyEncipherment", KU_DIGITAL_SIGNATURE},
        {NULL, "keyUsage=critical,keyAgreement,decipherOnly",
         KU_KEY_AGREEMENT | KU_DECIPHER_ONLY},
        {NULL, "keyUsage=critical,digitalSignature,encipherOnly",
         KU_DIGITAL_SIGNATURE},
        {NULL, "keyUsage=", KU_DIGITAL_SIGNATURE},
        {NULL, "keyUsage=critical,DER:0500", KU_DIGITAL_SIGNATURE},
        {NULL, "keyUsage=critical,DER:030100", KU_DIGITAL_SIGNATURE},
        {key_rsa, "keyUsage=", KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT},
        {key_rsa, "keyUsage=keyEncipherment,dataEncipherment,keyAgreement",
         KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT},
        {key_ed25519, "keyUsage=digitalSignature,keyAgreement",
         KU_DIGITAL_SIGNATURE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct recipe r = {.key = cases[i].key, .ext = {cases[i].seen}};
        tlsock_cert *c = clone_with(&r, ca);

        if (X509_get_key_usage(c->leaf) != cases[i].want)
            fail_msg("%s: %x", cases[i].seen, X509_get_key_usage(c->leaf));
        assert_true(X509_EXTENSION_get_critical(ext(c->leaf, NID_key_usage)));
        tlsock_cert_unref(c);
    }
}

static void purposes_are_kept_but_for_speaking_for_the_ca(void **state)
{
    static const struct {
        const char *seen, *want; /* NULL: none */
    } cases[] = {
        {"extendedKeyUsage=serverAuth,OCSPSigning", "serverAuth"},
        {"extendedKeyUsage=clientAuth", "clientAuth"},
        {"extendedKeyUsage=DER:0500", "serverAuth"},
        {"extendedKeyUsage=DER:3000", "serverAuth"},
        {"extendedKeyUsage=", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct recipe r = {.ext = {cases[i].seen}};
        tlsock_cert *c = clone_with(&r, ca);
        EXTENDED_KEY_USAGE *eku =
            X509_get_ext_d2i(c->leaf, NID_ext_key_usage, NULL, NULL);

        if (cases[i].want == NULL) {
            assert_null(eku);
        } else {
            assert_int_equal(sk_ASN1_OBJECT_num(eku), 1);
            assert_int_equal(OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, 0)),
                             OBJ_sn2nid(cases[i].want));
        }
        EXTENDED_KEY_USAGE_free(eku);
        tlsock_cert_unref(c);
    }
}

static int64_t day(const ASN1_TIME *t)
{
    return (tsk_cert_time(t) - LINT_NOW) / DAY;
}

static void dates_are_those_of_the_seen_one_within_those_of_the_ca(void **state)
{
    static const struct {
        int from, to, want_from, want_to;
    } cases[] = {
        {-10, 60, -10, 60},           /* as it is */
        {-10, 6000, -10, 3650},       /* not longer than the CA */
        {-4000, 60, -2000, 60},       /* nor earlier */
        {-100, -5, -100, -5},         /* expired stays expired */
        {-4000, -3000, -4000, -3000}, /* also before there was the CA */
        {5, 60, 5, 60},               /* not yet valid */
        {10, 5, 10, 5},               /* never valid */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct recipe r = {.from_days = cases[i].from,
                                 .to_days = cases[i].to};
        tlsock_cert *c = clone_with(&r, ca);

        assert_int_equal(day(X509_get0_notBefore(c->leaf)), cases[i].want_from);
        assert_int_equal(day(X509_get0_notAfter(c->leaf)), cases[i].want_to);
        tlsock_cert_unref(c);
    }
}

static void the_key_is_of_the_same_kind_and_never_weak(void **state)
{
    static const struct {
        EVP_PKEY *(*key)(void);
        void (*edit)(X509 *x);
        const char *want;
    } cases[] = {
        {NULL, NULL, "ECDSA P-256"},
        {key_ec_384, NULL, "ECDSA P-384"},
        {key_ec_521, NULL, "ECDSA P-521"},
        {key_ec_192, NULL, "ECDSA P-256"},
        {key_ec_k1, NULL, "ECDSA P-256"},
        {key_ec_explicit, NULL, "ECDSA P-256"},
        {key_rsa, NULL, "RSA 2048"},
        {key_rsa_small, NULL, "RSA 2048"},
        {key_rsa_even, NULL, "RSA 2048"},
        {key_rsa_large, NULL, "RSA 4096"},
        {key_ed25519, NULL, "Ed25519"},
        {key_dsa, NULL, "ECDSA P-256"},
        {NULL, edit_key_garbage, "ECDSA P-256"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct recipe r = {.key = cases[i].key, .edit = cases[i].edit};
        tlsock_cert *c = clone_with(&r, ca);

        if (strcmp(tlsock_cert_field(c, TLSOCK_CERT_KEY_TYPE), cases[i].want) !=
            0)
            fail_msg("case %zu: %s", i,
                     tlsock_cert_field(c, TLSOCK_CERT_KEY_TYPE));
        assert_int_equal(X509_check_private_key(c->leaf, c->key), 1);
        tlsock_cert_unref(c);
    }
}

static void
clones_share_a_key_by_kind_and_have_serials_of_their_own(void **state)
{
    const struct recipe ec = {0}, rsa = {.key = key_rsa};
    tlsock_cert *a = clone_with(&ec, ca), *b = clone_with(&ec, ca),
                *r = clone_with(&rsa, ca);

    (void)state;
    assert_int_equal(EVP_PKEY_eq(a->key, b->key), 1);
    assert_int_not_equal(EVP_PKEY_eq(a->key, r->key), 1);
    assert_string_not_equal(tlsock_cert_field(a, TLSOCK_CERT_SERIAL),
                            tlsock_cert_field(b, TLSOCK_CERT_SERIAL));
    assert_int_equal(strlen(tlsock_cert_field(a, TLSOCK_CERT_SERIAL)), 32);
    tlsock_cert_unref(a);
    tlsock_cert_unref(b);
    tlsock_cert_unref(r);
}

#define THREADS 8

static void *clone_some(void *arg)
{
    const tlsock_cert *seen = arg;
    EVP_PKEY *key = NULL;

    for (int i = 0; i < 50; i++) {
        tlsock_cert *c = tlsock_cert_clone(seen, ca, NULL);

        if (c == NULL || (key != NULL && EVP_PKEY_eq(key, c->key) != 1))
            return NULL;
        EVP_PKEY_free(key);
        key = c->key;
        EVP_PKEY_up_ref(key);
        tlsock_cert_unref(c);
    }
    return key;
}

static void threads_clone_at_once_and_agree_on_the_key(void **state)
{
    const struct recipe fresh = {.key = key_ec_384};
    tlsock_cert *seen = lint_make(&fresh, 0);
    pthread_t t[THREADS];
    void *key[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, clone_some, seen), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(t[i], &key[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_non_null(key[i]);
        assert_int_equal(EVP_PKEY_eq(key[i], key[0]), 1);
    }
    for (int i = 0; i < THREADS; i++)
        EVP_PKEY_free(key[i]);
    tlsock_cert_unref(seen);
}

static void refused_to(const char *name, const tlsock_cert *seen,
                       const tlsock_cert *by, int code, const char *tells)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_clone(seen, by, &err);

    if (c != NULL || err.code != code)
        fail_msg("%s: %s %s", name, tlsock_errname(err.code), err.message);
    assert_tells(err.message, tells);
    assert_true(err.hint[0] != '\0');
    assert_true(ERR_peek_error() == 0);
    assert_null(tlsock_cert_clone(seen, by, NULL));
}

static void edit_huge(X509 *x)
{
    size_t n = 300 * 1024;
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    unsigned char *big = calloc(1, n);
    X509_EXTENSION *e;

    assert_true(data != NULL && big != NULL);
    ASN1_OCTET_STRING_set(data, big, (int)n);
    e = X509_EXTENSION_create_by_NID(NULL, NID_netscape_comment, 0, data);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(data);
    free(big);
}

static void edit_crowd(X509 *x)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();

    for (int i = 0; i <= TSK_CLONE_NAMES; i++) {
        GENERAL_NAME *g = GENERAL_NAME_new();
        ASN1_IA5STRING *s = ASN1_IA5STRING_new();

        assert_true(g != NULL && s != NULL);
        ASN1_STRING_set(s, "a.test", 6);
        GENERAL_NAME_set0_value(g, GEN_DNS, s);
        sk_GENERAL_NAME_push(names, g);
    }
    assert_int_equal(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0,
                                       X509V3_ADD_REPLACE),
                     1);
    GENERAL_NAMES_free(names);
}

static void edit_double_san(X509 *x)
{
    X509_EXTENSION *e = X509_EXTENSION_dup(ext(x, NID_subject_alt_name));

    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static void what_cannot_be_imitated_is_refused_and_says_why(void **state)
{
    static const struct {
        const char *name;
        struct recipe r;
        int code;
        const char *tells;
    } cases[] = {
        {"malformed names",
         {.ext = {"subjectAltName=DER:0500"}},
         TLSOCK_E_CERT_INVALID,
         "subjectAltName"},
        {"bytes behind names",
         {.ext = {"subjectAltName=DER:300382016100"}},
         TLSOCK_E_CERT_INVALID,
         "subjectAltName"},
        {"an empty list",
         {.ext = {"subjectAltName=DER:3000"}},
         TLSOCK_E_CERT_INVALID,
         "subjectAltName"},
        {"names twice",
         {.edit = edit_double_san},
         TLSOCK_E_CERT_INVALID,
         "twice"},
        {"too many names", {.edit = edit_crowd}, TLSOCK_E_LIMIT, "4097 names"},
        {"too long", {.edit = edit_huge}, TLSOCK_E_LIMIT, "256 KiB"},
        {"nobody's",
         {.nameless = 1, .ext = {"subjectAltName="}},
         TLSOCK_E_NO_NAME,
         "neither"},
        {"no dates",
         {.from_text = "uyesterday"},
         TLSOCK_E_CERT_INVALID,
         "dates"},
        {"after the CA",
         {.from_days = 4000, .to_days = 4100},
         TLSOCK_E_ARGUMENT,
         "Clone CA"},
        {"an OCSP responder's",
         {.ext = {"extendedKeyUsage=OCSPSigning"}},
         TLSOCK_E_PURPOSE,
         "OCSP"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        tlsock_cert *seen = lint_make(&cases[i].r, 0);

        if (seen == NULL) { /* there is nothing to be imitated */
            assert_string_equal(cases[i].name, "no dates");
            continue;
        }
        refused_to(cases[i].name, seen, ca, cases[i].code, cases[i].tells);
        tlsock_cert_unref(seen);
    }
}

static void a_ca_that_may_not_sign_is_refused(void **state)
{
    const char *names[] = {"x.test"};
    const struct recipe plain = {0};
    tlsock_cert *seen = lint_make(&plain, 0);
    tlsock_cert *leaf = help_make(TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1));
    tlsock_cert *other =
        help_make(TLSOCK_CERT_OPTS(.subject = "CN=Other", .ca = 1,
                                   .permitted = "b.test"));
    tlsock_cert *old =
        help_make(TLSOCK_CERT_OPTS(.subject = "CN=Old", .ca = 1,
                                   .not_before = LINT_NOW - 100 * DAY,
                                   .not_after = LINT_NOW - DAY));
    tlsock_cert *keyless = tsk_cert_new(ca->leaf, NULL, NULL, NULL);
    tlsock_cert *mixed = tsk_cert_new(ca->leaf, NULL, leaf->key, NULL);

    (void)state;
    refused_to("no certificate", NULL, ca, TLSOCK_E_ARGUMENT, "to clone");
    refused_to("no CA", seen, NULL, TLSOCK_E_ARGUMENT, "no CA");
    refused_to("a leaf", seen, leaf, TLSOCK_E_PURPOSE, "no CA");
    refused_to("constraints", seen, other, TLSOCK_E_PURPOSE, "a.test");
    refused_to("an expired CA", seen, old, TLSOCK_E_EXPIRED, "Old");
    refused_to("no key", seen, keyless, TLSOCK_E_ARGUMENT, "private key");
    refused_to("another's key", seen, mixed, TLSOCK_E_KEY_MISMATCH, "key");
    tlsock_cert_unref(seen);
    tlsock_cert_unref(leaf);
    tlsock_cert_unref(other);
    tlsock_cert_unref(old);
    tlsock_cert_unref(keyless);
    tlsock_cert_unref(mixed);
}

static EVP_PKEY *key_x25519(void)
{
    static EVP_PKEY *key;

    if (key == NULL)
        key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    assert_non_null(key);
    EVP_PKEY_up_ref(key);
    return key;
}

static void a_key_that_cannot_sign_says_so(void **state)
{
    const struct recipe plain = {0},
                        odd = {.key = key_x25519,
                               .ext = {"basicConstraints=critical,CA:TRUE",
                                       "keyUsage=critical,keyCertSign"}};
    tlsock_cert *seen = lint_make(&plain, 0), *made = lint_make(&odd, 0);
    EVP_PKEY *key = key_x25519();
    tlsock_cert *by = tsk_cert_new(made->leaf, NULL, key, NULL);
    tlsock_error err = {0};

    (void)state;
    assert_null(tlsock_cert_clone(seen, by, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_tells(err.message, "cannot be used");
    assert_true(err.hint[0] != '\0');
    EVP_PKEY_free(key);
    EVP_PKEY_free(key); /* the one that is kept */
    tlsock_cert_unref(seen);
    tlsock_cert_unref(made);
    tlsock_cert_unref(by);
}

static void an_unfinished_certificate_is_refused(void **state)
{
    X509 *x = X509_new();
    tlsock_cert *seen = tsk_cert_new(x, NULL, NULL, NULL);

    (void)state;
    refused_to("unfinished", seen, ca, TLSOCK_E_CERT_INVALID, "dates");
    tlsock_cert_unref(seen);
    X509_free(x);
}

static void every_kind_of_ca_signs(void **state)
{
    static const char *const kinds[] = {"ec:P-384", "rsa:2048", "ed25519"};
    const struct recipe plain = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        tlsock_cert *by = help_make(
            TLSOCK_CERT_OPTS(.subject = "CN=K", .ca = 1, .key = kinds[i]));
        tlsock_cert *c = clone_with(&plain, by);

        assert_int_equal(X509_verify(c->leaf, X509_get0_pubkey(by->leaf)), 1);
        assert_int_equal(tlsock_cert_chain_len(c), 0);
        tlsock_cert_unref(c);
        tlsock_cert_unref(by);
    }
}

/* A clone of a clone, and of the CA itself: leaves, all of them. */
static void a_ca_is_cloned_as_a_leaf(void **state)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_clone(ca, ca, &err), *again;

    (void)state;
    assert_non_null(c);
    assert_int_equal(X509_check_ca(c->leaf), 0);
    assert_null(tlsock_cert_clone(ca, c, &err));
    assert_code(err.code, TLSOCK_E_PURPOSE);
    again = tlsock_cert_clone(c, ca, &err);
    assert_non_null(again);
    tlsock_cert_unref(c);
    tlsock_cert_unref(again);
}

/* The key of a kind that no clone had before is made, too. */
static void memory_may_be_short_while_the_key_is_made(void **state)
{
    const struct recipe fresh = {.key = key_ed448};
    tlsock_cert *seen = lint_make(&fresh, 0), *c = NULL;
    tlsock_error err = {0};
    long n;

    (void)state;
    fault_arm(FAULT_OWN, 1, 1); /* 1: of what holds it */
    c = tlsock_cert_clone(seen, ca, &err);
    assert_int_equal(fault_disarm(), 1);
    assert_null(c);
    assert_code(err.code, TLSOCK_E_NOMEM);
    for (n = 1; c == NULL; n++) {
        fault_arm(FAULT_OPENSSL, n, 1);
        c = tlsock_cert_clone(seen, ca, &err);
        assert_true(fault_disarm() == 1 || c != NULL);
        assert_true(ERR_peek_error() == 0);
        assert_true(c != NULL || (err.code != 0 && err.message[0] != '\0'));
        assert_true(n < 20000);
    }
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_KEY_TYPE), "Ed448");
    assert_int_equal(X509_check_private_key(c->leaf, c->key), 1);
    tlsock_cert_unref(c);
    tlsock_cert_unref(seen);
}

static void memory_may_be_short_anywhere(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_OWN, FAULT_OPENSSL,
                                            FAULT_REFUSED};
    const struct recipe plain = {0};
    tlsock_cert *seen = lint_make(&plain, 0);

    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        for (long n = 1;; n++) {
            tlsock_error err = {0};
            tlsock_cert *c;
            int hit;

            fault_arm(kinds[k], n, 1);
            c = tlsock_cert_clone(seen, ca, &err);
            hit = fault_disarm();
            assert_true(ERR_peek_error() == 0);
            if (c == NULL && (!hit || err.code == 0 || err.message[0] == '\0'))
                fail_msg("%s, allocation %ld: %s", fault_name(kinds[k]), n,
                         err.message);
            if (c == NULL && kinds[k] == FAULT_OWN)
                assert_code(err.code, TLSOCK_E_NOMEM);
            tlsock_cert_unref(c);
            if (!hit)
                break;
            assert_true(n < 5000);
        }
    }
    tlsock_cert_unref(seen);
}

static int make_cas(void **state)
{
    (void)state;
    root = help_make(TLSOCK_CERT_OPTS(.subject = "CN=Clone Root", .ca = 1,
                                      .pathlen = -1,
                                      .not_before = LINT_NOW - 2000 * DAY,
                                      .not_after = LINT_NOW + 3650 * DAY));
    ca = help_make(TLSOCK_CERT_OPTS(.subject = "CN=Clone CA", .ca = 1,
                                    .issuer = root,
                                    .not_before = LINT_NOW - 2000 * DAY,
                                    .not_after = LINT_NOW + 3650 * DAY));
    return 0;
}

static int free_cas(void **state)
{
    (void)state;
    tlsock_cert_unref(root);
    tlsock_cert_unref(ca);
    lint_make_free();
    help_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clone_is_the_same_to_a_client_and_signed_by_the_ca),
        cmocka_unit_test(openssl_verifies_it_strictly),
        cmocka_unit_test(odd_names_stay_what_they_were_byte_by_byte),
        cmocka_unit_test(
            what_points_to_the_real_issuer_or_makes_a_ca_is_left_out),
        cmocka_unit_test(usages_are_kept_as_far_as_a_leaf_and_its_key_go),
        cmocka_unit_test(purposes_are_kept_but_for_speaking_for_the_ca),
        cmocka_unit_test(
            dates_are_those_of_the_seen_one_within_those_of_the_ca),
        cmocka_unit_test(the_key_is_of_the_same_kind_and_never_weak),
        cmocka_unit_test(
            clones_share_a_key_by_kind_and_have_serials_of_their_own),
        cmocka_unit_test(threads_clone_at_once_and_agree_on_the_key),
        cmocka_unit_test(what_cannot_be_imitated_is_refused_and_says_why),
        cmocka_unit_test(a_ca_that_may_not_sign_is_refused),
        cmocka_unit_test(a_key_that_cannot_sign_says_so),
        cmocka_unit_test(an_unfinished_certificate_is_refused),
        cmocka_unit_test(every_kind_of_ca_signs),
        cmocka_unit_test(a_ca_is_cloned_as_a_leaf),
        cmocka_unit_test(memory_may_be_short_while_the_key_is_made),
        cmocka_unit_test(memory_may_be_short_anywhere),
    };

    fault_init();
    tsk_clock_wall = now;
    return cmocka_run_group_tests(tests, make_cas, free_cas);
}
