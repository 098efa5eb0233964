#include "intercept_seq.h"

#include "errors.h"
#include "local.h"
#include "memfile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock/info.h>
#include <tlsock/trace.h>
#include <unistd.h>

#define HANDS 1024    /* connections of TLS whose messages are held */
#define HAND_STEPS 24 /* messages of each, until it is known whose they are */
#define PAUSE_US 2000000 /* between two pages */

/* Messages of a connection of TLS. A pointer that is used again begins anew. */
struct hand {
    const void *conn;
    size_t n;
    struct seq_step steps[HAND_STEPS];
};

struct seq {
    const struct out *o;
    const char *path;
    pthread_mutex_t lock;
    struct seq_line *lines;
    size_t n, left_out;
    unsigned order;
    int64_t written;
    int failed;
    struct hand *hands[HANDS];
};

static int cannot(const struct out *o, const char *path, int errnum)
{
    if (errnum == ENOMEM)
        return err_plain(o, "--html", EXIT_INTERNAL, "nomem", "",
                         "out of memory for %s", path);
    return err_plain(o, "--html", EXIT_OWN, "own-file",
                     errnum == EEXIST ? "--force replaces it"
                                      : "--html FILE in a directory you may "
                                        "write to",
                     errnum == EEXIST ? "%s exists already" : "%s: %s", path,
                     local_strerror(errnum));
}

