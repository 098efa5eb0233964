#include "lint_make.h"

#include "cert/lint.h"
#include "ossl/ext.h"

#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/err.h>

#define NAMES 1001

static EVP_PKEY *keys[3]; /* of leaf, inter, root */
static CONF *conf;
static const struct recipe sound;

static EVP_PKEY *key_at(int at)
{
    if (keys[at] == NULL)
        keys[at] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    assert_non_null(keys[at]);
    return keys[at];
}

/* Sections that extensions are written with: what one line cannot hold. */
static void read_conf(void)
{
    BIO *bio = BIO_new(BIO_s_mem());
    long line;

    BIO_puts(bio, "[many]\n");
    for (int i = 0; i < NAMES; i++)
        BIO_printf(bio, "DNS.%d = n%d.test\n", i, i);
    BIO_puts(bio, "[thousand]\n");
    for (int i = 0; i < 1000; i++)
        BIO_printf(bio, "DNS.%d = n%d.test\n", i, i);
    for (int n = 200; n <= 201; n++) {
        BIO_printf(bio,
                   "[text%d]\npolicyIdentifier = 1.2.3\n"
                   "userNotice.1 = @notice%d\n[notice%d]\n"
                   "explicitText = UTF8:",
                   n, n, n);
        for (int i = 0; i < n; i++)
            BIO_puts(bio, "x");
        BIO_puts(bio, "\n");
    }
    BIO_puts(bio, "[cps_ftp]\npolicyIdentifier = 1.2.3\n"
                  "CPS.1 = ftp://a.test/\n"
                  "[cps_http]\npolicyIdentifier = 1.2.3\n"
                  "CPS.1 = http://a.test/\n"
                  "[dp_dir]\nfullname = dirName:dn\n[dn]\nCN = x\n"
                  "[no_dn]\n");
    conf = NCONF_new(NULL);
    assert_non_null(conf);
    assert_int_equal(NCONF_load_bio(conf, bio, &line), 1);
    BIO_free(bio);
}

static const char *const leaf_ext[] = {
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth",
    "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid:always",
    "subjectAltName=DNS:a.test",
    "crlDistributionPoints=URI:http://c.test/c.crl",
    NULL};
static const char *const ca_ext[] = {
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid:always", NULL};

static int same_name(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");

    return n == strcspn(b, "=") && strncmp(a, b, n) == 0;
}

static void add_ext(X509 *x, X509 *issuer, const char *text)
{
    char name[64];
    size_t n = strcspn(text, "=");
    X509_EXTENSION *ext;
    X509V3_CTX ctx;

    if (text[n + 1] == '\0')
        return;
    /* a recipe may have left its issuer without one */
    if (strncmp(text, "authorityKeyIdentifier=keyid", 28) == 0 &&
        X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) < 0)
        return;
    snprintf(name, sizeof(name), "%.*s", (int)n, text);
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509V3_set_nconf(&ctx, conf);
    ext = X509V3_EXT_nconf(conf, &ctx, name, text + n + 1);
    if (ext == NULL)
        fail_msg("no extension: %s", text);
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

static void add_exts(X509 *x, X509 *issuer, int at, const struct recipe *r)
{
    const char *const *usual = at == 0 ? leaf_ext : ca_ext;
    int used[4] = {0};

    for (; *usual != NULL; usual++) {
        const char *text = *usual;

        for (int i = 0; i < 4; i++)
            if (r->ext[i] != NULL && same_name(r->ext[i], *usual)) {
                text = r->ext[i];
                used[i] = 1;
            }
        add_ext(x, issuer, text);
    }
    for (int i = 0; i < 4; i++)
        if (r->ext[i] != NULL && !used[i])
            add_ext(x, issuer, r->ext[i]);
}

static void set_subject(X509 *x, int at, const struct recipe *r)
{
    static const char *const cns[] = {"a.test", "Test Inter", "Test Root"};
    X509_NAME *name = X509_get_subject_name(x);
    const struct attr usual = {NID_commonName, 0, cns[at], 0};

    for (int i = 0; i < 4 && !r->nameless; i++) {
        const struct attr *a = &r->attr[i];

        if (i == 0 && a->nid == 0)
            a = &usual;
        if (a->nid == 0)
            break;
        assert_int_equal(X509_NAME_add_entry_by_NID(
                             name, a->nid,
                             a->type != 0 ? a->type : MBSTRING_UTF8,
                             (const unsigned char *)a->text,
                             (int)strlen(a->text), -1, a->joined ? -1 : 0),
                         1);
    }
}

static void set_time(ASN1_TIME *t, int days, const char *text)
{
    if (text != NULL) {
        t->type = text[0] == 'u' ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME;
        assert_int_equal(ASN1_STRING_set(t, text + 1, -1), 1);
    } else {
        assert_non_null(tsk_ossl_time(t, LINT_NOW + (int64_t)days * DAY));
    }
}

static void set_serial(X509 *x, const char *hex)
{
    BIGNUM *bn = NULL;

    assert_true(BN_hex2bn(&bn, hex) > 0);
    assert_non_null(BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)));
    BN_free(bn);
}

