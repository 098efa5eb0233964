/* shim - preloaded into the tool: its n-th allocation or call of the system
 * fails, once.
 *
 *   TORTURE=alloc:N    the N-th malloc(), calloc() or realloc() gives NULL
 *   TORTURE=ossl:N     the N-th of those that OpenSSL makes
 *   TORTURE=call:N:V   the N-th call of those below fails in its V-th way,
 *                      V from 0: an errno, or half of what was asked for
 *   TORTURE=kill:N:V   the process is killed there: before the call (0), or
 *                      with half of the data written (1)
 *   TORTURE=at:NAME:N:V  the same of the N-th call of the function NAME
 *   TORTURE=count      nothing fails
 *   TORTURE=sites      nor here, but it is told what may, by numbers that are
 *                      the same in each run: "way WAY CALLS", of each
 *                      allocation, the way that led to it and the last calls
 *                      of the tool above it; "below PLACE CALLS", of each call
 *                      of OpenSSL; "no PLACE NAME", of each that the tool makes
 *   TORTURE=way:N      the first allocation that has this WAY, or these CALLS
 *   TORTURE=below:N    the first one that OpenSSL makes at this PLACE
 *   TORTURE=no:N       the call of OpenSSL at this PLACE is refused, once
 *
 * What happened is appended to the file TORTURE_MARK, a line each:
 * "fired NAME WAY WAYS" (TORTURE_STOP: SIGTRAP then, for a debugger) and, when
 * the process ends by itself, "fds N", the descriptors that are open then,
 * "call N", "alloc N" and "ossl N", how many there were. Only a program called
 * "tlsock" is concerned, none that it starts. Calls for stdout and stderr do
 * not count: they are the channel through which a failure is told. Nor does the
 * memory of libpopt and libseccomp, which end the process without it. */
#undef _FILE_OFFSET_BITS /* it would give open() and open64() one name */

#include "shim.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define SHORT (-1) /* a way to fail: half of what was asked for */
#define WAYS 5

enum shim_mode shim_mode;
atomic_int shim_running;
unsigned long shim_at;
static int way;
static char only[40]; /* AT: calls of this function are counted apart */
static atomic_long only_calls;
static atomic_long calls, allocs, ossl_allocs;

#define MARK_FD 1000 /* of no concern to the tool */

/* Before the tool gives up what it may open. */
static void open_mark(void)
{
    const char *path = getenv("TORTURE_MARK");
    long fd;

    if (path == NULL)
        return;
    fd = syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_APPEND,
                 0600);
    (void)syscall(SYS_dup3, fd, MARK_FD, O_CLOEXEC);
    (void)syscall(SYS_close, fd);
}

void shim_say(const char *text)
{
    (void)syscall(SYS_write, MARK_FD, text, strlen(text));
}

/* Whose code calls? */
enum whose { OWN, OPENSSL, OTHERS };
static struct {
    uintptr_t from, to;
    enum whose whose;
} code[8];
static int n_code;

static int find_code(struct dl_phdr_info *info, size_t size, void *unused)
{
    enum whose whose = strstr(info->dlpi_name, "/libcrypto.") != NULL ||
                               strstr(info->dlpi_name, "/libssl.") != NULL
                           ? OPENSSL
                       : strstr(info->dlpi_name, "/libpopt.") != NULL ||
                               strstr(info->dlpi_name, "/libseccomp.") != NULL
                           ? OTHERS
                           : OWN;

    (void)size;
    (void)unused;
    for (int i = 0; whose != OWN && i < info->dlpi_phnum && n_code < 8; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];

        if (h->p_type != PT_LOAD || (h->p_flags & PF_X) == 0)
            continue;
        code[n_code].from = info->dlpi_addr + h->p_vaddr;
        code[n_code].to = info->dlpi_addr + h->p_vaddr + h->p_memsz;
        code[n_code++].whose = whose;
    }
    return 0;
}

static enum whose whose(const void *caller)
{
    for (int i = 0; i < n_code; i++)
        if ((uintptr_t)caller >= code[i].from && (uintptr_t)caller < code[i].to)
            return code[i].whose;
    return OWN;
}

