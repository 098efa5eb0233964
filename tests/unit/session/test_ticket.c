#include "session/ticket.h"

#include "core/clock.h"
#include "core/mem.h"
#include "core/str.h"
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HOUR 3600
#define ONE "5b7d19a1c5e84e9f8d0a4cc0bd55f24c"
#define TWO "fe8c1d43e2ac4d4e9fb6a1d0c3e24f10"

static atomic_llong clock_s = 1800000000;

static int64_t wall(void)
{
    return atomic_load(&clock_s);
}

/* Computed by another HKDF, of RFC 5869 with SHA-256: extracted with the salt
 * "tlsock tickets 1", expanded over "tlsock ticket key", the seconds of a
 * period and its number, both in 8 bytes. */
static void keys_follow_from_secret_and_period(void **state)
{
    static const char secret[] = "0123456789abcdef0123456789abcdef";
    static const struct {
        int rotate_s;
        int64_t period;
        const char *name, *aes, *hmac;
    } rows[] = {
        {43200, 41666, "52586763c2e3d566d7622b3a04704a10",
         "4753b7a63790c9da08c37c0972d855164a0a11f8de938666bcd37051e7efbfd4",
         "008f514e51c9ab1f60acfa36e097aca04c98ad769528054dba39d75e7944fdd9"},
        {43200, 41667, "e906d5b61d091710699ebcd350484e8e",
         "a5fc932600527b605a035a771eb0e410379c3646f19df1015c806a21d9f8f96e",
         "78ce6ecd9cf17cc1da30412dd77a19185fae732fda7c0719a3c53c2549fc49fa"},
        {3600, 500000, "f3569f5778caeb6c55b907a3db7fe4db",
         "7b25f4c6c0206280500d2ff9e4748d73fc5e528aacae4645ad299a53c2ff3bbf",
         "b89504826b8e65adf678a3efa42cf066480bdc1c2dbc421e7486e152cea3bd44"},
    };
    uint8_t prk[TSK_TICKET_PRK];
    char text[65];

    (void)state;
    assert_int_equal(tsk_ticketkey_extract(prk, secret, 32), 1);
    tsk_hex(text, prk, sizeof(prk));
    assert_string_equal(
        text,
        "03fcc6f4e24364123d46d31c819fb3cb069ef51c55505b0e23d16e4c143744be");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tsk_ticketkey k;

        assert_int_equal(
            tsk_ticketkey_derive(&k, prk, rows[i].rotate_s, rows[i].period), 1);
        tsk_hex(text, k.name, sizeof(k.name));
        assert_string_equal(text, rows[i].name);
        tsk_hex(text, k.aes, sizeof(k.aes));
        assert_string_equal(text, rows[i].aes);
        tsk_hex(text, k.hmac, sizeof(k.hmac));
        assert_string_equal(text, rows[i].hmac);
    }
}

static char filler[TSK_SECRETS_TEXT + 2], longest[TSK_SECRET_MAX + 2];

