#include "script.h"

static const char *const protocols[] = {
    "smtp", "lmtp",     "imap",  "pop3",    "ftp",
    "ldap", "nntp",     "sieve", "xmpp",    "xmpp-server",
    "irc",  "postgres", "mysql", "mariadb", "http"};

static void every_protocol_is_known_by_its_exact_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(protocols); i++) {
        struct end e;

        assert_true(tsk_starttls_leads_to_tls(protocols[i], NULL));
        assert_tells(tsk_starttls_names(), protocols[i]);
        assert_int_equal(end_begin(&e, protocols[i], NULL, "h.test", 0, 0), 0);
        assert_string_equal(tsk_starttls_protocol(e.d), protocols[i]);
        end_free(&e);
    }
    assert_false(tsk_starttls_leads_to_tls("SMTP", NULL));
    assert_false(tsk_starttls_leads_to_tls("smtps", NULL));
    assert_false(tsk_starttls_leads_to_tls("", NULL));
    assert_true(tsk_starttls_leads_to_tls("ftp", "P"));
    assert_false(tsk_starttls_leads_to_tls("ftp", "ccc"));
    assert_false(tsk_starttls_leads_to_tls("imap", "x"));
    tsk_starttls_free(NULL);
}

#define LONG16 "aaaaaaaaaaaaaaaa"
#define LONG64 LONG16 LONG16 LONG16 LONG16

static const struct {
    const char *protocol, *arg, *host;
    int server, after, want;
    const char *tells;
} cases[] = {
    {"gopher\n", NULL, NULL, 0, 0, TLSOCK_E_ARGUMENT, "\"gopher\\x0a\""},
    {"SMTP", NULL, NULL, 0, 0, TLSOCK_E_ARGUMENT, "smtp, lmtp, imap"},
    {"smtp", "mx.test", NULL, 0, 0, 0, NULL},
    {"smtp", NULL, "a b", 0, 0, 0, NULL}, /* not said */
    {"smtp", NULL, "a b", 1, 0, TLSOCK_E_ARGUMENT, "host's name: \"a b\""},
    {"smtp", NULL, "", 1, 0, 0, NULL},
    {"smtp", "", NULL, 0, 0, TLSOCK_E_ARGUMENT, "1 to 255"},
    {"smtp", "a\r\nRSET", NULL, 0, 0, TLSOCK_E_ARGUMENT, "\"a\\x0d\\x0aRSET\""},
    {"smtp", "a\nb", NULL, 0, 0, TLSOCK_E_ARGUMENT, "a\\x0ab"},
    {"smtp", "a b", NULL, 0, 0, TLSOCK_E_ARGUMENT, "blanks"},
    {"smtp", "a\x7f", NULL, 0, 0, TLSOCK_E_ARGUMENT, "control"},
    {"lmtp", "a\tb", NULL, 0, 0, TLSOCK_E_ARGUMENT, "lmtp"},
    {"smtp", "\xc3\xa4.test", NULL, 0, 0, TLSOCK_E_ARGUMENT, "ASCII"},
    {"smtp", LONG64 LONG64 LONG64 LONG64, NULL, 0, 0, TLSOCK_E_ARGUMENT, "255"},
    {"xmpp", "\xc3\xa4.test", NULL, 0, 0, 0, NULL},
    {"xmpp", "a'", "h", 0, 0, TLSOCK_E_ARGUMENT, "quotes"},
    {"xmpp", "a\"", "h", 0, 0, TLSOCK_E_ARGUMENT, "quotes"},
    {"xmpp", "a<", "h", 0, 0, TLSOCK_E_ARGUMENT, "a<"},
    {"xmpp", "a>", "h", 0, 0, TLSOCK_E_ARGUMENT, "a>"},
    {"xmpp", "a&amp;", "h", 0, 0, TLSOCK_E_ARGUMENT, "&"},
    {"xmpp", "a\\", "h", 0, 0, TLSOCK_E_ARGUMENT, "a"},
    {"xmpp", NULL, "a'/><b", 0, 0, TLSOCK_E_ARGUMENT, "a'/>"},
    {"xmpp", NULL, "a'", 1, 0, TLSOCK_E_ARGUMENT, "a'"},
    {"xmpp", "x", "a'", 0, 0, 0, NULL}, /* not said */
    {"xmpp", NULL, NULL, 0, 0, TLSOCK_E_ARGUMENT, "no domain"},
    {"xmpp-server", NULL, "", 0, 0, TLSOCK_E_ARGUMENT, "xmpp-server"},
    {"xmpp", NULL, NULL, 1, 0, 0, NULL},
    {"http", NULL, NULL, 0, 0, TLSOCK_E_ARGUMENT, "no host"},
    {"http", "h\r\nX: y", NULL, 0, 0, TLSOCK_E_ARGUMENT, "X: y"},
    {"http", NULL, "h\r\nX: y", 0, 0, TLSOCK_E_ARGUMENT, "X: y"},
    {"http", NULL, NULL, 1, 0, 0, NULL},
    {"imap", "x", NULL, 0, 0, TLSOCK_E_ARGUMENT, "takes no argument"},
    {"postgres", "x", NULL, 1, 0, TLSOCK_E_ARGUMENT, "leave it out"},
    {"imap", NULL, NULL, 0, 1, TLSOCK_E_ARGUMENT, "only ftp"},
    {"ftp", "P", NULL, 0, 0, 0, NULL},
    {"ftp", "c", "a b", 0, 1, 0, NULL},
    {"ftp", "S", NULL, 0, 0, TLSOCK_E_ARGUMENT, "\"S\""},
    {"ftp", "", NULL, 0, 0, TLSOCK_E_ARGUMENT, "P or C"},
    {"ftp", "P\r\n", NULL, 0, 0, TLSOCK_E_ARGUMENT, "P\\x0d\\x0a"},
    {"ftp", "ccc", NULL, 0, 0, TLSOCK_E_ARGUMENT, "before TLS"},
    {"ftp", NULL, NULL, 0, 1, TLSOCK_E_ARGUMENT, "ccc"},
    {"ftp", "x", NULL, 0, 1, TLSOCK_E_ARGUMENT, "unknown"},
    {"ftp", NULL, "a\n", 1, 0, TLSOCK_E_ARGUMENT, "a\\x0a"},
};

