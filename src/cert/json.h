/* json - the inside of tlsock_cert_json(): one object, written like snprintf,
 * each member with a comma before it. Everything foreign is escaped. */
#ifndef TSK_CERT_JSON_H
#define TSK_CERT_JSON_H

#include "cert/text.h"
#include "core/err.h"
#include "core/str.h"

struct tsk_json {
    char *out;
    size_t size, pos;
    int failed; /* out of memory */
};

#define TSK_PUT(j, ...) tsk_append((j)->out, (j)->size, &(j)->pos, __VA_ARGS__)

/* A string or null, without a comma. */
void tsk_json_text(struct tsk_json *j, const char *text);
/* The text that grew in t, which is freed: a string. */
void tsk_json_take(struct tsk_json *j, struct tsk_text *t);
void tsk_json_hex(struct tsk_json *j, const void *bytes, size_t len);
/* "oid":"2.5.29.15","name":"keyUsage" (null: not in OpenSSL's table) */
void tsk_json_object(struct tsk_json *j, const ASN1_OBJECT *obj);

void tsk_json_names(struct tsk_json *j, X509 *x); /* cert/jsonname.c */
/* {"type":"EC","bits":256,...}, without a comma */
void tsk_json_pkey(struct tsk_json *j, EVP_PKEY *key);
void tsk_json_key(struct tsk_json *j, X509 *x);        /* cert/jsonkey.c */
void tsk_json_extensions(struct tsk_json *j, X509 *x); /* cert/jsonext.c */

/* What the public tlsock_key_json() does. */
int tsk_key_json(const char *uri, const char *pass_uri, char *out, size_t size,
                 tlsock_error *err);

#endif
