#include "stash.h"

#include "core/clock.h"
#include "dir.h"
#include "fault.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DIRS 64

int64_t stash_now;
static char *dirs[DIRS];
static int n_dirs;

static int64_t clock_of_tests(void)
{
    return stash_now;
}

int stash_setup(void **state)
{
    stash_now = NOW;
    tsk_clock_wall = clock_of_tests;
    return made_setup(state);
}

int stash_real_time(void **state)
{
    int rc = stash_setup(state);

    stash_now = time(NULL);
    return rc;
}

int stash_teardown(void **state)
{
    while (n_dirs > 0) {
        dir_remove(dirs[--n_dirs]);
        free(dirs[n_dirs]);
    }
    tsk_clock_wall = NULL;
    return made_teardown(state);
}

const char *stash_dir(void)
{
    const char *base = getenv("TMPDIR");
    char name[200];

    assert_true(n_dirs < DIRS);
    snprintf(name, sizeof(name), "%s/tlsock-stash-XXXXXX",
             base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(name));
    dirs[n_dirs] = strdup(name);
    return dirs[n_dirs++];
}

struct tsk_revcache *stash_open(const char *dir)
{
    tlsock_error err = {0};
    struct tsk_revcache *c = tsk_revcache_open(dir, &err);

    if (c == NULL)
        fail_msg("not opened: %s", err.message);
    assert_int_equal(err.code, 0);
    return c;
}

unsigned char *stash_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    unsigned char *data = malloc(1 << 20);

    assert_non_null(f);
    *len = fread(data, 1, 1 << 20, f);
    fclose(f);
    return data;
}

void stash_write(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

unsigned char *stash_crl(int n, int days, size_t *len)
{
    const char *path = made_path("stash.crl");
    tlsock_revoked *all = calloc((size_t)n + 1, sizeof(*all));
    char(*serials)[16] = calloc((size_t)n + 1, sizeof(*serials));
    tlsock_error err = {0};

    for (int i = 0; i < n; i++) {
        snprintf(serials[i], sizeof(serials[i]), "%x", i + 1);
        all[i].size = sizeof(all[i]);
        all[i].serial = serials[i];
        all[i].when = NOW - 10;
    }
    assert_code(tlsock_crl_save(
                    TLSOCK_CRL_OPTS(.issuer = made.ca, .number = "01",
                                    .this_update = NOW,
                                    .next_update = NOW + DAY * (int64_t)days,
                                    .revoked = all, .n_revoked = (size_t)n),
                    TLSOCK_FORMAT_DER, path, &err),
                0);
    free(all);
    free(serials);
    return stash_read(path, len);
}

void stash_keep_crl(struct tsk_revcache *c, const char *url, int n, int days)
{
    size_t len;
    unsigned char *der = stash_crl(n, days, &len);
    struct tsk_crls *l = tsk_crls_parse(der, len, url, NULL);

    assert_non_null(l);
    tsk_revcache_keep_crls(c, url, l, der, len, tsk_crls_until(l));
    tsk_crls_unref(l);
    free(der);
}

const uint8_t *stash_key(int i)
{
    static uint8_t key[32];

    memset(key, 0, sizeof(key));
    memcpy(key + 4, &i, sizeof(i));
    return key;
}

static const char *any; /* the name of the last file that was counted */

size_t stash_files(const char *dir, size_t *bytes)
{
    static char name[NAME_MAX + 1];
    DIR *d = opendir(dir);
    const struct dirent *e;
    size_t n = 0, sum = 0;
    struct stat st;

    assert_non_null(d);
    any = NULL;
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        assert_int_equal(fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW),
                         0);
        sum += (size_t)st.st_size;
        n++;
        snprintf(name, sizeof(name), "%s", e->d_name);
        any = name;
    }
    closedir(d);
    if (bytes != NULL)
        *bytes = sum;
    return n;
}

const char *stash_file(const char *dir)
{
    static char path[PATH_MAX];

    assert_int_equal(stash_files(dir, NULL), 1);
    snprintf(path, sizeof(path), "%s/%s", dir, any);
    return path;
}
