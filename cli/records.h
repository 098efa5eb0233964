/* records - the first hello in the bytes of one direction, put together from
 * as many records as it has; and the name in it.
 *
 * Knows the heads of records and handshake messages; what a hello says is the
 * library's to tell. */
#ifndef CLI_RECORDS_H
#define CLI_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#define RECORDS_MOST 65540 /* bytes of a hello */

enum records_kind {
    RECORDS_MORE, /* not complete */
    RECORDS_NONE, /* no TLS, or no hello */
    RECORDS_HELLO /* a ClientHello or ServerHello */
};

/* The message is written to hello, from its type on. A HelloRetryRequest is
 * passed over: the ServerHello that follows it is the one. */
enum records_kind records_hello(const uint8_t *bytes, size_t len,
                                uint8_t hello[RECORDS_MOST], size_t *hello_len);
/* Where, behind plaintext, a record begins that begins with a hello; len:
 * nowhere so far. */
size_t records_begin(const uint8_t *bytes, size_t len);
/* The first hello in what is known of a stream so far, also behind a dialogue
 * of STARTTLS or with a proxy. *from, 0 at first, is what need not be looked at
 * again when more has come: every false beginning costs once. */
enum records_kind records_find(const uint8_t *bytes, size_t len, size_t *from,
                               uint8_t hello[RECORDS_MOST], size_t *hello_len);
/* The server name that a ClientHello asks for, "" none; not cleaned. */
void records_name(const uint8_t *hello, size_t len, char name[256]);

#endif
