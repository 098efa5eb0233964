/* A capture without its file: the first byte says what the link is, then come
 * frames, each behind two bytes of length. Whatever they are, a hello is no
 * longer than what was put together, and a name is a text. */
#include "records.h"
#include "streams.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t hello[RECORDS_MOST];

static int told(const struct packet_ends *ends, const uint8_t *bytes,
                size_t len, size_t *seen, void *arg)
{
    enum records_kind kind;
    char name[256];
    size_t n = 0, whole = 0;

    (void)ends;
    (void)arg;
    if (len == 0 || len > STREAMS_BYTES)
        abort();
    n = records_begin(bytes, len);
    if (n > len || (n < len && (len - n < 11 || bytes[n] != 22)))
        abort();
    n = 0;
    kind = records_hello(bytes, len, hello, &n);
    if (kind == RECORDS_HELLO && (n < 4 || n > len || n > RECORDS_MOST))
        abort();
    if (kind == RECORDS_HELLO) {
        records_name(hello, n, name);
        if (memchr(name, '\0', sizeof(name)) == NULL)
            abort();
    }
    /* the same piece by piece as in one */
    if (records_find(bytes, len, seen, hello, &n) !=
        records_find(bytes, len, &whole, hello, &n))
        abort();
    return kind != RECORDS_MORE;
}

/* In memory of exactly its size: a byte too far is seen. */
static int one(struct streams *s, int link, const uint8_t *frame, size_t len)
{
    uint8_t *exact = malloc(len + (len == 0));
    struct packet p;
    int rc = 0;

    if (exact == NULL)
        return -1;
    if (len != 0)
        memcpy(exact, frame, len);
    if (packet_parse(&p, link, exact, len) == PACKET_TCP) {
        if (p.len > len)
            abort();
        rc = streams_add(s, &p);
    }
    free(exact);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct streams *s = size != 0 ? streams_new(told, NULL) : NULL;
    int link;

    if (s == NULL)
        return 0;
    link = data[0] == 255 ? PACKET_SLL2 : data[0];
    (void)packet_link(link);
    for (size_t at = 1; size - at >= 2;) {
        size_t len = (size_t)data[at] << 8 | data[at + 1];

        at += 2;
        if (len > size - at)
            len = size - at;
        if (one(s, link, data + at, len) != 0)
            break;
        at += len;
    }
    (void)streams_lost(s);
    streams_free(s);
    return 0;
}
