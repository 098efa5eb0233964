#include "cert/make.h"

#include "cert/text.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/bn.h>
#include <openssl/rand.h>
#include <string.h>

#define DAY 86400
#define LEAF_DAYS 90
#define CA_DAYS 3650
#define LAST_SECOND 253402300799LL /* 9999-12-31: RFC 5280, 4.1.2.5 */
#define SERIAL_MAX 20              /* octets: RFC 5280, 4.1.2.2 */
#define CN_MAX 64                  /* ub-common-name */

static int bad(tlsock_error *err, const char *what, const char *value,
               const char *hint)
{
    char shown[96];

    tsk_printable(shown, sizeof(shown), value, strlen(value));
    tsk_fail(err, TLSOCK_E_ARGUMENT, "%s \"%s\" is not known", what, shown);
    tsk_hint(err, "%s", hint);
    return TLSOCK_E_ARGUMENT;
}

static int plan_digest(struct tsk_make *m, tlsock_error *err)
{
    const char *name = m->o->digest != NULL ? m->o->digest : "sha256";

    if (tsk_casecmp(name, "sha256") == 0)
        m->md = EVP_sha256();
    else if (tsk_casecmp(name, "sha384") == 0)
        m->md = EVP_sha384();
    else if (tsk_casecmp(name, "sha512") == 0)
        m->md = EVP_sha512();
    else
        return bad(err, "digest", name, "valid are sha256, sha384, sha512");
    return TLSOCK_OK;
}

/* A CA is for signing; it gets purposes only if they are asked for. */
static int plan_purpose(struct tsk_make *m, tlsock_error *err)
{
    const char *p = m->o->purpose;

    if (p == NULL)
        p = m->o->ca ? "" : "server,client";
    else if (*p == '\0')
        return bad(err, "purpose", p, "valid are server, client, or both: "
                                      "server,client");
    while (*p != '\0') {
        size_t n = strcspn(p, ",");

        if (n == 6 && tsk_casencmp(p, "server", 6) == 0)
            m->server = 1;
        else if (n == 6 && tsk_casencmp(p, "client", 6) == 0)
            m->client = 1;
        else
            return bad(err, "purpose", m->o->purpose,
                       "valid are server, client, or both: server,client");
        p += n;
        if (*p == ',' && p[1] == '\0')
            return bad(err, "purpose", m->o->purpose,
                       "valid are server, client, or both: server,client");
        p += *p == ',';
    }
    return TLSOCK_OK;
}

static int bad_time(tlsock_error *err, const char *why)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "the lifetime is not possible: %s", why);
    tsk_hint(err, "give days (from now on), or not_before and not_after in "
                  "seconds since 1970, the end after the beginning");
    return TLSOCK_E_ARGUMENT;
}

/* A certificate that outlives its issuer ends to work without any warning. */
static int fit_issuer(struct tsk_make *m, tlsock_error *err)
{
    char when[32], who[96];
    int64_t end;

    if (m->o->issuer == NULL)
        return TLSOCK_OK;
    end = tsk_cert_time(X509_get0_notAfter(m->o->issuer->leaf));
    if (m->to <= end)
        return TLSOCK_OK;
    if (m->o->days == 0 && m->o->not_after == 0 && end > m->from) {
        m->to = end;
        return TLSOCK_OK;
    }
    tsk_cert_short_name(m->o->issuer->leaf, who, sizeof(who));
    tsk_cert_date(X509_get0_notAfter(m->o->issuer->leaf), when);
    tsk_fail(err, TLSOCK_E_ARGUMENT,
             "it would outlive its issuer \"%s\", which ends on %s", who, when);
    tsk_hint(err, "leave the lifetime out to have it end with its issuer, or "
                  "renew the issuer first");
    return TLSOCK_E_ARGUMENT;
}

/* An end in the past is a slip (a number of days, say), unless the beginning
 * was named too. */
static int plan_time(struct tsk_make *m, tlsock_error *err)
{
    const tlsock_cert_opts *o = m->o;
    int64_t days = o->days != 0 ? o->days : o->ca ? CA_DAYS : LEAF_DAYS;

    m->now = tsk_wall_time();
    if (o->not_before < 0 || o->not_after < 0 || o->days < 0)
        return bad_time(err, "a value is negative");
    if (o->not_before > LAST_SECOND || o->not_after > LAST_SECOND)
        return bad_time(err, "a value is behind the year 9999");
    m->from = o->not_before != 0 ? o->not_before : m->now;
    m->to = o->not_after != 0 ? o->not_after : m->from + days * DAY;
    if (m->to > LAST_SECOND)
        return bad_time(err, "it ends behind the year 9999");
    if (o->not_before == 0 && m->to <= m->now)
        return bad_time(err, "it ends in the past");
    if (m->to <= m->from)
        return bad_time(err, "it ends before it begins");
    return TLSOCK_OK;
}

