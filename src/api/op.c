#include "cert/cert.h"
#include "ossl/queue.h"
#include "tls/hello.h"
#include "tls/op.h"

#include <errno.h>
#include <string.h>

int tlsock_op_done(struct tlsock_op *op, int code, const void *data, size_t len)
{
    int saved = errno, rc = tsk_op_answer(op, code, data, len);

    errno = saved;
    return rc;
}

/* Nothing is recorded: another thread may have the connection. */
int tlsock_use_cert(tlsock *s, tlsock_cert *cert)
{
    int saved = errno, fits;

    if (s == NULL || cert == NULL)
        return TLSOCK_E_ARGUMENT;
    if (cert->key == NULL && s->set->on[TLSOCK_ON_SIGN].call == NULL)
        return TLSOCK_E_OWN_FILE;
    tsk_ossl_enter();
    fits = cert->key == NULL || X509_check_private_key(cert->leaf, cert->key) == 1;
    tsk_ossl_leave();
    errno = saved;
    return fits ? tsk_hello_choose(s, cert) : TLSOCK_E_KEY_MISMATCH;
}

int tlsock_use_alpn(tlsock *s, const char *protocol)
{
    int saved = errno, rc;

    if (s == NULL || protocol == NULL || strlen(protocol) > 255)
        return TLSOCK_E_ARGUMENT;
    rc = tsk_hello_use_alpn(s, protocol);
    errno = saved;
    return rc;
}

int tlsock_use_version(tlsock *s, const char *versions)
{
    static const struct {
        const char *text;
        int min, max;
    } known[] = {{"1.2", TLS1_2_VERSION, TLS1_2_VERSION},
                 {"1.3", TLS1_3_VERSION, TLS1_3_VERSION},
                 {"1.2-1.3", TLS1_2_VERSION, TLS1_3_VERSION}};
    int saved = errno, rc = TLSOCK_E_ARGUMENT;

    if (s == NULL || versions == NULL)
        return rc;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(versions, known[i].text) == 0)
            rc = tsk_hello_use_version(s, known[i].min, known[i].max);
    errno = saved;
    return rc;
}

int tlsock_use_client_auth(tlsock *s, const char *how)
{
    int saved = errno, rc = TLSOCK_E_ARGUMENT;

    if (s == NULL || how == NULL)
        return rc;
    if (strcmp(how, "none") == 0)
        rc = tsk_hello_use_client(s, TSK_CLIENT_NONE);
    else if (strcmp(how, "ask") == 0)
        rc = tsk_hello_use_client(s, TSK_CLIENT_ASK);
    errno = saved;
    return rc;
}
