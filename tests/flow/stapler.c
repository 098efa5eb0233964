/* Servers staple by themselves: fetched ahead, refreshed, kept over restart,
 * never stale. The clock is moved by hand; the responder is the library's. */
#include "ca.h"
#include "httpd.h"
#include "lines.h"

#include "api/config_box.h"
#include "api/stapler.h"
#include "cert/cert.h"
#include "core/clock.h"
#include "core/mem.h"
#include "tls/staple.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <tlsock/revoke.h>
#include <unistd.h>

#define VALID_S 3600

/* AddressSanitizer's heap has locks of its own, which fork() copies as they
 * are: threads that allocate at that moment stop the child for ever. */
#if defined(__SANITIZE_ADDRESS__)
#define FOREIGN_HEAP
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FOREIGN_HEAP
#endif
#endif

static atomic_llong moved_ms; /* by how much the clocks are ahead */

static int64_t monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 +
           atomic_load(&moved_ms);
}

static int64_t wall(void)
{
    return (int64_t)time(NULL) + atomic_load(&moved_ms) / 1000;
}

/* What the responder says: of all certificates. */
struct responder {
    atomic_int status, valid_s, garbage, older_s;
    char revoked[64]; /* a serial that is, whatever the status; or "" */
    tlsock_cert *issuer;
};

static int look_up(const char *serial, tlsock_status *out, void *arg)
{
    const struct responder *r = arg;

    out->status = strcmp(serial, r->revoked) == 0 ? TLSOCK_STATUS_REVOKED
                                                  : atomic_load(&r->status);
    out->when = wall() - 7200;
    out->reason = 1;
    return 0;
}

static void respond(const struct httpd_request *q, struct httpd_page *p,
                    unsigned char *room)
{
    struct responder *r = p->arg;
    static const char garbage[] = "<html>down</html>";
    size_t len = (size_t)256 * 1024;
    const tlsock_ocsp_opts *o =
        TLSOCK_OCSP_OPTS(.issuer = r->issuer, .status = look_up, .arg = r,
                         .this_update = wall() - atomic_load(&r->older_s),
                         .valid_s = atomic_load(&r->valid_s));
    unsigned char der[4096];
    const void *request = q->body;
    size_t n = q->len;

    p->body = garbage;
    p->len = sizeof(garbage) - 1;
    if (atomic_load(&r->garbage))
        return;
    if (strcmp(q->method, "GET") == 0) { /* RFC 6960, A.1 */
        char text[2048];
        size_t at = 0;

        for (const char *c = strrchr(q->path, '/') + 1; *c != '\0'; c++) {
            if (*c == '%') {
                text[at++] = c[2] == 'B' ? '+' : c[2] == 'F' ? '/' : '=';
                c += 2;
            } else {
                text[at++] = *c;
            }
        }
        n = (size_t)EVP_DecodeBlock(der, (unsigned char *)text, (int)at);
        while (at > 0 && text[--at] == '=')
            n--;
        request = der;
    }
    (void)tlsock_ocsp_answer(o, request, n, room, &len, NULL);
    p->body = room;
    p->len = len;
}

struct scene {
    struct httpd web;
    struct responder r;
    tlsock_cert *a, *b; /* a.test, b.test, with the responder's URL */
    tlsock_config *cc;
};

static tlsock_cert *leaf(const struct scene *t, const char *name)
{
    char url[64];
    tlsock_error err = {0};
    tlsock_cert *c;

    snprintf(url, sizeof(url), "%s/ocsp", t->web.url);
    c = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.sans = &name, .n_sans = 1, .issuer = ca_get()->inter,
                         .purpose = "server", .ocsp_url = url),
        &err);
    if (c == NULL)
        fail_msg("%s", err.message);
    return c;
}

static int stage(void **state)
{
    struct scene *t = test_malloc(sizeof(*t));
    struct httpd_page page = {"/ocsp*", 0,           NULL,    NULL,
                              0,        HTTPD_SIZED, respond, &t->r};

    memset(t, 0, sizeof(*t));
    atomic_store(&moved_ms, 0);
    tsk_clock_monotonic = monotonic;
    tsk_clock_wall = wall;
    atomic_store(&t->r.valid_s, VALID_S);
    t->r.issuer = ca_get()->inter;
    httpd_start(&t->web, &page, 1);
    t->a = leaf(t, "a.test");
    t->b = leaf(t, "b.test");
    t->cc = ca_client(NULL);
    *state = t;
    return 0;
}

