/* HTTP/2: frames are walked here, their header blocks are nghttp2's HPACK, one
 * inflater for each direction (RFC 9113, RFC 7541). */
#include "httprec_private.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_HEAD 9
#define FRAME_MOST 65536   /* of those that are read whole */
#define SETTINGS_MOST 16   /* not yet acknowledged */
#define TABLE_MOST 1048576 /* of HPACK: who wants more is not followed */
#define NO_CHANGE UINT32_MAX

/* A header block until its last frame. */
struct block {
    int open, ends_stream, kind;
    uint32_t stream, promised;
    struct httprec_part part;
    char *method, *scheme, *authority, *path;
    int status;
};

struct table_size {
    uint32_t least, last; /* a frame may name it more than once */
};

struct way {
    unsigned char head[FRAME_HEAD];
    size_t n_head;
    size_t skip; /* of the preface, or of a frame nobody needs */
    uint32_t len, left, stream;
    unsigned type, flags;
    unsigned char *buf;
    size_t n_buf, room;
    uint32_t pad;   /* DATA: behind it */
    int pad_wanted; /* DATA: its length is the next byte */
    nghttp2_hd_inflater *inflater;
    struct block block;
    struct table_size sizes[SETTINGS_MOST]; /* for our inflater, until we
                                               acknowledge them */
    size_t n_sizes;
};

struct httprec_h2 {
    struct way way[2];
};

