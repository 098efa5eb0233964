/* hello - a ClientHello by hand, and the first thing that comes back.
 *
 * For looking at what a server would agree to: versions and suites that no
 * library speaks any more, groups that this OpenSSL lacks. Only the choice is
 * read (ServerHello, HelloRetryRequest or an alert, and before TLS 1.3 the
 * ServerKeyExchange if that is wanted); nothing is ever agreed on.
 * Knows bytes; knows nothing of sockets, and nothing of good and bad. */
#ifndef CLI_HELLO_H
#define CLI_HELLO_H

#include <stddef.h>
#include <stdint.h>

#define HELLO_SSL3 0x0300
#define HELLO_TLS10 0x0301
#define HELLO_TLS11 0x0302
#define HELLO_TLS12 0x0303
#define HELLO_TLS13 0x0304

#define HELLO_MAX 2048         /* bytes of a ClientHello, record and all */
#define HELLO_ANSWER_MAX 65536 /* bytes of an answer that are looked at */

struct hello_ask {
    int version; /* this one and no other; SSL 3.0 has no extensions */
    const uint16_t *suites;
    size_t n_suites;
    const uint16_t *groups;
    size_t n_groups;
    const char *sni; /* A-labels; NULL or "": none */
    int compression; /* 1: DEFLATE is offered, too */
    int want_key;    /* see hello_read() */
};

enum hello_kind {
    HELLO_MORE,   /* it is not complete */
    HELLO_SERVER, /* ServerHello */
    HELLO_RETRY,  /* HelloRetryRequest: says the same, and a group */
    HELLO_ALERT,  /* refused */
    HELLO_OTHER   /* no TLS, or what TLS forbids here */
};

struct hello_answer {
    enum hello_kind kind;
    int version, suite, group, compression; /* group 0: not said */
    int dh_bits;         /* of a DHE key exchange; 0: not said */
    int renegotiation;   /* 1: secure (RFC 5746) */
    int extended_master; /* 1: RFC 7627 */
    int alert_level, alert;
};

/* The whole record. Its length, or 0: no room, or no randomness. With TLS 1.3
 * no key share is sent: a server that agrees asks for one, and names suite and
 * group (RFC 8446, 4.1.4). */
size_t hello_write(uint8_t *out, size_t size, const struct hello_ask *ask);
/* What has come so far, from its first byte on. Warnings before the answer are
 * passed over (RFC 6066, 3). want_key: not complete before the server's key
 * exchange, or that there is none (RFC 5246, 7.4.3). Gives out->kind. */
enum hello_kind hello_read(struct hello_answer *out, int want_key,
                           const uint8_t *data, size_t len);

#endif
