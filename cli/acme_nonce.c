/* Nonces of requests (RFC 8555, 6.5): bounded, in all and for each origin, so
 * that nobody makes those of others worthless. Who has too many, or is last of
 * all, finds its oldest given up: clients answer badNonce with the next. */
#include "acme_private.h"

#include <string.h>

/* Where the next one of this origin goes. */
static struct acme_nonce *place_for(struct acme *a, const char *origin)
{
    struct acme_nonce *oldest = &a->nonces[0], *own = NULL;
    size_t n = 0;

    for (size_t i = 0; i < ACME_NONCES; i++) {
        struct acme_nonce *at = &a->nonces[i];

        if (at->given < oldest->given)
            oldest = at;
        if (at->given == 0 || strcmp(at->origin, origin) != 0)
            continue;
        n++;
        if (own == NULL || at->given < own->given)
            own = at;
    }
    return origin[0] != '\0' && n >= ACME_NONCES_EACH ? own : oldest;
}

void acme_nonce_give(struct acme_call *c)
{
    struct acme *a = c->acme;
    struct acme_nonce *n = place_for(a, c->request->origin);

    memset(n, 0, sizeof(*n));
    if (acme_random_id(n->id) < 0)
        return;
    snprintf(n->origin, sizeof(n->origin), "%s", c->request->origin);
    n->given = ++a->given;
    http_field(c->out, "Replay-Nonce", "%s", n->id);
}

int acme_nonce_take(struct acme_call *c, const char *nonce)
{
    const void *conn = c->request->conn;

    if (nonce == NULL || strlen(nonce) != ACME_ID - 1)
        return 0;
    for (size_t i = 0; i < ACME_NONCES; i++) {
        struct acme_nonce *n = &c->acme->nonces[i];

        if (n->given == 0 || strcmp(n->id, nonce) != 0)
            continue;
        if (n->holder != NULL && n->holder != conn)
            return 0;
        n->holder = conn;
        c->nonce = n;
        return 1;
    }
    return 0;
}

void acme_nonce_end(struct acme_call *c)
{
    if (c->nonce != NULL)
        memset(c->nonce, 0, sizeof(*c->nonce));
    c->nonce = NULL;
}
