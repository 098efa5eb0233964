#include "misbehave.h"

#include "errors.h"
#include "listening.h"
#include "opt.h"
#include "records.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <tlsock/cert.h>
#include <unistd.h>

#define AT_ONCE 64       /* clients */
#define REST_MS 100      /* out of descriptors: let some end */
#define PATIENCE 10      /* seconds without a byte */
#define HELLO_SEEN 16384 /* bytes of a hello that a name is looked for in */
#define INTERNAL_ERROR 80

struct server {
    const struct misbehave *m;
    const struct mis_row *only; /* NULL: the name chooses */
    int alert;
    struct mis_tls *tls[MIS_MOST]; /* as mis_rows; NULL: it needs none */
    tlsock_listener *listener;
    char where[300];
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t freed;
    int fds[AT_ONCE], n;
};

struct client {
    struct server *s;
    int fd;
};

int misbehave_list(const struct out *o)
{
    json_t *obj = json_object(), *list = json_array();

    for (size_t i = 0; i < mis_n_rows; i++) {
        const struct mis_row *row = &mis_rows[i];
        json_t *one = json_object();

        json_object_set_new(one, "name", json_string(row->name));
        json_object_set_new(one, "code", json_string(row->code));
        json_object_set_new(one, "what", json_string(row->what));
        json_array_append_new(list, one);
        if (!o->json)
            printf("%-21s %-17s %s\n", row->name, row->code, row->what);
    }
    json_object_set_new(obj, "schema", json_string("tlsock.misbehave/1"));
    json_object_set_new(obj, "rows", list);
    if (o->json)
        return out_json_print(obj) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
    json_decref(obj);
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_INTERNAL;
}

/* The hello while it stays where it is: its length in hello, or 0. Nobody is
 * waited for longer than PATIENCE. */
static size_t look(int fd, uint8_t *seen, uint8_t *hello)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    enum records_kind kind = RECORDS_MORE;
    size_t len = 0;

    for (int i = 0; kind == RECORDS_MORE && i < PATIENCE * 100; i++) {
        ssize_t n = recv(fd, seen, HELLO_SEEN, MSG_PEEK);

        if (n <= 0 || n == HELLO_SEEN)
            return 0;
        kind = records_hello(seen, (size_t)n, hello, &len);
        /* no event tells that there is more than what is left to lie */
        if (kind == RECORDS_MORE && poll(&p, 1, 10) != 0)
            return 0;
    }
    return kind == RECORDS_HELLO ? len : 0;
}

/* The first label of the name that a client asks for is a row, or good. NULL:
 * it asked for a tunnel, and went; or there is no memory to know its name. */
static const struct mis_row *by_name(int fd)
{
    uint8_t *seen, *hello;
    const struct mis_row *row;
    char name[256] = "";
    size_t len = 0;

    if (mis_tunnel(fd) != 0)
        return NULL;
    seen = malloc(HELLO_SEEN);
    hello = malloc(RECORDS_MOST);
    if (seen != NULL && hello != NULL)
        len = look(fd, seen, hello);
    if (len != 0)
        records_name(hello, len, name);
    row = mis_find(name, strcspn(name, "."));
    if (row == NULL && seen != NULL && hello != NULL)
        row = &mis_rows[0];
    free(seen);
    free(hello);
    return row;
}

static void tell(const struct server *s, int fd, const struct mis_row *row)
{
    char peer[64] = "";
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);

    if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0)
        listening_address(peer, sizeof(peer), &sa, len);
    if (s->m->out->json) {
        json_t *obj = json_object();

        json_object_set_new(obj, "schema", json_string("tlsock.serve/1"));
        json_object_set_new(obj, "event", json_string("misbehave"));
        json_object_set_new(obj, "peer", out_json_text(peer));
        json_object_set_new(obj, "name", json_string(row->name));
        out_json_print(obj);
    } else if (!s->m->out->quiet) {
        flockfile(stdout);
        out_label(s->m->out, stdout, "1", "client");
        printf("%s  %s\n", peer, row->name);
        funlockfile(stdout);
        fflush(stdout);
    }
}

