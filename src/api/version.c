#include "core/str.h"
#include "net/dns.h"
#include "net/ktls.h"
#include "ossl/biokernel.h"
#include "ossl/compat.h"
#include "verify/host.h"
#include "verify/trust.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <tlsock/config.h>
#include <unistd.h>

const char *tlsock_version(void)
{
    return TSK_VERSION;
}

static int yes(void)
{
    return 1;
}

static int has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return 0;
    close(fd);
    return 1;
}

static int openssl_32(void)
{
    return OpenSSL_version_num() >= 0x30200000UL;
}

static int has_stdio(void)
{
#ifdef TSK_HAVE_FOPENCOOKIE
    return 1;
#else
    return 0;
#endif
}

static int has_ktls(void)
{
    return tsk_bio_kernel_built() && tsk_ktls_there();
}

static const struct {
    const char *name;
    int (*is_there)(void);
} features[] = {
    {"tls1.2", yes},
    {"tls1.3", yes},
    {"alpn", yes},
    {"sni", yes},
    {"ocsp", yes},
    {"pins", yes},
    {"sessions", yes},
    {"tickets", yes},
    {"partial-chain", yes},
    {"idn", yes},
    {"ciphersuites", yes},
    {"multi-cert", yes},
    {"keylog", yes},
    {"psl", tsk_psl_built_in},
    {"ipv6", has_ipv6},
    {"pq", tsk_compat_has_pq},
    {"happy-eyeballs", yes},
    {"openssl-3.2", openssl_32},
    {"stdio", has_stdio},
    {"dane", tsk_dns_there},
    {"redis", yes},
    {"ktls", has_ktls},
    {"cert-compression", tsk_compat_has_cert_compression},
    {"raw-public-keys", tsk_compat_has_raw_keys},
};

int tlsock_has(const char *feature)
{
    if (feature == NULL)
        return 0;
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
        if (strcmp(features[i].name, feature) == 0)
            return features[i].is_there();
    return 0;
}

static char store_text[512];
static pthread_once_t store_once = PTHREAD_ONCE_INIT;

static void find_store(void)
{
    char path[256], why[128], tried[512];

    tsk_trust_find_system(path, sizeof(path), why, sizeof(why), tried,
                          sizeof(tried));
    if (path[0] != '\0')
        snprintf(store_text, sizeof(store_text), "%s (%s)", path, why);
    else
        snprintf(store_text, sizeof(store_text), "none found; tried %.480s",
                 tried);
}

const char *tlsock_trust_store(void)
{
    pthread_once(&store_once, find_store);
    return store_text;
}

static char anchor_text[600];
static pthread_once_t anchor_once = PTHREAD_ONCE_INIT;

static void find_anchor(void)
{
    char path[256], tried[512];

    if (!tsk_dns_there())
        return;
    if (tsk_dns_anchor(path, sizeof(path), tried, sizeof(tried), NULL) == 0)
        snprintf(anchor_text, sizeof(anchor_text), "%s", path);
    else
        snprintf(anchor_text, sizeof(anchor_text), "none found; tried %.511s",
                 tried);
}

const char *tlsock_dane_anchor(void)
{
    pthread_once(&anchor_once, find_anchor);
    return anchor_text;
}

const char *tlsock_openssl_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
