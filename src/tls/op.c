#include "tls/op.h"

#include "core/forklock.h"
#include "core/mem.h"
#include "ossl/fiber.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

#define BUCKETS 256u

struct tsk_op {
    struct tsk_op *next; /* in its bucket */
    uintptr_t id;
    int kind;
    unsigned generation; /* of the process that asked */
    int fd, fd_write;    /* one end each of a pipe, or one eventfd; -1: none */
    int waiting;         /* the connection has not taken the answer yet */
    atomic_int done;     /* all below is there, and stays as it is */
    int code;
    unsigned char *data;
    size_t len;
};

/* A child must find the table whole. */
static struct tsk_forklock lock = TSK_FORKLOCK(TSK_FORK_LEAF, NULL, NULL, NULL);
static struct tsk_op *table[BUCKETS];
static uintptr_t last_id;

/* Locked. */
static struct tsk_op **place(uintptr_t id)
{
    struct tsk_op **p = &table[id % BUCKETS];

    while (*p != NULL && (*p)->id != id)
        p = &(*p)->next;
    return p;
}

static struct tsk_op *op_new(int kind)
{
    struct tsk_op *op = tsk_alloc(sizeof(*op)), **p;

    if (op == NULL)
        return NULL;
    op->kind = kind;
    op->generation = tsk_fork_generation();
    op->fd = op->fd_write = -1;
    atomic_init(&op->done, 0);
    tsk_forklock_hold(&lock);
    do /* after the last number come those that are free again */
        op->id = ++last_id;
    while (op->id == 0 || *place(op->id) != NULL);
    p = &table[op->id % BUCKETS];
    op->next = *p;
    *p = op;
    tsk_forklock_let_go(&lock);
    return op;
}

void tsk_op_free(struct tsk_op *op)
{
    struct tsk_op **p;

    if (op == NULL)
        return;
    tsk_forklock_hold(&lock);
    p = place(op->id);
    *p = op->next;
    tsk_forklock_let_go(&lock);
    if (op->fd_write >= 0 && op->fd_write != op->fd)
        tsk_wait_close(op->fd_write);
    if (op->fd >= 0)
        tsk_wait_close(op->fd);
    tsk_free_secret(op->data, op->len);
    tsk_free(op);
}

const char *tsk_op_name(const struct tsk_op *op)
{
    static const char *const names[] = {
        [TLSOCK_ON_HELLO] = "HELLO",
        [TLSOCK_ON_VERIFY] = "VERIFY",
        [TLSOCK_ON_STAPLE] = "STAPLE",
        [TLSOCK_ON_SIGN] = "SIGN",
        [TLSOCK_ON_PASSWORD] = "PASSWORD",
        [TLSOCK_ON_TICKET_KEY] = "TICKET_KEY",
        [TLSOCK_ON_SESSION] = "SESSION",
        [TLSOCK_ON_CLOSE_NOTIFY] = "CLOSE_NOTIFY",
        [TLSOCK_ON_HANDSHAKE_FAIL] = "HANDSHAKE_FAIL",
        [TLSOCK_ON_MESSAGE] = "MESSAGE",
        [TLSOCK_ON_KEYLOG] = "KEYLOG",
        [TLSOCK_ON_LOG] = "LOG",
        [TLSOCK_ON_NAME] = "NAME",
        [TLSOCK_ON_EARLY_DATA] = "EARLY_DATA",
        [TLSOCK_ON_WIRE] = "WIRE",
        [TLSOCK_ON_DIALOGUE] = "DIALOGUE",
    };

    return names[op->kind];
}

