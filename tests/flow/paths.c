/* The handshake decides as tlsock_verify() does: other paths, lists. */
#include "ca.h"
#include "cert/cert.h"
#include "raw.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <tlsock/config.h>
#include <unistd.h>

/* The intermediate once more, of the same name and key, but by a stranger. It
 * lives longer, so that OpenSSL takes it first. */
static X509 *twin(void)
{
    const struct test_ca *ca = ca_get();
    X509 *x = X509_dup(ca->inter->leaf);
    int at = X509_get_ext_by_NID(x, NID_authority_key_identifier, -1);

    X509_EXTENSION_free(X509_delete_ext(x, at));
    X509_set_issuer_name(x, X509_get_subject_name(ca->stranger_root->leaf));
    X509_time_adj_ex(X509_getm_notAfter(x), 5000, 0, NULL);
    {
        X509V3_CTX ctx;
        X509_EXTENSION *ext;

        X509V3_set_ctx(&ctx, ca->stranger_root->leaf, x, NULL, NULL, 0);
        ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier,
                                  "keyid");
        assert_non_null(ext);
        X509_add_ext(x, ext, -1);
        X509_EXTENSION_free(ext);
    }
    assert_true(X509_sign(x, ca->stranger_root->key, EVP_sha256()) > 0);
    return x;
}

static tlsock_cert *with_chain(X509 *first, X509 *second)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    tlsock_cert *c;

    sk_X509_push(chain, first);
    if (second != NULL)
        sk_X509_push(chain, second);
    c = tsk_cert_new(ca_get()->a->leaf, chain, ca_get()->a->key, NULL);
    assert_non_null(c);
    sk_X509_free(chain);
    return c;
}

static void shake(tlsock_config *cc, const tlsock_cert *cert, struct peer *p)
{
    struct raw_opts raw = {.cert = cert};
    SSL *ssl = raw_new(SERVER, &raw);

    peer_init(p);
    raw_on_end(ssl, &p->ends[SERVER]);
    assert_int_equal(peer_open(p, cc, NULL, "a.test"), 0);
    raw_shake(p, CLIENT, ssl, NULL);
    raw_free(ssl);
}

static void a_handshake_finds_another_path(void **state)
{
    X509 *other = twin(), *right = ca_get()->inter->leaf;
    const struct {
        X509 *first, *second;
        int code;
    } rows[] = {
        {right, NULL, 0},
        {right, other, 0},
        {other, right, 0},
        {other, NULL, TLSOCK_E_CHAIN_INCOMPLETE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client(NULL);
        tlsock_cert *cert = with_chain(rows[i].first, rows[i].second), *peer;
        struct peer p;

        shake(cc, cert, &p);
        assert_code(p.rc[CLIENT], rows[i].code);
        assert_int_equal(
            tlsock_verify(cert, cc, TLSOCK_VERIFY_OPTS(.name = "a.test"), NULL),
            rows[i].code);
        if (rows[i].code == 0) {
            assert_string_equal(
                tlsock_info(p.conn[CLIENT], TLSOCK_INFO_VERIFIED), "chain");
            peer = tlsock_peer_cert(p.conn[CLIENT]);
            assert_non_null(peer);
            tlsock_cert_unref(peer);
        }
        peer_free(&p);
        tlsock_cert_unref(cert);
        tlsock_config_unref(cc);
    }
    X509_free(other);
}

static char *list_of(const tlsock_cert *by, const tlsock_cert *revoked)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *t = ASN1_TIME_set(NULL, time(NULL) - 3600);
    BIO *bio = BIO_new(BIO_s_mem());
    char *p, *pem;
    long n;

    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(by->leaf));
    X509_CRL_set1_lastUpdate(crl, t);
    if (revoked != NULL) {
        X509_REVOKED *r = X509_REVOKED_new();

        X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(revoked->leaf));
        X509_REVOKED_set_revocationDate(r, t);
        X509_CRL_add0_revoked(crl, r);
    }
    ASN1_TIME_set(t, time(NULL) + 86400);
    X509_CRL_set1_nextUpdate(crl, t);
    {
        X509V3_CTX ctx;
        X509_EXTENSION *ext;

        X509V3_set_ctx(&ctx, by->leaf, NULL, NULL, crl, 0);
        ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier,
                                  "keyid");
        assert_non_null(ext);
        X509_CRL_add_ext(crl, ext, -1);
        X509_EXTENSION_free(ext);
    }
    assert_true(X509_CRL_sign(crl, by->key, EVP_sha256()) > 0);
    PEM_write_bio_X509_CRL(bio, crl);
    n = BIO_get_mem_data(bio, &p);
    pem = calloc(1, (size_t)n + 1);
    assert_non_null(pem);
    memcpy(pem, p, (size_t)n);
    BIO_free(bio);
    ASN1_TIME_free(t);
    X509_CRL_free(crl);
    return pem;
}

