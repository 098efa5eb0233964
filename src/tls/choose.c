#include "tls/choose.h"

#include "cert/cert.h"
#include "core/mem.h"
#include "ossl/compat.h"
#include "ossl/queue.h"
#include "revoke/dp.h"
#include "tls/conn.h"
#include "tls/ctx_private.h"
#include "tls/hosts.h"
#include "tls/identity.h"
#include "tls/sign.h"
#include "tls/staple.h"

static const char *file_of(const struct tsk_identity *id)
{
    return id->cert_uri != NULL ? id->cert_uri : "in memory";
}

#define KINDS 8 /* libssl has a place for one key of each kind */

/* What the client can verify, asked once for all that there is to choose. */
struct wish {
    unsigned schemes[64];
    int n; /* 0: it did not say */
    int tls13;
};

static void read_wish(SSL *ssl, struct wish *w)
{
    int n = SSL_get_shared_sigalgs(ssl, 0, NULL, NULL, NULL, NULL, NULL);

    w->n = 0;
    w->tls13 = SSL_version(ssl) >= TLS1_3_VERSION;
    for (int i = 0; i < n && i < 64; i++) {
        unsigned char sig = 0, hash = 0;

        SSL_get_shared_sigalgs(ssl, i, NULL, NULL, NULL, &sig, &hash);
        w->schemes[w->n++] = (unsigned)hash << 8 | sig;
    }
}

static int fits(const struct wish *w, struct tsk_key_kind kind)
{
    for (int i = 0; i < w->n; i++)
        if (tsk_key_kind_signs(kind, w->schemes[i], w->tls13))
            return 1;
    return w->n == 0;
}

/* Which of a list to use: of each kind the first that the client can verify.
 * How many there are. */
static int pick(const struct tsk_settings *set, struct tsk_hosts_at list,
                const struct wish *w, size_t chosen[KINDS])
{
    int types[KINDS], n = 0;
    size_t i;

    while (n < KINDS && tsk_hosts_next(&list, &i)) {
        struct tsk_key_kind kind = tsk_identity_kind(&set->identities[i]);
        int have = 0;

        for (int k = 0; k < n; k++)
            have |= types[k] == kind.type;
        if (have || !fits(w, kind))
            continue;
        types[n] = kind.type;
        chosen[n++] = i;
    }
    return n;
}

/* A name that is there in full comes before "*"; but a client that can verify
 * none of its keys is better served with one that it can. */
static int pick_for(const struct tsk_ctx *c, const char *name,
                    const struct wish *w, size_t chosen[KINDS])
{
    static const struct wish any = {.n = 0};
    struct tsk_hosts_at exact = tsk_hosts_exact(c->hosts, name);
    struct tsk_hosts_at wild = tsk_hosts_wild(c->hosts, name);
    int n = pick(c->set, exact, w, chosen);

    if (n == 0)
        n = pick(c->set, wild, w, chosen);
    if (n == 0 && (exact.link != 0 || wild.link != 0)) /* libssl says no */
        n = pick(c->set, exact.link != 0 ? exact : wild, &any, chosen);
    return n;
}

static int use(SSL *ssl, const struct tsk_settings *set, const size_t *chosen,
               int n)
{
    tlsock *s = tsk_conn_of(ssl);

    SSL_certs_clear(ssl);
    for (int i = 0; i < n; i++) {
        const tlsock_cert *cert =
            tsk_identity_cert(&set->identities[chosen[i]], tsk_err(s));

        if (cert == NULL)
            return 0;
        if (tsk_server_use(ssl, cert))
            continue;
        tsk_fail_ossl(tsk_err(s), TLSOCK_E_OWN_FILE,
                      "cannot use certificate %s",
                      file_of(&set->identities[chosen[i]]));
        return 0;
    }
    return 1;
}

/* What the SSL_CTX has anyway? */
static int is_default(const struct tsk_ctx *c, const char *name)
{
    uint32_t def = tsk_hosts_default(c->hosts).link, link;

    if (name == NULL)
        return 1;
    link = tsk_hosts_exact(c->hosts, name).link;
    if (link == 0)
        link = tsk_hosts_wild(c->hosts, name).link;
    else if (link == def) /* is it better served by another's "*"? */
        return tsk_hosts_wild(c->hosts, name).link == 0;
    return link == 0 || link == def;
}

