#include "pki.h"

#include "core/clock.h"
#include "fault.h"
#include "verify/index.h"
#include "verify/policy.h"
#include "verify/system.h"
#include "verify/trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANY 18 /* more than are decoded at once */

static X509 *root, *other, *leaf, *twin, *many[MANY], *below_many;
static char path[12][128];
enum { GOOD, EMPTY, KEY, CUT, JUNK, BIG, PLAIN, HASHED, BARE, DER, GONE, BOTH };

static X509 *make_root(const char *cn, enum pki_key key)
{
    return pki_make(&(struct pki_spec){
        .cn = cn, .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = key});
}

static X509 *make_leaf(X509 *issuer, enum pki_key key)
{
    return pki_make(&(struct pki_spec){.cn = "a.test",
                                       .san = "DNS:a.test",
                                       .bc = PKI_LEAF_BC,
                                       .ku = "critical,digitalSignature",
                                       .eku = "serverAuth",
                                       .key = KEY_LEAF,
                                       .issuer = issuer,
                                       .issuer_key = key});
}

static void write_dirs(void)
{
    char name[256];

    mkdir(path[PLAIN], 0700);
    snprintf(name, sizeof(name), "%s/root.crt", path[PLAIN]);
    pki_write(name, &root, 1);
    snprintf(name, sizeof(name), "%s/key.pem", path[PLAIN]);
    pki_write_text(name, "-----BEGIN PRIVATE KEY-----\nAA==\n", 33);
    snprintf(name, sizeof(name), "%s/README", path[PLAIN]);
    pki_write_text(name, "x", 1);
    mkdir(path[HASHED], 0700);
    /* two of one hash, and one that is damaged between them */
    snprintf(name, sizeof(name), "%s/%08lx.0", path[HASHED],
             X509_NAME_hash_ex(X509_get_subject_name(twin), NULL, NULL, NULL));
    pki_write(name, &twin, 1);
    name[strlen(name) - 1] = '1';
    pki_write_text(name, "-----BEGIN CERTIFICATE-----\nAA==\n", 33);
    name[strlen(name) - 1] = '2';
    pki_write(name, &root, 1);
    mkdir(path[BARE], 0700);
}

static void write_files(void)
{
    char *pem = pki_pem(root);
    unsigned char *der = NULL;
    int len = i2d_X509(root, &der);
    X509 *both[2] = {other, root};

    pki_write(path[GOOD], &root, 1);
    pki_write(path[BOTH], both, 2);
    pki_write_text(path[EMPTY], "", 0);
    pki_write_text(path[KEY],
                   "-----BEGIN PRIVATE KEY-----\nAA==\n"
                   "-----END PRIVATE KEY-----\n",
                   59);
    pki_write_text(path[CUT], pem, strlen(pem) / 2);
    pki_write_text(path[JUNK], "hello, world\n", 13);
    pki_write_text(path[DER], (char *)der, (size_t)len);
    OPENSSL_free(der);
    free(pem);
    pki_write(path[BIG], many, MANY);
}

static int setup(void **state)
{
    static const char *const names[] = {
        "good.pem", "empty.pem", "key.pem", "cut.pem",  "junk.pem", "big.pem",
        "plain",    "hashed",    "bare",    "root.der", "gone.pem", "both.pem"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        snprintf(path[i], sizeof(path[i]), "%s/%s", pki_dir(), names[i]);
    root = make_root("Root CA", KEY_ROOT);
    twin = make_root("root  ca", KEY_OTHER); /* the same to RFC 5280, 7.1 */
    other = make_root("Other Root", KEY_OTHER);
    leaf = make_leaf(root, KEY_ROOT);
    for (int i = 0; i < MANY; i++) {
        char cn[32];

        snprintf(cn, sizeof(cn), "Root %d", i);
        many[i] = make_root(cn, KEY_INTER);
    }
    below_many = make_leaf(many[13], KEY_INTER);
    write_files();
    write_dirs();
    return 0;
}

static int teardown(void **state)
{
    X509 *all[] = {root, twin, other, leaf, below_many};

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++)
        X509_free(all[i]);
    for (int i = 0; i < MANY; i++)
        X509_free(many[i]);
    pki_free();
    return 0;
}

