#include "evidence.h"

#include "capture.h"
#include "errors.h"
#include "local.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tlsock/info.h>
#include <tlsock/trace.h>
#include <unistd.h>

#define HEAD 5 /* of a record */
#define SLOTS 1024

enum { ALERT = 21, HANDSHAKE = 22 };

struct flow {
    struct flow *next;
    const tlsock *conn;
    int server;    /* that is us */
    char key[140]; /* both addresses */
    struct capture_flow *to;
};

struct evidence {
    pthread_mutex_t lock; /* over flows */
    struct out out;
    int colored, traced;
    struct capture *capture; /* NULL: no --pcap */
    const char *path;
    int lost;                  /* there was no memory for a connection */
    struct flow *flows[SLOTS]; /* by the connection's address */
};

static struct flow **slot(struct evidence *v, const tlsock *s)
{
    return &v->flows[((uintptr_t)s >> 6) * 0x9e3779b1u % SLOTS];
}

/* "192.0.2.1:443" or "[2001:db8::1]:443"; NULL: it is none of these. */
static const struct sockaddr *parse(const char *text,
                                    struct sockaddr_storage *ss)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ss;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ss;
    char host[64];
    const char *colon = text != NULL ? strrchr(text, ':') : NULL;
    int boxed = text != NULL && text[0] == '[';
    size_t len = colon != NULL ? (size_t)(colon - text) : 0;
    uint16_t port = colon != NULL ? htons((uint16_t)atoi(colon + 1)) : 0;

    memset(ss, 0, sizeof(*ss));
    if (len < 3 || len >= sizeof(host))
        return NULL;
    snprintf(host, sizeof(host), "%.*s", (int)len - 2 * boxed, text + boxed);
    host[strcspn(host, "%")] = '\0';
    v4->sin_family = AF_INET;
    v4->sin_port = port;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1)
        return (const struct sockaddr *)ss;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = port;
    return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1
               ? (const struct sockaddr *)ss
               : NULL;
}

/* What goes through TLS to a proxy has the addresses of that: two connections
 * with the same ones would be read as one. */
static int is_taken(const struct evidence *v, const char *key)
{
    for (size_t i = 0; i < SLOTS; i++)
        for (const struct flow *f = v->flows[i]; f != NULL; f = f->next)
            if (strcmp(f->key, key) == 0)
                return 1;
    return 0;
}

static struct flow *make(struct evidence *v, const tlsock *s, int server)
{
    struct sockaddr_storage peer, local;
    const struct sockaddr *p, *l;
    const char *there, *here;
    struct flow *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return NULL;
    there = tlsock_info(s, TLSOCK_INFO_PEER_ADDRESS);
    here = tlsock_info(s, TLSOCK_INFO_LOCAL_ADDRESS);
    snprintf(f->key, sizeof(f->key), "%s %s", there != NULL ? there : "",
             here != NULL ? here : "");
    p = parse(there, &peer);
    l = parse(here, &local);
    if (is_taken(v, f->key))
        p = l = NULL;
    f->conn = s;
    f->server = server;
    f->to = capture_flow_new(v->capture, server ? p : l, server ? l : p);
    if (f->to == NULL) {
        free(f);
        return NULL;
    }
    f->next = *slot(v, s);
    *slot(v, s) = f;
    return f;
}

/* The client speaks first, and has the first secrets. */
static struct flow *find(struct evidence *v, const tlsock *s, int server)
{
    struct flow *f;

    pthread_mutex_lock(&v->lock);
    for (f = *slot(v, s); f != NULL && f->conn != s; f = f->next)
        continue;
    if (f == NULL)
        f = make(v, s, server);
    v->lost |= f == NULL;
    pthread_mutex_unlock(&v->lock);
    return f;
}

static void end(struct evidence *v, struct flow *gone)
{
    struct flow **at = slot(v, gone->conn);

    pthread_mutex_lock(&v->lock);
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    pthread_mutex_unlock(&v->lock);
    capture_flow_end(gone->to);
    free(gone);
}

