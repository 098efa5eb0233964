/* Names: what a user types against what a certificate holds.
 * Input: the host up to a LF, then dNSName entries separated by LF. */
#include "net/addr.h"
#include "verify/host.h"
#include "verify/host_private.h"
#include "verify/pin.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing but names is in it: a CN is the last entry once more. */
static const char *const schemes[] = {"www",  "ldap", "smtp",
                                      "gist", "sip",  "legacy"};

/* RFC 9525 is stricter than OpenSSL, save that it knows underscores; and each
 * older rule that takes something names a host. */
static void compare(X509 *x, const char *host, int rc)
{
    char cn[256];

    if (rc == 0 && strchr(host, '_') == NULL &&
        X509_check_host(x, host, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                        NULL) != 1 &&
        X509_check_ip_asc(x, host, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT) != 1)
        abort();
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        int other = tsk_host_judge(x, host, schemes[i], 1, cn, NULL);

        if (cn[0] != '\0' && other != 0)
            abort();
        if (rc == 0 && other != 0 && strcmp(schemes[i], "sip") != 0)
            abort();
    }
}

static X509 *certificate_of(const uint8_t *p, size_t len)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    X509 *x = X509_new();

    for (int i = 0; i < 8 && len > 0; i++) {
        const uint8_t *end = memchr(p, '\n', len);
        size_t n = end == NULL ? len : (size_t)(end - p);
        GENERAL_NAME *g = GENERAL_NAME_new();
        ASN1_IA5STRING *s = ASN1_IA5STRING_new();

        ASN1_STRING_set(s, p, (int)n);
        GENERAL_NAME_set0_value(g, GEN_DNS, s);
        sk_GENERAL_NAME_push(names, g);
        n += end != NULL;
        p += n;
        len -= n;
    }
    if (sk_GENERAL_NAME_num(names) > 0) {
        const ASN1_STRING *last =
            sk_GENERAL_NAME_value(names, sk_GENERAL_NAME_num(names) - 1)->d.ia5;

        X509_NAME_add_entry_by_NID(
            X509_get_subject_name(x), NID_commonName, V_ASN1_IA5STRING,
            ASN1_STRING_get0_data(last), ASN1_STRING_length(last), -1, 0);
    }
    X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0);
    GENERAL_NAMES_free(names);
    return x;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t len = end == NULL ? size : (size_t)(end - data);
    char host[512], out[256];
    struct tsk_pin pin;
    const char *rest;
    tlsock_error err;
    X509 *x;
    int rc;

    if (size > 8192)
        return 0;
    if (len >= sizeof(host))
        len = sizeof(host) - 1;
    memcpy(host, data, len);
    host[len] = '\0';
    x = certificate_of(end == NULL ? data : end + 1,
                       end == NULL ? 0 : size - (size_t)(end + 1 - data));
    rc = tsk_host_match(x, host, NULL, 1, &err);
    /* what is accepted is a host, and stays accepted without the list */
    if (rc == 0 && strncmp(host, "mail:", 5) != 0 &&
        (tsk_host_normalise(out, host, NULL) != 0 || strchr(out, '*') != NULL ||
         out[0] == '.' || tsk_host_match(x, host, NULL, 0, NULL) != 0))
        abort();
    /* what is asked of OpenSSL is the name as it was understood */
    if (strncmp(host, "mail:", 5) != 0 &&
        tsk_host_normalise(out, host, NULL) == 0)
        compare(x, out, rc);
    (void)tsk_psl_suffix(host, 1, out, sizeof(out));
    (void)tsk_pin_parse(&pin, host, &err);
    for (const char *at = host, *start; at != NULL; at = rest) {
        start = tsk_pin_next(at, &len, &rest);
        if (start == NULL)
            break;
        if (start < at || rest < start + len)
            abort();
    }
    X509_free(x);
    return 0;
}
