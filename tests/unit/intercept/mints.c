#include "mints.h"

#include "core/clock.h"

#include <dirent.h>
#include <time.h>
#include <unistd.h>

tlsock_cert *mints_ca[MINTS_CAS];
int64_t mints_now;
static char dirs[64][64];
static int n_dirs;

static int64_t wall(void)
{
    return mints_now != 0 ? mints_now : (int64_t)time(NULL);
}

static tlsock_cert *ca(const char *key, const char *name,
                       const tlsock_cert *issuer)
{
    tlsock_error err;
    tlsock_cert *c = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = name, .key = key, .ca = 1, .days = issuer != NULL ? 2900 : 3000,
                         .issuer = issuer, .pathlen = issuer != NULL ? 0 : 1),
        &err);

    if (c == NULL)
        fail_msg("%s", err.message);
    return c;
}

int mints_setup(void **state)
{
    (void)state;
    mints_ca[MINTS_EC] = ca(NULL, "CN=Mint", NULL);
    mints_ca[MINTS_RSA] = ca("rsa:2048", "CN=Mint RSA", NULL);
    mints_ca[MINTS_ED25519] = ca("ed25519", "CN=Mint Ed", NULL);
    mints_ca[MINTS_BELOW] = ca(NULL, "CN=Below", mints_ca[MINTS_EC]);
    tsk_clock_wall = wall;
    return 0;
}

static void remove_dir(const char *dir)
{
    const struct dirent *e;
    char path[512];
    DIR *d = opendir(dir);

    while (d != NULL && (e = readdir(d)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.')
            (void)(unlink(path) == 0 || rmdir(path) == 0);
    }
    if (d != NULL)
        closedir(d);
    rmdir(dir);
}

int mints_teardown(void **state)
{
    (void)state;
    for (int i = 0; i < MINTS_CAS; i++)
        tlsock_cert_unref(mints_ca[i]);
    while (n_dirs > 0)
        remove_dir(dirs[--n_dirs]);
    tsk_clock_wall = NULL;
    return 0;
}

tlsock_cert *mints_seen(const char *name, int days)
{
    const char *const sans[] = {name};
    int64_t from = (int64_t)time(NULL) - (int64_t)10 * 86400;
    tlsock_error err;
    tlsock_cert *c = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.sans = sans, .n_sans = 1, .not_before = from,
                         .not_after = from + (int64_t)(10 + days) * 86400),
        &err);

    if (c == NULL)
        fail_msg("%s", err.message);
    return c;
}

tlsock_intercept *mints_open(int which, const char *dir)
{
    tlsock_error err;
    tlsock_intercept *m = tlsock_intercept_new(mints_ca[which], dir, &err);

    if (m == NULL)
        fail_msg("%s", err.message);
    return m;
}

tlsock_cert *mints_leaf(tlsock_intercept *m, const tlsock_cert *seen)
{
    tlsock_error err;
    tlsock_cert *c = tlsock_intercept_leaf(m, seen, &err);

    if (c == NULL)
        fail_msg("%s", err.message);
    return c;
}

const char *mints_dir(void)
{
    assert_true(n_dirs < (int)COUNT(dirs));
    strcpy(dirs[n_dirs], "/tmp/tlsock-mint-XXXXXX");
    assert_non_null(mkdtemp(dirs[n_dirs]));
    return dirs[n_dirs++];
}

size_t mints_files(const char *dir, size_t name_len, char path[256])
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    size_t n = 0;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        if (strlen(e->d_name) != name_len)
            continue;
        n++;
        if (path != NULL)
            snprintf(path, 256, "%.100s/%.100s", dir, e->d_name);
    }
    closedir(d);
    return n;
}
