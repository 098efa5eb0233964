#include "made.h"

#include "core/clock.h"
#include "fault.h"
#include "revoke/ocsp.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

#define WHEN 1700000000
#define ROOM 131072

/* What the CA knows: 0a is good, 0b revoked, 0c cannot be told, 0d nonsense;
 * all else is unknown. */
static int status_of(const char *serial, tlsock_status *out, void *arg)
{
    (*(int *)arg)++;
    assert_int_equal(out->size, sizeof(*out));
    assert_int_equal(out->status, TLSOCK_STATUS_UNKNOWN);
    if (strcmp(serial, "0a") == 0)
        out->status = TLSOCK_STATUS_GOOD;
    else if (strcmp(serial, "0b") == 0)
        *out = (tlsock_status){.size = sizeof(*out),
                               .status = TLSOCK_STATUS_REVOKED,
                               .when = WHEN,
                               .reason = 1};
    else if (strcmp(serial, "0e") == 0)
        *out = (tlsock_status){.size = sizeof(*out),
                               .status = TLSOCK_STATUS_REVOKED,
                               .when = WHEN};
    else if (strcmp(serial, "0d") == 0)
        out->status = TLSOCK_STATUS_REVOKED; /* since when? */
    else if (strcmp(serial, "0c") == 0)
        return TLSOCK_E_OWN_FILE;
    return 0;
}

static int asked;

struct request {
    const char *serials; /* "0a 0b", of the issuer */
    const char *foreign; /* the same, of the other CA */
    const EVP_MD *(*md)(void);
    int nonce;     /* octets; 0: none; -1: an empty one */
    int repeat;    /* as many of the first serial more */
    int critical;  /* 1: in the request, 2: in the certificate's */
    int no_octets; /* the nonce is not DER */
    int nonces;    /* so many more of them */
    int signed_by_leaf;
};

static X509_EXTENSION *critical_one(void)
{
    static const unsigned char null[] = {5, 0};
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext;

    ASN1_OCTET_STRING_set(value, null, sizeof(null));
    ext = X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_archiveCutoff, 1,
                                       value);
    ASN1_OCTET_STRING_free(value);
    return ext;
}

static void add_ids(OCSP_REQUEST *req, const struct request *r,
                    const char *serials, X509 *ca)
{
    char one[64];

    while (serials != NULL && *serials != '\0') {
        int n = (int)strcspn(serials, " ");
        ASN1_INTEGER *serial = NULL;
        BIGNUM *bn = NULL;

        snprintf(one, sizeof(one), "%.*s", n, serials);
        assert_true(BN_hex2bn(&bn, one) > 0);
        serial = BN_to_ASN1_INTEGER(bn, NULL);
        BN_free(bn);
        for (int i = 0; i <= r->repeat; i++) {
            OCSP_ONEREQ *o = OCSP_request_add0_id(
                req, OCSP_cert_id_new(r->md != NULL ? r->md() : EVP_sha1(),
                                      X509_get_subject_name(ca),
                                      X509_get0_pubkey_bitstr(ca), serial));

            assert_non_null(o);
            if (r->critical == 2) {
                X509_EXTENSION *ext = critical_one();

                assert_int_equal(OCSP_ONEREQ_add_ext(o, ext, -1), 1);
                X509_EXTENSION_free(ext);
            }
        }
        ASN1_INTEGER_free(serial);
        serials += n + (serials[n] == ' ');
    }
}

static void add_nonce(OCSP_REQUEST *req, const struct request *r)
{
    ASN1_OCTET_STRING *inner = ASN1_OCTET_STRING_new(),
                      *outer = ASN1_OCTET_STRING_new();
    unsigned char bytes[200], *der = NULL;
    X509_EXTENSION *ext;
    int len;

    memset(bytes, 0x5a, sizeof(bytes));
    ASN1_OCTET_STRING_set(inner, bytes, r->nonce > 0 ? r->nonce : 0);
    len = i2d_ASN1_OCTET_STRING(inner, &der);
    if (r->no_octets)
        der[0] = 0x0c;
    ASN1_OCTET_STRING_set(outer, der, len);
    ext = X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_Nonce, 0, outer);
    assert_int_equal(OCSP_REQUEST_add_ext(req, ext, -1), 1);
    X509_EXTENSION_free(ext);
    OPENSSL_free(der);
    ASN1_OCTET_STRING_free(inner);
    ASN1_OCTET_STRING_free(outer);
}

