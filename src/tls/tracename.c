#include "tls/trace.h"

#include <stdio.h>

struct row {
    unsigned id;
    const char *name;
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *find(const struct row *rows, size_t n, unsigned id,
                        char room[8])
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].id == id)
            return rows[i].name;
    snprintf(room, 8, "0x%04x", id & 0xffff);
    return room;
}

const char *tsk_trace_group(unsigned id, char room[8])
{
    static const struct row rows[] = {{0x0017, "secp256r1"},
                                      {0x0018, "secp384r1"},
                                      {0x0019, "secp521r1"},
                                      {0x001a, "brainpoolP256r1"},
                                      {0x001b, "brainpoolP384r1"},
                                      {0x001c, "brainpoolP512r1"},
                                      {0x001d, "x25519"},
                                      {0x001e, "x448"},
                                      {0x0100, "ffdhe2048"},
                                      {0x0101, "ffdhe3072"},
                                      {0x0102, "ffdhe4096"},
                                      {0x0103, "ffdhe6144"},
                                      {0x0104, "ffdhe8192"},
                                      {0x0200, "MLKEM512"},
                                      {0x0201, "MLKEM768"},
                                      {0x0202, "MLKEM1024"},
                                      {0x11eb, "SecP256r1MLKEM768"},
                                      {0x11ec, "X25519MLKEM768"},
                                      {0x11ed, "SecP384r1MLKEM1024"},
                                      {0x6399, "X25519Kyber768Draft00"}};

    return find(rows, COUNT(rows), id, room);
}

/* RFC 8446, 4.2.3 */
const char *tsk_trace_scheme(unsigned id, char room[8])
{
    static const struct row rows[] = {{0x0201, "rsa_pkcs1_sha1"},
                                      {0x0203, "ecdsa_sha1"},
                                      {0x0401, "rsa_pkcs1_sha256"},
                                      {0x0501, "rsa_pkcs1_sha384"},
                                      {0x0601, "rsa_pkcs1_sha512"},
                                      {0x0403, "ecdsa_secp256r1_sha256"},
                                      {0x0503, "ecdsa_secp384r1_sha384"},
                                      {0x0603, "ecdsa_secp521r1_sha512"},
                                      {0x0804, "rsa_pss_rsae_sha256"},
                                      {0x0805, "rsa_pss_rsae_sha384"},
                                      {0x0806, "rsa_pss_rsae_sha512"},
                                      {0x0807, "ed25519"},
                                      {0x0808, "ed448"},
                                      {0x0809, "rsa_pss_pss_sha256"},
                                      {0x080a, "rsa_pss_pss_sha384"},
                                      {0x080b, "rsa_pss_pss_sha512"}};

    return find(rows, COUNT(rows), id, room);
}

const char *tsk_trace_version(int version, char room[8])
{
    static const struct row rows[] = {
        {SSL2_VERSION, "SSLv2"},     {SSL3_VERSION, "SSLv3"},
        {TLS1_VERSION, "TLSv1.0"},   {TLS1_1_VERSION, "TLSv1.1"},
        {TLS1_2_VERSION, "TLSv1.2"}, {TLS1_3_VERSION, "TLSv1.3"}};

    return find(rows, COUNT(rows), (unsigned)version, room);
}

/* RFC 8446, B.3, and those of TLS 1.2 */
const char *tsk_trace_message(int type)
{
    static const char *const names[] = {
        [0] = "HelloRequest",        [1] = "ClientHello",
        [2] = "ServerHello",         [4] = "NewSessionTicket",
        [5] = "EndOfEarlyData",      [8] = "EncryptedExtensions",
        [11] = "Certificate",        [12] = "ServerKeyExchange",
        [13] = "CertificateRequest", [14] = "ServerHelloDone",
        [15] = "CertificateVerify",  [16] = "ClientKeyExchange",
        [20] = "Finished",           [22] = "CertificateStatus",
        [24] = "KeyUpdate",          [25] = "CompressedCertificate",
    };

    return type >= 0 && (size_t)type < COUNT(names) ? names[type] : NULL;
}
