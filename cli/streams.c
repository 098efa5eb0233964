#include "streams.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024

/* A segment that came before what is in front of it. */
struct ahead {
    size_t at, len; /* place within the stream */
    uint8_t *bytes;
};

struct stream {
    struct stream *next; /* in its bucket */
    struct stream *older, *newer;
    struct packet_ends ends;
    uint32_t start; /* sequence number of the first byte */
    int done;       /* nothing more is wanted; it only keeps its place */
    int perhaps;    /* what is not there is not missed */
    uint8_t *bytes;
    size_t len, room, seen;
    struct ahead ahead[STREAMS_AHEAD];
    size_t n_ahead;
};

struct streams {
    streams_told *told;
    void *arg;
    struct stream *buckets[BUCKETS];
    struct stream *oldest, *newest;
    size_t n, bytes;
    unsigned long lost;
};

static size_t bucket_of(const struct packet_ends *ends)
{
    const uint8_t *p = (const uint8_t *)ends;
    size_t h = 5381;

    for (size_t i = 0; i < sizeof(*ends); i++)
        h = h * 33 ^ p[i];
    return h % BUCKETS;
}

struct streams *streams_new(streams_told *told, void *arg)
{
    struct streams *s = calloc(1, sizeof(*s));

    if (s != NULL) {
        s->told = told;
        s->arg = arg;
    }
    return s;
}

/* Its bytes go; it stays, so that what still comes is known to be of it. */
static void empty(struct streams *s, struct stream *t)
{
    s->bytes -= t->room;
    for (size_t i = 0; i < t->n_ahead; i++) {
        s->bytes -= t->ahead[i].len;
        free(t->ahead[i].bytes);
    }
    free(t->bytes);
    t->bytes = NULL;
    t->len = t->room = t->n_ahead = 0;
}

static int is_missed(const struct stream *t)
{
    return !t->done && !t->perhaps && (t->len != 0 || t->n_ahead != 0);
}

static void drop(struct streams *s, struct stream *t)
{
    struct stream **at = &s->buckets[bucket_of(&t->ends)];

    s->lost += is_missed(t);
    empty(s, t);
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    *(t->older != NULL ? &t->older->newer : &s->oldest) = t->newer;
    *(t->newer != NULL ? &t->newer->older : &s->newest) = t->older;
    free(t);
    s->n--;
}

void streams_free(struct streams *s)
{
    if (s == NULL)
        return;
    while (s->oldest != NULL)
        drop(s, s->oldest);
    free(s);
}

unsigned long streams_lost(const struct streams *s)
{
    unsigned long n = s->lost;

    for (const struct stream *t = s->oldest; t != NULL; t = t->newer)
        n += is_missed(t);
    return n;
}

static struct stream *find(const struct streams *s,
                           const struct packet_ends *ends)
{
    struct stream *t = s->buckets[bucket_of(ends)];

    while (t != NULL && memcmp(&t->ends, ends, sizeof(*ends)) != 0)
        t = t->next;
    return t;
}

static struct stream *add(struct streams *s, const struct packet *p)
{
    struct stream **bucket = &s->buckets[bucket_of(&p->ends)];
    struct stream *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return NULL;
    t->ends = p->ends;
    t->start = p->seq + (p->syn ? 1 : 0);
    t->next = *bucket;
    *bucket = t;
    t->older = s->newest;
    *(s->newest != NULL ? &s->newest->newer : &s->oldest) = t;
    s->newest = t;
    if (++s->n > STREAMS_MOST)
        drop(s, s->oldest);
    return t;
}

/* Copies what is new behind what there is. */
static int append(struct streams *s, struct stream *t, const uint8_t *bytes,
                  size_t len)
{
    size_t room = t->room;
    uint8_t *grown;

    if (len > STREAMS_BYTES - t->len)
        len = STREAMS_BYTES - t->len;
    while (room < t->len + len)
        room = room == 0 ? 2048 : 2 * room;
    if (room != t->room) {
        grown = realloc(t->bytes, room);
        if (grown == NULL)
            return -1;
        s->bytes += room - t->room;
        t->bytes = grown;
        t->room = room;
    }
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
    return 0;
}

static int keep(struct streams *s, struct stream *t, size_t at,
                const uint8_t *bytes, size_t len)
{
    struct ahead *a = &t->ahead[t->n_ahead];

    if (t->n_ahead == STREAMS_AHEAD || at >= STREAMS_BYTES)
        return 0;
    for (size_t i = 0; i < t->n_ahead; i++) /* sent again */
        if (t->ahead[i].at == at && t->ahead[i].len >= len)
            return 0;
    a->bytes = malloc(len);
    if (a->bytes == NULL)
        return -1;
    memcpy(a->bytes, bytes, len);
    a->at = at;
    a->len = len;
    s->bytes += len;
    t->n_ahead++;
    return 0;
}

/* A segment that waits and now follows on what there is: -1 none. */
static int next_ahead(const struct stream *t)
{
    for (size_t i = 0; i < t->n_ahead; i++)
        if (t->ahead[i].at <= t->len)
            return (int)i;
    return -1;
}

static int join(struct streams *s, struct stream *t)
{
    int rc = 0;

    for (int i = next_ahead(t); i >= 0 && rc == 0; i = next_ahead(t)) {
        struct ahead a = t->ahead[i];

        t->ahead[i] = t->ahead[--t->n_ahead];
        s->bytes -= a.len;
        if (a.at + a.len > t->len)
            rc = append(s, t, a.bytes + (t->len - a.at), a.at + a.len - t->len);
        free(a.bytes);
    }
    return rc;
}

static int take(struct streams *s, struct stream *t, const struct packet *p)
{
    uint32_t at = p->seq + (p->syn ? 1 : 0) - t->start;
    const uint8_t *bytes = p->data;
    size_t len = p->len;
    int rc;

    if (at >= 0x80000000u) { /* it begins before the start */
        size_t before = (size_t)(0u - at);

        if (before >= len)
            return 0;
        bytes += before;
        len -= before;
        at = 0;
    }
    if (at > t->len)
        return keep(s, t, at, bytes, len);
    if (at + len <= t->len) /* what came first counts */
        return 0;
    rc = append(s, t, bytes + (t->len - at), len - (t->len - at));
    return rc != 0 ? rc : join(s, t);
}

int streams_add(struct streams *s, const struct packet *p)
{
    struct stream *t = find(s, &p->ends);
    size_t before;

    if (t != NULL && p->syn && t->start != p->seq + 1) { /* used again */
        drop(s, t);
        t = NULL;
    }
    /* without its beginning a stream is of use if this is where TLS begins */
    if (t == NULL && !p->syn && (p->len == 0 || p->data[0] != 22))
        return 0;
    if (t == NULL)
        t = add(s, p);
    if (t == NULL)
        return -1;
    if (t->done || p->len == 0)
        return 0;
    before = t->len;
    if (take(s, t, p) != 0)
        return -1;
    if (t->len != before) {
        int more = s->told(&t->ends, t->bytes, t->len, &t->seen, s->arg);

        t->perhaps = more == STREAMS_PERHAPS;
        t->done = more == STREAMS_ENOUGH || t->len == STREAMS_BYTES;
    }
    if (t->done)
        empty(s, t);
    while (s->bytes > STREAMS_ALL)
        drop(s, s->oldest);
    return 0;
}