static unsigned char *ask(const struct request *r, size_t *len)
{
    OCSP_REQUEST *req = OCSP_REQUEST_new();
    unsigned char *der = NULL;
    int n;

    add_ids(req, r, r->serials, made.ca->leaf);
    add_ids(req, r, r->foreign, made.other->leaf);
    for (int i = 0; i <= r->nonces && r->nonce != 0; i++)
        add_nonce(req, r);
    if (r->critical == 1) {
        X509_EXTENSION *ext = critical_one();

        assert_int_equal(OCSP_REQUEST_add_ext(req, ext, -1), 1);
        X509_EXTENSION_free(ext);
    }
    if (r->signed_by_leaf)
        assert_int_equal(OCSP_request_sign(req, made.leaf->leaf,
                                           pki_key(KEY_INTER), EVP_sha256(),
                                           NULL, 0),
                         1);
    n = i2d_OCSP_REQUEST(req, &der);
    assert_true(n > 0);
    OCSP_REQUEST_free(req);
    *len = (size_t)n;
    return der;
}

static tlsock_ocsp_opts usual(void)
{
    return *TLSOCK_OCSP_OPTS(.issuer = made.ca, .status = status_of,
                             .arg = &asked);
}

/* The response, which there always is; rc and what it must be. */
static OCSP_RESPONSE *answer(const tlsock_ocsp_opts *o, const void *req,
                             size_t len, int want, tlsock_error *err)
{
    static unsigned char out[ROOM];
    const unsigned char *p = out;
    size_t n = sizeof(out);
    OCSP_RESPONSE *resp;
    int rc = tlsock_ocsp_answer(o, req, len, out, &n, err);

    if (rc != want)
        fail_msg("%s \"%s\" instead of %s", tlsock_errname(rc), err->message,
                 tlsock_errname(want));
    assert_int_equal(err->code, rc < 0 ? rc : 0);
    resp = d2i_OCSP_RESPONSE(NULL, &p, (long)n);
    assert_non_null(resp);
    assert_ptr_equal(p, out + n);
    assert_int_equal(OCSP_response_status(resp),
                     rc < 0 ? OCSP_RESPONSE_STATUS_INTERNALERROR : rc);
    assert_int_equal(ERR_peek_error(), 0);
    return resp;
}

static OCSP_RESPONSE *answer_to(const tlsock_ocsp_opts *o,
                                const struct request *r, int want)
{
    tlsock_error err = {0};
    size_t len;
    unsigned char *der = ask(r, &len);
    OCSP_RESPONSE *resp = answer(o, der, len, want, &err);

    OPENSSL_free(der);
    return resp;
}

/* Is it signed by the issuer, or by its responder? A client asks about one CA
 * at a time: the answer about another's is not for it to verify. */
static void assert_signed(OCSP_BASICRESP *basic, int mixed)
{
    STACK_OF(X509) *extra = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();

    sk_X509_push(extra, made.ca->leaf);
    X509_STORE_add_cert(store, made.ca->leaf);
    assert_int_equal(
        OCSP_basic_verify(basic, extra, store, mixed ? OCSP_NOCHECKS : 0), 1);
    sk_X509_free(extra);
    X509_STORE_free(store);
}

static const struct {
    const char *claim;
    struct request r;
    const char *states; /* one letter each: g, r, R (no reason), u */
} told[] = {
    {"good", {.serials = "0a"}, "g"},
    {"revoked", {.serials = "0b"}, "r"},
    {"revoked for no reason", {.serials = "0e"}, "R"},
    {"unknown", {.serials = "0f"}, "u"},
    {"SHA-256 in the id", {.serials = "0a", .md = EVP_sha256}, "g"},
    {"SHA-512 in the id", {.serials = "0b", .md = EVP_sha512}, "r"},
    {"several in one", {.serials = "0a 0b 0f 0a"}, "grug"},
    {"one of another issuer too", {.serials = "0b", .foreign = "0a"}, "ru"},
    {"a serial of no CA",
     {.serials = "0a 0102030405060708090a0b0c0d0e0f101112131415"},
     "gu"},
    {"a negative serial", {.serials = "0a -0a"}, "gu"},
    {"a nonce of 1 octet", {.serials = "0a", .nonce = 1}, "g"},
    {"a nonce of 128 octets", {.serials = "0a", .nonce = 128}, "g"},
    {"a signed request", {.serials = "0a", .signed_by_leaf = 1}, "g"},
};

