/* httprec - HTTP transactions out of the two byte streams of one connection,
 * which somebody else relays: HTTP/1.1 (libhtp) and HTTP/2 (nghttp2's HPACK).
 *
 * It only watches. What it cannot follow ends the recording, never the
 * connection, and httprec_note() says so. Memory is bounded whatever comes:
 * what is left out of a body is counted. */
#ifndef ENGINE_HTTPREC_H
#define ENGINE_HTTPREC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define HTTPREC_HEADERS 256   /* of one message, trailers among them */
#define HTTPREC_HEAD 131072   /* bytes of them */
#define HTTPREC_STREAMS 1024  /* transactions under way on a connection */
#define HTTPREC_BODY 4194304  /* kept of one body */
#define HTTPREC_HELD 16777216 /* kept of a connection's unfinished ones */

struct httprec_header {
    char *name, *value; /* NUL in them has become "?" */
    int is_trailer;
};

struct httprec_part {
    struct httprec_header *headers;
    size_t n, room, bytes; /* bytes: of names and values */
    int headers_cut;       /* there were more */
    unsigned char *body;   /* without transfer coding */
    size_t kept, body_room;
    uint64_t body_size; /* all of it; more than kept: cut */
    int64_t head_size;  /* as sent, HTTP/1 only; -1 */
};

/* Microseconds as they were handed in; 0: it did not come to that. */
struct httprec_tx {
    struct httprec_tx *next;
    char *method, *url;
    char version[12];  /* of the request: "HTTP/1.1", "HTTP/2" */
    char answered[12]; /* of the response, or "" */
    int status;        /* 0: no response */
    char reason[128];  /* the response's phrase */
    struct httprec_part req, res;
    int64_t begun, sent, first, done;
    uint32_t stream;  /* of HTTP/2, else 0 */
    int pushed;       /* the server began it */
    uint32_t reset;   /* RST_STREAM's code */
    const char *note; /* "" or what is wrong with it */
    /* the recorder's own */
    int req_over, res_over, interim, has_head;
    char *scheme, *authority, *path;
};

struct httprec_opts {
    const char *scheme; /* "https" */
    const char *host;   /* for requests that name none */
    const char *alpn;   /* "h2" decides; else the first bytes do */
    /* A finished transaction, or what there is of one when it ended early. */
    void (*on_done)(void *arg, const struct httprec_tx *tx);
    void *arg;
    atomic_size_t *left; /* bytes that all recorders together may keep of
                            bodies, or NULL */
};

struct httprec;

/* NULL: no memory. Texts of opts are copied. */
struct httprec *httprec_new(const struct httprec_opts *opts);
void httprec_data(struct httprec *r, int from_client, const void *bytes,
                  size_t len, int64_t now);
/* Both sides have ended: what is under way is told. */
void httprec_close(struct httprec *r, int64_t now);
void httprec_free(struct httprec *r);
/* "", or why nothing (more) is recorded. */
const char *httprec_note(const struct httprec *r);
/* "HTTP/1.1", "HTTP/2", or "" as long as it is not known, or is neither. */
const char *httprec_protocol(const struct httprec *r);

/* 1: this build records HTTP/1.1, HTTP/2. */
int httprec_has_h1(void);
int httprec_has_h2(void);

/* The body without its Content-Encoding into *out, to be freed. 0; -1: it is
 * not whole, damaged, longer than most, or of a coding that is unknown here. */
int httprec_decode(const struct httprec_part *p, size_t most,
                   unsigned char **out, size_t *len);
/* The value of a header, the first of that name; NULL. */
const char *httprec_get(const struct httprec_part *p, const char *name);

#endif
