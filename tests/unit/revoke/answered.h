/* answered - OCSP responses with any fault one wants, and who may sign them. */
#ifndef TEST_REVOKE_ANSWERED_H
#define TEST_REVOKE_ANSWERED_H

#include "pki.h"

#include "revoke/ocsp.h"

struct who {
    X509 *ca, *other_ca, *leaf, *other_leaf, *must_leaf;
    X509 *responder, *no_eku, *strangers, *old_responder, *self_made;
    X509 *no_signing, *rsa_responder;
    EVP_PKEY *rsa_key;
};

extern struct who who;
int answered_setup(void **state);
int answered_teardown(void **state);

#define GOOD V_OCSP_CERTSTATUS_GOOD
#define REVOKED V_OCSP_CERTSTATUS_REVOKED
#define UNKNOWN V_OCSP_CERTSTATUS_UNKNOWN

enum { NO_NEXT = 9999 };

struct answer {
    int status;       /* V_OCSP_CERTSTATUS_* */
    int from_h, to_h; /* thisUpdate, nextUpdate in hours; both 0: -1, 24 */
    int about_other;  /* of the CA's other certificate */
    int wrong_issuer; /* CertID made with the other CA */
    int sha256;       /* CertID's hash */
    int sha1_signed;  /* the response's signature */
    int flip;         /* damage the signature */
    X509 **signer;    /* NULL: the CA itself */
    enum pki_key signer_key;
    int two;                   /* another certificate's answer comes first */
    const EVP_MD *(*md)(void); /* CertID's hash, instead */
    int by_key;                /* its key says who the signer is, no name */
    int no_certs;              /* the signer's certificate is not sent */
    int odd_algorithm;         /* a signature that nobody knows */
    int no_date;               /* thisUpdate is none */
    const char *nonce;         /* what comes back; NULL: none */
    int nonce_bare;            /* without its OCTET STRING around it */
    const EVP_MD *pss;         /* signed with RSASSA-PSS by this hash */
};

/* DER; yours: OPENSSL_free(). */
unsigned char *answered(const struct answer *a, int *len);

extern const struct tsk_ocsp_source staple;

#endif
