#include "answered.h"

#include <openssl/rsa.h>

struct who who;

static X509 *issue(const char *cn, X509 *by, enum pki_key by_key,
                   enum pki_key key, const char *eku, int from, int to)
{
    return pki_make(&(struct pki_spec){.cn = cn,
                                       .san = "DNS:a.test",
                                       .bc = PKI_LEAF_BC,
                                       .ku = "critical,digitalSignature",
                                       .eku = eku,
                                       .key = key,
                                       .issuer = by,
                                       .issuer_key = by_key,
                                       .from_days = from,
                                       .to_days = to});
}

int answered_setup(void **state)
{
    (void)state;
    who.ca = pki_make(&(struct pki_spec){
        .cn = "CA", .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = KEY_ROOT});
    who.other_ca = pki_make(&(struct pki_spec){
        .cn = "Other", .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = KEY_OTHER});
    who.leaf = issue("a.test", who.ca, KEY_ROOT, KEY_LEAF, "serverAuth", 0, 0);
    who.other_leaf =
        issue("b.test", who.ca, KEY_ROOT, KEY_LEAF, "serverAuth", 0, 0);
    who.must_leaf =
        pki_make(&(struct pki_spec){.cn = "Must",
                                    .san = "DNS:a.test",
                                    .key = KEY_LEAF,
                                    .issuer = who.ca,
                                    .issuer_key = KEY_ROOT,
                                    .more = "tlsfeature=status_request"});
    who.responder =
        issue("Resp", who.ca, KEY_ROOT, KEY_INTER, "OCSPSigning", 0, 0);
    who.no_eku = issue("No EKU", who.ca, KEY_ROOT, KEY_INTER, NULL, 0, 0);
    who.no_signing = pki_make(&(struct pki_spec){.cn = "No Signing",
                                                 .bc = PKI_LEAF_BC,
                                                 .ku = "critical,keyAgreement",
                                                 .eku = "OCSPSigning",
                                                 .key = KEY_INTER,
                                                 .issuer = who.ca,
                                                 .issuer_key = KEY_ROOT});
    who.strangers = issue("Stranger", who.other_ca, KEY_OTHER, KEY_INTER,
                          "OCSPSigning", 0, 0);
    who.old_responder =
        issue("Old Resp", who.ca, KEY_ROOT, KEY_INTER, "OCSPSigning", -9, -3);
    who.self_made =
        issue("CA", NULL, KEY_INTER, KEY_INTER, "OCSPSigning", 0, 0);
    who.rsa_key = EVP_RSA_gen(2048);
    who.rsa_responder =
        issue("RSA", who.ca, KEY_ROOT, KEY_INTER, "OCSPSigning", 0, 0);
    X509_set_pubkey(who.rsa_responder, who.rsa_key);
    X509_sign(who.rsa_responder, pki_key(KEY_ROOT), EVP_sha256());
    return 0;
}

int answered_teardown(void **state)
{
    X509 *all[] = {who.ca,         who.other_ca,   who.leaf,
                   who.other_leaf, who.must_leaf,  who.responder,
                   who.no_eku,     who.strangers,  who.old_responder,
                   who.self_made,  who.no_signing, who.rsa_responder};

    (void)state;
    EVP_PKEY_free(who.rsa_key);
    for (size_t i = 0; i < COUNT(all); i++)
        X509_free(all[i]);
    pki_free();
    return 0;
}

static ASN1_TIME *in_hours(int h)
{
    return X509_gmtime_adj(NULL, (long)h * 3600);
}

