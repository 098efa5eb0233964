/* HTTP/1, read by libhtp. Headers come out of its raw bytes: its own table has
 * one row for all headers of a name. */
#include "httprec_private.h"

#include <htp/htp.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MOST 65536
#define TX_MOST 1000 /* then a new parser: libhtp keeps a slot for each */

struct head {
    unsigned char *buf;
    size_t len, room;
    int64_t size;
    int cut;
};

struct httprec_h1 {
    htp_cfg_t *cfg;
    htp_connp_t *connp;
    struct head head[2]; /* of the message that is being read */
    unsigned done;
    int closing;
    const char *stop; /* after the transaction that is being told */
};

static struct httprec *of(const htp_connp_t *connp)
{
    return htp_connp_get_user_data(connp);
}

static struct httprec_tx *tx_of(const htp_tx_t *t)
{
    return htp_tx_get_user_data(t);
}

static void head_clear(struct head *h)
{
    free(h->buf);
    *h = (struct head){NULL, 0, 0, 0, 0};
}

static int head_add(struct httprec *r, struct head *h, const void *bytes,
                    size_t len)
{
    unsigned char *more;

    h->size += (int64_t)len;
    if (h->cut)
        return HTP_OK; /* nothing follows the gap */
    if (len > HTTPREC_HEAD - h->len) {
        len = HTTPREC_HEAD - h->len;
        h->cut = 1;
    }
    if (h->len + len > h->room) {
        more = realloc(h->buf, h->len + len + 1024);
        if (more == NULL) {
            rec_stop(r, "no memory");
            return HTP_ERROR;
        }
        h->buf = more;
        h->room = h->len + len + 1024;
    }
    if (len > 0)
        memcpy(h->buf + h->len, bytes, len);
    h->len += len;
    return HTP_OK;
}

