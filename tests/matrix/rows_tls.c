/* Versions and parameters, and who sits on the way to an honest server. */
#include "matrix.h"

#include <sys/socket.h>

#define HANDSHAKE .phase = TLSOCK_PHASE_HANDSHAKE
#define READ .phase = TLSOCK_PHASE_READ
#define VERSION .want = TLSOCK_E_VERSION_UNSUPPORTED, HANDSHAKE
#define NO_COMMON .want = TLSOCK_E_NO_COMMON_PARAMETERS, HANDSHAKE
#define PROTOCOL .want = TLSOCK_E_PROTOCOL, HANDSHAKE
#define BROKEN .want = TLSOCK_E_PROTOCOL, READ
#define CLOSED .want = TLSOCK_E_CLOSED_IN_HANDSHAKE, HANDSHAKE
#define TIMEOUT .want = TLSOCK_E_TIMEOUT, .timeout_ms = 400

#define PARAMETERS .group = "parameters"
#define WAY .group = "on the way"
#define END .group = "ends"
#define FLOOD .group = "floods", .reads = 1

static void only(SSL_CTX *ctx, int version)
{
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
}

static void only_10(SSL_CTX *ctx)
{
    only(ctx, TLS1_VERSION);
}

static void only_11(SSL_CTX *ctx)
{
    only(ctx, TLS1_1_VERSION);
}

static void only_12(SSL_CTX *ctx)
{
    only(ctx, TLS1_2_VERSION);
}

static void only_13(SSL_CTX *ctx)
{
    only(ctx, TLS1_3_VERSION);
}

static void one_suite(SSL_CTX *ctx)
{
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_CCM_SHA256");
}

static void one_group(SSL_CTX *ctx)
{
    SSL_CTX_set1_groups_list(ctx, "P-521");
}

static void one_sigalg(SSL_CTX *ctx)
{
    SSL_CTX_set1_sigalgs_list(ctx, "ECDSA+SHA1");
}

static void small_dh(SSL_CTX *ctx)
{
    SSL_CTX_set_cipher_list(ctx, "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0");
    SSL_CTX_set_dh_auto(ctx, 2); /* 1024 bits, whatever the key */
}

static void many_certificates(SSL_CTX *ctx)
{
    for (int i = 0; i < 1000; i++)
        SSL_CTX_add1_chain_cert(ctx, SSL_CTX_get0_certificate(ctx));
}

static int alpn_b(SSL *ssl, const unsigned char **out, unsigned char *len,
                  const unsigned char *in, unsigned int n, void *arg)
{
    (void)ssl;
    (void)in;
    (void)n;
    (void)arg;
    *out = (const unsigned char *)"b";
    *len = 1;
    return SSL_TLSEXT_ERR_OK;
}

static void other_alpn(SSL_CTX *ctx)
{
    SSL_CTX_set_alpn_select_cb(ctx, alpn_b, NULL);
}

