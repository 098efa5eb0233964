/* Lists out of bytes, files and directories: what is taken, what is refused,
 * and what it costs. */
#include "lists.h"

#include "fault.h"
#include "revoke/crljudge.h"

#include <errno.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static X509 *root, *leaf, *chain[2];
static STACK_OF(X509) * path;

static int setup(void **state)
{
    (void)state;
    root = lists_root();
    leaf = lists_leaf(root, "p_a");
    chain[0] = leaf;
    chain[1] = root;
    path = pki_stack(chain, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sk_X509_free(path);
    X509_free(leaf);
    X509_free(root);
    pki_free();
    return 0;
}

static enum tsk_state judge(struct tsk_crls *l, tlsock_error *err)
{
    struct tsk_crl_question q = {.chain = path, .now = LISTS_NOW};
    struct tsk_status st;

    assert_int_equal(tsk_crl_judge(&l, 1, &q, &st, err), 0);
    return st.state;
}

/* Rich in everything that a list may hold. */
static unsigned char *rich(int *len)
{
    return lists_der(
        &(struct list_spec){.by = root,
                            .key = KEY_ROOT,
                            .entries = {{.serial = 400, .of = leaf},
                                        {.serial = 300, .reason = 1},
                                        {.serial = 1, .more = "1.2.3"}},
                            .idp = "i_indirect_a",
                            .number = 7,
                            .keyid = 1},
        len);
}

static void no_changed_bit_is_believed(void **state)
{
    unsigned char *der;
    int len, believed = 0;
    tlsock_error err;
    struct tsk_crls *l;

    (void)state;
    der = rich(&len);
    l = tsk_crls_parse(der, (size_t)len, "rich", &err);
    assert_non_null(l);
    assert_int_equal(judge(l, &err), TSK_GOOD);
    tsk_crls_unref(l);
    for (int i = 0; i < 8 * len; i++) {
        der[i / 8] ^= (unsigned char)(1 << i % 8);
        l = tsk_crls_parse(der, (size_t)len, "changed", &err);
        believed += l != NULL && judge(l, &err) != TSK_UNKNOWN;
        assert_true(l != NULL || err.code == TLSOCK_E_OWN_FILE);
        tsk_crls_unref(l);
        der[i / 8] ^= (unsigned char)(1 << i % 8);
    }
    assert_int_equal(believed, 0);
    OPENSSL_free(der);
    assert_int_equal(ERR_peek_error(), 0);
}

static void no_part_of_a_list_is_a_list(void **state)
{
    unsigned char *der, *more;
    int len;
    tlsock_error err = {0};

    (void)state;
    der = rich(&len);
    for (int i = 0; i < len; i++) {
        /* of its own, so that a read behind it shows */
        unsigned char *part = malloc(i > 0 ? (size_t)i : 1);

        memcpy(part, der, (size_t)i);
        assert_null(tsk_crls_parse(part, (size_t)i, "part", &err));
        assert_int_equal(err.code, TLSOCK_E_OWN_FILE);
        free(part);
    }
    more = malloc((size_t)len + 1);
    memcpy(more, der, (size_t)len);
    more[len] = 0;
    assert_null(tsk_crls_parse(more, (size_t)len + 1, "more", &err));
    free(more);
    OPENSSL_free(der);
}

/* A list of made up content: version, algorithm, issuer and date, then tail. */
static struct tsk_crls *with_tail(const char *tail, size_t tail_len,
                                  tlsock_error *err)
{
    static const char alg[] = "\x30\x05\x06\x03\x2b\x65\x70";
    static const char head[] = "\x02\x01\x01"
                               "\x30\x05\x06\x03\x2b\x65\x70"
                               "\x30\x00\x17\x0d"
                               "260101000000Z";
    unsigned char der[256];
    size_t body = sizeof(head) - 1 + tail_len, n = 0;

    assert_true(body < 128);
    der[n++] = 0x30;
    der[n++] = 0x81;
    der[n++] = (unsigned char)(2 + body + 7 + 4);
    der[n++] = 0x30;
    der[n++] = (unsigned char)body;
    memcpy(der + n, head, sizeof(head) - 1);
    n += sizeof(head) - 1;
    memcpy(der + n, tail, tail_len);
    n += tail_len;
    memcpy(der + n, alg, 7);
    n += 7;
    memcpy(der + n, "\x03\x02\x00\x01", 4);
    n += 4;
    /* above: the long form of a length below 128 is no DER, so pad by rows */
    if (der[2] < 0x80) {
        memmove(der + 2, der + 3, n - 3);
        der[1] = (unsigned char)(n - 3);
        n--;
    }
    return tsk_crls_parse(der, n, "made up", err);
}

static void entries_have_to_be_well_formed(void **state)
{
#define ROW(claim, good, tail)                                                 \
    {                                                                          \
        claim, good, tail, sizeof(tail) - 1                                    \
    }
#define DATE                                                                   \
    "\x17\x0d"                                                                 \
    "260101000000Z"
    static const struct {
        const char *claim;
        int good;
        const char *tail;
        size_t len;
    } rows[] = {
        ROW("none", 1, ""),
        ROW("an end", 1, DATE),
        ROW("an empty sequence of them", 1, "\x30\x00"),
        ROW("one", 1, "\x30\x14\x30\x12\x02\x01\x05" DATE),
        ROW("an end and one", 1, DATE "\x30\x14\x30\x12\x02\x01\x05" DATE),
        ROW("a long number", 1, "\x30\x15\x30\x13\x02\x02\x00\x85" DATE),
        ROW("padded", 0, "\x30\x15\x30\x13\x02\x02\x00\x05" DATE),
        ROW("padded, negative", 0, "\x30\x15\x30\x13\x02\x02\xff\x85" DATE),
        ROW("an empty number", 0, "\x30\x13\x30\x11\x02\x00" DATE),
        ROW("no number", 0, "\x30\x11\x30\x0f" DATE),
        ROW("no date", 0, "\x30\x05\x30\x03\x02\x01\x05"),
        ROW("something behind the date", 0,
            "\x30\x16\x30\x14\x02\x01\x05" DATE "\x05\x00"),
        ROW("an entry longer than all", 0, "\x30\x14\x30\x13\x02\x01\x05" DATE),
        ROW("indefinite", 0, "\x30\x16\x30\x80\x02\x01\x05" DATE "\x00\x00"),
        ROW("a long form of a short length", 0,
            "\x30\x15\x30\x81\x12\x02\x01\x05" DATE),
        ROW("no entry", 0, "\x30\x03\x02\x01\x05"),
        ROW("extensions", 1, "\xa0\x02\x30\x00"),
        ROW("extensions twice", 0, "\xa0\x02\x30\x00\xa0\x02\x30\x00"),
        ROW("extensions that are none", 0, "\xa0\x02\x02\x00"),
        ROW("an extension without a value", 0,
            "\xa0\x09\x30\x07\x30\x05\x06\x03\x55\x1d\x14"),
        ROW("a number", 1,
            "\xa0\x0e\x30\x0c\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x05"),
        ROW("a number that is none", 0,
            "\xa0\x0e\x30\x0c\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x04\x01\x05"),
        ROW("two numbers", 0,
            "\xa0\x1a\x30\x18\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x05"
            "\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x05"),
        ROW("something unknown behind", 0, "\x31\x00"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_error err = {0};
        struct tsk_crls *l = with_tail(rows[i].tail, rows[i].len, &err);

        if ((l != NULL) != rows[i].good ||
            (l == NULL && strstr(err.message, "is damaged") == NULL))
            fail_msg("%s: \"%s\"", rows[i].claim, err.message);
        tsk_crls_unref(l);
    }
}

static void put_list(const char *dir, const char *name, int pem, int spoil)
{
    struct list_spec spec = {.by = root, .key = KEY_ROOT};
    X509_CRL *crl = lists_make(&spec);
    char file[400];
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(crl, &der);
    FILE *f;

    snprintf(file, sizeof(file), "%s/%s", dir, name);
    if (pem) {
        f = fopen(file, "w");
        PEM_write_X509_CRL(f, crl);
        fclose(f);
    } else {
        pki_write_text(file, (const char *)der, (size_t)(len - spoil));
    }
    OPENSSL_free(der);
    X509_CRL_free(crl);
}

static int count(const char *uri, tlsock_error *err)
{
    struct tsk_crls *l;
    int n;

    memset(err, 0, sizeof(*err));
    l = tsk_crls_load(uri, err);
    n = l != NULL ? (int)tsk_crls_count(l) : -1;
    tsk_crls_unref(l);
    return n;
}

static void a_directory_gives_all_its_lists(void **state)
{
    char dir[300], file[400], uri[400];
    tlsock_error err;

    (void)state;
    snprintf(dir, sizeof(dir), "%s/lists", pki_dir());
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(count(dir, &err), -1);
    assert_int_equal(err.code, TLSOCK_E_OWN_FILE);
    assert_tells(err.message, "holds no CRL");
    assert_tells(err.hint, "rehash");

    snprintf(file, sizeof(file), "%s/ca.pem", dir);
    pki_write(file, &root, 1); /* no list: passed over */
    assert_int_equal(count(dir, &err), -1);
    put_list(dir, "a.crl", 0, 0);
    put_list(dir, "b.pem", 1, 0);
    put_list(dir, "c.DER", 0, 0);
    put_list(dir, "0123abcd.r0", 1, 0);
    put_list(dir, "note.txt", 0, 9); /* of no name for lists */
    put_list(dir, ".hidden.crl", 0, 9);
    assert_int_equal(count(dir, &err), 4);
    snprintf(uri, sizeof(uri), "file:%s", dir);
    assert_int_equal(count(uri, &err), 4);
    snprintf(file, sizeof(file), "%s/89abcdef.r0", dir);
    assert_int_equal(symlink("a.crl", file), 0); /* the same once more */
    assert_int_equal(count(dir, &err), 4);
    snprintf(file, sizeof(file), "%s/gone.crl", dir);
    assert_int_equal(symlink("nowhere", file), 0);
    assert_int_equal(count(dir, &err), 4);

    put_list(dir, "bad.crl", 0, 3);
    assert_int_equal(count(dir, &err), -1);
    assert_int_equal(err.code, TLSOCK_E_OWN_FILE);
    assert_tells(err.message, "lists/bad.crl");
}

/* One more file than is read. */
static void a_directory_has_an_end(void **state)
{
    char dir[300], file[400];
    tlsock_error err;
    unsigned char *der;
    int len;

    (void)state;
    der = lists_der(&(struct list_spec){.by = root, .key = KEY_ROOT}, &len);
    snprintf(dir, sizeof(dir), "%s/many", pki_dir());
    assert_int_equal(mkdir(dir, 0700), 0);
    for (int i = 0; i <= 10000; i++) {
        snprintf(file, sizeof(file), "%s/%d.crl", dir, i);
        pki_write_text(file, (const char *)der, (size_t)len);
    }
    assert_int_equal(count(dir, &err), -1);
    assert_code(err.code, TLSOCK_E_LIMIT);
    assert_tells(err.message, "more than 10000 files");
    assert_int_equal(unlink(file), 0);
    assert_int_equal(count(dir, &err), 10000);
    OPENSSL_free(der);
}

static void a_directory_that_is_not_open_to_us_is_named(void **state)
{
    char dir[300];
    pid_t pid;
    int status;

    (void)state;
    snprintf(dir, sizeof(dir), "%s/closed", pki_dir());
    assert_int_equal(mkdir(dir, 0), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) { /* root may open anything */
        tlsock_error err;

        if (geteuid() == 0 &&
            (chmod(pki_dir(), 0711) != 0 || setuid(65534) != 0))
            test_exit(2);
        test_exit(count(dir, &err) == -1 && err.code == TLSOCK_E_OWN_FILE &&
                          err.sys_errno == EACCES &&
                          strstr(err.message, "closed") != NULL
                      ? 0
                      : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static unsigned char *head(unsigned char *p, unsigned char tag, size_t len)
{
    const unsigned char h[] = {tag,
                               0x84,
                               (unsigned char)(len >> 24),
                               (unsigned char)(len >> 16),
                               (unsigned char)(len >> 8),
                               (unsigned char)len};

    memcpy(p, h, sizeof(h));
    return p + sizeof(h);
}

/* A list with so many entries, all the same; nobody has signed it. Each length
 * takes four bytes: 16 MiB at least. */
static unsigned char *swollen(size_t rows, size_t *len)
{
    static const char row[] = "\x30\x12\x02\x01\x05\x17\x0d"
                              "300101000000Z";
    struct list_spec plain = {.by = root, .key = KEY_ROOT};
    const size_t of_rows = rows * (sizeof(row) - 1);
    const unsigned char *in, *tbs, *exts;
    unsigned char *der, *out, *p;
    long n_all, n_tbs, n_exts;
    int tag, class, n;

    der = lists_der(&plain, &n);
    in = der;
    ASN1_get_object(&in, &n_all, &tag, &class, n);
    n_all -= in - der;
    tbs = in;
    ASN1_get_object(&tbs, &n_tbs, &tag, &class, n);
    for (exts = tbs; exts < tbs + n_tbs && *exts != 0xa0; exts += n_exts)
        ASN1_get_object(&exts, &n_exts, &tag, &class, tbs + n_tbs - exts);
    n_exts = tbs + n_tbs - exts;
    out = test_malloc(of_rows + (size_t)n + 32);
    p = out + 12; /* behind two heads */
    memcpy(p, tbs, (size_t)(exts - tbs));
    p = head(p + (exts - tbs), 0x30, of_rows);
    for (size_t i = 0; i < rows; i++, p += sizeof(row) - 1)
        memcpy(p, row, sizeof(row) - 1);
    memcpy(p, exts, (size_t)n_exts);
    p += n_exts;
    head(out + 6, 0x30, (size_t)(p - out) - 12);
    n_all = der + n - (tbs + n_tbs); /* algorithm and signature */
    memcpy(p, tbs + n_tbs, (size_t)n_all);
    p += n_all;
    head(out, 0x30, (size_t)(p - out) - 6);
    *len = (size_t)(p - out);
    OPENSSL_free(der);
    return out;
}

static void a_list_has_an_end(void **state)
{
    static const struct {
        size_t rows;
        int code;
    } sizes[] = {{900000, 0}, {8000001, TLSOCK_E_LIMIT}};

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        tlsock_error err = {0};
        size_t len;
        unsigned char *der = swollen(sizes[i].rows, &len);
        struct tsk_crls *l = tsk_crls_parse(der, len, "the list", &err);

        assert_code(err.code, sizes[i].code);
        if (l == NULL)
            assert_tells(err.message, "more than 8000000 entries");
        tsk_crls_unref(l);
        test_free(der);
    }
}

/* No descriptor is left to read it with. */
static void a_directory_that_cannot_be_read_is_named(void **state)
{
    struct rlimit few, old;
    tlsock_error err;
    int n;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    n = count(pki_dir(), &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(n, -1);
    assert_int_equal(err.code, TLSOCK_E_OWN_FILE);
    assert_tells(err.message, "cannot read directory");
    assert_tells(err.message, "Too many open files");
    assert_tells(err.hint, "may list it");
}

static void files_of_other_kinds_hold_no_list(void **state)
{
    unsigned char *der = NULL;
    int len = i2d_X509(root, &der);
    char file[300];
    tlsock_error err;

    (void)state;
    snprintf(file, sizeof(file), "%s/root.der", pki_dir());
    pki_write_text(file, (const char *)der, (size_t)len);
    assert_int_equal(count(file, &err), -1);
    assert_tells(err.message, "holds no CRL");
    OPENSSL_free(der);
}

#define BIG 100000

static void a_hundred_thousand_entries_are_found(void **state)
{
    unsigned char *der;
    int len, wrong = 0;
    tlsock_error err = {0};
    struct tsk_crls *l;
    X509_CRL *crl;
    const unsigned char *p;
    STACK_OF(X509_REVOKED) * all;

    (void)state;
    der = lists_big(root, KEY_ROOT, BIG, &len);
    l = tsk_crls_parse(der, (size_t)len, "big", &err);
    assert_non_null(l);
    assert_int_equal(judge(l, &err), TSK_GOOD);
    assert_int_equal(tsk_crls_until(l), LISTS_NOW + 7 * 86400);
    /* its bytes, and a pointer to each entry */
    assert_within(tsk_crls_memory(l), (size_t)len + sizeof(void *) * BIG,
                  (size_t)len + sizeof(void *) * BIG + 4096);
    p = der;
    crl = d2i_X509_CRL(NULL, &p, len);
    all = X509_CRL_get_REVOKED(crl);
    for (int i = 0; i < BIG; i += 97) {
        X509 *x = X509_dup(leaf), *members[] = {x, root};
        struct tsk_crl_question q = {.now = LISTS_NOW};
        struct tsk_status st;

        X509_set_serialNumber(x, (ASN1_INTEGER *)X509_REVOKED_get0_serialNumber(
                                     sk_X509_REVOKED_value(all, i)));
        q.chain = pki_stack(members, 2);
        assert_int_equal(tsk_crl_judge(&l, 1, &q, &st, NULL), 0);
        wrong += st.state != TSK_REVOKED;
        sk_X509_free(q.chain);
        X509_free(x);
    }
    assert_int_equal(wrong, 0);
    X509_CRL_free(crl);
    OPENSSL_free(der);
    tsk_crls_unref(l);
}

static void a_number_that_no_list_can_hold_is_in_none(void **state)
{
    X509 *x = X509_dup(leaf), *members[] = {x, root};
    struct list_spec spec = {.by = root, .key = KEY_ROOT};
    struct tsk_crl_question q = {.now = LISTS_NOW};
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    unsigned char raw[200];
    struct tsk_crls *l = lists_read(&spec);
    struct tsk_status st;
    tlsock_error err = {0};

    (void)state;
    memset(raw, 0x55, sizeof(raw));
    ASN1_STRING_set(serial, raw, sizeof(raw));
    X509_set_serialNumber(x, serial);
    q.chain = pki_stack(members, 2);
    assert_int_equal(tsk_crl_judge(&l, 1, &q, &st, &err), 0);
    assert_int_equal(st.state, TSK_UNKNOWN);
    assert_int_equal(err.code, TLSOCK_E_REVOCATION_UNKNOWN);
    sk_X509_free(q.chain);
    ASN1_INTEGER_free(serial);
    X509_free(x);
    tsk_crls_unref(l);
}

static void too_much_is_refused(void **state)
{
    static const char text[] = "x";
    tlsock_error err = {0};

    (void)state;
    assert_null(tsk_crls_parse(text, TSK_CRL_FILE_MAX + 1, "huge", &err));
    assert_int_equal(err.code, TLSOCK_E_LIMIT);
    assert_tells(err.message, "huge");
}

/* 1: nothing failed any more */
static int without_nth(const unsigned char *der, int len, X509 *sent,
                       enum fault_kind kind, long n)
{
    struct tsk_crl_question q = {.chain = path, .now = LISTS_NOW};
    struct tsk_status st = {0};
    tlsock_error err = {0};
    struct tsk_crls *l;
    int rc = 0, hit;

    q.untrusted = pki_stack(&sent, 1);
    fault_arm(kind, n, 1);
    l = tsk_crls_parse(der, (size_t)len, "list", &err);
    if (l != NULL)
        rc = tsk_crl_judge(&l, 1, &q, &st, &err);
    hit = fault_disarm();
    assert_true(l != NULL || err.code == TLSOCK_E_NOMEM ||
                err.code == TLSOCK_E_OWN_FILE);
    assert_true(rc == 0 || rc == TLSOCK_E_NOMEM ||
                (kind == FAULT_REFUSED && rc == err.code));
    if (!hit)
        assert_int_equal(st.state, TSK_GOOD);
    /* what failed once for want of memory is not remembered */
    if (l != NULL && kind != FAULT_REFUSED) {
        assert_int_equal(tsk_crl_judge(&l, 1, &q, &st, NULL), 0);
        assert_int_equal(st.state, TSK_GOOD);
    }
    tsk_crls_unref(l);
    sk_X509_free(q.untrusted);
    return !hit;
}

static void memory_may_fail_anywhere(void **state)
{
    const enum fault_kind kinds[] = {FAULT_OWN, FAULT_OPENSSL, FAULT_REFUSED};
    unsigned char *der;
    int len;

    (void)state;
    der = rich(&len);
    for (size_t k = 0; k < COUNT(kinds); k++) {
        int done = 0;

        for (long n = 1; !done && n < 20000; n++)
            done = without_nth(der, len, root, kinds[k], n);
        assert_int_equal(done, 1);
    }
    OPENSSL_free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_changed_bit_is_believed),
        cmocka_unit_test(no_part_of_a_list_is_a_list),
        cmocka_unit_test(entries_have_to_be_well_formed),
        cmocka_unit_test(a_directory_gives_all_its_lists),
        cmocka_unit_test(a_directory_that_cannot_be_read_is_named),
        cmocka_unit_test(a_directory_has_an_end),
        cmocka_unit_test(a_directory_that_is_not_open_to_us_is_named),
        cmocka_unit_test(a_list_has_an_end),
        cmocka_unit_test(files_of_other_kinds_hold_no_list),
        cmocka_unit_test(a_hundred_thousand_entries_are_found),
        cmocka_unit_test(a_number_that_no_list_can_hold_is_in_none),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(memory_may_fail_anywhere),
    };

    fault_init();
    return cmocka_run_group_tests(tests, setup, teardown);
}
