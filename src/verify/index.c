#include "verify/index.h"

#include "cert/cert.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_BUNDLE (64u << 20)
#define MAX_HASHED (1u << 20)
#define EAGER 16 /* so many are decoded at once, so that faults show early */

struct entry {
    unsigned long hash; /* X509_NAME_hash_ex() of the subject */
    X509 *crt;          /* once it was asked for */
    const unsigned char *der;
    long len;
    int with_trust; /* "TRUSTED CERTIFICATE": more follows the certificate */
    int from_dir;   /* of a hashed directory */
};

struct blob {
    struct blob *next;
    unsigned char bytes[];
};

/* Which files of a hashed directory were read already. */
struct seen {
    unsigned long hash;
    size_t dir;
    int next;
};

struct tsk_index {
    atomic_int refs;
    pthread_mutex_t lock;
    struct entry *entries;
    size_t n, cap;
    int sorted;
    struct blob *blobs;
    char **dirs;
    size_t n_dirs;
    struct seen *seen;
    size_t n_seen;
};

struct tsk_index *tsk_index_new(tlsock_error *err)
{
    struct tsk_index *ix = tsk_alloc(sizeof(*ix));

    if (ix == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    if (pthread_mutex_init(&ix->lock, NULL) != 0) {
        tsk_free(ix);
        tsk_fail_nomem(err);
        return NULL;
    }
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
        struct blob *b = ix->blobs;

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
    for (int field = 0; field < 6; field++) {
        start = p;
        if (p >= end ||
            ASN1_get_object(&p, &inner, &tag, &class, end - p) & 0x81)
            return NULL;
        p += inner;
        if (field == 0 && class == V_ASN1_CONTEXT_SPECIFIC) /* version */
            field = -1;
        if (field == 5) {
            *subject_len = p - start;
            return start;
        }
    }
    return NULL;
}

static X509_NAME *subject_of(const struct entry *e)
{
    long len;
    const unsigned char *p = find_subject(e->der, e->len, &len);

    return p == NULL ? NULL : d2i_X509_NAME(NULL, &p, len);
}

static int add_entry(struct tsk_index *ix, const struct entry *e)
{
    if (ix->n == ix->cap) {
        size_t cap = ix->cap == 0 ? 16 : 2 * ix->cap;
        struct entry *more = tsk_realloc(ix->entries, cap * sizeof(*more));

        if (more == NULL)
            return TLSOCK_E_NOMEM;
        ix->entries = more;
        ix->cap = cap;
    }
    ix->entries[ix->n++] = *e;
    ix->sorted = 0;
    return TLSOCK_OK;
}

/* One DER certificate. 1 taken, 0 damaged, E_NOMEM */
static int add_der(struct tsk_index *ix, struct entry *e)
{
    X509_NAME *name = subject_of(e);
    int ok = 0;

    if (name == NULL)
        return 0;
    e->hash = X509_NAME_hash_ex(name, NULL, NULL, &ok);
    X509_NAME_free(name);
    if (!ok)
        return TLSOCK_E_NOMEM;
    return add_entry(ix, e) < 0 ? TLSOCK_E_NOMEM : 1;
}

static int decode(struct entry *e)
{
    const unsigned char *p = e->der;

    if (e->crt == NULL)
        e->crt = e->with_trust ? d2i_X509_AUX(NULL, &p, e->len)
                               : d2i_X509(NULL, &p, e->len);
    return e->crt != NULL;
}

static struct blob *new_blob(struct tsk_index *ix, size_t size)
{
    struct blob *b = tsk_alloc(sizeof(*b) + size);

