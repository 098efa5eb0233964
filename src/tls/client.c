/* The client's side of client certificates: which of ours answers what the
 * server asks for (RFC 8446, 4.4.2.3; RFC 5246, 7.4.6). */
#include "cert/cert.h"
#include "core/str.h"
#include "tls/conn.h"
#include "tls/ctx_private.h"
#include "tls/identity.h"

#include <string.h>

static int key_fits(SSL *ssl, const struct tsk_identity *id)
{
    struct tsk_key_kind kind = tsk_identity_kind(id);
    int tls13 = SSL_version(ssl) >= TLS1_3_VERSION;
    int n = SSL_get_shared_sigalgs(ssl, 0, NULL, NULL, NULL, NULL, NULL);

    for (int i = 0; i < n; i++) {
        unsigned char sig = 0, hash = 0;

        SSL_get_shared_sigalgs(ssl, i, NULL, NULL, NULL, &sig, &hash);
        if (tsk_key_kind_signs(kind, (unsigned)hash << 8 | sig, tls13))
            return 1;
    }
    return 0;
}

static int in_list(const STACK_OF(X509_NAME) * names, const X509_NAME *name)
{
    for (int i = 0; i < sk_X509_NAME_num(names); i++)
        if (X509_NAME_cmp(sk_X509_NAME_value(names, i), name) == 0)
            return 1;
    return 0;
}

/* One of its chain is issued by one of them; an empty list asks for none. */
static int issuer_fits(const STACK_OF(X509_NAME) * names, X509 *leaf,
                       const STACK_OF(X509) * chain)
{
    int found = sk_X509_NAME_num(names) <= 0 ||
                in_list(names, X509_get_issuer_name(leaf));

    for (int i = 0; i < sk_X509_num(chain) && !found; i++)
        found = in_list(names, X509_get_issuer_name(sk_X509_value(chain, i)));
    return found;
}

/* With one identity there is nothing to choose: it was configured to be shown,
 * and lists of CAs are not always complete. Of several only one that is asked
 * for is shown: the others are nobody's business. */
int tsk_client_cert(SSL *ssl)
{
    tlsock *s = tsk_conn_of(ssl);
    const struct tsk_settings *set = s->set;
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);

    s->cert_requested = 1;
    s->cert_unfit =
        set->n_identities == 1 && !key_fits(ssl, &set->identities[0]);
    if (set->n_identities < 2)
        return 1;
    SSL_certs_clear(ssl);
    for (size_t i = 0; i < set->n_identities; i++) {
        const struct tsk_identity *id = &set->identities[i];
        const tlsock_cert *cert =
            key_fits(ssl, id) ? tsk_identity_cert(id, tsk_err(s)) : NULL;

        if (cert != NULL && issuer_fits(names, cert->leaf, cert->chain))
            return tsk_server_use(ssl, cert);
    }
    s->cert_unfit = 1;
    return 1;
}

/* "CN=Test Root", or its last RDN if it has no CN. */
static void short_ca(const X509_NAME *name, char *out, size_t size)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1), len;
    const X509_NAME_ENTRY *e;
    unsigned char *utf8 = NULL;
    char text[80];

    if (at < 0)
        at = X509_NAME_entry_count(name) - 1;
    e = X509_NAME_get_entry(name, at);
    len = e != NULL ? ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(e))
                    : -1;
    tsk_printable(text, sizeof(text), len > 0 ? (const char *)utf8 : "",
                  len > 0 ? (size_t)len : 0);
    snprintf(out, size, "%s=%s",
             e != NULL ? OBJ_nid2sn(OBJ_obj2nid(X509_NAME_ENTRY_get_object(e)))
                       : "?",
             text);
    OPENSSL_free(utf8);
}

void tsk_client_cas(const tlsock *s, char *out, size_t size)
{
    const STACK_OF(X509_NAME) *names = NULL;
    char one[96];
    size_t pos = 0;

    if (s->ssl != NULL && (s->server || s->cert_requested))
        names = s->server ? SSL_get0_CA_list(s->ssl)
                          : SSL_get0_peer_CA_list(s->ssl);
    out[0] = '\0';
    for (int i = 0; i < sk_X509_NAME_num(names); i++) {
        short_ca(sk_X509_NAME_value(names, i), one, sizeof(one));
        if (pos + strlen(one) + 8 > size) {
            tsk_append(out, size, &pos, ", ...");
            return;
        }
        tsk_append(out, size, &pos, "%s%s", i > 0 ? ", " : "", one);
    }
}

int tsk_client_listed(const tlsock *s)
{
    X509 *ours = SSL_get_certificate(s->ssl);
    STACK_OF(X509) *chain = NULL;

    SSL_get0_chain_certs(s->ssl, &chain);
    return ours != NULL &&
           issuer_fits(SSL_get0_peer_CA_list(s->ssl), ours, chain);
}
