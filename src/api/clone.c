/* Copies of seen certificates. */
#include "cert/clone.h"

tlsock_cert *tlsock_cert_clone(const tlsock_cert *seen, const tlsock_cert *ca,
                               tlsock_error *err)
{
    tsk_clear(err);
    if (seen == NULL || ca == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "%s",
                 seen == NULL ? "there is no certificate to clone"
                              : "there is no CA to sign the clone");
        tsk_hint(err, "give the certificate that was seen, and a CA with its "
                      "key");
        return NULL;
    }
    return tsk_cert_clone(seen, ca, 0, err);
}