static int clear(void **state)
{
    struct scene *t = *state;

    httpd_stop(&t->web);
    tlsock_cert_unref(t->a);
    tlsock_cert_unref(t->b);
    tlsock_config_unref(t->cc);
    tsk_clock_monotonic = NULL;
    tsk_clock_wall = NULL;
    test_free(t);
    return 0;
}

static void how(struct scene *t, enum httpd_how way)
{
    struct httpd_page page = {"/ocsp*", 0, NULL, NULL, 0, way, respond, &t->r};

    httpd_set(&t->web, &page);
}

/* What a client's handshake tells of the revocation; or its failure. */
static int shake(const struct scene *t, tlsock_config *sc, const char *name,
                 char told[128])
{
    struct peer p;
    int rc;

    peer_init(&p);
    assert_code(peer_open(&p, t->cc, sc, name), TLSOCK_OK);
    rc = peer_shake(&p);
    snprintf(told, 128, "%.127s",
             rc == 0 ? tlsock_info(p.conn[CLIENT], TLSOCK_INFO_REVOCATION)
                     : p.err[CLIENT].message);
    rc = p.rc[CLIENT];
    peer_free(&p);
    return rc;
}

static struct tsk_ctx *ctx_of(tlsock_config *sc)
{
    return sc->use[1].ctx;
}

/* As of when the staple in a slot is; 0: there is none to be sent. */
static int64_t as_of(tlsock_config *sc, size_t slot)
{
    struct tsk_staple *s =
        tsk_staples_get(tsk_ctx_staples(ctx_of(sc)), slot, wall());
    int64_t when = s != NULL ? s->as_of : 0;

    tsk_staple_unref(s);
    return when;
}

/* The thread has put one in that is not older than this: within 20 s. */
static void await_staple(tlsock_config *sc, size_t slot, int64_t not_before)
{
    for (int i = 0; i < 4000 && as_of(sc, slot) < not_before; i++)
        poll(NULL, 0, 5);
    assert_true(as_of(sc, slot) >= not_before && as_of(sc, slot) != 0);
}

static void advance(tlsock_config *sc, int64_t seconds)
{
    atomic_fetch_add(&moved_ms, seconds * 1000);
    if (sc != NULL)
        tsk_stapler_poke(ctx_of(sc));
}

/* Pauses pass until there is one. */
static void await_retry(tlsock_config *sc)
{
    for (int i = 0; i < 400 && as_of(sc, 0) == 0; i++) {
        advance(sc, 10);
        poll(NULL, 0, 50);
    }
    assert_true(as_of(sc, 0) != 0);
}

/* It serves from now on, as a listener makes it. */
static void serve(tlsock_config *sc)
{
    tlsock_error err = {0};
    tlsock_listener *l = tlsock_listen(":0", sc, NULL, &err);

    if (l == NULL)
        fail_msg("%s", err.message);
    tlsock_listener_free(l);
}

static void a_staple_arrives_in_both_versions(void **state)
{
    static const char *const versions[] = {"1.2", "1.3"};
    struct scene *t = *state;

    for (size_t i = 0; i < COUNT(versions); i++) {
        tlsock_config *sc = ca_server(t->a, "tls.max", versions[i], NULL);
        char told[128];

        serve(sc);
        await_staple(sc, 0, 1);
        assert_code(shake(t, sc, "a.test", told), TLSOCK_OK);
        assert_tells(told, "good by staple");
        tlsock_config_unref(sc);
    }
    assert_int_equal(httpd_asked(&t->web, NULL), 2);
}

static void off_is_off_and_others_need_no_thread(void **state)
{
    struct scene *t = *state;
    tlsock_config *off = ca_server(t->a, "staple", "off", NULL),
                  *none = ca_server(ca_get()->a, NULL);
    char told[128];

    serve(off);
    serve(none);
    assert_null(tsk_ctx_staples(ctx_of(off)));
    assert_code(shake(t, off, "a.test", told), TLSOCK_OK);
    assert_tells(told, "no staple");
    assert_code(shake(t, none, "a.test", told), TLSOCK_OK);
    assert_tells(told, "no staple");
    assert_int_equal(httpd_asked(&t->web, NULL), 0);
    tlsock_config_unref(off);
    tlsock_config_unref(none);
}

