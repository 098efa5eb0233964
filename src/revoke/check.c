#include "revoke/check_private.h"

#include "cert/cert.h"
#include "core/mem.h"
#include "ossl/queue.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define LIST_MAX ((size_t)64 * 1024 * 1024)
#define RESPONSE_MAX ((size_t)64 * 1024)

/* The same certificate under another issuer's key is another question. */
static int cache_key(uint8_t key[32], X509 *crt, X509 *issuer)
{
    unsigned char both[64];
    unsigned int n = 32;

    return X509_digest(crt, EVP_sha256(), both, &n) == 1 &&
           X509_pubkey_digest(issuer, EVP_sha256(), both + 32, &n) == 1 &&
           EVP_Digest(both, sizeof(both), key, NULL, EVP_sha256(), NULL) == 1;
}

/* RFC 9608: the CA says that it never revokes this one. */
static int never_revoked(X509 *crt)
{
    ASN1_OBJECT *oid = OBJ_txt2obj("2.5.29.56", 1);
    int found = oid != NULL && X509_get_ext_by_OBJ(crt, oid, -1) >= 0;

    ASN1_OBJECT_free(oid);
    return found;
}

static int fill(struct tsk_check *k, tlsock_error *err)
{
    int below = sk_X509_num(k->chain) - 1;

    k->n = below > 1 && !k->rules.whole ? 1 : below > 0 ? (size_t)below : 0;
    if (k->n > TSK_CHECK_CERTS)
        return tsk_fail(err, TLSOCK_E_REVOCATION_UNKNOWN,
                        "the chain has %d certificates to ask about, more than "
                        "%d",
                        below, TSK_CHECK_CERTS);
    k->certs = tsk_alloc((k->n + 1) * sizeof(*k->certs));
    if (k->certs == NULL)
        return tsk_fail_nomem(err);
    for (size_t i = 0; i < k->n; i++) {
        struct tsk_check_cert *c = &k->certs[i];

        c->crt = sk_X509_value(k->chain, (int)i);
        c->issuer = sk_X509_value(k->chain, (int)i + 1);
        if (!cache_key(c->key, c->crt, c->issuer))
            return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "certificate digest");
        if (never_revoked(c->crt)) {
            c->st.state = TSK_GOOD;
            c->step = TSK_STEP_OVER;
        }
    }
    return TLSOCK_OK;
}

/* References of all that has to outlive the caller's call. */
static int take(struct tsk_check *k, const struct tsk_check_rules *rules,
                STACK_OF(X509) * chain, STACK_OF(X509) * untrusted,
                tlsock_error *err)
{
    k->rules = *rules;
    k->rules.lists = NULL;
    k->rules.cache = NULL;
    k->rules.store = NULL;
    k->most_lists =
        rules->n_lists + (size_t)TSK_CHECK_CERTS * (TSK_CHECK_URLS + 1);
    k->lists = tsk_alloc(k->most_lists * sizeof(*k->lists));
    if (k->lists == NULL)
        return tsk_fail_nomem(err);
    for (size_t i = 0; i < rules->n_lists; i++)
        k->lists[k->n_lists++] = tsk_crls_ref(rules->lists[i]);
    if (rules->cache != NULL)
        k->rules.cache = tsk_revcache_ref(rules->cache);
    if (rules->store != NULL && X509_STORE_up_ref(rules->store))
        k->rules.store = rules->store;
    k->chain = X509_chain_up_ref(chain);
    k->untrusted = untrusted != NULL ? X509_chain_up_ref(untrusted) : NULL;
    if (k->chain == NULL || (untrusted != NULL && k->untrusted == NULL))
        return tsk_fail_nomem(err);
    return fill(k, err);
}

