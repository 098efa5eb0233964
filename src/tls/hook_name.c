#include "tls/hook_name.h"

#include "cert/cert.h"
#include "verify/chain.h"

/* Leaf and what came with it; libssl's list begins with the leaf. */
static tlsock_cert *cert_of(X509_STORE_CTX *ctx, tlsock_error *err)
{
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx), *rest;
    X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
    tlsock_cert *cert = NULL;

    rest = sk_X509_new_null();
    for (int i = 0; rest != NULL && i < sk_X509_num(sent); i++) {
        X509 *at = sk_X509_value(sent, i);

        if (i >= TSK_PATH_CERTS)
            break;
        if (at != leaf && sk_X509_push(rest, at) <= 0) {
            sk_X509_free(rest);
            rest = NULL;
        }
    }
    if (rest != NULL)
        cert = tsk_cert_new(leaf, rest, NULL, NULL);
    sk_X509_free(rest);
    if (cert == NULL)
        tsk_fail_nomem(err);
    return cert;
}

static int refused(int rc, const char *name, X509 *leaf, tlsock_error *err)
{
    char subject[96], sans[112];

    if (rc == TLSOCK_AGAIN || tsk_errname_find(rc) == NULL)
        return tsk_fail(err, TLSOCK_E_HOOK,
                        "the hook of TLSOCK_ON_NAME answered %d, which is "
                        "neither 0 nor a code of a refusal",
                        rc);
    tsk_cert_short_name(leaf, subject, sizeof(subject));
    tsk_cert_sans_text(leaf, sans, sizeof(sans));
    tsk_fail(err, rc,
             "the program's own rule of names (TLSOCK_ON_NAME) says that the "
             "certificate of \"%s\" is not for \"%.110s\"",
             subject, name);
    tsk_facts(err, name, sans, subject);
    tsk_hint(err,
             "ask whoever wrote the program what names it wants; the "
             "certificate is for: %s",
             sans[0] != '\0' ? sans : subject);
    return rc;
}

static int ask(void *arg, const char *name, X509_STORE_CTX *ctx,
               tlsock_error *err)
{
    const struct tsk_hook_name *h = arg;
    tlsock_cert *cert = cert_of(ctx, err);
    tlsock_event e = {.size = sizeof(e),
                      .kind = TLSOCK_ON_NAME,
                      .conn = h->conn,
                      .fd = -1,
                      .name = name,
                      .cert = cert};
    int rc;

    if (cert == NULL)
        return TLSOCK_E_NOMEM;
    rc = h->on->call(&e, h->on->arg);
    tlsock_cert_unref(cert);
    return rc == 0 ? TLSOCK_OK
                   : refused(rc, name, X509_STORE_CTX_get0_cert(ctx), err);
}

void tsk_hook_name_set(struct tsk_hook_name *h, const struct tsk_settings *set,
                       tlsock *conn, struct tsk_verify_req *req)
{
    h->on = &set->on[TLSOCK_ON_NAME];
    h->conn = conn;
    if (h->on->call == NULL)
        return;
    req->name_rule = ask;
    req->name_arg = h;
}