static void check_single(OCSP_SINGLERESP *s, char state, const char *claim)
{
    ASN1_GENERALIZEDTIME *when = NULL, *from = NULL, *until = NULL;
    int reason = -2;
    int status = OCSP_single_get0_status(s, &reason, &when, &from, &until);

    if (status != (state == 'g'   ? V_OCSP_CERTSTATUS_GOOD
                   : state == 'u' ? V_OCSP_CERTSTATUS_UNKNOWN
                                  : V_OCSP_CERTSTATUS_REVOKED))
        fail_msg("%s: status %d", claim, status);
    if (state == 'r' || state == 'R') {
        assert_int_equal(tsk_cert_time(when), WHEN);
        assert_int_equal(reason, state == 'r' ? 1 : -1);
    }
    assert_int_equal(tsk_cert_time(until) - tsk_cert_time(from), 86400);
}

static void requests_are_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(told); i++) {
        tlsock_ocsp_opts o = usual();
        OCSP_RESPONSE *resp = answer_to(&o, &told[i].r, 0);
        OCSP_BASICRESP *basic = OCSP_response_get1_basic(resp);
        int at;

        print_message("# %s\n", told[i].claim);
        assert_signed(basic, told[i].r.foreign != NULL);
        if (OCSP_resp_count(basic) != (int)strlen(told[i].states))
            fail_msg("%s: %d states", told[i].claim, OCSP_resp_count(basic));
        for (int k = 0; k < OCSP_resp_count(basic); k++)
            check_single(OCSP_resp_get0(basic, k), told[i].states[k],
                         told[i].claim);
        at = OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce, -1);
        assert_int_equal(at >= 0, told[i].r.nonce > 0);
        if (at >= 0)
            assert_int_equal(ASN1_STRING_length(X509_EXTENSION_get_data(
                                 OCSP_BASICRESP_get_ext(basic, at))) >=
                                 told[i].r.nonce,
                             1);
        assert_int_equal(sk_X509_num(OCSP_resp_get0_certs(basic)), -1);
        OCSP_BASICRESP_free(basic);
        OCSP_RESPONSE_free(resp);
    }
}

static void a_delegate_signs_and_comes_along(void **state)
{
    tlsock_ocsp_opts o = usual();
    struct request r = {.serials = "0a"};
    OCSP_RESPONSE *resp;
    OCSP_BASICRESP *basic;

    (void)state;
    o.signer = made.responder;
    o.digest = "sha384";
    resp = answer_to(&o, &r, 0);
    basic = OCSP_response_get1_basic(resp);
    assert_signed(basic, 0);
    assert_int_equal(sk_X509_num(OCSP_resp_get0_certs(basic)), 1);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(resp);
}

static void every_kind_of_key_signs(void **state)
{
    const tlsock_cert *cas[] = {made.bare, made.ed, made.rsa};

    (void)state;
    for (size_t i = 0; i < COUNT(cas); i++) {
        tlsock_ocsp_opts o = usual();
        OCSP_REQUEST *req = OCSP_REQUEST_new();
        unsigned char *der = NULL;
        tlsock_error err = {0};
        OCSP_BASICRESP *basic;
        OCSP_RESPONSE *resp;
        X509 *signer = NULL;
        int len;

        o.issuer = cas[i];
        OCSP_request_add0_id(
            req, OCSP_cert_to_id(EVP_sha1(), cas[i]->leaf, cas[i]->leaf));
        len = i2d_OCSP_REQUEST(req, &der);
        resp = answer(&o, der, (size_t)len, 0, &err);
        basic = OCSP_response_get1_basic(resp);
        {
            STACK_OF(X509) *extra = sk_X509_new_null();

            sk_X509_push(extra, cas[i]->leaf);
            assert_int_equal(OCSP_resp_get0_signer(basic, &signer, extra), 1);
            assert_int_equal(
                OCSP_basic_verify(basic, extra, NULL, OCSP_NOVERIFY), 1);
            sk_X509_free(extra);
        }
        OCSP_BASICRESP_free(basic);
        OCSP_RESPONSE_free(resp);
        OCSP_REQUEST_free(req);
        OPENSSL_free(der);
    }
}

/* Our own judge of responses takes it, for good and for revoked. */
static int good_status(const char *serial, tlsock_status *out, void *arg)
{
    (void)serial;
    *out = *(tlsock_status *)arg;
    return 0;
}

