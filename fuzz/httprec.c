/* HTTP as it goes by. The first byte says whether both sides agreed on h2 and
 * how much may be kept; then come pieces, each behind a byte: whose it is, and
 * its length. Whatever they are, what is told is within its bounds, becomes an
 * entry of HAR that is JSON, and all that was kept is given back. */
#include "harjson.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int claim)
{
    if (!claim)
        abort();
}

static void part(const struct httprec_part *p)
{
    unsigned char *out = NULL;
    size_t n = 0;

    must(p->n <= HTTPREC_HEADERS && p->bytes <= HTTPREC_HEAD);
    must(p->kept <= HTTPREC_BODY && p->kept <= p->body_size);
    for (size_t i = 0; i < p->n; i++)
        must(strlen(p->headers[i].name) + strlen(p->headers[i].value) <=
             HTTPREC_HEAD);
    if (httprec_decode(p, 65536, &out, &n) == 0) {
        must(n <= 65536);
        free(out);
    }
}

static void as_json(const struct httprec_tx *tx)
{
    static const struct har_conn c = {.id = 1};
    json_t *entry = har_entry_json(&c, tx), *again;
    char *text = entry != NULL ? json_dumps(entry, JSON_COMPACT) : NULL;

    must(text != NULL);
    again = json_loads(text, 0, NULL);
    must(json_is_string(
        json_object_get(json_object_get(again, "request"), "url")));
    must(json_is_integer(
        json_object_get(json_object_get(again, "response"), "status")));
    json_decref(again);
    json_decref(entry);
    free(text);
}

static void told(void *arg, const struct httprec_tx *tx)
{
    int64_t *now = arg;

    must(tx->method != NULL && tx->url != NULL && tx->note != NULL);
    must(tx->begun > 0 && tx->begun <= tx->done && tx->done <= *now);
    must(tx->sent <= *now && tx->first <= tx->done);
    must(memchr(tx->version, '\0', sizeof(tx->version)) != NULL);
    must(memchr(tx->reason, '\0', sizeof(tx->reason)) != NULL);
    part(&tx->req);
    part(&tx->res);
    as_json(tx);
}

/* In memory of exactly its size: a byte too far is seen. */
static void piece(struct httprec *r, int from, const uint8_t *bytes, size_t len,
                  int64_t now)
{
    uint8_t *exact = malloc(len + (len == 0));

    if (exact == NULL)
        return;
    if (len > 0)
        memcpy(exact, bytes, len);
    httprec_data(r, from, exact, len, now);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    atomic_size_t left;
    size_t most;
    int64_t now = 1;
    struct httprec_opts o = {.scheme = "https",
                             .host = "d",
                             .on_done = told,
                             .arg = &now,
                             .left = &left};
    struct httprec *r;

    if (len == 0)
        return 0;
    most = (size_t)(data[0] >> 1) * 1024;
    atomic_init(&left, most);
    o.alpn = (data[0] & 1) != 0 ? "h2" : "";
    r = httprec_new(&o);
    if (r == NULL)
        return 0;
    for (size_t at = 1; at < len; now++) {
        size_t n = (size_t)(data[at] >> 1) + 1;
        int from = data[at] & 1;

        at++;
        n = n < len - at ? n : len - at;
        piece(r, from, data + at, n, now);
        at += n;
    }
    /* some are ended, some are only dropped */
    if ((data[0] & 2) == 0)
        httprec_close(r, now);
    must(httprec_note(r) != NULL && httprec_protocol(r) != NULL);
    httprec_free(r);
    must(atomic_load(&left) == most);
    return 0;
}
