/* pin - does a certificate carry what the user named by fingerprint? */
#ifndef TSK_VERIFY_PIN_H
#define TSK_VERIFY_PIN_H

#include "core/err.h"

#include <openssl/x509.h>
#include <stdint.h>

struct tsk_pin {
    int of_public_key;
    uint8_t sha256[32];
};

int tsk_pin_parse(struct tsk_pin *pin, const char *text, tlsock_error *err);
/* 1 one of them fits, 0 none, or code. Constant time per pin. */
int tsk_pin_match(const struct tsk_pin *pins, size_t n, X509 *crt,
                  tlsock_error *err);

#endif
