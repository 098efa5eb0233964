/* The file of sessions: shared, bounded, and believed only if it is ours. */
#include "session/file.h"
#include "core/mem.h"
#include "session/table.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/tlsock-sesXXXXXX", path[64];

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/sessions", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static struct tsk_session_file *fresh(size_t most)
{
    struct tsk_session_file *f;

    unlink(path);
    f = tsk_session_file_new(path, most, NULL);
    assert_non_null(f);
    return f;
}

static void key_of(const char *name, uint8_t key[TSK_SESSION_KEY])
{
    memset(key, 0, TSK_SESSION_KEY);
    memcpy(key, name, strlen(name));
}

static int put(struct tsk_session_file *f, const char *name, const char *text,
               int64_t expires, int once)
{
    uint8_t key[TSK_SESSION_KEY];

    key_of(name, key);
    return tsk_session_file_put(f, key, text, strlen(text), expires, once, 10);
}

/* "": none */
static const char *take(struct tsk_session_file *f, const char *name,
                        int64_t now)
{
    static uint8_t out[TSK_SESSION_BYTES_MAX + 1];
    uint8_t key[TSK_SESSION_KEY];

    key_of(name, key);
    memset(out, 0, sizeof(out));
    out[tsk_session_file_take(f, key, now, out)] = '\0';
    return (const char *)out;
}

static void what_is_used_once_is_given_out_once(void **state)
{
    struct tsk_session_file *f = fresh(10);
    struct stat st;

    (void)state;
    assert_string_equal(take(f, "a", 20), "");
    assert_int_equal(access(path, F_OK), -1); /* asking makes no file */
    assert_int_equal(put(f, "a", "one", 100, 1), 1);
    assert_int_equal(put(f, "a", "two", 100, 1), 1);
    assert_int_equal(put(f, "b", "again", 100, 0), 1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_string_equal(take(f, "c", 20), "");
    assert_string_equal(take(f, "a", 20), "two"); /* the newest first */
    assert_string_equal(take(f, "a", 20), "one");
    assert_string_equal(take(f, "a", 20), "");
    for (int i = 0; i < 3; i++)
        assert_string_equal(take(f, "b", 20), "again");
    tsk_session_file_free(f);
    f = tsk_session_file_new(path, 10, NULL); /* a restart */
    assert_string_equal(take(f, "b", 20), "again");
    assert_null(tsk_session_file_trouble(f));
    tsk_session_file_free(f);
}

static void it_ends_when_it_is_over(void **state)
{
    struct tsk_session_file *f = fresh(10);

    (void)state;
    assert_int_equal(put(f, "a", "late", 10, 1), 0);
    assert_int_equal(put(f, "a", "one", 100, 0), 1);
    assert_string_equal(take(f, "a", 99), "one");
    assert_string_equal(take(f, "a", 100), "");
    assert_string_equal(take(f, "a", 99), ""); /* it was removed */
    tsk_session_file_free(f);
}

static void it_is_bounded(void **state)
{
    struct tsk_session_file *f = fresh(3);
    static char large[TSK_SESSION_BYTES_MAX + 2];
    char name[16];
    struct stat st;

    (void)state;
    memset(large, 'x', sizeof(large) - 1);
    assert_int_equal(put(f, "a", large, 100, 1), 0);
    large[TSK_SESSION_BYTES_MAX] = '\0';
    for (int i = 0; i < 9; i++) {
        snprintf(name, sizeof(name), "k%d", i);
        assert_int_equal(put(f, name, large, 100, 1), 1);
    }
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 64 + 3 * 64 + 3 * TSK_SESSION_BYTES_MAX);
    assert_string_equal(take(f, "k5", 20), "");
    assert_string_equal(take(f, "k6", 20), large);
    tsk_session_file_free(f);
    f = fresh(100);
    for (int i = 0; i < 9; i++) /* of one peer: four, or one */
        assert_int_equal(put(f, "a", "text", 100, 1), 1);
    for (int i = 0; i < 4; i++)
        assert_string_equal(take(f, "a", 20), "text");
    assert_string_equal(take(f, "a", 20), "");
    assert_int_equal(put(f, "b", "old", 100, 0), 1);
    assert_int_equal(put(f, "b", "new", 100, 0), 1);
    assert_string_equal(take(f, "b", 20), "new");
    tsk_session_file_free(f);
    f = fresh(0);
    assert_int_equal(put(f, "a", "text", 100, 1), 0);
    assert_int_equal(access(path, F_OK), -1);
    tsk_session_file_free(f);
}

