/* A program between the two directions of one connection. */
#include "intercept_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTION 2048

/* A name of the network as a JSON string: what is not plain is left out. */
static void quote(char *out, size_t size, const char *text)
{
    size_t used = 0;

    for (; *text != '\0' && used + 1 < size; text++)
        if (*text >= ' ' && *text < 127 && *text != '"' && *text != '\\')
            out[used++] = *text;
    out[used] = '\0';
}

static int describe(const struct conn *c, struct chan *to)
{
    char json[DESCRIPTION], target[264], sni[256];

    quote(target, sizeof(target), c->target);
    quote(sni, sizeof(sni), c->sni);
    snprintf(json, sizeof(json),
             "{\"schema\":\"tlsock.intercept-exec/1\",\"id\":%lu,"
             "\"client\":\"%s\",\"target\":\"%s\",\"sni\":\"%s\","
             "\"tls\":%s}",
             c->id, c->client, target, sni, c->down != NULL ? "true" : "false");
    return frames_hello(json, to);
}

int hook_start(struct conn *c)
{
    struct hook *h = calloc(1, sizeof(*h));
    int rc;

    if (h == NULL)
        return ENOMEM;
    h->program = (struct program)PROGRAM_NONE;
    c->hook = h;
    for (int i = 0; i < 2; i++) {
        c->from[i] = calloc(1, sizeof(struct chan));
        if (c->to[i] == NULL)
            c->to[i] = calloc(1, sizeof(struct chan));
        if (c->from[i] == NULL || c->to[i] == NULL)
            return ENOMEM;
    }
    rc = program_start(&h->program, c->loop->base, c->o->argv, conn_go_on, c);
    if (rc != 0)
        return rc;
    return describe(c, &h->in) == 0 ? 0 : EMSGSIZE;
}

int hook_step(struct conn *c)
{
    struct hook *h = c->hook;
    int moved = 0, rc;

    for (int i = 0; i < 2; i++)
        moved |= frames_put(&h->frames, i, c->from[i], &h->in);
    moved |= program_take(&h->program, &h->in);
    moved |= program_give(&h->program, &h->out);
    rc = frames_take(&h->frames, &h->out, c->to[CLIENT], c->to[SERVER]);
    if (rc < 0)
        return conn_fail(c, INTERCEPT_FAIL, NULL,
                         "the program's output is no frame");
    /* it has ended: what it would have let through is not known */
    if (h->out.over && h->out.off == h->out.len &&
        !(c->to[CLIENT]->over && c->to[SERVER]->over))
        return conn_fail(c, INTERCEPT_FAIL, NULL,
                         "the program ended before the connection");
    return moved | rc;
}

void hook_rearm(struct conn *c)
{
    if (program_rearm(&c->hook->program, &c->hook->in, &c->hook->out) < 0)
        c->deaf = 1;
}

void hook_free(struct conn *c)
{
    if (c->hook == NULL)
        return;
    program_close(&c->hook->program);
    free(c->hook);
    c->hook = NULL;
}
