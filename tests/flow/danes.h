/* danes - what the DNS says of a.test, made up here, and one visit under it.
 * tests/servers/dane.sh has real answers. */
#ifndef TEST_DANES_H
#define TEST_DANES_H

#include "ca.h"
#include "net/dns.h"
#include "sock.h"

#include <semaphore.h>
#include <tlsock/info.h>

#define DANES_RECORDS 4

struct danes_record {
    int usage, selector, matching;
    const tlsock_cert *of; /* NULL: there is no record */
};

/* Not DER, or nothing at all: usable only to whoever does not look. */
extern const tlsock_cert danes_junk, danes_nothing;

/* Set by the test, zero before each: all is secure, and there is no record. */
extern struct danes {
    enum tsk_dns_state address, cname, tlsa;
    const char *canon, *at; /* NULL: a.test */
    struct danes_record records[DANES_RECORDS];
    size_t more;
    int no_anchor, no_memory;
    sem_t *wait; /* NULL: it answers at once */
    int asked, asked_tlsa;
} danes;

/* The record's bytes, yours to free(); how many. */
size_t danes_data(const struct danes_record *r, uint8_t **out);

/* Fixtures: the library asks us, and the DNS again. */
int danes_setup(void **state);
int danes_teardown(void **state);

tlsock_config *danes_client(const char *mode, const char *tls);

/* One connection to a server with this certificate; what came of it. */
struct danes_outcome {
    int code;
    char verified[160], info[64], sni[64];
    tlsock_error err;
    int resumed;
};

void danes_visit(struct danes_outcome *o, tlsock_config *cc,
                 tlsock_cert *identity, const tlsock_opts *opts);

#endif
