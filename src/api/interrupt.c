#include "api/conn.h"
#include "ossl/queue.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* One descriptor per thread that ever waits, not one per connection: who
 * waits leaves its number with what it waits for. A forked child must not
 * share it with its parent, so it remembers whose it is. */
struct wake {
    int fd;
    unsigned generation;
};
static _Thread_local struct wake mine = {-1, 0};
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int has_key;

static void at_thread_end(void *fd_plus_1)
{
    close((int)(intptr_t)fd_plus_1 - 1);
}

static void make_key(void)
{
    has_key = pthread_key_create(&key, at_thread_end) == 0;
}

int tsk_wake_fd(void)
{
    unsigned now = tsk_fork_generation();

    if (mine.fd >= 0 && mine.generation == now)
        return mine.fd;
    if (mine.fd >= 0)
        close(mine.fd); /* the parent's: in this process, a copy */
    pthread_once(&once, make_key);
    mine.fd = has_key ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
    mine.generation = now;
    /* NULL for none: an old number may be somebody else's by then */
    if (has_key &&
        pthread_setspecific(key, (void *)(intptr_t)(mine.fd + 1)) != 0 &&
        mine.fd >= 0) {
        close(mine.fd);
        mine.fd = -1;
    }
    return mine.fd;
}

void tsk_wake_begin(tlsock *s, int fd)
{
    pthread_mutex_lock(&s->wake_lock);
    s->wake_fd = fd;
    pthread_mutex_unlock(&s->wake_lock);
}

void tsk_wake_end(tlsock *s)
{
    tsk_wake_begin(s, -1);
}

void tsk_wake_drain(int fd)
{
    uint64_t n;

    while (read(fd, &n, sizeof(n)) < 0 && errno == EINTR)
        continue;
}

int tsk_interrupted(tlsock *s)
{
    if (!atomic_load_explicit(&s->interrupted, memory_order_relaxed))
        return TLSOCK_OK;
    tsk_err_clear(s);
    tsk_fail(tsk_err(s), TLSOCK_E_INTERRUPTED,
             "tlsock_interrupt() was called for this connection");
    return TLSOCK_E_INTERRUPTED;
}

int tlsock_interrupt(tlsock *s)
{
    static const uint64_t one = 1;
    int saved = errno;

    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    atomic_store(&s->interrupted, 1);
    pthread_mutex_lock(&s->wake_lock);
    if (s->wake_fd >= 0)
        while (write(s->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
            continue;
    pthread_mutex_unlock(&s->wake_lock);
    errno = saved;
    return TLSOCK_OK;
}
