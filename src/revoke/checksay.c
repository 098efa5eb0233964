/* What a check says in the end, for people. */
#include "revoke/check_private.h"

#include "cert/cert.h"
#include "core/str.h"
#include "ossl/ext.h"

#include <openssl/ocsp.h>
#include <stdio.h>
#include <string.h>

static int unknown(const struct tsk_check_cert *c, tlsock_error *err)
{
    char name[96];

    tsk_cert_short_name(c->crt, name, sizeof(name));
    if (c->why.code == 0) {
        tsk_fail(err, TLSOCK_E_REVOCATION_UNKNOWN,
                 "nobody can tell whether the certificate of \"%s\" is "
                 "revoked: it names no list and no responder that could be "
                 "asked",
                 name);
        tsk_hint(err, "give its CA's list with crl or tlsock_config_add_crl(), "
                      "or set revocation.fail = soft");
    } else {
        tsk_fail(err, TLSOCK_E_REVOCATION_UNKNOWN, "%s", c->why.message);
        tsk_about(err, "whether the certificate of \"%s\" is revoked: ", name);
        tsk_hint(err,
                 "%.160s%srevocation.fail = soft goes on without an answer",
                 c->why.hint, c->why.hint[0] != '\0' ? "; " : "");
    }
    tsk_facts(err, NULL, NULL, name);
    err->x509_code = X509_V_ERR_UNABLE_TO_GET_CRL;
    return TLSOCK_E_REVOCATION_UNKNOWN;
}

static int revoked(const struct tsk_check_cert *c, tlsock_error *err)
{
    char date[32] = "?", name[96];
    ASN1_TIME *t;

    if (c->why.code == TLSOCK_E_REVOKED) { /* with all that was known then */
        *err = c->why;
        return TLSOCK_E_REVOKED;
    }
    t = tsk_ossl_time(NULL, c->st.when);
    if (t != NULL)
        tsk_cert_date(t, date);
    ASN1_TIME_free(t);
    tsk_cert_short_name(c->crt, name, sizeof(name));
    tsk_fail(err, TLSOCK_E_REVOKED,
             "the certificate of \"%s\" was revoked on %s for reason %s, said "
             "its CA's %s when it was asked last",
             name, date,
             c->st.reason < 0 ? "unspecified"
                              : OCSP_crl_reason_str(c->st.reason),
             c->st.by == TSK_BY_CRL ? "list" : "responder");
    tsk_hint(err, "the peer needs a new certificate");
    tsk_facts(err, NULL, NULL, name);
    err->x509_code = X509_V_ERR_CERT_REVOKED;
    return TLSOCK_E_REVOKED;
}

/* One status for all: the first certificate's, as old as the oldest. */
static void sum(const struct tsk_check *k, struct tsk_status *all)
{
    *all = (struct tsk_status){.state = TSK_GOOD};
    for (size_t i = 0; i < k->n; i++) {
        const struct tsk_status *st = &k->certs[i].st;

        if (st->by == TSK_BY_NOBODY)
            continue;
        if (all->by == TSK_BY_NOBODY)
            *all = *st;
        if (st->as_of < all->as_of)
            all->as_of = st->as_of;
        if (st->until < all->until)
            all->until = st->until;
    }
}

int tsk_check_verdict(const struct tsk_check *k, char how[128], int64_t *until,
                      tlsock_error *err)
{
    const struct tsk_check_cert *lost = NULL;
    tlsock_error local;
    struct tsk_status all;
    int pending = 0;

    if (err == NULL)
        err = &local;
    how[0] = '\0';
    *until = 0;
    for (size_t i = 0; i < k->n; i++) {
        const struct tsk_check_cert *c = &k->certs[i];

        if (c->st.state == TSK_REVOKED) {
            int rc = revoked(c, err);

            err->x509_depth = (int)i;
            return rc;
        }
        pending |= c->step != TSK_STEP_OVER;
        if (c->st.state == TSK_UNKNOWN && lost == NULL)
            lost = c;
    }
    if (pending)
        return TLSOCK_AGAIN;
    if (lost != NULL && !k->rules.soft) {
        unknown(lost, err);
        err->x509_depth = (int)(lost - k->certs);
        return TLSOCK_E_REVOCATION_UNKNOWN;
    }
    if (lost != NULL) {
        unknown(lost, &local);
        snprintf(how, 128, "not checked: %.110s", local.message);
        return TLSOCK_OK;
    }
    sum(k, &all);
    *until = all.until;
    if (all.by == TSK_BY_NOBODY)
        snprintf(how, 128,
                 k->n == 0 ? "nothing to check: it is an anchor"
                           : "not needed: RFC 9608");
    else
        tsk_status_text(&all, how);
    return TLSOCK_OK;
}
