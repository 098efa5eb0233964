/* shim - what its parts share. */
#ifndef TORTURE_SHIM_H
#define TORTURE_SHIM_H

#include <stdatomic.h>

enum shim_mode {
    OFF,
    COUNT,
    ALLOC,
    OSSL,
    CALL,
    KILL,
    AT,
    SITES,
    WAY,
    BELOW,
    NO
};
extern enum shim_mode shim_mode;
extern atomic_int shim_running; /* main() is */
extern unsigned long shim_at;

/* To the file of marks. */
void shim_say(const char *text);
void shim_fired(const char *name, int which, int ways);

/* Before main(). */
void shim_sites_begin(void);
/* An allocation of the tool or the library, or of OpenSSL. 1: it fails. */
int shim_own_site(void);
int shim_ossl_site(void);

#endif
