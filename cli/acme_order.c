/* Orders, their authorizations and challenges (RFC 8555, 7.4 and 7.5). */
#include "acme_private.h"

#include <arpa/inet.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ORDER_S 86400 /* how long an order lives, whatever becomes of it */
#define OPEN_MAX 50   /* orders of one account that are not done */
#define FINISH_S 60   /* until some of them may be */

static void free_order(struct acme_order *o)
{
    for (size_t i = 0; i < o->n; i++) {
        acme_check_stop(o, &o->authz[i]);
        json_decref(o->authz[i].error);
    }
    free(o);
}

void acme_orders_expire(struct acme *a, int64_t now)
{
    struct acme_order **at = &a->orders;

    while (*at != NULL) {
        struct acme_order *o = *at;

        if (o->expires > now) {
            at = &o->next;
            continue;
        }
        *at = o->next;
        a->n_orders--;
        free_order(o);
    }
}

void acme_orders_free(struct acme *a)
{
    a->no_more = 1;
    acme_orders_expire(a, INT64_MAX);
}

struct acme_order *acme_order_find(struct acme_call *c, const char *id)
{
    struct acme_order *o = c->acme->orders;
    size_t n = strcspn(id, "/");

    while (o != NULL && (strlen(o->id) != n || memcmp(o->id, id, n) != 0))
        o = o->next;
    if (o == NULL || o->expires <= (int64_t)time(NULL)) {
        acme_refuse(c, 404, "malformed",
                    "there is no such order, or not any more");
        return NULL;
    }
    if (o->account == c->account)
        return o;
    acme_refuse(c, 403, "unauthorized", "this is not your order");
    return NULL;
}

static json_t *ident_json(const struct acme_authz *z)
{
    json_t *obj = json_object();

    json_object_set_new(obj, "type", json_string(z->is_ip ? "ip" : "dns"));
    json_object_set_new(obj, "value", json_string(z->name));
    return obj;
}

static void set_time(json_t *obj, const char *key, int64_t when)
{
    char text[32];

    cadb_time_text(when, text);
    json_object_set_new(obj, key, json_string(text));
}

/* "ORDER/3" */
static void part_id(char id[64], const struct acme_order *o, size_t i)
{
    snprintf(id, 64, "%s/%zu", o->id, i);
}

json_t *acme_order_json(const struct acme_call *c, const struct acme_order *o)
{
    json_t *obj = json_object(), *idents = json_array(), *list = json_array();
    char url[ACME_URL], id[64];

    json_object_set_new(obj, "status",
                        json_string(acme_status_names[o->status]));
    set_time(obj, "expires", o->expires);
    for (size_t i = 0; i < o->n; i++) {
        json_array_append_new(idents, ident_json(&o->authz[i]));
        part_id(id, o, i);
        acme_url(c, url, "authz", id);
        json_array_append_new(list, json_string(url));
    }
    json_object_set_new(obj, "identifiers", idents);
    json_object_set_new(obj, "authorizations", list);
    acme_url(c, url, "finalize", o->id);
    json_object_set_new(obj, "finalize", json_string(url));
    if (o->status == ACME_VALID) {
        acme_url(c, url, "cert", o->serial);
        json_object_set_new(obj, "certificate", json_string(url));
    }
    for (size_t i = 0; i < o->n; i++)
        if (o->authz[i].error != NULL) {
            json_object_set(obj, "error", o->authz[i].error);
            break;
        }
    return obj;
}

json_t *acme_orders_json(const struct acme_call *c)
{
    json_t *obj = json_object(), *list = json_array();
    char url[ACME_URL];

    for (struct acme_order *o = c->acme->orders; o != NULL; o = o->next) {
        if (o->account != c->account || o->status == ACME_INVALID)
            continue;
        acme_url(c, url, "order", o->id);
        json_array_append_new(list, json_string(url));
    }
    json_object_set_new(obj, "orders", list);
    return obj;
}

/* One name as it may be in a certificate: A-labels in lower case, or the
 * usual form of an address. 0, or the problem. */
