/* lazyread - the files of an identity as bytes, and what bytes alone prove. */
#ifndef TSK_TLS_LAZYREAD_H
#define TSK_TLS_LAZYREAD_H

#include "core/buf.h"
#include "tls/identity.h"

struct tsk_lazy_read {
    int64_t now;          /* given: the time to prove dates by */
    struct tsk_buf certs; /* DER, leaf first, one behind the other */
    size_t leaf_len;
    struct tsk_walk walk; /* of the leaf, within certs */
    struct tsk_key_kind kind;
    unsigned char *key; /* DER of the key that fits; OpenSSL's memory */
    size_t key_len;
    char name[256]; /* of the certificate's file */
};

/* 1; 0: not for us. Free it in either case. */
int tsk_lazy_read(const char *cert_uri, const char *key_uri,
                  struct tsk_lazy_read *r);
void tsk_lazy_read_free(struct tsk_lazy_read *r);

/* Is this key, DER of PKCS#8 or its kind's own form, the private half of what
 * the certificate has? 1; 0: no, or the bytes do not tell. */
int tsk_lazy_key_fits(const unsigned char *der, size_t len,
                      const struct tsk_walk *cert);
/* UTCTime or GeneralizedTime of DER (RFC 5280, 4.1.2.5): 1 and Unix seconds */
int tsk_lazy_time(const struct tsk_tlv *time, int tag, int64_t *out);

#endif
