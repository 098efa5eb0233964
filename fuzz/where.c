/* Where a certificate says that more is to be found: the first byte chooses the
 * extension, the rest is its value. What comes out is a short line of plain
 * ASCII that begins with http://, and there is an end to it. */
#include "core/str.h"
#include "revoke/ocspask.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int lookup(X509 *cert, int i, char *out, size_t size);

static void check(const char *url)
{
    static const uint8_t request[66];
    struct tsk_buf der = {.data = (uint8_t *)request, .len = sizeof(request)};
    char get[TSK_OCSP_GET_MAX];

    if (tsk_casencmp(url, "http://", 7) != 0 || url[7] == '\0')
        abort();
    for (; *url != '\0'; url++)
        if (*url <= ' ' || *url > '~')
            abort();
    if (tsk_ocsp_get_url(url, &der, get, sizeof(get)) &&
        strlen(get) >= TSK_OCSP_GET_MAX)
        abort();
}

static void each(X509 *cert, lookup *fn)
{
    char *url = malloc(TSK_URL_MAX);
    int i = 0, rc;

    while (url != NULL && (rc = fn(cert, i++, url, TSK_URL_MAX)) == 1)
        check(url);
    if (url != NULL && (rc != 0 || i > TSK_URLS_MAX + 1))
        abort();
    free(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int kinds[] = {NID_crl_distribution_points, NID_freshest_crl,
                                NID_info_access};
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509 *cert = X509_new();
    X509_EXTENSION *ext = NULL;

    if (size == 0 || cert == NULL || value == NULL)
        goto out;
    ASN1_OCTET_STRING_set(value, data + 1, (int)size - 1);
    ext = X509_EXTENSION_create_by_NID(NULL, kinds[data[0] % 3], 0, value);
    if (ext == NULL || !X509_add_ext(cert, ext, -1))
        goto out;
    each(cert, tsk_dp_url);
    each(cert, tsk_dp_fresh_url);
    each(cert, tsk_ocsp_url);
    each(cert, tsk_aia_url);
out:
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
    X509_free(cert);
    return 0;
}
