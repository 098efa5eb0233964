/* The chain that a server should send, out of certificates in any order. */
#include "cert/order.h"

#include "core/clock.h"
#include "core/mem.h"
#include "ossl/queue.h"

#include <openssl/x509v3.h>
#include <string.h>

#define MOST 100             /* certificates */
#define MOST_SIGNATURES 2000 /* each is checked once */
#define MOST_STEPS 20000     /* of the search among cross-signed ones */

struct path {
    int at[MOST]; /* numbers of certificates, the leaf first */
    int len, expired, sent;
};

struct search {
    X509 *x[MOST];
    int n, leaf, signatures, steps;
    int64_t now;
    signed char issued[MOST][MOST]; /* by the first index: 1, 0, -1 not asked */
    struct path now_at, best;
};

/* Names, key identifiers and the signature itself: a renewed CA often has the
 * name of the old one. */
int tsk_cert_issued(X509 *issuer, X509 *x)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);

    return key != NULL && X509_check_issued(issuer, x) == X509_V_OK &&
           X509_verify(x, key) == 1;
}

static int issued(struct search *s, int issuer, int of)
{
    signed char *known = &s->issued[issuer][of];

    if (*known < 0) {
        *known = 0;
        if (X509_check_issued(s->x[issuer], s->x[of]) == X509_V_OK &&
            s->signatures++ < MOST_SIGNATURES)
            *known = tsk_cert_issued(s->x[issuer], s->x[of]) != 0;
    }
    return *known;
}

/* The same CA, whoever vouches for it: cross-signed, or its own root. */
static int same_entity(X509 *a, X509 *b)
{
    EVP_PKEY *one = X509_get0_pubkey(a), *two = X509_get0_pubkey(b);

    return X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) ==
               0 &&
           one != NULL && two != NULL && EVP_PKEY_eq(one, two) == 1;
}

static int issued_another(struct search *s, int i)
{
    for (int k = 0; k < s->n; k++)
        if (k != i && issued(s, i, k) && !same_entity(s->x[i], s->x[k]))
            return 1;
    return 0;
}

/* Is the path under way better than the best so far? No certificate in it is
 * expired, it leads on further, more of it can be sent: in this order. */
static int is_better(const struct path *a, const struct path *b)
{
    if (b->len == 0 || a->expired != b->expired)
        return b->len == 0 || a->expired < b->expired;
    if (a->len != b->len)
        return a->len > b->len;
    return a->sent > b->sent;
}

static int is_on(const struct path *p, X509 *const *x, int candidate)
{
    for (int i = 0; i < p->len; i++)
        if (p->at[i] == candidate || same_entity(x[p->at[i]], x[candidate]))
            return 1;
    return 0;
}

static void push(struct search *s, int i)
{
    struct path *p = &s->now_at;
    int64_t to = tsk_cert_time(X509_get0_notAfter(s->x[i]));

    p->expired += to < s->now;
    p->sent += p->len == 0 || !issued(s, i, i);
    p->at[p->len++] = i;
}

static void pop(struct search *s)
{
    struct path *p = &s->now_at;
    int i = p->at[--p->len];
    int64_t to = tsk_cert_time(X509_get0_notAfter(s->x[i]));

    p->expired -= to < s->now;
    p->sent -= p->len == 0 || !issued(s, i, i);
}

/* Every way up from the last one of the path; at most MOST deep. */
static void climb(struct search *s)
{
    int last = s->now_at.at[s->now_at.len - 1], more = 0;

    if (!issued(s, last, last))
        for (int i = 0; i < s->n; i++) {
            if (s->steps >= MOST_STEPS && s->best.len > 0)
                return;
            s->steps++;
            if (!issued(s, i, last) || is_on(&s->now_at, s->x, i))
                continue;
            more = 1;
            push(s, i);
            climb(s);
            pop(s);
        }
    if (!more && is_better(&s->now_at, &s->best))
        s->best = s->now_at;
}

static void climb_from(struct search *s, int leaf)
{
    s->leaf = leaf;
    s->now_at = (struct path){0};
    push(s, leaf);
    climb(s);
}

static int is_end_entity(X509 *x)
{
    return X509_check_ca(x) == 0;
}

/* Two leaves in one file are for the user to part: which one is meant? */
static int two_leaves(const struct search *s, int a, int b, tlsock_error *err)
{
    char one[80], two[80], until[32], until2[32];

    tsk_cert_short_name(s->x[a], one, sizeof(one));
    tsk_cert_short_name(s->x[b], two, sizeof(two));
    tsk_cert_date(X509_get0_notAfter(s->x[a]), until);
    tsk_cert_date(X509_get0_notAfter(s->x[b]), until2);
    tsk_fail(err, TLSOCK_E_CERT_INVALID,
             "there is more than one leaf: \"%s\" (until %.10s) and \"%s\" "
             "(until %.10s) issued none of the other certificates",
             one, until, two, until2);
    tsk_hint(err, "keep the one that is meant, in a file of its own with its "
                  "chain, or add its private key, which tells");
    tsk_facts(err, NULL, two, one);
    return TLSOCK_E_CERT_INVALID;
}

/* The leaf, if no key tells: it issued none of the others. CAs that do the
 * same are strangers beside an end entity's certificate. */
