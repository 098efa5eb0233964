/* Plays each row: every TLS version it is about, once with a client that
 * blocks and once with one that poll() alone drives. One TAP line a row. */
#include "matrix.h"

#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 6
#define LATE_MS 3000 /* beyond its deadline: it hangs */
#define ALL_S 240    /* then the whole program does */
#define ROW_MS 5000
#define GOOD_MS 20000     /* a good one is not refused for a slow machine */
#define READ_MOST 1000000 /* what a client takes of who sends without end */

static const struct {
    const struct mx_row *rows;
    const size_t *n;
} tables[] = {
    {mx_rows_cert, &mx_n_cert},     {mx_rows_ca, &mx_n_ca},
    {mx_rows_revoke, &mx_n_revoke}, {mx_rows_tls, &mx_n_tls},
    {mx_rows_wire, &mx_n_wire},     {mx_rows_starttls, &mx_n_starttls},
};

struct result {
    const struct mx_row *row;
    char why[1024]; /* it failed; "" if not */
};

static struct result results[400];
static size_t n_results, next_row;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Floods take a processor each: one after the other, or all are late. */
static pthread_mutex_t floods = PTHREAD_MUTEX_INITIALIZER;
static const struct mx_row *volatile playing[WORKERS];

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static X509 *trusted(const struct mx_world *w)
{
    X509 *const of[] = {w->root, w->inter, w->leaf, w->other_root};

    return of[w->row->trust];
}

static void must_set(tlsock_config *c, int rc)
{
    if (rc != 0)
        fail_msg("%s", tlsock_config_error(c)->message);
}

static void set_all(tlsock_config *c, const char *pairs)
{
    char one[256];

    for (const char *p = pairs; p != NULL && *p != '\0';) {
        size_t len = strcspn(p, ";");
        char *eq;

        snprintf(one, sizeof(one), "%.*s", (int)len, p);
        eq = strchr(one, '=');
        *eq = '\0';
        must_set(c, tlsock_config_set(c, one, eq + 1));
        p += len + (p[len] == ';');
    }
}

static void set_pin(tlsock_config *c, const struct mx_world *w)
{
    char pin[128];
    tlsock_cert *leaf;

    if (strcmp(w->row->pin, "leaf") != 0) {
        must_set(c, tlsock_config_add_pin(c, w->row->pin));
        return;
    }
    leaf = tlsock_cert_from_x509(w->leaf, NULL);
    assert_true(tlsock_cert_fingerprint(leaf, "sha256", 0, pin, sizeof(pin)) >
                0);
    tlsock_cert_unref(leaf);
    must_set(c, tlsock_config_add_pin(c, pin));
}

static tlsock_config *client(const struct mx_world *w)
{
    tlsock_config *c = tlsock_config_new();
    char *pem = mx_pem(trusted(w));

    must_set(c, tlsock_config_add_trust(c, pem));
    free(pem);
    if (w->row->versions != 0 || w->row->serve == NULL) {
        must_set(c, tlsock_config_set(c, "tls.max", w->tls13 ? "1.3" : "1.2"));
        must_set(c, tlsock_config_set(c, "tls.min", w->tls13 ? "1.3" : "1.2"));
    }
    if (w->row->hello != NULL) /* which has a share of the first one */
        must_set(c, tlsock_config_set(c, "groups", "X25519:P-256"));
    set_all(c, w->row->set);
    if (w->row->pin != NULL)
        set_pin(c, w);
    return c;
}

struct visit {
    tlsock *s;
    int code;
    tlsock_error err;
    int64_t since; /* what is under way began */
    int late;      /* it, or what was before, lasted too long */
};

static int again(tlsock *s)
{
    struct pollfd p = {tlsock_fd(s), tlsock_events(s), 0};

    poll(&p, 1, tlsock_timeout(s));
    return 1;
}

