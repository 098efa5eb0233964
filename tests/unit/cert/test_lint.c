#include "fault.h"
#include "lint_rows.h"

#include "cert/lint.h"
#include "core/clock.h"

#include <openssl/err.h>

static int64_t now(void)
{
    return LINT_NOW;
}

struct seen {
    const char *code; /* wanted, or NULL */
    int index;        /* of it; -1: any */
    int n, found, last, ordered, errors, notes, stop_at;
    char all[1024];
};

static int look(const tlsock_lint *f, void *arg)
{
    struct seen *s = arg;
    size_t used = strlen(s->all);

    s->n++;
    s->ordered = s->ordered && f->severity <= s->last;
    s->last = f->severity;
    s->errors += f->severity == TLSOCK_LINT_ERROR;
    s->notes += f->severity == TLSOCK_LINT_NOTE;
    s->found += s->code != NULL && strcmp(f->code, s->code) == 0 &&
                (s->index < 0 || f->index == s->index);
    snprintf(s->all + used, sizeof(s->all) - used, "%s@%d ", f->code, f->index);
    assert_int_equal(f->size, sizeof(*f));
    assert_true(f->message[0] != '\0' && f->hint[0] != '\0' &&
                f->source[0] != '\0');
    for (const char *p = f->message; *p != '\0'; p++)
        assert_true((unsigned char)*p >= ' '); /* safe on a terminal */
    return s->stop_at != 0 && s->n == s->stop_at ? 77 : 0;
}

static struct seen lint(const tlsock_cert *c, const char *code, int index)
{
    struct seen s = {
        .code = code, .index = index, .last = TLSOCK_LINT_ERROR, .ordered = 1};
    tlsock_error err = {0};
    int rc = tlsock_cert_lint(c, look, &s, &err);

    if (rc < 0)
        fail_msg("%s", err.message);
    assert_int_equal(rc, s.errors);
    assert_int_equal(rc, tlsock_cert_lint(c, NULL, NULL, &err));
    assert_true(s.ordered);
    assert_true(ERR_peek_error() == 0);
    return s;
}

static void a_sound_chain_has_no_finding(void **state)
{
    const struct recipe sound = {0};
    tlsock_cert *c = lint_make(&sound, 0);
    struct seen s = lint(c, NULL, 0);

    (void)state;
    if (s.n != 0)
        fail_msg("%s", s.all);
    tlsock_cert_unref(c);
}

/* Of chains, any place may be the one that is spoken of. */
static int place(const struct row *row)
{
    return row->yes.shape == PLAIN ? row->at : -1;
}

static void each_rule_speaks_of_what_it_is_for_and_of_nothing_else(void **state)
{
    int undecoded = 0;

    (void)state;
    for (size_t i = 0; i < lint_n_rows; i++) {
        const struct row *row = &lint_rows[i];
        tlsock_cert *yes = lint_make(&row->yes, row->at),
                    *no = lint_make(&row->no, row->at);
        struct seen s;

        assert_non_null(no);
        if (yes == NULL) {
            undecoded++;
            tlsock_cert_unref(no);
            continue;
        }
        s = lint(yes, row->code, place(row));
        if (s.found != (row->yes.shape == FULL ? 1 : s.found) || s.found == 0)
            fail_msg("row %zu: %s not found, but %s", i, row->code, s.all);
        s = lint(no, row->code, -1);
        if (s.found != 0)
            fail_msg("row %zu: %s found: %s", i, row->code, s.all);
        tlsock_cert_unref(yes);
        tlsock_cert_unref(no);
    }
    assert_true(undecoded < 16);
}

static void every_rule_has_a_row_and_a_code_of_its_own(void **state)
{
    const struct tsk_lint_rule *r, *other;
    size_t n = 0;

    (void)state;
    for (; (r = tsk_lint_rule_at(n)) != NULL; n++) {
        int rows = 0;

        for (size_t k = 0; k < lint_n_rows; k++)
            rows += strcmp(lint_rows[k].code, r->code) == 0;
        if (rows == 0)
            fail_msg("%s has no row", r->code);
        for (size_t k = 0; k < n; k++) {
            other = tsk_lint_rule_at(k);
            if (strcmp(other->code, r->code) == 0)
                fail_msg("%s is there twice", r->code);
        }
        assert_true(r->severity >= TLSOCK_LINT_NOTE &&
                    r->severity <= TLSOCK_LINT_ERROR);
        assert_true(r->source != NULL && r->hint != NULL);
    }
    assert_true(n >= 70);
    printf("# %zu rules, %zu rows\n", n, lint_n_rows);
}

static void a_callback_can_end_it(void **state)
{
    const struct recipe bad = {
        .serial = "0", .shape = WITH_ROOT, .digest = "sha1"};
    tlsock_cert *c = lint_make(&bad, 0);
    struct seen s = {.last = TLSOCK_LINT_ERROR, .ordered = 1, .stop_at = 2};
    tlsock_error err = {0};

    (void)state;
    assert_int_equal(tlsock_cert_lint(c, look, &s, &err), 77);
    assert_int_equal(s.n, 2);
    tlsock_cert_unref(c);
}

static void nothing_to_look_at_is_an_argument_error(void **state)
{
    tlsock_error err = {0};

    (void)state;
    assert_code(tlsock_cert_lint(NULL, NULL, NULL, &err), TLSOCK_E_ARGUMENT);
    assert_true(err.message[0] != '\0' && err.hint[0] != '\0');
    assert_code(tlsock_cert_lint(NULL, NULL, NULL, NULL), TLSOCK_E_ARGUMENT);
}