/* -1: there are too many; those that are silent may stay for long. */
static int remember(struct server *s, int fd)
{
    int rc = -1;

    pthread_mutex_lock(&s->lock);
    if (s->n < AT_ONCE) {
        s->fds[s->n++] = fd;
        rc = 0;
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

static void forget(struct server *s, int fd)
{
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->n; i++)
        if (s->fds[i] == fd)
            s->fds[i] = s->fds[--s->n];
    close(fd); /* within the lock: its number is not another's yet */
    pthread_cond_signal(&s->freed);
    pthread_mutex_unlock(&s->lock);
}

static void misbehave(const struct server *s, int fd, const struct mis_row *row)
{
    struct mis_tls *tls = s->tls[row - mis_rows];
    SSL *ssl = NULL;

    tell(s, fd, row);
    if (tls != NULL)
        ssl = mis_tls_ssl(tls);
    if (tls == NULL || ssl != NULL)
        mis_wire(row, ssl, fd, s->alert);
    SSL_free(ssl);
}

static void *serve_client(void *arg)
{
    struct client c = *(struct client *)arg;
    const struct mis_row *row;

    free(arg);
    row = c.s->only != NULL ? c.s->only : by_name(c.fd);
    if (row != NULL)
        misbehave(c.s, c.fd, row);
    OPENSSL_thread_stop();
    forget(c.s, c.fd);
    return NULL;
}

static void start(struct server *s, int fd)
{
    struct timeval patience = {.tv_sec = PATIENCE};
    struct client *c = malloc(sizeof(*c));
    pthread_attr_t attr;
    pthread_t thread;
    int rc = ENOMEM;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) !=
            0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) !=
            0 ||
        remember(s, fd) != 0) {
        close(fd);
        free(c);
        return;
    }
    if (c != NULL && pthread_attr_init(&attr) == 0) {
        *c = (struct client){s, fd};
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        rc = pthread_create(&thread, &attr, serve_client, c);
        pthread_attr_destroy(&attr);
    }
    if (rc != 0) {
        free(c);
        forget(s, fd);
    }
}

