#include "cert/cert.h"

#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/x509v3.h>
#include <string.h>

static int key_fits(const tlsock_cert *c, const char *name, tlsock_error *err)
{
    if (c->key == NULL) {
        tsk_fail(err, TLSOCK_E_OWN_FILE, "\"%s\" comes without a private key",
                 name);
        tsk_hint(err, "name the file of its key, or put the key into the same "
                      "file");
        return TLSOCK_E_OWN_FILE;
    }
    if (X509_check_private_key(c->leaf, c->key) != 1) {
        tsk_fail(err, TLSOCK_E_KEY_MISMATCH,
                 "the private key does not belong to certificate \"%s\"", name);
        tsk_hint(err, "compare both with tlsock cert show, and point the key "
                      "to the file that belongs to it");
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
        tsk_hint(err, "renew it; if it is current, set this machine's clock");
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

/* Names, key identifiers and the signature itself: a renewed CA often has the
 * name of the old one. */
static int signed_by(X509 *x, X509 *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);

    return key != NULL && X509_check_issued(issuer, x) == X509_V_OK &&
           X509_verify(x, key) == 1;
}

/* RFC 5246, 7.4.2: "Each following certificate MUST directly certify the one
 * preceding it." TLS 1.3 forgives, many clients do not. */
static int in_order(const tlsock_cert *c, const char *name, tlsock_error *err)
{
    X509 *x = c->leaf;
    char who[80], wanted[80], found[80];

    for (int i = 0; i < sk_X509_num(c->chain); i++) {
        X509 *next = sk_X509_value(c->chain, i);

        if (!signed_by(x, next)) {
            tsk_cert_short_name(x, who, sizeof(who));
            tsk_cert_short_issuer(x, wanted, sizeof(wanted));
            tsk_cert_short_name(next, found, sizeof(found));
            tsk_fail(err, TLSOCK_E_CHAIN_INCOMPLETE,
                     "the chain in \"%s\" is not in order: \"%s\" was issued "
                     "by \"%s\", but next to it is \"%s\"",
                     name, who, wanted, found);
            tsk_hint(err, "put the leaf first, then the certificate of its "
                          "issuer, then that one's; leave out all others");
            tsk_facts(err, wanted, found, who);
            return TLSOCK_E_CHAIN_INCOMPLETE;
        }
        x = next;
    }
    return TLSOCK_OK;
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
             "its subjectAltName", who, name);
    tsk_hint(err, "every client refuses that: have it issued with the "
                  "server's name as a subjectAltName");
    return TLSOCK_E_NO_NAME;
}

static int prove(const tlsock_cert *c, const char *name, int server,
                 int64_t now, tlsock_error *err)
{
    int rc = key_fits(c, name, err);

    if (rc == TLSOCK_OK)
        rc = in_date(c->leaf, name, now, err);
    for (int i = 0; rc == TLSOCK_OK && i < sk_X509_num(c->chain); i++)
        rc = in_date(sk_X509_value(c->chain, i), name, now, err);
    if (rc == TLSOCK_OK)
        rc = in_order(c, name, err);
    if (rc == TLSOCK_OK && server)
        rc = has_names(c, name, err);
    return rc;
}

int tsk_cert_prove(const tlsock_cert *c, const char *name, int server,
                   int64_t now, tlsock_error *err)
{
    char shown[256];
    int rc;

    tsk_printable(shown, sizeof(shown), name, strlen(name));
    tsk_ossl_enter();
    rc = prove(c, shown, server, now, err);
    tsk_ossl_leave();
    return rc;
}
