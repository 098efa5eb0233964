/* misbehave_seal - a server's own encrypted messages, opened on their way out,
 * spoilt and sealed again: what a client finds wrong then is the message, not
 * the record around it.
 *
 * Knows how records of TLS 1.2 and 1.3 are sealed with MIS_SEAL_12 or
 * MIS_SEAL_13, and no other cipher. */
#ifndef CLI_MISBEHAVE_SEAL_H
#define CLI_MISBEHAVE_SEAL_H

#include <openssl/ssl.h>
#include <stdint.h>

#define MIS_SEAL_12 "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
#define MIS_SEAL_13 "TLS_AES_128_GCM_SHA256"
#define MIS_SECRET 32

struct mis_seal {
    uint8_t handshake[MIS_SECRET], traffic[MIS_SECRET]; /* of TLS 1.3 */
    int in_traffic; /* our Finished has left: the next record has other keys */
    int changed;    /* TLS 1.2: our ChangeCipherSpec has left */
    uint64_t seq;   /* of the next record under these keys */
};

/* Connections of ctx tell their secrets to the mis_seal that
 * SSL_set_app_data() gave them. */
void mis_seal_watch(SSL_CTX *ctx);
/* Opens one encrypted record, its head in front. message gets the first byte of
 * its plaintext, the length of that, and arg; what it returns is whether it
 * changed anything. 1: changed, 0: not, -1: it cannot be opened. */
int mis_seal_record(struct mis_seal *s, SSL *ssl, uint8_t *record, size_t len,
                    int (*message)(uint8_t *p, size_t len, void *arg),
                    void *arg);

#endif
