/* way - by which way a connection came about, for facts.c: STARTTLS, proxies.
 * Keeps the passwords of URLs to itself. */
#ifndef CLI_WAY_H
#define CLI_WAY_H

#include "out.h"

#include <tlsock.h>

/* proxies: the list of their URLs, or NULL.
 * One line "way" on stderr, if there is something to say. */
void way_print(const struct out *o, const tlsock *s, const char *proxies);
/* "starttls" and "proxy" added to obj. */
void way_json(json_t *obj, const tlsock *s, const char *proxies);

#endif
