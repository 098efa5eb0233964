/* An issuer that the server did not send is fetched if, and only if, that was
 * asked for. */
#include "ca.h"
#include "httpd.h"
#include "lines.h"
#include "sock.h"

#include <openssl/pem.h>
#include <unistd.h>

struct world {
    struct httpd web;
    tlsock_cert *root, *inter, *leaf, *other;
};

static tlsock_cert *made(const tlsock_cert_opts *o)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_create(o, &err);

    if (c == NULL)
        fail_msg("%s", err.message);
    return c;
}

/* The leaf says that its issuer is at /inter. */
static void world_start(struct world *w, const char *path)
{
    static const char *const sans[] = {"a.test"};
    struct httpd_page page = {.path = "/nothing"};
    char url[80];

    memset(w, 0, sizeof(*w));
    httpd_start(&w->web, &page, 1);
    snprintf(url, sizeof(url), "%s%s", w->web.url, path);
    w->root = made(TLSOCK_CERT_OPTS(.subject = "CN=Top", .ca = 1,
                                    .pathlen = 2));
    w->other = made(TLSOCK_CERT_OPTS(.subject = "CN=Other", .ca = 1));
    w->inter = made(TLSOCK_CERT_OPTS(.subject = "CN=Between", .ca = 1,
                                     .issuer = w->root));
    w->leaf = made(TLSOCK_CERT_OPTS(.sans = sans, .n_sans = 1,
                                    .issuer = w->inter,
                                    .aia_url = path[0] != '\0' ? url : NULL));
}

static void world_stop(struct world *w)
{
    httpd_stop(&w->web);
    tlsock_cert_unref(w->leaf);
    tlsock_cert_unref(w->inter);
    tlsock_cert_unref(w->other);
    tlsock_cert_unref(w->root);
}

static size_t der_of(const tlsock_cert *c, unsigned char *out, size_t size)
{
    char pem[8192];
    BIO *in;
    X509 *x;
    int len;
    unsigned char *p = out;

    assert_true(tlsock_cert_pem(c, TLSOCK_PART_CERT, pem, sizeof(pem)) > 0);
    in = BIO_new_mem_buf(pem, -1);
    x = PEM_read_bio_X509(in, NULL, NULL, NULL);
    BIO_free(in);
    assert_non_null(x);
    len = i2d_X509(x, NULL);
    assert_true(len > 0 && (size_t)len <= size);
    i2d_X509(x, &p);
    X509_free(x);
    return (size_t)len;
}

enum body { DER, PEM, OF_OTHER, NOISE, GONE, ENDLESS };

static const struct row {
    const char *name, *aia, *path;
    enum body body;
    int want, asked;
} rows[] = {
    {"off: nobody is asked", "off", "/inter", DER, TLSOCK_E_CHAIN_INCOMPLETE,
     0},
    {"DER", "on", "/inter", DER, 0, 1},
    {"PEM", "on", "/inter", PEM, 0, 1},
    {"no URL", "on", "", DER, TLSOCK_E_CHAIN_INCOMPLETE, 0},
    {"another CA's certificate", "on", "/inter", OF_OTHER,
     TLSOCK_E_CHAIN_INCOMPLETE, -1},
    {"noise", "on", "/inter", NOISE, TLSOCK_E_CHAIN_INCOMPLETE, 1},
    {"not found", "on", "/inter", GONE, TLSOCK_E_CHAIN_INCOMPLETE, 1},
    {"no end", "on", "/inter", ENDLESS, TLSOCK_E_CHAIN_INCOMPLETE, 1},
};

static void serve(struct world *w, const struct row *row,
                  unsigned char *room, size_t size)
{
    struct httpd_page page = {.path = "/inter", .body = room};

    memset(room, 0x30, size);
    page.len = 100;
    if (row->body == DER)
        page.len = der_of(w->inter, room, size);
    if (row->body == OF_OTHER)
        page.len = der_of(w->other, room, size);
    if (row->body == PEM)
        page.len = (size_t)tlsock_cert_pem(w->inter, TLSOCK_PART_CERT,
                                           (char *)room, size);
    if (row->body == GONE)
        page.status = 404;
    if (row->body == ENDLESS)
        page.how = HTTPD_ENDLESS;
    httpd_set(&w->web, &page);
}

static tlsock_config *client(const struct world *w, const char *aia,
                             const char *tls)
{
    tlsock_config *c = tlsock_config_new();
    char pem[8192];

    assert_true(tlsock_cert_pem(w->root, TLSOCK_PART_CERT, pem, sizeof(pem)) >
                0);
    assert_code(tlsock_config_add_trust(c, pem), 0);
    assert_code(tlsock_config_set(c, "aia", aia), 0);
    assert_code(tlsock_config_set(c, "tls.max", tls), 0);
    return c;
}

static void only_what_helps_is_used(void **state)
{
    static unsigned char room[16384];

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        const struct row *row = &rows[i / 2];
        struct raw_opts raw = {.no_chain = 1};
        struct sock_thread t;
        tlsock_error err = {0};
        struct lines told;
        tlsock_config *c;
        struct world w;
        int fds[2];
        tlsock *s;

        world_start(&w, row->path);
        serve(&w, row, room, sizeof(room));
        raw.cert = w.leaf;
        c = client(&w, row->aia, i % 2 == 0 ? "1.3" : "1.2");
        lines_of(c, &told);
        sock_pair(fds);
        sock_run(&t, fds[1], sock_raw_echo, &raw);
        s = tlsock_client_fd(fds[0], "a.test", c,
                             TLSOCK_OPTS(.timeout_ms = 30000), &err);
        if (s == NULL) /* the caller's then */
            close(fds[0]);
        if ((s != NULL ? 0 : err.code) != row->want)
            fail_msg("%s: %s: %s", row->name, tlsock_errname(err.code),
                     err.message);
        if (row->asked >= 0)
            assert_int_equal(httpd_asked(&w.web, NULL), row->asked);
        else
            assert_within(httpd_asked(&w.web, NULL), 1, 4);
        if (s != NULL)
            assert_string_equal(tlsock_info(s, TLSOCK_INFO_VERIFIED), "chain");
        if (row->want == 0) {
            assert_int_equal(told.calls, 1);
            assert_tells(told.text, "/inter was asked for it");
        } else if (row->asked == 0) {
            assert_int_equal(told.calls, 0);
        }
        tlsock_close(s);
        sock_wait(&t);
        tlsock_config_unref(c);
        world_stop(&w);
    }
}

static void its_name_is_checked_all_the_same(void **state)
{
    static unsigned char room[16384];
    struct raw_opts raw = {.no_chain = 1};
    struct sock_thread t;
    tlsock_error err = {0};
    tlsock_config *c;
    struct world w;
    int fds[2];

    (void)state;
    world_start(&w, "/inter");
    serve(&w, &rows[1], room, sizeof(room));
    raw.cert = w.leaf;
    c = client(&w, "on", "1.3");
    sock_pair(fds);
    sock_run(&t, fds[1], sock_raw_echo, &raw);
    assert_null(tlsock_client_fd(fds[0], "b.test", c,
                                 TLSOCK_OPTS(.timeout_ms = 30000), &err));
    assert_code(err.code, TLSOCK_E_NAME_MISMATCH);
    close(fds[0]);
    sock_wait(&t);
    tlsock_config_unref(c);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_helps_is_used),
        cmocka_unit_test(its_name_is_checked_all_the_same),
    };

    return cmocka_run_group_tests_name("aia", tests, NULL, NULL);
}
