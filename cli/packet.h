/* packet - one frame of a capture down to the bytes that TCP carries.
 *
 * Ethernet with VLAN tags, Linux cooked (two versions), raw IP, loopback; IPv4,
 * IPv6. Fragments are told of and not put together. Borrows the bytes; knows
 * nothing of streams. */
#ifndef CLI_PACKET_H
#define CLI_PACKET_H

#include <stddef.h>
#include <stdint.h>

/* What the link is, as files of captures number it (LINKTYPE_*). */
enum {
    PACKET_NULL = 0,
    PACKET_ETHERNET = 1,
    PACKET_RAW_OLD = 12,
    PACKET_RAW = 101,
    PACKET_LOOP = 108,
    PACKET_SLL = 113,
    PACKET_IPV4 = 228,
    PACKET_IPV6 = 229,
    PACKET_SLL2 = 276
};

enum packet_kind {
    PACKET_OTHER, /* nothing of interest, or malformed, or cut */
    PACKET_TCP,
    PACKET_QUIC,    /* a long header of QUIC, by UDP to or from port 443 */
    PACKET_FRAGMENT /* of an IP packet that would have been one of these */
};

/* Who says it to whom; IPv4 as ::ffff:a.b.c.d. */
struct packet_ends {
    uint8_t from[16], to[16];
    uint16_t from_port, to_port;
};

struct packet {
    struct packet_ends ends;
    uint32_t seq;
    int syn;
    const uint8_t *data; /* TCP's payload, as much of it as was kept */
    size_t len;
};

/* Is such a link known? */
int packet_link(int link);
enum packet_kind packet_parse(struct packet *p, int link, const uint8_t *frame,
                              size_t len);

#endif
