/* http - the head of an HTTP/1 request (RFC 9112): GET, HEAD, POST.
 *
 * Takes bytes, gives a request or the status that refuses it; does no I/O and
 * keeps nothing. Which methods and what content a server takes is its own
 * affair: this tells what was asked. */
#ifndef ENGINE_HTTP_H
#define ENGINE_HTTP_H

#include <stddef.h>

#define HTTP_HEAD_MAX 16384 /* request line and header fields */
#define HTTP_LINE_MAX 8192  /* the request line alone */
#define HTTP_PATH_MAX 2048  /* decoded */
#define HTTP_CONTENT_MAX 131072

struct http_head {
    int status;               /* 0: good; else what to answer, and then close */
    int head, post;           /* neither: GET */
    int minor;                /* HTTP/1.minor */
    int persist;              /* the connection goes on */
    int expect;               /* waits for 100 Continue */
    int content;              /* some follows, of a known length or not */
    size_t length;            /* of the content */
    char path[HTTP_LINE_MAX]; /* as it came, begins with "/", without query */
    char host[256];           /* "name:port", or "" */
    char type[128];           /* media type without parameters, lower case */
};

/* How many bytes the head at the start of buf takes; 0: it is not complete. If
 * status is set, that is the end of what can be understood. */
size_t http_parse(struct http_head *h, const char *buf, size_t len);
/* The path without percent-encoding, and without control characters or a
 * slash that was hidden in it: 0, or the status that refuses it, and then
 * path is as it came, as far as it fits. */
int http_path(const struct http_head *h, char path[HTTP_PATH_MAX]);
/* "%2f" is 47; -1: no such thing. Reads no byte behind a wrong one. */
int http_percent(const char *p);
/* "Not Found" */
const char *http_reason(int status);

#endif
