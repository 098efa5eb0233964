/* shim - preloaded into the tool: the n-th call that changes a file does not
 * happen. TLSOCK_SHIM says what happens instead:
 *
 *   kill:N    the process is killed with SIGKILL
 *   half:N    the same, but half of it is written if it is a write
 *   torn:N    the same, also for what is written at a place (pwrite)
 *   fail:N:E  this call, and it alone, fails with errno E (a number)
 *   full:N    from this call on the disk is full: what needs room fails
 *   clock     waiting ends at once, but the monotonic clock goes on as if
 *   modes     nothing: TLSOCK_SHIM_MARK gets "MODE PATH" of what is made
 *
 * If it came to that, the file that TLSOCK_SHIM_MARK names is made.
 * What goes to stdout and stderr does not count. */
#undef _FILE_OFFSET_BITS /* it would give open() and open64() one name */

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int open64(const char *path, int flags, ...);
int openat64(int dir, const char *path, int flags, ...);
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at);
int ftruncate64(int fd, off64_t len);

/* a place in a file, as the kernel takes it: two words where they are short */
#if LONG_MAX > INT_MAX
#define PLACE(at) (at)
#else
#define PLACE(at) (long)(at), (long)((at) >> 32)
#undef SYS_ftruncate
#define SYS_ftruncate SYS_ftruncate64
#endif

static long calls;

static void mark(void)
{
    const char *path = getenv("TLSOCK_SHIM_MARK");

    if (path != NULL)
        (void)syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, path,
                                         O_CREAT | O_WRONLY, 0600));
}

/* -1 with errno: the call is not to be made. */
static int gate(int needs_room, int fd, const void *data, size_t len)
{
    const char *what = getenv("TLSOCK_SHIM");
    long at;
    char *rest;

    if (what == NULL || strlen(what) < 6 || what[4] != ':')
        return 0;
    calls++;
    at = strtol(what + 5, &rest, 10);
    if (strncmp(what, "full", 4) == 0 && calls >= at && needs_room) {
        mark();
        errno = ENOSPC;
        return -1;
    }
    if (calls != at || strncmp(what, "full", 4) == 0)
        return 0;
    mark();
    if (strncmp(what, "fail", 4) == 0) {
        errno = atoi(rest + 1);
        return -1;
    }
    if ((what[0] == 'h' || what[0] == 't') && data != NULL)
        (void)syscall(SYS_write, fd, data, len / 2);
    if (what[0] == 'k' || what[0] == 'h' || what[0] == 't')
        (void)kill(getpid(), SIGKILL);
    return 0;
}

/* Each file that is made, with the mode that it is made with. */
static void note_mode(const char *path, int mode)
{
    const char *what = getenv("TLSOCK_SHIM"), *to = getenv("TLSOCK_SHIM_MARK");
    char line[600];
    int fd, n;

    if (what == NULL || strcmp(what, "modes") != 0 || to == NULL)
        return;
    n = snprintf(line, sizeof(line), "%o %.500s\n", (unsigned)mode, path);
    fd = (int)syscall(SYS_openat, AT_FDCWD, to,
                      O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    (void)syscall(SYS_write, fd, line, n);
    (void)syscall(SYS_close, fd);
}

/* What a build that counts lines keeps at its end is none of the tool's. */
static int is_count(const char *path)
{
    size_t n = strlen(path);

    return n > 5 && strcmp(path + n - 5, ".gcda") == 0;
}

static int do_open(const char *path, int flags, int mode)
{
    if (is_count(path))
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if ((flags & O_CREAT) != 0)
        note_mode(path, mode);
    if ((flags & (O_CREAT | O_TRUNC)) != 0 && gate(1, -1, NULL, 0) != 0)
        return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

#define OPEN(name)                                                             \
    int name(const char *path, int flags, ...)                                 \
    {                                                                          \
        va_list ap;                                                            \
        int mode;                                                              \
                                                                               \
        va_start(ap, flags);                                                   \
        mode = (flags & O_CREAT) != 0 ? va_arg(ap, int) : 0;                   \
        va_end(ap);                                                            \
        return do_open(path, flags, mode);                                     \
    }
OPEN(open)
OPEN(open64)

int openat(int dir, const char *path, int flags, ...)
{
    va_list ap;
    int mode;

    va_start(ap, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(ap, int) : 0;
    va_end(ap);
    if ((flags & O_CREAT) != 0)
        note_mode(path, mode);
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
    va_list ap;
    int mode;

    va_start(ap, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(ap, int) : 0;
    va_end(ap);
    return openat(dir, path, flags, mode);
}

ssize_t write(int fd, const void *data, size_t len)
{
    if (fd > STDERR_FILENO && gate(1, fd, data, len) != 0)
        return -1;
    return syscall(SYS_write, fd, data, len);
}

static int tears_now(void)
{
    const char *what = getenv("TLSOCK_SHIM");

    return what != NULL && strncmp(what, "torn:", 5) == 0 &&
           strtol(what + 5, NULL, 10) == calls + 1;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    if (len > 16 && tears_now()) /* fewer, in one page, are not torn */
        (void)syscall(SYS_pwrite64, fd, data, len / 2, PLACE(at));
    if (gate(1, fd, NULL, 0) != 0)
        return -1;
    return syscall(SYS_pwrite64, fd, data, len, PLACE(at));
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    return pwrite64(fd, data, len, at);
}

int ftruncate64(int fd, off64_t len)
{
    return gate(0, -1, NULL, 0) != 0
               ? -1
               : (int)syscall(SYS_ftruncate, fd, PLACE(len));
}

int ftruncate(int fd, off_t len)
{
    return ftruncate64(fd, len);
}

int fsync(int fd)
{
    return gate(0, -1, NULL, 0) != 0 ? -1 : (int)syscall(SYS_fsync, fd);
}

int fchmod(int fd, mode_t mode)
{
    return gate(0, -1, NULL, 0) != 0 ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int chmod(const char *path, mode_t mode)
{
    return gate(0, -1, NULL, 0) != 0
               ? -1
               : (int)syscall(SYS_fchmodat, AT_FDCWD, path, mode);
}

int rename(const char *from, const char *to)
{
    return gate(1, -1, NULL, 0) != 0
               ? -1
               : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    return gate(0, -1, NULL, 0) != 0
               ? -1
               : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int unlinkat(int dir, const char *path, int flags)
{
    return gate(0, -1, NULL, 0) != 0
               ? -1
               : (int)syscall(SYS_unlinkat, dir, path, flags);
}

int mkdir(const char *path, mode_t mode)
{
    return gate(1, -1, NULL, 0) != 0
               ? -1
               : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

static int own_clock(void)
{
    const char *what = getenv("TLSOCK_SHIM");

    return what != NULL && strcmp(what, "clock") == 0;
}

int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    struct timespec left = {timeout_ms / 1000,
                            (long)(timeout_ms % 1000) * 1000000};

    if (n > 0 || !own_clock())
        return (int)syscall(SYS_ppoll, fds, n, timeout_ms < 0 ? NULL : &left,
                            NULL, 0);
    clock_ahead += 1;
    return 0;
}