static void arguments_cannot_end_a_command(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct end e;
        int rc = end_begin(&e, cases[i].protocol, cases[i].arg, cases[i].host,
                           cases[i].server, cases[i].after);

        if (rc != cases[i].want)
            fail_msg("case %zu (%s): %s %s", i, cases[i].protocol,
                     tlsock_errname(rc), e.err.message);
        if (rc != 0) {
            assert_int_equal(e.err.phase, TLSOCK_PHASE_STARTTLS);
            assert_true(e.err.hint[0] != '\0');
            if (strstr(e.err.message, cases[i].tells) == NULL)
                assert_tells(e.err.hint, cases[i].tells);
        }
        end_free(&e);
    }
}

static void a_name_of_255_is_said_and_one_of_256_is_not(void **state)
{
    char name[257];
    struct end e;

    (void)state;
    memset(name, 'a', 256);
    name[256] = '\0';
    assert_code(end_begin(&e, "xmpp", name, NULL, 0, 0), TLSOCK_E_ARGUMENT);
    name[255] = '\0';
    assert_int_equal(end_begin(&e, "xmpp", name, NULL, 0, 0), 0);
    assert_int_equal(end_step(&e), TLSOCK_AGAIN);
    assert_true(e.t.out.len > 255);
    end_free(&e);
}

static const struct {
    const char *protocol, *arg;
    int after, has_after, ends;
} parts[] = {
    {"ftp", NULL, 0, 0, 0}, {"ftp", "P", 0, 1, 0},   {"ftp", "C", 0, 1, 0},
    {"ftp", "P", 1, 0, 0},  {"ftp", "ccc", 1, 0, 1}, {"ftp", "CCC", 1, 0, 1},
    {"smtp", "a", 0, 0, 0},
};

static void only_ftp_goes_on_after_the_handshake(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++)
        for (int server = 0; server < 2; server++) {
            struct end e;

            assert_int_equal(end_begin(&e, parts[i].protocol, parts[i].arg,
                                       NULL, server, parts[i].after),
                             0);
            assert_int_equal(tsk_starttls_has_after(e.d), parts[i].has_after);
            assert_int_equal(tsk_starttls_ends_tls(e.d), parts[i].ends);
            end_free(&e);
        }
}

static void only_mysql_clients_begin_tls_unasked(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(protocols); i++)
        for (int server = 0; server < 2; server++) {
            int mysql = strcmp(protocols[i], "mysql") == 0 ||
                        strcmp(protocols[i], "mariadb") == 0;
            struct end e;

            assert_int_equal(
                end_begin(&e, protocols[i], NULL, "h.test", server, 0), 0);
            assert_int_equal(tsk_starttls_runs_on(e.d), mysql && server);
            end_free(&e);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_protocol_is_known_by_its_exact_name),
        cmocka_unit_test(arguments_cannot_end_a_command),
        cmocka_unit_test(a_name_of_255_is_said_and_one_of_256_is_not),
        cmocka_unit_test(only_ftp_goes_on_after_the_handshake),
        cmocka_unit_test(only_mysql_clients_begin_tls_unasked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
