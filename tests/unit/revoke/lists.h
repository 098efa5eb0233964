/* lists - CRLs with any fault one wants, and certificates that name their
 * distribution points, made with OpenSSL alone. */
#ifndef TEST_REVOKE_LISTS_H
#define TEST_REVOKE_LISTS_H

#include "pki.h"

#include "revoke/crl.h"

struct list_entry {
    const X509 *who; /* its serial; NULL: serial is */
    long serial;
    int reason;       /* CRL_REASON_*; 0: none */
    const X509 *of;   /* certificateIssuer: this one's subject */
    const char *more; /* OID of an extension, critical if it begins with "!" */
};

struct list_spec {
    const X509 *by; /* its subject is the issuer; NULL: no such list */
    enum pki_key key;
    struct list_entry entries[3];
    const char *idp;        /* section of lists_conf[], or NULL */
    int number, base;       /* 0: none */
    int from_days, to_days; /* both 0: -1 and 7; to_days 999: no nextUpdate */
    int weak;               /* SHA-1 */
    int keyid;              /* with an authorityKeyIdentifier of by */
    int spoil;              /* change the signature */
    const char *more;       /* as in an entry */
};

#define LISTS_NOW 1800000000 /* 2027-01-15T08:00:00Z */

X509_CRL *lists_make(const struct list_spec *s);
/* DER; yours: OPENSSL_free() */
unsigned char *lists_der(const struct list_spec *s, int *len);
/* One of them, read back. */
struct tsk_crls *lists_read(const struct list_spec *s);
/* A certificate of spec with crlDistributionPoints: sections of lists_conf[],
 * comma separated; NULL: without. In date at LISTS_NOW. */
X509 *lists_cert(const struct pki_spec *spec, const char *points);
/* "Root CA", and a leaf of its. */
X509 *lists_root(void);
X509 *lists_leaf(X509 *root, const char *points);
/* DER of a list with n entries, unsorted, serials of 16 random octets. */
unsigned char *lists_big(const X509 *by, enum pki_key key, int n, int *len);

#endif
