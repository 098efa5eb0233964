#include "made.h"

#include "core/clock.h"
#include "fault.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW 1800000000 /* 2027-01-15T08:00:00Z */
#define DAY 86400
#define ENTRY(...)                                                             \
    {                                                                          \
        .size = sizeof(tlsock_revoked), __VA_ARGS__                            \
    }

static X509_CRL *read_crl(const char *path, int der)
{
    BIO *bio = BIO_new_file(path, "rb");
    X509_CRL *crl = NULL;

    assert_non_null(bio);
    crl = der ? d2i_X509_CRL_bio(bio, NULL)
              : PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(crl);
    return crl;
}

static void save(const tlsock_crl_opts *o, unsigned format, const char *path)
{
    tlsock_error err = {0};

    if (tlsock_crl_save(o, format, path, &err) != 0)
        fail_msg("not saved: %s", err.message);
    assert_int_equal(err.code, 0);
}

static int64_t seconds(const ASN1_TIME *t)
{
    return tsk_cert_time(t);
}

static const tlsock_revoked three[] = {
    ENTRY(.serial = "FF01", .when = NOW - 10, .reason = 1),
    ENTRY(.serial = "0a", .when = NOW - 20, .reason = 0),
    ENTRY(.serial = "7fffffffffffffffffffffffffffffffffffffff",
          .when = NOW - 30, .reason = 10),
};

static void a_list_holds_what_was_asked_for(void **state)
{
    const char *path = made_path("three.crl");
    X509_REVOKED *r = NULL;
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    STACK_OF(X509_REVOKED) * all;
    struct stat st;
    X509_CRL *crl;

    (void)state;
    save(TLSOCK_CRL_OPTS(.issuer = made.ca, .number = "1F", .this_update = NOW,
                         .revoked = three, .n_revoked = 3),
         TLSOCK_FORMAT_DER, path);
    crl = read_crl(path, 1);
    assert_int_equal(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
    assert_int_equal(X509_CRL_verify(crl, pki_key(KEY_ROOT)), 1);
    assert_int_equal(X509_NAME_cmp(X509_CRL_get_issuer(crl),
                                   X509_get_subject_name(made.ca->leaf)),
                     0);
    assert_int_equal(seconds(X509_CRL_get0_lastUpdate(crl)), NOW);
    assert_int_equal(seconds(X509_CRL_get0_nextUpdate(crl)), NOW + 7 * DAY);
    /* sorted by serial */
    all = X509_CRL_get_REVOKED(crl);
    assert_int_equal(sk_X509_REVOKED_num(all), 3);
    for (int i = 1; i < 3; i++)
        assert_true(ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(
                                         sk_X509_REVOKED_value(all, i - 1)),
                                     X509_REVOKED_get0_serialNumber(
                                         sk_X509_REVOKED_value(all, i))) < 0);
    /* reasons: there if given, absent if unspecified */
    assert_int_equal(ASN1_INTEGER_set(serial, 0xff01), 1);
    assert_int_equal(X509_CRL_get0_by_serial(crl, &r, serial), 1);
    assert_int_equal(seconds(X509_REVOKED_get0_revocationDate(r)), NOW - 10);
    assert_int_equal(X509_REVOKED_get_ext_by_NID(r, NID_crl_reason, -1), 0);
    assert_int_equal(ASN1_INTEGER_set(serial, 0x0a), 1);
    assert_int_equal(X509_CRL_get0_by_serial(crl, &r, serial), 1);
    assert_int_equal(X509_REVOKED_get_ext_by_NID(r, NID_crl_reason, -1), -1);
    assert_int_equal(ASN1_INTEGER_set(serial, 0x0b), 1);
    assert_int_equal(X509_CRL_get0_by_serial(crl, &r, serial), 0);
    ASN1_INTEGER_free(serial);
    X509_CRL_free(crl);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
}

