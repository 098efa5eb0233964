/* What the options come to, before any key or extension is made. */
#include "cert/csr.h"
#include "cert/make.h"

#include "core/clock.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/objects.h>
#include <string.h>

#define DAY 86400
#define LEAF_DAYS 90
#define CA_DAYS 3650
#define LAST_SECOND 253402300799LL /* 9999-12-31: RFC 5280, 4.1.2.5 */
#define CN_MAX 64                  /* ub-common-name */

static int contradiction(tlsock_error *err, const char *what, const char *hint)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "%s", what);
    tsk_hint(err, "%s", hint);
    return TLSOCK_E_ARGUMENT;
}

static int check_request(const tlsock_cert_opts *o, tlsock_error *err)
{
    static const char theirs[] = "leave it out: who signs the request decides "
                                 "on that";

    if (o->issuer != NULL || o->csr != NULL || o->csr_ext != NULL)
        return contradiction(err, "a request has no issuer and answers no "
                             "other request", theirs);
    if (o->crl_url != NULL || o->ocsp_url != NULL || o->aia_url != NULL)
        return contradiction(err, "a request has no addresses of its issuer",
                             theirs);
    if (o->permitted != NULL)
        return contradiction(err, "a request has no permitted names", theirs);
    if (o->days != 0 || o->not_before != 0 || o->not_after != 0)
        return contradiction(err, "a request has no lifetime", theirs);
    if (o->serial != NULL)
        return contradiction(err, "a request has no serial", theirs);
    return TLSOCK_OK;
}

static int check_lists(const tlsock_cert_opts *o, tlsock_error *err)
{
    if ((o->n_sans != 0 && o->sans == NULL) ||
        (o->n_ext != 0 && o->ext == NULL))
        return contradiction(err, "a list is NULL, but its number is not 0",
                             "set both, or none");
    if (o->csr != NULL && o->issuer == NULL)
        return contradiction(err, "a signing request needs an issuer",
                             "name the CA that is to answer it");
    if (o->csr != NULL && o->key != NULL)
        return contradiction(err, "a signing request brings its own key",
                             "leave out the key, or the request");
    if (o->csr != NULL && o->like != NULL)
        return contradiction(err, "a signing request and a certificate to be "
                             "like both say what it is to be",
                             "leave out one of them");
    if (o->csr_ext != NULL && o->csr == NULL)
        return contradiction(err, "extensions of a signing request are named, "
                             "but no request", "name the request too");
    if (o->pass != NULL && o->key == NULL)
        return contradiction(err, "a password is named, but no key to open",
                             "name the file of the key too");
    return TLSOCK_OK;
}

