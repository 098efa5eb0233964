#include "session/ticket.h"

#include "core/clock.h"
#include "core/forklock.h"
#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PERIODS 3       /* now, the next, the last */
#define QUIET_MS 600000 /* between two times of the same note */

/* Made whole, then swapped in; never written again. */
struct table {
    int64_t period;
    unsigned version; /* of the secrets */
    size_t n;
    struct tsk_ticketkey keys[]; /* the one that issues is the first */
};

struct tsk_tickets {
    atomic_int refs, ready, noted;
    _Atomic int64_t next_look; /* tsk_now_ms(); TSK_NEVER: no file */
    char *source;              /* or NULL: random */
    int rotate_s;              /* 0: not open */
    struct tsk_secrets secrets;
    int64_t until;
    unsigned version;
    struct table *table; /* or NULL */
    struct stat st;      /* of the file, when it was read */
    char note[TSK_TICKETS_NOTE], last_note[TSK_TICKETS_NOTE];
    int64_t last_said;
    struct tsk_tickets_fetcher fetcher;
};

/* Over all that is not atomic in all of them; what reads files or derives keys
 * does so without it. */
static struct tsk_forklock lock = TSK_FORKLOCK(TSK_FORK_LEAF, NULL, NULL, NULL);

struct tsk_tickets *tsk_tickets_new(void)
{
    struct tsk_tickets *t = tsk_alloc(sizeof(*t));

    if (t == NULL)
        return NULL;
    atomic_init(&t->refs, 1);
    atomic_init(&t->next_look, TSK_NEVER);
    return t;
}

struct tsk_tickets *tsk_tickets_ref(struct tsk_tickets *t)
{
    if (t != NULL)
        atomic_fetch_add(&t->refs, 1);
    return t;
}

static void table_free(struct table *table)
{
    if (table != NULL)
        tsk_free_secret(table,
                        sizeof(*table) + table->n * sizeof(table->keys[0]));
}

void tsk_tickets_unref(struct tsk_tickets *t)
{
    if (t == NULL || atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    if (t->fetcher.fetcher != NULL)
        t->fetcher.stop(t->fetcher.fetcher);
    table_free(t->table);
    if (t->source != NULL)
        tsk_free_secret(t->source, strlen(t->source));
    tsk_free_secret(t, sizeof(*t));
}

static int same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Locked. */
static void take_secrets(struct tsk_tickets *t, const struct tsk_secrets *s,
                         int64_t until)
{
    t->until = until;
    if (memcmp(&t->secrets, s, sizeof(*s)) == 0)
        return;
    t->secrets = *s;
    t->version++;
    atomic_store(&t->ready, s->n != 0);
}

static void take_stat(struct tsk_tickets *t, const struct stat *st)
{
    t->st = *st;
    atomic_store(&t->next_look, tsk_deadline_in(TSK_TICKETS_LOOK_MS));
}

static int first_secrets(struct tsk_secrets *s, const char *source,
                         struct stat *st, tlsock_error *err)
{
    memset(s, 0, sizeof(*s));
    if (source == NULL)
        return tsk_secrets_random(s, err);
    if (tsk_secret_kind(source) == TSK_SECRET_REDIS)
        return TLSOCK_OK;
    return tsk_secrets_read(s, source, st, err);
}

int tsk_tickets_open(struct tsk_tickets *t, const char *source, int rotate_s,
                     tlsock_error *err)
{
    struct tsk_secrets s;
    struct stat st = {0};
    char *copy = NULL;
    int rc, is_open;

    tsk_forklock_hold(&lock);
    is_open = t->rotate_s == rotate_s && same(t->source, source);
    tsk_forklock_let_go(&lock);
    if (is_open)
        return TLSOCK_OK;
    if (source != NULL) {
        copy = tsk_strdup(source);
        if (copy == NULL)
            return tsk_fail_nomem(err);
    }
    rc = first_secrets(&s, source, &st, err);
    if (rc == TLSOCK_OK) {
        char *old;

        tsk_forklock_hold(&lock);
        old = t->source;
        t->source = copy;
        copy = old;
        t->rotate_s = rotate_s;
        take_secrets(t, &s, INT64_MAX);
        t->version++;
        atomic_store(&t->next_look, TSK_NEVER);
        if (st.st_ino != 0)
            take_stat(t, &st);
        tsk_forklock_let_go(&lock);
    }
    if (copy != NULL)
        tsk_free_secret(copy, strlen(copy));
    tsk_wipe(&s, sizeof(s));
    return rc;
}

int tsk_tickets_reread(struct tsk_tickets *t, struct tsk_secrets *out,
                       tlsock_error *err)
{
    memset(out, 0, sizeof(*out));
    if (t->source == NULL || tsk_secret_kind(t->source) == TSK_SECRET_REDIS)
        return TLSOCK_OK;
    return tsk_secrets_read(out, t->source, NULL, err);
}

void tsk_tickets_use(struct tsk_tickets *t, const struct tsk_secrets *s,
                     int64_t until)
{
    if (s->n == 0)
        return;
    tsk_forklock_hold(&lock);
    take_secrets(t, s, until);
    tsk_forklock_let_go(&lock);
}

static int unchanged(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && a->st_mode == b->st_mode &&
           memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) == 0 &&
           memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim)) == 0;
}

