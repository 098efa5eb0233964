#include "tls/rawkey.h"

#include "ossl/compat.h"
#include "ossl/queue.h"
#include "tls/ctx_private.h"

static int has_pin_of_key(const struct tsk_settings *set)
{
    for (size_t i = 0; i < set->n_pins; i++)
        if (set->pins[i].of_public_key)
            return 1;
    return 0;
}

/* A client that could not accept one does not ask for one: no pin is of a key,
 * or more than a key is wanted to be seen. */
static int is_of_use(const tlsock *s)
{
    const struct tsk_settings *set = s->set;

    if (!set->raw_keys || s->server)
        return set->raw_keys;
    return has_pin_of_key(set) && set->pin_mode != TSK_PIN_REQUIRE_CHAIN &&
           set->dane == TSK_DANE_OFF && set->on[TLSOCK_ON_VERIFY].call == NULL;
}

int tsk_rawkey_offer(tlsock *s)
{
    if (is_of_use(s) && !tsk_compat_take_raw_keys(s->ssl))
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_NOMEM, "raw public keys");
    return TLSOCK_OK;
}

int tsk_rawkey_verify(tlsock *s, X509_STORE_CTX *store_ctx, int *rc)
{
    EVP_PKEY *key = tsk_compat_raw_key(store_ctx);
    struct tsk_verify_req req;

    if (key == NULL)
        return 0;
    tsk_ctx_request(tsk_conn_rules(s), s->server, &req);
    tsk_facts_wipe(s);
    *rc = tsk_policy_key(store_ctx, key, &req, &s->facts->verdict, tsk_err(s));
    if (*rc < 0)
        tsk_phase(tsk_err(s), TLSOCK_PHASE_VERIFY);
    return 1;
}
