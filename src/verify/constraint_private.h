/* constraint_private - names as bytes, for what constraints are asked about. */
#ifndef TSK_VERIFY_CONSTRAINT_PRIVATE_H
#define TSK_VERIFY_CONSTRAINT_PRIVATE_H

#include <openssl/x509v3.h>
#include <stddef.h>

struct tsk_text {
    const char *p;
    size_t len;
};

struct tsk_text tsk_text_of(const ASN1_IA5STRING *s);
/* Is one of the names that "*.rest" stands for the base of the subtree? */
int tsk_wildcard_meets(struct tsk_text wild, struct tsk_text base);

#endif