static void a_list_may_be_empty_and_is_replaced(void **state)
{
    const char *path = made_path("empty.pem");
    X509_CRL *crl;

    (void)state;
    save(TLSOCK_CRL_OPTS(.issuer = made.ca, .number = "0", .revoked = three,
                         .n_revoked = 3),
         TLSOCK_FORMAT_PEM, path);
    save(TLSOCK_CRL_OPTS(.issuer = made.ca, .number = "1", .days = 30),
         TLSOCK_FORMAT_PEM, path);
    crl = read_crl(path, 0);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), -1);
    assert_int_equal(seconds(X509_CRL_get0_nextUpdate(crl)) -
                         seconds(X509_CRL_get0_lastUpdate(crl)),
                     30 * DAY);
    X509_CRL_free(crl);
}

static void every_kind_of_key_signs(void **state)
{
    const tlsock_cert *cas[] = {made.ca, made.bare, made.ed, made.rsa};

    (void)state;
    for (size_t i = 0; i < COUNT(cas); i++) {
        const char *path = made_path("kind.crl");
        X509_CRL *crl;

        save(TLSOCK_CRL_OPTS(.issuer = cas[i], .number = "2",
                             .digest = i == 3 ? "SHA512" : NULL),
             TLSOCK_FORMAT_DER, path);
        crl = read_crl(path, 1);
        assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(cas[i]->leaf)),
                         1);
        assert_true(X509_CRL_get_ext_by_NID(crl, NID_authority_key_identifier,
                                            -1) >= 0);
        if (i == 3)
            assert_int_equal(X509_CRL_get_signature_nid(crl),
                             NID_sha512WithRSAEncryption);
        X509_CRL_free(crl);
    }
}

static const tlsock_revoked
    no_time[] = {ENTRY(.serial = "1")},
    bad_serial[] = {ENTRY(.serial = "1", .when = NOW),
                    ENTRY(.serial = "12:34", .when = NOW)},
    no_serial[] = {ENTRY(.when = NOW)},
    long_serial[] = {ENTRY(.serial = "80000000000000000000"
                                     "00000000000000000000",
                           .when = NOW)},
    reason_7[] = {ENTRY(.serial = "1", .when = NOW, .reason = 7)},
    reason_8[] = {ENTRY(.serial = "1", .when = NOW, .reason = 8)},
    twice[] = {ENTRY(.serial = "0a", .when = NOW),
               ENTRY(.serial = "0b", .when = NOW),
               ENTRY(.serial = "A", .when = NOW)},
    no_size[] = {{.serial = "1", .when = NOW}};

static const struct refusal {
    const char *claim;
    tlsock_crl_opts o;
    tlsock_cert **issuer;
    int want;
    const char *told;
    unsigned format;
} refusals[] = {
    {"no issuer", {.number = "1"}, NULL, TLSOCK_E_ARGUMENT, "issuer", 0},
    {"no number", {0}, &made.ca, TLSOCK_E_ARGUMENT, "needs its number", 0},
    {"empty number",
     {.number = ""},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "CRL number",
     0},
    {"a number of more than 20 octets",
     {.number = "800000000000000000000000000000000000000000"},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "CRL number",
     0},
    {"a number that is none",
     {.number = "12g"},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "\"12g\"",
     0},
    {"no CA", {.number = "1"}, &made.leaf, TLSOCK_E_PURPOSE, "is no CA", 0},
    {"no cRLSign",
     {.number = "1"},
     &made.certs_ca,
     TLSOCK_E_PURPOSE,
     "may not sign CRLs",
     0},
    {"no key",
     {.number = "1"},
     &made.keyless,
     TLSOCK_E_ARGUMENT,
     "without its private key",
     0},
    {"another key",
     {.number = "1"},
     &made.mixed,
     TLSOCK_E_KEY_MISMATCH,
     "does not belong",
     0},
    {"a key that cannot sign",
     {.number = "1"},
     &made.mute,
     TLSOCK_E_UNSUPPORTED,
     "cannot sign",
     0},
    {"next before this",
     {.number = "1", .this_update = NOW, .next_update = NOW},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "not behind",
     0},
    {"negative days",
     {.number = "1", .days = -1},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "negative",
     0},
    {"behind the year 9999",
     {.number = "1", .next_update = 253402300800},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "9999",
     0},
    {"unknown digest",
     {.number = "1", .digest = "md5"},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "\"md5\"",
     0},
    {"no URL",
     {.number = "1", .url = "crl.test/"},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "not a URL",
     0},
    {"a URL with a blank",
     {.number = "1", .url = "http://a b/"},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "not a URL",
     0},
    {"a list that is NULL",
     {.number = "1", .n_revoked = 2},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "NULL",
     0},
    {"an entry without a time",
     {.number = "1", .revoked = no_time, .n_revoked = 1},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "revoked certificate 1: ",
     0},
    {"an entry without a serial",
     {.number = "1", .revoked = no_serial, .n_revoked = 1},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "no serial",
     0},
    {"an entry with a bad serial",
     {.number = "1", .revoked = bad_serial, .n_revoked = 2},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "revoked certificate 2: serial \"12:34\"",
     0},
    {"an entry with a serial too long",
     {.number = "1", .revoked = long_serial, .n_revoked = 1},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "serial \"8000",
     0},
    {"reason 7",
     {.number = "1", .revoked = reason_7, .n_revoked = 1},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "reason 7",
     0},
    {"reason 8",
     {.number = "1", .revoked = reason_8, .n_revoked = 1},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "reason 8",
     0},
    {"one listed twice",
     {.number = "1", .revoked = twice, .n_revoked = 3},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "0a is listed twice",
     0},
    {"an entry without a size",
     {.number = "1", .revoked = no_size, .n_revoked = 1},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "no size",
     0},
    {"PKCS#12",
     {.number = "1"},
     &made.ca,
     TLSOCK_E_ARGUMENT,
     "format",
     TLSOCK_FORMAT_PKCS12},
};

