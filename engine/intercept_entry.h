/* intercept_entry - how a client of a proxy says where it wants to go: HTTP
 * (CONNECT, or a request for "http://..."), SOCKS5, or TLS with nothing before
 * it, told apart by the first byte.
 *
 * Takes bytes, gives a target and what is to be answered. Does no I/O. */
#ifndef ENGINE_INTERCEPT_ENTRY_H
#define ENGINE_INTERCEPT_ENTRY_H

#include <stddef.h>

#define ENTRY_MOST 16384 /* bytes before a target is known */
#define ENTRY_GROWS 64   /* at most so much more has a head that goes on */

#define ENTRY_MORE 0    /* not complete */
#define ENTRY_TLS 1     /* a ClientHello begins: SNI says where */
#define ENTRY_CONNECT 2 /* host and port are known; say that it is good */
#define ENTRY_SOCKS 3   /* the same */
#define ENTRY_HTTP 4    /* a request for host and port; in head as the server
                           of these wants it */
#define ENTRY_SAY 5     /* send the answer and go on */
#define ENTRY_WRONG 6   /* send the answer, if there is one, and end */

struct entry {
    int kind;    /* which of these */
    int greeted; /* SOCKS5: its first message is done */
    char host[256];
    int port;
    size_t used;      /* so many bytes have had their effect */
    char answer[256]; /* bytes for the client */
    size_t answer_len;
    char *head; /* HTTP: malloc'd, what goes to the server in place of used */
    size_t head_len;
    const char *wrong; /* why, static */
};

/* Look at the bytes that wait. e is kept from one call to the next. */
void entry_look(struct entry *e, const char *buf, size_t len);
/* What the client is told when it may go on, or may not. */
size_t entry_yes(const struct entry *e, char out[256]);
size_t entry_no(const struct entry *e, const char *why, char out[512]);

#endif