static void add_answer(OCSP_BASICRESP *basic, const struct answer *a,
                       X509 *about, int status)
{
    const EVP_MD *md = a->sha256 ? EVP_sha256() : EVP_sha1();
    OCSP_CERTID *id = OCSP_cert_to_id(a->md != NULL ? a->md() : md, about,
                                      a->wrong_issuer ? who.other_ca : who.ca);
    int dated = a->from_h != 0 || a->to_h != 0;
    ASN1_GENERALIZEDTIME *begin = NULL;
    OCSP_SINGLERESP *single;
    ASN1_TIME *from = in_hours(dated ? a->from_h : -1),
              *revoked = in_hours(-48);
    ASN1_TIME *to = a->to_h == NO_NEXT ? NULL : in_hours(dated ? a->to_h : 24);

    single = OCSP_basic_add1_status(basic, id, status,
                                    OCSP_REVOKED_STATUS_KEYCOMPROMISE, revoked,
                                    from, to);
    assert_non_null(single);
    OCSP_single_get0_status(single, NULL, NULL, &begin, NULL);
    if (a->no_date)
        assert_int_equal(ASN1_STRING_set(begin, "20261399000000Z", -1), 1);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    ASN1_TIME_free(revoked);
    OCSP_CERTID_free(id);
}

/* Who signs such a thing is asked no further: its hash may be none. */
static void rename_algorithm(OCSP_BASICRESP *basic)
{
    X509_ALGOR *alg = (X509_ALGOR *)OCSP_resp_get0_tbs_sigalg(basic);

    assert_int_equal(
        X509_ALGOR_set0(alg, OBJ_txt2obj("1.2.3.4", 1), V_ASN1_UNDEF, NULL), 1);
}

static void add_nonce(OCSP_BASICRESP *basic, const struct answer *a)
{
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext;

    if (a->nonce != NULL && !a->nonce_bare)
        assert_int_equal(OCSP_basic_add1_nonce(basic, (unsigned char *)a->nonce,
                                               (int)strlen(a->nonce)),
                         1);
    if (a->nonce_bare) {
        ASN1_OCTET_STRING_set(value, (const unsigned char *)a->nonce,
                              (int)strlen(a->nonce));
        ext = X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_Nonce, 0,
                                           value);
        assert_int_equal(OCSP_BASICRESP_add_ext(basic, ext, -1), 1);
        X509_EXTENSION_free(ext);
    }
    ASN1_OCTET_STRING_free(value);
}

static void sign(OCSP_BASICRESP *basic, const struct answer *a, X509 *signer)
{
    const EVP_MD *md = a->pss != NULL   ? a->pss
                       : a->sha1_signed ? EVP_sha1()
                                        : EVP_sha256();
    EVP_PKEY *key = a->pss != NULL ? who.rsa_key : pki_key(a->signer_key);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;

    assert_int_equal(EVP_DigestSignInit(ctx, &pctx, md, NULL, key), 1);
    if (a->pss != NULL)
        assert_int_equal(
            EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(OCSP_basic_sign_ctx(basic, signer, ctx, NULL,
                                         (a->no_certs ? OCSP_NOCERTS : 0) |
                                             (a->by_key ? OCSP_RESPID_KEY : 0)),
                     1);
    EVP_MD_CTX_free(ctx);
}

unsigned char *answered(const struct answer *a, int *len)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    X509 *signer = a->signer != NULL ? *a->signer : who.ca;
    OCSP_RESPONSE *resp;
    unsigned char *der = NULL;

    if (a->two)
        add_answer(basic, a, who.other_leaf, V_OCSP_CERTSTATUS_REVOKED);
    add_answer(basic, a, a->about_other ? who.other_leaf : who.leaf, a->status);
    add_nonce(basic, a);
    sign(basic, a, signer);
    if (a->odd_algorithm)
        rename_algorithm(basic);
    if (a->flip) {
        const ASN1_OCTET_STRING *sig = OCSP_resp_get0_signature(basic);

        sig->data[sig->length - 1] ^= 1;
    }
    resp = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    *len = i2d_OCSP_RESPONSE(resp, &der);
    OCSP_RESPONSE_free(resp);
    OCSP_BASICRESP_free(basic);
    return der;
}

const struct tsk_ocsp_source staple = {.what = "the stapled OCSP response",
                                       .code = TLSOCK_E_STAPLE};
