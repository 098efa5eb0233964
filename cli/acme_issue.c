/* Certificates of ACME clients: made, handed out, revoked (RFC 8555, 7.4 and
 * 7.6), and the server's own. */
#include "acme_private.h"
#include "certfield.h"
#include "errors.h"
#include "local.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <tlsock/config.h>

#define CSR_MAX 65536
#define DAYS 90
#define CN_MAX 64
#define OWN_FILE "acme.pem"

/* What the CA would say, without a word of it being kept. */
static tlsock_cert *try_out(const struct acme *a, const tlsock_cert_opts *o,
                            tlsock_error *err)
{
    tlsock_cert_opts with = *o;
    tlsock_cert *c;

    with.issuer = a->how.site->ca;
    with.days = 1;
    c = tlsock_cert_create(&with, err);
    if (c == NULL && err->code == TLSOCK_E_NOMEM)
        errno = ENOMEM; /* see acme_json(): no fault of who asks */
    return c;
}

static void san_of(char san[280], const char *name, int is_ip)
{
    snprintf(san, 280, "%s:%s", is_ip ? "IP" : "DNS", name);
}

int acme_permits(const struct acme *a, const char *name, int is_ip,
                 tlsock_error *err)
{
    char san[280];
    const char *sans[] = {san};
    tlsock_cert *c;

    san_of(san, name, is_ip);
    c = try_out(a, TLSOCK_CERT_OPTS(.sans = sans, .n_sans = 1), err);
    if (c == NULL)
        return err->code;
    tlsock_cert_unref(c);
    return 0;
}

/* base64url of DER, as PEM in memory, which tlsock_cert_opts takes. */
static char *pem_of(const char *b64)
{
    static const char head[] = "-----BEGIN CERTIFICATE REQUEST-----\n",
                      tail[] = "-----END CERTIFICATE REQUEST-----\n";
    size_t len = 0, at = sizeof(head) - 1;
    unsigned char *der = acme_b64_decode(b64, CSR_MAX, &len);
    char *pem = der != NULL
                    ? malloc(sizeof(head) + sizeof(tail) + len / 48 * 65 + 128)
                    : NULL;

    if (pem != NULL && len > 0) {
        memcpy(pem, head, at);
        for (size_t i = 0; i < len; i += 48) {
            int n = (int)(len - i < 48 ? len - i : 48);

            at +=
                (size_t)EVP_EncodeBlock((unsigned char *)pem + at, der + i, n);
            pem[at++] = '\n';
        }
        memcpy(pem + at, tail, sizeof(tail));
    } else {
        free(pem);
        pem = NULL;
    }
    free(der);
    return pem;
}

static int is_ordered(const struct acme_order *o, const char *name, size_t len)
{
    for (size_t i = 0; i < o->n; i++)
        if (strlen(o->authz[i].name) == len &&
            strncasecmp(o->authz[i].name, name, len) == 0)
            return 1;
    return 0;
}

/* "DNS:a, IP:b": exactly what was ordered, each once. */
static int names_fit(const struct acme_order *o, const tlsock_cert *c)
{
    const char *p = certfield(c, TLSOCK_CERT_SANS);
    const char *cn = certfield(c, TLSOCK_CERT_CN);
    size_t n = 0;

    if (p == NULL || cn == NULL)
        return 0;
    for (; *p != '\0'; n++) {
        size_t len = strcspn(p, ",");
        const char *colon = memchr(p, ':', len);
        size_t kind = colon != NULL ? (size_t)(colon + 1 - p) : len;

        if ((strncmp(p, "DNS:", 4) != 0 && strncmp(p, "IP:", 3) != 0) ||
            !is_ordered(o, p + kind, len - kind))
            return 0;
        p += len;
        p += strspn(p, ", ");
    }
    return n == o->n && (*cn == '\0' || is_ordered(o, cn, strlen(cn)));
}

/* The names as options want them, freed at once: one block behind pointers. */
static char **sans_of(const struct acme_order *o)
{
    char **list = malloc(o->n * (sizeof(char *) + 280));
    char *text = list != NULL ? (char *)(list + o->n) : NULL;

    for (size_t i = 0; list != NULL && i < o->n; i++, text += 280) {
        san_of(text, o->authz[i].name, o->authz[i].is_ip);
        list[i] = text;
    }
    return list;
}

