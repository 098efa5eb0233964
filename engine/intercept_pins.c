#include "intercept_pins.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 1024
#define REFUSALS 2
#define FORGET_S 3600 /* one refusal alone is forgotten after an hour */

struct pin {
    char key[320]; /* "client name"; "": free */
    int refused;
    time_t until, last;
};

struct intercept_pins {
    pthread_mutex_t lock;
    int64_t pass_s;
    struct pin v[PLACES];
};

struct intercept_pins *pins_new(int64_t pass_s)
{
    struct intercept_pins *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->pass_s = pass_s;
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

void pins_free(struct intercept_pins *p)
{
    if (p == NULL)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static void make_key(char key[320], const char *client, const char *name)
{
    memset(key, 0, 320);
    snprintf(key, 320, "%s %s", client, name);
}

static struct pin *find(struct intercept_pins *p, const char *client,
                        const char *name)
{
    char key[320];

    make_key(key, client, name);
    for (size_t i = 0; i < PLACES; i++)
        if (strcmp(p->v[i].key, key) == 0)
            return &p->v[i];
    return NULL;
}

static struct pin *make(struct intercept_pins *p, const char *client,
                        const char *name)
{
    struct pin *oldest = &p->v[0];

    for (size_t i = 1; i < PLACES && oldest->key[0] != '\0'; i++)
        if (p->v[i].key[0] == '\0' || p->v[i].last < oldest->last)
            oldest = &p->v[i];
    *oldest = (struct pin){.refused = 0};
    make_key(oldest->key, client, name);
    return oldest;
}

int pins_refused(struct intercept_pins *p, const char *client,
                 const char *name, time_t now, time_t *until)
{
    struct pin *at;
    int n;

    pthread_mutex_lock(&p->lock);
    at = find(p, client, name);
    if (at == NULL)
        at = make(p, client, name);
    if (now - at->last > FORGET_S)
        at->refused = 0;
    at->last = now;
    n = ++at->refused;
    if (n >= REFUSALS && p->pass_s > 0)
        at->until = now + (time_t)p->pass_s;
    *until = at->until;
    pthread_mutex_unlock(&p->lock);
    return n;
}

void pins_accepted(struct intercept_pins *p, const char *client,
                   const char *name)
{
    struct pin *at;

    pthread_mutex_lock(&p->lock);
    at = find(p, client, name);
    if (at != NULL)
        *at = (struct pin){.refused = 0};
    pthread_mutex_unlock(&p->lock);
}

time_t pins_passed(struct intercept_pins *p, const char *client,
                   const char *name, time_t now)
{
    struct pin *at;
    time_t until = 0;

    pthread_mutex_lock(&p->lock);
    at = find(p, client, name);
    if (at != NULL && at->until > now)
        until = at->until;
    else if (at != NULL && at->until != 0) /* over: it has to refuse anew */
        *at = (struct pin){.refused = 0};
    pthread_mutex_unlock(&p->lock);
    return until;
}
