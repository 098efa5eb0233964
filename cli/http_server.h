/* http_server - a small HTTP/1 server over connections of the library, plain
 * or TLS on one port, told apart by their first byte.
 *
 * Each request is answered by one function, at once, or asked again until
 * something is free; sizes, times and the number of clients, also of one
 * address, are bounded. Knows nothing of what is served. */
#ifndef CLI_HTTP_SERVER_H
#define CLI_HTTP_SERVER_H

#include "http.h"

#include <tlsock.h>

struct event_base;

#define HTTP_SERVER_MOST 1024
#define HTTP_SERVER_MOST_EACH 64
#define HTTP_SERVER_LATER_MS 10000 /* nobody waits longer than that */

struct http_request {
    const struct http_head *head;
    const unsigned char *body;
    int tls;
    const char *peer;   /* "127.0.0.1:1234" */
    const char *origin; /* whose limits are meant: see origin.h */
    const void *conn;   /* the same for the same connection */
    int last;           /* it is not asked again: "later" is no answer */
};

struct http_answer {
    int later; /* not now: the same request is handled again in a moment */
    int status;
    char type[64];     /* media type */
    char fields[2048]; /* more header fields, each with its CR LF */
    void *body;        /* malloc'd, given away; NULL: none */
    size_t len;
};
/* Adds one field; what does not fit or holds a line end is left out. */
void http_field(struct http_answer *a, const char *name, const char *format,
                ...) TLSOCK_PRINTF(3, 4);
/* A copy as the body: 0, or the answer is a 500. */
int http_body(struct http_answer *a, const char *type, const void *body,
              size_t len);
/* The same of what was malloc'd for it, which is the answer's then. */
void http_body_own(struct http_answer *a, const char *type, void *body,
                   size_t len);
/* A line of text as the body, for errors. */
void http_text(struct http_answer *a, int status, const char *text);

struct http_server_opts {
    struct event_base *base;
    tlsock_listener *listener; /* nonblocking and plain; borrowed */
    int tls;                   /* clients that begin with TLS get it */
    int patience_ms;  /* for a request to come, 64 KiB of an answer to be taken,
                       * something to be free; -1: no limit to the first two */
    size_t most;      /* clients at once; 0: HTTP_SERVER_MOST */
    size_t most_each; /* of one origin; 0: HTTP_SERVER_MOST_EACH */
    void (*handle)(void *arg, const struct http_request *r,
                   struct http_answer *a);
    /* a request was answered */
    void (*on_request)(void *arg, const struct http_request *r, int status,
                       size_t len);
    /* accept failed, or a client was sent away; the server goes on */
    void (*on_trouble)(void *arg, const tlsock_error *err);
    void *arg;
};

struct http_server;
/* NULL: no memory */
struct http_server *http_server_new(const struct http_server_opts *o);
void http_server_free(struct http_server *s); /* and all its connections */

#endif
