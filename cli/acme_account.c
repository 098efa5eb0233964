/* Accounts: made, looked at, changed, given another key (RFC 8555, 7.3). */
#include "acme_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CONTACTS 10
#define CONTACT_MAX 256

static json_t *account_json(const struct acme_call *c,
                            const struct acme_account *a)
{
    json_t *obj = json_object();
    char url[ACME_URL];

    json_object_set_new(obj, "status",
                        json_string(a->deactivated ? "deactivated" : "valid"));
    json_object_set(obj, "contact", a->contact);
    acme_url(c, url, "account", a->id);
    strncat(url, "/orders", sizeof(url) - strlen(url) - 1);
    json_object_set_new(obj, "orders", json_string(url));
    return obj;
}

static void send_account(struct acme_call *c, const struct acme_account *a,
                         int status)
{
    char url[ACME_URL];

    acme_json(c, status, account_json(c, a));
    acme_url(c, url, "account", a->id);
    http_field(c->out, "Location", "%s", url);
}

/* RFC 8555, 7.3: mailto alone, one address, no header fields. */
static int check_contact(struct acme_call *c, const json_t *contact)
{
    if (contact == NULL)
        return 0;
    if (!json_is_array(contact) || json_array_size(contact) > CONTACTS)
        return acme_problem(&c->problem, 400, "malformed",
                            "contact is a list of at most %d", CONTACTS);
    for (size_t i = 0; i < json_array_size(contact); i++) {
        const char *s = json_string_value(json_array_get(contact, i));

        if (s == NULL || strncasecmp(s, "mailto:", 7) != 0)
            return acme_problem(&c->problem, 400, "unsupportedContact",
                                "contacts are mailto: addresses");
        if (strlen(s) > CONTACT_MAX || strchr(s, '@') == NULL ||
            strpbrk(s, ",?\r\n") != NULL)
            return acme_problem(&c->problem, 400, "invalidContact",
                                "one address each, without header fields");
    }
    return 0;
}

static int set_contact(struct acme_account *a, const json_t *contact)
{
    json_t *copy = contact != NULL ? json_deep_copy(contact) : NULL;

    if (contact != NULL && copy == NULL)
        return -1;
    if (copy != NULL) {
        json_decref(a->contact);
        a->contact = copy;
    }
    return 0;
}

static void no_room(struct acme_call *c)
{
    acme_refuse(c, 500, "serverInternal",
                "the account cannot be kept; the server's log says why");
}

/* One more of this origin, and in all? 0: refused. */
static int has_room(struct acme_call *c)
{
    const char *origin = c->request->origin;
    int64_t now = (int64_t)time(NULL), wait = 0;
    struct timespec t;

    if (c->acme->n_accounts >= ACME_ACCOUNTS &&
        !acme_account_give_up(c->acme, now)) {
        acme_refuse_for(c, 429, ACME_IDLE_S,
                        "there are too many accounts, all of them in use");
        return 0;
    }
    clock_gettime(CLOCK_MONOTONIC, &t);
    if (origin[0] != '\0')
        wait = origin_take(c->acme->new_accounts, origin, t.tv_sec);
    if (wait == 0)
        return 1;
    acme_refuse_for(c, 429, wait, "your address has made too many accounts");
    return 0;
}

void acme_new_account(struct acme_call *c)
{
    const json_t *contact = json_object_get(c->jws.payload, "contact");
    struct acme_account *a;
    char thumb[ACME_THUMB];

    if (c->jws.payload == NULL || acme_jwk_thumb(c->jws.jwk, thumb) < 0) {
        acme_refuse(c, 400, "malformed", "there is no payload");
        return;
    }
    a = acme_account_of_key(c->acme, thumb);
    if (a != NULL && a->deactivated) {
        acme_refuse(c, 401, "unauthorized", "the account is deactivated");
        return;
    }
    if (a != NULL) {
        send_account(c, a, 200);
        return;
    }
    if (json_is_true(json_object_get(c->jws.payload, "onlyReturnExisting"))) {
        acme_refuse(c, 400, "accountDoesNotExist", "no account has this key");
        return;
    }
    if (check_contact(c, contact) < 0) {
        acme_refuse_as(c);
        return;
    }
    if (!has_room(c))
        return;
    a = acme_account_add(c->acme, c->jws.jwk);
    if (a == NULL) {
        no_room(c);
        return;
    }
    if (set_contact(a, contact) < 0 || acme_store_save(c->acme) < 0) {
        acme_account_drop(c->acme, a);
        no_room(c);
        return;
    }
    send_account(c, a, 201);
}

