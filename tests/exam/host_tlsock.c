/* The name-matching exam's question, asked of the public API alone. */
#include "host_case.h"

#include <stddef.h>
#include <tlsock.h>
#include <tlsock/cert.h>

const char *host_verifier_name(void)
{
    return "tlsock";
}

int host_verify(const unsigned char *der, size_t len, const char *host,
                const char *scheme, const char *profile)
{
    tlsock_cert *c = tlsock_cert_parse(der, len, NULL, NULL);
    int rc;

    (void)profile;
    if (c == NULL)
        return -1;
    rc = tlsock_cert_matches(c, host, scheme, NULL);
    tlsock_cert_unref(c);
    return rc == 0;
}
