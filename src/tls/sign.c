#include "tls/sign.h"

#include "cert/cert.h"
#include "ossl/fiber.h"
#include "ossl/remote.h"
#include "tls/early.h"
#include "tls/op.h"

#include <string.h>

/* Whose handshake this thread is in: OpenSSL's signing knows only keys. */
static _Thread_local tlsock *signer;

/* Never inlined: after a pause the thread may be another one. */
static __attribute__((noinline)) tlsock *get_signer(void)
{
    return signer;
}

static __attribute__((noinline)) void set_signer(tlsock *s)
{
    signer = s;
}

static int no_signature(tlsock *s)
{
    tsk_fail(tsk_err(s), TLSOCK_E_HOOK,
             "the SIGN hook of this program gave no signature");
    tsk_hint(tsk_err(s), "hand it over with tlsock_op_done(event->op, 0, "
                         "signature, length)");
    return TLSOCK_E_HOOK;
}

static int wrong_signature(tlsock *s, const struct tsk_remote_ask *ask,
                           size_t len)
{
    char who[96];

    tsk_cert_short_name(((const tlsock_cert *)ask->arg)->leaf, who,
                        sizeof(who));
    tsk_fail(tsk_err(s), TLSOCK_E_HOOK,
             "the %zu bytes that the SIGN hook gave are no signature %s by "
             "the key of certificate \"%s\"",
             len, ask->scheme, who);
    tsk_hint(tsk_err(s),
             "sign event->data as it is (it is the digest, where the "
             "scheme has one) with that certificate's key, padding "
             "and encoding as the scheme says");
    tsk_facts(tsk_err(s), ask->scheme, NULL, who);
    return TLSOCK_E_HOOK;
}

static int take(tlsock *s, const struct tsk_remote_ask *ask, unsigned char *sig,
                size_t *room)
{
    size_t len;
    const void *data = tsk_op_data(s->op, &len);

    if (len == 0)
        return no_signature(s);
    if (len > *room || !tsk_remote_check(ask, data, len))
        return wrong_signature(s, ask, len);
    memcpy(sig, data, len);
    *room = len;
    return TLSOCK_OK;
}

int tsk_sign_can_wait(const tlsock *s)
{
    return tsk_fiber_paused(s->fiber);
}

int tsk_sign_ask(tlsock *s, tlsock_event *e, enum tsk_op_mode mode)
{
    int rc = tsk_op_event(s, e, mode);

    while (rc == TLSOCK_AGAIN && !s->giving_up) {
        tsk_fiber_pause();
        rc = tsk_op_poll(s);
    }
    return rc;
}

static int ask_hook(tlsock *s, const struct tsk_remote_ask *ask)
{
    tlsock_event e = {.size = sizeof(e),
                      .kind = TLSOCK_ON_SIGN,
                      .conn = s,
                      .fd = -1,
                      .data = ask->data,
                      .len = ask->len,
                      .name = ask->scheme,
                      .cert = ask->arg};

    return tsk_sign_ask(s, &e,
                        tsk_sign_can_wait(s) ? TSK_OP_LATER : TSK_OP_NOW);
}

static int sign(const struct tsk_remote_ask *ask, unsigned char *sig,
                size_t *room)
{
    tlsock *s = get_signer();
    int rc;

    if (s == NULL || s->giving_up)
        return 0;
    rc = ask_hook(s, ask);
    if (rc == TLSOCK_OK)
        rc = take(s, ask, sig, room);
    tsk_op_end(s);
    if (rc == TLSOCK_OK)
        return 1;
    tsk_phase(tsk_err(s), TLSOCK_PHASE_HANDSHAKE);
    return 0;
}

EVP_PKEY *tsk_sign_key(const tlsock_cert *id)
{
    tlsock_cert *c = (tlsock_cert *)(uintptr_t)id; /* it is only remembered */
    EVP_PKEY *key = id->key, *none = NULL;

    if (key == NULL)
        key = atomic_load(&c->remote);
    if (key != NULL)
        return key;
    key = tsk_remote_key_new(X509_get0_pubkey(id->leaf), sign, c);
    if (key == NULL || atomic_compare_exchange_strong(&c->remote, &none, key))
        return key;
    EVP_PKEY_free(key); /* another thread was first */
    return none;
}

tlsock *tsk_sign_begin(tlsock *s)
{
    tlsock *before = get_signer();

    if (!s->server && s->set->on[TLSOCK_ON_SIGN].call != NULL)
        set_signer(s);
    return before;
}

void tsk_sign_over(tlsock *before)
{
    set_signer(before);
}

static void shake(void *arg)
{
    tlsock *s = arg;

    s->hand_ret =
        tsk_early_reading(s) ? tsk_early_shake(s) : SSL_do_handshake(s->ssl);
}

/* Is there a hook that libssl cannot wait for by itself? */
static int may_wait(const tlsock *s)
{
    return s->set->on[TLSOCK_ON_SIGN].call != NULL ||
           (s->server && s->set->on[TLSOCK_ON_TICKET_KEY].call != NULL);
}

int tsk_sign_handshake(tlsock *s, int *ret)
{
    tlsock *before = get_signer();
    int paused = 0;

    if (!may_wait(s)) {
        shake(s);
        *ret = s->hand_ret;
        return TLSOCK_OK;
    }
    if (s->fiber == NULL && tsk_fiber_can()) {
        s->fiber = tsk_fiber_new();
        if (s->fiber == NULL)
            return tsk_fail_nomem(tsk_err(s));
    }
    set_signer(s);
    if (s->fiber != NULL)
        paused = tsk_fiber_run(s->fiber, shake, s);
    else
        shake(s);
    set_signer(before);
    *ret = s->hand_ret;
    return paused ? TLSOCK_AGAIN : TLSOCK_OK;
}

/* libssl's calls are on the fiber's stack and hold memory: they have to return,
 * so the signature fails, and with it the handshake. */
void tsk_sign_end(tlsock *s)
{
    tlsock *before = get_signer();

    if (tsk_fiber_paused(s->fiber)) {
        s->giving_up = 1;
        s->io.code = TLSOCK_E_INTERRUPTED; /* nothing is read or sent */
        set_signer(s);
        (void)tsk_fiber_run(s->fiber, shake, s);
        set_signer(before);
    }
    tsk_fiber_free(s->fiber);
    s->fiber = NULL;
}
