#include "hello.h"

#include "helloname.h"

#include <openssl/rand.h>
#include <string.h>

#define ALERT 21
#define HANDSHAKE 22
#define CLIENT_HELLO 1
#define SERVER_HELLO 2
#define CERTIFICATE 11
#define SERVER_KEY_EXCHANGE 12
#define CERTIFICATE_STATUS 22
#define NAMED_CURVE 3
#define WARNING 1

/* Extensions: RFC 6066, 7919, 5246, 8446, 7627, 5077, 5746 */
enum {
    SERVER_NAME = 0,
    GROUPS = 10,
    POINT_FORMATS = 11,
    SIGNATURES = 13,
    EXTENDED_MASTER = 23,
    SESSION_TICKET = 35,
    VERSIONS = 43,
    PSK_MODES = 45,
    KEY_SHARE = 51,
    RENEGOTIATION = 0xff01
};

struct writer {
    uint8_t *p;
    size_t len, size;
    int full;
};

static void put(struct writer *w, const void *data, size_t n)
{
    if (n > w->size - w->len) {
        w->full = 1;
        return;
    }
    if (n > 0)
        memcpy(w->p + w->len, data, n);
    w->len += n;
}

static void put8(struct writer *w, unsigned v)
{
    uint8_t b = (uint8_t)v;

    put(w, &b, 1);
}

static void put16(struct writer *w, unsigned v)
{
    put8(w, v >> 8);
    put8(w, v & 0xff);
}

/* A length that is known later: its place. */
static size_t open16(struct writer *w)
{
    put16(w, 0);
    return w->len;
}

static void close16(struct writer *w, size_t from)
{
    size_t n = w->len - from;

    if (w->full)
        return;
    w->p[from - 2] = (uint8_t)(n >> 8);
    w->p[from - 1] = (uint8_t)n;
}

static void put_list(struct writer *w, const uint16_t *v, size_t n)
{
    size_t list = open16(w);

    for (size_t i = 0; i < n; i++)
        put16(w, v[i]);
    close16(w, list);
}

static void put_random(struct writer *w)
{
    uint8_t random[32];

    if (RAND_bytes(random, sizeof(random)) != 1)
        w->full = 1;
    put(w, random, sizeof(random));
}

static void put_name(struct writer *w, const char *name)
{
    size_t ext, list;

    if (name == NULL || name[0] == '\0' || strlen(name) > 255)
        return;
    put16(w, SERVER_NAME);
    ext = open16(w);
    list = open16(w);
    put8(w, 0);
    put16(w, (unsigned)strlen(name));
    put(w, name, strlen(name));
    close16(w, list);
    close16(w, ext);
}

/* All that any certificate may need, so that none is a reason to refuse. */
static void put_signatures(struct writer *w)
{
    static const uint16_t all[] = {
        0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809,
        0x080a, 0x080b, 0x0401, 0x0501, 0x0601, 0x0303, 0x0301, 0x0203, 0x0201,
        0x0402, 0x0202, 0x081a, 0x081b, 0x081c, 0x0904, 0x0905, 0x0906};
    size_t ext;

    put16(w, SIGNATURES);
    ext = open16(w);
    put_list(w, all, sizeof(all) / sizeof(all[0]));
    close16(w, ext);
}

static void put_extension(struct writer *w, unsigned type, const void *data,
                          size_t n)
{
    put16(w, type);
    put16(w, (unsigned)n);
    put(w, data, n);
}

static void put_extensions(struct writer *w, const struct hello_ask *ask)
{
    size_t all = open16(w), ext;

    put_name(w, ask->sni);
    put16(w, GROUPS);
    ext = open16(w);
    put_list(w, ask->groups, ask->n_groups);
    close16(w, ext);
    if (ask->version >= HELLO_TLS12)
        put_signatures(w);
    if (ask->version == HELLO_TLS13) {
        put_extension(w, VERSIONS, "\2\3\4", 3);
        put_extension(w, PSK_MODES, "\1\1", 2);
        put_extension(w, KEY_SHARE, "\0\0", 2);
    } else {
        put_extension(w, POINT_FORMATS, "\1\0", 2);
        put_extension(w, EXTENDED_MASTER, NULL, 0);
        put_extension(w, SESSION_TICKET, NULL, 0);
        put_extension(w, RENEGOTIATION, "\0", 1);
    }
    close16(w, all);
}

