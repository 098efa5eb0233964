/* Which request goes where, who sent it, and how all answers look. */
#include "acme_private.h"
#include "errors.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NEW_ACCOUNTS 50  /* of one origin at once, */
#define NEW_ACCOUNT_S 60 /* and one more after each of these */

const char *const acme_status_names[] = {
    "pending", "processing", "ready", "valid", "invalid", "deactivated"};

enum { KID = 1, JWK = 2 };

static const struct route {
    const char *path; /* what follows is c->rest */
    int exact, by;
    void (*run)(struct acme_call *c);
} routes[] = {{"/acme/new-account", 1, JWK, acme_new_account},
              {"/acme/account/", 0, KID, acme_account},
              {"/acme/new-order", 1, KID, acme_new_order},
              {"/acme/order/", 0, KID, acme_order},
              {"/acme/authz/", 0, KID, acme_authz},
              {"/acme/chall/", 0, KID, acme_challenge},
              {"/acme/finalize/", 0, KID, acme_finalize},
              {"/acme/cert/", 0, KID, acme_cert},
              {"/acme/key-change", 1, KID, acme_key_change},
              {"/acme/revoke-cert", 1, KID | JWK, acme_revoke}};

void acme_url(const struct acme_call *c, char url[ACME_URL], const char *what,
              const char *id)
{
    snprintf(url, ACME_URL, "%s/acme/%s%s%s", c->base, what,
             id != NULL ? "/" : "", id != NULL ? id : "");
}

/* What was put together without all the memory that it needs lacks something,
 * which would be taken for an answer. malloc() says so, and nobody takes it
 * back. */
void acme_json(struct acme_call *c, int status, json_t *obj)
{
    char *text = errno != ENOMEM ? json_dumps(obj, JSON_INDENT(1)) : NULL;

    json_decref(obj);
    c->out->status = text != NULL ? status : 500;
    if (text != NULL)
        http_body(c->out, "application/json", text, strlen(text));
    free(text);
}

json_t *acme_problem_json(const struct acme_problem *p)
{
    json_t *obj = json_object();
    char type[80];

    snprintf(type, sizeof(type), "urn:ietf:params:acme:error:%s", p->type);
    json_object_set_new(obj, "type", json_string(type));
    json_object_set_new(obj, "detail", out_json_text(p->detail));
    json_object_set_new(obj, "status", json_integer(p->status));
    return obj;
}

void acme_refuse_as(struct acme_call *c)
{
    acme_json(c, c->problem.status, acme_problem_json(&c->problem));
    snprintf(c->out->type, sizeof(c->out->type), "application/problem+json");
}

void acme_refuse(struct acme_call *c, int status, const char *type,
                 const char *format, ...)
{
    va_list ap;

    c->problem.status = status;
    c->problem.type = type;
    va_start(ap, format);
    vsnprintf(c->problem.detail, sizeof(c->problem.detail), format, ap);
    va_end(ap);
    acme_refuse_as(c);
}

void acme_refuse_for(struct acme_call *c, int status, int64_t seconds,
                     const char *detail)
{
    acme_refuse(c, status, status == 429 ? "rateLimited" : "serverInternal",
                "%s", detail);
    http_field(c->out, "Retry-After", "%lld", (long long)seconds);
}

static void directory(struct acme_call *c)
{
    static const char *const rows[][2] = {{"newNonce", "new-nonce"},
                                          {"newAccount", "new-account"},
                                          {"newOrder", "new-order"},
                                          {"revokeCert", "revoke-cert"},
                                          {"keyChange", "key-change"}};
    json_t *obj = json_object(), *meta = json_object();
    char url[ACME_URL];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        acme_url(c, url, rows[i][1], NULL);
        json_object_set_new(obj, rows[i][0], json_string(url));
    }
    snprintf(url, sizeof(url), "%s/", c->base);
    json_object_set_new(meta, "website", json_string(url));
    json_object_set_new(meta, "externalAccountRequired", json_false());
    json_object_set_new(obj, "meta", meta);
    acme_json(c, 200, obj);
}

/* The host part of "name:port", "[v6]:port". */
static void host_of(char host[256], const char *field)
{
    size_t n = field[0] == '[' ? strcspn(field, "]") : strcspn(field, ":");

    if (field[0] == '[')
        snprintf(host, 256, "%.*s", (int)(n > 0 ? n - 1 : 0), field + 1);
    else
        snprintf(host, 256, "%.*s", (int)n, field);
}

/* Addresses that we give out begin with what the client called us, if our
 * certificate says that we are it. */
static int find_base(struct acme_call *c)
{
    char host[256];

    host_of(host, c->request->head->host);
    if (host[0] == '\0' ||
        tlsock_cert_matches(c->acme->how.identity, host, NULL, NULL) < 0)
        return -1;
    snprintf(c->base, sizeof(c->base), "https://%s", c->request->head->host);
    return 0;
}

/* kid is the account's address: base/acme/account/ID */
static struct acme_account *account_of(struct acme_call *c)
{
    char url[ACME_URL];
    const char *kid = c->jws.kid;
    size_t n;

    acme_url(c, url, "account", "");
    n = strlen(url);
    if (strncmp(kid, url, n) != 0)
        return NULL;
    return acme_account_find(c->acme, kid + n);
}

