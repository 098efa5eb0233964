#include "verify/dane.h"

#include "cert/cert.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

int tsk_dane_matched(const struct tsk_dane *d, struct tsk_dane_match *m)
{
    uint8_t usage, selector, matching;
    EVP_PKEY *bare = NULL;

    if (d == NULL || d->usable == 0 ||
        SSL_get0_dane_authority(d->ssl, NULL, &bare) < 0 ||
        SSL_get0_dane_tlsa(d->ssl, &usage, &selector, &matching, NULL, NULL) <
            0)
        return 0;
    m->usage = usage;
    m->selector = selector;
    m->matching = matching;
    m->bare_key = bare != NULL;
    return 1;
}

/* "3 1 1 HEX", what the record for this certificate would be; "" if it cannot
 * be told. */
static void record_of(X509 *leaf, char *out, size_t size)
{
    unsigned char *spki = NULL, md[32];
    char hex[65];
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki);

    out[0] = '\0';
    if (len > 0 &&
        EVP_Digest(spki, (size_t)len, md, NULL, EVP_sha256(), NULL)) {
        tsk_hex(hex, md, sizeof(md));
        snprintf(out, size, "3 1 1 %s", hex);
    }
    OPENSSL_free(spki);
}

/* "3 1 1 0a1b2c3d...; 2 1 1 ..." as far as there is room. */
static void list(const struct tsk_tlsa_set *set, char *out, size_t size)
{
    char one[64];
    size_t pos = 0;

    out[0] = '\0';
    for (size_t i = 0; i < set->n; i++) {
        tsk_tlsa_text(one, sizeof(one), &set->list[i], 8);
        if (pos + strlen(one) + 3 > size)
            break;
        tsk_append(out, size, &pos, "%s%s", i != 0 ? "; " : "", one);
    }
}

int tsk_dane_no_match(const struct tsk_dane *d, X509 *leaf, tlsock_error *err)
{
    char records[112], ours[80], name[96];
    size_t n = d->set->n + d->set->more;

    if (err == NULL)
        return TLSOCK_E_DANE;
    list(d->set, records, sizeof(records));
    record_of(leaf, ours, sizeof(ours));
    tsk_cert_short_name(leaf, name, sizeof(name));
    tsk_fail(err, TLSOCK_E_DANE,
             "the certificate of \"%.60s\" fits %s of %.100s: %s", name,
             n == 1 ? "not the TLSA record" : "none of the TLSA records",
             d->set->owner, records);
    tsk_hint(err,
             "if the server changed its key on purpose, its zone needs: "
             "%.90s. IN TLSA %s; if not, somebody is in between",
             d->set->owner, ours);
    tsk_facts(err, records, ours, name);
    err->x509_code = X509_V_ERR_DANE_NO_MATCH;
    return TLSOCK_E_DANE;
}

static int lookup_failed(const struct tsk_dane *d, tlsock_error *err)
{
    const struct tsk_tlsa_set *set = d->set;

    if (set->no_memory)
        return tsk_fail_nomem(err);
    if (set->no_anchor) {
        tsk_fail(err, TLSOCK_E_TRUST_STORE, "%s", set->why);
        tsk_hint(err, "dane.anchor is a file with the DS or DNSKEY records of "
                      "the zone that is trusted, usually the root");
        return TLSOCK_E_TRUST_STORE;
    }
    tsk_fail(err, TLSOCK_E_DANE,
             "nobody could tell whether %.80s has TLSA records: %s", d->host,
             set->why);
    tsk_hint(err, "whoever keeps answers away could hide records so (RFC "
                  "7672, 2.1.2): mend the resolver, name one that answers "
                  "(dane.resolver), or do without (dane = off)");
    return TLSOCK_E_DANE;
}

static int bogus(const struct tsk_dane *d, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_DANE,
             "the DNS answer for %.80s is forged or "
             "broken: DNSSEC validation failed, %s",
             d->host, d->set->why);
    tsk_hint(err, "either the zone's signatures need to be mended by its "
                  "owner, or somebody is in between");
    return TLSOCK_E_DANE;
}

static int none(const struct tsk_dane *d, const char *what, const char *why,
                tlsock_error *err)
{
    if (!d->required)
        return TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_DANE, "%.80s has no %s: %s", d->host, what, why);
    tsk_hint(err, "its owner has to sign the zone and publish records of usage "
                  "0 to 3 for this port; dane = on takes a trusted chain "
                  "where there are none");
    return TLSOCK_E_DANE;
}

static int count(const struct tsk_dane *d, size_t *usable, tlsock_error *err)
{
    int port = tsk_tlsa_port(d->lookup);
    const char *why = "too short to be any";

    for (size_t i = 0; i < d->set->n; i++) {
        const char *fault = tsk_tlsa_fault(&d->set->list[i], port);

        if (fault == NULL)
            ++*usable;
        else
            why = fault;
    }
    return *usable != 0 ? TLSOCK_OK : none(d, "usable TLSA records", why, err);
}

int tsk_dane_judge(const struct tsk_dane *d, size_t *usable, tlsock_error *err)
{
    *usable = 0;
    switch (d->set->state) {
    case TSK_TLSA_THERE:
        return count(d, usable, err);
    case TSK_TLSA_NONE:
        return none(d, "TLSA records", "its signed zone says so", err);
    case TSK_TLSA_INSECURE:
        return none(d, "signed TLSA records", d->set->why, err);
    case TSK_TLSA_BOGUS:
        return bogus(d, err);
    default:
        return lookup_failed(d, err);
    }
}

/* Sum of the records' digests: no order, and nobody but the zone's owner, who
 * needs no collision, chooses them. */
static int add(const struct tsk_tlsa *t, unsigned char sum[32])
{
    unsigned char md[32];
    const unsigned char head[3] = {t->usage, t->selector, t->matching};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned carry = 0;
    int ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
             EVP_DigestUpdate(ctx, head, sizeof(head)) &&
             EVP_DigestUpdate(ctx, t->data, t->len) &&
             EVP_DigestFinal_ex(ctx, md, NULL);

    EVP_MD_CTX_free(ctx);
    for (size_t i = 0; ok && i < 32; i++) {
        carry += (unsigned)sum[i] + md[i];
        sum[i] = (unsigned char)carry;
        carry >>= 8;
    }
    return ok;
}

int tsk_dane_digest(const struct tsk_dane *d, char hex[65], tlsock_error *err)
{
    unsigned char sum[32] = {0};

    for (size_t i = 0; i < d->set->n; i++)
        if (!add(&d->set->list[i], sum))
            return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "digest of TLSA records");
    tsk_hex(hex, sum, sizeof(sum));
    return TLSOCK_OK;
}
