/* A secret that is let go is nowhere in the memory of the process.
 *
 * Files are made by a child, and what is looked for is kept veiled, so that
 * this process has it only by what the library does. Its own writable memory is
 * looked through, what was freed as well. */
#include "ca.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define VEIL 0x5a
#define NEEDLE 24
#define WHOLE ((uintptr_t)1 << 30) /* larger maps are a sanitizer's own */

/* Shared with the child that makes them; each byte is veiled. */
static struct needles {
    uint8_t password[NEEDLE], pem[NEEDLE], psk[NEEDLE], psk_hex[NEEDLE],
        ticket[NEEDLE], proxy[NEEDLE];
} * needles;

static char dir[64];

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned at;
    char *p = paths[at++ % 4];

    snprintf(p, sizeof(paths[0]), "%s/%s", dir, name);
    return p;
}

static const char *uri_of(const char *name)
{
    static char uris[4][140];
    static unsigned at;
    char *p = uris[at++ % 4];

    snprintf(p, sizeof(uris[0]), "file:%s", path_of(name));
    return p;
}

/* Without a copy of what is read, and past what a sanitizer guards. */
__attribute__((no_sanitize("address", "undefined"), noinline)) static int
is_within(const volatile uint8_t *from, const volatile uint8_t *to,
          const uint8_t *needle)
{
    for (; to - from >= NEEDLE; from++) {
        int n = 0;

        while (n < NEEDLE && (from[n] ^ VEIL) == needle[n])
            n++;
        if (n == NEEDLE)
            return 1;
    }
    return 0;
}

static int is_in_memory(const uint8_t *needle)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    uintptr_t from, to;
    char line[512], rights[8];
    int found = 0;

    assert_non_null(maps);
    while (!found && fgets(line, sizeof(line), maps) != NULL) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &from, &to, rights) !=
                3 ||
            rights[0] != 'r' || rights[1] != 'w' || to - from > WHOLE ||
            strstr(line, "[v") != NULL)
            continue;
        found = is_within((const volatile uint8_t *)from,
                          (const volatile uint8_t *)to, needle);
    }
    fclose(maps);
    return found;
}

static void veil(uint8_t out[NEEDLE], const char *in)
{
    for (int i = 0; i < NEEDLE; i++)
        out[i] = (uint8_t)in[i] ^ VEIL;
}

static void put(const char *name, const char *text)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    size_t len = strlen(text);

    if (fd < 0 || write(fd, text, len) != (ssize_t)len || close(fd) != 0)
        test_exit(2);
}

static void random_hex(char *out, size_t bytes)
{
    uint8_t raw[64];

    if (getentropy(raw, bytes) != 0)
        test_exit(3);
    for (size_t i = 0; i < bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", raw[i]);
}

/* A line from the middle of a PEM file. */
static void veil_pem(uint8_t out[NEEDLE], const char *name)
{
    char text[8192];
    int fd = open(path_of(name), O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    const char *line;

    if (n < 200)
        test_exit(4);
    text[n] = '\0';
    line = strchr(strchr(text, '\n') + 1, '\n');
    veil(out, line + 5);
}

/* In the child: all files, and what is looked for of them. */
static void make_files(void)
{
    static const char *const names[] = {"a.test"};
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1, .key = "rsa:2048"), &err);
    char text[200], raw[NEEDLE + 1];

    random_hex(text, 32);
    put("password", text);
    veil(needles->password, text);
    if (c == NULL ||
        tlsock_cert_save(c, TLSOCK_PART_CERT, TLSOCK_FORMAT_PEM,
                         path_of("cert.pem"), NULL, &err) < 0 ||
        tlsock_cert_save(c, TLSOCK_PART_KEY, TLSOCK_FORMAT_PEM,
                         path_of("plain.key"), NULL, &err) < 0 ||
        tlsock_cert_save(c, TLSOCK_PART_KEY, TLSOCK_FORMAT_PEM,
                         path_of("locked.key"), uri_of("password"), &err) < 0)
        test_exit(5);
    veil_pem(needles->pem, "plain.key");
    random_hex(text, 32);
    put("psk", text);
    veil(needles->psk_hex, text);
    for (int i = 0; i < NEEDLE; i++) {
        unsigned byte;

        sscanf(text + 2 * i, "%2x", &byte);
        raw[i] = (char)byte;
    }
    veil(needles->psk, raw);
    random_hex(text, 32);
    put("ticket", text);
    veil(needles->ticket, text);
    random_hex(text, 20);
    put("proxy", text);
    veil(needles->proxy, text);
    test_exit(0);
}

