/* fetch - one small file by http or https, for what certificates point to.
 *
 * The address comes from a certificate that nobody vouches for: the kinds of
 * address, the size and the time are bounded, and nothing that comes back is
 * believed. With another build there is no fetching: fetch_none.c. */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include <stddef.h>

#define FETCH_MAX ((size_t)64 * 1024)

/* 0 and *data (free() it), *len; -1: why says what was wrong. */
int fetch_url(const char *url, int timeout_ms, char **data, size_t *len,
              char *why, size_t why_size);

#endif
