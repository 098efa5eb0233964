/* http - the head of an HTTP/1 request (RFC 9112), as far as a server of files
 * needs it. Takes bytes, gives a request or the status that refuses it; does no
 * I/O and keeps nothing. */
#ifndef ENGINE_HTTP_H
#define ENGINE_HTTP_H

#include <stddef.h>

#define HTTP_HEAD_MAX 16384 /* request line and header fields */
#define HTTP_LINE_MAX 8192  /* the request line alone */
#define HTTP_PATH_MAX 2048  /* decoded */

struct http_request {
    int status;  /* 0: good; else what to answer, and then close */
    int head;    /* HEAD: no content */
    int minor;   /* HTTP/1.minor */
    int persist; /* the connection goes on */
    char path[HTTP_PATH_MAX]; /* decoded, begins with "/", without query */
};

/* How many bytes the head at the start of buf takes; 0: it is not complete. If
 * status is set, that is the end of what can be understood. */
size_t http_parse(struct http_request *req, const char *buf, size_t len);
/* "Not Found" */
const char *http_reason(int status);

#endif
