/* pin - does a certificate carry what the user named by fingerprint?
 *
 * Knows how tools and browsers write fingerprints. Knows no chain: policy
 * decides which certificates may fit, and what it means if one does. */
#ifndef TSK_VERIFY_PIN_H
#define TSK_VERIFY_PIN_H

#include "core/err.h"

#include <openssl/x509.h>
#include <stdint.h>

#define TSK_PIN_TEXT 320 /* longest text of one pin */

struct tsk_pin {
    int of_public_key;
    int algo; /* of pin.c's table */
    uint8_t hash[64];
};

/* One pin: sha256:HEX, sha256:pub:HEX, sha256$HEX, sha256//BASE64 of a key,
 * "SHA256 Fingerprint=AA:BB...", HEX alone; the same with 384 and 512.
 * E_OPTION says what is wrong with it. */
int tsk_pin_parse(struct tsk_pin *pin, const char *text, tlsock_error *err);
/* The next one of a list separated by commas, semicolons or line ends: where
 * it begins, without blanks around it, and its length; what follows is at
 * *rest. NULL: there is none. */
const char *tsk_pin_next(const char *list, size_t *len, const char **rest);
/* As tools print it: sha256:HEX, sha256:pub:HEX. */
void tsk_pin_text(const struct tsk_pin *pin, char *out, size_t size);
/* 1 one of them fits, 0 none, or code. Constant time per pin. */
int tsk_pin_match(const struct tsk_pin *pins, size_t n, X509 *crt,
                  tlsock_error *err);

#endif
