#include "tls/greeting.h"

#include <string.h>

#define CLIENT_HELLO 1
#define SERVER_HELLO 2
#define RANDOM 32
#define SESSION_ID 32

enum {
    SERVER_NAME = 0,
    GROUPS = 10,
    POINT_FORMATS = 11,
    SIGNATURES = 13,
    ALPN = 16,
    VERSIONS = 43
};

/* RFC 8446, 4.1.3: the random of a ServerHello that asks for another hello */
static const uint8_t retry_random[RANDOM] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
    0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

/* The next n bytes: 0, or -1: there are not so many. */
static int take(struct tsk_span *from, size_t n, struct tsk_span *out)
{
    if (n > from->len)
        return -1;
    *out = (struct tsk_span){from->at, n};
    from->at += n;
    from->len -= n;
    return 0;
}

/* A vector behind its length, which has so many bytes. */
static int vector(struct tsk_span *from, size_t width, struct tsk_span *out)
{
    struct tsk_span head;
    size_t n = 0;

    if (take(from, width, &head) != 0)
        return -1;
    for (size_t i = 0; i < width; i++)
        n = n << 8 | head.at[i];
    return take(from, n, out);
}

/* All of an extension is one vector, of items of so many bytes. */
static int only_vector(struct tsk_span body, size_t width, size_t item,
                       struct tsk_span *out)
{
    struct tsk_span list;

    if (vector(&body, width, &list) != 0 || body.len != 0 ||
        list.len % item != 0)
        return -1;
    if (out->at == NULL)
        *out = list;
    return 0;
}

static int first_protocol(struct tsk_span body, struct tsk_span *out)
{
    struct tsk_span list = {0}, name;

    if (only_vector(body, 2, 1, &list) != 0)
        return -1;
    if (list.len == 0)
        return 0;
    if (vector(&list, 1, &name) != 0)
        return -1;
    if (out->at == NULL)
        *out = name;
    return 0;
}

static int of_client(struct tsk_greeting *g, int type, struct tsk_span body)
{
    switch (type) {
    case SERVER_NAME:
        g->sni = 1;
        return 0;
    case GROUPS:
        return only_vector(body, 2, 2, &g->groups);
    case POINT_FORMATS:
        return only_vector(body, 1, 1, &g->formats);
    case SIGNATURES:
        return only_vector(body, 2, 2, &g->sigalgs);
    case ALPN:
        return first_protocol(body, &g->alpn);
    case VERSIONS:
        return only_vector(body, 1, 2, &g->versions);
    default:
        return 0;
    }
}

int tsk_greeting_next(struct tsk_span *rest, struct tsk_span *body)
{
    struct tsk_span type;

    if (take(rest, 2, &type) != 0 || vector(rest, 2, body) != 0)
        return -1;
    return type.at[0] << 8 | type.at[1];
}

static int extensions(struct tsk_greeting *g, struct tsk_span rest)
{
    struct tsk_span body;

    if (rest.len == 0) /* RFC 5246, 7.4.1.2: there need not be any */
        return 0;
    if (vector(&rest, 2, &g->extensions) != 0 || rest.len != 0)
        return -1;
    rest = g->extensions;
    while (rest.len != 0) {
        int type = tsk_greeting_next(&rest, &body);

        if (type < 0 || (!g->server && of_client(g, type, body) != 0))
            return -1;
    }
    return 0;
}

static int lists(struct tsk_greeting *g, struct tsk_span *rest)
{
    struct tsk_span compression;

    if (g->server)
        return take(rest, 2, &g->ciphers) != 0 ||
                       take(rest, 1, &compression) != 0
                   ? -1
                   : 0;
    if (vector(rest, 2, &g->ciphers) != 0 || g->ciphers.len % 2 != 0)
        return -1;
    return vector(rest, 1, &compression);
}

int tsk_greeting_parse(struct tsk_greeting *g, const void *message, size_t len)
{
    struct tsk_span rest = {message, len}, head, body, version, random, id;

    memset(g, 0, sizeof(*g));
    if (take(&rest, 1, &head) != 0 || vector(&rest, 3, &body) != 0 ||
        rest.len != 0 ||
        (head.at[0] != CLIENT_HELLO && head.at[0] != SERVER_HELLO))
        return -1;
    g->server = head.at[0] == SERVER_HELLO;
    if (take(&body, 2, &version) != 0 || take(&body, RANDOM, &random) != 0 ||
        vector(&body, 1, &id) != 0 || id.len > SESSION_ID ||
        lists(g, &body) != 0)
        return -1;
    g->version = version.at[0] << 8 | version.at[1];
    g->retry = g->server && memcmp(random.at, retry_random, RANDOM) == 0;
    return extensions(g, body);
}

int tsk_greeting_grease(unsigned value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}