static void what_cannot_be_is_refused_and_leaves_no_file(void **state)
{
    const char *path = made_path("refused.crl");

    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct refusal *r = &refusals[i];
        tlsock_crl_opts o = r->o;
        tlsock_error err = {0};
        int rc;

        o.size = sizeof(o);
        o.issuer = r->issuer != NULL ? *r->issuer : NULL;
        rc = tlsock_crl_save(&o, r->format, path, &err);
        if (rc != r->want || err.code != rc ||
            strstr(err.message, r->told) == NULL || err.hint[0] == '\0')
            fail_msg("%s: %s \"%s\" hint \"%s\"", r->claim, tlsock_errname(rc),
                     err.message, err.hint);
        assert_int_equal(tlsock_crl_save(&o, r->format, path, NULL), r->want);
        assert_int_equal(access(path, F_OK), -1);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void calls_that_are_wrong_are_refused(void **state)
{
    struct {
        tlsock_crl_opts o;
        char more[8];
    } newer = {.o = {.size = sizeof(newer), .number = "1"}};
    tlsock_crl_opts o = {0}, init;
    tlsock_error err = {0};

    (void)state;
    newer.o.issuer = made.ca;
    assert_code(tlsock_crl_save(NULL, 0, "x", &err), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_crl_save(&o, 0, "x", &err), TLSOCK_E_ARGUMENT);
    assert_tells(err.hint, "TLSOCK_CRL_OPTS()");
    assert_code(
        tlsock_crl_save(TLSOCK_CRL_OPTS(.issuer = made.ca, .number = "1"), 0,
                        "", &err),
        TLSOCK_E_ARGUMENT);
    assert_code(
        tlsock_crl_save(TLSOCK_CRL_OPTS(.issuer = made.ca, .number = "1"), 0,
                        made_path("no/dir.crl"), &err),
        TLSOCK_E_OWN_FILE);
    assert_tells(err.message, "no/dir.crl");
    /* longer options are fine as long as what is new is unused */
    assert_code(tlsock_crl_save(&newer.o, 0, made_path("newer.crl"), &err), 0);
    newer.more[3] = 1;
    assert_code(tlsock_crl_save(&newer.o, 0, made_path("newer.crl"), &err),
                TLSOCK_E_UNSUPPORTED);
    memset(&init, 0xff, sizeof(init));
    tlsock_crl_opts_init(&init, sizeof(init));
    assert_int_equal(init.size, sizeof(init));
    assert_null(init.number);
    tlsock_crl_opts_init(NULL, sizeof(init));
}

static char *json_of(const char *uri)
{
    tlsock_error err = {0};
    int n = tlsock_crl_json(uri, NULL, 0, &err), again;
    char *text;

    if (n < 0)
        fail_msg("%s: %s", uri, err.message);
    text = malloc((size_t)n + 1);
    assert_non_null(text);
    again = tlsock_crl_json(uri, text, (size_t)n + 1, &err);
    assert_int_equal(again, n);
    assert_int_equal(strlen(text), n);
    return text;
}

static int64_t noon(void)
{
    return NOW;
}

static void json_tells_what_a_list_says(void **state)
{
    const char *path = made_path("json.crl");
    char *text;

    (void)state;
    save(TLSOCK_CRL_OPTS(.issuer = made.ca, .number = "1F", .this_update = NOW,
                         .revoked = three, .n_revoked = 3,
                         .url = "http://a.test/crl"),
         TLSOCK_FORMAT_PEM, path);
    tsk_clock_wall = noon;
    text = json_of(path);
    assert_tells(text, "{\"schema\":\"tlsock.crl/1\",\"issuer\":\"CN=CA\","
                       "\"version\":2,\"number\":\"1f\",\"this_update\":"
                       "\"2027-01-15T08:00:00Z\",\"next_update\":"
                       "\"2027-01-22T08:00:00Z\",\"overdue\":false,"
                       "\"signature\":\"ecdsa-with-SHA256\",\"aki\":\"");
    assert_tells(text, "\"idp\":{\"points\":[\"http://a.test/crl\"],"
                       "\"only_user\":false,\"only_ca\":false,"
                       "\"only_attribute\":false,\"indirect\":false,"
                       "\"reasons\":null},\"delta\":false,"
                       "\"base_number\":null");
    assert_tells(text, "\"critical\":true}");
    assert_tells(text, "\"revoked_count\":3,\"revoked_complete\":true,"
                       "\"revoked\":[{\"serial\":\"0a\",\"when\":"
                       "\"2027-01-15T07:59:40Z\",\"reason\":null},"
                       "{\"serial\":\"ff01\",\"when\":"
                       "\"2027-01-15T07:59:50Z\",\"reason\":\"keyCompromise\"}"
                       ",{\"serial\":"
                       "\"7fffffffffffffffffffffffffffffffffffffff\"");
    assert_tells(text, "\"reason\":\"aACompromise\"}]}");
    free(text);
    save(TLSOCK_CRL_OPTS(.issuer = made.bare, .number = "1",
                         .this_update = NOW - 8 * DAY),
         TLSOCK_FORMAT_DER, path);
    text = json_of(path);
    assert_tells(text, "\"overdue\":true");
    assert_tells(text, "\"idp\":null");
    assert_tells(text, "\"revoked_count\":0,\"revoked_complete\":true,"
                       "\"revoked\":[]}");
    free(text);
    tsk_clock_wall = NULL;
}

static void json_lists_the_first_thousand(void **state)
{
    static tlsock_revoked many[1001];
    static char serials[1001][8];
    const char *path = made_path("many.crl"), *p;
    char *text;
    int listed = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(many); i++) {
        snprintf(serials[i], sizeof(serials[i]), "%zx", 4096 + i);
        many[i] = (tlsock_revoked)ENTRY(.serial = serials[i], .when = NOW,
                                        .reason = 4);
    }
    for (size_t n = 1000; n <= 1001; n++) {
        save(TLSOCK_CRL_OPTS(.issuer = made.ca, .number = "1", .revoked = many,
                             .n_revoked = n),
             TLSOCK_FORMAT_DER, path);
        text = json_of(path);
        assert_tells(text, n == 1000 ? "\"revoked_count\":1000,"
                                       "\"revoked_complete\":true"
                                     : "\"revoked_count\":1001,"
                                       "\"revoked_complete\":false");
        listed = 0;
        for (p = text; (p = strstr(p, "\"serial\"")) != NULL; p++)
            listed++;
        assert_int_equal(listed, 1000);
        free(text);
    }
}

