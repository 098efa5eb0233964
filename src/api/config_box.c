#include "api/config_box.h"

#include "api/hostset.h"
#include "api/options.h"
#include "cert/cert.h"
#include "core/clock.h"
#include "core/mem.h"
#include "session/idcache.h"
#include "session/ticket.h"
#include "tls/hostset.h"
#include "tls/lazy.h"

#include <string.h>

/* Texts of the settings, which a copy has to have for itself. */
static const size_t texts[] = {
    offsetof(struct tsk_settings, ciphers),
    offsetof(struct tsk_settings, ciphersuites),
    offsetof(struct tsk_settings, groups),
    offsetof(struct tsk_settings, sigalgs),
    offsetof(struct tsk_settings, verify_name),
    offsetof(struct tsk_settings, verify_scheme),
    offsetof(struct tsk_settings, insecure_text),
    offsetof(struct tsk_settings, session_id_context),
    offsetof(struct tsk_settings, session_file),
    offsetof(struct tsk_settings, keylog),
    offsetof(struct tsk_settings, revocation_cache),
    offsetof(struct tsk_settings, revocation_proxy),
    offsetof(struct tsk_settings, dane_anchor),
    offsetof(struct tsk_settings, dane_resolver),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char **text_at(struct tsk_settings *set, size_t i)
{
    return (char **)(void *)((char *)set + texts[i]);
}

/* NULL stays NULL; 0, or E_NOMEM */
static int copy_text(char **to, const char *from)
{
    *to = from != NULL ? tsk_strdup(from) : NULL;
    return from != NULL && *to == NULL ? TLSOCK_E_NOMEM : TLSOCK_OK;
}

static void free_identity(struct tsk_identity *id)
{
    tsk_free(id->host);
    tsk_free_text(id->cert_uri); /* a key may be in them as text */
    tsk_free_text(id->key_uri);
    tsk_free(id->pass_uri);
    tlsock_cert_unref(id->cert);
    tsk_lazy_unref(id->lazy);
}

static void free_settings(struct tsk_settings *set)
{
    for (size_t i = 0; i < COUNT(texts); i++)
        tsk_free_text(*text_at(set, i));
    tsk_free(set->alpn);
    tsk_allow_unref(set->allow);
    tsk_free_text(set->tickets_secret);
    tsk_tickets_unref(set->ticket_keys);
    tsk_idcache_unref(set->id_cache);
    for (size_t i = 0; i < set->n_trust; i++)
        tsk_free(set->trust[i]);
    tsk_free(set->trust);
    for (size_t i = 0; i < set->n_identities; i++)
        free_identity(&set->identities[i]);
    tsk_free(set->identities);
    tsk_hostset_free(set);
    tsk_free(set->pins);
    for (size_t i = 0; i < set->n_crls; i++) {
        tsk_free(set->crls[i].uri);
        tsk_crls_unref(set->crls[i].crls);
    }
    tsk_free(set->crls);
    for (size_t i = 0; i < set->n_psks; i++)
        tsk_psk_wipe(&set->psks[i]);
    tsk_free(set->psks);
}

static int copy_identities(struct tsk_settings *to,
                           const struct tsk_settings *from)
{
    to->identities = tsk_alloc(from->n_identities * sizeof(*to->identities));
    if (to->identities == NULL)
        return TLSOCK_E_NOMEM;
    to->cap_identities = from->n_identities;
    for (size_t i = 0; i < from->n_identities; i++) {
        const struct tsk_identity *id = &from->identities[i];
        struct tsk_identity *copy = &to->identities[i];

        to->n_identities++;
        copy->cert = tlsock_cert_ref(id->cert);
        copy->lazy = tsk_lazy_ref(id->lazy);
        if (copy_text(&copy->host, id->host) < 0 ||
            copy_text(&copy->cert_uri, id->cert_uri) < 0 ||
            copy_text(&copy->key_uri, id->key_uri) < 0 ||
            copy_text(&copy->pass_uri, id->pass_uri) < 0)
            return TLSOCK_E_NOMEM;
    }
    return TLSOCK_OK;
}

static int copy_crls(struct tsk_settings *to, const struct tsk_settings *from)
{
    to->crls = tsk_alloc(from->n_crls * sizeof(*to->crls));
    if (to->crls == NULL)
        return TLSOCK_E_NOMEM;
    for (size_t i = 0; i < from->n_crls; i++) {
        to->n_crls++;
        to->crls[i].crls = tsk_crls_ref(from->crls[i].crls);
        if (copy_text(&to->crls[i].uri, from->crls[i].uri) < 0)
            return TLSOCK_E_NOMEM;
    }
    return TLSOCK_OK;
}

static int copy_psks(struct tsk_settings *to, const struct tsk_settings *from)
{
    to->psks = tsk_alloc(from->n_psks * sizeof(*to->psks));
    if (to->psks == NULL)
        return TLSOCK_E_NOMEM;
    for (size_t i = 0; i < from->n_psks; i++) {
        const struct tsk_psk *psk = &from->psks[i];

        to->n_psks++;
        if (tsk_psk_copy(&to->psks[i], psk->identity, psk->key, psk->len) < 0 ||
            copy_text(&to->psks[i].uri, psk->uri) < 0)
            return TLSOCK_E_NOMEM;
    }
    return TLSOCK_OK;
}

static int copy_lists(struct tsk_settings *to, const struct tsk_settings *from)
{
    if (from->n_trust != 0) {
        to->trust = tsk_alloc(from->n_trust * sizeof(*to->trust));
        if (to->trust == NULL)
            return TLSOCK_E_NOMEM;
        for (size_t i = 0; i < from->n_trust; i++, to->n_trust++)
            if (copy_text(&to->trust[i], from->trust[i]) < 0)
                return TLSOCK_E_NOMEM;
    }
    if (tsk_hostset_copy(to, from) < 0)
        return TLSOCK_E_NOMEM;
    if (from->n_pins != 0) {
        to->pins = tsk_alloc(from->n_pins * sizeof(*to->pins));
        if (to->pins == NULL)
            return TLSOCK_E_NOMEM;
        memcpy(to->pins, from->pins, from->n_pins * sizeof(*to->pins));
        to->n_pins = from->n_pins;
    }
    if (from->n_crls != 0 && copy_crls(to, from) < 0)
        return TLSOCK_E_NOMEM;
    if (from->n_psks != 0 && copy_psks(to, from) < 0)
        return TLSOCK_E_NOMEM;
    return from->n_identities != 0 ? copy_identities(to, from) : TLSOCK_OK;
}

/* to: a bitwise copy of from, whose pointers are still from's. */
static int own_pointers(struct tsk_settings *to,
                        const struct tsk_settings *from)
{
    int rc = TLSOCK_OK;

    for (size_t i = 0; i < COUNT(texts); i++)
        *text_at(to, i) = NULL;
    to->alpn = NULL;
    to->tickets_secret = NULL;
    to->ticket_keys = tsk_tickets_ref(from->ticket_keys);
    to->id_cache = tsk_idcache_ref(from->id_cache);
    to->allow = tsk_allow_ref(from->allow);
    to->trust = NULL;
    to->identities = NULL;
    to->host_sets = NULL;
    to->n_host_sets = 0;
    to->pins = NULL;
    to->crls = NULL;
    to->psks = NULL;
    to->n_psks = 0;
    to->cap_identities = 0;
    to->n_trust = to->n_identities = to->n_pins = to->n_crls = 0;
    for (size_t i = 0; i < COUNT(texts) && rc == TLSOCK_OK; i++)
        rc = copy_text(text_at(to, i),
                       *text_at((struct tsk_settings *)(uintptr_t)from, i));
    if (rc == TLSOCK_OK)
        rc = copy_text(&to->tickets_secret, from->tickets_secret);
    if (rc == TLSOCK_OK && from->alpn != NULL) {
        to->alpn = tsk_alloc(from->alpn_len);
        if (to->alpn == NULL)
            return TLSOCK_E_NOMEM;
        memcpy(to->alpn, from->alpn, from->alpn_len);
    }
    return rc == TLSOCK_OK ? copy_lists(to, from) : rc;
}

static struct tsk_box *empty(tlsock_error *err)
{
    struct tsk_box *box = tsk_alloc(sizeof(*box));

    if (box == NULL)
        tsk_fail_nomem(err);
    else
        atomic_init(&box->refs, 1);
    return box;
}

int tsk_box_part(struct tsk_box *box)
{
    struct tsk_tickets *t = tsk_tickets_new();
    struct tsk_idcache *ids = tsk_idcache_new();

    if (t == NULL || ids == NULL) {
        tsk_tickets_unref(t);
        tsk_idcache_unref(ids);
        return TLSOCK_E_NOMEM;
    }
    tsk_tickets_unref(box->set.ticket_keys);
    tsk_idcache_unref(box->set.id_cache);
    box->set.ticket_keys = t;
    box->set.id_cache = ids;
    return TLSOCK_OK;
}

struct tsk_box *tsk_box_new(tlsock_error *err)
{
    struct tsk_box *box = empty(err);

    if (box == NULL)
        return NULL;
    if (tsk_box_part(box) < 0)
        tsk_fail_nomem(err);
    else if (tsk_option_defaults(&box->set, err) == TLSOCK_OK)
        return box;
    tsk_box_unref(box);
    return NULL;
}

struct tsk_box *tsk_box_copy(const struct tsk_box *from, tlsock_error *err)
{
    struct tsk_box *box = empty(err);

    if (box == NULL)
        return NULL;
    box->set = from->set;
    if (own_pointers(&box->set, &from->set) < 0) {
        tsk_fail_nomem(err);
        tsk_box_unref(box);
        return NULL;
    }
    return box;
}

struct tsk_box *tsk_box_ref(struct tsk_box *box)
{
    atomic_fetch_add(&box->refs, 1);
    return box;
}

void tsk_box_unref(void *owner)
{
    struct tsk_box *box = owner;

    if (box == NULL || atomic_fetch_sub(&box->refs, 1) != 1)
        return;
    free_settings(&box->set);
    tsk_free(box);
}

struct tsk_ctx *tsk_box_build(struct tsk_box *box, tlsock_error *err)
{
    struct tsk_ctx *ctx;

    ctx = tsk_ctx_new(&box->set, tsk_box_unref, tsk_box_ref(box), err);
    if (ctx == NULL)
        tsk_box_unref(box); /* it stayed ours */
    return ctx;
}

struct tsk_box *tsk_box_of(const struct tsk_ctx *ctx)
{
    const char *set = (const char *)tsk_ctx_settings(ctx);

    return (struct tsk_box *)(uintptr_t)(set - offsetof(struct tsk_box, set));
}

/* Any CA of the system's store signs for anybody who asks. */
static int trusts_everybody(const struct tsk_settings *set)
{
    for (size_t i = 0; i < set->n_trust; i++)
        if (strcmp(set->trust[i], "system") == 0)
            return 1;
    return set->n_trust == 0;
}

/* Who may come in is told, one way or the other, before a client comes. */
static int prove_clients(const struct tsk_settings *set, tlsock_error *err)
{
    if (set->client_auth == TSK_CLIENT_NONE && set->allow != NULL) {
        tsk_fail(err, TLSOCK_E_OPTION,
                 "client-auth.allow says which clients may come in, but "
                 "client-auth = none asks nobody for a certificate");
        tsk_hint(err, "set client-auth = require, ask or later; or drop "
                      "client-auth.allow");
        return TLSOCK_E_OPTION;
    }
    if (set->client_auth == TSK_CLIENT_NONE || set->allow != NULL ||
        !trusts_everybody(set))
        return TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_OPTION,
             "client-auth trusts the system's store, whose CAs sign for "
             "anybody: any certificate at all would let a client in");
    tsk_hint(err, "name the CA of your clients (trust = FILE, --ca, "
                  "tlsock_config_add_trust()), or say whom to let in: "
                  "client-auth.allow = dns:NAME, or any");
    return TLSOCK_E_OPTION;
}