static void put_body(struct writer *w, const struct hello_ask *ask)
{
    put16(w, ask->version < HELLO_TLS12 ? (unsigned)ask->version : HELLO_TLS12);
    put_random(w);
    if (ask->version == HELLO_TLS13) { /* for middleboxes: RFC 8446, D.4 */
        put8(w, 32);
        put_random(w);
    } else {
        put8(w, 0);
    }
    put_list(w, ask->suites, ask->n_suites);
    if (ask->compression)
        put(w, "\2\1\0", 3);
    else
        put(w, "\1\0", 2);
    if (ask->version > HELLO_SSL3)
        put_extensions(w, ask);
}

size_t hello_write(uint8_t *out, size_t size, const struct hello_ask *ask)
{
    struct writer w = {.p = out, .size = size};
    size_t record, body;

    put8(&w, HANDSHAKE);
    put16(&w,
          ask->version > HELLO_TLS10 ? HELLO_TLS10 : (unsigned)ask->version);
    record = open16(&w);
    put8(&w, CLIENT_HELLO);
    put8(&w, 0); /* of a length of 24 bits */
    body = open16(&w);
    put_body(&w, ask);
    close16(&w, body);
    close16(&w, record);
    return w.full ? 0 : w.len;
}

struct reader {
    const uint8_t *p;
    size_t len;
    int short_of; /* something was missing */
};

static const uint8_t *take(struct reader *r, size_t n)
{
    const uint8_t *p = r->p;

    if (n > r->len) {
        r->short_of = 1;
        r->len = 0;
        return NULL;
    }
    r->p += n;
    r->len -= n;
    return p;
}

static unsigned take8(struct reader *r)
{
    const uint8_t *p = take(r, 1);

    return p != NULL ? p[0] : 0;
}

static unsigned take16(struct reader *r)
{
    const uint8_t *p = take(r, 2);

    return p != NULL ? (unsigned)p[0] << 8 | p[1] : 0;
}

static struct reader part(struct reader *r, size_t n)
{
    struct reader sub = {.p = take(r, n)};

    sub.len = sub.p != NULL ? n : 0;
    return sub;
}

static void read_extension(struct hello_answer *out, unsigned type,
                           struct reader *e)
{
    switch (type) {
    case VERSIONS:
        out->version = (int)take16(e);
        break;
    case KEY_SHARE:
        out->group = (int)take16(e);
        break;
    case RENEGOTIATION:
        out->renegotiation = 1;
        break;
    case EXTENDED_MASTER:
        out->extended_master = 1;
        break;
    default:
        break;
    }
}

/* SHA-256 of "HelloRetryRequest": RFC 8446, 4.1.3 */
static const uint8_t retry_random[32] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
    0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

/* RFC 8446, 4.1.3 */
static enum hello_kind read_hello(struct hello_answer *out, struct reader *r)
{
    const uint8_t *random;
    struct reader all;
    unsigned id;

    out->version = (int)take16(r);
    random = take(r, 32);
    id = take8(r);
    (void)take(r, id);
    out->suite = (int)take16(r);
    out->compression = (int)take8(r);
    if (r->short_of || id > 32)
        return HELLO_OTHER;
    out->kind = memcmp(random, retry_random, sizeof(retry_random)) == 0
                    ? HELLO_RETRY
                    : HELLO_SERVER;
    if (r->len == 0)
        return out->kind;
    all = part(r, take16(r));
    while (all.len > 0 && !all.short_of) {
        unsigned type = take16(&all);
        struct reader e = part(&all, take16(&all));

        read_extension(out, type, &e);
        r->short_of = r->short_of || e.short_of;
    }
    return r->short_of || all.short_of || r->len > 0 ? HELLO_OTHER : out->kind;
}

static int bits(const uint8_t *p, size_t n)
{
    int lead = 0;

    while (n > 0 && p[0] == 0) {
        p++;
        n--;
    }
    while (n > 0 && (p[0] & 0x80 >> lead) == 0)
        lead++;
    return n > 0 ? (int)(8 * n) - lead : 0;
}

