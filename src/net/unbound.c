/* libunbound as our validating resolver. */
#include "core/mem.h"
#include "core/str.h"
#include "net/dns.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unbound.h>
#include <unistd.h>

#define CLASS_IN 1

struct tsk_dns {
    atomic_int refs;
    pthread_mutex_t lock; /* over ub and pid */
    struct ub_ctx *ub;    /* NULL: nobody asked yet */
    pid_t pid;            /* whose it is: see forked() */
    char *anchor, *resolver;
    struct tsk_dns *orphans; /* in the list below */
};

/* Contexts that a fork took from their threads: their locks may be held for
 * good, so that they cannot even be freed. */
static struct {
    pthread_mutex_t lock;
    struct tsk_dns *first;
} orphans = {PTHREAD_MUTEX_INITIALIZER, NULL};

int tsk_dns_there(void)
{
    return 1;
}

static int check_file(const char *path, tlsock_error *err)
{
    struct stat st;
    int rc = stat(path, &st), saved = rc != 0 ? errno : 0;

    if (rc == 0 && access(path, R_OK) != 0)
        saved = errno;
    if (saved != 0)
        tsk_fail_sys(err, TLSOCK_E_TRUST_STORE, saved,
                     "cannot read the DNSSEC trust anchor %.200s", path);
    else if (!S_ISREG(st.st_mode) || st.st_size == 0)
        tsk_fail(err, TLSOCK_E_TRUST_STORE,
                 "the DNSSEC trust anchor %.200s is %s", path,
                 S_ISREG(st.st_mode) ? "empty" : "no file");
    else
        return TLSOCK_OK;
    tsk_hint(err, "dane.anchor is a file with the DS or DNSKEY records of the "
                  "zone that is trusted, usually the root");
    return TLSOCK_E_TRUST_STORE;
}

