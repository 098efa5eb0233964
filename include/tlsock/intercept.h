/**
 * @file intercept.h
 * Certificates for who stands between a client and a server: a copy of the
 * server's own, under a CA that the client trusts.
 *
 * A program accepts a client, looks at its ClientHello (TLSOCK_ON_HELLO),
 * connects to the server and verifies it there, has a copy of its certificate
 * minted here, and hands that to tlsock_use_cert(). A copy says nothing of
 * whether the original is good: only who was verified deserves one.
 */
#ifndef TLSOCK_INTERCEPT_H
#define TLSOCK_INTERCEPT_H

#include <tlsock.h>
#include <tlsock/cert.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A CA, and what was minted by it. Any number of threads at once, but for
 *  tlsock_intercept_free(). */
typedef struct tlsock_intercept tlsock_intercept;

/**
 * @param ca         certificate and key of a CA, which takes any kind of key
 *                   that tlsock_cert_create() does, with the chain up to its
 *                   root if it is not one; a reference is taken
 * @param cache_dir  a directory in which minted certificates and their keys are
 *                   kept, shared by processes; NULL: in memory alone. What is
 *                   in it is secret: files are 0600, and those that somebody
 *                   else might have written or read are made anew. At most
 *                   64 MiB; what ends first goes first
 * @param err        filled in on failure; may be NULL
 * @return yours to tlsock_intercept_free(); NULL on failure: TLSOCK_E_ARGUMENT
 *         (no CA, or it has no key), TLSOCK_E_PURPOSE (it is no CA, or may not
 *         sign this far down), TLSOCK_E_EXPIRED, TLSOCK_E_NOT_YET_VALID,
 *         TLSOCK_E_KEY_MISMATCH, TLSOCK_E_WEAK (of its key),
 *         TLSOCK_E_OWN_FILE (the directory), TLSOCK_E_NOMEM
 */
TLSOCK_API tlsock_intercept *
tlsock_intercept_new(tlsock_cert *ca, const char *cache_dir, tlsock_error *err);

/**
 * Before the first leaf.
 * @param i       the handle
 * @param option  "leaf-key": "process" (default), one key of each kind for all
 *                that this process mints, or "leaf", a new one for each, which
 *                takes 100 ms and more where the original's is RSA;
 *                "cache-size": the most certificates in memory, 1 to 1000000,
 *                by default 1000; the one that was not used for longest goes
 * @param value   its value
 * @retval 0                  it is set
 * @retval TLSOCK_E_ARGUMENT  one of the three is NULL
 * @retval TLSOCK_E_OPTION    no such option, or no such value
 * @retval TLSOCK_E_FROZEN    a leaf was asked for before
 */
TLSOCK_API int tlsock_intercept_set(tlsock_intercept *i, const char *option,
                                    const char *value);

/**
 * The copy of a server's certificate, as tlsock_cert_clone() makes it: from
 * memory, from the directory, or minted now. It is minted once for each
 * certificate that is seen, also if many threads ask at once: the others wait
 * for it, and only for it. It ends when the original or the CA does, whichever
 * is first, and is then minted anew, as is what is damaged in the directory,
 * or was written there 30 days ago. That something cannot be written there is
 * no failure.
 * @param i         the handle
 * @param upstream  the server's certificate, borrowed; its chain and key do
 *                  not matter
 * @param err       filled in on failure; may be NULL
 * @return with key, and chain up to the CA but for a root; yours to
 *         tlsock_cert_unref(); NULL on failure: as tlsock_cert_clone()
 */
TLSOCK_API tlsock_cert *tlsock_intercept_leaf(tlsock_intercept *i,
                                              const tlsock_cert *upstream,
                                              tlsock_error *err);

/** @param i NULL is a no-op; nobody may be using it. What was handed out
 *  lives on. */
TLSOCK_API void tlsock_intercept_free(tlsock_intercept *i);

#ifdef __cplusplus
}
#endif
#endif
