#include "revoke/dp.h"

#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/x509v3.h>
#include <string.h>

struct search {
    int left; /* to pass over until the one that is wanted */
    int seen;
    char *out;
    size_t size;
};

static int is_http(const char *url, size_t len, size_t size)
{
    static const char scheme[] = "http://";
    const size_t n = sizeof(scheme) - 1;

    if (len <= n || len >= size || tsk_casencmp(url, scheme, n) != 0)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (url[i] <= ' ' || url[i] > '~')
            return 0;
    return url[n] != '/';
}

/* 1: this is the one */
static int take(struct search *s, const GENERAL_NAME *name)
{
    const ASN1_IA5STRING *uri;
    const char *url;
    size_t len;

    if (name->type != GEN_URI || s->seen++ >= TSK_URLS_MAX)
        return 0;
    uri = name->d.uniformResourceIdentifier;
    url = (const char *)ASN1_STRING_get0_data(uri);
    len = (size_t)ASN1_STRING_length(uri);
    if (!is_http(url, len, s->size) || s->left-- > 0)
        return 0;
    memcpy(s->out, url, len);
    s->out[len] = '\0';
    return 1;
}

static int search_point(struct search *s, const DIST_POINT *p)
{
    const GENERAL_NAMES *names;

    if (p->distpoint == NULL || p->distpoint->type != 0)
        return 0; /* relative to the CRL's issuer: for directories */
    names = p->distpoint->name.fullname;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if (take(s, sk_GENERAL_NAME_value(names, i)))
            return 1;
    return 0;
}

static int of_points(X509 *cert, int nid, int i, char *out, size_t size)
{
    struct search s = {.left = i, .out = out, .size = size};
    CRL_DIST_POINTS *points;
    int rc = 0;

    tsk_ossl_enter();
    points = X509_get_ext_d2i(cert, nid, NULL, NULL);
    if (points == NULL && tsk_ossl_starved())
        rc = TLSOCK_E_NOMEM;
    for (int k = 0; k < sk_DIST_POINT_num(points) && rc == 0; k++)
        rc = search_point(&s, sk_DIST_POINT_value(points, k));
    CRL_DIST_POINTS_free(points);
    tsk_ossl_leave();
    return rc;
}

static int of_access(X509 *cert, int method, int i, char *out, size_t size)
{
    struct search s = {.left = i, .out = out, .size = size};
    AUTHORITY_INFO_ACCESS *aia;
    int rc = 0;

    tsk_ossl_enter();
    aia = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
    if (aia == NULL && tsk_ossl_starved())
        rc = TLSOCK_E_NOMEM;
    for (int k = 0; k < sk_ACCESS_DESCRIPTION_num(aia) && rc == 0; k++) {
        const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(aia, k);

        if (OBJ_obj2nid(d->method) == method)
            rc = take(&s, d->location);
    }
    AUTHORITY_INFO_ACCESS_free(aia);
    tsk_ossl_leave();
    return rc;
}

int tsk_dp_url(X509 *cert, int i, char *out, size_t size)
{
    return of_points(cert, NID_crl_distribution_points, i, out, size);
}

int tsk_dp_fresh_url(X509 *cert, int i, char *out, size_t size)
{
    return of_points(cert, NID_freshest_crl, i, out, size);
}

int tsk_aia_url(X509 *cert, int i, char *out, size_t size)
{
    return of_access(cert, NID_ad_ca_issuers, i, out, size);
}

int tsk_ocsp_url(X509 *cert, int i, char *out, size_t size)
{
    return of_access(cert, NID_ad_OCSP, i, out, size);
}
