/* tlsock_cert_order: any order in, the chain of a server out. */
#include "cert_help.h"

#include <openssl/x509v3.h>
#include <time.h>

static tlsock_cert *root, *one, *two, *leaf; /* leaf < two < one < root */

static tlsock_cert *bag(X509 *const *x, size_t n, EVP_PKEY *key)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    tlsock_cert *c;

    assert_non_null(chain);
    for (size_t i = 1; i < n; i++)
        assert_true(sk_X509_push(chain, x[i]) > 0);
    c = tsk_cert_new(x[0], chain, key, NULL);
    assert_non_null(c);
    sk_X509_free(chain);
    return c;
}

/* Orders them; names is what comes out, "leaf two one". */
static void ordered(const char *claim, X509 *const *x, size_t n, EVP_PKEY *key,
                    const char *names)
{
    tlsock_cert *in = bag(x, n, key), *out;
    tlsock_error err = {0};
    char text[256], name[64];
    size_t at;

    out = tlsock_cert_order(in, &err);
    if (out == NULL)
        fail_msg("%s: %s", claim, err.message);
    tsk_cert_short_name(out->leaf, text, sizeof(text));
    for (int i = 0; i < sk_X509_num(out->chain); i++) {
        at = strlen(text);
        tsk_cert_short_name(sk_X509_value(out->chain, i), name, sizeof(name));
        snprintf(text + at, sizeof(text) - at, " %s", name);
    }
    if (strcmp(text, names) != 0 || (out->key != NULL) != (key != NULL))
        fail_msg("%s: \"%s\", not \"%s\"", claim, text, names);
    tlsock_cert_unref(in);
    tlsock_cert_unref(out);
}

static void not_ordered(X509 *const *x, size_t n, int code, const char *fact)
{
    tlsock_cert *in = bag(x, n, NULL);
    tlsock_error err = {0};

    assert_null(tlsock_cert_order(in, &err));
    assert_code(err.code, code);
    assert_tells(err.message, fact);
    assert_true(err.hint[0] != '\0');
    tlsock_cert_unref(in);
}

static tlsock_cert *ca(const char *subject, const tlsock_cert *issuer)
{
    return help_make(TLSOCK_CERT_OPTS(.subject = subject, .ca = 1,
                                      .pathlen = -1, .issuer = issuer));
}

static tlsock_cert *server(const char *name, const tlsock_cert *issuer)
{
    const char *names[] = {name};

    return help_make(
        TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1, .issuer = issuer));
}

/* The same CA, vouched for by another one: name and key are those of ca. */
static X509 *cross(const tlsock_cert *of, const tlsock_cert *by, int64_t until)
{
    X509 *x = X509_dup(of->leaf);
    AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
    const ASN1_OCTET_STRING *by_id = X509_get0_subject_key_id(by->leaf);
    int at;

    assert_non_null(x);
    assert_non_null(id);
    at = X509_get_ext_by_NID(x, NID_authority_key_identifier, -1);
    if (at >= 0)
        X509_EXTENSION_free(X509_delete_ext(x, at));
    id->keyid = ASN1_OCTET_STRING_dup(by_id);
    assert_int_equal(X509_add1_ext_i2d(x, NID_authority_key_identifier, id, 0,
                                       X509V3_ADD_APPEND),
                     1);
    AUTHORITY_KEYID_free(id);
    assert_int_equal(X509_set_issuer_name(x, X509_get_subject_name(by->leaf)),
                     1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), 1600000000));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), until));
    assert_true(X509_sign(x, by->key, EVP_sha256()) > 0);
    return x;
}

static void every_order_of_a_chain_comes_out_the_same(void **state)
{
    X509 *all[4] = {leaf->leaf, two->leaf, one->leaf, root->leaf}, *x[4];
    int seen = 0;

    (void)state;
    for (int n = 0; n < 256; n++) {
        int at[4] = {n & 3, n >> 2 & 3, n >> 4 & 3, n >> 6 & 3}, used = 0;

        for (int i = 0; i < 4; i++) {
            used |= 1 << at[i];
            x[i] = all[at[i]];
        }
        if (used != 15)
            continue;
        seen++;
        ordered("permutation", x, 4, NULL, "leaf.test two one");
    }
    assert_int_equal(seen, 24);
}

static void strangers_duplicates_and_roots_are_left_out(void **state)
{
    tlsock_cert *alien = ca("CN=alien", NULL), *below = ca("CN=below", alien),
                *twin = ca("CN=two", one); /* a name, and another key */
    X509 *mixed[] = {alien->leaf, one->leaf, leaf->leaf, twin->leaf, leaf->leaf,
                     below->leaf, two->leaf, one->leaf,  root->leaf, two->leaf};
    X509 *gap[] = {one->leaf, leaf->leaf};
    X509 *alone[] = {leaf->leaf};
    X509 *self[] = {help_alone()->leaf, root->leaf};
    X509 *only_ca[] = {root->leaf, two->leaf, one->leaf};
    X509 *only_root[] = {root->leaf};

    (void)state;
    ordered("strangers", mixed, COUNT(mixed), NULL, "leaf.test two one");
    ordered("what is behind a gap", gap, 2, NULL, "leaf.test");
    ordered("alone", alone, 1, NULL, "leaf.test");
    ordered("self-signed", self, 2, NULL, "a.test");
    ordered("a CA's own chain", only_ca, 3, NULL, "two one");
    ordered("a root alone", only_root, 1, NULL, "root");
    tlsock_cert_unref(alien);
    tlsock_cert_unref(below);
    tlsock_cert_unref(twin);
}