static void it_is_refreshed_past_half_of_its_validity(void **state)
{
    struct scene *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);
    int64_t first;

    serve(sc);
    await_staple(sc, 0, 1);
    first = as_of(sc, 0);
    advance(sc, VALID_S / 2 - 60);
    advance(sc, VALID_S / 8 + 120); /* the spread of a fleet */
    httpd_await(&t->web, NULL, 2);
    await_staple(sc, 0, first + VALID_S / 2);
    assert_int_equal(httpd_asked(&t->web, NULL), 2);
    tlsock_config_unref(sc);
}

/* Down from then on: the staple is sent until it is all but over. */
static void it_is_dropped_before_it_is_over(void **state)
{
    struct scene *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);
    char told[128];

    serve(sc);
    await_staple(sc, 0, 1);
    atomic_store(&t->r.garbage, 1);
    advance(sc, VALID_S * 9 / 10);
    assert_code(shake(t, sc, "a.test", told), TLSOCK_OK);
    assert_tells(told, "good by staple");
    advance(sc, VALID_S / 10 - 60);
    assert_code(shake(t, sc, "a.test", told), TLSOCK_OK);
    assert_tells(told, "no staple");
    atomic_store(&t->r.garbage, 0);
    await_retry(sc);
    tlsock_config_unref(sc);
}

static const struct {
    const char *name;
    enum httpd_how how;
    int garbage, status, older_s;
} bad[] = {
    {"garbage", HTTPD_SIZED, 1, TLSOCK_STATUS_GOOD, 0},
    {"unknown", HTTPD_SIZED, 0, TLSOCK_STATUS_UNKNOWN, 0},
    {"over", HTTPD_SIZED, 0, TLSOCK_STATUS_GOOD, 2 * VALID_S},
    {"of the future", HTTPD_SIZED, 0, TLSOCK_STATUS_GOOD, -7200},
    {"cut", HTTPD_EARLY, 0, TLSOCK_STATUS_GOOD, 0},
    {"reset", HTTPD_RESET, 0, TLSOCK_STATUS_GOOD, 0},
};

static void what_is_no_good_is_not_sent_and_asked_for_again(void **state)
{
    struct scene *t = *state;

    for (size_t i = 0; i < COUNT(bad); i++) {
        tlsock_config *sc = ca_server(t->a, NULL);
        int before = httpd_asked(&t->web, NULL);
        char told[128];

        atomic_store(&t->r.garbage, bad[i].garbage);
        atomic_store(&t->r.status, bad[i].status);
        atomic_store(&t->r.older_s, bad[i].older_s);
        how(t, bad[i].how);
        serve(sc);
        httpd_await(&t->web, NULL, before + 1);
        assert_code(shake(t, sc, "a.test", told), TLSOCK_OK);
        if (strstr(told, "no staple") == NULL)
            fail_msg("%s: %s", bad[i].name, told);
        advance(sc, 5); /* never before 10 s */
        assert_int_equal(httpd_asked(&t->web, NULL), before + 1);
        atomic_store(&t->r.garbage, 0);
        atomic_store(&t->r.status, TLSOCK_STATUS_GOOD);
        atomic_store(&t->r.older_s, 0);
        how(t, HTTPD_SIZED);
        await_retry(sc);
        tlsock_config_unref(sc);
    }
}

/* That is what clients have to know. */
static void a_revoked_certificate_is_stapled_as_such(void **state)
{
    struct scene *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);
    char told[128];

    atomic_store(&t->r.status, TLSOCK_STATUS_REVOKED);
    serve(sc);
    await_staple(sc, 0, 1);
    assert_code(shake(t, sc, "a.test", told), TLSOCK_E_REVOKED);
    tlsock_config_unref(sc);
}

