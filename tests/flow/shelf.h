/* shelf - a store of sessions, as a program may have one, with the habits of
 * bad ones as knobs. */
#ifndef TEST_FLOW_SHELF_H
#define TEST_FLOW_SHELF_H

#include "test.h"

#include <string.h>
#include <time.h>
#include <tlsock/session.h>

struct slot {
    uint8_t key[TLSOCK_SESSION_KEY_MAX], data[TLSOCK_SESSION_MAX];
    size_t klen, len;
};

struct shelf {
    struct slot slots[8];
    int gets, puts, dels;
    int refuse_get, refuse_put, refuse_del, lie_long, keep_del;
};

static inline struct slot *on_shelf(struct shelf *sh, const void *key,
                                    size_t klen)
{
    for (size_t i = 0; i < COUNT(sh->slots); i++)
        if (sh->slots[i].klen == klen &&
            memcmp(sh->slots[i].key, key, klen) == 0)
            return &sh->slots[i];
    return NULL;
}

static inline int shelf_get(void *arg, const void *key, size_t klen, void *out,
                            size_t *len)
{
    struct shelf *sh = arg;
    const struct slot *s = on_shelf(sh, key, klen);

    sh->gets++;
    assert_int_equal(*len, TLSOCK_SESSION_MAX);
    if (s == NULL || sh->refuse_get)
        return TLSOCK_E_STATE;
    memcpy(out, s->data, s->len);
    *len = sh->lie_long ? SIZE_MAX / 2 : s->len;
    return 0;
}

static inline int shelf_put(void *arg, const void *key, size_t klen,
                            const void *data, size_t len, int64_t expires)
{
    struct shelf *sh = arg;
    struct slot *s = on_shelf(sh, key, klen);

    sh->puts++;
    assert_true(klen <= TLSOCK_SESSION_KEY_MAX && len <= TLSOCK_SESSION_MAX);
    assert_within(expires, time(NULL), time(NULL) + 7200);
    if (sh->refuse_put)
        return TLSOCK_E_LIMIT;
    for (size_t i = 0; s == NULL && i < COUNT(sh->slots); i++)
        if (sh->slots[i].klen == 0)
            s = &sh->slots[i];
    assert_non_null(s);
    memcpy(s->key, key, klen);
    memcpy(s->data, data, len);
    s->klen = klen;
    s->len = len;
    return 0;
}

static inline int shelf_del(void *arg, const void *key, size_t klen)
{
    struct shelf *sh = arg;
    struct slot *s = on_shelf(sh, key, klen);

    sh->dels++;
    if (s == NULL || sh->refuse_del)
        return TLSOCK_E_STATE;
    if (!sh->keep_del)
        s->klen = 0;
    return 0;
}

static const tlsock_store shelf_store = {sizeof(shelf_store), shelf_get,
                                         shelf_put, shelf_del};

#endif