/* DER: elements on the way to the one at p are written anew around its
 * replacement; all others are copied. */
static size_t splice(unsigned char *out, const unsigned char *in, size_t n,
                     const unsigned char *p, size_t old_n,
                     const unsigned char *new, size_t new_n)
{
    struct tsk_der all = {.p = in, .n = n}, one;
    size_t used = 0;

    while (tsk_der_next(&all, &one)) {
        if (one.whole == p) {
            memcpy(out + used, new, new_n);
            used += new_n;
            all.n -= old_n - one.whole_n; /* may be several elements */
            all.p += old_n - one.whole_n;
        } else if (p > one.whole && p < one.whole + one.whole_n) {
            unsigned char inner[16384], head[8], *h = head;
            size_t len = splice(inner, one.p, one.n, p, old_n, new, new_n);

            assert_true(len < sizeof(inner));
            ASN1_put_object(&h, (one.whole[0] & 0x20) != 0, (int)len, one.tag,
                            one.class);
            memcpy(out + used, head, (size_t)(h - head));
            used += (size_t)(h - head);
            memcpy(out + used, inner, len);
            used += len;
        } else {
            memcpy(out + used, one.whole, one.whole_n);
            used += one.whole_n;
        }
    }
    return used;
}

static X509 *replace(X509 *x, const unsigned char *old, size_t old_n,
                     const unsigned char *new, size_t new_n)
{
    unsigned char *der = NULL, out[32768];
    const unsigned char *p = NULL, *q = out;
    int n = i2d_X509(x, &der);
    size_t len;
    X509 *y;

    assert_true(n > 0);
    for (int i = 0; i + (int)old_n <= n && p == NULL; i++)
        if (memcmp(der + i, old, old_n) == 0)
            p = der + i;
    assert_non_null(p);
    len = splice(out, der, (size_t)n, p, old_n, new, new_n);
    y = d2i_X509(NULL, &q, (long)len);
    assert_non_null(y);
    OPENSSL_free(der);
    X509_free(x);
    return y;
}

static X509 *patched(X509 *x, const struct recipe *r)
{
    unsigned char *old, *new, *spki = NULL;
    long old_n, new_n;
    int n;

    if (r->patch.old != NULL) {
        old = OPENSSL_hexstr2buf(r->patch.old, &old_n);
        new = OPENSSL_hexstr2buf(r->patch.new, &new_n);
        assert_true(old != NULL && new != NULL);
        x = replace(x, old, (size_t)old_n, new, (size_t)new_n);
        OPENSSL_free(old);
        OPENSSL_free(new);
    }
    if (r->behind_key != NULL) {
        n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
        new = OPENSSL_hexstr2buf(r->behind_key, &new_n);
        assert_true(n > 0 && new != NULL);
        old = OPENSSL_malloc((size_t)n + (size_t)new_n);
        assert_non_null(old);
        memcpy(old, spki, (size_t)n);
        memcpy(old + n, new, (size_t)new_n);
        x = replace(x, spki, (size_t)n, old, (size_t)n + (size_t)new_n);
        OPENSSL_free(old);
        OPENSSL_free(new);
        OPENSSL_free(spki);
    }
    return x;
}

