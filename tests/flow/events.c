/* PASSWORD and LOG: hooks that no handshake waits for. */
#include "ca.h"
#include "lines.h"
#include "peer.h"

#include <unistd.h>

struct asked {
    int calls, answer, done;
    const char *pass[4]; /* one a call; NULL: not given */
    size_t len;          /* instead of the text's, if not 0 */
    char name[256];
    tlsock_error wrong[4];
    int told_wrong[4];
};

static int password(const tlsock_event *e, void *arg)
{
    struct asked *a = arg;
    int n = a->calls++;

    assert_int_equal(e->kind, TLSOCK_ON_PASSWORD);
    assert_null(e->conn);
    assert_true(n < 4);
    snprintf(a->name, sizeof(a->name), "%s", e->name);
    a->told_wrong[n] = e->error != NULL;
    if (e->error != NULL)
        a->wrong[n] = *e->error;
    if (a->pass[n] != NULL)
        a->done = tlsock_op_done(e->op, 0, a->pass[n],
                                 a->len != 0 ? a->len : strlen(a->pass[n]));
    return a->answer;
}

struct files {
    char pass[128], pem[128], p12[128];
};

static void save(tlsock_cert *c, int format, const char *pass, const char *path)
{
    tlsock_error err = {0};

    if (tlsock_cert_save(c,
                         TLSOCK_PART_CERT | TLSOCK_PART_CHAIN | TLSOCK_PART_KEY,
                         format, path, pass, &err) != 0)
        fail_msg("%s", err.message);
}

static int set_up(void **state)
{
    struct files *f = test_calloc(1, sizeof(*f));
    char uri[160];
    FILE *out;

    ca_setup(state);
    snprintf(f->pass, sizeof(f->pass), "%s/pass", ca_get()->dir);
    snprintf(f->pem, sizeof(f->pem), "%s/sealed.pem", ca_get()->dir);
    snprintf(f->p12, sizeof(f->p12), "%s/sealed.p12", ca_get()->dir);
    out = fopen(f->pass, "w");
    assert_non_null(out);
    fputs("right\n", out);
    fclose(out);
    snprintf(uri, sizeof(uri), "file:%s", f->pass);
    save(ca_get()->a, TLSOCK_FORMAT_PEM, uri, f->pem);
    save(ca_get()->a, TLSOCK_FORMAT_PKCS12, uri, f->p12);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct files *f = *state;

    unlink(f->pass);
    unlink(f->pem);
    unlink(f->p12);
    test_free(f);
    return ca_teardown(state);
}

static tlsock_config *asking(struct asked *a)
{
    tlsock_config *c = tlsock_config_new();

    assert_code(tlsock_config_on(c, TLSOCK_ON_PASSWORD, password, a), 0);
    return c;
}

static void a_password_is_asked_for_where_none_is_named(void **state)
{
    const struct files *f = *state;
    const char *paths[] = {f->pem, f->p12};

    for (size_t i = 0; i < COUNT(paths); i++) {
        struct asked a = {.pass = {"right", "right", "right"}};
        tlsock_config *c = asking(&a);

        assert_code(tlsock_config_add_identity(c, paths[i], NULL, NULL), 0);
        assert_int_equal(a.calls, 1);
        assert_code(a.done, 0);
        assert_false(a.told_wrong[0]);
        assert_string_equal(a.name, paths[i]);
        assert_code(tlsock_config_check(c), 0);
        assert_int_equal(a.calls, 2);
        assert_code(tlsock_config_reload(c), 0);
        assert_int_equal(a.calls, 3);
        tlsock_config_unref(c);
    }
}

static void a_config_file_asks_as_well(void **state)
{
    const struct files *f = *state;
    struct asked a = {.pass = {"right"}};
    tlsock_config *c = asking(&a);
    char path[160];
    FILE *out;

    snprintf(path, sizeof(path), "%s/conf", ca_get()->dir);
    out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "cert = %s\n", f->pem);
    fclose(out);
    assert_code(tlsock_config_load(c, path, NULL), 0);
    assert_int_equal(a.calls, 1);
    unlink(path);
    tlsock_config_unref(c);
}

static void a_named_password_or_an_open_key_asks_nobody(void **state)
{
    const struct files *f = *state;
    struct asked a = {0};
    tlsock_config *c = asking(&a);
    char uri[160];

    snprintf(uri, sizeof(uri), "file:%s", f->pass);
    assert_code(tlsock_config_add_identity(c, f->pem, NULL, uri), 0);
    assert_code(tlsock_config_add_identity(c, ca_get()->a_pem, ca_get()->a_key,
                                           NULL),
                0);
    assert_int_equal(a.calls, 0);
    tlsock_config_unref(c);
}

static void a_wrong_password_is_told_and_asked_for_twice_more(void **state)
{
    const struct files *f = *state;
    const char *paths[] = {f->pem, f->p12};

    for (size_t i = 0; i < COUNT(paths); i++) {
        struct asked a = {.pass = {"wrong", "right"}},
                     b = {.pass = {"wrong", "wrong", "wrong", "right"}};
        tlsock_config *c = asking(&a), *d = asking(&b);

        assert_code(tlsock_config_add_identity(c, paths[i], NULL, NULL), 0);
        assert_int_equal(a.calls, 2);
        assert_false(a.told_wrong[0]);
        assert_true(a.told_wrong[1]);
        assert_code(a.wrong[1].code, TLSOCK_E_PASSWORD);
        assert_tells(a.wrong[1].message, paths[i]);
        assert_code(tlsock_config_add_identity(d, paths[i], NULL, NULL),
                    TLSOCK_E_PASSWORD);
        assert_int_equal(b.calls, 3);
        assert_tells(tlsock_config_error(d)->message, paths[i]);
        assert_tells(tlsock_config_error(d)->message, "PASSWORD hook");
        assert_tells(tlsock_config_error(d)->hint, "event->name");
        tlsock_config_unref(c);
        tlsock_config_unref(d);
    }
}

