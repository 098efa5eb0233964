/* The name-matching exam's question, asked of the public API alone. */
#include "host_case.h"

#include <stddef.h>
#include <string.h>
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

    if (c == NULL)
        return -1;
    /* a scheme is one of the older rules; RFC 9525 is what counts without */
    if (strcmp(profile, "schemes") != 0)
        scheme = NULL;
    rc = tlsock_cert_matches(c, host, scheme, NULL);
    tlsock_cert_unref(c);
    return rc == 0;
}
