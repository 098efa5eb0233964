/* What is in the directory is found if it is whole, ours and in its place, and
 * the directory stays small. */
#include "stash.h"

#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BODY "some DER"

/* One entry in a directory of its own, and the path of its file. */
static struct tsk_revcache *one(const char **dir, char path[PATH_MAX])
{
    struct tsk_revcache *c;

    *dir = stash_dir();
    c = stash_open(*dir);
    tsk_revcache_keep_ocsp(c, stash_key(1), BODY, 8, NOW + DAY);
    snprintf(path, PATH_MAX, "%s", stash_file(*dir));
    return c;
}

static int is_found(struct tsk_revcache *c, int key)
{
    struct tsk_buf der = {0};
    int rc = tsk_revcache_ocsp(c, stash_key(key), NOW, &der);

    assert_int_equal(der.len != 0, rc);
    if (rc)
        assert_memory_equal(tsk_buf_at(&der), BODY, 8);
    tsk_buf_free(&der);
    return rc;
}

static void a_file_says_what_it_is_and_is_nobody_elses(void **state)
{
    unsigned char *data;
    char path[PATH_MAX];
    struct stat st;
    const char *dir;
    size_t len;
    struct tsk_revcache *c = one(&dir, path);

    (void)state;
    data = stash_read(path, &len);
    assert_int_equal(len, TSK_CACHEFILE_HEAD + 8);
    assert_memory_equal(data, "tskr\1\2\0\0", 8);
    assert_memory_equal(data + TSK_CACHEFILE_HEAD, BODY, 8);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_mtime, NOW + DAY);
    assert_int_equal(strlen(strrchr(path, '/') + 1), 64);
    free(data);
    tsk_revcache_unref(c);
}

static void every_bit_of_a_file_counts(void **state)
{
    unsigned char *data;
    char path[PATH_MAX];
    const char *dir;
    size_t len;
    struct tsk_revcache *c = one(&dir, path);

    (void)state;
    data = stash_read(path, &len);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        stash_write(path, data, len);
        if (is_found(c, 1))
            fail_msg("found with bit %zu turned", bit);
        assert_int_equal(stash_files(dir, NULL), 0);
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t n = 0; n <= len + 1; n++) { /* one more: data has room */
        stash_write(path, data, n);
        assert_int_equal(is_found(c, 1), n == len);
        assert_int_equal(stash_files(dir, NULL), n == len);
    }
    free(data);
    tsk_revcache_unref(c);
}

/* Whole, but for another certificate, or of another kind. */
static void a_file_in_anothers_place_is_no_find(void **state)
{
    unsigned char *data;
    char path[PATH_MAX], other[PATH_MAX];
    const char *dir;
    size_t len;
    struct tsk_revcache *c = one(&dir, path);

    (void)state;
    data = stash_read(path, &len);
    assert_int_equal(unlink(path), 0);
    tsk_revcache_keep_ocsp(c, stash_key(2), BODY, 8, NOW + DAY);
    snprintf(other, sizeof(other), "%s", stash_file(dir));
    stash_write(other, data, len);
    assert_int_equal(is_found(c, 2), 0);
    stash_write(path, data, len);
    assert_int_equal(is_found(c, 1), 1);
    free(data);
    tsk_revcache_unref(c);
}

static void make_symlink(const char *path, const char *whole)
{
    assert_int_equal(symlink(whole, path), 0);
}

static void make_dangling(const char *path, const char *whole)
{
    (void)whole;
    assert_int_equal(symlink("/none/at/all", path), 0);
}

static void make_fifo(const char *path, const char *whole)
{
    (void)whole;
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void make_socket(const char *path, const char *whole)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)whole;
    assert_true(strlen(path) < sizeof(at.sun_path));
    strcpy(at.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    close(fd);
}

static void make_directory(const char *path, const char *whole)
{
    (void)whole;
    assert_int_equal(mkdir(path, 0700), 0);
}

