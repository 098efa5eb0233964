#include "cert/load.h"
#include "cert/order.h"

#include "core/str.h"
#include "ossl/queue.h"
#include "ossl/remote.h"

#include <openssl/x509v3.h>
#include <string.h>

/* How to name the file in a command: it may be none, or too long to show. */
static const char *file_of(const char *name)
{
    if (strncmp(name, "inline", 6) == 0 || strncmp(name, "the ", 4) == 0 ||
        tsk_token_is(name) || strlen(name) > 90)
        return "FILE";
    return name;
}

static int elsewhere(EVP_PKEY *pub, const char *name, tlsock_error *err)
{
    const char *kind = pub != NULL ? EVP_PKEY_get0_type_name(pub) : NULL;

    if (pub != NULL && tsk_remote_can(pub))
        return TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_OWN_FILE,
             "the key of \"%s\" cannot be elsewhere: it is of the kind %s",
             name, kind != NULL ? kind : "unknown");
    tsk_hint(err, "a hook for TLSOCK_ON_SIGN signs with RSA, RSA-PSS, EC, "
                  "Ed25519 and Ed448 keys; add others with their private key");
    return TLSOCK_E_OWN_FILE;
}

static int key_fits(const tlsock_cert *c, const char *name, int how,
                    tlsock_error *err)
{
    if (c->key == NULL && (how & TSK_PROVE_KEYLESS) != 0)
        return elsewhere(X509_get0_pubkey(c->leaf), name, err);
    if (c->key == NULL) {
        tsk_fail(err, TLSOCK_E_OWN_FILE, "\"%s\" comes without a private key",
                 name);
        tsk_hint(err, "name the file of its key, or put the key into the same "
                      "file; for a key that is elsewhere set a hook for "
                      "TLSOCK_ON_SIGN first");
        return TLSOCK_E_OWN_FILE;
    }
    if (X509_check_private_key(c->leaf, c->key) != 1) {
        tsk_fail(err, TLSOCK_E_KEY_MISMATCH,
                 "the private key does not belong to certificate \"%s\"", name);
        tsk_hint(err, "find the right one: tlsock cert match %s *.key",
                 file_of(name));
        return TLSOCK_E_KEY_MISMATCH;
    }
    return TLSOCK_OK;
}

static int in_date(X509 *x, const char *name, int64_t now, tlsock_error *err)
{
    int64_t from = tsk_cert_time(X509_get0_notBefore(x)),
            to = tsk_cert_time(X509_get0_notAfter(x));
    char who[96], when[32];

    tsk_cert_short_name(x, who, sizeof(who));
    if (from == INT64_MIN || to == INT64_MIN) {
        tsk_fail(err, TLSOCK_E_OWN_FILE,
                 "certificate \"%s\" in \"%s\" has no readable dates", who,
                 name);
        tsk_hint(err, "have it issued anew");
        return TLSOCK_E_OWN_FILE;
    }
    if (to < now) {
        tsk_cert_date(X509_get0_notAfter(x), when);
        tsk_fail(err, TLSOCK_E_EXPIRED,
                 "certificate \"%s\" in \"%s\" expired on %s", who, name, when);
        tsk_hint(err,
                 "renew it with its CA, or with tlsock cert renew %s; if "
                 "that date is still to come, set this machine's clock",
                 file_of(name));
        return TLSOCK_E_EXPIRED;
    }
    if (from > now) {
        tsk_cert_date(X509_get0_notBefore(x), when);
        tsk_fail(err, TLSOCK_E_NOT_YET_VALID,
                 "certificate \"%s\" in \"%s\" is not valid before %s", who,
                 name, when);
        tsk_hint(err, "wait, or set this machine's clock");
        return TLSOCK_E_NOT_YET_VALID;
    }
    return TLSOCK_OK;
}

static int is_there(const tlsock_cert *c, X509 *x, int but)
{
    for (int i = 0; i < sk_X509_num(c->chain); i++)
        if (i != but && tsk_cert_issued(sk_X509_value(c->chain, i), x))
            return 1;
    return 0;
}

/* The one at place i of the chain did not issue x, the one before it. */
static int not_next(const tlsock_cert *c, X509 *x, int i, const char *name,
                    tlsock_error *err)
{
    X509 *next = sk_X509_value(c->chain, i);
    char who[80], wanted[80], found[80];

    tsk_cert_short_name(x, who, sizeof(who));
    tsk_cert_short_issuer(x, wanted, sizeof(wanted));
    tsk_cert_short_name(next, found, sizeof(found));
    if (X509_cmp(x, next) == 0) {
        tsk_fail(err, TLSOCK_E_CHAIN_INCOMPLETE,
                 "the chain in \"%s\" holds \"%s\" twice, one behind the "
                 "other",
                 name, who);
        tsk_hint(err, "take one out: tlsock cert fix %s", file_of(name));
    } else if (is_there(c, x, i)) {
        tsk_fail(err, TLSOCK_E_CHAIN_INCOMPLETE,
                 "the chain in \"%s\" is not in order: \"%s\" was issued "
                 "by \"%s\", but next to it is \"%s\"",
                 name, who, wanted, found);
        tsk_hint(err,
                 "put them in order, the leaf first, then its issuer, "
                 "then that one's: tlsock cert fix %s",
                 file_of(name));
    } else {
        tsk_fail(err, TLSOCK_E_CHAIN_INCOMPLETE,
                 "the chain in \"%s\" is not complete: \"%s\" was issued by "
                 "\"%s\", which is not there; next to it is \"%s\"",
                 name, who, wanted, found);
        tsk_hint(err,
                 "put the certificate of \"%s\" behind it and leave out "
                 "what does not belong: tlsock cert fix --aia %s",
                 wanted, file_of(name));
    }
    tsk_facts(err, wanted, found, who);
    return TLSOCK_E_CHAIN_INCOMPLETE;
}

