/* Is a private key the other half of a certificate's? Most forms of private
 * keys repeat the public half, so that bytes can be compared with bytes. */
#include "tls/lazyread.h"

#include <string.h>

#define EXPLICIT_0 0xa0
#define EXPLICIT_1 0xa1

static const uint8_t oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1};
static const uint8_t oid_ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1};

static int is_oid(const struct tsk_tlv *oid, const uint8_t *bytes, size_t len)
{
    return tsk_tlv_len(oid) == len && memcmp(oid->p, bytes, len) == 0;
}

/* RFC 8017, A.1.2: version, n, e, ...; A.1.1: n, e */
static int rsa_fits(struct tsk_tlv own, struct tsk_tlv public)
{
    struct tsk_tlv version, n, e, n_public, e_public, pair;

    return tsk_tlv_take(&public, TSK_TLV_SEQ, &pair) &&
           tsk_tlv_take(&pair, TSK_TLV_INTEGER, &n_public) &&
           tsk_tlv_take(&pair, TSK_TLV_INTEGER, &e_public) &&
           tsk_tlv_take(&own, TSK_TLV_INTEGER, &version) &&
           tsk_tlv_take(&own, TSK_TLV_INTEGER, &n) &&
           tsk_tlv_take(&own, TSK_TLV_INTEGER, &e) &&
           tsk_tlv_same(&n, &n_public) && tsk_tlv_same(&e, &e_public);
}

/* RFC 5915, 3: version, key, [0] curve, [1] public key, as most writers do */
static int ec_fits(struct tsk_tlv own, const struct tsk_tlv *public)
{
    struct tsk_tlv skip, outer, bits;

    if (!tsk_tlv_take(&own, TSK_TLV_INTEGER, &skip) ||
        !tsk_tlv_take(&own, TSK_TLV_OCTETS, &skip))
        return 0;
    (void)tsk_tlv_take(&own, EXPLICIT_0, &skip);
    if (!tsk_tlv_take(&own, EXPLICIT_1, &outer) ||
        !tsk_tlv_take(&outer, TSK_TLV_BITS, &bits) || tsk_tlv_len(&bits) < 2 ||
        *bits.p != 0)
        return 0;
    bits.p++;
    return tsk_tlv_same(&bits, public);
}

/* RFC 5208, 5: version, algorithm, OCTET STRING with the kind's own form. The
 * kinds' own forms have no SEQUENCE behind the version. */
static int unwrap(struct tsk_tlv *own, struct tsk_tlv *algorithm)
{
    struct tsk_tlv in = *own, version, octets, inner;

    if (!tsk_tlv_take(&in, TSK_TLV_INTEGER, &version) ||
        !tsk_tlv_take(&in, TSK_TLV_SEQ, algorithm))
        return 0;
    if (!tsk_tlv_take(&in, TSK_TLV_OCTETS, &octets) ||
        !tsk_tlv_take(&octets, TSK_TLV_SEQ, &inner)) {
        own->p = own->end; /* fits nothing */
        return 1;
    }
    *own = inner;
    return 1;
}

int tsk_lazy_key_fits(const unsigned char *der, size_t len,
                      const struct tsk_walk *cert)
{
    struct tsk_tlv in = {der, der + len}, own, theirs = {NULL, NULL};
    struct tsk_tlv algorithm = cert->algorithm, oid;

    if (!tsk_tlv_take(&in, TSK_TLV_SEQ, &own) || in.p != in.end ||
        !tsk_tlv_take(&algorithm, TSK_TLV_OID, &oid))
        return 0;
    /* in PKCS#8 key and certificate name kind and curve in the same words */
    if (unwrap(&own, &theirs) && !tsk_tlv_same(&theirs, &cert->algorithm))
        return 0;
    if (is_oid(&oid, oid_rsa, sizeof(oid_rsa)))
        return rsa_fits(own, cert->key);
    return is_oid(&oid, oid_ec, sizeof(oid_ec)) && ec_fits(own, &cert->key);
}

static int two(const uint8_t *p)
{
    return (p[0] - '0') * 10 + (p[1] - '0');
}

/* Days since 1970 by the calendar of Gregory. */
static int64_t days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int m = month <= 2 ? month + 9 : month - 3;

    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 -
           719468;
}

int tsk_lazy_time(const struct tsk_tlv *time, int tag, int64_t *out)
{
    size_t len = tsk_tlv_len(time), want = tag == TSK_TLV_UTC ? 13 : 15;
    const uint8_t *p = time->p;
    int year, month, day;

    if (len != want || p[len - 1] != 'Z')
        return 0;
    for (size_t i = 0; i + 1 < len; i++)
        if (p[i] < '0' || p[i] > '9')
            return 0;
    year = two(p);
    if (tag == TSK_TLV_UTC)
        year += year < 50 ? 2000 : 1900; /* RFC 5280, 4.1.2.5.1 */
    else
        year = year * 100 + two(p + 2);
    p += len - 11; /* MMDDHHMMSSZ */
    month = two(p);
    day = two(p + 2);
    if (month < 1 || month > 12 || day < 1 || day > 31 || two(p + 4) > 23 ||
        two(p + 6) > 59 || two(p + 8) > 59)
        return 0;
    *out = days(year, month, day) * 86400 + two(p + 4) * 3600 +
           two(p + 6) * 60 + two(p + 8);
    return 1;
}