/* By the thread that makes the next connection: never by our own. */
static void what_is_wrong_is_told_to_whoever_serves(void **state)
{
    static const char *const says[] = {"no OCSP response to staple: ",
                                       "it is revoked, says its CA"};
    struct scene *t = *state;

    for (int i = 0; i < 2; i++) {
        tlsock_config *sc = ca_server(t->a, NULL);
        struct lines l;
        char told[128];

        lines_of(sc, &l);
        atomic_store(&t->r.garbage, i == 0);
        atomic_store(&t->r.status, TLSOCK_STATUS_REVOKED);
        serve(sc);
        for (int k = 0; k < 400 && l.calls == 0; k++) {
            poll(NULL, 0, 20);
            (void)shake(t, sc, "a.test", told);
        }
        assert_int_equal(l.calls, 1);
        assert_tells(l.text, "our certificate of \"");
        assert_tells(l.text, says[i]);
        assert_true(pthread_equal(l.thread, pthread_self()));
        (void)shake(t, sc, "a.test", told);
        assert_int_equal(l.calls, 1); /* once */
        tlsock_config_unref(sc);
    }
}

static void each_identity_has_its_own(void **state)
{
    struct scene *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);
    char told[128];

    snprintf(t->r.revoked, sizeof(t->r.revoked), "%s",
             tlsock_cert_field(t->b, TLSOCK_CERT_SERIAL));
    assert_code(tlsock_config_add_cert(sc, t->b), TLSOCK_OK);
    serve(sc);
    await_staple(sc, 0, 1);
    await_staple(sc, 1, 1);
    assert_code(shake(t, sc, "a.test", told), TLSOCK_OK);
    assert_tells(told, "good by staple");
    assert_code(shake(t, sc, "b.test", told), TLSOCK_E_REVOKED);
    tlsock_config_unref(sc);
}

static void remove_dir(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    char path[400];

    assert_non_null(d);
    for (e = readdir(d); e != NULL; e = readdir(d)) {
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    closedir(d);
    rmdir(dir);
}

/* Another process finds on disk what one has got, and asks nobody. */
static void a_restart_finds_it_on_disk(void **state)
{
    struct scene *t = *state;
    char dir[] = "/tmp/tlsock-staples-XXXXXX";

    assert_non_null(mkdtemp(dir));
    for (int i = 0; i < 3; i++) {
        tlsock_config *sc = ca_server(t->a, "revocation.cache", dir, NULL);

        serve(sc);
        await_staple(sc, 0, 1);
        tlsock_config_unref(sc); /* and waits until all is written */
    }
    assert_int_equal(httpd_asked(&t->web, NULL), 1);
    /* past half of it the one on disk is used, and a new one asked for */
    advance(NULL, VALID_S * 3 / 4);
    how(t, HTTPD_SILENT);
    {
        tlsock_config *sc = ca_server(t->a, "revocation.cache", dir, NULL);
        char told[128];

        serve(sc);
        httpd_await(&t->web, NULL, 2);
        assert_code(shake(t, sc, "a.test", told), TLSOCK_OK);
        assert_tells(told, "good by staple");
        tlsock_config_unref(sc);
    }
    remove_dir(dir);
}

static void put_issuer(struct scene *t, const tlsock_cert *c,
                       unsigned char der[4096], enum httpd_how way)
{
    struct httpd_page page = {.path = "/ca.der", .body = der, .how = way};
    unsigned char *end = der;

    page.len = (size_t)i2d_X509(c->leaf, &end);
    assert_true(page.len > 0 && page.len <= 4096);
    httpd_set(&t->web, &page);
}

static tlsock_cert *leaf_of_root(const struct scene *t, const char *name)
{
    char url[64], aia[64];
    tlsock_error err = {0};
    tlsock_cert *c;

    snprintf(url, sizeof(url), "%s/ocsp", t->web.url);
    snprintf(aia, sizeof(aia), "%s/ca.der", t->web.url);
    c = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.sans = &name, .n_sans = 1, .issuer = ca_get()->root,
                         .purpose = "server", .ocsp_url = url, .aia_url = aia),
        &err);
    if (c == NULL)
        fail_msg("%s", err.message);
    return c;
}

/* A root is not sent, and who serves need not trust it: it is fetched, and kept
 * beside the staple. */
static void an_issuer_that_is_not_at_hand_is_fetched(void **state)
{
    struct scene *t = *state;
    tlsock_cert *a = leaf_of_root(t, "a.test");
    char dir[] = "/tmp/tlsock-staples-XXXXXX", told[128];
    unsigned char der[4096];

    assert_non_null(mkdtemp(dir));
    t->r.issuer = ca_get()->root;
    put_issuer(t, ca_get()->root, der, HTTPD_SIZED);
    for (int i = 0; i < 2; i++) {
        tlsock_config *sc = ca_server(a, "revocation.cache", dir, NULL);

        serve(sc);
        await_staple(sc, 0, 1);
        assert_code(shake(t, sc, "a.test", told), TLSOCK_OK);
        assert_tells(told, "good by staple");
        tlsock_config_unref(sc);
    }
    assert_int_equal(httpd_asked(&t->web, "/ca.der"), 1);
    assert_int_equal(httpd_asked(&t->web, "/ocsp*"), 1);
    tlsock_cert_unref(a);
    remove_dir(dir);
}

