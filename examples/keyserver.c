/* keyserver HOST:PORT CERT KEY - a server that never has its private key: a
 * process of its own signs (EC keys). Serves one client, then ends. */
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsock/config.h>
#include <unistd.h>

struct request {
    unsigned char digest[64];
    size_t len;
};

/* Whoever has the key: a digest comes, a signature goes back. */
static int sign_for(int fd, const char *key_file)
{
    FILE *f = fopen(key_file, "r");
    EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
    struct request r;

    while (key && recv(fd, &r, sizeof(r), MSG_WAITALL) == sizeof(r)) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
        unsigned char sig[256];
        size_t n = sizeof(sig);

        if (r.len > sizeof(r.digest) || EVP_PKEY_sign_init(ctx) != 1 ||
            EVP_PKEY_sign(ctx, sig, &n, r.digest, r.len) != 1 ||
            send(fd, sig, n, MSG_NOSIGNAL) < 0)
            return 1;
        EVP_PKEY_CTX_free(ctx);
    }
    return 0;
}

static int ask(const tlsock_event *e, void *arg)
{
    const int *fd = arg;
    struct request r = {.len = e->len};
    unsigned char sig[256];
    ssize_t n;

    if (strncmp(e->name, "ecdsa_", 6) != 0 || e->len > sizeof(r.digest))
        return TLSOCK_E_UNSUPPORTED;
    memcpy(r.digest, e->data, e->len);
    if (send(*fd, &r, sizeof(r), MSG_NOSIGNAL) != sizeof(r))
        return TLSOCK_E_HOOK;
    n = recv(*fd, sig, sizeof(sig), 0);
    return n > 0 ? tlsock_op_done(e->op, 0, sig, (size_t)n) : TLSOCK_E_HOOK;
}

static int echo_once(tlsock *s)
{
    char buf[4096];
    ssize_t n = tlsock_read(s, buf, sizeof(buf));

    n = n > 0 ? tlsock_write(s, buf, (size_t)n) : n;
    return tlsock_close(s) < 0 || n <= 0;
}

int main(int argc, char **argv)
{
    tlsock_config *c = tlsock_config_new();
    tlsock_listener *l;
    tlsock_error err;
    int fds[2];

    if (argc != 4 || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return 2;
    if (fork() == 0)
        return close(fds[0]) != 0 || sign_for(fds[1], argv[3]);
    close(fds[1]);
    if (tlsock_config_on(c, TLSOCK_ON_SIGN, ask, &fds[0]) < 0 ||
        tlsock_config_add_identity(c, argv[2], NULL, NULL) < 0 ||
        (l = tlsock_listen(argv[1], c, NULL, &err)) == NULL)
        return 1;
    printf("%d\n", tlsock_listener_port(l));
    fflush(stdout);
    return echo_once(tlsock_accept(l, &err));
}
