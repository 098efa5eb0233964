#include "tls/walk.h"

#include <string.h>

#define EXPLICIT_0 0xa0
#define EXPLICIT_3 0xa3
#define IMPLICIT_1 0x81
#define IMPLICIT_2 0x82
#define DNS_NAME 0x82 /* GeneralName: [2] IA5String */

static const uint8_t oid_san[] = {0x55, 0x1d, 0x11};
static const uint8_t oid_aia[] = {0x2b, 6, 1, 5, 5, 7, 1, 1};
static const uint8_t oid_ocsp[] = {0x2b, 6, 1, 5, 5, 7, 0x30, 1};
static const uint8_t oid_scts[] = {0x2b, 6,    1,    4, 1,
                                   0xd6, 0x79, 2,    4, 2};
static const uint8_t oid_policies[] = {0x55, 0x1d, 0x20};
static const uint8_t oid_forum[] = {0x67, 0x81, 0x0c, 1, 2}; /* 2.23.140.1.2 */

static int is_oid(const struct tsk_tlv *oid, const uint8_t *bytes, size_t len)
{
    return tsk_tlv_len(oid) == len && memcmp(oid->p, bytes, len) == 0;
}

#define IS(oid, bytes) is_oid(&(oid), bytes, sizeof(bytes))

static int take_time(struct tsk_tlv *from, struct tsk_tlv *time, int *tag)
{
    *tag = tsk_tlv_is(from, TSK_TLV_UTC) ? TSK_TLV_UTC : TSK_TLV_TIME;
    return tsk_tlv_take(from, (unsigned)*tag, time);
}

static int take_key(struct tsk_tlv *spki, struct tsk_walk *w)
{
    if (!tsk_tlv_take(spki, TSK_TLV_SEQ, &w->algorithm) ||
        !tsk_tlv_take(spki, TSK_TLV_BITS, &w->key) ||
        tsk_tlv_len(&w->key) < 2 || *w->key.p != 0)
        return 0;
    w->key.p++; /* how many bits are unused: none */
    return spki->p == spki->end;
}

/* AuthorityInfoAccess: SEQUENCE OF SEQUENCE { method OID, location } */
static int names_ocsp(struct tsk_tlv value)
{
    struct tsk_tlv all, one, oid;

    if (!tsk_tlv_take(&value, TSK_TLV_SEQ, &all))
        return 0;
    while (tsk_tlv_take(&all, TSK_TLV_SEQ, &one))
        if (tsk_tlv_take(&one, TSK_TLV_OID, &oid) && IS(oid, oid_ocsp))
            return 1;
    return 0;
}

/* Policies of the CA/Browser Forum: see is_public() in cert/prove.c. */
static int names_forum(struct tsk_tlv value)
{
    struct tsk_tlv all, one, oid;

    if (!tsk_tlv_take(&value, TSK_TLV_SEQ, &all))
        return 0;
    while (tsk_tlv_take(&all, TSK_TLV_SEQ, &one))
        if (tsk_tlv_take(&one, TSK_TLV_OID, &oid) &&
            tsk_tlv_len(&oid) > sizeof(oid_forum) &&
            memcmp(oid.p, oid_forum, sizeof(oid_forum) - 1) == 0)
            return 1;
    return 0;
}

static int take_extensions(struct tsk_tlv all, struct tsk_walk *w)
{
    struct tsk_tlv_ext ext;
    int more;

    while ((more = tsk_tlv_ext_next(&all, &ext)) == 1) {
        if (IS(ext.oid, oid_san)) {
            if (w->sans.p != NULL || /* twice: RFC 5280, 4.2 */
                !tsk_tlv_take(&ext.value, TSK_TLV_SEQ, &w->sans))
                return 0;
        } else if (IS(ext.oid, oid_aia)) {
            w->asks_ocsp |= names_ocsp(ext.value);
        } else if (IS(ext.oid, oid_scts)) {
            w->is_public = 1;
        } else if (IS(ext.oid, oid_policies)) {
            w->is_public |= names_forum(ext.value);
        }
    }
    return more == 0;
}

/* What comes before the subject's key. */
static int take_head(struct tsk_tlv *tbs, struct tsk_walk *w)
{
    struct tsk_tlv skip, validity;

    (void)tsk_tlv_take(tbs, EXPLICIT_0, &skip); /* version */
    return tsk_tlv_take(tbs, TSK_TLV_INTEGER, &skip) &&
           tsk_tlv_take(tbs, TSK_TLV_SEQ, &skip) &&
           tsk_tlv_whole(tbs, TSK_TLV_SEQ, &w->issuer) &&
           tsk_tlv_take(tbs, TSK_TLV_SEQ, &validity) &&
           take_time(&validity, &w->from, &w->from_tag) &&
           take_time(&validity, &w->to, &w->to_tag) &&
           validity.p == validity.end &&
           tsk_tlv_whole(tbs, TSK_TLV_SEQ, &w->subject);
}

static int take_tbs(struct tsk_tlv tbs, struct tsk_walk *w)
{
    struct tsk_tlv skip, spki, outer, all;

    if (!take_head(&tbs, w) || !tsk_tlv_take(&tbs, TSK_TLV_SEQ, &spki) ||
        !take_key(&spki, w))
        return 0;
    (void)tsk_tlv_take(&tbs, IMPLICIT_1, &skip); /* unique identifiers */
    (void)tsk_tlv_take(&tbs, IMPLICIT_2, &skip);
    if (tbs.p == tbs.end)
        return 1;
    return tsk_tlv_take(&tbs, EXPLICIT_3, &outer) && tbs.p == tbs.end &&
           tsk_tlv_take(&outer, TSK_TLV_SEQ, &all) &&
           take_extensions(all, w);
}

int tsk_walk_cert(const void *der, size_t len, struct tsk_walk *w)
{
    struct tsk_tlv in = {der, (const uint8_t *)der + len}, cert, tbs, skip;

    memset(w, 0, sizeof(*w));
    return tsk_tlv_take(&in, TSK_TLV_SEQ, &cert) && in.p == in.end &&
           tsk_tlv_take(&cert, TSK_TLV_SEQ, &tbs) &&
           tsk_tlv_take(&cert, TSK_TLV_SEQ, &skip) &&
           tsk_tlv_take(&cert, TSK_TLV_BITS, &skip) && cert.p == cert.end &&
           take_tbs(tbs, w);
}

int tsk_walk_dns(struct tsk_tlv *sans, struct tsk_tlv *name)
{
    while (sans->p < sans->end) {
        unsigned tag = *sans->p;

        if (!tsk_tlv_take(sans, tag, name))
            break;
        if (tag == DNS_NAME)
            return 1;
    }
    return 0;
}
