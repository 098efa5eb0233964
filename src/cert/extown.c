#include "cert/make.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/conf.h>
#include <string.h>

static int bad(const char *text, const char *why, tlsock_error *err)
{
    char shown[128];
    int rc;

    tsk_printable(shown, sizeof(shown), text, strlen(text));
    rc = tsk_fail_ossl(err, TLSOCK_E_ARGUMENT, "extension \"%s\" %s", shown,
                       why);
    if (rc == TLSOCK_E_ARGUMENT)
        tsk_hint(err, "write name=value as openssl.cnf does, for example "
                      "keyUsage=critical,digitalSignature or "
                      "1.2.3.4=ASN1:UTF8String:text");
    return rc;
}

/* The two that are a matter of taste give way to the caller's; all others
 * belong to an option, which would be contradicted. */
static int make_room(X509 *x, const X509_EXTENSION *ext, const char *text,
                     const char *const *before, size_t n, tlsock_error *err)
{
    const ASN1_OBJECT *obj =
        X509_EXTENSION_get_object((X509_EXTENSION *)(uintptr_t)ext);
    size_t len = strcspn(text, "=");
    int at = X509_get_ext_by_OBJ(x, obj, -1), nid = OBJ_obj2nid(obj);

    if (at < 0)
        return TLSOCK_OK;
    for (size_t i = 0; i < n; i++)
        if (strncmp(before[i], text, len + 1) == 0)
            return bad(text, "is given twice", err);
    if (nid != NID_key_usage && nid != NID_ext_key_usage)
        return bad(text, "is there already: it has an option of its own", err);
    X509_EXTENSION_free(X509_delete_ext(x, at));
    return TLSOCK_OK;
}

static int add_one(X509 *x, X509V3_CTX *ctx, CONF *conf,
                   const char *const *list, size_t i, tlsock_error *err)
{
    const char *eq = list[i] != NULL ? strchr(list[i], '=') : NULL;
    X509_EXTENSION *ext;
    char *name;
    int rc;

    if (eq == NULL || eq == list[i] || eq[1] == '\0')
        return bad(list[i] != NULL ? list[i] : "", "is not name=value", err);
    name = tsk_strndup(list[i], (size_t)(eq - list[i]));
    if (name == NULL)
        return tsk_fail_nomem(err);
    ext = X509V3_EXT_nconf(conf, ctx, name, eq + 1);
    tsk_free(name);
    if (ext == NULL)
        return bad(list[i], "cannot be made", err);
    rc = make_room(x, ext, list[i], list, i, err);
    if (rc == TLSOCK_OK && !X509_add_ext(x, ext, -1))
        rc = tsk_fail_nomem(err);
    X509_EXTENSION_free(ext);
    return rc;
}

int tsk_ext_own(const struct tsk_make *m, X509 *x, tlsock_error *err)
{
    X509 *issuer = m->o->issuer != NULL ? m->o->issuer->leaf : x;
    CONF *conf;
    X509V3_CTX ctx;
    int rc = TLSOCK_OK;

    if (m->o->n_ext == 0)
        return TLSOCK_OK;
    conf = NCONF_new(NULL);
    if (conf == NULL)
        return tsk_fail_nomem(err);
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509V3_set_nconf(&ctx, conf);
    for (size_t i = 0; rc == TLSOCK_OK && i < m->o->n_ext; i++)
        rc = add_one(x, &ctx, conf, m->o->ext, i, err);
    NCONF_free(conf);
    return rc;
}