static int set_up(void **state)
{
    int status = 0;
    pid_t pid;

    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/secrets.XXXXXX");
    needles = mmap(NULL, sizeof(*needles), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (needles == MAP_FAILED || mkdtemp(dir) == NULL)
        return -1;
    pid = fork();
    if (pid == 0)
        make_files();
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"password",   "cert.pem", "plain.key",
                                        "locked.key", "psk",      "ticket",
                                        "proxy"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        unlink(path_of(names[i]));
    return rmdir(dir);
}

/* Whoever finds nothing has to find what is there. */
static void what_is_held_is_found(void **state)
{
    char *held = malloc(NEEDLE);

    (void)state;
    assert_non_null(held);
    assert_false(is_in_memory(needles->password));
    for (int i = 0; i < NEEDLE; i++)
        held[i] = (char)(needles->password[i] ^ VEIL);
    assert_true(is_in_memory(needles->password));
    memset(held, 0, NEEDLE);
    __asm__ volatile("" : : "r"(held) : "memory");
    free(held);
    assert_false(is_in_memory(needles->password));
}

static void a_password_is_gone_when_its_key_is_open(void **state)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_load(
        path_of("cert.pem"), path_of("locked.key"), uri_of("password"), &err);

    (void)state;
    if (c == NULL)
        fail_msg("%s", err.message);
    assert_false(is_in_memory(needles->password));
    tlsock_cert_unref(c);
    c = tlsock_cert_load(path_of("cert.pem"), path_of("locked.key"),
                         uri_of("proxy"), &err);
    assert_null(c); /* a wrong one */
    assert_false(is_in_memory(needles->proxy));
}

static void the_text_of_a_key_is_gone_when_it_is_read(void **state)
{
    tlsock_error err = {0};
    tlsock_cert *c =
        tlsock_cert_load(path_of("cert.pem"), path_of("plain.key"), NULL, &err);
    tlsock_config *config = tlsock_config_new();

    (void)state;
    if (c == NULL)
        fail_msg("%s", err.message);
    assert_false(is_in_memory(needles->pem));
    tlsock_cert_unref(c);
    assert_code(tlsock_config_add_identity(config, path_of("cert.pem"),
                                           path_of("plain.key"), NULL),
                0);
    assert_code(tlsock_config_check(config), 0);
    assert_code(tlsock_config_reload(config), 0);
    assert_false(is_in_memory(needles->pem));
    tlsock_config_unref(config);
}

static void a_pre_shared_key_lives_as_long_as_its_config(void **state)
{
    tlsock_config *c = tlsock_config_new(), *copy;

    (void)state;
    assert_code(tlsock_config_add_psk_uri(c, "me", uri_of("psk")), 0);
    assert_false(is_in_memory(needles->psk_hex));
    assert_true(is_in_memory(needles->psk));
    copy = tlsock_config_copy(c);
    assert_code(tlsock_config_reload(c), 0);
    tlsock_config_unref(c);
    assert_true(is_in_memory(needles->psk));
    tlsock_config_unref(copy);
    assert_false(is_in_memory(needles->psk));
    assert_false(is_in_memory(needles->psk_hex));
}

static void the_secret_of_tickets_is_not_kept_as_it_is(void **state)
{
    tlsock_config *c = tlsock_config_new();
    tlsock_error err = {0};
    tlsock_listener *l;

    (void)state;
    assert_code(tlsock_config_set(c, "tickets.secret", uri_of("ticket")), 0);
    assert_code(tlsock_config_add_identity(c, path_of("cert.pem"),
                                           path_of("plain.key"), NULL),
                0);
    l = tlsock_listen("127.0.0.1:0", c, NULL, &err);
    if (l == NULL)
        fail_msg("%s", err.message);
    assert_code(tlsock_config_reload(c), 0);
    /* a digest of it is all that is kept */
    assert_false(is_in_memory(needles->ticket));
    tlsock_listener_free(l);
    tlsock_config_unref(c);
    assert_false(is_in_memory(needles->ticket));
}

