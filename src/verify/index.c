#include "verify/index_private.h"

#include "cert/cert.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/ext.h"
#include "ossl/queue.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <openssl/asn1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_HASHED (1u << 20)

struct tsk_index *tsk_index_new(tlsock_error *err)
{
    struct tsk_index *ix = tsk_alloc(sizeof(*ix));

    if (ix == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    pthread_mutex_init(&ix->lock, NULL);
    atomic_init(&ix->refs, 1);
    return ix;
}

struct tsk_index *tsk_index_ref(struct tsk_index *ix)
{
    atomic_fetch_add(&ix->refs, 1);
    return ix;
}

void tsk_index_unref(struct tsk_index *ix)
{
    if (ix == NULL || atomic_fetch_sub(&ix->refs, 1) != 1)
        return;
    for (size_t i = 0; i < ix->n; i++)
        X509_free(ix->entries[i].crt);
    for (size_t i = 0; i < ix->n_dirs; i++)
        tsk_free(ix->dirs[i]);
    while (ix->blobs != NULL) {
        struct tsk_index_blob *b = ix->blobs;

        ix->blobs = b->next;
        tsk_free(b);
    }
    tsk_free(ix->entries);
    tsk_free(ix->dirs);
    tsk_free(ix->seen);
    pthread_mutex_destroy(&ix->lock);
    tsk_free(ix);
}

/* Room for one more in an array; the array is left as it is on failure. */
static void *grow(void *array, size_t n, size_t size)
{
    return tsk_realloc(array, (n + 1) * size);
}

/* RFC 5280, 4.1: Certificate and TBSCertificate, as far as the subject. */
static const unsigned char *find_subject(const unsigned char *p, long len,
                                         long *subject_len)
{
    const unsigned char *end = p + len, *start;
    long inner;
    int tag, class;

    for (int i = 0; i < 2; i++) { /* into two SEQUENCEs */
        if (ASN1_get_object(&p, &inner, &tag, &class, end - p) & 0x81 ||
            tag != V_ASN1_SEQUENCE)
            return NULL;
        end = p + inner;
    }
    for (int field = 0;; field++) {
        start = p;
        if (p >= end ||
            ASN1_get_object(&p, &inner, &tag, &class, end - p) & 0x81)
            return NULL;
        p += inner;
        if (field == 0 && class == V_ASN1_CONTEXT_SPECIFIC) /* version */
            field = -1;
        if (field == 4) { /* serial, signature, issuer, validity */
            *subject_len = p - start;
            return start;
        }
    }
}

static X509_NAME *subject_of(const struct tsk_index_entry *e)
{
    long len;
    const unsigned char *p = find_subject(e->der, e->len, &len);

    return p == NULL ? NULL : d2i_X509_NAME(NULL, &p, len);
}

static int add_entry(struct tsk_index *ix, const struct tsk_index_entry *e)
{
    if (ix->n == ix->cap) {
        size_t cap = ix->cap == 0 ? 16 : 2 * ix->cap;
        struct tsk_index_entry *more =
            tsk_realloc(ix->entries, cap * sizeof(*more));

        if (more == NULL)
            return TLSOCK_E_NOMEM;
        ix->entries = more;
        ix->cap = cap;
    }
    ix->entries[ix->n++] = *e;
    ix->sorted = 0;
    return TLSOCK_OK;
}

/* OpenSSL's hash of the subject. 1, 0 damaged, E_NOMEM */
static int full_hash(struct tsk_index_entry *e)
{
    X509_NAME *name;
    int ok = 0;

    if (e->full != 0)
        return 1;
    name = subject_of(e);
    if (name == NULL) /* see tsk_index_decode() */
        name = subject_of(e);
    if (name == NULL)
        return tsk_ossl_starved() ? TLSOCK_E_NOMEM : 0;
    e->full = X509_NAME_hash_ex(name, NULL, NULL, &ok);
    X509_NAME_free(name);
    return ok ? 1 : TLSOCK_E_NOMEM;
}

/* One DER certificate. 1 taken, 0 damaged, E_NOMEM */
int tsk_index_add_der(struct tsk_index *ix, struct tsk_index_entry *e)
{
    long len;
    const unsigned char *subject = find_subject(e->der, e->len, &len);
    int rc;

    if (subject == NULL)
        return 0;
    if (!tsk_index_name_hash(subject, len, &e->hash) ||
        e->hash == TSK_INDEX_ODD) {
        rc = full_hash(e);
        if (rc != 1)
            return rc;
        e->hash = TSK_INDEX_ODD;
    }
    return add_entry(ix, e) < 0 ? TLSOCK_E_NOMEM : 1;
}

static X509 *decoded(const struct tsk_index_entry *e)
{
    const unsigned char *p = e->der;
    X509 *crt = e->with_trust ? d2i_X509_AUX(NULL, &p, e->len)
                              : d2i_X509(NULL, &p, e->len);

    if (crt != NULL && tsk_ossl_settle(crt))
        return crt;
    X509_free(crt);
    return NULL;
}

/* OpenSSL does not always tell that it had no memory, so a no has to be said
 * twice: a root would not be found for it. */
int tsk_index_decode(struct tsk_index_entry *e)
{
    for (int times = 0; e->crt == NULL && times < 2; times++)
        e->crt = decoded(e);
    return e->crt != NULL;
}

static int hashed_name(const char *name)
{
    int i;

    for (i = 0; i < 8; i++) {
        if (!isxdigit((unsigned char)name[i]))
            return 0;
    }
    return name[8] == '.' && isdigit((unsigned char)name[9]);
}

int tsk_index_is_hashed(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int found = 0;

    if (d == NULL)
        return 0;
    while (!found && (e = readdir(d)) != NULL)
        found = hashed_name(e->d_name);
    closedir(d);
    return found;
}

int tsk_index_add_hashed(struct tsk_index *ix, const char *dir,
                         tlsock_error *err)
{
    char **dirs = grow(ix->dirs, ix->n_dirs, sizeof(*dirs));

    if (dirs == NULL)
        return tsk_fail_nomem(err);
    ix->dirs = dirs;
    ix->dirs[ix->n_dirs] = tsk_strdup(dir);
    if (ix->dirs[ix->n_dirs] == NULL)
        return tsk_fail_nomem(err);
    ix->n_dirs++;
    return TLSOCK_OK;
}

static struct tsk_index_seen *seen_of(struct tsk_index *ix, size_t dir,
                                      unsigned long hash)
{
    struct tsk_index_seen *more;

    for (size_t i = 0; i < ix->n_seen; i++) {
        if (ix->seen[i].hash == hash && ix->seen[i].dir == dir)
            return &ix->seen[i];
    }
    more = grow(ix->seen, ix->n_seen, sizeof(*more));
    if (more == NULL)
        return NULL;
    ix->seen = more;
    ix->seen[ix->n_seen] = (struct tsk_index_seen){.hash = hash, .dir = dir};
    return &ix->seen[ix->n_seen++];
}

/* Reads DIR/hash.0, .1, ... as far as there are any. */
static int read_hashed(struct tsk_index *ix, size_t dir, unsigned long hash)
{
    struct tsk_index_seen *seen;
    char uri[PATH_MAX + 8];
    int next = 0;

    snprintf(uri, sizeof(uri), "file:%s/%08lx.0", ix->dirs[dir], hash);
    if (access(uri + 5, R_OK) != 0)
        return 0; /* by far the most: nothing to remember */
    seen = seen_of(ix, dir, hash);
    if (seen == NULL)
        return -1;
    for (next = seen->next; next < 100; next++) {
        unsigned char *data = NULL;
        size_t len = 0;
        char name[256];
        int n;

        snprintf(uri, sizeof(uri), "file:%s/%08lx.%d", ix->dirs[dir], hash,
                 next);
        if (access(uri + 5, R_OK) != 0)
            break;
        n = tsk_uri_read(uri, MAX_HASHED, &data, &len, name, NULL);
        if (n == TLSOCK_OK)
            n = tsk_bundle_add_pem(ix, (const char *)data, len, name, 0, 1,
                                   NULL);
        tsk_free_secret(data, len);
        if (n == TLSOCK_E_NOMEM)
            return -1;
    }
    seen->next = next;
    return 0;
}

static int by_hash(const void *a, const void *b)
{
    const struct tsk_index_entry *x = a, *y = b;

    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static int add_if(struct tsk_index_entry *e, const X509_NAME *subject,
                  STACK_OF(X509) * found)
{
    int differ;

    if (!tsk_index_decode(e)) /* damaged: trusted by nobody */
        return tsk_ossl_starved() ? -1 : 0;
    differ = X509_NAME_cmp(X509_get_subject_name(e->crt), subject);
    if (differ == -2 || (differ == 0 && !sk_X509_push(found, e->crt)))
        return -1;
    return 0;
}

/* The first entry of this hash; entries are sorted. */
static size_t first_of(const struct tsk_index *ix, uint32_t hash)
{
    size_t lo = 0, hi = ix->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (ix->entries[mid].hash < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* full: OpenSSL's hash, which has to be the same; NULL: it is not known. */
static int collect_range(struct tsk_index *ix, size_t from, uint32_t hash,
                         const unsigned long *full, const X509_NAME *subject,
                         STACK_OF(X509) * found)
{
    int rc = 0;

    for (; from < ix->n && rc == 0; from++) {
        struct tsk_index_entry *e = &ix->entries[from];

        if (full == NULL && e->hash != hash)
            break;
        if (full != NULL) {
            rc = full_hash(e);
            if (rc < 0)
                return -1;
            if (rc == 0 || e->full != *full) {
                rc = 0;
                continue;
            }
        }
        rc = add_if(e, subject, found);
    }
    return rc;
}

static size_t place_of(const unsigned char *der, size_t len)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < len; i++)
        h = (h ^ der[i]) * 16777619u;
    return (h ^ h >> 16) % TSK_INDEX_KNOWN;
}

/* The same few names are asked for again and again. Locked. */
static int hash_of(struct tsk_index *ix, const X509_NAME *subject,
                   unsigned long *hash)
{
    struct tsk_index_known *k;
    const unsigned char *der;
    size_t len;
    int ok = 0;

    if (!X509_NAME_get0_der(subject, &der, &len))
        return 0;
    k = &ix->known[place_of(der, len)];
    if (len != 0 && k->len == len && memcmp(k->der, der, len) == 0) {
        *hash = k->hash;
        return 1;
    }
    *hash = X509_NAME_hash_ex(subject, NULL, NULL, &ok);
    if (ok && len <= sizeof(k->der)) {
        memcpy(k->der, der, len);
        k->len = len;
        k->hash = *hash;
    }
    return ok;
}

/* Names out of the ordinary may equal any, and any may equal one of those that
 * were put last for being so. */
static int collect(struct tsk_index *ix, const X509_NAME *subject,
                   STACK_OF(X509) * found)
{
    const unsigned char *der;
    unsigned long full;
    uint32_t hash;
    size_t len, from;
    int rc = 0, plain;

    if (!X509_NAME_get0_der(subject, &der, &len))
        return -1;
    if (!ix->sorted && ix->n > 0)
        qsort(ix->entries, ix->n, sizeof(*ix->entries), by_hash);
    ix->sorted = 1;
    plain = tsk_index_name_hash(der, (long)len, &hash) && hash != TSK_INDEX_ODD;
    if (plain)
        rc = collect_range(ix, first_of(ix, hash), hash, NULL, subject, found);
    from = plain ? first_of(ix, TSK_INDEX_ODD) : 0;
    if (rc < 0 || from == ix->n)
        return rc;
    if (!hash_of(ix, subject, &full))
        return -1;
    return collect_range(ix, from, 0, &full, subject, found);
}

int tsk_index_find(struct tsk_index *ix, const X509_NAME *subject,
                   STACK_OF(X509) * found)
{
    unsigned long hash = 0;
    int rc = 0;

    tsk_ossl_enter();
    pthread_mutex_lock(&ix->lock);
    if (ix->n_dirs != 0 && !hash_of(ix, subject, &hash))
        rc = -1;
    for (size_t i = 0; i < ix->n_dirs && rc == 0; i++)
        rc = read_hashed(ix, i, hash);
    if (rc == 0)
        rc = collect(ix, subject, found);
    pthread_mutex_unlock(&ix->lock);
    tsk_ossl_leave();
    return rc;
}

int tsk_index_names(struct tsk_index *ix, STACK_OF(X509_NAME) * names)
{
    int rc = 0;

    pthread_mutex_lock(&ix->lock);
    for (size_t i = 0; i < ix->n && rc == 0; i++) {
        X509_NAME *name;

        if (ix->entries[i].from_dir)
            continue;
        name = subject_of(&ix->entries[i]);
        if (name == NULL || !sk_X509_NAME_push(names, name)) {
            X509_NAME_free(name);
            rc = -1;
        }
    }
    pthread_mutex_unlock(&ix->lock);
    return rc;
}