/* hurry: those that are there are cut off. */
static void wait_for_all(struct server *s, int hurry)
{
    pthread_mutex_lock(&s->lock);
    for (int i = 0; hurry && i < s->n; i++)
        shutdown(s->fds[i], SHUT_RDWR);
    while (s->n != 0)
        pthread_cond_wait(&s->freed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

/* 0: none has come after all; -1: there are no descriptors, for example, and
 * it may be worth while to wait for some. */
static int take_one(struct server *s, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ? 0
                                                                          : -1;
    start(s, fd);
    return 1;
}

/* Until it was asked to end, or all have come: 0, or an exit code. */
static int loop(struct server *s, int signals)
{
    int listener = tlsock_listener_fd(s->listener), rc = 1, failed = 0;
    struct pollfd p[2] = {{.fd = signals, .events = POLLIN},
                          {.fd = listener, .events = POLLIN}};
    long left = s->m->count;

    while (p[0].revents == 0 && (s->m->count == 0 || left > 0)) {
        int n = poll(p, rc < 0 ? 1 : 2, rc < 0 ? REST_MS : -1);

        if (n < 0 && errno != EINTR) {
            failed = errno;
            break;
        }
        rc = n > 0 && p[1].revents != 0 ? take_one(s, listener) : 0;
        p[1].revents = 0;
        left -= rc > 0;
    }
    wait_for_all(s, failed != 0 || p[0].revents != 0);
    return failed != 0 ? listening_no_loop(s->m->out, s->m->target, failed) : 0;
}

static int ready(struct server *s)
{
    int port, rc;

    rc = listening_where(s->m->out, s->where, sizeof(s->where), s->m->target,
                         s->listener, &port);
    if (rc != 0)
        return rc;
    if (s->m->out->json) {
        json_t *obj = json_object();

        json_object_set_new(obj, "schema", json_string("tlsock.serve/1"));
        json_object_set_new(obj, "event", json_string("ready"));
        json_object_set_new(obj, "address", out_json_text(s->where));
        json_object_set_new(obj, "port", json_integer(port));
        json_object_set_new(obj, "misbehave", out_json_text(s->m->what));
        out_json_print(obj);
    } else if (!s->m->out->quiet) {
        char what[128], pki[512];

        printf("ready    %s  misbehaves: %s; clients: --ca %s/root.pem\n",
               s->where, out_clean(what, sizeof(what), s->m->what),
               out_clean(pki, sizeof(pki), s->m->pki));
        fflush(stdout);
    }
    return listening_tell(s->m->out, s->m->port_file, port);
}

static int choose(struct server *s)
{
    const char *what = s->m->what;
    long alert = INTERNAL_ERROR;
    char clean[128], *end = NULL;

    if (strncmp(what, "alert:", 6) == 0) {
        alert = strtol(what + 6, &end, 10);
        if (what[6] < '0' || what[6] > '9' || *end != '\0' || alert > 255)
            return err_usage(s->m->out, "serve",
                             "--misbehave alert:NUMBER, from 0 to 255",
                             "there is no alert \"%s\"",
                             out_clean(clean, sizeof(clean), what + 6));
        what = "alert";
    }
    s->alert = (int)alert;
    s->only = mis_find(what, strlen(what));
    if (s->only == NULL && strcmp(what, "all") != 0)
        return err_usage(
            s->m->out, "serve", "--misbehave list shows what there is",
            "--misbehave \"%s\"", out_clean(clean, sizeof(clean), what));
    return 0;
}

static int make(struct server *s)
{
    char why[256];

    for (size_t i = 0; i < mis_n_rows; i++) {
        if ((s->only != NULL && s->only != &mis_rows[i]) ||
            mis_rows[i].wire < MIS_TLS)
            continue;
        s->tls[i] = mis_tls_new(&mis_rows[i], s->m->pki, why);
        if (s->tls[i] == NULL)
            return err_plain(s->m->out, "--pki", EXIT_OWN, "own-file",
                             "tlsock testpki DIR makes one",
                             "\"%s\" needs certificates of %s: %s",
                             mis_rows[i].name, s->m->pki, why);
    }
    return 0;
}

/* The listener wants a config; no connection is ever made of it. */
static int listen_there(struct server *s)
{
    static const char *const names[] = {"localhost"};
    tlsock_config *c = tlsock_config_new();
    tlsock_error err = {0};
    tlsock_cert *own =
        tlsock_cert_create(TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1), &err);
    int rc = 0;

    if (c != NULL && own != NULL && tlsock_config_add_cert(c, own) == 0)
        s->listener =
            tlsock_listen(s->m->target, c, TLSOCK_OPTS(.nonblocking = 1), &err);
    if (s->listener == NULL) {
        opt_listen_hint(s->m->target, &err);
        rc = err_report(s->m->out, s->m->target, &err,
                        err.code != TLSOCK_E_SYSTEM);
    }
    tlsock_cert_unref(own);
    tlsock_config_unref(c);
    return rc;
}

int misbehave_run(const struct misbehave *m)
{
    struct server s = {.m = m,
                       .lock = PTHREAD_MUTEX_INITIALIZER,
                       .freed = PTHREAD_COND_INITIALIZER};
    sigset_t set;
    int rc = choose(&s), signals = -1;

    if (rc == 0)
        rc = make(&s);
    if (rc == 0)
        rc = listen_there(&s);
    if (rc == 0) {
        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        signals = signalfd(-1, &set, SFD_CLOEXEC);
        rc = signals < 0 ? listening_no_loop(s.m->out, s.m->target, errno)
                         : ready(&s);
    }
    if (rc == 0)
        rc = loop(&s, signals);
    if (signals >= 0)
        close(signals);
    tlsock_listener_free(s.listener);
    for (size_t i = 0; i < MIS_MOST; i++)
        mis_tls_free(s.tls[i]);
    return rc;
}
