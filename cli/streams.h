/* streams - what was said first in each direction of each TCP connection, put
 * together from segments that come in any order, twice, and in pieces.
 *
 * Everything is bounded: the bytes of one stream, how many streams, all of
 * them; the oldest go first. Knows nothing of what the bytes mean: whoever is
 * told says whether more is wanted. */
#ifndef CLI_STREAMS_H
#define CLI_STREAMS_H

#include "packet.h"

#define STREAMS_MOST 4096
#define STREAMS_BYTES 73728  /* of one: a long hello, and records' heads */
#define STREAMS_ALL 33554432 /* of all */
#define STREAMS_AHEAD 64     /* segments of one that wait for others */

struct streams;

/* What is answered of a stream. */
enum {
    STREAMS_WANTED, /* more is: without it something is missed */
    STREAMS_ENOUGH, /* that will do: forget it */
    STREAMS_PERHAPS /* more may be of use, but it need not come */
};

/* All of a stream from its start, as far as it is known now. *seen is the
 * caller's, for each stream, and 0 at first. */
typedef int streams_told(const struct packet_ends *ends, const uint8_t *bytes,
                         size_t len, size_t *seen, void *arg);

/* NULL: out of memory. */
struct streams *streams_new(streams_told *told, void *arg);
/* 0, or -1: out of memory. */
int streams_add(struct streams *s, const struct packet *p);
/* Streams of which more was wanted, that were not all there or gave way. */
unsigned long streams_lost(const struct streams *s);
void streams_free(struct streams *s);

#endif
