#include "ca_http.h"

#include "certfield.h"
#include "errors.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tlsock/revoke.h>

#define CACHE_MAX 3600 /* seconds that a CRL may be kept without a look */
#define OCSP_CACHE 300 /* and an OCSP response */
#define OCSP_VALID 43200
#define OCSP_ROOM 131072

static void send_ca_pem(struct ca_site *s, const struct http_request *r,
                        struct http_answer *a)
{
    (void)r;
    a->status = 200;
    http_body(a, "application/x-pem-file", s->pem, strlen(s->pem));
    http_field(a, "Content-Disposition", "attachment; filename=\"ca.pem\"");
}

static void send_ca_der(struct ca_site *s, const struct http_request *r,
                        struct http_answer *a)
{
    (void)r;
    a->status = 200;
    http_body(a, "application/pkix-cert", s->der, s->der_len);
}

static void http_date(char text[64], int64_t when)
{
    time_t t = (time_t)when;
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(text, 64, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

/* Is what is there good for now? While somebody is at work, a new one is worth
 * a moment only if it is not. */
static int is_good(const struct cadb *db)
{
    const struct cadb_crl_state *crl = db != NULL ? cadb_crl_state(db) : NULL;

    return crl != NULL && !crl->outdated && crl->made != 0 &&
           crl->due > (int64_t)time(NULL);
}

static void send_crl(struct ca_site *s, const struct http_request *r,
                     struct http_answer *a, int pem)
{
    const struct cadb_crl_state *crl;
    tlsock_error err = {0};
    struct cadb *db;
    int64_t left;
    char *data = NULL, date[64];
    size_t len = 0;
    int busy;

    busy = ca_site_crl(s) == TLSOCK_AGAIN;
    db = ca_site_index(s);
    if (busy && !r->last && !is_good(db)) {
        a->later = 1;
        return;
    }
    /* if that fails, the old one is better than none */
    if (db != NULL && cadb_crl_read(db, pem, &data, &len, &err) < 0 && !busy)
        ca_site_complain(s, &err);
    if (data == NULL && busy) {
        ca_site_busy(r, a, "there is no CRL yet: somebody works with the CA");
        return;
    }
    if (data == NULL) {
        http_text(a, 503, "there is no CRL now; the server's log says why");
        return;
    }
    s->complained = 0;
    crl = cadb_crl_state(db);
    left = crl->due - (int64_t)time(NULL);
    left = left < 0 ? 0 : left < CACHE_MAX ? left : CACHE_MAX;
    a->status = 200;
    http_body_own(a, pem ? "application/x-pem-file" : "application/pkix-crl",
                  data, len);
    http_date(date, crl->made);
    http_field(a, "Last-Modified", "%s", date);
    http_field(a, "ETag", "\"%llx%s\"", (unsigned long long)crl->number,
               pem ? "-pem" : "");
    http_field(a, "Cache-Control", "public, max-age=%lld", (long long)left);
}

static void send_crl_der(struct ca_site *s, const struct http_request *r,
                         struct http_answer *a)
{
    send_crl(s, r, a, 0);
}

static void send_crl_pem(struct ca_site *s, const struct http_request *r,
                         struct http_answer *a)
{
    send_crl(s, r, a, 1);
}

static int status_of(const char *serial, tlsock_status *out, void *arg)
{
    struct cadb *db = ca_site_index(arg);
    const struct cadb_entry *e = db != NULL ? cadb_find(db, serial) : NULL;

    if (db == NULL)
        return TLSOCK_E_OWN_FILE;
    if (e == NULL)
        return 0;
    out->status = e->revoked ? TLSOCK_STATUS_REVOKED : TLSOCK_STATUS_GOOD;
    out->when = e->revoked_at;
    out->reason = e->reason;
    return 0;
}

/* Decodes the base64 in an OCSP path (RFC 6960, A.1): length, or -1. flat and
 * out have room for what the text has, and two more. */
static int ocsp_path(const char *text, char *flat, unsigned char *out)
{
    size_t len = strlen(text), n = 0, pad = 0;
    int got;

    for (size_t i = 0; i < len; i++, n++) {
        flat[n] = text[i];
        if (text[i] != '%')
            continue;
        if (http_percent(text + i) < 0)
            return -1;
        flat[n] = (char)http_percent(text + i);
        i += 2;
    }
    while (n > 0 && flat[n - 1] == '=') {
        n--;
        pad++;
    }
    if (pad > 2 || (pad > 0 && (n + pad) % 4 != 0))
        return -1;
    for (pad = 0; n % 4 != 0 && pad < 2; pad++)
        flat[n++] = '=';
    if (n == 0 || n % 4 != 0)
        return -1;
    got = EVP_DecodeBlock(out, (unsigned char *)flat, (int)n);
    return got < 0 ? -1 : got - (int)pad;
}

static void answer_ocsp(struct ca_site *s, struct http_answer *a,
                        const unsigned char *request, size_t len, int cached)
{
    unsigned char *out = malloc(OCSP_ROOM);
    size_t out_len = OCSP_ROOM;
    tlsock_error err = {0};
    int rc;

    if (out == NULL)
        return; /* stays a 500 */
    rc = tlsock_ocsp_answer(TLSOCK_OCSP_OPTS(.issuer = s->ca,
                                             .status = status_of, .arg = s,
                                             .valid_s = OCSP_VALID),
                            request, len, out, &out_len, &err);
    if (rc < 0)
        err_report(s->out, "ocsp", &err, 1);
    if (rc == TLSOCK_E_LIMIT || out_len == 0) {
        free(out);
        return;
    }
    a->status = 200;
    http_body_own(a, "application/ocsp-response", out, out_len);
    /* RFC 5019, 6.2: so that proxies help, but not for long */
    if (cached && rc == 0)
        http_field(a, "Cache-Control",
                   "max-age=%d, public, no-transform, must-revalidate",
                   OCSP_CACHE);
    else
        http_field(a, "Cache-Control", "no-store");
}

static void post_ocsp(struct ca_site *s, const struct http_request *r,
                      struct http_answer *a)
{
    if (!r->head->post)
        http_text(a, 400,
                  "POST a request of application/ocsp-request, or GET "
                  "/ocsp/ with it in base64 behind (RFC 6960, A.1)");
    else if (strcmp(r->head->type, "application/ocsp-request") != 0)
        http_text(a, 415, "the media type is application/ocsp-request");
    else
        answer_ocsp(s, a, r->body, r->head->length, 0);
}

static void get_ocsp(struct ca_site *s, const char *text, struct http_answer *a)
{
    size_t room = strlen(text) + 4;
    unsigned char *request = malloc(2 * room);
    int len;

    if (request == NULL)
        return; /* stays a 500 */
    len = ocsp_path(text, (char *)request + room, request);
    if (len < 0)
        http_text(a, 400, "what follows /ocsp/ is no base64");
    else
        answer_ocsp(s, a, request, (size_t)len, 1);
    free(request);
}

static void add_html(char *page, size_t size, const char *text)
{
    static const char *const as[][2] = {
        {"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}};
    size_t at = strlen(page);

    for (; *text != '\0' && at + 8 < size; text++) {
        const char *put = NULL;

        for (size_t i = 0; i < sizeof(as) / sizeof(as[0]); i++)
            put = *text == as[i][0][0] ? as[i][1] : put;
        at +=
            (size_t)snprintf(page + at, size - at, put != NULL ? "%s" : "%.1s",
                             put != NULL ? put : text);
    }
}

static void send_page(struct ca_site *s, const struct http_request *r,
                      struct http_answer *a)
{
    const char *name = certfield(s->ca, TLSOCK_CERT_SUBJECT);
    const char *pin = certfield(s->ca, TLSOCK_CERT_SHA256);
    char page[4096] = "<!DOCTYPE html><meta charset=\"utf-8\"><title>CA</title>"
                      "<h1>";
    char clean[512];
    size_t at;

    (void)r;
    add_html(page, sizeof(page), out_clean(clean, sizeof(clean), name));
    at = strlen(page);
    snprintf(page + at, sizeof(page) - at,
             "</h1><p>A certification authority. Its certificate has the "
             "fingerprint<br><code>%s</code></p><ul>"
             "<li><a href=\"/ca.pem\">/ca.pem</a>, "
             "<a href=\"/ca.der\">/ca.der</a>: its certificate"
             "<li><a href=\"/crl\">/crl</a>, "
             "<a href=\"/crl.pem\">/crl.pem</a>: what it revoked"
             "<li>/ocsp: asked for one certificate (RFC 6960)%s</ul>\n",
             pin != NULL ? pin : "",
             s->acme ? "<li>/acme/directory: makes certificates (RFC 8555), by "
                       "https alone"
                     : "");
    a->status = 200;
    http_body(a, "text/html; charset=utf-8", page, strlen(page));
    http_field(a, "Content-Security-Policy", "default-src 'none'");
}

int ca_site_answer(struct ca_site *s, const struct http_request *r,
                   struct http_answer *a)
{
    static const struct {
        const char *path;
        void (*send)(struct ca_site *, const struct http_request *,
                     struct http_answer *);
        int post;
    } rows[] = {{"/", send_page, 0},           {"/ca.pem", send_ca_pem, 0},
                {"/ca.der", send_ca_der, 0},   {"/ca.crt", send_ca_der, 0},
                {"/crl", send_crl_der, 0},     {"/crl.der", send_crl_der, 0},
                {"/crl.pem", send_crl_pem, 0}, {"/ocsp", post_ocsp, 1}};
    const char *path = r->head->path;

    if (strncmp(path, "/ocsp/", 6) == 0 && path[6] != '\0' && !r->head->post) {
        get_ocsp(s, path + 6, a);
        return 1;
    }
    if (strcmp(path, "/ocsp/") == 0)
        path = "/ocsp"; /* as some clients write it */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(path, rows[i].path) != 0)
            continue;
        if (r->head->post && !rows[i].post) {
            http_text(a, 405, "GET alone");
            http_field(a, "Allow", "GET, HEAD");
        } else {
            rows[i].send(s, r, a);
        }
        return 1;
    }
    return 0;
}
