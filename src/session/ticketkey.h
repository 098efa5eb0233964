/* ticketkey - one secret, and the keys of tickets that follow from it by time.
 *
 * HKDF with SHA-256 (RFC 5869) over the number of the period: whoever has the
 * secret and a clock has the same keys, and needs to ask nobody. Knows neither
 * where secrets come from nor which periods count. */
#ifndef TSK_SESSION_TICKETKEY_H
#define TSK_SESSION_TICKETKEY_H

#include <stddef.h>
#include <stdint.h>

#define TSK_TICKET_NAME 16
#define TSK_TICKET_PRK 32

struct tsk_ticketkey { /* RFC 5077, 4: what a ticket is sealed with */
    uint8_t name[TSK_TICKET_NAME]; /* public: it is sent in the clear */
    uint8_t aes[32];               /* AES-256-CBC */
    uint8_t hmac[32];              /* HMAC-SHA-256 */
};

/* What is kept of a secret of any length: 1, or 0 (no memory). */
int tsk_ticketkey_extract(uint8_t prk[TSK_TICKET_PRK], const void *secret,
                          size_t len);
/* The keys of one period: 1, or 0. Servers that count in other periods have
 * other keys. */
int tsk_ticketkey_derive(struct tsk_ticketkey *k,
                         const uint8_t prk[TSK_TICKET_PRK], int rotate_s,
                         int64_t period);

#endif
