/* acme_address - which addresses a validation may ask: those that no other
 * network can reach. Link-local ones are not among them: that is where clouds
 * keep secrets. */
#ifndef CLI_ACME_ADDRESS_H
#define CLI_ACME_ADDRESS_H

/* "127.0.0.1:80", "[::1]:80": loopback or private (RFC 1918, RFC 4193)? */
int acme_is_private(const char *address);

#endif
