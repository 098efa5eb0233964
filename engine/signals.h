/* signals - those that concern who serves, told by its event loop.
 *
 * From a descriptor of the system's and not by libevent's own handlers: those
 * need a pipe whose failure hides a signal for good. Blocked meanwhile in the
 * calling thread, so threads of others have to block them as well. */
#ifndef ENGINE_SIGNALS_H
#define ENGINE_SIGNALS_H

struct event_base;
struct signals;

#define SIGNALS_MOST 4

/* on() hears of each of these; the list ends with 0. NULL: errno says why. */
struct signals *signals_new(struct event_base *base, const int *list,
                            void (*on)(int signo, void *arg), void *arg);
/* What came too late to be told is forgotten; NULL is a no-op. */
void signals_free(struct signals *s);

#endif