static int plan_names(struct tsk_make *m, tlsock_error *err)
{
    int rc = TLSOCK_OK;

    m->sans = GENERAL_NAMES_new();
    if (m->sans == NULL)
        return tsk_fail_nomem(err);
    for (size_t i = 0; rc == TLSOCK_OK && i < m->o->n_sans; i++)
        rc = tsk_san_add(m->sans, m->o->sans[i], err);
    if (rc == TLSOCK_OK && m->o->subject != NULL)
        rc = tsk_subject_parse(&m->subject, m->o->subject, err);
    if (rc == TLSOCK_OK && m->o->csr != NULL)
        rc = tsk_csr_read(m, err);
    return rc;
}

/* The first name, as the subject. One that is too long for a CN goes without,
 * and so do addresses that a CN would make look like a DNS name outside the
 * issuer's constraints: RFC 5280 then wants the names to be critical. */
static int default_subject(struct tsk_make *m, tlsock_error *err)
{
    const GENERAL_NAME *g = sk_GENERAL_NAME_value(m->sans, 0);
    struct tsk_text t = {0};
    char *name;
    int ok = 1;

    m->subject = X509_NAME_new();
    if (m->subject == NULL)
        return tsk_fail_nomem(err);
    if (g == NULL ||
        (!tsk_has_dns(m->sans) && tsk_issuer_constrains(m->o->issuer)))
        return TLSOCK_OK;
    tsk_text_general(&t, g);
    name = tsk_text_take(&t);
    if (name == NULL)
        return tsk_fail_nomem(err);
    if (strlen(name) <= CN_MAX)
        ok = X509_NAME_add_entry_by_NID(m->subject, NID_commonName,
                                        MBSTRING_UTF8, (unsigned char *)name,
                                        -1, -1, 0);
    tsk_free(name);
    return ok ? TLSOCK_OK
              : tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot make the subject");
}

static int have_names(struct tsk_make *m, tlsock_error *err)
{
    int rc = TLSOCK_OK, hosts = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(m->sans); i++) {
        int type = sk_GENERAL_NAME_value(m->sans, i)->type;

        hosts += type == GEN_DNS || type == GEN_IPADD || type == GEN_URI;
    }
    if (m->subject == NULL)
        rc = default_subject(m, err);
    if (rc != TLSOCK_OK)
        return rc;
    if (m->server && !m->o->ca && hosts == 0) {
        tsk_fail(err, TLSOCK_E_NO_NAME, "a server's certificate needs a DNS "
                 "name or an address as a subjectAltName");
        tsk_hint(err, "name the host it is for, such as DNS:www.example.com; a "
                      "CN is not used as one. For a client alone: purpose "
                      "client");
        return TLSOCK_E_NO_NAME;
    }
    if (X509_NAME_entry_count(m->subject) == 0 &&
        (m->o->ca || sk_GENERAL_NAME_num(m->sans) == 0)) {
        tsk_fail(err, TLSOCK_E_NO_NAME, "%s needs a name",
                 m->o->ca ? "a CA" : "a certificate");
        tsk_hint(err, "give a subject, such as CN=My CA");
        return TLSOCK_E_NO_NAME;
    }
    return TLSOCK_OK;
}

static int contradiction(tlsock_error *err, const char *what, const char *hint)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "%s", what);
    tsk_hint(err, "%s", hint);
    return TLSOCK_E_ARGUMENT;
}

static int plan_options(const tlsock_cert_opts *o, tlsock_error *err)
{
    if (o->csr != NULL && o->issuer == NULL)
        return contradiction(err, "a signing request needs an issuer",
                             "name the CA that is to answer it");
    if (o->csr != NULL && o->key != NULL)
        return contradiction(err, "a signing request brings its own key",
                             "leave out the key, or the request");
    if (o->permitted != NULL && !o->ca)
        return contradiction(err, "permitted names are for a CA alone",
                             "leave them out, or make a CA");
    if (o->pathlen != 0 && !o->ca)
        return contradiction(err, "a path length is for a CA alone",
                             "leave it out, or make a CA");
    if (o->pathlen < -1 || o->pathlen > 100)
        return contradiction(err, "the path length is not possible",
                             "valid are -1 (any), and 0 to 100");
    if ((o->n_sans != 0 && o->sans == NULL) ||
        (o->n_ext != 0 && o->ext == NULL))
        return contradiction(err, "a list is NULL, but its number is not 0",
                             "set both, or none");
    return TLSOCK_OK;
}

static int plan(struct tsk_make *m, tlsock_error *err)
{
    int rc = plan_options(m->o, err);

    if (rc == TLSOCK_OK)
        rc = plan_digest(m, err);
    if (rc == TLSOCK_OK)
        rc = plan_purpose(m, err);
    if (rc == TLSOCK_OK)
        rc = plan_time(m, err);
    if (rc == TLSOCK_OK)
        rc = tsk_issuer_check(m, err);
    if (rc == TLSOCK_OK)
        rc = fit_issuer(m, err);
    if (rc == TLSOCK_OK)
        rc = plan_names(m, err);
    if (rc == TLSOCK_OK)
        rc = have_names(m, err);
    return rc;
}

