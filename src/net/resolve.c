#include "net/resolve.h"

#include "core/mem.h"
#include "net/addr.h"
#include "net/wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MOST 256 /* addresses: a reply may hold thousands, none needs them */
#define STACK_SIZE ((size_t)256 * 1024) /* NSS modules use buffers of 64 KiB */

int (*tsk_resolve_getaddrinfo)(const char *, const char *,
                               const struct addrinfo *,
                               struct addrinfo **) = getaddrinfo;
void (*tsk_resolve_freeaddrinfo)(struct addrinfo *) = freeaddrinfo;

/* What is asked and what came back. */
struct query {
    char host[256], service[64];
    struct addrinfo hints;
    struct addrinfo *answer;
    int code;   /* EAI_* */
    int errnum; /* with EAI_SYSTEM */
};

/* Owned by the caller's lookup and, until it is through with it, by the pool:
 * all fields but query are guarded by pool.lock. */
struct tsk_lookup {
    struct query query;
    struct tsk_lookup *next;
    pid_t pid;     /* a fork's child has no threads that could answer */
    int fd;        /* eventfd; -1 once the caller gave up */
    int queued;    /* in line: no thread has it yet */
    int abandoned; /* the thread that has it frees it */
    int done;
};

static struct {
    pthread_mutex_t lock;
    struct tsk_lookup *first, *last;
    int threads;
} pool = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL, 0};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void before_fork(void)
{
    pthread_mutex_lock(&pool.lock);
}

static void in_parent(void)
{
    pthread_mutex_unlock(&pool.lock);
}

/* Nobody is left to answer what the parent asked; new lookups start afresh. */
static void in_child(void)
{
    pool.first = NULL;
    pool.last = NULL;
    pool.threads = 0;
    pthread_mutex_unlock(&pool.lock);
}

static void init(void)
{
    pthread_atfork(before_fork, in_parent, in_child);
}

void tsk_resolve_watch_forks(void)
{
    pthread_once(&once, init);
}

static void ask(struct query *q)
{
    errno = 0;
    q->code = tsk_resolve_getaddrinfo(q->host, q->service, &q->hints,
                                      &q->answer);
    q->errnum = errno;
    if (q->code != 0)
        q->answer = NULL;
}

static void destroy(struct tsk_lookup *l)
{
    if (l->query.answer != NULL)
        tsk_resolve_freeaddrinfo(l->query.answer);
    if (l->fd >= 0)
        tsk_wait_close(l->fd);
    tsk_free(l);
}

static void wake(int fd)
{
    static const uint64_t one = 1;
    ssize_t n;

    do /* an eventfd at 0 takes it at once: it is only written here */
        n = write(fd, &one, sizeof(one));
    while (n < 0 && errno == EINTR);
}

/* Takes lookups until the line is empty. */
static void *work(void *unused)
{
    struct tsk_lookup *l;

    (void)unused;
    pthread_mutex_lock(&pool.lock);
    while (pool.first != NULL) {
        l = pool.first;
        pool.first = l->next;
        l->queued = 0;
        pthread_mutex_unlock(&pool.lock);
        ask(&l->query);
        pthread_mutex_lock(&pool.lock);
        l->done = 1;
        if (l->abandoned)
            destroy(l);
        else
            wake(l->fd);
    }
    pool.threads--;
    pthread_mutex_unlock(&pool.lock);
    return NULL;
}

/* A thread that takes no signal: handlers are the program's, for its own. */
static int spawn(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, old;
    int rc;

    sigfillset(&all);
    rc = pthread_attr_init(&attr);
    if (rc != 0)
        return rc;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&thread, &attr, work, NULL);
    if (rc == EINVAL) { /* much thread-local memory: the usual stack then */
        pthread_attr_destroy(&attr);
        pthread_attr_init(&attr);
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        rc = pthread_create(&thread, &attr, work, NULL);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return rc;
}

static void dequeue(struct tsk_lookup *l)
{
    struct tsk_lookup **p = &pool.first, *before = NULL;

    while (*p != NULL && *p != l) {
        before = *p;
        p = &(*p)->next;
    }
    if (*p == l)
        *p = l->next;
    if (pool.last == l)
        pool.last = before;
}

/* In line, with a thread to take it. errno value, 0 is good. */
static int enqueue(struct tsk_lookup *l)
{
    int rc = 0;

    pthread_mutex_lock(&pool.lock);
    l->queued = 1;
    if (pool.first == NULL)
        pool.first = l;
    else
        pool.last->next = l;
    pool.last = l;
    if (pool.threads < TSK_RESOLVE_THREADS) {
        rc = spawn();
        if (rc == 0)
            pool.threads++;
        else if (pool.threads > 0)
            rc = 0; /* one of those that run will come to it */
        else
            dequeue(l);
    }
    pthread_mutex_unlock(&pool.lock);
    return rc;
}

static int family_of(int family)
{
    return family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC;
}

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
    /* Loopback does not count as an address of the machine, so asking only
     * for families that have one would hide ::1 from localhost. */
    if (family == 0 && !is_localhost(q->host))
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
        tsk_hint(err, "is the name spelt right? \"getent ahosts %.120s\" asks "
                      "the same resolver", q->host);
    return TLSOCK_E_RESOLVE;
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
    int rc;

    if (l == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    pthread_once(&once, init);
    l->fd = -1;
    l->pid = getpid();
    if (query_init(&l->query, t, family, err) != TLSOCK_OK)
        goto fail;
    l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->fd < 0) {
        tsk_fail_sys(err, TLSOCK_E_SYSTEM, errno,
                     "cannot wait for the resolver");
        tsk_hint(err, "close descriptors or raise the limit (ulimit -n)");
        goto fail;
    }
    rc = enqueue(l);
    if (rc != 0) {
        tsk_fail_sys(err, TLSOCK_E_SYSTEM, rc,
                     "cannot start a thread to resolve \"%s\"",
                     l->query.host);
        goto fail;
    }
    return l;
fail:
    destroy(l);
    return NULL;
}

int tsk_lookup_fd(const struct tsk_lookup *l)
{
    return l->fd;
}

int tsk_lookup_result(struct tsk_lookup *l, struct tsk_addrs *out,
                      tlsock_error *err)
{
    int done;

    if (l->pid != getpid())
        return tsk_fail(err, TLSOCK_E_FORKED,
                        "\"%s\" is being resolved by another process",
                        l->query.host);
    pthread_mutex_lock(&pool.lock);
    done = l->done;
    pthread_mutex_unlock(&pool.lock);
    if (!done)
        return TLSOCK_AGAIN;
    return take_answer(out, &l->query, err);
}

void tsk_lookup_free(struct tsk_lookup *l)
{
    int ours = 1;

    if (l == NULL)
        return;
    pthread_mutex_lock(&pool.lock);
    if (l->pid != getpid()) {
        /* A thread of the parent may have been about to write the answer. */
        if (!l->done)
            l->query.answer = NULL;
    } else if (l->queued) {
        dequeue(l);
    } else if (!l->done) {
        tsk_wait_close(l->fd);
        l->fd = -1;
        l->abandoned = 1;
        ours = 0;
    }
    pthread_mutex_unlock(&pool.lock);
    if (ours)
        destroy(l);
}
