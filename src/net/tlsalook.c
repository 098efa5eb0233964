#include "core/mem.h"
#include "core/str.h"
#include "net/tlsa.h"
#include "net/work.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct tsk_tlsa_lookup {
    struct tsk_work work; /* first: the pool's */
    struct tsk_dns *dns;
    char host[256], service[64];
    int port;
    struct tsk_tlsa_set set;
};

static struct tsk_tlsa_lookup *of_work(struct tsk_work *w)
{
    return (struct tsk_tlsa_lookup *)(void *)w;
}

static const char *type_name(int type)
{
    switch (type) {
    case TSK_DNS_A:
        return "A";
    case TSK_DNS_AAAA:
        return "AAAA";
    case TSK_DNS_CNAME:
        return "CNAME";
    default:
        return "TLSA";
    }
}

/* Ends the lookup, with the reason. */
static void settle(struct tsk_tlsa_lookup *l, enum tsk_tlsa_state state,
                   const char *name, int type, const struct tsk_dns_answer *a)
{
    struct tsk_tlsa_set *set = &l->set;

    set->state = state;
    set->no_memory = a->no_memory;
    set->no_anchor = a->no_anchor;
    snprintf(set->why, sizeof(set->why), "%s of %.140s%s%.140s",
             type_name(type), name, a->why[0] != '\0' ? ": " : "", a->why);
}

/* 0: an answer that counts, in *a; else the lookup has ended. */
static int ask(struct tsk_tlsa_lookup *l, const char *name, int type,
               struct tsk_dns_answer *a)
{
    tsk_dns_ask(l->dns, name, type, a);
    if (a->state == TSK_DNS_BOGUS)
        settle(l, TSK_TLSA_BOGUS, name, type, a);
    else if (a->state == TSK_DNS_FAILED)
        settle(l, TSK_TLSA_FAILED, name, type, a);
    else
        return 0;
    tsk_dns_answer_free(a);
    return -1;
}

/* Addresses of the host: 0, with whether they are secure and the name that
 * CNAMEs lead to. */
static int address(struct tsk_tlsa_lookup *l, int *secure, char canon[256])
{
    static const int types[] = {TSK_DNS_A, TSK_DNS_AAAA};
    struct tsk_dns_answer a;
    size_t found = 0;

    for (size_t i = 0; i < 2 && found == 0; i++) {
        if (ask(l, l->host, types[i], &a) != 0)
            return -1;
        found = a.n;
        *secure = a.state == TSK_DNS_SECURE;
        snprintf(canon, 256, "%s", a.canon[0] != '\0' ? a.canon : l->host);
        if (!*secure)
            settle(l, TSK_TLSA_INSECURE, l->host, types[i], &a);
        tsk_dns_answer_free(&a);
    }
    return 0;
}

/* What a name has: 1 the lookup has ended, 0 nothing, and that is signed. */
static int records(struct tsk_tlsa_lookup *l, const char *name)
{
    struct tsk_tlsa_set *set = &l->set;
    struct tsk_dns_answer *a = &set->answer;

    snprintf(set->base, sizeof(set->base), "%s", name);
    snprintf(set->owner, sizeof(set->owner), "_%d._tcp.%s", l->port, name);
    if (ask(l, set->owner, TSK_DNS_TLSA, a) != 0)
        return 1;
    if (a->state == TSK_DNS_INSECURE) {
        settle(l, TSK_TLSA_INSECURE, set->owner, TSK_DNS_TLSA, a);
        tsk_dns_answer_free(a);
        return 1;
    }
    if (a->n == 0) {
        tsk_dns_answer_free(a);
        set->state = TSK_TLSA_NONE;
        return 0;
    }
    set->state = TSK_TLSA_THERE;
    set->more = a->more;
    for (size_t i = 0; i < a->n; i++) /* what is too short is no record */
        if (tsk_tlsa_parse(&set->list[set->n], a->rr[i].data, a->rr[i].len) ==
            0)
            set->n++;
    return 1;
}

/* The first CNAME may be signed though what follows is not. */
static int alias_is_secure(struct tsk_tlsa_lookup *l, int *secure)
{
    struct tsk_dns_answer a;

    if (ask(l, l->host, TSK_DNS_CNAME, &a) != 0)
        return -1;
    *secure = a.state == TSK_DNS_SECURE && a.n > 0;
    tsk_dns_answer_free(&a);
    return 0;
}

static int find_port(struct tsk_tlsa_lookup *l)
{
    struct servent entry, *found = NULL;
    char buf[1024];
    int64_t n;

    if (tsk_number(l->service, 1, 65535, &n) == 0)
        l->port = (int)n;
    else if (getservbyname_r(l->service, "tcp", &entry, buf, sizeof(buf),
                             &found) == 0 &&
             found != NULL)
        l->port = ntohs((uint16_t)found->s_port);
    return l->port != 0 ? 0 : -1;
}

static void run(struct tsk_work *w)
{
    struct tsk_tlsa_lookup *l = of_work(w);
    char canon[256];
    int secure = 0;

    if (find_port(l) != 0) {
        l->set.state = TSK_TLSA_FAILED;
        snprintf(l->set.why, sizeof(l->set.why), "the port \"%s\" is unknown",
                 l->service);
        return;
    }
    if (address(l, &secure, canon) != 0)
        return;
    if (secure && strcmp(canon, l->host) != 0 && records(l, canon) != 0)
        return;
    if (!secure && (strcmp(canon, l->host) == 0 ||
                    alias_is_secure(l, &secure) != 0 || !secure))
        return;
    (void)records(l, l->host);
}

static void destroy(struct tsk_work *w)
{
    struct tsk_tlsa_lookup *l = of_work(w);

    if (!w->torn)
        tsk_dns_answer_free(&l->set.answer);
    tsk_dns_unref(l->dns);
    tsk_free(l);
}

struct tsk_tlsa_lookup *tsk_tlsa_start(struct tsk_dns *dns, const char *host,
                                       const char *service, tlsock_error *err)
{
    struct tsk_tlsa_lookup *l = tsk_alloc(sizeof(*l));

    if (l == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    tsk_work_init(&l->work, run, destroy);
    l->dns = tsk_dns_ref(dns);
    snprintf(l->host, sizeof(l->host), "%s", host);
    snprintf(l->set.base, sizeof(l->set.base), "%s", host);
    snprintf(l->service, sizeof(l->service), "%s", service);
    if (tsk_work_start(&l->work, l->host, err) == TLSOCK_OK)
        return l;
    destroy(&l->work);
    return NULL;
}

int tsk_tlsa_fd(const struct tsk_tlsa_lookup *l)
{
    return tsk_work_fd(&l->work);
}

int tsk_tlsa_result(struct tsk_tlsa_lookup *l, const struct tsk_tlsa_set **set,
                    tlsock_error *err)
{
    int rc = tsk_work_done(&l->work, l->host, err);

    if (rc == TLSOCK_OK)
        *set = &l->set;
    return rc;
}

int tsk_tlsa_port(const struct tsk_tlsa_lookup *l)
{
    return l->port;
}

void tsk_tlsa_free(struct tsk_tlsa_lookup *l)
{
    if (l != NULL)
        tsk_work_end(&l->work);
}
