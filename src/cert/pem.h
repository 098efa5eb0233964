/* pem - finds the blocks of a PEM text, with whatever stands around them.
 *
 * Takes CRLF, a byte order mark before any block, and text between blocks.
 * Does not decode: a block is handed on as it stands. */
#ifndef TSK_CERT_PEM_H
#define TSK_CERT_PEM_H

#include <stddef.h>

struct tsk_pem {
    const char *start, *at, *end, *counted;
    size_t line; /* at counted */
};

struct tsk_pem_block {
    const char *text; /* from "-----BEGIN" to behind the END line's dashes */
    size_t len;
    size_t line;    /* of the BEGIN line, counted from 1 */
    char label[40]; /* "CERTIFICATE" */
};

void tsk_pem_begin(struct tsk_pem *r, const void *data, size_t len);
/* 1: a block; 0: no more; -1: a block without its END line, label is set */
int tsk_pem_next(struct tsk_pem *r, struct tsk_pem_block *b);
int tsk_pem_is(const void *data, size_t len); /* any BEGIN line in there? */
int tsk_pem_is_cert(const struct tsk_pem_block *b);
int tsk_pem_is_bundle(const struct tsk_pem_block *b); /* PKCS#7 */
int tsk_pem_is_key(const struct tsk_pem_block *b);

#endif
