/* The common name of a subject, where a rule looks at it. */
#include "verify/host_private.h"

#include <openssl/x509v3.h>
#include <string.h>

int tsk_host_asks_cn(const GENERAL_NAMES *names, const struct tsk_ask *q)
{
    if (q->rule->when != TSK_CN_WITHOUT_SAN)
        return q->rule->when == TSK_CN_ALWAYS;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int type = sk_GENERAL_NAME_value(names, i)->type;

        /* a list of addresses says which ones count; of hosts it says
         * nothing */
        if (type == GEN_DNS || (q->family != 0 && type == GEN_IPADD))
            return 0;
    }
    return 1;
}

/* RFC 2818, 3.1: of several, the most specific one; it is the last. */
static const ASN1_STRING *last_cn(X509 *crt)
{
    const X509_NAME *subject = X509_get_subject_name(crt);
    const ASN1_STRING *cn = NULL;

    for (int i = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
         i >= 0; i = X509_NAME_get_index_by_NID(subject, NID_commonName, i))
        cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i));
    return cn;
}

int tsk_host_cn(X509 *crt, char cn[256])
{
    const ASN1_STRING *s = last_cn(crt);
    unsigned char *text = NULL;
    int len, good;

    cn[0] = '\0';
    if (s == NULL)
        return 0;
    len = ASN1_STRING_to_UTF8(&text, s);
    good = len > 0 && len < 256 && memchr(text, '\0', (size_t)len) == NULL;
    if (good) {
        memcpy(cn, text, (size_t)len);
        len -= len > 1 && cn[len - 1] == '.'; /* no SAN may have it */
        cn[len] = '\0';
    }
    OPENSSL_free(text);
    return good;
}
