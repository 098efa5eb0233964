/* check - is any certificate of a verified chain revoked?
 *
 * Asks what is there: the staple, lists that somebody gave, the cache. Then
 * says what to fetch, one request per certificate at a time, and judges what
 * comes back. A list counts first, then a responder; any of them that can tell
 * ends the search. Moves no byte itself: fetching is its owner's, be it the
 * library's own HTTP or a program's. One thread at a time. */
#ifndef TSK_REVOKE_CHECK_H
#define TSK_REVOKE_CHECK_H

#include "revoke/cache.h"
#include "revoke/crl.h"
#include "revoke/status.h"

#include <openssl/x509_vfy.h>
#include <tlsock/revoke.h>

#define TSK_CHECK_CERTS 16 /* most that are asked about: depth is bounded */
#define TSK_CHECK_URLS 4   /* most of one kind that are tried for each */
#define TSK_CHECK_URL 1024 /* most bytes of one */

struct tsk_check;

struct tsk_check_rules {
    int whole;     /* all certificates below the anchor; else the first */
    int crl, ocsp; /* whom to ask */
    int soft;      /* what nobody can tell is no failure */
    struct tsk_crls *const *lists; /* given; a reference is taken of each */
    size_t n_lists;
    struct tsk_revcache *cache; /* a reference is taken; NULL: none */
    X509_STORE *store;          /* for the signers of indirect lists; NULL */
    int64_t now;
};

/* chain: verified, leaf first, anchor last; its certificates are counted. */
struct tsk_check *tsk_check_new(const struct tsk_check_rules *rules,
                                STACK_OF(X509) * chain,
                                STACK_OF(X509) * untrusted, tlsock_error *err);
/* Somebody knows about the first certificate (the staple was judged). */
void tsk_check_told(struct tsk_check *k, const struct tsk_status *st);
/* All that can be told without a fetch is told. 1: more is to be fetched; 0:
 * nothing is, see the verdict; or E_NOMEM. */
int tsk_check_look(struct tsk_check *k, tlsock_error *err);
/* 1: fetch *out (its texts are k's, until the answer); 0: nothing to ask now;
 * or E_NOMEM. */
int tsk_check_next(struct tsk_check *k, tlsock_fetch *out, tlsock_error *err);
/* The body of the answer to request id; NULL: why says what went wrong (may be
 * NULL). 0, E_ARGUMENT: no such request, E_NOMEM. */
int tsk_check_answer(struct tsk_check *k, int id, const void *data, size_t len,
                     const tlsock_error *why, tlsock_error *err);
/* How many bytes an answer to request id may have. */
size_t tsk_check_most(const struct tsk_check *k, int id);
/* 0: not revoked, or soft; how says who knows, *until when that is over (0: of
 * no age). AGAIN: answers are awaited. E_REVOKED, E_REVOCATION_UNKNOWN. */
int tsk_check_verdict(const struct tsk_check *k, char how[128], int64_t *until,
                      tlsock_error *err);
/* What a cache calls the first certificate; NULL: nothing is asked of it. */
const uint8_t *tsk_check_key(const struct tsk_check *k);
void tsk_check_free(struct tsk_check *k);

#endif
