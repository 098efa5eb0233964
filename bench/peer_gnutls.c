#include "bench.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct side {
    gnutls_certificate_credentials_t cred;
    gnutls_datum_t session, ticket_key;
    enum bench_mode mode;
    int tls12;
};

struct conn {
    gnutls_session_t s;
    struct side *side;
    int fd, resumed;
};

static void must(int rc, const char *what)
{
    if (rc < 0)
        bench_die("GnuTLS: %s: %s", what, gnutls_strerror(rc));
}

static void *server_new(enum bench_mode mode, const struct bench_files *f)
{
    struct side *side = calloc(1, sizeof(*side));

    side->mode = mode;
    side->tls12 = f->tls12;
    must(gnutls_certificate_allocate_credentials(&side->cred), "server");
    must(gnutls_certificate_set_x509_key_file(side->cred, f->chain, f->key,
                                              GNUTLS_X509_FMT_PEM),
         "identity");
    must(gnutls_session_ticket_key_generate(&side->ticket_key), "tickets");
    return side;
}

static void *client_new(enum bench_mode mode, const struct bench_files *f)
{
    struct side *side = calloc(1, sizeof(*side));

    side->mode = mode;
    side->tls12 = f->tls12;
    must(gnutls_certificate_allocate_credentials(&side->cred), "client");
    must(gnutls_certificate_set_x509_trust_file(
             side->cred,
             mode == BENCH_LOOP || mode == BENCH_FIRST ? f->bundle : f->root,
             GNUTLS_X509_FMT_PEM),
         "trust");
    return side;
}

static struct conn *conn_new(struct side *side, unsigned flags, int fd)
{
    struct conn *c = calloc(1, sizeof(*c));

    c->side = side;
    c->fd = fd;
    must(gnutls_init(&c->s, flags), "session");
    if (side->tls12)
        must(gnutls_set_default_priority_append(c->s, "-VERS-TLS1.3", NULL, 0),
             "priority");
    else
        must(gnutls_set_default_priority(c->s), "priority");
    must(gnutls_credentials_set(c->s, GNUTLS_CRD_CERTIFICATE, side->cred),
         "credentials");
    gnutls_transport_set_int(c->s, fd);
    return c;
}

static void shake(struct conn *c)
{
    int rc;

    do
        rc = gnutls_handshake(c->s);
    while (rc < 0 && !gnutls_error_is_fatal(rc));
    must(rc, "handshake");
    c->resumed = gnutls_session_is_resumed(c->s);
}

static void *accept_one(void *server, int fd)
{
    struct side *side = server;
    struct conn *c = conn_new(side, GNUTLS_SERVER, fd);

    must(gnutls_session_ticket_enable_server(c->s, &side->ticket_key),
         "tickets");
    shake(c);
    return c;
}

static void *connect_one(void *client, int port)
{
    struct side *side = client;
    struct conn *c = conn_new(side, GNUTLS_CLIENT, bench_dial(port));

    must(gnutls_server_name_set(c->s, GNUTLS_NAME_DNS, BENCH_NAME,
                                strlen(BENCH_NAME)),
         "name");
    gnutls_session_set_verify_cert(c->s, BENCH_NAME, 0);
    if (side->session.data != NULL)
        gnutls_session_set_data(c->s, side->session.data, side->session.size);
    shake(c);
    return c;
}

static ssize_t read_some(void *conn, void *buf, size_t len)
{
    struct conn *c = conn;
    ssize_t n;

    do
        n = gnutls_record_recv(c->s, buf, len);
    while (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED);
    must((int)(n < 0 ? n : 0), "read");
    return n;
}

static void write_all(void *conn, const void *buf, size_t len)
{
    struct conn *c = conn;
    const char *p = buf;

    while (len > 0) {
        ssize_t n = gnutls_record_send(c->s, p, len);

        if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
            continue;
        must((int)(n < 0 ? n : 0), "write");
        p += n;
        len -= (size_t)n;
    }
}

static void flush(void *conn)
{
    (void)conn;
}

static void keep_session(struct conn *c)
{
    gnutls_free(c->side->session.data);
    c->side->session.data = NULL;
    must(gnutls_session_get_data2(c->s, &c->side->session), "session");
}

static void finish(void *conn, int client)
{
    struct conn *c = conn;

    if (client && c->side->mode == BENCH_RESUMED)
        keep_session(c);
    must(gnutls_bye(c->s, client ? GNUTLS_SHUT_RDWR : GNUTLS_SHUT_WR), "bye");
    gnutls_deinit(c->s);
    close(c->fd);
    free(c);
}

static void describe(void *conn, char *out, size_t size)
{
    struct conn *c = conn;

    snprintf(out, size, "%s %s%s",
             gnutls_protocol_get_name(gnutls_protocol_get_version(c->s)),
             gnutls_cipher_get_name(gnutls_cipher_get(c->s)),
             c->resumed ? ", resumed" : "");
}

const struct bench_lib bench_gnutls = {
    .name = "GnuTLS",
    .modes = 1u << BENCH_FULL | 1u << BENCH_RESUMED | 1u << BENCH_BULK |
             1u << BENCH_SMALL | 1u << BENCH_IDLE | 1u << BENCH_PING |
             1u << BENCH_PARTS | 1u << BENCH_FIRST,
    .slow = 1,
    .server_new = server_new,
    .client_new = client_new,
    .accept = accept_one,
    .connect = connect_one,
    .read = read_some,
    .write = write_all,
    .flush = flush,
    .finish = finish,
    .describe = describe,
};
