#include "net.h"

#include <openssl/evp.h>
#include <time.h>
#include <unistd.h>

static tlsock_cert *made(const tlsock_cert_opts *o)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_create(o, &err);

    if (c == NULL)
        fail_msg("%s", err.message);
    return c;
}

static tlsock_cert *authority(const char *name, const tlsock_cert *by,
                              const char *crl, const char *ocsp)
{
    return made(TLSOCK_CERT_OPTS(.subject = name, .ca = 1, .issuer = by,
                                 .crl_url = crl, .ocsp_url = ocsp,
                                 .pathlen = by == NULL ? 2 : 0));
}

/* base + path, or NULL: there is none */
static const char *url(char out[256], const char *base, const char *path,
                       enum net_says says)
{
    snprintf(out, 256, "%s%s", base, path);
    return says == NET_NONE ? NULL : out;
}

void net_make(struct net_pki *p, const char *base, const struct net *n)
{
    static const char *const sans[] = {"a.test"};
    char crl[256], ocsp[256];

    memset(p, 0, sizeof(*p));
    p->root = authority("CN=Net Root", NULL, NULL, NULL);
    p->false_root = authority("CN=Net Root", NULL, NULL, NULL);
    p->inter = authority("CN=Net Inter", p->root,
                         url(crl, base, "/inter.crl", n->inter_list),
                         url(ocsp, base, "/inter.ocsp", n->inter_ocsp));
    p->false_inter = authority("CN=Net Inter", p->false_root, NULL, NULL);
    p->leaf = made(TLSOCK_CERT_OPTS(
            .sans = sans, .n_sans = 1, .issuer = p->inter,
            .crl_url = url(crl, base, "/leaf.crl", n->leaf_list),
            .ocsp_url = url(ocsp, base, "/leaf.ocsp", n->leaf_ocsp)));
}

void net_free(struct net_pki *p)
{
    tlsock_cert_unref(p->leaf);
    tlsock_cert_unref(p->inter);
    tlsock_cert_unref(p->root);
    tlsock_cert_unref(p->false_inter);
    tlsock_cert_unref(p->false_root);
    memset(p, 0, sizeof(*p));
}

static unsigned char *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    unsigned char *data;

    assert_non_null(f);
    data = malloc(65536);
    *len = fread(data, 1, 65536, f);
    fclose(f);
    return data;
}

static unsigned char *list(const tlsock_cert *ca, const tlsock_cert *crt,
                           enum net_says says, size_t *len)
{
    tlsock_revoked gone = {.size = sizeof(gone),
                           .serial = tlsock_cert_field(crt, TLSOCK_CERT_SERIAL),
                           .when = time(NULL) - 86400,
                           .reason = 1};
    tlsock_crl_opts o = {.size = sizeof(o), .issuer = ca, .number = "1"};
    char path[] = "/tmp/tlsock-net-XXXXXX";
    tlsock_error err = {0};
    unsigned char *data;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    if (says == NET_REVOKED) {
        o.revoked = &gone;
        o.n_revoked = 1;
    }
    if (says == NET_OLD) {
        o.this_update = time(NULL) - 20 * 86400;
        o.next_update = time(NULL) - 10 * 86400;
    }
    if (tlsock_crl_save(&o, TLSOCK_FORMAT_DER, path, &err) != 0)
        fail_msg("%s", err.message);
    data = slurp(path, len);
    unlink(path);
    return data;
}

static int status_of(const char *serial, tlsock_status *out, void *arg)
{
    enum net_says says = *(enum net_says *)arg;

    (void)serial;
    out->status = says == NET_REVOKED ? TLSOCK_STATUS_REVOKED
                                      : TLSOCK_STATUS_GOOD;
    out->when = time(NULL) - 86400;
    out->reason = 1;
    return 0;
}

/* The request that a GET carries: percent-encoded base64 behind the path. */
static size_t of_get(const char *path, unsigned char *out, size_t size)
{
    char text[1024];
    size_t n = 0;
    int len;

    for (const char *p = path; *p != '\0' && n + 1 < sizeof(text); p++) {
        unsigned int c = (unsigned char)*p;

        if (c == '%' && sscanf(p + 1, "%2x", &c) == 1)
            p += 2;
        text[n++] = (char)c;
    }
    assert_true(n % 4 == 0 && n / 4 * 3 <= size);
    len = EVP_DecodeBlock(out, (unsigned char *)text, (int)n);
    assert_true(len > 0);
    while (n > 0 && text[n - 1] == '=') {
        n--;
        len--;
    }
    return (size_t)len;
}

static unsigned char *response(const tlsock_cert *ca, enum net_says says,
                               const char *rest, const void *body,
                               size_t body_len, size_t *len)
{
    unsigned char request[1024], *out = malloc(65536);
    tlsock_ocsp_opts o = {.size = sizeof(o),
                          .issuer = ca,
                          .status = status_of,
                          .arg = &says};
    tlsock_error err = {0};

    if (says == NET_OLD) {
        o.this_update = time(NULL) - 20 * 86400;
        o.valid_s = 86400;
    }
    if (body == NULL) {
        assert_int_equal(rest[0], '/');
        body_len = of_get(rest + 1, request, sizeof(request));
        body = request;
    }
    *len = 65536;
    if (tlsock_ocsp_answer(&o, body, body_len, out, len, &err) < 0)
        fail_msg("%s", err.message);
    return out;
}

static unsigned char *noise(size_t *len)
{
    unsigned char *data = malloc(200);

    memset(data, 0x30, 200);
    *len = 200;
    return data;
}

unsigned char *net_answer(const struct net_pki *p, const struct net *n,
                          const char *path, const void *body, size_t body_len,
                          size_t *len)
{
    int of_leaf = strncmp(path, "/leaf", 5) == 0;
    const char *what = strchr(path, '.');
    int is_list = what != NULL && strncmp(what, ".crl", 4) == 0;
    enum net_says says = of_leaf ? (is_list ? n->leaf_list : n->leaf_ocsp)
                                 : (is_list ? n->inter_list : n->inter_ocsp);
    const tlsock_cert *ca = of_leaf ? p->inter : p->root;
    const tlsock_cert *crt = of_leaf ? p->leaf : p->inter;

    *len = 0;
    if (says == NET_DOWN || what == NULL)
        return NULL;
    if (says == NET_GARBAGE)
        return noise(len);
    if (says == NET_FORGED)
        ca = of_leaf ? p->false_inter : p->false_root;
    return is_list ? list(ca, crt, says, len)
                   : response(ca, says, what + 5, body, body_len, len);
}