/* Is the text anywhere in the file? */
static int holds(const char *text)
{
    static char all[1 << 16];
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, all, sizeof(all));

    close(fd);
    assert_true(n > 0);
    return memmem(all, (size_t)n, text, strlen(text)) != NULL;
}

static void what_is_gone_is_overwritten(void **state)
{
    static const char secret[] = "a secret that is longer than the next one";
    struct tsk_session_file *f = fresh(2);
    uint8_t key[TSK_SESSION_KEY];

    (void)state;
    assert_int_equal(put(f, "a", secret, 100, 1), 1);
    assert_true(holds("longer"));
    take(f, "a", 20);
    assert_false(holds("longer"));
    put(f, "a", secret, 100, 0);
    put(f, "a", "short", 100, 0);
    assert_false(holds("longer"));
    put(f, "b", secret, 100, 0);
    take(f, "b", 200);
    assert_false(holds("longer"));
    put(f, "b", secret, 100, 0);
    key_of("b", key);
    tsk_session_file_forget(f, key);
    assert_false(holds("longer"));
    tsk_session_file_free(f);
}

static void write_file(const void *data, size_t len, mode_t mode)
{
    int fd;

    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void a_file_of_others_is_refused(void **state)
{
    static const struct {
        mode_t mode;
        int good;
    } rows[] = {{0600, 1}, {0640, 0}, {0620, 0},
                {0604, 0}, {0602, 0}, {0400, 1}};
    struct tsk_session_file *f;
    tlsock_error err;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_file("", 0, rows[i].mode);
        memset(&err, 0, sizeof(err));
        f = tsk_session_file_new(path, 10, &err);
        assert_int_equal(f != NULL, rows[i].good);
        if (f == NULL) {
            assert_int_equal(err.code, TLSOCK_E_OWN_FILE);
            assert_non_null(strstr(err.message, path));
            assert_true(err.hint[0] != '\0');
        }
        tsk_session_file_free(f);
    }
    unlink(path);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_null(tsk_session_file_new(path, 10, NULL));
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(tsk_session_file_new(path, 10, NULL));
    unlink(path);
    if (geteuid() == 0) {
        write_file("", 0, 0600);
        assert_int_equal(chown(path, 12345, 0), 0);
        assert_null(tsk_session_file_new(path, 10, NULL));
    }
}

