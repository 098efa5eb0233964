/* Settings for the server's side: those of the command line, with what the
 * client offers. Few kinds of clients, so few configs; sessions are kept in
 * each. */
#include "intercept_private.h"

#include <stdlib.h>
#include <string.h>

#define CONFIGS_MOST 64

struct upconf {
    struct upconf *next;
    char alpn[256];
    int oldest, newest;
    tlsock_config *config;
};

static int apply(tlsock_config *config, const struct conn *c)
{
    int rc = 0;

    if (c->alpn[0] != '\0')
        rc = tlsock_config_set(config, "alpn", c->alpn);
    if (rc == 0 && c->newest != 0 && c->newest < 0x0304)
        rc = tlsock_config_set(config, "tls.max", "1.2");
    if (rc == 0 && c->oldest == 0x0304)
        rc = tlsock_config_set(config, "tls.min", "1.3");
    return rc;
}

static struct upconf *make(struct intercept *all, const struct conn *c,
                           tlsock_error *err)
{
    struct upconf *u = calloc(1, sizeof(*u));

    if (u != NULL)
        u->config = tlsock_config_copy(all->o->up);
    if (u == NULL || u->config == NULL) {
        err->code = TLSOCK_E_NOMEM;
        snprintf(err->message, sizeof(err->message), "out of memory");
        free(u);
        return NULL;
    }
    if (apply(u->config, c) < 0) {
        *err = *tlsock_config_error(u->config);
        tlsock_config_unref(u->config);
        free(u);
        return NULL;
    }
    memcpy(u->alpn, c->alpn, sizeof(u->alpn));
    u->oldest = c->oldest;
    u->newest = c->newest;
    return u;
}

/* The first one is who was asked for last. */
static struct upconf *take_out(struct intercept *all, const struct conn *c)
{
    struct upconf **at = &all->ups, *u;
    size_t n = 0;

    for (; (u = *at) != NULL; at = &u->next, n++) {
        if (u->oldest == c->oldest && u->newest == c->newest &&
            strcmp(u->alpn, c->alpn) == 0) {
            *at = u->next;
            return u;
        }
        if (n >= CONFIGS_MOST && u->next == NULL) {
            tlsock_config_unref(u->config);
            free(u);
            *at = NULL;
            return NULL;
        }
    }
    return NULL;
}

tlsock_config *upconf_get(struct intercept *all, const struct conn *c,
                          tlsock_error *err)
{
    tlsock_config *config = NULL;
    struct upconf *u;

    pthread_mutex_lock(&all->ups_lock);
    u = take_out(all, c);
    if (u == NULL)
        u = make(all, c, err);
    if (u != NULL) {
        u->next = all->ups;
        all->ups = u;
        config = tlsock_config_ref(u->config);
    }
    pthread_mutex_unlock(&all->ups_lock);
    return config;
}

void upconf_free(struct intercept *all)
{
    while (all->ups != NULL) {
        struct upconf *u = all->ups;

        all->ups = u->next;
        tlsock_config_unref(u->config);
        free(u);
    }
}
