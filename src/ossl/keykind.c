#include "ossl/keykind.h"

#include <strings.h>

int tsk_ossl_is_a(const EVP_PKEY *key, const char *kind)
{
    const char *name = EVP_PKEY_get0_type_name(key);

    return name != NULL && strcasecmp(name, kind) == 0;
}
