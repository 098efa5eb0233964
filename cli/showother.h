/* showother - what lies beside certificates: requests, revocation lists, keys.
 */
#ifndef CLI_SHOWOTHER_H
#define CLI_SHOWOTHER_H

#include "source.h"

/* Text or JSON of it on stdout; the exit code. */
int show_other(const struct out *o, const struct source *s);
/* The library's JSON of a private key; NULL: *err says why. */
json_t *show_key_json(const char *uri, const char *pass, tlsock_error *err);

#endif