/* The first failure is the verdict. */
static int take(struct visit *v, ssize_t rc)
{
    if (rc < 0 && v->code == 0) {
        v->code = (int)rc;
        v->err = *tlsock_last_error(v->s);
    }
    return rc >= 0;
}

static int shake(struct visit *v)
{
    int rc;

    while ((rc = tlsock_handshake(v->s)) == TLSOCK_AGAIN && again(v->s))
        ;
    return take(v, rc);
}

static int say(struct visit *v)
{
    ssize_t n;

    while ((n = tlsock_write(v->s, "ping", 4)) == TLSOCK_AGAIN && again(v->s))
        ;
    return take(v, n);
}

static ssize_t hear(struct visit *v, char *buf, size_t size)
{
    ssize_t n;

    while ((n = tlsock_read(v->s, buf, size)) == TLSOCK_AGAIN && again(v->s))
        ;
    take(v, n);
    return n;
}

static int timeout_of(const struct mx_row *row)
{
    if (row->timeout_ms != 0)
        return row->timeout_ms;
    return row->want == TLSOCK_OK ? GOOD_MS : ROW_MS;
}

/* A turn of a thousand new keys takes its time under a sanitizer. */
static int is_flood(const struct mx_row *row)
{
    return strncmp(row->group, "floods", 6) == 0;
}

static void watch(struct visit *v, const struct mx_row *row)
{
    int64_t now = now_ms();
    int slack = is_flood(row) ? 3 * LATE_MS : LATE_MS;

    v->late |= now - v->since > timeout_of(row) + slack;
    v->since = now;
}

/* What a client is there for: a question and its answer, or all that comes. */
static void use(struct visit *v, const struct mx_row *row)
{
    char buf[16384];
    int done = shake(v);
    ssize_t n, got = 0;

    watch(v, row);
    if (!done)
        return;
    tlsock_set_deadline(v->s, timeout_of(row));
    if (!say(v))
        return;
    do {
        n = hear(v, buf, sizeof(buf));
        got += n > 0 ? n : 0;
    } while (n > 0 && row->reads && got < READ_MOST);
    if (n == 0 && !row->reads)
        v->code = 1; /* a polite end where an answer was due */
}

static void connect_once(struct visit *v, const struct mx_row *row,
                         tlsock_config *c, const char *target, int nonblocking)
{
    memset(v, 0, sizeof(*v));
    v->since = now_ms();
    v->s = tlsock_connect(
        target, c,
        TLSOCK_OPTS(.name = row->host != NULL ? row->host : "a.test",
                    .timeout_ms = timeout_of(row), .nonblocking = nonblocking,
                    .scheme = row->scheme, .starttls = row->starttls),
        &v->err);
    if (v->s == NULL)
        v->code = v->err.code;
    else
        use(v, row);
    tlsock_close(v->s);
    watch(v, row);
}

struct script {
    struct mx_world *w;
    mx_serve *serve;
};

static void run_script(int fd, void *arg)
{
    struct script *s = arg;

    s->serve(fd, s->w);
}

/* NULL: as the row says */
static const char *judge(const struct mx_row *row, const struct visit *v)
{
    if (v->late)
        return "it hangs past its deadline";
    if (v->code != row->want)
        return "another verdict";
    if (row->want == 0)
        return NULL;
    if (row->tells != NULL && strstr(v->err.message, row->tells) == NULL)
        return "another message";
    if (row->phase != 0 && v->err.phase != row->phase)
        return "another phase";
    return v->err.hint[0] == '\0' ? "no hint" : NULL;
}

static void play(const struct mx_row *row, int tls13, int nonblocking,
                 struct result *r)
{
    struct mx_world w;
    struct script script = {&w, row->serve != NULL ? row->serve : mx_serve_tls};
    struct sock_server server;
    tlsock_config *c;
    struct visit v;
    const char *why;
    int64_t t;

