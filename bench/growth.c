/* Ten thousand connections opened and closed, in success and in each failure:
 * memory and descriptors at the 1,000th and at the last. Exit 1 on growth. */
#include "bench.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsock.h>
#include <tlsock/cert.h>
#include <tlsock/config.h>
#include <unistd.h>

#define SLACK_KIB 512

struct kind {
    const char *name;
    const char *ask;   /* name to ask for */
    int trust;         /* 0: the root is not trusted */
    int what;          /* what the other side does */
    const char *says;  /* plaintext it answers with */
    int code;          /* of the client; 0: success */
    const char *copt[2][2], *sopt[2][2]; /* options: key, value */
};

enum { TALK, SAY, HANG_UP, CUT, SILENT, REFUSE, BAD_KEY };

static const struct kind kinds[] = {
    {.name = "success", .ask = BENCH_NAME, .trust = 1},
    {.name = "name mismatch", .ask = "other.test", .trust = 1,
     .code = TLSOCK_E_NAME_MISMATCH},
    {.name = "untrusted", .ask = BENCH_NAME,
     .code = TLSOCK_E_CHAIN_INCOMPLETE},
    {.name = "no TLS", .ask = BENCH_NAME, .trust = 1, .what = SAY,
     .says = "220 mx ESMTP\r\n", .code = TLSOCK_E_NOT_TLS},
    {.name = "closed in handshake", .ask = BENCH_NAME, .trust = 1,
     .what = HANG_UP, .code = TLSOCK_E_CLOSED_IN_HANDSHAKE},
    {.name = "truncated", .ask = BENCH_NAME, .trust = 1, .what = CUT,
     .code = TLSOCK_E_TRUNCATED},
    {.name = "timeout", .ask = BENCH_NAME, .trust = 1, .what = SILENT,
     .code = TLSOCK_E_TIMEOUT},
    {.name = "expired", .ask = BENCH_NAME, .trust = 1,
     .code = TLSOCK_E_EXPIRED,
     .copt = {{"verify.time", "2040-01-01T00:00:00Z"}}},
    {.name = "not yet valid", .ask = BENCH_NAME, .trust = 1,
     .code = TLSOCK_E_NOT_YET_VALID,
     .copt = {{"verify.time", "2020-01-01T00:00:00Z"}}},
    {.name = "no common version", .ask = BENCH_NAME, .trust = 1,
     .code = TLSOCK_E_VERSION_UNSUPPORTED, .copt = {{"tls.min", "1.3"}},
     .sopt = {{"tls.max", "1.2"}}},
    {.name = "no common cipher", .ask = BENCH_NAME, .trust = 1,
     .code = TLSOCK_E_NO_COMMON_PARAMETERS,
     .copt = {{"tls.max", "1.2"},
              {"ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"}},
     .sopt = {{"ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305"}}},
    {.name = "client certificate", .ask = BENCH_NAME, .trust = 1,
     .code = TLSOCK_E_CLIENT_CERT_REQUIRED, .copt = {{"tls.max", "1.2"}},
     .sopt = {{"client-auth", "require"}}},
    {.name = "must staple", .ask = BENCH_NAME, .trust = 1,
     .code = TLSOCK_E_MUST_STAPLE, .copt = {{"revocation", "must-staple"}}},
    {.name = "wrong pin", .ask = BENCH_NAME, .trust = 1, .code = TLSOCK_E_PIN,
     .copt = {{"pin.mode", "require"}}},
    {.name = "nobody listens", .trust = 1, .what = REFUSE,
     .code = TLSOCK_E_CONNECT},
    {.name = "key mismatch", .trust = 1, .what = BAD_KEY,
     .code = TLSOCK_E_KEY_MISMATCH},
};

struct world {
    const struct kind *kind;
    tlsock_config *client, *server;
    const struct bench_files *files;
    char dead[32]; /* a target where nobody listens */
};

static int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (dir != NULL && readdir(dir) != NULL)
        n++;
    if (dir != NULL)
        closedir(dir);
    return n;
}