static int make_fds(int fds[2])
{
#ifdef __linux__
    fds[0] = fds[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fds[0] < 0 ? -1 : 0;
#else
    if (pipe(fds) != 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
    return 0;
#endif
}

/* Locked. The descriptor is new or written once: it cannot be full. */
static void wake(const struct tsk_op *op)
{
    static const uint64_t one = 1;

    if (op->fd_write < 0)
        return;
    while (write(op->fd_write, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
}

/* From here on somebody waits: 0, or E_SYSTEM. */
static int arm(struct tsk_op *op, tlsock_error *err)
{
    int fds[2];

    if (make_fds(fds) != 0) {
        tsk_fail_sys(err, TLSOCK_E_SYSTEM, errno,
                     "cannot make a descriptor to wait for the answer of the "
                     "%s hook",
                     tsk_op_name(op));
        tsk_hint(err, "close descriptors, or raise the limit on open files");
        return TLSOCK_E_SYSTEM;
    }
    tsk_forklock_hold(&lock);
    op->fd = fds[0];
    op->fd_write = fds[1];
    if (atomic_load(&op->done))
        wake(op);
    tsk_forklock_let_go(&lock);
    return TLSOCK_OK;
}

static int refused(const struct tsk_op *op, int code, tlsock_error *err)
{
    tsk_fail(err, code, "the %s hook of this program refused: %s",
             tsk_op_name(op), tlsock_errslug(code));
    tsk_hint(err,
             "the function that tlsock_config_on() was given for "
             "TLSOCK_ON_%s decides so",
             tsk_op_name(op));
    return code;
}

static int may_accept(const struct tsk_op *op)
{
    return op->kind == TLSOCK_ON_VERIFY || op->kind == TLSOCK_ON_STAPLE ||
           op->kind == TLSOCK_ON_TICKET_KEY;
}

static int nonsense(const struct tsk_op *op, int code, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_HOOK,
             "the %s hook of this program answered %d, which means nothing",
             tsk_op_name(op), code);
    tsk_hint(err, "0 goes on, a negative TLSOCK_E_ code refuses%s",
             may_accept(op) ? ", TLSOCK_ACCEPT accepts" : "");
    return TLSOCK_E_HOOK;
}

/* What a hook, or tlsock_op_done(), said: the same, or a code. */
static int judge(const struct tsk_op *op, int code, tlsock_error *err)
{
    if (code == 0 || (code == TLSOCK_ACCEPT && may_accept(op)))
        return code;
    if (code < 0 && code != TLSOCK_AGAIN && tsk_errname_find(code) != NULL)
        return refused(op, code, err);
    return nonsense(op, code, err);
}

int tsk_op_judge(int kind, int code, tlsock_error *err)
{
    const struct tsk_op plain = {.kind = kind};

    return judge(&plain, code, err);
}

static int no_later(const struct tsk_op *op, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_HOOK,
             "the %s hook of this program answered TLSOCK_AGAIN where nothing "
             "can wait",
             tsk_op_name(op));
    tsk_hint(err, "answer within the call");
    return TLSOCK_E_HOOK;
}

struct errand {
    const struct tsk_hook *on;
    const tlsock_event *e;
    int rc;
};

static void call(void *arg)
{
    struct errand *a = arg;

    a->rc = a->on->call(a->e, a->on->arg);
}

int tsk_op_call(const struct tsk_hook *on, const tlsock_event *e)
{
    struct errand a = {on, e, 0};

    tsk_fiber_outside(call, &a);
    return a.rc;
}

/* A hook that keeps the op and goes on all the same has answered for good. */
static int outcome(struct tsk_op *op, enum tsk_op_mode mode, int rc,
                   tlsock_error *err)
{
    if (rc == TLSOCK_AGAIN && mode != TSK_OP_LATER)
        return no_later(op, err);
    if (rc == TLSOCK_AGAIN && !atomic_load(&op->done)) {
        int armed = arm(op, err);

        if (armed < 0)
            return armed;
        if (!atomic_load(&op->done)) {
            op->waiting = 1;
            return TLSOCK_AGAIN;
        }
    }
    if (rc != TLSOCK_AGAIN)
        rc = judge(op, rc, err);
    if ((rc == TLSOCK_OK || rc == TLSOCK_AGAIN) && mode != TSK_OP_NONE &&
        atomic_load(&op->done))
        rc = judge(op, op->code, err);
    return rc;
}

int tsk_op_ask(const struct tsk_hook *on, tlsock_event *e,
               enum tsk_op_mode mode, struct tsk_op **out, tlsock_error *err)
{
    struct tsk_op plain = {.kind = e->kind}, *op = &plain;
    int rc;

    *out = NULL;
    if (on->call == NULL)
        return TLSOCK_OK;
    if (mode != TSK_OP_NONE) {
        op = op_new(e->kind);
        if (op == NULL)
            return tsk_fail_nomem(err);
        e->op = (struct tlsock_op *)op->id;
    }
    rc = outcome(op, mode, tsk_op_call(on, e), err);
    if (mode == TSK_OP_NONE)
        return rc;
    if (rc >= 0 || rc == TLSOCK_AGAIN)
        *out = op;
    else
        tsk_op_free(op);
    return rc;
}

int tsk_op_event(tlsock *s, tlsock_event *e, enum tsk_op_mode mode)
{
    int rc;

    tsk_op_end(s);
    rc = tsk_op_ask(&s->set->on[e->kind], e, mode, &s->op, tsk_err(s));
    if (rc < 0 && rc != TLSOCK_AGAIN && tsk_err_of(s)->phase == 0)
        tsk_phase(tsk_err(s), TLSOCK_PHASE_HANDSHAKE);
    return rc;
}

/* The answer would go to the process that asked. */
static int left_behind(const struct tsk_op *op, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_FORKED,
             "the answer of the %s hook is awaited by another process",
             tsk_op_name(op));
    tsk_hint(err, "give connections to another process before or after their "
                  "handshake, not while a hook is being waited for");
    return TLSOCK_E_FORKED;
}

int tsk_op_poll(tlsock *s)
{
    int rc;

    if (s->op == NULL)
        return TLSOCK_OK;
    if (s->op->generation != tsk_fork_generation())
        rc = left_behind(s->op, tsk_err(s));
    else if (atomic_load(&s->op->done))
        rc = judge(s->op, s->op->code, tsk_err(s));
    else
        return TLSOCK_AGAIN;
    s->op->waiting = 0;
    if (rc < 0 && tsk_err_of(s)->phase == 0)
        tsk_phase(tsk_err(s), TLSOCK_PHASE_HANDSHAKE);
    return rc;
}

int tsk_op_waits(const tlsock *s)
{
    return s->op != NULL && s->op->waiting;
}

int tsk_op_unanswered(const tlsock *s)
{
    return tsk_op_waits(s) && !atomic_load(&s->op->done) &&
           s->op->generation == tsk_fork_generation();
}

const void *tsk_op_data(const struct tsk_op *op, size_t *len)
{
    if (op == NULL || !atomic_load(&op->done)) {
        *len = 0;
        return NULL;
    }
    *len = op->len;
    return op->data;
}

int tsk_op_fd(const struct tsk_op *op)
{
    return op != NULL ? op->fd : -1;
}

void tsk_op_end(tlsock *s)
{
    tsk_op_free(s->op);
    s->op = NULL;
}

/* Locked: 1 taken; 0: nobody waits for it any more; E_ARGUMENT, E_STATE,
 * E_FORKED. */
static int deliver(uintptr_t id, int code, unsigned char *data, size_t len)
{
    struct tsk_op *op = *place(id);

    if (id == 0 || (op == NULL && id > last_id))
        return TLSOCK_E_ARGUMENT;
    if (op == NULL)
        return 0;
    if (op->generation != tsk_fork_generation())
        return TLSOCK_E_FORKED;
    if (atomic_load(&op->done))
        return TLSOCK_E_STATE;
    op->code = code;
    op->data = data;
    op->len = data != NULL ? len : 0;
    atomic_store(&op->done, 1);
    wake(op);
    return 1;
}

/* What cannot be handed over fails the connection, which would wait for ever
 * otherwise. */
int tsk_op_answer(struct tlsock_op *handle, int code, const void *data,
                  size_t len)
{
    unsigned char *copy = NULL;
    int rc = TLSOCK_OK, taken;

    if (len > TSK_OP_DATA_MAX || (data == NULL && len != 0))
        code = rc = len > TSK_OP_DATA_MAX ? TLSOCK_E_LIMIT : TLSOCK_E_ARGUMENT;
    if (rc == TLSOCK_OK && len != 0) {
        copy = tsk_alloc(len);
        if (copy == NULL)
            code = rc = TLSOCK_E_NOMEM;
        else
            memcpy(copy, data, len);
    }
    tsk_forklock_hold(&lock);
    taken = deliver((uintptr_t)handle, code, copy, len);
    tsk_forklock_let_go(&lock);
    if (taken != 1)
        tsk_free_secret(copy, len);
    return taken < 0 ? taken : rc;
}