/* Aside, then in its place: who looks at it sees a whole page. */
static int put_page(const struct seq *s, const char *page, size_t len)
{
    char temp[4200];
    int fd, errnum = 0;

    if ((size_t)snprintf(temp, sizeof(temp), "%s.XXXXXX", s->path) >=
        sizeof(temp))
        return ENAMETOOLONG;
    fd = mkostemp(temp, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        return errno;
    for (size_t at = 0; errnum == 0 && at < len;) {
        ssize_t n = write(fd, page + at, len - at);

        if (n > 0)
            at += (size_t)n;
        else if (n == 0 || errno != EINTR)
            errnum = n == 0 ? ENOSPC : errno;
    }
    if (close(fd) != 0 && errnum == 0)
        errnum = errno;
    if (errnum == 0 && rename(temp, s->path) != 0)
        errnum = errno;
    if (errnum != 0)
        unlink(temp);
    return errnum;
}

static int write_page(struct seq *s, int64_t now)
{
    struct memfile m;
    FILE *to = memfile_open(&m);
    int errnum = ENOMEM;
    size_t len = 0;
    char *page;

    if (to != NULL)
        seq_draw(to, s->lines, s->left_out, now);
    page = memfile_close(&m, to, &len);
    if (page != NULL)
        errnum = put_page(s, page, len);
    free(page);
    s->written = now;
    return errnum;
}

struct seq *seq_open(const struct out *o, const char *path, int force, int *rc)
{
    struct seq *s = calloc(1, sizeof(*s));
    int errnum = s != NULL ? local_reserve(path, force) : ENOMEM;

    if (errnum == 0) {
        s->o = o;
        s->path = path;
        pthread_mutex_init(&s->lock, NULL);
        errnum = write_page(s, 0);
        if (errnum == 0)
            return s;
        local_release(path);
        pthread_mutex_destroy(&s->lock);
    }
    free(s);
    *rc = cannot(o, path, errnum);
    return NULL;
}

static void say_failed(struct seq *s, int errnum)
{
    if (errnum != 0 && !s->failed)
        (void)cannot(s->o, s->path, errnum);
    s->failed = errnum != 0;
}

static void line_free(struct seq_line *l)
{
    free(l->steps);
    free(l);
}

void seq_close(struct seq *s, int64_t now)
{
    if (s == NULL)
        return;
    say_failed(s, write_page(s, now));
    while (s->lines != NULL) {
        struct seq_line *l = s->lines;

        s->lines = l->next;
        line_free(l);
    }
    for (size_t i = 0; i < HANDS; i++)
        free(s->hands[i]);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* The oldest one goes when there are too many. */
static void make_room(struct seq *s)
{
    struct seq_line **at = &s->lines;

    if (s->n < SEQ_LINES)
        return;
    while ((*at)->next != NULL)
        at = &(*at)->next;
    line_free(*at);
    *at = NULL;
    s->n--;
    s->left_out++;
}

static struct seq_line *find(const struct seq *s, unsigned long id)
{
    struct seq_line *l = s->lines;

    while (l != NULL && l->id != id)
        l = l->next;
    return l;
}

static struct seq_line *line_of(struct seq *s, const struct intercept_event *e,
                                int64_t now)
{
    struct seq_line *l = find(s, e->id);

    /* what goes on of one that had to go is not begun anew */
    if (l == NULL && (e->kind == INTERCEPT_END || e->kind == INTERCEPT_NOTE))
        return NULL;
    if (l == NULL) {
        make_room(s);
        l = calloc(1, sizeof(*l));
        if (l == NULL)
            return NULL;
        l->id = e->id;
        l->begun = now;
        l->next = s->lines;
        s->lines = l;
        s->n++;
    }
    out_clean(l->client, sizeof(l->client), e->client);
    out_clean(l->target, sizeof(l->target), e->target);
    if (e->kind == INTERCEPT_END)
        l->has_ended = 1;
    else if (e->kind != INTERCEPT_NOTE)
        l->kind = e->kind;
    return l;
}

/* The last steps are for what becomes of it. */
static struct seq_step *step(struct seq *s, struct seq_line *l, int64_t at,
                             int is_last)
{
    struct seq_step *more;

    if (l->n + (is_last ? 0 : 4) >= SEQ_STEPS) {
        l->left_out++;
        return NULL;
    }
    if (l->n % 10 == 0) {
        more = realloc(l->steps, (l->n + 10) * sizeof(*more));
        if (more == NULL)
            return NULL;
        l->steps = more;
    }
    more = &l->steps[l->n++];
    *more = (struct seq_step){.at = at, .order = s->order++};
    if (at < l->begun)
        l->begun = at;
    return more;
}

static void add(struct seq *s, struct seq_line *l, int64_t at, int from, int to,
                int look, const char *text)
{
    struct seq_step *t;

    /* a recorder says of the transaction what it says of the connection */
    if (from == to && l->n > 0 && strcmp(l->steps[l->n - 1].text, text) == 0)
        return;
    t = step(s, l, at, look == SEQ_BAD || from == to);
    if (t == NULL)
        return;
    t->from = from;
    t->to = to;
    t->look = look;
    out_clean(t->text, sizeof(t->text), text);
}

static size_t place(const void *conn)
{
    return (size_t)((uintptr_t)conn >> 4) * 2654435761u % HANDS;
}

/* "192.0.2.1:443 > TLSv1.3 ClientHello 512 sni=...": from the name on. */
static const char *from_name(const char *line)
{
    const char *p = strstr(line, " TLSv");

    p = p != NULL ? strchr(p + 1, ' ') : NULL;
    return p != NULL ? p + 1 : line;
}

void seq_message(struct seq *s, const tlsock_event *e, int is_client,
                 int64_t now)
{
    struct hand **at = &s->hands[place(e->conn)];
    char line[TLSOCK_TRACE_LINE];
    struct seq_step *t;
    int peer = is_client ? SEQ_CLIENT : SEQ_SERVER;
    int is_fatal =
        e->type == 21 && e->len > 0 && ((const unsigned char *)e->data)[0] == 2;
    int is_first =
        e->type == 22 && e->len > 0 && ((const unsigned char *)e->data)[0] == 1;

    if (e->type == 20 || tlsock_trace_line(e, line, sizeof(line)) < 0)
        return;
    pthread_mutex_lock(&s->lock);
    if (*at == NULL)
        *at = calloc(1, sizeof(**at));
    /* the second ClientHello after a HelloRetryRequest goes on */
    if (*at != NULL && ((*at)->conn != e->conn || (is_first && (*at)->n > 3))) {
        (*at)->conn = e->conn;
        (*at)->n = 0;
    }
    if (*at != NULL && (*at)->n < HAND_STEPS) {
        t = &(*at)->steps[(*at)->n++];
        *t = (struct seq_step){.at = now,
                               .order = s->order++,
                               .from = e->sent ? SEQ_US : peer,
                               .to = e->sent ? peer : SEQ_US,
                               .look = is_fatal ? SEQ_BAD : SEQ_TLS};
        out_clean(t->text, sizeof(t->text), from_name(line));
    }
    pthread_mutex_unlock(&s->lock);
}

/* Now it is known whose messages they were. */
static void take_hand(struct seq *s, struct seq_line *l, const tlsock *conn)
{
    struct hand *h = conn != NULL ? s->hands[place(conn)] : NULL;

    if (h == NULL || h->conn != conn)
        return;
    for (size_t i = 0; i < h->n; i++) {
        struct seq_step *t = step(s, l, h->steps[i].at, 0);
        unsigned order = h->steps[i].order;

        if (t == NULL)
            continue;
        *t = h->steps[i];
        t->order = order;
    }
    h->n = 0;
}

static void opened(struct seq *s, struct seq_line *l,
                   const struct intercept_event *e, int64_t now)
{
    char text[600];

    snprintf(text, sizeof(text), "%s %s %s, verified: %s",
             tlsock_info(e->up, TLSOCK_INFO_VERSION),
             tlsock_info(e->up, TLSOCK_INFO_CIPHER),
             tlsock_info(e->up, TLSOCK_INFO_GROUP),
             tlsock_info(e->up, TLSOCK_INFO_VERIFIED));
    add(s, l, now, SEQ_SERVER, SEQ_SERVER, SEQ_INFO, text);
    snprintf(text, sizeof(text), "%s %s %s, ALPN %s, %s",
             tlsock_info(e->down, TLSOCK_INFO_VERSION),
             tlsock_info(e->down, TLSOCK_INFO_CIPHER),
             tlsock_info(e->down, TLSOCK_INFO_GROUP),
             tlsock_info(e->down, TLSOCK_INFO_ALPN)[0] != '\0'
                 ? tlsock_info(e->down, TLSOCK_INFO_ALPN)
                 : "none",
             e->ja4[0] != '\0' ? e->ja4 : "no JA4");
    add(s, l, now, SEQ_CLIENT, SEQ_CLIENT, SEQ_INFO, text);
}

static void ended(struct seq *s, struct seq_line *l,
                  const struct intercept_event *e, int64_t now)
{
    char text[120];

    if (!l->is_http) {
        snprintf(text, sizeof(text), "%llu bytes",
                 (unsigned long long)e->received);
        add(s, l, now, SEQ_CLIENT, SEQ_SERVER, SEQ_DATA, text);
        snprintf(text, sizeof(text), "%llu bytes", (unsigned long long)e->sent);
        add(s, l, now, SEQ_SERVER, SEQ_CLIENT, SEQ_DATA, text);
    }
    snprintf(text, sizeof(text),
             "closed: %llu bytes from the client, %llu from the server",
             (unsigned long long)e->received, (unsigned long long)e->sent);
    add(s, l, now, SEQ_US, SEQ_US, SEQ_INFO, text);
}

static void remark(struct seq *s, struct seq_line *l,
                   const struct intercept_event *e, int64_t now)
{
    const char *why = e->err != NULL ? e->err->message : e->reason;
    char text[700];

    switch (e->kind) {
    case INTERCEPT_OPEN:
        opened(s, l, e, now);
        return;
    case INTERCEPT_PASS:
        snprintf(text, sizeof(text), "passed, not decrypted: %.600s", why);
        add(s, l, now, SEQ_US, SEQ_US, SEQ_INFO, text);
        return;
    case INTERCEPT_PLAIN:
        add(s, l, now, SEQ_US, SEQ_US, SEQ_INFO, "no TLS");
        return;
    case INTERCEPT_NOTE:
        add(s, l, now, SEQ_US, SEQ_US, SEQ_INFO, why);
        return;
    case INTERCEPT_END:
        ended(s, l, e, now);
        return;
    default:
        snprintf(text, sizeof(text), "%s: %.600s",
                 e->kind == INTERCEPT_DENY ? "denied" : "failed", why);
        add(s, l, now, SEQ_US, SEQ_US, SEQ_BAD, text);
    }
}

void seq_event(struct seq *s, const struct intercept_event *e, int64_t now)
{
    struct seq_line *l;
    int errnum = 0, ends = e->kind == INTERCEPT_END ||
                           e->kind == INTERCEPT_DENY ||
                           e->kind == INTERCEPT_FAIL;

    pthread_mutex_lock(&s->lock);
    l = line_of(s, e, now);
    if (l != NULL && e->kind != INTERCEPT_NOTE) {
        take_hand(s, l, e->down);
        take_hand(s, l, e->up);
    }
    if (l != NULL)
        remark(s, l, e, now);
    if (ends && now - s->written >= PAUSE_US)
        errnum = write_page(s, now);
    say_failed(s, errnum);
    pthread_mutex_unlock(&s->lock);
}

static const char *amount(char text[40], uint64_t n)
{
    if (n < 10240)
        snprintf(text, 40, "%llu bytes", (unsigned long long)n);
    else
        snprintf(text, 40, "%.1f %s",
                 (double)n / (n < 10485760 ? 1024 : 1048576),
                 n < 10485760 ? "KiB" : "MiB");
    return text;
}

void seq_tx(struct seq *s, unsigned long id, const struct httprec_tx *tx)
{
    const char *type = httprec_get(&tx->res, "content-type"), *path, *at;
    char text[SEQ_TEXT * 2], size[40];
    struct seq_line *l;

    pthread_mutex_lock(&s->lock);
    l = find(s, id);
    if (l != NULL) {
        l->is_http = 1;
        at = strstr(tx->url, "://");
        path = at != NULL ? strchr(at + 3, '/') : NULL;
        snprintf(text, sizeof(text), "%s %.300s%s%s", tx->method,
                 path != NULL ? path : tx->url,
                 tx->req.body_size > 0 ? ", " : "",
                 tx->req.body_size > 0 ? amount(size, tx->req.body_size) : "");
        add(s, l, tx->begun, tx->pushed ? SEQ_SERVER : SEQ_CLIENT,
            tx->pushed ? SEQ_CLIENT : SEQ_SERVER, SEQ_DATA, text);
        snprintf(text, sizeof(text), "%d%s%s%s%.80s, %s in %.0f ms", tx->status,
                 tx->reason[0] != '\0' ? " " : "", tx->reason,
                 type != NULL ? ", " : "", type != NULL ? type : "",
                 amount(size, tx->res.body_size),
                 (double)(tx->done - tx->begun) / 1000);
        if (tx->status != 0)
            add(s, l, tx->done, SEQ_SERVER, SEQ_CLIENT, SEQ_DATA, text);
        if (tx->note[0] != '\0')
            add(s, l, tx->done, SEQ_US, SEQ_US, SEQ_BAD, tx->note);
    }
    pthread_mutex_unlock(&s->lock);
}
