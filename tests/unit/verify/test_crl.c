/* Lists: read from files and memory, and what they say of a chain. */
#include "pki.h"

#include "fault.h"
#include "revoke/crl.h"
#include "verify/policy.h"

#include <openssl/pem.h>
#include <time.h>
#include <unistd.h>

static X509 *root, *inter, *leaf;

static int setup(void **state)
{
    (void)state;
    root = pki_make(&(struct pki_spec){
        .cn = "Root CA", .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = KEY_ROOT});
    inter = pki_make(&(struct pki_spec){.cn = "Inter CA",
                                        .bc = PKI_CA_BC,
                                        .ku = PKI_CA_KU,
                                        .key = KEY_INTER,
                                        .issuer = root,
                                        .issuer_key = KEY_ROOT});
    leaf = pki_make(&(struct pki_spec){.cn = "Leaf",
                                       .san = "DNS:a.test",
                                       .bc = PKI_LEAF_BC,
                                       .ku = "critical,digitalSignature",
                                       .eku = "serverAuth",
                                       .key = KEY_LEAF,
                                       .issuer = inter,
                                       .issuer_key = KEY_INTER});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    X509_free(root);
    X509_free(inter);
    X509_free(leaf);
    pki_free();
    return 0;
}

struct list {
    X509 *by;
    enum pki_key key;
    X509 *revokes;
    int reason;             /* CRL_REASON_*, 0: none */
    int from_days, to_days; /* both 0: -1 and 7 */
};

static void add_ext(X509_CRL *crl, X509 *by, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx(&ctx, by, NULL, NULL, crl, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    X509_CRL_add_ext(crl, ext, -1);
    X509_EXTENSION_free(ext);
}

static X509_CRL *make(const struct list *l)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *t = ASN1_TIME_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    int dated = l->from_days != 0 || l->to_days != 0;

    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(l->by));
    X509_time_adj_ex(t, dated ? l->from_days : -1, 0, NULL);
    X509_CRL_set1_lastUpdate(crl, t);
    X509_time_adj_ex(t, dated ? l->to_days : 7, 0, NULL);
    X509_CRL_set1_nextUpdate(crl, t);
    if (l->revokes != NULL) {
        X509_REVOKED *r = X509_REVOKED_new();

        ASN1_TIME_set_string(t, "20260102030405Z");
        X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(l->revokes));
        X509_REVOKED_set_revocationDate(r, t);
        if (l->reason != 0) {
            ASN1_ENUMERATED *e = ASN1_ENUMERATED_new();

            ASN1_ENUMERATED_set(e, l->reason);
            X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, e, 0, 0);
            ASN1_ENUMERATED_free(e);
        }
        X509_CRL_add0_revoked(crl, r);
    }
    ASN1_TIME_free(t);
    add_ext(crl, l->by, NID_authority_key_identifier, "keyid");
    ASN1_INTEGER_set(number, 1);
    X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0);
    ASN1_INTEGER_free(number);
    X509_CRL_sort(crl);
    assert_true(X509_CRL_sign(crl, pki_key(l->key), EVP_sha256()) > 0);
    return crl;
}

static char *pem_of(X509_CRL *crl)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *p, *copy;
    long n;

    PEM_write_bio_X509_CRL(bio, crl);
    n = BIO_get_mem_data(bio, &p);
    copy = calloc(1, (size_t)n + 1);
    assert_non_null(copy);
    memcpy(copy, p, (size_t)n);
    BIO_free(bio);
    return copy;
}

/* As they are in one file; NULL: none of them. */
static struct tsk_crls *together(const struct list *lists, size_t n)
{
    char text[16384] = "";
    size_t used = 0;
    tlsock_error err = {0};
    struct tsk_crls *l;

    for (size_t i = 0; i < n && lists[i].by != NULL; i++) {
        X509_CRL *crl = make(&lists[i]);
        char *pem = pem_of(crl);

        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", pem);
        free(pem);
        X509_CRL_free(crl);
    }
    if (used == 0)
        return NULL;
    l = tsk_crls_parse(text, used, "lists", &err);
    assert_non_null(l);
    return l;
}