static int accepts(struct tsk_trust *t, X509 *crt)
{
    struct tsk_verify_req req = {.name = "a.test", .partial_chain = 1};
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    struct tsk_verdict verdict;
    int rc = -1;

    if (ctx != NULL &&
        X509_STORE_CTX_init(ctx, tsk_trust_store(t), crt, NULL) == 1)
        rc = tsk_policy_verify(ctx, &req, &verdict, NULL);
    X509_STORE_CTX_free(ctx);
    return rc == 0;
}

static void check(const char *const *uris, size_t n, X509 *crt, int want)
{
    tlsock_error err = {0};
    struct tsk_trust *t = tsk_trust_new(uris, n, &err);

    if (t == NULL)
        fail_msg("%s: %s", uris[0], err.message);
    if (accepts(t, crt) != want)
        fail_msg("%s: accepted %d", uris[0], !want);
    assert_int_equal(accepts(t, crt), want); /* again, from the cache */
    tsk_trust_unref(t);
}

static void with_env(const char *file, const char *dir)
{
    if (file != NULL)
        setenv("SSL_CERT_FILE", file, 1);
    else
        unsetenv("SSL_CERT_FILE");
    if (dir != NULL)
        setenv("SSL_CERT_DIR", dir, 1);
    else
        unsetenv("SSL_CERT_DIR");
}

static void every_form_of_trust_is_used(void **state)
{
    char *pem = pki_pem(root), tagged[2048], filed[160];
    const char *uris[] = {path[GOOD],   path[BOTH], path[DER], path[PLAIN],
                          path[HASHED], pem,        tagged,    filed};

    (void)state;
    snprintf(tagged, sizeof(tagged), "pem:%s", pem);
    snprintf(filed, sizeof(filed), "file:%s", path[GOOD]);
    for (size_t i = 0; i < COUNT(uris); i++) {
        check(&uris[i], 1, leaf, 1);
        check(&uris[i], 1, below_many, 0);
    }
    check((const char *[]){path[BIG]}, 1, below_many, 1);
    check((const char *[]){path[BIG]}, 1, leaf, 0);
    check((const char *[]){"none"}, 1, leaf, 0);
    free(pem);
}

static void stores_add_up(void **state)
{
    const char *two[] = {path[BIG], path[GOOD]};
    const char *with_system[] = {path[GOOD], "system", "system"};

    (void)state;
    check(two, 1, leaf, 0);
    check(two, 2, leaf, 1);
    check(two, 2, below_many, 1);
    check((const char *[]){"none", path[GOOD]}, 2, leaf, 1);
    with_env(path[BIG], NULL);
    check(with_system, 1, below_many, 0);
    check(with_system, 3, below_many, 1);
    check(with_system, 3, leaf, 1);
    check(&with_system[1], 1, leaf, 0);
    with_env(NULL, NULL);
}

static void two_cas_of_one_name_do_not_hide_each_other(void **state)
{
    char file[160];

    (void)state;
    snprintf(file, sizeof(file), "%s/twin.pem", pki_dir());
    pki_write(file, &twin, 1);
    check((const char *[]){file}, 1, leaf, 0);
    check((const char *[]){file, path[GOOD]}, 2, leaf, 1);
    check((const char *[]){path[GOOD], file}, 2, leaf, 1);
    check((const char *[]){file, path[HASHED]}, 2, leaf, 1);
}