static void secrets_are_lines(void **state)
{
    static const struct {
        const char *name, *text;
        size_t n;
        const char *fact; /* NULL: they are taken */
    } rows[] = {
        {"one", ONE, 1, NULL},
        {"with an end of line", ONE "\n", 1, NULL},
        {"as on other systems", ONE "\r\n" TWO "\r\n", 2, NULL},
        {"with blanks around", " \t" ONE "\t ", 1, NULL},
        {"with comments", "# new\n" ONE "\n\n#old\n" TWO, 2, NULL},
        {"eight",
         ONE "\n" TWO "\n" ONE "\n" TWO "\n" ONE "\n" TWO "\n" ONE "\n" TWO, 8,
         NULL},
        {"nine",
         ONE "\n" TWO "\n" ONE "\n" TWO "\n" ONE "\n" TWO "\n" ONE "\n" TWO
             "\n" ONE,
         0, "line 9 of it is one secret too"},
        {"the longest", longest, 1, NULL},
        {"nothing", "", 0, "it holds no secret"},
        {"comments alone", "# " ONE "\n", 0, "it holds no secret"},
        {"31 characters", "5b7d19a1c5e84e9f8d0a4cc0bd55f24", 0,
         "line 1 of it is too short"},
        {"a short second one", ONE "\nshort\n", 0, "line 2 of it is too short"},
        {"zeros", "00000000000000000000000000000000", 0, "over and over"},
        {"seven characters", "abcdefgabcdefgabcdefgabcdefgabcdefg", 0,
         "over and over"},
        {"eight characters", "abcdefghabcdefghabcdefghabcdefgh", 1, NULL},
        {"more than a source has", filler, 0, "too large"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(longest) - 2; i++)
        longest[i] = (char)('a' + i % 26);
    memset(filler, '\n', sizeof(filler) - 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tsk_secrets s;
        tlsock_error err = {0};
        int rc = tsk_secrets_parse(&s, rows[i].text, strlen(rows[i].text), "it",
                                   &err);

        if ((rc == 0) != (rows[i].fact == NULL) || s.n != rows[i].n)
            fail_msg("%s: %d, %zu secrets, \"%s\"", rows[i].name, rc, s.n,
                     err.message);
        if (rows[i].fact == NULL)
            continue;
        assert_code(rc, TLSOCK_E_OWN_FILE);
        assert_tells(err.message, rows[i].fact);
        assert_tells(err.hint, "openssl rand -hex 32");
    }
    longest[TSK_SECRET_MAX] = 'x';
    {
        struct tsk_secrets s;
        tlsock_error err = {0};

        assert_code(tsk_secrets_parse(&s, longest, strlen(longest), "it", &err),
                    TLSOCK_E_OWN_FILE);
        assert_tells(err.message, "too long");
        assert_code(tsk_secrets_parse(&s, ONE "\0" TWO, 65, "it", &err),
                    TLSOCK_E_OWN_FILE);
        assert_tells(err.message, "NUL");
    }
}

static void only_some_files_are_secret(void **state)
{
    static const struct {
        mode_t mode;
        const char *fact;
    } rows[] = {{0400, NULL},        {0600, NULL},        {0440, NULL},
                {0640, NULL},        {0644, "read it"},   {0604, "read it"},
                {0660, "change it"}, {0602, "change it"}, {0601, "read it"},
                {0666, "change it"}};
    char path[] = "/tmp/tlsock-secret-XXXXXX", source[64];
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, ONE "\n", 33), 33);
    snprintf(source, sizeof(source), "file:%s", path);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tsk_secrets s;
        tlsock_error err = {0};

        assert_int_equal(fchmod(fd, rows[i].mode), 0);
        assert_code(tsk_secrets_read(&s, source, NULL, &err),
                    rows[i].fact == NULL ? TLSOCK_OK : TLSOCK_E_OWN_FILE);
        if (rows[i].fact != NULL) {
            assert_tells(err.message, rows[i].fact);
            assert_tells(err.hint, "chmod 600");
        }
    }
    close(fd);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    {
        struct tsk_secrets s;
        tlsock_error err = {0};

        assert_code(tsk_secrets_read(&s, source, NULL, &err),
                    TLSOCK_E_OWN_FILE);
        assert_tells(err.message, "no regular file");
    }
    unlink(path);
}

static void secrets_of(struct tsk_secrets *s, const char *text)
{
    assert_int_equal(tsk_secrets_parse(s, text, strlen(text), "it", NULL), 0);
}

static struct tsk_tickets *tickets_of(const char *text)
{
    struct tsk_tickets *t = tsk_tickets_new();
    struct tsk_secrets s;

    assert_non_null(t);
    /* as from Redis: nothing is there at first */
    assert_int_equal(tsk_tickets_open(t, "redis://h/?key=k", HOUR, NULL), 0);
    assert_int_equal(tsk_tickets_ready(t), 0);
    if (text != NULL) {
        secrets_of(&s, text);
        tsk_tickets_use(t, &s, INT64_MAX);
    }
    return t;
}

/* What the first secret of `text` issues at a time. */
static void issued(struct tsk_ticketkey *k, const char *text, int64_t at)
{
    struct tsk_tickets *t = tickets_of(text);
    int64_t now = wall();

    atomic_store(&clock_s, at);
    assert_int_equal(tsk_tickets_issue(t, k), 1);
    atomic_store(&clock_s, now);
    tsk_tickets_unref(t);
}

static void periods_come_and_go(void **state)
{
    const int64_t start = wall(); /* of a period */
    static const struct {
        const char *name, *by; /* secrets of who issued */
        int64_t at;            /* when, from now */
        const char *with;      /* and of who is asked */
        int want;
    } rows[] = {
        {"now", ONE, 0, ONE, 1},
        {"the end of this period", ONE, HOUR - 1, ONE, 1},
        {"the last period", ONE, -1, ONE, 2},
        {"its start", ONE, -HOUR, ONE, 2},
        {"before that", ONE, -HOUR - 1, ONE, 0},
        {"the next period", ONE, HOUR, ONE, 1},
        {"its end", ONE, 2 * HOUR - 1, ONE, 1},
        {"after that", ONE, 2 * HOUR, ONE, 0},
        {"another secret", TWO, 0, ONE, 0},
        {"an older secret", ONE, 0, TWO "\n" ONE, 2},
        {"an older secret, the next period", ONE, HOUR, TWO "\n" ONE, 2},
        {"an older secret, the last period", ONE, -1, TWO "\n" ONE, 2},
        {"a newer secret, not in use yet", TWO, 0, ONE "\n" TWO, 2},
        {"the secret in use", TWO "\n" ONE, 0, TWO "\n" ONE, 1},
    };

    (void)state;
    assert_int_equal(start % HOUR, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tsk_tickets *t = tickets_of(rows[i].with);
        struct tsk_ticketkey k, found = {{0}, {0}, {0}};
        int got;

        issued(&k, rows[i].by, start + rows[i].at);
        got = tsk_tickets_find(t, k.name, &found);
        if (got != rows[i].want)
            fail_msg("%s: %d", rows[i].name, got);
        if (got != 0)
            assert_memory_equal(&found, &k, sizeof(k));
        tsk_tickets_unref(t);
    }
}

