/* capture_private - blocks of pcapng (draft-ietf-opsawg-pcapng) and packets. */
#ifndef ENGINE_CAPTURE_PRIVATE_H
#define ENGINE_CAPTURE_PRIVATE_H

#include "capture.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>

#define CAPTURE_PACKET_MOST 1500 /* an address family's headers and a segment  \
                                  */
#define CAPTURE_BLOCK_MOST 2048
#define CAPTURE_SYN 2
#define CAPTURE_FIN 1
#define CAPTURE_PSH 8
#define CAPTURE_ACK 16

/* One side of a connection. */
struct capture_end {
    uint8_t ip[16];
    uint16_t port;
    uint32_t seq; /* of the next byte it sends */
};

/* captureblock.c: a block into out: its length; at most CAPTURE_BLOCK_MOST */
size_t capture_header(uint8_t *out); /* of the file, and of its interface */
size_t capture_secret(uint8_t *out, const char *line); /* 0: too long */
size_t capture_block(uint8_t *out, int64_t time_us, const uint8_t *packet,
                     size_t len);
/* capturepacket.c: an IP packet with a TCP segment into out: its length */
size_t capture_segment(uint8_t *out, int family, const struct capture_end *from,
                       const struct capture_end *to, int flags,
                       const uint8_t *data, size_t len);
/* Most bytes of data in one. */
size_t capture_most(int family);

#endif
