/* text - what a certificate says, as text for people and for JSON.
 *
 * Everything in it is the issuer's or the subject's to choose, so every value
 * is escaped. Knows nothing of keys and files. */
#ifndef TSK_CERT_TEXT_H
#define TSK_CERT_TEXT_H

#include "core/buf.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <tlsock/cert.h>

/* A text that grows; a failed allocation sticks and shows at the end. */
struct tsk_text {
    struct tsk_buf buf;
    int failed;
};

void tsk_text_add(struct tsk_text *t, const char *s);
/* As tsk_printable(), and each byte that is in also (no digits, no letters,
 * not "\\") becomes \xNN too; with keep != 0 backslashes stay as they are. */
void tsk_text_escaped(struct tsk_text *t, const void *bytes, size_t len,
                      const char *also, int keep);
void tsk_text_hex(struct tsk_text *t, const void *bytes, size_t len);
/* Yours: tsk_free(); NULL: no memory. */
char *tsk_text_take(struct tsk_text *t);

/* One field of tlsock_cert_field(): yours, NULL: no such item or no memory */
char *tsk_cert_text(X509 *x, int item);
/* The same, kept with the certificate: borrowed. */
const char *tsk_cert_field(tlsock_cert *c, int item);
void tsk_cert_free(tlsock_cert *c);

void tsk_text_name(struct tsk_text *t, const X509_NAME *name); /* RFC 4514 */
void tsk_text_cn(struct tsk_text *t, const X509_NAME *name);
void tsk_text_general(struct tsk_text *t, const GENERAL_NAME *g);
void tsk_text_sans(struct tsk_text *t, X509 *x);
/* "DNS:a", "IP:10.0.0.0/8" in name constraints; bytes of also are escaped. */
void tsk_text_san(struct tsk_text *t, const GENERAL_NAME *g, const char *also);
/* "ECDSA P-256"; key NULL: "unknown" */
void tsk_text_key(struct tsk_text *t, EVP_PKEY *key);

/* Key usage bits and their names; the last name is NULL. */
struct tsk_key_usage {
    uint32_t bit;
    const char *name;
};
extern const struct tsk_key_usage tsk_key_usages[];
const char *tsk_curve_name(const char *name); /* "P-256" of "prime256v1" */

int tsk_cert_json(const tlsock_cert *c, int64_t now, char *out, size_t size);

#endif
