/* What trusted certificates there are, as a digest: sessions that were won with
 * others are not resumed. */
#include "verify/index_private.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <string.h>

/* The same in whatever order they were added. */
static int add(uint8_t sum[32], const void *data, size_t len)
{
    uint8_t one[32];
    unsigned int n = 0;

    if (!EVP_Digest(data, len, one, &n, EVP_sha256(), NULL))
        return 0;
    for (size_t i = 0; i < sizeof(one); i++)
        sum[i] = (uint8_t)(sum[i] + one[i]); /* twice is not never */
    return 1;
}

/* Files named by the hash of a subject are not read before they are needed;
 * their names say which there are. */
static int add_dir(uint8_t sum[32], const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    int ok = 1;

    while (ok && d != NULL && (e = readdir(d)) != NULL)
        ok = add(sum, e->d_name, strlen(e->d_name));
    if (d != NULL)
        closedir(d);
    return ok;
}

int tsk_index_digest(struct tsk_index *ix, uint8_t sum[32])
{
    int ok = 1;

    pthread_mutex_lock(&ix->lock);
    for (size_t i = 0; ok && i < ix->n; i++)
        if (!ix->entries[i].from_dir)
            ok = add(sum, ix->entries[i].der, (size_t)ix->entries[i].len);
    for (size_t i = 0; ok && i < ix->n_dirs; i++)
        ok = add_dir(sum, ix->dirs[i]);
    pthread_mutex_unlock(&ix->lock);
    return ok ? 0 : -1;
}
