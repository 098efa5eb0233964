#include "cert/cert.h"
#include "core/str.h"
#include "tls/conn.h"
#include "tls/ctx_private.h"
#include "tls/sign.h"

#include <openssl/x509v3.h>
#include <string.h>

#define HOST_FLAGS                                                             \
    (X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)

/* "*.example.com" covers one label, as in certificates. */
static int host_covers(const char *pattern, const char *name)
{
    const char *dot;

    if (pattern[0] != '*')
        return tsk_casecmp(pattern, name) == 0;
    dot = strchr(name, '.');
    return dot != NULL && dot != name && tsk_casecmp(pattern + 1, dot) == 0;
}

static int serves(const struct tsk_identity *id, const char *name)
{
    if (id->host != NULL)
        return id->host[0] != '\0' && host_covers(id->host, name);
    return X509_check_host(id->cert->leaf, name, strlen(name), HOST_FLAGS,
                           NULL) == 1;
}

int tsk_server_same_names(const struct tsk_identity *ids, size_t i)
{
    char a[512], b[512];

    if (EVP_PKEY_get_base_id(X509_get0_pubkey(ids[0].cert->leaf)) ==
        EVP_PKEY_get_base_id(X509_get0_pubkey(ids[i].cert->leaf)))
        return 0;
    if (ids[0].host != NULL || ids[i].host != NULL)
        return ids[0].host != NULL && ids[i].host != NULL &&
               tsk_casecmp(ids[0].host, ids[i].host) == 0;
    tsk_cert_sans_text(ids[0].cert->leaf, a, sizeof(a));
    tsk_cert_sans_text(ids[i].cert->leaf, b, sizeof(b));
    return strcmp(a, b) == 0;
}

int tsk_server_use(SSL *ssl, const tlsock_cert *id)
{
    EVP_PKEY *key = tsk_sign_key(id);

    return key != NULL &&
           SSL_use_cert_and_key(ssl, id->leaf, key, id->chain, 1);
}

/* The default: the host "" if there is one; else the SSL_CTX's first. */
static int use_default(SSL *ssl, const struct tsk_settings *set)
{
    int found = 0;

    for (size_t i = 0; i < set->n_identities; i++) {
        const struct tsk_identity *id = &set->identities[i];

        if (id->host == NULL || id->host[0] != '\0')
            continue;
        if (!found)
            SSL_certs_clear(ssl);
        found = 1;
        if (!tsk_server_use(ssl, id->cert))
            return 0;
    }
    return 1;
}

int tsk_server_cert(SSL *ssl, void *arg)
{
    const struct tsk_ctx *c = arg;
    const struct tsk_settings *set = c->set;
    const char *name;
    int found = 0;

    if (!SSL_is_server(ssl)) { /* the server has asked for ours */
        tsk_conn_of(ssl)->cert_requested = 1;
        return 1;
    }
    if (set->n_identities < 2 || tsk_conn_of(ssl)->hello.chosen != NULL)
        return 1;
    name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    for (size_t i = 0; name != NULL && i < set->n_identities; i++) {
        if (!serves(&set->identities[i], name))
            continue;
        if (!found)
            SSL_certs_clear(ssl);
        found = 1;
        if (!tsk_server_use(ssl, set->identities[i].cert))
            return 0;
    }
    return found ? 1 : use_default(ssl, set);
}

/* Our order decides (RFC 7301, 3.2). */
int tsk_server_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
                    const unsigned char *in, unsigned int inlen, void *arg)
{
    const struct tsk_settings *set = tsk_conn_of(ssl)->set;
    unsigned char *chosen;

    (void)arg;
    if (set->alpn == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    if (SSL_select_next_proto(&chosen, outlen, set->alpn,
                              (unsigned int)set->alpn_len, in,
                              inlen) == OPENSSL_NPN_NEGOTIATED) {
        *out = chosen;
        return SSL_TLSEXT_ERR_OK;
    }
    return set->alpn_required ? SSL_TLSEXT_ERR_ALERT_FATAL
                              : SSL_TLSEXT_ERR_NOACK;
}
