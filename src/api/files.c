#include "api/files.h"

#include "api/config_box.h"
#include "api/policy.h"
#include "core/mem.h"
#include "net/redis.h"
#include "session/ticketsecret.h"
#include "verify/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct told {
    tlsock_file_hook *call;
    void *arg;
};

static int is_file(const char *uri)
{
    return strncmp(uri, "pem:", 4) != 0 && strncmp(uri, "env:", 4) != 0 &&
           strncmp(uri, "fd:", 3) != 0 && strncmp(uri, "pkcs11:", 7) != 0 &&
           strncmp(uri, "redis://", 8) != 0 &&
           strncmp(uri, "rediss://", 9) != 0 &&
           strstr(uri, "-----BEGIN ") == NULL && *uri != '\0';
}

static int tell(const struct told *t, const char *uri, int use)
{
    if (uri == NULL || !is_file(uri))
        return 0;
    if (strncmp(uri, "file:", 5) == 0)
        uri += strncmp(uri, "file:///", 8) == 0 ? 7 : 5;
    return t->call(uri, use, t->arg);
}

static int tell_trust(const struct told *t, char *const *trust, size_t n)
{
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++)
        if (strcmp(trust[i], "system") != 0 && strcmp(trust[i], "none") != 0)
            rc = tell(t, trust[i], TLSOCK_FILE_READ);
    return rc;
}

int tsk_files_trust_is_system(const struct tsk_settings *set)
{
    for (size_t i = 0; i < set->n_trust; i++)
        if (strcmp(set->trust[i], "system") == 0)
            return 1;
    return set->n_trust == 0;
}

int tsk_files_reloaded(const struct tsk_settings *set, tlsock_file_hook *call,
                       void *arg)
{
    const struct told t = {call, arg};
    int rc = 0;

    for (size_t i = 0; i < set->n_identities && rc == 0; i++) {
        rc = tell(&t, set->identities[i].cert_uri, TLSOCK_FILE_READ);
        if (rc == 0)
            rc = tell(&t, set->identities[i].key_uri, TLSOCK_FILE_READ);
    }
    if (rc == 0)
        rc = tell_trust(&t, set->trust, set->n_trust);
    for (size_t i = 0; i < set->n_host_sets && rc == 0; i++)
        rc = tell_trust(&t, set->host_sets[i].trust, set->host_sets[i].n_trust);
    for (size_t i = 0; i < set->n_crls && rc == 0; i++)
        rc = tell(&t, set->crls[i].uri, TLSOCK_FILE_READ);
    for (size_t i = 0; i < set->n_psks && rc == 0; i++)
        rc = tell(&t, set->psks[i].uri, TLSOCK_FILE_READ);
    return rc;
}

/* Where it was found; what is not there has no name. */
static int tell_system(const struct told *t)
{
    struct tsk_system sys;
    char one[sizeof(sys.dirs)];
    size_t len;
    int rc = 0;

    if (tsk_system_find(&sys, NULL) < 0)
        return 0;
    for (const char *dir = sys.dirs; *dir != '\0' && rc == 0; dir += len) {
        len = strcspn(dir, ":");
        snprintf(one, sizeof(one), "%.*s", (int)len, dir);
        rc = tell(t, one, TLSOCK_FILE_READ);
        len += dir[len] == ':';
    }
    return rc == 0 ? tell(t, sys.file, TLSOCK_FILE_READ) : rc;
}

/* What a URL of Redis names: a password's file, a CA, a certificate. */
static int tell_redis(const struct told *t, const char *source)
{
    struct tsk_redis_where *w;
    int rc = 0;

    if (source == NULL || tsk_secret_kind(source) != TSK_SECRET_REDIS)
        return 0;
    w = tsk_alloc(sizeof(*w));
    if (w == NULL)
        return TLSOCK_E_NOMEM;
    if (tsk_redis_where(w, source, NULL) == TLSOCK_OK) {
        rc = tell(t, w->pass, TLSOCK_FILE_READ);
        if (rc == 0)
            rc = tell(t, w->cert, TLSOCK_FILE_READ);
        if (rc == 0 && (w->ca[0] == '\0' || strcmp(w->ca, "system") == 0))
            rc = w->tls ? tell_system(t) : 0;
        else if (rc == 0)
            rc = tell(t, w->ca, TLSOCK_FILE_READ);
    }
    tsk_free_secret(w, sizeof(*w));
    return rc;
}

/* The environment may name it. */
static const char *keylog_file(const struct tsk_settings *set)
{
    if (set->keylog != NULL && strncmp(set->keylog, "env:", 4) == 0)
        return secure_getenv(set->keylog + 4);
    return set->keylog;
}

/* All others: passwords, secrets of tickets, sessions, caches, evidence. */
static int files_else(const struct tsk_settings *set, tlsock_file_hook *call,
                      void *arg)
{
    const struct told t = {call, arg};
    const struct {
        const char *uri;
        int use;
    } rows[] = {{set->tickets_secret, TLSOCK_FILE_READ},
                {set->dane_anchor, TLSOCK_FILE_READ},
                {set->session_file, TLSOCK_FILE_WRITE},
                {keylog_file(set), TLSOCK_FILE_WRITE},
                {set->revocation_cache, TLSOCK_FILE_DIRECTORY}};
    int rc = 0;

    for (size_t i = 0; i < set->n_identities && rc == 0; i++)
        rc = tell(&t, set->identities[i].pass_uri, TLSOCK_FILE_READ);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && rc == 0; i++)
        rc = tell(&t, rows[i].uri, rows[i].use);
    return rc == 0 ? tell_redis(&t, set->tickets_secret) : rc;
}

static int tell_policies(const struct told *t)
{
    int rc = tell(t, tsk_policy_system_file, TLSOCK_FILE_READ);

    return rc == 0 ? tell(t, getenv("TLSOCK_POLICY"), TLSOCK_FILE_READ) : rc;
}

int tlsock_config_files(const tlsock_config *config, tlsock_file_hook *hook,
                        void *arg)
{
    tlsock_config *c = (tlsock_config *)(uintptr_t)config; /* its lock */
    const struct told t = {hook, arg};
    struct tsk_box *box;
    int rc;

    if (c == NULL || hook == NULL)
        return TLSOCK_E_ARGUMENT;
    pthread_mutex_lock(&c->lock);
    box = tsk_box_ref(c->box);
    pthread_mutex_unlock(&c->lock);
    rc = tsk_files_reloaded(&box->set, hook, arg);
    if (rc == 0)
        rc = files_else(&box->set, hook, arg);
    if (rc == 0 && tsk_files_trust_is_system(&box->set))
        rc = tell_system(&t);
    if (rc == 0)
        rc = tell_policies(&t);
    tsk_box_unref(box);
    return rc;
}
