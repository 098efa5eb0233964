/* fixchain - chains put together out of what is at hand. A certificate goes in
 * only if its signature shows that it belongs there. */
#ifndef CLI_FIXCHAIN_H
#define CLI_FIXCHAIN_H

#include <tlsock/cert.h>

/* All certificates of a, then all of b (or NULL), as PEM behind "pem:";
 * free(); NULL: out of memory. */
char *fixchain_text(const tlsock_cert *a, const tlsock_cert *b);
/* The certificate itself, without its chain. Yours; NULL: out of memory, which
 * is told at the end. */
tlsock_cert *fixchain_alone(const tlsock_cert *c);
/* The leaf or the one at the end. Yours. */
tlsock_cert *fixchain_last(const tlsock_cert *c);
/* One of a certificate and its chain: 0 is the leaf. Yours. */
tlsock_cert *fixchain_at(const tlsock_cert *c, int i);
int fixchain_is_root(const tlsock_cert *c);
/* Is this leaf among them? */
int fixchain_holds(const tlsock_cert *all, const tlsock_cert *one);

#define FIXCHAIN_NONE 0 /* nothing in more belongs there */
#define FIXCHAIN_GREW 1 /* *chain is longer by what was in more */
#define FIXCHAIN_ROOT 2 /* the root that signed its end is in more: done */
int fixchain_extend(tlsock_cert **chain, const tlsock_cert *more);

#endif