/* Is the request sound, and for these names alone? 0 or the problem. */
static int check_csr(struct acme_call *c, const struct acme_order *o,
                     const char *pem)
{
    tlsock_error err = {0};
    tlsock_cert *would = try_out(c->acme, TLSOCK_CERT_OPTS(.csr = pem), &err);
    const char *pin;
    char own[ACME_PIN];
    int rc = 0;

    if (would == NULL && err.code == TLSOCK_E_PURPOSE)
        return acme_problem(&c->problem, 403, "rejectedIdentifier", "%s",
                            err.message);
    if (would == NULL)
        return acme_problem(&c->problem, 400, "badCSR", "%s", err.message);
    pin = certfield(would, TLSOCK_CERT_PIN);
    if (!names_fit(o, would))
        rc = acme_problem(&c->problem, 400, "badCSR",
                          "the names of the request are not those of the "
                          "order");
    else if (pin == NULL || acme_jwk_pin(c->account->jwk, own) < 0 ||
             strcmp(pin, own) == 0)
        rc = acme_problem(&c->problem, 400, "badCSR",
                          "the key is that of the account: make another one");
    tlsock_cert_unref(would);
    return rc;
}

static tlsock_cert *issue(struct acme_call *c, const struct acme_order *o,
                          const char *pem, tlsock_error *err)
{
    struct ca_site *site = c->acme->how.site;
    char **sans = sans_of(o), subject[CN_MAX + 8] = "";
    struct cadb *db = NULL;
    tlsock_cert *cert = NULL;

    for (size_t i = 0; i < o->n && subject[0] == '\0'; i++)
        if (!o->authz[i].is_ip && strlen(o->authz[i].name) <= CN_MAX)
            snprintf(subject, sizeof(subject), "CN=%.64s", o->authz[i].name);
    if (sans == NULL) {
        err->code = TLSOCK_E_NOMEM;
        return NULL;
    }
    if (cadb_open(&db, site->dir, ca_site_pass(site), CADB_TRY, err) == 0)
        cert = cadb_issue(
            db,
            TLSOCK_CERT_OPTS(.csr = pem, .sans = (const char *const *)sans,
                             .n_sans = o->n,
                             .subject = subject[0] != '\0' ? subject : NULL,
                             .days = c->acme->how.days != 0
                                         ? (int)c->acme->how.days
                                         : DAYS),
            err);
    cadb_close(db);
    free(sans);
    return cert;
}

static void say_issued(const struct acme_call *c, const struct acme_order *o)
{
    if (c->acme->how.out->quiet)
        return;
    if (c->acme->how.out->json) {
        json_t *obj = json_object(), *names = json_array();
        char now[32];

        out_now(now);
        json_object_set_new(obj, "schema", json_string("tlsock.ca-serve/1"));
        json_object_set_new(obj, "event", json_string("issued"));
        json_object_set_new(obj, "time", json_string(now));
        json_object_set_new(obj, "serial", json_string(o->serial));
        for (size_t i = 0; i < o->n; i++)
            json_array_append_new(names, json_string(o->authz[i].name));
        json_object_set_new(obj, "names", names);
        json_object_set_new(obj, "account", json_string(o->account->id));
        out_json_print(obj);
        return;
    }
    printf("issued   %s  serial %s, to account %s\n", o->authz[0].name,
           o->serial, o->account->id);
    fflush(stdout);
}

/* Somebody else who is at work with the CA is waited for, but not by us all. */
static void own_failure(struct acme_call *c, const tlsock_error *err)
{
    if (err->code == TLSOCK_AGAIN) {
        if (c->request->last)
            acme_refuse_for(c, 503, CA_SITE_BUSY_S,
                            "somebody else works with the CA: try again");
        else
            c->out->later = 1;
        return;
    }
    err_report(c->acme->how.out, "acme", err, 1);
    acme_refuse(c, 500, "serverInternal",
                "the CA cannot do that now; the server's log says why");
}

static void fulfil(struct acme_call *c, struct acme_order *o, const char *pem)
{
    tlsock_error err = {0};
    tlsock_cert *cert = issue(c, o, pem, &err);
    char url[ACME_URL];

    if (cert == NULL) { /* it stays ready: the client may try again */
        own_failure(c, &err);
        return;
    }
    snprintf(o->serial, sizeof(o->serial), "%s",
             certfield(cert, TLSOCK_CERT_SERIAL));
    tlsock_cert_unref(cert);
    o->status = ACME_VALID;
    json_array_append_new(o->account->serials, json_string(o->serial));
    acme_store_save(c->acme); /* it was made and is in the index all the same */
    say_issued(c, o);
    acme_json(c, 200, acme_order_json(c, o));
    acme_url(c, url, "order", o->id);
    http_field(c->out, "Location", "%s", url);
}

