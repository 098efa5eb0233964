/* A list out of its DER: RFC 5280, 5.1. */
#include "cert/cert.h"
#include "core/mem.h"
#include "ossl/queue.h"
#include "revoke/crl_private.h"
#include "revoke/strong.h"

static int damaged(void)
{
    return tsk_ossl_starved() ? TLSOCK_E_NOMEM : TLSOCK_E_OWN_FILE;
}

static int read_version(struct tsk_tlv *tbs)
{
    struct tsk_tlv v;

    if (!tsk_tlv_is(tbs, TSK_TLV_INTEGER))
        return TLSOCK_OK; /* version 1 */
    return tsk_tlv_take(tbs, TSK_TLV_INTEGER, &v) && tsk_tlv_len(&v) == 1 &&
                   *v.p <= 1
               ? TLSOCK_OK
               : TLSOCK_E_OWN_FILE;
}

static int is_time(const struct tsk_tlv *from)
{
    return tsk_tlv_is(from, TSK_TLV_UTC) || tsk_tlv_is(from, TSK_TLV_TIME);
}

static int read_time(struct tsk_tlv *tbs, int64_t *out)
{
    struct tsk_tlv all;
    const unsigned char *p;
    ASN1_TIME *t;

    if (!is_time(tbs) || !tsk_tlv_whole(tbs, *tbs->p, &all))
        return TLSOCK_E_OWN_FILE;
    p = all.p;
    t = d2i_ASN1_TIME(NULL, &p, (long)tsk_tlv_len(&all));
    if (t == NULL)
        return damaged();
    *out = tsk_cert_time(t);
    ASN1_TIME_free(t);
    return TLSOCK_OK;
}

static int read_dates(struct tsk_crl *l, struct tsk_tlv *tbs)
{
    int rc = read_time(tbs, &l->since);

    if (rc != TLSOCK_OK)
        return rc;
    if (is_time(tbs))
        rc = read_time(tbs, &l->until);
    else if (l->since != INT64_MIN)
        l->until = l->since + TSK_CRL_MAX_AGE;
    if (l->since == INT64_MIN || l->until == INT64_MIN)
        l->unusable = "its dates cannot be read";
    else if (l->until < l->since)
        l->unusable = "it ends before it begins";
    return rc;
}

static int read_issuer(struct tsk_crl *l, struct tsk_tlv *tbs)
{
    struct tsk_tlv name;
    const unsigned char *p;

    if (!tsk_tlv_whole(tbs, TSK_TLV_SEQ, &name))
        return TLSOCK_E_OWN_FILE;
    p = name.p;
    l->issuer = d2i_X509_NAME(NULL, &p, (long)tsk_tlv_len(&name));
    return l->issuer != NULL ? TLSOCK_OK : damaged();
}

/* Entries, then extensions: each may be absent. */
static int read_rest(struct tsk_crl *l, struct tsk_tlv *tbs)
{
    struct tsk_tlv rows, tagged, exts;
    int rc = TLSOCK_OK;

    if (tsk_tlv_is(tbs, TSK_TLV_SEQ))
        rc = tsk_tlv_take(tbs, TSK_TLV_SEQ, &rows) ? tsk_crl_rows(l, rows)
                                                   : TLSOCK_E_OWN_FILE;
    if (rc == TLSOCK_OK && tbs->p != tbs->end)
        rc = tsk_tlv_take(tbs, 0xa0, &tagged) && tbs->p == tbs->end &&
                     tsk_tlv_take(&tagged, TSK_TLV_SEQ, &exts) &&
                     tagged.p == tagged.end
                 ? tsk_crl_exts(l, exts)
                 : TLSOCK_E_OWN_FILE;
    return rc;
}

static int read_tbs(struct tsk_crl *l, struct tsk_tlv tbs,
                    const struct tsk_tlv *outer_alg)
{
    struct tsk_tlv alg;
    int rc = read_version(&tbs);

    if (rc != TLSOCK_OK || !tsk_tlv_whole(&tbs, TSK_TLV_SEQ, &alg))
        return TLSOCK_E_OWN_FILE;
    rc = read_issuer(l, &tbs);
    if (rc == TLSOCK_OK)
        rc = read_dates(l, &tbs);
    if (rc == TLSOCK_OK)
        rc = read_rest(l, &tbs);
    if (!tsk_tlv_same(&alg, outer_alg)) /* RFC 5280, 5.1.1.2 */
        l->unusable = "it names two signature algorithms";
    return rc;
}

static int read_signature(struct tsk_crl *l, const struct tsk_tlv *alg,
                          const struct tsk_tlv *bits)
{
    const unsigned char *p = alg->p;

    l->alg = d2i_X509_ALGOR(NULL, &p, (long)tsk_tlv_len(alg));
    if (l->alg == NULL)
        return damaged();
    l->weak = !tsk_strong_signature(l->alg);
    p = bits->p;
    l->signature = d2i_ASN1_BIT_STRING(NULL, &p, (long)tsk_tlv_len(bits));
    return l->signature != NULL ? TLSOCK_OK : damaged();
}

static int read_list(struct tsk_crl *l)
{
    struct tsk_tlv file = {l->der, l->der + l->len}, body, tbs, alg, bits;
    int rc;

    if (!tsk_tlv_take(&file, TSK_TLV_SEQ, &body) || file.p != file.end ||
        !tsk_tlv_whole(&body, TSK_TLV_SEQ, &l->tbs) ||
        !tsk_tlv_whole(&body, TSK_TLV_SEQ, &alg) ||
        !tsk_tlv_whole(&body, TSK_TLV_BITS, &bits) || body.p != body.end)
        return TLSOCK_E_OWN_FILE;
    rc = read_signature(l, &alg, &bits);
    tbs = l->tbs;
    (void)tsk_tlv_take(&tbs, TSK_TLV_SEQ, &body);
    return rc == TLSOCK_OK ? read_tbs(l, body, &alg) : rc;
}

int tsk_crl_read(uint8_t *der, size_t len, struct tsk_crl **out)
{
    struct tsk_crl *l = tsk_alloc(sizeof(*l));
    int rc;

    if (l == NULL) {
        OPENSSL_free(der);
        return TLSOCK_E_NOMEM;
    }
    pthread_mutex_init(&l->lock, NULL);
    atomic_init(&l->n_keys, 0);
    l->der = der;
    l->len = len;
    rc = read_list(l);
    if (rc == TLSOCK_OK) {
        *out = l;
        return rc;
    }
    tsk_crl_free(l);
    return rc;
}

void tsk_crl_free(struct tsk_crl *l)
{
    for (size_t i = 0; i < l->n_turns; i++)
        X509_NAME_free(l->turns[i].issuer);
    tsk_free(l->turns);
    tsk_free(l->rows);
    X509_ALGOR_free(l->alg);
    ASN1_BIT_STRING_free(l->signature);
    X509_NAME_free(l->issuer);
    AUTHORITY_KEYID_free(l->akid);
    ISSUING_DIST_POINT_free(l->idp);
    ASN1_INTEGER_free(l->number);
    ASN1_INTEGER_free(l->base);
    OPENSSL_free(l->der);
    pthread_mutex_destroy(&l->lock);
    tsk_free(l);
}

#define DECODED 1024 /* about what OpenSSL's parts of one list take */

size_t tsk_crl_size(const struct tsk_crl *l)
{
    return sizeof(*l) + DECODED + l->len + l->n_rows * sizeof(*l->rows) +
           2 * l->n_turns * (sizeof(*l->turns) + DECODED / 4);
}
