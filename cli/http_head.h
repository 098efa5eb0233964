/* http_head - the head of an HTTP/1 request (RFC 9112) with GET, HEAD or POST.
 * Takes bytes, gives a request or the status that refuses it; does no I/O. */
#ifndef CLI_HTTP_HEAD_H
#define CLI_HTTP_HEAD_H

#include <stddef.h>

#define HTTP_HEAD_BYTES 16384 /* request line and fields */
#define HTTP_TARGET 8192
#define HTTP_BODY_MAX 131072

struct http_head {
    int status;             /* 0: good; else what to answer, and then close */
    int head, post;         /* neither: GET */
    int minor;              /* HTTP/1.minor */
    int persist;            /* the connection goes on */
    int expect;             /* waits for 100 Continue */
    size_t length;          /* of the body */
    char path[HTTP_TARGET]; /* as it came, begins with "/", without query */
    char host[256];         /* "name:port", or "" */
    char type[128];         /* media type without parameters, lower case */
};

/* How many bytes the head at the start of buf takes; 0: it is not complete.
 * After a status nothing that follows can be understood. */
size_t http_head_parse(struct http_head *h, const char *buf, size_t len);
/* "Not Found" */
const char *http_head_reason(int status);

#endif
