/* mints - CAs, certificates to imitate, and a directory, for tests of minting.
 */
#ifndef TEST_MINTS_H
#define TEST_MINTS_H

#include "test.h"

#include "intercept/mint.h"

enum { MINTS_EC, MINTS_RSA, MINTS_ED25519, MINTS_BELOW, MINTS_CAS };

extern tlsock_cert *mints_ca[MINTS_CAS]; /* BELOW: of EC */
extern int64_t mints_now;                /* what the clock says; 0: the time */

int mints_setup(void **state); /* of the group */
int mints_teardown(void **state);
/* Yours: EC, from some days ago, for so many days. */
tlsock_cert *mints_seen(const char *name, int days);
/* A handle that works: yours. */
tlsock_intercept *mints_open(int ca, const char *dir);
/* A leaf that has to come: yours. */
tlsock_cert *mints_leaf(tlsock_intercept *m, const tlsock_cert *seen);
/* An empty directory that is removed in the end. */
const char *mints_dir(void);
/* How many files of it have names of so many bytes; the last one's path. */
size_t mints_files(const char *dir, size_t name_len, char path[256]);

#endif
