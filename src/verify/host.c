#include "verify/host.h"

#include "core/mem.h"
#include "core/str.h"
#include "net/addr.h"
#include "ossl/queue.h"
#include "verify/host_private.h"

#include <openssl/x509v3.h>
#include <string.h>

/* One set of rules is behind all of them: RFC 9525 has replaced what the
 * protocols once said each for itself (RFC 2818, 4513, 2595, ...). */
static const char *const schemes[] = {
    "rfc9525", "default", "www",  "http", "https", "smtp", "imap", "pop3",
    "ldap",    "ftp",     "xmpp", "acap", "nntp",  "sip",  "snmp", "syslog",
};

int tsk_scheme_known(const char *scheme)
{
    if (scheme == NULL)
        return 1;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (tsk_casecmp(scheme, schemes[i]) == 0)
            return 1;
    }
    return 0;
}

static int unknown_scheme(const char *scheme, tlsock_error *err)
{
    char list[160], shown[64];
    size_t pos = 0;

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        tsk_append(list, sizeof(list), &pos, "%s%s", i > 0 ? ", " : "",
                   schemes[i]);
    tsk_printable(shown, sizeof(shown), scheme, strnlen(scheme, 100));
    tsk_fail(err, TLSOCK_E_ARGUMENT, "unknown name scheme \"%s\"", shown);
    tsk_hint(err, "the schemes are %s", list);
    return TLSOCK_E_ARGUMENT;
}

/* The length of a dNSName that can mean a host: LDH (and underscore) labels
 * of 1 to 63 bytes, the first may be "*". No final dot (RFC 5280, 4.2.1.6:
 * preferred name syntax), no NUL: such entries never match. Else 0. */
static size_t usable(const char *p, size_t len)
{
    size_t label = 0;

    if (len == 0 || len > 253)
        return 0;
    for (size_t i = 0; i < len; i++) {
        char c = p[i];

        if (c == '.') {
            if (label == 0)
                return 0;
            label = 0;
            continue;
        }
        if (c == '*' && (i != 0 || len < 2 || p[1] != '.'))
            return 0;
        if (c != '*' && c != '-' && c != '_' && !(c >= '0' && c <= '9') &&
            !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
            return 0;
        if (++label > 63)
            return 0;
    }
    return label > 0 ? len : 0;
}

int tsk_host_wild_refused(const char *suffix, int psl)
{
    /* "*.com" needs no list to be refused */
    if (strchr(suffix, '.') == NULL)
        return 1;
    return psl && tsk_psl_is_suffix(suffix);
}

int tsk_host_fits(const char *pattern, size_t len, const char *host, int psl)
{
    char suffix[256];
    const char *rest;

    if (usable(pattern, len) == 0)
        return 0;
    if (pattern[0] != '*')
        return strlen(host) == len && tsk_casencmp(pattern, host, len) == 0;
    rest = strchr(host, '.'); /* RFC 9525, 6.3: exactly one label */
    if (rest == NULL || strlen(rest) != len - 1 ||
        tsk_casencmp(pattern + 1, rest, len - 1) != 0)
        return 0;
    for (size_t i = 0; i < len - 1; i++)
        suffix[i] = rest[i + 1]; /* host is in lower case already */
    return !tsk_host_wild_refused(suffix, psl);
}

/* OpenSSL has to agree; it alone would take less than we refuse. */
static int dns_fits(X509 *crt, const GENERAL_NAMES *names, const char *host,
                    int psl)
{
    int found = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        const GENERAL_NAME *gen = sk_GENERAL_NAME_value(names, i);

        if (gen->type == GEN_DNS)
            found = tsk_host_fits(
                (const char *)ASN1_STRING_get0_data(gen->d.dNSName),
                (size_t)ASN1_STRING_length(gen->d.dNSName), host, psl);
    }
    return found && X509_check_host(crt, host, 0,
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                                    NULL) == 1;
}

static int check_mail(X509 *crt, const char *mail, tlsock_error *err)
{
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
    return yes < 0 ? tsk_fail_nomem(err)
                   : tsk_host_explain(crt, NULL, mail, 0, 0, err);
}

/* 1 fits, 0 not, negative code */
static int fits(X509 *crt, const char *host, int ip_len, const uint8_t *ip,
                int psl, GENERAL_NAMES **names, tlsock_error *err)
{
    int yes, critical = 0;

    *names = X509_get_ext_d2i(crt, NID_subject_alt_name, &critical, NULL);
    if (*names == NULL) {
        if (critical == -1) /* there is none: no name at all */
            return 0;
        /* -2: twice; else: not to be decoded, or out of memory */
        return tsk_fail_ossl(err, TLSOCK_E_CERT_INVALID,
                             "the certificate's subjectAltName is %s",
                             critical == -2 ? "there twice" : "damaged");
    }
    yes = ip_len != 0 ? X509_check_ip(crt, ip, (size_t)ip_len, 0)
                      : dns_fits(crt, *names, host, psl);
    return yes < 0 ? tsk_fail_nomem(err) : yes;
}

int tsk_host_match(X509 *crt, const char *name, const char *scheme, int psl,
                   tlsock_error *err)
{
    GENERAL_NAMES *names = NULL;
    char host[256];
    uint8_t ip[16];
    int rc, family;

    if (!tsk_scheme_known(scheme))
        return unknown_scheme(scheme, err);
    if (name == NULL || name[0] == '\0') {
        tsk_fail(err, TLSOCK_E_NO_NAME,
                 "there is no name to look for in the certificate");
        tsk_hint(err, "say who is expected: the name in the target, opts.name "
                      "(--name), or a pin (--pin)");
        return TLSOCK_E_NO_NAME;
    }
    if (strncmp(name, "mail:", 5) == 0)
        return check_mail(crt, name + 5, err);
    rc = tsk_host_normalise(host, name, err);
    if (rc < 0)
        return rc;
    family = tsk_ip_parse(host, ip);
    tsk_ossl_enter();
    rc = fits(crt, host,
              family == 0   ? 0
              : family == 4 ? 4
                            : 16,
              ip, psl, &names, err);
    tsk_ossl_leave();
    if (rc == 0)
        rc = tsk_host_explain(crt, names, host, family, psl, err);
    else if (rc == 1)
        rc = TLSOCK_OK;
    GENERAL_NAMES_free(names);
    return rc;
}