void acme_finalize(struct acme_call *c)
{
    const char *csr = json_string_value(json_object_get(c->jws.payload, "csr"));
    struct acme_order *o = acme_order_find(c, c->rest);
    char *pem;

    if (o == NULL)
        return;
    if (o->status != ACME_READY) {
        acme_refuse(c, 403, "orderNotReady", "the order is %s, not ready",
                    acme_status_names[o->status]);
        return;
    }
    pem = csr != NULL ? pem_of(csr) : NULL;
    if (pem == NULL)
        acme_refuse(c, 400, "badCSR", "csr is no DER in base64url");
    else if (check_csr(c, o, pem) < 0)
        acme_refuse_as(c);
    else
        fulfil(c, o, pem);
    free(pem);
}

static void no_index(struct acme_call *c)
{
    acme_refuse(c, 500, "serverInternal",
                "the CA cannot be read; the server's log says why");
}

/* The certificate, then the CA and what is above it. */
static int send_chain(struct acme_call *c, const char *file)
{
    const char *above = c->acme->how.site->pem;
    char *text = malloc(65536 + strlen(above));
    FILE *f = fopen(file, "rbe");
    size_t n = text != NULL && f != NULL ? fread(text, 1, 65536, f) : 0;
    int ok = n > 0 && n < 65536;

    if (ok) {
        memcpy(text + n, above, strlen(above));
        c->out->status = 200;
        http_body(c->out, "application/pem-certificate-chain", text,
                  n + strlen(above));
    }
    if (f != NULL)
        fclose(f);
    free(text);
    return ok ? 0 : -1;
}

void acme_cert(struct acme_call *c)
{
    struct cadb *db = ca_site_index(c->acme->how.site);
    const struct cadb_entry *e = NULL;

    if (db == NULL) {
        no_index(c);
        return;
    }
    if (acme_account_has(c->account, c->rest))
        e = cadb_find(db, c->rest);
    if (e == NULL || send_chain(c, e->file) < 0)
        acme_refuse(c, 404, "malformed",
                    "the account was given no such certificate");
}

/* The account that has it, or who holds its key. */
static int may_revoke(const struct acme_call *c, const tlsock_cert *cert,
                      const char *serial)
{
    const char *pin = certfield(cert, TLSOCK_CERT_PIN);
    char own[ACME_PIN];

    if (c->account != NULL)
        return acme_account_has(c->account, serial);
    return pin != NULL && acme_jwk_pin(c->jws.jwk, own) == 0 &&
           strcmp(pin, own) == 0;
}

/* Nonzero: it was refused. By the index alone, which is at hand: strangers make
 * us neither wait for the CA's lock nor open its key. */
static int is_refused(struct acme_call *c, const struct cadb *db,
                      const tlsock_cert *cert)
{
    const char *serial = certfield(cert, TLSOCK_CERT_SERIAL);
    const struct cadb_entry *e = cadb_find(db, serial);
    tlsock_error err = {0};

    if (cadb_signed(db, cert, &err) < 0)
        acme_refuse(c, 404, "malformed",
                    "this CA did not issue the certificate");
    else if (!may_revoke(c, cert, serial))
        acme_refuse(c, 403, "unauthorized",
                    "neither the account nor the key is that of the "
                    "certificate");
    else if (e != NULL && e->revoked)
        acme_refuse(c, 400, "alreadyRevoked", "it is revoked already");
    else
        return 0;
    return 1;
}

static void revoke(struct acme_call *c, struct cadb *db,
                   const tlsock_cert *cert, int reason)
{
    const char *serial = certfield(cert, TLSOCK_CERT_SERIAL);
    tlsock_error err = {0};

    if (is_refused(c, db, cert)) /* somebody else may just have done it */
        return;
    if (cadb_adopt(db, cert, &err) < 0 ||
        cadb_revoke(db, serial, reason, &err) < 0 ||
        cadb_crl(db, 0, &err) < 0) {
        own_failure(c, &err);
        return;
    }
    if (!c->acme->how.out->quiet && !c->acme->how.out->json) {
        printf("revoked  serial %s\n", serial);
        fflush(stdout);
    }
    c->out->status = 200;
}

