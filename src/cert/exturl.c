/* Addresses: where the CRL, the OCSP responder and the issuer are. */
#include "cert/make.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <string.h>

#define URL_MAX 2048

static int bad_url(const char *what, const char *url, size_t n,
                   tlsock_error *err)
{
    char shown[96];

    tsk_printable(shown, sizeof(shown), url, n);
    tsk_fail(err, TLSOCK_E_ARGUMENT, "the %s is not a URL: \"%s\"", what,
             shown);
    tsk_hint(err, "write http://host/path; a blank parts several");
    return TLSOCK_E_ARGUMENT;
}

static int is_url(const char *url, size_t n)
{
    static const char *const schemes[] = {"http://", "https://", "ldap://"};

    for (size_t i = 0; i < n; i++)
        if (url[i] <= ' ' || url[i] > '~')
            return 0;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t len = strlen(schemes[i]);

        if (n > len && n <= URL_MAX &&
            tsk_casencmp(url, schemes[i], len) == 0)
            return 1;
    }
    return 0;
}

static int set_url(GENERAL_NAME *g, const char *what, const char *url,
                   size_t n, tlsock_error *err)
{
    ASN1_IA5STRING *s;

    if (!is_url(url, n))
        return bad_url(what, url, n, err);
    s = ASN1_IA5STRING_new();
    if (s == NULL || !ASN1_STRING_set(s, url, (int)n)) {
        ASN1_IA5STRING_free(s);
        return tsk_fail_nomem(err);
    }
    GENERAL_NAME_set0_value(g, GEN_URI, s);
    return TLSOCK_OK;
}

/* Each URL is a point of its own: RFC 5280, 4.2.1.13 has several names of one
 * point stand for the same list. */
static int add_point(void *list, int unused, const char *what, const char *url,
                     size_t n, tlsock_error *err)
{
    DIST_POINT *p = DIST_POINT_new();
    GENERAL_NAME *g = GENERAL_NAME_new();
    int rc = TLSOCK_E_NOMEM;

    (void)unused;
    if (p != NULL)
        p->distpoint = DIST_POINT_NAME_new();
    if (p != NULL && p->distpoint != NULL) {
        p->distpoint->type = 0;
        p->distpoint->name.fullname = GENERAL_NAMES_new();
    }
    if (g == NULL || p == NULL || p->distpoint == NULL ||
        p->distpoint->name.fullname == NULL) {
        rc = tsk_fail_nomem(err);
        goto out;
    }
    rc = set_url(g, what, url, n, err);
    if (rc != TLSOCK_OK)
        goto out;
    if (sk_GENERAL_NAME_push(p->distpoint->name.fullname, g) <= 0) {
        rc = tsk_fail_nomem(err);
        goto out;
    }
    g = NULL;
    if (sk_DIST_POINT_push((CRL_DIST_POINTS *)list, p) <= 0) {
        rc = tsk_fail_nomem(err);
        goto out;
    }
    p = NULL;
out:
    GENERAL_NAME_free(g);
    DIST_POINT_free(p);
    return rc;
}

static int add_access(void *list, int method, const char *what,
                      const char *url, size_t n, tlsock_error *err)
{
    ACCESS_DESCRIPTION *d = ACCESS_DESCRIPTION_new();
    int rc;

    if (d == NULL)
        return tsk_fail_nomem(err);
    d->method = OBJ_nid2obj(method);
    rc = set_url(d->location, what, url, n, err);
    if (rc == TLSOCK_OK &&
        sk_ACCESS_DESCRIPTION_push((AUTHORITY_INFO_ACCESS *)list, d) <= 0)
        rc = tsk_fail_nomem(err);
    if (rc != TLSOCK_OK)
        ACCESS_DESCRIPTION_free(d);
    return rc;
}

/* For each URL of a text with blanks between them; none at all is a fault. */
static int each(int (*add)(void *, int, const char *, const char *, size_t,
                           tlsock_error *),
                void *list, int method, const char *what, const char *text,
                tlsock_error *err)
{
    int rc = TLSOCK_OK, n = 0;

    while (rc == TLSOCK_OK && *(text += strspn(text, " ")) != '\0') {
        size_t len = strcspn(text, " ");

        rc = add(list, method, what, text, len, err);
        text += len;
        n++;
    }
    return rc == TLSOCK_OK && n == 0 ? bad_url(what, "", 0, err) : rc;
}

static int crl_points(struct tsk_make *m, tlsock_error *err)
{
    CRL_DIST_POINTS *points;
    int rc;

    if (m->o->crl_url == NULL)
        return TLSOCK_OK;
    points = CRL_DIST_POINTS_new();
    if (points == NULL)
        return tsk_fail_nomem(err);
    rc = each(add_point, points, 0, "address of the CRL", m->o->crl_url, err);
    if (rc == TLSOCK_OK)
        rc = tsk_ext_put(m, NID_crl_distribution_points, points, 0, err);
    CRL_DIST_POINTS_free(points);
    return rc;
}

static int info_access(struct tsk_make *m, tlsock_error *err)
{
    AUTHORITY_INFO_ACCESS *aia;
    int rc = TLSOCK_OK;

    if (m->o->ocsp_url == NULL && m->o->aia_url == NULL)
        return TLSOCK_OK;
    aia = AUTHORITY_INFO_ACCESS_new();
    if (aia == NULL)
        return tsk_fail_nomem(err);
    if (m->o->ocsp_url != NULL)
        rc = each(add_access, aia, NID_ad_OCSP, "address of the OCSP responder",
                  m->o->ocsp_url, err);
    if (rc == TLSOCK_OK && m->o->aia_url != NULL)
        rc = each(add_access, aia, NID_ad_ca_issuers,
                  "address of the issuer's certificate", m->o->aia_url, err);
    if (rc == TLSOCK_OK)
        rc = tsk_ext_put(m, NID_info_access, aia, 0, err);
    AUTHORITY_INFO_ACCESS_free(aia);
    return rc;
}

int tsk_ext_urls(struct tsk_make *m, tlsock_error *err)
{
    int rc = crl_points(m, err);

    return rc == TLSOCK_OK ? info_access(m, err) : rc;
}

static int access_line(AUTHORITY_INFO_ACCESS *aia, const char *line, size_t n,
                       tlsock_error *err)
{
    static const struct {
        const char *start;
        int method;
    } kinds[] = {{"OCSP - URI:", NID_ad_OCSP},
                 {"CA Issuers - URI:", NID_ad_ca_issuers}};

    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(kinds[i].start);

        if (n > len && strncmp(line, kinds[i].start, len) == 0)
            return add_access(aia, kinds[i].method, "access description",
                              line + len, n - len, err);
    }
    return bad_url("access description", line, n, err);
}

int tsk_ext_access_text(struct tsk_make *m, const char *text,
                        tlsock_error *err)
{
    AUTHORITY_INFO_ACCESS *aia = AUTHORITY_INFO_ACCESS_new();
    int rc = aia != NULL ? TLSOCK_OK : tsk_fail_nomem(err);

    while (rc == TLSOCK_OK && *(text += strspn(text, " \n")) != '\0') {
        size_t n = strcspn(text, "\n"), len = n;

        while (len > 0 && text[len - 1] == ' ')
            len--;
        rc = access_line(aia, text, len, err);
        text += n;
    }
    if (rc == TLSOCK_OK)
        rc = tsk_ext_put(m, NID_info_access, aia, 0, err);
    AUTHORITY_INFO_ACCESS_free(aia);
    return rc;
}
