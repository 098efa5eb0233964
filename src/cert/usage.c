/* What a key may be used for: both extensions, and the rules about them. */
#include "cert/make.h"

#include "core/str.h"
#include "ossl/keykind.h"
#include "ossl/queue.h"

#include <stdio.h>
#include <string.h>

#define ENCIPHER (KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT)
#define ONLY (KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY)
#define SIGN_BITS                                                              \
    (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_CERT_SIGN | KU_CRL_SIGN)
#define ALL_BITS (SIGN_BITS | ENCIPHER | ONLY | KU_KEY_AGREEMENT)

static const struct {
    unsigned bit;
    int nid;
    uint32_t one_of; /* RFC 5280, 4.2.1.12: at least one of these goes along */
} ekus[] = {
    {TSK_EKU_SERVER, NID_server_auth,
     KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT},
    {TSK_EKU_CLIENT, NID_client_auth, KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT},
    {TSK_EKU_CODE, NID_code_sign, KU_DIGITAL_SIGNATURE},
    {TSK_EKU_EMAIL, NID_email_protect,
     KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_ENCIPHERMENT |
         KU_KEY_AGREEMENT},
    {TSK_EKU_STAMP, NID_time_stamp, KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION},
    {TSK_EKU_OCSP, NID_OCSP_sign, KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION},
};

/* KU_* -> bit of the extension: RFC 5280, 4.2.1.3 */
static const struct {
    uint32_t flag;
    int bit;
} usages[] = {
    {KU_DIGITAL_SIGNATURE, 0}, {KU_NON_REPUDIATION, 1},
    {KU_KEY_ENCIPHERMENT, 2},  {KU_DATA_ENCIPHERMENT, 3},
    {KU_KEY_AGREEMENT, 4},     {KU_KEY_CERT_SIGN, 5},
    {KU_CRL_SIGN, 6},          {KU_ENCIPHER_ONLY, 7},
    {KU_DECIPHER_ONLY, 8},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static unsigned eku_bit(const ASN1_OBJECT *obj)
{
    int nid = OBJ_obj2nid(obj);

    for (size_t i = 0; i < COUNT(ekus); i++)
        if (ekus[i].nid == nid)
            return ekus[i].bit;
    return TSK_EKU_OTHER;
}

unsigned tsk_eku_mask(const EXTENDED_KEY_USAGE *eku)
{
    unsigned mask = 0;

    for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++)
        mask |= eku_bit(sk_ASN1_OBJECT_value(eku, i));
    return mask;
}

/* RFC 3279, 4055, 8410, 8813, 9881: what a kind of key can be used for. */
static uint32_t possible(EVP_PKEY *key)
{
    if (tsk_ossl_is_a(key, "RSA"))
        return SIGN_BITS | ENCIPHER;
    if (tsk_ossl_is_a(key, "EC"))
        return SIGN_BITS | KU_KEY_AGREEMENT | ONLY;
    return SIGN_BITS;
}

/* TLS 1.2 may still send a secret under an RSA key, and so does mail; mail
 * under an EC key agrees on one. */
static uint32_t follows(const struct tsk_make *m, unsigned eku)
{
    uint32_t bits = KU_DIGITAL_SIGNATURE;

    if (m->ca)
        return KU_KEY_CERT_SIGN | KU_CRL_SIGN;
    if (eku == 0)
        return 0;
    if ((eku & (TSK_EKU_SERVER | TSK_EKU_EMAIL)) != 0)
        bits |= KU_KEY_ENCIPHERMENT;
    if ((eku & TSK_EKU_EMAIL) != 0)
        bits |= KU_KEY_AGREEMENT;
    return bits & possible(m->key);
}

static int add_extended(struct tsk_make *m, tlsock_error *err)
{
    EXTENDED_KEY_USAGE *eku;
    int ok, rc;

    if (m->use.eku == 0 || tsk_ext_has(m, NID_ext_key_usage))
        return TLSOCK_OK;
    eku = EXTENDED_KEY_USAGE_new();
    ok = eku != NULL;
    for (size_t i = 0; ok && i < COUNT(ekus); i++)
        if ((m->use.eku & ekus[i].bit) != 0)
            ok = sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(ekus[i].nid)) > 0;
    /* RFC 3161, 2.3: that of a time stamping authority is critical */
    rc = ok ? tsk_ext_put(m, NID_ext_key_usage, eku,
                          m->use.eku == TSK_EKU_STAMP && !m->ca, err)
            : tsk_fail_nomem(err);
    EXTENDED_KEY_USAGE_free(eku);
    return rc;
}

