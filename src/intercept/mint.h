/* mint - one copy under our CA for each certificate that is seen, made once and
 * found again: in memory, least used goes first, and on a shelf.
 *
 * Whoever asks for what is being made waits for it; whoever asks for another
 * one does not. Knows no connection: who the upstream is, and whether it was
 * verified, is the caller's business. */
#ifndef TSK_INTERCEPT_MINT_H
#define TSK_INTERCEPT_MINT_H

#include "cert/cert.h"

#include <tlsock/intercept.h>

/* What the public calls do. */
tlsock_intercept *tsk_mint_new(tlsock_cert *ca, const char *dir,
                               tlsock_error *err);
int tsk_mint_set(tlsock_intercept *m, const char *option, const char *value);
tlsock_cert *tsk_mint_leaf(tlsock_intercept *m, const tlsock_cert *upstream,
                           tlsock_error *err);
void tsk_mint_free(tlsock_intercept *m);

/* For tests: how many were signed by this handle, and are in memory. */
size_t tsk_mint_signed(const tlsock_intercept *m);
size_t tsk_mint_held(const tlsock_intercept *m);

#endif