static int take_name(struct acme_call *c, struct acme_authz *z,
                     const json_t *ident)
{
    const char *type = json_string_value(json_object_get(ident, "type"));
    const char *value = json_string_value(json_object_get(ident, "value"));
    unsigned char raw[16];
    int family;

    if (type == NULL || value == NULL || strlen(value) > 253)
        return acme_problem(&c->problem, 400, "malformed",
                            "an identifier has a type, and a value");
    z->is_ip = strcmp(type, "ip") == 0;
    if (!z->is_ip && strcmp(type, "dns") != 0)
        return acme_problem(&c->problem, 400, "unsupportedIdentifier",
                            "identifiers are of type dns or ip");
    if (strncmp(value, "*.", 2) == 0)
        return acme_problem(&c->problem, 400, "rejectedIdentifier",
                            "wildcards need dns-01, which is not offered");
    family = strchr(value, ':') != NULL ? AF_INET6 : AF_INET;
    if (z->is_ip) {
        if (inet_pton(family, value, raw) != 1 ||
            inet_ntop(family, raw, z->name, sizeof(z->name)) == NULL)
            return acme_problem(&c->problem, 400, "malformed",
                                "the address is none");
        return 0;
    }
    if (value[0] == '\0' || inet_pton(AF_INET, value, raw) == 1 ||
        strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-.") !=
            strlen(value))
        return acme_problem(&c->problem, 400, "malformed",
                            "a name is of a-z, 0-9, - and . alone");
    memcpy(z->name, value, strlen(value) + 1);
    return 0;
}

static int take_one(struct acme_call *c, struct acme_order *o,
                    const json_t *ident)
{
    struct acme_authz *z = &o->authz[o->n];
    unsigned char raw[32];
    tlsock_error err = {0};

    if (take_name(c, z, ident) < 0)
        return -1;
    for (size_t i = 0; i < o->n; i++)
        if (strcmp(o->authz[i].name, z->name) == 0)
            return 0; /* asked for twice */
    if (acme_permits(c->acme, z->name, z->is_ip, &err) < 0)
        return acme_problem(&c->problem, 403, "rejectedIdentifier", "%s",
                            err.message);
    if (RAND_bytes(raw, sizeof(raw)) != 1)
        return acme_problem(&c->problem, 500, "serverInternal",
                            "there are no random numbers");
    acme_b64_encode(raw, sizeof(raw), z->token, sizeof(z->token));
    o->n++;
    return 0;
}

/* NULL: refused. */
static struct acme_order *make_order(struct acme_call *c, const json_t *list)
{
    size_t n = json_array_size(list);
    struct acme_order *o;

    if (n == 0 || n > ACME_IDENTS) {
        acme_refuse(c, 400, "malformed",
                    "identifiers is a list of 1 to %d names", ACME_IDENTS);
        return NULL;
    }
    o = calloc(1, sizeof(*o) + n * sizeof(o->authz[0]));
    if (o == NULL || acme_random_id(o->id) < 0) {
        free(o);
        acme_refuse(c, 500, "serverInternal", "out of memory");
        return NULL;
    }
    o->acme = c->acme;
    o->account = c->account;
    snprintf(o->origin, sizeof(o->origin), "%s", c->request->origin);
    o->expires = (int64_t)time(NULL) + ORDER_S;
    for (size_t i = 0; i < n; i++)
        if (take_one(c, o, json_array_get(list, i)) < 0) {
            free_order(o);
            acme_refuse_as(c);
            return NULL;
        }
    return o;
}

static int is_done(const struct acme_order *o)
{
    return o->status == ACME_VALID || o->status == ACME_INVALID;
}

/* The oldest that is done, or else the oldest that nobody has begun with: the
 * list has the newest first. 0: there is none. */