/* RFC 8446, 8: what this machine has seen does not stop a replay to another
 * one that opens the same tickets, or to itself after a restart. */
static int prove_early(const struct tsk_settings *set, tlsock_error *err)
{
    if (set->early_data == 0 || set->on[TLSOCK_ON_EARLY_DATA].call != NULL ||
        (set->tickets_secret == NULL &&
         set->on[TLSOCK_ON_TICKET_KEY].call == NULL))
        return TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_OPTION,
             "early-data together with keys of tickets that others have, too: "
             "what is sent to one server could be sent to the next one again");
    tsk_hint(err, "set a hook for TLSOCK_ON_EARLY_DATA that asks what all of "
                  "them have seen, or drop early-data or tickets.secret");
    return TLSOCK_E_OPTION;
}

/* Tickets have a key before the first client comes; but what is in Redis may
 * come later. */
static int prove_tickets(const struct tsk_settings *set, tlsock_error *err)
{
    int rc = TLSOCK_OK;

    if (!set->tickets || !set->session)
        return rc;
    rc = prove_early(set, err);
    if (rc < 0 || set->on[TLSOCK_ON_TICKET_KEY].call != NULL)
        return rc;
    return tsk_tickets_open(set->ticket_keys, set->tickets_secret,
                            tsk_settings_rotate_s(set), err);
}