static uint32_t word(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static int wrong(struct httprec *r)
{
    rec_stop(r, "HTTP/2 that cannot be followed");
    return -1;
}

/* To the front with it: its next frame is found at once. */
static struct httprec_tx *find(struct httprec *r, uint32_t stream)
{
    for (struct httprec_tx **at = &r->live; *at != NULL; at = &(*at)->next) {
        struct httprec_tx *tx = *at;

        if (tx->stream != stream)
            continue;
        *at = tx->next;
        tx->next = r->live;
        r->live = tx;
        return tx;
    }
    return NULL;
}

static void block_clear(struct block *b)
{
    for (size_t i = 0; i < b->part.n; i++) {
        free(b->part.headers[i].name);
        free(b->part.headers[i].value);
    }
    free(b->part.headers);
    free(b->method);
    free(b->scheme);
    free(b->authority);
    free(b->path);
    *b = (struct block){.status = 0};
}

static void move(char **to, char **from)
{
    free(*to);
    *to = *from;
    *from = NULL;
}

/* The block's headers into an empty list, or behind those that are there. */
static int give(struct httprec *r, struct httprec_part *to, struct block *b,
                int is_trailer)
{
    for (size_t i = 0; i < b->part.n; i++) {
        struct httprec_header *h = &b->part.headers[i];

        if (tx_header(r, to, h->name, strlen(h->name), h->value,
                      strlen(h->value), is_trailer) < 0)
            return -1;
    }
    to->headers_cut |= b->part.headers_cut;
    return 0;
}

static int request(struct httprec *r, struct block *b, uint32_t stream,
                   int pushed)
{
    struct httprec_tx *tx;

    if (b->method == NULL)
        return wrong(r);
    tx = tx_new(r);
    if (tx == NULL)
        return -1;
    tx->stream = stream;
    tx->pushed = pushed;
    tx->req_over = pushed;
    tx->sent = pushed ? r->now : 0;
    strcpy(tx->version, "HTTP/2");
    move(&tx->method, &b->method);
    move(&tx->scheme, &b->scheme);
    move(&tx->authority, &b->authority);
    move(&tx->path, &b->path);
    return give(r, &tx->req, b, 0);
}

static int response(struct httprec *r, struct httprec_tx *tx, struct block *b)
{
    if (tx->status == 0 && b->status >= 100 && b->status < 200)
        return 0; /* an interim one */
    if (tx->status != 0)
        return give(r, &tx->res, b, 1);
    if (b->status == 0)
        return wrong(r);
    tx->status = b->status;
    strcpy(tx->answered, "HTTP/2");
    tx->first = r->now;
    return give(r, &tx->res, b, 0);
}

/* One direction of a stream has ended. */
static void half(struct httprec *r, int from, uint32_t stream)
{
    struct httprec_tx *tx = find(r, stream);

    if (tx == NULL)
        return;
    if (from == CLIENT) {
        tx->req_over = 1;
        tx->sent = r->now;
    } else {
        tx->res_over = 1;
        tx->done = r->now;
    }
    if (tx->req_over && tx->res_over)
        tx_done(r, tx, tx->status == 0 ? "it ended without a response" : NULL);
}

static int end_block(struct httprec *r, int from)
{
    struct block *b = &r->h2->way[from].block;
    struct httprec_tx *tx = find(r, b->stream);
    uint32_t stream = b->stream;
    int ends = b->ends_stream, rc = 0;

    if (b->kind == NGHTTP2_PUSH_PROMISE)
        rc = request(r, b, b->promised, 1);
    else if (from == SERVER)
        rc = tx != NULL ? response(r, tx, b) : 0;
    else
        rc = tx != NULL ? give(r, &tx->req, b, 1) : request(r, b, stream, 0);
    block_clear(b);
    if (rc == 0 && ends)
        half(r, from, stream);
    return rc;
}

static int pseudo(struct httprec *r, struct block *b, const nghttp2_nv *nv)
{
    static const char *const names[] = {":method", ":scheme", ":authority",
                                        ":path"};
    char **const to[] = {&b->method, &b->scheme, &b->authority, &b->path};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (nv->namelen == strlen(names[i]) &&
            memcmp(nv->name, names[i], nv->namelen) == 0) {
            /* RFC 9113, 8.3: once. A byte may name a long one of the table: to
             * copy it each time would cost far more than it is to send. */
            if (*to[i] != NULL)
                return wrong(r);
            return tx_set(r, to[i], nv->value, nv->valuelen);
        }
    if (nv->namelen == 7 && memcmp(nv->name, ":status", 7) == 0) {
        b->status = 0;
        for (size_t i = 0; i < nv->valuelen && i < 3; i++) {
            if (nv->value[i] < '0' || nv->value[i] > '9')
                return wrong(r);
            b->status = b->status * 10 + (nv->value[i] - '0');
        }
    }
    return 0;
}

static int inflate(struct httprec *r, int from, const unsigned char *p,
                   size_t len, int final)
{
    struct way *w = &r->h2->way[from];

    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t n =
            nghttp2_hd_inflate_hd2(w->inflater, &nv, &flags, p, len, final);

        if (n < 0) {
            rec_stop(r, "HPACK that cannot be followed");
            return -1;
        }
        p += n;
        len -= (size_t)n;
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
            int rc = nv.namelen > 0 && nv.name[0] == ':'
                         ? pseudo(r, &w->block, &nv)
                         : tx_header(r, &w->block.part, nv.name, nv.namelen,
                                     nv.value, nv.valuelen, 0);

            if (rc < 0)
                return -1;
        }
        if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
            nghttp2_hd_inflate_end_headers(w->inflater);
            return end_block(r, from);
        }
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && len == 0)
            return 0;
    }
}

/* What stands around a header block: padding, a priority, a promised number. */
static int on_headers(struct httprec *r, int from)
{
    struct way *w = &r->h2->way[from];
    const unsigned char *p = w->buf;
    size_t len = w->n_buf, pad = 0, extra;

    if ((w->flags & NGHTTP2_FLAG_PADDED) != 0) {
        if (len == 0)
            return wrong(r);
        pad = *p++;
        len--;
    }
    extra = w->type == NGHTTP2_PUSH_PROMISE           ? 4
            : (w->flags & NGHTTP2_FLAG_PRIORITY) != 0 ? 5
                                                      : 0;
    if (len < extra + pad || w->stream == 0)
        return wrong(r);
    block_clear(&w->block);
    w->block.open = (w->flags & NGHTTP2_FLAG_END_HEADERS) == 0;
    w->block.kind = (int)w->type;
    w->block.stream = w->stream;
    if (w->type == NGHTTP2_PUSH_PROMISE)
        w->block.promised = word(p) & 0x7fffffff;
    else
        w->block.ends_stream = (w->flags & NGHTTP2_FLAG_END_STREAM) != 0;
    return inflate(r, from, p + extra, len - extra - pad, !w->block.open);
}

