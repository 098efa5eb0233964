/* Certificates with thousands of names, wildcards and constraints: yes or no,
 * after a limited amount of work. */
#include "pki.h"

#include "verify/policy.h"

static X509 *root;

static int setup(void **state)
{
    (void)state;
    root = pki_make(&(struct pki_spec){
        .cn = "Root CA", .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = KEY_ROOT});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    X509_free(root);
    pki_free();
    return 0;
}

/* "HEADkind:PREFIX0.test,kind:PREFIX1.test,...": yours */
static char *list(const char *head, const char *prefix, int n)
{
    size_t size = strlen(head) + (size_t)n * (strlen(prefix) + 20) + 1, used;
    char *text = malloc(size);

    assert_non_null(text);
    used = (size_t)snprintf(text, size, "%s", head);
    for (int i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s%d.test",
                                 i > 0 ? "," : "", prefix, i);
    return text;
}

static int judge(const char *constraint, int constraints, const char *san,
                 int sans, tlsock_error *err)
{
    struct tsk_verify_req req = {.name = "n0.test", .partial_chain = 1};
    char *nc = list("nameConstraints=critical,", constraint, constraints);
    char *names = list("DNS:n0.test,", san, sans);
    X509 *ca = pki_make(&(struct pki_spec){.cn = "Limited CA",
                                           .bc = PKI_CA_BC,
                                           .ku = PKI_CA_KU,
                                           .more = nc,
                                           .key = KEY_INTER,
                                           .issuer = root,
                                           .issuer_key = KEY_ROOT});
    X509 *leaf = pki_make(&(struct pki_spec){.cn = "Leaf",
                                             .san = names,
                                             .bc = PKI_LEAF_BC,
                                             .eku = "serverAuth",
                                             .key = KEY_LEAF,
                                             .issuer = ca,
                                             .issuer_key = KEY_INTER});
    STACK_OF(X509) *sent = pki_stack(&ca, 1);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    struct tsk_verdict verdict;
    int rc;

    X509_STORE_add_cert(store, root);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, sent), 1);
    rc = tsk_policy_verify(ctx, &req, &verdict, err);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_free(sent);
    X509_free(leaf);
    X509_free(ca);
    free(names);
    free(nc);
    return rc;
}

static void thousands_of_names_are_judged_or_refused(void **state)
{
    static const struct {
        const char *constraint;
        int constraints;
        const char *san;
        int sans, code;
    } rows[] = {
        {"permitted;DNS:n", 1000, "DNS:n", 1000, 0},
        {"permitted;DNS:m", 1000, "DNS:n", 1000, TLSOCK_E_CERT_INVALID},
        {"excluded;DNS:m", 1000, "DNS:n", 1000, 0},
        {"excluded;DNS:n", 1000, "DNS:n", 1000, TLSOCK_E_CERT_INVALID},
        {"excluded;DNS:x.n", 1000, "DNS:*.m", 1000, 0},
        {"excluded;DNS:x.n", 1000, "DNS:*.n", 1000, TLSOCK_E_CERT_INVALID},
        /* beyond a million comparisons nobody looks any further */
        {"permitted;DNS:n", 1000, "DNS:n", 3000, TLSOCK_E_CERT_INVALID},
        {"permitted;DNS:n", 3000, "DNS:n", 3000, TLSOCK_E_CERT_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_error err = {0};
        int rc = judge(rows[i].constraint, rows[i].constraints, rows[i].san,
                       rows[i].sans, &err);

        if (rc != rows[i].code || (rc != 0 && err.hint[0] == '\0'))
            fail_msg("%d %s, %d %s: %s \"%s\"", rows[i].constraints,
                     rows[i].constraint, rows[i].sans, rows[i].san,
                     tlsock_errname(rc), err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_of_names_are_judged_or_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
