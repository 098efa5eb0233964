/* walk - what a certificate says, read from its DER in place: names, dates and
 * the public key's bytes, without decoding a key or copying anything. Knows
 * the shape of RFC 5280, 4.1, and refuses what has another; judges nothing. */
#ifndef TSK_TLS_WALK_H
#define TSK_TLS_WALK_H

#include "revoke/tlv.h"

struct tsk_walk {
    struct tsk_tlv issuer, subject;  /* SEQUENCEs, whole */
    struct tsk_tlv from, to;         /* their contents */
    int from_tag, to_tag;            /* UTCTime or GeneralizedTime */
    struct tsk_tlv algorithm;        /* of the key: content, OID and more */
    struct tsk_tlv key;              /* BIT STRING: its bytes */
    struct tsk_tlv sans;             /* GeneralNames: content, or empty */
    int asks_ocsp;                   /* its issuer names a responder */
    int is_public;                   /* has what only public CAs put in */
};

/* 1; 0: it has another shape, and is for a decoder to judge. */
int tsk_walk_cert(const void *der, size_t len, struct tsk_walk *w);
/* The next dNSName of what is left in sans, 1; or 0. */
int tsk_walk_dns(struct tsk_tlv *sans, struct tsk_tlv *name);

#endif