static int on_continuation(struct httprec *r, int from)
{
    struct way *w = &r->h2->way[from];

    w->block.open = (w->flags & NGHTTP2_FLAG_END_HEADERS) == 0;
    return inflate(r, from, w->buf, w->n_buf, !w->block.open);
}

static int resize(struct httprec *r, struct way *w, uint32_t size)
{
    if (size == NO_CHANGE)
        return 0;
    if (size > TABLE_MOST)
        size = TABLE_MOST;
    return nghttp2_hd_inflate_change_table_size(w->inflater, size) == 0
               ? 0
               : wrong(r);
}

/* A size of the table counts from the acknowledgement on, in the order of the
 * stream of who compresses. */
static int on_settings(struct httprec *r, int from)
{
    struct way *w = &r->h2->way[from], *other = &r->h2->way[!from];
    struct table_size s = {NO_CHANGE, NO_CHANGE};

    if ((w->flags & NGHTTP2_FLAG_ACK) != 0) {
        if (w->n_sizes == 0)
            return 0;
        s = w->sizes[0];
        memmove(w->sizes, w->sizes + 1, --w->n_sizes * sizeof(s));
        return resize(r, w, s.least) < 0 ? -1 : resize(r, w, s.last);
    }
    for (size_t i = 0; i + 6 <= w->n_buf; i += 6) {
        if ((w->buf[i] << 8 | w->buf[i + 1]) !=
            NGHTTP2_SETTINGS_HEADER_TABLE_SIZE)
            continue;
        s.last = word(w->buf + i + 2);
        s.least = s.last < s.least ? s.last : s.least;
    }
    if (other->n_sizes == SETTINGS_MOST)
        return wrong(r);
    other->sizes[other->n_sizes++] = s;
    return 0;
}

static int on_reset(struct httprec *r, int from)
{
    struct way *w = &r->h2->way[from];
    struct httprec_tx *tx = find(r, w->stream);

    if (w->n_buf != 4)
        return wrong(r);
    if (tx == NULL)
        return 0;
    tx->reset = word(w->buf);
    /* after the whole response it only says: enough of the request */
    tx_done(r, tx,
            tx->res_over && tx->reset == 0 ? NULL
            : from == CLIENT               ? "the client reset the stream"
                                           : "the server reset the stream");
    return 0;
}

static int on_goaway(struct httprec *r, int from)
{
    struct way *w = &r->h2->way[from];
    uint32_t last;

    if (w->n_buf < 8)
        return wrong(r);
    last = word(w->buf) & 0x7fffffff;
    for (struct httprec_tx *tx = r->live, *next; tx != NULL; tx = next) {
        next = tx->next;
        if (tx->stream > last && tx->stream % 2 == (from == SERVER))
            tx_done(r, tx, "refused: the other side goes away");
    }
    return 0;
}

static int whole(struct httprec *r, int from)
{
    switch (r->h2->way[from].type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_PUSH_PROMISE:
        return on_headers(r, from);
    case NGHTTP2_CONTINUATION:
        return on_continuation(r, from);
    case NGHTTP2_SETTINGS:
        return on_settings(r, from);
    case NGHTTP2_RST_STREAM:
        return on_reset(r, from);
    default:
        return on_goaway(r, from);
    }
}

static int is_read_whole(unsigned type)
{
    return type == NGHTTP2_HEADERS || type == NGHTTP2_PUSH_PROMISE ||
           type == NGHTTP2_CONTINUATION || type == NGHTTP2_SETTINGS ||
           type == NGHTTP2_RST_STREAM || type == NGHTTP2_GOAWAY;
}