__attribute__((constructor)) static void begin(void)
{
    static const char *const words[] = {"",     "count", "alloc", "ossl",
                                        "call", "kill",  "at",    "sites",
                                        "way",  "below", "no"};
    const char *what = getenv("TORTURE"), *name = program_invocation_short_name;
    char *rest;

    if (what == NULL || strcmp(name, "tlsock") != 0)
        return;
    for (int m = COUNT; m <= NO; m++) {
        size_t len = strlen(words[m]);

        if (strncmp(what, words[m], len) != 0)
            continue;
        if (m == AT) {
            what += len + 1;
            len = strcspn(what, ":");
            strncat(only, what, len < sizeof(only) ? len : 0);
        }
        if (what[len] == ':') {
            shim_at = strtoul(what + len + 1, &rest, m > SITES ? 16 : 10);
            way = *rest == ':' ? atoi(rest + 1) : 0;
        }
        shim_mode = (enum shim_mode)m;
        break;
    }
    (void)unsetenv("LD_PRELOAD");
    dl_iterate_phdr(find_code, NULL);
    shim_sites_begin();
    open_mark();
}

__attribute__((destructor)) static void end(void)
{
    char text[120];
    int open_fds = 0;

    if (shim_mode == OFF)
        return;
    shim_mode = OFF;
    for (int fd = 3; fd < MARK_FD; fd++)
        open_fds += syscall(SYS_fcntl, fd, F_GETFD) >= 0;
    snprintf(text, sizeof(text), "fds %d\ncall %ld\nalloc %ld\nossl %ld\n",
             open_fds, atomic_load(&calls), atomic_load(&allocs),
             atomic_load(&ossl_allocs));
    shim_say(text);
}

/* Snprintf() might allocate. */
void shim_fired(const char *name, int which, int ways)
{
    char text[80] = "fired ";

    strncat(text, name, 40);
    strncat(
        text,
        (char[]){' ', (char)('0' + which), ' ', (char)('0' + ways), '\n', '\0'},
        8);
    shim_say(text);
    if (getenv("TORTURE_STOP") != NULL)
        (void)raise(SIGTRAP);
}

/* What befalls this call: 0, or an errno, or SHORT. */
static int fate(const char *name, const int ways[WAYS], int fd,
                const void *data, size_t len)
{
    long n_all;
    int n = 0;

    if (shim_mode == OFF || !shim_running)
        return 0;
    n_all = atomic_fetch_add(&calls, 1) + 1;
    if (shim_mode == AT && strcmp(name, only) == 0)
        n_all = atomic_fetch_add(&only_calls, 1) + 1;
    else if (shim_mode != CALL && shim_mode != KILL)
        return 0;
    if ((unsigned long)n_all != shim_at)
        return 0;
    if (shim_mode == KILL) {
        shim_fired(name, way, data != NULL && len > 1 ? 2 : 1);
        if (way == 1 && data != NULL)
            (void)syscall(SYS_write, fd, data, len / 2);
        (void)syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    }
    while (n < WAYS && ways[n] != 0)
        n++;
    shim_fired(name, way % n, n);
    return ways[way % n];
}

/* --- what comes before and behind main() is the loader's and the runtime's,
 * above all where that counts lines */

typedef int main_fn(int argc, char **argv, char **env);
int __libc_start_main(main_fn *f, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*loader)(void), void *stack);

static main_fn *tool;

static int run_tool(int argc, char **argv, char **env)
{
    int rc;

    shim_running = 1;
    rc = tool(argc, argv, env);
    shim_running = 0;
    return rc;
}

int __libc_start_main(main_fn *f, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*loader)(void), void *stack)
{
    int (*next)(main_fn *, int, char **, void (*)(void), void (*)(void),
                void (*)(void), void *);

    *(void **)&next = dlsym(RTLD_NEXT, "__libc_start_main");
    tool = f;
    return next(run_tool, argc, argv, init, fini, loader, stack);
}

/* --- memory */

/* dlsym() allocates before it knows malloc() */
static char early[16384];
static size_t early_used;

