/* ber - as much of BER as RFC 4511, 5.1 allows LDAP: tags of one byte and
 * definite lengths. Reads borrowed bytes and knows nothing of LDAP. */
#ifndef TSK_STARTTLS_BER_H
#define TSK_STARTTLS_BER_H

#include <stddef.h>
#include <stdint.h>

struct tsk_ber {
    const uint8_t *p;
    size_t len;
};

/* Bytes of tag and length at the front, and of the content that follows: 1;
 * 0: more bytes are needed to tell; -1: that is no BER of LDAP. */
int tsk_ber_head(struct tsk_ber b, size_t *head, size_t *body);
/* The element in front, which must have this tag and be complete: 0 or -1. */
int tsk_ber_take(struct tsk_ber *b, uint8_t tag, struct tsk_ber *content);
/* The next tag, or -1 at the end. */
int tsk_ber_peek(struct tsk_ber b);
/* An INTEGER or ENUMERATED (by tag) in 0..2^31-1: the value, or -1. */
int32_t tsk_ber_number(struct tsk_ber *b, uint8_t tag);
/* Is the content this text? */
int tsk_ber_is(struct tsk_ber b, const char *text);

#endif