struct tsk_check *tsk_check_new(const struct tsk_check_rules *rules,
                                STACK_OF(X509) * chain,
                                STACK_OF(X509) * untrusted, tlsock_error *err)
{
    struct tsk_check *k = tsk_alloc(sizeof(*k));
    int rc;

    if (k == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    tsk_ossl_enter();
    rc = take(k, rules, chain, untrusted, err);
    tsk_ossl_leave();
    if (rc == TLSOCK_OK)
        return k;
    tsk_check_free(k);
    return NULL;
}

const uint8_t *tsk_check_key(const struct tsk_check *k)
{
    return k->n != 0 ? k->certs[0].key : NULL;
}

void tsk_check_free(struct tsk_check *k)
{
    if (k == NULL)
        return;
    for (size_t i = 0; k->certs != NULL && i < k->n; i++)
        tsk_buf_free(&k->certs[i].body);
    tsk_free(k->certs);
    for (size_t i = 0; i < k->n_lists; i++)
        tsk_crls_unref(k->lists[i]);
    tsk_free(k->lists);
    tsk_revcache_unref(k->rules.cache);
    X509_STORE_free(k->rules.store);
    sk_X509_pop_free(k->chain, X509_free);
    sk_X509_pop_free(k->untrusted, X509_free);
    tsk_free(k);
}

void tsk_check_settle(struct tsk_check *k, struct tsk_check_cert *c)
{
    c->step = TSK_STEP_OVER;
    c->waiting = 0;
    if (k->rules.cache != NULL)
        tsk_revcache_keep_status(k->rules.cache, c->key, &c->st);
}

void tsk_check_told(struct tsk_check *k, const struct tsk_status *st)
{
    if (k->n == 0 || st->state == TSK_UNKNOWN || k->certs[0].waiting ||
        k->certs[0].st.state != TSK_UNKNOWN || !k->rules.ocsp)
        return;
    k->certs[0].ready = 0;
    k->certs[0].st = *st;
    k->certs[0].step = TSK_STEP_OVER;
}

/* 1: there is a request for this one now */
static int go_on(struct tsk_check *k, size_t i, tlsock_error *err)
{
    struct tsk_check_cert *c = &k->certs[i];
    int rc = 0;

    while (c->step != TSK_STEP_OVER && rc == 0) {
        switch (c->step) {
        case TSK_STEP_KNOWN:
            c->step = TSK_STEP_LISTS;
            rc = tsk_check_known(k, i, err);
            break;
        case TSK_STEP_LISTS:
            rc = tsk_check_lists(k, i, err);
            break;
        default:
            rc = tsk_check_ocsp(k, i, err);
            break;
        }
        if (rc == 0 && c->step != TSK_STEP_OVER)
            c->at = 0;
    }
    return rc;
}

static void say(const struct tsk_check_cert *c, size_t i, tlsock_fetch *out)
{
    size_t size = out->size;
    tlsock_fetch f = {.size = size, .method = "GET", .url = c->url};

    f.id = (int)i + 1;
    if (c->step == TSK_STEP_OCSP && c->post) {
        f.method = "POST";
        f.content_type = "application/ocsp-request";
        f.body = tsk_buf_at(&c->body);
        f.body_len = c->body.len;
    }
    memcpy(out, &f, size < sizeof(f) ? size : sizeof(f));
}

/* Requests that can be made now are ready; 1: there is one. */
static int prepare(struct tsk_check *k, size_t i, tlsock_error *err)
{
    struct tsk_check_cert *c = &k->certs[i];
    int rc = c->ready;

    if (c->waiting || c->step == TSK_STEP_OVER)
        return c->ready;
    if (!c->ready)
        rc = go_on(k, i, err);
    while (rc == 1 && tsk_check_avoids(k, c))
        rc = go_on(k, i, err);
    c->ready = rc == 1;
    return rc;
}

int tsk_check_look(struct tsk_check *k, tlsock_error *err)
{
    int rc = 0, wanted = 0;

    tsk_ossl_enter();
    for (size_t i = 0; i < k->n && rc >= 0; i++) {
        rc = prepare(k, i, err);
        wanted |= rc == 1;
        if (rc >= 0 && k->certs[i].st.state == TSK_REVOKED) {
            wanted = rc = 0; /* no need to know more */
            break;
        }
    }
    tsk_ossl_leave();
    return rc < 0 ? rc : wanted;
}

int tsk_check_next(struct tsk_check *k, tlsock_fetch *out, tlsock_error *err)
{
    int rc = tsk_check_look(k, err);

    for (size_t i = 0; rc == 1 && i < k->n; i++) {
        struct tsk_check_cert *c = &k->certs[i];

        if (!c->ready)
            continue;
        c->ready = 0;
        c->waiting = 1;
        say(c, i, out);
        break;
    }
    return rc;
}

static struct tsk_check_cert *request(const struct tsk_check *k, int id)
{
    if (id < 1 || (size_t)id > k->n || !k->certs[id - 1].waiting)
        return NULL;
    return &k->certs[id - 1];
}

size_t tsk_check_most(const struct tsk_check *k, int id)
{
    const struct tsk_check_cert *c = request(k, id);

    return c != NULL && c->step == TSK_STEP_OCSP ? RESPONSE_MAX : LIST_MAX;
}

static void failed(struct tsk_check *k, struct tsk_check_cert *c,
                   const tlsock_error *why)
{
    tsk_check_in_vain(k, c, why != NULL ? why->code : 0);
    if (why != NULL && why->message[0] != '\0')
        tsk_fail(&c->why, TLSOCK_E_REVOCATION_UNKNOWN, "%s", why->message);
    else
        tsk_fail(&c->why, TLSOCK_E_REVOCATION_UNKNOWN, "%.200s gave no answer",
                 c->url);
    if (why != NULL)
        tsk_hint(&c->why, "%s", why->hint);
}

int tsk_check_answer(struct tsk_check *k, int id, const void *data, size_t len,
                     const tlsock_error *why, tlsock_error *err)
{
    struct tsk_check_cert *c = request(k, id);
    int rc = TLSOCK_OK;

    if (c == NULL)
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "there is no request %d that waits for an answer", id);
    c->waiting = 0;
    if (data == NULL) {
        failed(k, c, why);
        return TLSOCK_OK;
    }
    tsk_ossl_enter();
    if (c->step == TSK_STEP_OCSP)
        rc = tsk_check_got_ocsp(k, (size_t)id - 1, data, len, err);
    else
        rc = tsk_check_got_list(k, (size_t)id - 1, data, len, err);
    tsk_ossl_leave();
    return rc;
}
