#include "httpd.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROOM ((size_t)256 * 1024)

struct client {
    struct httpd *h;
    int slot, fd;
};

static int find(const struct httpd *h, const char *path)
{
    for (int i = 0; i < h->n_pages; i++) {
        const char *is = h->pages[i].path;
        size_t len = strlen(is);

        if (len > 0 && is[len - 1] == '*' ? strncmp(is, path, len - 1) == 0
                                          : strcmp(is, path) == 0)
            return i;
    }
    return -1;
}

/* The header section into q->head; how many bytes of the body came with it. */
static int read_head(int fd, struct httpd_request *q, size_t *body)
{
    size_t len = 0;
    char *end = NULL;

    while (end == NULL && len < sizeof(q->head) - 1) {
        ssize_t n = recv(fd, q->head + len, sizeof(q->head) - 1 - len, 0);

        if (n <= 0)
            return -1;
        len += (size_t)n;
        q->head[len] = '\0';
        end = strstr(q->head, "\r\n\r\n");
    }
    if (end == NULL)
        return -1;
    *body = len - (size_t)(end + 4 - q->head);
    memcpy(q->body, end + 4, *body);
    end[4] = '\0';
    return sscanf(q->head, "%15s %2047s", q->method, q->path) == 2 ? 0 : -1;
}

static int read_request(int fd, struct httpd_request *q)
{
    const char *length;
    size_t have = 0;

    memset(q, 0, sizeof(*q));
    if (read_head(fd, q, &have) != 0)
        return -1;
    length = strstr(q->head, "Content-Length: ");
    q->len = length != NULL ? strtoul(length + 16, NULL, 10) : 0;
    if (q->len > sizeof(q->body))
        return -1;
    while (have < q->len) {
        ssize_t n = recv(fd, q->body + have, q->len - have, 0);

        if (n <= 0)
            return -1;
        have += (size_t)n;
    }
    return 0;
}

static void send_chunks(int fd, const char *p, size_t len)
{
    char line[16];

    while (len > 0) {
        size_t n = len < 1000 ? len : 1000;

        snprintf(line, sizeof(line), "%zx\r\n", n);
        if (sock_send(fd, line, strlen(line)) != 0 || sock_send(fd, p, n) != 0)
            return;
        sock_send(fd, "\r\n", 2);
        p += n;
        len -= n;
    }
    sock_send(fd, "0\r\nX-Trailer: x\r\n\r\n", 19);
}

/* Does the client hang up within the time? */
static int gone(int fd, int ms)
{
    struct pollfd p = {fd, POLLIN, 0};
    char c;

    return poll(&p, 1, ms) > 0 && recv(fd, &c, 1, 0) <= 0;
}

static void send_without_end(int fd, enum httpd_how how)
{
    static const char zeros[4096];

    if (how == HTTPD_SILENT)
        while (!gone(fd, 20000))
            ;
    else if (how == HTTPD_DRIP)
        while (!gone(fd, 5) && sock_send(fd, "x", 1) == 0)
            ;
    else
        while (sock_send(fd, zeros, sizeof(zeros)) == 0)
            ;
}

static void send_head(int fd, const struct httpd_page *p)
{
    size_t promised = p->len + (p->how == HTTPD_EARLY || p->how == HTTPD_RESET);
    char head[4096], length[64] = "";

    if (p->how == HTTPD_CHUNKED)
        snprintf(length, sizeof(length), "Transfer-Encoding: chunked\r\n");
    else if (p->how != HTTPD_TO_END && p->how != HTTPD_ENDLESS)
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", promised);
    snprintf(head, sizeof(head), "HTTP/1.1 %d Status\r\n%s%s%s",
             p->status != 0 ? p->status : 200, length,
             p->fields != NULL ? p->fields : "",
             p->how == HTTPD_DRIP ? "X-Drip: " : "\r\n");
    sock_send(fd, head, strlen(head));
}

static void answer(int fd, const struct httpd_page *p)
{
    if (p->how != HTTPD_SILENT && p->how != HTTPD_RAW)
        send_head(fd, p);
    if (p->how >= HTTPD_SILENT)
        send_without_end(fd, p->how);
    else if (p->how == HTTPD_CHUNKED)
        send_chunks(fd, p->body, p->len);
    else if (p->len > 0)
        sock_send(fd, p->body, p->len);
    if (p->how == HTTPD_RESET) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};

        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
}

/* The page, as it is now; counted. */
static struct httpd_page count(struct httpd *h, const struct httpd_request *q)
{
    struct httpd_page p = {.status = 404};
    int i;

