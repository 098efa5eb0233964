#include "packet.h"

#include <string.h>

#define MOST_TAGS 4
#define MOST_HEADERS 8 /* IPv6 extension headers */

enum { ETHER_IPV4 = 0x0800, ETHER_IPV6 = 0x86dd };
enum { PROTO_TCP = 6, PROTO_UDP = 17 };

struct bytes {
    const uint8_t *at;
    size_t len;
};

static unsigned big16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)big16(p) << 16 | big16(p + 2);
}

static int drop(struct bytes *b, size_t n)
{
    if (n > b->len)
        return -1;
    b->at += n;
    b->len -= n;
    return 0;
}

int packet_link(int link)
{
    static const int known[] = {PACKET_NULL, PACKET_ETHERNET, PACKET_RAW_OLD,
                                PACKET_RAW,  PACKET_LOOP,     PACKET_SLL,
                                PACKET_IPV4, PACKET_IPV6,     PACKET_SLL2};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i] == link)
            return 1;
    return 0;
}

/* 802.1Q and 802.1ad tags, then the type: what is left is IP, or -1. */
static int untag(struct bytes *b, unsigned type)
{
    for (int i = 0;
         i < MOST_TAGS && (type == 0x8100 || type == 0x88a8 || type == 0x9100);
         i++) {
        if (b->len < 4)
            return -1;
        type = big16(b->at + 2);
        drop(b, 4);
    }
    return type == ETHER_IPV4 || type == ETHER_IPV6 ? 0 : -1;
}

/* What is of the link goes; the rest begins with an IP header. */
static int strip(struct bytes *b, int link)
{
    size_t type_at = link == PACKET_ETHERNET ? 12 : link == PACKET_SLL ? 14 : 0;
    size_t head = link == PACKET_ETHERNET ? 14
                  : link == PACKET_SLL    ? 16
                  : link == PACKET_SLL2   ? 20
                                          : 4;
    unsigned type;

    switch (link) {
    case PACKET_ETHERNET:
    case PACKET_SLL:
    case PACKET_SLL2:
        if (b->len < head)
            return -1;
        type = big16(b->at + type_at);
        drop(b, head);
        return untag(b, type);
    case PACKET_NULL: /* an address family, each system's own, in its order */
    case PACKET_LOOP:
        return drop(b, head);
    default:
        return 0;
    }
}

static void mapped(uint8_t out[16], const uint8_t *v4)
{
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    memcpy(out + 12, v4, 4);
}

/* 0: b is what the packet carries, of protocol *proto; else -1. */
static int ipv4(struct packet *p, struct bytes *b, int *proto, int *fragment)
{
    size_t head, total;

    if (b->len < 20)
        return -1;
    head = (size_t)(b->at[0] & 15) * 4;
    total = big16(b->at + 2);
    if (head < 20 || head > b->len || (total != 0 && total < head))
        return -1;
    if (total != 0 && total < b->len) /* 0: the card cut it up (offload) */
        b->len = total;               /* Ethernet pads short frames */
    mapped(p->ends.from, b->at + 12);
    mapped(p->ends.to, b->at + 16);
    *proto = b->at[9];
    *fragment = (big16(b->at + 6) & 0x3fff) != 0;
    return drop(b, head);
}

/* Hop-by-hop, routing, destination options, fragment (RFC 8200, 4). */
static int skip_headers(struct bytes *b, int *proto, int *fragment)
{
    for (int i = 0; i < MOST_HEADERS; i++) {
        int next = *proto;
        size_t len;

        if (next != 0 && next != 43 && next != 60 && next != 44)
            return 0;
        if (b->len < 8)
            return -1;
        *proto = b->at[0];
        len = next == 44 ? 8 : ((size_t)b->at[1] + 1) * 8;
        if (next == 44 && (big16(b->at + 2) & 0xfff9) != 0)
            *fragment = 1;
        if (*fragment)
            return 0; /* what follows may be any part of it */
        if (drop(b, len) != 0)
            return -1;
    }
    return -1;
}

static int ipv6(struct packet *p, struct bytes *b, int *proto, int *fragment)
{
    size_t payload;

    if (b->len < 40)
        return -1;
    payload = big16(b->at + 4);
    memcpy(p->ends.from, b->at + 8, 16);
    memcpy(p->ends.to, b->at + 24, 16);
    *proto = b->at[6];
    drop(b, 40);
    if (payload != 0 && payload < b->len)
        b->len = payload;
    return skip_headers(b, proto, fragment);
}

static enum packet_kind tcp(struct packet *p, struct bytes b)
{
    size_t head;

    if (b.len < 20)
        return PACKET_OTHER;
    head = (size_t)(b.at[12] >> 4) * 4;
    p->ends.from_port = (uint16_t)big16(b.at);
    p->ends.to_port = (uint16_t)big16(b.at + 2);
    p->seq = big32(b.at + 4);
    p->syn = (b.at[13] & 2) != 0;
    if (head < 20 || drop(&b, head) != 0)
        return PACKET_OTHER;
    p->data = b.at;
    p->len = b.len;
    return PACKET_TCP;
}

/* RFC 9000, 17.2: both of the first two bits are set. */
static enum packet_kind udp(const struct bytes *b)
{
    if (b->len < 13 || (big16(b->at) != 443 && big16(b->at + 2) != 443))
        return PACKET_OTHER;
    return (b->at[8] & 0xc0) == 0xc0 ? PACKET_QUIC : PACKET_OTHER;
}

enum packet_kind packet_parse(struct packet *p, int link, const uint8_t *frame,
                              size_t len)
{
    struct bytes b = {frame, len};
    int proto = 0, fragment = 0, rc = -1;

    memset(p, 0, sizeof(*p));
    if (strip(&b, link) != 0 || b.len == 0)
        return PACKET_OTHER;
    if (b.at[0] >> 4 == 4)
        rc = ipv4(p, &b, &proto, &fragment);
    else if (b.at[0] >> 4 == 6)
        rc = ipv6(p, &b, &proto, &fragment);
    if (rc != 0 || (proto != PROTO_TCP && proto != PROTO_UDP))
        return PACKET_OTHER;
    if (fragment)
        return PACKET_FRAGMENT;
    return proto == PROTO_TCP ? tcp(p, b) : udp(&b);
}
