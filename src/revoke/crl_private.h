/* crl_private - a list as it lies in memory: its bytes as they came, and beside
 * them what is needed to judge without decoding anything again.
 *
 * An entry stays where it is in the bytes; rows has a pointer to each, sorted
 * by serial: 8 bytes an entry beside its 20 to 60 in the list. The bytes are
 * kept for that, and so a second issuer's key can be asked, too. All is
 * immutable once read, but the keys that are known to have signed it. */
#ifndef TSK_REVOKE_CRL_PRIVATE_H
#define TSK_REVOKE_CRL_PRIVATE_H

#include "revoke/crl.h"
#include "revoke/crljudge.h"
#include "revoke/tlv.h"

#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>

#define TSK_CRL_ROWS_MAX ((size_t)8000000) /* entries of one list */
#define TSK_CRL_SERIAL_MAX 127             /* octets of a serial number */
#define TSK_CRL_KEYS 8               /* issuers' keys remembered for one list */
#define TSK_CRL_SKEW 300             /* seconds that clocks may differ */
#define TSK_CRL_MAX_AGE (10 * 86400) /* of a list that does not say its end */

/* Reasons as bits: 1 << n, n as in ReasonFlags; RFC 5280, 4.2.1.13 */
#define TSK_CRL_ALL_REASONS 0x1feu

/* From here on entries are of this issuer: indirect lists, RFC 5280, 5.3.3 */
struct tsk_crl_turn {
    const uint8_t *at;
    X509_NAME *issuer;
};

struct tsk_crl {
    uint8_t *der; /* OpenSSL's memory */
    size_t len;
    struct tsk_tlv tbs; /* what is signed */
    X509_ALGOR *alg;
    ASN1_BIT_STRING *signature;
    int weak; /* nobody should believe such a signature */
    X509_NAME *issuer;
    int64_t since, until; /* Unix seconds; INT64_MIN: not to be read */
    const char *unusable; /* what forbids its use, or NULL */
    AUTHORITY_KEYID *akid;
    ISSUING_DIST_POINT *idp;
    ASN1_INTEGER *number, *base;      /* base: it is a delta list */
    struct tsk_tlv akid_der, idp_der; /* to compare; empty: there is none */
    const uint8_t **rows;
    size_t n_rows;
    struct tsk_crl_turn *turns; /* in the order of the bytes */
    size_t n_turns;
    /* n_keys is read without the lock: what is below it never changes */
    pthread_mutex_t lock;
    atomic_int n_keys;
    uint8_t keys[TSK_CRL_KEYS][32]; /* SHA-256 of a SubjectPublicKeyInfo */
};

struct tsk_crls {
    atomic_int refs;
    struct tsk_crl **list;
    size_t n, room;
};

/* crlparse.c. Takes der, OpenSSL's memory, in all outcomes. 0; E_OWN_FILE
 * (damaged; OpenSSL's queue may tell more), E_LIMIT, E_NOMEM: no message. */
int tsk_crl_read(uint8_t *der, size_t len, struct tsk_crl **out);
void tsk_crl_free(struct tsk_crl *l);
size_t tsk_crl_size(const struct tsk_crl *l);

/* crlext.c: the list's own extensions. 0, E_OWN_FILE, E_NOMEM */
int tsk_crl_exts(struct tsk_crl *l, struct tsk_tlv exts);

/* crlrows.c: revokedCertificates. 0, E_OWN_FILE, E_LIMIT, E_NOMEM */
int tsk_crl_rows(struct tsk_crl *l, struct tsk_tlv all);
/* What a list says of one certificate. */
struct tsk_crl_entry {
    int reason;          /* -1: none given */
    struct tsk_tlv when; /* for d2i_ASN1_TIME() */
};
/* serial: content of the DER. 1: it is there; 0 */
int tsk_crl_find(const struct tsk_crl *l, const X509_NAME *issuer,
                 const struct tsk_tlv *serial, struct tsk_crl_entry *out);

/* crlscope.c */
struct tsk_crl_ask {
    const struct tsk_crl_question *q;
    struct tsk_crls *const *lists;
    size_t n_lists;
    /* About a certificate in the path of a list's signer: lists about that must
     * be its issuer's own. self: or of the signer himself, or NULL. */
    int nested;
    X509 *self;
    X509 *crt, *issuer, *anchor;
    struct tsk_tlv serial;
    uint8_t serial_der[TSK_CRL_SERIAL_MAX + 2];
    CRL_DIST_POINTS *points; /* of crt, decoded when first needed */
    int have_points;
};
/* The reasons for which this complete list speaks of the certificate; 0: none.
 * related: 1 if it is at least of a CRL issuer of the certificate's. -1: no
 * memory. RFC 5280, 6.3.3 (b) and (d) */
int tsk_crl_scope(struct tsk_crl_ask *ask, const struct tsk_crl *l,
                  unsigned *reasons, int *related);
/* May delta bring base up to date? RFC 5280, 5.2.4 and 6.3.3 (c) */
int tsk_crl_delta_fits(const struct tsk_crl *base, const struct tsk_crl *delta);

/* crlsign.c. Why a list cannot be used, in the order in which it is asked. */
enum tsk_crl_fault {
    TSK_CRL_FINE,
    TSK_CRL_MISSING,
    TSK_CRL_SCOPE,
    TSK_CRL_PARTIAL,
    TSK_CRL_UNUSABLE,
    TSK_CRL_WEAK,
    TSK_CRL_NO_SIGNER,
    TSK_CRL_NO_CRLSIGN,
    TSK_CRL_FORGED,
    TSK_CRL_EARLY,
    TSK_CRL_OVERDUE,
    TSK_CRL_STARVED
};
/* Who signed it, with the signature verified; the certificate is yours to
 * free. RFC 5280, 6.3.3 (f) and (g) */
enum tsk_crl_fault tsk_crl_signer(struct tsk_crl_ask *ask, struct tsk_crl *l,
                                  X509 **signer);
/* Is the signature by this certificate's key? */
enum tsk_crl_fault tsk_crl_signed_by(struct tsk_crl *l, X509 *signer);

/* crlpath.c: certificates that may have signed it beside the chain's own
 * issuer, each with a path to the chain's anchor: at most n. Yours. */
#define TSK_CRL_SIGNERS 8
int tsk_crl_signers(struct tsk_crl_ask *ask, const struct tsk_crl *l,
                    X509 *out[TSK_CRL_SIGNERS]);

/* crljudge.c: does any of the lists leave a doubt about a certificate of this
 * signer's path? 0 none, -1 no memory, 1 */
int tsk_crl_path_doubted(const struct tsk_crl_ask *ask, STACK_OF(X509) * path);

/* crlsay.c: the message: E_REVOKED, which it gives back; or
 * E_REVOCATION_UNKNOWN. */
int tsk_crl_say_revoked(const struct tsk_crl_ask *ask, const struct tsk_crl *l,
                        const struct tsk_crl_entry *e, tlsock_error *err);
void tsk_crl_say_unknown(const struct tsk_crl_ask *ask, const struct tsk_crl *l,
                         enum tsk_crl_fault fault, tlsock_error *err);
int64_t tsk_crl_entry_time(const struct tsk_crl_entry *e, char date[32]);

/* crldir.c: 1: uri names a directory, its path in *path. */
int tsk_crl_is_dir(const char *uri, const char **path);
int tsk_crl_dir(struct tsk_crls *l, const char *path, tlsock_error *err);
/* crl.c: what is in one file; *none: there was no list in it */
int tsk_crls_file(struct tsk_crls *l, const char *uri, size_t max, size_t *len,
                  tlsock_error *err);

#endif
