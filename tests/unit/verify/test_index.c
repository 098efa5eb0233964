/* Certificates are found by any name that OpenSSL takes for the same. */
#include "pki.h"

#include "fault.h"
#include "verify/index_private.h"

struct part {
    const char *type;
    int encoding;
    const char *text;
    int len;  /* -1: of the text */
    int join; /* into the set of the part before */
};

/* Names of one number are the same; plain: their hash can be had at once. */
static const struct name {
    int same, plain;
    struct part parts[3];
} names[] = {
    {1, 1, {{"CN", V_ASN1_UTF8STRING, "Some Root CA", -1, 0}}},
    {1, 1, {{"CN", V_ASN1_PRINTABLESTRING, "Some Root CA", -1, 0}}},
    {1, 1, {{"CN", V_ASN1_T61STRING, "some root ca", -1, 0}}},
    {1, 1, {{"CN", V_ASN1_IA5STRING, "  SOME  ROOT\t CA ", -1, 0}}},
    {1,
     0,
     {{"CN", V_ASN1_BMPSTRING, "\0S\0o\0m\0e\0 \0R\0o\0o\0t\0 \0C\0A", 24, 0}}},
    {2, 1, {{"CN", V_ASN1_UTF8STRING, "Some RootCA", -1, 0}}},
    {3, 1, {{"O", V_ASN1_UTF8STRING, "Some Root CA", -1, 0}}},
    {4, 0, {{"CN", V_ASN1_UTF8STRING, "R\xc3\xa9seau", -1, 0}}},
    {4, 0, {{"CN", V_ASN1_T61STRING, "R\xe9seau", -1, 0}}},
    {4, 0, {{"CN", V_ASN1_BMPSTRING, "\0R\0\xe9\0s\0e\0a\0u", 12, 0}}},
    {5,
     1,
     {{"C", V_ASN1_PRINTABLESTRING, "DE", -1, 0},
      {"O", V_ASN1_UTF8STRING, "Firm", -1, 0},
      {"CN", V_ASN1_UTF8STRING, "Root", -1, 0}}},
    {5,
     1,
     {{"C", V_ASN1_PRINTABLESTRING, "de", -1, 0},
      {"O", V_ASN1_PRINTABLESTRING, "firm", -1, 0},
      {"CN", V_ASN1_PRINTABLESTRING, "root", -1, 0}}},
    {6,
     1,
     {{"C", V_ASN1_PRINTABLESTRING, "DE", -1, 0},
      {"CN", V_ASN1_UTF8STRING, "Root", -1, 0},
      {"O", V_ASN1_UTF8STRING, "Firm", -1, 0}}},
    {7,
     1,
     {{"O", V_ASN1_UTF8STRING, "Firm", -1, 0},
      {"CN", V_ASN1_UTF8STRING, "Root", -1, 1}}},
    {7,
     1,
     {{"CN", V_ASN1_UTF8STRING, "root", -1, 0},
      {"O", V_ASN1_UTF8STRING, "firm", -1, 1}}},
    {8, 0, {{"CN", V_ASN1_NUMERICSTRING, "12345", -1, 0}}},
    {9, 1, {{"CN", V_ASN1_PRINTABLESTRING, "12345", -1, 0}}},
    {10, 1, {{NULL, 0, NULL, 0, 0}}},
};

static X509_NAME *make(const struct name *n)
{
    X509_NAME *name = X509_NAME_new();

    for (size_t i = 0; i < COUNT(n->parts) && n->parts[i].type != NULL; i++) {
        const struct part *p = &n->parts[i];

        assert_int_equal(
            X509_NAME_add_entry_by_txt(name, p->type, p->encoding,
                                       (const unsigned char *)p->text, p->len,
                                       -1, p->join ? -1 : 0),
            1);
    }
    return name;
}

static int hash_of(X509_NAME *name, uint32_t *hash)
{
    const unsigned char *der;
    size_t len;

    assert_int_equal(X509_NAME_get0_der(name, &der, &len), 1);
    return tsk_index_name_hash(der, (long)len, hash);
}

static void equal_names_have_equal_hashes(void **state)
{
    int others = 0, differ = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        X509_NAME *a = make(&names[i]);
        uint32_t ha = 0, hb = 0;

        assert_int_equal(hash_of(a, &ha), names[i].plain);
        for (size_t k = 0; k < COUNT(names); k++) {
            X509_NAME *b = make(&names[k]);
            int same = names[i].same == names[k].same;

            assert_int_equal(X509_NAME_cmp(a, b) == 0, same);
            /* others may have equal ones, but should not */
            if (names[i].plain && hash_of(b, &hb)) {
                if (same && ha != hb)
                    fail_msg("names %zu and %zu", i, k);
                others += !same;
                differ += !same && ha != hb;
            }
            X509_NAME_free(b);
        }
        X509_NAME_free(a);
    }
    /* of another order, and with blanks elsewhere: both ways round */
    assert_true(differ >= others * 3 / 4);
}

static X509 *ca_of(X509_NAME *name, long serial)
{
    X509 *x = X509_new();

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
    X509_set_subject_name(x, name);
    X509_set_issuer_name(x, name);
    X509_gmtime_adj(X509_getm_notBefore(x), -9000);
    X509_gmtime_adj(X509_getm_notAfter(x), 9000);
    X509_set_pubkey(x, pki_key(KEY_ROOT));
    assert_true(X509_sign(x, pki_key(KEY_ROOT), EVP_sha256()) > 0);
    return x;
}

