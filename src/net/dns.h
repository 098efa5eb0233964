/* dns - records from the DNS, and whether DNSSEC vouches for them.
 *
 * A resolver that validates by itself, from a trust anchor of its own: it asks
 * the name servers of /etc/resolv.conf, or one that is named, but believes
 * none of them. Asking waits: see work.h for threads that may. Knows nothing
 * of what the records mean, and nothing of the hosts file.
 *
 * unbound.c does it by libunbound; nodns.c stands for it where that is not
 * there, and refuses everything. */
#ifndef TSK_NET_DNS_H
#define TSK_NET_DNS_H

#include "core/err.h"

#include <stdint.h>

#define TSK_DNS_A 1
#define TSK_DNS_CNAME 5
#define TSK_DNS_AAAA 28
#define TSK_DNS_TLSA 52

#define TSK_DNS_MOST 128 /* records; those beyond are counted, not kept */

enum tsk_dns_state {                   /* RFC 4035, 4.3 */
                     TSK_DNS_SECURE,   /* what is there, or that it is not, is
                                          signed */
                     TSK_DNS_INSECURE, /* it is known that nothing signs it */
                     TSK_DNS_BOGUS,    /* it should be signed, and is not so */
                     TSK_DNS_FAILED /* nobody answered: anything may be true */
};

struct tsk_dns_rr {
    const uint8_t *data; /* RDATA */
    size_t len;
};

struct tsk_dns_answer {
    enum tsk_dns_state state;
    int no_anchor;   /* FAILED since the trust anchor cannot be used */
    int no_memory;   /* FAILED for want of it */
    char canon[256]; /* the name at the end of CNAMEs, lower case, no dot */
    size_t n, more;  /* records here, and beyond */
    struct tsk_dns_rr rr[TSK_DNS_MOST];
    uint8_t *bytes; /* theirs; free with tsk_dns_answer_free() */
    char why[200];  /* BOGUS, FAILED */
};

struct tsk_dns;

int tsk_dns_there(void); /* 1: this build has it */
/* anchor: file of DS or DNSKEY records, or NULL: the system's. resolver:
 * "ADDRESS" or "ADDRESS@PORT", or NULL: those of /etc/resolv.conf, or full
 * recursion without it. Reads no DNS yet. NULL: E_TRUST_STORE, E_NOMEM,
 * E_UNSUPPORTED. */
struct tsk_dns *tsk_dns_new(const char *anchor, const char *resolver,
                            tlsock_error *err);
struct tsk_dns *tsk_dns_ref(struct tsk_dns *d);
void tsk_dns_unref(struct tsk_dns *d); /* NULL: nothing */
/* name without a dot at the end. Waits, for as long as name servers may take.
 * Any thread. Answers are cached as long as they say. */
void tsk_dns_query(struct tsk_dns *d, const char *name, int type,
                   struct tsk_dns_answer *out);
void tsk_dns_answer_free(struct tsk_dns_answer *a);

/* Where the system's anchor is, and what was tried ("path (fault), ..."): 0, or
 * E_TRUST_STORE. */
int tsk_dns_anchor(char *path, size_t size, char *tried, size_t tsize,
                   tlsock_error *err);

/* Tests only: where the system's anchor may be, NULL at the end. */
extern const char *const *tsk_dns_places;
/* Tests only: what answers. Set it while no lookup is under way. */
extern void (*tsk_dns_ask)(struct tsk_dns *d, const char *name, int type,
                           struct tsk_dns_answer *out);

#endif