/* Delta CRLs and lists with limits are not made here, but they are read. */
static void json_tells_limits_and_deltas(void **state)
{
    X509_CRL *crl = X509_CRL_new();
    ISSUING_DIST_POINT *idp = ISSUING_DIST_POINT_new();
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    const char *path = made_path("delta.crl");
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
    BIO *bio = BIO_new_file(path, "wb");
    char *text;

    (void)state;
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(made.ca->leaf));
    X509_CRL_set1_lastUpdate(crl, now);
    ASN1_INTEGER_set(n, 0x1e);
    assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, n, 1, 0), 1);
    idp->onlyCA = 0xff;
    idp->onlysomereasons = ASN1_BIT_STRING_new();
    ASN1_BIT_STRING_set_bit(idp->onlysomereasons, 1, 1);
    ASN1_BIT_STRING_set_bit(idp->onlysomereasons, 6, 1);
    assert_int_equal(
        X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, idp, 1, 0),
        1);
    assert_true(X509_CRL_sign(crl, pki_key(KEY_ROOT), EVP_sha256()) > 0);
    assert_int_equal(i2d_X509_CRL_bio(bio, crl), 1);
    BIO_free(bio);
    ISSUING_DIST_POINT_free(idp);
    ASN1_INTEGER_free(n);
    ASN1_TIME_free(now);
    X509_CRL_free(crl);
    text = json_of(path);
    assert_tells(text, "\"number\":null");
    assert_tells(text, "\"next_update\":null,\"overdue\":false");
    assert_tells(text, "\"only_ca\":true");
    assert_tells(text, "\"reasons\":[\"keyCompromise\",\"certificateHold\"]");
    assert_tells(text, "\"delta\":true,\"base_number\":\"1e\"");
    free(text);
}