static void what_cannot_be_encoded_is_refused(void **state)
{
    X509 *x = X509_new();
    tlsock_cert *c = tsk_cert_new(x, NULL, NULL, NULL);
    tlsock_error err = {0};

    (void)state;
    assert_code(tlsock_cert_lint(c, NULL, NULL, &err), TLSOCK_E_CERT_INVALID);
    assert_tells(err.message, "cannot be encoded");
    assert_true(err.hint[0] != '\0');
    tlsock_cert_unref(c);
    X509_free(x);
}

static void what_the_caller_left_in_the_queue_stays(void **state)
{
    const struct recipe bad = {.ext = {"subjectAltName=DER:0500"}};
    tlsock_cert *c = lint_make(&bad, 0);

    (void)state;
    ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);
    assert_true(tlsock_cert_lint(c, NULL, NULL, NULL) > 0);
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), ERR_R_MALLOC_FAILURE);
    assert_true(ERR_get_error() == 0);
    tlsock_cert_unref(c);
}

static void
what_is_created_by_default_has_neither_errors_nor_warnings(void **state)
{
    static const char *const keys[] = {"ec:P-256", "ec:P-384", "ec:P-521",
                                       "rsa:2048", "rsa:3072", "ed25519"};
    static const char *const names[] = {"www.a.test", "*.a.test", "192.0.2.1"};

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        tlsock_cert *made[5];

        made[0] =
            help_make(TLSOCK_CERT_OPTS(.subject = "CN=My CA", .ca = 1,
                                       .pathlen = -1, .key = keys[i],
                                       .permitted = ".test,192.0.2.0/24"));
        made[1] =
            help_make(TLSOCK_CERT_OPTS(.subject = "CN=My Sub-CA", .ca = 1,
                                       .issuer = made[0], .key = keys[i]));
        made[2] =
            help_make(TLSOCK_CERT_OPTS(.sans = names, .n_sans = 3,
                                       .issuer = made[1], .key = keys[i]));
        made[3] =
            help_make(TLSOCK_CERT_OPTS(.subject = "CN=Alice", .issuer = made[1],
                                       .key = keys[i], .purpose = "client"));
        made[4] = help_make(
            TLSOCK_CERT_OPTS(.sans = names, .n_sans = 3, .key = keys[i]));
        for (size_t k = 0; k < COUNT(made); k++) {
            struct seen s = lint(made[k], NULL, 0);

            if (s.n != s.notes)
                fail_msg("%s, certificate %zu: %s", keys[i], k, s.all);
        }
        for (size_t k = 0; k < COUNT(made); k++)
            tlsock_cert_unref(made[k]);
    }
}

/* A certificate with much in it, and each allocation failing in turn. */
static void memory_may_be_short_anywhere(void **state)
{
    static const struct {
        enum fault_kind of;
        long step; /* OpenSSL allocates thousands of times */
    } kinds[] = {{FAULT_OWN, 1}, {FAULT_OPENSSL, 13}, {FAULT_REFUSED, 1}};
    const struct recipe busy = {
        .shape = WITH_ROOT,
        .serial = "0",
        .ext = {"subjectAltName=DNS:a_b.test,DNS:a.test,DNS:a.test",
                "certificatePolicies=@cps_ftp",
                "authorityInfoAccess=OCSP;URI:ftp://o.test"}};
    tlsock_cert *c = lint_make(&busy, 0);
    int want = tlsock_cert_lint(c, NULL, NULL, NULL);

    (void)state;
    assert_true(want > 0);
    for (size_t k = 0; k < COUNT(kinds); k++) {
        for (long n = 1;; n += kinds[k].step) {
            tlsock_error err = {0};
            int rc, hit;

            fault_arm(kinds[k].of, n, 1);
            rc = tlsock_cert_lint(c, NULL, NULL, &err);
            hit = fault_disarm();
            assert_true(ERR_peek_error() == 0);
            if (!hit) {
                assert_int_equal(rc, want);
                assert_true(n > 5 || !fault_is_there(kinds[k].of));
                break;
            }
            /* OpenSSL does without some of its memory */
            if (rc != TLSOCK_E_NOMEM && (kinds[k].of == FAULT_OWN || rc < 0) &&
                (kinds[k].of != FAULT_REFUSED || rc != err.code))
                fail_msg("%s, allocation %ld: %d %s", fault_name(kinds[k].of),
                         n, rc, err.message);
            assert_true(n < 20000);
        }
    }
    tlsock_cert_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_chain_has_no_finding),
        cmocka_unit_test(
            each_rule_speaks_of_what_it_is_for_and_of_nothing_else),
        cmocka_unit_test(every_rule_has_a_row_and_a_code_of_its_own),
        cmocka_unit_test(a_callback_can_end_it),
        cmocka_unit_test(nothing_to_look_at_is_an_argument_error),
        cmocka_unit_test(what_cannot_be_encoded_is_refused),
        cmocka_unit_test(what_the_caller_left_in_the_queue_stays),
        cmocka_unit_test(
            what_is_created_by_default_has_neither_errors_nor_warnings),
        cmocka_unit_test(memory_may_be_short_anywhere),
    };
    int rc;

    fault_init();
    tsk_clock_wall = now;
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    lint_make_free();
    help_end();
    return rc;
}
