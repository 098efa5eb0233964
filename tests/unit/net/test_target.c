#include "net_help.h"

#include "net/target.h"

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define SPACE64 X50 "12345678901234"

static const struct {
    const char *text;
    int listening;
    const char *host, *service, *path, *scheme, *starttls;
    int is_ip, any;
} good[] = {
    {"example.com:443", 0, "example.com", "443", "", "", "", 0, 0},
    {"example.com", 0, "example.com", "443", "", "", "", 0, 0},
    {"Example.COM.:00443", 0, "Example.COM.", "443", "", "", "", 0, 0},
    {"example.com:https", 0, "example.com", "https", "", "", "", 0, 0},
    {"m\xc3\xbcnchen.de:1", 0, "m\xc3\xbcnchen.de", "1", "", "", "", 0, 0},
    {"192.0.2.1:65535", 0, "192.0.2.1", "65535", "", "", "", 4, 0},
    {"192.0.2.1", 0, "192.0.2.1", "443", "", "", "", 4, 0},
    {"[::1]:443", 0, "::1", "443", "", "", "", 6, 0},
    {"[::1]:imaps", 0, "::1", "imaps", "", "", "", 6, 0},
    {"[::1]", 0, "::1", "443", "", "", "", 6, 0},
    {"::1", 0, "::1", "443", "", "", "", 6, 0},
    {"::1:443", 0, "::1:443", "443", "", "", "", 6, 0},
    {"2001:DB8::1", 0, "2001:DB8::1", "443", "", "", "", 6, 0},
    {"https:8443", 0, "https", "8443", "", "", "", 0, 0},
    {"unix:/run/x y", 0, "", "", "/run/x y", "", "", 0, 0},
    {"unix:///run/x", 0, "", "", "///run/x", "", "", 0, 0},
    {"unix:rel:1", 0, "", "", "rel:1", "", "", 0, 0},
    {"https://a.example", 0, "a.example", "443", "", "https", "", 0, 0},
    {"HTTPS://a.example/", 0, "a.example", "443", "", "https", "", 0, 0},
    {"https://a.example:8443/x?y#z", 0, "a.example", "8443", "", "https", "",
     0, 0},
    {"https://a.example?q=a@b:1", 0, "a.example", "443", "", "https", "", 0,
     0},
    {"https://[2001:db8::1]:1/x", 0, "2001:db8::1", "1", "", "https", "", 6,
     0},
    {"https://[::1]", 0, "::1", "443", "", "https", "", 6, 0},
    {"imaps://a.example", 0, "a.example", "993", "", "imaps", "", 0, 0},
    {"smtps://a.example", 0, "a.example", "465", "", "smtps", "", 0, 0},
    {"pop3s://a.example", 0, "a.example", "995", "", "pop3s", "", 0, 0},
    {"ldaps://a.example/", 0, "a.example", "636", "", "ldaps", "", 0, 0},
    {"ftps://a.example", 0, "a.example", "990", "", "ftps", "", 0, 0},
    {"nntps://a.example", 0, "a.example", "563", "", "nntps", "", 0, 0},
    {"ircs://a.example", 0, "a.example", "6697", "", "ircs", "", 0, 0},
    {"sips://a.example", 0, "a.example", "5061", "", "sips", "", 0, 0},
    {"xmpps://a.example", 0, "a.example", "5223", "", "xmpps", "", 0, 0},
    {"smtp://a.example", 0, "a.example", "25", "", "smtp", "smtp", 0, 0},
    {"smtp://a.example:587", 0, "a.example", "587", "", "smtp", "smtp", 0, 0},
    {"imap://a.example", 0, "a.example", "143", "", "imap", "imap", 0, 0},
    {"pop3://a.example", 0, "a.example", "110", "", "pop3", "pop3", 0, 0},
    {"ftp://a.example", 0, "a.example", "21", "", "ftp", "ftp", 0, 0},
    {"ldap://a.example", 0, "a.example", "389", "", "ldap", "ldap", 0, 0},
    {"nntp://a.example", 0, "a.example", "119", "", "nntp", "nntp", 0, 0},
    {"sieve://a.example", 0, "a.example", "4190", "", "sieve", "sieve", 0, 0},
    {"xmpp://a.example", 0, "a.example", "5222", "", "xmpp", "xmpp", 0, 0},
    {"irc://a.example", 0, "a.example", "6667", "", "irc", "irc", 0, 0},
    {"postgres://a.example", 0, "a.example", "5432", "", "postgres",
     "postgres", 0, 0},
    {"mysql://a.example", 0, "a.example", "3306", "", "mysql", "mysql", 0, 0},
    {"lmtp://a.example", 0, "a.example", "24", "", "lmtp", "lmtp", 0, 0},
    {":8443", 1, "", "8443", "", "", "", 0, 0},
    {":0", 1, "", "0", "", "", "", 0, 0},
    {":https", 1, "", "https", "", "", "", 0, 0},
    {"*:8443", 1, "", "8443", "", "", "", 0, 1},
    {"localhost:0", 1, "localhost", "0", "", "", "", 0, 0},
    {"127.0.0.1:443", 1, "127.0.0.1", "443", "", "", "", 4, 0},
    {"[::]:443", 1, "::", "443", "", "", "", 6, 0},
    {"unix:/run/x", 1, "", "", "/run/x", "", "", 0, 0},
};