static int put_bits(struct tsk_make *m, uint32_t bits, tlsock_error *err)
{
    ASN1_BIT_STRING *s = ASN1_BIT_STRING_new();
    int ok = s != NULL, rc;

    for (size_t i = 0; ok && i < COUNT(usages); i++)
        if ((bits & usages[i].flag) != 0)
            ok = ASN1_BIT_STRING_set_bit(s, usages[i].bit, 1);
    rc = ok ? tsk_ext_put(m, NID_key_usage, s, 1, err) : tsk_fail_nomem(err);
    ASN1_BIT_STRING_free(s);
    return rc;
}

/* NULL: it is not among the final ones; or rc is a code: it is, and there is no
 * memory to read it. */
static void *final_ext(const struct tsk_make *m, int nid, int *critical,
                       int *rc, tlsock_error *err)
{
    void *value;

    tsk_ossl_enter();
    value = X509V3_get_d2i(m->exts, nid, critical, NULL);
    if (value == NULL && *critical >= 0 && tsk_ossl_starved())
        *rc = tsk_fail_nomem(err);
    tsk_ossl_leave();
    return value;
}

static int final_eku(const struct tsk_make *m, unsigned *mask, int *critical,
                     tlsock_error *err)
{
    int rc = TLSOCK_OK;
    EXTENDED_KEY_USAGE *eku =
        final_ext(m, NID_ext_key_usage, critical, &rc, err);

    *mask = tsk_eku_mask(eku);
    EXTENDED_KEY_USAGE_free(eku);
    return rc;
}

/* present: 0 without one, which forbids nothing */
static int final_bits(const struct tsk_make *m, uint32_t *bits, int *present,
                      tlsock_error *err)
{
    int critical, rc = TLSOCK_OK;
    ASN1_BIT_STRING *s = final_ext(m, NID_key_usage, &critical, &rc, err);

    *present = s != NULL;
    *bits = 0;
    for (size_t i = 0; s != NULL && i < COUNT(usages); i++)
        if (ASN1_BIT_STRING_get_bit(s, usages[i].bit))
            *bits |= usages[i].flag;
    ASN1_BIT_STRING_free(s);
    return rc;
}

int tsk_usage_add(struct tsk_make *m, tlsock_error *err)
{
    uint32_t bits;
    unsigned eku = 0;
    int critical, rc;

    /* nothing was asked for: a request leaves that to who answers it */
    if (m->request && m->o->purpose == NULL && !m->ca && !m->use_known)
        return TLSOCK_OK;
    rc = add_extended(m, err);
    if (rc != TLSOCK_OK || tsk_ext_has(m, NID_key_usage))
        return rc;
    bits = m->use.exact & possible(m->key);
    if (bits == 0) {
        rc = final_eku(m, &eku, &critical, err);
        if (rc != TLSOCK_OK)
            return rc;
        bits = follows(m, eku);
    }
    bits = (bits | m->use.add) & ~m->use.del;
    if (bits == 0 && m->use.del == 0)
        return TLSOCK_OK;
    return put_bits(m, bits, err);
}

static int breaks(tlsock_error *err, const char *what, const char *rfc,
                  const char *hint)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "%s (RFC %s)", what, rfc);
    tsk_hint(err, "%s", hint);
    return TLSOCK_E_ARGUMENT;
}