static void *early_alloc(size_t size)
{
    void *p = early + early_used;

    early_used += (size + 15) & ~(size_t)15;
    if (early_used > sizeof(early))
        abort();
    return p;
}

static int is_early(const void *p)
{
    return (const char *)p >= early && (const char *)p < early + sizeof(early);
}

static int alloc_fails(const void *caller)
{
    enum whose of = shim_mode == OFF || !shim_running ? OTHERS : whose(caller);
    long n;

    if (of == OTHERS)
        return 0;
    n = atomic_fetch_add(of == OWN ? &allocs : &ossl_allocs, 1) + 1;
    if (!(of == OWN ? shim_own_site() : shim_ossl_site()) &&
        ((unsigned long)n != shim_at ||
         shim_mode != (of == OWN ? ALLOC : OSSL)))
        return 0;
    shim_fired("malloc", 0, 1);
    errno = ENOMEM;
    return 1;
}

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);

static int know_heap(void)
{
    static int asking;

    if (next_free != NULL)
        return 1;
    if (asking)
        return 0;
    asking = 1;
    *(void **)&next_malloc = dlsym(RTLD_NEXT, "malloc");
    *(void **)&next_calloc = dlsym(RTLD_NEXT, "calloc");
    *(void **)&next_realloc = dlsym(RTLD_NEXT, "realloc");
    *(void **)&next_free = dlsym(RTLD_NEXT, "free");
    asking = 0;
    return next_free != NULL;
}

void *malloc(size_t size)
{
    if (!know_heap())
        return early_alloc(size);
    return alloc_fails(__builtin_return_address(0)) ? NULL : next_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    if (!know_heap())
        return early_alloc(n * size); /* the first use of it: all 0 */
    return alloc_fails(__builtin_return_address(0)) ? NULL
                                                    : next_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    if (!know_heap() || is_early(old))
        abort();
    return alloc_fails(__builtin_return_address(0)) ? NULL
                                                    : next_realloc(old, size);
}

void free(void *p)
{
    if (p != NULL && !is_early(p) && know_heap())
        next_free(p);
}

/* --- calls: the n-th fails as its row says */