static void the_key_tells_the_leaf(void **state)
{
    tlsock_cert *other = server("other.test", two);
    X509 *x[] = {other->leaf, one->leaf, leaf->leaf, two->leaf};
    X509 *y[] = {two->leaf, leaf->leaf, one->leaf};

    (void)state;
    ordered("of two leaves", x, 4, leaf->key, "leaf.test two one");
    ordered("of two leaves, the other", x, 4, other->key, "other.test two one");
    ordered("a CA with its key", y, 3, two->key, "two one");
    not_ordered(x, 4, TLSOCK_E_CERT_INVALID,
                "more than one leaf: \"other.test\"");
    tlsock_cert_unref(other);
}

static void of_cross_signed_ones_the_way_that_leads_furthest(void **state)
{
    int64_t late = time(NULL) + 90 * DAY;
    tlsock_cert *old = ca("CN=old root", NULL), *mid = ca("CN=mid", old);
    X509 *by_mid = cross(one, mid, late), *by_old = cross(root, old, late),
         *stale = cross(root, old, 1700000000);
    X509 *longer[] = {two->leaf, one->leaf, leaf->leaf, by_mid, mid->leaf};
    X509 *more[] = {leaf->leaf, two->leaf, one->leaf, root->leaf, by_old};
    X509 *expired[] = {leaf->leaf, two->leaf, one->leaf, stale, root->leaf};
    X509 *needed[] = {stale, leaf->leaf, two->leaf, one->leaf};
    X509 *no_leaf[] = {root->leaf, by_old};

    (void)state;
    ordered("longer", longer, 5, NULL, "leaf.test two one mid");
    ordered("as long, but more to send", more, 5, NULL,
            "leaf.test two one root");
    ordered("expired", expired, 5, NULL, "leaf.test two one");
    ordered("expired, but the only one", needed, 4, NULL,
            "leaf.test two one root");
    ordered("one CA in two forms", no_leaf, 2, NULL, "root");
    X509_free(by_mid);
    X509_free(by_old);
    X509_free(stale);
    tlsock_cert_unref(old);
    tlsock_cert_unref(mid);
}

static void a_ring_has_no_leaf(void **state)
{
    tlsock_cert *a = ca("CN=ring a", NULL), *b = ca("CN=ring b", NULL);
    int64_t late = time(NULL) + 90 * DAY;
    X509 *a_by_b = cross(a, b, late), *b_by_a = cross(b, a, late);
    X509 *ring[] = {a_by_b, b_by_a};
    X509 *with[] = {a_by_b, b_by_a, leaf->leaf};

    (void)state;
    not_ordered(ring, 2, TLSOCK_E_CERT_INVALID, "each of the 2 certificates");
    ordered("a ring of strangers", with, 3, NULL, "leaf.test");
    X509_free(a_by_b);
    X509_free(b_by_a);
    tlsock_cert_unref(a);
    tlsock_cert_unref(b);
}

/* A hundred forms of one chain: work is bounded, and one too many is refused.
 */
static void a_hundred_are_ordered_and_more_refused(void **state)
{
    int64_t late = time(NULL) + 90 * DAY;
    X509 *x[101];
    tlsock_error err = {0};

    (void)state;
    x[0] = leaf->leaf;
    x[1] = two->leaf;
    for (int i = 2; i < 101; i++)
        x[i] = cross(one, root, late + i);
    ordered("a hundred", x, 100, NULL, "leaf.test two one");
    not_ordered(x, 101, TLSOCK_E_LIMIT, "101 certificates");
    for (int i = 2; i < 101; i++)
        X509_free(x[i]);
    assert_null(tlsock_cert_order(NULL, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_of_a_chain_comes_out_the_same),
        cmocka_unit_test(strangers_duplicates_and_roots_are_left_out),
        cmocka_unit_test(the_key_tells_the_leaf),
        cmocka_unit_test(of_cross_signed_ones_the_way_that_leads_furthest),
        cmocka_unit_test(a_ring_has_no_leaf),
        cmocka_unit_test(a_hundred_are_ordered_and_more_refused),
    };
    int rc;

    root = ca("CN=root", NULL);
    one = ca("CN=one", root);
    two = ca("CN=two", one);
    leaf = server("leaf.test", two);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    tlsock_cert_unref(root);
    tlsock_cert_unref(one);
    tlsock_cert_unref(two);
    tlsock_cert_unref(leaf);
    help_end();
    return rc;
}
