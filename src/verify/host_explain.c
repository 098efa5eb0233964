/* Why a certificate is not for the name asked for. */
#include "cert/cert.h"
#include "core/str.h"
#include "net/addr.h"
#include "verify/host_private.h"

#include <openssl/x509v3.h>
#include <string.h>

struct near_miss {
    char pattern[80]; /* the entry that was nearly it, escaped */
    const char *rule; /* why it is not */
    int dns, ip;      /* entries of each kind */
};

static int ends_with(const char *text, const char *end, size_t end_len)
{
    size_t len = strlen(text);

    return len >= end_len &&
           tsk_casencmp(text + len - end_len, end, end_len) == 0;
}

static const char *wildcard_rule(const char *clean, size_t len,
                                 const struct tsk_ask *q)
{
    const char *host = q->host;

    if (tsk_casecmp(clean + 2, host) == 0)
        return "does not cover the bare domain: a wildcard stands for "
               "exactly one label";
    if (!ends_with(host, clean + 1, len - 1))
        return NULL;
    if (q->rule->san == TSK_WILD_NONE)
        return "is a wildcard, which this scheme does not take";
    if (strchr(host, '.') == host + strlen(host) - (len - 1))
        return "is a wildcard directly under a public suffix, which "
               "covers other people's names too";
    return "covers one label only: a wildcard does not stand for several";
}

/* The rule that keeps one dNSName from being this host, or NULL if it is just
 * another name. */
static const char *broken_rule(const char *p, size_t len,
                               const struct tsk_ask *q)
{
    const char *host = q->host, *dot;
    char clean[256];

    if (len == 0 || len > 255)
        return NULL;
    memcpy(clean, p, len);
    clean[len] = '\0';
    if (memchr(p, '\0', len) != NULL)
        return strncmp(clean, host, strlen(host)) == 0
                   ? "has a NUL byte in it and means nothing"
                   : NULL;
    if (clean[len - 1] == '.') {
        clean[--len] = '\0';
        return tsk_host_fits(clean, len, host, q->rule->san, q->psl)
                   ? "ends in a dot, which no name in a certificate may"
                   : NULL;
    }
    if (strncmp(clean, "*.", 2) == 0 && strchr(clean + 1, '*') == NULL)
        return wildcard_rule(clean, len, q);
    if (strchr(clean, '*') == NULL)
        return NULL;
    dot = strrchr(clean, '*') + 1;
    if (!ends_with(host, dot, strlen(dot)))
        return NULL;
    return q->rule->san == TSK_WILD_ANY
               ? "has a wildcard where none counts"
               : "has a wildcard that is not the whole first label";
}

static void look(struct near_miss *m, const GENERAL_NAMES *names,
                 const struct tsk_ask *q)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *gen = sk_GENERAL_NAME_value(names, i);
        const char *p, *rule = NULL;
        size_t len;

        m->ip += gen->type == GEN_IPADD;
        if (gen->type != GEN_DNS)
            continue;
        m->dns++;
        p = (const char *)ASN1_STRING_get0_data(gen->d.dNSName);
        len = (size_t)ASN1_STRING_length(gen->d.dNSName);
        if (m->rule != NULL)
            continue;
        if (q->family == 0)
            rule = broken_rule(p, len, q);
        else if (len == strlen(q->host) && tsk_casencmp(p, q->host, len) == 0)
            rule = "is an address written as a DNS name; addresses count as "
                   "iPAddress entries alone";
        if (rule == NULL)
            continue;
        m->rule = rule;
        tsk_printable(m->pattern, sizeof(m->pattern), p, len);
    }
}

/* Is the host one of the subject's common names? */
static int in_cn(X509 *crt, const struct tsk_ask *q)
{
    const X509_NAME *subject = X509_get_subject_name(crt);

    for (int i = -1;;) {
        const ASN1_STRING *cn;
        const char *p;
        size_t len;

        i = X509_NAME_get_index_by_NID(subject, NID_commonName, i);
        if (i < 0)
            return 0;
        cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i));
        p = (const char *)ASN1_STRING_get0_data(cn);
        len = (size_t)ASN1_STRING_length(cn);
        if (tsk_host_fits(p, len, q->host, TSK_WILD_ANY, q->psl) ||
            (len == strlen(q->host) && tsk_casencmp(p, q->host, len) == 0))
            return 1;
    }
}