/* Whatever there is of it. */
static void forget(struct evidence *v, const tlsock *s)
{
    struct flow *f;

    pthread_mutex_lock(&v->lock);
    for (f = *slot(v, s); f != NULL && f->conn != s; f = f->next)
        continue;
    pthread_mutex_unlock(&v->lock);
    if (f != NULL)
        end(v, f);
}

static int wire(const tlsock_event *e, void *arg)
{
    struct evidence *v = arg;
    struct flow *f = find(v, e->conn, !e->sent);

    if (f == NULL)
        return TLSOCK_E_NOMEM;
    if (e->data != NULL)
        capture_flow_bytes(f->to, f->server != e->sent, !e->sent, e->data,
                           e->len);
    else if (e->sent)
        end(v, f);
    return 0;
}

static int key(const tlsock_event *e, void *arg)
{
    struct flow *f = find(arg, e->conn, 0);

    if (f != NULL)
        capture_flow_key(f->to, e->text);
    return f != NULL ? 0 : TLSOCK_E_NOMEM;
}

/* Alerts that say that something is wrong stand out. */
static const char *color_of(const tlsock_event *e)
{
    const unsigned char *p = e->data;

    if (e->type == ALERT && e->len == 2)
        return p[1] == 0 ? "33" : "31";
    return e->sent ? "36" : "35";
}

static int message(const tlsock_event *e, void *arg)
{
    const struct evidence *v = arg;
    char line[TLSOCK_TRACE_LINE], shown[TLSOCK_TRACE_LINE];

    (void)tlsock_trace_line(e, line, sizeof(line));
    out_clean(shown, sizeof(shown), line);
    if (v->colored)
        fprintf(stderr, "\033[%sm%s\033[0m\n", color_of(e), shown);
    else
        fprintf(stderr, "%s\n", shown);
    return 0;
}

int evidence_message(const struct opts *o, const tlsock_event *e)
{
    return o->evidence != NULL && o->evidence->traced ? message(e, o->evidence)
                                                      : 0;
}

/* What is said before TLS. A capture that has no memory for its connection goes
 * without. */
static int dialogue(const tlsock_event *e, void *arg)
{
    struct evidence *v = arg;
    struct flow *f = NULL;

    if (v->capture != NULL && e->data != NULL)
        f = find(v, e->conn, e->server);
    if (f != NULL)
        capture_flow_bytes(f->to, f->server != e->sent, 0, e->data, e->len);
    else if (e->data == NULL && e->sent)
        forget(v, e->conn);
    return e->data != NULL && v->traced ? message(e, arg) : 0;
}

static void show(const struct evidence *v, tlsock_event *e)
{
    if (v->traced)
        (void)message(e, (void *)(uintptr_t)v);
}

/* Messages within records, as far as there are whole ones: what follows the
 * server's choice may be encrypted. */
static void records(const struct evidence *v, tlsock_event *e, const uint8_t *p,
                    size_t len)
{
    while (len > HEAD && (p[0] == HANDSHAKE || p[0] == ALERT)) {
        size_t record = HEAD + ((size_t)p[3] << 8 | p[4]), at = HEAD, n;

        if (record > len)
            return;
        for (; record - at >= (p[0] == ALERT ? 2 : 4); at += n) {
            n = p[0] == ALERT ? 2
                              : 4 + ((size_t)p[at + 1] << 16 |
                                     (size_t)p[at + 2] << 8 | p[at + 3]);
            if (n > record - at)
                return;
            e->type = p[0];
            e->data = p + at;
            e->len = n;
            show(v, e);
        }
        p += record;
        len -= record;
    }
}

