#include "ossl/queue.h"
#include "tls/conn.h"

/* 1: OpenSSL has it; 0: it cannot read it, or code. */
static int add(tlsock *s, const struct tsk_tlsa *t)
{
    int rc;

    tsk_ossl_enter(); /* what it says of a bad one is nobody's business */
    rc = SSL_dane_tlsa_add(s->ssl, t->usage, t->selector, t->matching, t->data,
                           t->len);
    if (rc < 0 || (rc == 0 && tsk_ossl_starved()))
        rc = tsk_fail_ossl(tsk_err(s), TLSOCK_E_NOMEM, "TLSA record");
    tsk_ossl_leave();
    return rc;
}

/* The records that we can use, and OpenSSL can read. */
static int add_all(tlsock *s)
{
    const struct tsk_tlsa_set *set = s->dane->set;
    int port = tsk_tlsa_port(s->dane->lookup);

    for (size_t i = 0; i < set->n; i++) {
        int rc = 0;

        if (tsk_tlsa_fault(&set->list[i], port) == NULL)
            rc = add(s, &set->list[i]);
        if (rc < 0)
            return rc;
        s->dane->usable += (size_t)rc;
    }
    return TLSOCK_OK;
}

/* Names are for verify/policy.c to check: OpenSSL gets none. */
static int set_names(tlsock *s)
{
    const char *sni = s->sni;

    if (!s->sni_given && s->dane->usable != 0) /* RFC 7671, 7 */
        sni = s->dane->set->base;
    if (!SSL_set_tlsext_host_name(s->ssl, sni) || !SSL_set1_host(s->ssl, NULL))
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_NOMEM, "SNI");
    return TLSOCK_OK;
}

int tsk_dane_enable(tlsock *s)
{
    int rc;

    if (s->dane == NULL || s->dane->set == NULL ||
        s->dane->set->state != TSK_TLSA_THERE)
        return TLSOCK_OK;
    s->dane->ssl = s->ssl;
    s->dane->usable = 0;
    if (SSL_dane_enable(s->ssl, s->dane->set->base) <= 0)
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_NOMEM, "DANE");
    SSL_dane_set_flags(s->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    rc = add_all(s);
    if (rc == TLSOCK_OK)
        rc = set_names(s);
    if (rc < 0)
        return rc;
    if (s->dane->usable != 0 || !s->dane->required)
        return TLSOCK_OK;
    tsk_fail(tsk_err(s), TLSOCK_E_DANE,
             "%.120s has no usable TLSA record: OpenSSL cannot read any",
             s->dane->set->owner);
    tsk_hint(tsk_err(s), "the zone's owner has to publish a record that fits, "
                         "such as 3 1 1 and the SHA-256 of the server's key");
    return TLSOCK_E_DANE;
}
