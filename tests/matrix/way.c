/* The way from a server to its client, for who sits on it: a BIO over the
 * descriptor that sees whole records, and bends one of them. */
#include "matrix.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

struct way {
    int fd, records, over;
    const struct mx_bend *bend;
    unsigned char hello[4096], out[40000];
    size_t n_hello, hello_at, n_out;
};

/* A client that is gone ends it. */
static void send_on(struct way *w, const void *bytes, size_t len)
{
    if (sock_send(w->fd, bytes, len) != 0)
        w->over = 1;
}

/* Whoever waits: until the client hangs up. */
static void wait_end(int fd)
{
    sock_mute(fd, NULL);
}

static void drip(struct way *w, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        struct pollfd gone = {w->fd, POLLRDHUP, 0};

        if (sock_send(w->fd, bytes + i, 1) != 0 || poll(&gone, 1, 50) != 0)
            return;
    }
}

static void end_here(struct way *w)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    w->over = 1;
    if (w->bend->how == MX_RESET)
        setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    if (w->bend->how == MX_CUT)
        shutdown(w->fd, SHUT_WR);
    if (w->bend->how == MX_STALL)
        wait_end(w->fd);
}

static void bend_one(struct way *w, unsigned char *rec, size_t len)
{
    const struct mx_bend *b = w->bend;
    size_t at = b->at < 0 ? len - (size_t)-b->at : (size_t)b->at;

    switch (b->how) {
    case MX_FLIP:
        rec[at] ^= 1;
        send_on(w, rec, len);
        return;
    case MX_INSERT:
        send_on(w, b->bytes, b->len);
        send_on(w, rec, len);
        return;
    case MX_CUT:
    case MX_RESET:
    case MX_STALL:
        send_on(w, rec, at < len ? at : len);
        end_here(w);
        return;
    default:
        drip(w, rec, len);
        return;
    }
}

static void pass(struct way *w, unsigned char *rec, size_t len)
{
    int how = w->bend->how;

    w->records++;
    if (w->over)
        return;
    if (how != MX_STRAIGHT && how != MX_HIDE_13 &&
        (w->records == w->bend->nth ||
         (how == MX_DRIP && w->records > w->bend->nth)))
        bend_one(w, rec, len);
    else
        send_on(w, rec, len);
}

static int way_write(BIO *bio, const char *buf, int len)
{
    struct way *w = BIO_get_data(bio);
    size_t done = 0;

    BIO_clear_retry_flags(bio);
    if (w->over || w->n_out + (size_t)len > sizeof(w->out))
        return -1;
    memcpy(w->out + w->n_out, buf, (size_t)len);
    w->n_out += (size_t)len;
    while (w->n_out - done >= 5) {
        unsigned char *rec = w->out + done;
        size_t n = 5u + ((size_t)rec[3] << 8 | rec[4]);

        if (w->n_out - done < n)
            break;
        pass(w, rec, n);
        done += n;
    }
    memmove(w->out, w->out + done, w->n_out - done);
    w->n_out -= done;
    return len;
}

/* An extension of the ClientHello gets a number that nobody knows. */
static void hide(unsigned char *hello, size_t len, unsigned type)
{
    size_t at = 5 + 4 + 2 + 32; /* record, message, version, random */

    at += 1u + hello[at];
    at += 2u + ((size_t)hello[at] << 8 | hello[at + 1]);
    at += 1u + hello[at];
    for (at += 2; at + 4 <= len;) {
        if (((unsigned)hello[at] << 8 | hello[at + 1]) == type)
            hello[at] = 0x7a;
        at += 4u + ((size_t)hello[at + 2] << 8 | hello[at + 3]);
    }
}

static int read_hello(struct way *w)
{
    size_t len;

    if (recv(w->fd, w->hello, 5, MSG_WAITALL) != 5)
        return -1;
    len = (size_t)w->hello[3] << 8 | w->hello[4];
    if (len + 5 > sizeof(w->hello) ||
        recv(w->fd, w->hello + 5, len, MSG_WAITALL) != (ssize_t)len)
        return -1;
    w->n_hello = len + 5;
    if (w->bend->how == MX_HIDE_13)
        hide(w->hello, w->n_hello, 43);
    return 0;
}

static int way_read(BIO *bio, char *buf, int len)
{
    struct way *w = BIO_get_data(bio);
    size_t left;

    BIO_clear_retry_flags(bio);
    if (w->over)
        return -1;
    if (w->n_hello == 0 && read_hello(w) != 0)
        return -1;
    left = w->n_hello - w->hello_at;
    if (left == 0)
        return (int)recv(w->fd, buf, (size_t)len, 0);
    left = left < (size_t)len ? left : (size_t)len;
    memcpy(buf, w->hello + w->hello_at, left);
    w->hello_at += left;
    return (int)left;
}

static long way_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
    (void)bio;
    (void)num;
    (void)ptr;
    return cmd == BIO_CTRL_FLUSH;
}

static int way_free(BIO *bio)
{
    free(BIO_get_data(bio));
    return 1;
}

static BIO_METHOD *method;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "way");
    BIO_meth_set_read(method, way_read);
    BIO_meth_set_write(method, way_write);
    BIO_meth_set_ctrl(method, way_ctrl);
    BIO_meth_set_destroy(method, way_free);
}

__attribute__((destructor)) static void free_method(void)
{
    BIO_meth_free(method);
}

BIO *mx_way(int fd, const struct mx_bend *bend)
{
    struct way *w = calloc(1, sizeof(*w));
    BIO *bio;

    pthread_once(&once, make_method);
    bio = BIO_new(method);
    assert_non_null(w);
    assert_non_null(bio);
    w->fd = fd;
    w->bend = bend;
    BIO_set_data(bio, w);
    BIO_set_init(bio, 1);
    return bio;
}