static void targets_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        tlsock_error err = {0};
        struct tsk_target t;

        memset(&t, 0xa5, sizeof(t));
        if (tsk_target_parse(&t, good[i].text, good[i].listening, &err) != 0)
            fail_msg("%s: %s", good[i].text, err.message);
        if (strcmp(t.host, good[i].host) != 0 ||
            strcmp(t.service, good[i].service) != 0 ||
            strcmp(t.path, good[i].path) != 0 ||
            strcmp(t.scheme, good[i].scheme) != 0 ||
            strcmp(t.starttls, good[i].starttls) != 0 ||
            t.is_ip != good[i].is_ip || t.any != good[i].any)
            fail_msg("%s: got \"%s\" \"%s\" \"%s\" \"%s\" \"%s\" %d %d",
                     good[i].text, t.host, t.service, t.path, t.scheme,
                     t.starttls, t.is_ip, t.any);
    }
}

static const struct {
    const char *text;
    int listening;
    const char *says;
} refused[] = {
    {"", 0, "empty"},
    {"", 1, "empty"},
    {" ", 0, "space"},
    {"a.example :443", 0, "space"},
    {"a.example\n:443", 0, "\\x0a"},
    {"a\x7f:443", 0, "\\x7f"},
    {":443", 0, "host is empty"},
    {":", 0, "host is empty"},
    {"a.example:", 0, "port is empty"},
    {"a.example:0", 0, "1 to 65535"},
    {"a.example:65536", 0, "\"65536\""},
    {"a.example:99999999999999999999999999", 0, "65535"},
    {"a.example:-1", 0, "neither a port nor a service name: \"-1\""},
    {"a.example:+1", 0, "neither"},
    {"a.example:4 43", 0, "space"},
    {"a.example:443!", 0, "\"443!\""},
    {"a.example:" SPACE64, 0, "too long"},
    {"*:443", 0, "'*'"},
    {"*", 0, "'*'"},
    {".", 0, "only a dot"},
    {"a..b:443", 0, "empty label"},
    {"1.2.3.4.5.6", 0, "ends in a number"},
    {"121.2.3.512:443", 0, "ends in a number"},
    {X50 X50 X50 X50 X50 X50 ":443", 0, "over 255"},
    {"[::1", 0, "no ]"},
    {"[", 0, "no ]"},
    {"[]:443", 0, "host is empty"},
    {"[a.example]:443", 0, "no IPv6 address between brackets"},
    {"[192.0.2.1]:443", 0, "no IPv6 address between brackets"},
    {"[::1]443", 0, "\"443\""},
    {"[::1]:", 0, "port is empty"},
    {"[::1]:0", 0, "1 to 65535"},
    {"[fe80::1%lo]:443", 0, "zones"},
    {"1:2:3:4:5:6:7:8:443", 0, "needs brackets"},
    {"a.example:443:443", 0, "needs brackets"},
    {"user@a.example:443", 0, "\"@\""},
    {"unix:", 0, "no path"},
    {"unix:a\nb", 0, "control character"},
    {"unix:" X50 X50 "12345678", 0, "107 bytes"},
    {"http://a.example", 0, "http is plaintext"},
    {"gopher://a.example", 0, "\"gopher\""},
    {"://a.example", 0, "unknown URL scheme"},
    {"\x1b[1m://a.example", 0, "\\x1b"},
    {"https://", 0, "no host"},
    {"https:///x", 0, "no host"},
    {"https://:443", 0, "host is empty"},
    {"https://a.example:", 0, "port is empty"},
    {"https://a.example:0/", 0, "1 to 65535"},
    {"https://a b/", 0, "space"},
    {"https://me:secret@a.example/", 0, "passwords"},
    {"imaps://a.example/INBOX", 0, "\"/INBOX\""},
    {"smtp://a.example?x", 0, "only https"},
    {":", 1, "port is empty"},
    {":65536", 1, "0 to 65535"},
    {"*", 1, "*:PORT"},
    {"*8443", 1, "*:PORT"},
    {"*:", 1, "port is empty"},
    {"a.example", 1, "no port to listen on"},
    {"127.0.0.1", 1, "no port to listen on"},
    {"[::]", 1, "no port to listen on"},
    {"::", 1, "no port to listen on"},
    {"::8443", 1, "no port to listen on"},
    {"https://a.example", 1, "cannot listen on a URL"},
    {"unix:", 1, "no path"},
};

