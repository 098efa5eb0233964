/* signals - those that concern who serves, told by its event loop.
 *
 * From a descriptor of the system's and not by libevent's own handlers: those
 * need a pipe whose failure hides a signal for good. Blocked meanwhile in the
 * calling thread; other threads that get one pass it on. One at a time. */
#ifndef ENGINE_SIGNALS_H
#define ENGINE_SIGNALS_H

struct event_base;
struct signals;

#define SIGNALS_MOST 4

/* on() hears of each of these; 0 ends the list. NULL: errno says why. */
struct signals *signals_new(struct event_base *base,
                            const int list[SIGNALS_MOST],
                            void (*on)(int signo, void *arg), void *arg);
/* What came too late to be told is forgotten; NULL is a no-op. */
void signals_free(struct signals *s);

#endif
