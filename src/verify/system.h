/* system - where this machine keeps the CAs it trusts. Reads no certificate. */
#ifndef TSK_VERIFY_SYSTEM_H
#define TSK_VERIFY_SYSTEM_H

#include "core/err.h"

#include <stddef.h>

struct tsk_system {
    char dirs[512];  /* of hashed names, separated by ":", or "" */
    char file[512];  /* bundle, or "" */
    char why[96];    /* "SSL_CERT_FILE is set", ... */
    char tried[768]; /* what was looked at, "path (fault), ..." */
    char key[1024];  /* changes when what is there changes */
};

/* 0, or E_TRUST_STORE: nothing found, or what the environment names is not
 * usable (then nothing else is taken in its stead). */
int tsk_system_find(struct tsk_system *sys, tlsock_error *err);

#endif