static int give_up_one(struct acme *a)
{
    struct acme_order **done = NULL, **idle = NULL, **at, *gone;

    for (at = &a->orders; *at != NULL; at = &(*at)->next) {
        if (is_done(*at))
            done = at;
        else if ((*at)->status == ACME_PENDING &&
                 (*at)->n_checks + (*at)->n_waits == 0)
            idle = at;
    }
    at = done != NULL ? done : idle;
    if (at == NULL)
        return 0;
    gone = *at;
    *at = gone->next;
    a->n_orders--;
    free_order(gone);
    return 1;
}

/* Room for one more, of the account, of its origin, and in all? */
static int has_room(const struct acme_call *c)
{
    const char *origin = c->request->origin;
    size_t own = 0, near = 0;

    for (const struct acme_order *o = c->acme->orders; o != NULL; o = o->next) {
        own += o->account == c->account && !is_done(o);
        near +=
            origin[0] != '\0' && strcmp(o->origin, origin) == 0 && !is_done(o);
    }
    return own < OPEN_MAX && near < ACME_ORDERS_EACH &&
           (c->acme->n_orders < ACME_ORDERS || give_up_one(c->acme));
}

static void send_order(struct acme_call *c, const struct acme_order *o,
                       int status)
{
    char url[ACME_URL];

    acme_json(c, status, acme_order_json(c, o));
    acme_url(c, url, "order", o->id);
    http_field(c->out, "Location", "%s", url);
}

void acme_new_order(struct acme_call *c)
{
    struct acme_order *o;

    acme_orders_expire(c->acme, (int64_t)time(NULL));
    if (json_object_get(c->jws.payload, "notBefore") != NULL ||
        json_object_get(c->jws.payload, "notAfter") != NULL) {
        acme_refuse(c, 400, "malformed",
                    "the lifetime is the CA's to choose: leave out notBefore "
                    "and notAfter");
        return;
    }
    if (!has_room(c)) {
        acme_refuse_for(c, 429, FINISH_S,
                        "there are too many orders; finish some first");
        return;
    }
    o = make_order(c, json_object_get(c->jws.payload, "identifiers"));
    if (o == NULL)
        return;
    o->next = c->acme->orders;
    c->acme->orders = o;
    c->acme->n_orders++;
    send_order(c, o, 201);
}

void acme_order(struct acme_call *c)
{
    struct acme_order *o = acme_order_find(c, c->rest);

    if (o != NULL)
        send_order(c, o, 200);
}

/* ORDER/3, and for a challenge ORDER/3/tls too: *by_tls, NULL for neither. */
static struct acme_authz *find_part(struct acme_call *c, struct acme_order **o,
                                    int *by_tls)
{
    const char *slash = strchr(c->rest, '/');
    unsigned long i;
    char *end = NULL;

    *o = acme_order_find(c, c->rest);
    if (*o == NULL)
        return NULL;
    i = slash != NULL ? strtoul(slash + 1, &end, 10) : (*o)->n;
    if (by_tls != NULL)
        *by_tls = end != NULL && strcmp(end, "/tls") == 0;
    if (i < (*o)->n && end != slash + 1 &&
        (*end == '\0' || (by_tls != NULL && *by_tls && !(*o)->authz[i].is_ip)))
        return &(*o)->authz[i];
    acme_refuse(c, 404, "malformed", "there is no such authorization");
    return NULL;
}

static json_t *challenge_json(const struct acme_call *c,
                              const struct acme_order *o,
                              const struct acme_authz *z, int by_tls)
{
    int status = z->check != NULL || z->waits    ? ACME_PROCESSING
                 : z->status == ACME_DEACTIVATED ? ACME_INVALID
                                                 : z->status;
    int begun = by_tls == z->by_tls;
    json_t *obj = json_object();
    char url[ACME_URL], id[64];

    part_id(id, o, (size_t)(z - o->authz));
    strncat(id, by_tls ? "/tls" : "", sizeof(id) - strlen(id) - 1);
    acme_url(c, url, "chall", id);
    json_object_set_new(obj, "type",
                        json_string(by_tls ? "tls-alpn-01" : "http-01"));
    json_object_set_new(obj, "url", json_string(url));
    json_object_set_new(obj, "token", json_string(z->token));
    json_object_set_new(
        obj, "status",
        json_string(acme_status_names[begun ? status : ACME_PENDING]));
    if (begun && z->validated != 0)
        set_time(obj, "validated", z->validated);
    if (begun && z->error != NULL)
        json_object_set(obj, "error", z->error);
    return obj;
}