static void our_own_judge_agrees(void **state)
{
    tlsock_status st = {.size = sizeof(st), .status = TLSOCK_STATUS_GOOD};
    tlsock_ocsp_opts o =
        *TLSOCK_OCSP_OPTS(.issuer = made.ca, .status = good_status, .arg = &st);
    OCSP_REQUEST *req = OCSP_REQUEST_new();
    unsigned char *der = NULL, out[4096];
    const struct tsk_ocsp_source from = {.what = "the OCSP response",
                                         .code = TLSOCK_E_STAPLE};
    struct tsk_status got;
    tlsock_error err = {0};
    int len;
    size_t n;

    (void)state;
    OCSP_request_add0_id(
        req, OCSP_cert_to_id(EVP_sha256(), made.leaf->leaf, made.ca->leaf));
    len = i2d_OCSP_REQUEST(req, &der);
    for (int i = 0; i < 3; i++) {
        static const int want[] = {0, TLSOCK_E_REVOKED, TLSOCK_E_STAPLE};

        st.status = i;
        st.when = WHEN;
        n = sizeof(out);
        assert_code(tlsock_ocsp_answer(&o, der, (size_t)len, out, &n, &err), 0);
        assert_code(tsk_ocsp_judge(out, n, made.leaf->leaf, made.ca->leaf,
                                   tsk_wall_time(), &from, &got, &err),
                    want[i]);
    }
    OCSP_REQUEST_free(req);
    OPENSSL_free(der);
}

static const struct {
    const char *claim;
    struct request r;
    int want;
} refused[] = {
    {"of another issuer alone",
     {.foreign = "0a"},
     OCSP_RESPONSE_STATUS_UNAUTHORIZED},
    {"a hash that nobody should use",
     {.serials = "0a", .md = EVP_md5},
     OCSP_RESPONSE_STATUS_UNAUTHORIZED},
    {"about nothing", {0}, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST},
    {"100 certificates", {.serials = "0a", .repeat = 99}, 0},
    {"101 certificates",
     {.serials = "0a", .repeat = 100},
     OCSP_RESPONSE_STATUS_MALFORMEDREQUEST},
    {"an empty nonce",
     {.serials = "0a", .nonce = -1},
     OCSP_RESPONSE_STATUS_MALFORMEDREQUEST},
    {"a nonce of 129 octets",
     {.serials = "0a", .nonce = 129},
     OCSP_RESPONSE_STATUS_MALFORMEDREQUEST},
    {"a nonce that is no octet string",
     {.serials = "0a", .nonce = 8, .no_octets = 1},
     OCSP_RESPONSE_STATUS_MALFORMEDREQUEST},
    {"two nonces",
     {.serials = "0a", .nonce = 16, .nonces = 1},
     OCSP_RESPONSE_STATUS_MALFORMEDREQUEST},
    {"an unknown critical extension",
     {.serials = "0a", .critical = 1},
     OCSP_RESPONSE_STATUS_MALFORMEDREQUEST},
    {"an unknown critical extension of one",
     {.serials = "0a", .critical = 2},
     OCSP_RESPONSE_STATUS_MALFORMEDREQUEST},
};

static void what_cannot_be_answered_gets_an_answer_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        tlsock_ocsp_opts o = usual();

        print_message("# %s\n", refused[i].claim);
        OCSP_RESPONSE_free(answer_to(&o, &refused[i].r, refused[i].want));
    }
}

