#include "site.h"

#include "beneath.h"
#include "http.h"
#include "listing.h"
#include "types.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEAD_ROOM 8192 /* an answer begins when its head is sure to fit */

/* What is kept of a request. */
struct asked {
    int status; /* 0, or why it is refused */
    int head, minor, persist;
    char path[HTTP_PATH_MAX];
};

struct site {
    int root;
    struct asked req;
    size_t looked; /* bytes of an incomplete request known to hold no end */
    int closing;   /* no request is taken any more */
    char *page;    /* content in memory */
    size_t page_len, page_off;
    int fd; /* or in a file */
    int64_t offset;
    uint64_t left;
};

/* What is about to be answered. */
struct answer {
    int status;
    const char *type, *location;
    uint64_t length;
    const struct stat *st; /* of a file */
};

struct site *site_new(int root)
{
    struct site *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return NULL;
    w->root = root;
    w->fd = -1;
    return w;
}

static void drop_content(struct site *w)
{
    if (w->fd >= 0)
        close(w->fd);
    free(w->page);
    w->fd = -1;
    w->page = NULL;
    w->page_len = w->page_off = 0;
    w->left = 0;
}

void site_free(struct site *w)
{
    if (w == NULL)
        return;
    drop_content(w);
    free(w);
}

static void http_time(char *out, size_t size, time_t t)
{
    static const char format[] = "%a, %d %b %Y %H:%M:%S GMT";
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL || strftime(out, size, format, &tm) == 0)
        out[0] = '\0';
}

/* It always fits: HEAD_ROOM is more than the longest location and all else. */
static void put_head(const struct site *w, const struct answer *a,
                     struct chan *out)
{
    char head[HEAD_ROOM], now[64], then[64];
    int n;

    http_time(now, sizeof(now), time(NULL));
    n = snprintf(head, sizeof(head),
                 "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\n"
                 "Content-Length: %llu\r\nX-Content-Type-Options: nosniff\r\n",
                 a->status, http_reason(a->status), now, a->type,
                 (unsigned long long)a->length);
    chan_put(out, head, (size_t)n);
    if (a->st != NULL) {
        http_time(then, sizeof(then), a->st->st_mtime);
        n = snprintf(head, sizeof(head), "Last-Modified: %s\r\n", then);
        chan_put(out, head, (size_t)n);
    }
    if (a->location != NULL) {
        n = snprintf(head, sizeof(head), "Location: %s\r\n", a->location);
        chan_put(out, head, (size_t)n);
    }
    if (a->status == 405)
        chan_put(out, "Allow: GET, HEAD\r\n", 18);
    n = snprintf(head, sizeof(head), "%s\r\n",
                 !w->req.persist     ? "Connection: close\r\n"
                 : w->req.minor == 0 ? "Connection: keep-alive\r\n"
                                     : "");
    chan_put(out, head, (size_t)n);
}

/* An answer without a file: its status in words. */
static void refuse(struct site *w, int status, const char *location,
                   struct chan *out, struct site_entry *entry)
{
    struct answer a = {.status = status,
                       .type = "text/plain; charset=utf-8",
                       .location = location};
    char text[64];
    int n =
        snprintf(text, sizeof(text), "%d %s\n", status, http_reason(status));

    a.length = (uint64_t)n;
    put_head(w, &a, out);
    if (!w->req.head)
        chan_put(out, text, (size_t)n);
    *entry = (struct site_entry){w->req.path, status, n};
}

static void give_file(struct site *w, int fd, const struct stat *st,
                      const char *name, struct chan *out,
                      struct site_entry *entry)
{
    struct answer a = {.status = 200,
                       .type = types_of(name),
                       .length = (uint64_t)st->st_size,
                       .st = st};

    put_head(w, &a, out);
    *entry = (struct site_entry){w->req.path, 200, (int64_t)st->st_size};
    w->fd = fd;
    w->offset = 0;
    w->left = w->req.head ? 0 : a.length;
}

static void give_listing(struct site *w, int fd, struct chan *out,
                         struct site_entry *entry)
{
    struct answer a = {.status = 200, .type = "text/html; charset=utf-8"};
    size_t len = 0;

    w->page = listing_make(fd, w->req.path, &len);
    if (w->page == NULL) {
        refuse(w, 500, NULL, out, entry);
        return;
    }
    a.length = len;
    put_head(w, &a, out);
    *entry = (struct site_entry){w->req.path, 200, (int64_t)len};
    w->page_len = w->req.head ? 0 : len;
}

