#include "certfield.h"

#include "out.h"

#include <errno.h>

/* malloc() says it so, and nobody takes it back. */
static void judge(int before)
{
    if (errno == ENOMEM)
        out_lack();
    errno = before;
}

const char *certfield(const tlsock_cert *c, int item)
{
    int before = errno;
    const char *text;

    errno = 0;
    text = tlsock_cert_field(c, item);
    judge(before);
    return text;
}

tlsock_cert *certfield_chain(const tlsock_cert *c, int i)
{
    int before = errno;
    tlsock_cert *at;

    errno = 0;
    at = tlsock_cert_chain_at(c, i);
    judge(before);
    return at;
}

int certfield_json(const tlsock_cert *c, char *text, size_t size)
{
    int before = errno, rc;

    errno = 0;
    rc = tlsock_cert_json(c, text, size);
    judge(before);
    return rc;
}
