#include "shim.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OWN_FRAMES 7 /* two of them here, jansson has two, too */
#define CALLS 3
#define FRAMES 64    /* from OpenSSL's depths up to the tool */
#define PLACES 65536 /* a power of 2, far more than there are */

static uintptr_t from, to, base; /* the tool's own code */

static int find_tool(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    base = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];

        if (h->p_type != PT_LOAD || (h->p_flags & PF_X) == 0)
            continue;
        from = base + h->p_vaddr;
        to = from + h->p_memsz;
    }
    return 1; /* the first one is the program */
}

/* Of a sanitizer that may be there. */
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);

void shim_sites_begin(void)
{
    dl_iterate_phdr(find_tool, NULL);
    if (shim_mode != SITES && shim_mode != WAY && shim_mode != BELOW)
        return;
    if (__lsan_disable != NULL)
        __lsan_disable();
    (void)backtrace(&(void *){NULL}, 1); /* it loads what it needs */
    if (__lsan_enable != NULL)
        __lsan_enable();
}

/* Where that is in the tool's file; 0: elsewhere. */
static uintptr_t in_tool(const void *code)
{
    uintptr_t p = (uintptr_t)code;

    return p >= from && p < to ? p - base : 0;
}

/* 1: for the first time. */
static int is_new(uint64_t key)
{
    static uint64_t seen[PLACES];
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    size_t i = key * 11400714819323198485u >> 48;
    int is;

    pthread_mutex_lock(&lock);
    while (seen[i] != 0 && seen[i] != key)
        i = (i + 1) % PLACES;
    is = seen[i] == 0;
    seen[i] = key;
    pthread_mutex_unlock(&lock);
    return is;
}

/* Where it is in its file: elsewhere in memory the next time, but not there. */
static unsigned long in_file(const void *code)
{
    Dl_info info;

    return dladdr(code, &info) != 0
               ? (uintptr_t)code - (uintptr_t)info.dli_fbase
               : 0;
}

/* The tool's last calls on the way: a helper's, and those that led to it. 0:
 * there is none. *first is where it calls something else. */
static unsigned long calls_of_tool(void *const *frames, int depth, int *first)
{
    unsigned long calls = 0;
    int found = 0;

    for (int i = 2; i < depth && found < CALLS; i++) /* behind malloc() */
        if (in_tool(frames[i]) != 0) {
            if (found++ == 0)
                *first = i;
            calls = calls * 33 ^ in_tool(frames[i]);
        }
    return calls;
}

static _Thread_local int within; /* what is called here may allocate */
static atomic_int done;          /* nothing is to fail any more */

/* Is who calls in this mode of any interest? To look takes its time. */
static int concerns(enum shim_mode mode)
{
    return !within && (shim_mode == SITES ||
                       (shim_mode == mode && atomic_load(&done) == 0));
}

/* SITES: it is told; else 1: one of the two is to fail, the first time. */
static int is_wanted(const char *word, unsigned long one, unsigned long other)
{
    char text[80];

    if (shim_mode != SITES)
        return (one == shim_at || other == shim_at) &&
               atomic_exchange(&done, 1) == 0;
    if (is_new(one * 31 ^ other)) {
        snprintf(text, sizeof(text), "%s %lx %lx\n", word, one, other);
        shim_say(text);
    }
    return 0;
}

int shim_own_site(void)
{
    void *frames[FRAMES];
    unsigned long way = 5381;
    int depth, first = 0, wanted;

    if (!concerns(WAY))
        return 0;
    within = 1;
    depth = backtrace(frames, FRAMES);
    for (int i = 2; i < depth && i < OWN_FRAMES; i++)
        way = way * 33 ^ in_file(frames[i]);
    wanted = is_wanted("way", way, calls_of_tool(frames, depth, &first));
    within = 0;
    return wanted;
}

int shim_ossl_site(void)
{
    void *frames[FRAMES];
    unsigned long calls;
    int depth, first = 0, wanted = 0;

    if (!concerns(BELOW))
        return 0;
    within = 1;
    depth = backtrace(frames, FRAMES);
    calls = calls_of_tool(frames, depth, &first);
    if (calls != 0)
        wanted = is_wanted("below",
                           calls * 1099511628211u ^ in_file(frames[first - 1]),
                           shim_mode == SITES ? calls : 0);
    within = 0;
    return wanted;
}

/* A function of OpenSSL, see refuse.S */
struct refusable {
    void *next;
    const char *name;
};

void *shim_refused(struct refusable *f, const void *back);

/* Where it goes on; NULL: it is refused. */
void *shim_refused(struct refusable *f, const void *back)
{
    uintptr_t call = shim_running && (shim_mode == SITES || shim_mode == NO)
                         ? in_tool(back)
                         : 0;
    char text[120];

    if (f->next == NULL)
        f->next = dlsym(RTLD_NEXT, f->name);
    if (call == 0 || !is_new(call) || (shim_mode == NO && call != shim_at))
        return f->next;
    if (shim_mode == NO) {
        shim_fired(f->name, 0, 1);
        return NULL;
    }
    snprintf(text, sizeof(text), "no %lx %.60s\n", (unsigned long)call,
             f->name);
    shim_say(text);
    return f->next;
}