/* The same object, as time passes: what it derived before is of no use. */
static void one_object_goes_with_the_time(void **state)
{
    struct tsk_tickets *t = tickets_of(ONE);
    const int64_t start = wall();
    struct tsk_ticketkey first, k;

    (void)state;
    assert_int_equal(tsk_tickets_issue(t, &first), 1);
    for (int hours = 0; hours < 5; hours++) {
        atomic_store(&clock_s, start + hours * HOUR);
        assert_int_equal(tsk_tickets_issue(t, &k), 1);
        assert_int_equal(memcmp(&k, &first, sizeof(k)) == 0, hours == 0);
        assert_int_equal(tsk_tickets_find(t, first.name, &k), hours == 0   ? 1
                                                              : hours == 1 ? 2
                                                                           : 0);
    }
    atomic_store(&clock_s, start); /* the clock was set back */
    assert_int_equal(tsk_tickets_find(t, first.name, &k), 1);
    tsk_tickets_unref(t);
}

static void what_came_from_afar_ages(void **state)
{
    struct tsk_tickets *t = tickets_of(NULL);
    const int64_t start = wall();
    struct tsk_ticketkey k, old;
    struct tsk_secrets s;

    (void)state;
    assert_int_equal(tsk_tickets_issue(t, &k), 0);
    assert_int_equal(
        tsk_tickets_find(t, (const uint8_t *)"0123456789abcdef", &k), 0);
    secrets_of(&s, ONE);
    tsk_tickets_use(t, &s, start + 2 * HOUR);
    assert_int_equal(tsk_tickets_ready(t), 1);
    atomic_store(&clock_s, start + 2 * HOUR);
    assert_int_equal(tsk_tickets_issue(t, &old), 1);
    tsk_tickets_use(t, &s, start + 4 * HOUR); /* it was reached again */
    atomic_store(&clock_s, start + 2 * HOUR + 1);
    assert_int_equal(tsk_tickets_issue(t, &k), 1);
    atomic_store(&clock_s, start + 4 * HOUR + 1);
    assert_int_equal(tsk_tickets_issue(t, &k), 0);
    assert_int_equal(tsk_tickets_find(t, old.name, &k), 0);
    assert_int_equal(tsk_tickets_ready(t), 0);
    tsk_tickets_use(t, &s, INT64_MAX); /* and again */
    assert_int_equal(tsk_tickets_issue(t, &k), 1);
    atomic_store(&clock_s, start);
    tsk_tickets_unref(t);
}

static void a_reload_is_two_halves(void **state)
{
    struct tsk_tickets *t = tsk_tickets_new();
    struct tsk_ticketkey one, two;
    struct tsk_secrets s;
    tlsock_error err;

    (void)state;
    assert_int_equal(setenv("S", ONE, 1), 0);
    assert_code(tsk_tickets_open(t, "env:S", HOUR, NULL), TLSOCK_OK);
    assert_int_equal(tsk_tickets_issue(t, &one), 1);
    assert_int_equal(setenv("S", TWO, 1), 0);
    assert_code(tsk_tickets_open(t, "env:S", HOUR, NULL), TLSOCK_OK);
    assert_int_equal(tsk_tickets_issue(t, &two), 1);
    assert_memory_equal(&one, &two, sizeof(one)); /* it was open */
    assert_code(tsk_tickets_reread(t, &s, NULL), TLSOCK_OK);
    assert_int_equal(tsk_tickets_issue(t, &two), 1);
    assert_memory_equal(&one, &two, sizeof(one));
    tsk_tickets_use(t, &s, INT64_MAX);
    assert_int_equal(tsk_tickets_issue(t, &two), 1);
    assert_memory_not_equal(&one, &two, sizeof(one));
    assert_int_equal(setenv("S", "short", 1), 0);
    assert_code(tsk_tickets_reread(t, &s, &err), TLSOCK_E_OWN_FILE);
    assert_int_equal(s.n, 0);
    tsk_tickets_use(t, &s, INT64_MAX); /* changes nothing */
    assert_int_equal(tsk_tickets_issue(t, &one), 1);
    assert_memory_equal(&one, &two, sizeof(one));
    assert_code(tsk_tickets_open(t, NULL, HOUR, NULL), TLSOCK_OK);
    assert_int_equal(tsk_tickets_find(t, one.name, &two), 0);
    assert_code(tsk_tickets_reread(t, &s, NULL), TLSOCK_OK);
    assert_int_equal(s.n, 0);
    tsk_tickets_unref(t);
}

