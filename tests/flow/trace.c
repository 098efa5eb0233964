/* TLSOCK_TRACE and env: of keylog: a program shows what it says on its
 * connections without being changed for that; a policy forbids it. */
#include "ca.h"
#include "dir.h"
#include "pair.h"

#include <sys/stat.h>
#include <tlsock/trace.h>
#include <unistd.h>

static char dir[] = "/tmp/traceXXXXXX", file[64], keys[64], policy[64];
static char text[65536];

/* What is in a file; NULL: there is none. */
static const char *read_all(const char *path)
{
    FILE *in = fopen(path, "r");
    size_t n;

    if (in == NULL)
        return NULL;
    n = fread(text, 1, sizeof(text) - 1, in);
    text[n] = '\0';
    fclose(in);
    return text;
}

static void connect_once(tlsock_config *cc)
{
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_pingpong(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* Both sides are here: what one sent the other received. */
static void each_message_is_a_line_in_the_file(void **state)
{
    const char *const group =
        tlsock_has("pq") ? "group=X25519MLKEM768" : "group=x25519";
    const int compressed = tlsock_has("cert-compression");
    const char *const want[] = {
        " > TLSv1.3 ClientHello ",
        "sni=a.test",
        " < TLSv1.3 ClientHello ",
        " > TLSv1.3 ServerHello ",
        group,
        " < TLSv1.3 Finished 52\n",
        compressed ? " CompressedCertificate " : " Certificate ",
        compressed ? "algorithm=" : "subject=CN=",
        "lifetime=",
    };
    struct stat st;

    (void)state;
    connect_once(ca_client(NULL));
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_non_null(read_all(file));
    for (size_t i = 0; i < COUNT(want); i++)
        assert_tells(text, want[i]);
    for (const char *p = text; *p != '\0'; p = strchr(p, '\n') + 1) {
        long pid = 0;

        assert_int_equal(sscanf(p, "%*d:%*d:%*d.%*dZ %ld", &pid), 1);
        assert_int_equal(pid, getpid());
    }
}

static int count;

static int one_more(const tlsock_event *e, void *arg)
{
    (void)e;
    (void)arg;
    count++;
    return 0;
}

/* Lines come behind those that are there, and a hook of the program's own is
 * told as well. */
static void lines_are_appended_and_hooks_go_on(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    size_t before = strlen(read_all(file));

    (void)state;
    assert_code(tlsock_config_on(cc, TLSOCK_ON_MESSAGE, one_more, NULL), 0);
    connect_once(cc);
    assert_true(strlen(read_all(file)) > before);
    assert_true(count > 8);
}

static void
secrets_go_where_the_environment_says_if_the_config_lets_it(void **state)
{
    (void)state;
    assert_int_equal(setenv("SSLKEYLOGFILE", keys, 1), 0);
    connect_once(ca_client(NULL)); /* nobody asked for it */
    assert_null(read_all(keys));
    assert_int_equal(unsetenv("SSLKEYLOGFILE"), 0);
    connect_once(ca_client("keylog", "env:SSLKEYLOGFILE", NULL));
    assert_null(read_all(keys));
    assert_int_equal(setenv("SSLKEYLOGFILE", keys, 1), 0);
    connect_once(ca_client("keylog", "env:SSLKEYLOGFILE", NULL));
    assert_non_null(read_all(keys));
    assert_tells(text, "CLIENT_TRAFFIC_SECRET_0 ");
    assert_null(strstr(read_all(file), "SECRET"));
}

static void what_the_environment_says_can_fail(void **state)
{
    tlsock_config *c = ca_client("keylog", "env:SSLKEYLOGFILE", NULL);

    (void)state;
    assert_int_equal(setenv("SSLKEYLOGFILE", "/no/such/directory/f", 1), 0);
    assert_code(tlsock_config_check(c), TLSOCK_E_OWN_FILE);
    assert_tells(tlsock_config_error(c)->message, "/no/such/directory/f");
    assert_code(tlsock_config_set(c, "keylog", "env:"), TLSOCK_E_OPTION);
    tlsock_config_unref(c);
    assert_int_equal(unsetenv("SSLKEYLOGFILE"), 0);
}

/* The last one: a policy stays for as long as the process. */
static void a_policy_forbids_it(void **state)
{
    FILE *out = fopen(policy, "w");
    size_t before = strlen(read_all(file));

    (void)state;
    fputs("trace = forbid\n", out);
    fclose(out);
    assert_code(tlsock_policy_load(policy, NULL), 0);
    connect_once(ca_client(NULL));
    assert_int_equal(strlen(read_all(file)), before);
}

static int tear_down(void **state)
{
    dir_remove(dir);
    return ca_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_is_a_line_in_the_file),
        cmocka_unit_test(lines_are_appended_and_hooks_go_on),
        cmocka_unit_test(
            secrets_go_where_the_environment_says_if_the_config_lets_it),
        cmocka_unit_test(what_the_environment_says_can_fail),
        cmocka_unit_test(a_policy_forbids_it),
    };

    if (mkdtemp(dir) == NULL)
        return 1;
    snprintf(file, sizeof(file), "%s/trace", dir);
    snprintf(keys, sizeof(keys), "%s/keys", dir);
    snprintf(policy, sizeof(policy), "%s/policy", dir);
    setenv("TLSOCK_TRACE", file, 1); /* read once, at the first connection */
    return cmocka_run_group_tests_name("trace", tests, ca_setup, tear_down);
}