/* It stays as it was if what is there now is no good. */
static void read_again(struct tsk_tickets *t, const struct stat *seen)
{
    tlsock_error why = {0};
    struct tsk_secrets s;
    struct stat st = *seen;
    int rc = tsk_secrets_read(&s, t->source, &st, &why);

    if (rc == TLSOCK_E_NOMEM)
        return; /* the next look finds it changed again */
    tsk_forklock_hold(&lock);
    t->st = st;
    if (rc == TLSOCK_OK)
        take_secrets(t, &s, INT64_MAX);
    tsk_forklock_let_go(&lock);
    tsk_wipe(&s, sizeof(s));
    if (rc < 0)
        tsk_tickets_say(t, "%s; what was read before stays in use",
                        why.message);
    else
        tsk_tickets_say(t, "tickets.secret: %s was read anew", t->source + 5);
}

void tsk_tickets_look(struct tsk_tickets *t)
{
    int64_t due = atomic_load_explicit(&t->next_look, memory_order_relaxed);
    int64_t now;
    struct stat st, was;

    if (due == TSK_NEVER)
        return;
    now = tsk_now_ms();
    if (now < due || !atomic_compare_exchange_strong(&t->next_look, &due,
                                                     now + TSK_TICKETS_LOOK_MS))
        return;
    tsk_forklock_hold(&lock);
    was = t->st;
    tsk_forklock_let_go(&lock);
    if (stat(t->source + 5, &st) != 0)
        tsk_tickets_say(t,
                        "tickets.secret: %s is gone; what was read before "
                        "stays in use",
                        t->source + 5);
    else if (!unchanged(&st, &was))
        read_again(t, &st);
}

int tsk_tickets_rotate_s(struct tsk_tickets *t)
{
    return t->rotate_s;
}

int tsk_tickets_ready(const struct tsk_tickets *t)
{
    return atomic_load_explicit(&t->ready, memory_order_relaxed);
}

/* The keys of all secrets for three periods; NULL: no memory. */
static struct table *table_new(const struct tsk_secrets *s, int rotate_s,
                               int64_t period, unsigned version)
{
    static const int steps[PERIODS] = {0, 1, -1};
    size_t n = s->n * PERIODS, i = 0;
    struct table *table =
        tsk_alloc(sizeof(*table) + n * sizeof(table->keys[0]));

    if (table == NULL)
        return NULL;
    table->period = period;
    table->version = version;
    table->n = n;
    for (size_t j = 0; j < s->n; j++) {
        for (int p = 0; p < PERIODS; p++, i++) {
            if (!tsk_ticketkey_derive(&table->keys[i], s->prk[j], rotate_s,
                                      period + steps[p])) {
                table_free(table);
                return NULL;
            }
        }
    }
    return table;
}

