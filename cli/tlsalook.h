/* tlsalook - the TLSA records of a service, all that the DNS has, signed or
 * not. The library takes only those that it may believe, and tells the one
 * that fits; who mends a server wants to see all of them.
 *
 * Knows the DNS; knows nothing of certificates. */
#ifndef CLI_TLSALOOK_H
#define CLI_TLSALOOK_H

#include <stddef.h>

#define TLSALOOK_MOST 100
#define TLSALOOK_DATA 4096 /* bytes of a record that are kept */

struct tlsalook_record {
    int usage, selector, matching;
    size_t len, whole; /* bytes kept, and bytes there are */
    unsigned char data[TLSALOOK_DATA];
};

struct tlsalook {
    char owner[300]; /* "_443._tcp.app.test" */
    int secure, bogus, failed;
    char why[200]; /* bogus, failed */
    size_t n, more;
    struct tlsalook_record *list; /* free() */
};

/* anchor NULL: the system's; resolver NULL: those of /etc/resolv.conf. 0, or
 * -1: out of memory, or this build has no DNS. */
int tlsalook(struct tlsalook *out, const char *host, const char *port,
             const char *anchor, const char *resolver, int timeout_ms);

#endif
