/* The extensions of a list: RFC 5280, 5.2. What is critical and not known
 * forbids the use of the whole list. */
#include "ossl/queue.h"
#include "revoke/crl_private.h"

#include <string.h>

static const uint8_t number_oid[] = {0x55, 0x1d, 0x14},
                     base_oid[] = {0x55, 0x1d, 0x1b},
                     idp_oid[] = {0x55, 0x1d, 0x1c},
                     akid_oid[] = {0x55, 0x1d, 0x23};

static int read_integer(ASN1_INTEGER **to, const struct tsk_tlv *value)
{
    const unsigned char *p = value->p;

    *to = d2i_ASN1_INTEGER(NULL, &p, (long)tsk_tlv_len(value));
    return *to != NULL && p == value->end;
}

static int read_number(struct tsk_crl *l, const struct tsk_tlv *value)
{
    return read_integer(&l->number, value);
}

static int read_base(struct tsk_crl *l, const struct tsk_tlv *value)
{
    return read_integer(&l->base, value);
}

static int read_akid(struct tsk_crl *l, const struct tsk_tlv *value)
{
    const unsigned char *p = value->p;

    l->akid_der = *value;
    l->akid = d2i_AUTHORITY_KEYID(NULL, &p, (long)tsk_tlv_len(value));
    return l->akid != NULL && p == value->end;
}

static int read_idp(struct tsk_crl *l, const struct tsk_tlv *value)
{
    const unsigned char *p = value->p;

    l->idp_der = *value;
    l->idp = d2i_ISSUING_DIST_POINT(NULL, &p, (long)tsk_tlv_len(value));
    if (l->idp == NULL || p != value->end)
        return 0;
    return l->idp->distpoint == NULL ||
           DIST_POINT_set_dpname(l->idp->distpoint, l->issuer);
}

static const struct known {
    const uint8_t *oid;
    int (*read)(struct tsk_crl *l, const struct tsk_tlv *value);
} known[] = {{number_oid, read_number},
             {base_oid, read_base},
             {idp_oid, read_idp},
             {akid_oid, read_akid}};

#define N_KNOWN (sizeof(known) / sizeof(known[0]))

static size_t which(const struct tsk_tlv *oid)
{
    size_t i = 0;

    while (i < N_KNOWN &&
           (tsk_tlv_len(oid) != 3 || memcmp(oid->p, known[i].oid, 3) != 0))
        i++;
    return i;
}

int tsk_crl_exts(struct tsk_crl *l, struct tsk_tlv exts)
{
    struct tsk_tlv_ext e;
    unsigned seen = 0;
    int more;

    while ((more = tsk_tlv_ext_next(&exts, &e)) != 0) {
        size_t i = more > 0 ? which(&e.oid) : 0;

        if (more < 0 || (i < N_KNOWN && (seen & 1u << i) != 0))
            return TLSOCK_E_OWN_FILE;
        seen |= 1u << i;
        if (i < N_KNOWN && !known[i].read(l, &e.value))
            return tsk_ossl_starved() ? TLSOCK_E_NOMEM : TLSOCK_E_OWN_FILE;
        if (i == N_KNOWN && e.critical)
            l->unusable = "it has a critical extension that is not known";
        if (i == 0 && e.critical) /* RFC 5280, 5.2.3 */
            l->unusable = "its CRL number is critical";
    }
    return TLSOCK_OK;
}
