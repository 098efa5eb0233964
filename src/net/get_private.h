/* get_private - the inside of a tsk_get, for get.c (request, header section)
 * and getbody.c (what follows it) alone. */
#ifndef TSK_NET_GET_PRIVATE_H
#define TSK_NET_GET_PRIVATE_H

#include "net/get.h"

enum tsk_get_state {
    GET_REQUEST,
    GET_STATUS,
    GET_FIELDS,
    GET_SIZED, /* as many bytes as Content-Length has said */
    GET_TO_END,
    GET_CHUNK, /* its size */
    GET_DATA,
    GET_DATA_END, /* the CR LF behind it */
    GET_TRAILERS,
    GET_DONE
};

struct tsk_get {
    const struct tsk_get_ask *ask;
    struct tsk_url url;
    enum tsk_get_state state;
    int status;
    unsigned fields; /* lines of this header section */
    int ours;        /* the last field was one that counts */
    int chunked, sized;
    size_t left;    /* of the body, or of the chunk */
    size_t between; /* bytes of lines between chunks */
    char *location;
    struct tsk_buf body;
};

/* Failures, recorded: what breaks HTTP, with the line that does; an early end;
 * more than ask->most. */
int tsk_get_broken(const char *what, const char *line, tlsock_error *err);
int tsk_get_cut(tlsock_error *err);
int tsk_get_too_long(const struct tsk_get *g, tlsock_error *err);
/* As tsk_talk_line(), with the words of HTTP; CR alone ends nothing. */
int tsk_get_line(struct tsk_talk *t, char out[TSK_TALK_LINE],
                 tlsock_error *err);

/* getbody.c: the states from GET_SIZED to GET_TRAILERS. */
int tsk_get_sized(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err);
int tsk_get_to_end(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err);
int tsk_get_chunk(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err);
int tsk_get_chunk_data(struct tsk_get *g, struct tsk_talk *t,
                       tlsock_error *err);
int tsk_get_chunk_end(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err);
int tsk_get_trailer(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err);

#endif