/* In memory and in the file, or in neither. */
static int keep_change(struct acme_call *c, const json_t *contact,
                       int deactivate)
{
    struct acme_account *a = c->account;
    json_t *was = json_incref(a->contact);
    int was_deactivated = a->deactivated, rc = set_contact(a, contact);

    a->deactivated |= deactivate;
    if (rc == 0)
        rc = acme_store_save(c->acme);
    if (rc < 0) {
        a->deactivated = was_deactivated;
        json_decref(a->contact);
        a->contact = json_incref(was);
    }
    json_decref(was);
    return rc;
}

static void update(struct acme_call *c)
{
    struct acme_account *a = c->account;
    const json_t *contact = json_object_get(c->jws.payload, "contact");
    const char *status =
        json_string_value(json_object_get(c->jws.payload, "status"));

    if (check_contact(c, contact) < 0) {
        acme_refuse_as(c);
        return;
    }
    if (status != NULL && strcmp(status, "deactivated") != 0 &&
        strcmp(status, "valid") != 0) {
        acme_refuse(c, 400, "malformed",
                    "an account can be deactivated, and nothing else");
        return;
    }
    if ((status != NULL || contact != NULL) &&
        keep_change(c, contact,
                    status != NULL && strcmp(status, "deactivated") == 0) < 0) {
        no_room(c);
        return;
    }
    send_account(c, a, 200);
}

void acme_account(struct acme_call *c)
{
    size_t n = strlen(c->account->id);

    if (strncmp(c->rest, c->account->id, n) != 0 ||
        (c->rest[n] != '\0' && strcmp(c->rest + n, "/orders") != 0))
        acme_refuse(c, 403, "unauthorized", "this is not your account");
    else if (c->rest[n] == '/')
        acme_json(c, 200, acme_orders_json(c));
    else
        update(c);
}

/* RFC 8555, 7.3.5: inside is a request signed with the new key, which names
 * the account and the key it had. */
static int check_change(struct acme_call *c, struct acme_jws *in)
{
    const json_t *old = json_object_get(in->payload, "oldKey");
    const char *account =
        json_string_value(json_object_get(in->payload, "account"));
    char thumb[ACME_THUMB];

    if (in->jwk == NULL || in->nonce != NULL ||
        strcmp(in->url, c->jws.url) != 0)
        return acme_problem(&c->problem, 400, "malformed",
                            "the inner request has a jwk, the url of the "
                            "outer one, and no nonce");
    if (acme_jws_verify(in, in->jwk, &c->problem) < 0)
        return -1;
    if (account == NULL || strcmp(account, c->jws.kid) != 0)
        return acme_problem(&c->problem, 400, "malformed",
                            "the inner request names another account");
    if (old == NULL || acme_jwk_check(old, &c->problem) < 0 ||
        acme_jwk_thumb(old, thumb) < 0 || strcmp(thumb, c->account->thumb) != 0)
        return acme_problem(&c->problem, 400, "malformed",
                            "oldKey is not the key of the account");
    return 0;
}

static void change(struct acme_call *c, const json_t *jwk)
{
    struct acme_account *a = c->account, *other;
    json_t *was = a->jwk, *copy = json_deep_copy(jwk);
    char thumb[ACME_THUMB], old[ACME_THUMB], url[ACME_URL];

    if (copy == NULL || acme_jwk_thumb(jwk, thumb) < 0) {
        json_decref(copy);
        no_room(c);
        return;
    }
    other = acme_account_of_key(c->acme, thumb);
    if (other != NULL) {
        json_decref(copy);
        acme_refuse(c, 409, "malformed", "an account has this key already");
        acme_url(c, url, "account", other->id);
        http_field(c->out, "Location", "%s", url);
        return;
    }
    memcpy(old, a->thumb, sizeof(old));
    memcpy(a->thumb, thumb, sizeof(old));
    a->jwk = copy;
    if (acme_store_save(c->acme) < 0) {
        memcpy(a->thumb, old, sizeof(old));
        a->jwk = was;
        json_decref(copy);
        no_room(c);
        return;
    }
    json_decref(was);
    send_account(c, a, 200);
}

void acme_key_change(struct acme_call *c)
{
    char *text = json_dumps(c->jws.payload, JSON_COMPACT);
    struct acme_jws in = {0};

    if (text == NULL) {
        acme_refuse(c, 400, "malformed", "there is no inner request");
        return;
    }
    if (acme_jws_parse(&in, text, strlen(text), &c->problem) < 0 ||
        check_change(c, &in) < 0)
        acme_refuse_as(c);
    else
        change(c, in.jwk);
    acme_jws_free(&in);
    free(text);
}
