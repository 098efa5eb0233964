#include "ossl/fiber.h"

#include "core/mem.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef TSK_HAVE_UCONTEXT
#include <ucontext.h>
#endif

/* A server that waits for its signature has touched 8 KiB; judging a peer's
 * chain takes more, sanitizers several times that. Pages that nobody touches
 * cost nothing but their two mappings, of which Linux allows 65,530. */
#define STACK ((size_t)512 * 1024)

#ifdef TSK_HAVE_UCONTEXT

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/common_interface_defs.h>
#define ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#define TSAN 1
#endif
#endif

struct tsk_fiber {
    ucontext_t inside, outside;
    unsigned char *stack; /* the first page is the guard */
    size_t size, page;
    void (*job)(void *);
    void *arg;
    void (*errand)(void *); /* to be run outside */
    void *errand_arg;
    int begun;                        /* job has not returned */
    struct tsk_fiber *below;          /* that runs this one, or NULL */
    void *asan_outside, *asan_inside; /* its own marks of the two stacks */
    const void *outside_bottom;
    size_t outside_size;
    void *tsan_inside, *tsan_outside;
};

static _Thread_local struct tsk_fiber *running;

/* Never inlined: where a thread keeps its own things must be looked up anew
 * after each switch, since the thread may be another one. */
static __attribute__((noinline)) struct tsk_fiber *get_running(void)
{
    return running;
}

static __attribute__((noinline)) void set_running(struct tsk_fiber *f)
{
    running = f;
}

int tsk_fiber_can(void)
{
    return 1;
}

/* in: onto the fiber's stack; else off it. last: it will not come back */
static void switching(struct tsk_fiber *f, int in, int last)
{
#ifdef ASAN
    if (in)
        __sanitizer_start_switch_fiber(&f->asan_outside, f->stack + f->page,
                                       f->size - f->page);
    else
        __sanitizer_start_switch_fiber(last ? NULL : &f->asan_inside,
                                       f->outside_bottom, f->outside_size);
#endif
#ifdef TSAN
    if (in)
        f->tsan_outside = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(in ? f->tsan_inside : f->tsan_outside, 0);
#endif
    (void)f;
    (void)in;
    (void)last;
}

static void switched(struct tsk_fiber *f, int in)
{
#ifdef ASAN
    if (in)
        __sanitizer_finish_switch_fiber(f->asan_inside, &f->outside_bottom,
                                        &f->outside_size);
    else
        __sanitizer_finish_switch_fiber(f->asan_outside, NULL, NULL);
#endif
    (void)f;
    (void)in;
}

static void leave(struct tsk_fiber *f, int last)
{
    switching(f, 0, last);
    swapcontext(&f->inside, &f->outside);
    switched(f, 1);
}

/* makecontext() hands over ints alone, so the fiber is found by its thread. */
static void begin(void)
{
    struct tsk_fiber *f = get_running();

    f->asan_inside = NULL;
    switched(f, 1);
    f->job(f->arg);
    f->begun = 0;
    leave(f, 1);
}

static void enter(struct tsk_fiber *f)
{
    f->below = get_running();
    set_running(f);
    switching(f, 1, 0);
    swapcontext(&f->outside, &f->inside);
    switched(f, 0);
    set_running(f->below);
}

struct tsk_fiber *tsk_fiber_new(void)
{
    struct tsk_fiber *f = tsk_alloc(sizeof(*f));
    void *p;

    if (f == NULL)
        return NULL;
    f->page = (size_t)sysconf(_SC_PAGESIZE);
    f->size = STACK + f->page;
    p = mmap(NULL, f->size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED || mprotect(p, f->page, PROT_NONE) != 0) {
        if (p != MAP_FAILED)
            munmap(p, f->size);
        tsk_free(f);
        return NULL;
    }
    f->stack = p;
#ifdef TSAN
    f->tsan_inside = __tsan_create_fiber(0);
#endif
    return f;
}

void tsk_fiber_free(struct tsk_fiber *f)
{
    if (f == NULL)
        return;
#ifdef TSAN
    __tsan_destroy_fiber(f->tsan_inside);
#endif
    munmap(f->stack, f->size);
    tsk_free(f);
}

int tsk_fiber_run(struct tsk_fiber *f, void (*job)(void *), void *arg)
{
    if (!f->begun) {
        f->job = job;
        f->arg = arg;
        f->begun = 1;
        getcontext(&f->inside);
        f->inside.uc_stack.ss_sp = f->stack + f->page;
        f->inside.uc_stack.ss_size = f->size - f->page;
        f->inside.uc_link = NULL;
        makecontext(&f->inside, begin, 0);
    }
    enter(f);
    while (f->errand != NULL) {
        void (*errand)(void *) = f->errand;

        f->errand = NULL;
        errand(f->errand_arg);
        enter(f);
    }
    return f->begun ? TSK_FIBER_PAUSED : 0;
}

int tsk_fiber_paused(const struct tsk_fiber *f)
{
    return f != NULL && f->begun;
}

void tsk_fiber_pause(void)
{
    leave(get_running(), 0);
}

void tsk_fiber_outside(void (*job)(void *), void *arg)
{
    struct tsk_fiber *f = get_running();

    if (f == NULL) {
        job(arg);
        return;
    }
    f->errand = job;
    f->errand_arg = arg;
    leave(f, 0);
}

#else

int tsk_fiber_can(void)
{
    return 0;
}

struct tsk_fiber *tsk_fiber_new(void)
{
    return NULL;
}

int tsk_fiber_run(struct tsk_fiber *f, void (*job)(void *), void *arg)
{
    (void)f;
    job(arg);
    return 0;
}

int tsk_fiber_paused(const struct tsk_fiber *f)
{
    (void)f;
    return 0;
}

void tsk_fiber_pause(void)
{
}

void tsk_fiber_outside(void (*job)(void *), void *arg)
{
    job(arg);
}

void tsk_fiber_free(struct tsk_fiber *f)
{
    (void)f;
}

#endif