static int bad_serial(const char *hex, tlsock_error *err)
{
    char shown[64];

    tsk_printable(shown, sizeof(shown), hex, strlen(hex));
    tsk_fail(err, TLSOCK_E_ARGUMENT, "serial \"%s\" is not possible", shown);
    tsk_hint(err, "write 1 to %d hex digits, not all 0, of less than 2^159",
             2 * SERIAL_MAX);
    return TLSOCK_E_ARGUMENT;
}

/* RFC 5280, 4.1.2.2: positive, at most 20 octets with its sign bit. */
static int set_serial(X509 *x, const char *hex, tlsock_error *err)
{
    unsigned char random[16];
    BIGNUM *bn = NULL;
    int ok;

    if (hex != NULL) {
        size_t n = strlen(hex);

        if (n == 0 || n > 2 * SERIAL_MAX ||
            strspn(hex, "0123456789abcdefABCDEF") != n)
            return bad_serial(hex, err);
        ok = BN_hex2bn(&bn, hex) != 0;
        if (ok && (BN_is_zero(bn) || BN_num_bits(bn) > 8 * SERIAL_MAX - 1)) {
            BN_free(bn);
            return bad_serial(hex, err);
        }
    } else {
        ok = RAND_bytes(random, sizeof(random)) == 1;
        random[0] = (unsigned char)((random[0] & 0x7f) | 0x40);
        bn = ok ? BN_bin2bn(random, sizeof(random), NULL) : NULL;
    }
    ok = ok && bn != NULL &&
         BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) != NULL;
    BN_free(bn);
    return ok ? TLSOCK_OK
              : tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot make a serial");
}

static int set_time(ASN1_TIME *t, int64_t seconds)
{
    return ASN1_TIME_set(t, (time_t)seconds) != NULL;
}

static int fill(const struct tsk_make *m, X509 *x, tlsock_error *err)
{
    const X509_NAME *issuer = m->o->issuer != NULL
                                  ? X509_get_subject_name(m->o->issuer->leaf)
                                  : m->subject;
    int rc = set_serial(x, m->o->serial, err);

    if (rc != TLSOCK_OK)
        return rc;
    if (!X509_set_version(x, X509_VERSION_3) ||
        !X509_set_subject_name(x, m->subject) ||
        !X509_set_issuer_name(x, issuer) ||
        !set_time(X509_getm_notBefore(x), m->from) ||
        !set_time(X509_getm_notAfter(x), m->to) || !X509_set_pubkey(x, m->key))
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM,
                             "cannot make the certificate");
    return tsk_ext_add(m, x, err);
}

static int sign(const struct tsk_make *m, X509 *x, tlsock_error *err)
{
    EVP_PKEY *key = m->o->issuer != NULL ? m->o->issuer->key : m->key;
    int id = EVP_PKEY_get_base_id(key);
    int fixed = id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448;

    if (X509_sign(x, key, fixed ? NULL : m->md) > 0)
        return TLSOCK_OK;
    return tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED,
                         "the issuer's key cannot sign");
}

/* What goes along: the issuer and its chain, but never a root. */
static STACK_OF(X509) *chain_of(const tlsock_cert *issuer)
{
    STACK_OF(X509) *chain = sk_X509_new_null();

    for (int i = -1; issuer != NULL && chain != NULL &&
                     i < sk_X509_num(issuer->chain);
         i++) {
        X509 *x = i < 0 ? issuer->leaf : sk_X509_value(issuer->chain, i);

        if ((X509_get_extension_flags(x) & EXFLAG_SS) != 0)
            break;
        if (sk_X509_push(chain, x) <= 0) {
            sk_X509_free(chain);
            return NULL;
        }
    }
    return chain;
}

static int make(struct tsk_make *m, tlsock_cert **out, tlsock_error *err)
{
    STACK_OF(X509) *chain = NULL;
    X509 *x = X509_new();
    int rc = x != NULL ? plan(m, err) : tsk_fail_nomem(err);

    if (rc == TLSOCK_OK && m->key == NULL)
        rc = tsk_make_key(&m->key, m->o->key, err);
    if (rc == TLSOCK_OK)
        rc = fill(m, x, err);
    if (rc == TLSOCK_OK)
        rc = sign(m, x, err);
    /* not before: this makes OpenSSL remember the certificate as it is then,
     * without its signature */
    if (rc == TLSOCK_OK)
        rc = tsk_issuer_allows(m, x, err);
    if (rc == TLSOCK_OK) {
        chain = chain_of(m->o->issuer);
        *out = chain != NULL
                   ? tsk_cert_new(x, chain, m->o->csr == NULL ? m->key : NULL,
                                  err)
                   : NULL;
        rc = *out != NULL ? TLSOCK_OK : tsk_fail_nomem(err);
    }
    sk_X509_free(chain);
    X509_free(x);
    return rc;
}

tlsock_cert *tsk_cert_create(const tlsock_cert_opts *o, tlsock_error *err)
{
    struct tsk_make m = {.o = o};
    tlsock_cert *c = NULL;
    int rc;

    tsk_ossl_enter();
    rc = make(&m, &c, err);
    X509_NAME_free(m.subject);
    GENERAL_NAMES_free(m.sans);
    EVP_PKEY_free(m.key);
    tsk_ossl_leave();
    return rc == TLSOCK_OK ? c : NULL;
}
