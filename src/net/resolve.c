#include "net/resolve.h"

#include "core/mem.h"
#include "net/addr.h"
#include "net/work.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MOST 256 /* addresses: a reply may hold thousands, none needs them */

int (*tsk_resolve_getaddrinfo)(const char *, const char *,
                               const struct addrinfo *,
                               struct addrinfo **) = getaddrinfo;
void (*tsk_resolve_freeaddrinfo)(struct addrinfo *) = freeaddrinfo;

/* What is asked and what came back. */
struct query {
    char host[256], service[64];
    int local; /* a name under localhost: nobody is asked */
    struct addrinfo hints;
    struct addrinfo *answer;
    int code;   /* EAI_* */
    int errnum; /* with EAI_SYSTEM */
};

struct tsk_lookup {
    struct tsk_work work; /* first: the pool's */
    struct query query;
};

static void ask(struct query *q)
{
    errno = 0;
    /* without a name it gives the addresses of the loopback interface */
    q->code = tsk_resolve_getaddrinfo(q->local ? NULL : q->host, q->service,
                                      &q->hints, &q->answer);
    q->errnum = errno;
    if (q->code != 0)
        q->answer = NULL;
}

static struct tsk_lookup *of_work(struct tsk_work *w)
{
    return (struct tsk_lookup *)(void *)w;
}

static void run(struct tsk_work *w)
{
    ask(&of_work(w)->query);
}

static void destroy(struct tsk_work *w)
{
    struct tsk_lookup *l = of_work(w);

    if (l->query.answer != NULL && !w->torn)
        tsk_resolve_freeaddrinfo(l->query.answer);
    tsk_free(l);
}

static int family_of(int family)
{
    return family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC;
}

/* RFC 6761, 6.3: a name server might say otherwise, and a machine may lack the
 * file that has the name. */
static int is_localhost(const char *host)
{
    size_t len = strlen(host);

    return strcmp(host, "localhost") == 0 ||
           (len > 10 && strcmp(host + len - 10, ".localhost") == 0);
}

static int query_init(struct query *q, const struct tsk_target *t, int family,
                      tlsock_error *err)
{
    int rc;

    memset(q, 0, sizeof(*q));
    rc = tsk_host_normalise(q->host, t->host, err);
    if (rc != TLSOCK_OK)
        return rc;
    memcpy(q->service, t->service, sizeof(q->service));
    q->hints.ai_family = family_of(family);
    q->hints.ai_socktype = SOCK_STREAM;
    q->local = is_localhost(q->host);
    /* Loopback does not count as an address of the machine, so asking only
     * for families that have one would hide ::1 from localhost. */
    if (family == 0 && !q->local)
        q->hints.ai_flags |= AI_ADDRCONFIG;
    if (t->is_ip != 0)
        q->hints.ai_flags |= AI_NUMERICHOST;
    if (strspn(q->service, "0123456789") == strlen(q->service))
        q->hints.ai_flags |= AI_NUMERICSERV;
    return TLSOCK_OK;
}

static int query_failed(const struct query *q, tlsock_error *err)
{
    if (q->code == EAI_MEMORY)
        return tsk_fail_nomem(err);
    if (q->code == EAI_SYSTEM)
        tsk_fail_sys(err, TLSOCK_E_RESOLVE, q->errnum,
                     "cannot resolve \"%s\" (port %s)", q->host, q->service);
    else
        tsk_fail(err, TLSOCK_E_RESOLVE, "cannot resolve \"%s\" (port %s): %s",
                 q->host, q->service, gai_strerror(q->code));
    if (q->code == EAI_SERVICE)
        tsk_hint(err, "use a port number, or a service name that "
                      "/etc/services has");
    else if (q->code == EAI_AGAIN || q->code == EAI_SYSTEM)
        tsk_hint(err, "no name server answered: is the network up, and is "
                      "/etc/resolv.conf right?");
    else
        tsk_hint(err,
                 "is the name spelt right? \"getent ahosts %.120s\" asks "
                 "the same resolver",
                 q->host);
    return TLSOCK_E_RESOLVE;
}

