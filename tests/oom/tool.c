/* The tool's evidence, its reading of captures and its server that misbehaves,
 * with the n-th allocation or write failing: what fails says so and leaves
 * nothing behind, what does not fail has done all of it. */
#include "ca.h"
#include "capread.h"
#include "dir.h"
#include "each.h"
#include "errors.h"
#include "evidence.h"
#include "misbehave.h"
#include "peer.h"
#include "sock.h"
#include "streams.h"

#include "cert/cert.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

/* What the parts of the tool call in place of malloc() and its like. */
void *tool_malloc(size_t size);
void *tool_calloc(size_t n, size_t size);
void *tool_realloc(void *old, size_t size);

void *tool_malloc(size_t size)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : malloc(size);
}

void *tool_calloc(size_t n, size_t size)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : calloc(n, size);
}

void *tool_realloc(void *old, size_t size)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : realloc(old, size);
}

static char dir[] = "/tmp/tooloomXXXXXX", pcap[64], said[64];
static struct out quiet = {.color = 0};

static int nomem(struct world *w)
{
    static const tlsock_error err = {.code = TLSOCK_E_NOMEM,
                                     .message = "said on stderr"};

    return note(w, &err, TLSOCK_E_NOMEM);
}

/* What is printed while it is called goes to the file said. */
static int aside(int (*call)(void *arg), void *arg)
{
    int to = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int out = dup(1), err = dup(2), rc;

    assert_true(to >= 0 && out >= 0 && err >= 0);
    fflush(stdout);
    assert_true(dup2(to, 1) == 1 && dup2(to, 2) == 2);
    rc = call(arg);
    fflush(stdout);
    assert_true(dup2(out, 1) == 1 && dup2(err, 2) == 2);
    close(to);
    close(out);
    close(err);
    return rc;
}

static size_t read_all(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, size - 1);

    assert_true(fd >= 0 && n >= 0);
    text[n] = '\0';
    close(fd);
    return (size_t)n;
}

/* --- --pcap and --trace: a connection after a dialogue of STARTTLS */

static int recorded_aside(void *arg)
{
    struct world *w = arg;
    struct opts o = {
        .command = "connect", .pcap = pcap, .trace = 1, .out = quiet};
    const tlsock_opts *plain =
        TLSOCK_OPTS(.nonblocking = 1, .starttls = "smtp");
    tlsock_config *cc = tlsock_config_new();
    struct peer p;
    int rc = TLSOCK_E_NOMEM;

    (void)unlink(pcap);
    peer_init(&p);
    if (cc != NULL && tlsock_config_set(cc, "insecure", "all: a test") == 0 &&
        evidence_watch(&o, cc) == 0)
        rc = peer_open_opts(&p, cc, plain, w->sc, plain, "a.test");
    if (rc == 0)
        rc = peer_shake(&p) == 0 ? 0 : TLSOCK_E_NOMEM;
    peer_free(&p);
    tlsock_config_unref(cc);
    evidence_free(o.evidence);
    return rc != 0 ? nomem(w) : 0;
}

static int recorded(struct world *w)
{
    int rc = aside(recorded_aside, w);
    char text[65536];

    (void)read_all(said, text, sizeof(text));
    if (rc == 0 && strstr(text, "is not complete") == NULL) {
        size_t n = read_all(pcap, text, sizeof(text));

        if (memmem(text, n, "STARTTLS\r\n", 10) == NULL)
            w->broken = "it is not all recorded, and nobody said so";
    }
    return rc;
}

static struct world world_of(void)
{
    return (struct world){.sc = ca_server(ca_get()->a, NULL), .name = "a.test"};
}

static void a_recording_is_whole_or_said_not_to_be(void **state)
{
    struct world w = world_of();

    (void)state;
    each("recording", recorded, &w, FAULT_TOOL, 0);
    tlsock_config_unref(w.sc);
}

static int read_it(void *arg)
{
    (void)arg;
    return capread_say(&quiet, pcap);
}

/* Each write of the recording fails once: the file ends there, before that it
 * is whole, and whoever made it is told. */
static void a_full_disk_leaves_what_can_be_read(void **state)
{
    struct world w = world_of();
    int fired = 1;
    long n;

    (void)state;
    for (n = 1; fired && n < 1000; n++) {
        struct world one = w;
        char text[65536];
        int rc;

        fault_arm_here(FAULT_WRITE, n, ENOSPC);
        (void)recorded(&one);
        fired = fault_disarm();
        (void)read_all(said, text, sizeof(text));
        if (fired && strstr(text, "is not complete: ") == NULL)
            fail_msg("write %ld: \"%s\"", n, text);
        if (!fired)
            assert_null(strstr(text, "is not complete: "));
        rc = aside(read_it, NULL);
        if (rc != (n == 1 ? EXIT_OWN : 0))
            fail_msg("write %ld: a file that gives %d", n, rc);
    }
    assert_true(n > 10 && n < 1000);
    tlsock_config_unref(w.sc);
}

/* --- captures */

static char whole[65536];

static int told(struct world *w)
{
    int rc = aside(read_it, NULL);
    char text[65536];

    (void)read_all(said, text, sizeof(text));
    if (rc == 0 && whole[0] == '\0')
        memcpy(whole, text, sizeof(text));
    if (rc == 0 && strcmp(text, whole) != 0)
        w->broken = "exit 0, and not all of it was told";
    if (rc != 0 && strstr(text, "memory") == NULL)
        w->broken = "nobody said why";
    return rc != 0 ? nomem(w) : 0;
}

