/* Ten thousand connections opened and closed, in success and in each failure:
 * memory and descriptors at the 1,000th and at the last. Exit 1 on growth. */
#include "bench.h"

#include <dirent.h>
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
};

enum { TALK, SAY, HANG_UP, CUT, SILENT };

static const struct kind kinds[] = {
    {"success", BENCH_NAME, 1, TALK, NULL, 0},
    {"name mismatch", "other.test", 1, TALK, NULL, TLSOCK_E_NAME_MISMATCH},
    {"untrusted", BENCH_NAME, 0, TALK, NULL, TLSOCK_E_CHAIN_INCOMPLETE},
    {"no TLS", BENCH_NAME, 1, SAY, "220 mx ESMTP\r\n", TLSOCK_E_NOT_TLS},
    {"closed in handshake", BENCH_NAME, 1, HANG_UP, NULL,
     TLSOCK_E_CLOSED_IN_HANDSHAKE},
    {"truncated", BENCH_NAME, 1, CUT, NULL, TLSOCK_E_TRUNCATED},
    {"timeout", BENCH_NAME, 1, SILENT, NULL, TLSOCK_E_TIMEOUT},
};

struct world {
    const struct kind *kind;
    tlsock_config *client, *server;
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

static int one(const struct world *w)
{
    tlsock *c, *s = NULL;
    int fds[2], rc;

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

static int run(const struct kind *kind, const struct bench_files *f, long total)
{
    struct world w = {kind, tlsock_config_new(), tlsock_config_new()};
    long early_rss = 0, late_rss;
    int early_fds = 0, late_fds;

    if (tlsock_config_add_trust(w.client, kind->trust ? f->root : "none") ||
        tlsock_config_add_identity(w.server, f->chain, f->key, NULL))
        bench_die("config: %s", tlsock_config_error(w.server)->message);
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