void evidence_hand(const struct opts *o, const tlsock *s, int sent, int version,
                   const void *bytes, size_t len)
{
    struct evidence *v = o->evidence;
    tlsock_event e = {.size = sizeof(e),
                      .kind =
                          version != 0 ? TLSOCK_ON_MESSAGE : TLSOCK_ON_DIALOGUE,
                      .conn = (tlsock *)(uintptr_t)s,
                      .data = bytes,
                      .len = len,
                      .sent = sent,
                      .version = version};
    struct flow *f = NULL;

    if (v == NULL || len == 0)
        return;
    if (v->capture != NULL)
        f = find(v, s, 0);
    if (f != NULL)
        capture_flow_bytes(f->to, sent, 0, bytes, len);
    if (version != 0)
        records(v, &e, bytes, len);
    else
        show(v, &e);
}

void evidence_hand_end(const struct opts *o, const tlsock *s)
{
    if (o->evidence != NULL && s != NULL)
        forget(o->evidence, s);
}

static int cannot(const struct opts *o, int error)
{
    if (error == ENOMEM)
        return err_plain(&o->out, o->command, EXIT_INTERNAL, "nomem", "",
                         "out of memory");
    return err_plain(&o->out, o->command, EXIT_OWN, "own-file",
                     error == EEXIST ? "name another file, or remove this one"
                                     : "name a file that can be made",
                     "--pcap %s: %s", o->pcap, strerror(error));
}

/* Secrets go there: what may be in its place is an empty file of our own, left
 * by whoever was killed, and nothing else. 0 or an errno. */
static int open_capture(const char *path, struct capture **capture)
{
    int errnum = local_reserve(path, 0), fd = -1;

    if (errnum != 0)
        return errnum;
    fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno;
    if (fchmod(fd, 0600) < 0) {
        errnum = errno;
        close(fd);
        return errnum;
    }
    *capture = capture_open(fd);
    return *capture != NULL ? 0 : ENOMEM;
}

static int begin(struct opts *o)
{
    struct evidence *v = calloc(1, sizeof(*v));
    int errnum;

    if (v == NULL)
        return cannot(o, ENOMEM);
    v->out = o->out;
    v->path = o->pcap;
    v->traced = o->trace;
    v->colored = out_colored(&o->out, stderr);
    if (o->pcap != NULL) {
        errnum = open_capture(o->pcap, &v->capture);
        if (errnum != 0) {
            free(v);
            return cannot(o, errnum);
        }
    }
    pthread_mutex_init(&v->lock, NULL);
    o->evidence = v;
    return 0;
}

int evidence_watch(struct opts *o, tlsock_config *c)
{
    int rc = 0;

    if (o->keylog != NULL && tlsock_config_set(c, "keylog", o->keylog) < 0)
        return err_report(&o->out, "--keylog", tlsock_config_error(c), 1);
    if (o->pcap == NULL && !o->trace)
        return 0;
    if (o->evidence == NULL)
        rc = begin(o);
    if (rc != 0)
        return rc;
    /* of a config that nobody has used yet these are not refused */
    if (o->trace)
        (void)tlsock_config_on(c, TLSOCK_ON_MESSAGE, message, o->evidence);
    if (o->pcap != NULL) {
        (void)tlsock_config_on(c, TLSOCK_ON_WIRE, wire, o->evidence);
        (void)tlsock_config_on(c, TLSOCK_ON_KEYLOG, key, o->evidence);
    }
    (void)tlsock_config_on(c, TLSOCK_ON_DIALOGUE, dialogue, o->evidence);
    return 0;
}

static int incomplete; /* an exit code, or 0 */

void evidence_free(struct evidence *v)
{
    int error;

    if (v == NULL)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        while (v->flows[i] != NULL) /* cannot be: the last event is told */
            end(v, v->flows[i]);
    error = v->capture != NULL ? capture_close(v->capture) : 0;
    if (error == 0 && v->lost)
        error = ENOMEM;
    if (error != 0)
        incomplete = err_plain(
            &v->out, "--pcap", EXIT_OWN, "own-file", "make room, and repeat",
            "%s is not complete: %s", v->path, strerror(error));
    pthread_mutex_destroy(&v->lock);
    free(v);
}

int evidence_exit(int rc)
{
    return rc == EXIT_GOOD ? incomplete : rc;
}
