#include "capture_private.h"

#include <string.h>

#define SECTION 0x0A0D0D0Au
#define INTERFACE 1u
#define PACKET 6u
#define SECRETS 10u
#define BYTE_ORDER_MAGIC 0x1A2B3C4Du
#define TLS_KEY_LOG 0x544C534Bu /* "TLSK" */
#define LINK_RAW 101            /* begins with an IPv4 or IPv6 header */

struct place {
    uint8_t *p;
    size_t at;
};

/* In the order of this machine: the magic number says which one that is. */
static void put16(struct place *b, uint16_t value)
{
    memcpy(b->p + b->at, &value, sizeof(value));
    b->at += sizeof(value);
}

static void put32(struct place *b, uint32_t value)
{
    memcpy(b->p + b->at, &value, sizeof(value));
    b->at += sizeof(value);
}

/* Padded to 32 bits. */
static void put(struct place *b, const void *bytes, size_t len)
{
    memcpy(b->p + b->at, bytes, len);
    memset(b->p + b->at + len, 0, 3);
    b->at += (len + 3) & ~(size_t)3;
}

static struct place begin(uint8_t *out, uint32_t type)
{
    struct place b = {out, 0};

    put32(&b, type);
    put32(&b, 0);
    return b;
}

/* The length is in front and behind. */
static size_t end(struct place *b)
{
    uint32_t len = (uint32_t)b->at + 4;

    memcpy(b->p + 4, &len, sizeof(len));
    put32(b, len);
    return b->at;
}

size_t capture_header(uint8_t *out)
{
    static const char program[] = "tlsock";
    struct place b = begin(out, SECTION);
    size_t len;

    put32(&b, BYTE_ORDER_MAGIC);
    put16(&b, 1); /* version 1.0 */
    put16(&b, 0);
    put32(&b, UINT32_MAX); /* its length is not known */
    put32(&b, UINT32_MAX);
    put16(&b, 4); /* shb_userappl */
    put16(&b, sizeof(program) - 1);
    put(&b, program, sizeof(program) - 1);
    put32(&b, 0); /* opt_endofopt */
    len = end(&b);
    b = begin(out + len, INTERFACE);
    put16(&b, LINK_RAW);
    put16(&b, 0);
    put32(&b, 0); /* no limit */
    return len + end(&b);
}

size_t capture_secret(uint8_t *out, const char *line)
{
    struct place b = begin(out, SECRETS);
    size_t len = strlen(line);

    if (len > CAPTURE_BLOCK_MOST - 64)
        return 0;
    put32(&b, TLS_KEY_LOG);
    put32(&b, (uint32_t)len + 1);
    memcpy(out + b.at, line, len);
    out[b.at + len] = '\n';
    memset(out + b.at + len + 1, 0, 3);
    b.at += (len + 1 + 3) & ~(size_t)3;
    return end(&b);
}

size_t capture_block(uint8_t *out, int64_t time_us, const uint8_t *packet,
                     size_t len)
{
    struct place b = begin(out, PACKET);

    put32(&b, 0); /* the interface */
    put32(&b, (uint32_t)((uint64_t)time_us >> 32));
    put32(&b, (uint32_t)time_us);
    put32(&b, (uint32_t)len);
    put32(&b, (uint32_t)len);
    put(&b, packet, len);
    return end(&b);
}