static int judge(const struct list *lists, size_t n, struct tsk_verdict *v,
                 tlsock_error *err)
{
    struct tsk_crls *given = together(lists, n);
    struct tsk_verify_req req = {.name = "a.test",
                                 .partial_chain = 1,
                                 .check_crls = 1,
                                 .lists = &given,
                                 .n_lists = given != NULL};
    STACK_OF(X509) *sent = pki_stack(&inter, 1);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int rc;

    X509_STORE_add_cert(store, root);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, sent), 1);
    rc = tsk_policy_verify(ctx, &req, v, err);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_free(sent);
    tsk_crls_unref(given);
    return rc;
}

static void lists_speak_of_the_whole_chain(void **state)
{
    const struct {
        struct list lists[3];
        int want;
        const char *told, *hint;
    } rows[] = {
        {{{inter, KEY_INTER, NULL, 0, 0, 0}, {root, KEY_ROOT, NULL, 0, 0, 0}},
         0,
         "",
         ""},
        {{{inter, KEY_INTER, root, 0, 0, 0}, {root, KEY_ROOT, NULL, 0, 0, 0}},
         0,
         "",
         ""},
        {{{inter, KEY_INTER, leaf, 1, 0, 0}, {root, KEY_ROOT, NULL, 0, 0, 0}},
         TLSOCK_E_REVOKED,
         "\"Leaf\" was revoked on 2026-01-02T03:04:05Z (keyCompromise), says "
         "the CRL of \"Inter CA\"",
         "new certificate"},
        {{{inter, KEY_INTER, NULL, 0, 0, 0}, {root, KEY_ROOT, inter, 0, 0, 0}},
         TLSOCK_E_REVOKED,
         "\"Inter CA\" was revoked",
         "new certificate"},
        {{{root, KEY_ROOT, NULL, 0, 0, 0}},
         TLSOCK_E_REVOCATION_UNKNOWN,
         "no CRL of \"Inter CA\"",
         "--crl"},
        {{{inter, KEY_INTER, NULL, 0, 0, 0}},
         TLSOCK_E_REVOCATION_UNKNOWN,
         "no CRL of \"Root CA\"",
         "every CA"},
        {{{0}}, TLSOCK_E_REVOCATION_UNKNOWN, "no CRL", "--crl"},
        {{{inter, KEY_INTER, NULL, 0, -9, -2}, {root, KEY_ROOT, NULL, 0, 0, 0}},
         TLSOCK_E_REVOCATION_UNKNOWN,
         "was due to be renewed on 20",
         "fetch the list anew"},
        {{{inter, KEY_INTER, NULL, 0, 2, 9}, {root, KEY_ROOT, NULL, 0, 0, 0}},
         TLSOCK_E_REVOCATION_UNKNOWN,
         "is valid from 20",
         "fetch"},
        {{{inter, KEY_OTHER, NULL, 0, 0, 0}, {root, KEY_ROOT, NULL, 0, 0, 0}},
         TLSOCK_E_REVOCATION_UNKNOWN,
         "cannot be used",
         "signs itself"},
        {{{leaf, KEY_LEAF, NULL, 0, 0, 0}, {root, KEY_ROOT, NULL, 0, 0, 0}},
         TLSOCK_E_REVOCATION_UNKNOWN,
         "no CRL of \"Inter CA\"",
         "--crl"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_error err = {0};
        struct tsk_verdict v;
        int rc = judge(rows[i].lists, 3, &v, &err);

        if (rc != rows[i].want || strstr(err.message, rows[i].told) == NULL ||
            strstr(err.hint, rows[i].hint) == NULL)
            fail_msg("%zu: %s \"%s\" \"%s\"", i, tlsock_errname(rc),
                     err.message, err.hint);
        assert_int_equal(rc == 0, v.crl_as_of != 0);
    }
}

static int count(const char *uri, tlsock_error *err)
{
    struct tsk_crls *l = tsk_crls_load(uri, err);
    int n = l != NULL ? (int)tsk_crls_count(l) : -1;

    tsk_crls_unref(l);
    return n;
}

static void lists_are_read(void **state)
{
    struct list of_inter = {inter, KEY_INTER, leaf, 0, 0, 0};
    X509_CRL *crl = make(&of_inter);
    char *pem = pem_of(crl), path[300], text[8192], *beside;
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(crl, &der);
    tlsock_error err = {0};

    (void)state;
    assert_int_equal(count(pem, &err), 1);
    snprintf(text, sizeof(text), "junk\r\n%s\n%s", pem, pem);
    assert_int_equal(count(text, &err), 2);
    beside = pki_pem(inter); /* and what else is in the file does not matter */
    snprintf(text, sizeof(text), "%s%s", beside, pem);
    assert_int_equal(count(text, &err), 1);
    assert_int_equal(count(beside, &err), -1);
    free(beside);
    snprintf(path, sizeof(path), "%s/list.crl", pki_dir());
    pki_write_text(path, (const char *)der, (size_t)len);
    assert_int_equal(count(path, &err), 1);

    pki_write_text(path, (const char *)der, (size_t)len - 3);
    assert_int_equal(count(path, &err), -1);
    assert_int_equal(err.code, TLSOCK_E_OWN_FILE);
    assert_tells(err.message, "list.crl");
    snprintf(text, sizeof(text), "%.60sAAAA%s", pem, pem + 60);
    assert_int_equal(count(text, &err), -1);
    assert_int_equal(err.code, TLSOCK_E_OWN_FILE);
    assert_tells(err.message, "CRL 1 in \"inline PEM\" is damaged");
    snprintf(text, sizeof(text), "%.*s", (int)strlen(pem) - 10, pem);
    assert_int_equal(count(text, &err), -1);
    assert_tells(err.message, "damaged");
    pki_write_text(path, "hello", 5);
    assert_int_equal(count(path, &err), -1);
    assert_tells(err.message, "holds no CRL");
    assert_tells(err.hint, "X509 CRL");
    pki_write_text(path, "", 0);
    assert_int_equal(count(path, &err), -1);
    assert_int_equal(count("/nonexistent/list.crl", &err), -1);
    assert_int_equal(err.code, TLSOCK_E_OWN_FILE);
    unlink(path);
    OPENSSL_free(der);
    free(pem);
    X509_CRL_free(crl);
}

static void reading_survives_any_failed_allocation(void **state)
{
    struct list of_inter = {inter, KEY_INTER, leaf, 0, 0, 0};
    X509_CRL *crl = make(&of_inter);
    char *pem = pem_of(crl);
    tlsock_error err = {0};
    int n = -1;

    (void)state;
    for (long i = 1; n < 0 && i < 1000; i++) {
        struct tsk_crls *l;

        fault_arm(FAULT_OWN, i, 1);
        l = tsk_crls_load(pem, &err);
        if (!fault_disarm())
            n = 1;
        assert_true(l != NULL || err.code == TLSOCK_E_NOMEM);
        tsk_crls_unref(l);
    }
    assert_int_equal(n, 1);
    n = -2;
    for (long i = 1; n < 0 && i < 20000; i++) {
        struct tsk_crls *l;

        fault_arm(n == -2 ? FAULT_OPENSSL : FAULT_REFUSED, i, 1);
        l = tsk_crls_load(pem, &err);
        if (!fault_disarm()) {
            n = n == -2 ? -1 : 1;
            i = 0;
        }
        assert_true(l != NULL || err.code == TLSOCK_E_NOMEM ||
                    err.code == TLSOCK_E_OWN_FILE);
        tsk_crls_unref(l);
    }
    assert_int_equal(n, 1);
    free(pem);
    X509_CRL_free(crl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_speak_of_the_whole_chain),
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(reading_survives_any_failed_allocation),
    };

    fault_init();
    return cmocka_run_group_tests(tests, setup, teardown);
}
