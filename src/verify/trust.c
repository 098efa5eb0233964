#include "verify/trust.h"

#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"
#include "verify/index.h"
#include "verify/lookup.h"
#include "verify/system.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct tsk_trust {
    atomic_int refs;
    X509_STORE *store;
    struct tsk_index *own; /* what was named explicitly, or NULL */
    struct tsk_index *system;
    char describe[512];
    size_t describe_len;
};

/* The system's store, found once and shared by all that trust it alone. Made
 * anew when the files change; the old one lives as long as it is used. */
static struct {
    pthread_mutex_t lock;
    struct tsk_trust *trust;
    char *key;
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct tsk_trust *tsk_trust_ref(struct tsk_trust *t)
{
    atomic_fetch_add(&t->refs, 1);
    return t;
}

void tsk_trust_unref(struct tsk_trust *t)
{
    if (t == NULL || atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    X509_STORE_free(t->store);
    tsk_index_unref(t->own);
    tsk_index_unref(t->system);
    tsk_free(t);
}

X509_STORE *tsk_trust_store(struct tsk_trust *t)
{
    return t->store;
}

const char *tsk_trust_describe(const struct tsk_trust *t)
{
    return t->describe;
}

static void describe(struct tsk_trust *t, const char *what, const char *name,
                     const char *more)
{
    tsk_append(t->describe, sizeof(t->describe), &t->describe_len, "%s%s%s%s",
               t->describe_len > 0 ? "; " : "", what, name, more);
}

/* Reads what tsk_system_find() found. */
static int open_system(struct tsk_index *ix, const struct tsk_system *sys,
                       tlsock_error *err)
{
    char uri[sizeof(sys->file) + 8];
    size_t len;
    int rc = TLSOCK_OK;

    for (const char *dir = sys->dirs; *dir != '\0' && rc >= 0; dir += len) {
        len = strcspn(dir, ":");
        snprintf(uri, sizeof(uri), "%.*s", (int)len, dir);
        rc = tsk_index_add_hashed(ix, uri, err);
        len += dir[len] == ':';
    }
    if (sys->file[0] != '\0' && rc >= 0) {
        snprintf(uri, sizeof(uri), "file:%s", sys->file);
        rc = tsk_index_add(ix, uri, 0, err);
    }
    return rc < 0 ? rc : TLSOCK_OK;
}

static struct tsk_trust *new_trust(tlsock_error *err)
{
    struct tsk_trust *t = tsk_alloc(sizeof(*t));

    if (t == NULL)
        tsk_fail_nomem(err);
    else
        atomic_init(&t->refs, 1);
    return t;
}

static int make_store(struct tsk_trust *t, tlsock_error *err)
{
    tsk_ossl_enter();
    t->store = tsk_lookup_store(t->own, t->system);
    tsk_ossl_leave();
    return t->store != NULL ? TLSOCK_OK : tsk_fail_nomem(err);
}

static struct tsk_trust *make_system(const struct tsk_system *sys,
                                     tlsock_error *err)
{
    struct tsk_trust *t = new_trust(err);
    char more[160];

    if (t == NULL)
        return NULL;
    t->system = tsk_index_new(err);
    if (t->system == NULL || open_system(t->system, sys, err) < 0 ||
        make_store(t, err) < 0) {
        tsk_trust_unref(t);
        return NULL;
    }
    snprintf(more, sizeof(more), " (%s; %s)",
             sys->dirs[0] == '\0'   ? "bundle"
             : sys->file[0] == '\0' ? "directory of hashed names"
                                    : "directory of hashed names, and bundle",
             sys->why);
    describe(t, "system store: ", sys->dirs, "");
    tsk_append(t->describe, sizeof(t->describe), &t->describe_len, "%s%s%s",
               sys->dirs[0] != '\0' && sys->file[0] != '\0' ? ":" : "",
               sys->file, more);
    return t;
}

/* One reference to the shared one. */
static struct tsk_trust *get_system(tlsock_error *err)
{
    struct tsk_system sys;
    struct tsk_trust *t = NULL, *old = NULL;
    char *key;

    if (tsk_system_find(&sys, err) < 0)
        return NULL;
    pthread_mutex_lock(&shared.lock);
    if (shared.trust != NULL && strcmp(shared.key, sys.key) == 0) {
        t = tsk_trust_ref(shared.trust);
    } else {
        t = make_system(&sys, err);
        key = t == NULL ? NULL : tsk_strdup(sys.key);
        if (key != NULL) { /* without, it is just not shared */
            old = shared.trust;
            tsk_free(shared.key);
            shared.trust = tsk_trust_ref(t);
            shared.key = key;
        }
    }
    pthread_mutex_unlock(&shared.lock);
    tsk_trust_unref(old);
    return t;
}

static int certificate_file(const char *name)
{
    const char *dot = strrchr(name, '.');

    return name[0] != '.' && dot != NULL &&
           (tsk_casecmp(dot, ".pem") == 0 || tsk_casecmp(dot, ".crt") == 0 ||
            tsk_casecmp(dot, ".cer") == 0);
}

static int empty_dir(const char *path, const tlsock_error *why,
                     tlsock_error *err)
{
    if (why->code != 0)
        tsk_fail(err, TLSOCK_E_TRUST_STORE,
                 "trust directory %s: no file in it has a certificate (%.150s)",
                 path, why->message);
    else
        tsk_fail(err, TLSOCK_E_TRUST_STORE,
                 "trust directory %s has no certificates", path);
    tsk_hint(err, "CA certificates are *.pem or *.crt files in it, or files "
                  "named by hash (openssl rehash)");
    return TLSOCK_E_TRUST_STORE;
}

/* Every *.pem and *.crt in a directory; keys among them are passed over. */
static int add_plain_dir(struct tsk_index *ix, const char *path,
                         tlsock_error *err)
{
    tlsock_error why = {0};
    DIR *d = opendir(path);
    struct dirent *e;
    char uri[PATH_MAX + 300];
    int n = 0, rc;

    if (d == NULL)
        return tsk_fail_sys(err, TLSOCK_E_TRUST_STORE, errno,
                            "cannot read trust directory %s", path);
    while ((e = readdir(d)) != NULL) {
        if (!certificate_file(e->d_name) ||
            snprintf(uri, sizeof(uri), "file:%s/%s", path, e->d_name) >=
                (int)sizeof(uri))
            continue;
        rc = tsk_index_add(ix, uri, 0, &why);
        if (rc == TLSOCK_E_NOMEM) {
            closedir(d);
            return tsk_fail_nomem(err);
        }
        n += rc > 0 ? rc : 0;
    }
    closedir(d);
    return n > 0 ? n : empty_dir(path, &why, err);
}

static int add_own(struct tsk_trust *t, const char *uri, tlsock_error *err)
{
    const char *path = strncmp(uri, "file:", 5) == 0 ? uri + 5 : uri;
    char shown[256];
    struct stat st;
    int rc;

    if (t->own == NULL) {
        t->own = tsk_index_new(err);
        if (t->own == NULL)
            return TLSOCK_E_NOMEM;
    }
    if (strncmp(uri, "pem:", 4) == 0 || strchr(uri, '\n') != NULL ||
        strncmp(uri, "-----BEGIN ", 11) == 0) {
        describe(t, "inline PEM", "", "");
        return tsk_index_add(t->own, uri, 1, err);
    }
    tsk_printable(shown, sizeof(shown), path, strlen(path));
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        describe(t, "", shown, "");
        return tsk_index_add(t->own, uri, 1, err);
    }
    describe(t, "", shown, " (directory)");
    if (tsk_index_is_hashed(path)) {
        rc = tsk_index_add_hashed(t->own, path, err);
        return rc < 0 ? rc : 1;
    }
    return add_plain_dir(t->own, path, err);
}

static int add_system(struct tsk_trust *t, tlsock_error *err)
{
    struct tsk_trust *sys;

    if (t->system != NULL)
        return TLSOCK_OK;
    sys = get_system(err);
    if (sys == NULL)
        return TLSOCK_E_TRUST_STORE;
    t->system = tsk_index_ref(sys->system);
    describe(t, sys->describe, "", "");
    tsk_trust_unref(sys);
    return TLSOCK_OK;
}

struct tsk_trust *tsk_trust_new(const char *const *uris, size_t n,
                                tlsock_error *err)
{
    int saved = errno, only_system = 1, rc = TLSOCK_OK;
    struct tsk_trust *t;

    for (size_t i = 0; i < n; i++)
        only_system &= strcmp(uris[i], "system") == 0;
    t = only_system ? get_system(err) : new_trust(err);
    if (only_system || t == NULL) {
        errno = saved;
        return t;
    }
    for (size_t i = 0; i < n && rc >= 0; i++) {
        if (strcmp(uris[i], "system") == 0)
            rc = add_system(t, err);
        else if (strcmp(uris[i], "none") != 0)
            rc = add_own(t, uris[i], err);
    }
    if (rc >= 0)
        rc = make_store(t, err);
    if (rc >= 0 && t->describe_len == 0)
        describe(t, "none: an empty store", "", "");
    if (rc < 0) {
        tsk_trust_unref(t);
        t = NULL;
    }
    errno = saved;
    return t;
}

int tsk_trust_digest(struct tsk_trust *t, int by_content, uint8_t out[32])
{
    uint8_t both[64] = {0};
    int ok;

    tsk_ossl_enter();
    ok = (t->own == NULL || tsk_index_digest(t->own, by_content, both)) &&
         (t->system == NULL ||
          tsk_index_digest(t->system, by_content, both + 32)) &&
         EVP_Digest(both, sizeof(both), out, NULL, EVP_sha256(), NULL);
    tsk_ossl_leave();
    return ok;
}

static int compare_names(const X509_NAME *const *a, const X509_NAME *const *b)
{
    return X509_NAME_cmp(*a, *b);
}

STACK_OF(X509_NAME) * tsk_trust_ca_names(const struct tsk_trust *t)
{
    STACK_OF(X509_NAME) * names;

    if (t->own == NULL)
        return NULL;
    names = sk_X509_NAME_new(compare_names);
    if (names == NULL)
        return NULL;
    if (tsk_index_names(t->own, names) < 0 || sk_X509_NAME_num(names) == 0) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return NULL;
    }
    sk_X509_NAME_sort(names);
    for (int i = sk_X509_NAME_num(names) - 1; i > 0; i--) {
        if (X509_NAME_cmp(sk_X509_NAME_value(names, i),
                          sk_X509_NAME_value(names, i - 1)) == 0)
            X509_NAME_free(sk_X509_NAME_delete(names, i));
    }
    return names;
}
