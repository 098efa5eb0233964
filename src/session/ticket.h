/* ticket - the keys of a config's tickets: which one issues now, which ones
 * open, and what they follow from. Counted: all snapshots of one config share
 * it, those made by a reload too, and so do the children of a fork.
 *
 * At a time within period n the first secret's key of n issues; those of n - 1,
 * n and n + 1 of all secrets open: the past one's for its tickets, the coming
 * one's since other machines may have clocks that are ahead. Keys are derived
 * once a period, by whoever is first to need one; all others copy one under a
 * lock. Without a source there is a random secret, drawn once.
 *
 * A secret that was read stays until another one is read. One from the network
 * ages: nobody was reached for two periods, and it is gone.
 *
 * Thread-safe. Who forks holds the lock. Moves no bytes over any network:
 * api/ticketer.c puts in what it gets. */
#ifndef TSK_SESSION_TICKET_H
#define TSK_SESSION_TICKET_H

#include "session/ticketsecret.h"

#include <stdatomic.h>

#define TSK_TICKETS_NOTE 300
#define TSK_TICKETS_LOOK_MS 10000 /* a file is looked at no more often */

struct tsk_tickets;

struct tsk_tickets *tsk_tickets_new(void); /* empty; NULL: no memory */
struct tsk_tickets *tsk_tickets_ref(struct tsk_tickets *t); /* NULL: NULL */
void tsk_tickets_unref(struct tsk_tickets *t);

/* Make it ready: from source (see ticketsecret.h; NULL: random), with this
 * period. What is ready with the same two stays as it is. redis:// comes later,
 * by tsk_tickets_use(). 0, or a code. */
int tsk_tickets_open(struct tsk_tickets *t, const char *source, int rotate_s,
                     tlsock_error *err);
/* Read file: or env: once more, changing nothing: 0 (out: n = 0 if there is
 * nothing to be read), or a code. tsk_tickets_use() is the second half of a
 * reload. */
int tsk_tickets_reread(struct tsk_tickets *t, struct tsk_secrets *out,
                       tlsock_error *err);
/* These from now on, in one step; copied; n = 0 changes nothing. until: Unix
 * seconds after which they are gone, if nobody brings them again; INT64_MAX:
 * never. */
void tsk_tickets_use(struct tsk_tickets *t, const struct tsk_secrets *s,
                     int64_t until);
/* Has a file changed? Then it is read. Cheap, and but rarely more. */
void tsk_tickets_look(struct tsk_tickets *t);
int tsk_tickets_rotate_s(struct tsk_tickets *t);

/* Is there a key to issue with? One relaxed load. */
int tsk_tickets_ready(const struct tsk_tickets *t);
/* Copied into *k, to be wiped: 1, or 0: there is none. */
int tsk_tickets_issue(struct tsk_tickets *t, struct tsk_ticketkey *k);
/* 1: *k opens it; 2: too, and its holder needs a new ticket; 0: unknown. */
int tsk_tickets_find(struct tsk_tickets *t, const uint8_t name[TSK_TICKET_NAME],
                     struct tsk_ticketkey *k);

/* What there is to say; hooks are called by who uses the library, so somebody
 * else takes it (1: there is one) and tells. The same is not said twice within
 * ten minutes. */
void tsk_tickets_say(struct tsk_tickets *t, const char *fmt, ...)
    TLSOCK_PRINTF(2, 3);
int tsk_tickets_said(struct tsk_tickets *t, char out[TSK_TICKETS_NOTE]);

/* Who brings secrets from afar: api/ticketer.c's. */
struct tsk_tickets_fetcher {
    atomic_uint begun;           /* fork generation that looked after it */
    void *fetcher;               /* or NULL */
    void (*stop)(void *fetcher); /* called before all else goes */
};
struct tsk_tickets_fetcher *tsk_tickets_fetcher(struct tsk_tickets *t);
/* Of redis:// alone; borrowed, it may hold a password; NULL: no fetcher. */
const char *tsk_tickets_remote(const struct tsk_tickets *t);

#endif
