/* A value in Redis: the URL, and the dialogue, in one piece and byte by byte.
 */
#include "net/redis.h"

#include "core/mem.h"
#include "test.h"

static void urls_are_taken_apart(void **state)
{
    static const struct {
        const char *url;
        int tls, db;
        const char *host, *service, *user, *password, *key;
        const char *pass, *ca, *cert;
    } rows[] = {
        {"redis://h/?key=k", 0, 0, "h", "6379", "", "", "k", "", "", ""},
        {"redis://h?key=k", 0, 0, "h", "6379", "", "", "k", "", "", ""},
        {"redis://h:1/3?key=a%20b%26", 0, 3, "h", "1", "", "", "a b&", "", "",
         ""},
        {"redis://[::1]:7/15?key=k", 0, 15, "::1", "7", "", "", "k", "", "",
         ""},
        {"redis://[::1]/?key=k", 0, 0, "::1", "6379", "", "", "k", "", "", ""},
        {"redis://u:p%40%3a%2f@h/?key=k", 0, 0, "h", "6379", "u", "p@:/", "k",
         "", "", ""},
        {"redis://:p@h/?key=k", 0, 0, "h", "6379", "", "p", "k", "", "", ""},
        {"rediss://u@h/?pass=file:/p&ca=/ca.pem&cert=/me.pem&key=k", 1, 0, "h",
         "6379", "u", "", "k", "file:/p", "/ca.pem", "/me.pem"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tsk_redis_where w;
        tlsock_error err = {0};

        if (tsk_redis_where(&w, rows[i].url, &err) != TLSOCK_OK)
            fail_msg("%s: %s", rows[i].url, err.message);
        assert_int_equal(w.tls, rows[i].tls);
        assert_int_equal(w.db, rows[i].db);
        assert_string_equal(w.host, rows[i].host);
        assert_string_equal(w.service, rows[i].service);
        assert_string_equal(w.user, rows[i].user);
        assert_string_equal(w.password, rows[i].password);
        assert_string_equal(w.key, rows[i].key);
        assert_string_equal(w.pass, rows[i].pass);
        assert_string_equal(w.ca, rows[i].ca);
        assert_string_equal(w.cert, rows[i].cert);
    }
}

static char too_long[TSK_REDIS_URL + 2];

static void other_urls_are_not(void **state)
{
    static const char *const rows[] = {
        "",
        "redis://",
        "redis://?key=k",
        "redis:///?key=k",
        "http://h/?key=k",
        "redis://h",
        "redis://h/",
        "redis://h/?",
        "redis://h/?key=",
        "redis://h/?key=k&",
        "redis://h/?key=k&key=l",
        "redis://h/?KEY=k",
        "redis://h/x?key=k",
        "redis://h/-1?key=k",
        "redis://h/65536?key=k",
        "redis://h/1/2?key=k",
        "redis://h:/?key=k",
        "redis://h:0/?key=k",
        "redis://h:65536/?key=k",
        "redis://::1/?key=k",
        "redis://[::1/?key=k",
        "redis://h h/?key=k",
        "redis://h%41/?key=k",
        "redis://h/?key=%4",
        "redis://h/?key=%zz",
        "redis://h/?key=a%00b",
        "redis://h/?key=a%0ab",
        "redis://u:p%0d@h/?key=k",
        "redis://h/?key=k&ca=/x",
        "redis://h/?key=k&cert=/x",
        "rediss://h/?key=k&foo=1",
        "rediss://u:p@h/?key=k&pass=env:P",
        "redis://@/?key=k",
        too_long,
    };

    (void)state;
    memset(too_long, '7', sizeof(too_long) - 1);
    memcpy(too_long, "redis://h/?key=", 15);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tsk_redis_where w;
        tlsock_error err = {0};

        if (tsk_redis_where(&w, rows[i], &err) != TLSOCK_E_ARGUMENT)
            fail_msg("\"%s\" is taken", rows[i]);
        assert_tells(err.hint, "redis://HOST:PORT/DB?key=NAME");
    }
}

/* All of it at once or byte by byte; what was said is in `said`. */
static int talk(const char *url, const char *answer, size_t len, size_t chunk,
                char said[512], char value[64], tlsock_error *err)
{
    struct tsk_redis_where w;
    struct tsk_buf in = {NULL, 0, 0, 0};
    struct tsk_talk t = {.in = &in};
    struct tsk_redis *r;
    size_t fed = 0, at = 0;
    int rc;

    assert_int_equal(tsk_redis_where(&w, url, NULL), TLSOCK_OK);
    r = tsk_redis_new(&w, "offer");
    assert_non_null(r);
    for (;;) {
        size_t n = len - fed < chunk ? len - fed : chunk;

        rc = tsk_redis_step(r, &t, err);
        assert_true(at + t.out.len < 512);
        memcpy(said + at, tsk_buf_at(&t.out), t.out.len);
        at += t.out.len;
        tsk_buf_take(&t.out, t.out.len);
        if (rc != TLSOCK_AGAIN)
            break;
        assert_false(t.ended);
        assert_int_equal(tsk_buf_add(&in, answer + fed, n), 0);
        fed += n;
        t.ended = n == 0;
    }
    said[at] = '\0';
    value[0] = '\0';
    if (rc == TLSOCK_OK) {
        size_t n;
        const char *p = tsk_redis_value(r, &n);

        assert_true(n < 64);
        memcpy(value, p, n);
        value[n] = '\0';
        assert_int_equal(tsk_redis_step(r, &t, err), TLSOCK_OK); /* it stays */
    }
    tsk_redis_free(r);
    tsk_buf_free(&in);
    tsk_talk_free(&t);
    return rc;
}

#define GET "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
#define SET "*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\noffer\r\n$2\r\nNX\r\n"

