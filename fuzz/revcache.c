/* A file of the revocation cache, as anybody may have left it: no find unless
 * its digest is right, and then it is what was kept. */
#include "revoke/cachefile.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As it is. Whoever passes knows SHA-256 better than anybody. */
static void as_a_file(const uint8_t *data, size_t size, const uint8_t key[32])
{
    uint8_t head[TSK_CACHEFILE_HEAD];
    int64_t until;

    if (!tsk_cachefile_check(data, size, TSK_CACHE_OCSP, key, &until))
        return;
    if (!tsk_cachefile_head(head, TSK_CACHE_OCSP, key, until,
                            data + TSK_CACHEFILE_HEAD,
                            size - TSK_CACHEFILE_HEAD) ||
        memcmp(head, data, TSK_CACHEFILE_HEAD) != 0)
        abort();
}

/* As a body behind a header that fits: found; with any byte of the header
 * changed, cut short, or of another kind: not. */
static void as_a_body(const uint8_t *data, size_t size, const uint8_t key[32])
{
    uint8_t *file = malloc(TSK_CACHEFILE_HEAD + size);
    int64_t until, was = 1800000000;
    size_t len = TSK_CACHEFILE_HEAD + size;

    if (file == NULL || size == 0) {
        free(file);
        return;
    }
    memcpy(file + TSK_CACHEFILE_HEAD, data, size);
    if (!tsk_cachefile_head(file, TSK_CACHE_CRL, key, was, data, size) ||
        !tsk_cachefile_check(file, len, TSK_CACHE_CRL, key, &until) ||
        until != was ||
        tsk_cachefile_check(file, len, TSK_CACHE_OCSP, key, &until) ||
        tsk_cachefile_check(file, len - 1, TSK_CACHE_CRL, key, &until))
        abort();
    file[data[0] % TSK_CACHEFILE_HEAD] ^= 1;
    if (tsk_cachefile_check(file, len, TSK_CACHE_CRL, key, &until))
        abort();
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[32] = {1};

    as_a_file(data, size, key);
    as_a_body(data, size, key);
    return 0;
}
