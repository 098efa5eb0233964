/* A build without libunbound. */
#include "net/dns.h"

#include <stdio.h>
#include <string.h>

int tsk_dns_there(void)
{
    return 0;
}

struct tsk_dns *tsk_dns_new(const char *anchor, const char *resolver,
                            tlsock_error *err)
{
    (void)anchor;
    (void)resolver;
    tsk_fail(err, TLSOCK_E_UNSUPPORTED,
             "dane: this build has no DNSSEC resolver (libunbound)");
    return NULL;
}

struct tsk_dns *tsk_dns_ref(struct tsk_dns *d)
{
    return d;
}

void tsk_dns_unref(struct tsk_dns *d)
{
    (void)d;
}

void tsk_dns_query(struct tsk_dns *d, const char *name, int type,
                   struct tsk_dns_answer *out)
{
    (void)d;
    (void)name;
    (void)type;
    memset(out, 0, sizeof(*out));
    out->state = TSK_DNS_FAILED;
    snprintf(out->why, sizeof(out->why), "this build has no libunbound");
}