/* Of all hosts that have a say in it. */
static int prove_all_clients(const struct tsk_settings *set, tlsock_error *err)
{
    int rc = prove_clients(set, err);

    for (size_t i = 0; i < set->n_host_sets && rc == TLSOCK_OK; i++) {
        const struct tsk_host_set *h = &set->host_sets[i];
        struct tsk_settings view;

        tsk_hostset_view(set, h, &view);
        if (h->allow != NULL)
            view.allow = h->allow;
        rc = prove_clients(&view, err);
        if (rc < 0)
            tsk_about(err, "host %.100s: ", h->name);
    }
    return rc;
}

int tsk_box_prove(const struct tsk_box *box, int server, tlsock_error *err)
{
    const struct tsk_settings *set = &box->set;
    char name[200];

    for (size_t i = 0; i < set->n_identities; i++) {
        const struct tsk_identity *id = &set->identities[i];
        int rc;

        if (id->lazy != NULL)
            continue; /* proven when it was read; see tls/lazy.h */
        rc = tsk_cert_prove(
            id->cert, tsk_settings_file_name(id->cert_uri, name, sizeof(name)),
            tsk_settings_prove(set, server), tsk_wall_time(), err);
        if (rc < 0)
            return rc;
    }
    if (!server)
        return TLSOCK_OK;
    /* a HELLO hook may bring one for each connection */
    if (set->n_identities != 0 || set->on[TLSOCK_ON_HELLO].call != NULL) {
        int rc = prove_all_clients(set, err);

        return rc == TLSOCK_OK ? prove_tickets(set, err) : rc;
    }
    if (set->n_psks != 0)
        return prove_tickets(set, err);
    tsk_fail(err, TLSOCK_E_OWN_FILE,
             "a server needs a certificate, and the "
             "config has none");
    tsk_hint(err, "add one with tlsock_config_add_identity(), or a cert line "
                  "in the configuration file");
    return TLSOCK_E_OWN_FILE;
}
