/* The certificates that a config is given, and the hosts they are for. */
#include "api/config_box.h"
#include "api/hostset.h"
#include "cert/cert.h"
#include "core/clock.h"
#include "core/mem.h"
#include "net/addr.h"
#include "tls/lazy.h"
#include "tls/password.h"

#include <stdio.h>
#include <string.h>

size_t tsk_identities_at_once = 100;

static int copy_optional(char **to, const char *from)
{
    if (from == NULL)
        return 1;
    *to = tsk_strdup(from);
    return *to != NULL;
}

static void forget(struct tsk_identity *id)
{
    tsk_free(id->host);
    tsk_free_text(id->cert_uri); /* a key may be in them as text */
    tsk_free_text(id->key_uri);
    tsk_free(id->pass_uri);
    tlsock_cert_unref(id->cert);
    tsk_lazy_unref(id->lazy);
}

/* Ten thousand may come, one after the other. */
static int room(struct tsk_settings *set, tlsock_error *err)
{
    size_t cap = set->cap_identities;
    struct tsk_identity *more;

    if (set->n_identities < cap)
        return TLSOCK_OK;
    cap = cap < 4 ? 4 : cap + cap / 2;
    more = tsk_realloc(set->identities, cap * sizeof(*more));
    if (more == NULL)
        return tsk_fail_nomem(err);
    set->identities = more;
    set->cap_identities = cap;
    return TLSOCK_OK;
}

/* A-labels, as clients send them; "" and a leading "*." stay. */
int tsk_settings_host_name(char out[256], const char *host, tlsock_error *err)
{
    int wild = strncmp(host, "*.", 2) == 0, rc;
    char rest[256];

    out[0] = '\0';
    if (*host == '\0')
        return TLSOCK_OK;
    rc = tsk_host_normalise(rest, host + 2 * wild, err);
    if (rc < 0) {
        tsk_hint(err, "a host is named as clients ask for it: "
                      "\"www.example.com\", \"*.example.com\"; \"\" is the "
                      "default host");
        return rc;
    }
    snprintf(out, 256, "%s%.253s", wild ? "*." : "", rest);
    return TLSOCK_OK;
}

/* Takes over cert and lazy if it succeeds. */
static int add_identity(struct tsk_settings *set, const char *host,
                        const char *const uris[3], tlsock_cert *cert,
                        struct tsk_lazy *lazy, tlsock_error *err)
{
    struct tsk_identity id = {.host = NULL};

    if (room(set, err) < 0)
        return TLSOCK_E_NOMEM;
    if (!copy_optional(&id.host, host) ||
        !copy_optional(&id.cert_uri, uris[0]) ||
        !copy_optional(&id.key_uri, uris[1]) ||
        !copy_optional(&id.pass_uri, uris[2])) {
        forget(&id);
        return tsk_fail_nomem(err);
    }
    id.cert = cert;
    id.lazy = lazy;
    set->identities[set->n_identities++] = id;
    return TLSOCK_OK;
}

/* The first ones are decoded at once; with many hosts most are never asked
 * for, and wait. 1: done, 0: it is for the decoder, or a code. */
static int add_lazy(struct tsk_settings *set, const char *host,
                    const char *const uris[3], tlsock_error *err)
{
    const struct tsk_lazy *like = NULL;
    struct tsk_lazy *lazy;
    int rc;

    if (set->n_identities < tsk_identities_at_once)
        return 0;
    for (size_t i = set->n_identities; i > 0 && like == NULL; i--)
        like = set->identities[i - 1].lazy;
    if (!tsk_lazy_load(uris[0], uris[1], like, &lazy))
        return 0;
    rc = add_identity(set, host, uris, NULL, lazy, err);
    if (rc == TLSOCK_OK)
        return 1;
    tsk_lazy_unref(lazy);
    return rc;
}

static int add_decoded(struct tsk_settings *set, const char *host,
                       const char *const uris[3], tlsock_error *err)
{
    struct tsk_asker asker;
    tlsock_cert *cert;
    char name[200];
    int rc;

    cert = tsk_cert_load_asking(uris[0], uris[1], uris[2],
                                tsk_password_asker(&asker, set), err);
    if (cert == NULL)
        return err->code;
    rc = tsk_cert_prove(cert,
                        tsk_settings_file_name(uris[0], name, sizeof(name)),
                        tsk_settings_prove(set, 0), tsk_wall_time(), err);
    if (rc == TLSOCK_OK)
        rc = add_identity(set, host, uris, cert, NULL, err);
    if (rc < 0)
        tlsock_cert_unref(cert);
    return rc;
}