static void make_huge(const char *path, const char *whole)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0600);

    (void)whole;
    assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
    close(fd);
}

static void make_writable(const char *path, const char *whole)
{
    size_t len;
    unsigned char *data = stash_read(whole, &len);

    stash_write(path, data, len);
    assert_int_equal(chmod(path, 0622), 0);
    free(data);
}

/* Somebody else's, as root may see it; for others it is not there to test. */
static void make_foreign(const char *path, const char *whole)
{
    size_t len;
    unsigned char *data = stash_read(whole, &len);

    stash_write(path, data, len);
    assert_int_equal(chown(path, 12345, 12345), 0);
    free(data);
}

static void what_is_no_file_of_ours_is_no_find(void **state)
{
    static const struct {
        const char *claim;
        void (*put)(const char *path, const char *whole);
        int stays, root;
    } rows[] = {
        {"a symbolic link to a whole one", make_symlink, 0, 0},
        {"a symbolic link to nothing", make_dangling, 0, 0},
        {"a FIFO, which nobody opens", make_fifo, 0, 0},
        {"a socket", make_socket, 0, 0},
        {"a directory", make_directory, 1, 0},
        {"a file of a terabyte", make_huge, 0, 0},
        {"one that others may write", make_writable, 0, 0},
        {"one of another owner", make_foreign, 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char path[PATH_MAX], whole[PATH_MAX];
        const char *dir, *aside = stash_dir();
        struct tsk_revcache *c;

        if (rows[i].root && geteuid() != 0)
            continue;
        c = one(&dir, path);
        snprintf(whole, sizeof(whole), "%s/whole", aside);
        assert_int_equal(rename(path, whole), 0);
        rows[i].put(path, whole);
        if (is_found(c, 1) != 0)
            fail_msg("%s: found", rows[i].claim);
        if (stash_files(dir, NULL) != (size_t)rows[i].stays)
            fail_msg("%s: %zu files", rows[i].claim, stash_files(dir, NULL));
        assert_int_equal(stash_files(aside, NULL), 1); /* not followed */
        /* and its place can be taken, but from a directory */
        tsk_revcache_keep_ocsp(c, stash_key(1), BODY, 8, NOW + DAY);
        if (is_found(c, 1) != (rows[i].put != make_directory))
            fail_msg("%s: afterwards", rows[i].claim);
        assert_int_equal(stash_files(dir, NULL), 1); /* nothing aside */
        tsk_revcache_unref(c);
    }
}

/* 4096 bytes a file count, so a limit of n files is one of n blocks. */
static struct tsk_revcache *small(const char *dir, size_t blocks)
{
    struct tsk_revcache *c = stash_open(dir);

    c->disk.max = blocks * TSK_CACHE_BLOCK;
    return c;
}

static void the_directory_stays_small_and_what_lasts_longest_stays(void **state)
{
    const char *dir = stash_dir();
    struct tsk_revcache *c = small(dir, 32);

    (void)state;
    for (int i = 0; i < 300; i++) {
        /* those of even numbers last longer, the later the longer */
        tsk_revcache_keep_ocsp(c, stash_key(i), BODY, 8,
                               NOW + 1000 + i + (i % 2 == 0) * DAY);
        assert_true(stash_files(dir, NULL) <= 32 + 32 / 16 + 1);
    }
    assert_true(stash_files(dir, NULL) >= 24);
    assert_int_equal(is_found(c, 1), 0);
    assert_int_equal(is_found(c, 298), 1);
    assert_int_equal(is_found(c, 290), 1);
    assert_int_equal(is_found(c, 0), 0);
    tsk_revcache_unref(c);
}

static void one_that_would_take_all_is_not_kept(void **state)
{
    const char *dir = stash_dir();
    struct tsk_revcache *c = small(dir, 8);
    char *big = calloc(1, 8 * TSK_CACHE_BLOCK);

    (void)state;
    tsk_revcache_keep_ocsp(c, stash_key(1), BODY, 8, NOW + DAY);
    tsk_revcache_keep_ocsp(c, stash_key(2), big, 7 * TSK_CACHE_BLOCK + 1,
                           NOW + DAY);
    assert_int_equal(stash_files(dir, NULL), 1);
    assert_int_equal(is_found(c, 1), 1);
    tsk_revcache_unref(c);
    free(big);
}

static void put(const char *dir, const char *name, int64_t mtime)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                {.tv_sec = (time_t)mtime}};
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    stash_write(path, "x", 1);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static int is_there(const char *dir, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

#define HEX63 "012345678901234567890123456789012345678901234567890123456789abc"
#define ASIDE HEX63 "1.0123456789abcdef"

/* ctime is the machine's, so it is the library's clock that moves. */
static void a_sweep_takes_what_is_over_and_what_was_left_aside(void **state)
{
    static const struct {
        const char *claim, *name;
        int64_t mtime;
        int stays;
    } rows[] = {
        {"over", HEX63 "2", -1, 0},
        {"over now", HEX63 "3", 0, 0},
        {"not over", HEX63 "4", 1, 1},
        {"over in years", HEX63 "5", 1000 * DAY, 0},
        {"no name of ours: too short", HEX63, -1, 1},
        {"no name of ours: no hex", HEX63 "g", -1, 1},
        {"no name of ours: no end", HEX63 "1.0123456789abcde", -1, 1},
        {"no name of ours: another end", HEX63 "1.0123456789abcdeX", -1, 1},
        {"no name of ours: no dot", HEX63 "1x0123456789abcdef", -1, 1},
        {"a user's", "notes.txt", -1, 1},
    };
    const char *dir = stash_dir();
    struct tsk_cachedisk d = {.dir = (char *)dir, .max = 1 << 20};

    (void)state;
    stash_now = time(NULL);
    for (size_t i = 0; i < COUNT(rows); i++)
        put(dir, rows[i].name, stash_now + rows[i].mtime);
    put(dir, ASIDE, stash_now + DAY);
    tsk_cachedisk_sweep(&d);
    for (size_t i = 0; i < COUNT(rows); i++)
        if (is_there(dir, rows[i].name) != rows[i].stays)
            fail_msg("%s", rows[i].claim);
    assert_int_equal(is_there(dir, ASIDE), 1);
    stash_now += 3500;
    tsk_cachedisk_sweep(&d);
    assert_int_equal(is_there(dir, ASIDE), 1);
    stash_now += 300;
    tsk_cachedisk_sweep(&d);
    assert_int_equal(is_there(dir, ASIDE), 0);
    d.dir = (char *)"/none/at/all";
    tsk_cachedisk_sweep(&d);
    stash_now = NOW;
}

static void a_sweep_takes_links_and_leaves_directories(void **state)
{
    const char *dir = stash_dir();
    struct tsk_cachedisk d = {.dir = (char *)dir, .max = 1 << 20};
    char path[PATH_MAX];

    (void)state;
    put(dir, "notes.txt", NOW);
    snprintf(path, sizeof(path), "%s/" HEX63 "6", dir);
    assert_int_equal(symlink("notes.txt", path), 0);
    snprintf(path, sizeof(path), "%s/" HEX63 "7", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    tsk_cachedisk_sweep(&d);
    assert_int_equal(is_there(dir, HEX63 "6"), 0);
    assert_int_equal(is_there(dir, HEX63 "7"), 1);
    assert_int_equal(is_there(dir, "notes.txt"), 1);
}

static void without_memory_a_sweep_still_makes_room(void **state)
{
    int hit = 1;

    (void)state;
    for (long n = 1; hit; n++) {
        const char *dir = stash_dir();
        struct tsk_cachedisk d = {.dir = (char *)dir,
                                  .max = 8 * TSK_CACHE_BLOCK};
        char name[80];

        for (int i = 0; i < 300; i++) {
            snprintf(name, sizeof(name), "%064x", i);
            put(dir, name, NOW + 1 + i);
        }
        fault_arm(FAULT_OWN, n, 1);
        tsk_cachedisk_sweep(&d);
        hit = fault_disarm();
        assert_true(stash_files(dir, NULL) <= 8);
    }
}

static void a_directory_that_takes_nothing_is_no_failure(void **state)
{
    struct rlimit had, none;
    char path[PATH_MAX];
    const char *dir;
    struct tsk_revcache *c = one(&dir, path);

    (void)state;
    assert_int_equal(unlink(path), 0);
    /* the file system is full, more or less */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &had), 0);
    none = had;
    none.rlim_cur = 10;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    tsk_revcache_keep_ocsp(c, stash_key(1), BODY, 8, NOW + DAY);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &had), 0);
    assert_int_equal(stash_files(dir, NULL), 0);
    /* it is gone */
    assert_int_equal(rmdir(dir), 0);
    tsk_revcache_keep_ocsp(c, stash_key(1), BODY, 8, NOW + DAY);
    assert_int_equal(is_found(c, 1), 0);
    assert_int_equal(mkdir(dir, 0700), 0);
    tsk_revcache_keep_ocsp(c, stash_key(1), BODY, 8, NOW + DAY);
    assert_int_equal(is_found(c, 1), 1);
    tsk_revcache_unref(c);
}

