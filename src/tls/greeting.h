/* greeting - a ClientHello or ServerHello taken apart: where its lists are, in
 * the bytes as they came (RFC 8446, 4.1.2 and 4.1.3). Copies nothing, and takes
 * nothing whose lengths do not agree; makes nothing of what the lists say. */
#ifndef TSK_TLS_GREETING_H
#define TSK_TLS_GREETING_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the message, borrowed. */
struct tsk_span {
    const uint8_t *at;
    size_t len;
};

struct tsk_greeting {
    int server;                 /* a ServerHello */
    int retry;                  /* and that a HelloRetryRequest */
    int version;                /* legacy_version */
    struct tsk_span ciphers;    /* of a server: the one */
    struct tsk_span extensions; /* tsk_greeting_next() */
    /* of a client; empty: it has none. The first of an extension counts. */
    struct tsk_span groups, sigalgs, versions; /* 16 bits each */
    struct tsk_span formats;                   /* 8 bits each */
    struct tsk_span alpn;                      /* the first protocol's name */
    int sni;                                   /* the extension is there */
};

/* A whole handshake message, from its type on: 0, or -1: it is neither of the
 * two, or malformed. */
int tsk_greeting_parse(struct tsk_greeting *g, const void *message, size_t len);
/* The next extension of a greeting that was parsed, its type, and what is
 * left in rest; -1: none. */
int tsk_greeting_next(struct tsk_span *rest, struct tsk_span *body);
/* Is it a value that clients send to be ignored (RFC 8701)? */
int tsk_greeting_grease(unsigned value);

#endif