/* A frame's head is there. */
static int begin(struct httprec *r, int from)
{
    struct way *w = &r->h2->way[from];
    const unsigned char *h = w->head;

    w->len = w->left = (uint32_t)h[0] << 16 | (uint32_t)h[1] << 8 | h[2];
    w->type = h[3];
    w->flags = h[4];
    w->stream = word(h + 5) & 0x7fffffff;
    w->n_buf = 0;
    w->pad = 0;
    w->pad_wanted =
        w->type == NGHTTP2_DATA && (w->flags & NGHTTP2_FLAG_PADDED) != 0;
    /* nothing may stand between the frames of a header block */
    if (w->block.open != (w->type == NGHTTP2_CONTINUATION) ||
        (w->block.open && w->stream != w->block.stream) ||
        (w->pad_wanted && w->len == 0) ||
        (is_read_whole(w->type) && w->len > FRAME_MOST) ||
        (w->type == NGHTTP2_PUSH_PROMISE && from == CLIENT))
        return wrong(r);
    if (is_read_whole(w->type) && w->len >= w->room) {
        unsigned char *more = realloc(w->buf, w->len + 1);

        if (more == NULL) {
            rec_stop(r, "no memory");
            return -1;
        }
        w->buf = more;
        w->room = w->len + 1;
    }
    return 0;
}

static int data(struct httprec *r, int from, const unsigned char *p, size_t len)
{
    struct way *w = &r->h2->way[from];
    struct httprec_tx *tx;
    size_t body;

    if (w->pad_wanted && len > 0) {
        w->pad = *p++;
        len--;
        w->left--;
        w->pad_wanted = 0;
        if (w->pad > w->left)
            return wrong(r);
    }
    body = w->left > w->pad ? w->left - w->pad : 0;
    body = len < body ? len : body;
    tx = body > 0 ? find(r, w->stream) : NULL;
    if (tx != NULL)
        tx_body(r, from == CLIENT ? &tx->req : &tx->res, p, body);
    w->left -= (uint32_t)len;
    return 0;
}

/* Some of a frame's payload; how many bytes, or -1. */
static ssize_t payload(struct httprec *r, int from, const unsigned char *p,
                       size_t len)
{
    struct way *w = &r->h2->way[from];
    int rc = 0;

    len = len < w->left ? len : w->left;
    if (w->type == NGHTTP2_DATA) {
        rc = data(r, from, p, len);
    } else {
        if (is_read_whole(w->type) && len > 0) {
            memcpy(w->buf + w->n_buf, p, len);
            w->n_buf += len;
        }
        w->left -= (uint32_t)len;
    }
    if (rc < 0)
        return -1;
    if (w->left > 0)
        return (ssize_t)len;
    w->n_head = 0;
    if (is_read_whole(w->type))
        rc = whole(r, from);
    else if (w->type == NGHTTP2_DATA &&
             (w->flags & NGHTTP2_FLAG_END_STREAM) != 0)
        half(r, from, w->stream);
    return rc < 0 ? -1 : (ssize_t)len;
}

void h2_data(struct httprec *r, int from, const unsigned char *p, size_t len)
{
    struct way *w = &r->h2->way[from];
    size_t n = len < w->skip ? len : w->skip;

    w->skip -= n;
    p += n;
    len -= n;
    while (len > 0) {
        ssize_t used = 0;

        n = FRAME_HEAD - w->n_head;
        n = n < len ? n : len;
        memcpy(w->head + w->n_head, p, n);
        w->n_head += n;
        p += n;
        len -= n;
        if (w->n_head < FRAME_HEAD)
            return;
        if (n > 0 && begin(r, from) < 0)
            return;
        used = payload(r, from, p, len);
        if (used < 0)
            return;
        p += used;
        len -= (size_t)used;
    }
}

int h2_start(struct httprec *r)
{
    struct httprec_h2 *h = r->h2 = calloc(1, sizeof(*h));

    if (h == NULL)
        return -1;
    h->way[CLIENT].skip = 24; /* the preface, which led here */
    for (int i = 0; i < 2; i++)
        if (nghttp2_hd_inflate_new(&h->way[i].inflater) != 0)
            return -1;
    return 0;
}

void h2_free(struct httprec *r)
{
    if (r->h2 == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        struct way *w = &r->h2->way[i];

        if (w->inflater != NULL)
            nghttp2_hd_inflate_del(w->inflater);
        block_clear(&w->block);
        free(w->buf);
    }
    free(r->h2);
    r->h2 = NULL;
}

int httprec_has_h2(void)
{
    return 1;
}
