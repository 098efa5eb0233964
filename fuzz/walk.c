/* What is read from a certificate's bytes in place against OpenSSL's decoder:
 * where both take it, they say the same. Input: the DER of a certificate. */
#include "tls/walk.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_name(const struct tsk_tlv *ours, const X509_NAME *theirs)
{
    const unsigned char *p = ours->p;
    X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)tsk_tlv_len(ours));

    if (name == NULL || X509_NAME_cmp(name, theirs) != 0)
        abort();
    X509_NAME_free(name);
}

/* Each dNSName, in order. */
static void same_sans(struct tsk_tlv sans, X509 *cert)
{
    GENERAL_NAMES *names =
        X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    struct tsk_tlv name;

    for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

        if (g->type != GEN_DNS)
            continue;
        if (!tsk_walk_dns(&sans, &name) ||
            tsk_tlv_len(&name) != (size_t)ASN1_STRING_length(g->d.dNSName) ||
            memcmp(name.p, ASN1_STRING_get0_data(g->d.dNSName),
                   tsk_tlv_len(&name)) != 0)
            abort();
    }
    if (names != NULL && tsk_walk_dns(&sans, &name))
        abort();
    GENERAL_NAMES_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const unsigned char *p = data;
    struct tsk_walk w;
    X509 *cert;

    if (size > 65536 || !tsk_walk_cert(data, size, &w))
        return 0;
    cert = d2i_X509(NULL, &p, (long)size);
    if (cert != NULL && p == data + size) {
        same_name(&w.issuer, X509_get_issuer_name(cert));
        same_name(&w.subject, X509_get_subject_name(cert));
        same_sans(w.sans, cert);
    }
    X509_free(cert);
    return 0;
}