static void lists_are_asked_in_the_handshake(void **state)
{
    const struct test_ca *ca = ca_get();
    char *root = list_of(ca->root, NULL), *none = list_of(ca->inter, NULL),
         *this = list_of(ca->inter, ca->a), *other = list_of(ca->inter, ca->b);
    const struct {
        const char *option, *lists[2];
        int code;
    } rows[] = {
        {"crl", {root, none}, 0},
        {"crl", {root, other}, 0},
        {"crl", {root, this}, TLSOCK_E_REVOKED},
        {"crl", {root, NULL}, TLSOCK_E_REVOCATION_UNKNOWN},
        {"crl", {NULL, NULL}, TLSOCK_E_REVOCATION_UNKNOWN},
        {"staple", {root, this}, 0}, /* only provided, not asked */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("revocation", rows[i].option, NULL);
        struct peer p;

        for (int k = 0; k < 2 && rows[i].lists[k] != NULL; k++)
            assert_int_equal(tlsock_config_add_crl(cc, rows[i].lists[k]), 0);
        shake(cc, ca->a, &p);
        assert_code(p.rc[CLIENT], rows[i].code);
        assert_int_equal(tlsock_verify(ca->a, cc,
                                       TLSOCK_VERIFY_OPTS(.name = "a.test"),
                                       NULL),
                         rows[i].code);
        if (rows[i].code == 0 && strcmp(rows[i].option, "crl") == 0)
            assert_memory_equal(
                tlsock_info(p.conn[CLIENT], TLSOCK_INFO_REVOCATION),
                "good by CRL, as of 20", 21);
        if (rows[i].code != 0)
            assert_true(p.err[CLIENT].hint[0] != '\0');
        peer_free(&p);
        tlsock_config_unref(cc);
    }
    free(root);
    free(none);
    free(this);
    free(other);
}

/* Copies and reloads keep the lists; a bad one is refused when it is named. */
static void lists_belong_to_the_config(void **state)
{
    const struct test_ca *ca = ca_get();
    char *root = list_of(ca->root, NULL), *good = list_of(ca->inter, NULL),
         *bad = list_of(ca->inter, ca->a), path[128];
    tlsock_config *cc = ca_client("revocation", "crl", NULL), *copy;
    FILE *f;

    (void)state;
    snprintf(path, sizeof(path), "%s/inter.crl", ca->dir);
    f = fopen(path, "w");
    fputs(good, f);
    fclose(f);
    assert_int_equal(tlsock_config_add_crl(cc, root), 0);
    assert_int_equal(tlsock_config_add_crl(cc, path), 0);
    assert_int_equal(tlsock_config_add_crl(cc, NULL), TLSOCK_E_ARGUMENT);
    assert_int_equal(tlsock_config_add_crl(cc, ""), TLSOCK_E_ARGUMENT);
    assert_int_equal(tlsock_config_add_crl(cc, "/nonexistent"),
                     TLSOCK_E_OWN_FILE);
    assert_int_equal(tlsock_config_add_crl(NULL, path), TLSOCK_E_ARGUMENT);
    copy = tlsock_config_copy(cc);
    assert_non_null(copy);
    assert_int_equal(tlsock_verify(ca->a, copy, NULL, NULL), 0);
    assert_int_equal(tlsock_config_add_crl(copy, path), TLSOCK_E_FROZEN);
    assert_int_equal(tlsock_verify(ca->a, cc, NULL, NULL), 0);

    f = fopen(path, "w");
    fputs(bad, f);
    fclose(f);
    assert_int_equal(tlsock_verify(ca->a, cc, NULL, NULL), 0);
    assert_int_equal(tlsock_config_reload(cc), 0);
    assert_int_equal(tlsock_verify(ca->a, cc, NULL, NULL), TLSOCK_E_REVOKED);
    f = fopen(path, "w");
    fputs("rot", f);
    fclose(f);
    assert_int_equal(tlsock_config_reload(cc), TLSOCK_E_OWN_FILE);
    assert_int_equal(tlsock_verify(ca->a, cc, NULL, NULL), TLSOCK_E_REVOKED);
    unlink(path);
    tlsock_config_unref(copy);
    tlsock_config_unref(cc);
    free(root);
    free(good);
    free(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_finds_another_path),
        cmocka_unit_test(lists_are_asked_in_the_handshake),
        cmocka_unit_test(lists_belong_to_the_config),
    };

    return cmocka_run_group_tests(tests, ca_setup, ca_teardown);
}
