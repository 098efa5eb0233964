#include "ca.h"

#include "cert/cert.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <time.h>
#include <unistd.h>

#define DAY 86400

static struct test_ca ca;
static int built;

static tlsock_cert *made(const tlsock_cert_opts *o)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_create(o, &err);

    if (c == NULL)
        fail_msg("test CA: %s", err.message);
    return c;
}

static tlsock_cert *leaf(const tlsock_cert *issuer, const char *name,
                         const char *key, int64_t from, int64_t to)
{
    const char *sans[] = {name};

    return made(TLSOCK_CERT_OPTS(.sans = sans, .n_sans = 1, .key = key,
                                 .issuer = issuer, .purpose = "server",
                                 .not_before = from, .not_after = to));
}

static tlsock_cert *client_leaf(const tlsock_cert *issuer, int64_t from,
                                int64_t to)
{
    return made(TLSOCK_CERT_OPTS(.subject = "CN=Test Client", .issuer = issuer,
                                 .purpose = "client", .not_before = from,
                                 .not_after = to));
}

/* The library makes no such key: sign one by hand, with a.test's contents. */
static tlsock_cert *weak_leaf(void)
{
    X509 *x = X509_dup(ca.a->leaf);
    EVP_PKEY *key = EVP_RSA_gen(1024);
    tlsock_cert *c = NULL;

    if (x != NULL && key != NULL && X509_set_pubkey(x, key) &&
        X509_sign(x, ca.inter->key, EVP_sha256()) > 0)
        c = tsk_cert_new(x, ca.a->chain, key, NULL);
    X509_free(x);
    EVP_PKEY_free(key);
    assert_non_null(c);
    return c;
}

static void make_leaves(void)
{
    const char *ips[] = {"127.0.0.1", "::1", "localhost"};
    int64_t now = time(NULL);

    ca.a = leaf(ca.inter, "a.test", NULL, 0, 0);
    ca.b = leaf(ca.inter, "b.test", NULL, 0, 0);
    ca.wild = leaf(ca.inter, "*.w.test", NULL, 0, 0);
    ca.ip = made(TLSOCK_CERT_OPTS(.sans = ips, .n_sans = 3,
                                  .issuer = ca.inter));
    ca.expired = leaf(ca.inter, "a.test", NULL, now - 9 * DAY, now - 3 * DAY);
    ca.not_yet = leaf(ca.inter, "a.test", NULL, now + 3 * DAY, now + 9 * DAY);
    ca.client = client_leaf(ca.inter, 0, 0);
    ca.expired_client = client_leaf(ca.inter, now - 9 * DAY, now - 3 * DAY);
    ca.stranger_client = client_leaf(ca.stranger_root, 0, 0);
    ca.stranger = leaf(ca.stranger_root, "a.test", NULL, 0, 0);
    ca.self_signed = leaf(NULL, "a.test", NULL, 0, 0);
}

static void save(const tlsock_cert *c, unsigned parts, char path[96],
                 const char *name)
{
    tlsock_error err = {0};

    snprintf(path, 96, "%s/%s", ca.dir, name);
    if (tlsock_cert_save(c, parts, TLSOCK_FORMAT_PEM, path, NULL, &err) != 0)
        fail_msg("test CA: %s", err.message);
}

static void save_files(void)
{
    const unsigned public_parts = TLSOCK_PART_CERT | TLSOCK_PART_CHAIN;

    strcpy(ca.dir, "/tmp/tlsock-test-XXXXXX");
    assert_non_null(mkdtemp(ca.dir));
    save(ca.root, TLSOCK_PART_CERT, ca.root_pem, "root.pem");
    save(ca.a, public_parts, ca.a_pem, "a.pem");
    save(ca.a, TLSOCK_PART_KEY, ca.a_key, "a.key");
    save(ca.b, public_parts, ca.b_pem, "b.pem");
    save(ca.b, TLSOCK_PART_KEY, ca.b_key, "b.key");
    save(ca.client, public_parts | TLSOCK_PART_KEY, ca.client_pem,
         "client.pem");
}

const struct test_ca *ca_get(void)
{
    if (built)
        return &ca;
    built = 1;
    ca.root = made(TLSOCK_CERT_OPTS(.subject = "CN=Test Root", .ca = 1,
                                    .pathlen = -1));
    ca.inter = made(TLSOCK_CERT_OPTS(.subject = "CN=Test Intermediate",
                                     .ca = 1, .issuer = ca.root));
    ca.stranger_root = made(TLSOCK_CERT_OPTS(.subject = "CN=Stranger Root",
                                             .ca = 1));
    make_leaves();
    save_files();
    return &ca;
}

void ca_free(void)
{
    tlsock_cert **certs[] = {
        &ca.root,    &ca.inter,   &ca.stranger_root,   &ca.a,
        &ca.b,       &ca.wild,    &ca.ip,              &ca.rsa,
        &ca.expired, &ca.not_yet, &ca.client,          &ca.stranger_client,
        &ca.stranger, &ca.self_signed, &ca.weak,      &ca.expired_client};
    const char *files[] = {ca.root_pem, ca.a_pem, ca.a_key,
                           ca.b_pem,    ca.b_key, ca.client_pem};

    for (size_t i = 0; i < COUNT(certs); i++) {
        tlsock_cert_unref(*certs[i]);
        *certs[i] = NULL;
    }
    for (size_t i = 0; i < COUNT(files); i++)
        if (files[i][0] != '\0')
            unlink(files[i]);
    if (ca.dir[0] != '\0')
        rmdir(ca.dir);
    memset(&ca, 0, sizeof(ca));
    built = 0;
}

int ca_setup(void **state)
{
    (void)state;
    ca_get();
    return 0;
}

int ca_setup_rsa(void **state)
{
    ca_setup(state);
    if (ca.rsa == NULL) {
        ca.rsa = leaf(ca.inter, "a.test", "rsa:2048", 0, 0);
        ca.weak = weak_leaf();
    }
    return 0;
}

int ca_teardown(void **state)
{
    (void)state;
    ca_free();
    return 0;
}

static void set_all(tlsock_config *c, const char *key, va_list ap)
{
    for (; key != NULL; key = va_arg(ap, const char *)) {
        const char *value = va_arg(ap, const char *);

        if (tlsock_config_set(c, key, value) != 0)
            fail_msg("%s", tlsock_config_error(c)->message);
    }
}

tlsock_config *ca_client(const char *key, ...)
{
    tlsock_config *c = tlsock_config_new();
    va_list ap;

    assert_non_null(c);
    if (tlsock_config_add_trust(c, ca_get()->root_pem) != 0)
        fail_msg("%s", tlsock_config_error(c)->message);
    va_start(ap, key);
    set_all(c, key, ap);
    va_end(ap);
    return c;
}

tlsock_config *ca_server(tlsock_cert *identity, const char *key, ...)
{
    tlsock_config *c = tlsock_config_new();
    va_list ap;

    assert_non_null(c);
    if (tlsock_config_add_cert(c, identity) != 0)
        fail_msg("%s", tlsock_config_error(c)->message);
    va_start(ap, key);
    set_all(c, key, ap);
    va_end(ap);
    return c;
}
