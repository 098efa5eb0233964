#include "verify/host.h"

#include "core/str.h"
#include "net/addr.h"
#include "ossl/queue.h"
#include "verify/host_private.h"

#include <openssl/x509v3.h>
#include <string.h>

int tsk_scheme_known(const char *scheme)
{
    return tsk_rule_of(scheme) != NULL;
}

static int unknown_scheme(const char *scheme, tlsock_error *err)
{
    char list[200], shown[64];

    tsk_rule_list(list, sizeof(list));
    tsk_printable(shown, sizeof(shown), scheme, strnlen(scheme, 100));
    tsk_fail(err, TLSOCK_E_ARGUMENT, "unknown name scheme \"%s\"", shown);
    tsk_hint(err, "the schemes are %s", list);
    return TLSOCK_E_ARGUMENT;
}

static int label_char(char c)
{
    return c == '-' || c == '_' || (c >= '0' && c <= '9') ||
           (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Can it mean a host at all? LDH (and underscore) labels of 1 to 63 bytes, in
 * the first of them one "*" if there are labels behind it. No final dot
 * (RFC 5280, 4.2.1.6: preferred name syntax), no NUL: such entries never
 * match. *star: where the "*" is, or -1. */
static int usable(const char *p, size_t len, int *star)
{
    size_t label = 0, dots = 0;

    *star = -1;
    if (len == 0 || len > 253)
        return 0;
    for (size_t i = 0; i < len; i++) {
        if (p[i] == '.') {
            if (label == 0)
                return 0;
            label = 0;
            dots++;
            continue;
        }
        if (p[i] == '*') {
            if (dots > 0 || *star >= 0)
                return 0;
            *star = (int)i;
        } else if (!label_char(p[i])) {
            return 0;
        }
        if (++label > 63)
            return 0;
    }
    return label > 0 && (*star < 0 || dots > 0);
}

/* Would "*." before suffix cover too much? */
static int wild_refused(const char *suffix, int psl)
{
    /* "*.com" needs no list to be refused */
    if (strchr(suffix, '.') == NULL)
        return 1;
    return psl && tsk_psl_is_suffix(suffix);
}

/* Does "w*w" stand for the host's first label? "*" is one character or more.
 * RFC 6125, 6.4.3: what is no whole label means nothing in A-labels. */
static int label_fits(const char *wild, size_t wlen, size_t star,
                      const char *label, size_t len)
{
    size_t tail = wlen - star - 1;

    if (len < wlen)
        return 0;
    if (wlen > 1 && (tsk_casencmp(wild, "xn--", 4) == 0 ||
                     tsk_casencmp(label, "xn--", 4) == 0))
        return 0;
    return tsk_casencmp(wild, label, star) == 0 &&
           tsk_casencmp(wild + star + 1, label + len - tail, tail) == 0;
}

int tsk_host_fits(const char *pattern, size_t len, const char *host,
                  enum tsk_wild wild, int psl)
{
    const char *dot, *rest;
    int star;

    if (!usable(pattern, len, &star))
        return 0;
    if (star < 0)
        return strlen(host) == len && tsk_casencmp(pattern, host, len) == 0;
    dot = memchr(pattern, '.', len);
    if (dot == NULL || wild == TSK_WILD_NONE ||
        (wild == TSK_WILD_LABEL && dot != pattern + 1))
        return 0;
    rest = strchr(host, '.'); /* RFC 9525, 6.3: exactly one label */
    len -= (size_t)(dot - pattern);
    return rest != NULL && strlen(rest) == len &&
           tsk_casencmp(dot, rest, len) == 0 &&
           label_fits(pattern, (size_t)(dot - pattern), (size_t)star, host,
                      (size_t)(rest - host)) &&
           !wild_refused(rest + 1, psl);
}

static int check_mail(X509 *crt, const char *mail, tlsock_error *err)
{
    const struct tsk_ask q = {.host = mail, .rule = tsk_rule_of(NULL)};
    const char *at = strchr(mail, '@');
    int yes;

    if (at == NULL || at == mail || at[1] == '\0' || strlen(mail) > 254)
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "\"mail:\" is not followed by an address (a@b.c)");
    tsk_ossl_enter();
    yes = X509_check_email(crt, mail, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    tsk_ossl_leave();
    if (yes == 1)
        return TLSOCK_OK;
    return yes < 0 ? tsk_fail_nomem(err) : tsk_host_explain(crt, NULL, &q, err);
}

/* Is one of the subjectAltNames it? */
static int san_fits(const GENERAL_NAMES *names, const struct tsk_ask *q)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *gen = sk_GENERAL_NAME_value(names, i);
        const ASN1_STRING *s = gen->d.ia5;

        if (q->family == 0 && gen->type == GEN_DNS &&
            tsk_host_fits((const char *)ASN1_STRING_get0_data(s),
                          (size_t)ASN1_STRING_length(s), q->host, q->rule->san,
                          q->psl))
            return 1;
        if (q->family != 0 && gen->type == GEN_IPADD &&
            ASN1_STRING_length(s) == (q->family == 4 ? 4 : 16) &&
            memcmp(ASN1_STRING_get0_data(s), q->ip, q->family == 4 ? 4 : 16) ==
                0)
            return 1;
    }
    return 0;
}

