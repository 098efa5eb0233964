/* Where systems keep the key of the DNS's root, and what all builds share. */
#include "core/mem.h"
#include "core/str.h"
#include "net/dns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Those that packages maintain first; the others a resolver writes. */
static const char *const places[] = {
    "/usr/share/dns/root.key",                /* Debian: dns-root-data */
    "/usr/share/dnssec-root/trusted-key.key", /* Alpine */
    "/etc/trusted-key.key",                   /* BIND's tools */
    "/var/lib/unbound/root.key",              /* unbound-anchor */
    "/etc/unbound/root.key",
    "/usr/local/etc/unbound/root.key",
    NULL,
};

const char *const *tsk_dns_places = places;

void (*tsk_dns_ask)(struct tsk_dns *, const char *, int,
                    struct tsk_dns_answer *) = tsk_dns_query;

void tsk_dns_answer_free(struct tsk_dns_answer *a)
{
    tsk_free(a->bytes);
    a->bytes = NULL;
    a->n = 0;
}

/* NULL: it can be used. */
static const char *fault_of(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return errno == ENOENT ? "missing" : "not readable";
    if (!S_ISREG(st.st_mode))
        return "no file";
    if (access(path, R_OK) != 0)
        return "not readable";
    return st.st_size == 0 ? "empty" : NULL;
}

int tsk_dns_anchor(char *path, size_t size, char *tried, size_t tsize,
                   tlsock_error *err)
{
    int saved = errno;
    size_t pos = 0;

    path[0] = '\0';
    if (tsize > 0)
        tried[0] = '\0';
    for (const char *const *at = tsk_dns_places; *at != NULL; at++) {
        const char *fault = fault_of(*at);

        if (fault == NULL) {
            snprintf(path, size, "%s", *at);
            errno = saved;
            return TLSOCK_OK;
        }
        tsk_append(tried, tsize, &pos, "%s%s (%s)", pos > 0 ? ", " : "", *at,
                   fault);
    }
    errno = saved;
    tsk_fail(err, TLSOCK_E_TRUST_STORE,
             "this system has no DNSSEC trust anchor; looked at: %.250s",
             tried);
    tsk_hint(err, "install the package dns-root-data, or name a file with the "
                  "root's DS or DNSKEY records (dane.anchor)");
    return TLSOCK_E_TRUST_STORE;
}