static void the_same_is_said_once(void **state)
{
    struct tsk_tickets *t = tsk_tickets_new();
    char note[TSK_TICKETS_NOTE];

    (void)state;
    assert_int_equal(tsk_tickets_said(t, note), 0);
    tsk_tickets_say(t, "one %d", 1);
    assert_int_equal(tsk_tickets_said(t, note), 1);
    assert_string_equal(note, "one 1");
    tsk_tickets_say(t, "one %d", 1);
    assert_int_equal(tsk_tickets_said(t, note), 0);
    tsk_tickets_say(t, "two");
    assert_int_equal(tsk_tickets_said(t, note), 1);
    assert_string_equal(note, "two");
    tsk_tickets_unref(t);
}

#define THREADS 4

static struct tsk_tickets *shared;
static atomic_int stop_them, missed;

/* A key that was just issued opens, whatever is swapped meanwhile: both secrets
 * are in both lists, and the clock moves by a period at most. */
static void *use(void *arg)
{
    (void)arg;
    while (!atomic_load(&stop_them)) {
        struct tsk_ticketkey k, found;

        if (!tsk_tickets_issue(shared, &k))
            continue; /* it was swapped between two looks */
        if (tsk_tickets_find(shared, k.name, &found) != 0 &&
            memcmp(&k, &found, sizeof(k)) != 0)
            atomic_fetch_add(&missed, 1);
    }
    return NULL;
}

static void threads_share_the_keys(void **state)
{
    const char *rounds = getenv("TLSOCK_ROUNDS");
    int n = rounds != NULL ? atoi(rounds) : 100;
    pthread_t threads[THREADS];
    struct tsk_secrets a, b;

    (void)state;
    shared = tickets_of(ONE "\n" TWO);
    secrets_of(&a, ONE "\n" TWO);
    secrets_of(&b, TWO "\n" ONE);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, NULL), 0);
    for (int i = 0; i < n; i++) {
        char note[TSK_TICKETS_NOTE];

        tsk_tickets_use(shared, i % 2 != 0 ? &a : &b, INT64_MAX);
        tsk_tickets_say(shared, "%d", i);
        (void)tsk_tickets_said(shared, note);
        atomic_fetch_add(&clock_s, i % 2 != 0 ? HOUR : -HOUR);
    }
    atomic_store(&stop_them, 1);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&missed), 0);
    tsk_tickets_unref(shared);
}

/* Every own allocation that fails: no key, and the next time there is one. */
static int fails_at, allocations;

static int fail_nth(void)
{
    return ++allocations == fails_at;
}

static void no_memory_is_no_key(void **state)
{
    (void)state;
    assert_int_equal(setenv("S", ONE, 1), 0);
    for (fails_at = 1;; fails_at++) {
        struct tsk_tickets *t;
        struct tsk_ticketkey k;
        int rc = TLSOCK_E_NOMEM, done;

        allocations = 0;
        tsk_mem_fail = fail_nth;
        t = tsk_tickets_new();
        if (t != NULL)
            rc = tsk_tickets_open(t, "env:S", HOUR, NULL);
        if (rc == TLSOCK_OK && !tsk_tickets_issue(t, &k))
            rc = TLSOCK_E_NOMEM;
        done = allocations < fails_at;
        tsk_mem_fail = NULL;
        assert_code(rc, done ? TLSOCK_OK : TLSOCK_E_NOMEM);
        if (t != NULL) {
            assert_code(tsk_tickets_open(t, "env:S", HOUR, NULL), TLSOCK_OK);
            assert_int_equal(tsk_tickets_issue(t, &k), 1);
        }
        tsk_tickets_unref(t);
        if (done)
            break;
    }
    assert_int_equal(fails_at, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_follow_from_secret_and_period),
        cmocka_unit_test(secrets_are_lines),
        cmocka_unit_test(only_some_files_are_secret),
        cmocka_unit_test(periods_come_and_go),
        cmocka_unit_test(one_object_goes_with_the_time),
        cmocka_unit_test(what_came_from_afar_ages),
        cmocka_unit_test(a_reload_is_two_halves),
        cmocka_unit_test(the_same_is_said_once),
        cmocka_unit_test(threads_share_the_keys),
        cmocka_unit_test(no_memory_is_no_key),
    };

    tsk_clock_wall = wall;
    return cmocka_run_group_tests_name("ticket", tests, NULL, NULL);
}
