#include "session/replay.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#define SLOTS 65536u /* a power of two */
#define PROBES 32u   /* slots that an entry may be in */

struct slot {
    uint8_t id[16]; /* half of it: no two are alike */
    int64_t until;  /* 0: free */
};

static struct table {
    pthread_mutex_t lock; /* of all processes */
    struct slot slots[SLOTS];
} * table; /* lives as long as the process: its children use it */

static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

static int make_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr = {0};
    int rc = pthread_mutexattr_init(&attr);

    if (rc == 0)
        rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    if (rc == 0) /* a process may be killed while it holds it */
        rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    if (rc == 0)
        rc = pthread_mutex_init(lock, &attr);
    (void)pthread_mutexattr_destroy(&attr);
    return rc;
}

static int make(tlsock_error *err)
{
    struct table *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int rc;

    if (t == MAP_FAILED)
        return tsk_fail_nomem(err);
    rc = make_lock(&t->lock);
    if (rc != 0) {
        munmap(t, sizeof(*t));
        return tsk_fail_sys(err, TLSOCK_E_SYSTEM, rc,
                            "cannot make a lock that processes share");
    }
    table = t;
    return TLSOCK_OK;
}

int tsk_replay_open(tlsock_error *err)
{
    int rc = TLSOCK_OK;

    pthread_mutex_lock(&making);
    if (table == NULL)
        rc = make(err);
    pthread_mutex_unlock(&making);
    return rc;
}

/* Who died left at most one slot half written, whose entry will not be found:
 * its connection died, too. */
static int enter(struct table *t)
{
    int rc = pthread_mutex_lock(&t->lock);

    if (rc == EOWNERDEAD)
        rc = pthread_mutex_consistent(&t->lock);
    return rc == 0;
}

static int note(struct slot *slots, const uint8_t *id, int64_t now)
{
    struct slot *room = NULL;
    uint32_t at;

    memcpy(&at, id + 16, sizeof(at));
    for (uint32_t i = 0; i < PROBES; i++) {
        struct slot *s = &slots[(at + i) % SLOTS];

        if (s->until <= now) {
            if (room == NULL)
                room = s;
        } else if (memcmp(s->id, id, sizeof(s->id)) == 0) {
            return 0;
        }
    }
    if (room == NULL)
        return 0;
    memcpy(room->id, id, sizeof(room->id));
    room->until = now + TSK_REPLAY_KEEP_S;
    return 1;
}

int tsk_replay_first(const uint8_t id[TSK_REPLAY_ID], int64_t now_s)
{
    int first;

    if (table == NULL || !enter(table))
        return 0;
    first = note(table->slots, id, now_s);
    pthread_mutex_unlock(&table->lock);
    return first;
}
