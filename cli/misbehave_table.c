#include "misbehave.h"

#include <string.h>

#define BYTES(s) .wire = MIS_BYTES, .bytes = s, .len = sizeof(s) - 1
#define ONLY(v) .min = v, .max = v
#define ZEROS29 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ZEROS58 ZEROS29 ZEROS29
#define OLD "DEFAULT:@SECLEVEL=0"

const struct mis_row mis_rows[] = {
    {"good", .wire = MIS_TLS, .staple = MIS_STAPLE_GOOD, .code = "good",
     .what = "misbehaves in nothing, and staples that it is good"},

    {"wrong-name", .cert = "wrong-name", .wire = MIS_TLS,
     .code = "name-mismatch", .what = "a certificate of another host"},
    {"expired", .cert = "expired", .wire = MIS_TLS, .code = "expired",
     .what = "a certificate that expired 30 days ago"},
    {"not-yet-valid", .cert = "future", .wire = MIS_TLS,
     .code = "not-yet-valid", .what = "a certificate that is valid in a year"},
    {"self-signed", .cert = "self-signed", .wire = MIS_TLS,
     .code = "untrusted-root", .what = "a certificate that signs itself"},
    {"untrusted-root", .cert = "other-root", .wire = MIS_TLS,
     .code = "untrusted-root", .what = "a chain to a root nobody trusts"},
    {"no-intermediate", .cert = "good-leaf", .key = "good", .wire = MIS_TLS,
     .code = "chain-incomplete", .what = "the leaf alone"},
    {"wrong-order", .cert = "disordered", .key = "deep", .wire = MIS_TLS,
     .code = "good", .what = "a chain out of order: clients may take it"},
    {"expired-intermediate", .cert = "below-expired", .wire = MIS_TLS,
     .code = "expired", .what = "a leaf below an expired intermediate"},
    {"weak-key", .cert = "rsa1024", .wire = MIS_TLS, .code = "weak",
     .what = "a key of RSA 1024"},
    {"sha1", .cert = "sha1", .wire = MIS_TLS, .code = "weak",
     .what = "a certificate signed with SHA-1"},
    {"forged", .cert = "bad-signature", .wire = MIS_TLS, .code = "cert-invalid",
     .what = "one bit of its signature is wrong"},
    {"wrong-purpose", .cert = "wrong-purpose", .wire = MIS_TLS,
     .code = "purpose", .what = "a certificate of a client"},
    {"ca-as-leaf", .cert = "ca-as-leaf", .wire = MIS_TLS, .code = "purpose",
     .what = "a CA's certificate in place of a server's"},
    {"no-san", .cert = "no-san", .wire = MIS_TLS, .code = "name-mismatch",
     .what = "the name is in the common name alone"},
    {"oversize-chain", .wire = MIS_TLS, .number = 400, .code = "protocol",
     .what = "400 certificates, more than clients read"},

    {"revoked", .cert = "revoked", .wire = MIS_TLS,
     .staple = MIS_STAPLE_REVOKED, .code = "revoked",
     .what = "a certificate that its staple, and inter.crl, say is revoked"},
    {"staple-expired", .wire = MIS_TLS, .staple = MIS_STAPLE_OLD,
     .code = "staple", .what = "a staple whose time is over"},
    {"staple-other", .wire = MIS_TLS, .staple = MIS_STAPLE_OTHER,
     .code = "staple", .what = "the staple of another certificate"},
    {"staple-future", .wire = MIS_TLS, .staple = MIS_STAPLE_FUTURE,
     .code = "staple", .what = "a staple whose time has not begun"},
    {"staple-unknown", .wire = MIS_TLS, .staple = MIS_STAPLE_UNKNOWN,
     .code = "staple", .what = "a staple that does not know the certificate"},
    {"staple-forged", .wire = MIS_TLS, .staple = MIS_STAPLE_FORGED,
     .code = "staple", .what = "one bit of the staple's signature is wrong"},
    {"staple-signer", .wire = MIS_TLS, .staple = MIS_STAPLE_SIGNER,
     .code = "staple", .what = "a staple signed by who may not sign it"},
    {"staple-later", .wire = MIS_TLS, .staple = MIS_STAPLE_LATER,
     .code = "staple", .what = "a staple that says: try later"},
    {"staple-empty", .wire = MIS_UNSTAPLE, .staple = MIS_STAPLE_GOOD,
     ONLY(TLS1_2_VERSION), .code = "protocol",
     .what = "a staple of no bytes, in TLS 1.2"},
    {"staple-garbage", .wire = MIS_TLS, .staple = MIS_STAPLE_GARBAGE,
     .code = "staple", .what = "a staple whose answer is garbage"},
    {"must-staple", .cert = "must-staple", .wire = MIS_TLS,
     .code = "must-staple",
     .what = "no staple, though the certificate "
             "promises one"},

    {"tls10", .wire = MIS_TLS, ONLY(TLS1_VERSION), .ciphers = OLD,
     .code = "version-unsupported", .what = "speaks TLS 1.0 and no other"},
    {"tls11", .wire = MIS_TLS, ONLY(TLS1_1_VERSION), .ciphers = OLD,
     .code = "version-unsupported", .what = "speaks TLS 1.1 and no other"},
    {"tls12", .wire = MIS_TLS, ONLY(TLS1_2_VERSION), .code = "good",
     .what = "speaks TLS 1.2 and no other"},
    {"tls13", .wire = MIS_TLS, ONLY(TLS1_3_VERSION), .code = "good",
     .what = "speaks TLS 1.3 and no other"},
    {"no-common-cipher", .wire = MIS_TLS, ONLY(TLS1_2_VERSION),
     .ciphers = "NULL-SHA256:@SECLEVEL=0", .code = "no-common-parameters",
     .what = "knows no cipher that encrypts"},
    {"alert", .wire = MIS_ALERT, .code = "alert",
     .what = "a fatal alert in place of its hello; alert:NUMBER chooses it"},
    {"client-cert", .wire = MIS_TLS,
     .ask = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
     .code = "client-cert-required",
     .what = "insists on a certificate of the client"},
    {"client-cert12", .wire = MIS_TLS, ONLY(TLS1_2_VERSION),
     .ask = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
     .code = "client-cert-required", .what = "the same, in TLS 1.2"},

    {"bad-signature", .wire = MIS_SIGNATURE, ONLY(TLS1_2_VERSION),
     .code = "protocol", .what = "its key exchange is signed wrongly"},
    {"bad-signature13", .wire = MIS_PROOF, ONLY(TLS1_3_VERSION),
     .code = "protocol", .what = "its CertificateVerify is signed wrongly"},
    {"bad-finished", .wire = MIS_FINISHED, ONLY(TLS1_3_VERSION),
     .code = "protocol", .what = "one bit of its Finished is wrong"},
    {"bad-finished12", .wire = MIS_FINISHED, ONLY(TLS1_2_VERSION),
     .code = "protocol", .what = "the same, in TLS 1.2"},
    {"ticket-garbage", .wire = MIS_TICKET, ONLY(TLS1_3_VERSION),
     .code = "protocol", .what = "garbage in its session tickets"},
    {"ticket-garbage12", .wire = MIS_TICKET, ONLY(TLS1_2_VERSION),
     .code = "protocol", .what = "the same, in TLS 1.2"},
    {"ticket-unknown", .wire = MIS_TLS, .forgets = 1, .code = "good",
     .what = "gives session tickets, and never knows them again"},
    {"bad-record", .wire = MIS_MAC, ONLY(TLS1_3_VERSION), .code = "protocol",
     .what = "its first encrypted record was changed on the way"},
    {"oversize-record", BYTES("\x16\3\3\xff\xff\2\0\xff\xfb\3\3"),
     .code = "protocol", .what = "a record that is longer than TLS allows"},
    {"oversize-message", BYTES("\x16\3\3\0\x40\2\xff\xff\xff\3\3" ZEROS58),
     .code = "protocol", .what = "a ServerHello that says it has 16 MiB"},
    {"garbage", BYTES("\x93\x02\xf7\x00\x11 nothing that anybody speaks\n"),
     .code = "not-tls", .what = "bytes that are no TLS"},
    {"plaintext", BYTES("220 mail.test ESMTP ready\r\n"), .code = "not-tls",
     .what = "greets in plaintext, as a mail server does"},
    {"close", .wire = MIS_CLOSE, .code = "closed-in-handshake",
     .what = "closes before it says anything"},
    {"reset", .wire = MIS_RESET, .code = "closed-in-handshake",
     .what = "the same, by RST"},
    {"close-in-handshake", .wire = MIS_CUT, .number = 200,
     .code = "closed-in-handshake",
     .what = "closes after 200 bytes of its handshake"},
    {"silent", .wire = MIS_SILENT, .code = "timeout",
     .what = "reads, and never answers"},
    {"drip", .wire = MIS_DRIP, .code = "timeout",
     .what = "a byte of its handshake every 200 ms"},
    {"truncation", .wire = MIS_TRUNCATE, .code = "truncated",
     .what = "ends after its data without close_notify"},
};
const size_t mis_n_rows = sizeof(mis_rows) / sizeof(mis_rows[0]);
_Static_assert(sizeof(mis_rows) / sizeof(mis_rows[0]) <= MIS_MOST, "rows");

const struct mis_row *mis_find(const char *name, size_t len)
{
    for (size_t i = 0; i < mis_n_rows; i++)
        if (strncmp(mis_rows[i].name, name, len) == 0 &&
            mis_rows[i].name[len] == '\0')
            return &mis_rows[i];
    return NULL;
}
