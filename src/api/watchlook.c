#include "api/watch.h"

#include "api/files.h"
#include "core/mem.h"
#include "verify/system.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_FILES 65536 /* of one directory */

/* Two sums of the FNV-1a kind: nobody profits from a collision who could not as
 * well leave the file alone. */
static void mix(struct tsk_look *l, const void *data, size_t len)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < len; i++) {
        l->a = (l->a ^ p[i]) * UINT64_C(1099511628211);
        l->b = (l->b ^ (p[i] + (l->a >> 56))) * UINT64_C(0x9e3779b97f4a7c15);
    }
}

/* A file that was replaced, written to, renamed, or whose rights changed has
 * another one of these; what cannot be looked at has its error. */
static int mix_stat(struct tsk_look *l, const char *path)
{
    struct stat st;
    int64_t seen[8] = {0};

    if (stat(path, &st) != 0) {
        seen[0] = errno;
        mix(l, seen, sizeof(seen));
        return 0;
    }
    seen[1] = (int64_t)st.st_dev;
    seen[2] = (int64_t)st.st_ino;
    seen[3] = st.st_size;
    seen[4] = st.st_mtim.tv_sec;
    seen[5] = st.st_mtim.tv_nsec;
    seen[6] = st.st_ctim.tv_sec;
    seen[7] = st.st_ctim.tv_nsec;
    if (st.st_ctim.tv_sec > l->newest)
        l->newest = st.st_ctim.tv_sec;
    mix(l, seen, sizeof(seen));
    return S_ISDIR(st.st_mode);
}

/* The order of a directory's entries means nothing. */
static void mix_dir(struct tsk_look *l, const char *path)
{
    DIR *d = opendir(path);
    struct tsk_look sum = {0, 0, 0};
    struct dirent *e;
    char file[1024];
    int n = 0;

    while (d != NULL && n++ < MOST_FILES && (e = readdir(d)) != NULL) {
        struct tsk_look one = {1, 1, 0};

        if (e->d_name[0] == '.' || snprintf(file, sizeof(file), "%s/%s", path,
                                            e->d_name) >= (int)sizeof(file))
            continue;
        mix(&one, e->d_name, strlen(e->d_name));
        (void)mix_stat(&one, file);
        sum.a += one.a;
        sum.b += one.b;
        if (one.newest > l->newest)
            l->newest = one.newest;
    }
    if (d != NULL)
        closedir(d);
    mix(l, &sum.a, sizeof(sum.a));
    mix(l, &sum.b, sizeof(sum.b));
}

static int mix_file(const char *path, int use, void *arg)
{
    struct tsk_look *l = arg;

    (void)use;
    if (mix_stat(l, path))
        mix_dir(l, path);
    return 0;
}

static void mix_system(struct tsk_look *l)
{
    struct tsk_system sys;

    if (tsk_system_find(&sys, NULL) == 0)
        mix(l, sys.key, strlen(sys.key));
}

struct tsk_look tsk_watch_look(const struct tsk_settings *set)
{
    struct tsk_look l = {UINT64_C(14695981039346656037), 1, 0};

    (void)tsk_files_reloaded(set, mix_file, &l);
    if (tsk_files_trust_is_system(set))
        mix_system(&l);
    return l;
}