struct tsk_dns *tsk_dns_new(const char *anchor, const char *resolver,
                            tlsock_error *err)
{
    char found[256], tried[512];
    struct tsk_dns *d;

    if (anchor == NULL) {
        if (tsk_dns_anchor(found, sizeof(found), tried, sizeof(tried), err) < 0)
            return NULL;
        anchor = found;
    }
    if (check_file(anchor, err) < 0)
        return NULL;
    d = tsk_alloc(sizeof(*d));
    if (d == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    atomic_init(&d->refs, 1);
    pthread_mutex_init(&d->lock, NULL);
    d->anchor = tsk_strdup(anchor);
    if (resolver != NULL)
        d->resolver = tsk_strdup(resolver);
    if (d->anchor != NULL && (resolver == NULL || d->resolver != NULL))
        return d;
    tsk_fail_nomem(err);
    tsk_dns_unref(d);
    return NULL;
}

struct tsk_dns *tsk_dns_ref(struct tsk_dns *d)
{
    atomic_fetch_add(&d->refs, 1);
    return d;
}

/* Kept for good, where leak checkers see it. */
static void orphan(struct ub_ctx *ub)
{
    struct tsk_dns *grave = tsk_alloc(sizeof(*grave));

    if (grave == NULL)
        return;
    grave->ub = ub;
    pthread_mutex_lock(&orphans.lock);
    grave->orphans = orphans.first;
    orphans.first = grave;
    pthread_mutex_unlock(&orphans.lock);
}

void tsk_dns_unref(struct tsk_dns *d)
{
    if (d == NULL || atomic_fetch_sub(&d->refs, 1) != 1)
        return;
    if (d->ub != NULL && d->pid != getpid())
        orphan(d->ub);
    else if (d->ub != NULL)
        ub_ctx_delete(d->ub);
    pthread_mutex_destroy(&d->lock);
    tsk_free(d->anchor);
    tsk_free(d->resolver);
    tsk_free(d);
}

/* Name servers on loopback are common, and test. is often somebody's: the
 * resolver is not to answer for it itself, from what it has built in. */
static int set_up(struct ub_ctx *ub, const struct tsk_dns *d)
{
    int rc = ub_ctx_set_option(ub, "do-not-query-localhost:", "no");

    if (rc == 0)
        rc = ub_ctx_set_option(ub, "unblock-lan-zones:", "yes");
    if (rc == 0)
        rc = ub_ctx_debugout(ub, NULL); /* a library prints nothing */
    if (rc == 0 && d->resolver != NULL)
        rc = ub_ctx_set_fwd(ub, d->resolver);
    else if (rc == 0) /* no file, or no server in it: the root's are asked */
        (void)ub_ctx_resolvconf(ub, NULL);
    if (rc == 0)
        rc = ub_ctx_add_ta_file(ub, d->anchor);
    return rc == 0 ? ub_ctx_zone_remove(ub, "test.") : rc;
}

/* The context, made by whoever asks first in this process; or a code of
 * libunbound in *rc. */
static struct ub_ctx *context(struct tsk_dns *d, int *rc)
{
    struct ub_ctx *ub;

    *rc = 0;
    pthread_mutex_lock(&d->lock);
    if (d->ub != NULL && d->pid != getpid()) {
        orphan(d->ub);
        d->ub = NULL;
    }
    if (d->ub == NULL) {
        d->pid = getpid();
        d->ub = ub_ctx_create();
        *rc = d->ub != NULL ? set_up(d->ub, d) : UB_NOMEM;
        if (*rc != 0 && d->ub != NULL) {
            ub_ctx_delete(d->ub);
            d->ub = NULL;
        }
    }
    ub = d->ub;
    pthread_mutex_unlock(&d->lock);
    return ub;
}

static void failed(const struct tsk_dns *d, int rc, struct tsk_dns_answer *out)
{
    out->state = TSK_DNS_FAILED;
    out->no_memory = rc == UB_NOMEM;
    out->no_anchor = rc == UB_INITFAIL || rc == UB_READFILE || rc == UB_SYNTAX;
    if (out->no_anchor)
        snprintf(out->why, sizeof(out->why),
                 "the trust anchor %.140s cannot be used", d->anchor);
    else
        snprintf(out->why, sizeof(out->why), "%s", ub_strerror(rc));
}

static void take_name(char *out, size_t size, const char *name)
{
    size_t len = name != NULL ? strlen(name) : 0;

    if (len > 0 && name[len - 1] == '.')
        len--;
    if (len >= size)
        len = 0; /* no name is that long */
    for (size_t i = 0; i < len; i++)
        out[i] = (char)tolower((unsigned char)name[i]);
    out[len] = '\0';
}

static int take_records(struct tsk_dns_answer *out, const struct ub_result *r)
{
    size_t n = 0, bytes = 0, at = 0;

    for (; r->data != NULL && r->data[n] != NULL; n++)
        if (n < TSK_DNS_MOST)
            bytes += (size_t)r->len[n];
    out->more = n > TSK_DNS_MOST ? n - TSK_DNS_MOST : 0;
    n -= out->more;
    out->bytes = tsk_alloc(bytes + 1);
    if (out->bytes == NULL)
        return -1;
    for (; out->n < n; out->n++) {
        size_t len = (size_t)r->len[out->n];

        memcpy(out->bytes + at, r->data[out->n], len);
        out->rr[out->n].data = out->bytes + at;
        out->rr[out->n].len = len;
        at += len;
    }
    return 0;
}

static void take(struct tsk_dns_answer *out, const struct ub_result *r)
{
    static const char *const codes[] = {"no error",        "format error",
                                        "server failure",  "no such name",
                                        "not implemented", "refused"};

    take_name(out->canon, sizeof(out->canon), r->canonname);
    if (r->bogus) {
        out->state = TSK_DNS_BOGUS;
        tsk_printable(out->why, sizeof(out->why),
                      r->why_bogus != NULL ? r->why_bogus : "",
                      r->why_bogus != NULL ? strlen(r->why_bogus) : 0);
        return;
    }
    if (r->rcode != 0 && r->rcode != 3) {
        out->state = TSK_DNS_FAILED;
        snprintf(out->why, sizeof(out->why), "%s",
                 r->rcode > 0 && r->rcode < 6 ? codes[r->rcode]
                                              : "an error of the server");
        return;
    }
    out->state = r->secure ? TSK_DNS_SECURE : TSK_DNS_INSECURE;
    if (r->havedata && take_records(out, r) != 0) {
        out->state = TSK_DNS_FAILED;
        out->no_memory = 1;
    }
}

void tsk_dns_query(struct tsk_dns *d, const char *name, int type,
                   struct tsk_dns_answer *out)
{
    struct ub_result *r = NULL;
    struct ub_ctx *ub;
    int rc;

    memset(out, 0, sizeof(*out));
    ub = context(d, &rc);
    if (ub != NULL)
        rc = ub_resolve(ub, name, type, CLASS_IN, &r);
    if (rc != 0)
        failed(d, rc, out);
    else
        take(out, r);
    if (r != NULL)
        ub_resolve_free(r);
}