/* "http://u:PASSWORD@127.0.0.1:PORT": only here it is put together. */
static void proxy_url(char *url, size_t size, int port)
{
    size_t at = (size_t)snprintf(url, size, "http://u:");

    for (int i = 0; i < NEEDLE; i++)
        url[at++] = (char)(needles->proxy[i] ^ VEIL);
    snprintf(url + at, size - at, "@127.0.0.1:%d", port);
}

static void the_password_of_a_proxy_is_gone_with_its_connection(void **state)
{
    char *url = malloc(200);
    tlsock_error err = {0};
    tlsock *s;

    (void)state;
    assert_non_null(url);
    proxy_url(url, 200, 9);
    assert_true(is_in_memory(needles->proxy));
    s = tlsock_connect("a.test:443", NULL,
                       TLSOCK_OPTS(.proxy = url, .nonblocking = 1), &err);
    memset(url, 0, 200);
    __asm__ volatile("" : : "r"(url) : "memory");
    free(url);
    if (s == NULL)
        fail_msg("%s", err.message);
    tlsock_abandon(s);
    assert_false(is_in_memory(needles->proxy));
}

/* Key and certificate as text in a URI of their own. */
static void a_key_in_a_uri_is_gone_with_its_config(void **state)
{
    tlsock_config *c = tlsock_config_new(), *copy;
    size_t size = 16384, n = 4;
    char *uri = malloc(size);
    int fd;

    (void)state;
    assert_non_null(uri);
    memcpy(uri, "pem:", 4);
    for (int i = 0; i < 2; i++) {
        ssize_t got;

        fd = open(path_of(i == 0 ? "cert.pem" : "plain.key"),
                  O_RDONLY | O_CLOEXEC);
        got = read(fd, uri + n, size - n - 1);
        assert_true(got > 0);
        n += (size_t)got;
        close(fd);
    }
    uri[n] = '\0';
    assert_code(tlsock_config_add_identity(c, uri, NULL, NULL), 0);
    explicit_bzero(uri, size);
    free(uri);
    copy = tlsock_config_copy(c);
    tlsock_config_unref(c);
    assert_code(tlsock_config_reload(copy), 0);
    assert_true(is_in_memory(needles->pem));
    tlsock_config_unref(copy);
    assert_false(is_in_memory(needles->pem));
}

static void a_password_in_a_file_is_gone_with_its_config(void **state)
{
    tlsock_config *c = tlsock_config_new();
    char url[200];
    int fd = open(path_of("conf"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    (void)state;
    proxy_url(url, sizeof(url), 9);
    assert_true(write(fd, "revocation.proxy = ", 19) == 19); /* no buffer */
    assert_true(write(fd, url, strlen(url)) == (ssize_t)strlen(url));
    close(fd);
    assert_code(tlsock_config_load(c, path_of("conf"), NULL), 0);
    assert_code(tlsock_config_set(c, "revocation.proxy", url), 0);
    explicit_bzero(url, sizeof(url));
    assert_true(is_in_memory(needles->proxy));
    tlsock_config_unref(c);
    unlink(path_of("conf"));
    assert_false(is_in_memory(needles->proxy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_is_found),
        cmocka_unit_test(a_password_is_gone_when_its_key_is_open),
        cmocka_unit_test(the_text_of_a_key_is_gone_when_it_is_read),
        cmocka_unit_test(a_pre_shared_key_lives_as_long_as_its_config),
        cmocka_unit_test(the_secret_of_tickets_is_not_kept_as_it_is),
        cmocka_unit_test(the_password_of_a_proxy_is_gone_with_its_connection),
        cmocka_unit_test(a_key_in_a_uri_is_gone_with_its_config),
        cmocka_unit_test(a_password_in_a_file_is_gone_with_its_config),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
