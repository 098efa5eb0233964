/* Processes share a directory: what one keeps the others find, and one that is
 * killed leaves nothing that is found and is not whole. */
#include "stash.h"

#include "child.h"

#include "core/mem.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define KEYS 8
#define BIG 20000
#define ROUNDS 20
#define TEMP_LEN 81 /* of the name of a file that is written aside */

static void tell(int fd)
{
    if (write(fd, "", 1) != 1)
        test_exit(9);
}

static void await(int fd)
{
    char c;

    assert_int_equal(read(fd, &c, 1), 1);
}

static void write_for_ever(const char *dir, int done)
{
    struct tsk_revcache *c = tsk_revcache_open(dir, NULL);
    unsigned char body[BIG];

    for (unsigned i = 0;; i++) {
        memset(body, (int)(i & 0xff), sizeof(body));
        tsk_revcache_keep_ocsp(c, stash_key((int)(i % KEYS)), body,
                               sizeof(body) - i % KEYS, stash_now + DAY);
        tell(done);
    }
}

/* Whole: of one byte, and as long as all of its key. */
static int check(struct tsk_revcache *c, int key)
{
    struct tsk_buf der = {0};
    int found = tsk_revcache_ocsp(c, stash_key(key), stash_now, &der);
    const uint8_t *p = tsk_buf_at(&der);

    if (found) {
        assert_int_equal(der.len, BIG - key);
        for (size_t i = 1; i < der.len; i++)
            assert_int_equal(p[i], p[0]);
        assert_int_equal(p[0] % KEYS, key);
    }
    tsk_buf_free(&der);
    return found;
}

static size_t count(const char *dir, size_t name_len)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    size_t n = 0;

    while ((e = readdir(d)) != NULL)
        n += strlen(e->d_name) == name_len;
    closedir(d);
    return n;
}

static void a_kill_leaves_what_is_whole_or_nothing(void **state)
{
    const char *dir = stash_dir();
    struct tsk_revcache *c = stash_open(dir);

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        pid_t pids[2];
        int pipes[2];
        size_t before;

        assert_int_equal(pipe(pipes), 0);
        for (size_t i = 0; i < COUNT(pids); i++) {
            pids[i] = child();
            if (pids[i] == 0)
                write_for_ever(dir, pipes[1]);
        }
        for (int i = 0; i < 1 + round % 7; i++)
            await(pipes[0]);
        before = count(dir, TSK_CACHE_NAME);
        assert_true(before >= 1);
        for (size_t i = 0; i < COUNT(pids); i++) {
            assert_int_equal(kill(pids[i], SIGKILL), 0);
            assert_int_equal(WTERMSIG(ended(pids[i])), SIGKILL);
        }
        close(pipes[0]);
        close(pipes[1]);
        before = count(dir, TSK_CACHE_NAME);
        for (int key = 0; key < KEYS; key++)
            before -= (size_t)check(c, key);
        assert_int_equal(before, 0); /* none of them was damaged */
    }
    print_message("# %zu left aside by %d kills\n", count(dir, TEMP_LEN),
                  2 * ROUNDS);
    stash_now += 2 * 3600;
    tsk_cachedisk_sweep(&c->disk);
    stash_now -= 2 * 3600;
    assert_int_equal(count(dir, TEMP_LEN), 0);
    tsk_revcache_unref(c);
}

/* A write ends with SIGXFSZ at each length of the file: what was there before
 * is still there. */
static void a_death_at_any_byte_leaves_the_old_one(void **state)
{
    const char *dir = stash_dir();
    struct tsk_revcache *c = stash_open(dir);
    size_t whole = TSK_CACHEFILE_HEAD + 8;
    size_t died = 0;

    (void)state;
    tsk_revcache_keep_ocsp(c, stash_key(1), "old, old", 8, stash_now + DAY);
    for (size_t n = 0; n <= whole; n++) {
        struct tsk_buf der = {0};
        pid_t pid = child();
        int status;

        if (pid == 0) {
            const struct rlimit no_core = {0, 0};
            const struct rlimit most = {n, n};

            setrlimit(RLIMIT_CORE, &no_core);
            signal(SIGXFSZ, SIG_DFL);
            setrlimit(RLIMIT_FSIZE, &most);
            tsk_revcache_keep_ocsp(c, stash_key(1), "new, new", 8,
                                   stash_now + DAY);
            test_exit(0);
        }
        status = ended(pid);
        died += WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ;
        assert_int_equal(tsk_revcache_ocsp(c, stash_key(1), stash_now, &der),
                         1);
        assert_memory_equal(tsk_buf_at(&der),
                            n < whole ? "old, old" : "new, new", 8);
        tsk_buf_free(&der);
    }
    assert_true(died > 0);
    assert_int_equal(count(dir, TSK_CACHE_NAME), 1);
    tsk_revcache_unref(c);
}

static void what_one_keeps_another_finds(void **state)
{
    const char *dir = stash_dir();
    int go[2];
    struct tsk_revcache *c;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(go), 0);
    pid = child();
    if (pid == 0) {
        struct tsk_crls *l;
        struct tsk_buf der = {0};

        await(go[0]);
        c = tsk_revcache_open(dir, NULL);
        l = tsk_revcache_crls(c, URL, stash_now);
        test_exit(l != NULL && tsk_revcache_ocsp(c, stash_key(1), stash_now,
                                                 &der) == 1
                      ? 0
                      : 1);
    }
    c = stash_open(dir);
    stash_keep_crl(c, URL, 5, 7);
    tsk_revcache_keep_ocsp(c, stash_key(1), "some DER", 8, stash_now + DAY);
    tell(go[1]);
    assert_int_equal(ended(pid), 0);
    close(go[0]);
    close(go[1]);
    tsk_revcache_unref(c);
}

/* One name, many writers: a reader sees one that is whole at any moment. */
static void writers_of_one_name_never_show_half(void **state)
{
    const char *dir = stash_dir();
    struct tsk_revcache *c = stash_open(dir);
    pid_t pids[3];
    int pipes[2], left = 3;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    for (int i = 0; i < 3; i++) {
        pids[i] = child();
        if (pids[i] == 0) {
            struct tsk_revcache *own = tsk_revcache_open(dir, NULL);
            unsigned char body[BIG];

            for (int k = 0; k < 50; k++) {
                memset(body, (i + k * 3) * KEYS & 0xff, sizeof(body));
                tsk_revcache_keep_ocsp(own, stash_key(0), body, sizeof(body),
                                       stash_now + DAY);
                if (k == 0)
                    tell(pipes[1]);
            }
            test_exit(0);
        }
    }
    for (int i = 0; i < 3; i++)
        await(pipes[0]);
    while (left > 0) {
        int status;

        assert_int_equal(check(c, 0), 1);
        if (waitpid(-1, &status, WNOHANG) > 0) {
            assert_int_equal(status, 0);
            left--;
        }
    }
    assert_int_equal(stash_files(dir, NULL), 1);
    close(pipes[0]);
    close(pipes[1]);
    tsk_revcache_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_leaves_what_is_whole_or_nothing),
        cmocka_unit_test(a_death_at_any_byte_leaves_the_old_one),
        cmocka_unit_test(what_one_keeps_another_finds),
        cmocka_unit_test(writers_of_one_name_never_show_half),
    };

    return cmocka_run_group_tests_name("cacheprocs", tests, stash_real_time,
                                       stash_teardown);
}