static void what_is_no_request_is_malformed(void **state)
{
    struct request r = {.serials = "0a", .nonce = 16};
    tlsock_ocsp_opts o = usual();
    tlsock_error err = {0};
    size_t len;
    unsigned char *der = ask(&r, &len), *more = calloc(1, 70000);

    (void)state;
    memcpy(more, der, len);
    for (size_t n = 0; n < len; n++)
        OCSP_RESPONSE_free(
            answer(&o, der, n, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST, &err));
    OCSP_RESPONSE_free(
        answer(&o, more, len + 1, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST, &err));
    OCSP_RESPONSE_free(
        answer(&o, more, 70000, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST, &err));
    OCSP_RESPONSE_free(
        answer(&o, NULL, 0, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST, &err));
    /* a hash whose parameters, an end of contents, nobody could read again */
    memcpy(more, der, len);
    for (size_t i = 0, found = 0; i + 2 < len; i++)
        if (memcmp(der + i, "\x1a\x05\x00", 3) == 0 && found++ == 0)
            more[i + 1] = 0;
    assert_memory_not_equal(more, der, len);
    OCSP_RESPONSE_free(
        answer(&o, more, len, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST, &err));
    /* each bit of it may be wrong: an answer, and no crash */
    for (size_t bit = 0; bit < 8 * len; bit++) {
        unsigned char out[4096];
        size_t n = sizeof(out);

        memcpy(more, der, len);
        more[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_true(tlsock_ocsp_answer(&o, more, len, out, &n, &err) !=
                    TLSOCK_E_LIMIT);
        assert_true(n > 0 && n <= sizeof(out));
    }
    free(more);
    OPENSSL_free(der);
}

static const struct {
    const char *claim;
    tlsock_cert **issuer, **signer;
    const char *serials, *digest;
    int want;
    const char *told;
} failing[] = {
    {"the state cannot be told", &made.ca, NULL, "0a 0c", NULL,
     TLSOCK_E_OWN_FILE, "certificate 0c"},
    {"the state told is not possible", &made.ca, NULL, "0d", NULL,
     TLSOCK_E_ARGUMENT, "not possible"},
    {"no key", &made.keyless, NULL, "0a", NULL, TLSOCK_E_ARGUMENT,
     "without its private key"},
    {"another key", &made.mixed, NULL, "0a", NULL, TLSOCK_E_KEY_MISMATCH,
     "does not belong"},
    {"unknown digest", &made.ca, NULL, "0a", "sha1", TLSOCK_E_ARGUMENT,
     "\"sha1\""},
    {"a signer without the purpose", &made.keyless, &made.no_eku, "0a", NULL,
     TLSOCK_E_PURPOSE, "not for OCSP"},
    {"a signer with another purpose", &made.keyless, &made.leaf, "0a", NULL,
     TLSOCK_E_PURPOSE, "not for OCSP"},
    {"a signer of another CA", &made.keyless, &made.strangers, "0a", NULL,
     TLSOCK_E_PURPOSE, "not issued by the CA"},
    {"a signer out of date", &made.keyless, &made.old_responder, "0a", NULL,
     TLSOCK_E_EXPIRED, "expired on"},
};

static void failures_are_internal_errors_to_the_client(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(failing); i++) {
        struct request r = {.serials = failing[i].serials};
        tlsock_ocsp_opts o = usual();
        tlsock_error err = {0};
        size_t len;
        unsigned char *der = ask(&r, &len);

        o.issuer = *failing[i].issuer;
        o.signer = failing[i].signer != NULL ? *failing[i].signer : NULL;
        o.digest = failing[i].digest;
        OCSP_RESPONSE_free(answer(&o, der, len, failing[i].want, &err));
        assert_tells(err.message, failing[i].told);
        OPENSSL_free(der);
    }
}

static void a_key_that_cannot_sign_is_an_internal_error(void **state)
{
    OCSP_REQUEST *req = OCSP_REQUEST_new();
    tlsock_ocsp_opts o = usual();
    unsigned char *der = NULL;
    tlsock_error err = {0};
    int len;

    (void)state;
    o.issuer = made.mute;
    OCSP_request_add0_id(
        req, OCSP_cert_to_id(EVP_sha1(), made.mute->leaf, made.mute->leaf));
    len = i2d_OCSP_REQUEST(req, &der);
    OCSP_RESPONSE_free(
        answer(&o, der, (size_t)len, TLSOCK_E_UNSUPPORTED, &err));
    assert_tells(err.message, "cannot sign");
    assert_true(err.hint[0] != '\0');
    OCSP_REQUEST_free(req);
    OPENSSL_free(der);
}

static void calls_that_are_wrong_are_refused(void **state)
{
    tlsock_ocsp_opts o = usual(), init;
    tlsock_error err = {0};
    unsigned char out[64];
    size_t n = sizeof(out);

    (void)state;
    assert_code(tlsock_ocsp_answer(NULL, "x", 1, out, &n, &err),
                TLSOCK_E_ARGUMENT);
    assert_int_equal(n, 0);
    assert_code(tlsock_ocsp_answer(&o, "x", 1, out, NULL, &err),
                TLSOCK_E_ARGUMENT);
    n = 1;
    assert_code(tlsock_ocsp_answer(&o, "x", 1, NULL, &n, &err),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_ocsp_answer(&o, NULL, 1, out, &n, NULL),
                TLSOCK_E_ARGUMENT);
    for (int i = 0; i < 4; i++) {
        tlsock_ocsp_opts bad = o;

        bad.issuer = i == 0 ? NULL : bad.issuer;
        bad.status = i == 1 ? NULL : bad.status;
        bad.this_update = i == 2 ? -1 : 0;
        bad.valid_s = i == 3 ? -2 : 0;
        n = sizeof(out);
        assert_code(tlsock_ocsp_answer(&bad, "x", 1, out, &n, &err),
                    TLSOCK_E_ARGUMENT);
        assert_int_equal(n, 0);
        assert_true(err.hint[0] != '\0');
    }
    memset(&init, 0xff, sizeof(init));
    tlsock_ocsp_opts_init(&init, sizeof(init));
    assert_int_equal(init.size, sizeof(init));
    assert_null(init.issuer);
}

