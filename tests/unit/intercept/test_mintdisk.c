/* The directory of minted certificates: shared, killed over, damaged. */
#include "mints.h"

#include "child.h"

#include "cert/cert.h"
#include "core/clock.h"
#include "intercept/entry.h"
#include "intercept/shelf.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAME                                                                   \
    64 /* bytes of an entry's name, and of one that is written aside           \
        */
#define ASIDE 81
#define SEEN 6
#define PROCESSES 8

static tlsock_cert *seen[SEEN];

static int set_up(void **state)
{
    char name[24];

    mints_setup(state);
    for (int i = 0; i < SEEN; i++) {
        snprintf(name, sizeof(name), "%d.test", i);
        seen[i] = mints_seen(name, 40);
    }
    return 0;
}

static int tear_down(void **state)
{
    for (int i = 0; i < SEEN; i++)
        tlsock_cert_unref(seen[i]);
    return mints_teardown(state);
}

static void same_cert(const tlsock_cert *a, const tlsock_cert *b)
{
    assert_int_equal(X509_cmp(a->leaf, b->leaf), 0);
    assert_int_equal(EVP_PKEY_eq(a->key, b->key), 1);
    assert_int_equal(tlsock_cert_chain_len(a), tlsock_cert_chain_len(b));
}

/* Whatever kind of key it has, and whoever signed it. */
static void a_restart_finds_what_was_minted(void **state)
{
    static const char *const how[] = {"process", "leaf"};

    (void)state;
    for (size_t i = 0; i < COUNT(how) * 2; i++) {
        const char *dir = mints_dir();
        tlsock_intercept *m = mints_open(i < 2 ? MINTS_BELOW : MINTS_ED25519,
                                         dir),
                         *n;
        tlsock_cert *a, *b;
        struct stat st;
        char path[256];

        assert_code(tlsock_intercept_set(m, "leaf-key", how[i % 2]), 0);
        a = mints_leaf(m, seen[0]);
        tlsock_intercept_free(m);
        assert_int_equal(mints_files(dir, NAME, path), 1);
        assert_int_equal(mints_files(dir, ASIDE, NULL), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        n = mints_open(i < 2 ? MINTS_BELOW : MINTS_ED25519, dir);
        assert_code(tlsock_intercept_set(n, "leaf-key", how[i % 2]), 0);
        b = mints_leaf(n, seen[0]);
        assert_int_equal(tsk_mint_signed(n), 0);
        same_cert(a, b);
        tlsock_intercept_free(n);
        tlsock_cert_unref(a);
        tlsock_cert_unref(b);
    }
}

/* Another CA, another choice of keys, another certificate: each its own. */
static void nothing_is_found_under_anothers_name(void **state)
{
    const char *dir = mints_dir();
    tlsock_intercept *m = mints_open(MINTS_EC, dir),
                     *other_ca = mints_open(MINTS_RSA, dir),
                     *own_keys = mints_open(MINTS_EC, dir);

    (void)state;
    assert_code(tlsock_intercept_set(own_keys, "leaf-key", "leaf"), 0);
    tlsock_cert_unref(mints_leaf(m, seen[0]));
    tlsock_cert_unref(mints_leaf(m, seen[1]));
    tlsock_cert_unref(mints_leaf(other_ca, seen[0]));
    tlsock_cert_unref(mints_leaf(own_keys, seen[0]));
    assert_int_equal(tsk_mint_signed(m), 2);
    assert_int_equal(tsk_mint_signed(other_ca), 1);
    assert_int_equal(tsk_mint_signed(own_keys), 1);
    assert_int_equal(mints_files(dir, NAME, NULL), 4);
    tlsock_intercept_free(m);
    tlsock_intercept_free(other_ca);
    tlsock_intercept_free(own_keys);
}

/* Is what lies at path taken? 1, 0; it is whole again afterwards. */
static int taken(const char *dir)
{
    tlsock_intercept *m = mints_open(MINTS_EC, dir);
    tlsock_cert *c = mints_leaf(m, seen[0]);
    int was = tsk_mint_signed(m) == 0;

    assert_int_equal(X509_check_private_key(c->leaf, c->key), 1);
    assert_int_equal(
        X509_verify(c->leaf, X509_get0_pubkey(mints_ca[MINTS_EC]->leaf)), 1);
    tlsock_cert_unref(c);
    tlsock_intercept_free(m);
    return was;
}

static void put(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    close(fd);
}

static size_t get(const char *path, uint8_t *data, size_t size)
{
    int fd = open(path, O_RDONLY);
    ssize_t n;

    assert_true(fd >= 0);
    n = read(fd, data, size);
    close(fd);
    assert_within(n, 1, size - 1);
    return (size_t)n;
}

static void what_is_damaged_is_minted_anew(void **state)
{
    const char *dir = mints_dir();
    static uint8_t was[8192], now[8192];
    char path[256];
    size_t len;

    (void)state;
    assert_int_equal(taken(dir), 0);
    assert_int_equal(mints_files(dir, NAME, path), 1);
    assert_int_equal(taken(dir), 1);
    for (size_t at = 0, cut = 0; at < 2000; at += 149, cut += 97) {
        len = get(path, was, sizeof(was));
        memcpy(now, was, len);
        now[at % len] ^= 0x40;
        put(path, now, len);
        assert_int_equal(taken(dir), 0);
        len = get(path, was, sizeof(was));
        put(path, was, cut % len);
        assert_int_equal(taken(dir), 0);
        assert_int_equal(taken(dir), 1);
    }
    put(path, "garbage", 7);
    assert_int_equal(taken(dir), 0);
    assert_int_equal(chmod(path, 0640), 0); /* somebody may know the key */
    assert_int_equal(taken(dir), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(taken(dir), 0);
    assert_int_equal(taken(dir), 1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(taken(dir), 0);
    assert_int_equal(taken(dir), 1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0); /* stays, and does no harm */
    assert_int_equal(taken(dir), 0);
    assert_int_equal(taken(dir), 0);
}

/* A file that is whole, of the right name, and of somebody else's making. */
static void what_another_ca_signed_is_no_find(void **state)
{
    const char *dir = mints_dir();
    static const int wrong[] = {MINTS_EC, MINTS_RSA};
    struct tsk_shelf shelf = {0};
    tlsock_intercept *m;
    tlsock_cert *c;
    uint8_t key[32];
    char path[256];

    (void)state;
    assert_int_equal(taken(dir), 0);
    assert_int_equal(mints_files(dir, NAME, path), 1);
    for (int i = 0; i < 32; i++) {
        unsigned byte;

        assert_int_equal(sscanf(strrchr(path, '/') + 1 + 2 * i, "%2x", &byte),
                         1);
        key[i] = (uint8_t)byte;
    }
    assert_int_equal(tsk_shelf_open(&shelf, dir, NULL), 0);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        /* of another upstream; of another CA */
        m = mints_open(wrong[i], NULL);
        c = mints_leaf(m, seen[i == 0 ? 1 : 0]);
        tsk_shelf_keep(&shelf, key, c);
        tlsock_cert_unref(c);
        tlsock_intercept_free(m);
        assert_int_equal(taken(dir), 0);
        assert_int_equal(taken(dir), 1);
    }
    tsk_shelf_close(&shelf);
}

static void a_directory_that_is_gone_is_no_failure(void **state)
{
    const char *dir = mints_dir();
    tlsock_intercept *m = mints_open(MINTS_EC, dir);

    (void)state;
    assert_int_equal(rmdir(dir), 0);
    tlsock_cert_unref(mints_leaf(m, seen[0]));
    tlsock_cert_unref(mints_leaf(m, seen[0]));
    assert_int_equal(tsk_mint_signed(m), 1);
    tlsock_intercept_free(m);
}

static int64_t later(void)
{
    return (int64_t)time(NULL) + mints_now;
}

/* Only so many bytes, what ends first goes first; other files are not ours. */
static void the_directory_is_bounded_and_swept(void **state)
{
    const char *dir = mints_dir();
    struct tsk_shelf shelf = {0};
    tlsock_intercept *m = mints_open(MINTS_EC, NULL);
    tlsock_cert *c = mints_leaf(m, seen[0]);
    char path[256];

    (void)state;
    snprintf(path, sizeof(path), "%s/other", dir);
    put(path, "x", 1);
    assert_int_equal(tsk_shelf_open(&shelf, dir, NULL), 0);
    shelf.disk.max = (size_t)16 * TSK_CACHE_BLOCK;
    for (int i = 0; i < 40; i++) {
        const uint8_t key[32] = {(uint8_t)i};

        tsk_shelf_keep(&shelf, key, c);
        assert_within(mints_files(dir, NAME, NULL), 1, 17);
    }
    tsk_clock_wall = later;
    mints_now = (int64_t)31 * 86400; /* all is over, whatever it said */
    tsk_cachedisk_sweep(&shelf.disk);
    assert_int_equal(mints_files(dir, NAME, NULL), 0);
    assert_int_equal(access(path, F_OK), 0);
    tsk_clock_wall = NULL;
    mints_now = 0;
    tlsock_cert_unref(c);
    tlsock_intercept_free(m);
    tsk_shelf_close(&shelf);
}

static void mint_for_ever(const char *dir, int done)
{
    for (;;) {
        tlsock_intercept *m =
            tlsock_intercept_new(mints_ca[MINTS_EC], dir, NULL);

        for (int i = 0; i < SEEN; i++) {
            char path[256];

            tlsock_cert_unref(tlsock_intercept_leaf(m, seen[i], NULL));
            if (mints_files(dir, NAME, path) > 3)
                unlink(path);
            if (write(done, "", 1) != 1)
                test_exit(9);
        }
        tlsock_intercept_free(m);
    }
}

static void a_kill_leaves_what_is_whole_or_nothing(void **state)
{
    const char *dir = mints_dir();
    char c[4];

    (void)state;
    for (int round = 0; round < 10; round++) {
        tlsock_intercept *m;
        int pipes[2], status;
        size_t there;
        pid_t pid;

        assert_int_equal(pipe(pipes), 0);
        pid = child();
        if (pid == 0)
            mint_for_ever(dir, pipes[1]);
        for (int i = 0; i < 1 + round; i++)
            assert_int_equal(read(pipes[0], c, 1), 1);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WTERMSIG(status), SIGKILL);
        close(pipes[0]);
        close(pipes[1]);
        there = mints_files(dir, NAME, NULL);
        m = mints_open(MINTS_EC, dir);
        for (int i = 0; i < SEEN; i++)
            tlsock_cert_unref(mints_leaf(m, seen[i]));
        assert_int_equal(tsk_mint_signed(m), SEEN - there);
        tlsock_intercept_free(m);
    }
}

/* What each of them got: serial numbers, of which no two are one, unless the
 * certificate is. */
struct got {
    uint8_t serial[SEEN][16];
    uint8_t digest[SEEN][32];
};

static void mint_all(const char *dir, int out)
{
    tlsock_intercept *m = tlsock_intercept_new(mints_ca[MINTS_EC], dir, NULL);
    struct got got = {0};
    unsigned int n = 32;

    for (int i = 0; i < SEEN; i++) {
        tlsock_cert *c = tlsock_intercept_leaf(m, seen[i], NULL);
        const ASN1_INTEGER *serial =
            c != NULL ? X509_get0_serialNumber(c->leaf) : NULL;

        if (serial == NULL || ASN1_STRING_length(serial) != 16 ||
            X509_check_private_key(c->leaf, c->key) != 1)
            test_exit(1);
        memcpy(got.serial[i], ASN1_STRING_get0_data(serial), 16);
        X509_digest(c->leaf, EVP_sha256(), got.digest[i], &n);
    }
    test_exit(write(out, &got, sizeof(got)) == sizeof(got) ? 0 : 2);
}

static void eight_processes_share_a_directory(void **state)
{
    const char *dir = mints_dir();
    static struct got all[PROCESSES];
    pid_t pids[PROCESSES];
    int pipes[2], status;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = child();
        if (pids[i] == 0)
            mint_all(dir, pipes[1]);
    }
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
        assert_int_equal(read(pipes[0], &all[i], sizeof(all[i])),
                         sizeof(all[i]));
    }
    for (int i = 0; i < PROCESSES * SEEN; i++)
        for (int k = 0; k < i; k++) {
            const struct got *a = &all[i / SEEN], *b = &all[k / SEEN];

            assert_int_equal(
                memcmp(a->serial[i % SEEN], b->serial[k % SEEN], 16) == 0,
                memcmp(a->digest[i % SEEN], b->digest[k % SEEN], 32) == 0);
        }
    close(pipes[0]);
    close(pipes[1]);
    assert_int_equal(mints_files(dir, NAME, NULL), SEEN);
    assert_int_equal(mints_files(dir, ASIDE, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_finds_what_was_minted),
        cmocka_unit_test(nothing_is_found_under_anothers_name),
        cmocka_unit_test(what_is_damaged_is_minted_anew),
        cmocka_unit_test(what_another_ca_signed_is_no_find),
        cmocka_unit_test(a_directory_that_is_gone_is_no_failure),
        cmocka_unit_test(the_directory_is_bounded_and_swept),
        cmocka_unit_test(a_kill_leaves_what_is_whole_or_nothing),
        cmocka_unit_test(eight_processes_share_a_directory),
    };

    return cmocka_run_group_tests_name("mintdisk", tests, set_up, tear_down);
}
