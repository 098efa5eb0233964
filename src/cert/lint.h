/* lint - what standards and clients have against a certificate: a table of
 * rules, and one certificate decoded for them.
 *
 * Judges what is written, never whom to trust: nothing is fetched, no store is
 * asked. Each rule says at most one thing of each certificate, and its work is
 * bounded by the certificate's length. */
#ifndef TSK_CERT_LINT_H
#define TSK_CERT_LINT_H

#include "cert/cert.h"

#include <openssl/x509v3.h>

#define TSK_LINT_CERTS 32 /* that many of a chain are looked at */

/* What tlsock_cert_lint() does. */
int tsk_cert_lint(const tlsock_cert *c, tlsock_lint_fn *fn, void *arg,
                  tlsock_error *err);

/* A piece of DER; of a decoded piece, its content. */
struct tsk_der {
    const unsigned char *p;
    size_t n;
    int tag, class;             /* V_ASN1_, as OpenSSL numbers them */
    const unsigned char *whole; /* with its header */
    size_t whole_n;
};

/* The next piece of in, which is advanced; 0: the end, or no DER. */
int tsk_der_next(struct tsk_der *in, struct tsk_der *out);
int tsk_der_same(const struct tsk_der *a, const struct tsk_der *b);

/* One certificate. What is not there, or cannot be decoded, is NULL or empty.
 */
struct tsk_lint_cert {
    X509 *x;
    X509 *issuer; /* next in the chain, itself if self-signed, or NULL */
    const tlsock_cert *all;
    int index;                   /* 0: the leaf */
    int64_t now, from, to;       /* Unix seconds; INT64_MIN: unreadable */
    int ca, self_signed, server; /* what it is, by what it says */
    int has_ku;
    unsigned ku; /* bit n of keyUsage is 1 << n */
    EVP_PKEY *key;
    BASIC_CONSTRAINTS *bc;
    EXTENDED_KEY_USAGE *eku;
    GENERAL_NAMES *san;
    AUTHORITY_KEYID *aki;
    ASN1_OCTET_STRING *ski;
    NAME_CONSTRAINTS *nc;
    CRL_DIST_POINTS *crl;
    AUTHORITY_INFO_ACCESS *aia;
    CERTIFICATEPOLICIES *policies;
    int starved; /* a rule had no memory: nothing it says counts */
    unsigned char *der;
    struct tsk_der tbs, outer_alg;
    struct tsk_der version, serial, alg, validity, spki, exts; /* in tbs */
    char message[320];
    char shown[160];
};

int tsk_lint_open(struct tsk_lint_cert *l, const tlsock_cert *all, int index,
                  int64_t now, tlsock_error *err);
void tsk_lint_close(struct tsk_lint_cert *l);

/* A finding: sets the message, gives 1. */
int tsk_lint_say(struct tsk_lint_cert *l, const char *fmt, ...)
    TLSOCK_PRINTF(2, 3);
/* Bytes, safe to print; good until the next call. */
const char *tsk_lint_show(struct tsk_lint_cert *l, const void *p, size_t n);
const char *tsk_lint_str(struct tsk_lint_cert *l, const ASN1_STRING *s);
/* Has its extendedKeyUsage this purpose? */
int tsk_lint_purpose(const struct tsk_lint_cert *l, int nid);
/* The certificate at a place of the chain; 0 is the leaf. NULL: no such. */
X509 *tsk_lint_at(const tlsock_cert *all, int index);
/* Does it look like a host name or an address? */
int tsk_lint_hostlike(const unsigned char *p, size_t n);
/* The last common name; NULL: none. */
const ASN1_STRING *tsk_lint_cn(const struct tsk_lint_cert *l);

/* Whom a rule is for. */
enum tsk_lint_whom {
    LINT_ANY,
    LINT_CA,     /* says that it is one */
    LINT_END,    /* says that it is none */
    LINT_SERVER, /* no CA, good for a server, first in the chain */
    LINT_FIRST,  /* first in the chain, whatever it is */
    LINT_CHAIN   /* behind it */
};

struct tsk_lint_rule {
    const char *code;
    int severity;
    int whom;
    /* 1: a finding, said with tsk_lint_say(). arg is the rule's own. */
    int (*check)(struct tsk_lint_cert *l, int arg);
    int arg;
    const char *source;
    const char *hint;
};

/* One table per subject; a rule without code ends it. */
extern const struct tsk_lint_rule tsk_lint_base[], tsk_lint_subject[],
    tsk_lint_dates[], tsk_lint_key[], tsk_lint_rsa[], tsk_lint_ext[],
    tsk_lint_critical[], tsk_lint_usage[], tsk_lint_san[], tsk_lint_dns[],
    tsk_lint_constraints[], tsk_lint_pointers[], tsk_lint_policies[],
    tsk_lint_sct[], tsk_lint_chain[];

/* All of them, by number; NULL behind the last. */
const struct tsk_lint_rule *tsk_lint_rule_at(size_t i);

#define LINT_E TLSOCK_LINT_ERROR
#define LINT_W TLSOCK_LINT_WARNING
#define LINT_N TLSOCK_LINT_NOTE

#endif
