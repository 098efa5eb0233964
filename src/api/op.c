#include "cert/cert.h"
#include "ossl/queue.h"
#include "tls/hello.h"
#include "tls/op.h"

#include <errno.h>

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
