#include "tlsalook.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <tlsock/config.h>
#include <unbound.h>

#define TYPE_A 1
#define TYPE_AAAA 28
#define TYPE_TLSA 52
#define CLASS_IN 1
#define NO_SUCH_NAME 3

struct look {
    struct ub_ctx *ub;
    int64_t end_ms;
    struct ub_result *result; /* of the question under way */
    int done, rc;
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* As the library has it: see tlsock.conf(5), dane. */
static int set_up(struct ub_ctx *ub, const char *anchor, const char *resolver)
{
    int rc = ub_ctx_async(ub, 1);

    if (rc == 0)
        rc = ub_ctx_debugout(ub, NULL);
    if (rc == 0)
        rc = ub_ctx_set_option(ub, "do-not-query-localhost:", "no");
    if (rc == 0)
        rc = ub_ctx_set_option(ub, "unblock-lan-zones:", "yes");
    if (rc == 0 && resolver != NULL)
        rc = ub_ctx_set_fwd(ub, resolver);
    else if (rc == 0)
        (void)ub_ctx_resolvconf(ub, NULL);
    if (rc == 0)
        rc = ub_ctx_add_ta_file(ub,
                                anchor != NULL ? anchor : tlsock_dane_anchor());
    return rc == 0 ? ub_ctx_zone_remove(ub, "test.") : rc;
}

static void answered(void *arg, int rc, struct ub_result *result)
{
    struct look *l = arg;

    l->done = 1;
    l->rc = rc;
    l->result = result;
}

/* 0 and l->result, or -1: why is in out. */
static int ask(struct look *l, const char *name, int type, struct tlsalook *out)
{
    int id = 0, rc;

    l->done = l->rc = 0;
    l->result = NULL;
    rc = ub_resolve_async(l->ub, name, type, CLASS_IN, l, answered, &id);
    while (rc == 0 && !l->done) {
        struct pollfd p = {ub_fd(l->ub), POLLIN, 0};
        int64_t left = l->end_ms - now_ms();

        if (left <= 0 || poll(&p, 1, (int)left) == 0) {
            ub_cancel(l->ub, id);
            out->failed = 1;
            snprintf(out->why, sizeof(out->why), "no answer in time");
            return -1;
        }
        rc = ub_process(l->ub);
    }
    rc = rc != 0 ? rc : l->rc;
    if (rc == 0 && l->result != NULL && l->result->bogus) {
        out->bogus = 1;
        snprintf(out->why, sizeof(out->why), "%.199s",
                 l->result->why_bogus != NULL ? l->result->why_bogus : "");
    } else if (rc != 0 || l->result == NULL ||
               (l->result->rcode != 0 && l->result->rcode != NO_SUCH_NAME)) {
        out->failed = 1;
        snprintf(out->why, sizeof(out->why), "%s",
                 rc != 0 ? ub_strerror(rc) : "the name server has failed");
    } else {
        return 0;
    }
    ub_resolve_free(l->result);
    return -1;
}

/* The name that aliases lead to, and whether that is signed. */
static int address(struct look *l, const char *host, char canon[256],
                   int *secure, struct tlsalook *out)
{
    static const int types[] = {TYPE_A, TYPE_AAAA};
    int found = 0;

    for (size_t i = 0; i < 2 && !found; i++) {
        size_t len;

        if (ask(l, host, types[i], out) != 0)
            return -1;
        found = l->result->havedata;
        *secure = l->result->secure;
        snprintf(canon, 256, "%s",
                 l->result->canonname != NULL ? l->result->canonname : host);
        len = strlen(canon);
        if (len > 0 && canon[len - 1] == '.')
            canon[len - 1] = '\0';
        ub_resolve_free(l->result);
    }
    return 0;
}

static void take(struct tlsalook *out, const unsigned char *data, size_t len)
{
    struct tlsalook_record *r = &out->list[out->n];

    if (len <= 3) /* what is too short is no record */
        return;
    r->usage = data[0];
    r->selector = data[1];
    r->matching = data[2];
    r->whole = len - 3;
    r->len = r->whole < TLSALOOK_DATA ? r->whole : TLSALOOK_DATA;
    memcpy(r->data, data + 3, r->len);
    out->n++;
}

/* 1: the search has ended. */
static int records(struct look *l, const char *name, const char *port,
                   struct tlsalook *out)
{
    size_t n = 0;

    snprintf(out->owner, sizeof(out->owner), "_%.8s._tcp.%.255s", port, name);
    if (ask(l, out->owner, TYPE_TLSA, out) != 0)
        return 1;
    out->secure = l->result->secure;
    if (l->result->havedata)
        while (l->result->data[n] != NULL)
            n++;
    out->more = n > TLSALOOK_MOST ? n - TLSALOOK_MOST : 0;
    out->list = calloc(n - out->more + 1, sizeof(*out->list));
    for (size_t i = 0; out->list != NULL && i < n - out->more; i++)
        take(out, (const unsigned char *)l->result->data[i],
             (size_t)l->result->len[i]);
    ub_resolve_free(l->result);
    return out->n > 0 || out->list == NULL;
}

/* RFC 7671, 7: where aliases lead to comes first. */
static void search(struct look *l, const char *host, const char *port,
                   struct tlsalook *out)
{
    char canon[256] = "";
    int secure = 0;

    if (address(l, host, canon, &secure, out) != 0)
        return;
    if (secure && strcasecmp(canon, host) != 0) {
        if (records(l, canon, port, out) != 0)
            return;
        free(out->list);
        out->list = NULL;
    }
    (void)records(l, host, port, out);
}

int tlsalook(struct tlsalook *out, const char *host, const char *port,
             const char *anchor, const char *resolver, int timeout_ms)
{
    struct look l = {.ub = ub_ctx_create()};
    int rc;

    memset(out, 0, sizeof(*out));
    if (l.ub == NULL)
        return -1;
    l.end_ms = now_ms() + timeout_ms;
    rc = set_up(l.ub, anchor, resolver);
    if (rc == 0) {
        search(&l, host, port, out);
    } else {
        out->failed = 1;
        snprintf(out->why, sizeof(out->why), "%s", ub_strerror(rc));
    }
    ub_ctx_delete(l.ub);
    return 0;
}
