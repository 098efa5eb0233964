#include "capture_private.h"

#include <string.h>

#define TCP 6
#define TCP_HEAD 20
#define MSS_OPTION 4
#define WINDOW 65535
#define HOPS 64

static void big16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static void big32(uint8_t *p, uint32_t value)
{
    big16(p, value >> 16);
    big16(p + 2, value & 0xffff);
}

static size_t ip_head(int family)
{
    return family == AF_INET ? 20 : 40;
}

size_t capture_most(int family)
{
    return CAPTURE_PACKET_MOST - ip_head(family) - TCP_HEAD;
}

/* RFC 1071 */
static uint32_t sum(uint32_t so_far, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        so_far += (uint32_t)p[i] << 8 | p[i + 1];
    return len % 2 != 0 ? so_far + ((uint32_t)p[len - 1] << 8) : so_far;
}

static unsigned folded(uint32_t value)
{
    while (value >> 16 != 0)
        value = (value & 0xffff) + (value >> 16);
    return ~value & 0xffff;
}

static void ip(uint8_t *p, int family, const struct capture_end *from,
               const struct capture_end *to, size_t len)
{
    memset(p, 0, ip_head(family));
    if (family == AF_INET6) {
        p[0] = 0x60;
        big16(p + 4, (unsigned)len);
        p[6] = TCP;
        p[7] = HOPS;
        memcpy(p + 8, from->ip, 16);
        memcpy(p + 24, to->ip, 16);
        return;
    }
    p[0] = 0x45;
    big16(p + 2, (unsigned)(len + ip_head(family)));
    p[6] = 0x40; /* do not fragment */
    p[8] = HOPS;
    p[9] = TCP;
    memcpy(p + 12, from->ip, 4);
    memcpy(p + 16, to->ip, 4);
    big16(p + 10, folded(sum(0, p, ip_head(family))));
}

/* RFC 9293, 3.1: over addresses, protocol, length and all of the segment. */
static unsigned checksum(const uint8_t *packet, int family, size_t len)
{
    size_t addresses = family == AF_INET ? 8 : 32;
    uint32_t so_far = sum(0, packet + ip_head(family) - addresses, addresses);

    return folded(
        sum(so_far + TCP + (uint32_t)len, packet + ip_head(family), len));
}

size_t capture_segment(uint8_t *out, int family, const struct capture_end *from,
                       const struct capture_end *to, int flags,
                       const uint8_t *data, size_t len)
{
    size_t option = (flags & CAPTURE_SYN) != 0 ? MSS_OPTION : 0;
    size_t all = TCP_HEAD + option + len;
    uint8_t *p = out + ip_head(family);

    ip(out, family, from, to, all);
    memset(p, 0, TCP_HEAD);
    big16(p, from->port);
    big16(p + 2, to->port);
    big32(p + 4, from->seq);
    big32(p + 8, (flags & CAPTURE_ACK) != 0 ? to->seq : 0);
    p[12] = (uint8_t)((TCP_HEAD + option) / 4 << 4);
    p[13] = (uint8_t)flags;
    big16(p + 14, WINDOW);
    if (option != 0) {
        p[TCP_HEAD] = 2;
        p[TCP_HEAD + 1] = MSS_OPTION;
        big16(p + TCP_HEAD + 2, (unsigned)capture_most(family));
    }
    if (len != 0)
        memcpy(p + TCP_HEAD + option, data, len);
    big16(p + 16, checksum(out, family, all));
    return ip_head(family) + all;
}
