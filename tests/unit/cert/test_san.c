#include "make_help.h"

/* The rarer kinds of names, and what is wrong with some of the usual ones. */

static const struct {
    const char *typed;
    int type;
    const char *oid, *value; /* of an other name */
} kinds[] = {
    {"UPN:user@corp.test", GEN_OTHERNAME, "1.3.6.1.4.1.311.20.2.3",
     "user@corp.test"},
    {"upn:us\xc3\xa9r@corp", GEN_OTHERNAME, "1.3.6.1.4.1.311.20.2.3",
     "us\xc3\xa9r@corp"},
    {"XMPP:x@y.test", GEN_OTHERNAME, "1.3.6.1.5.5.7.8.5", "x@y.test"},
    {"XMPP:y.test", GEN_OTHERNAME, "1.3.6.1.5.5.7.8.5", "y.test"},
    {"SRV:_xmpp-client.Y.test", GEN_OTHERNAME, "1.3.6.1.5.5.7.8.7",
     "_xmpp-client.y.test"},
    {"EMAIL:\xc3\xbc@B\xc3\xbc" "cher.test", GEN_OTHERNAME,
     "1.3.6.1.5.5.7.8.9", "\xc3\xbc@xn--bcher-kva.test"},
    {"\xc3\xbc@b.test", GEN_OTHERNAME, "1.3.6.1.5.5.7.8.9", "\xc3\xbc@b.test"},
    {"OTHERNAME:1.2.3.4;UTF8:hi", GEN_OTHERNAME, "1.2.3.4", "hi"},
    {"RID:1.2.3.4", GEN_RID, NULL, NULL},
    {"DIRNAME:CN=a,O=b", GEN_DIRNAME, NULL, NULL},
    {"EMAIL:a@B.test", GEN_EMAIL, NULL, NULL},
};

static void every_kind_of_name_is_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const tlsock_cert_opts o = {.size = sizeof(o), .n_sans = 1,
                                    .sans = &kinds[i].typed,
                                    .purpose = "client"};
        tlsock_error err = {0};
        tlsock_cert *c = tlsock_cert_create(&o, &err);
        GENERAL_NAMES *names;
        const GENERAL_NAME *g;
        char oid[64];

        if (c == NULL)
            fail_msg("%s: %s", kinds[i].typed, err.message);
        names = X509_get_ext_d2i(c->leaf, NID_subject_alt_name, NULL, NULL);
        assert_int_equal(sk_GENERAL_NAME_num(names), 1);
        g = sk_GENERAL_NAME_value(names, 0);
        assert_int_equal(g->type, kinds[i].type);
        if (kinds[i].oid != NULL) {
            ASN1_STRING *s = g->d.otherName->value->value.asn1_string;

            OBJ_obj2txt(oid, sizeof(oid), g->d.otherName->type_id, 1);
            assert_string_equal(oid, kinds[i].oid);
            assert_int_equal(ASN1_STRING_length(s), strlen(kinds[i].value));
            assert_memory_equal(ASN1_STRING_get0_data(s), kinds[i].value,
                                strlen(kinds[i].value));
        }
        assert_int_equal(help_verdict(c, c), X509_V_OK);
        GENERAL_NAMES_free(names);
        tlsock_cert_unref(c);
    }
}

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *typed, *fault;
} bad[] = {
    {"my_host.test", "underscore"},
    {"_dmarc.a.test", "underscore"},
    {"*.my_host.test", "underscore"},
    {"-a.test", "begins or ends with \"-\""},
    {"a-.test", "begins or ends with \"-\""},
    {"a.b-.test", "begins or ends with \"-\""},
    {".a.test", "begins with a dot"},
    {"a..test", "empty label"},
    {"a.test..", "empty label"},
    {"a.123", "ends in a number"},
    {"a" L63 ".test", "longer than 63"},
    {L63 "." L63 "." L63 "." L63 ".test", "longer than 253"},
    {"*.com", "top-level"},
    {"w*.a.test", "leftmost"},
    {"a.*.test", "leftmost"},
    {"UPN:user", "no user@realm"},
    {"UPN:@x", "no user@realm"},
    {"UPN:a@b@c", "no user@realm"},
    {"UPN:a b@c", "no user@realm"},
    {"XMPP:@x", "no XMPP address"},
    {"XMPP:a@b/c", "no XMPP address"},
    {"XMPP:a@b..c", "empty label"},
    {"SRV:a.test", "no service name"},
    {"SRV:_.test", "no service name"},
    {"SRV:_a b.test", "no service name"},
    {"SRV:_a", "no service name"},
    {"SRV:_a.b..c", "empty label"},
    {"RID:x", "no object identifier"},
    {"RID:", "no object identifier"},
    {"DIRNAME:", "is empty"},
    {"DIRNAME:flying=x", "unknown type"},
    {"OTHERNAME:1.2.3", "is not OID;TYPE:value"},
    {"OTHERNAME:x;UTF8:a", "no object identifier"},
    {"OTHERNAME:1.2.3;FLY:a", "no value"},
    {"EMAIL:\xff@a.test", "is not UTF-8"},
    {"EMAIL:a@b_c..test", "empty label"},
};

static void wrong_names_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        refused(TLSOCK_CERT_OPTS(.sans = &bad[i].typed, .n_sans = 1,
                                 .purpose = "client"),
                TLSOCK_E_ARGUMENT, bad[i].fault, NULL);
}

static void subjects_come_from_names_that_are_text(void **state)
{
    static const struct {
        const char *typed, *subject;
    } rows[] = {
        {"UPN:user@corp.test", "CN=user@corp.test"},
        {"RID:1.2.3.4", ""},
        {"DIRNAME:CN=a", ""},
        {"OTHERNAME:1.2.3.4;INT:5", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const tlsock_cert_opts o = {.size = sizeof(o), .n_sans = 1,
                                    .sans = &rows[i].typed,
                                    .purpose = "client"};
        tlsock_cert *c = help_make(&o);

        assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SUBJECT),
                            rows[i].subject);
        assert_int_equal(ext_critical(c, NID_subject_alt_name),
                         rows[i].subject[0] == '\0');
        tlsock_cert_unref(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_name_is_made),
        cmocka_unit_test(wrong_names_say_why),
        cmocka_unit_test(subjects_come_from_names_that_are_text),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    help_end();
    return rc;
}
