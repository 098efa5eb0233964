/* dane - what the TLSA records of a server make of its certificate.
 *
 * Knows the records of one connection (net/tlsa.h) and what OpenSSL's DANE
 * said of them; asks no DNS. Who may accept and refuse what (RFC 7671):
 *
 *   records       OpenSSL     chain and dates   soundness  name     revocation
 *   3 DANE-EE     key fits    not asked (5.1)   key only   no       no
 *   2 DANE-TA     CA fits     up to that CA     as ever    yes [1]  as ever
 *   0, 1 PKIX-*   fits        a trusted root    as ever    yes [2]  as ever
 *   none usable   not asked   a trusted root    as ever    yes [2]  as ever
 *                 (with dane = require: E_DANE before TLS begins, or here)
 *   no match      E_DANE, whatever a trusted root says; other paths
 *                 (path.c) are asked of the same records
 *
 *   [1] the expected name, or the one that the records were found at (7)
 *   [2] the expected name alone: public CAs vouch for that one
 *
 * Pins: under accept a pin that fits stands in for all this, but not under
 * dane = require; require and require-chain come on top of it.
 * insecure: E_DANE is forgiven by all alone; the other words as ever. */
#ifndef TSK_VERIFY_DANE_H
#define TSK_VERIFY_DANE_H

#include "core/err.h"
#include "net/tlsa.h"

#include <openssl/ssl.h>

/* Of one connection. */
struct tsk_dane {
    char host[256], service[64]; /* whose records they are */
    int required;
    struct tsk_tlsa_lookup *lookup;
    const struct tsk_tlsa_set *set; /* the lookup's, once it is done */
    size_t found;                   /* records of it that we could use */
    SSL *ssl;                       /* borrowed; its DANE has the records */
    size_t usable;                  /* that it has; 0: DANE has no say */
};

struct tsk_dane_match {
    int usage, selector, matching;
    int bare_key; /* 2 x 0 or hash of a key whose certificate was not sent */
};

/* NULL: none may be used; else one of them is to fit. */
static inline const struct tsk_dane *tsk_dane_in_use(const struct tsk_dane *d)
{
    return d != NULL && d->usable != 0 ? d : NULL;
}

/* Within or after a verification that went well: 1, and which record it was;
 * 0: none. */
int tsk_dane_matched(const struct tsk_dane *d, struct tsk_dane_match *m);
/* No record fits: E_DANE, with those there are and the one that would. */
int tsk_dane_no_match(const struct tsk_dane *d, X509 *leaf, tlsock_error *err);
/* May the connection go on with what the lookup found? 0, with the count of
 * usable records in *usable; or E_DANE, E_TRUST_STORE, E_NOMEM. */
int tsk_dane_judge(const struct tsk_dane *d, size_t *usable, tlsock_error *err);
/* SHA-256 over all records in any order, as hex: whose sessions are whose. */
int tsk_dane_digest(const struct tsk_dane *d, char hex[65], tlsock_error *err);

#endif