static int plan_digest(struct tsk_make *m, tlsock_error *err)
{
    const char *name = m->o->digest;
    char shown[96];

    if (name == NULL) {
        if (m->md == NULL)
            m->md = EVP_sha256();
        return TLSOCK_OK;
    }
    if (tsk_casecmp(name, "sha256") == 0)
        m->md = EVP_sha256();
    else if (tsk_casecmp(name, "sha384") == 0)
        m->md = EVP_sha384();
    else if (tsk_casecmp(name, "sha512") == 0)
        m->md = EVP_sha512();
    else {
        tsk_printable(shown, sizeof(shown), name, strlen(name));
        tsk_fail(err, TLSOCK_E_ARGUMENT, "digest \"%s\" is not known", shown);
        tsk_hint(err, "valid are sha256, sha384, sha512");
        return TLSOCK_E_ARGUMENT;
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

/* An end in the past is a slip (a number of days, say), unless the beginning
 * was named too. */
static int plan_time(struct tsk_make *m, tlsock_error *err)
{
    const tlsock_cert_opts *o = m->o;
    int64_t most = m->lifetime != 0 ? m->lifetime
                   : m->ca          ? CA_DAYS * (int64_t)DAY
                                    : LEAF_DAYS * (int64_t)DAY;

    m->now = tsk_wall_time();
    if (o->not_before < 0 || o->not_after < 0 || o->days < 0)
        return bad_time(err, "a value is negative");
    if (o->not_before > LAST_SECOND || o->not_after > LAST_SECOND)
        return bad_time(err, "a value is behind the year 9999");
    if (o->days != 0)
        most = o->days * (int64_t)DAY;
    m->from = o->not_before != 0 ? o->not_before : m->now;
    m->to = o->not_after != 0 ? o->not_after : m->from + most;
    if (m->to > LAST_SECOND)
        return bad_time(err, "it ends behind the year 9999");
    if (o->not_before == 0 && m->to <= m->now)
        return bad_time(err, "it ends in the past");
    if (m->to <= m->from)
        return bad_time(err, "it ends before it begins");
    return TLSOCK_OK;
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

/* Where names, usages and the rest come from if no option says them. */
static int plan_sources(struct tsk_make *m, tlsock_error *err)
{
    int rc = TLSOCK_OK;

    m->sans = GENERAL_NAMES_new();
    if (m->sans == NULL)
        return tsk_fail_nomem(err);
    for (size_t i = 0; rc == TLSOCK_OK && i < m->o->n_sans; i++)
        rc = tsk_san_add(m->sans, m->o->sans[i], err);
    if (rc == TLSOCK_OK && m->o->subject != NULL)
        rc = tsk_subject_parse(&m->subject, m->o->subject, err);
    m->ca = m->o->ca;
    m->pathlen = m->o->pathlen;
    if (rc == TLSOCK_OK && m->o->like != NULL)
        rc = tsk_like_take(m, err);
    if (rc == TLSOCK_OK && m->o->csr != NULL)
        rc = tsk_csr_take(m, err);
    if (rc == TLSOCK_OK && !m->use_known)
        rc = tsk_purpose_parse(m, m->o->purpose, err);
    return rc;
}

static int check_ca(const struct tsk_make *m, tlsock_error *err)
{
    if (m->o->permitted != NULL && !m->ca)
        return contradiction(err, "permitted names are for a CA alone",
                             "leave them out, or make a CA");
    if (m->o->pathlen != 0 && !m->ca)
        return contradiction(err, "a path length is for a CA alone",
                             "leave it out, or make a CA");
    if (m->pathlen < -1 || m->pathlen > 100)
        return contradiction(err, "the path length is not possible",
                             "valid are -1 (any), and 0 to 100");
    return TLSOCK_OK;
}

/* The first name, as the subject. One that is too long for a CN goes without,
 * and so do addresses that a CN would make look like a DNS name outside the
 * issuer's constraints: RFC 5280 then wants the names to be critical. */
static int default_subject(struct tsk_make *m, tlsock_error *err)
{
    char name[512] = "";

    m->subject = X509_NAME_new();
    if (m->subject == NULL)
        return tsk_fail_nomem(err);
    if (sk_GENERAL_NAME_num(m->sans) > 0 &&
        (tsk_has_dns(m->sans) || !tsk_issuer_constrains(m->o->issuer)))
        tsk_san_plain(sk_GENERAL_NAME_value(m->sans, 0), name, sizeof(name));
    if (name[0] == '\0' || strlen(name) > CN_MAX)
        return TLSOCK_OK;
    return X509_NAME_add_entry_by_NID(m->subject, NID_commonName, MBSTRING_UTF8,
                                      (unsigned char *)name, -1, -1, 0)
               ? TLSOCK_OK
               : tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot make the subject");
}

static int have_names(struct tsk_make *m, tlsock_error *err)
{
    int rc = m->subject == NULL ? default_subject(m, err) : TLSOCK_OK;

    if (rc != TLSOCK_OK || X509_NAME_entry_count(m->subject) > 0 ||
        (!m->ca && sk_GENERAL_NAME_num(m->sans) > 0))
        return rc;
    tsk_fail(err, TLSOCK_E_NO_NAME, "%s needs a name",
             m->ca        ? "a CA"
             : m->request ? "a signing request"
                          : "a certificate");
    tsk_hint(err, "give a subject, such as CN=%s", m->ca ? "My CA" : "my name");
    return TLSOCK_E_NO_NAME;
}

int tsk_make_plan(struct tsk_make *m, tlsock_error *err)
{
    int rc = m->request ? check_request(m->o, err) : TLSOCK_OK;

    if (rc == TLSOCK_OK)
        rc = check_lists(m->o, err);
    if (rc == TLSOCK_OK)
        rc = plan_sources(m, err);
    if (rc == TLSOCK_OK)
        rc = check_ca(m, err);
    if (rc == TLSOCK_OK)
        rc = plan_digest(m, err);
    if (rc == TLSOCK_OK && !m->request)
        rc = plan_time(m, err);
    if (rc == TLSOCK_OK && !m->request)
        rc = tsk_issuer_check(m, err);
    if (rc == TLSOCK_OK && !m->request)
        rc = fit_issuer(m, err);
    if (rc == TLSOCK_OK)
        rc = have_names(m, err);
    return rc;
}

int tsk_plan_key(struct tsk_make *m, tlsock_error *err)
{
    const char *spec = m->o->key;

    if (spec == NULL && m->key_spec[0] != '\0')
        spec = m->key_spec;
    return tsk_make_key(&m->key, spec, m->o->pass, err);
}
