/* intercept_web - what --har and --html make of the connections. */
#ifndef CLI_INTERCEPT_WEB_H
#define CLI_INTERCEPT_WEB_H

#include "intercept_cmd.h"

struct web;

/* NULL: *rc is the exit code, and why has been said. */
struct web *web_new(struct icept *v, int *rc);
void web_free(struct web *w);
/* Messages of TLS, for --html. Behind all other hooks of these configs. */
void web_watch(struct web *w, tlsock_config *up, tlsock_config *down);
/* What icept_event() is told, by any thread. */
void web_event(struct web *w, const struct intercept_event *e);
/* A tap; arg is a struct web. */
void *web_open(void *arg, const struct intercept_event *e);
void web_turn(void *key, const struct intercept_event *e);
void web_data(void *key, int from_client, const void *bytes, size_t len);
void web_close(void *key);

#endif
