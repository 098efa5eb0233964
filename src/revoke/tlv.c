#include "revoke/tlv.h"

#include <string.h>

int tsk_tlv_is(const struct tsk_tlv *from, unsigned tag)
{
    return from->p < from->end && *from->p == tag;
}

/* The length behind a tag. 1, and *p is behind it; 0: damaged */
static int read_length(const uint8_t **p, const uint8_t *end, size_t *len)
{
    size_t n;

    if (*p == end)
        return 0;
    *len = *(*p)++;
    if (*len < 0x80)
        return 1;
    n = *len & 0x7f;
    if (n == 0 || n > 4 || (size_t)(end - *p) < n || **p == 0)
        return 0;
    for (*len = 0; n > 0; n--)
        *len = *len << 8 | *(*p)++;
    return *len >= 0x80;
}

int tsk_tlv_take(struct tsk_tlv *from, unsigned tag, struct tsk_tlv *body)
{
    const uint8_t *p;
    size_t len;

    if (!tsk_tlv_is(from, tag))
        return 0;
    p = from->p + 1;
    if (!read_length(&p, from->end, &len) || (size_t)(from->end - p) < len)
        return 0;
    body->p = p;
    body->end = p + len;
    from->p = body->end;
    return 1;
}

int tsk_tlv_whole(struct tsk_tlv *from, unsigned tag, struct tsk_tlv *all)
{
    const uint8_t *start = from->p;

    if (!tsk_tlv_take(from, tag, all))
        return 0;
    all->p = start;
    return 1;
}

int tsk_tlv_same(const struct tsk_tlv *a, const struct tsk_tlv *b)
{
    size_t len = tsk_tlv_len(a);

    return len == tsk_tlv_len(b) && (len == 0 || memcmp(a->p, b->p, len) == 0);
}

int tsk_tlv_ext_next(struct tsk_tlv *from, struct tsk_tlv_ext *ext)
{
    struct tsk_tlv body, flag;

    if (from->p == from->end)
        return 0;
    if (!tsk_tlv_take(from, TSK_TLV_SEQ, &body) ||
        !tsk_tlv_take(&body, TSK_TLV_OID, &ext->oid))
        return -1;
    ext->critical = 0;
    if (tsk_tlv_is(&body, TSK_TLV_BOOL)) {
        if (!tsk_tlv_take(&body, TSK_TLV_BOOL, &flag) ||
            tsk_tlv_len(&flag) != 1)
            return -1;
        ext->critical = *flag.p != 0;
    }
    if (!tsk_tlv_take(&body, TSK_TLV_OCTETS, &ext->value) || body.p != body.end)
        return -1;
    return 1;
}
