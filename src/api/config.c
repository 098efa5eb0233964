#include "api/config.h"

#include "api/config_box.h"
#include "core/mem.h"

static tlsock_config *wrap(struct tsk_box *box)
{
    tlsock_config *c;

    if (box == NULL)
        return NULL;
    c = tsk_alloc(sizeof(*c));
    if (c == NULL) {
        tsk_box_unref(box);
        return NULL;
    }
    atomic_init(&c->refs, 1);
    pthread_mutex_init(&c->lock, NULL);
    c->box = box;
    return c;
}

tlsock_config *tlsock_config_new(void)
{
    return wrap(tsk_box_new(NULL));
}

tlsock_config *tlsock_config_copy(const tlsock_config *from)
{
    tlsock_config *c = (tlsock_config *)(uintptr_t)from; /* only to lock */
    struct tsk_box *box;

    if (c == NULL)
        return tlsock_config_new();
    pthread_mutex_lock(&c->lock);
    box = tsk_box_copy(c->box, NULL);
    pthread_mutex_unlock(&c->lock);
    return wrap(box);
}

tlsock_config *tlsock_config_ref(tlsock_config *c)
{
    if (c != NULL)
        atomic_fetch_add(&c->refs, 1);
    return c;
}

void tlsock_config_unref(tlsock_config *c)
{
    if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    tsk_ctx_unref(c->snapshot);
    tsk_box_unref(c->box);
    pthread_mutex_destroy(&c->lock);
    tsk_free(c);
}

const tlsock_error *tlsock_config_error(const tlsock_config *c)
{
    static const tlsock_error none;

    return c != NULL ? &c->err : &none;
}

/* The events that there are, and whether this version tells of them. */
static const unsigned char events[TLSOCK_ON_NAME + 1] = {
    [TLSOCK_ON_CLOSE_NOTIFY] = 1,
    [TLSOCK_ON_HANDSHAKE_FAIL] = 1,
    [TLSOCK_ON_NAME] = 1,
};

static int check_event(tlsock_config *c, int event)
{
    if (event < TLSOCK_ON_HELLO || event > TLSOCK_ON_NAME)
        return tsk_fail(&c->err, TLSOCK_E_ARGUMENT, "there is no event %d",
                        event);
    if (!events[event])
        return tsk_fail(&c->err, TLSOCK_E_UNSUPPORTED,
                        "event %d is not in version %s", event, TSK_VERSION);
    return TLSOCK_OK;
}

int tlsock_config_on(tlsock_config *c, int event, tlsock_hook *hook, void *arg)
{
    int rc = tsk_config_begin(c);

    if (rc < 0)
        return rc;
    rc = check_event(c, event);
    if (rc == TLSOCK_OK)
        c->box->set.on[event] = (struct tsk_hook){hook, arg};
    return tsk_config_end(c, rc);
}

int tsk_config_begin(tlsock_config *c)
{
    if (c == NULL)
        return TLSOCK_E_ARGUMENT;
    pthread_mutex_lock(&c->lock);
    tsk_clear(&c->err);
    tsk_phase(&c->err, TLSOCK_PHASE_CONFIG);
    if (c->snapshot == NULL)
        return TLSOCK_OK;
    tsk_fail(&c->err, TLSOCK_E_FROZEN,
             "the config is in use and cannot be changed any more");
    tsk_hint(&c->err, "set everything before the first connection, or change "
                      "a copy made with tlsock_config_copy()");
    return tsk_config_end(c, TLSOCK_E_FROZEN);
}

int tsk_config_end(tlsock_config *c, int rc)
{
    pthread_mutex_unlock(&c->lock);
    return rc;
}

/* Locked. A config that cannot be built stays open to be mended. */
static int freeze(tlsock_config *c, int server, tlsock_error *err)
{
    int rc = TLSOCK_OK;

    if (server && !c->serves) {
        rc = tsk_box_prove(c->box, 1, err);
        if (rc < 0)
            return rc;
    }
    if (c->snapshot == NULL) {
        c->snapshot = tsk_box_build(c->box, err);
        if (c->snapshot == NULL)
            return err->code;
    }
    c->serves |= server;
    return rc;
}

/* Made once, kept for the life of the process, so it stays reachable. After a
 * failure (out of memory) the next call tries again. */
static tlsock_config *process_default(void)
{
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    static tlsock_config *config;
    tlsock_config *c;

    pthread_mutex_lock(&once);
    if (config == NULL)
        config = tlsock_config_new();
    c = config;
    pthread_mutex_unlock(&once);
    return c;
}

int tsk_config_snapshot(tlsock_config *config, int server, struct tsk_ctx **out,
                        tlsock_error *err)
{
    tlsock_config *c = config != NULL ? config : process_default();
    tlsock_error why;
    int rc = TLSOCK_OK;

    if (c == NULL)
        return tsk_fail_nomem(err);
    server = server != 0;
    pthread_mutex_lock(&c->lock);
    if (c->snapshot == NULL || (server && !c->serves)) {
        tsk_clear(&why);
        tsk_phase(&why, TLSOCK_PHASE_CONFIG);
        rc = freeze(c, server, &why);
        if (rc < 0) {
            c->err = why;
            if (err != NULL)
                *err = why;
        }
    }
    if (rc == TLSOCK_OK)
        *out = tsk_ctx_ref(c->snapshot);
    pthread_mutex_unlock(&c->lock);
    return rc;
}
