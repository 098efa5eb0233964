#include "script.h"

/* Peers that never come to an end, or send what no protocol has. */
static const char *const protocols[] = {
    "smtp", "lmtp",     "imap",  "pop3",    "ftp",
    "ldap", "nntp",     "sieve", "xmpp",    "xmpp-server",
    "irc",  "postgres", "mysql", "mariadb", "http"};

#define MEGABYTE 1048576
#define OUT_MOST 262144

/* Fed without an end, whatever it is, it must end, within bounds. */
static int feed_forever(const char *protocol, int server, int after,
                        const char *arg, const char *begin, const char *more,
                        size_t n)
{
    struct end e;
    int rc;

    assert_int_equal(end_begin(&e, protocol, arg, "h.test", server, after), 0);
    end_feed(&e, begin, strlen(begin));
    rc = end_step(&e);
    for (size_t fed = 0; rc == TLSOCK_AGAIN && fed < MEGABYTE; fed += n) {
        end_feed(&e, more, n);
        rc = end_step(&e);
    }
    if (rc == TLSOCK_AGAIN)
        fail_msg("%s (%d) goes on after a megabyte of \"%.*s\"", protocol,
                 server, (int)n, more);
    assert_true(e.t.out.len <= OUT_MOST);
    assert_true(e.in.len < 65536);
    end_free(&e);
    return rc;
}

static const struct {
    const char *protocol;
    int server;
    const char *begin, *more;
    int want;
} endless[] = {
    {"smtp", 0, "", "220-mx\r\n", TLSOCK_E_LIMIT},
    {"smtp", 0, "220 mx\r\n", "250-X\r\n", TLSOCK_E_LIMIT},
    {"smtp", 0, "", "220 x", TLSOCK_E_LIMIT},
    {"imap", 0, "* OK x\r\n", "* 1 EXISTS\r\n", TLSOCK_E_LIMIT},
    {"pop3", 0, "+OK\r\n+OK\r\n", "UIDL\r\n", TLSOCK_E_LIMIT},
    {"ftp", 0, "220-\r\n", "\r\n", TLSOCK_E_LIMIT},
    {"ftp", 0, "", "120 soon\r\n", TLSOCK_E_LIMIT},
    {"nntp", 0, "200 x\r\n101 x\r\n", "READER\r\n", TLSOCK_E_LIMIT},
    {"sieve", 0, "", "\"X\"\r\n", TLSOCK_E_LIMIT},
    {"sieve", 0, "", "\"X\" {9}\r\n123456789", TLSOCK_E_LIMIT},
    {"irc", 0, "", "NOTICE * :x\r\n", TLSOCK_E_LIMIT},
    {"irc", 0, "", "PING :x\r\n", TLSOCK_E_LIMIT},
    {"http", 0, "HTTP/1.1 101 x\r\n", "X: y\r\n", TLSOCK_E_LIMIT},
    {"http", 0, "", "HTTP/1.1 100 x\r\n\r\n", TLSOCK_E_LIMIT},
    {"xmpp", 0, "", "      ", TLSOCK_E_LIMIT},
    {"xmpp", 0, "<a", " b='c'", TLSOCK_E_LIMIT},
    {"xmpp", 0,
     "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
     "version='1.0'><stream:features>",
     "<a>x", TLSOCK_E_LIMIT},
    {"smtp", 1, "", "NOOP\r\n", TLSOCK_E_LIMIT},
    {"smtp", 1, "", "EHLO c\r\n", TLSOCK_E_LIMIT},
    {"imap", 1, "", "a NOOP\r\n", TLSOCK_E_LIMIT},
    {"pop3", 1, "", "CAPA\r\n", TLSOCK_E_LIMIT},
    {"ftp", 1, "", "FEAT\r\n", TLSOCK_E_LIMIT},
    {"nntp", 1, "", "CAPABILITIES\r\n", TLSOCK_E_LIMIT},
    {"sieve", 1, "", "NOOP\r\n", TLSOCK_E_LIMIT},
    {"irc", 1, "", "PING x\r\n", TLSOCK_E_LIMIT},
    {"irc", 1, "", "\r\n", TLSOCK_E_LIMIT},
    {"http", 1, "", "\r\n", TLSOCK_E_LIMIT},
    {"ldap", 1, "", "\x30\6\2\1\1\x50\1\1", TLSOCK_E_LIMIT},
};

static void what_never_ends_is_ended(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(endless); i++) {
        int rc = feed_forever(endless[i].protocol, endless[i].server, 0, NULL,
                              endless[i].begin, endless[i].more,
                              strlen(endless[i].more));

        if (rc != endless[i].want)
            fail_msg("\"%s\" to %s: %s", endless[i].more, endless[i].protocol,
                     tlsock_errname(rc));
    }
    assert_code(feed_forever("ftp", 1, 1, "P", "", "PBSZ 0\r\n", 8),
                TLSOCK_E_LIMIT);
    assert_code(feed_forever("ftp", 0, 1, "P", "", "200-\r\n", 6),
                TLSOCK_E_LIMIT);
}

static void each_byte_for_ever_ends_every_dialogue(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(protocols); i++)
        for (int server = 0; server < 2; server++)
            for (int c = 0; c < 256; c++) {
                char byte[64];
                int rc;

                memset(byte, c, sizeof(byte));
                rc = feed_forever(protocols[i], server, 0, NULL, "", byte,
                                  sizeof(byte));
                if (rc == 0) /* the rest is what its owner refuses */
                    assert_true(strcmp(protocols[i], "postgres") == 0 &&
                                c == 'S');
            }
}

static void a_line_of_a_megabyte_is_no_line(void **state)
{
    char *line = malloc(MEGABYTE);

    (void)state;
    assert_non_null(line);
    memset(line, ' ', MEGABYTE);
    for (size_t i = 0; i < COUNT(protocols); i++)
        for (int server = 0; server < 2; server++) {
            struct end e;

            assert_int_equal(
                end_begin(&e, protocols[i], NULL, "h.test", server, 0), 0);
            end_feed(&e, line, MEGABYTE);
            assert_true(end_step(&e) < TLSOCK_AGAIN);
            end_free(&e);
        }
    free(line);
}

static void nul_bytes_are_refused_where_text_is_spoken(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(protocols); i++)
        for (int server = 0; server < 2; server++) {
            struct end e;

            if (strcmp(protocols[i], "postgres") == 0 && server)
                continue; /* speaks no text, and its lengths begin so */
            assert_int_equal(
                end_begin(&e, protocols[i], NULL, "h.test", server, 0), 0);
            end_feed(&e, "\0\0\0\0\r\n", 6);
            assert_code(end_step(&e), TLSOCK_E_PROTOCOL);
            end_free(&e);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_never_ends_is_ended),
        cmocka_unit_test(each_byte_for_ever_ends_every_dialogue),
        cmocka_unit_test(a_line_of_a_megabyte_is_no_line),
        cmocka_unit_test(nul_bytes_are_refused_where_text_is_spoken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
