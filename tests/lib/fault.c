#include "fault.h"

#include "core/mem.h"
#include "place.h"

#include <errno.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdatomic.h>

static atomic_int armed = -1;
static atomic_long left;
static atomic_int fired, value_of;
static atomic_int only_here; /* in the thread that armed it */
static _Thread_local int here, held;

#define SEEN 65536
#define LINES 8192 /* far more than there are */

static atomic_int watching;
static long n_seen;
static unsigned char tells[SEEN];
static struct {
    const char *file;
    int line;
    long times;
} lines[LINES];

#define PLACES 8192 /* a power of 2, far more than there are */

/* The places that were reached since the arming, by their hash. */
static const void *places[PLACES];
static const char *refused = "";

const char *fault_name(enum fault_kind kind)
{
    static const char *const names[FAULT_KINDS] = {"own allocation",
                                                   "OpenSSL allocation",
                                                   "refusal of OpenSSL",
                                                   "recv",
                                                   "send",
                                                   "connect",
                                                   "socket",
                                                   "getaddrinfo",
                                                   "accept",
                                                   "poll",
                                                   "epoll",
                                                   "fcntl",
                                                   "setsockopt",
                                                   "pthread_create",
                                                   "pipe",
                                                   "read",
                                                   "write",
                                                   "close",
                                                   "fopencookie",
                                                   "mmap",
                                                   "fstat",
                                                   "allocation of the tool"};

    return names[kind];
}

int fault_is_there(enum fault_kind kind)
{
#ifdef TEST_REFUSES
    (void)kind;
    return 1;
#else
    return kind != FAULT_REFUSED;
#endif
}

int fault_hit(enum fault_kind kind)
{
    if (atomic_load(&armed) != (int)kind || held)
        return 0;
    if ((atomic_load(&only_here) && !here) || atomic_fetch_sub(&left, 1) != 1)
        return 0;
    atomic_store(&fired, 1);
    return atomic_load(&value_of);
}

/* 1 the first time only. */
static int is_new(const void *place)
{
    size_t i = ((uintptr_t)place * 2654435761u >> 8) % PLACES;

    while (places[i] != NULL && places[i] != place)
        i = (i + 1) % PLACES;
    if (places[i] != NULL)
        return 0;
    places[i] = place;
    return 1;
}

int fault_refuses(const char *function, const void *place)
{
    if (place_refuses(place))
        return 1;
    if (atomic_load(&armed) != FAULT_REFUSED || held ||
        (atomic_load(&only_here) && !here) || !is_new(place) ||
        !fault_hit(FAULT_REFUSED))
        return 0;
    refused = function;
    return 1;
}

const char *fault_refused(void)
{
    return refused;
}

static int own_fails(void)
{
    return place_starves() || fault_hit(FAULT_OWN) != 0;
}

static long times_of(const char *file, int line)
{
    size_t i = ((uintptr_t)file * 31 + (size_t)line) % LINES;

    while (lines[i].times != 0 &&
           (lines[i].file != file || lines[i].line != line))
        i = (i + 1) % LINES;
    lines[i].file = file;
    lines[i].line = line;
    return ++lines[i].times;
}

static void see(const char *file, int line)
{
    long times;

    if (!atomic_load(&watching) || !here || n_seen == SEEN)
        return;
    times = times_of(file, line);
    tells[n_seen++] = (times & (times - 1)) == 0;
}

void fault_watch(void)
{
    n_seen = 0;
    memset(lines, 0, sizeof(lines));
    here = 1;
    atomic_store(&watching, 1);
}

int fault_tells(long n)
{
    return n > n_seen || tells[n - 1];
}

static void *ossl_malloc(size_t n, const char *file, int line)
{
    if (n != 0)
        see(file, line);
    return n == 0 || fault_hit(FAULT_OPENSSL) ? NULL : malloc(n);
}

static void ossl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

static void *ossl_realloc(void *p, size_t n, const char *file, int line)
{
    if (p == NULL)
        return ossl_malloc(n, file, line);
    if (n == 0) {
        free(p);
        return NULL;
    }
    see(file, line);
    return fault_hit(FAULT_OPENSSL) ? NULL : realloc(p, n);
}

void fault_init(void)
{
    if (!CRYPTO_set_mem_functions(ossl_malloc, ossl_realloc, ossl_free))
        abort();
    tsk_mem_fail = own_fails;
}

static void arm(enum fault_kind kind, long n, int value, int in_this_thread)
{
    memset(places, 0, sizeof(places));
    refused = "";
    here = in_this_thread;
    atomic_store(&only_here, in_this_thread);
    atomic_store(&fired, 0);
    atomic_store(&value_of, value != 0 ? value : ENOMEM);
    atomic_store(&left, n);
    atomic_store(&armed, (int)kind);
}

void fault_arm(enum fault_kind kind, long n, int value)
{
    arm(kind, n, value, 0);
}

void fault_arm_here(enum fault_kind kind, long n, int value)
{
    arm(kind, n, value, 1);
}

void fault_hold(int on)
{
    held = on;
}

int fault_disarm(void)
{
    atomic_store(&armed, -1);
    atomic_store(&watching, 0);
    return atomic_load(&fired);
}

/* there under AddressSanitizer alone, whose heap mallinfo() does not see */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

size_t fault_heap(void)
{
    if (__sanitizer_get_current_allocated_bytes != NULL)
        return __sanitizer_get_current_allocated_bytes();
#ifdef __GLIBC__
    return mallinfo2().uordblks;
#else
    return 0;
#endif
}