static int no_cert(const char *what, tlsock_error *err)
{
    return tsk_fail(err, TLSOCK_E_ARGUMENT, "%s is NULL or empty", what);
}

/* Whether it has names is only a server's question: asked at its first use. */
int tsk_settings_identity(struct tsk_settings *set, const char *host,
                          const char *cert_uri, const char *key_uri,
                          const char *pass_uri, tlsock_error *err)
{
    const char *const uris[3] = {cert_uri, key_uri, pass_uri};
    tlsock_error why = {0};
    char name[256];
    int rc;

    if (cert_uri == NULL || *cert_uri == '\0')
        return no_cert("the certificate's URI", err);
    if (err == NULL)
        err = &why;
    if (host != NULL) {
        rc = tsk_settings_host_name(name, host, err);
        if (rc < 0)
            return rc;
        host = name;
    }
    rc = add_lazy(set, host, uris, err);
    if (rc == 0)
        rc = add_decoded(set, host, uris, err);
    return rc < 0 ? rc : TLSOCK_OK;
}

/* What its files hold now; those that were decoded at once still are. */
int tsk_identity_reread(struct tsk_identity *id, const struct tsk_settings *set,
                        const struct tsk_lazy *like, tlsock_error *err)
{
    struct tsk_lazy *lazy = NULL;
    tlsock_cert *cert = NULL;
    struct tsk_asker asker;

    if (id->cert_uri == NULL)
        return TLSOCK_OK; /* in memory */
    if (id->lazy == NULL ||
        !tsk_lazy_load(id->cert_uri, id->key_uri, like, &lazy)) {
        cert = tsk_cert_load_asking(id->cert_uri, id->key_uri, id->pass_uri,
                                    tsk_password_asker(&asker, set), err);
        if (cert == NULL)
            return err->code;
    }
    if (lazy != NULL && tsk_lazy_same(lazy, id->lazy)) {
        tsk_lazy_unref(lazy); /* what was decoded of it stays so */
        return TLSOCK_OK;
    }
    tlsock_cert_unref(id->cert);
    tsk_lazy_unref(id->lazy);
    id->cert = cert;
    id->lazy = lazy;
    return TLSOCK_OK;
}

struct identity_args {
    const char *host, *cert_uri, *key_uri, *pass_uri;
};

static int change_identity(struct tsk_settings *set, void *arg,
                           tlsock_error *err)
{
    const struct identity_args *a = arg;

    return tsk_settings_identity(set, a->host, a->cert_uri, a->key_uri,
                                 a->pass_uri, err);
}

static int identity(tlsock_config *c, const char *host, const char *cert_uri,
                    const char *key_uri, const char *pass_uri)
{
    struct identity_args args = {host, cert_uri, key_uri, pass_uri};
    int rc = tsk_config_begin(c);

    if (rc < 0)
        return rc;
    if (c->box->set.on[TLSOCK_ON_PASSWORD].call != NULL) {
        tsk_config_end(c, rc);
        return tsk_config_change(c, change_identity, &args);
    }
    return tsk_config_end(c, tsk_settings_identity(&c->box->set, host, cert_uri,
                                                   key_uri, pass_uri, &c->err));
}

int tlsock_config_add_identity(tlsock_config *c, const char *cert_uri,
                               const char *key_uri, const char *pass_uri)
{
    return identity(c, NULL, cert_uri, key_uri, pass_uri);
}

int tlsock_config_add_identity_for(tlsock_config *c, const char *host,
                                   const char *cert_uri, const char *key_uri,
                                   const char *pass_uri)
{
    int rc;

    if (host != NULL)
        return identity(c, host, cert_uri, key_uri, pass_uri);
    rc = tsk_config_begin(c);
    if (rc < 0)
        return rc;
    tsk_fail(&c->err, TLSOCK_E_ARGUMENT, "the host is NULL");
    tsk_hint(&c->err, "\"\" is the default host");
    return tsk_config_end(c, TLSOCK_E_ARGUMENT);
}

int tlsock_config_add_cert(tlsock_config *c, tlsock_cert *cert)
{
    static const char *const no_uris[3];
    int rc = tsk_config_begin(c);

    if (rc < 0)
        return rc;
    if (cert == NULL)
        return tsk_config_end(c, no_cert("the certificate", &c->err));
    rc = tsk_cert_prove(cert, tsk_settings_file_name(NULL, NULL, 0),
                        tsk_settings_prove(&c->box->set, 0), tsk_wall_time(),
                        &c->err);
    if (rc == TLSOCK_OK)
        rc = add_identity(&c->box->set, NULL, no_uris, cert, NULL, &c->err);
    if (rc == TLSOCK_OK)
        tlsock_cert_ref(cert);
    return tsk_config_end(c, rc);
}
