#include "certfield.h"

#include "out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* malloc() says it so, and nobody takes it back, here neither. */
static void judge(int before)
{
    if (errno == ENOMEM)
        out_lack();
    else
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

const char *certfield_text(const tlsock_cert *c, int item)
{
    const char *text = certfield(c, item);

    return text != NULL ? text : "";
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

const char *certfield_csr(const tlsock_csr *r, int item)
{
    const char *text = tlsock_csr_field(r, item);

    if (text == NULL)
        out_lack();
    return text != NULL ? text : "";
}

char *certfield_pem(char *before, const tlsock_cert *c, unsigned parts)
{
    size_t used = before != NULL ? strlen(before) : 0;
    int len = tlsock_cert_pem(c, parts, NULL, 0);
    char *text = len > 0 ? realloc(before, used + (size_t)len + 1) : NULL;

    if (text != NULL &&
        tlsock_cert_pem(c, parts, text + used, (size_t)len + 1) == len)
        return text;
    free(text != NULL ? text : before);
    return NULL;
}
