/* Everything read and built once more: to see whether it is good, or to use
 * it from now on. */
#include "api/config_box.h"
#include "api/policy.h"
#include "api/stapler.h"
#include "cert/cert.h"
#include "core/mem.h"
#include "session/ticket.h"
#include "tls/identity.h"

#include <stdio.h>
#include <string.h>

/* Those, too, that nobody has asked for yet. */
static int decode_all(const struct tsk_settings *set, tlsock_error *err)
{
    for (size_t i = 0; i < set->n_identities; i++)
        if (tsk_identity_cert(&set->identities[i], err) == NULL)
            return err->code;
    return TLSOCK_OK;
}

/* A copy of the settings whose certificates come fresh from their files. */
static struct tsk_box *reread(const struct tsk_box *from, int server, int all,
                              tlsock_error *err)
{
    struct tsk_box *box = tsk_box_copy(from, err);
    const struct tsk_lazy *like = NULL;

    if (box == NULL)
        return NULL;
    for (size_t i = 0; i < box->set.n_identities; i++) {
        struct tsk_identity *id = &box->set.identities[i];

        if (tsk_identity_reread(id, &box->set, like, err) < 0)
            goto failed;
        if (id->lazy != NULL)
            like = id->lazy;
    }
    for (size_t i = 0; i < box->set.n_crls; i++) {
        struct tsk_crl_source *source = &box->set.crls[i];
        struct tsk_crls *fresh = tsk_crls_load(source->uri, err);

        if (fresh == NULL)
            goto failed;
        tsk_crls_unref(source->crls);
        source->crls = fresh;
    }
    for (size_t i = 0; i < box->set.n_psks; i++)
        if (tsk_psk_reread(&box->set.psks[i], err) < 0)
            goto failed;
    if (tsk_box_prove(box, server, err) == TLSOCK_OK &&
        (!all || decode_all(&box->set, err) == TLSOCK_OK))
        return box;
failed:
    tsk_box_unref(box);
    return NULL;
}

/* What a config consists of, made anew. */
struct fresh {
    struct tsk_box *box;
    struct tsk_use use[2];
    int server; /* the identities are proven for a server */
    unsigned reading;
    struct tsk_secrets secrets; /* of tickets; n = 0: as they were */
};

static void drop(struct fresh *f)
{
    tsk_use_drop(&f->use[0]);
    tsk_use_drop(&f->use[1]);
    tsk_box_unref(f->box);
    tsk_wipe(&f->secrets, sizeof(f->secrets));
}

/* A server that asks nobody for a certificate goes without the system's. */
static int needs_trust(const struct tsk_settings *set, int server)
{
    return !server || set->n_trust > 0 || set->client_auth != 0 ||
           set->n_host_sets > 0;
}

/* As policies have it, with the trust store open. */
static int build(struct fresh *f, int server, tlsock_error *err)
{
    int rc =
        tsk_use_build(&f->use[server], &f->use[!server], f->box, server, err);

    if (rc == TLSOCK_OK &&
        needs_trust(tsk_ctx_settings(f->use[server].ctx), server) &&
        tsk_ctx_trust(f->use[server].ctx, err) == NULL)
        rc = err->code;
    return rc;
}

/* For the sides that the config is used on; before its first use, that of a
 * client. */
static int rebuild(tlsock_config *c, struct fresh *f, int all,
                   tlsock_error *err)
{
    struct tsk_ctx *before[2];
    struct tsk_box *from;
    int used[2], rc = TLSOCK_OK;

    pthread_mutex_lock(&c->lock);
    from = tsk_box_ref(c->box);
    f->server = c->serves;
    f->reading = ++c->reads;
    for (int side = 0; side < 2; side++) {
        used[side] = c->use[side].ctx != NULL;
        before[side] = used[side] ? tsk_ctx_ref(c->use[side].ctx) : NULL;
    }
    used[0] |= !used[1];
    pthread_mutex_unlock(&c->lock);

    f->box = reread(from, f->server, all, err);
    tsk_box_unref(from);
    if (f->box == NULL)
        rc = err->code;
    for (int side = 0; side < 2 && rc == TLSOCK_OK; side++)
        if (used[side])
            rc = build(f, side, err);
    if (rc == TLSOCK_OK && f->server)
        rc = tsk_tickets_reread(f->box->set.ticket_keys, &f->secrets, err);
    for (int side = 0; side < 2; side++) {
        if (rc == TLSOCK_OK && before[side] != NULL)
            tsk_ctx_inherit(f->use[side].ctx, before[side]);
        tsk_ctx_unref(before[side]);
    }
    return rc;
}