static int is_space(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* One field, with lines of its own that are folded: they become spaces. */
static int field(struct httprec *r, struct httprec_part *p, unsigned char *at,
                 size_t len, int is_trailer)
{
    unsigned char *colon = memchr(at, ':', len);
    size_t name = colon != NULL ? (size_t)(colon - at) : len,
           value = colon != NULL ? name + 1 : len;

    while (name > 0 && is_space(at[name - 1]))
        name--;
    while (value < len && is_space(at[value]))
        value++;
    while (len > value && is_space(at[len - 1]))
        len--;
    for (size_t i = value; i < len; i++)
        if (at[i] == '\r' || at[i] == '\n')
            at[i] = ' ';
    if (name == 0)
        return 0;
    return tx_header(r, p, at, name, at + value, len - value, is_trailer);
}

static int fields(struct httprec *r, struct httprec_part *p, struct head *h,
                  int is_trailer)
{
    size_t at = 0;

    if (h->cut) {
        p->headers_cut = 1;
        while (h->len > 0 && h->buf[h->len - 1] != '\n')
            h->len--;
    }
    while (at < h->len) {
        size_t end = at;

        do {
            unsigned char *nl = memchr(h->buf + end, '\n', h->len - end);

            end = nl != NULL ? (size_t)(nl - h->buf) + 1 : h->len;
        } while (end < h->len && end - at > 2 &&
                 (h->buf[end] == ' ' || h->buf[end] == '\t'));
        if (field(r, p, h->buf + at, end - at, is_trailer) < 0)
            return -1;
        at = end;
    }
    head_clear(h);
    return 0;
}

static int on_request(htp_tx_t *t)
{
    struct httprec *r = of(t->connp);
    struct httprec_tx *tx = tx_new(r);

    head_clear(&r->h1->head[CLIENT]);
    htp_tx_set_user_data(t, tx);
    /* without one on_request_line() fails: this hook would be called again */
    return HTP_OK;
}

/* To its end: a line that came in pieces behind another message may have more
 * of itself behind it. */
static int line_len(const bstr *line)
{
    size_t n = 0;

    while (n < bstr_len(line) && bstr_ptr(line)[n] != '\r' &&
           bstr_ptr(line)[n] != '\n')
        n++;
    return (int)n;
}

static int set(struct httprec *r, char **to, bstr *from)
{
    if (from == NULL)
        return tx_set(r, to, "", 0);
    return tx_set(r, to, bstr_ptr(from), bstr_len(from));
}

static int on_request_line(htp_tx_t *t)
{
    struct httprec *r = of(t->connp);
    struct httprec_tx *tx = tx_of(t);

    if (tx == NULL)
        return HTP_ERROR;
    if (t->is_protocol_0_9 ||
        (t->request_protocol_number != HTP_PROTOCOL_1_0 &&
         t->request_protocol_number != HTP_PROTOCOL_1_1)) {
        rec_stop(r, "what the client sends is no HTTP");
        return HTP_ERROR;
    }
    strcpy(tx->version, t->request_protocol_number == HTP_PROTOCOL_1_0
                            ? "HTTP/1.0"
                            : "HTTP/1.1");
    tx->req.head_size = line_len(t->request_line) + 2;
    return set(r, &tx->method, t->request_method) < 0 ||
                   set(r, &tx->path, t->request_uri) < 0
               ? HTP_ERROR
               : HTP_OK;
}

static int on_request_bytes(htp_tx_data_t *d)
{
    struct httprec *r = of(d->tx->connp);

    return head_add(r, &r->h1->head[CLIENT], d->data, d->len);
}

static int on_response_bytes(htp_tx_data_t *d)
{
    struct httprec *r = of(d->tx->connp);

    return head_add(r, &r->h1->head[SERVER], d->data, d->len);
}

/* After an interim response the raw bytes have both heads: to the fields of
 * the last one. */
static void skip_interim(struct head *h)
{
    static const char mark[] = "HTTP/1.";
    size_t from = 0, at = 0;

    while (at < h->len) {
        unsigned char *nl = memchr(h->buf + at, '\n', h->len - at);
        size_t end = nl != NULL ? (size_t)(nl - h->buf) + 1 : h->len;

        if (end - at >= sizeof(mark) - 1 &&
            memcmp(h->buf + at, mark, sizeof(mark) - 1) == 0)
            from = end;
        at = end;
    }
    if (from > 0)
        memmove(h->buf, h->buf + from, h->len - from);
    h->len -= from;
    h->size -= (int64_t)from;
}

/* The raw bytes may begin with the rest of the first line, if that came in
 * pieces. */
static void skip_rest(struct head *h, const bstr *line)
{
    const unsigned char *nl = memchr(h->buf, '\n', h->len);
    size_t end = nl != NULL ? (size_t)(nl - h->buf) + 1 : 0, n = end;

    while (n > 0 && is_space(h->buf[n - 1]))
        n--;
    if (line == NULL || end == 0 || n > bstr_len(line) ||
        memcmp(bstr_ptr(line) + bstr_len(line) - n, h->buf, n) != 0)
        return;
    if (n == 0 && end == h->len)
        return; /* the empty line, for there is no field */
    memmove(h->buf, h->buf + end, h->len - end);
    h->len -= end;
    h->size -= (int64_t)end;
}

static int take_head(htp_tx_t *t, int from, int is_trailer)
{
    struct httprec *r = of(t->connp);
    struct httprec_tx *tx = tx_of(t);
    struct httprec_part *p;

    if (tx == NULL)
        return HTP_ERROR;
    if (r->h1->closing)
        return HTP_OK; /* a line may be missing, or part of one */
    p = from == CLIENT ? &tx->req : &tx->res;
    if (from == SERVER && tx->interim)
        skip_interim(&r->h1->head[SERVER]);
    if (!is_trailer && r->h1->head[from].len > 0)
        skip_rest(&r->h1->head[from],
                  from == CLIENT ? t->request_line : t->response_line);
    if (!is_trailer && p->head_size >= 0)
        p->head_size += r->h1->head[from].size;
    return fields(r, p, &r->h1->head[from], is_trailer) < 0 ? HTP_ERROR
                                                            : HTP_OK;
}

static int on_request_headers(htp_tx_t *t)
{
    return take_head(t, CLIENT, 0);
}

static int on_response_trailer(htp_tx_t *t)
{
    return take_head(t, SERVER, 1);
}

static int on_request_body(htp_tx_data_t *d)
{
    struct httprec_tx *tx = tx_of(d->tx);

    if (tx != NULL && d->data != NULL)
        tx_body(of(d->tx->connp), &tx->req, d->data, d->len);
    return HTP_OK;
}

static int on_request_complete(htp_tx_t *t)
{
    struct httprec_tx *tx = tx_of(t);

    if (tx == NULL)
        return HTP_ERROR;
    if (of(t->connp)->h1->closing)
        return HTP_OK;
    tx->sent = of(t->connp)->now;
    tx->req_over = 1;
    /* trailers: now all of them are there */
    return take_head(t, CLIENT, 1);
}

/* Again after a 100; other interim ones are taken for one, which libhtp knows
 * how to skip. 101 is the end of HTTP. */
static int on_response_line(htp_tx_t *t)
{
    struct httprec *r = of(t->connp);
    struct httprec_tx *tx = tx_of(t);

    if (tx == NULL || tx->method == NULL ||
        (t->response_protocol_number != HTP_PROTOCOL_1_0 &&
         t->response_protocol_number != HTP_PROTOCOL_1_1)) {
        rec_stop(r, "what the server sends is no HTTP");
        return HTP_ERROR;
    }
    if (!tx->interim)
        head_clear(&r->h1->head[SERVER]);
    if (t->response_status_number >= 100 && t->response_status_number < 200 &&
        t->response_status_number != 101) {
        tx->interim = 1;
        t->response_status_number = 100;
        t->seen_100continue = 0;
        return HTP_OK;
    }
    /* these have no body, whatever length they name (RFC 9112, 6.3) */
    if (t->response_status_number == 204 || t->response_status_number == 304)
        t->request_method_number = HTP_M_HEAD;
    if (tx->first == 0)
        tx->first = r->now;
    tx->status = t->response_status_number;
    strcpy(tx->answered, t->response_protocol_number == HTP_PROTOCOL_1_0
                             ? "HTTP/1.0"
                             : "HTTP/1.1");
    tx->res.head_size = line_len(t->response_line) + 2;
    if (t->response_message != NULL)
        snprintf(tx->reason, sizeof(tx->reason), "%.*s",
                 line_len(t->response_message),
                 (const char *)bstr_ptr(t->response_message));
    return HTP_OK;
}

static int is_connect(const struct httprec_tx *tx)
{
    return strcmp(tx->method, "CONNECT") == 0 && tx->status / 100 == 2;
}

static int on_response_headers(htp_tx_t *t)
{
    struct httprec *r = of(t->connp);
    struct httprec_tx *tx = tx_of(t);
    int rc = take_head(t, SERVER, 0);

    if (rc == HTP_OK)
        tx->has_head = !r->h1->closing;
    if (rc != HTP_OK || (tx->status != 101 && !is_connect(tx)))
        return rc;
    tx->done = r->now;
    r->h1->stop = is_connect(tx) ? "a tunnel follows, which is not recorded"
                                 : "another protocol follows, which is not "
                                   "recorded";
    tx_done(r, tx, r->h1->stop);
    htp_tx_set_user_data(t, NULL);
    rec_stop(r, r->h1->stop);
    return HTP_ERROR;
}

static int on_response_body(htp_tx_data_t *d)
{
    struct httprec *r = of(d->tx->connp);
    struct httprec_tx *tx = tx_of(d->tx);

    if (tx != NULL && tx->status == 0 && d->len > 0) {
        rec_stop(r, "what the server sends is no HTTP");
        return HTP_ERROR;
    }
    if (tx != NULL && d->data != NULL)
        tx_body(r, &tx->res, d->data, d->len);
    return HTP_OK;
}

/* Was the end of the connection the end of the body, too? */
static int is_short(const htp_tx_t *t, const struct httprec_tx *tx)
{
    if (strcmp(tx->method, "HEAD") == 0 || tx->status == 304 ||
        tx->status == 204)
        return 0;
    return t->response_transfer_coding == HTP_CODING_CHUNKED ||
           (t->response_transfer_coding == HTP_CODING_IDENTITY &&
            t->response_content_length >= 0 &&
            tx->res.body_size < (uint64_t)t->response_content_length);
}

static int on_response_complete(htp_tx_t *t)
{
    struct httprec *r = of(t->connp);
    struct httprec_tx *tx = tx_of(t);

    if (tx == NULL)
        return HTP_ERROR;
    if (r->h1->closing && tx->status == 0)
        return HTP_OK;
    tx->done = r->now;
    tx->res_over = !r->h1->closing || (tx->has_head && !is_short(t, tx));
    return HTP_OK;
}

static int on_complete(htp_tx_t *t)
{
    struct httprec *r = of(t->connp);
    struct httprec_tx *tx = tx_of(t);

    if (tx == NULL || (r->h1->closing && !tx->res_over))
        return HTP_OK; /* httprec_close() tells what is wrong with it */
    htp_tx_set_user_data(t, NULL);
    tx_done(r, tx, NULL);
    r->h1->done++;
    return HTP_OK;
}

static htp_cfg_t *configure(void)
{
    htp_cfg_t *c = htp_config_create();

    if (c == NULL)
        return NULL;
    htp_config_set_tx_auto_destroy(c, 1);
    htp_config_set_log_level(c, HTP_LOG_NONE);
    htp_config_set_field_limits(c, LINE_MOST / 2, LINE_MOST);
    htp_config_set_number_headers_limit(c, HTTPREC_HEADERS);
    htp_config_set_response_decompression(c, 0);
    htp_config_set_request_decompression(c, 0);
    htp_config_set_parse_request_cookies(c, 0);
    htp_config_set_parse_request_auth(c, 0);
    htp_config_register_request_start(c, on_request);
    htp_config_register_request_line(c, on_request_line);
    htp_config_register_request_header_data(c, on_request_bytes);
    htp_config_register_request_headers(c, on_request_headers);
    htp_config_register_request_body_data(c, on_request_body);
    htp_config_register_request_trailer_data(c, on_request_bytes);
    htp_config_register_request_complete(c, on_request_complete);
    htp_config_register_response_line(c, on_response_line);
    htp_config_register_response_header_data(c, on_response_bytes);
    htp_config_register_response_headers(c, on_response_headers);
    htp_config_register_response_body_data(c, on_response_body);
    htp_config_register_response_trailer_data(c, on_response_bytes);
    htp_config_register_response_trailer(c, on_response_trailer);
    htp_config_register_response_complete(c, on_response_complete);
    htp_config_register_transaction_complete(c, on_complete);
    return c;
}

static int parser(struct httprec *r)
{
    struct httprec_h1 *h = r->h1;

    if (h->connp != NULL)
        htp_connp_destroy_all(h->connp);
    h->done = 0;
    h->connp = htp_connp_create(h->cfg);
    if (h->connp == NULL)
        return -1;
    htp_connp_set_user_data(h->connp, r);
    htp_connp_open(h->connp, NULL, 0, NULL, 0, NULL); /* nobody asks for them */
    return 0;
}

int h1_start(struct httprec *r)
{
    r->h1 = calloc(1, sizeof(*r->h1));
    if (r->h1 == NULL)
        return -1;
    r->h1->cfg = configure();
    return r->h1->cfg == NULL ? -1 : parser(r);
}

size_t h1_data(struct httprec *r, int from, const unsigned char *p, size_t len)
{
    struct httprec_h1 *h = r->h1;
    size_t used = len;
    int rc;

    if (h->done >= TX_MOST && r->n_live == 0 && parser(r) < 0) {
        rec_stop(r, "no memory");
        return len;
    }
    rc = from == CLIENT ? htp_connp_req_data(h->connp, NULL, p, len)
                        : htp_connp_res_data(h->connp, NULL, p, len);
    if (r->state == REC_OFF)
        return len;
    if (rc == HTP_STREAM_DATA_OTHER)
        used = from == CLIENT ? htp_connp_req_data_consumed(h->connp)
                              : htp_connp_res_data_consumed(h->connp);
    else if (rc != HTP_STREAM_DATA)
        rec_stop(r, "HTTP/1 that cannot be followed");
    return used <= len ? used : len;
}

void h1_close(struct httprec *r)
{
    r->h1->closing = 1;
    htp_connp_close(r->h1->connp, NULL);
}

void h1_free(struct httprec *r)
{
    if (r->h1 == NULL)
        return;
    if (r->h1->connp != NULL)
        htp_connp_destroy_all(r->h1->connp);
    if (r->h1->cfg != NULL)
        htp_config_destroy(r->h1->cfg);
    head_clear(&r->h1->head[0]);
    head_clear(&r->h1->head[1]);
    free(r->h1);
    r->h1 = NULL;
}

int httprec_has_h1(void)
{
    return 1;
}