static void what_does_not_fit_says_what_would(void **state)
{
    struct request r = {.serials = "0a"};
    tlsock_ocsp_opts o = usual();
    tlsock_error err = {0};
    size_t len, n = 0, need;
    unsigned char *der = ask(&r, &len), *out;

    (void)state;
    assert_code(tlsock_ocsp_answer(&o, der, len, NULL, &n, &err),
                TLSOCK_E_LIMIT);
    need = n + 8; /* ECDSA signatures vary a little */
    assert_true(n > 100 && n < 1000);
    out = malloc(need);
    n = need;
    assert_code(tlsock_ocsp_answer(&o, der, len, out, &n, &err), 0);
    n = 20;
    assert_code(tlsock_ocsp_answer(&o, der, len, out, &n, &err),
                TLSOCK_E_LIMIT);
    free(out);
    OPENSSL_free(der);
}

static void times_are_what_was_asked_for(void **state)
{
    ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
    struct request r = {.serials = "0a"};
    tlsock_ocsp_opts o = usual();

    (void)state;
    for (int i = 0; i < 2; i++) {
        OCSP_RESPONSE *resp;
        OCSP_BASICRESP *basic;

        o.this_update = WHEN;
        o.valid_s = i == 0 ? 600 : -1;
        resp = answer_to(&o, &r, 0);
        basic = OCSP_response_get1_basic(resp);
        OCSP_single_get0_status(OCSP_resp_get0(basic, 0), NULL, NULL, &from,
                                &until);
        assert_int_equal(tsk_cert_time(from), WHEN);
        if (i == 0)
            assert_int_equal(tsk_cert_time(until), WHEN + 600);
        else
            assert_null(until);
        OCSP_BASICRESP_free(basic);
        OCSP_RESPONSE_free(resp);
    }
}

static void memory_may_fail_anywhere(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_OWN, FAULT_OPENSSL,
                                            FAULT_REFUSED};
    struct request r = {.serials = "0b 0a 0f", .nonce = 32};
    tlsock_ocsp_opts o = usual();
    size_t len;
    unsigned char *der = ask(&r, &len);

    (void)state;
    o.signer = made.responder;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        int hit = 1;

        for (long n = 1; hit && n < 5000; n++) {
            tlsock_error err = {0};
            unsigned char out[4096];
            size_t out_len = sizeof(out);
            int rc;

            fault_arm(kinds[i], n, 1);
            rc = tlsock_ocsp_answer(&o, der, len, out, &out_len, &err);
            hit = fault_disarm();
            assert_int_equal(ERR_peek_error(), 0);
            /* an answer in any case, and never that the request is wrong */
            if (out_len < 5 || (rc > 0 && kinds[i] != FAULT_REFUSED) ||
                (rc != 0 && !hit))
                fail_msg("%s %ld (%s): %d, %zu bytes: %s", fault_name(kinds[i]),
                         n, fault_refused(), rc, out_len, err.message);
            if (rc < 0)
                assert_int_equal(out[4], OCSP_RESPONSE_STATUS_INTERNALERROR);
        }
        assert_int_equal(hit, 0);
    }
    OPENSSL_free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered),
        cmocka_unit_test(a_delegate_signs_and_comes_along),
        cmocka_unit_test(every_kind_of_key_signs),
        cmocka_unit_test(our_own_judge_agrees),
        cmocka_unit_test(what_cannot_be_answered_gets_an_answer_too),
        cmocka_unit_test(what_is_no_request_is_malformed),
        cmocka_unit_test(failures_are_internal_errors_to_the_client),
        cmocka_unit_test(a_key_that_cannot_sign_is_an_internal_error),
        cmocka_unit_test(calls_that_are_wrong_are_refused),
        cmocka_unit_test(what_does_not_fit_says_what_would),
        cmocka_unit_test(times_are_what_was_asked_for),
        cmocka_unit_test(memory_may_fail_anywhere),
    };

    fault_init();
    return cmocka_run_group_tests(tests, made_setup, made_teardown);
}
