/* intercept_watch - sees in plaintext that goes by when client and server have
 * agreed to begin with TLS: STARTTLS of SMTP, IMAP and POP3, AUTH TLS of FTP.
 *
 * The server's greeting tells the protocol. The first command that may not go
 * before TLS ends the watch: from there on it is plaintext for good. Takes
 * bytes, does no I/O. */
#ifndef ENGINE_INTERCEPT_WATCH_H
#define ENGINE_INTERCEPT_WATCH_H

#include <stddef.h>

#define WATCH_LINE 1024

#define WATCH_ON 0   /* relay these bytes, go on */
#define WATCH_OFF 1  /* relay, nothing to see any more */
#define WATCH_TLS 2  /* relay up to there: TLS begins on both sides */
#define WATCH_BAD 3  /* plaintext that would count as protected: end it */

struct watch_side {
    char line[WATCH_LINE];
    size_t len;
};

struct watch {
    int state;         /* WATCH_ON until something else is known */
    int protocol;      /* 0: not known yet */
    int asked;         /* the client has asked for TLS */
    int due;           /* answers that are still to come before that one's */
    int listing;       /* POP3: lines until "." */
    char tag[64];      /* IMAP: of the client's request */
    struct watch_side client, server;
};

/* Bytes from one side: how many of them may go on now, at most len; w->state
 * says what then. While the answer to the client's request is out, nothing more
 * of the client may: it is WATCH_BAD. */
size_t watch_bytes(struct watch *w, int from_client, const char *buf,
                   size_t len);
/* "smtp", "imap", "pop3", "ftp", "" */
const char *watch_protocol(const struct watch *w);

#endif