/* RFC 5246, 7.4.2: "Each following certificate MUST directly certify the one
 * preceding it." TLS 1.3 forgives, many clients do not. */
static int in_order(const tlsock_cert *c, const char *name, tlsock_error *err)
{
    X509 *x = c->leaf;

    for (int i = 0; i < sk_X509_num(c->chain); i++) {
        X509 *next = sk_X509_value(c->chain, i);

        if (!tsk_cert_issued(next, x))
            return not_next(c, x, i, name, err);
        x = next;
    }
    return TLSOCK_OK;
}

/* Signed certificate timestamps (RFC 6962) and the policies of the CA/Browser
 * Forum (2.23.140.1) are in certificates of public CAs alone. */
static int is_public(X509 *x)
{
    CERTIFICATEPOLICIES *all;
    int is = X509_get_ext_by_NID(x, NID_ct_precert_scts, -1) >= 0;

    all = X509_get_ext_d2i(x, NID_certificate_policies, NULL, NULL);
    for (int i = 0; !is && i < sk_POLICYINFO_num(all); i++) {
        char oid[64];

        OBJ_obj2txt(oid, sizeof(oid), sk_POLICYINFO_value(all, i)->policyid, 1);
        is = strncmp(oid, "2.23.140.1.", strlen("2.23.140.1.")) == 0;
    }
    CERTIFICATEPOLICIES_free(all);
    return is;
}

/* A leaf alone may come from a private root. From a public CA it may not: their
 * roots sign no leaves (Baseline Requirements, 4.3.1), so its issuer is an
 * intermediate, without which many clients find no way to the root. */
static int complete(const tlsock_cert *c, const char *name, tlsock_error *err)
{
    char who[80], wanted[80];

    if (sk_X509_num(c->chain) != 0 || !is_public(c->leaf) ||
        tsk_cert_issued(c->leaf, c->leaf))
        return TLSOCK_OK;
    tsk_cert_short_name(c->leaf, who, sizeof(who));
    tsk_cert_short_issuer(c->leaf, wanted, sizeof(wanted));
    tsk_fail(err, TLSOCK_E_CHAIN_INCOMPLETE,
             "issuer \"%s\" is missing: \"%s\" holds only \"%s\", and a "
             "public CA signs with an intermediate",
             wanted, name, who);
    tsk_hint(err,
             "browsers may hide that, other clients refuse it: use the "
             "CA's full chain (fullchain.pem), or tlsock cert fix --aia "
             "%s",
             file_of(name));
    tsk_facts(err, wanted, NULL, who);
    return TLSOCK_E_CHAIN_INCOMPLETE;
}

static int has_names(const tlsock_cert *c, const char *name, tlsock_error *err)
{
    char names[64], who[96];

    tsk_cert_sans_text(c->leaf, names, sizeof(names));
    if (names[0] != '\0')
        return TLSOCK_OK;
    tsk_cert_short_name(c->leaf, who, sizeof(who));
    tsk_fail(err, TLSOCK_E_NO_NAME,
             "certificate \"%s\" in \"%s\" has no DNS name and no address in "
             "its subjectAltName",
             who, name);
    tsk_hint(err, "every client refuses that: have it issued with the "
                  "server's name as a subjectAltName");
    return TLSOCK_E_NO_NAME;
}

static int prove(const tlsock_cert *c, const char *name, int how, int64_t now,
                 tlsock_error *err)
{
    int rc = key_fits(c, name, how, err);

    if (rc == TLSOCK_OK)
        rc = in_date(c->leaf, name, now, err);
    for (int i = 0; rc == TLSOCK_OK && i < sk_X509_num(c->chain); i++)
        rc = in_date(sk_X509_value(c->chain, i), name, now, err);
    if (rc == TLSOCK_OK)
        rc = in_order(c, name, err);
    if (rc == TLSOCK_OK)
        rc = complete(c, name, err);
    if (rc == TLSOCK_OK && (how & TSK_PROVE_SERVER) != 0)
        rc = has_names(c, name, err);
    return rc;
}

int tsk_cert_prove(const tlsock_cert *c, const char *name, int how, int64_t now,
                   tlsock_error *err)
{
    char shown[256];
    int rc;

    if (tsk_token_is(name))
        tsk_token_name(name, shown);
    else
        tsk_printable(shown, sizeof(shown), name, strlen(name));
    tsk_ossl_enter();
    rc = prove(c, shown, how, now, err);
    tsk_ossl_leave();
    return rc;
}
