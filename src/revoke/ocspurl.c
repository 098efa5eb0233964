#include "revoke/ocspask.h"

#include <openssl/evp.h>
#include <string.h>

/* Base64 has three characters that a path would understand otherwise. */
static const char *escaped(char c)
{
    return c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : NULL;
}

int tsk_ocsp_get_url(const char *base, const struct tsk_buf *der, char *out,
                     size_t size)
{
    unsigned char text[TSK_OCSP_GET_MAX + 4];
    size_t at = strlen(base);
    int n;

    if (size > TSK_OCSP_GET_MAX)
        size = TSK_OCSP_GET_MAX;
    if (der->len > TSK_OCSP_GET_MAX / 4 * 3 || at == 0 || at + 2 > size ||
        strpbrk(base, "?#") != NULL)
        return 0;
    n = EVP_EncodeBlock(text, tsk_buf_at(der), (int)der->len);
    memcpy(out, base, at);
    if (base[at - 1] != '/')
        out[at++] = '/';
    for (int i = 0; i < n; i++) {
        const char *code = escaped((char)text[i]);
        size_t len = code != NULL ? 3 : 1;

        if (at + len >= size)
            return 0;
        memcpy(out + at, code != NULL ? code : (const char *)text + i, len);
        at += len;
    }
    out[at] = '\0';
    return 1;
}
