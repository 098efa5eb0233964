/* Extensions as openssl.cnf writes them. */
#include "cert/make.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/conf.h>
#include <string.h>

static int bad(const char *text, const char *why, const char *hint,
               tlsock_error *err)
{
    char shown[128];
    int rc;

    tsk_printable(shown, sizeof(shown), text, strlen(text));
    rc = tsk_fail_ossl(err, TLSOCK_E_ARGUMENT, "extension \"%s\" %s", shown,
                       why);
    if (rc == TLSOCK_E_ARGUMENT)
        tsk_hint(err, "%s", hint);
    return rc;
}

static int bad_form(const char *text, const char *why, tlsock_error *err)
{
    return bad(text, why,
               "write name=value as openssl.cnf does, for example "
               "keyUsage=critical,digitalSignature or "
               "1.2.3.4=ASN1:UTF8String:text; sections (@name) are no part of "
               "it",
               err);
}

/* What a line of openssl.cnf asks for and is there anyway */
static int is_default(int nid, const char *value)
{
    if (nid == NID_subject_key_identifier)
        return strcmp(value, "hash") == 0;
    return nid == NID_authority_key_identifier &&
           (strcmp(value, "keyid") == 0 || strcmp(value, "keyid:always") == 0 ||
            strcmp(value, "keyid,issuer") == 0 ||
            strcmp(value, "keyid:always,issuer") == 0);
}

/* Which option to use instead, or NULL. */
static const char *belongs(const struct tsk_make *m, int nid)
{
    const tlsock_cert_opts *o = m->o;

    switch (nid) {
    case NID_basic_constraints:
        return "use the options ca and pathlen";
    case NID_subject_alt_name:
        return "use the option sans";
    case NID_authority_key_identifier:
        return "leave it out: the issuer's key id is always there, and its "
               "name and serial would not survive its renewal";
    case NID_name_constraints:
        return o->permitted != NULL ? "leave out the option permitted" : NULL;
    case NID_crl_distribution_points:
        return o->crl_url != NULL ? "leave out the option crl_url" : NULL;
    case NID_info_access:
        return o->ocsp_url != NULL || o->aia_url != NULL
                   ? "leave out the options ocsp_url and aia_url"
                   : NULL;
    default:
        return NULL;
    }
}

/* One that was copied from a certificate or request gives way. */
static void make_room(struct tsk_make *m, const ASN1_OBJECT *obj)
{
    int at;

    while ((at = X509v3_get_ext_by_OBJ(m->exts, obj, -1)) >= 0)
        X509_EXTENSION_free(X509v3_delete_ext(m->exts, at));
}

static int make(struct tsk_make *m, CONF *conf, const char *text,
                const char *name, const char *value, tlsock_error *err)
{
    X509 *issuer = m->o->issuer != NULL ? m->o->issuer->leaf : NULL;
    X509_EXTENSION *ext;
    X509V3_CTX ctx;
    int rc;

    /* what tools print of it, as people paste it */
    if (OBJ_txt2nid(name) == NID_info_access &&
        strstr(value, " - URI:") != NULL) {
        make_room(m, OBJ_nid2obj(NID_info_access));
        return tsk_ext_access_text(m, value, err);
    }
    X509V3_set_ctx(&ctx, issuer, NULL, NULL, NULL, 0);
    X509V3_set_nconf(&ctx, conf);
    ext = X509V3_EXT_nconf(conf, &ctx, name, value);
    if (ext == NULL)
        return bad_form(text, "cannot be made", err);
    make_room(m, X509_EXTENSION_get_object(ext));
    rc = tsk_ext_copy(m, ext, err);
    X509_EXTENSION_free(ext);
    return rc;
}

static int same_before(const tlsock_cert_opts *o, size_t i, const char *name)
{
    ASN1_OBJECT *obj = OBJ_txt2obj(name, 0), *seen;
    int same = 0;

    for (size_t k = 0; obj != NULL && k < i && !same; k++) {
        char *other = tsk_strndup(o->ext[k], strcspn(o->ext[k], "="));

        seen = other != NULL ? OBJ_txt2obj(other, 0) : NULL;
        same = other == NULL ? -1 : seen != NULL && OBJ_cmp(obj, seen) == 0;
        ASN1_OBJECT_free(seen);
        tsk_free(other);
    }
    ASN1_OBJECT_free(obj);
    return same;
}

static int add_one(struct tsk_make *m, CONF *conf, size_t i,
                   tlsock_error *err)
{
    const char *text = m->o->ext[i] != NULL ? m->o->ext[i] : "";
    const char *eq = strchr(text, '='), *instead;
    char *name;
    int nid, rc;

    if (eq == NULL || eq == text || eq[1] == '\0')
        return bad_form(text, "is not name=value", err);
    name = tsk_strndup(text, (size_t)(eq - text));
    if (name == NULL)
        return tsk_fail_nomem(err);
    nid = OBJ_txt2nid(name);
    instead = belongs(m, nid);
    rc = same_before(m->o, i, name);
    if (rc < 0)
        rc = tsk_fail_nomem(err);
    else if (rc > 0)
        rc = bad(text, "is given twice", "leave one of them out", err);
    else if (is_default(nid, eq + 1))
        rc = TLSOCK_OK;
    else if (instead != NULL)
        rc = bad(text, "is there already: it has an option of its own", instead,
                 err);
    else
        rc = make(m, conf, text, name, eq + 1, err);
    tsk_free(name);
    return rc;
}

int tsk_ext_own(struct tsk_make *m, tlsock_error *err)
{
    CONF *conf;
    int rc = TLSOCK_OK;

    if (m->o->n_ext == 0)
        return TLSOCK_OK;
    conf = NCONF_new(NULL);
    if (conf == NULL)
        return tsk_fail_nomem(err);
    for (size_t i = 0; rc == TLSOCK_OK && i < m->o->n_ext; i++)
        rc = add_one(m, conf, i, err);
    NCONF_free(conf);
    return rc;
}