static int check_bits(const struct tsk_make *m, uint32_t bits,
                      tlsock_error *err)
{
    char text[160];

    if (bits == 0)
        return breaks(err, "no key usage is left", "5280, 4.2.1.3",
                      "leave at least one in, such as digitalSignature");
    if (!m->ca && (bits & KU_KEY_CERT_SIGN) != 0)
        return breaks(err, "key usage keyCertSign is for a CA alone",
                      "5280, 4.2.1.9",
                      "leave it out, or make a CA (option ca)");
    if (m->ca && (bits & KU_KEY_CERT_SIGN) == 0)
        return breaks(err,
                      "a CA needs the key usage keyCertSign to sign "
                      "certificates",
                      "5280, 4.2.1.9", "add keyCertSign");
    if ((bits & ONLY) != 0 && (bits & KU_KEY_AGREEMENT) == 0)
        return breaks(err,
                      "encipherOnly and decipherOnly mean nothing without "
                      "keyAgreement",
                      "5280, 4.2.1.3", "add keyAgreement, or leave them out");
    if ((bits & ONLY) == ONLY)
        return breaks(err, "encipherOnly and decipherOnly exclude each other",
                      "5280, 4.2.1.3", "leave one of them out");
    if ((bits & ~possible(m->key)) == 0)
        return TLSOCK_OK;
    snprintf(text, sizeof(text), "an %s key cannot be used for %s",
             EVP_PKEY_get0_type_name(m->key),
             (bits & ~possible(m->key) & ENCIPHER) != 0 ? "encipherment"
                                                        : "key agreement");
    return breaks(err, text, "5280, 4.2.1.3",
                  "key encipherment is for RSA keys, key agreement for EC "
                  "keys; all keys can have digitalSignature");
}

static int check_stamp(unsigned eku, int critical, uint32_t bits,
                       tlsock_error *err)
{
    if (eku != TSK_EKU_STAMP)
        return breaks(err, "timeStamping stands alone", "3161, 2.3",
                      "leave out the other usages, or make a certificate for "
                      "each");
    if (critical != 1)
        return breaks(err,
                      "the extended key usage timeStamping must be "
                      "critical",
                      "3161, 2.3",
                      "write extendedKeyUsage=critical,timeStamping, or use "
                      "purpose timeStamping");
    if ((bits & ~(uint32_t)(KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0)
        return breaks(err, "a key for timeStamping signs, and nothing else",
                      "3161, 2.3",
                      "leave digitalSignature and nonRepudiation alone");
    return TLSOCK_OK;
}

static int check_eku(const struct tsk_make *m, unsigned eku, int critical,
                     uint32_t bits, tlsock_error *err)
{
    char text[160];

    if (m->ca && (eku & TSK_EKU_OCSP) != 0)
        return breaks(err, "with OCSPSigning a CA could answer for its issuer",
                      "6960, 4.2.2.2",
                      "leave it out: a CA may answer for what it signs as it "
                      "is");
    if (m->ca)
        return TLSOCK_OK;
    if ((eku & TSK_EKU_STAMP) != 0)
        return check_stamp(eku, critical, bits, err);
    for (size_t i = 0; i < COUNT(ekus); i++) {
        if ((eku & ekus[i].bit) == 0 || (bits & ekus[i].one_of) != 0)
            continue;
        snprintf(text, sizeof(text),
                 "the key usages leave nothing to do for "
                 "%s",
                 OBJ_nid2sn(ekus[i].nid));
        return breaks(err, text, "5280, 4.2.1.12",
                      "add the key usage digitalSignature");
    }
    return TLSOCK_OK;
}

/* A server is asked for by its name, which is nowhere but in the names. */
static int check_hosts(const struct tsk_make *m, unsigned eku, int has_eku,
                       tlsock_error *err)
{
    int server =
        (eku & TSK_EKU_SERVER) != 0 ||
        (m->request && !has_eku && m->o->purpose == NULL && !m->use_known);

    if (m->ca || !server || tsk_has_hosts(m->sans))
        return TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_NO_NAME,
             "a server's certificate needs a DNS name "
             "or an address as a subjectAltName");
    tsk_hint(err, "name the host it is for, such as DNS:www.example.com; a CN "
                  "is not used as one. For a client alone: purpose client");
    return TLSOCK_E_NO_NAME;
}

int tsk_usage_check(const struct tsk_make *m, tlsock_error *err)
{
    uint32_t bits = 0;
    int has_bits = 0, critical = -1, rc;
    unsigned eku;

    rc = final_eku(m, &eku, &critical, err);
    if (rc == TLSOCK_OK)
        rc = final_bits(m, &bits, &has_bits, err);
    if (rc == TLSOCK_OK && has_bits)
        rc = check_bits(m, bits, err);
    if (rc == TLSOCK_OK && (has_bits || (eku & TSK_EKU_STAMP) != 0))
        rc = check_eku(m, eku, critical, bits, err);
    if (rc == TLSOCK_OK)
        rc = check_hosts(m, eku, critical >= 0, err);
    return rc;
}