static void a_place_that_cannot_be_is_told_at_once(void **state)
{
    char cwd[PATH_MAX], gone[PATH_MAX];
    tlsock_error err = {0};

    (void)state;
    write_file("", 0, 0600);
    snprintf(gone, sizeof(gone), "%s/below", path); /* a file is above it */
    assert_null(tsk_session_file_new(gone, 10, &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    assert_int_equal(err.sys_errno, ENOTDIR);
    assert_tells(err.message, "below");
    unlink(path);

    assert_non_null(getcwd(cwd, sizeof(cwd)));
    snprintf(gone, sizeof(gone), "%s.d", path);
    assert_int_equal(mkdir(gone, 0700), 0);
    assert_int_equal(chdir(gone), 0);
    assert_int_equal(rmdir(gone), 0);
    memset(&err, 0, sizeof(err));
    assert_null(tsk_session_file_new("s", 10, &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_int_equal(chdir(cwd), 0);
}

/* It was good when the config was made. */
static void a_file_that_changes_hands_is_left(void **state)
{
    struct tsk_session_file *f = fresh(10);

    (void)state;
    assert_int_equal(put(f, "a", "text", 100, 0), 1);
    assert_int_equal(chmod(path, 0666), 0);
    assert_string_equal(take(f, "a", 20), "");
    assert_non_null(strstr(tsk_session_file_trouble(f), "0600"));
    assert_null(tsk_session_file_trouble(f)); /* told once */
    assert_int_equal(put(f, "a", "more", 100, 0), 0);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(put(f, "a", "more", 100, 0), 1);
    assert_int_equal(chmod(path, 0666), 0);
    assert_string_equal(take(f, "a", 20), "");
    assert_non_null(tsk_session_file_trouble(f)); /* anew */
    tsk_session_file_free(f);
}

static void a_file_of_another_format_is_left_alone(void **state)
{
    static const char *const rows[] = {"#!/bin/sh\necho the user's own\n",
                                       "tskf", "tskf\2\0\0\0", "tskf\1\0\0\0"};
    static const size_t lens[] = {31, 4, 64, 64};
    struct tsk_session_file *f;
    char data[64] = {0}, now[65];
    int fd;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(data, 0, sizeof(data));
        memcpy(data, rows[i], i < 2 ? lens[i] : 8);
        write_file(data, lens[i], 0600);
        f = tsk_session_file_new(path, 10, NULL);
        assert_non_null(f);
        assert_int_equal(put(f, "a", "text", 100, 0), 0);
        assert_string_equal(take(f, "a", 20), "");
        assert_non_null(strstr(tsk_session_file_trouble(f), "format"));
        fd = open(path, O_RDONLY);
        assert_int_equal(read(fd, now, sizeof(now)), lens[i]);
        assert_memory_equal(now, data, lens[i]);
        close(fd);
        tsk_session_file_free(f);
    }
}

/* Anything at all behind a good head: no crash, and nothing beyond it. */
static void garbage_in_the_table_is_empty_places(void **state)
{
    uint8_t data[64 + 3 * 64 + 100] = {'t', 's', 'k', 'f', 1};
    struct tsk_session_file *f;
    uint8_t key[TSK_SESSION_KEY];

    (void)state;
    data[11] = 3;
    data[14] = TSK_SESSION_BYTES_MAX >> 8;
    for (unsigned fill = 0; fill < 256; fill++) {
        for (size_t i = 64; i < sizeof(data); i++)
            data[i] = (uint8_t)(fill + (fill & 1) * i);
        write_file(data, sizeof(data), 0600);
        f = tsk_session_file_new(path, 10, NULL);
        memset(key, (int)fill, sizeof(key));
        assert_int_equal(tsk_session_file_take(
                             f, key, 20, (uint8_t[TSK_SESSION_BYTES_MAX]){0}),
                         0);
        assert_int_equal(put(f, "a", "text", 100, 0), 1);
        assert_string_equal(take(f, "a", 20), "text");
        tsk_session_file_free(f);
    }
}

static void a_lock_that_is_held_is_not_waited_for(void **state)
{
    struct tsk_session_file *f = fresh(10);
    int fd;

    (void)state;
    put(f, "a", "text", 100, 0);
    fd = open(path, O_RDONLY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_string_equal(take(f, "a", 20), "");
    assert_non_null(strstr(tsk_session_file_trouble(f), "locked"));
    close(fd);
    assert_string_equal(take(f, "a", 20), "text");
    tsk_session_file_free(f);
}

static void what_the_system_cannot_read_is_no_table(void **state)
{
    struct tsk_session_table none = {.fd = -1}, folder = {0};

    (void)state;
    assert_int_equal(tsk_session_table_read(&none, 4, 0), -1);
    folder.fd = open(dir, O_RDONLY);
    assert_true(folder.fd >= 0);
    assert_int_equal(tsk_session_table_read(&folder, 4, 0), -1);
    tsk_session_table_close(&folder);
}

/* A child that has the descriptor, forked in the middle of a call, holds no
 * lock: it is given back by name. */
static void a_child_that_has_the_descriptor_locks_nobody_out(void **state)
{
    struct tsk_session_table t = {0};
    struct tsk_session_file *f = fresh(10);
    int ends[2], child;

    (void)state;
    assert_int_equal(put(f, "a", "text", 100, 0), 1);
    assert_int_equal(pipe(ends), 0);
    t.fd = open(path, O_RDWR);
    assert_int_equal(flock(t.fd, LOCK_EX), 0);
    child = fork();
    if (child == 0) {
        close(ends[1]);
        test_exit((int)read(ends[0], &(char){0}, 1)); /* until we are done */
    }
    tsk_session_table_close(&t);
    assert_string_equal(take(f, "a", 20), "text");
    close(ends[1]);
    close(ends[0]);
    waitpid(child, NULL, 0);
    tsk_session_file_free(f);
}

#define TICKETS 60

/* Of all tickets put by anybody, each is taken once at most. */
static int worker(int n)
{
    struct tsk_session_file *f = tsk_session_file_new(path, 200, NULL);
    char name[16], text[32];
    int got = 0;

    for (int i = 0; i < TICKETS; i++) {
        snprintf(name, sizeof(name), "k%d", i % 5);
        snprintf(text, sizeof(text), "%d of %d", i, n);
        put(f, name, text, 100, 1);
        got += take(f, name, 20)[0] != '\0';
    }
    tsk_session_file_free(f);
    return got;
}

static void processes_share_it(void **state)
{
    struct tsk_session_file *f = fresh(200);
    int status, got = 0;
    char name[16];

    (void)state;
    for (int i = 0; i < 4; i++)
        if (fork() == 0)
            test_exit(worker(i));
    for (int i = 0; i < 4; i++) {
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status));
        got += WEXITSTATUS(status);
    }
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "k%d", i);
        while (take(f, name, 20)[0] != '\0')
            got++;
    }
    assert_within(got, 1, 4 * TICKETS);
    tsk_session_file_free(f);
}

