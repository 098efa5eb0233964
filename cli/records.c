#include "records.h"

#include <string.h>

#define HEAD 5
#define BEGINNING 10      /* bytes that may be the first ones of begins() */
#define RECORD_MOST 18432 /* RFC 5246, 6.2.3 */

enum { CCS = 20, HANDSHAKE = 22 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2 };

/* How a HelloRetryRequest's random begins (RFC 8446, 4.1.3). */
static const uint8_t retry[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11};

static size_t big16(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

static size_t big24(const uint8_t *p)
{
    return (size_t)p[0] << 16 | big16(p + 1);
}

/* What has been put together so far begins with: nothing yet, no hello, or a
 * whole one of *n bytes. */
static enum records_kind whole(const uint8_t *hello, size_t have, size_t *n)
{
    if (have >= 1 && hello[0] != CLIENT_HELLO && hello[0] != SERVER_HELLO)
        return RECORDS_NONE;
    if (have < 4)
        return RECORDS_MORE;
    *n = 4 + big24(hello + 1);
    if (*n > RECORDS_MOST)
        return RECORDS_NONE;
    return have >= *n ? RECORDS_HELLO : RECORDS_MORE;
}

static int is_retry(const uint8_t *hello, size_t n)
{
    return hello[0] == SERVER_HELLO && n >= 6 + sizeof(retry) &&
           memcmp(hello + 6, retry, sizeof(retry)) == 0;
}

enum records_kind records_hello(const uint8_t *bytes, size_t len,
                                uint8_t hello[RECORDS_MOST], size_t *hello_len)
{
    size_t at = 0, have = 0, n = 0;

    while (len - at >= 1) {
        size_t body = len - at >= HEAD ? big16(bytes + at + 3) : 0, part;
        enum records_kind kind;

        if ((bytes[at] != HANDSHAKE && bytes[at] != CCS) ||
            (len - at >= 2 && bytes[at + 1] != 3) || body > RECORD_MOST)
            return RECORDS_NONE;
        if (len - at < HEAD)
            return RECORDS_MORE;
        part = body < len - at - HEAD ? body : len - at - HEAD;
        if (bytes[at] == HANDSHAKE) {
            size_t fits =
                RECORDS_MOST - have < part ? RECORDS_MOST - have : part;

            memcpy(hello + have, bytes + at + HEAD, fits);
            have += fits;
            kind = whole(hello, have, &n);
            if (kind == RECORDS_HELLO && is_retry(hello, n))
                have = 0; /* a record of its own: RFC 8446, 5.1 */
            else if (kind != RECORDS_MORE) {
                *hello_len = n;
                return kind;
            }
        }
        if (part < body)
            return RECORDS_MORE;
        at += HEAD + body;
    }
    return RECORDS_MORE;
}

/* Head of a record, head and version of a hello: no text has them, and few
 * packets of others. */
static int begins(const uint8_t *p)
{
    size_t record = big16(p + 3);

    return p[0] == HANDSHAKE && p[1] == 3 && p[2] <= 4 && record >= 4 &&
           record <= RECORD_MOST &&
           (p[5] == CLIENT_HELLO || p[5] == SERVER_HELLO) && p[6] == 0 &&
           p[9] == 3 && p[10] <= 3;
}

size_t records_begin(const uint8_t *bytes, size_t len)
{
    const uint8_t *at = bytes, *end = bytes + len;

    while (end - at >= 11) {
        at = memchr(at, HANDSHAKE, (size_t)(end - at) - 10);
        if (at == NULL)
            return len;
        if (begins(at))
            return (size_t)(at - bytes);
        at++;
    }
    return len;
}

enum records_kind records_find(const uint8_t *bytes, size_t len, size_t *from,
                               uint8_t hello[RECORDS_MOST], size_t *hello_len)
{
    enum records_kind kind = RECORDS_NONE;

    while (kind == RECORDS_NONE && *from < len) {
        if (*from != 0) /* at the start it may be anything of TLS */
            *from += records_begin(bytes + *from, len - *from);
        if (*from == len) {
            /* what a beginning may be cut off at is looked at again */
            *from = len > BEGINNING ? len - BEGINNING : 1;
            break;
        }
        kind = records_hello(bytes + *from, len - *from, hello, hello_len);
        *from += kind == RECORDS_NONE;
    }
    return kind;
}

/* The list of a server_name extension (RFC 6066, 3). */
static void take_name(const uint8_t *p, size_t len, char name[256])
{
    size_t n;

    if (len < 5 || p[2] != 0)
        return;
    n = big16(p + 3);
    if (n > len - 5 || n > 255 || memchr(p + 5, '\0', n) != NULL)
        return;
    memcpy(name, p + 5, n);
    name[n] = '\0';
}

/* Behind a vector whose length has so many bytes: its end, or len + 1. */
static size_t skip(const uint8_t *p, size_t len, size_t at, size_t width)
{
    size_t n;

    if (at > len || len - at < width)
        return len + 1;
    n = width == 1 ? p[at] : big16(p + at);
    return n <= len - at - width ? at + width + n : len + 1;
}

void records_name(const uint8_t *hello, size_t len, char name[256])
{
    size_t at = 38;

    name[0] = '\0';
    if (len < 38 || hello[0] != CLIENT_HELLO)
        return;
    at = skip(hello, len, at, 1);
    at = skip(hello, len, at, 2);
    at = skip(hello, len, at, 1);
    if (at > len || len - at < 2)
        return;
    at += 2;
    while (at <= len && len - at >= 4) {
        size_t end = skip(hello, len, at + 2, 2);

        if (end <= len && big16(hello + at) == 0) {
            take_name(hello + at + 4, end - at - 4, name);
            return;
        }
        at = end;
    }
}
