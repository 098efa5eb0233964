/* Certificates, keys and PKCS#12 of anybody's making: parsed, shown, proven. */
#include "cert/cert.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char json[65536], short_text[40];
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_parse(data, len, NULL, &err);
    int kind = tlsock_data_kind(data, len);

    if (c != NULL && (kind & (TLSOCK_KIND_CERT | TLSOCK_KIND_PKCS12 |
                              TLSOCK_KIND_PKCS7)) == 0)
        abort(); /* it was loaded: it is one of these */
    if (c == NULL) {
        if (err.code == 0 || err.message[0] == '\0')
            abort(); /* no silent failures */
        return 0;
    }
    for (int i = 0; i <= TSK_CERT_FIELDS; i++)
        (void)tlsock_cert_field(c, i);
    (void)tlsock_cert_json(c, json, sizeof(json));
    (void)tlsock_cert_pem(c, TLSOCK_PART_CERT, json, sizeof(json));
    tsk_cert_short_name(c->leaf, short_text, sizeof(short_text));
    tsk_cert_short_issuer(c->leaf, short_text, sizeof(short_text));
    (void)tsk_cert_prove(c, "fuzz", 1, 1900000000, &err);
    tlsock_cert_unref(tlsock_cert_chain_at(c, 0));
    tlsock_cert_unref(c);
    return 0;
}