/* RFC 5246, 7.4.3; RFC 8422, 5.4 */
static void read_key(struct hello_answer *out, struct reader *r)
{
    const uint8_t *p;
    size_t n;

    if (hello_key_kind(out->suite) == HELLO_KEY_CURVE) {
        if (take8(r) == NAMED_CURVE)
            out->group = (int)take16(r);
    } else if (hello_key_kind(out->suite) == HELLO_KEY_DH) {
        n = take16(r);
        p = take(r, n);
        if (p != NULL)
            out->dh_bits = bits(p, n);
    }
}

/* The next message: HELLO_MORE goes on. */
static enum hello_kind read_message(struct hello_answer *out, int want_key,
                                    unsigned type, struct reader *body)
{
    enum hello_kind kind;

    if (out->kind == HELLO_MORE) { /* the first one */
        if (type != SERVER_HELLO)
            return HELLO_OTHER;
        kind = read_hello(out, body);
        return kind != HELLO_SERVER || !want_key || out->version >= HELLO_TLS13
                   ? kind
                   : HELLO_MORE;
    }
    if (type == SERVER_KEY_EXCHANGE)
        read_key(out, body);
    if (body->short_of)
        return HELLO_OTHER;
    return type == CERTIFICATE || type == CERTIFICATE_STATUS ? HELLO_MORE
                                                             : HELLO_SERVER;
}

/* Handshake messages, maybe spread over records. used: of p so far. */
static enum hello_kind read_messages(struct hello_answer *out, int want_key,
                                     const uint8_t *p, size_t len, size_t *used)
{
    enum hello_kind kind = HELLO_MORE;

    while (kind == HELLO_MORE && *used < len) {
        struct reader r = {.p = p + *used, .len = len - *used}, body;
        unsigned type = take8(&r), high, low;

        if (out->kind == HELLO_MORE && type != SERVER_HELLO)
            return HELLO_OTHER;
        high = take8(&r);
        low = take16(&r);
        if (high != 0)
            return HELLO_OTHER;
        if (r.short_of || r.len < low)
            return HELLO_MORE;
        body = part(&r, low);
        *used += 4 + low;
        kind = read_message(out, want_key, type, &body);
    }
    return kind;
}

static enum hello_kind read_alert(struct hello_answer *out, struct reader *r)
{
    out->alert_level = (int)take8(r);
    out->alert = (int)take8(r);
    if (r->short_of || r->len > 0)
        return HELLO_OTHER;
    return out->alert_level == WARNING && out->alert != 0 ? HELLO_MORE
                                                          : HELLO_ALERT;
}

static enum hello_kind read_records(struct hello_answer *out, int want_key,
                                    struct reader *r, uint8_t *message)
{
    size_t have = 0, used = 0;
    enum hello_kind kind = HELLO_MORE;

    while (kind == HELLO_MORE && r->len > 0) {
        unsigned type = take8(r), major;
        struct reader record;

        if (type != ALERT && type != HANDSHAKE)
            return HELLO_OTHER;
        if (r->len == 0)
            return HELLO_MORE;
        major = take8(r);
        if (major != 3)
            return HELLO_OTHER;
        (void)take8(r);
        record = part(r, take16(r));
        if (r->short_of)
            return HELLO_MORE;
        if (record.len == 0)
            return HELLO_OTHER;
        if (type == ALERT) {
            if (have > used) /* in between the parts of a message */
                return HELLO_OTHER;
            kind = read_alert(out, &record);
            continue;
        }
        memcpy(message + have, record.p, record.len);
        have += record.len;
        kind = read_messages(out, want_key, message, have, &used);
    }
    return kind;
}

enum hello_kind hello_read(struct hello_answer *out, int want_key,
                           const uint8_t *data, size_t len)
{
    uint8_t message[HELLO_ANSWER_MAX];
    struct reader r = {.p = data, .len = len};

    *out = (struct hello_answer){.kind = HELLO_MORE};
    if (len > HELLO_ANSWER_MAX)
        r.len = HELLO_ANSWER_MAX;
    out->kind = read_records(out, want_key, &r, message);
    if (out->kind == HELLO_MORE && len >= HELLO_ANSWER_MAX)
        out->kind = HELLO_OTHER;
    return out->kind;
}