/* Once it is decided, only the challenge that was begun is told of. */
static json_t *challenges_json(const struct acme_call *c,
                               const struct acme_order *o,
                               const struct acme_authz *z)
{
    int open = z->status == ACME_PENDING;
    json_t *list = json_array();

    if (open || !z->by_tls)
        json_array_append_new(list, challenge_json(c, o, z, 0));
    if (!z->is_ip && (open || z->by_tls))
        json_array_append_new(list, challenge_json(c, o, z, 1));
    return list;
}

static void send_authz(struct acme_call *c, const struct acme_order *o,
                       const struct acme_authz *z)
{
    json_t *obj = json_object();

    json_object_set_new(obj, "status",
                        json_string(acme_status_names[z->status]));
    set_time(obj, "expires", o->expires);
    json_object_set_new(obj, "identifier", ident_json(z));
    json_object_set_new(obj, "challenges", challenges_json(c, o, z));
    acme_json(c, 200, obj);
    if (z->check != NULL || z->waits)
        http_field(c->out, "Retry-After", "1");
}

/* All are valid: ready. One is not, and will not be: invalid. */
static void settle(struct acme_order *o)
{
    int all = 1;

    if (o->status != ACME_PENDING && o->status != ACME_READY)
        return;
    for (size_t i = 0; i < o->n; i++) {
        all = all && o->authz[i].status == ACME_VALID;
        if (o->authz[i].status == ACME_INVALID ||
            o->authz[i].status == ACME_DEACTIVATED)
            o->status = ACME_INVALID;
    }
    if (o->status != ACME_INVALID)
        o->status = all ? ACME_READY : ACME_PENDING;
}

void acme_authz(struct acme_call *c)
{
    const char *status =
        json_string_value(json_object_get(c->jws.payload, "status"));
    struct acme_order *o;
    struct acme_authz *z = find_part(c, &o, NULL);

    if (z == NULL)
        return;
    if (status != NULL && strcmp(status, "deactivated") != 0) {
        acme_refuse(c, 400, "malformed",
                    "an authorization can be deactivated, and nothing else");
        return;
    }
    if (status != NULL) {
        acme_check_stop(o, z);
        z->status = ACME_DEACTIVATED;
        settle(o);
    }
    send_authz(c, o, z);
}

void acme_validated(struct acme_order *o, struct acme_authz *z,
                    const char *type, const char *detail)
{
    struct acme_problem p;

    if (type == NULL) {
        z->status = ACME_VALID;
        z->validated = (int64_t)time(NULL);
    } else {
        acme_problem(&p, 403, type, "%s: %s", z->name, detail);
        z->status = ACME_INVALID;
        z->error = acme_problem_json(&p);
    }
    settle(o);
}

void acme_challenge(struct acme_call *c)
{
    char url[ACME_URL], id[64];
    struct acme_order *o;
    int by_tls = 0;
    struct acme_authz *z = find_part(c, &o, &by_tls);

    if (z == NULL)
        return;
    /* A payload says "begin"; without one, it is looked at alone. The order
     * may be lost by another name already: who asks about this one is told. */
    if (c->jws.payload != NULL && z->status == ACME_PENDING &&
        z->check == NULL && !z->waits)
        acme_check_start(o, z, by_tls);
    acme_json(c, 200, challenge_json(c, o, z, by_tls));
    part_id(id, o, (size_t)(z - o->authz));
    acme_url(c, url, "authz", id);
    http_field(c->out, "Link", "<%s>;rel=\"up\"", url);
    if (z->check != NULL || z->waits)
        http_field(c->out, "Retry-After", "1");
}
