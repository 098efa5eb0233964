/* shelf - minted certificates and their keys in a directory that processes
 * share (revoke/cachedisk.h), each under the digest of what it was minted for.
 * Whatever is there that was not minted by this CA for this certificate is no
 * find, and makes room. Nothing here fails loudly. */
#ifndef TSK_INTERCEPT_SHELF_H
#define TSK_INTERCEPT_SHELF_H

#include "cert/cert.h"
#include "revoke/cachedisk.h"

#define TSK_SHELF_MAX ((size_t)64 * 1024 * 1024) /* bytes, in whole blocks */

struct tsk_shelf {
    struct tsk_cachedisk disk; /* dir NULL: there is none */
};

/* dir NULL: none. 0, E_OWN_FILE, E_NOMEM */
int tsk_shelf_open(struct tsk_shelf *s, const char *dir, tlsock_error *err);
void tsk_shelf_close(struct tsk_shelf *s);
/* Around a fork: its lock is held by who forks. */
void tsk_shelf_hold(struct tsk_shelf *s);
void tsk_shelf_let_go(struct tsk_shelf *s);
/* With the CA's chain, a reference of yours; NULL: none. */
tlsock_cert *tsk_shelf_find(const struct tsk_shelf *s, const uint8_t key[32],
                            const tlsock_cert *upstream, const tlsock_cert *ca);
void tsk_shelf_keep(struct tsk_shelf *s, const uint8_t key[32],
                    const tlsock_cert *c);

#endif