static void the_dialogue_ends(void **state)
{
    static const char nul[] = "$3\r\na\0b\r\n";
    static const struct {
        const char *name, *url, *answer, *said;
        int rc;
        const char *fact; /* the value, or part of the message */
    } rows[] = {
        {"it is there", "redis://h/?key=k", "$3\r\nabc\r\n", GET, 0, "abc"},
        {"it is empty", "redis://h/?key=k", "$0\r\n\r\n", GET, 0, ""},
        {"lines in it", "redis://h/?key=k", "$5\r\na\r\nb\n\r\n", GET, 0,
         "a\r\nb\n"},
        {"with a password", "redis://:p@h/?key=k", "+OK\r\n$1\r\nx\r\n",
         "*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n" GET, 0, "x"},
        {"with a user", "redis://u:p@h/?key=k", "+OK\r\n$1\r\nx\r\n",
         "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n" GET, 0, "x"},
        {"in a database", "redis://h/7?key=k", "+OK\r\n$1\r\nx\r\n",
         "*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n" GET, 0, "x"},
        {"both", "redis://:p@h/7?key=k", "+OK\r\n+OK\r\n$1\r\nx\r\n",
         "*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n" GET,
         0, "x"},
        {"it is made", "redis://h/?key=k", "$-1\r\n+OK\r\n$5\r\noffer\r\n",
         GET SET GET, 0, "offer"},
        {"somebody else made it", "redis://h/?key=k",
         "$-1\r\n$-1\r\n$3\r\nabc\r\n", GET SET GET, 0, "abc"},
        {"it was made, and is not there", "redis://h/?key=k",
         "$-1\r\n+OK\r\n$-1\r\n", GET SET GET, TLSOCK_E_PROTOCOL, "no Redis"},
        {"the wrong password", "redis://:pw1@h/?key=k",
         "-WRONGPASS invalid username-password pair\r\n",
         "*2\r\n$4\r\nAUTH\r\n$3\r\npw1\r\n" GET, TLSOCK_E_PROTOCOL,
         "refuses the password: WRONGPASS invalid"},
        {"the password comes back", "redis://:pw1@h/?key=k",
         "-ERR unknown command AUTH, beginning with: 'pw1'\r\n",
         "*2\r\n$4\r\nAUTH\r\n$3\r\npw1\r\n" GET, TLSOCK_E_PROTOCOL,
         "refuses the password: ERR"},
        {"no such database", "redis://h/7?key=k", "-ERR DB index\r\n",
         "*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n" GET, TLSOCK_E_PROTOCOL,
         "refuses the number of the database: ERR DB index"},
        {"a password is needed", "redis://h/?key=k",
         "-NOAUTH Authentication required.\r\n", GET, TLSOCK_E_PROTOCOL,
         "refuses the question for the key: NOAUTH"},
        {"read-only", "redis://h/?key=k", "$-1\r\n-READONLY \x1b[2J\r\n",
         GET SET GET, TLSOCK_E_PROTOCOL, "to make the key: READONLY \\x1b[2J"},
        {"the end", "redis://h/?key=k", "", GET, TLSOCK_E_CLOSED_IN_HANDSHAKE,
         "closed the connection"},
        {"the end within", "redis://h/?key=k", "$3\r\nab", GET,
         TLSOCK_E_CLOSED_IN_HANDSHAKE, "closed the connection"},
        {"a web server", "redis://h/?key=k", "HTTP/1.1 400 Bad\r\n", GET,
         TLSOCK_E_PROTOCOL, "no Redis server"},
        {"another type", "redis://h/?key=k", "*1\r\n$1\r\nx\r\n", GET,
         TLSOCK_E_PROTOCOL, "no Redis server"},
        {"a number", "redis://h/?key=k", ":1\r\n", GET, TLSOCK_E_PROTOCOL,
         "no Redis server"},
        {"too much", "redis://h/?key=k", "$16385\r\n", GET, TLSOCK_E_PROTOCOL,
         "no Redis server"},
        {"far too much", "redis://h/?key=k", "$99999999999999999999\r\n", GET,
         TLSOCK_E_PROTOCOL, "no Redis server"},
        {"less than nothing", "redis://h/?key=k", "$-2\r\n", GET,
         TLSOCK_E_PROTOCOL, "no Redis server"},
        {"no length", "redis://h/?key=k", "$\r\n\r\n", GET, TLSOCK_E_PROTOCOL,
         "no Redis server"},
        {"no CR", "redis://h/?key=k", "$1\nx\n", GET, TLSOCK_E_PROTOCOL,
         "no Redis server"},
        {"more than it said", "redis://h/?key=k", "$1\r\nxyz\r\n", GET,
         TLSOCK_E_PROTOCOL, "no Redis server"},
        {"a NUL", "redis://h/?key=k", nul, GET, 0, "a"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        char said[512], value[64];
        tlsock_error err = {0};
        size_t len = rows[i / 2].answer == nul ? sizeof(nul) - 1
                                               : strlen(rows[i / 2].answer);
        int rc = talk(rows[i / 2].url, rows[i / 2].answer, len,
                      i % 2 == 0 ? 1 : len + 1, said, value, &err);

        if (rc != rows[i / 2].rc || err.code != rc)
            fail_msg("%s: %d \"%s\"", rows[i / 2].name, rc, err.message);
        assert_string_equal(said, rows[i / 2].said);
        if (rc == 0)
            assert_string_equal(value, rows[i / 2].fact);
        else
            assert_tells(err.message, rows[i / 2].fact);
        assert_null(strstr(err.message, "pw1"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(other_urls_are_not),
        cmocka_unit_test(the_dialogue_ends),
    };

    return cmocka_run_group_tests_name("redis", tests, NULL, NULL);
}
