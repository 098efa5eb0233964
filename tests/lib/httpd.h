/* httpd - a small web server for tests, on a loopback port of the system's
 * choice: pages that answer well, slowly, wrongly or never. One thread takes
 * connections, each of which has one of its own and carries one request. Knows
 * no TLS. */
#ifndef TEST_HTTPD_H
#define TEST_HTTPD_H

#include "sock.h"

#define HTTPD_PAGES 16

enum httpd_how {
    HTTPD_SIZED,   /* with Content-Length */
    HTTPD_CHUNKED, /* in chunks of 1000 bytes */
    HTTPD_TO_END,  /* without a length: the end of the stream tells */
    HTTPD_EARLY,   /* promises one byte more than it sends, then ends */
    HTTPD_RESET,   /* the same with a RST */
    HTTPD_RAW,     /* body is the whole response, then it ends */
    HTTPD_SILENT,  /* takes the request and never answers */
    HTTPD_DRIP,    /* a header section without end, a byte every 5 ms */
    HTTPD_ENDLESS  /* a body without end, as fast as it is taken */
};

struct httpd_request {
    char method[16], path[2048];
    char head[8192]; /* all of it, as it came */
    unsigned char body[65536];
    size_t len;
};

struct httpd_page;
/* Makes what a page says anew for each request: sets body and len (and status,
 * fields, how) of *p, a copy of the page. room: 256 KiB to put it. */
typedef void httpd_make(const struct httpd_request *q, struct httpd_page *p,
                        unsigned char *room);

struct httpd_page {
    const char *path;   /* "/crl"; "/ocsp*" is each that begins so */
    int status;         /* 0: 200 */
    const char *fields; /* "Location: /b\r\n", or NULL */
    const void *body;
    size_t len;
    enum httpd_how how;
    httpd_make *make; /* or NULL */
    void *arg;        /* for it */
};

struct httpd {
    int listener, port;
    char url[40];    /* "http://127.0.0.1:PORT" */
    char target[32]; /* "127.0.0.1:PORT" */
    pthread_t thread;
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t asked; /* a count has changed */
    struct httpd_page pages[HTTPD_PAGES];
    int counts[HTTPD_PAGES], n_pages, all; /* requests, of unknown pages too */
    struct httpd_request last;
    int open;
    int fds[64];
    pthread_t threads[64];
};

/* pages are copied; what they point to has to last. */
void httpd_start(struct httpd *h, const struct httpd_page *pages, size_t n);
/* From now on. The page of this path is replaced, or there is one more. */
void httpd_set(struct httpd *h, const struct httpd_page *page);
int httpd_asked(struct httpd *h, const char *path); /* NULL: of all */
/* Until there were n requests for it: asserted within 20 s. */
void httpd_await(struct httpd *h, const char *path, int n);
void httpd_last(struct httpd *h, struct httpd_request *q);
/* Hangs up on whoever is still there. */
void httpd_stop(struct httpd *h);

#endif
