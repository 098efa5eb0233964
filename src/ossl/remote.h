/* remote - a private key that is somewhere else: OpenSSL takes it for a key
 * with both halves, has the public one, and what is to be signed goes to a
 * function.
 *
 * A provider of our own in a library context of its own, so that nothing else
 * in the process ever meets it. RSA, RSA-PSS, EC, Ed25519, Ed448; signatures
 * alone, since decrypting is for key exchanges without forward secrecy. Knows
 * nothing of connections. */
#ifndef TSK_OSSL_REMOTE_H
#define TSK_OSSL_REMOTE_H

#include <openssl/evp.h>
#include <stddef.h>

struct tsk_remote_ask {
    const char *scheme; /* RFC 8446, 4.2.3: "rsa_pss_rsae_sha256" */
    const char *hash;   /* OpenSSL's name: "SHA2-256"; "": none */
    int pss;
    const unsigned char *data; /* the digest; without hash the message */
    size_t len;
    EVP_PKEY *pub; /* borrowed */
    void *arg;     /* of tsk_remote_key_new() */
};

/* 1: *len bytes are in sig, which has room for as many at first; 0: failed */
typedef int tsk_remote_sign(const struct tsk_remote_ask *ask,
                            unsigned char *sig, size_t *len);

/* A key whose public half is pub's; yours. NULL: OpenSSL's queue says why, or
 * the kind of key is none of the above. arg is borrowed. */
EVP_PKEY *tsk_remote_key_new(EVP_PKEY *pub, tsk_remote_sign *sign, void *arg);
int tsk_remote_is(const EVP_PKEY *key);  /* one of these? */
int tsk_remote_can(const EVP_PKEY *pub); /* is it of one of the kinds above? */
/* Is that the signature that was asked for? 1, or 0. */
int tsk_remote_check(const struct tsk_remote_ask *ask, const unsigned char *sig,
                     size_t len);

#endif