/* Why a CN that is the name did not do. */
static const char *cn_rule(const GENERAL_NAMES *names, const struct tsk_ask *q)
{
    if (q->rule->when == TSK_CN_NEVER)
        return "never used";
    if (!tsk_host_asks_cn(names, q))
        return "used only where no subjectAltName is";
    if (q->family != 0)
        return "no place for this address";
    return "not used with such a wildcard, nor beside a more specific one";
}

static void hint(X509 *crt, const GENERAL_NAMES *names,
                 const struct near_miss *m, const struct tsk_ask *q,
                 tlsock_error *err)
{
    const char *kind = q->family ? "IP" : "DNS";

    if (m->rule != NULL)
        tsk_hint(err,
                 "\"%s\" %s; use a name it covers, or reissue the "
                 "certificate with this one",
                 m->pattern, m->rule);
    else if (in_cn(crt, q))
        tsk_hint(err,
                 "it has the name only as common name (CN), which is "
                 "%s (%s); reissue it with a subjectAltName of %s:%.90s",
                 cn_rule(names, q), q->rule->title, kind, q->host);
    else if (q->family != 0 && m->dns > 0 && m->ip == 0)
        tsk_hint(err,
                 "it has DNS names only and you asked for an address: "
                 "connect by one of these names, or set the expected "
                 "name (--name); else reissue it with IP:%s",
                 q->host);
    else if (q->family == 0 && m->ip > 0 && m->dns == 0)
        tsk_hint(err,
                 "it has addresses only and you asked for a host name: "
                 "connect by address, or reissue it with DNS:%.130s",
                 q->host);
    else if (m->dns + m->ip == 0)
        tsk_hint(err,
                 "reissue it with a subjectAltName of %s:%.130s, or accept "
                 "it by fingerprint (--pin)",
                 kind, q->host);
    else
        tsk_hint(err,
                 "use one of these names, or set it as the expected name "
                 "(--name, opts.name) if this host really is it; else "
                 "reissue the certificate with %.100s",
                 q->host);
}

static void say_mismatch(X509 *crt, const GENERAL_NAMES *names,
                         const struct tsk_ask *q, tlsock_error *err)
{
    char sans[112], subject[96], cn[256], shown[64];

    tsk_cert_sans_text(crt, sans, sizeof(sans));
    tsk_cert_short_name(crt, subject, sizeof(subject));
    if (tsk_host_asks_cn(names, q) && tsk_host_cn(crt, cn)) {
        tsk_printable(shown, sizeof(shown), cn, strlen(cn));
        tsk_fail(err, TLSOCK_E_NAME_MISMATCH,
                 "you asked for \"%.110s\"; the certificate is for %s%sthe CN "
                 "%s (%s)",
                 q->host, sans, sans[0] != '\0' ? " and " : "", shown,
                 q->rule->title);
    } else {
        tsk_fail(err, TLSOCK_E_NAME_MISMATCH,
                 sans[0] != '\0'
                     ? "you asked for \"%.110s\"; the certificate is for %s"
                     : "you asked for \"%.110s\"; the certificate has no "
                       "names%s",
                 q->host, sans);
    }
    tsk_facts(err, q->host, sans, subject);
}

int tsk_host_explain(X509 *crt, const GENERAL_NAMES *names,
                     const struct tsk_ask *q, tlsock_error *err)
{
    struct near_miss m = {.rule = NULL};

    if (err == NULL)
        return TLSOCK_E_NAME_MISMATCH;
    say_mismatch(crt, names, q, err);
    err->x509_code = q->family != 0 ? X509_V_ERR_IP_ADDRESS_MISMATCH
                                    : X509_V_ERR_HOSTNAME_MISMATCH;
    if (strchr(q->host, '@') != NULL) {
        err->x509_code = X509_V_ERR_EMAIL_MISMATCH;
        tsk_hint(err,
                 "use an address that the certificate has, or reissue it "
                 "with email:%.100s",
                 q->host);
        return TLSOCK_E_NAME_MISMATCH;
    }
    look(&m, names, q);
    hint(crt, names, &m, q, err);
    return TLSOCK_E_NAME_MISMATCH;
}