    if (b == NULL)
        return NULL;
    b->next = ix->blobs;
    ix->blobs = b;
    return b;
}

/* The next block of PEM that is a certificate, its base64 in *body. 1, 0 no
 * more, -1 one that does not end. */
static int next_pem(const char **text, const char **body, size_t *len,
                    int *with_trust)
{
    static const char begin[] = "-----BEGIN ";
    const char *p;

    while ((p = strstr(*text, begin)) != NULL) {
        const char *label = p + sizeof(begin) - 1, *end;
        int wanted;

        *with_trust = strncmp(label, "TRUSTED CERTIFICATE-----", 24) == 0;
        wanted = *with_trust || strncmp(label, "CERTIFICATE-----", 16) == 0 ||
                 strncmp(label, "X509 CERTIFICATE-----", 21) == 0;
        *text = label;
        if (!wanted)
            continue;
        *body = strstr(label, "-----") + 5;
        end = strstr(*body, "-----END ");
        p = strstr(*body, begin);
        if (end == NULL || (p != NULL && p < end))
            return -1;
        *len = (size_t)(end - *body);
        *text = end + 9;
        return 1;
    }
    return 0;
}

/* length, or -1 */
static long base64(EVP_ENCODE_CTX *ctx, unsigned char *out, const char *body,
                   size_t len)
{
    int n = 0, rest = 0;

    if (len > INT_MAX)
        return -1;
    EVP_DecodeInit(ctx);
    if (EVP_DecodeUpdate(ctx, out, &n, (const unsigned char *)body,
                         (int)len) < 0 ||
        EVP_DecodeFinal(ctx, out + n, &rest) < 0)
        return -1;
    return n + rest;
}

static int damaged(const char *name, int number, tlsock_error *err)
{
    int rc = tsk_fail_ossl(
        err, TLSOCK_E_TRUST_STORE,
        "certificate %d in trust file %s is damaged or cut off", number, name);

    tsk_hint(err, "fetch the file again, or export the CA certificate once "
                  "more as PEM");
    return rc;
}

/* How many, or code. */
static int add_pem(struct tsk_index *ix, const char *text, size_t size,
                   const char *name, int strict, int from_dir,
                   tlsock_error *err)
{
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    struct blob *blob = new_blob(ix, size / 4 * 3 + 64);
    unsigned char *out = blob == NULL ? NULL : blob->bytes;
    const char *body = NULL;
    size_t len = 0;
    int rc = TLSOCK_OK, n = 0, found, trust = 0;

    if (ctx == NULL || blob == NULL) {
        rc = tsk_fail_nomem(err);
        goto out;
    }
    while ((found = next_pem(&text, &body, &len, &trust)) != 0) {
        struct entry e = {.der = out, .with_trust = trust,
                          .from_dir = from_dir};
        int ok = 0;

        e.len = found < 0 ? -1 : base64(ctx, out, body, len);
        if (e.len > 0)
            ok = add_der(ix, &e);
        if (ok < 0) {
            rc = tsk_fail_nomem(err);
            goto out;
        }
        if (ok)
            out += e.len, n++;
        else if (strict) {
            rc = damaged(name, n + 1, err);
            goto out;
        }
    }
    rc = n;
out:
    EVP_ENCODE_CTX_free(ctx);
    return rc;
}

/* What is no PEM: DER or another container, which the certificate loader
 * tells apart. */
static int add_other(struct tsk_index *ix, const char *uri, const char *name,
                     const char *text, tlsock_error *err)
{
    tlsock_error why = {0};
    STACK_OF(X509) *all = tsk_cert_load_all(uri, &why);
    int n = 0, rc = TLSOCK_OK;

    if (all == NULL && why.code == TLSOCK_E_NOMEM)
        return tsk_fail_nomem(err);
    for (; n < sk_X509_num(all) && rc == TLSOCK_OK; n++) {
        struct entry e = {.crt = sk_X509_value(all, n)};
        unsigned char *der = NULL;
        struct blob *blob;
        int len = i2d_X509(e.crt, &der);

        blob = len <= 0 ? NULL : new_blob(ix, (size_t)len);
        if (blob != NULL) {
            memcpy(blob->bytes, der, (size_t)len);
            e.der = blob->bytes;
            e.len = len;
            X509_up_ref(e.crt);
            rc = add_der(ix, &e) == 1 ? TLSOCK_OK : TLSOCK_E_NOMEM;
            if (rc < 0)
                X509_free(e.crt);
        } else {
            rc = TLSOCK_E_NOMEM;
        }
        OPENSSL_free(der);
    }
    sk_X509_pop_free(all, X509_free);
    if (rc < 0)
        return tsk_fail_nomem(err);
    if (n > 0)
        return n;
    tsk_fail(err, TLSOCK_E_TRUST_STORE,
             "trust file %s holds no certificate%s", name,
             strstr(text, "PRIVATE KEY-----") != NULL ? ", but a private key"
                                                      : "");
    tsk_hint(err, "it should hold CA certificates as PEM (-----BEGIN "
                  "CERTIFICATE-----) or one as DER");
    return TLSOCK_E_TRUST_STORE;
}

/* Small files are looked through to the end now, not when a peer is there. */
static int prove(struct tsk_index *ix, size_t from, const char *name,
                 tlsock_error *err)
{
    if (ix->n - from > EAGER)
        return TLSOCK_OK;
    for (size_t i = from; i < ix->n; i++) {
        if (!decode(&ix->entries[i]))
            return damaged(name, (int)(i - from) + 1, err);
    }
    return TLSOCK_OK;
}

static int unreadable(tlsock_error *err, const tlsock_error *why)
{
    if (why->code == TLSOCK_E_NOMEM)
        return tsk_fail_nomem(err);
    tsk_fail(err, TLSOCK_E_TRUST_STORE, "trust file: %.280s", why->message);
    if (err != NULL)
        err->sys_errno = why->sys_errno;
    tsk_hint(err, "%s", why->hint[0] != '\0'
                            ? why->hint
                            : "name a readable file or directory of CA "
                              "certificates, \"system\", or \"none\"");
    return TLSOCK_E_TRUST_STORE;
}

int tsk_index_add(struct tsk_index *ix, const char *uri, int strict,
                  tlsock_error *err)
{
    unsigned char *data = NULL;
    tlsock_error why = {0};
    char name[256];
    size_t len = 0, before = ix->n;
    int n;

    if (tsk_uri_read(uri, MAX_BUNDLE, &data, &len, name, &why) < 0)
        return unreadable(err, &why);
    tsk_ossl_enter();
    n = len == 0 ? 0 : add_pem(ix, (const char *)data, len, name, strict, 0,
                               err);
    if (len == 0) {
        n = tsk_fail(err, TLSOCK_E_TRUST_STORE, "trust file %s is empty",
                     name);
        tsk_hint(err, "put CA certificates into it as PEM, or name another");
    } else if (n == 0) {
        n = add_other(ix, uri, name, (const char *)data, err);
    }
    if (n > 0 && strict) {
        int rc = prove(ix, before, name, err);

        n = rc < 0 ? rc : n;
    }
    tsk_ossl_leave();
    tsk_free_secret(data, len);
    return n;
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

static struct seen *seen_of(struct tsk_index *ix, size_t dir,
                            unsigned long hash)
{
    struct seen *more;

    for (size_t i = 0; i < ix->n_seen; i++) {
        if (ix->seen[i].hash == hash && ix->seen[i].dir == dir)
            return &ix->seen[i];
    }
    more = grow(ix->seen, ix->n_seen, sizeof(*more));
    if (more == NULL)
        return NULL;
    ix->seen = more;
    ix->seen[ix->n_seen] = (struct seen){.hash = hash, .dir = dir};
    return &ix->seen[ix->n_seen++];
}

/* Reads DIR/hash.0, .1, ... as far as there are any. */
static int read_hashed(struct tsk_index *ix, size_t dir, unsigned long hash)
{
    struct seen *seen;
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
            n = add_pem(ix, (const char *)data, len, name, 0, 1, NULL);
        tsk_free_secret(data, len);
        if (n == TLSOCK_E_NOMEM)
            return -1;
    }
    seen->next = next;
    return 0;
}

static int by_hash(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static int collect(struct tsk_index *ix, const X509_NAME *subject,
                   unsigned long hash, STACK_OF(X509) * found)
{
    size_t lo = 0, hi = ix->n;

    if (!ix->sorted && ix->n > 0)
        qsort(ix->entries, ix->n, sizeof(*ix->entries), by_hash);
    ix->sorted = 1;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (ix->entries[mid].hash < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < ix->n && ix->entries[lo].hash == hash; lo++) {
        struct entry *e = &ix->entries[lo];

        if (!decode(e)) /* damaged: trusted by nobody */
            continue;
        if (X509_NAME_cmp(X509_get_subject_name(e->crt), subject) == 0 &&
            !sk_X509_push(found, e->crt))
            return -1;
    }
    return 0;
}

int tsk_index_find(struct tsk_index *ix, const X509_NAME *subject,
                   STACK_OF(X509) * found)
{
    int ok = 0, rc = 0;
    unsigned long hash;

    tsk_ossl_enter();
    hash = X509_NAME_hash_ex(subject, NULL, NULL, &ok);
    if (!ok) {
        tsk_ossl_leave();
        return -1;
    }
    pthread_mutex_lock(&ix->lock);
    for (size_t i = 0; i < ix->n_dirs && rc == 0; i++)
        rc = read_hashed(ix, i, hash);
    if (rc == 0)
        rc = collect(ix, subject, hash, found);
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