/* Locked, and with the CA's key. */
static void revoke_locked(struct acme_call *c, const tlsock_cert *cert,
                          int reason)
{
    struct ca_site *site = c->acme->how.site;
    struct cadb *db = ca_site_index(site);
    tlsock_error err = {0};

    if (db == NULL) {
        no_index(c);
        return;
    }
    if (is_refused(c, db, cert))
        return;
    db = NULL;
    if (cadb_open(&db, site->dir, ca_site_pass(site), CADB_TRY, &err) < 0)
        own_failure(c, &err);
    else
        revoke(c, db, cert, reason);
    cadb_close(db);
}

void acme_revoke(struct acme_call *c)
{
    const char *b64 =
        json_string_value(json_object_get(c->jws.payload, "certificate"));
    const json_t *why = json_object_get(c->jws.payload, "reason");
    json_int_t reason = json_integer_value(why);
    size_t len = 0;
    unsigned char *der =
        b64 != NULL ? acme_b64_decode(b64, CSR_MAX, &len) : NULL;
    tlsock_error err = {0};
    tlsock_cert *cert =
        der != NULL ? tlsock_cert_parse(der, len, NULL, &err) : NULL;

    free(der);
    if (cert == NULL)
        acme_refuse(c, 400, "malformed", "certificate is no DER in base64url");
    else if ((why != NULL && !json_is_integer(why)) || reason < 0 ||
             reason > 10 || cadb_reason_name((int)reason) == NULL)
        acme_refuse(c, 400, "badRevocationReason",
                    "reason is one of RFC 5280, 5.3.1, but for holding and "
                    "removing");
    else
        revoke_locked(c, cert, (int)reason);
    tlsock_cert_unref(cert);
}

/* Is the kept one good for all names, and for a third of its time? */
static int is_good(const tlsock_cert *c, const tlsock_cert *ca,
                   const char *const *names, size_t n)
{
    const char *issuer = certfield(c, TLSOCK_CERT_ISSUER);
    const char *subject = certfield(ca, TLSOCK_CERT_SUBJECT);
    const char *end = certfield(c, TLSOCK_CERT_NOT_AFTER);
    int ok = 0;
    long days = end != NULL ? out_days_until(end, &ok) : 0;

    if (!ok || days < DAYS / 3 || issuer == NULL || subject == NULL ||
        strcmp(issuer, subject) != 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (tlsock_cert_matches(c, names[i], NULL, NULL) < 0)
            return 0;
    return 1;
}

static tlsock_cert *make_own(struct ca_site *s, const char *const *names,
                             size_t n, int wait, const char *path,
                             tlsock_error *err)
{
    enum cadb_open how = wait ? CADB_WRITE : CADB_TRY;
    struct cadb *db = NULL;
    tlsock_cert *c = NULL;

    if (cadb_open(&db, s->dir, ca_site_pass(s), how, err) == 0)
        c = cadb_issue(db,
                       TLSOCK_CERT_OPTS(.sans = names, .n_sans = n,
                                        .days = DAYS, .purpose = "server"),
                       err);
    cadb_close(db);
    if (c != NULL &&
        tlsock_cert_save(c,
                         TLSOCK_PART_CERT | TLSOCK_PART_CHAIN | TLSOCK_PART_KEY,
                         TLSOCK_FORMAT_PEM, path, NULL, err) < 0) {
        tlsock_cert_unref(c);
        c = NULL;
    }
    return c;
}

int acme_identity(struct ca_site *s, const struct strs *hosts, int wait,
                  tlsock_cert **c, char path[4096], tlsock_error *err)
{
    const char *names[67] = {"localhost", "127.0.0.1", "::1"};
    size_t n = 3;

    for (size_t i = 0; i < hosts->n && n < 67; i++)
        names[n++] = hosts->v[i];
    if (local_path(path, s->dir, OWN_FILE) < 0) {
        err->code = TLSOCK_E_OWN_FILE;
        snprintf(err->message, sizeof(err->message),
                 "the path of %.200s is too long", s->dir);
        snprintf(err->hint, sizeof(err->hint),
                 "move the CA to a directory with a shorter one");
        return err->code;
    }
    *c = tlsock_cert_load(path, NULL, NULL, NULL);
    if (*c != NULL && is_good(*c, s->ca, names, n))
        return 0;
    tlsock_cert_unref(*c);
    *c = make_own(s, names, n, wait, path, err);
    return *c != NULL ? 1 : err->code;
}