/* Of the two that this machine has, most programs listen on this one alone, and
 * who asks a proxy for an address has one try. */
static void ipv4_first(struct tsk_addrs *a)
{
    for (size_t i = 1; i < a->n; i++) {
        struct tsk_addr first = a->list[0];

        if (first.ss.ss_family == AF_INET)
            return;
        a->list[0] = a->list[i];
        a->list[i] = first;
    }
}

static int take_answer(struct tsk_addrs *out, struct query *q,
                       tlsock_error *err)
{
    size_t n = 0;

    if (q->code != 0)
        return query_failed(q, err);
    for (struct addrinfo *a = q->answer; a != NULL && n < MOST; a = a->ai_next)
        n++;
    out->list = tsk_alloc((n + 1) * sizeof(*out->list));
    if (out->list == NULL)
        return tsk_fail_nomem(err);
    out->n = 0;
    for (struct addrinfo *a = q->answer; a != NULL && out->n < n;
         a = a->ai_next) {
        struct tsk_addr *to = &out->list[out->n];

        if ((a->ai_family != AF_INET && a->ai_family != AF_INET6) ||
            a->ai_addrlen > sizeof(to->ss))
            continue;
        memcpy(&to->ss, a->ai_addr, a->ai_addrlen);
        to->len = a->ai_addrlen;
        out->n++;
    }
    if (q->local)
        ipv4_first(out);
    if (out->n > 0)
        return TLSOCK_OK;
    tsk_addrs_free(out);
    q->code = EAI_NONAME;
    return query_failed(q, err);
}

static int ask_now(struct tsk_addrs *out, const struct tsk_target *t,
                   int family, tlsock_error *err)
{
    struct query q;
    int rc = query_init(&q, t, family, err);

    if (rc != TLSOCK_OK)
        return rc;
    ask(&q);
    rc = take_answer(out, &q, err);
    if (q.answer != NULL)
        tsk_resolve_freeaddrinfo(q.answer);
    return rc;
}

int tsk_resolve_now(struct tsk_addrs *out, const struct tsk_target *t,
                    int family, tlsock_error *err)
{
    struct tsk_target known = *t;
    int rc = tsk_resolve_numeric(out, t, family, err);

    if (rc != 0)
        return rc < 0 ? rc : TLSOCK_OK;
    if (t->host[0] != '\0' && !t->is_ip)
        return ask_now(out, t, family, err);
    /* Only the port has a name. */
    memcpy(known.host, "127.0.0.1", 10);
    known.is_ip = 4;
    rc = ask_now(out, &known, 4, err);
    if (rc != TLSOCK_OK)
        return rc;
    snprintf(known.service, sizeof(known.service), "%d",
             ntohs(((struct sockaddr_in *)&out->list[0].ss)->sin_port));
    tsk_addrs_free(out);
    memcpy(known.host, t->host, sizeof(known.host));
    known.is_ip = t->is_ip;
    rc = tsk_resolve_numeric(out, &known, family, err);
    return rc < 0 ? rc : TLSOCK_OK;
}

struct tsk_lookup *tsk_lookup_start(const struct tsk_target *t, int family,
                                    tlsock_error *err)
{
    struct tsk_lookup *l = tsk_alloc(sizeof(*l));

    if (l == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    tsk_work_init(&l->work, run, destroy);
    if (query_init(&l->query, t, family, err) == TLSOCK_OK &&
        tsk_work_start(&l->work, l->query.host, err) == TLSOCK_OK)
        return l;
    destroy(&l->work);
    return NULL;
}

int tsk_lookup_fd(const struct tsk_lookup *l)
{
    return tsk_work_fd(&l->work);
}

int tsk_lookup_result(struct tsk_lookup *l, struct tsk_addrs *out,
                      tlsock_error *err)
{
    int rc = tsk_work_done(&l->work, l->query.host, err);

    return rc < 0 ? rc : take_answer(out, &l->query, err);
}

void tsk_lookup_free(struct tsk_lookup *l)
{
    if (l != NULL)
        tsk_work_end(&l->work);
}