    mx_world_start(&w, row, tls13);
    c = client(&w);
    sock_serve(&server, 1, run_script, &script);
    t = now_ms();
    connect_once(&v, row, c, server.target, nonblocking);
    t = now_ms() - t;
    sock_join(&server);
    tlsock_config_unref(c);
    mx_world_stop(&w);
    why = judge(row, &v);
    if (why == NULL || r->why[0] != '\0')
        return;
    snprintf(r->why, sizeof(r->why),
             "%s, TLS 1.%d, %s, after %lld ms: %s in phase %d: \"%s\" (%s)",
             why, tls13 ? 3 : 2, nonblocking ? "nonblocking" : "blocking",
             (long long)t, tlsock_errname(v.code), v.err.phase, v.err.message,
             v.err.hint);
}

static void play_row(struct result *r)
{
    const struct mx_row *row = r->row;
    int versions = row->versions;

    /* what speaks by itself is of no version */
    if (versions == 0)
        versions = row->serve != NULL ? MX_13 : MX_12 | MX_13;
    for (int nonblocking = 0; nonblocking < 2; nonblocking++) {
        if (versions & MX_12)
            play(row, 0, nonblocking, r);
        if (versions & MX_13)
            play(row, 1, nonblocking, r);
    }
}

static void *work(void *arg)
{
    size_t me = (size_t)(uintptr_t)arg, i;
    int flood;

    for (;;) {
        pthread_mutex_lock(&lock);
        i = next_row++;
        pthread_mutex_unlock(&lock);
        if (i >= n_results)
            return NULL;
        flood = is_flood(results[i].row);
        if (flood)
            pthread_mutex_lock(&floods);
        playing[me] = results[i].row;
        play_row(&results[i]);
        playing[me] = NULL;
        if (flood)
            pthread_mutex_unlock(&floods);
    }
}

static void bail(int sig)
{
    static const char text[] = "Bail out! these rows hang:";

    (void)sig;
    (void)!write(1, text, sizeof(text) - 1);
    for (int i = 0; i < WORKERS; i++) {
        const struct mx_row *row = playing[i];

        if (row == NULL)
            continue;
        (void)!write(1, " ", 1);
        (void)!write(1, row->name, strlen(row->name));
    }
    (void)!write(1, "\n", 1);
    _exit(1);
}

/* All rows, or those of which group and name contain a text. */
static void gather(const char *only)
{
    char name[256];

    for (size_t t = 0; t < COUNT(tables); t++)
        for (size_t i = 0; i < *tables[t].n; i++) {
            const struct mx_row *row = &tables[t].rows[i];

            snprintf(name, sizeof(name), "%s: %s", row->group, row->name);
            assert_true(n_results < COUNT(results));
            if (only == NULL || strstr(name, only) != NULL)
                results[n_results++].row = row;
        }
}

static int report(void)
{
    size_t bad = 0, refused = 0;

    printf("1..%zu\n", n_results);
    for (size_t i = 0; i < n_results; i++) {
        const struct result *r = &results[i];

        printf("%s %zu - %s: %s: %s\n", r->why[0] != '\0' ? "not ok" : "ok",
               i + 1, r->row->group, r->row->name,
               r->row->want == 0 ? "good" : tlsock_errslug(r->row->want));
        if (r->why[0] != '\0')
            printf("# %s\n", r->why);
        bad += r->why[0] != '\0';
        refused += r->row->want != 0;
    }
    printf("# %zu bad servers, %zu good twins, %zu wrong verdicts\n", refused,
           n_results - refused, bad);
    return bad != 0;
}

int main(int argc, char **argv)
{
    pthread_t workers[WORKERS];

    signal(SIGALRM, bail);
    alarm(ALL_S);
    mx_keys();
    gather(argc > 1 ? argv[1] : NULL);
    for (size_t i = 0; i < WORKERS; i++)
        assert_int_equal(
            pthread_create(&workers[i], NULL, work, (void *)(uintptr_t)i), 0);
    for (size_t i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    mx_keys_free();
    return report();
}
