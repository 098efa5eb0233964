/* make - what a CA says about the certificates it issued: CRLs and OCSP
 * responses; and what a CRL says, as text.
 *
 * Knows keys, names and dates; knows nothing of where a CA keeps its records
 * nor of how its words travel. */
#ifndef TSK_REVOKE_MAKE_H
#define TSK_REVOKE_MAKE_H

#include "cert/cert.h"

#include <tlsock/revoke.h>

#define TSK_SERIAL_MAX 20              /* octets: RFC 5280, 4.1.2.2 and 5.2.3 */
#define TSK_LAST_SECOND 253402300799LL /* 9999-12-31: RFC 5280, 4.1.2.5 */

/* crlmake.c */
int tsk_crl_save(const tlsock_crl_opts *o, unsigned format, const char *path,
                 tlsock_error *err);
/* crlread.c */
int tsk_crl_json(const char *uri, int64_t now, char *out, size_t size,
                 tlsock_error *err);
/* The same of bytes; name is for messages. */
int tsk_crl_text(const unsigned char *data, size_t len, const char *name,
                 int64_t now, char *out, size_t size, tlsock_error *err);
/* ocspmake.c: as tlsock_ocsp_answer() */
int tsk_ocsp_answer(const tlsock_ocsp_opts *o, const void *request, size_t len,
                    void *out, size_t *out_len, tlsock_error *err);

/* signer.c. NULL in *md for keys that hash by themselves (Ed25519). */
int tsk_signer_digest(const EVP_MD **md, EVP_PKEY *key, const char *name,
                      tlsock_error *err);
/* Has it a key, and is it its own? what: "the issuer", "the signer" */
int tsk_signer_key(const tlsock_cert *c, const char *what, tlsock_error *err);
/* May it sign what bit allows (KU_CRL_SIGN)? A CA without keyUsage may. */
int tsk_signer_is_ca(const tlsock_cert *c, uint32_t bit, const char *deed,
                     tlsock_error *err);
/* A number in hex, not negative; what it is for the message. Yours. */
int tsk_hex_integer(ASN1_INTEGER **out, const char *hex, const char *what,
                    tlsock_error *err);
/* 0 to 10 without 7; RFC 5280, 5.3.1 */
int tsk_reason_known(int reason);

#endif
