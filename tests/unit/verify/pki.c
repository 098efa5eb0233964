#include "pki.h"

#include <ftw.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <time.h>
#include <unistd.h>

static EVP_PKEY *keys[PKI_KEYS];
static char dir[] = "/tmp/tlsock-verify-XXXXXX";
static int have_dir;
static long serial = 1;

EVP_PKEY *pki_key(enum pki_key which)
{
    if (keys[which] == NULL)
        keys[which] =
            which == KEY_WEAK ? EVP_RSA_gen(1024) : EVP_EC_gen("P-256");
    assert_non_null(keys[which]);
    return keys[which];
}

static void extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    if (value == NULL)
        return;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

static X509 *start(const char *cn, EVP_PKEY *key, int from_days, int to_days)
{
    X509 *x = X509_new();

    assert_non_null(x);
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    X509_time_adj_ex(X509_getm_notBefore(x), from_days, 0, NULL);
    X509_time_adj_ex(X509_getm_notAfter(x), to_days, 0, NULL);
    if (cn != NULL)
        X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
                                   MBSTRING_UTF8, (const unsigned char *)cn, -1,
                                   -1, 0);
    X509_set_pubkey(x, key);
    return x;
}

X509 *pki_make(const struct pki_spec *s)
{
    int dated = s->from_days != 0 || s->to_days != 0;
    X509 *x = start(s->cn, pki_key(s->key), dated ? s->from_days : -1,
                    dated ? s->to_days : 30);
    X509 *issuer = s->issuer != NULL ? s->issuer : x;
    EVP_PKEY *signer = pki_key(s->issuer != NULL ? s->issuer_key : s->key);

    X509_set_issuer_name(x, X509_get_subject_name(issuer));
    extend(x, issuer, NID_basic_constraints, s->bc);
    extend(x, issuer, NID_key_usage, s->ku);
    extend(x, issuer, NID_ext_key_usage, s->eku);
    extend(x, issuer, NID_subject_alt_name, s->san);
    extend(x, issuer, NID_subject_key_identifier, "hash");
    if (issuer != x)
        extend(x, issuer, NID_authority_key_identifier, "keyid");
    if (s->more != NULL) {
        char name[64];
        const char *eq = strchr(s->more, '=');

        snprintf(name, sizeof(name), "%.*s", (int)(eq - s->more), s->more);
        extend(x, issuer, OBJ_txt2nid(name), eq + 1);
    }
    assert_true(X509_sign(x, signer, s->sha1 ? EVP_sha1() : EVP_sha256()) > 0);
    return x;
}

static ASN1_IA5STRING *bytes_of(const char *text, size_t len)
{
    ASN1_IA5STRING *s = ASN1_IA5STRING_new();
    unsigned char raw[512];
    size_t n = 0;

    for (size_t i = 0; i < len && n < sizeof(raw); i++) {
        if (len - i >= 4 && strncmp(text + i, "\\x00", 4) == 0) {
            raw[n++] = 0;
            i += 3;
        } else {
            raw[n++] = (unsigned char)text[i];
        }
    }
    ASN1_STRING_set(s, raw, (int)n);
    return s;
}

static void push_name(GENERAL_NAMES *names, int type, void *value)
{
    GENERAL_NAME *g = GENERAL_NAME_new();

    assert_non_null(value);
    GENERAL_NAME_set0_value(g, type, value);
    sk_GENERAL_NAME_push(names, g);
}

/* Comma separated lists; NULL: none. */
X509 *pki_names(const char *cn, const char *dns, const char *ip,
                const char *mail)
{
    const char *lists[] = {dns, ip, mail};
    const int types[] = {GEN_DNS, GEN_IPADD, GEN_EMAIL};
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    X509 *x = start(cn, pki_key(KEY_LEAF), -1, 30);

    for (int i = 0; i < 3; i++) {
        for (const char *p = lists[i]; p != NULL && *p != '\0';) {
            size_t len = strcspn(p, ",");
            char one[64];

            snprintf(one, sizeof(one), "%.*s", (int)len, p);
            push_name(names, types[i],
                      types[i] == GEN_IPADD ? (void *)a2i_IPADDRESS(one)
                                            : (void *)bytes_of(p, len));
            p += len + (p[len] == ',');
        }
    }
    if (sk_GENERAL_NAME_num(names) > 0)
        X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0);
    GENERAL_NAMES_free(names);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    assert_true(X509_sign(x, pki_key(KEY_LEAF), EVP_sha256()) > 0);
    return x;
}

STACK_OF(X509) * pki_stack(X509 *const *list, size_t n)
{
    STACK_OF(X509) *sk = sk_X509_new_null();

    for (size_t i = 0; i < n && list[i] != NULL; i++)
        sk_X509_push(sk, list[i]);
    return sk;
}

void pki_write(const char *path, X509 *const *list, size_t n)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    for (size_t i = 0; i < n; i++)
        PEM_write_X509(f, list[i]);
    fclose(f);
}

void pki_write_text(const char *path, const char *text, size_t len)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    fclose(f);
}

char *pki_pem(X509 *crt)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *p, *copy;
    long n;

    PEM_write_bio_X509(bio, crt);
    n = BIO_get_mem_data(bio, &p);
    copy = calloc(1, (size_t)n + 1);
    memcpy(copy, p, (size_t)n);
    BIO_free(bio);
    return copy;
}

const char *pki_dir(void)
{
    if (!have_dir)
        assert_non_null(mkdtemp(dir));
    have_dir = 1;
    return dir;
}

static int gone(const char *path, const struct stat *st, int type,
                struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void pki_free(void)
{
    for (int i = 0; i < PKI_KEYS; i++)
        EVP_PKEY_free(keys[i]);
    memset(keys, 0, sizeof(keys));
    if (have_dir)
        nftw(dir, gone, 8, FTW_DEPTH | FTW_PHYS);
    have_dir = 0;
}