    pthread_mutex_lock(&h->lock);
    h->last = *q;
    i = find(h, q->path);
    if (i >= 0) {
        p = h->pages[i];
        h->counts[i]++;
    }
    h->all++;
    pthread_cond_broadcast(&h->asked);
    pthread_mutex_unlock(&h->lock);
    return p;
}

static void *serve(void *arg)
{
    struct client *c = arg;
    struct httpd_request *q = malloc(sizeof(*q));
    unsigned char *room = malloc(ROOM);

    if (q != NULL && room != NULL && read_request(c->fd, q) == 0) {
        struct httpd_page p = count(c->h, q);

        if (p.make != NULL)
            p.make(q, &p, room);
        answer(c->fd, &p);
    }
    pthread_mutex_lock(&c->h->lock);
    c->h->fds[c->slot] = -1;
    pthread_mutex_unlock(&c->h->lock);
    close(c->fd);
    free(room);
    free(q);
    free(c);
    return NULL;
}

/* Locked: a slot that is free, its thread joined; -1: none */
static int free_slot(struct httpd *h)
{
    for (int i = 0; i < h->open; i++) {
        if (h->fds[i] >= 0)
            continue;
        pthread_join(h->threads[i], NULL);
        return i;
    }
    return h->open < (int)COUNT(h->fds) ? h->open++ : -1;
}

static void take(struct httpd *h, int fd)
{
    struct client *c = malloc(sizeof(*c));

    pthread_mutex_lock(&h->lock);
    if (c != NULL)
        *c = (struct client){h, free_slot(h), fd};
    if (c == NULL || c->slot < 0) {
        close(fd);
        free(c);
    } else {
        h->fds[c->slot] = fd;
        pthread_create(&h->threads[c->slot], NULL, serve, c);
    }
    pthread_mutex_unlock(&h->lock);
}

static void *run(void *arg)
{
    struct httpd *h = arg;
    sigset_t set;

    sigfillset(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (;;) {
        int fd = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
            return NULL;
        take(h, fd);
    }
}

void httpd_start(struct httpd *h, const struct httpd_page *pages, size_t n)
{
    memset(h, 0, sizeof(*h));
    assert_true(n <= HTTPD_PAGES);
    memcpy(h->pages, pages, n * sizeof(*pages));
    h->n_pages = (int)n;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->asked, NULL);
    h->listener = sock_listen(&h->port);
    snprintf(h->target, sizeof(h->target), "127.0.0.1:%d", h->port);
    snprintf(h->url, sizeof(h->url), "http://%s", h->target);
    assert_int_equal(pthread_create(&h->thread, NULL, run, h), 0);
}

void httpd_set(struct httpd *h, const struct httpd_page *page)
{
    int i = 0;

    pthread_mutex_lock(&h->lock);
    while (i < h->n_pages && strcmp(h->pages[i].path, page->path) != 0)
        i++;
    assert_true(i < HTTPD_PAGES);
    h->pages[i] = *page;
    if (i == h->n_pages)
        h->n_pages++;
    pthread_mutex_unlock(&h->lock);
}

static int asked(const struct httpd *h, const char *path)
{
    int i = path != NULL ? find(h, path) : -1;

    return path == NULL ? h->all : i >= 0 ? h->counts[i] : 0;
}

int httpd_asked(struct httpd *h, const char *path)
{
    int n;

    pthread_mutex_lock(&h->lock);
    n = asked(h, path);
    pthread_mutex_unlock(&h->lock);
    return n;
}

void httpd_await(struct httpd *h, const char *path, int n)
{
    struct timespec until;
    int rc = 0, is;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&h->lock);
    while (asked(h, path) < n && rc == 0)
        rc = pthread_cond_timedwait(&h->asked, &h->lock, &until);
    is = asked(h, path);
    pthread_mutex_unlock(&h->lock);
    if (is < n)
        fail_msg("%s was asked %d times, not %d",
                 path != NULL ? path : "the server", is, n);
}

void httpd_last(struct httpd *h, struct httpd_request *q)
{
    pthread_mutex_lock(&h->lock);
    *q = h->last;
    pthread_mutex_unlock(&h->lock);
}

void httpd_stop(struct httpd *h)
{
    shutdown(h->listener, SHUT_RDWR);
    pthread_join(h->thread, NULL);
    close(h->listener);
    pthread_mutex_lock(&h->lock);
    for (int i = 0; i < h->open; i++)
        if (h->fds[i] >= 0)
            shutdown(h->fds[i], SHUT_RDWR);
    pthread_mutex_unlock(&h->lock);
    for (int i = 0; i < h->open; i++)
        pthread_join(h->threads[i], NULL);
    pthread_cond_destroy(&h->asked);
    pthread_mutex_destroy(&h->lock);
}
