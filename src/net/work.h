/* work - what may block, off the caller's thread: lookups of names and records.
 *
 * One short-lived thread per job, at most TSK_WORK_THREADS at once, the rest
 * wait in line. A job is given up without waiting for it, and knows nothing of
 * its caller; a descriptor tells when it is done. Knows nothing of DNS. */
#ifndef TSK_NET_WORK_H
#define TSK_NET_WORK_H

#include "core/err.h"

#include <sys/types.h>

#define TSK_WORK_THREADS 64

/* First in the struct of a job. It is the caller's and, until they are through
 * with it, the pool's; the pool frees it if the caller gave it up. */
struct tsk_work {
    void (*run)(struct tsk_work *w);  /* on a thread of the pool, once */
    void (*free)(struct tsk_work *w); /* never while it runs */
    int torn; /* for free: a fork came while it ran, so what it was about to
                 write is not to be looked at */
    /* the pool's own, guarded by its lock */
    struct tsk_work *next;
    pid_t pid;     /* a fork's child has no threads that could do it */
    int fd;        /* eventfd; -1: not started, or given up */
    int queued;    /* in line: no thread has it yet */
    int abandoned; /* the thread that has it frees it */
    int done;
};

void tsk_work_init(struct tsk_work *w, void (*run)(struct tsk_work *),
                   void (*release)(struct tsk_work *));
/* host: whose lookup it is, for messages. 0; or E_SYSTEM, and w is as it was
 * made: its owner frees it. */
int tsk_work_start(struct tsk_work *w, const char *host, tlsock_error *err);
int tsk_work_fd(const struct tsk_work *w); /* readable: it is done */
/* 0: it is done, AGAIN, or E_FORKED: another process does it. */
int tsk_work_done(struct tsk_work *w, const char *host, tlsock_error *err);
/* Through with it: cancelled if need be, freed sooner or later; never waits. */
void tsk_work_end(struct tsk_work *w);

#endif
