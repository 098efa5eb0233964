/* One transaction as it grows: bounded texts, headers and bodies. */
#include "httprec_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BODY_FIRST 4096

struct httprec_tx *tx_new(struct httprec *r)
{
    struct httprec_tx *tx;

    if (r->n_live >= HTTPREC_STREAMS) {
        rec_stop(r, "too many requests at once");
        return NULL;
    }
    tx = calloc(1, sizeof(*tx));
    if (tx == NULL) {
        rec_stop(r, "no memory");
        return NULL;
    }
    tx->note = "";
    tx->req.head_size = tx->res.head_size = -1;
    tx->begun = r->now;
    tx->next = r->live;
    r->live = tx;
    r->n_live++;
    return tx;
}

/* A C string of it. */
static char *text_of(const void *text, size_t len)
{
    char *to = malloc(len + 1);

    if (to == NULL)
        return NULL;
    if (len > 0)
        memcpy(to, text, len);
    for (size_t i = 0; i < len; i++)
        if (to[i] == '\0')
            to[i] = '?';
    to[len] = '\0';
    return to;
}

int tx_set(struct httprec *r, char **to, const void *text, size_t len)
{
    free(*to);
    *to = text_of(text, len);
    if (*to != NULL)
        return 0;
    rec_stop(r, "no memory");
    return -1;
}

int tx_header(struct httprec *r, struct httprec_part *p, const void *name,
              size_t name_len, const void *value, size_t value_len,
              int is_trailer)
{
    struct httprec_header h = {.is_trailer = is_trailer};
    struct httprec_header *more;

    if (p->n >= HTTPREC_HEADERS ||
        p->bytes + name_len + value_len > HTTPREC_HEAD) {
        p->headers_cut = 1;
        return 0;
    }
    if (p->n == p->room) {
        more = realloc(p->headers, (p->room + 16) * sizeof(*more));
        if (more == NULL) {
            rec_stop(r, "no memory");
            return -1;
        }
        p->headers = more;
        p->room += 16;
    }
    if (tx_set(r, &h.name, name, name_len) < 0)
        return -1;
    if (tx_set(r, &h.value, value, value_len) < 0) {
        free(h.name);
        return -1;
    }
    p->bytes += name_len + value_len;
    p->headers[p->n++] = h;
    return 0;
}

/* Some of what all recorders may keep together. */
static int borrow(struct httprec *r, size_t n)
{
    size_t left = r->o.left != NULL ? atomic_load(r->o.left) : n;

    if (r->held + n > HTTPREC_HELD)
        return -1;
    while (r->o.left != NULL && left >= n &&
           !atomic_compare_exchange_weak(r->o.left, &left, left - n)) {
    }
    if (left < n)
        return -1;
    r->held += n;
    return 0;
}

static void give_back(struct httprec *r, size_t n)
{
    r->held -= n;
    if (r->o.left != NULL)
        atomic_fetch_add(r->o.left, n);
}

static int make_room(struct httprec *r, struct httprec_part *p, size_t len)
{
    size_t room = p->body_room > 0 ? p->body_room : BODY_FIRST;
    unsigned char *more;

    while (room < p->kept + len)
        room *= 2;
    if (room > HTTPREC_BODY)
        room = HTTPREC_BODY;
    if (room == p->body_room)
        return 0;
    if (borrow(r, room - p->body_room) < 0)
        return -1;
    more = realloc(p->body, room);
    if (more == NULL) {
        give_back(r, room - p->body_room);
        return -1;
    }
    p->body = more;
    p->body_room = room;
    return 0;
}

void tx_body(struct httprec *r, struct httprec_part *p, const void *bytes,
             size_t len)
{
    size_t n = len;

    /* once something was left out, nothing follows the gap */
    if (p->kept < p->body_size || len == 0)
        n = 0;
    p->body_size += len;
    if (n > HTTPREC_BODY - p->kept)
        n = HTTPREC_BODY - p->kept;
    if (n > 0 && make_room(r, p, n) < 0)
        n = p->body_room - p->kept < n ? p->body_room - p->kept : n;
    if (n == 0)
        return;
    memcpy(p->body + p->kept, bytes, n);
    p->kept += n;
}

static void part_free(struct httprec *r, struct httprec_part *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->headers[i].name);
        free(p->headers[i].value);
    }
    free(p->headers);
    free(p->body);
    give_back(r, p->body_room);
}

void tx_drop(struct httprec *r, struct httprec_tx *tx)
{
    struct httprec_tx **at = &r->live;

    while (*at != NULL && *at != tx)
        at = &(*at)->next;
    if (*at == tx) {
        *at = tx->next;
        r->n_live--;
    }
    part_free(r, &tx->req);
    part_free(r, &tx->res);
    free(tx->method);
    free(tx->url);
    free(tx->scheme);
    free(tx->authority);
    free(tx->path);
    free(tx);
}

const char *httprec_get(const struct httprec_part *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcasecmp(p->headers[i].name, name) == 0)
            return p->headers[i].value;
    return NULL;
}

/* The URL of its pieces: what the request names, else what is known. */
static int make_url(const struct httprec *r, struct httprec_tx *tx)
{
    const char *host = tx->authority, *scheme = tx->scheme,
               *path = tx->path != NULL ? tx->path : "";
    size_t size;

    if (host == NULL)
        host = httprec_get(&tx->req, "host");
    if (host == NULL || host[0] == '\0')
        host = r->o.host;
    if (scheme == NULL || scheme[0] == '\0')
        scheme = r->o.scheme;
    /* "http://host/": whole already; CONNECT has a host and no more */
    if (path[0] != '/' && strstr(path, "://") != NULL)
        scheme = host = "";
    if (tx->method != NULL && strcmp(tx->method, "CONNECT") == 0) {
        host = tx->authority != NULL ? host : path;
        path = "";
    }
    size = strlen(scheme) + strlen(host) + strlen(path) + 8;
    tx->url = malloc(size);
    if (tx->url == NULL)
        return -1;
    snprintf(tx->url, size, "%s%s%s%s%s", scheme,
             scheme[0] != '\0' ? "://" : "", host,
             host[0] != '\0' && path[0] != '/' ? "/" : "", path);
    return 0;
}

void tx_done(struct httprec *r, struct httprec_tx *tx, const char *note)
{
    if (note != NULL && tx->note[0] == '\0')
        tx->note = note;
    if (tx->done == 0)
        tx->done = r->now;
    /* no method: there was hardly a request */
    if (tx->method != NULL && make_url(r, tx) < 0)
        rec_stop(r, "no memory");
    else if (tx->method != NULL)
        r->o.on_done(r->o.arg, tx);
    tx_drop(r, tx);
}
