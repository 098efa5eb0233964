/* watch - looks whether the files of a config have changed, and reloads it: one
 * thread for all configs of a process that want it (the key "reload"), from
 * their first use to their end. No handshake ever waits for it, none makes a
 * system call for it.
 *
 * What has changed is read when it has rested for one more look, so that what
 * is written meanwhile is not read half. It takes no signals and calls no hook:
 * what is to be logged waits for the next caller, and where a PASSWORD hook may
 * be asked the next caller reloads. After fork() a child's own thread starts
 * with its first connection. */
#ifndef TSK_API_WATCH_H
#define TSK_API_WATCH_H

#include "api/config_box.h"

/* Cheap once it was called. Without memory or a thread nothing happens; the
 * next call tries again. */
void tsk_watch_begin(tlsock_config *c);
void tsk_watch_do(tlsock_config *c);  /* a reload is due, on this thread */
void tsk_watch_end(tlsock_config *c); /* nobody looks any more */

/* watchlook.c: what the system says of all files, in few bytes. */
struct tsk_look {
    uint64_t a, b;
    int64_t newest; /* Unix seconds of the last change */
};
struct tsk_look tsk_watch_look(const struct tsk_settings *set);

#endif