static void useless_trust_is_refused_by_name(void **state)
{
    static const struct {
        int which;
        const char *fault;
    } cases[] = {
        {EMPTY, "empty"},
        {KEY, "private key"},
        {CUT, "damaged or cut off"},
        {JUNK, "no certificate"},
        {BARE, "has no certificates"},
        {GONE, "No such file"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *uri = path[cases[i].which];
        tlsock_error err = {0};

        assert_null(tsk_trust_new(&uri, 1, &err));
        assert_code(err.code, TLSOCK_E_TRUST_STORE);
        assert_tells(err.message, uri);
        assert_tells(err.message, cases[i].fault);
        assert_true(err.hint[0] != '\0');
        assert_null(tsk_trust_new(&uri, 1, NULL));
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void broken_pem_text_is_refused(void **state)
{
    static const char *const texts[] = {
        "pem:",
        "pem:x",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        tlsock_error err = {0};

        assert_null(tsk_trust_new(&texts[i], 1, &err));
        assert_code(err.code, TLSOCK_E_TRUST_STORE);
        assert_true(err.message[0] != '\0');
    }
}

/* One certificate, its base64 laid out in many ways. */
static void base64_is_read_in_every_layout(void **state)
{
    static const struct {
        const char *claim, *between;
        int each, good;
    } rows[] = {
        {"lines of 64", "\n", 64, 1},
        {"CRLF", "\r\n", 64, 1},
        {"lines of 61", "\n", 61, 1},
        {"one line", "", 100000, 1},
        {"blanks", " ", 3, 1},
        {"blank lines", "\n\n", 76, 1},
        {"a foreign character", "\n!", 64, 0},
        {"padding within", "\n=", 64, 0},
    };
    char *pem = pki_pem(root), *body = strchr(pem, '\n') + 1;
    char *end = strstr(body, "-----END");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[16384], *out = text;
        const char *uri = text;
        struct tsk_trust *t;
        int n = 0;

        out += sprintf(out, "-----BEGIN CERTIFICATE-----\n");
        for (char *p = body; p < end; p++) {
            if (*p == '\n')
                continue;
            *out++ = *p;
            if (++n % rows[i].each == 0)
                out += sprintf(out, "%s", rows[i].between);
        }
        sprintf(out, "\n-----END CERTIFICATE-----\n");
        t = tsk_trust_new(&uri, 1, NULL);
        if ((t != NULL) != rows[i].good)
            fail_msg("%s", rows[i].claim);
        tsk_trust_unref(t);
        if (rows[i].good)
            check(&uri, 1, leaf, 1);
    }
    free(pem);
}

/* As long as it has to be for padding: signatures are not all of one length. */
static char *padded(void)
{
    for (int i = 0; i < 1000; i++) {
        X509 *x = make_root("Padded CA", KEY_ROOT);
        char *pem = pki_pem(x), *end = strstr(pem, "-----END");

        X509_free(x);
        if (end[-2] == '=')
            return pem;
        free(pem);
    }
    return NULL;
}

static void base64_ends_with_its_padding(void **state)
{
    static const struct {
        const char *claim, *behind;
        int good;
    } rows[] = {{"blanks behind the padding", " \n \n", 1},
                {"more behind the padding", "AAAA", 0},
                {"more padding than there is", "===", 0}};
    char *pem = padded(), *end;

    (void)state;
    assert_non_null(pem);
    end = strstr(pem, "-----END");
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[16384];
        const char *uri = text;
        struct tsk_trust *t;

        snprintf(text, sizeof(text), "%.*s%s%s", (int)(end - 1 - pem), pem,
                 rows[i].behind, end - 1);
        t = tsk_trust_new(&uri, 1, NULL);
        if ((t != NULL) != rows[i].good)
            fail_msg("%s", rows[i].claim);
        tsk_trust_unref(t);
    }
    free(pem);
}

/* No descriptor is left to read it with. */
static void a_directory_that_cannot_be_read_is_named(void **state)
{
    const char *uri = path[PLAIN];
    struct rlimit few, old;
    tlsock_error err = {0};
    struct tsk_trust *t;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    t = tsk_trust_new(&uri, 1, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_null(t);
    assert_code(err.code, TLSOCK_E_TRUST_STORE);
    assert_tells(err.message, path[PLAIN]);
    assert_tells(err.message, "Too many open files");
}

static void environment_names_the_system_store(void **state)
{
    const char *system = "system";
    char p[1024], why[128], tried[768];
    tlsock_error err = {0};
    struct tsk_trust *t;

    (void)state;
    with_env(path[GOOD], NULL);
    tsk_trust_find_system(p, sizeof(p), why, sizeof(why), tried, sizeof(tried));
    assert_string_equal(p, path[GOOD]);
    assert_tells(why, "SSL_CERT_FILE");
    t = tsk_trust_new(NULL, 0, &err);
    assert_non_null(t);
    assert_tells(tsk_trust_describe(t), path[GOOD]);
    assert_tells(tsk_trust_describe(t), "bundle; SSL_CERT_FILE is set");
    assert_int_equal(accepts(t, leaf), 1);
    assert_null(tsk_trust_ca_names(t));
    tsk_trust_unref(t);

    with_env(NULL, path[HASHED]);
    t = tsk_trust_new(&system, 1, &err);
    assert_non_null(t);
    assert_tells(tsk_trust_describe(t), "directory of hashed names");
    assert_int_equal(accepts(t, leaf), 1);
    tsk_trust_unref(t);

    with_env(path[BIG], "/nonexistent:/also-not");
    assert_null(tsk_trust_new(NULL, 0, &err));
    assert_code(err.code, TLSOCK_E_TRUST_STORE);
    assert_tells(err.message, "SSL_CERT_DIR");
    assert_tells(err.message, "/nonexistent (missing)");
    with_env(path[GONE], NULL);
    assert_null(tsk_trust_new(NULL, 0, &err));
    assert_tells(err.message, "SSL_CERT_FILE");
    tsk_trust_find_system(p, sizeof(p), why, sizeof(why), tried, sizeof(tried));
    assert_string_equal(p, "");
    assert_tells(tried, path[GONE]);
    with_env(path[EMPTY], NULL);
    assert_null(tsk_trust_new(NULL, 0, &err));
    assert_tells(err.message, "(empty)");
    with_env(path[JUNK], NULL);
    assert_null(tsk_trust_new(NULL, 0, &err));
    assert_tells(err.message, "no certificate");

    with_env(path[BIG], path[HASHED]);
    t = tsk_trust_new(NULL, 0, &err);
    assert_int_equal(accepts(t, leaf), 1);
    assert_int_equal(accepts(t, below_many), 1);
    tsk_trust_unref(t);
    with_env(NULL, NULL);
}

static void directory_of_damaged_files_is_refused(void **state)
{
    const char *uri = path[BARE];
    tlsock_error err = {0};
    char file[256];

    (void)state;
    snprintf(file, sizeof(file), "%s/x.cer", uri);
    pki_write_text(file, "hello", 5);
    assert_null(tsk_trust_new(&uri, 1, &err));
    assert_code(err.code, TLSOCK_E_TRUST_STORE);
    assert_tells(err.message, "x.cer");
    unlink(file);
}

static void system_store_is_shared_and_made_anew_when_it_changes(void **state)
{
    const char *const uris[] = {path[GOOD], "system"};
    char file[160];
    tlsock_error err = {0};
    struct tsk_trust *a, *b, *c;

    (void)state;
    snprintf(file, sizeof(file), "%s/system.pem", pki_dir());
    pki_write(file, &other, 1);
    with_env(file, NULL);
    a = tsk_trust_new(NULL, 0, &err);
    b = tsk_trust_new(&uris[1], 1, &err);
    assert_ptr_equal(a, b);
    assert_ptr_equal(tsk_trust_store(a), tsk_trust_store(b));
    assert_int_equal(accepts(a, leaf), 0);
    tsk_trust_unref(b);
    /* with more beside it, it is another trust */
    b = tsk_trust_new(uris, 2, &err);
    assert_ptr_not_equal(a, b);
    assert_int_equal(accepts(b, leaf), 1);
    assert_int_equal(accepts(a, leaf), 0);
    assert_tells(tsk_trust_describe(b), "system store: ");
    tsk_trust_unref(b);
    unlink(file);
    pki_write(file, many, MANY);
    c = tsk_trust_new(NULL, 0, &err);
    assert_ptr_not_equal(a, c);
    assert_int_equal(accepts(c, below_many), 1);
    assert_int_equal(accepts(a, below_many), 0);
    tsk_trust_unref(a);
    tsk_trust_unref(c);
    with_env(NULL, NULL);
}

static void names_of_own_cas_are_listed_once(void **state)
{
    const char *const uris[] = {path[BOTH], path[GOOD], "none"};
    const char *hashed = path[HASHED];
    tlsock_error err = {0};
    struct tsk_trust *t = tsk_trust_new(uris, 3, &err);
    STACK_OF(X509_NAME) *names = tsk_trust_ca_names(t);

    (void)state;
    assert_int_equal(sk_X509_NAME_num(names), 2);
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    tsk_trust_unref(t);
    /* a directory may hold hundreds: none of them is sent to clients */
    t = tsk_trust_new(&hashed, 1, &err);
    assert_non_null(t);
    assert_null(tsk_trust_ca_names(t));
    tsk_trust_unref(t);
}

static void *verify_often(void *arg)
{
    for (int i = 0; i < 50; i++) {
        struct tsk_trust *t = tsk_trust_new(NULL, 0, NULL);

        if (t == NULL || !accepts(t, leaf) || !accepts(t, below_many))
            *(int *)arg = 1;
        tsk_trust_unref(t);
    }
    return NULL;
}

static void threads_share_one_store(void **state)
{
    pthread_t threads[4];
    int failed[4] = {0};

    (void)state;
    with_env(path[BIG], path[HASHED]);
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, verify_often, &failed[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(failed[i], 0);
    }
    with_env(NULL, NULL);
}

static void failing_memory_is_told_and_trusts_nobody(void **state)
{
    const char *const uris[] = {path[BOTH], path[HASHED], path[DER],
                                path[PLAIN], "system"};

    (void)state;
    with_env(path[BIG], NULL);
    for (int kind = FAULT_OWN; kind <= FAULT_REFUSED; kind++) {
        int fired = 1;

        for (long n = 1; fired && n < 9000; n += 1 + n / 64) {
            tlsock_error err = {0};
            struct tsk_trust *t;

            fault_arm((enum fault_kind)kind, n, 1);
            t = tsk_trust_new(uris, COUNT(uris), &err);
            fired = fault_disarm();
            if (t == NULL)
                assert_true(err.code != 0 && err.message[0] != '\0');
            else
                assert_int_equal(accepts(t, below_many), 1);
            tsk_trust_unref(t);
        }
        assert_int_equal(fired, 0);
    }
    assert_int_equal(ERR_peek_error(), 0);
    for (long n = 2, fired = 1; fired && n < 3000; n += 1 + n / 64) {
        struct tsk_trust *t = tsk_trust_new(uris, COUNT(uris), NULL);

        fault_arm(n % 2 ? FAULT_OWN : FAULT_OPENSSL, n / 2 + 1, 1);
        (void)accepts(t, leaf); /* no crash, no leak */
        fired = fault_disarm() || n % 2;
        assert_int_equal(accepts(t, leaf), 1); /* and it recovers */
        tsk_trust_unref(t);
    }
    with_env(NULL, NULL);
    ERR_clear_error(); /* of X509_STORE_CTX_init() above */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_trust_is_used),
        cmocka_unit_test(stores_add_up),
        cmocka_unit_test(two_cas_of_one_name_do_not_hide_each_other),
        cmocka_unit_test(useless_trust_is_refused_by_name),
        cmocka_unit_test(broken_pem_text_is_refused),
        cmocka_unit_test(base64_is_read_in_every_layout),
        cmocka_unit_test(base64_ends_with_its_padding),
        cmocka_unit_test(a_directory_that_cannot_be_read_is_named),
        cmocka_unit_test(environment_names_the_system_store),
        cmocka_unit_test(directory_of_damaged_files_is_refused),
        cmocka_unit_test(system_store_is_shared_and_made_anew_when_it_changes),
        cmocka_unit_test(names_of_own_cas_are_listed_once),
        cmocka_unit_test(threads_share_one_store),
        cmocka_unit_test(failing_memory_is_told_and_trusts_nobody),
    };

    fault_init();
    with_env(NULL, NULL);
    return cmocka_run_group_tests(tests, setup, teardown);
}