/* Newer releases do not even decode some: then nobody can be shown one, and a
 * file with it is refused. */
static void is_refused_altogether(const unsigned char *der, int n)
{
    tlsock_error err = {0};

    if (OpenSSL_version_num() < 0x30200000UL)
        fail_msg("it does not decode");
    assert_null(tlsock_cert_parse(der, (size_t)n, NULL, &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    assert_true(err.message[0] != '\0' && err.hint[0] != '\0');
}

/* As it would come from a peer: encoded and decoded. NULL: it cannot be. */
static X509 *reread(X509 *x)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    int n = i2d_X509(x, &der);
    X509 *y;

    assert_true(n > 0);
    p = der;
    y = d2i_X509(NULL, &p, n);
    if (y == NULL)
        is_refused_altogether(der, n);
    OPENSSL_free(der);
    X509_free(x);
    return y;
}

/* X509_sign() of OpenSSL 3.4 and later makes version 3 of whatever has
 * extensions: here the version stays, and the signature is good all the same.
 */
static void keep_version(X509 *x, long version, EVP_PKEY *signer,
                         const EVP_MD *digest)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const ASN1_BIT_STRING *signature;
    unsigned char *tbs = NULL, out[1024];
    size_t len = sizeof(out);
    int n;

    assert_int_equal(X509_set_version(x, version), 1);
    n = i2d_re_X509_tbs(x, &tbs);
    assert_true(n > 0);
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, digest, NULL, signer), 1);
    assert_int_equal(EVP_DigestSign(ctx, out, &len, tbs, (size_t)n), 1);
    X509_get0_signature(&signature, NULL, x);
    assert_int_equal(
        ASN1_STRING_set((ASN1_STRING *)(uintptr_t)signature, out, (int)len), 1);
    EVP_MD_CTX_free(ctx);
    OPENSSL_free(tbs);
}

static X509 *make(int at, X509 *issuer, const struct recipe *r)
{
    static const char *const serials[] = {
        "4a11223344556677", "4b11223344556677", "4c11223344556677"};
    static const int from[] = {-10, -500, -1000}, to[] = {60, 1000, 3000};
    X509 *x = X509_new();
    EVP_PKEY *key = r->key != NULL ? r->key() : NULL;
    EVP_PKEY *own = r->signer != NULL ? r->signer() : NULL, *signer;
    const EVP_MD *digest =
        EVP_get_digestbyname(r->digest != NULL ? r->digest : "sha256");
    long version = r->version != 0 ? r->version - 1 : X509_VERSION_3;
    int up = at == 2 ? 2 : at + 1;

    assert_non_null(x);
    X509_set_version(x, version);
    set_serial(x, r->serial != NULL ? r->serial : serials[at]);
    set_subject(x, at, r);
    X509_set_issuer_name(x, X509_get_subject_name(issuer != NULL ? issuer : x));
    set_time(X509_getm_notBefore(x),
             r->from_days != 0 ? r->from_days : from[at], r->from_text);
    set_time(X509_getm_notAfter(x), r->to_days != 0 ? r->to_days : to[at],
             r->to_text);
    assert_int_equal(X509_set_pubkey(x, key != NULL ? key : key_at(at)), 1);
    if (!r->bare)
        add_exts(x, issuer != NULL ? issuer : x, at, r);
    if (r->shape == SELF)
        up = 0;
    signer = own != NULL ? own : key_at(up);
    assert_true(X509_sign(x, signer, digest) > 0);
    if (X509_get_version(x) != version)
        keep_version(x, version, signer, digest);
    if (r->edit != NULL)
        r->edit(x);
    EVP_PKEY_free(key);
    EVP_PKEY_free(own);
    x = reread(x);
    return x != NULL ? patched(x, r) : NULL;
}

