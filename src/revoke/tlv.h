/* tlv - DER read in place: one element after the other, never a byte outside of
 * what it lies in, nothing copied. Takes definite, shortest lengths alone
 * (X.690, 10.1), tags of one byte and lengths below 4 GiB. Knows no type. */
#ifndef TSK_REVOKE_TLV_H
#define TSK_REVOKE_TLV_H

#include <stddef.h>
#include <stdint.h>

#define TSK_TLV_INTEGER 0x02
#define TSK_TLV_BITS 0x03
#define TSK_TLV_OCTETS 0x04
#define TSK_TLV_OID 0x06
#define TSK_TLV_ENUM 0x0a
#define TSK_TLV_UTC 0x17
#define TSK_TLV_TIME 0x18
#define TSK_TLV_SEQ 0x30
#define TSK_TLV_BOOL 0x01

struct tsk_tlv {
    const uint8_t *p, *end; /* what is left to read */
};

int tsk_tlv_is(const struct tsk_tlv *from, unsigned tag); /* next one's tag? */
/* The next element, if it has this tag: its content. 1; or 0: another tag, or
 * damaged, and from is where it was. */
int tsk_tlv_take(struct tsk_tlv *from, unsigned tag, struct tsk_tlv *body);
/* The same, but with tag and length: what d2i functions read. */
int tsk_tlv_whole(struct tsk_tlv *from, unsigned tag, struct tsk_tlv *all);
int tsk_tlv_same(const struct tsk_tlv *a, const struct tsk_tlv *b);

static inline size_t tsk_tlv_len(const struct tsk_tlv *t)
{
    return (size_t)(t->end - t->p);
}

/* One Extension of a SEQUENCE of them: RFC 5280, 4.1 */
struct tsk_tlv_ext {
    struct tsk_tlv oid, value; /* contents; value: of the OCTET STRING */
    int critical;
};

/* 1; 0: no more; -1: damaged */
int tsk_tlv_ext_next(struct tsk_tlv *from, struct tsk_tlv_ext *ext);

#endif