static void a_name_that_is_too_long_is_not_kept(void **state)
{
    static char dir[PATH_MAX - 20];
    struct tsk_cachedisk d = {.dir = dir, .max = 1 << 20, .written = SIZE_MAX};
    struct tsk_cached got;

    (void)state;
    memset(dir, 'a', sizeof(dir) - 1);
    tsk_cachedisk_write(&d, TSK_CACHE_OCSP, stash_key(1), BODY, 8, NOW + DAY);
    assert_int_equal(d.written, SIZE_MAX);
    assert_int_equal(
        tsk_cachedisk_read(&d, TSK_CACHE_OCSP, stash_key(1), NOW, 100, &got),
        0);
    assert_null(got.file);
}

static int starved;

char *__real_realpath(const char *path, char *out);
char *__wrap_realpath(const char *path, char *out);
char *__wrap_realpath(const char *path, char *out)
{
    if (!starved)
        return __real_realpath(path, out);
    errno = ENOMEM;
    return NULL;
}

static void a_name_without_memory_is_no_wrong_name(void **state)
{
    const char *dir = stash_dir();

    (void)state;
    for (starved = 1; starved >= 0; starved--) {
        tlsock_error err = {0};
        char *name = tsk_cachedisk_name(dir, "lists", "revocation.cache", &err);

        assert_int_equal(name == NULL, starved);
        assert_code(err.code, starved ? TLSOCK_E_NOMEM : 0);
        free(name);
    }
    starved = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_says_what_it_is_and_is_nobody_elses),
        cmocka_unit_test(every_bit_of_a_file_counts),
        cmocka_unit_test(a_file_in_anothers_place_is_no_find),
        cmocka_unit_test(what_is_no_file_of_ours_is_no_find),
        cmocka_unit_test(
            the_directory_stays_small_and_what_lasts_longest_stays),
        cmocka_unit_test(one_that_would_take_all_is_not_kept),
        cmocka_unit_test(a_sweep_takes_what_is_over_and_what_was_left_aside),
        cmocka_unit_test(a_sweep_takes_links_and_leaves_directories),
        cmocka_unit_test(without_memory_a_sweep_still_makes_room),
        cmocka_unit_test(a_directory_that_takes_nothing_is_no_failure),
        cmocka_unit_test(a_name_that_is_too_long_is_not_kept),
        cmocka_unit_test(a_name_without_memory_is_no_wrong_name),
    };

    fault_init();
    return cmocka_run_group_tests_name("cachedisk", tests, stash_setup,
                                       stash_teardown);
}
