#include "cert_help.h"

#include <dirent.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static tlsock_cert *root, *inter, *leaf, *alone;

const char *help_dir(void)
{
    if (dir[0] == '\0') {
        strcpy(dir, "/tmp/tlsock-cert-XXXXXX");
        assert_non_null(mkdtemp(dir));
    }
    return dir;
}

const char *help_path(const char *name)
{
    static char ring[8][512];
    static unsigned turn;
    char *path = ring[turn++ % COUNT(ring)];

    snprintf(path, sizeof(ring[0]), "%s/%s", help_dir(), name);
    return path;
}

const char *help_write(const char *name, const void *data, size_t len)
{
    const char *path = help_path(name);
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    return path;
}

const char *help_text(const char *name, const char *text)
{
    return help_write(name, text, strlen(text));
}

char *help_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *data = malloc(65537);

    assert_non_null(f);
    assert_non_null(data);
    *len = fread(data, 1, 65536, f);
    data[*len] = '\0';
    fclose(f);
    return data;
}

int help_strangers(void)
{
    DIR *d = opendir(help_dir());
    struct dirent *e;
    int n = 0;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
             strncmp(e->d_name, "known", 5) != 0;
    closedir(d);
    return n;
}

void help_end(void)
{
    tlsock_cert **all[] = {&root, &inter, &leaf, &alone};
    DIR *d = dir[0] != '\0' ? opendir(dir) : NULL;
    struct dirent *e;

    for (size_t i = 0; i < COUNT(all); i++) {
        tlsock_cert_unref(*all[i]);
        *all[i] = NULL;
    }
    while (d != NULL && (e = readdir(d)) != NULL)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            unlink(help_path(e->d_name)) != 0)
            rmdir(help_path(e->d_name));
    if (d != NULL) {
        closedir(d);
        rmdir(dir);
    }
    dir[0] = '\0';
}

tlsock_cert *help_make(const tlsock_cert_opts *o)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_create(o, &err);

    if (c == NULL)
        fail_msg("not made: %s", err.message);
    return c;
}

tlsock_cert *help_root(void)
{
    if (root == NULL)
        root = help_make(TLSOCK_CERT_OPTS(.subject = "CN=Help Root", .ca = 1,
                                          .pathlen = -1));
    return root;
}

tlsock_cert *help_inter(void)
{
    if (inter == NULL)
        inter = help_make(TLSOCK_CERT_OPTS(.subject = "CN=Help Inter", .ca = 1,
                                           .issuer = help_root()));
    return inter;
}

tlsock_cert *help_leaf(void)
{
    const char *names[] = {"a.test"};

    if (leaf == NULL)
        leaf = help_make(TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1,
                                          .issuer = help_inter()));
    return leaf;
}

tlsock_cert *help_alone(void)
{
    const char *names[] = {"a.test"};

    if (alone == NULL)
        alone = help_make(TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1));
    return alone;
}

int help_verdict(const tlsock_cert *c, const tlsock_cert *trust)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int verdict;

    assert_non_null(store);
    assert_non_null(ctx);
    assert_int_equal(X509_STORE_add_cert(store, trust->leaf), 1);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, c->leaf, c->chain), 1);
    X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT);
    verdict = X509_verify_cert(ctx) == 1 ? X509_V_OK
                                         : X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return verdict;
}

char *help_pem(const tlsock_cert *c, unsigned parts)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, *text;
    long n;

    assert_non_null(bio);
    if (parts & TLSOCK_PART_CERT)
        assert_int_equal(PEM_write_bio_X509(bio, c->leaf), 1);
    for (int i = 0; (parts & TLSOCK_PART_CHAIN) && i < sk_X509_num(c->chain);
         i++)
        assert_int_equal(PEM_write_bio_X509(bio, sk_X509_value(c->chain, i)),
                         1);
    if (parts & TLSOCK_PART_KEY)
        assert_int_equal(PEM_write_bio_PrivateKey(bio, c->key, NULL, NULL, 0,
                                                  NULL, NULL), 1);
    n = BIO_get_mem_data(bio, &data);
    text = calloc(1, (size_t)n + 1);
    assert_non_null(text);
    memcpy(text, data, (size_t)n);
    BIO_free(bio);
    return text;
}
