/* What is too much of something that is otherwise fine: each limit has an error
 * that names it, and the most that is allowed is taken. */
#include "ca.h"

#include <sys/socket.h>
#include <unistd.h>

static char *repeated(const char *piece, size_t times, const char *end)
{
    size_t n = strlen(piece);
    char *text = test_malloc(n * times + strlen(end) + 1);

    for (size_t i = 0; i < times; i++)
        memcpy(text + n * i, piece, n);
    strcpy(text + n * times, end);
    return text;
}

static void refused(const char *what, int code, const tlsock_error *err,
                    const char *fact)
{
    if (err->code != code || strstr(err->message, fact) == NULL)
        fail_msg("%s: %s \"%s\"", what, tlsock_errname(err->code),
                 err->message);
}

static void a_connection(void **state)
{
    struct {
        tlsock_opts opts;
        char newer[16];
    } o = {.opts = {.size = sizeof(o)}};
    char *host = repeated("abcdefghi.", 26, "test:443");
    tlsock_error err = {0};
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_null(tlsock_client_fd(fds[0], "a.test", NULL,
                                 TLSOCK_OPTS(.sni = "192.0.2.1"), &err));
    refused("an address as SNI", TLSOCK_E_ARGUMENT, &err, "is an address");
    o.newer[15] = 1;
    assert_null(tlsock_client_fd(fds[0], "a.test", NULL, &o.opts, &err));
    refused("an option of the future", TLSOCK_E_UNSUPPORTED, &err, "newer");
    assert_null(tlsock_connect(host, NULL, NULL, &err));
    refused("a host of 264 bytes", TLSOCK_E_ARGUMENT, &err, "");
    /* without what is newer, the longer struct is fine */
    o.newer[15] = 0;
    o.opts.nonblocking = 1;
    {
        tlsock *s = tlsock_client_fd(fds[0], "a.test", NULL, &o.opts, &err);

        assert_non_null(s);
        tlsock_abandon(s);
    }
    close(fds[1]);
    test_free(host);
}

static void certificates(void **state)
{
    char *pem = repeated("0123456789abcdef", (1 << 20) + 1, "");
    char *name = repeated("a", 270, ".test"), *names;
    tlsock_error err = {0};
    tlsock_cert *ca;

    (void)state;
    memcpy(pem, "pem:", 4);
    assert_null(tlsock_cert_load(pem, NULL, NULL, &err));
    refused("more than 16 MiB of PEM in an argument", TLSOCK_E_LIMIT, &err,
            "larger");
    assert_null(tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = "CN=x", .ca = 1, .permitted = name), &err));
    refused("a name that is too long", TLSOCK_E_ARGUMENT, &err, "too long");
    names = repeated(".test,", 64, ".test");
    assert_null(tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = "CN=x", .ca = 1, .permitted = names),
        &err));
    refused("65 names", TLSOCK_E_ARGUMENT, &err, "too long");
    test_free(names);
    names = repeated(".test,", 63, ".test");
    ca = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = "CN=x", .ca = 1, .permitted = names), &err);
    if (ca == NULL)
        fail_msg("64 names: %s", err.message);
    tlsock_cert_unref(ca);
    test_free(names);
    test_free(name);
    test_free(pem);
}

static void files(void **state)
{
    const struct test_ca *pki = ca_get();
    tlsock_cert *over, *under = NULL, *deep = NULL;
    tlsock_error err = {0};
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/chain.der", pki->dir);
    over = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = "CN=over", .ca = 1, .pathlen = -1), &err);
    if (over != NULL)
        under =
            tlsock_cert_create(TLSOCK_CERT_OPTS(.subject = "CN=under", .ca = 1,
                                                .pathlen = -1, .issuer = over),
                               &err);
    if (under != NULL) {
        tlsock_cert_unref(over);
        over = under;
        under = tlsock_cert_create(
            TLSOCK_CERT_OPTS(.subject = "CN=low", .ca = 1, .issuer = over),
            &err);
    }
    if (under != NULL)
        deep = tlsock_cert_create(TLSOCK_CERT_OPTS(.subject = "CN=deep",
                                                   .purpose = "client",
                                                   .issuer = under),
                                  &err);
    if (deep == NULL)
        fail_msg("%s", err.message);
    assert_true(tlsock_cert_chain_len(deep) > 1);
    assert_code(tlsock_cert_save(deep, TLSOCK_PART_CHAIN, TLSOCK_FORMAT_DER,
                                 path, NULL, &err),
                TLSOCK_E_ARGUMENT);
    refused("a chain as DER", TLSOCK_E_ARGUMENT, &err, "exactly one");
    assert_int_equal(access(path, F_OK), -1);
    assert_code(tlsock_cert_save(deep, TLSOCK_PART_CHAIN, TLSOCK_FORMAT_PEM,
                                 path, NULL, &err),
                TLSOCK_OK);
    tlsock_cert_unref(deep);
    tlsock_cert_unref(under);
    tlsock_cert_unref(over);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection),
        cmocka_unit_test(certificates),
        cmocka_unit_test(files),
    };

    return cmocka_run_group_tests(tests, ca_setup, ca_teardown);
}
