/* What a HELLO hook chooses beside the certificate, for one connection: it may
 * be stricter than the config, and ask a client whom the config lets be. */
#include "core/mem.h"
#include "ossl/queue.h"
#include "tls/hello.h"

#include <string.h>

/* Is a choice possible now? Then there is a place for it: 0, E_STATE, E_NOMEM.
 * wake_lock is held. */
static int make_place(tlsock *s)
{
    if (!s->hello.choosing)
        return TLSOCK_E_STATE;
    if (s->hello.use != NULL)
        return TLSOCK_OK;
    s->hello.use = tsk_alloc(sizeof(*s->hello.use));
    if (s->hello.use == NULL)
        return TLSOCK_E_NOMEM;
    s->hello.use->client = -1;
    return TLSOCK_OK;
}

int tsk_hello_use_alpn(tlsock *s, const char *protocol)
{
    int rc;

    pthread_mutex_lock(&s->wake_lock);
    rc = make_place(s);
    if (rc == TLSOCK_OK) {
        s->hello.use->alpn = 1;
        strcpy(s->hello.use->protocol, protocol);
    }
    pthread_mutex_unlock(&s->wake_lock);
    return rc;
}

static int newest(int tls_max)
{
    return tls_max != 0 ? tls_max : TLS1_3_VERSION;
}

int tsk_hello_use_version(tlsock *s, int min, int max)
{
    int rc;

    pthread_mutex_lock(&s->wake_lock);
    rc = make_place(s);
    if (rc == TLSOCK_OK &&
        (min < s->set->tls_min || max > newest(s->set->tls_max)))
        rc = TLSOCK_E_OPTION;
    if (rc == TLSOCK_OK) {
        s->hello.use->min = min;
        s->hello.use->max = max;
    }
    pthread_mutex_unlock(&s->wake_lock);
    return rc;
}

/* Whom the config wants to see is never waved through. */
static int may_ask_so(const struct tsk_settings *set, int client)
{
    if (set->client_auth == TSK_CLIENT_REQUIRE ||
        (client == TSK_CLIENT_ASK && set->client_auth == TSK_CLIENT_ASK))
        return TLSOCK_E_OPTION;
    if (client == TSK_CLIENT_NONE)
        return set->policy[TSK_RULE_CLIENT_AUTH] != NULL ? TLSOCK_E_POLICY
                                                         : TLSOCK_OK;
    return set->policy[TSK_RULE_INSECURE] != NULL ||
                   set->policy[TSK_RULE_TRUST] != NULL
               ? TLSOCK_E_POLICY
               : TLSOCK_OK;
}

int tsk_hello_use_client(tlsock *s, int client)
{
    int rc;

    pthread_mutex_lock(&s->wake_lock);
    rc = make_place(s);
    if (rc == TLSOCK_OK)
        rc = may_ask_so(s->set, client);
    if (rc == TLSOCK_OK)
        s->hello.use->client = client;
    pthread_mutex_unlock(&s->wake_lock);
    return rc;
}

int tsk_hello_apply(tlsock *s, SSL *ssl)
{
    const struct tsk_hello_use *use = s->hello.use;

    if (use == NULL)
        return TLSOCK_OK;
    if (use->min != 0 && (!SSL_set_min_proto_version(ssl, use->min) ||
                          !SSL_set_max_proto_version(ssl, use->max)))
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_OPTION,
                             "cannot use the TLS version that the HELLO hook "
                             "chose");
    return use->client < 0
               ? TLSOCK_OK
               : tsk_hand_any_client(s, use->client == TSK_CLIENT_ASK);
}

void tsk_hello_versions(const tlsock *s, int *min, int *max)
{
    const struct tsk_hello_use *use = s->hello.use;
    int chosen = use != NULL && use->min != 0;

    *min = chosen ? use->min : s->set->tls_min;
    *max = chosen ? use->max : newest(s->set->tls_max);
}

int tsk_hello_any_client(const tlsock *s)
{
    return s->hello.use != NULL && s->hello.use->client == TSK_CLIENT_ASK;
}