tlsock_cert *lint_make(const struct recipe *r, int at)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *root, *inter, *leaf = NULL;
    tlsock_cert *c = NULL;
    int again = r->shape == LONG    ? 11
                : r->shape == FULL  ? 40
                : r->shape == TWICE ? 2
                                    : 1;

    if (conf == NULL)
        read_conf();
    root = make(2, NULL, at == 2 ? r : &sound);
    inter = root != NULL ? make(1, root, at == 1 ? r : &sound) : NULL;
    if (inter == NULL)
        goto out;
    leaf = make(0, r->shape == SELF ? NULL : inter, at == 0 ? r : &sound);
    if (leaf == NULL)
        goto out;
    if (r->shape == SWAPPED)
        sk_X509_push(chain, root);
    for (int i = 0; i < again && r->shape != ALONE && r->shape != SELF; i++)
        sk_X509_push(chain, inter);
    if (r->shape == WITH_ROOT)
        sk_X509_push(chain, root);
    c = tsk_cert_new(leaf, chain, NULL, NULL);
    assert_non_null(c);
out:
    sk_X509_free(chain);
    X509_free(leaf);
    X509_free(inter);
    X509_free(root);
    ERR_clear_error(); /* what is wrong on purpose leaves its mark there */
    return c;
}

void lint_make_free(void)
{
    for (size_t i = 0; i < COUNT(keys); i++) {
        EVP_PKEY_free(keys[i]);
        keys[i] = NULL;
    }
    NCONF_free(conf);
    conf = NULL;
    key_free();
}

void edit_outer_alg(X509 *x)
{
    const X509_ALGOR *alg;

    X509_get0_signature(NULL, &alg, x);
    X509_ALGOR_set0((X509_ALGOR *)(uintptr_t)alg,
                    OBJ_nid2obj(NID_ecdsa_with_SHA384), V_ASN1_UNDEF, NULL);
}

static void set_params(X509 *x, int type)
{
    const X509_ALGOR *alg;
    int nid = X509_get_signature_nid(x);

    X509_get0_signature(NULL, &alg, x);
    X509_ALGOR_set0((X509_ALGOR *)(uintptr_t)alg, OBJ_nid2obj(nid), type, NULL);
    X509_ALGOR_set0((X509_ALGOR *)(uintptr_t)X509_get0_tbs_sigalg(x),
                    OBJ_nid2obj(nid), type, NULL);
}

void edit_params(X509 *x)
{
    set_params(x, V_ASN1_UNDEF);
}

void edit_null_params(X509 *x)
{
    set_params(x, V_ASN1_NULL);
}

void edit_key_params(X509 *x)
{
    X509_PUBKEY *pub = X509_get_X509_PUBKEY(x);
    const unsigned char *p;
    int n;

    assert_int_equal(X509_PUBKEY_get0_param(NULL, &p, &n, NULL, pub), 1);
    X509_PUBKEY_set0_param(pub, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_UNDEF,
                           NULL, OPENSSL_memdup(p, (size_t)n), n);
}

void edit_key_garbage(X509 *x)
{
    X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(x),
                           OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL, NULL,
                           OPENSSL_memdup("garbage", 7), 7);
}

void edit_issuer_empty(X509 *x)
{
    X509_NAME *name = X509_NAME_new();

    X509_set_issuer_name(x, name);
    X509_NAME_free(name);
}

void edit_issuer_printable(X509 *x)
{
    X509_NAME *name = X509_NAME_new();

    X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_PRINTABLESTRING,
                               (const unsigned char *)"Test Inter", -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_NAME_free(name);
}

void edit_double_ext(X509 *x)
{
    X509_EXTENSION *ext = X509_EXTENSION_dup(X509_get_ext(x, 0));

    X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
}

EVP_PKEY *key_inter(void)
{
    EVP_PKEY_up_ref(key_at(1));
    return key_at(1);
}
