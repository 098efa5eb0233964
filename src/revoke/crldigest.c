/* Which lists there are, as a digest. Each ends in its issuer's signature over
 * all that is in it: so its end stands for all of it. */
#include "revoke/crl_private.h"

#include <openssl/evp.h>

#define END 512 /* of RSA 4096; of smaller ones it has more beside it */

int tsk_crls_digest(const struct tsk_crls *l, uint8_t sum[32])
{
    for (size_t i = 0; i < l->n; i++) {
        const struct tsk_crl *crl = l->list[i];
        size_t len = crl->len < END ? crl->len : END;
        uint8_t one[32];
        unsigned int n = 0;

        if (!EVP_Digest(crl->der + crl->len - len, len, one, &n, EVP_sha256(),
                        NULL))
            return -1;
        for (size_t k = 0; k < sizeof(one); k++)
            sum[k] = (uint8_t)(sum[k] + one[k]);
    }
    return 0;
}
