/* tlsa - the certificates that a service's owner published in the DNS: TLSA
 * records (RFC 6698, 7671), and their lookup.
 *
 * Decides what is there and whether DNSSEC vouches for it; knows nothing of
 * certificates, and nothing of what a connection makes of it (verify/dane.h).
 *
 * Where the records are looked for (RFC 7671, 7; RFC 7672, 2.2.2), for the
 * service _PORT._tcp.HOST:
 *   address records of HOST    TLSA records are asked for
 *   secure, no CNAME           at HOST
 *   secure, by CNAMEs          at the name they lead to, and if there is none,
 *                              at HOST
 *   insecure, by a CNAME that  at HOST
 *   is itself secure
 *   insecure                   nowhere: an unsigned zone cannot have any, and
 *                              some of their servers fail on such questions
 *   bogus, or no answer        nowhere: the lookup has failed
 */
#ifndef TSK_NET_TLSA_H
#define TSK_NET_TLSA_H

#include "net/dns.h"
#include "net/target.h"

struct tsk_tlsa {
    uint8_t usage, selector, matching;
    const uint8_t *data;
    size_t len;
};

enum tsk_tlsa_state {
    TSK_TLSA_THERE,    /* signed records, at least one */
    TSK_TLSA_NONE,     /* signed: there are none */
    TSK_TLSA_INSECURE, /* not signed, which counts as none */
    TSK_TLSA_BOGUS,    /* a signature that is due is not good */
    TSK_TLSA_FAILED    /* no answer: there may be some (RFC 7672, 2.1.2) */
};

struct tsk_tlsa_set {
    enum tsk_tlsa_state state;
    int no_memory, no_anchor; /* FAILED: why */
    char base[256];           /* the name they were found at, or HOST */
    char owner[288];          /* "_443._tcp.host" */
    size_t n, more;           /* records here, and too many to look at */
    struct tsk_tlsa list[TSK_DNS_MOST];
    struct tsk_dns_answer answer; /* what list points into */
    char why[320]; /* INSECURE, BOGUS, FAILED: which question, which answer */
};

/* RDATA of a peer's choice -> record, borrowing its bytes. 0, or -1: too short
 * to be one. */
int tsk_tlsa_parse(struct tsk_tlsa *out, const void *rdata, size_t len);
/* NULL: we can make use of it (RFC 6698, 4.1); else why not. Whether a whole
 * certificate in it can be read is left to whoever reads it. port: 25 is mail
 * between servers, where public CAs mean nothing (RFC 7672, 3.1.3). */
const char *tsk_tlsa_fault(const struct tsk_tlsa *t, int port);
/* "3 1 1 0a1b2c..." with at most `most` bytes of the data. */
void tsk_tlsa_text(char *out, size_t size, const struct tsk_tlsa *t,
                   size_t most);
const char *tsk_tlsa_usage(int usage); /* "DANE-EE" (RFC 7218) */

struct tsk_tlsa_lookup;

/* host: A-labels; service: of t. Copied; a reference to dns is taken. */
struct tsk_tlsa_lookup *tsk_tlsa_start(struct tsk_dns *dns, const char *host,
                                       const char *service, tlsock_error *err);
int tsk_tlsa_fd(const struct tsk_tlsa_lookup *l); /* readable: it is done */
/* 0: what was found, borrowed until the lookup is freed; AGAIN, E_FORKED. */
int tsk_tlsa_result(struct tsk_tlsa_lookup *l, const struct tsk_tlsa_set **set,
                    tlsock_error *err);
int tsk_tlsa_port(const struct tsk_tlsa_lookup *l); /* once it is done */
void tsk_tlsa_free(struct tsk_tlsa_lookup *l);      /* cancels; never waits */

#endif