static void hellos_are_told_or_it_is_said_why(void **state)
{
    struct world w = world_of();

    (void)state;
    assert_int_equal(recorded(&w), 0);
    quiet.verbose = 1;
    whole[0] = '\0';
    each("capture", told, &w, FAULT_TOOL, 0);
    assert_tells(whole, "ja4_r");
    assert_tells(whole, "1 hellos of clients, 1 of servers");
    quiet.verbose = 0;
    tlsock_config_unref(w.sc);
}

/* --- segments that come before what is in front of them */

static size_t heard; /* bytes of the stream */

static int hear(const struct packet_ends *ends, const uint8_t *bytes,
                size_t len, size_t *seen, void *arg)
{
    (void)ends;
    (void)bytes;
    (void)seen;
    (void)arg;
    heard = len;
    return STREAMS_WANTED;
}

static int out_of_order(struct world *w)
{
    static const uint8_t bytes[100] = {22};
    static const struct packet segments[] = {
        {.seq = 1, .syn = 1},
        {.seq = 102, .data = bytes, .len = sizeof(bytes)},
        {.seq = 2, .data = bytes, .len = sizeof(bytes)}};
    struct streams *s = streams_new(hear, NULL);
    int rc = s != NULL ? 0 : -1;

    heard = 0;
    for (size_t i = 0; rc == 0 && i < COUNT(segments); i++)
        rc = streams_add(s, &segments[i]);
    if (rc == 0 && heard != 2 * sizeof(bytes))
        w->broken = "no failure, and not all of it is there";
    streams_free(s);
    return rc != 0 ? nomem(w) : 0;
}

static void segments_wait_or_it_is_said_that_they_cannot(void **state)
{
    struct world w = {.name = "a.test"};

    (void)state;
    each("segments", out_of_order, &w, FAULT_TOOL, 0);
}

/* --- --misbehave */

static void put(const char *name, const tlsock_cert *cert)
{
    char path[128], pem[16384];
    FILE *out;

    snprintf(path, sizeof(path), "%s/%s.pem", dir, name);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_within(tlsock_cert_pem(cert, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN,
                                  pem, sizeof(pem)),
                  1, sizeof(pem) - 1);
    fputs(pem, out);
    fclose(out);
    snprintf(path, sizeof(path), "%s/%s.key", dir, name);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(
        PEM_write_PrivateKey(out, cert->key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(out);
}

/* A client that takes whatever it gets, until the end. */
static void take_all(int fd, void *unused)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    char buf[256];

    (void)unused;
    SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) == 1)
        while (SSL_read(ssl, buf, sizeof(buf)) > 0)
            continue;
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    OPENSSL_thread_stop();
}

static int misbehaved(struct world *w)
{
    const struct mis_row *row = w->with;
    char why[256] = "";
    struct mis_tls *t = mis_tls_new(row, dir, why);
    SSL *ssl = t != NULL ? mis_tls_ssl(t) : NULL;
    struct sock_thread client;
    int fds[2];

    if (ssl != NULL) {
        sock_pair(fds);
        sock_run(&client, fds[0], take_all, NULL);
        mis_wire(row, ssl, fds[1], 0);
        close(fds[1]);
        sock_wait(&client);
    }
    SSL_free(ssl);
    if (t == NULL && why[0] == '\0')
        w->broken = "nobody said why";
    mis_tls_free(t);
    return ssl != NULL ? 0 : nomem(w);
}

static void a_server_that_misbehaves(enum fault_kind kind)
{
    static const char *const names[] = {"staple-forged", "staple-other",
                                        "bad-finished12", "ticket-unknown"};

    for (size_t i = 0; i < COUNT(names); i++) {
        struct world w = {.with = mis_find(names[i], strlen(names[i])),
                          .by_line = 1};

        assert_non_null(w.with);
        each(names[i], misbehaved, &w, kind, 0);
    }
}

static void misbehaving_without_memory(void **state)
{
    (void)state;
    a_server_that_misbehaves(FAULT_TOOL);
}

static void misbehaving_without_openssls_memory(void **state)
{
    (void)state;
    a_server_that_misbehaves(FAULT_OPENSSL);
}

static int set_up(void **state)
{
    int rc = ca_setup(state);
    const char *name = "other.test";
    tlsock_cert *other = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.sans = &name, .n_sans = 1, .key = "ed25519",
                         .issuer = ca_get()->inter),
        NULL);

    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(pcap, sizeof(pcap), "%s/run.pcapng", dir);
    snprintf(said, sizeof(said), "%s/said", dir);
    put("good", ca_get()->a);
    put("inter", ca_get()->inter);
    assert_non_null(other);
    put("good-ed25519", other);
    tlsock_cert_unref(other);
    put("other-root", ca_get()->stranger_root);
    return rc;
}

static int tear_down(void **state)
{
    dir_remove(dir);
    return ca_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recording_is_whole_or_said_not_to_be),
        cmocka_unit_test(a_full_disk_leaves_what_can_be_read),
        cmocka_unit_test(hellos_are_told_or_it_is_said_why),
        cmocka_unit_test(segments_wait_or_it_is_said_that_they_cannot),
        cmocka_unit_test(misbehaving_without_memory),
        cmocka_unit_test(misbehaving_without_openssls_memory),
    };

    fault_init();
    json_set_alloc_funcs(tool_malloc, free);
    return cmocka_run_group_tests_name("tool", tests, set_up, tear_down);
}
