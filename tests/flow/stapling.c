#include "stapling.h"

#include "api/config_box.h"
#include "api/stapler.h"
#include "core/clock.h"
#include "tls/staple.h"

#include <openssl/evp.h>
#include <poll.h>
#include <time.h>

atomic_llong stapling_moved_ms; /* by how much the clocks are ahead */

static int64_t monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 +
           atomic_load(&stapling_moved_ms);
}

int64_t stapling_wall(void)
{
    return (int64_t)time(NULL) + atomic_load(&stapling_moved_ms) / 1000;
}

static int look_up(const char *serial, tlsock_status *out, void *arg)
{
    const struct stapling_responder *r = arg;

    out->status = strcmp(serial, r->revoked) == 0 ? TLSOCK_STATUS_REVOKED
                                                  : atomic_load(&r->status);
    out->when = stapling_wall() - 7200;
    out->reason = 1;
    return 0;
}

static void respond(const struct httpd_request *q, struct httpd_page *p,
                    unsigned char *room)
{
    struct stapling_responder *r = p->arg;
    static const char garbage[] = "<html>down</html>";
    size_t len = (size_t)256 * 1024;
    const tlsock_ocsp_opts *o =
        TLSOCK_OCSP_OPTS(.issuer = r->issuer, .status = look_up, .arg = r,
                         .this_update =
                             stapling_wall() - atomic_load(&r->older_s),
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

static tlsock_cert *leaf(const struct stapling *t, const char *name)
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

int stapling_stage(void **state)
{
    struct stapling *t = test_malloc(sizeof(*t));
    struct httpd_page page = {"/ocsp*", 0,           NULL,    NULL,
                              0,        HTTPD_SIZED, respond, &t->r};

    memset(t, 0, sizeof(*t));
    atomic_store(&stapling_moved_ms, 0);
    tsk_clock_monotonic = monotonic;
    tsk_clock_wall = stapling_wall;
    atomic_store(&t->r.valid_s, STAPLING_VALID_S);
    t->r.issuer = ca_get()->inter;
    httpd_start(&t->web, &page, 1);
    t->a = leaf(t, "a.test");
    t->b = leaf(t, "b.test");
    t->cc = ca_client(NULL);
    *state = t;
    return 0;
}

int stapling_clear(void **state)
{
    struct stapling *t = *state;

    httpd_stop(&t->web);
    tlsock_cert_unref(t->a);
    tlsock_cert_unref(t->b);
    tlsock_config_unref(t->cc);
    tsk_clock_monotonic = NULL;
    tsk_clock_wall = NULL;
    test_free(t);
    return 0;
}

void stapling_how(struct stapling *t, enum httpd_how way)
{
    struct httpd_page page = {"/ocsp*", 0, NULL, NULL, 0, way, respond, &t->r};

    httpd_set(&t->web, &page);
}

int stapling_shake(const struct stapling *t, tlsock_config *sc,
                   const char *name, char told[128])
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

struct tsk_ctx *stapling_ctx_of(tlsock_config *sc)
{
    return sc->use[1].ctx;
}

int64_t stapling_as_of(tlsock_config *sc, size_t slot)
{
    struct tsk_staple *s = tsk_staples_get(tsk_ctx_staples(stapling_ctx_of(sc)),
                                           slot, stapling_wall());
    int64_t when = s != NULL ? s->as_of : 0;

    tsk_staple_unref(s);
    return when;
}

void stapling_await(tlsock_config *sc, size_t slot, int64_t not_before)
{
    for (int i = 0; i < 4000 && stapling_as_of(sc, slot) < not_before; i++)
        poll(NULL, 0, 5);
    assert_true(stapling_as_of(sc, slot) >= not_before &&
                stapling_as_of(sc, slot) != 0);
}

void stapling_advance(tlsock_config *sc, int64_t seconds)
{
    atomic_fetch_add(&stapling_moved_ms, seconds * 1000);
    if (sc != NULL)
        tsk_stapler_poke(stapling_ctx_of(sc));
}

void stapling_await_retry(tlsock_config *sc)
{
    for (int i = 0; i < 400 && stapling_as_of(sc, 0) == 0; i++) {
        stapling_advance(sc, 10);
        /* time for a fetch, whose own limit the clock would run into */
        for (int k = 0; k < 50 && stapling_as_of(sc, 0) == 0; k++)
            poll(NULL, 0, 1);
    }
    assert_true(stapling_as_of(sc, 0) != 0);
}

void stapling_serve(tlsock_config *sc)
{
    tlsock_error err = {0};
    tlsock_listener *l = tlsock_listen(":0", sc, NULL, &err);

    if (l == NULL)
        fail_msg("%s", err.message);
    tlsock_listener_free(l);
}