/* Each name asked of an index of all: all of that name, and no others. */
static void an_index_finds_every_form_of_a_name(void **state)
{
    struct tsk_index *ix = tsk_index_new(NULL);
    X509 *all[COUNT(names)];
    char file[160];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        X509_NAME *name = make(&names[i]);

        all[i] = ca_of(name, (long)i + 1);
        X509_NAME_free(name);
    }
    snprintf(file, sizeof(file), "%s/names.pem", pki_dir());
    pki_write(file, all, COUNT(all));
    assert_int_equal(tsk_index_add(ix, file, 1, NULL), (int)COUNT(all));
    for (size_t i = 0; i < 2 * COUNT(names); i++) {
        const struct name *n = &names[i % COUNT(names)];
        STACK_OF(X509) *found = sk_X509_new_null();
        X509_NAME *name = make(n);
        int want = 0;

        assert_int_equal(tsk_index_find(ix, name, found), 0);
        for (size_t k = 0; k < COUNT(names); k++)
            want += names[k].same == n->same;
        if (sk_X509_num(found) != want)
            fail_msg("name %zu: %d of %d", i, sk_X509_num(found), want);
        for (int k = 0; k < want; k++)
            assert_int_equal(
                X509_NAME_cmp(X509_get_subject_name(sk_X509_value(found, k)),
                              name),
                0);
        X509_NAME_free(name);
        sk_X509_free(found);
    }
    tsk_index_unref(ix);
    for (size_t i = 0; i < COUNT(names); i++)
        X509_free(all[i]);
}

/* Each of OpenSSL's allocations fails: all of that name are found, or it is
 * said that they are not. */
static void none_is_passed_over_when_it_is_added(const char *file)
{
    int fired = 1;

    for (long n = 1; fired; n += n > 400 ? 23 : 1) {
        struct tsk_index *ix = tsk_index_new(NULL);
        tlsock_error err = {0};
        int rc;

        fault_arm(FAULT_OPENSSL, n, 0);
        rc = tsk_index_add(ix, file, 1, &err);
        fired = fault_disarm();
        if (rc != (int)COUNT(names) && rc != TLSOCK_E_NOMEM)
            fail_msg("%ld: %d of %zu: %s", n, rc, COUNT(names), err.message);
        if (!fired)
            assert_int_equal(rc, (int)COUNT(names));
        tsk_index_unref(ix);
    }
}

static void without_memory_nothing_is_passed_over(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_OWN, FAULT_OPENSSL};
    X509 *all[COUNT(names)];
    char file[160];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        X509_NAME *name = make(&names[i]);

        all[i] = ca_of(name, (long)i + 1);
        X509_NAME_free(name);
    }
    snprintf(file, sizeof(file), "%s/lacking.pem", pki_dir());
    pki_write(file, all, COUNT(all));
    none_is_passed_over_when_it_is_added(file);
    for (size_t k = 0; k < COUNT(kinds); k++) {
        for (size_t i = 0; i < COUNT(names); i += 7) { /* plain, and not */
            long n, fired = 1;

            for (n = 1; fired; n += n > 40 ? 23 : 1) {
                struct tsk_index *ix = tsk_index_new(NULL);
                STACK_OF(X509) *found = sk_X509_new_null();
                X509_NAME *name = make(&names[i]);
                int want = 0, rc;

                for (size_t j = 0; j < COUNT(names); j++)
                    want += names[j].same == names[i].same;
                assert_int_equal(tsk_index_add(ix, file, 1, NULL),
                                 (int)COUNT(all));
                /* a peer's name is encoded when it comes */
                assert_true(i2d_X509_NAME(name, NULL) > 0);
                fault_arm(kinds[k], n, 0);
                rc = tsk_index_find(ix, name, found);
                fired = fault_disarm();
                if (rc == 0 && sk_X509_num(found) != want)
                    fail_msg("name %zu, %s %ld: %d of %d", i,
                             fault_name(kinds[k]), n, sk_X509_num(found), want);
                if (!fired)
                    assert_int_equal(rc, 0);
                X509_NAME_free(name);
                sk_X509_free(found);
                tsk_index_unref(ix);
            }
        }
    }
    for (size_t i = 0; i < COUNT(names); i++)
        X509_free(all[i]);
}

/* Any byte of a name changed, and any length: no byte beyond it is read, and
 * what is the same to OpenSSL is the same to us. */
static void damaged_names_are_left_to_openssl(void **state)
{
    static unsigned char copy[256];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        X509_NAME *name = make(&names[i]);
        const unsigned char *der;
        size_t len;

        X509_NAME_get0_der(name, &der, &len);
        for (size_t cut = 0; cut < len; cut++) {
            unsigned char *exact = test_malloc(cut + 1); /* for ASan */
            uint32_t h;

            memcpy(exact + 1, der, cut);
            assert_int_equal(tsk_index_name_hash(exact + 1, (long)cut, &h), 0);
            test_free(exact);
        }
        for (size_t at = 0; at < len; at++)
            for (int bit = 0; bit < 8; bit++) {
                const unsigned char *p = copy;
                X509_NAME *other;
                uint32_t a, b;
                int plain;

                memcpy(copy, der, len);
                copy[at] ^= (unsigned char)(1 << bit);
                plain = tsk_index_name_hash(copy, (long)len, &b);
                other = d2i_X509_NAME(NULL, &p, (long)len);
                if (other != NULL && X509_NAME_cmp(name, other) == 0 && plain &&
                    hash_of(name, &a))
                    assert_int_equal(a, b);
                X509_NAME_free(other);
            }
        X509_NAME_free(name);
    }
}

static int teardown(void **state)
{
    (void)state;
    pki_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_names_have_equal_hashes),
        cmocka_unit_test(an_index_finds_every_form_of_a_name),
        cmocka_unit_test(without_memory_nothing_is_passed_over),
        cmocka_unit_test(damaged_names_are_left_to_openssl),
    };

    fault_init();
    return cmocka_run_group_tests(tests, NULL, teardown);
}
