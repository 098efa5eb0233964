#include "probe.h"

#include "evidence.h"

#include <string.h>

#define HANDSHAKE 22
#define NO_ALERT (-1)

/* The dialogue of STARTTLS is the library's: it runs over our transport until
 * it would begin with TLS. Then it is our turn. */
struct stand_in {
    tlsock *s;
    const struct opts *o; /* whose evidence it is */
    int begins;           /* 1: TLS would have begun */
};

static ssize_t pass_read(void *arg, void *buf, size_t len)
{
    struct stand_in *t = arg;
    ssize_t n = tlsock_read(t->s, buf, len);

    if (n > 0)
        evidence_hand(t->o, t->s, 0, 0, buf, (size_t)n);
    return n;
}

/* No dialogue writes anything that begins with this byte. */
static ssize_t pass_write(void *arg, const void *buf, size_t len)
{
    struct stand_in *t = arg;
    ssize_t n;

    if (len > 0 && ((const unsigned char *)buf)[0] == HANDSHAKE) {
        t->begins = 1;
        return TLSOCK_E_INTERRUPTED;
    }
    n = tlsock_write(t->s, buf, len);
    if (n > 0)
        evidence_hand(t->o, t->s, 1, 0, buf, (size_t)n);
    return n;
}

static int pass_fd(void *arg)
{
    return tlsock_fd(((struct stand_in *)arg)->s);
}

static int talk(struct probe *p, tlsock *s)
{
    const tlsock_io io = {.size = sizeof(io),
                          .read = pass_read,
                          .write = pass_write,
                          .fd = pass_fd};
    struct stand_in t = {.s = s, .o = p->o};
    tlsock *over;

    if (p->starttls == NULL || p->starttls[0] == '\0')
        return 0;
    tlsock_set_nonblocking(s, 1);
    over = tlsock_client_io(&io, &t, p->name, p->unseen,
                            TLSOCK_OPTS(.starttls = p->starttls,
                                        .starttls_arg = p->starttls_arg,
                                        .timeout_ms = p->timeout_ms),
                            &p->error);
    tlsock_abandon(over);
    tlsock_set_nonblocking(s, 0);
    return t.begins ? 0 : -1;
}

static void leave(const struct probe *p, tlsock *s)
{
    evidence_hand_end(p->o, s);
    tlsock_abandon(s);
}

static tlsock *dial(struct probe *p)
{
    const struct opts *o = p->o;
    tlsock *s;

    p->connections++;
    p->error = (tlsock_error){0};
    s = tlsock_connect(o->dial, p->config,
                       TLSOCK_OPTS(.plain = 1, .family = o->family,
                                   .local = o->local, .proxy = o->proxy,
                                   .proxy_config = o->proxy_config,
                                   .timeout_ms = p->timeout_ms),
                       &p->error);
    if (s == NULL)
        return NULL;
    tlsock_set_deadline(s, p->timeout_ms);
    if (talk(p, s) == 0)
        return s;
    leave(p, s);
    return NULL;
}

/* Until the choice is known, or the connection ends, which says no. */
static int hear(struct probe *p, tlsock *s, const struct hello_ask *ask,
                struct hello_answer *answer)
{
    uint8_t data[HELLO_ANSWER_MAX];
    enum hello_kind kind = HELLO_MORE;
    size_t have = 0;
    ssize_t n = 0;

    while (have < sizeof(data)) {
        n = tlsock_read(s, data + have, sizeof(data) - have);
        if (n <= 0)
            break;
        have += (size_t)n;
        kind = hello_read(answer, ask->want_key, data, have);
        if (kind != HELLO_MORE)
            break;
    }
    if (have != 0)
        evidence_hand(p->o, s, 0,
                      answer->version != 0 ? answer->version : ask->version,
                      data, have);
    if (kind != HELLO_MORE)
        return 1;
    if (n == 0 || n == TLSOCK_E_RESET || n == TLSOCK_E_TRUNCATED) {
        *answer = (struct hello_answer){.kind = HELLO_ALERT, .alert = NO_ALERT};
        return 1;
    }
    p->error = *tlsock_last_error(s);
    return 0;
}

int probe_once(struct probe *p, const struct hello_ask *ask,
               struct hello_answer *answer)
{
    uint8_t hello[HELLO_MAX];
    size_t len = hello_write(hello, sizeof(hello), ask);
    tlsock *s = len > 0 ? dial(p) : NULL;

    p->failed = 1;
    if (s == NULL)
        return 0;
    if (tlsock_write(s, hello, len) == (ssize_t)len) {
        evidence_hand(p->o, s, 1, ask->version, hello, len);
        p->failed = !hear(p, s, ask, answer);
    } else
        p->error = *tlsock_last_error(s);
    leave(p, s);
    return !p->failed;
}

/* Takes one out of a list, the order of the others stays. */
static size_t without(uint16_t *list, size_t n, int id)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (list[i] != id)
            list[kept++] = list[i];
    return kept;
}

int probe_takes(const struct hello_answer *a, int version)
{
    return (a->kind == HELLO_SERVER || a->kind == HELLO_RETRY) &&
           a->version == version;
}

size_t probe_suites(struct probe *p, const struct hello_ask *ask,
                    uint16_t *found)
{
    uint16_t left[PROBE_MOST];
    struct hello_ask now = *ask;
    struct hello_answer a;
    size_t n = 0;

    if (ask->n_suites > PROBE_MOST)
        return 0;
    memcpy(left, ask->suites, ask->n_suites * sizeof(*left));
    now.suites = left;
    while (now.n_suites > 0 && probe_once(p, &now, &a) &&
           probe_takes(&a, ask->version)) {
        size_t before = now.n_suites;

        now.n_suites = without(left, now.n_suites, a.suite);
        if (now.n_suites == before) /* what nobody asked for */
            break;
        found[n++] = (uint16_t)a.suite;
    }
    return n;
}

/* Before TLS 1.3 a certificate on a curve needs that curve among the groups,
 * too (RFC 8422, 5.1.1), so that it is offered behind each other one. */
static size_t groups_alone(struct probe *p, const struct hello_ask *ask,
                           int cert_group, uint16_t *found)
{
    struct hello_ask now = *ask;
    struct hello_answer a;
    size_t n = 0;

    now.want_key = 1;
    for (size_t i = 0; i < ask->n_groups; i++) {
        const uint16_t pair[2] = {ask->groups[i], (uint16_t)cert_group};

        now.groups = pair;
        now.n_groups = cert_group != 0 && cert_group != pair[0] ? 2 : 1;
        if (!probe_once(p, &now, &a))
            break;
        if (probe_takes(&a, ask->version) && a.group == pair[0])
            found[n++] = pair[0];
    }
    return n;
}

size_t probe_groups(struct probe *p, const struct hello_ask *ask,
                    int cert_group, uint16_t *found)
{
    uint16_t left[PROBE_MOST];
    struct hello_ask now = *ask;
    struct hello_answer a;
    size_t n = 0;

    if (ask->version < HELLO_TLS13)
        return groups_alone(p, ask, cert_group, found);
    if (ask->n_groups > PROBE_MOST)
        return 0;
    memcpy(left, ask->groups, ask->n_groups * sizeof(*left));
    now.groups = left;
    while (now.n_groups > 0 && probe_once(p, &now, &a) &&
           probe_takes(&a, ask->version)) {
        size_t before = now.n_groups;

        now.n_groups = without(left, now.n_groups, a.group);
        if (now.n_groups == before)
            break;
        found[n++] = (uint16_t)a.group;
    }
    return n;
}