/* libssl's callback, before it makes its own choice among what is there. */
static int choose(SSL *ssl, void *arg)
{
    const struct tsk_ctx *c = arg;
    size_t chosen[KINDS];
    const char *name;
    struct wish w;
    int n;

    if (!SSL_is_server(ssl))
        return tsk_client_cert(ssl);
    if (c->hosts == NULL || tsk_conn_of(ssl)->hello.chosen != NULL)
        return 1;
    name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (c->default_is_whole && is_default(c, name))
        return 1;
    read_wish(ssl, &w);
    n = name != NULL ? pick_for(c, name, &w, chosen) : 0;
    if (n == 0)
        n = pick(c->set, tsk_hosts_default(c->hosts), &w, chosen);
    return n == 0 || use(ssl, c->set, chosen, n); /* else as SSL_CTX has it */
}

static int is_it(const struct tsk_ctx *c, struct tsk_hosts_at list,
                 const X509 *leaf, size_t *i)
{
    const tlsock_cert *cert;

    while (tsk_hosts_next(&list, i)) {
        cert = tsk_identity_known(&c->set->identities[*i]);
        if (cert != NULL && cert->leaf == leaf)
            return 1;
    }
    return 0;
}

size_t tsk_choose_which(const struct tsk_ctx *c, SSL *ssl, const X509 *leaf)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    size_t i;

    if (c->hosts == NULL && c->set->n_identities == 1) {
        const tlsock_cert *only = tsk_identity_known(&c->set->identities[0]);

        return only != NULL && only->leaf == leaf ? 0 : SIZE_MAX;
    }
    if (c->hosts == NULL)
        return SIZE_MAX;
    if ((name != NULL &&
         (is_it(c, tsk_hosts_exact(c->hosts, name), leaf, &i) ||
          is_it(c, tsk_hosts_wild(c->hosts, name), leaf, &i))) ||
        is_it(c, tsk_hosts_default(c->hosts), leaf, &i))
        return i;
    return SIZE_MAX;
}

/* There was one when the identity was added. */
static int no_hook(const struct tsk_identity *id, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_OWN_FILE,
             "certificate %s has no key, and the hook for TLSOCK_ON_SIGN is "
             "gone",
             file_of(id));
    tsk_hint(err, "set the hook again, or add the identity with its key");
    return TLSOCK_E_OWN_FILE;
}

/* There is somebody to fetch a staple from, or that cannot be told. */
static int gets_staples(const struct tsk_ctx *c, X509 *leaf)
{
    char url[TSK_URL_MAX];

    return c->set->staple && tsk_ocsp_url(leaf, 0, url, sizeof(url)) != 0;
}

/* Into the SSL_CTX, for connections that nothing else is chosen for. */
static int set_default(struct tsk_ctx *c, size_t i, int *stapled,
                       tlsock_error *err)
{
    const struct tsk_identity *id = &c->set->identities[i];
    tlsock_cert *cert = tsk_identity_cert(id, err);
    EVP_PKEY *key;

    if (cert == NULL)
        return err != NULL ? err->code : TLSOCK_E_OWN_FILE;
    if (cert->key == NULL && c->set->on[TLSOCK_ON_SIGN].call == NULL)
        return no_hook(id, err);
    key = tsk_sign_key(cert);
    if (key == NULL ||
        !SSL_CTX_use_cert_and_key(c->ssl, cert->leaf, key, cert->chain, 1))
        return tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                             "cannot use certificate %s", file_of(id));
    *stapled |= gets_staples(c, cert->leaf);
    return TLSOCK_OK;
}

static int set_defaults(struct tsk_ctx *c, int *stapled, tlsock_error *err)
{
    static const struct wish any = {.n = 0};
    struct tsk_hosts_at list;
    size_t chosen[KINDS];
    int rc, n;

    if (c->set->n_identities == 1)
        return set_default(c, 0, stapled, err);
    rc = tsk_hosts_new(c->set, &c->hosts, err);
    if (rc < 0)
        return rc;
    list = tsk_hosts_default(c->hosts);
    n = pick(c->set, list, &any, chosen);
    for (int i = 0; i < n && rc == TLSOCK_OK; i++)
        rc = set_default(c, chosen[i], stapled, err);
    c->default_is_whole = tsk_hosts_count(list) == (size_t)n;
    return rc;
}

int tsk_choose_setup(struct tsk_ctx *c, tlsock_error *err)
{
    int stapled = 0, rc = TLSOCK_OK;

    if (c->set->n_identities != 0)
        rc = set_defaults(c, &stapled, err);
    if (rc < 0)
        return rc;
    SSL_CTX_set_cert_cb(c->ssl, choose, c);
    if (c->set->n_identities != 0 && !stapled)
        tsk_compat_compress_certs(c->ssl); /* which leaves staples out */
    if (!c->set->staple || c->set->n_identities == 0)
        return TLSOCK_OK;
    c->staples = tsk_staples_new(c->set->n_identities);
    return c->staples != NULL ? TLSOCK_OK : tsk_fail_nomem(err);
}
