/* Built without the libraries: what is not recorded is said. */
#include "test.h"

#include "httprec.h"

static void never(void *arg, const struct httprec_tx *tx)
{
    (void)arg;
    (void)tx;
    fail_msg("nothing can be told");
}

static void what_this_build_does_not_record_is_said(void **state)
{
    static const struct {
        const char *alpn, *bytes, *note;
    } rows[] = {
        {"", "GET / HTTP/1.1\r\n\r\n",
         "HTTP/1.1 is not recorded: built without libhtp"},
        {"h2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
         "HTTP/2 is not recorded: built without libnghttp2"},
        {"", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
         "HTTP/2 is not recorded: built without libnghttp2"},
        {"", "\x01\x02", "this is no HTTP"},
    };
    unsigned char *out = NULL;
    struct httprec_part p = {.kept = 0};
    size_t len;

    (void)state;
    assert_int_equal(httprec_has_h1(), 0);
    assert_int_equal(httprec_has_h2(), 0);
    assert_int_equal(httprec_decode(&p, 1, &out, &len), -1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct httprec_opts o = {.scheme = "https",
                                 .host = "h",
                                 .alpn = rows[i].alpn,
                                 .on_done = never};
        struct httprec *r = httprec_new(&o);

        assert_non_null(r);
        httprec_data(r, 1, rows[i].bytes, strlen(rows[i].bytes), 1);
        httprec_data(r, 0, "HTTP/1.1 200 OK\r\n\r\n", 19, 2);
        assert_string_equal(httprec_note(r), rows[i].note);
        assert_string_equal(httprec_protocol(r), "");
        httprec_close(r, 3);
        httprec_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_this_build_does_not_record_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