/* Reasons and algorithms that have no name are told by their numbers. */
static void json_tells_what_it_does_not_know(void **state)
{
    const char *path = made_path("odd.crl");
    ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
    X509_CRL *crl = X509_CRL_new();
    X509_REVOKED *r = X509_REVOKED_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
    BIO *bio = BIO_new_file(path, "wb");
    unsigned char *der = NULL, *at;
    char *text;
    int len;

    (void)state;
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(made.ca->leaf));
    X509_CRL_set1_lastUpdate(crl, now);
    X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(made.leaf->leaf));
    X509_REVOKED_set_revocationDate(r, now);
    ASN1_ENUMERATED_set(reason, 7); /* RFC 5280, 5.3.1: not used */
    X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, reason, 0, 0);
    X509_CRL_add0_revoked(crl, r);
    assert_true(X509_CRL_sign(crl, pki_key(KEY_ROOT), EVP_sha256()) > 0);
    len = i2d_X509_CRL(crl, &der);
    assert_true(len > 0);
    for (at = der; at + 8 <= der + len; at++) /* ecdsa-with-SHA256 */
        if (memcmp(at, "\x2a\x86\x48\xce\x3d\x04\x03\x02", 8) == 0)
            at[7] = 0x63;
    assert_int_equal(BIO_write(bio, der, len), len);
    BIO_free(bio);
    OPENSSL_free(der);
    ASN1_ENUMERATED_free(reason);
    ASN1_TIME_free(now);
    X509_CRL_free(crl);
    text = json_of(path);
    assert_tells(text, "\"reason\":\"7\"");
    assert_tells(text, "\"signature\":\"1.2.840.10045.4.3.99\"");
    free(text);
}