/* Nobody is asked about a certificate in the name of a CA that is not its. */
static void what_did_not_sign_it_is_no_issuer(void **state)
{
    struct scene *t = *state;
    tlsock_cert *a = leaf_of_root(t, "a.test");
    const struct {
        const tlsock_cert *c;
        enum httpd_how how;
    } wrong[] = {{ca_get()->inter, HTTPD_SIZED},
                 {ca_get()->stranger_root, HTTPD_SIZED},
                 {ca_get()->root, HTTPD_EARLY}};
    unsigned char der[4096];

    t->r.issuer = ca_get()->root;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        tlsock_config *sc = ca_server(a, NULL);
        int asked = httpd_asked(&t->web, "/ocsp*");

        put_issuer(t, wrong[i].c, der, wrong[i].how);
        serve(sc);
        httpd_await(&t->web, "/ca.der", 1 + 3 * (int)i);
        advance(sc, 11);
        httpd_await(&t->web, "/ca.der", 2 + 3 * (int)i);
        assert_int_equal(httpd_asked(&t->web, "/ocsp*"), asked);
        put_issuer(t, ca_get()->root, der, HTTPD_SIZED);
        await_retry(sc);
        assert_int_equal(httpd_asked(&t->web, "/ca.der"), 3 + 3 * (int)i);
        tlsock_config_unref(sc);
    }
    tlsock_cert_unref(a);
}

static void a_reload_keeps_what_still_fits(void **state)
{
    struct scene *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);
    char told[128];

    serve(sc);
    await_staple(sc, 0, 1);
    how(t, HTTPD_SILENT);
    for (int i = 0; i < 3; i++) {
        assert_code(tlsock_config_reload(sc), TLSOCK_OK);
        assert_code(shake(t, sc, "a.test", told), TLSOCK_OK);
        assert_tells(told, "good by staple");
    }
    assert_int_equal(httpd_asked(&t->web, NULL), 1);
    how(t, HTTPD_SIZED);
    advance(sc, VALID_S * 3 / 4); /* the new one's thread asks */
    httpd_await(&t->web, NULL, 2);
    tlsock_config_unref(sc);
}

/* Nothing ends in time by itself here: the fetch has no limit of its own. */
static void the_end_does_not_wait_for_a_fetch(void **state)
{
    struct scene *t = *state;
    tlsock_config *sc = ca_server(t->a, "revocation.timeout", "1h", NULL);

    how(t, HTTPD_SILENT);
    serve(sc);
    httpd_await(&t->web, NULL, 1);
    tlsock_config_unref(sc);
}

#ifndef __SANITIZE_THREAD__
static void child(struct scene *t, tlsock_config *sc, int accepts)
{
    char told[128] = "";

    alarm(60);
    if (shake(t, sc, "a.test", told) != TLSOCK_OK ||
        strstr(told, "good by staple") == NULL)
        _exit(1);
    if (!accepts)
        _exit(0);
    /* past half of it: the child's own thread asks */
    advance(sc, VALID_S * 3 / 4);
    await_staple(sc, 0, wall() - 60);
    tlsock_config_unref(sc);
    _exit(0);
}

static void a_child_has_what_was_fetched_and_goes_on_by_itself(void **state)
{
    struct scene *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);

    serve(sc);
    await_staple(sc, 0, 1);
    /* the responder is in this process, whose clock will not be moved */
    atomic_store(&t->r.older_s, -VALID_S * 3 / 4);
    for (int i = 0; i < 20; i++) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
            child(t, sc, i == 19);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    assert_int_equal(httpd_asked(&t->web, NULL), 2);
    tlsock_config_unref(sc);
}

#ifndef FOREIGN_HEAP
/* Forks in the midst of its work. The responder uses no OpenSSL here, whose
 * locks would be this test's and not the library's. */
