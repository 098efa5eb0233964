/* policy - the one place that says yes or no to a peer's certificate: chain,
 * purpose, time, name, pins. Works on an X509_STORE_CTX, with or without a
 * connection; every verdict goes into the caller's struct, nothing is shared.
 */
#ifndef TSK_VERIFY_POLICY_H
#define TSK_VERIFY_POLICY_H

#include "core/err.h"
#include "revoke/crl.h"
#include "verify/allow.h"
#include "verify/pin.h"

#include <openssl/x509_vfy.h>

#define TSK_PIN_ACCEPT 0        /* a pin stands in for chain and name */
#define TSK_PIN_REQUIRE 1       /* a pin is the only criterion */
#define TSK_PIN_REQUIRE_CHAIN 2 /* a pin and chain and name */

#define TSK_INSECURE_NO_CHAIN 0x1u    /* any chain */
#define TSK_INSECURE_NO_NAME 0x2u     /* any name */
#define TSK_INSECURE_EXPIRED 0x4u     /* only the dates are forgiven */
#define TSK_INSECURE_SELF_SIGNED 0x8u /* only a self-signed leaf is */
#define TSK_INSECURE_ALL 0x10u        /* anything at all */

struct tsk_dane;

/* The user's own rule of names: 0 the leaf is for this name, or a code,
 * recorded in err. */
typedef int tsk_name_rule(void *arg, const char *name, X509_STORE_CTX *ctx,
                          tlsock_error *err);

struct tsk_verify_req {
    const char *name;   /* NULL: none to check */
    const char *scheme; /* NULL: RFC 9525 */
    int psl;
    int purpose;  /* TLSOCK_PURPOSE_*: what the peer's certificate is for */
    int signs;    /* its key has to make a signature in the handshake */
    int depth;    /* most intermediates; 0 default, -1 none */
    int64_t time; /* 0: now */
    int partial_chain;
    const struct tsk_pin *pins;
    size_t n_pins;
    int pin_mode;
    unsigned insecure;
    struct tsk_crls *const *lists; /* borrowed */
    size_t n_lists;
    int check_crls; /* of all certificates but the anchor */
    int unknown_is_fine; /* what no list tells does not matter */
    int stored;     /* no peer sent it: it was given as it is */
    const struct tsk_allow *allow; /* which clients; borrowed; NULL: any */
    const struct tsk_dane *dane; /* whose records have a say, or NULL */
    tsk_name_rule *name_rule; /* instead of the built-in ones; or NULL */
    void *name_arg;
};

struct tsk_verdict {
    char verified[128]; /* "chain", "pin sha256:...", "insecure no-name: ..." */
    int64_t expires;    /* first notAfter in the built chain, Unix seconds */
    int64_t crl_as_of;  /* the oldest CRL that said so; 0: none was asked */
    char dane[16];      /* "3 1 1", the TLSA record that fits; or "" */
    int key_alone;      /* by DANE-EE: all else in the certificate is void */
};

/* crt and untrusted are set in ctx, made on a store. Builds and checks.
 * 0 or the code; ctx's error is set for libssl's alert. */
int tsk_policy_verify(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                      struct tsk_verdict *verdict, tlsock_error *err);
/* verify/policy_key.c: the same of a key without a certificate. */
int tsk_policy_key(X509_STORE_CTX *ctx, EVP_PKEY *key,
                   const struct tsk_verify_req *req,
                   struct tsk_verdict *verdict, tlsock_error *err);
/* verify/explain.c: OpenSSL's verdict in ctx -> code, message, hint, facts
 * (which certificate, issuer missing, days since expiry, ready pin). */
int tsk_explain_x509(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                     tlsock_error *err);

#endif
