/* Requests of ACME clients. What can be parsed was signed with a key that
 * nobody here has, so it must never verify. */
#include "acme_jws.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static json_t *other;
    struct acme_problem p = {0};
    struct acme_jws j;
    char thumb[ACME_THUMB], pin[ACME_PIN];

    if (other == NULL)
        other = json_pack("{ssssssss}", "kty", "EC", "crv", "P-256", "x",
                          "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y",
                          "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    if (other == NULL)
        abort();
    if (acme_jws_parse(&j, data, size, &p) < 0) {
        if (p.status < 400 || p.type == NULL || p.detail[0] == '\0')
            abort();
    } else {
        if (j.jwk != NULL &&
            (acme_jwk_thumb(j.jwk, thumb) < 0 || acme_jwk_pin(j.jwk, pin) < 0))
            abort();
        if (acme_jws_verify(&j, other, &p) == 0)
            abort();
        if (j.jwk != NULL)
            acme_jws_verify(&j, j.jwk, &p);
    }
    acme_jws_free(&j);
    return 0;
}
