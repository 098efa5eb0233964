/* Subjects of CAs: a hash made from the DER alone against OpenSSL's word on
 * which names are the same. Input: the DER of a name. */
#include "verify/index_private.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* With one byte changed: the same name to OpenSSL is the same to us. */
static void compare(X509_NAME *name, const uint8_t *data, size_t size,
                    uint32_t hash, size_t at, uint8_t flip)
{
    uint8_t *copy = malloc(size);
    const unsigned char *p = copy;
    X509_NAME *other;
    uint32_t h;

    if (copy == NULL)
        return;
    memcpy(copy, data, size);
    copy[at] ^= flip;
    other = d2i_X509_NAME(NULL, &p, (long)size);
    if (other != NULL && X509_NAME_cmp(name, other) == 0 &&
        tsk_index_name_hash(copy, (long)size, &h) && h != hash)
        abort();
    X509_NAME_free(other);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const unsigned char *p = data, *der;
    uint32_t hash, again;
    X509_NAME *name;
    size_t len;

    if (size > 4096 || !tsk_index_name_hash(data, (long)size, &hash))
        return 0;
    name = d2i_X509_NAME(NULL, &p, (long)size);
    if (name == NULL)
        return 0;
    /* what is asked for is OpenSSL's encoding of it */
    if (X509_NAME_get0_der(name, &der, &len) &&
        tsk_index_name_hash(der, (long)len, &again) && again != hash)
        abort();
    for (size_t at = 0; at < size && at < 256; at++) {
        compare(name, data, size, hash, at, 0x20); /* the case of a letter */
        compare(name, data, size, hash, at, 0x08); /* UTF-8, and the like */
        compare(name, data, size, hash, at, 0x29); /* blanks of both kinds */
    }
    X509_NAME_free(name);
    return 0;
}