static void what_is_no_list_is_refused(void **state)
{
    const char *path = made_path("none.crl");
    char *pem = pki_pem(made.ca->leaf), small[16];
    tlsock_error err = {0};

    (void)state;
    assert_code(tlsock_crl_json(pem, NULL, 0, &err), TLSOCK_E_OWN_FILE);
    assert_tells(err.message, "is no CRL");
    free(pem);
    assert_code(
        tlsock_crl_json(made_path("not-there"), small, sizeof(small), &err),
        TLSOCK_E_OWN_FILE);
    assert_string_equal(small, "");
    pki_write_text(path, "hello", 5);
    assert_code(tlsock_crl_json(path, NULL, 0, &err), TLSOCK_E_OWN_FILE);
    assert_tells(err.hint, "PEM");
    pki_write_text(path, "", 0);
    assert_code(tlsock_crl_json(path, NULL, 0, &err), TLSOCK_E_OWN_FILE);
    assert_code(tlsock_crl_json(NULL, NULL, 0, &err), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_crl_json(path, NULL, 1, &err), TLSOCK_E_ARGUMENT);
    /* larger than any list that is read */
    pki_write_text(path, "x", 1);
    assert_int_equal(truncate(path, (32 << 20) + 1), 0);
    assert_code(tlsock_crl_json(path, NULL, 0, &err), TLSOCK_E_LIMIT);
    assert_int_equal(unlink(path), 0);
    /* a byte behind the list */
    save(TLSOCK_CRL_OPTS(.issuer = made.ca, .number = "1"), TLSOCK_FORMAT_DER,
         path);
    assert_true(tlsock_crl_json(path, small, sizeof(small), &err) > 15);
    assert_string_equal(small, "{\"schema\":\"tlso");
    {
        FILE *f = fopen(path, "ab");

        assert_non_null(f);
        fputc(0, f);
        fclose(f);
    }
    assert_code(tlsock_crl_json(path, NULL, 0, &err), TLSOCK_E_OWN_FILE);
}

static int left_behind(void)
{
    DIR *d = opendir(pki_dir());
    struct dirent *e;
    int n = 0;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL)
        n += strncmp(e->d_name, "oom", 3) == 0;
    closedir(d);
    return n;
}

static int make_one(tlsock_error *err)
{
    return tlsock_crl_save(TLSOCK_CRL_OPTS(.issuer = made.ca, .number = "1f",
                                           .revoked = three, .n_revoked = 3,
                                           .url = "http://a.test/"),
                           TLSOCK_FORMAT_PEM, made_path("oom.crl"), err);
}

static int read_one(tlsock_error *err)
{
    int n = tlsock_crl_json(made_path("delta.crl"), NULL, 0, err);

    return n < 0 ? n : tlsock_crl_json(made_path("three.crl"), NULL, 0, err);
}

static void memory_may_fail_anywhere(void **state)
{
    int (*const jobs[])(tlsock_error *) = {make_one, read_one};
    static const enum fault_kind kinds[] = {FAULT_OWN, FAULT_OPENSSL,
                                            FAULT_REFUSED};

    (void)state;
    for (size_t i = 0; i < COUNT(jobs) * COUNT(kinds); i++) {
        enum fault_kind kind = kinds[i % COUNT(kinds)];
        int hit = 1;
        long n = 1;

        for (; hit && n < 5000; n++) {
            tlsock_error err = {0};
            int rc;

            fault_arm(kind, n, 1);
            rc = jobs[i / COUNT(kinds)](&err);
            hit = fault_disarm();
            assert_true(ERR_peek_error() == 0);
            assert_true(rc >= 0 || err.code == rc);
            /* OpenSSL does without some allocations: then it is done */
            if (hit && kind == FAULT_OWN && rc != TLSOCK_E_NOMEM)
                fail_msg("job %zu, allocation %ld: %d %s", i, n, rc,
                         err.message);
            if (!hit)
                assert_true(rc >= 0);
            if (rc >= 0 && i < COUNT(kinds))
                assert_int_equal(unlink(made_path("oom.crl")), 0);
            if (left_behind() != 0)
                fail_msg("job %zu, %s %ld (%s): %d, a file is left", i,
                         fault_name(kind), n, fault_refused(), rc);
        }
        assert_true((n > 2 || !fault_is_there(kind)) && !hit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_holds_what_was_asked_for),
        cmocka_unit_test(a_list_may_be_empty_and_is_replaced),
        cmocka_unit_test(every_kind_of_key_signs),
        cmocka_unit_test(what_cannot_be_is_refused_and_leaves_no_file),
        cmocka_unit_test(calls_that_are_wrong_are_refused),
        cmocka_unit_test(json_tells_what_a_list_says),
        cmocka_unit_test(json_lists_the_first_thousand),
        cmocka_unit_test(json_tells_limits_and_deltas),
        cmocka_unit_test(json_tells_what_it_does_not_know),
        cmocka_unit_test(what_is_no_list_is_refused),
        cmocka_unit_test(memory_may_fail_anywhere),
    };

    fault_init();
    return cmocka_run_group_tests(tests, made_setup, made_teardown);
}
