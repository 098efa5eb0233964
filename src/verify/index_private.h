/* index_private - what index.c and bundle.c have in common. */
#ifndef TSK_VERIFY_INDEX_PRIVATE_H
#define TSK_VERIFY_INDEX_PRIVATE_H

#include "verify/index.h"

#include <pthread.h>
#include <stdatomic.h>

struct tsk_index_entry {
    uint32_t hash;      /* tsk_index_name_hash() of the subject, or ODD */
    unsigned long full; /* X509_NAME_hash_ex() of it; 0: not asked for yet */
    X509 *crt;          /* once it was asked for */
    const unsigned char *der;
    long len;
    int with_trust; /* "TRUSTED CERTIFICATE": more follows the certificate */
    int from_dir;   /* of a hashed directory */
};

struct tsk_index_blob {
    struct tsk_index_blob *next;
    unsigned char bytes[];
};

/* Which files of a hashed directory were read already. */
struct tsk_index_seen {
    unsigned long hash;
    size_t dir;
    int next;
};

/* A name that was asked for, and its hash, which costs more than the rest. */
struct tsk_index_known {
    unsigned long hash;
    size_t len; /* 0: none */
    unsigned char der[200];
};
#define TSK_INDEX_KNOWN 16

struct tsk_index {
    atomic_int refs;
    pthread_mutex_t lock;
    struct tsk_index_entry *entries;
    size_t n, cap;
    int sorted;
    struct tsk_index_blob *blobs;
    char **dirs;
    size_t n_dirs;
    struct tsk_index_seen *seen;
    size_t n_seen;
    struct tsk_index_known known[TSK_INDEX_KNOWN];
};

/* Of names whose hash cannot be had from their DER: found the slow way. */
#define TSK_INDEX_ODD UINT32_MAX

/* index_name.c. 1; 0: the name is out of the ordinary, or none at all */
int tsk_index_name_hash(const unsigned char *der, long len, uint32_t *hash);
/* index.c. One DER certificate: 1 taken, 0 damaged, E_NOMEM */
int tsk_index_add_der(struct tsk_index *ix, struct tsk_index_entry *e);
int tsk_index_decode(struct tsk_index_entry *e); /* 1, 0 damaged */
/* bundle.c. The certificates of a PEM text: how many, or code. */
int tsk_bundle_add_pem(struct tsk_index *ix, const char *text, size_t size,
                       const char *name, int strict, int from_dir,
                       tlsock_error *err);

#endif