/* Who is it? 0, or it was refused. */
static int authenticate(struct acme_call *c, int by)
{
    const json_t *key = c->jws.jwk;

    if (c->jws.kid != NULL && (by & KID) == 0) {
        acme_refuse(c, 400, "malformed", "this request is signed with jwk");
        return -1;
    }
    if (c->jws.jwk != NULL && (by & JWK) == 0) {
        acme_refuse(c, 400, "malformed", "this request is signed with kid");
        return -1;
    }
    if (c->jws.kid != NULL) {
        c->account = account_of(c);
        if (c->account == NULL) {
            acme_refuse(c, 400, "accountDoesNotExist",
                        "there is no such account");
            return -1;
        }
        key = c->account->jwk;
    }
    if (acme_jws_verify(&c->jws, key, &c->problem) < 0) {
        acme_refuse_as(c);
        return -1;
    }
    if (c->account != NULL)
        c->account->used = (int64_t)time(NULL);
    if (c->account == NULL || !c->account->deactivated)
        return 0;
    acme_refuse(c, 401, "unauthorized", "the account is deactivated");
    return -1;
}

/* RFC 8555, 6.2 to 6.5 */
static int open_request(struct acme_call *c, int by)
{
    char url[ACME_URL + HTTP_LINE_MAX];

    if (strcmp(c->request->head->type, "application/jose+json") != 0) {
        acme_refuse(c, 415, "malformed",
                    "the media type is application/jose+json");
        return -1;
    }
    if (acme_jws_parse(&c->jws, c->request->body, c->request->head->length,
                       &c->problem) < 0) {
        acme_refuse_as(c);
        return -1;
    }
    snprintf(url, sizeof(url), "%s%s", c->base, c->request->head->path);
    if (strcmp(c->jws.url, url) != 0) {
        acme_refuse(c, 401, "unauthorized",
                    "the request was signed for another url");
        return -1;
    }
    if (!acme_nonce_take(c, c->jws.nonce)) {
        acme_refuse(c, 400, "badNonce",
                    "the nonce was not given out, or was used already");
        return -1;
    }
    return authenticate(c, by);
}

static int run_route(struct acme_call *c)
{
    const char *path = c->request->head->path;

    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        const struct route *r = &routes[i];
        size_t n = strlen(r->path);

        if (r->exact ? strcmp(path, r->path) != 0
                     : strncmp(path, r->path, n) != 0)
            continue;
        c->rest = path + n;
        if (!c->request->head->post) {
            acme_refuse(c, 405, "malformed", "POST alone");
            http_field(c->out, "Allow", "POST");
        } else if (open_request(c, r->by) == 0) {
            r->run(c);
        }
        return 1;
    }
    return 0;
}

static void run(struct acme_call *c)
{
    const char *path = c->request->head->path;
    char url[ACME_URL];

    if (strcmp(path, "/acme/directory") == 0) {
        directory(c);
        return;
    }
    if (strcmp(path, "/acme/new-nonce") == 0) {
        c->out->status = c->request->head->head ? 200 : 204;
        acme_nonce_give(c);
    } else if (run_route(c)) {
        if (c->out->later)
            return; /* the same request comes again, with its nonce */
        acme_nonce_end(c);
        acme_nonce_give(c);
    } else {
        acme_refuse(c, 404, "malformed", "there is nothing at this address");
    }
    acme_url(c, url, "directory", NULL);
    http_field(c->out, "Link", "<%s>;rel=\"index\"", url);
}

int acme_answer(struct acme *a, const struct http_request *r,
                struct http_answer *out)
{
    struct acme_call c = {.acme = a, .request = r, .out = out};

    if (strncmp(r->head->path, "/acme/", 6) != 0)
        return 0;
    errno = 0;
    if (!r->tls)
        acme_refuse(&c, 403, "malformed", "ACME is served by https alone");
    else if (find_base(&c) < 0)
        acme_refuse(&c, 400, "malformed",
                    "this server is not called that: ca serve --host NAME "
                    "gives it another name");
    else
        run(&c);
    http_field(out, "Cache-Control", "no-store");
    acme_jws_free(&c.jws);
    return 1;
}

void acme_look(struct acme *a)
{
    acme_orders_expire(a, (int64_t)time(NULL));
}

static int check_resolve(const struct acme_opts *how, const struct opts *o)
{
    for (size_t i = 0; i < how->resolve.n; i++) {
        const char *eq = strchr(how->resolve.v[i], '=');
        unsigned char raw[16];

        if (eq == NULL || eq == how->resolve.v[i] ||
            (inet_pton(AF_INET, eq + 1, raw) != 1 &&
             inet_pton(AF_INET6, eq + 1, raw) != 1))
            return err_usage(
                &o->out, "ca serve", "--resolve app.test=127.0.0.1",
                "--resolve \"%s\" is no NAME=ADDRESS", how->resolve.v[i]);
    }
    return 0;
}

int acme_check_opts(const struct acme_opts *how, const struct opts *o)
{
    return check_resolve(how, o);
}

struct acme *acme_new(const struct acme_opts *how, int *rc)
{
    struct acme *a = calloc(1, sizeof(*a));

    if (a == NULL) {
        *rc = err_plain(how->out, "acme", EXIT_INTERNAL, "nomem", "",
                        "out of memory");
        return NULL;
    }
    a->how = *how;
    a->lock = -1;
    a->new_accounts = calloc(1, sizeof(*a->new_accounts));
    if (a->new_accounts == NULL)
        *rc = err_plain(how->out, "acme", EXIT_INTERNAL, "nomem", "",
                        "out of memory");
    else
        *rc = acme_store_load(a);
    if (*rc == 0) {
        a->new_accounts->burst = NEW_ACCOUNTS;
        a->new_accounts->step_s = NEW_ACCOUNT_S;
        return a;
    }
    acme_free(a);
    return NULL;
}

void acme_free(struct acme *a)
{
    if (a == NULL)
        return;
    acme_orders_free(a);
    acme_store_free(a);
    free(a->new_accounts);
    free(a);
}
