/* identity - one of the certificates that a config has, decoded or not yet.
 *
 * A server of ten thousand hosts decodes those that somebody asks for. Of the
 * others it keeps the bytes as they were read, so that what is served does not
 * depend on what became of the file since. What can be told from the bytes
 * alone was proven when they were read (tls/lazy.h); the rest is proven when
 * they are decoded. */
#ifndef TSK_TLS_IDENTITY_H
#define TSK_TLS_IDENTITY_H

#include "tls/settings.h"
#include "tls/walk.h"

#include <openssl/evp.h>

/* Certificate, chain and key; decoded now if it was not yet; borrowed, lives as
 * long as the identity. NULL: the code of why not is recorded. */
tlsock_cert *tsk_identity_cert(const struct tsk_identity *id,
                               tlsock_error *err);
/* The same if it is decoded, else NULL. */
tlsock_cert *tsk_identity_known(const struct tsk_identity *id);

/* What the certificate says; der is what it points into. */
struct tsk_leaf {
    struct tsk_walk walk;
    unsigned char *der; /* owned, or NULL */
};
int tsk_identity_leaf(const struct tsk_identity *id, struct tsk_leaf *leaf);
void tsk_identity_leaf_free(struct tsk_leaf *leaf); /* 0 above: no memory */
/* Both name the same hosts, with different kinds of keys. */
int tsk_identity_same_sans(const struct tsk_identity *a,
                           const struct tsk_identity *b);

/* Of certificate and chain, as they are sent. */
size_t tsk_identity_bytes(const struct tsk_identity *id);

/* EVP_PKEY_RSA ...; and its bits, which tell curves apart. */
struct tsk_key_kind {
    int type, bits;
};
struct tsk_key_kind tsk_identity_kind(const struct tsk_identity *id);
/* Does such a key sign by the scheme of this code (RFC 8446, 4.2.3)? */
int tsk_key_kind_signs(struct tsk_key_kind kind, unsigned scheme, int tls13);

#endif
