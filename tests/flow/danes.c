#include "danes.h"

#include "cert/cert.h"
#include "core/mem.h"

#include <openssl/evp.h>

const tlsock_cert danes_junk, danes_nothing;
struct danes danes;

size_t danes_data(const struct danes_record *r, uint8_t **out)
{
    unsigned char *der = NULL;
    int len = r->of == &danes_junk || r->of == &danes_nothing ? 0
              : r->selector == 1
                  ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(r->of->leaf), &der)
                  : i2d_X509(r->of->leaf, &der);
    uint8_t *data = calloc(1, (size_t)len + 3 + 64);
    unsigned int n = (unsigned int)len;

    data[0] = (uint8_t)r->usage;
    data[1] = (uint8_t)r->selector;
    data[2] = (uint8_t)r->matching;
    if (r->of == &danes_junk)
        n = 5; /* zeros */
    else if (r->matching == 0 || n == 0)
        memcpy(data + 3, der != NULL ? der : data, n);
    else
        EVP_Digest(der, n, data + 3, &n,
                   r->matching == 1 ? EVP_sha256() : EVP_sha512(), NULL);
    OPENSSL_free(der);
    *out = data;
    return n + 3;
}

static void add_records(struct tsk_dns_answer *out)
{
    uint8_t *data[DANES_RECORDS];
    size_t at = 0, len[DANES_RECORDS], n = 0;

    for (; n < DANES_RECORDS && danes.records[n].of != NULL; n++)
        len[n] = danes_data(&danes.records[n], &data[n]);
    for (size_t i = 0; i < n; i++)
        at += len[i];
    out->bytes = tsk_alloc(at + 1);
    assert_non_null(out->bytes);
    at = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(out->bytes + at, data[i], len[i]);
        out->rr[i].data = out->bytes + at;
        out->rr[i].len = len[i];
        at += len[i];
        free(data[i]);
    }
    out->n = n;
    out->more = danes.more;
}

static int is_at(const char *owner)
{
    const char *host = strstr(owner, "._tcp.");

    return host != NULL &&
           strcmp(host + 6, danes.at != NULL ? danes.at : "a.test") == 0;
}

static void answer(struct tsk_dns *d, const char *name, int type,
                   struct tsk_dns_answer *out)
{
    (void)d;
    memset(out, 0, sizeof(*out));
    danes.asked++;
    out->no_anchor = danes.no_anchor;
    out->no_memory = danes.no_memory;
    if (danes.wait != NULL)
        sem_wait(danes.wait);
    snprintf(out->canon, sizeof(out->canon), "%s",
             danes.canon != NULL && type == TSK_DNS_A ? danes.canon : name);
    snprintf(out->why, sizeof(out->why), "as the test wants it");
    out->state = type == TSK_DNS_TLSA    ? danes.tlsa
                 : type == TSK_DNS_CNAME ? danes.cname
                                         : danes.address;
    if (type == TSK_DNS_TLSA) {
        danes.asked_tlsa++;
        if (out->state < TSK_DNS_BOGUS && is_at(name))
            add_records(out);
    } else if (out->state < TSK_DNS_BOGUS) {
        out->n = 1;
    }
}

int danes_setup(void **state)
{
    (void)state;
    memset(&danes, 0, sizeof(danes));
    tsk_dns_ask = answer;
    return 0;
}

int danes_teardown(void **state)
{
    (void)state;
    tsk_dns_ask = tsk_dns_query;
    return 0;
}

tlsock_config *danes_client(const char *mode, const char *tls)
{
    return ca_client("dane", mode, "dane.anchor", ca_get()->root_pem, "tls.max",
                     tls, "revocation", "off", NULL);
}

void danes_visit(struct danes_outcome *o, tlsock_config *cc,
                 tlsock_cert *identity, const tlsock_opts *opts)
{
    struct raw_opts raw = {.cert = identity}; /* ours would not serve all */
    struct sock_server server;
    tlsock *s;

    memset(o, 0, sizeof(*o));
    sock_serve(&server, 1, sock_raw_echo, &raw);
    s = tlsock_connect(server.target, cc, opts, &o->err);
    o->code = o->err.code;
    if (s != NULL) {
        char got[4];

        assert_int_equal(tlsock_write(s, "ping", 4), 4);
        assert_int_equal(tlsock_read_full(s, got, 4), 4);
        snprintf(o->verified, sizeof(o->verified), "%s",
                 tlsock_info(s, TLSOCK_INFO_VERIFIED));
        snprintf(o->info, sizeof(o->info), "%s",
                 tlsock_info(s, TLSOCK_INFO_DANE));
        snprintf(o->sni, sizeof(o->sni), "%s", tlsock_info(s, TLSOCK_INFO_SNI));
        o->resumed = (int)tlsock_info_int(s, TLSOCK_INFO_RESUMED);
        tlsock_close(s);
    }
    sock_join(&server);
}
