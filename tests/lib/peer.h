/* peer - two endpoints in one process, joined by two in-memory pipes.
 *
 * The pipes have the habits of bad networks as knobs: small capacity, a byte
 * at a time, cut after n bytes, foreign bytes put in; and they keep a log of
 * all that was sent. Either end may be a connection of the library or a raw
 * OpenSSL one (raw.h). Knows no sockets. */
#ifndef TEST_PEER_H
#define TEST_PEER_H

#include "test.h"

struct test_pipe {
    uint8_t *data; /* everything ever sent; [taken, len) is under way */
    size_t len, room, taken;
    size_t capacity;             /* most bytes under way; 0: no limit */
    size_t max_read, max_write;  /* most bytes per call; 0: no limit */
    size_t cut_after;            /* bytes beyond are lost; 0: none are */
    size_t fail_write_at;        /* the n-th write fails; 0: none */
    size_t fail_read_at;         /* the n-th read fails; 0: none */
    size_t sends, recvs;         /* calls that moved something */
    size_t writes, reads;        /* calls in all */
    int ended;                   /* the writer is gone */
};

struct peer_end {
    struct test_pipe *in, *out;
    int closes; /* how often io->close() was called */
};

enum peer_side { CLIENT, SERVER };

struct peer {
    struct test_pipe pipes[2];   /* [CLIENT]: what the client sends */
    struct peer_end ends[2];
    tlsock *conn[2];
    int rc[2];           /* what the last handshake step gave */
    tlsock_error err[2]; /* of the constructor, or of a failed step */
};

/* The transport of one end: tlsock_client_io(&peer_io, &p->ends[CLIENT], ...) */
extern const tlsock_io peer_io;

void peer_init(struct peer *p);
/* Frees both connections without a byte, and the pipes. */
void peer_free(struct peer *p);

/* Bytes of neither end, as if the network had put them in. */
void pipe_inject(struct test_pipe *pipe, const void *bytes, size_t len);
ssize_t pipe_write(struct test_pipe *pipe, const void *bytes, size_t len);
ssize_t pipe_read(struct test_pipe *pipe, void *bytes, size_t len);

/* Nonblocking connections on both ends. 0, or the constructor's code. */
int peer_open(struct peer *p, tlsock_config *client, tlsock_config *server,
              const char *name);
int peer_open_opts(struct peer *p, tlsock_config *client,
                   const tlsock_opts *copts, tlsock_config *server,
                   const tlsock_opts *sopts, const char *name);
/* One handshake step of one side; a side that fails hangs up. */
int peer_step(struct peer *p, enum peer_side side);
/* Step both until both are done, failed or stuck. 0: both are done. */
int peer_shake(struct peer *p);
/* peer_open() and peer_shake(), asserted. */
void peer_connect(struct peer *p, tlsock_config *client, tlsock_config *server,
                  const char *name);
/* A message from one side to the other, asserted to arrive unchanged. */
void peer_say(struct peer *p, enum peer_side from, const void *msg, size_t len);
/* "ping" there and "pong" back: tickets are read, too. */
void peer_pingpong(struct peer *p);
/* close_notify both ways, both freed; asserted to be clean. */
void peer_close(struct peer *p);
/* Write all, draining the other side meanwhile: a pump for slow pipes. */
void peer_pump(struct peer *p, enum peer_side from, const uint8_t *msg,
               size_t len, uint8_t *got);

/* TLS records of one type (0: any) in what a pipe logged from an offset on. */
size_t pipe_records(const struct test_pipe *pipe, size_t from, int type);

#endif
