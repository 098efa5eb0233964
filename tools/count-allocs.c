/* Preloaded by count-allocs: counts what a process allocates from its first
 * accept4() or connect() on, and in the end says which of the two it was, how
 * many connections it had, and how often it asked for memory: a line at the end
 * of the file COUNT_ALLOCS. For processes of one thread, and glibc. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);

static unsigned long allocs, bytes, connections;
static const char *side; /* NULL: neither yet */

static void note(size_t n)
{
    if (side == NULL)
        return;
    allocs++;
    bytes += n;
}

void *malloc(size_t n)
{
    note(n);
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    note(n * size);
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    note(n);
    return __libc_realloc(p, n);
}

int accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
    int got = (int)syscall(SYS_accept4, fd, sa, len, flags);

    side = "server";
    if (got >= 0)
        connections++;
    return got;
}

int connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    side = "client";
    connections++;
    return (int)syscall(SYS_connect, fd, sa, len);
}

void _exit(int status)
{
    const char *out = getenv("COUNT_ALLOCS");
    int fd = out != NULL && side != NULL
                 ? open(out, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)
                 : -1;

    if (fd >= 0)
        dprintf(fd, "%s %lu %lu %lu\n", side, connections, allocs, bytes);
    syscall(SYS_exit_group, status);
    __builtin_unreachable();
}
