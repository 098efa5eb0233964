/* What a build without libcurl says. */
#include "fetch.h"

#include <stdio.h>

int fetch_url(const char *url, int timeout_ms, char **data, size_t *len,
              char *why, size_t why_size)
{
    (void)url;
    (void)timeout_ms;
    *data = NULL;
    *len = 0;
    snprintf(why, why_size, "this tlsock was built without libcurl");
    return -1;
}
