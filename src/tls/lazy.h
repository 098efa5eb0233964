/* lazy - an identity as it was read from its files, decoded when somebody asks.
 *
 * Takes what most servers have: PEM, an RSA or EC key that is not encrypted.
 * From the bytes alone it proves that the key is the certificate's, that each
 * certificate names the next one as its issuer, that all are in date and have
 * names. What it leaves for later are signatures within the chain. Whatever
 * is another way, or wrong, it hands back: the decoder says what is wrong. */
#ifndef TSK_TLS_LAZY_H
#define TSK_TLS_LAZY_H

#include "tls/identity.h"

struct tsk_lazy;

/* like: one that was read before, whose chain may be the same, or NULL.
 * 1 with *out, one reference; 0: not for us. */
int tsk_lazy_load(const char *cert_uri, const char *key_uri,
                  const struct tsk_lazy *like, struct tsk_lazy **out);
struct tsk_lazy *tsk_lazy_ref(struct tsk_lazy *l);
void tsk_lazy_unref(struct tsk_lazy *l);

/* 1: the very same bytes */
int tsk_lazy_same(const struct tsk_lazy *a, const struct tsk_lazy *b);
size_t tsk_lazy_bytes(const struct tsk_lazy *l); /* of leaf and chain */
tlsock_cert *tsk_lazy_cert(struct tsk_lazy *l, tlsock_error *err);
tlsock_cert *tsk_lazy_known(struct tsk_lazy *l);
const struct tsk_walk *tsk_lazy_walk(const struct tsk_lazy *l);
struct tsk_key_kind tsk_lazy_kind(const struct tsk_lazy *l);

#endif