/* A CN that is an address counts as one only if it is written as one. */
static int cn_is_address(const char *cn, const struct tsk_ask *q)
{
    uint8_t ip[16];

    if (q->rule->ip == TSK_CN_IP_NO ||
        (q->rule->ip == TSK_CN_IP_V4 && q->family != 4))
        return 0;
    return tsk_ip_parse(cn, ip) == q->family &&
           memcmp(ip, q->ip, q->family == 4 ? 4 : 16) == 0;
}

static int cn_fits(X509 *crt, const GENERAL_NAMES *names,
                   const struct tsk_ask *q, char cn[256])
{
    int fits;

    if (!tsk_host_asks_cn(names, q) || !tsk_host_cn(crt, cn))
        return 0;
    fits = q->family != 0
               ? cn_is_address(cn, q)
               : tsk_host_fits(cn, strlen(cn), q->host, q->rule->cn, q->psl);
    if (!fits)
        cn[0] = '\0';
    return fits;
}

/* 1 fits, 0 not, negative code */
static int fits(X509 *crt, const struct tsk_ask *q, GENERAL_NAMES **names,
                char cn[256], tlsock_error *err)
{
    int critical = 0;

    *names = X509_get_ext_d2i(crt, NID_subject_alt_name, &critical, NULL);
    if (*names == NULL && critical != -1) { /* -1: there is none */
        /* -2: twice; else: not to be decoded, or out of memory */
        return tsk_fail_ossl(err, TLSOCK_E_CERT_INVALID,
                             "the certificate's subjectAltName is %s",
                             critical == -2 ? "there twice" : "damaged");
    }
    return san_fits(*names, q) || cn_fits(crt, *names, q, cn);
}

static int no_name(tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_NO_NAME,
             "there is no name to look for in the certificate");
    tsk_hint(err, "say who is expected: the name in the target, opts.name "
                  "(--name), or a pin (--pin)");
    return TLSOCK_E_NO_NAME;
}

int tsk_host_judge(X509 *crt, const char *name, const char *scheme, int psl,
                   char cn[256], tlsock_error *err)
{
    struct tsk_ask q = {.rule = tsk_rule_of(scheme), .psl = psl};
    GENERAL_NAMES *names = NULL;
    char host[256];
    int rc;

    cn[0] = '\0';
    if (q.rule == NULL)
        return unknown_scheme(scheme, err);
    if (name == NULL || name[0] == '\0')
        return no_name(err);
    if (strncmp(name, "mail:", 5) == 0)
        return check_mail(crt, name + 5, err);
    rc = tsk_host_normalise(host, name, err);
    if (rc < 0)
        return rc;
    q.host = host;
    q.family = tsk_ip_parse(host, q.ip);
    tsk_ossl_enter();
    rc = fits(crt, &q, &names, cn, err);
    tsk_ossl_leave();
    if (rc == 0)
        rc = tsk_host_explain(crt, names, &q, err);
    else if (rc == 1)
        rc = TLSOCK_OK;
    GENERAL_NAMES_free(names);
    return rc;
}

int tsk_host_match(X509 *crt, const char *name, const char *scheme, int psl,
                   tlsock_error *err)
{
    char cn[256];

    return tsk_host_judge(crt, name, scheme, psl, cn, err);
}