static void a_fork_finds_no_lock_held(void **state)
{
    struct scene *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);

    atomic_store(&t->r.garbage, 1);
    serve(sc);
    for (int i = 0; i < 40; i++) {
        char told[128];
        int status;
        pid_t pid;

        advance(sc, 601); /* it asks, and fails */
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            alarm(60);
            advance(sc, 601);
            status = shake(t, sc, "a.test", told);
            tlsock_config_unref(sc);
            _exit(status == TLSOCK_OK ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    assert_true(httpd_asked(&t->web, NULL) > 1);
    tlsock_config_unref(sc);
}
#endif
#endif

/* An older answer than the one at hand is of no use: it may be a replay. */
static void an_older_answer_is_not_taken(void **state)
{
    struct scene *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);
    int64_t first;

    serve(sc);
    await_staple(sc, 0, 1);
    first = as_of(sc, 0);
    atomic_store(&t->r.older_s, VALID_S * 7 / 8);
    advance(sc, VALID_S * 3 / 4);
    for (int i = 0; i < 60 && httpd_asked(&t->web, NULL) < 4; i++) {
        advance(sc, 10);
        poll(NULL, 0, 50);
    }
    assert_true(httpd_asked(&t->web, NULL) >= 3); /* twice it was refused */
    assert_int_equal(as_of(sc, 0), first);
    tlsock_config_unref(sc);
}

static atomic_int countdown;
static pthread_t main_thread;

static int nth_fails_elsewhere(void)
{
    return !pthread_equal(pthread_self(), main_thread) &&
           atomic_fetch_sub(&countdown, 1) == 1;
}

static int nth_fails_here(void)
{
    return pthread_equal(pthread_self(), main_thread) &&
           atomic_fetch_sub(&countdown, 1) == 1;
}

/* Where it fails, it is tried again after a pause, by thread or next call. */
static void without_memory_it_is_tried_again(void **state)
{
    static int (*const fails[])(void) = {nth_fails_elsewhere, nth_fails_here};
    struct scene *t = *state;
    char dir[] = "/tmp/tlsock-staples-XXXXXX";
    int more[2] = {1, 1};

    main_thread = pthread_self();
    assert_non_null(mkdtemp(dir));
    for (int n = 2; more[0] || more[1]; n++) {
        tlsock_config *sc = ca_server(t->a, "revocation.cache", dir, NULL);
        tlsock_listener *l;

        assert_true(n < 600);
        n += !more[n % 2];
        atomic_store(&countdown, n / 2);
        tsk_mem_fail = fails[n % 2];
        l = tlsock_listen(":0", sc, NULL, NULL);
        tlsock_listener_free(l);
        if (n % 2 != 0) { /* the second time it does not */
            more[1] = atomic_load(&countdown) <= 0;
            atomic_store(&countdown, 0);
        }
        serve(sc);
        await_retry(sc);
        tlsock_config_unref(sc);
        if (n % 2 == 0)
            more[0] = atomic_load(&countdown) <= 0;
        tsk_mem_fail = NULL;
        atomic_fetch_add(&moved_ms, (long long)VALID_S * 1000);
    }
    remove_dir(dir);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, stage, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(a_staple_arrives_in_both_versions),
        WITH(off_is_off_and_others_need_no_thread),
        WITH(it_is_refreshed_past_half_of_its_validity),
        WITH(it_is_dropped_before_it_is_over),
        WITH(what_is_no_good_is_not_sent_and_asked_for_again),
        WITH(a_revoked_certificate_is_stapled_as_such),
        WITH(what_is_wrong_is_told_to_whoever_serves),
        WITH(each_identity_has_its_own),
        WITH(a_restart_finds_it_on_disk),
        WITH(an_issuer_that_is_not_at_hand_is_fetched),
        WITH(what_did_not_sign_it_is_no_issuer),
        WITH(a_reload_keeps_what_still_fits),
        WITH(the_end_does_not_wait_for_a_fetch),
#ifndef __SANITIZE_THREAD__ /* it ends children that start threads */
        WITH(a_child_has_what_was_fetched_and_goes_on_by_itself),
#ifndef FOREIGN_HEAP
        WITH(a_fork_finds_no_lock_held),
#endif
#endif
        WITH(an_older_answer_is_not_taken),
        WITH(without_memory_it_is_tried_again),
    };

    return cmocka_run_group_tests_name("stapler", tests, ca_setup, ca_teardown);
}
