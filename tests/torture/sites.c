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

void shim_sites_begin(void)
{
    dl_iterate_phdr(find_tool, NULL);
    if (shim_mode == SITES) /* its first call loads what it needs */
        (void)backtrace(&(void *){NULL}, 1);
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

/* The tool's last two calls on the way: a helper's, and that of the helper. 0:
 * there is none. *below: what the first one called. */
static unsigned long calls_of_tool(void *const *frames, int depth, void **below)
{
    unsigned long calls = 0;
    int found = 0;

    for (int i = 2; i < depth && found < 2; i++) /* behind us and malloc() */
        if (in_tool(frames[i]) != 0) {
            if (found++ == 0)
                *below = frames[i - 1];
            calls = calls * 33 ^ in_tool(frames[i]);
        }
    return calls;
}

static _Thread_local int within; /* what is called here may allocate */

/* Where each function of the way stands in its file: elsewhere in memory the
 * next time, but not there. */
void shim_own_site(long n)
{
    void *frames[FRAMES], *below;
    unsigned long path = 5381;
    char text[80];
    Dl_info info;
    int depth;

    if (within)
        return;
    within = 1;
    depth = backtrace(frames, FRAMES);
    for (int i = 2; i < depth && i < OWN_FRAMES; i++)
        if (dladdr(frames[i], &info) != 0)
            path =
                path * 33 ^ ((uintptr_t)frames[i] - (uintptr_t)info.dli_fbase);
    snprintf(text, sizeof(text), "site %ld %lx %lx\n", n, path,
             calls_of_tool(frames, depth, &below));
    shim_say(text);
    within = 0;
}

/* The first one of each call of OpenSSL below each call that the tool makes. */
void shim_ossl_site(long n)
{
    void *frames[FRAMES], *below = NULL;
    unsigned long calls;
    char text[80];

    if (within)
        return;
    within = 1;
    calls = calls_of_tool(frames, backtrace(frames, FRAMES), &below);
    if (calls != 0 && is_new(calls * 1099511628211u ^ (uintptr_t)below)) {
        snprintf(text, sizeof(text), "below %ld %lx\n", n, calls);
        shim_say(text);
    }
    within = 0;
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
    if (call == 0 || !is_new(call) ||
        (shim_mode == NO && call != (uintptr_t)shim_at))
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
