/* fiber - a function on a stack of its own, which may stop in the middle and
 * go on later, maybe on another thread. For libssl, which cannot leave a
 * signature open and come back to it.
 *
 * The stack is bounded and ends in a page that nobody may touch. What may need
 * more stack, or is somebody else's code, runs outside: on the stack of
 * whoever resumed the fiber. Knows nothing of TLS. */
#ifndef TSK_OSSL_FIBER_H
#define TSK_OSSL_FIBER_H

#define TSK_FIBER_PAUSED 1

struct tsk_fiber;

/* Can this system do it? If not, everything runs on the caller's stack. */
int tsk_fiber_can(void);
struct tsk_fiber *tsk_fiber_new(void); /* NULL: no memory, or it cannot */
/* Runs job(arg), or goes on with it: 0 it has returned, PAUSED. */
int tsk_fiber_run(struct tsk_fiber *f, void (*job)(void *), void *arg);
/* Is something of it still to be run? */
int tsk_fiber_paused(const struct tsk_fiber *f);
/* Within a fiber: back to whoever runs it, until it is run again. */
void tsk_fiber_pause(void);
/* job(arg) on the stack of whoever runs the fiber; elsewhere just that. */
void tsk_fiber_outside(void (*job)(void *), void *arg);
void tsk_fiber_free(struct tsk_fiber *f); /* not paused; NULL is a no-op */

#endif