static int alpn_none(SSL *ssl, const unsigned char **out, unsigned char *len,
                     const unsigned char *in, unsigned int n, void *arg)
{
    (void)ssl;
    (void)out;
    (void)len;
    (void)in;
    (void)n;
    (void)arg;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void no_alpn(SSL_CTX *ctx)
{
    SSL_CTX_set_alpn_select_cb(ctx, alpn_none, NULL);
}

/* Nothing else is sent: no tickets that would be an answer to a read. */
static void half(SSL *ssl)
{
    char buf[16];

    SSL_read(ssl, buf, sizeof(buf));
    SSL_write(ssl, "half of", 7);
}

/* FIN without close_notify */
static void vanishes(SSL *ssl, int fd)
{
    (void)fd;
    half(ssl);
}

static void says_goodbye(SSL *ssl, int fd)
{
    (void)fd;
    half(ssl);
    SSL_shutdown(ssl);
}

static void resets(SSL *ssl, int fd)
{
    char buf[16];

    struct linger now = {.l_onoff = 1, .l_linger = 0};

    SSL_read(ssl, buf, sizeof(buf));
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void stalls(SSL *ssl, int fd)
{
    half(ssl);
    sock_mute(fd, NULL);
}

static void garbles(SSL *ssl, int fd)
{
    half(ssl);
    sock_send(fd, MX_BYTES("\x17\x03\x03\x00\x20"
                           "0123456789abcdef0123456789abcdef"));
    sock_mute(fd, NULL);
}

static void speaks_plaintext(SSL *ssl, int fd)
{
    half(ssl);
    sock_send(fd, MX_BYTES("HTTP/1.1 500 Oops\r\n\r\n"));
    sock_mute(fd, NULL);
}

static void alerts(SSL *ssl, int fd)
{
    half(ssl);
    sock_send(fd, MX_BYTES("\x15\x03\x03\x00\x02\x02\x50"));
    sock_mute(fd, NULL);
}

/* As long as they are taken. */
static void key_updates(SSL *ssl, int fd)
{
    (void)fd;
    half(ssl);
    while (SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
           SSL_do_handshake(ssl) == 1)
        ;
}

static void tickets(SSL *ssl, int fd)
{
    (void)fd;
    half(ssl);
    while (SSL_new_session_ticket(ssl) == 1 && SSL_do_handshake(ssl) == 1)
        ;
}

static void renegotiations(SSL *ssl, int fd)
{
    (void)fd;
    half(ssl);
    for (int i = 0; i < 1000; i++)
        if (SSL_renegotiate(ssl) != 1 || SSL_do_handshake(ssl) != 1)
            return;
}

static void endless_data(SSL *ssl, int fd)
{
    static const char zeros[16384];

    (void)fd;
    half(ssl);
    while (SSL_write(ssl, zeros, sizeof(zeros)) > 0)
        ;
}

const struct mx_row mx_rows_tls[] = {
    {PARAMETERS, .name = "TLS 1.2 and TLS 1.3", .want = TLSOCK_OK},
    {PARAMETERS, .name = "TLS 1.0 alone", VERSION, .tune = only_10,
     .versions = MX_13, .set = "tls.min=1.2"},
    {PARAMETERS, .name = "TLS 1.1 alone", VERSION, .tune = only_11,
     .versions = MX_13, .set = "tls.min=1.2"},
    {PARAMETERS, .name = "TLS 1.2 alone, where 1.3 has to be", VERSION,
     .tune = only_12, .versions = MX_13},
    {PARAMETERS, .name = "TLS 1.3 alone, where 1.2 has to be", VERSION,
     .tune = only_13, .versions = MX_12},
    {PARAMETERS, .name = "CBC ciphers alone", NO_COMMON, .versions = MX_12,
     .ciphers = "ECDHE-ECDSA-AES128-SHA256"},
    {PARAMETERS, .name = "no forward secrecy", NO_COMMON,
     .ciphers = "AES128-GCM-SHA256", .leaf = {.key = MX_KEY_RSA},
     .versions = MX_12},
    {PARAMETERS, .name = "no forward secrecy, which is asked for",
     .want = TLSOCK_OK, .ciphers = "AES128-GCM-SHA256", .versions = MX_12,
     .leaf = {.key = MX_KEY_RSA, .ku = "critical,keyEncipherment"},
     .set = "ciphers=AES128-GCM-SHA256"},
    {PARAMETERS, .name = "anonymous ciphers alone", NO_COMMON,
     .ciphers = "aNULL:@SECLEVEL=0", .versions = MX_12},
    {PARAMETERS, .name = "no encryption", NO_COMMON,
     .ciphers = "eNULL:@SECLEVEL=0", .versions = MX_12},
    {PARAMETERS, .name = "a suite that we have not", NO_COMMON,
     .tune = one_suite, .versions = MX_13},
    {PARAMETERS, .name = "a group that we have not", NO_COMMON,
     .tune = one_group},
    {PARAMETERS, .name = "signatures with SHA-1 alone", NO_COMMON,
     .tune = one_sigalg, .versions = MX_12},
    {PARAMETERS, .name = "Diffie-Hellman of 1024 bits",
     .want = TLSOCK_E_NO_COMMON_PARAMETERS, HANDSHAKE, .tune = small_dh,
     .leaf = {.key = MX_KEY_RSA}, .versions = MX_12,
     .set = "ciphers=DHE-RSA-AES128-GCM-SHA256"},
    {PARAMETERS, .name = "a protocol of ours (ALPN)", .want = TLSOCK_OK,
     .tune = other_alpn, .set = "alpn=a,b;alpn.required=on"},
    {PARAMETERS, .name = "none of our protocols, and says so",
     .want = TLSOCK_E_ALPN, HANDSHAKE, .tune = no_alpn, .set = "alpn=a"},
    {PARAMETERS, .name = "no protocol, where one is required",
     .want = TLSOCK_E_ALPN, HANDSHAKE, .set = "alpn=a;alpn.required=on"},
    {PARAMETERS, .name = "a protocol that was not offered",
     .want = TLSOCK_E_PROTOCOL, HANDSHAKE, .tune = other_alpn,
     .set = "alpn=a"},

    {WAY, .name = "nobody", .want = TLSOCK_OK},
    {WAY, .name = "somebody with a certificate of his own CA",
     .want = TLSOCK_E_UNTRUSTED_ROOT, .phase = TLSOCK_PHASE_VERIFY,
     .trust = MX_TRUST_OTHER, .sent = MX_MIXED},
    {WAY, .name = "somebody without the certificate's key", PROTOCOL,
     .tells = "signature", .wrong_key = 1},
    {WAY, .name = "a pin that fits", .want = TLSOCK_OK, .pin = "leaf",
     .trust = MX_TRUST_OTHER},
    {WAY, .name = "a good chain, and a pin that does not fit",
     .want = TLSOCK_E_PIN, .phase = TLSOCK_PHASE_VERIFY,
     .pin = "sha256:0000000000000000000000000000000000000000000000000000000000"
            "000000",
     .set = "pin.mode=require-chain"},
    {WAY, .name = "who hides that we know TLS 1.3", PROTOCOL,
     .tells = "fallback", .bend = {MX_HIDE_13},
     .set = "tls.min=1.2;tls.max=1.3", .versions = MX_13},
    {WAY, .name = "who turns a bit of the server's random",
     .want = TLSOCK_E_PROTOCOL, HANDSHAKE,
     .bend = {MX_FLIP, .nth = 1, .at = 20}},
    {WAY, .name = "who turns a bit of the certificate (TLS 1.2)",
     .want = TLSOCK_E_CERT_INVALID, .bend = {MX_FLIP, .nth = 2, .at = 400},
     .versions = MX_12},
    {WAY, .name = "who turns a bit of an encrypted record (TLS 1.3)", PROTOCOL,
     .bend = {MX_FLIP, .nth = 3, .at = 10}, .versions = MX_13},
    {WAY, .name = "who turns a bit of the key exchange (TLS 1.2)", PROTOCOL,
     .bend = {MX_FLIP, .nth = 3, .at = 30}, .versions = MX_12},
    {WAY, .name = "who puts plaintext data in", PROTOCOL, .versions = MX_12,
     .bend = {MX_INSERT, .nth = 2, .bytes = "\x17\x03\x03\x00\x04" "evil",
              .len = 9}},
    {WAY, .name = "who repeats the ServerHello's header", PROTOCOL,
     .bend = {MX_INSERT, .nth = 2, .bytes = "\x16\x03\x03\x00\x04\x02\0\0\0",
              .len = 9}},

    {END, .name = "close_notify", .want = TLSOCK_OK, .after = says_goodbye,
     .reads = 1},
    {END, .name = "FIN in the ServerHello", CLOSED,
     .bend = {MX_CUT, .nth = 1, .at = 30}},
    {END, .name = "FIN behind the ServerHello", CLOSED,
     .bend = {MX_CUT, .nth = 2}},
    {END, .name = "RST behind the ServerHello", CLOSED,
     .bend = {MX_RESET, .nth = 2}},
    {END, .name = "FIN in the certificate", CLOSED,
     .bend = {MX_CUT, .nth = 3, .at = 7}},
    {END, .name = "FIN behind the first data",
     .want = TLSOCK_E_TRUNCATED, READ, .after = vanishes, .reads = 1},
    {END, .name = "FIN behind data, from who may do that", .want = TLSOCK_OK,
     .after = vanishes, .reads = 1, .set = "truncation=allow"},
    {END, .name = "RST behind the handshake", .want = TLSOCK_E_RESET, READ,
     .after = resets, .reads = 1, .bend = {MX_RESET}},
    {END, .name = "noise behind data", BROKEN, .after = garbles, .reads = 1},
    {END, .name = "plaintext behind data", BROKEN, .after = speaks_plaintext,
     .reads = 1},
    {END, .name = "an alert in plaintext behind data", BROKEN,
     .after = alerts, .reads = 1},

    {FLOOD, .name = "data without end, of which some is taken",
     .want = TLSOCK_OK, .after = endless_data},
    {FLOOD, .name = "new keys without end", TIMEOUT, .after = key_updates,
     .versions = MX_13},
    {FLOOD, .name = "tickets without end", TIMEOUT, .after = tickets,
     .versions = MX_13},
    {FLOOD, .name = "renegotiation, and the end",
     .want = TLSOCK_E_TRUNCATED, .tells = "7 bytes", .after = renegotiations, .versions = MX_12},
    {FLOOD, .name = "1,000 certificates", PROTOCOL, .tells = "excessive",
     .tune = many_certificates},

    {.group = "slow", .name = "stops in the ServerHello", TIMEOUT,
     HANDSHAKE, .bend = {MX_STALL, .nth = 1, .at = 30}},
    {.group = "slow", .name = "stops behind the ServerHello", TIMEOUT,
     HANDSHAKE, .bend = {MX_STALL, .nth = 2}},
    {.group = "slow", .name = "a byte each 50 ms", TIMEOUT, HANDSHAKE,
     .bend = {MX_DRIP, .nth = 1}},
    {.group = "slow", .name = "stops between data", TIMEOUT, READ,
     .after = stalls, .reads = 1},
};

const size_t mx_n_tls = COUNT(mx_rows_tls);