/* "/a" is "/a/" for a directory, so that relative links work. Never "//a",
 * which would be another host. */
static void send_on(struct site *w, struct chan *out, struct site_entry *entry)
{
    char where[3 * HTTP_PATH_MAX + 4];
    const char *path = w->req.path + strspn(w->req.path, "/");
    size_t n;

    where[0] = '/';
    listing_quote(path, where + 1, sizeof(where) - 2);
    n = strlen(where);
    where[n] = '/';
    where[n + 1] = '\0';
    refuse(w, 301, where, out, entry);
}

static void give_directory(struct site *w, int fd, struct chan *out,
                           struct site_entry *entry)
{
    struct stat st;
    int index, rc;

    if (w->req.path[strlen(w->req.path) - 1] != '/') {
        close(fd);
        send_on(w, out, entry);
        return;
    }
    rc = beneath_open(fd, "/index.html", &index, &st);
    if (rc == 0 && S_ISREG(st.st_mode)) {
        close(fd);
        give_file(w, index, &st, "index.html", out, entry);
        return;
    }
    if (rc == 0)
        close(index);
    give_listing(w, fd, out, entry);
}

static int status_of(int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return 404;
    case EACCES:
    case EPERM:
    case ENXIO: /* a socket */
        return 403;
    default:
        return 500;
    }
}

static void answer(struct site *w, struct chan *out, struct site_entry *entry)
{
    struct stat st;
    int fd = -1, rc;

    if (w->req.status != 0) {
        w->req.persist = 0; /* who knows where the next one would begin */
        refuse(w, w->req.status, NULL, out, entry);
        return;
    }
    rc = beneath_open(w->root, w->req.path, &fd, &st);
    if (rc != 0)
        refuse(w, status_of(rc), NULL, out, entry);
    else if (S_ISDIR(st.st_mode))
        give_directory(w, fd, out, entry);
    else
        give_file(w, fd, &st, w->req.path, out, entry);
}

/* What a server of files does not take: 0, or the status that says so. */
static int objection(const struct http_head *h)
{
    if (h->post)
        return 405;
    return h->content ? 413 : h->status;
}

/* Whole requests alone are looked at; a peer that drips bytes costs little. */
static size_t take_request(struct site *w, const struct chan *in)
{
    const char *at = (const char *)in->buf + in->off;
    size_t len = in->len - in->off, n;
    struct http_head h;
    int bad_path;

    if (len == w->looked ||
        (memchr(at + w->looked, '\n', len - w->looked) == NULL &&
         len <= HTTP_LINE_MAX)) {
        w->looked = len;
        return 0;
    }
    n = http_parse(&h, at, len);
    w->looked = n > 0 ? 0 : len;
    if (n == 0)
        return 0;
    bad_path = http_path(&h, w->req.path);
    w->req.status = objection(&h);
    if (w->req.status == 0)
        w->req.status = bad_path;
    w->req.head = h.head;
    w->req.minor = h.minor;
    w->req.persist = h.persist;
    return n;
}

static int put_page(struct site *w, struct chan *out)
{
    size_t n = chan_put(out, w->page + w->page_off, w->page_len - w->page_off);

    w->page_off += n;
    return n > 0;
}

/* What still comes is taken: unread, it would turn our end into a reset. */
static int end(struct chan *in, struct chan *out)
{
    int moved = !out->over || in->off < in->len;

    out->over = 1;
    in->off = in->len = 0;
    return moved;
}

int site_step(struct site *w, struct chan *in, struct chan *out,
              struct site_entry *entry)
{
    size_t n;

    entry->status = 0;
    if (w->page_off < w->page_len)
        return put_page(w, out);
    if (w->left > 0)
        return 0;
    drop_content(w);
    if (w->closing)
        return end(in, out);
    if (CHAN_SIZE - HEAD_ROOM < out->len - out->off ||
        chan_room(out) < HEAD_ROOM)
        return 0;
    n = take_request(w, in);
    if (n == 0) {
        w->closing = in->over;
        return w->closing;
    }
    in->off += n;
    answer(w, out, entry);
    w->closing = !w->req.persist;
    return 1;
}

uint64_t site_file(const struct site *w, int *fd, int64_t *offset)
{
    *fd = w->fd;
    *offset = w->offset;
    return w->left;
}

void site_sent(struct site *w, uint64_t n)
{
    w->offset += (int64_t)n;
    w->left -= n;
}

int site_answering(const struct site *w)
{
    return w->left > 0 || w->page_off < w->page_len;
}