/* Locked. */
static int is_current(const struct tsk_tickets *t, int64_t now)
{
    return t->table != NULL && t->table->version == t->version &&
           t->table->period == now / t->rotate_s && now <= t->until;
}

/* Locked, and unlocked meanwhile. 1: the table is that of now. */
static int renew(struct tsk_tickets *t, int64_t now)
{
    struct tsk_secrets s = t->secrets;
    int64_t period = now / t->rotate_s;
    unsigned version = t->version;
    int rotate_s = t->rotate_s, aged = now > t->until;
    struct table *fresh = NULL;

    tsk_forklock_let_go(&lock);
    if (!aged && s.n != 0)
        fresh = table_new(&s, rotate_s, period, version);
    tsk_wipe(&s, sizeof(s));
    tsk_forklock_hold(&lock);
    if (aged && now > t->until && t->secrets.n != 0) {
        static const struct tsk_secrets none;

        take_secrets(t, &none, INT64_MAX);
    }
    if (fresh != NULL || aged) { /* else the old one: it is seen to be that */
        struct table *old = t->table;

        t->table = fresh;
        fresh = old;
    }
    table_free(fresh);
    return is_current(t, now);
}

/* 1: locked, and the table is that of now; 0. */
static int with_table(struct tsk_tickets *t)
{
    int64_t now = tsk_wall_time();

    tsk_forklock_hold(&lock);
    if (t->rotate_s != 0 && (is_current(t, now) || renew(t, now)))
        return 1;
    tsk_forklock_let_go(&lock);
    return 0;
}

int tsk_tickets_issue(struct tsk_tickets *t, struct tsk_ticketkey *k)
{
    if (!tsk_tickets_ready(t) || !with_table(t))
        return 0;
    *k = t->table->keys[0];
    tsk_forklock_let_go(&lock);
    return 1;
}

int tsk_tickets_find(struct tsk_tickets *t, const uint8_t name[TSK_TICKET_NAME],
                     struct tsk_ticketkey *k)
{
    int found = 0;

    if (!tsk_tickets_ready(t) || !with_table(t))
        return 0;
    for (size_t i = 0; i < t->table->n && !found; i++) {
        if (memcmp(t->table->keys[i].name, name, TSK_TICKET_NAME) != 0)
            continue;
        *k = t->table->keys[i];
        /* a neighbour whose clock is ahead need not be told again */
        found = i < 2 ? 1 : 2;
    }
    tsk_forklock_let_go(&lock);
    return found;
}

void tsk_tickets_say(struct tsk_tickets *t, const char *fmt, ...)
{
    int64_t now = tsk_now_ms();
    char note[TSK_TICKETS_NOTE];
    va_list args;

    va_start(args, fmt);
    vsnprintf(note, sizeof(note), fmt, args);
    va_end(args);
    tsk_forklock_hold(&lock);
    if (strcmp(note, t->last_note) != 0 || now - t->last_said >= QUIET_MS) {
        memcpy(t->note, note, sizeof(note));
        memcpy(t->last_note, note, sizeof(note));
        t->last_said = now;
        atomic_store(&t->noted, 1);
    }
    tsk_forklock_let_go(&lock);
}

int tsk_tickets_said(struct tsk_tickets *t, char out[TSK_TICKETS_NOTE])
{
    int noted;

    if (!atomic_load_explicit(&t->noted, memory_order_relaxed))
        return 0;
    tsk_forklock_hold(&lock);
    noted = atomic_exchange(&t->noted, 0);
    memcpy(out, t->note, sizeof(t->note));
    tsk_forklock_let_go(&lock);
    return noted;
}

struct tsk_tickets_fetcher *tsk_tickets_fetcher(struct tsk_tickets *t)
{
    return &t->fetcher;
}

const char *tsk_tickets_remote(const struct tsk_tickets *t)
{
    return t->source != NULL && tsk_secret_kind(t->source) == TSK_SECRET_REDIS
               ? t->source
               : NULL;
}