static void swap(tlsock_config *c, struct fresh *f)
{
    struct tsk_box *box = c->box;
    struct fresh old = {.box = NULL};

    c->box = f->box;
    f->box = box;
    c->serves &= f->server; /* else these are to be proven yet */
    if (c->use[0].ctx == NULL && c->use[1].ctx == NULL)
        return; /* the first connection builds */
    memcpy(old.use, c->use, sizeof(old.use));
    memcpy(c->use, f->use, sizeof(c->use));
    memcpy(f->use, old.use, sizeof(f->use));
}

/* What was read last counts, whichever call ends last. */
static int is_newest(tlsock_config *c, unsigned reading)
{
    if ((int)(reading - c->newest) <= 0)
        return 0;
    c->newest = reading;
    return 1;
}

/* Locked: what of it is new is in *now, one reference, or NULL. */
static void take(tlsock_config *c, struct fresh *f, struct tsk_ctx **now)
{
    if (!is_newest(c, f->reading))
        return;
    swap(c, f);
    tsk_tickets_use(c->box->set.ticket_keys, &f->secrets, INT64_MAX);
    if (f->use[1].ctx != NULL && c->use[1].ctx != NULL)
        *now = tsk_ctx_ref(c->use[1].ctx);
}

/* The files are read outside the lock, so that connections go on. */
static int redo(tlsock_config *c, int use, tlsock_error *err)
{
    struct fresh f = {.box = NULL};
    struct tsk_ctx *now = NULL;
    int rc = tsk_policy_ready(err);

    if (rc == TLSOCK_OK)
        rc = rebuild(c, &f, !use, err);
    if (rc == TLSOCK_OK && use) {
        pthread_mutex_lock(&c->lock);
        take(c, &f, &now);
        pthread_mutex_unlock(&c->lock);
    }
    if (now != NULL)
        tsk_stapler_move(f.use[1].ctx, now);
    tsk_ctx_unref(now);
    drop(&f);
    return rc;
}

static const char reloaded[] = "reloaded";
static const char kept[] = "not reloaded, what was read before stays: ";

static int redo_and_say(tlsock_config *c, int use)
{
    tlsock_error err;
    int rc;

    if (c == NULL)
        return TLSOCK_E_ARGUMENT;
    tsk_clear(&err);
    tsk_phase(&err, TLSOCK_PHASE_CONFIG);
    rc = redo(c, use, &err);
    pthread_mutex_lock(&c->lock);
    c->err = err;
    pthread_mutex_unlock(&c->lock);
    if (use && rc == TLSOCK_OK)
        tsk_config_log(c, NULL, reloaded, "");
    else if (use)
        tsk_config_log(c, &err, kept, err.message);
    return rc;
}

int tsk_config_reload_quietly(tlsock_config *c, tlsock_error *err)
{
    int rc;

    tsk_clear(err);
    tsk_phase(err, TLSOCK_PHASE_CONFIG);
    rc = redo(c, 1, err);
    pthread_mutex_lock(&c->lock);
    snprintf(c->note, sizeof(c->note), "%s%s", rc < 0 ? kept : reloaded,
             rc < 0 ? err->message : "");
    atomic_store(&c->noted, 1);
    pthread_mutex_unlock(&c->lock);
    return rc;
}

int tlsock_config_check(tlsock_config *c)
{
    return redo_and_say(c, 0);
}

int tlsock_config_reload(tlsock_config *c)
{
    return redo_and_say(c, 1);
}
