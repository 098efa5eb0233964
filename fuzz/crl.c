/* CRLs of anybody, PEM or DER, as text: whatever it is, JSON comes out whole,
 * or an error. */
#include "revoke/make.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tlsock_error err = {0};
    char small[64], *text;
    int n = tsk_crl_text(data, size, "fuzz", 1800000000, small, sizeof(small),
                         &err);

    if (n < 0)
        return err.code == n && err.message[0] != '\0' ? 0 : (abort(), 0);
    text = malloc((size_t)n + 1);
    if (text == NULL)
        abort();
    if (tsk_crl_text(data, size, "fuzz", 1800000000, text, (size_t)n + 1,
                     &err) != n ||
        strlen(text) != (size_t)n || text[n - 1] != '}' ||
        strncmp(text, small, sizeof(small) - 1) != 0)
        abort();
    for (int i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ')
            abort();
    free(text);
    return 0;
}
