/* The body of an entry in a directory of minted certificates: bytes that are
 * taken come out as they went in. */
#include "intercept/entry.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    X509 *x, *again;
    EVP_PKEY *key, *same;
    uint8_t *out;
    size_t len;

    if (!tsk_entry_parse(data, size, &x, &key)) {
        if (x != NULL || key != NULL)
            abort();
        return 0;
    }
    if (tsk_entry_encode(x, key, &out, &len)) {
        if (!tsk_entry_parse(out, len, &again, &same) ||
            X509_cmp(x, again) != 0 || EVP_PKEY_eq(key, same) != 1)
            abort();
        X509_free(again);
        EVP_PKEY_free(same);
        if (tsk_entry_parse(out, len - 1, &again, &same))
            abort();
        tsk_free_secret(out, len);
    }
    X509_free(x);
    EVP_PKEY_free(key);
    return 0;
}