static long rss_kib(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long pages = 0, size = 0;

    if (f == NULL || fscanf(f, "%ld %ld", &size, &pages) != 2)
        bench_die("no /proc/self/statm");
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Both ends in this process, nonblocking, so both ends are measured. */
static int talk(tlsock *c, tlsock *s, int cut)
{
    int rc = TLSOCK_AGAIN, src = TLSOCK_AGAIN;
    char byte;

    while (rc == TLSOCK_AGAIN) {
        rc = tlsock_handshake(c);
        if (src == TLSOCK_AGAIN)
            src = tlsock_handshake(s);
    }
    if (rc != 0)
        return rc;
    while (tlsock_write(c, "x", 1) == TLSOCK_AGAIN ||
           tlsock_read(s, &byte, 1) == TLSOCK_AGAIN)
        ;
    if (tlsock_write(s, "y", 1) != 1 || tlsock_read(c, &byte, 1) != 1)
        return TLSOCK_E_STATE;
    if (cut) {
        shutdown(tlsock_fd(s), SHUT_RDWR);
        return (int)tlsock_read(c, &byte, 1);
    }
    if (tlsock_shutdown(s, SHUT_WR) != 0)
        return TLSOCK_E_STATE;
    return (int)tlsock_read(c, &byte, 1);
}

static int without_tls(tlsock *c, int fd, const struct kind *kind)
{
    int rc = tlsock_handshake(c);

    if (kind->what == SAY &&
        send(fd, kind->says, strlen(kind->says), MSG_NOSIGNAL) < 0)
        return TLSOCK_E_STATE;
    if (kind->what == HANG_UP)
        shutdown(fd, SHUT_WR);
    if (kind->what == SILENT)
        (void)!tlsock_set_deadline(c, 0);
    while (rc == TLSOCK_AGAIN)
        rc = tlsock_handshake(c);
    return rc;
}

static int refused(const struct world *w)
{
    tlsock_error err;

    return tlsock_connect(w->dead, w->client, NULL, &err) == NULL
               ? err.code
               : TLSOCK_E_STATE;
}

/* The root's certificate with the leaf's key. */
static int bad_key(const struct world *w)
{
    tlsock_config *c = tlsock_config_new();
    int rc = tlsock_config_add_identity(c, w->files->root, w->files->key, NULL);

    tlsock_config_unref(c);
    return rc;
}

static int one(const struct world *w)
{
    tlsock *c, *s = NULL;
    int fds[2], rc;

    if (w->kind->what == REFUSE)
        return refused(w);
    if (w->kind->what == BAD_KEY)
        return bad_key(w);

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        bench_die("socketpair");
    c = tlsock_client_fd(fds[0], w->kind->ask, w->client,
                         TLSOCK_OPTS(.nonblocking = 1), NULL);
    if (c == NULL)
        bench_die("no client");
    if (w->kind->what == TALK || w->kind->what == CUT) {
        s = tlsock_server_fd(fds[1], w->server, TLSOCK_OPTS(.nonblocking = 1),
                             NULL);
        if (s == NULL)
            bench_die("no server");
        rc = talk(c, s, w->kind->what == CUT);
    } else {
        rc = without_tls(c, fds[1], w->kind);
        close(fds[1]);
    }
    tlsock_close(c);
    tlsock_close(s);
    return rc;
}

static void set(tlsock_config *c, const char *const opt[2][2])
{
    for (int i = 0; i < 2 && opt[i][0] != NULL; i++)
        if (tlsock_config_set(c, opt[i][0], opt[i][1]) != 0)
            bench_die("%s", tlsock_config_error(c)->message);
}

static void prepare(struct world *w)
{
    static const char no_such[] = "sha256:"
        "0000000000000000000000000000000000000000000000000000000000000000";
    struct sockaddr_in sa = {.sin_family = AF_INET};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    set(w->client, w->kind->copt);
    set(w->server, w->kind->sopt);
    if (w->kind->code == TLSOCK_E_PIN &&
        tlsock_config_add_pin(w->client, no_such) != 0)
        bench_die("pin");
    if (w->kind->code == TLSOCK_E_CLIENT_CERT_REQUIRED &&
        tlsock_config_add_trust(w->server, w->files->root) != 0)
        bench_die("trust");
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
        getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
        bench_die("no port");
    snprintf(w->dead, sizeof(w->dead), "127.0.0.1:%d", ntohs(sa.sin_port));
    close(fd);
}

static int run(const struct kind *kind, const struct bench_files *f, long total)
{
    struct world w = {.kind = kind, .client = tlsock_config_new(),
                      .server = tlsock_config_new(), .files = f};
    long early_rss = 0, late_rss;
    int early_fds = 0, late_fds;

    if (tlsock_config_add_trust(w.client, kind->trust ? f->root : "none") ||
        tlsock_config_add_identity(w.server, f->chain, f->key, NULL))
        bench_die("config: %s", tlsock_config_error(w.server)->message);
    prepare(&w);
    for (long i = 1; i <= total; i++) {
        int rc = one(&w);

        if (rc != kind->code)
            bench_die("%s: %s instead of %s", kind->name, tlsock_errname(rc),
                      tlsock_errname(kind->code));
        if (i == total / 10) {
            early_rss = rss_kib();
            early_fds = count_fds();
        }
    }
    late_rss = rss_kib();
    late_fds = count_fds();
    printf("%-20s %8ld KiB %3d fds  %8ld KiB %3d fds%s\n", kind->name,
           early_rss, early_fds, late_rss, late_fds,
           late_rss > early_rss + SLACK_KIB || late_fds > early_fds ? "  GREW"
                                                                    : "");
    tlsock_config_unref(w.client);
    tlsock_config_unref(w.server);
    return late_rss > early_rss + SLACK_KIB || late_fds > early_fds;
}

int main(int argc, char **argv)
{
    long total = argc > 1 ? atol(argv[1]) : 10000;
    struct bench_files files;
    int grew = 0;

    if (total < 100)
        bench_die("usage: growth [CONNECTIONS, at least 100]");
    bench_files_make(&files);
    printf("%-20s at %ld%*s at %ld\n", "", total / 10, 10, "", total);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        grew |= run(&kinds[i], &files, total);
    bench_files_remove(&files);
    return grew;
}
