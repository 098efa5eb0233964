#include "verify/lookup.h"

#include "core/mem.h"

#include <pthread.h>

struct source {
    X509_STORE *store; /* borrowed: it owns us */
    struct tsk_index *own, *system;
};

static void free_source(X509_LOOKUP *lu)
{
    struct source *src = X509_LOOKUP_get_method_data(lu);

    if (src == NULL)
        return;
    tsk_index_unref(src->own);
    tsk_index_unref(src->system);
    tsk_free(src);
}

/* Everything of this subject goes into the store, whose cache then answers:
 * a root of yours never hides one of the system's with the same name. */
static int by_subject(X509_LOOKUP *lu, X509_LOOKUP_TYPE type,
                      const X509_NAME *name, X509_OBJECT *ret)
{
    struct source *src = X509_LOOKUP_get_method_data(lu);
    STACK_OF(X509) * found;
    int ok = 0;

    if (type != X509_LU_X509 || src == NULL)
        return 0;
    found = sk_X509_new_null();
    if (found == NULL ||
        (src->own != NULL && tsk_index_find(src->own, name, found) < 0) ||
        (src->system != NULL && tsk_index_find(src->system, name, found) < 0))
        goto out;
    for (int i = 0; i < sk_X509_num(found); i++) {
        if (!X509_STORE_add_cert(src->store, sk_X509_value(found, i)))
            goto out;
    }
    if (sk_X509_num(found) > 0 &&
        X509_OBJECT_set1_X509(ret, sk_X509_value(found, 0))) {
        /* The caller takes a reference too and gives one back; the index and
         * the store keep it alive (see X509_LOOKUP_meth_new(3)). */
        X509_free(sk_X509_value(found, 0));
        ok = 1;
    }
out:
    sk_X509_free(found);
    return ok;
}

static X509_LOOKUP_METHOD *method;
static pthread_mutex_t method_lock = PTHREAD_MUTEX_INITIALIZER;

/* Made once, kept for the life of the process; a failure may be retried. */
static X509_LOOKUP_METHOD *get_method(void)
{
    X509_LOOKUP_METHOD *m;

    pthread_mutex_lock(&method_lock);
    if (method == NULL) {
        m = X509_LOOKUP_meth_new("tlsock index");
        if (m != NULL && X509_LOOKUP_meth_set_get_by_subject(m, by_subject) &&
            X509_LOOKUP_meth_set_free(m, free_source))
            method = m;
        else
            X509_LOOKUP_meth_free(m);
    }
    m = method;
    pthread_mutex_unlock(&method_lock);
    return m;
}

X509_STORE *tsk_lookup_store(struct tsk_index *own, struct tsk_index *system)
{
    X509_LOOKUP_METHOD *m = get_method();
    X509_STORE *store = m == NULL ? NULL : X509_STORE_new();
    X509_LOOKUP *lu = NULL;
    struct source *src = NULL;

    if (store == NULL || (own == NULL && system == NULL))
        return store;
    src = tsk_alloc(sizeof(*src));
    if (src != NULL)
        lu = X509_STORE_add_lookup(store, m);
    if (lu == NULL || !X509_LOOKUP_set_method_data(lu, src)) {
        tsk_free(src);
        X509_STORE_free(store);
        return NULL;
    }
    src->store = store;
    src->own = own == NULL ? NULL : tsk_index_ref(own);
    src->system = system == NULL ? NULL : tsk_index_ref(system);
    return store;
}