static void no_password_is_an_error_that_names_the_file(void **state)
{
    static char big[1100];
    const struct files *f = *state;
    const struct {
        struct asked a;
        int code;
        const char *told;
    } cases[] = {
        {{.answer = 0}, TLSOCK_E_PASSWORD, "gave no password"},
        {{.answer = TLSOCK_E_STATE}, TLSOCK_E_PASSWORD, "gave no password"},
        {{.answer = TLSOCK_AGAIN}, TLSOCK_E_HOOK, "TLSOCK_AGAIN"},
        {{.answer = 3}, TLSOCK_E_HOOK, "means nothing"},
        {{.pass = {""}}, TLSOCK_E_PASSWORD, "gave no password"},
        {{.pass = {big}, .len = 1024}, TLSOCK_E_PASSWORD, "1023 bytes"},
    };
    const char *paths[] = {f->pem, f->p12};

    for (size_t i = 0; i < COUNT(cases) * 2; i++) {
        struct asked a = cases[i / 2].a;
        tlsock_config *c = asking(&a);

        assert_code(tlsock_config_add_identity(c, paths[i % 2], NULL, NULL),
                    cases[i / 2].code);
        assert_int_equal(a.calls, 1);
        assert_tells(tlsock_config_error(c)->message, paths[i % 2]);
        assert_tells(tlsock_config_error(c)->message, cases[i / 2].told);
        assert_true(tlsock_config_error(c)->hint[0] != '\0');
        tlsock_config_unref(c);
    }
}

static int set_something(const tlsock_event *e, void *arg)
{
    (void)tlsock_config_error(arg);
    assert_code(tlsock_op_done(e->op, 0, "right", 5), 0);
    return tlsock_config_set(arg, "tls.min", "1.3");
}

/* Nothing is locked while a hook runs. */
static void a_hook_may_call_the_config(void **state)
{
    const struct files *f = *state;
    tlsock_config *c = tlsock_config_new();

    assert_code(tlsock_config_on(c, TLSOCK_ON_PASSWORD, set_something, c), 0);
    assert_code(tlsock_config_add_identity(c, f->pem, NULL, NULL), 0);
    tlsock_config_unref(c);
}

struct heard {
    int calls;
    char text[1024];
};

static int note(const tlsock_event *e, void *arg)
{
    struct heard *l = arg;

    assert_int_equal(e->kind, TLSOCK_ON_LOG);
    assert_null(e->op);
    assert_non_null(e->conn);
    l->calls++;
    snprintf(l->text, sizeof(l->text), "%s", e->text);
    return TLSOCK_E_HOOK; /* which means nothing here */
}

static void what_is_accepted_insecurely_is_logged_once(void **state)
{
    struct heard l = {0};
    tlsock_config *cc = ca_client("insecure", "no-name: lab \x1b[31mbox", NULL),
                  *sc = ca_server(ca_get()->b, NULL);
    struct peer p;

    (void)state;
    assert_code(tlsock_config_on(cc, TLSOCK_ON_LOG, note, &l), 0);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_pingpong(&p);
    assert_int_equal(l.calls, 1);
    assert_tells(l.text, "insecure no-name: lab");
    assert_null(strchr(l.text, '\x1b'));
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void what_is_verified_is_not_logged(void **state)
{
    struct heard l = {0};
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    assert_code(tlsock_config_on(cc, TLSOCK_ON_LOG, note, &l), 0);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    assert_int_equal(l.calls, 0);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void reloads_are_logged_and_why_one_failed(void **state)
{
    tlsock_config *sc = tlsock_config_new();
    struct lines l;
    char path[128];
    FILE *f;

    (void)state;
    snprintf(path, sizeof(path), "%s/reloaded.pem", ca_get()->dir);
    assert_code(tlsock_cert_save(ca_get()->a,
                                 TLSOCK_PART_CERT | TLSOCK_PART_CHAIN |
                                     TLSOCK_PART_KEY,
                                 TLSOCK_FORMAT_PEM, path, NULL, NULL),
                0);
    assert_code(tlsock_config_add_identity(sc, path, NULL, NULL), 0);
    lines_of(sc, &l);
    assert_code(tlsock_config_check(sc), 0);
    assert_int_equal(l.calls, 0);
    assert_code(tlsock_config_reload(sc), 0);
    assert_string_equal(l.text, "reloaded\n");
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    assert_true(tlsock_config_reload(sc) < 0);
    assert_int_equal(l.calls, 2);
    assert_tells(l.text, "not reloaded, what was read before stays: ");
    assert_tells(l.text, path);
    unlink(path);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_is_asked_for_where_none_is_named),
        cmocka_unit_test(a_config_file_asks_as_well),
        cmocka_unit_test(a_named_password_or_an_open_key_asks_nobody),
        cmocka_unit_test(a_wrong_password_is_told_and_asked_for_twice_more),
        cmocka_unit_test(no_password_is_an_error_that_names_the_file),
        cmocka_unit_test(a_hook_may_call_the_config),
        cmocka_unit_test(what_is_accepted_insecurely_is_logged_once),
        cmocka_unit_test(what_is_verified_is_not_logged),
        cmocka_unit_test(reloads_are_logged_and_why_one_failed),
    };

    return cmocka_run_group_tests_name("events", tests, set_up, tear_down);
}
