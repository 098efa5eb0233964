/* way - by which way a connection came about, for facts.c: STARTTLS, proxies.
 * Keeps the passwords of URLs to itself. */
#ifndef CLI_WAY_H
#define CLI_WAY_H

#include "facts.h"

/* One line "way" on stderr, if there is something to say. */
void way_print(const struct out *o, const struct facts_way *way);
/* "starttls" and "proxy" added to obj. */
void way_json(json_t *obj, const struct facts_way *way);

#endif
