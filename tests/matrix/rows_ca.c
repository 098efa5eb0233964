/* What makes a CA, and what a certificate is for. */
#include "matrix.h"

#define VERIFY .phase = TLSOCK_PHASE_VERIFY
#define INVALID .want = TLSOCK_E_CERT_INVALID, VERIFY
#define PURPOSE .want = TLSOCK_E_PURPOSE, VERIFY
#define CA .group = "CA rules"
#define USAGE .group = "usage"

#define CA_BC "critical,CA:TRUE,pathlen:0"

const struct mx_row mx_rows_ca[] = {
    {CA, .name = "an issuer that is no CA", INVALID,
     .inter = {.bc = "critical,CA:FALSE", .ku = "critical,digitalSignature"}},
    {CA, .name = "an issuer that is no CA but may sign certificates", INVALID,
     .inter = {.bc = "critical,CA:FALSE"}},
    {CA, .name = "an issuer without basicConstraints", INVALID,
     .inter = {.bc = "-"}},
    {CA, .name = "an issuer without keyCertSign", INVALID,
     .inter = {.ku = "critical,cRLSign"}},
    {CA, .name = "an issuer of X.509 version 1", INVALID, .inter = {.v1 = 1}},
    {CA, .name = "an issuer whose root allows no CA below it", INVALID,
     .root = {.bc = "critical,CA:TRUE,pathlen:0"}},
    {CA, .name = "an issuer whose root allows one", .want = TLSOCK_OK,
     .root = {.bc = "critical,CA:TRUE,pathlen:1"}},
    {CA, .name = "a root without keyCertSign", INVALID,
     .root = {.ku = "critical,cRLSign"}},
    {CA, .name = "a name within the constraints", .want = TLSOCK_OK,
     .inter = {.more = "nameConstraints=critical,permitted;DNS:test"}},
    {CA, .name = "a name outside of the constraints", INVALID,
     .inter = {.more = "nameConstraints=critical,permitted;DNS:b.test"}},
    {CA, .name = "a name that the constraints exclude", INVALID,
     .inter = {.more = "nameConstraints=critical,excluded;DNS:a.test"}},
    {CA, .name = "one name within, one outside", INVALID,
     .leaf = {.san = "DNS:a.test,DNS:b.example"},
     .inter = {.more = "nameConstraints=critical,permitted;DNS:test"}},
    {CA, .name = "a wildcard over what is excluded", INVALID,
     .host = "x.a.test", .leaf = {.san = "DNS:*.a.test"},
     .inter = {.more = "nameConstraints=critical,excluded;DNS:b.a.test"}},
    {CA, .name = "an address within the constraints", .want = TLSOCK_OK,
     .host = "10.1.2.3", .leaf = {.san = "IP:10.1.2.3"},
     .inter = {.more = "nameConstraints=critical,permitted;"
                       "IP:10.0.0.0/255.0.0.0"}},
    {CA, .name = "an address outside of the constraints", INVALID,
     .host = "127.0.0.1", .leaf = {.san = "IP:127.0.0.1"},
     .inter = {.more = "nameConstraints=critical,permitted;"
                       "IP:10.0.0.0/255.0.0.0"}},
    {CA, .name = "name constraints of the root", INVALID,
     .root = {.more = "nameConstraints=critical,permitted;DNS:b.test"}},
    {CA, .name = "an unknown extension", .want = TLSOCK_OK,
     .leaf = {.more = "1.2.3.4.5=DER:0500"}},
    {CA, .name = "an unknown critical extension", INVALID,
     .leaf = {.more = "1.2.3.4.5=critical,DER:0500"}},
    {CA, .name = "an unknown critical extension of the intermediate", INVALID,
     .inter = {.more = "1.2.3.4.5=critical,DER:0500"}},
    {CA, .name = "two lists of names", INVALID,
     .leaf = {.key = MX_KEY_RSA, .more = "subjectAltName=DNS:b.test"}},
    {CA, .name = "basicConstraints twice", INVALID,
     .leaf = {.key = MX_KEY_RSA, .more = "basicConstraints=critical,CA:FALSE"}},
    {CA, .name = "keyUsage that is no DER", INVALID,
     .leaf = {.key = MX_KEY_RSA, .ku = "critical,DER:0500"}},
    {CA, .name = "an empty list of names", .want = TLSOCK_E_CERT_INVALID,
     VERIFY, .leaf = {.san = "DER:3000"}},

    {USAGE, .name = "for servers", .want = TLSOCK_OK},
    {USAGE, .name = "for servers and clients", .want = TLSOCK_OK,
     .leaf = {.eku = "clientAuth,serverAuth"}},
    {USAGE, .name = "for whatever, as nothing is said", .want = TLSOCK_OK,
     .leaf = {.ku = "-", .eku = "-"}},
    {USAGE, .name = "for clients", PURPOSE, .leaf = {.eku = "clientAuth"}},
    {USAGE, .name = "for signing code", PURPOSE,
     .leaf = {.eku = "codeSigning"}},
    {USAGE, .name = "for e-mail", PURPOSE, .leaf = {.eku = "emailProtection"}},
    {USAGE, .name = "for answering about revocation", PURPOSE,
     .leaf = {.eku = "OCSPSigning"}},
    {USAGE, .name = "a key that may not sign", PURPOSE,
     .leaf = {.key = MX_KEY_RSA, .ku = "critical,keyEncipherment"}},
    {USAGE, .name = "a CA's own certificate", PURPOSE,
     .leaf = {.key = MX_KEY_RSA, .bc = "critical,CA:TRUE",
              .ku = "critical,keyCertSign"},
     .inter = {.bc = "critical,CA:TRUE"}},
    {USAGE, .name = "an intermediate for servers", .want = TLSOCK_OK,
     .inter = {.eku = "serverAuth"}},
    {USAGE, .name = "an intermediate for e-mail", PURPOSE,
     .inter = {.eku = "emailProtection"}},
};

const size_t mx_n_ca = COUNT(mx_rows_ca);
