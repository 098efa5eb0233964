/* facts - what is known of a connection and its certificates, as lines for a
 * person and as JSON. */
#ifndef CLI_FACTS_H
#define CLI_FACTS_H

#include "out.h"

#include <tlsock.h>
#include <tlsock/cert.h>

/* The lines connected, way, security, server, chain on stderr. proxies: their
 * URLs, whose passwords are left out, or NULL. */
void facts_print(const struct out *o, const char *target, const tlsock *s,
                 const char *proxies);
/* {"state":..., "verified":..., "starttls":..., "proxy":[...],
 * "connection":{...}, "certificates":[...]} added to obj. */
void facts_json(json_t *obj, const tlsock *s, const char *proxies);
/* If something was forgiven that ought not to be, a line on stderr says so. */
void facts_warn(const struct out *o, const tlsock *s);
/* Is it plaintext? */
int facts_plain(const tlsock *s);
/* A certificate, its chain in "chain". */
json_t *facts_cert_json(const tlsock_cert *c);
/* Leaf and chain as an array. */
json_t *facts_certs_json(const tlsock_cert *c);
/* "expires 2027-01-15 (54 days)" */
void facts_expiry(const tlsock_cert *c, char *text, size_t size);

#endif