static int find_leaf(struct search *s, tlsock_error *err)
{
    int found = -1;

    for (int pass = 0; pass < 2 && found < 0; pass++)
        for (int i = 0; i < s->n; i++) {
            if (is_end_entity(s->x[i]) != (pass == 0) || issued_another(s, i))
                continue;
            if (found < 0)
                found = i;
            else if (pass == 0 || !same_entity(s->x[i], s->x[found]))
                return two_leaves(s, found, i, err);
        }
    if (found >= 0) {
        climb_from(s, found);
        return TLSOCK_OK;
    }
    tsk_fail(err, TLSOCK_E_CERT_INVALID,
             "there is no leaf: each of the %d certificates issued another one",
             s->n);
    tsk_hint(err, "add the certificate of the server or client itself");
    return TLSOCK_E_CERT_INVALID;
}

/* Cross-signed forms of one CA, without any leaf: the one that leads on. */
static void try_twins(struct search *s)
{
    int leaf = s->leaf;

    for (int i = 0; i < s->n; i++)
        if (i != leaf && !is_end_entity(s->x[i]) &&
            same_entity(s->x[i], s->x[leaf]))
            climb_from(s, i);
}

static void add(struct search *s, X509 *x)
{
    for (int i = 0; i < s->n; i++)
        if (X509_cmp(s->x[i], x) == 0)
            return;
    s->x[s->n++] = x;
}

static void reset(struct search *s)
{
    memset(s->issued, -1, sizeof(s->issued));
    s->now = tsk_wall_time();
}

static int gather(struct search *s, const tlsock_cert *c, tlsock_error *err)
{
    int n = sk_X509_num(c->chain);

    if (n >= MOST) {
        tsk_fail(err, TLSOCK_E_LIMIT,
                 "%d certificates are more than the %d "
                 "that are put in order",
                 n + 1, MOST);
        tsk_hint(err, "leave out those that do not belong to the chain");
        return TLSOCK_E_LIMIT;
    }
    add(s, c->leaf);
    for (int i = 0; i < n; i++)
        add(s, sk_X509_value(c->chain, i));
    reset(s);
    return TLSOCK_OK;
}

/* What the best path says, without the root, which the peer has or trusts
 * nothing by. */
static tlsock_cert *result(const struct search *s, EVP_PKEY *key,
                           tlsock_error *err)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    const struct path *p = &s->best;
    X509 *leaf = s->x[p->at[0]];
    tlsock_cert *made = NULL;
    int ok = chain != NULL;

    for (int i = 1; ok && i < p->len; i++)
        if (s->issued[p->at[i]][p->at[i]] != 1)
            ok = sk_X509_push(chain, s->x[p->at[i]]) > 0;
    if (!ok)
        tsk_fail_nomem(err);
    else
        made = tsk_cert_new(leaf, chain, key, err);
    sk_X509_free(chain);
    return made;
}

static int fits(X509 *x, EVP_PKEY *key)
{
    return key != NULL && X509_check_private_key(x, key) == 1;
}

static int leaf_of_key(const struct search *s, EVP_PKEY *key)
{
    for (int i = 0; i < s->n; i++)
        if (fits(s->x[i], key))
            return i;
    return -1;
}

static tlsock_cert *order(struct search *s, const tlsock_cert *c,
                          tlsock_error *err)
{
    int leaf, rc = gather(s, c, err);

    if (rc != TLSOCK_OK)
        return NULL;
    leaf = leaf_of_key(s, c->key);
    if (leaf >= 0) {
        climb_from(s, leaf);
    } else {
        if (find_leaf(s, err) != TLSOCK_OK)
            return NULL;
        if (!is_end_entity(s->x[s->leaf]))
            try_twins(s);
    }
    return result(s, leaf >= 0 ? c->key : NULL, err);
}

tlsock_cert *tsk_cert_order(const tlsock_cert *c, tlsock_error *err)
{
    struct search *s = tsk_alloc(sizeof(*s));
    tlsock_cert *made = NULL;

    if (s == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    tsk_ossl_enter();
    made = order(s, c, err);
    tsk_ossl_leave();
    tsk_free(s);
    return made;
}

/* Moves references only; the stack has the room. */
static void rearrange(STACK_OF(X509) * certs, const struct search *s)
{
    char taken[MOST] = {0};
    int n = 0;

    for (int i = 0; i < s->best.len; i++) {
        taken[s->best.at[i]] = 1;
        (void)sk_X509_set(certs, n++, s->x[s->best.at[i]]);
    }
    for (int i = 0; i < s->n; i++)
        if (!taken[i])
            (void)sk_X509_set(certs, n++, s->x[i]);
}

int tsk_certs_arrange(STACK_OF(X509) * certs, int leaf_known, tlsock_error *err)
{
    int n = sk_X509_num(certs);
    struct search *s;

    if (n < 2 || n > MOST)
        return TLSOCK_OK;
    s = tsk_alloc(sizeof(*s));
    if (s == NULL)
        return tsk_fail_nomem(err);
    tsk_ossl_enter();
    for (int i = 0; i < n; i++)
        s->x[s->n++] = sk_X509_value(certs, i);
    reset(s);
    if (leaf_known)
        climb_from(s, 0);
    else
        (void)find_leaf(s, NULL); /* without one they stay as they are */
    rearrange(certs, s);
    tsk_ossl_leave();
    tsk_free(s);
    return TLSOCK_OK;
}