#define NEXT(type, name, params)                                               \
    static type(*next) params;                                                 \
    if (next == NULL)                                                          \
        *(void **)&next = dlsym(RTLD_NEXT, #name);

#define FAILS(bad, name, ...)                                                  \
    do {                                                                       \
        static const int ways[WAYS] = {__VA_ARGS__};                           \
        int how = fate(#name, ways, -1, NULL, 0);                              \
                                                                               \
        if (how != 0) {                                                        \
            errno = how;                                                       \
            return bad;                                                        \
        }                                                                      \
    } while (0)

#define CALL(type, bad, name, params, args, ...)                               \
    type name params;                                                          \
    type name params                                                           \
    {                                                                          \
        NEXT(type, name, params)                                               \
        FAILS(bad, name, __VA_ARGS__);                                         \
        return next args;                                                      \
    }

/* these give their error as the result */
#define CODE(name, params, args, ...)                                          \
    int name params;                                                           \
    int name params                                                            \
    {                                                                          \
        static const int ways[WAYS] = {__VA_ARGS__};                           \
        int how;                                                               \
        NEXT(int, name, params)                                                \
                                                                               \
        how = fate(#name, ways, -1, NULL, 0);                                  \
        return how != 0 ? how : next args;                                     \
    }

/* len is the number of bytes, and may get less */
#define BYTES(name, params, args, data, ...)                                   \
    ssize_t name params;                                                       \
    ssize_t name params                                                        \
    {                                                                          \
        static const int ways[WAYS] = {__VA_ARGS__};                           \
        int how;                                                               \
        NEXT(ssize_t, name, params)                                            \
                                                                               \
        if (fd == STDOUT_FILENO || fd == STDERR_FILENO)                        \
            return next args;                                                  \
        how = fate(#name, ways, fd, data, len);                                \
        if (how > 0) {                                                         \
            errno = how;                                                       \
            return -1;                                                         \
        }                                                                      \
        if (how == SHORT && len > 1)                                           \
            len /= 2;                                                          \
        return next args;                                                      \
    }

BYTES(read, (int fd, void *b, size_t len), (fd, b, len), NULL, EIO, EINTR,
      SHORT)
BYTES(pread64, (int fd, void *b, size_t len, off64_t o), (fd, b, len, o), NULL,
      EIO, EINTR, SHORT)
BYTES(recv, (int fd, void *b, size_t len, int f), (fd, b, len, f), NULL,
      ECONNRESET, EINTR, ENOMEM, SHORT)
BYTES(write, (int fd, const void *b, size_t len), (fd, b, len), b, ENOSPC, EIO,
      EINTR, SHORT)
BYTES(pwrite64, (int fd, const void *b, size_t len, off64_t o), (fd, b, len, o),
      NULL, ENOSPC, EIO, EINTR, SHORT)
BYTES(send, (int fd, const void *b, size_t len, int f), (fd, b, len, f), NULL,
      EPIPE, ECONNRESET, EINTR, ENOBUFS, SHORT)
CALL(ssize_t, -1, recvmsg, (int fd, struct msghdr *m, int f), (fd, m, f),
     ECONNRESET, EINTR, ENOMEM)
CALL(ssize_t, -1, sendmsg, (int fd, const struct msghdr *m, int f), (fd, m, f),
     EPIPE, ECONNRESET, EINTR, ENOBUFS)
CALL(ssize_t, -1, writev, (int fd, const struct iovec *v, int n), (fd, v, n),
     ENOSPC, EIO, EINTR)
CALL(ssize_t, -1, readv, (int fd, const struct iovec *v, int n), (fd, v, n),
     EIO, EINTR)
CALL(ssize_t, -1, sendfile64, (int to, int from, off64_t *o, size_t n),
     (to, from, o, n), EPIPE, EIO, EINTR)

CALL(int, -1, socket, (int d, int t, int p), (d, t, p), EMFILE, ENFILE, ENOMEM)
CALL(int, -1, socketpair, (int d, int t, int p, int f[2]), (d, t, p, f), EMFILE)
CALL(int, -1, bind, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n),
     EADDRINUSE, EACCES)
CALL(int, -1, listen, (int fd, int n), (fd, n), EADDRINUSE)
CALL(int, -1, accept4, (int fd, struct sockaddr *a, socklen_t *n, int f),
     (fd, a, n, f), EMFILE, ECONNABORTED, ENOBUFS, EINTR)
CALL(int, -1, setsockopt, (int fd, int l, int o, const void *v, socklen_t n),
     (fd, l, o, v, n), ENOBUFS)
CALL(int, -1, getsockopt, (int fd, int l, int o, void *v, socklen_t *n),
     (fd, l, o, v, n), ENOBUFS)
CALL(int, -1, getsockname, (int fd, struct sockaddr *a, socklen_t *n),
     (fd, a, n), ENOBUFS)
CALL(int, -1, getpeername, (int fd, struct sockaddr *a, socklen_t *n),
     (fd, a, n), ENOTCONN)
CALL(int, -1, shutdown, (int fd, int h), (fd, h), ENOTCONN)
CALL(int, -1, poll, (struct pollfd * p, nfds_t n, int t), (p, n, t), EINTR,
     ENOMEM)
CALL(int, -1, epoll_create1, (int f), (f), EMFILE, ENOMEM)
CALL(int, -1, epoll_ctl, (int e, int op, int fd, struct epoll_event *v),
     (e, op, fd, v), ENOMEM, ENOSPC)
CALL(int, -1, epoll_wait, (int e, struct epoll_event *v, int n, int t),
     (e, v, n, t), EINTR)
CALL(int, -1, eventfd, (unsigned int v, int f), (v, f), EMFILE)
CALL(int, -1, pipe2, (int fds[2], int f), (fds, f), EMFILE)
CALL(int, -1, memfd_create, (const char *s, unsigned int f), (s, f), EMFILE)
CALL(int, -1, signalfd, (int fd, const sigset_t *m, int f), (fd, m, f), EMFILE)
CODE(getaddrinfo,
     (const char *h, const char *s, const struct addrinfo *how_,
      struct addrinfo **out),
     (h, s, how_, out), EAI_AGAIN, EAI_MEMORY, EAI_NONAME)
CODE(getnameinfo,
     (const struct sockaddr *a, socklen_t n, char *h, socklen_t hn, char *s,
      socklen_t sn, int f),
     (a, n, h, hn, s, sn, f), EAI_MEMORY, EAI_FAIL)
CALL(int, -1, tcgetattr, (int fd, struct termios *t), (fd, t), EIO, ENOTTY)
CALL(int, -1, tcsetattr, (int fd, int how_, const struct termios *t),
     (fd, how_, t), EIO)
CALL(int, -1, ppoll,
     (struct pollfd * p, nfds_t n, const struct timespec *t, const sigset_t *m),
     (p, n, t, m), EINTR, ENOMEM)
/* of libpopt, which tells of no memory here alone */
CALL(void *, NULL, poptGetContext,
     (const char *name, int argc, const char **argv, const void *table,
      unsigned flags),
     (name, argc, argv, table, flags), ENOMEM)
CODE(pthread_create,
     (pthread_t * t, const pthread_attr_t *a, void *(*f)(void *), void *arg),
     (t, a, f, arg), EAGAIN)
CODE(posix_spawn_file_actions_init, (posix_spawn_file_actions_t * f), (f),
     ENOMEM)
CODE(posix_spawnattr_init, (posix_spawnattr_t * a), (a), ENOMEM)
CODE(posix_spawn,
     (pid_t * p, const char *s, const posix_spawn_file_actions_t *f,
      const posix_spawnattr_t *a, char *const v[], char *const e[]),
     (p, s, f, a, v, e), EAGAIN, ENOMEM)
CODE(posix_spawnp,
     (pid_t * p, const char *s, const posix_spawn_file_actions_t *f,
      const posix_spawnattr_t *a, char *const v[], char *const e[]),
     (p, s, f, a, v, e), EAGAIN, ENOENT)
CALL(pid_t, -1, fork, (void), (), EAGAIN, ENOMEM)
CALL(int, -1, getentropy, (void *b, size_t n), (b, n), ENOSYS)

CALL(int, -1, fstat64, (int fd, struct stat64 *st), (fd, st), EIO, ENOMEM)
CALL(int, -1, stat64, (const char *p, struct stat64 *st), (p, st), EACCES, EIO)
CALL(int, -1, lstat64, (const char *p, struct stat64 *st), (p, st), EACCES, EIO)
CALL(int, -1, fstatat64, (int d, const char *p, struct stat64 *st, int f),
     (d, p, st, f), EACCES, EIO)
CALL(int, -1, rename, (const char *a, const char *b), (a, b), EIO, EACCES,
     ENOSPC)
CALL(int, -1, link, (const char *a, const char *b), (a, b), EACCES, ENOSPC)
CALL(int, -1, unlink, (const char *p), (p), EACCES, EIO)
CALL(int, -1, unlinkat, (int d, const char *p, int f), (d, p, f), EACCES, EIO)
CALL(int, -1, rmdir, (const char *p), (p), EACCES)
CALL(int, -1, mkdir, (const char *p, mode_t m), (p, m), EACCES, ENOSPC)
CALL(char *, NULL, mkdtemp, (char *p), (p), EACCES, ENOSPC)
CALL(int, -1, mkostemp64, (char *p, int f), (p, f), EACCES, ENOSPC, EMFILE)
CALL(int, -1, fsync, (int fd), (fd), EIO, ENOSPC)
CALL(int, -1, ftruncate64, (int fd, off64_t n), (fd, n), EIO)
CALL(int, -1, fchmod, (int fd, mode_t m), (fd, m), EPERM)
CALL(int, -1, chmod, (const char *p, mode_t m), (p, m), EPERM)
CALL(int, -1, fchown, (int fd, uid_t u, gid_t g), (fd, u, g), EPERM)
CALL(int, -1, futimens, (int fd, const struct timespec t[2]), (fd, t), EPERM)
CALL(int, -1, flock, (int fd, int op), (fd, op), EINTR, ENOLCK)
CALL(off64_t, -1, lseek64, (int fd, off64_t o, int w), (fd, o, w), EIO)
CALL(void *, MAP_FAILED, mmap,
     (void *a, size_t n, int p, int f, int fd, off_t o), (a, n, p, f, fd, o),
     ENOMEM)
CALL(FILE *, NULL, fopen, (const char *p, const char *m), (p, m), EMFILE,
     EACCES, EIO)
CALL(FILE *, NULL, fopen64, (const char *p, const char *m), (p, m), EMFILE,
     EACCES, EIO)
CALL(FILE *, NULL, fdopen, (int fd, const char *m), (fd, m), ENOMEM)
CALL(DIR *, NULL, opendir, (const char *p), (p), EACCES, EMFILE)
CALL(DIR *, NULL, fdopendir, (int fd), (fd), ENOMEM)
CALL(char *, NULL, realpath, (const char *p, char *out), (p, out), EACCES,
     ENOMEM)
CALL(int, -1, access, (const char *p, int m), (p, m), EACCES)

/* it goes on after EINTR */
int connect(int fd, const struct sockaddr *a, socklen_t n)
{
    static const int ways[WAYS] = {ECONNREFUSED, ENETUNREACH, ETIMEDOUT, EINTR};
    int how;
    NEXT(int, connect, (int fd, const struct sockaddr *a, socklen_t n))

    how = fate("connect", ways, -1, NULL, 0);
    if (how == 0 ||
        (how == EINTR && next(fd, a, n) != 0 && errno != EINPROGRESS))
        return how == 0 ? next(fd, a, n) : -1;
    errno = how;
    return -1;
}

/* it has happened all the same */
int close(int fd)
{
    static const int ways[WAYS] = {EIO, EINTR};
    int how, rc;
    NEXT(int, close, (int fd))

    rc = next(fd);
    how = fate("close", ways, -1, NULL, 0);
    if (how == 0)
        return rc;
    errno = how;
    return -1;
}

int fclose(FILE *f)
{
    static const int ways[WAYS] = {EIO, ENOSPC};
    int how, rc;
    NEXT(int, fclose, (FILE * f))

    rc = next(f);
    how = fate("fclose", ways, -1, NULL, 0);
    if (how == 0)
        return rc;
    errno = how;
    return EOF;
}

#define FCNTL(name)                                                            \
    int name(int fd, int cmd, ...)                                             \
    {                                                                          \
        va_list ap;                                                            \
        void *arg;                                                             \
        NEXT(int, name, (int fd, int cmd, ...))                                \
                                                                               \
        va_start(ap, cmd);                                                     \
        arg = va_arg(ap, void *);                                              \
        va_end(ap);                                                            \
        if (cmd == F_DUPFD_CLOEXEC || cmd == F_SETLK || cmd == F_SETLKW)       \
            FAILS(-1, name, EMFILE, ENOLCK);                                   \
        return next(fd, cmd, arg);                                             \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

#define OPEN(name)                                                             \
    int name(const char *path, int flags, ...)                                 \
    {                                                                          \
        va_list ap;                                                            \
        int m;                                                                 \
        NEXT(int, name, (const char *path, int flags, ...))                    \
                                                                               \
        va_start(ap, flags);                                                   \
        m = (flags & O_CREAT) != 0 ? va_arg(ap, int) : 0;                      \
        va_end(ap);                                                            \
        FAILS(-1, name, EMFILE, EACCES, EIO, ENOSPC, EINTR);                   \
        return next(path, flags, m);                                           \
    }
int open64(const char *path, int flags, ...);
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                           \
    int name(int dir, const char *path, int flags, ...)                        \
    {                                                                          \
        va_list ap;                                                            \
        int m;                                                                 \
        NEXT(int, name, (int dir, const char *path, int flags, ...))           \
                                                                               \
        va_start(ap, flags);                                                   \
        m = (flags & O_CREAT) != 0 ? va_arg(ap, int) : 0;                      \
        va_end(ap);                                                            \
        FAILS(-1, name, EMFILE, EACCES, EIO, ENOSPC, EINTR);                   \
        return next(dir, path, flags, m);                                      \
    }
int openat64(int dir, const char *path, int flags, ...);
OPENAT(openat)
OPENAT(openat64)