static void nonsense_is_refused_and_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        static const struct tsk_target zero;
        tlsock_error err = {0};
        struct tsk_target t;
        int rc;

        memset(&t, 0xa5, sizeof(t));
        rc = tsk_target_parse(&t, refused[i].text, refused[i].listening, &err);
        if (rc != TLSOCK_E_ARGUMENT || err.code != rc ||
            strstr(err.message, refused[i].says) == NULL ||
            err.hint[0] == '\0')
            fail_msg("\"%s\": got %d \"%s\" (%s)", refused[i].text, rc,
                     err.message, err.hint);
        assert_memory_equal(&t, &zero, sizeof(t));
        rc = tsk_target_parse(&t, refused[i].text, refused[i].listening, NULL);
        assert_int_equal(rc, TLSOCK_E_ARGUMENT);
    }
}

static void an_unknown_scheme_is_answered_with_the_known_ones(void **state)
{
    tlsock_error err;
    struct tsk_target t;

    (void)state;
    tsk_target_parse(&t, "gopher://a.example", 0, &err);
    assert_non_null(strstr(err.hint, " https "));
    assert_non_null(strstr(err.hint, " sieve "));
    assert_string_equal(err.hint + strlen(err.hint) - 5, " lmtp");
}

static void a_password_is_never_repeated(void **state)
{
    static const char *const texts[] = {
        "https://me:secret@a.example/", "me:secret@a.example:443",
        "me:secret\n@a.example", "gopher://me:secret@a.example"};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        tlsock_error err;
        struct tsk_target t;

        assert_int_equal(tsk_target_parse(&t, texts[i], 0, &err),
                         TLSOCK_E_ARGUMENT);
        assert_null(strstr(err.message, "secret"));
        assert_null(strstr(err.hint, "secret"));
    }
}

static void a_text_of_any_length_is_bounded(void **state)
{
    static const char *const starts[] = {"", "unix:", "https://", "[::1]:",
                                         "a:", "x://", "["};
    char big[5000];

    (void)state;
    for (size_t i = 0; i < COUNT(starts); i++)
        for (size_t len = 300; len < sizeof(big); len += 211) {
            struct tsk_target t;

            memset(big, 'a', len);
            big[len] = '\0';
            memcpy(big, starts[i], strlen(starts[i]));
            assert_int_equal(tsk_target_parse(&t, big, 0, NULL),
                             TLSOCK_E_ARGUMENT);
            assert_int_equal(tsk_target_parse(&t, big, 1, NULL),
                             TLSOCK_E_ARGUMENT);
        }
}

static int refuse(void)
{
    return 1;
}

static void parsing_needs_no_memory(void **state)
{
    struct tsk_target t;

    (void)state;
    tsk_mem_fail = refuse;
    assert_int_equal(tsk_target_parse(&t, "https://[::1]:1/", 0, NULL), 0);
    assert_int_equal(tsk_target_parse(&t, "a\xc3\xbc.example", 0, NULL), 0);
    tsk_mem_fail = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_taken_apart),
        cmocka_unit_test(nonsense_is_refused_and_named),
        cmocka_unit_test(an_unknown_scheme_is_answered_with_the_known_ones),
        cmocka_unit_test(a_password_is_never_repeated),
        cmocka_unit_test(a_text_of_any_length_is_bounded),
        cmocka_unit_test(parsing_needs_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