/* Each text is there once: who takes one writes it down. */
struct shared {
    struct tsk_session_file *f;
    atomic_int taken[4 * TICKETS];
    atomic_int next;
};

static void *hammer(void *arg)
{
    struct shared *sh = arg;
    uint8_t key[TSK_SESSION_KEY], out[TSK_SESSION_BYTES_MAX];
    char text[16];

    key_of("one", key);
    for (int i = 0; i < TICKETS; i++) {
        int n = atomic_fetch_add(&sh->next, 1);
        size_t len;

        snprintf(text, sizeof(text), "%d", n);
        tsk_session_file_put(sh->f, key, text, strlen(text) + 1, 100, 1, 10);
        len = tsk_session_file_take(sh->f, key, 20, out);
        if (len != 0)
            atomic_fetch_add(&sh->taken[atoi((char *)out)], 1);
    }
    return NULL;
}

static void threads_share_it_and_none_gets_another_ones(void **state)
{
    struct shared sh = {.f = fresh(200)};
    pthread_t t[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, hammer, &sh), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 4 * TICKETS; i++)
        assert_within(atomic_load(&sh.taken[i]), 0, 1);
    tsk_session_file_free(sh.f);
}

/* What was half written is none, and what was whole stays. */
static void a_full_disk_keeps_what_is_there(void **state)
{
    struct tsk_session_file *f = fresh(10);
    struct rlimit was, small;

    (void)state;
    assert_int_equal(put(f, "a", "text", 100, 0), 1);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    small = was;
    small.rlim_cur = 64 + 10 * 64 + TSK_SESSION_BYTES_MAX + 2;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(put(f, "b", "more", 100, 0), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_non_null(strstr(tsk_session_file_trouble(f), "written"));
    assert_string_equal(take(f, "b", 20), "");
    assert_string_equal(take(f, "a", 20), "text");
    assert_int_equal(put(f, "b", "more", 100, 0), 1);
    assert_string_equal(take(f, "b", 20), "more");
    tsk_session_file_free(f);
}

static int never_memory(void)
{
    return 1;
}

static void without_memory_nothing_is_kept(void **state)
{
    struct tsk_session_file *f = fresh(10);
    tlsock_error err = {0};

    (void)state;
    put(f, "a", "text", 100, 0);
    tsk_mem_fail = never_memory;
    assert_int_equal(put(f, "b", "text", 100, 0), 0);
    assert_string_equal(take(f, "a", 20), "");
    assert_null(tsk_session_file_new(path, 10, &err));
    tsk_mem_fail = NULL;
    assert_int_equal(err.code, TLSOCK_E_NOMEM);
    assert_string_equal(take(f, "a", 20), "text");
    tsk_session_file_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_used_once_is_given_out_once),
        cmocka_unit_test(it_ends_when_it_is_over),
        cmocka_unit_test(it_is_bounded),
        cmocka_unit_test(what_is_gone_is_overwritten),
        cmocka_unit_test(a_file_of_others_is_refused),
        cmocka_unit_test(a_place_that_cannot_be_is_told_at_once),
        cmocka_unit_test(a_file_that_changes_hands_is_left),
        cmocka_unit_test(a_file_of_another_format_is_left_alone),
        cmocka_unit_test(garbage_in_the_table_is_empty_places),
        cmocka_unit_test(a_lock_that_is_held_is_not_waited_for),
        cmocka_unit_test(what_the_system_cannot_read_is_no_table),
        cmocka_unit_test(a_child_that_has_the_descriptor_locks_nobody_out),
        cmocka_unit_test(processes_share_it),
        cmocka_unit_test(threads_share_it_and_none_gets_another_ones),
        cmocka_unit_test(a_full_disk_keeps_what_is_there),
        cmocka_unit_test(without_memory_nothing_is_kept),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
